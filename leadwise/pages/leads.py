"""The twelve leads and the rhythm strip, cut out of a page as ink alone, all at one scale."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.layout import Layout, brightest, resampled
from leadwise.pages.read import Page
from leadwise.pages.template import Template

ROW_PX, LEAD_PX, STRIP_PX = 300, 500, 2000
"""Sizes of the arrays: a lead takes 491 of 500 columns, the strip 1966 of 2000; zeros follow."""

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
    upper left. `ink` uint8 is all of it in one piece, the `ink_box` of the template, from which the rest is cut.
    """

    crops: NDArray[np.uint8]
    strip: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    ink: NDArray[np.uint8]
    template: Template


def cut_leads(page: Page, layout: Layout) -> Leads:
    """Cut the leads of a page, BGR uint8 ``(height, width, 3)``, whose layout was found.

    Calibration pulses lie outside; separators and printed lead names are taken out.
    """
    template, ink = layout.template, ink_of(page, layout)
    crops = np.zeros((len(LEADS), ROW_PX, LEAD_PX), np.uint8)
    boxes = np.zeros((len(LEADS) + 1, 4, 2))
    used = int(template.column_px)
    for row, names in enumerate(template.rows):
        y = row_top(template, row)
        for column, name in enumerate(names):
            lead, x = LEADS.index(name), template.columns_x[column]
            crops[lead, :, :used] = ink[y : y + ROW_PX, x : x + used]
            boxes[lead] = _box(layout, row, column, 1)
    strip = np.zeros((ROW_PX, STRIP_PX), np.uint8)
    y = row_top(template, len(template.rows))
    strip[:, : ink.shape[1]] = ink[y : y + ROW_PX]
    boxes[-1] = _box(layout, len(template.rows), 0, len(template.rows[0]))
    return Leads(crops, strip, boxes, ink, template)


def row_top(template: Template, row: int) -> int:
    """First pixel of a row of leads (the last is the strip), from the top of `ink_box`."""
    return round(template.baselines_y[row] - ROW_PX / 2) - template.ink_box[1]


def ink_of(page: Page, layout: Layout) -> NDArray[np.uint8]:
    """Traces of a page at the template's scale, uint8 ``(1219, 1966)``: 255 where black, 0 elsewhere."""
    bright = resampled(brightest(page), layout, layout.template.ink_box)
    low, high = _EDGE_PLAIN if layout.is_whole_shift else _EDGE_RESAMPLED
    paper = max(layout.paper, layout.ink + 1)
    share = (np.arange(256) - layout.ink) / (paper - layout.ink)
    table = np.round(255 * np.clip((high - share) / (high - low), 0, 1)).astype(np.uint8)
    ink = np.asarray(cv2.LUT(bright, table), dtype=np.uint8)
    known = _printed(layout.template, not layout.is_whole_shift)
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
    """What to take out, relative to `ink_box`: separators, text above the frame, and names by letter."""

    fixed: NDArray[np.bool_]
    labels: list[tuple[tuple[slice, slice], list[NDArray[np.bool_]]]]


@functools.cache
def _printed(template: Template, wide: bool) -> _Printed:
    known = template.ink.copy()
    known[template.label_box(3, 0)] = known[template.label_box(2, 0)]  # "III" holds "II" and "I"
    if wide:
        known = cv2.dilate(known.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    left, top, right, bottom = template.ink_box
    inside = known[top:bottom, left:right]
    fixed = np.zeros_like(inside)
    above = int(template.frame[1]) - top
    fixed[:above] = inside[:above]  # text of the form
    labels = []
    for row, column in template.named():
        rows, columns = template.label_box(row, column)
        where = (
            slice(rows.start - top - 2, rows.stop - top + 2),
            slice(columns.start - left, columns.stop - left),
        )
        count, numbers = cv2.connectedComponents(inside[where].astype(np.uint8), connectivity=8)
        labels.append((where, [numbers == letter for letter in range(1, count)]))
    for x in template.separators_x:
        around = slice(round(x - left) - 4, round(x - left) + 5)
        # the first letter of aVR touches its separator: only columns that are black nearly all the way count
        full = inside[:, around].sum(axis=0) > 0.5 * np.ptp(template.separator_rows)
        fixed[:, around][:, full] = inside[:, around][:, full]
    return _Printed(fixed, labels)


def _take_out(ink: NDArray[np.uint8], where: tuple[slice, slice], letters: list[NDArray[np.bool_]]) -> None:
    """Blank the letters of a name that are there: on the strip, "II" has one bar less than "III"."""
    for letter in letters:
        if (ink[where][letter] > 127).mean() > 0.85:
            ink[where][letter] = 0


def _box(layout: Layout, row: int, column: int, columns: int) -> NDArray[np.float64]:
    template = layout.template
    x, y0 = template.first_x + column * template.column_px, template.baselines_y[row] - ROW_PX / 2
    x1, y1 = x + columns * template.column_px, template.baselines_y[row] + ROW_PX / 2
    return layout.to_page(np.array([[x, y0], [x1, y0], [x1, y1], [x, y1]]))
