"""What can be had without a network: the rows that every table shows beneath the networks.

Three know nothing of what they are asked about, and are not the same: `base_rates` gives each class its share among
the training pages; `always_normal` says N, or normal; `frequent_class` says what is frequent in the other folds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from leadwise.names import RATIOS, TASKS, WINDOW_LABELS

FLOORS = ("strip_features", "rate", "random_encoder", "base_rates", "always_normal", "frequent_class", "ratios_alone",
          "record_alone", "rate_alone", "age_alone")  # fmt: skip
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
        prob = {f"prob_{name}": float(shares.get(name, 0.0)) for name in classes}
        tables.append(tested.assign(model="base_rates", **prob))
    return pd.concat(tables, ignore_index=True)


def printed_rate(pages: pd.DataFrame) -> NDArray[np.float64]:
    """The heart rate printed on each page (contract pages.csv) as a feature for `linear`, ``(pages, 1)``.

    One that was not read says nothing: 75, the middle of the usual.
    """
    return np.asarray(pages["heart_rate_bpm"].astype("Float64").fillna(75).to_numpy(float)[:, None])


def linear(
    answers: pd.DataFrame,
    features: NDArray[np.floating],
    unit_ids: pd.Series,
    *,
    model: str,
    strength: float = 1.0,
    degree: int = 1,
) -> pd.DataFrame:
    """Answers of a logistic regression on a few numbers a page or beat, fitted on those of the other folds.

    ``answers``: a model's test answers, whose units are answered for and whose other folds are trained on;
    ``features`` ``(units, n)`` in the order of ``unit_ids``, scaled by the training units, with their powers up to
    ``degree``; ``strength`` is scikit-learn's C. Nothing is chosen.
    """
    row_of = pd.Series(np.arange(len(unit_ids)), index=unit_ids)
    tables = []
    for _, of_seed in answers.groupby(["task", "seed"]):
        for fold in sorted(of_seed["fold"].unique()):
            tested, rest = of_seed[of_seed["fold"] == fold], of_seed[of_seed["fold"] != fold]
            regression = make_pipeline(
                StandardScaler(),
                PolynomialFeatures(degree, include_bias=False),
                LogisticRegression(C=strength, max_iter=2000),
            ).fit(features[row_of[rest["unit_id"]]], rest["label"])
            tables.append(_answered(tested, model, regression, features[row_of[tested["unit_id"]]]))
    return pd.concat(tables, ignore_index=True)


def always_normal(answers: pd.DataFrame) -> pd.DataFrame:
    """Always N, or always ``normal``, the frequent class of every split, about the units of `answers`."""
    first, *others = TASKS[str(answers["task"].iloc[0])]
    return answers.assign(
        model="always_normal", **{f"prob_{first}": 1.0}, **{f"prob_{o}": 0.0 for o in others}
    )


def record_alone(answers: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """What most windows of the same record are called, by ``windows.csv``: all that knowing the record can give."""
    abnormal = (windows["label"] == WINDOW_LABELS[1]).groupby(windows["record"]).mean() > 0.5
    record = windows.set_index("window_id")["record"]
    return _of_two(answers, "record_alone", answers["unit_id"].map(record).map(abnormal).astype(float))


def ratios_alone(answers: pd.DataFrame, beats: pd.DataFrame, placed: pd.DataFrame) -> pd.DataFrame:
    """A logistic regression on the four ratios of intervals in ``beats.csv``, fitted on the training beats.

    `placed` is what `leadwise.folds.partition.units_in_folds` gives of `beats` for the seed of the `answers`. Classes
    are weighed by their rarity, since otherwise it always says N. Nothing is chosen.
    """
    learned = placed[(placed["part"] == "train") & placed["label"].isin(["N", "S", "V"])]
    regression = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    regression.fit(learned[list(RATIOS)].to_numpy(), learned["label"])
    asked = beats.set_index("beat_id").loc[answers["unit_id"], list(RATIOS)]
    return _answered(answers, "ratios_alone", regression, asked.to_numpy())


def frequent_class(answers: pd.DataFrame) -> pd.DataFrame:
    """The class that is frequent among the beats of the other folds, always."""
    second = answers["label"] == TASKS[str(answers["task"].iloc[0])][1]
    of_seed, of_fold = second.groupby(answers["seed"]), second.groupby([answers["seed"], answers["fold"]])
    beats = of_seed.transform("size") - of_fold.transform("size")
    others = of_seed.transform("sum") - of_fold.transform("sum")
    return _of_two(answers, "frequent_class", (others > beats / 2).astype(float))


def rate_alone(answers: pd.DataFrame, beats: pd.DataFrame) -> pd.DataFrame:
    """A logistic regression on the recording's heart rate and its square, fitted on the beats of the other folds.

    `beats` has ``beat_id, rate_bpm``.
    """
    return linear(answers, beats[["rate_bpm"]].to_numpy(), beats["beat_id"], model="rate_alone", degree=2)


def age_alone(answers: pd.DataFrame, beats: pd.DataFrame) -> pd.DataFrame:
    """The same on the patient's age and its square; an age that is not known is the median of the others.

    `beats` has ``beat_id, age`` in years.
    """
    ages = beats[["age"]].fillna(beats["age"].median()).fillna(0.0)
    return linear(answers, ages.to_numpy(), beats["beat_id"], model="age_alone", degree=2)


def _answered(
    answers: pd.DataFrame, model: str, regression: Pipeline, features: NDArray[np.floating]
) -> pd.DataFrame:
    """Answers of a fitted regression; a class that it does not know has 0."""
    known = dict(zip(regression.classes_, regression.predict_proba(features).T, strict=True))
    classes = TASKS[str(answers["task"].iloc[0])]
    return answers.assign(model=model, **{f"prob_{name}": known.get(name, 0.0) for name in classes})


def _of_two(answers: pd.DataFrame, model: str, prob: pd.Series) -> pd.DataFrame:
    """Answers of a task with two classes, `prob` of the second."""
    first, second = TASKS[str(answers["task"].iloc[0])]
    return answers.assign(model=model, **{f"prob_{first}": 1 - prob, f"prob_{second}": prob})
