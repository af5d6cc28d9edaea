"""What beats and windows are scored by, in two ways of counting beats.

    plain   all annotated beats, each right or wrong: the matrix of five classes. ``macro_f1`` is the mean over N, S
            and V; fusions and unknown beats are too few to be averaged with them, and count where they are called
            one of the three.
    ec57    as ANSI/AAMI EC57 has it: the first five minutes of each record are left out; a fusion or unknown beat
            called V, and an unknown one called S, is not held against these classes (a miss it is in any case).

Where beats were found and not given (`leadwise.scores.found_beats`) matrices have a sixth row and column, for
nothing: a beat that was missed is called nothing, and one that was made up is nothing called something, a false
positive of its class in both ways of counting.

A beat is not an independent draw: the tens of thousands of one test set come from some twenty hearts. So it is
people that are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.names import AAMI, WINDOW_LABELS
from leadwise.scores.draws import Measure
from leadwise.scores.metrics import Floats, areas, probabilities

HEADING = ("N", "S", "V")
"""The classes over which ``macro_f1`` of beats is averaged."""

NOTHING = "O"
"""Stands, as in EC57, for no beat: what a missed one is called, and what a made up one is."""

_UNCHARGED = {"S": ("S", "Q"), "V": ("V", "F", "Q")}
"""Of EC57: true classes that are no false positive where they are called S, or V."""

_BINS = 4096


def beat_metrics(rows: Floats) -> dict[str, Floats]:
    """`accuracy, macro_f1`, and `recall, ppv, f1` of each class, of matrices ``(W, 5, 5)``, true by called.

    Or ``(W, 6, 6)``, whose last class is nothing; accuracy is always the share of annotated beats.
    """
    by_class = _by_class(rows, AAMI)
    return {
        "accuracy": _right(rows, AAMI),
        "macro_f1": np.mean([by_class[f"f1_{name}"] for name in HEADING], axis=0),
    } | by_class


def ec57_metrics(rows: Floats) -> dict[str, Floats]:
    """`accuracy`, and `recall, ppv, f1` of S and V as EC57 counts them; the answers are those of `after_5_min`.

    Matrices as in `beat_metrics`.
    """
    true = (*AAMI, NOTHING)[: rows.shape[1]]
    negatives = {
        number: [row for row, other in enumerate(true) if other not in _UNCHARGED[name]]
        for number, name in enumerate(AAMI)
        if name in _UNCHARGED
    }
    return {"accuracy": _right(rows, AAMI)} | _by_class(rows, AAMI, negatives)


def window_metrics(rows: Floats) -> dict[str, Floats]:
    """`accuracy, balanced_accuracy, macro_f1`, by class more; balanced: the mean of both recalls, 0.5 by chance."""
    by_class = _by_class(rows, WINDOW_LABELS)
    return {
        "accuracy": _right(rows, WINDOW_LABELS),
        "balanced_accuracy": np.mean([by_class[f"recall_{name}"] for name in WINDOW_LABELS], axis=0),
        "macro_f1": np.mean([by_class[f"f1_{name}"] for name in WINDOW_LABELS], axis=0),
    } | by_class


def counted(metrics: Callable[[Floats], dict[str, Floats]], classes: Sequence[str] = AAMI) -> Measure:
    """A measure for `leadwise.scores.draws` of metrics that only need who was called what, such as `beat_metrics`."""

    def measure(answers: pd.DataFrame, person: NDArray[np.intp], counts: Floats) -> dict[str, Floats]:
        matrices = _matrices(answers, person, counts.shape[1], classes)
        with np.errstate(divide="ignore", invalid="ignore"):
            return metrics(np.tensordot(counts, matrices, axes=1))

    return measure


def averaged(metrics: Callable[[Floats], dict[str, Floats]], classes: Sequence[str] = AAMI) -> Measure:
    """The same of each record alone, and then their mean: EC57's average, beside the gross figures of `counted`.

    Groups are records here. One in which a metric is undefined (no S, or none called S) has no part in it.
    """

    def measure(answers: pd.DataFrame, record: NDArray[np.intp], counts: Floats) -> dict[str, Floats]:
        matrices = _matrices(answers, record, counts.shape[1], classes)
        with np.errstate(divide="ignore", invalid="ignore"):
            of_each = {name: (values, np.isfinite(values)) for name, values in metrics(matrices).items()}
            return {
                name: (counts[:, known] @ values[known]) / counts[:, known].sum(axis=1)
                for name, (values, known) in of_each.items()
            }

    return measure


def ranking(classes: Sequence[str], of: Sequence[str]) -> Measure:
    """A measure of `auroc_<class>` and `auprc_<class>` of each class in `of` against the rest.

    Probabilities are taken to one of 4,096 steps of equal mass, so that draws are sums over people.
    """

    def measure(answers: pd.DataFrame, person: NDArray[np.intp], counts: Floats) -> dict[str, Floats]:
        labels, prob = probabilities(answers, classes)
        metrics: dict[str, Floats] = {}
        for name in of:
            number = list(classes).index(name)
            auroc, auprc = _ranked(prob[:, number], labels == number, person, counts, counts.shape[1])
            metrics |= {f"auroc_{name}": auroc, f"auprc_{name}": auprc}
        return metrics

    return measure


BEATS = counted(beat_metrics)
EC57 = counted(ec57_metrics)
WINDOWS = counted(window_metrics, WINDOW_LABELS)
"""What beats, beats by EC57, and windows are measured by."""


def after_5_min(answers: pd.DataFrame, beats: pd.DataFrame) -> pd.DataFrame:
    """Without the first five minutes of each record, which EC57 leaves out; `beats` is ``beats.csv``.

    Raises InputError for a beat that is not there.
    """
    kept = answers["unit_id"].map(beats.set_index("beat_id")["in_ec57"])
    if kept.isna().any():
        raise InputError(f"beat {answers.loc[kept.isna(), 'unit_id'].iloc[0]} is not in beats.csv.")
    return answers[kept.astype(bool)]


def wrong_by(answers: pd.DataFrame) -> pd.DataFrame:
    """The share of beats that each model (rows) gets wrong, by `class <name>` and by `record <number>` (columns).

    Means over seeds; a class that no beat has is left out.
    """
    called = answers[[f"prob_{name}" for name in AAMI]].to_numpy().argmax(axis=1)
    table = pd.DataFrame(
        {
            "model": answers["model"],
            "wrong": np.asarray(AAMI)[called] != answers["label"],
            "class": "class " + answers["label"],
            "record": "record " + answers["unit_id"].str.rsplit("-", n=1).str[0],
        }
    )
    sides = [
        table.pivot_table(index="model", columns=side, values="wrong", aggfunc="mean", sort=False)
        for side in ("class", "record")
    ]
    ordered = [f"class {name}" for name in AAMI if f"class {name}" in sides[0]]
    return pd.concat([sides[0][ordered], sides[1][sorted(sides[1])]], axis=1)


def _by_class(
    matrices: Floats, classes: Sequence[str], negatives: dict[int, list[int]] | None = None
) -> dict[str, Floats]:
    """`recall, ppv, f1` by class; `negatives` names for each the true classes whose calls are false positives."""
    everyone = {k: [j for j in range(matrices.shape[1]) if j != k] for k in range(len(classes))}
    out = {}
    for k, others in (negatives or everyone).items():
        true_positives = matrices[:, k, k]
        of_class = matrices[:, k].sum(axis=1)
        called = true_positives + matrices[:, others, k].sum(axis=1)
        defined = np.where(of_class > 0, 1.0, np.nan)
        out[f"recall_{classes[k]}"] = true_positives / of_class
        out[f"ppv_{classes[k]}"] = true_positives / called
        out[f"f1_{classes[k]}"] = 2 * true_positives / (of_class + called) * defined
    return out


def _matrices(answers: pd.DataFrame, person: NDArray[np.intp], people: int, classes: Sequence[str]) -> Floats:
    """How often each person's beats of a class are called what: ``(people, true, called)``."""
    labels, prob = probabilities(answers, classes)
    matrices = np.zeros((people, len(classes), len(classes)))
    np.add.at(matrices, (person, labels, prob.argmax(axis=1)), 1)
    return matrices


def _right(matrices: Floats, classes: Sequence[str]) -> Floats:
    """The share of what is of one of the classes that is called so."""
    return np.asarray(np.trace(matrices, axis1=1, axis2=2) / matrices[:, : len(classes)].sum(axis=(1, 2)))


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
    with np.errstate(divide="ignore", invalid="ignore"):
        return areas(*sides)
