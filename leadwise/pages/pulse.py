"""The calibration pulse before or behind a row's trace: how high it is, and where it stands.

1 mV, printed as a plateau with two upright flanks. No heart draws one, so a pulse between two leads says that the
columns were found in the wrong place, as one of 5 or 20 mm says that the gain is not 10 mm/mV.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.pages.ink import PX_PER_MM
from leadwise.runs import runs_of

_LOWEST_MM, _HIGHEST_MM = 4.0, 22.0  # pulses of 5, 10 and 20 mm/mV
_SHORTEST_MM, _LONGEST_MM = 2.0, 12.0  # 0.2 s are 10 mm at 50 mm/s
_LEVEL_MM = 0.5  # the flanks' tops differ by at most this
_ON_BASELINE_MM = 1.0
_COVERED = 0.9  # of the plateau is ink
_SAME_PLACE_MM = 1.0
_PEN_MM = 1.0  # a flank is thinner, and so is the plateau
# A plateau without its flanks: how high and how long, and how far from that.
_PLATEAU_MM, _LENGTHS_MM = 10.0, (5.0, 10.0)
_OFF_MM, _LONGER_MM, _CLOSED_MM = 1.5, 1.0, 2.0
_OF_PLATEAU, _HUNG, _UNDER_MM, _STRAIGHT_MM = 0.2, 0.2, 3.0, 0.4
_FLANK_MM, _BESIDE_FLANK_MM, _AT_START_MM = 0.5, 1.0, 0.75


@dataclass(frozen=True)
class Pulse:
    """How high a row's pulse is in mm of paper, and from where to where its flanks stand in pixels of the page."""

    row: int
    height_mm: float
    left_px: float
    right_px: float


def find_pulses(ink: NDArray[np.uint8], baselines_px: NDArray[np.float64]) -> list[Pulse]:
    """Pulses of all rows of an upright page; `ink` uint8 ``(height, width)`` with letters and marks.

    Photographs lose steep thin strokes, so where no more than half of the rows have a whole pulse at one place, one
    of 10 mm is what most rows have of its plateau.
    """
    black = ink > 127
    whole = [
        pulse for row, baseline in enumerate(baselines_px) for pulse in _of_row(black, row, float(baseline))
    ]
    most = max((_alike(whole, one) for one in whole), key=_rows_with, default=[])
    if _rows_with(most) > len(baselines_px) // 2:
        return whole
    plateaus = [] if len(baselines_px) < 2 else _plateaus(black, baselines_px)
    return [*(each for each in whole if each.row not in {pulse.row for pulse in plateaus}), *plateaus]


def _alike(pulses: Sequence[Pulse], one: Pulse) -> list[Pulse]:
    """Those that stand where `one` does."""
    return [other for other in pulses if abs(other.left_px - one.left_px) < _SAME_PLACE_MM * PX_PER_MM]


def _rows_with(pulses: Sequence[Pulse]) -> int:
    return len({pulse.row for pulse in pulses})


def traces_between(pulses: Sequence[Pulse], rows: int, page_px: int) -> tuple[float, float]:
    """From where to where traces may stand, pixels: behind pulses of the page's left half, before those of its right.

    Pulses are believed where most of the page's `rows` have one at one place.
    """
    first, last = -np.inf, np.inf
    for one in pulses:
        if _rows_with(_alike(pulses, one)) > max(1, rows // 2):
            if one.right_px < page_px / 2:
                first = max(first, one.right_px)
            else:
                last = min(last, one.left_px)
    return first, last


def without_flanks(
    ink: NDArray[np.uint8], baselines_px: NDArray[np.float64], pulses: Sequence[Pulse], start_px: float
) -> NDArray[np.uint8]:
    """Ink without the right flanks of pulses that end where traces start; as high as the trace beside it stays."""
    out = ink
    reach, beside = round(_FLANK_MM * PX_PER_MM), round(_BESIDE_FLANK_MM * PX_PER_MM)
    for pulse in pulses:
        if abs(pulse.right_px - start_px) > _AT_START_MM * PX_PER_MM:
            continue
        baseline = round(float(baselines_px[pulse.row]))
        top = max(0, baseline - round((pulse.height_mm + _OFF_MM) * PX_PER_MM))
        right = round(pulse.right_px) + reach + 1
        inked = np.flatnonzero((ink[top:baseline, right : right + beside] > 127).any(axis=1))
        above = top + int(inked[0]) if len(inked) else baseline
        out = out.copy() if out is ink else out
        out[top : max(top, above - 1), round(pulse.right_px) - reach : right] = 0
    return out


def _plateaus(black: NDArray[np.bool_], baselines_px: NDArray[np.float64]) -> list[Pulse]:
    """What most rows have of a plateau at one place: straight ink 10 mm high, and none beneath it.

    Names stand over traces as high and as long.
    """

    def band(baseline_px: float, least_mm: float, most_mm: float) -> NDArray[np.bool_]:
        top, bottom = (max(0, round(baseline_px - height * PX_PER_MM)) for height in (most_mm, least_mm))
        return black[top:bottom]

    tops = [band(each, _PLATEAU_MM - _OFF_MM, _PLATEAU_MM + _OFF_MM) for each in baselines_px]
    below = [np.asarray(band(each, -_UNDER_MM, _PLATEAU_MM - _OFF_MM).any(axis=0)) for each in baselines_px]
    together = np.array([top.any(axis=0) for top in tops]).max(axis=0).astype(np.uint8)
    closed = np.ones((1, round(_CLOSED_MM * PX_PER_MM)), np.uint8)
    joined = cv2.morphologyEx(together[None], cv2.MORPH_CLOSE, closed)[0]
    pen_px = round(_PEN_MM * PX_PER_MM)

    def has_some(top: NDArray[np.bool_], below: NDArray[np.bool_], left: int, right: int) -> bool:
        inner = slice(left + pen_px, right - pen_px)
        heights, _ = np.nonzero(top[:, inner])  # none where its corners alone are there
        return bool(
            top[:, left:right].any(axis=0).mean() > _OF_PLATEAU
            and below[inner].mean() < _HUNG
            and (not len(heights) or heights.std() < _STRAIGHT_MM * PX_PER_MM)
        )

    for left, right in runs_of(joined > 0).tolist():
        if min(abs((right - left) / PX_PER_MM - each) for each in _LENGTHS_MM) > _LONGER_MM:
            continue
        found = [
            Pulse(row, _PLATEAU_MM, left + pen_px / 5, right - 1 - pen_px / 5)
            for row, (top, ink) in enumerate(zip(tops, below, strict=True))
            if has_some(top, ink, left, right)
        ]
        if len(found) > len(baselines_px) // 2:
            return found
    return []


def _of_row(black: NDArray[np.bool_], row: int, baseline_px: float) -> list[Pulse]:
    tops = _tops(black, baseline_px)
    flanks = [
        ((start + end - 1) / 2, float(tops[start:end].min()))
        for start, end in runs_of(baseline_px - tops > _LOWEST_MM * PX_PER_MM).tolist()
        if end - start <= _PEN_MM * PX_PER_MM
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
