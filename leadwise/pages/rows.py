"""Where the rows of a page stand: the traces among its ink, and their baselines.

A trace is what goes on from left to right; letters stand apart and are small, frames are straight for longer than
any trace is. A row's baseline is where its trace is most of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import find_peaks

from leadwise.pages.ink import PX_PER_MM

_USUAL_PITCH_MM = 30.0
_WIDE_MM = 10.0  # what goes on for so long is a trace
_THICK_MM = 4.0  # an upright run of ink, on average: blots and words under a marker are thicker
_STRAIGHT_MM, _UPRIGHT_MM = 60.0, 50.0  # frames; a flat trace moves by a pixel, and no QRS complex is so tall
_SHORT_MM = 2.0  # a run of ink that is no steep stroke
_CLOSEST_MM = 9.0
_FAINTEST = 0.2  # of the strongest row
_PAGES_APART = 1.4  # times the usual distance of rows, between the last of a page and the first of the next
_BETWEEN_PAGES_MM = 8.0  # without any trace; leads of one page follow one another without a gap
_SPECK_PX = 3  # a dot of a grid
_BROAD_PX, _OF_RUNS = 3, 0.25  # if no more of the ink is thinner: such a pen draws no line of one pixel
_EDGE = 0.7  # of the usual distance of rows
# Ink of a row with waves reaches this far from its middle, at one place in thirty; edges of paper: 2 to 7 px.
_WAVE_PX, _WAVES = 8.0, 0.97
_AS_APART, _FROM_END_TO_END, _OF_A_ROW = 0.06, 0.9, 0.6
_LEVEL_PX = 201  # a second, over which a row's middle is its median

_COVERED = 0.6  # of a mark's columns in which its row's trace is elsewhere: it is no piece of the trace


@dataclass(frozen=True)
class Rows:
    """Ink of the traces and what was taken for letters and marks, both uint8, and baselines ``(rows,)`` from the top.

    All lie in pixels of the upright page.
    """

    traces: NDArray[np.uint8]
    marks: NDArray[np.uint8]
    baselines_px: NDArray[np.float64]


def find_rows(ink: NDArray[np.uint8], letters: NDArray[np.uint8] | None = None) -> Rows:
    """Rows of an upright page's ink; none where nothing goes on from left to right. Known `letters` are marks."""
    ink, lines = without_frames(ink)
    if letters is not None:
        lines = np.maximum(lines, letters)
    black = (ink > 127).astype(np.uint8)
    joined = cv2.dilate(black, np.ones((3, 3), np.uint8))
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(joined)
    width, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_AREA]
    # by runs, not by columns: rows that touch are one piece, several runs a column
    first_of_run = joined > np.pad(joined[:-1], ((1, 0), (0, 0)))
    runs = np.bincount(numbers[first_of_run], minlength=len(stats))
    wide = (width > _WIDE_MM * PX_PER_MM) & (area < _THICK_MM * PX_PER_MM * runs)
    wide[0] = False
    traces = black & wide[numbers]
    found = _baselines(traces)
    baselines = _with_waves(traces, found)
    if not len(baselines):
        return Rows(np.zeros_like(ink), np.maximum(ink, lines), baselines)
    is_trace = wide & ~_are_edges(stats, found, baselines) | ~_are_marks(traces, stats, baselines)
    is_trace[0] = True
    # two more than the ink, which was joined
    is_speck = np.maximum(width, stats[:, cv2.CC_STAT_HEIGHT]) <= _SPECK_PX + 2
    is_trace &= ~is_speck
    kept = np.where(is_trace[numbers], ink, 0).astype(np.uint8)
    marks = np.where(is_trace[numbers] | is_speck[numbers], 0, ink).astype(np.uint8)
    return Rows(_without_dots(kept), np.maximum(marks, lines), baselines)


def pitch_px(baselines_px: NDArray[np.float64]) -> float:
    """From row to row; of one row, as far as rows usually stand apart."""
    return float(np.median(np.diff(baselines_px))) if len(baselines_px) > 1 else _USUAL_PITCH_MM * PX_PER_MM


def are_two_pages(rows: Rows) -> bool:
    """Whether rows are those of two pages, one below or beside the other: paper without a trace lies between."""
    gaps = np.diff(rows.baselines_px)
    between = gaps[1:2] if len(gaps) == 3 else gaps[2:-2]  # a page has two rows at least
    if len(between) and between.max() > _PAGES_APART * np.median(gaps):
        return True
    drawn = np.flatnonzero(rows.traces.any(axis=0))
    if not len(drawn):
        return False
    widest = int(np.diff(drawn, append=drawn[-1]).argmax())
    between = drawn[min(widest + 1, len(drawn) - 1)] - drawn[widest]
    place = (drawn[widest] - drawn[0]) / max(1, drawn[-1] - drawn[0])
    return bool(between > _BETWEEN_PAGES_MM * PX_PER_MM and 0.3 < place < 0.7)


def _are_marks(
    traces: NDArray[np.uint8], stats: NDArray[Any], baselines: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether pieces of ink stand beside the trace of their row and not in a gap of it, or far from all rows."""
    left, top, width, height = (
        stats[:, n] for n in (cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT)
    )
    pitch = pitch_px(baselines)
    off = np.abs(baselines[:, None] - (top + height / 2))
    row = off.argmin(axis=0)
    ends = np.round(baselines[:, None] + np.array([-0.5, 0.5]) * pitch).astype(int).clip(0, len(traces))
    beside = np.stack([traces[first:last].any(axis=0) for first, last in ends])
    covered = np.pad(np.cumsum(beside, axis=1), ((0, 0), (1, 0)))
    share = (covered[row, left + width] - covered[row, left]) / np.maximum(width, 1)
    return np.asarray((off.min(axis=0) > 0.75 * pitch) | (share > _COVERED))


def _without_dots(traces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ink without what is thinner than a broad pen: dots of a grid that touch a trace."""
    black = np.pad(traces > 127, ((1, 1), (0, 0))).astype(np.int8)
    heights = np.diff(np.flatnonzero(np.diff(black, axis=0).T))[::2]
    if not len(heights) or np.quantile(heights, _OF_RUNS) < _BROAD_PX:
        return traces
    square = np.ones((2, 2), np.uint8)
    shrunk = cv2.erode(traces, square, anchor=(1, 1))
    # of an even square each goes to one side, so they go to opposite ones: cv2.MORPH_OPEN moves all by a pixel
    return np.asarray(cv2.dilate(shrunk, square, anchor=(0, 0)), np.uint8)


def without_frames(ink: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Ink without straight lines that no trace can be, and the upright ones of these lines: they may part columns."""
    black = (ink > 127).astype(np.uint8)
    left, upright = ink, np.zeros_like(ink)
    for length_mm, is_upright in ((_STRAIGHT_MM, False), (_UPRIGHT_MM, True)):
        length = round(length_mm * PX_PER_MM)
        lines = cv2.morphologyEx(
            black, cv2.MORPH_OPEN, np.ones((length, 1) if is_upright else (1, length), np.uint8)
        )
        if lines.any():
            line = cv2.dilate(lines, np.ones((1, 3) if is_upright else (3, 1), np.uint8)) > 0
            if is_upright:
                upright = np.where(line, ink, 0).astype(np.uint8)
            left = np.where(line, 0, left).astype(np.uint8)
    return left, upright


def _baselines(traces: NDArray[np.uint8]) -> NDArray[np.float64]:
    padded = np.pad(traces.T, ((0, 0), (1, 1))).astype(np.int8)
    _column, at = np.nonzero(np.diff(padded, axis=1))
    top, bottom = at[::2], at[1::2] - 1
    short = bottom - top < _SHORT_MM * PX_PER_MM
    middles = (top[short] + bottom[short]) / 2
    profile = np.bincount(np.round(middles).astype(int), minlength=traces.shape[0]).astype(float)
    smooth = gaussian_filter1d(profile, PX_PER_MM)
    peaks, _ = find_peaks(smooth, distance=_CLOSEST_MM * PX_PER_MM)
    peaks = peaks[smooth[peaks] > _FAINTEST * smooth[peaks].max(initial=0)]
    return _without_edges(traces, np.asarray(peaks, float))


def _with_waves(traces: NDArray[np.uint8], baselines_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows without those above the first, and below the last, that has waves: edges of paper and of tables.

    Such an edge is seen here and there, where waves of its neighbours reach it. A lead may be as flat; it stands as
    far from its neighbour as rows do, and goes on from end to end.
    """
    if len(baselines_px) < 3:
        return baselines_px
    pitch = pitch_px(baselines_px)
    bands = [_band(traces, baseline_px, pitch) for baseline_px in baselines_px]
    inked = np.array([band.any(axis=0) for band in bands])
    share = inked.mean(axis=1)
    waves = np.array([_wave_px(band) for band in bands]) > _WAVE_PX
    there = np.flatnonzero(waves & (share > _OF_A_ROW * np.median(share)))
    if len(there) < 2:
        return baselines_px
    at = np.flatnonzero(inked[there].any(axis=0))

    def is_lead(row: int, beside: int) -> bool:
        apart = abs(baselines_px[row] - baselines_px[beside]) / pitch
        return bool(abs(apart - 1) < _AS_APART and inked[row, at[0] : at[-1]].mean() > _FROM_END_TO_END)

    first, last = int(there[0]), int(there[-1])
    while first > 0 and is_lead(first - 1, first):
        first -= 1
    while last < len(bands) - 1 and is_lead(last + 1, last):
        last += 1
    return baselines_px[first : last + 1]


def _band(traces: NDArray[np.uint8], baseline_px: float, apart_px: float) -> NDArray[np.uint8]:
    """What lies nearer to a row than a third of how far the next one stands."""
    middle, half = round(baseline_px), round(apart_px / 3)
    return traces[max(0, middle - half) : middle + half + 1]


def _wave_px(band: NDArray[np.uint8]) -> float:
    """How far a row's ink reaches from its middle where it reaches far, beyond how far it usually does."""
    at = np.flatnonzero(band.any(axis=0))
    if not len(at):
        return 0.0
    top, bottom = band[:, at].argmax(axis=0), len(band) - 1 - band[::-1, at].argmax(axis=0)
    level = median_filter((top + bottom) / 2, _LEVEL_PX, mode="nearest")
    reach = np.maximum(level - top, bottom - level)
    return float(np.quantile(reach, _WAVES) - np.median(reach))


def _are_edges(
    stats: NDArray[Any], found: NDArray[np.float64], baselines: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether pieces of ink lie where a row without waves was `found`, and reach no row that has some."""
    top = stats[:, cv2.CC_STAT_TOP]
    bottom = top + stats[:, cv2.CC_STAT_HEIGHT]
    off = np.abs(found[:, None] - (top + bottom) / 2)
    nearest = found[off.argmin(axis=0)]
    reaches = ((baselines[:, None] >= top) & (baselines[:, None] < bottom)).any(axis=0)
    return np.asarray(~np.isin(nearest, baselines) & ~reaches)


def _without_edges(traces: NDArray[np.uint8], baselines_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows without what is left of a frame above the first or below the last: it stands nearer than rows do.

    A trace that stands so near has waves, and goes on from end to end.
    """
    if len(baselines_px) < 3:
        return baselines_px
    gaps = np.diff(baselines_px)
    usual_px = max(np.median(gaps), np.median(gaps[1:-1])) if len(gaps) > 2 else max(gaps)
    across = np.flatnonzero(traces.any(axis=0))

    def is_edge(row: int, gap_px: float) -> bool:
        if gap_px >= _EDGE * usual_px:
            return False
        band = _band(traces, baselines_px[row], gap_px)
        whole = band[:, across[0] : across[-1]].any(axis=0).mean() > _FROM_END_TO_END
        return not (whole and _wave_px(band) > _WAVE_PX)

    return baselines_px[int(is_edge(0, gaps[0])) : len(baselines_px) - int(is_edge(-1, gaps[-1]))]
