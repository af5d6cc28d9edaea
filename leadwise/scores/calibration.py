"""Do the probabilities mean what they say: temperature, calibration error and its floor.

Confidence is the probability of the answer given (the most probable class). Bins hold equal numbers of
units; units of equal confidence share a bin, so the order of the rows does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.scores.draws import LEVEL, Interval
from leadwise.scores.metrics import Floats

_TEMPERATURES = (0.05, 20.0)
"""Searched range; an answer at its ends means that the network is no better than its base rates."""

_LARGEST_BIAS = 5.0


def fit_temperature(prob: NDArray[np.floating], label_index: NDArray[np.int64]) -> float:
    """The temperature that gives the lowest log-loss.

    ``prob`` (N, K) is the softmax of raw logits, whose logarithm serves as logits; ``label_index`` (N,).
    Above 1 means that the network was too sure. Always within 0.05 and 20.
    Guo et al., On Calibration of Modern Neural Networks (2017). Raises InputError for empty input.
    """
    from scipy.optimize import minimize_scalar

    if len(prob) == 0 or len(prob) != len(label_index):
        raise InputError(f"fit_temperature: {len(prob)} answers and {len(label_index)} labels.")
    rows = np.arange(len(prob))

    def log_loss(log_temperature: float) -> float:
        tempered = _log_tempered(prob, float(np.exp(log_temperature)))
        return float(-tempered[rows, label_index].mean())

    found = minimize_scalar(log_loss, bounds=tuple(np.log(_TEMPERATURES)), method="bounded")
    return float(np.exp(found.x))


def fit_calibration(
    prob: NDArray[np.floating], label_index: NDArray[np.int64], classes: Sequence[str], *, bias: bool
) -> dict[str, float]:
    """What a row of calibration.csv holds: `temperature`, and with `bias` a `bias_<class>` for each class.

    Both are fitted by log-loss on ``prob`` (N, K) and ``label_index`` (N,). Biases are added to the tempered logits;
    they undo the shift that a loss with class weights brings. Their mean is 0.
    """
    temperature = fit_temperature(prob, label_index)
    if not bias:
        return {"temperature": temperature}
    from scipy.optimize import minimize

    rows = np.arange(len(prob))

    def log_loss(told: Floats) -> float:
        fitted = _log_calibrated(prob, float(np.exp(told[0])), told[1:] - told[1:].mean())
        return float(-fitted[rows, label_index].mean())

    start = np.array([np.log(temperature), *np.zeros(len(classes))])
    bounds = [tuple(np.log(_TEMPERATURES)), *[(-_LARGEST_BIAS, _LARGEST_BIAS)] * len(classes)]
    found = minimize(log_loss, start, method="L-BFGS-B", bounds=bounds).x
    biases = found[1:] - found[1:].mean()
    return {"temperature": float(np.exp(found[0]))} | {
        f"bias_{name}": float(value) for name, value in zip(classes, biases, strict=True)
    }


def apply_by_fold(answers: pd.DataFrame, calibration: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Answers as the calibration of their fold has them: rows of predictions.csv with other probabilities.

    ``calibration``: rows of calibration.csv. Raises InputError where a fold's calibration is missing.
    """
    keys = ["model", "task", "protocol", "seed", "fold"]
    fitted = answers[keys].merge(calibration, on=keys, how="left")
    if fitted["temperature"].isna().any():
        lacking = answers[keys].iloc[int(fitted["temperature"].isna().to_numpy().argmax())].to_dict()
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
    keys = ["model", "task", "protocol", "seed", "fold"]
    wanted = answers[keys].drop_duplicates()
    if len(wanted.merge(calibration[keys], on=keys)) < len(wanted):
        return answers
    return apply_by_fold(answers, calibration, classes)


def confidence_bins(prob: NDArray[np.floating], bins: int = 15) -> tuple[Floats, NDArray[np.intp]]:
    """Confidence (N,) and bin (N,) of each answer, bins of equal mass numbered from the least confident.

    Answers of equal confidence share a bin, so there may be fewer than ``bins``.
    """
    confidence = np.asarray(prob, dtype=np.float64).max(axis=1)
    edges = np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1])
    return confidence, np.unique(np.searchsorted(edges, confidence), return_inverse=True)[1]


def expected_calibration_error(
    prob: NDArray[np.floating], label_index: NDArray[np.int64], bins: int = 15
) -> float:
    """Mean over the answers of |share of right answers - mean confidence| of the answer's bin, 0..1.

    ``prob`` (N, K), ``label_index`` (N,). Biased upwards for few units: see ``ece_floor``.
    """
    confidence, in_bin = confidence_bins(prob, bins)
    right = np.asarray(prob).argmax(axis=1) == label_index
    return float(np.abs(np.bincount(in_bin, right - confidence)).sum() / len(confidence))


def ece_floor(prob: NDArray[np.floating], draws: int = 1000, seed: int = 0, bins: int = 15) -> Interval:
    """The calibration error that a perfect model with the same confidences would show: median and 95 % band.

    In each draw every answer is right with the probability that it claims. An error inside the band is
    no sign of bad calibration.
    """
    confidence, in_bin = confidence_bins(prob, bins)
    right = np.random.default_rng(seed).random((draws, len(confidence))) < confidence
    excess = (right - confidence) @ np.eye(in_bin.max() + 1)[in_bin]  # (draws, bins)
    errors = np.abs(excess).sum(axis=1) / len(confidence)
    low, median, high = np.quantile(errors, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return Interval(float(median), float(low), float(high))


def _log_tempered(prob: NDArray[np.floating], temperature: float) -> Floats:
    """Logarithm of the tempered probabilities; zeros count as the smallest normal number."""
    return _log_calibrated(prob, temperature, 0.0)


def _log_calibrated(prob: NDArray[np.floating], temperature: float | Floats, bias: float | Floats) -> Floats:
    logits = np.log(np.clip(np.asarray(prob, dtype=np.float64), np.finfo(np.float64).tiny, None))
    logits = logits / temperature + bias
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))
