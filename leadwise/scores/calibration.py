"""Do the probabilities mean what they say: temperature, calibration error and its floor.

Confidence is the probability of the answer given (the most probable class). Bins hold equal numbers of
units; units of equal confidence share a bin, so the order of the rows does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.scores.draws import ENDS, LEVEL, Interval
from leadwise.scores.metrics import Floats, probabilities

_TEMPERATURES = (0.05, 20.0)
"""Searched range; an answer at its ends means that the network is no better than its base rates."""

_LARGEST_BIAS = 5.0

_BINS = 15

_FOLD = ["model", "task", "protocol", "seed", "fold"]
"""What a calibration is fitted for."""


def fit_calibration(
    prob: NDArray[np.floating], label_index: NDArray[np.int64], classes: Sequence[str], *, bias: bool
) -> dict[str, float]:
    """What a row of calibration.csv holds: `temperature`, and with `bias` a `bias_<class>` for each class.

    Fitted by log-loss on ``prob`` (N, K), the softmax of raw logits, whose logarithm serves as logits, and
    ``label_index`` (N,). A temperature above 1, always within 0.05 and 20, means that the network was too sure: Guo
    et al., On Calibration of Modern Neural Networks (2017). Biases are added to the tempered logits; they undo the
    shift that a loss with class weights brings. Their mean is 0. Raises InputError for empty input.
    """
    from scipy.optimize import minimize, minimize_scalar

    if len(prob) == 0 or len(prob) != len(label_index):
        raise InputError(f"fit_calibration: {len(prob)} answers and {len(label_index)} labels.")
    units = np.arange(len(prob))

    def log_loss(log_temperature: float, biases: float | Floats) -> float:
        fitted = _log_calibrated(prob, float(np.exp(log_temperature)), biases)
        return float(-fitted[units, label_index].mean())

    limits = tuple(np.log(_TEMPERATURES))
    alone = float(minimize_scalar(lambda log_t: log_loss(log_t, 0.0), bounds=limits, method="bounded").x)
    if not bias:
        return {"temperature": float(np.exp(alone))}
    both = minimize(
        lambda values: log_loss(values[0], values[1:] - values[1:].mean()),
        np.array([alone, *np.zeros(len(classes))]),
        method="L-BFGS-B",
        bounds=[limits, *[(-_LARGEST_BIAS, _LARGEST_BIAS)] * len(classes)],
    ).x
    biases = dict(
        zip((f"bias_{name}" for name in classes), (both[1:] - both[1:].mean()).tolist(), strict=True)
    )
    return {"temperature": float(np.exp(both[0]))} | biases


def calibrated(prob: NDArray[np.floating], fitted: Mapping[str, float], classes: Sequence[str]) -> Floats:
    """Probabilities ``(N, K)`` as what `fit_calibration` gave with biases has them."""
    biases = np.array([fitted[f"bias_{name}"] for name in classes])
    return np.exp(_log_calibrated(prob, fitted["temperature"], biases))


def apply_by_fold(answers: pd.DataFrame, calibration: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Answers as the calibration of their fold has them: rows of predictions.csv with other probabilities.

    ``calibration``: rows of calibration.csv. Raises InputError where a fold's calibration is missing.
    """
    fitted = answers[_FOLD].merge(calibration, on=_FOLD, how="left")
    if fitted["temperature"].isna().any():
        lacking = answers[_FOLD].iloc[int(fitted["temperature"].isna().to_numpy().argmax())].to_dict()
        raise InputError(f"no temperature for {lacking}: it is fitted where inner folds are trained (INNER).")
    columns = [f"prob_{name}" for name in classes]
    biases = fitted.reindex(columns=[f"bias_{name}" for name in classes]).fillna(0.0).to_numpy(float)
    prob = np.exp(
        _log_calibrated(answers[columns].to_numpy(), fitted["temperature"].to_numpy(float)[:, None], biases)
    )
    return answers.assign(**dict(zip(columns, prob.T, strict=True)))


def apply_where_fitted(
    answers: pd.DataFrame, calibration: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """One model's answers as `apply_by_fold` gives them; as they are where one of its folds has no calibration."""
    wanted = answers[_FOLD].drop_duplicates()
    if len(wanted.merge(calibration[_FOLD], on=_FOLD)) < len(wanted):
        return answers
    return apply_by_fold(answers, calibration, classes)


def calibrated_by_other_folds(answers: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """One model's test answers, each fold's calibrated on the answers to the other folds of its seed.

    What `pooled_calibration` does to a model, seen on pages that took no part in it. Raises what `fit_calibration`
    raises.
    """
    rows = []
    for place, _ in answers.groupby(_FOLD):
        fold = dict(zip(_FOLD, place, strict=True))
        others = answers[(answers["seed"] == fold["seed"]) & (answers["fold"] != fold["fold"])]
        labels, prob = probabilities(others, classes)
        rows.append(fold | fit_calibration(prob, labels, classes, bias=True))
    return apply_by_fold(answers, pd.DataFrame(rows), classes)


def pooled_calibration(
    answers: Mapping[str, pd.DataFrame], classes: Sequence[str], seed: int
) -> pd.DataFrame:
    """Temperature and biases of each model, fitted on one seed's test answers of all folds together.

    For a model that is trained on all pages and so has none of its own to be calibrated on.
    """
    rows = []
    for name, of_model in answers.items():
        labels, prob = probabilities(of_model[of_model["seed"] == seed], classes)
        rows.append({"model": name, **fit_calibration(prob, labels, classes, bias=True)})
    return pd.DataFrame(rows)


def confidence_bins(prob: NDArray[np.floating]) -> tuple[Floats, NDArray[np.intp]]:
    """Confidence (N,) and bin (N,) of each answer, bins of equal mass numbered from the least confident.

    Answers of equal confidence share a bin, so there may be fewer than 15.
    """
    confidence = np.asarray(prob, dtype=np.float64).max(axis=1)
    edges = np.quantile(confidence, np.linspace(0, 1, _BINS + 1)[1:-1])
    return confidence, np.unique(np.searchsorted(edges, confidence), return_inverse=True)[1]


def expected_calibration_error(prob: NDArray[np.floating], label_index: NDArray[np.int64]) -> float:
    """Mean over the answers of |share of right answers - mean confidence| of the answer's bin, 0..1.

    ``prob`` (N, K), ``label_index`` (N,). Biased upwards for few units: see ``ece_floor``.
    """
    confidence, in_bin = confidence_bins(prob)
    right = np.asarray(prob).argmax(axis=1) == label_index
    return float(np.abs(np.bincount(in_bin, right - confidence)).sum() / len(confidence))


def ece_floor(prob: NDArray[np.floating]) -> Interval:
    """The calibration error that a perfect model with the same confidences would show: median and 95 % band.

    In each draw every answer is right with the probability that it claims. An error inside the band is
    no sign of bad calibration.
    """
    confidence, in_bin = confidence_bins(prob)
    right = np.random.default_rng(0).random((1000, len(confidence))) < confidence
    excess = (right - confidence) @ np.eye(in_bin.max() + 1)[in_bin]  # (draws, bins)
    errors = np.abs(excess).sum(axis=1) / len(confidence)
    low, median, high = np.quantile(errors, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return Interval(float(median), float(low), float(high))


def error_and_floor(
    asked: Iterable[tuple[NDArray[np.int64], NDArray[np.floating]]],
) -> dict[str, Interval | float]:
    """`ece` and `ece_floor`, each the mean over several askings (seeds, findings) of ``(label_index, prob)``."""
    told = [(expected_calibration_error(prob, label_index), ece_floor(prob)) for label_index, prob in asked]
    floor = Interval(*(float(np.mean([getattr(each, end) for _, each in told])) for end in ENDS))
    return {"ece": float(np.mean([error for error, _ in told])), "ece_floor": floor}


def _log_calibrated(prob: NDArray[np.floating], temperature: float | Floats, bias: float | Floats) -> Floats:
    logits = np.log(np.clip(np.asarray(prob, dtype=np.float64), np.finfo(np.float64).tiny, None))
    logits = logits / temperature + bias
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
