"""Scores of answers about recordings, with intervals by bootstrap over people, in two ways of counting beats.

    plain   all annotated beats, each right or wrong: the matrix of five classes. ``macro_f1`` is the mean over N, S
            and V; fusions and unknown beats are too few to be averaged with them, and count where they are called
            one of the three.
    ec57    as ANSI/AAMI EC57 has it: the first five minutes of each record are left out; a fusion or unknown beat
            called V, and an unknown one called S, is not held against these classes (a miss it is in any case).

A beat is not an independent draw: the tens of thousands of one test set come from some twenty hearts. So it is
people that are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError, SettingsError, nearest
from leadwise.names import AAMI, WINDOW_LABELS
from leadwise.scores.draws import Interval, percentiles
from leadwise.scores.metrics import Floats, probabilities

COUNTINGS = ("plain", "ec57")
HEADING = ("N", "S", "V")
"""The classes over which ``macro_f1`` of beats is averaged."""

_UNCHARGED = {"S": ("S", "Q"), "V": ("V", "F", "Q")}
"""Of EC57: true classes that are no false alarm where they are called S, or V."""

_BINS = 4096


def beat_scores(
    answers: pd.DataFrame,
    counting: str = "plain",
    beats: pd.DataFrame | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Scores of one model's answers to beats (rows of ``predictions.csv``, task ``aami5``), by metric name.

    The value is the mean over the seeds, and each draw takes the same people in all of them. ``plain``: `accuracy,
    macro_f1`, and `recall, ppv, f1` of each class; ``ec57``: `accuracy`, and those three of S and V. `beats` is
    ``beats.csv``, needed for ``ec57``, which tells by it what the first five minutes are. A metric is nan where it is
    undefined. Raises `InputError` for no answers, and for beats that are not in `beats`.
    """
    if counting not in COUNTINGS:
        raise SettingsError(f"no counting is called {counting!r}; {nearest(counting, COUNTINGS)}")
    if counting == "ec57":
        answers = _after_five_minutes(answers, beats)
    return _scores(answers, AAMI, _ec57 if counting == "ec57" else _plain, draws, seed)


def beat_difference(
    a: pd.DataFrame, b: pd.DataFrame, metrics: Sequence[str], draws: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Metrics of one model's answers to beats minus another's, counted ``plain``, on the same draws of people.

    Each is the mean over its own seeds. Raises `InputError` where the two do not answer for the same beats with the
    same labels.
    """
    asked = [set(zip(one["unit_id"], one["label"], strict=True)) for one in (a, b)]
    if asked[0] != asked[1]:
        odd = min(asked[0] ^ asked[1])[0]
        names = " and ".join(str(one["model"].iloc[0]) for one in (a, b))
        raise InputError(f"{names} answer for different beats or labels ({odd} for one): nothing to compare.")
    one, other = (_drawn(answers, AAMI, _plain, draws, seed) for answers in (a, b))
    differences = {name: one[name] - other[name] for name in metrics}
    return {name: percentiles(float(found[0]), found[1:]) for name, found in differences.items()}


def window_scores(answers: pd.DataFrame, draws: int = 2000, seed: int = 0) -> dict[str, Interval]:
    """Scores of one model's answers to windows (task ``window``): `accuracy, balanced_accuracy` and more, by name.

    `balanced_accuracy` is the mean of the two recalls, 0.5 for whoever always says the same. Else as `beat_scores`.
    """
    return _scores(answers, WINDOW_LABELS, _windows, draws, seed)


def ranking_scores(
    answers: pd.DataFrame, classes: Sequence[str], of: Sequence[str], draws: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """`auroc_<class>` and `auprc_<class>` of each class in `of` against the rest, people drawn.

    Probabilities are taken to one of 4,096 steps of equal mass, so that draws are sums over people.
    """
    people, counts = _drawn_people(answers, draws, seed)
    found: dict[str, list[tuple[Floats, Floats]]] = {}
    for _, one in answers.groupby("seed", sort=True):
        labels, prob = probabilities(one, classes)
        person = people.get_indexer(one["group_id"].astype(str))
        for name in of:
            number = list(classes).index(name)
            found.setdefault(name, []).append(
                _ranked(prob[:, number], labels == number, person, counts, len(people))
            )
    scores = {}
    for name, seeds in found.items():
        for metric, values in zip(("auroc", "auprc"), zip(*seeds, strict=True), strict=True):
            mean = np.mean(values, axis=0)
            scores[f"{metric}_{name}"] = percentiles(float(mean[0]), mean[1:])
    return scores


def confusion(answers: pd.DataFrame, classes: Sequence[str] = AAMI) -> pd.DataFrame:
    """How often each class (rows) was called each (columns), all seeds together."""
    labels, prob = probabilities(answers, classes)
    counted = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counted, (labels, prob.argmax(axis=1)), 1)
    return pd.DataFrame(
        counted, index=pd.Index(classes, name="true"), columns=pd.Index(classes, name="called")
    )


def _scores(
    answers: pd.DataFrame, classes: Sequence[str], of: object, draws: int, seed: int
) -> dict[str, Interval]:
    found = _drawn(answers, classes, of, draws, seed)
    return {name: percentiles(float(mean[0]), mean[1:]) for name, mean in found.items()}


def _drawn(
    answers: pd.DataFrame, classes: Sequence[str], of: object, draws: int, seed: int
) -> dict[str, Floats]:
    """Each metric as the answers are, then in each draw: ``(1 + draws,)``, means over the seeds."""
    people, counts = _drawn_people(answers, draws, seed)
    found = []
    for _, one in answers.groupby("seed", sort=True):
        labels, prob = probabilities(one, classes)
        matrices = np.zeros((len(people), len(classes), len(classes)))
        person = people.get_indexer(one["group_id"].astype(str))
        np.add.at(matrices, (person, labels, prob.argmax(axis=1)), 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(of(np.tensordot(counts, matrices, axes=1)))  # type: ignore[operator]
    return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}


def _plain(matrices: Floats) -> dict[str, Floats]:
    """Scores of each matrix ``(draws, 5, 5)``, true by called."""
    out = {"accuracy": _right(matrices)}
    by_class = _by_class(matrices, AAMI)
    out["macro_f1"] = np.mean([by_class[f"f1_{name}"] for name in HEADING], axis=0)
    return out | by_class


def _windows(matrices: Floats) -> dict[str, Floats]:
    by_class = _by_class(matrices, WINDOW_LABELS)
    return {
        "accuracy": _right(matrices),
        "balanced_accuracy": np.mean([by_class[f"recall_{name}"] for name in WINDOW_LABELS], axis=0),
        "macro_f1": np.mean([by_class[f"f1_{name}"] for name in WINDOW_LABELS], axis=0),
    } | by_class


def _ec57(matrices: Floats) -> dict[str, Floats]:
    charged = {
        number: [AAMI.index(true) for true in AAMI if true not in _UNCHARGED[name]]
        for number, name in enumerate(AAMI)
        if name in _UNCHARGED
    }
    return {"accuracy": _right(matrices)} | _by_class(matrices, AAMI, charged)


def _by_class(
    matrices: Floats, classes: Sequence[str], charged: dict[int, list[int]] | None = None
) -> dict[str, Floats]:
    """`recall, ppv, f1` by class; `charged` names for each the true classes whose calls are false alarms."""
    everyone = {k: [j for j in range(len(classes)) if j != k] for k in range(len(classes))}
    out = {}
    for k, others in (charged or everyone).items():
        right = matrices[:, k, k]
        missed = matrices[:, k].sum(axis=1) - right
        false = matrices[:, others, k].sum(axis=1)
        some = np.where(right + missed > 0, 1.0, np.nan)
        out[f"recall_{classes[k]}"] = right / (right + missed)
        out[f"ppv_{classes[k]}"] = right / (right + false)
        out[f"f1_{classes[k]}"] = 2 * right / (2 * right + missed + false) * some
    return out


def _right(matrices: Floats) -> Floats:
    return np.asarray(np.trace(matrices, axis1=1, axis2=2) / matrices.sum(axis=(1, 2)))


def _ranked(
    score: Floats, positive: NDArray[np.bool_], person: NDArray[np.intp], counts: Floats, n_people: int
) -> tuple[Floats, Floats]:
    """AUROC (ties count half) and average precision of each draw; nan where either side is empty."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, _BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, score, side="right")
    sides = []
    for side in (positive, ~positive):
        held = np.zeros((n_people, len(edges) + 1))
        np.add.at(held, (person[side], bins[side]), 1)
        sides.append((counts @ held)[:, ::-1])
    hits, misses = sides
    above_hits, above_misses = np.cumsum(hits, axis=1), np.cumsum(misses, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        n_hits, n_misses = above_hits[:, -1], above_misses[:, -1]
        auroc = (hits * (n_misses[:, None] - above_misses + misses / 2)).sum(axis=1) / (n_hits * n_misses)
        called = above_hits + above_misses
        precision = np.divide(above_hits, called, out=np.zeros_like(called), where=called > 0)
        return auroc, (hits * precision).sum(axis=1) / n_hits


def _drawn_people(answers: pd.DataFrame, draws: int, seed: int) -> tuple[pd.Index, Floats]:
    """The people, and how often each counts ``(1 + draws, people)``: once as the answers are, then in each draw."""
    if answers.empty:
        raise InputError("no answers to score.")
    for column in ("model", "task", "protocol", "role"):
        if len(several := answers[column].unique()) > 1:
            raise InputError(f"answers of several {column}s at once: {', '.join(several[:3])}.")
    twice = answers.duplicated(["seed", "unit_id"])
    if twice.any():
        row = answers[twice].iloc[0]
        raise InputError(
            f"{row['model']}: {row['unit']} {row['unit_id']} answers twice in seed {row['seed']}."
        )
    people = pd.Index(sorted(answers["group_id"].astype(str).unique()))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), size=draws)
    return people, np.concatenate([np.ones((1, len(people))), drawn])


def _after_five_minutes(answers: pd.DataFrame, beats: pd.DataFrame | None) -> pd.DataFrame:
    if beats is None:
        raise InputError(
            "ec57 leaves the first five minutes out: give the table beats.csv, which tells them."
        )
    counted = answers["unit_id"].map(beats.set_index("beat_id")["in_ec57"])
    if counted.isna().any():
        raise InputError(f"beat {answers.loc[counted.isna(), 'unit_id'].iloc[0]} is not in beats.csv.")
    return answers[counted.astype(bool)]


_NAMES = {"macro_f1": "Macro F1 (N, S, V)", "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy"}
_KINDS = {"f1": "F1 of", "recall": "Sensitivity to", "ppv": "PPV of"}


def readable(metric: str) -> str:
    """A metric's name as figures print it: ``recall_S`` is ``Sensitivity to S``."""
    kind, _, of = metric.partition("_")
    return _NAMES.get(metric, f"{_KINDS.get(kind, kind)} {of}")
