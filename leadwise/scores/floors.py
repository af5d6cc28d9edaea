"""Baselines: what can be had without a network, the rows that every table shows beneath the networks.

What is fitted is fitted on the training pages of each outer fold, and where it has anything to choose, it chooses as
networks do: on the answers to inner folds, by log-loss (`nested`). Three know
nothing of what they are asked about, and are not the same: `base_rates` gives each class its share among the training
pages; `always_normal` says N, or normal; `frequent_class` says what is frequent in the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

from leadwise.errors import InputError
from leadwise.names import RATIOS, TASKS, WINDOW_LABELS
from leadwise.scores.calibration import apply_by_fold, calibrated, fit_calibration
from leadwise.scores.metrics import Floats, scores

FLOORS = ("tuned_classical", "strip_features", "rate", "random_encoder", "base_rates", "always_normal",
          "frequent_class", "ratios_alone", "record_alone", "rate_alone", "age_alone")  # fmt: skip
"""The names of all that stand beneath networks; none of them is compared as one."""

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""scikit-learn's C: the one grid of all that is regularised, the less the larger."""

_COMPONENTS = 80
"""Of usual beats; the 12 x 81 samples of some 390 pages have no more that another page shows too."""


@dataclass(frozen=True)
class Candidate:
    """A model that is not yet fitted, and what it sees: ``(units, n)``, in the order of the units' table."""

    model: Pipeline
    features: NDArray[np.floating]


@dataclass(frozen=True)
class Fitted:
    """A baseline's test answers, and what was chosen: ``model, task, protocol, seed, fold, chosen, log_loss``.

    `log_loss` is that of the chosen candidate on its inner answers, pooled.
    """

    answers: pd.DataFrame
    chosen: pd.DataFrame


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
    strengths: Sequence[float] = STRENGTHS,
    degree: int = 1,
) -> Fitted:
    """A logistic regression on a few numbers a page or beat, `nested`.

    ``features`` ``(units, n)`` in the order of ``unit_ids``, scaled by the training units, with their powers up to
    ``degree``; ``strengths`` are the values of C to choose from.
    """
    powers = PolynomialFeatures(degree, include_bias=False)
    candidates = {
        f"logistic regression, C = {strength:g}": Candidate(
            make_pipeline(StandardScaler(), powers, LogisticRegression(C=strength, max_iter=2000)), features
        )
        for strength in strengths
    }
    return nested(answers, unit_ids, candidates, model=model)


def tuned_classical(
    answers: pd.DataFrame, numbers: NDArray[np.floating], beats: NDArray[np.floating], unit_ids: pd.Series
) -> Fitted:
    """The best that is to be had of digitised signals without a network, `nested`.

    Candidates: a logistic regression, or a support vector machine with a radial kernel, each with every C in
    STRENGTHS; on ``numbers`` ``(pages, n)``, or on these beside the first principal components of the usual beats
    ``(pages, leads, samples)``, which are taken in mV, or of samples that are scaled alike.
    """
    flat = beats.reshape(len(beats), -1)
    of_beats, of_numbers = slice(0, flat.shape[1]), slice(flat.shape[1], None)
    parts = PCA(min(_COMPONENTS, len(flat) // 2, flat.shape[1]), random_state=0)
    both = np.concatenate([flat, numbers], axis=1)
    seen = {
        "numbers": (StandardScaler(), numbers),
        "beats in mV and numbers": (
            make_column_transformer((parts, of_beats), (StandardScaler(), of_numbers)),
            both,
        ),
        "scaled beats and numbers": (
            make_column_transformer(
                (make_pipeline(StandardScaler(), parts), of_beats), (StandardScaler(), of_numbers)
            ),
            both,
        ),
    }
    candidates = {
        f"{name}, {kind}, C = {strength:g}": Candidate(make_pipeline(begin, classifier), features)
        for name, (begin, features) in seen.items()
        for strength in STRENGTHS
        for kind, classifier in (
            ("logistic regression", LogisticRegression(C=strength, max_iter=2000)),
            ("support vectors", SVC(C=strength)),
        )
    }
    return nested(answers, unit_ids, candidates, model="tuned_classical")


def nested(
    answers: pd.DataFrame, unit_ids: pd.Series, candidates: Mapping[str, Candidate], *, model: str
) -> Fitted:
    """Answers to each outer fold by the candidate that its inner folds prefer, fitted on all other folds.

    ``answers``: a network's test answers, whose units are answered for, in its folds. Inner folds are those of
    `leadwise.learning.cross_fit`: for outer fold k each other fold j is answered by what saw neither. A candidate's
    inner answers, pooled, give it a temperature and a bias a class, as the page model gets them; after these the
    lowest log-loss chooses. Of one candidate alone nothing is chosen, and its answers stay as they are. Raises
    InputError where there are fewer than three folds and several candidates.
    """
    row_of = pd.Series(np.arange(len(unit_ids)), index=unit_ids)
    keys = ["model", "task", "protocol", "seed"]
    tables, chosen = [], []
    for place, own in answers.assign(model=model).groupby(keys, sort=False):
        classes = TASKS[str(own["task"].iloc[0])]
        units = own[["label", "fold"]].assign(row=row_of[own["unit_id"]].to_numpy())
        folds = sorted(set(units["fold"]))
        best = _chosen(units, folds, candidates, classes)
        prob = np.zeros((len(own), len(classes)))
        for fold in folds:
            taken = candidates[best[fold]["chosen"]]
            prob[units["fold"] == fold] = _asked(taken, units, (fold,), classes)[fold]
        told = own.assign(**{f"prob_{name}": prob[:, k] for k, name in enumerate(classes)})
        if len(candidates) > 1:
            table = pd.DataFrame(
                [dict(zip(keys, place, strict=True)) | {"fold": fold} | best[fold] for fold in folds]
            )
            told = apply_by_fold(told, table, classes)
            chosen.append(table[[*keys, "fold", "chosen", "log_loss"]])
        tables.append(told)
    return Fitted(
        pd.concat(tables, ignore_index=True),
        pd.concat(chosen, ignore_index=True) if chosen else pd.DataFrame(),
    )


def _chosen(
    units: pd.DataFrame, folds: Sequence[int], candidates: Mapping[str, Candidate], classes: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """By outer fold: the candidate with the lowest log-loss on inner answers, that, and its calibration."""
    if len(candidates) == 1:
        return {k: {"chosen": next(iter(candidates))} for k in folds}
    if len(folds) < 3:
        raise InputError(
            f"baselines choose on inner folds, and of folds {folds} none is left: name three at least."
        )
    best: dict[int, dict[str, Any]] = {}
    lowest = dict.fromkeys(folds, np.inf)
    for name, candidate in candidates.items():
        asked = {pair: _asked(candidate, units, pair, classes) for pair in combinations(folds, 2)}
        for k in folds:
            inner = [j for j in folds if j != k]
            prob = np.concatenate([asked[min(j, k), max(j, k)][j] for j in inner])
            of_inner = pd.concat([units.loc[units["fold"] == j, "label"] for j in inner])
            labels = pd.Index(classes).get_indexer(pd.Index(of_inner)).astype(np.int64)
            fitted = fit_calibration(prob, labels, classes, bias=True)
            loss = scores(labels, calibrated(prob, fitted, classes), classes)["log_loss"]
            if loss < lowest[k]:
                lowest[k] = loss
                best[k] = {"chosen": name, "log_loss": loss, **fitted}
    return best


def _asked(
    candidate: Candidate, units: pd.DataFrame, left_out: Sequence[int], classes: Sequence[str]
) -> dict[int, Floats]:
    """By fold left out: probabilities ``(units, classes)`` of the candidate fitted on all others.

    The softmax of its decision function; a class that it does not know has 0.
    """
    rest = units[~units["fold"].isin(left_out)]
    fitted = clone(candidate.model).fit(candidate.features[rest["row"]], rest["label"])
    columns = [list(classes).index(name) for name in fitted.classes_]
    answers = {}
    for fold in left_out:
        decision = fitted.decision_function(candidate.features[units.loc[units["fold"] == fold, "row"]])
        if decision.ndim == 1:
            decision = np.stack([np.zeros(len(decision)), decision], axis=1)
        answers[fold] = np.zeros((len(decision), len(classes)))
        answers[fold][:, columns] = softmax(decision, axis=1)
    return answers


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
    rate = beats[["rate_bpm"]].to_numpy()
    fitted = linear(answers, rate, beats["beat_id"], model="rate_alone", strengths=(1.0,), degree=2)
    return fitted.answers


def age_alone(answers: pd.DataFrame, beats: pd.DataFrame) -> pd.DataFrame:
    """The same on the patient's age and its square; an age that is not known is the median of the others.

    `beats` has ``beat_id, age`` in years.
    """
    ages = beats[["age"]].fillna(beats["age"].median()).fillna(0.0)
    fitted = linear(answers, ages.to_numpy(), beats["beat_id"], model="age_alone", strengths=(1.0,), degree=2)
    return fitted.answers


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
