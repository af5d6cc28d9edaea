"""The calibration pulse before or behind a row's trace: how high it is, and where it stands.

1 mV, printed as a plateau with two upright flanks. No heart draws one, so a pulse between two leads says that the
columns were found in the wrong place, as one of 5 or 20 mm says that the gain is not 10 mm/mV.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.ink import PX_PER_MM

_LOWEST_MM, _HIGHEST_MM = 4.0, 22.0  # pulses of 5, 10 and 20 mm/mV
_SHORTEST_MM, _LONGEST_MM = 2.0, 12.0  # 0.2 s are 10 mm at 50 mm/s
_LEVEL_MM = 0.5  # the flanks' tops differ by at most this
_ON_BASELINE_MM = 1.0
_COVERED = 0.9  # of the plateau is ink
_SAME_PLACE_MM = 1.0
_PEN_MM = 1.0  # a flank is thinner, and so is the plateau


@dataclass(frozen=True)
class Pulse:
    """How high a row's pulse is in mm of paper, and from where to where its flanks stand in pixels of the page."""

    row: int
    height_mm: float
    left_px: float
    right_px: float


def find_pulses(ink: NDArray[np.uint8], baselines_px: NDArray[np.float64]) -> list[Pulse]:
    """Pulses of all rows of an upright page; `ink` uint8 ``(height, width)`` with letters and marks."""
    return [
        pulse
        for row, baseline in enumerate(baselines_px)
        for pulse in _of_row(ink > 127, row, float(baseline))
    ]


def traces_between(pulses: Sequence[Pulse], rows: int, page_px: int) -> tuple[float, float]:
    """From where to where traces may stand, pixels: behind pulses of the page's left half, before those of its right.

    Pulses are believed where most of the page's `rows` have one at one place.
    """
    first, last = -np.inf, np.inf
    for one in pulses:
        same = [other for other in pulses if abs(other.left_px - one.left_px) < _SAME_PLACE_MM * PX_PER_MM]
        if len({pulse.row for pulse in same}) > max(1, rows // 2):
            if one.right_px < page_px / 2:
                first = max(first, one.right_px)
            else:
                last = min(last, one.left_px)
    return first, last


def _of_row(black: NDArray[np.bool_], row: int, baseline_px: float) -> list[Pulse]:
    tops = _tops(black, baseline_px)
    upright = np.flatnonzero(baseline_px - tops > _LOWEST_MM * PX_PER_MM)
    groups = [group for group in np.split(upright, np.flatnonzero(np.diff(upright) > 1) + 1) if len(group)]
    flanks = [
        (float(group.mean()), float(tops[group].min()))
        for group in groups
        if len(group) <= _PEN_MM * PX_PER_MM
    ]
    found = []
    for (left, one), (right, other) in itertools.pairwise(flanks):
        apart, level = (right - left) / PX_PER_MM, abs(one - other) / PX_PER_MM
        if not (_SHORTEST_MM < apart < _LONGEST_MM and level < _LEVEL_MM):
            continue
        rows = _plateau(black, left, right, min(one, other), baseline_px)
        if rows is not None:
            foot = max(_foot(black[:, round(flank)], baseline_px) for flank in (left, right))
            # from the middle of the plateau to that of its feet, which one pen drew
            found.append(Pulse(row, (foot - rows[1]) / PX_PER_MM, left, right))
    return found


def _tops(black: NDArray[np.bool_], baseline_px: float) -> NDArray[np.float64]:
    """How far up ink goes unbroken from the baseline at each column of pixels; the baseline where there is none."""
    foot = min(len(black), round(baseline_px + _ON_BASELINE_MM * PX_PER_MM))
    knee = max(0, round(baseline_px - _ON_BASELINE_MM * PX_PER_MM))
    first = max(0, round(baseline_px - (_HIGHEST_MM + 1) * PX_PER_MM))
    above = black[first:knee][::-1]
    unbroken = np.logical_and.accumulate(above, axis=0).sum(axis=0)
    touches = black[knee:foot].any(axis=0) & (unbroken > 0)
    return np.where(touches, knee - unbroken, baseline_px)


def _foot(flank: NDArray[np.bool_], baseline_px: float) -> float:
    """The lowest row of a flank's ink that hangs together with its row's baseline."""
    reach = round(_ON_BASELINE_MM * PX_PER_MM)
    first = max(0, round(baseline_px) - reach)
    below = np.flatnonzero(~flank[first + 1 : first + 1 + 3 * reach])
    return float(first + below[0]) if len(below) else baseline_px


def _plateau(
    black: NDArray[np.bool_], left: float, right: float, top: float, baseline_px: float
) -> tuple[float, float] | None:
    """Its first and last row of pixels; None where ink between the flanks is no plateau."""
    reach = round(_PEN_MM * PX_PER_MM)
    inside = slice(round(left) + 3, round(right) - 2)
    first = max(0, round(top) - 2)
    plateau = black[first : first + reach, inside]
    below = black[first + 2 * reach : round(baseline_px) - 3, inside]
    if not plateau.size or plateau.any(axis=0).mean() < _COVERED or below.mean() > 1 - _COVERED:
        return None
    rows = np.flatnonzero(plateau.mean(axis=1) > 0.5)
    return (float(first + rows[0]), float(first + rows[-1])) if len(rows) else None
