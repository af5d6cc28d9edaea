"""What can be had without a network: the rows that every table shows beneath the networks.

Three know nothing of what they are asked about, and are not the same: `base_rates` gives each class its share among
the training pages; `always_normal` says N, or normal; `frequent_class` says what is frequent in the other folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.names import AAMI, RATIOS, TASKS, WINDOW_LABELS

FLOORS = ("strip_features", "rate", "random_encoder", "base_rates", "always_normal", "frequent_class", "ratios_alone",
          "record_alone", "rate_alone")  # fmt: skip
"""The names of all that stand beneath networks; none of them is compared as one."""


def base_rates(answers: pd.DataFrame, folds: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Answers that only know how frequent each class is among the training pages.

    ``answers``: a model's test answers (rows of predictions.csv), whose pages are answered for; ``folds``:
    the contract folds.csv. For each seed and fold every class gets its share among the pages of the other
    folds, so the answer is always the most frequent class.
    """
    tables = []
    for (protocol, seed, fold), tested in answers.groupby(["protocol", "seed", "fold"]):
        rest = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed) & (folds["fold"] != fold)]
        shares = rest.loc[rest["label"].isin(list(classes)), "label"].value_counts(normalize=True)
        known = {f"prob_{name}": float(shares.get(name, 0.0)) for name in classes}
        tables.append(tested.assign(model="base_rates", **known))
    return pd.concat(tables, ignore_index=True)


def printed_rate(pages: pd.DataFrame) -> NDArray[np.float64]:
    """The heart rate printed on each page (contract pages.csv) as a feature for `linear`, ``(pages, 1)``.

    One that was not read says nothing: 75, the middle of the usual.
    """
    return np.asarray(pages["heart_rate_bpm"].astype("Float64").fillna(75).to_numpy(float)[:, None])


def linear(
    answers: pd.DataFrame,
    features: NDArray[np.floating],
    pages: pd.DataFrame,
    *,
    model: str,
    strength: float = 1.0,
) -> pd.DataFrame:
    """Answers of a logistic regression on a few numbers a page, fitted on the pages of the other folds.

    ``answers``: a model's test answers, whose pages are answered for and whose other folds are trained on;
    ``features`` ``(pages, n)`` in the order of ``pages`` (contract pages.csv), scaled by the training pages;
    ``strength`` is scikit-learn's C. Nothing is chosen.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    row_of = pd.Series(np.arange(len(pages)), index=pages["page_id"])
    tables = []
    for (task, _), every in answers.groupby(["task", "seed"]):
        for fold in sorted(every["fold"].unique()):
            tested, rest = every[every["fold"] == fold], every[every["fold"] != fold]
            regression = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
            regression.fit(features[row_of[rest["unit_id"]]], rest["label"])
            prob = regression.predict_proba(features[row_of[tested["unit_id"]]])
            known = dict(zip(regression.classes_, prob.T, strict=True))
            columns = {f"prob_{name}": known.get(name, 0.0) for name in TASKS[str(task)]}
            tables.append(tested.assign(model=model, **columns))
    return pd.concat(tables, ignore_index=True)


def always_normal(answers: pd.DataFrame) -> pd.DataFrame:
    """Always N, or always ``normal``, the frequent class of every split, about the units of `answers`."""
    classes = TASKS[str(answers["task"].iloc[0])]
    return answers.assign(
        model="always_normal", **{f"prob_{name}": float(name == classes[0]) for name in classes}
    )


def record_alone(answers: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """What most windows of the same record are called, by ``windows.csv``: all that knowing the record can give."""
    abnormal = (windows["label"] == WINDOW_LABELS[1]).groupby(windows["record"]).mean() > 0.5
    record = windows.set_index("window_id")["record"]
    told = answers["unit_id"].map(record).map(abnormal).to_numpy(float)
    return answers.assign(
        model="record_alone", **{f"prob_{WINDOW_LABELS[0]}": 1 - told, f"prob_{WINDOW_LABELS[1]}": told}
    )


def ratios_alone(answers: pd.DataFrame, beats: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """A logistic regression on the four ratios of intervals in ``beats.csv``, fitted on the training beats.

    `found` is what `leadwise.folds.partition.units_in_folds` gives of `beats` for the seed of the `answers`. Classes
    are weighed by their rarity, since otherwise it always says N. Nothing is chosen.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learned = found[(found["part"] == "train") & found["label"].isin(["N", "S", "V"])]
    regression = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    regression.fit(learned[list(RATIOS)].to_numpy(), learned["label"])
    asked = beats.set_index("beat_id").loc[answers["unit_id"], list(RATIOS)].to_numpy()
    known = dict(zip(regression.classes_, regression.predict_proba(asked).T, strict=True))
    nothing = np.zeros(len(answers))
    return answers.assign(model="ratios_alone", **{f"prob_{name}": known.get(name, nothing) for name in AAMI})


def frequent_class(answers: pd.DataFrame) -> pd.DataFrame:
    """The class that is frequent among the beats of the other folds, always."""
    classes = TASKS[str(answers["task"].iloc[0])]
    share = pd.Series(0.0, index=answers.index)
    for tested, others in _folds(answers):
        share[tested] = float((others["label"] == classes[1]).mean() > 0.5)
    return _floor(answers, "frequent_class", share)


def rate_alone(answers: pd.DataFrame, beats: pd.DataFrame) -> pd.DataFrame:
    """A logistic regression on the recording's heart rate and its square, fitted on the beats of the other folds.

    `beats` has ``beat_id, rate_bpm``.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    classes = TASKS[str(answers["task"].iloc[0])]
    rate = answers["unit_id"].map(beats.set_index("beat_id")["rate_bpm"])
    share = pd.Series(0.0, index=answers.index)
    for tested, others in _folds(answers):
        fitted = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=1000))
        fitted.fit(rate[others.index].to_numpy()[:, None], others["label"] == classes[1])
        share[tested] = fitted.predict_proba(rate[tested].to_numpy()[:, None])[:, 1]
    return _floor(answers, "rate_alone", share)


def _folds(answers: pd.DataFrame) -> Sequence[tuple[pd.Index, pd.DataFrame]]:
    """Of each fold the rows that are tested, and the answers' rows of the other folds of its seed."""
    found = []
    for _, of_seed in answers.groupby("seed"):
        for fold in of_seed["fold"].unique():
            tested = of_seed["fold"] == fold
            found.append((of_seed.index[tested], of_seed[~tested]))
    return found


def _floor(answers: pd.DataFrame, name: str, share: pd.Series) -> pd.DataFrame:
    first, second = (f"prob_{label}" for label in TASKS[str(answers["task"].iloc[0])])
    return answers.assign(model=name, **{first: 1 - share, second: share})
