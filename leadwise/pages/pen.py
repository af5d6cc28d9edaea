"""Where the pen's middle ran, of ink whose upper and lower edge are known.

A column of pixels shows how high and how low the pen's middle came within its width. The line that would draw just
these heights is fitted. Columns are never averaged: a steep stroke keeps its full height.

All lengths are in pixels of a page at some 79 px a mV and 197 px a second (`leadwise.pages.forms`), as the numbers
below were chosen there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float64]

_GAP_PX = 39.0  # 0.2 s: a longer stretch without ink is not bridged

FINE = 2
"""Points of the fitted line in a pixel."""

_HELD = 0.05


@dataclass(frozen=True)
class Pen:
    """Half a pen's width, whether its tip is a square or round, and how much smoother than its drawing a line may be.

    Lines are fitted in so many passes, each smoothed over `smooth_px`: what a device prints has no finer waves. A
    tip may reach further to the sides than up and down, by `wider_px`: pixels have a width too.
    """

    half_px: float
    square: bool = False
    smooth_px: float = 0.8
    passes: int = 10
    wider_px: float = 0.0


def undo_pen(high: Pixels, low: Pixels, pen: Pen) -> Pixels:
    """The line whose drawing has these edges, `FINE` points a pixel; nan where nothing was drawn.

    `high` and `low` ``(width,)`` are edges as `share_out` gives them.
    """
    width = len(high)
    there = np.flatnonzero(np.isfinite(high))
    points = (np.arange(width * FINE) + 0.5) / FINE - 0.5
    if len(there) < 2:
        return np.full(len(points), np.nan)
    middle = (high[there] + low[there]) / 2  # all that is known where ink is thinner than the pen
    line = np.interp(points, there, middle)
    top_px, bottom_px = (
        np.minimum(high[there], middle - pen.half_px),
        np.maximum(low[there], middle + pen.half_px),
    )
    window, tip_px = _under_tip(there, len(points), pen)
    rows = np.arange(len(there))
    for _ in range(pen.passes):
        above, below = line[window] - tip_px, line[window] + tip_px
        top, bottom = above.argmin(axis=1), below.argmax(axis=1)
        at = np.concatenate([window[rows, top], window[rows, bottom]])
        off = np.concatenate([top_px - above[rows, top], bottom_px - below[rows, bottom]])
        weight = _smoothed(np.bincount(at, minlength=len(points)), pen.smooth_px)
        line += _smoothed(np.bincount(at, off, minlength=len(points)), pen.smooth_px) / (weight + _HELD)
    gaps = np.diff(there)
    for gap in np.flatnonzero(gaps > _GAP_PX):
        line[(there[gap] + 1) * FINE : there[gap + 1] * FINE] = np.nan
    reach_px = round(_GAP_PX)
    line[: max(0, there[0] - reach_px) * FINE] = np.nan
    line[(there[-1] + 1 + reach_px) * FINE :] = np.nan
    return line


def _under_tip(there: NDArray[np.intp], points: int, pen: Pen) -> tuple[NDArray[np.intp], Pixels]:
    """The line's points from which the pen reaches each column, and how far above and below them it draws there."""
    beside_px = max(pen.half_px, 0.5) + pen.wider_px
    steps = np.arange(-math.ceil(beside_px) * FINE, (math.ceil(beside_px) + 1) * FINE)
    aside_px = (steps + 0.5) / FINE - 0.5  # of the pixel column's middle
    near = np.abs(aside_px) < beside_px
    window = np.clip(there[:, None] * FINE + steps[near], 0, points - 1)
    tip_px = pen.half_px * (1 if pen.square else np.sqrt(1 - (aside_px[near] / beside_px) ** 2))
    return window, np.broadcast_to(tip_px, near.sum())


_MOST_OFF_PX = 4.0
_SQUARE_WORSE, _WIDE_WORSE, _WIDER_PX = 1.1**2, 1.25**2, 0.3  # of squares


def pen_of(edges: Sequence[tuple[Pixels, Pixels]], half_px: float) -> Pen:
    """The pen of this half width whose drawing has the edges of some leads best: round, square or wider than high.

    A pen that reaches further fits better by that alone. So much better it must fit: on 3 pages of the known form a
    square one does, on 18 drawn ones and 4 of LUDB others, and the line is nearer to the truth with the chosen one.
    """
    pens = (
        (Pen(half_px), 1.0),
        (Pen(half_px, square=True), _SQUARE_WORSE),
        (Pen(half_px, wider_px=_WIDER_PX), _WIDE_WORSE),
    )
    return min(pens, key=lambda each: each[1] * sum(_misfit(high, low, each[0]) for high, low in edges))[0]


def _misfit(high: Pixels, low: Pixels, pen: Pen) -> float:
    """Squares of how far the edges of what a pen draws are from those given, summed; gross errors count little."""
    line = undo_pen(high, low, pen)
    there = np.flatnonzero(np.isfinite(high))
    if len(there) < 2:
        return 0.0
    window, tip_px = _under_tip(there, len(line), pen)
    middle = (high[there] + low[there]) / 2
    top, bottom = (line[window] - tip_px).min(axis=1), (line[window] + tip_px).max(axis=1)
    off = np.concatenate(
        [
            np.minimum(high[there], middle - pen.half_px) - top,
            np.maximum(low[there], middle + pen.half_px) - bottom,
        ]
    )
    return float(np.sum(np.minimum(np.nan_to_num(off) ** 2, _MOST_OFF_PX**2)))


def _smoothed(values: NDArray[Any], over_px: float) -> Pixels:
    from scipy.ndimage import gaussian_filter1d

    sigma = over_px * FINE
    return np.asarray(
        gaussian_filter1d(values, sigma, output=float, mode="constant", radius=int(3 * sigma + 1))
    )
