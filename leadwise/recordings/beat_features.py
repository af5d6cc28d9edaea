"""A beat in 64 numbers: how early it and its neighbours come, and its shape beside the others of its record.

Nothing looks for a P wave: with such numbers trees did worse on records of DS1 that had not taught them. Everything
is measured by the record itself, without labels. What interval is usual is asked in several ways, since none holds
everywhere: a median, a mode and quantiles of all, means of neighbours, and the slowest of the clusters that the
intervals form. In a record that is mostly early beats their interval is the median, and not the slowest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.recordings.beat_views import CUT, LEADS
from leadwise.recordings.context import intervals_s, of_unit_length

Floats = NDArray[np.float64]

_REFERENCES = (
    "median", "mode", "p25", "p75", "p90", "mean", "slow", "near_median", "local_mean", "local_p75", "local_long",
)  # fmt: skip
_AFTER = ("median", "slow", "near_median", "local_mean")
INTERVALS = (
    *(f"before_{name}" for name in _REFERENCES),
    *(f"after_{name}" for name in _AFTER),
    "previous_1", "previous_2", "previous_3", "next_1", "next_2",
    "before_after", "both_near", "before_s", "near_s", "near_median", "local_slow", "p90_median", "slow_share",
    "slow_mode", "unrest_share", "unrest",
)  # fmt: skip
"""Intervals before and after a beat over those that are usual; then near ones, and how uneven the rhythm is."""

SHAPES = (
    "alike", "height", "above", "below", "width", "width_usual", "wide", "wide_usual", "area", "apart", "t_alike",
    "t_apart", "like_previous", "like_next", "share_alike", "slope",
)  # fmt: skip
"""Of a lead: the QRS complex and the T wave beside the medians of the record, and beside the beats next to it."""

FEATURES = (*INTERVALS, *(f"{name}_{lead}" for lead in range(LEADS) for name in SHAPES), "noise")
"""What `beat_features` gives, in this order."""

_LONGEST_S = 3.0  # a longer interval is a pause between beats that do not follow each other
_NEAR, _LOCAL = 11, 61
_STEP, _SPREAD, _CLUSTER, _LEAST_SHARE = 0.01, 5.0, 0.12, 0.1  # of logarithms of intervals, but the last
_UNEVEN = 0.1
_QRS = slice(CUT.peak - 12, CUT.peak + 15)
_T = slice(CUT.peak + 18, CUT.peak + 60)
_WAVES = slice(CUT.peak - 24, CUT.peak + 30)
_MOVED = range(-3, 4)
_ALIKE, _COMPARED = 0.9, 400
_LITTLE = 1e-3


def beat_features(beats: NDArray[np.floating], r_s: NDArray[np.floating]) -> NDArray[np.float32]:
    """All beats of one record, ``(beats, 64)`` in the order of FEATURES; none is nan.

    `beats` ``(beats, leads, 144)`` mV as `cut_beats` gives them by `leadwise.recordings.beat_views.CUT`, of at least
    two beats; `r_s` their R peaks in seconds. Of one lead the second is a copy.
    """
    of_leads = [_shapes(np.asarray(beats[:, min(lead, beats.shape[1] - 1)], float)) for lead in range(LEADS)]
    apart = of_leads[0][:, SHAPES.index("apart")]
    noise = np.full((len(beats), 1), np.median(apart))
    columns = np.concatenate([_intervals(np.asarray(r_s, float)), *of_leads, noise], axis=1)
    return columns.astype(np.float32)


def slowest_cluster(intervals: Floats) -> tuple[float, float, float]:
    """Of intervals in s: the most frequent, the slowest that a tenth of them lie about, and their share there."""
    logarithms = np.log(intervals)
    grid = np.arange(np.log(0.2), np.log(_LONGEST_S), _STEP)
    counts = np.histogram(logarithms, np.r_[grid, grid[-1] + _STEP])[0].astype(float)
    kernel = np.exp(-0.5 * (np.arange(-20, 21) / _SPREAD) ** 2)
    density = np.convolve(counts, kernel / kernel.sum(), "same")
    peaks = 1 + np.flatnonzero((density[1:-1] >= density[:-2]) & (density[1:-1] > density[2:]))
    shares = (np.abs(logarithms[:, None] - grid[peaks]) < _CLUSTER).mean(axis=0)
    mode = float(np.exp(grid[density.argmax()]))
    large = np.flatnonzero(shares >= _LEAST_SHARE)
    if not len(large):
        return mode, mode, 1.0
    return mode, float(np.exp(grid[peaks[large[-1]]])), float(shares[large[-1]])


def _intervals(r_s: Floats) -> Floats:
    """Columns of INTERVALS ``(beats, 31)``."""
    before, after = intervals_s(r_s, 1.0)
    before[0], after[-1] = before[1], after[-2]
    before, after = np.maximum(before, 0.05), np.maximum(after, 0.05)
    joined = before[before < _LONGEST_S]
    joined = joined if len(joined) else np.ones(1)
    mode, slow, share = slowest_cluster(joined)
    median, (p25, p75, p90) = float(np.median(joined)), np.quantile(joined, [0.25, 0.75, 0.9]).tolist()
    capped = np.minimum(before, _LONGEST_S)
    near, local = np.median(_around(capped, _NEAR), axis=1), np.sort(_around(capped, _LOCAL), axis=1)
    local_mean = local.mean(axis=1)
    usual = {
        "median": median, "mode": mode, "p25": p25, "p75": p75, "p90": p90, "mean": joined.mean(), "slow": slow,
        "near_median": near, "local_mean": local_mean, "local_p75": local[:, _LOCAL * 3 // 4],
        "local_long": local[:, _LOCAL // 2 :].mean(axis=1),
    }  # fmt: skip
    steps = np.abs(np.diff(capped, prepend=capped[:1]))
    columns = {
        **{f"before_{name}": before / usual[name] for name in _REFERENCES},
        **{f"after_{name}": after / usual[name] for name in _AFTER},
        **{f"previous_{places}": _shifted(before, places) / near for places in (1, 2, 3)},
        **{f"next_{places}": _shifted(after, -places) / near for places in (1, 2)},
        "before_after": before / after,
        "both_near": (before + after) / (2 * near),
        "before_s": before,
        "near_s": near,
        "near_median": near / median,
        "local_slow": local_mean / slow,
        "p90_median": p90 / median,
        "slow_share": share,
        "slow_mode": slow / mode,
        "unrest_share": _around((steps > _UNEVEN * near).astype(float), _LOCAL).mean(axis=1),
        "unrest": np.sqrt(_around(steps**2, _LOCAL).mean(axis=1)) / local_mean,
    }
    return np.stack([np.broadcast_to(columns[name], before.shape) for name in INTERVALS], axis=1)


def _shapes(lead: Floats) -> Floats:
    """Columns of SHAPES of one lead ``(beats, 144)``."""
    qrs, t_wave = lead[:, _QRS], lead[:, _T]
    level = np.median(lead, axis=1)
    usual, usual_t = np.median(qrs, axis=0), np.median(t_wave, axis=0)
    height = float(np.ptp(usual)) + _LITTLE
    steps = np.cumsum(np.abs(np.diff(lead[:, _WAVES], axis=1)), axis=1)
    steps /= steps[:, -1:] + 1e-9
    width = ((steps < 0.9).sum(axis=1) - (steps < 0.1).sum(axis=1)).astype(float)
    size = np.abs(qrs - level[:, None])
    wide = (size > 0.25 * np.ptp(qrs, axis=1)[:, None]).sum(axis=1).astype(float)
    area, slope = size.mean(axis=1), np.abs(np.diff(qrs, axis=1)).max(axis=1)
    unit = of_unit_length(qrs)
    follows = (unit[1:] * unit[:-1]).sum(axis=1)
    some = unit[np.linspace(0, len(unit) - 1, min(len(unit), _COMPARED)).astype(int)]
    moved = [
        of_unit_length(lead[:, _QRS.start + by : _QRS.stop + by]) @ of_unit_length(usual[None])[0]
        for by in _MOVED
    ]
    columns = {
        "alike": np.max(moved, axis=0),
        "height": np.log(np.ptp(qrs, axis=1) / height + _LITTLE),
        "above": (qrs.max(axis=1) - level) / height,
        "below": (qrs.min(axis=1) - level) / height,
        "width": width,
        "width_usual": width / max(float(np.median(width)), 1.0),
        "wide": wide,
        "wide_usual": wide / max(float(np.median(wide)), 1.0),
        "area": np.log(area / (np.median(area) + _LITTLE) + _LITTLE),
        "apart": np.sqrt(((qrs - usual) ** 2).mean(axis=1)) / height,
        "t_alike": of_unit_length(t_wave) @ of_unit_length(usual_t[None])[0],
        "t_apart": np.sqrt(((t_wave - usual_t) ** 2).mean(axis=1)) / height,
        "like_previous": np.r_[1.0, follows],
        "like_next": np.r_[follows, 1.0],
        "share_alike": ((unit @ some.T) > _ALIKE).mean(axis=1),
        "slope": np.log(slope / (np.abs(np.diff(usual)).max() + _LITTLE) + _LITTLE),
    }
    return np.stack([columns[name] for name in SHAPES], axis=1)


def _around(values: Floats, places: int) -> Floats:
    """Each value with its neighbours ``(values, places)``; the ends are repeated."""
    padded = np.pad(values, places // 2, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, places))


def _shifted(values: Floats, places: int) -> Floats:
    """The value so many places before each (after it where negative); the ends are repeated."""
    at = np.clip(np.arange(len(values)) - places, 0, len(values) - 1)
    return np.asarray(values[at])
