"""The twelve leads and the rhythm strip, cut out of a page as ink alone, all at one scale."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages import template
from leadwise.pages.layout import Layout, brightest, resampled
from leadwise.pages.read import Page
from leadwise.pages.template import BASELINES_Y, FIRST_X, FRAME, LEAD_S, ON_PAGE, PIXELS_PER_S

ROW_PX, LEAD_PX, STRIP_PX = 300, 500, 2000
"""Sizes of the arrays: a lead takes 491 of 500 columns, the strip 1966 of 2000; zeros follow."""

_USED_PX = LEAD_S * PIXELS_PER_S
LEFT_PX = int(FIRST_X)
"""Column of the template at which the ink of a page, the strip and the first column of leads begin."""

TOP_PX = 182
"""Row of the template at which the ink of a page begins, below the printed header: tall R waves leave the frame."""

COLUMNS_X = tuple(round(column * _USED_PX) for column in range(4))
"""First column of each column of leads, in pixels from LEFT_PX."""

_BOTTOM_PX = 1528  # above the printed footer
_REGION = (LEFT_PX, TOP_PX, LEFT_PX + round(4 * _USED_PX), _BOTTOM_PX)

# Where ink ends, as a share of the way from ink to paper. A page at the template's own pixels has traces without
# smooth edges and grid dots of 20 to 140: anything well below paper is ink, and what is one pixel wide is not.
# A resampled page has smooth edges, whose middle is the edge.
_EDGE_PLAIN, _EDGE_RESAMPLED = (0.20, 0.40), (0.35, 0.60)

_LETTER_PX = 23  # the names' letters are 19 px high
_CLOSING = (np.ones((5, 5), np.uint8), np.ones((_LETTER_PX, 1), np.uint8))


@dataclass(frozen=True)
class Leads:
    """What is cut from one page.

    `crops` uint8 ``(12, 300, 500)`` in the order of LEADS and `strip` uint8 ``(300, 2000)``: ink bright on
    black at 196.6 px a second and 78.6 px a mV, the row's usual baseline in the middle. `boxes`
    ``(13, 4, 2)``: the corners of the leads and of the strip in pixels of the page, clockwise from the
    upper left. `ink` uint8 is all of it in one piece, from which the rest is cut; its first pixel is that at
    (LEFT_PX, TOP_PX) of the template.
    """

    crops: NDArray[np.uint8]
    strip: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    ink: NDArray[np.uint8]


def cut_leads(page: Page, layout: Layout) -> Leads:
    """Cut the leads of a page, BGR uint8 ``(height, width, 3)``, whose layout was found.

    Calibration pulses lie outside; separators and printed lead names are taken out.
    """
    ink = ink_of(page, layout)
    crops = np.zeros((len(LEADS), ROW_PX, LEAD_PX), np.uint8)
    boxes = np.zeros((len(LEADS) + 1, 4, 2))
    used = int(_USED_PX)
    for row, names in enumerate(ON_PAGE):
        y = row_top(row)
        for column, name in enumerate(names):
            lead, x = LEADS.index(name), COLUMNS_X[column]
            crops[lead, :, :used] = ink[y : y + ROW_PX, x : x + used]
            boxes[lead] = _box(layout, FIRST_X + column * _USED_PX, BASELINES_Y[row], _USED_PX)
    strip = np.zeros((ROW_PX, STRIP_PX), np.uint8)
    y = row_top(3)
    strip[:, : ink.shape[1]] = ink[y : y + ROW_PX]
    boxes[-1] = _box(layout, FIRST_X, BASELINES_Y[3], 4 * _USED_PX)
    return Leads(crops, strip, boxes, ink)


def row_top(row: int) -> int:
    """First row of a row of leads (3 is the strip), in pixels from TOP_PX."""
    return round(BASELINES_Y[row] - ROW_PX / 2) - TOP_PX


def ink_of(page: Page, layout: Layout) -> NDArray[np.uint8]:
    """Traces of a page at the template's scale, uint8 ``(1219, 1966)``: 255 where black, 0 elsewhere."""
    bright = resampled(brightest(page), layout, _REGION)
    low, high = _EDGE_PLAIN if layout.is_whole_shift else _EDGE_RESAMPLED
    paper = max(layout.paper, layout.ink + 1)
    share = (np.arange(256) - layout.ink) / (paper - layout.ink)
    table = np.round(255 * np.clip((high - share) / (high - low), 0, 1)).astype(np.uint8)
    ink = np.asarray(cv2.LUT(bright, table), dtype=np.uint8)
    known = _printed(not layout.is_whole_shift)
    ink[known.fixed] = 0
    for where, bars in known.labels:
        _take_out(ink, where, bars)
    square = np.ones((2, 2), np.uint8)
    # an opening in two steps: cv2.MORPH_OPEN moves the ink by a pixel where the square's side is even
    ink = np.asarray(cv2.dilate(cv2.erode(ink, square), square, anchor=(0, 0)), dtype=np.uint8)
    for where, bars in known.labels:
        # where the trace runs through a name, it is closed again: over a bar's width, and upright over its length
        around = (slice(where[0].start - _LETTER_PX, where[0].stop + _LETTER_PX), where[1])
        closed = np.maximum(*(cv2.morphologyEx(ink[around], cv2.MORPH_CLOSE, kernel) for kernel in _CLOSING))
        for bar in bars:
            ink[where][bar] = closed[_LETTER_PX:-_LETTER_PX][bar]
    return ink


@dataclass(frozen=True)
class _Printed:
    """What to take out, relative to LEFT_PX and TOP_PX: separators, text above the frame, and names by letter."""

    fixed: NDArray[np.bool_]
    labels: list[tuple[tuple[slice, slice], list[NDArray[np.bool_]]]]


@functools.cache
def _printed(wide: bool) -> _Printed:
    known = template.ink().copy()
    known[template.label_box(3, 0)] = known[template.label_box(2, 0)]  # "III" holds "II" and "I"
    if wide:
        known = cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    left, top, right, bottom = _REGION
    inside = known[top:bottom, left:right]
    fixed = np.zeros_like(inside)
    above = int(FRAME[1]) - top
    fixed[:above] = inside[:above]  # text of the form
    labels = []
    for row in range(4):
        for column in range(4 if row < 3 else 1):
            rows, columns = template.label_box(row, column)
            where = (
                slice(rows.start - top - 2, rows.stop - top + 2),
                slice(columns.start - left, columns.stop - left),
            )
            count, numbers = cv2.connectedComponents(inside[where].astype(np.uint8), connectivity=8)
            labels.append((where, [numbers == letter for letter in range(1, count)]))
    for x in template.SEPARATORS_X:
        around = slice(round(x - left) - 4, round(x - left) + 5)
        # the first letter of aVR touches its separator: only columns that are black nearly all the way count
        full = inside[:, around].sum(axis=0) > 0.5 * (template.SEPARATOR_ROWS[1] - template.SEPARATOR_ROWS[0])
        fixed[:, around][:, full] = inside[:, around][:, full]
    return _Printed(fixed, labels)


def _take_out(ink: NDArray[np.uint8], where: tuple[slice, slice], letters: list[NDArray[np.bool_]]) -> None:
    """Blank the letters of a name that are there: on the strip, "II" has one bar less than "III"."""
    for letter in letters:
        if (ink[where][letter] > 127).mean() > 0.85:
            ink[where][letter] = 0


def _box(layout: Layout, x: float, baseline_y: float, width: float) -> NDArray[np.float64]:
    x1, y0, y1 = x + width, baseline_y - ROW_PX / 2, baseline_y + ROW_PX / 2
    return layout.to_page(np.array([[x, y0], [x1, y0], [x1, y1], [x, y1]]))
