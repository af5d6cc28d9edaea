"""Scores of answers, with or without weights, and a page's answer from its twelve leads.

The metrics' definitions (K classes, N units, p the probabilities, the answer is the most probable class):

    accuracy            right answers / N
    macro_f1            mean over the classes of f1_<class> = 2 TP / (2 TP + FP + FN)
    macro_auroc         mean over the classes of the area under ROC, each class against the rest
    auroc, auprc        two classes: the second class is the positive one; auprc is the average precision.
                        More classes: no auroc, and auprc is the mean over the classes
    log_loss            mean of -log p[label], natural logarithm
    brier               mean of the squared error of p; two classes: of the positive class alone (0..1),
                        more: summed over the classes (0..2), as scikit-learn does
    recall, specificity, ppv, npv, f1 of a class: from the class against the rest
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.names import UNITS

Floats = NDArray[np.float64]


def select_pages(
    predictions: pd.DataFrame, task: str, seeds: Sequence[int], folds: Sequence[int], model: str | None = None
) -> pd.DataFrame:
    """The test answers of one task and model for whole pages (or windows, or beats), of these seeds and folds alone.

    Raises InputError where a seed or fold has none.
    """
    rows = predictions[
        (predictions["unit"] == UNITS[task]) & (predictions["role"] == "test") & (predictions["task"] == task)
    ]
    if model is not None:
        rows = rows[rows["model"] == model]
    rows = rows[rows["seed"].isin(list(seeds)) & rows["fold"].isin(list(folds))]
    there = set(zip(rows["seed"], rows["fold"], strict=True))
    lacking = [(seed, fold) for seed in seeds for fold in folds if (seed, fold) not in there]
    if lacking:
        seed, fold = lacking[0]
        name = model or ", ".join(predictions["model"].unique())
        raise InputError(
            f"{name} has no test answers for seed {seed}, fold {fold} (task {task!r}). Run its notebook with "
            "these SEEDS and FOLDS, or compare fewer."
        )
    return rows.reset_index(drop=True)


def probabilities(answers: pd.DataFrame, classes: Sequence[str]) -> tuple[NDArray[np.int64], Floats]:
    """Label indices (N,) and probabilities (N, K) of rows of predictions.csv, classes in the order given.

    Raises InputError for a label outside ``classes``, a missing column or a value that is no probability.
    """
    columns = [f"prob_{name}" for name in classes]
    missing = [column for column in columns if column not in answers]
    if missing:
        raise InputError(f"answers have no column {missing[0]!r}; classes are {', '.join(classes)}.")
    labels = pd.Index(classes).get_indexer(pd.Index(answers["label"]))
    if (labels < 0).any():
        wrong = answers["label"].iloc[int(np.argmax(labels < 0))]
        raise InputError(f"label {wrong!r} is none of the classes {', '.join(classes)}.")
    prob = answers[columns].to_numpy(dtype=np.float64)
    _check(prob)
    return labels.astype(np.int64), prob


def mean_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """A row a unit, in the order in which they first come: its mean probabilities, all else from its first row.

    ``answers``: rows of predictions.csv of one model, task, protocol and kind of unit: of a page's files, or of
    several seeds, whose networks never saw the page: an ensemble, not a repetition.
    """
    prob = [column for column in answers if column.startswith("prob_")]
    first = answers.drop_duplicates("unit_id").set_index("unit_id")
    first[prob] = answers.groupby("unit_id")[prob].mean().reindex(first.index)
    return first.reset_index()


def cut_to(other: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Another model's answers to the units of `answers`, in the same seeds, so that they can be paired."""
    return other.merge(answers[["seed", "unit_id"]], on=["seed", "unit_id"])


def confusion(answers: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """How often each class (rows) was called each (columns), all seeds together."""
    labels, prob = probabilities(answers, classes)
    counted = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counted, (labels, prob.argmax(axis=1)), 1)
    return pd.DataFrame(
        counted, index=pd.Index(classes, name="true"), columns=pd.Index(classes, name="called")
    )


def scores(
    label_index: NDArray[np.int64], prob: NDArray[np.floating], classes: Sequence[str]
) -> dict[str, float]:
    """All metrics of one set of answers, by name.

    ``label_index`` (N,) into ``classes``; ``prob`` (N, K), rows that sum to 1.
    What is undefined (a class without units, a ppv without any such answer) is nan, never a warning;
    a macro average is nan when one class has no units.
    Raises InputError for empty or mismatched input, or values that are no probabilities.
    """
    _check(prob)
    if prob.shape != (len(label_index), len(classes)):
        raise InputError(f"prob has shape {prob.shape}, {(len(label_index), len(classes))} is needed.")
    weighted = weighted_scores(label_index, prob.astype(np.float64), np.ones((1, len(prob))), classes)
    return {name: float(values[0]) for name, values in weighted.items()}


def weighted_scores(
    label_index: NDArray[np.int64],
    prob: Floats,
    weights: NDArray[np.floating] | NDArray[np.integer],
    classes: Sequence[str],
) -> dict[str, Floats]:
    """The metrics of D weightings of the same answers at once: what the bootstrap calls.

    ``weights`` (D, N) counts how often each unit was drawn; each value of the result has shape (D,).
    Inputs are taken as checked; see ``scores`` for meanings and units.
    """
    n_classes = len(classes)
    drawn: Floats = np.asarray(weights, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = drawn.sum(axis=1)
        answer = prob.argmax(axis=1)
        truth = np.eye(n_classes)[label_index]
        called = np.eye(n_classes)[answer]
        of_class = drawn @ truth  # (D, K): units, answers and right answers of each class
        answered = drawn @ called
        right = drawn @ (truth * called)
        defined = np.where(of_class > 0, 1.0, np.nan)
        f1 = 2 * right / (of_class + answered) * defined
        rank = [ranking(prob[:, k], label_index == k, drawn) for k in range(n_classes)]
        squared = (prob - truth) ** 2
        out = {
            "accuracy": right.sum(axis=1) / total,
            "macro_f1": f1.mean(axis=1),
            "macro_auroc": np.mean([auroc for auroc, _ in rank], axis=0),
        }
        if n_classes == 2:
            out |= {"auroc": rank[1][0], "auprc": rank[1][1]}
        else:
            out["auprc"] = np.mean([auprc for _, auprc in rank], axis=0)
        tiny = np.finfo(np.float64).eps
        of_label = np.clip(prob[np.arange(len(prob)), label_index], tiny, 1 - tiny)
        out["log_loss"] = drawn @ -np.log(of_label) / total
        out["brier"] = drawn @ (squared[:, 1] if n_classes == 2 else squared.sum(axis=1)) / total
        rest_right = total[:, None] - of_class - answered + right
        by_class = {
            "recall": right / of_class,
            "specificity": rest_right / (total[:, None] - of_class),
            "ppv": right / answered,
            "npv": rest_right / (total[:, None] - answered),
            "f1": f1,
        }
    for name, values in by_class.items():
        out |= {f"{name}_{classes[k]}": values[:, k] for k in range(n_classes)}
    return out


def ranking(score: Floats, positive: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """AUROC (Mann-Whitney, ties count half) and average precision for D weightings, each (D,).

    Equal scores are one threshold, as in scikit-learn; nan where either side is empty
    (average precision: where there is no positive).
    """
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    sorted_weights = weights[:, order]
    hits = np.add.reduceat(sorted_weights * positive[order], starts, axis=1)  # by threshold, from the top
    misses = np.add.reduceat(sorted_weights, starts, axis=1) - hits
    return areas(hits, misses)


def areas(hits: Floats, misses: Floats) -> tuple[Floats, Floats]:
    """AUROC and average precision, each (D,), of positives and others at each threshold, from the top, (D, T)."""
    hits_above, misses_above = np.cumsum(hits, axis=1), np.cumsum(misses, axis=1)
    positives, negatives = hits_above[:, -1], misses_above[:, -1]
    auroc = (hits * (negatives[:, None] - misses_above + misses / 2)).sum(axis=1) / (positives * negatives)
    called = hits_above + misses_above
    precision = np.divide(hits_above, called, out=np.zeros_like(called), where=called > 0)
    return auroc, (hits * precision).sum(axis=1) / positives


def _check(prob: NDArray[np.floating]) -> None:
    """Refuse values that are no probabilities (sums may be off by what seven printed digits lose)."""
    if prob.ndim != 2 or not len(prob):
        raise InputError(f"probabilities must be a table of at least one row, not of shape {prob.shape}.")
    if not np.isfinite(prob).all() or prob.min() < 0 or np.abs(prob.sum(axis=1) - 1).max() > 1e-3:
        row = int(np.argmax(~np.isfinite(prob).all(axis=1) | (np.abs(prob.sum(axis=1) - 1) > 1e-3)))
        raise InputError(
            f"row {row + 1} of the probabilities is {prob[row]}: each must be 0..1 and all sum to 1."
        )
