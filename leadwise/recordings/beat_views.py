"""A beat as its classifier sees it: beside the usual beat of its record, and by how early it and its neighbours come.

Everything is measured by the record itself, and no label is used: amplitudes by its usual beat, intervals by its
usual interval. What is left is what carries from one person to another (de Chazal et al. 2004 on intervals).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.recordings.context import Cut, intervals_s

CUT = Cut(120.0, 0.5, 0.7)
"""The stretch of signal that stands for a beat, 144 samples, in two leads."""

LEADS = 2

_QRS = slice(CUT.peak - 12, CUT.peak + 18)
_WAVES = slice(CUT.peak - 30, CUT.peak + 40)
_REGULAR, _ALIKE, _ENOUGH = 0.12, 0.9, 30
_NEAR = (-4, -3, -2, -1, 2, 3, 4)
_SHORT, _LONG, _NEIGHBOURS = 10, 60, 40

INTERVALS = (
    "before_median", "after_median", "before_mean", "after_mean", "before_10", "after_10", "before_60", "after_60",
    "before_after", "before_last", *(f"near_{place}" for place in _NEAR), "unrest", "unrest_mean", "usual_s",
)  # fmt: skip
"""The columns of `intervals`, mostly logarithms of ratios.

The interval before and after the beat over the record's median, its mean, and the median of 10 and of 60 neighbours;
both over each other; that before over the last before; near ones over the median of 60. How much neighbouring
intervals differ. The usual interval in seconds.
"""


def beat_views(
    beats: NDArray[np.floating], r_s: NDArray[np.floating], crossed: NDArray[np.bool_] | None = None
) -> dict[str, NDArray[np.float16]]:
    """All beats of one record as views: ``beat, usual_beat`` ``(beats, 2, 144)`` and ``intervals`` ``(beats, 20)``.

    `beats` ``(beats, leads, 144)`` mV as `cut_beats` gives them by `CUT`, of at least two beats; `r_s` their R peaks
    in seconds. Of one lead the second is a copy. Amplitudes are in units of the usual beat's. Intervals between beats
    that are `crossed` ``(beats - 1,)`` by a gap count as the record's median one.
    """
    beats = np.asarray(beats, np.float32)
    if beats.shape[1] == 1:
        beats = np.repeat(beats, LEADS, axis=1)
    usual = usual_beat(beats, r_s, crossed)
    height = np.ptp(usual[:, _WAVES], axis=1)[:, None] + 1e-3
    usual_views = np.broadcast_to(usual / height, beats.shape)
    views = {"beat": beats / height, "usual_beat": usual_views, "intervals": intervals(r_s, crossed)}
    return {name: view.astype(np.float16) for name, view in views.items()}


def usual_beat(
    beats: NDArray[np.float32], r_s: NDArray[np.floating], crossed: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """The median of the beats in an even rhythm that are like each other in the first lead, ``(leads, 144)``."""
    before, after = _known_intervals(r_s, crossed)
    near = _median_of_neighbours(before, _SHORT)
    even = (np.abs(before / near - 1) < _REGULAR) & (np.abs(after / near - 1) < _REGULAR)
    if even.sum() < _ENOUGH:
        even = np.ones(len(beats), bool)
    usual = np.median(beats[even], axis=0)
    alike = even & (_correlation(beats[:, 0, _QRS], usual[0, _QRS]) > _ALIKE)
    return np.asarray(np.median(beats[alike], axis=0) if alike.sum() >= _ENOUGH else usual, np.float32)


def intervals(r_s: NDArray[np.floating], crossed: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """How early each beat and its neighbours come, ``(beats, 20)`` in the order of INTERVALS."""
    before, after = _known_intervals(r_s, crossed)
    short, long = _median_of_neighbours(before, _SHORT), _median_of_neighbours(before, _LONG)
    padded = np.pad(before, 5, mode="edge")
    shifted = {place: padded[5 + place : 5 + place + len(before)] for place in _NEAR}
    middle, mean = np.median(before), before.mean()
    ratios = [
        *(interval / reference for reference in (middle, mean, short, long) for interval in (before, after)),
        before / after,
        before / shifted[-1],
        *(shifted[place] / long for place in _NEAR),
    ]
    unrest = np.abs(np.diff(before, prepend=before[:1])) / long
    half = _NEIGHBOURS // 2
    sums = np.r_[0, np.cumsum(np.minimum(unrest, 0.5))]
    first, last = (
        np.maximum(np.arange(len(unrest)) - half, 0),
        np.minimum(np.arange(len(unrest)) + half + 1, len(unrest)),
    )
    logarithms = [np.log(np.clip(ratio, 0.2, 5)) for ratio in ratios]
    logarithms += [
        _median_of_neighbours(unrest, _NEIGHBOURS),
        (sums[last] - sums[first]) / (last - first),
        np.log(np.clip(long, 0.2, 5)),
    ]
    return np.stack(logarithms, axis=1).astype(np.float32)


def _known_intervals(
    r_s: NDArray[np.floating], crossed: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds before and after each beat; the ends repeat the nearest, and none is under a twentieth of a second."""
    before, after = intervals_s(np.asarray(r_s), 1.0)
    if crossed is not None and not crossed.all():
        before[1:][crossed] = after[:-1][crossed] = np.median(np.diff(r_s)[~crossed])
    before[0], after[-1] = before[1], after[-2]
    return np.maximum(before, 0.05), np.maximum(after, 0.05)


def _median_of_neighbours(values: NDArray[np.floating], neighbours: int) -> NDArray[np.float64]:
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(np.asarray(values, np.float64), size=neighbours + 1, mode="nearest"))


def _correlation(beats: NDArray[np.float32], usual: NDArray[np.float32]) -> NDArray[np.float64]:
    centred, reference = beats - beats.mean(axis=1, keepdims=True), usual - usual.mean()
    return np.asarray(
        (centred @ reference) / np.sqrt((centred**2).sum(axis=1) * (reference @ reference) + 1e-9)
    )
