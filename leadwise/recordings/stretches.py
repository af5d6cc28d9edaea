"""Stretches of a recording, half a minute each, in a few numbers that atrial fibrillation changes.

In fibrillation no interval follows from the one before, and no P wave comes before a beat. Early beats, bigeminy, and
noise that is taken for beats make intervals uneven, too; so intervals are looked at between beats of the usual shape
alone, also two, three and four apart, and beside them stands how alike beats and their P waves are. Flutter that
conducts every second beat is as even as any rhythm, and nothing here tells it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leadwise.recordings.context import Cut, cut_beats, of_unit_length

LENGTH_S = 30.0
"""How long a stretch is; episodes of fibrillation count from there on."""

STEP_S = 10.0
"""From the start of one stretch to that of the next."""

LEAST_BEATS = 6
"""Of a stretch that is looked at; CinC's shortest recordings, 9 s, have more but where they are slow or noisy."""

FEATURES = (
    "rate_bpm", "step_median", "step_low", "step_of_any_lag", "sample_entropy", "same", "spread_entropy",
    "follows", "turns", "qrs_alike", "qrs_odd", "p_alike", "p_height", "p_clear", "p_noise",
)  # fmt: skip
"""What `features` gives, in this order."""

CUT = Cut(rate_hz=120.0, before_s=0.5, after_s=0.5)
"""How much of the signal is looked at around each beat."""

_QRS_S, _P_S = (
    (-0.08, 0.10),
    (-0.28, -0.07),
)  # from the R peak; the latter holds the P wave and no QRS complex
_LIKE = 0.8  # correlation with the median beat from which a beat is of the usual shape
_LAGS = (1, 2, 3, 4)
_SAME = 0.1  # two intervals are the same within this part of the median
_BIN_S, _LONGEST_S = 0.05, 3.0
_HALF = 0.5  # so that no logarithm is of nought


def starts_s(duration_s: float, length_s: float = LENGTH_S) -> NDArray[np.float64]:
    """When each stretch begins; the last ends with the recording, and what is shorter than a stretch is one."""
    last = max(duration_s - length_s, 0.0)
    starts = np.arange(0.0, last + 1e-9, STEP_S)
    return np.r_[starts, last] if last - starts[-1] > 1.0 else starts


def described(
    lead_mv: NDArray[np.floating],
    rate_hz: float,
    r_times_s: NDArray[np.floating],
    length_s: float = LENGTH_S,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All stretches of a recording: when each begins, and its features ``(stretches, features)``, nan without beats.

    `lead_mv` ``(samples,)`` is the band-passed lead; gaps in it may be nan. `r_times_s` are its R peaks.
    """
    starts = starts_s(len(lead_mv) / rate_hz, length_s)
    table = np.full((len(starts), len(FEATURES)), np.nan)
    if len(r_times_s):
        beats = cut_beats(np.nan_to_num(lead_mv)[None], rate_hz, np.asarray(r_times_s) * rate_hz, CUT)[:, 0]
        ends = np.searchsorted(r_times_s, starts + length_s).tolist()
        for number, low in enumerate(np.searchsorted(r_times_s, starts).tolist()):
            if ends[number] - low >= LEAST_BEATS:
                inside = slice(low, ends[number])
                table[number] = features(beats[inside], r_times_s[inside])
    return starts, table


def features(beats_mv: NDArray[np.floating], r_times_s: NDArray[np.floating]) -> NDArray[np.float64]:
    """The numbers of FEATURES of one stretch: its beats ``(beats, samples)`` as CUT says, and when they come."""
    beats = np.asarray(beats_mv, np.float64)
    qrs, before = _part(beats, _QRS_S), _part(beats, _P_S)
    usual = np.median(qrs, axis=0)
    height = float(np.ptp(usual)) + 1e-6
    likeness = of_unit_length(qrs) @ of_unit_length(usual[None])[0]
    like = likeness > _LIKE
    if like.sum() < 3:
        like[:] = True
    before = before[like] - before[like].mean(axis=1, keepdims=True)
    mean = before.mean(axis=0)
    noise = float((before - mean).var())
    intervals = np.diff(r_times_s)
    between_like = intervals[like[1:] & like[:-1]]
    return np.array(
        [
            *_of_intervals(between_like if len(between_like) >= LEAST_BEATS - 1 else intervals),
            likeness.mean(),
            1.0 - float((likeness > _LIKE).mean()),
            _alike(before),
            np.ptp(mean) / height,
            mean.var() / (noise + 1e-9),
            np.sqrt(noise) / height,
        ]
    )


def _of_intervals(intervals_s: NDArray[np.floating]) -> Iterator[float]:
    """Rate; how large steps between intervals are; how often intervals are the same and stay so; how spread."""
    number, usual = len(intervals_s), float(np.median(intervals_s))
    steps = np.diff(intervals_s)
    yield 60 / usual
    yield float(np.median(np.abs(steps))) / usual
    yield float(np.quantile(np.abs(steps), 0.25)) / usual
    apart = [np.median(np.abs(intervals_s[lag:] - intervals_s[:-lag])) for lag in _LAGS if number > lag + 2]
    yield float(min(apart)) / usual
    same = np.abs(intervals_s[:, None] - intervals_s[None, :]) <= _SAME * usual
    pairs, shorter = np.triu_indices(number, 1), np.triu_indices(number - 1, 1)
    once = same[:-1, :-1][shorter].sum()
    twice = (same[:-1, :-1] & same[1:, 1:])[shorter].sum()
    yield float(-np.log((twice + _HALF) / (once + 2 * _HALF)))
    yield float(same[pairs].mean())
    counts, _ = np.histogram(intervals_s, np.arange(0.0, _LONGEST_S + _BIN_S, _BIN_S))
    shares = counts[counts > 0] / number
    yield float(-(shares * np.log(shares)).sum() / np.log(number))
    spread = float(intervals_s[:-1].std() * intervals_s[1:].std())
    first, second = intervals_s[:-1] - intervals_s[:-1].mean(), intervals_s[1:] - intervals_s[1:].mean()
    yield float((first * second).mean() / spread) if spread > 1e-9 else 0.0
    yield float((steps[1:] * steps[:-1] < 0).mean())


def _alike(shapes: NDArray[np.float64]) -> float:
    """Mean correlation of all pairs of rows."""
    rows = len(shapes)
    return float(((of_unit_length(shapes).sum(axis=0) ** 2).sum() - rows) / (rows * (rows - 1)))


def _part(beats: NDArray[np.float64], ends_s: tuple[float, float]) -> NDArray[np.float64]:
    first, end = (CUT.peak + round(at * CUT.rate_hz) for at in ends_s)
    return beats[:, first:end]
