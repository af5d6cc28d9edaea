"""The twelve leads and the rhythm strip, cut out of a page as ink alone, all at one scale."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.pages.layout import BASELINES_Y, FIRST_X, PIXELS_PER_S, Layout
from leadwise.pages.read import Page

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The order of all arrays and tables."""

ON_PAGE = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
"""Where each lead stands: rows and columns of the page."""

LEAD_S = 2.5
ROW_PX, LEAD_PX, STRIP_PX = 300, 500, 2000
"""Sizes of the arrays: a lead takes 491.5 of 500 columns, the strip 1966 of 2000; zeros follow."""

_USED_PX = LEAD_S * PIXELS_PER_S
_SEPARATOR_PX = 4  # half of a separator (3 to 4 px wide) and the blur on its side, left blank in a crop

# Brightest channel of a pixel to ink. In both file variants the trace is drawn without smooth edges: 97 % of
# its pixels are below 40; the dots of the grid are grey, 60 to 140, and its lines and the paper above 180.
_INK = np.clip((60 - np.arange(256)) / (60 - 40), 0, 1)
_INK_TABLE = np.round(255 * _INK).astype(np.uint8)


@dataclass(frozen=True)
class Leads:
    """What is cut from one page.

    `crops` uint8 ``(12, 300, 500)`` in the order of LEADS and `strip` uint8 ``(300, 2000)``: ink bright on
    black at 196.6 px a second and 78.6 px a mV, the row's usual baseline in the middle. `boxes`
    ``(13, 4, 2)``: the corners of the leads and of the strip in pixels of the page, clockwise from the
    upper left.
    """

    crops: NDArray[np.uint8]
    strip: NDArray[np.uint8]
    boxes: NDArray[np.float64]


def cut_leads(page: Page, layout: Layout) -> Leads:
    """Cut the leads of a page, BGR uint8 ``(height, width, 3)``, whose layout was found.

    Calibration pulses and separators are left out; printed lead names stay.
    """
    ink = ink_of(page)
    # traces are three pixels wide at this scale; some 45 dots of the grid are as black as they
    if layout.scale > 0.8:
        square = np.ones((2, 2), np.uint8)
        # an opening in two steps: cv2.MORPH_OPEN moves the ink by a pixel where the square's side is even
        ink = np.asarray(cv2.dilate(cv2.erode(ink, square), square, anchor=(0, 0)), dtype=np.uint8)
    crops = np.zeros((len(LEADS), ROW_PX, LEAD_PX), np.uint8)
    boxes = np.zeros((len(LEADS) + 1, 4, 2))
    used = int(_USED_PX)
    for row, names in enumerate(ON_PAGE):
        traces = _row(ink, layout, BASELINES_Y[row])
        for column, name in enumerate(names):
            lead, x = LEADS.index(name), round(column * _USED_PX)
            crops[lead, :, :used] = traces[:, x : x + used]
            if column > 0:
                crops[lead, :, :_SEPARATOR_PX] = 0
            if column < len(names) - 1:
                crops[lead, :, used - _SEPARATOR_PX + 1 :] = 0
            boxes[lead] = _box(layout, FIRST_X + column * _USED_PX, BASELINES_Y[row], _USED_PX)
    strip = np.zeros((ROW_PX, STRIP_PX), np.uint8)
    strip[:, : 4 * used] = _row(ink, layout, BASELINES_Y[3])[:, : 4 * used]
    boxes[-1] = _box(layout, FIRST_X, BASELINES_Y[3], 4 * _USED_PX)
    return Leads(crops, strip, boxes)


def ink_of(page: Page) -> NDArray[np.uint8]:
    """Ink of a page, uint8 ``(height, width)``: 255 where black, 0 on paper and grid."""
    blue, green, red = cv2.split(page)
    return np.asarray(cv2.LUT(cv2.max(cv2.max(blue, green), red), _INK_TABLE), dtype=np.uint8)


def _row(ink: NDArray[np.uint8], layout: Layout, baseline_y: float) -> NDArray[np.uint8]:
    """One row of the page at the template's scale, uint8 ``(300, 1966)``."""
    width = round(4 * _USED_PX)
    x0, y0 = layout.to_page(FIRST_X, baseline_y - ROW_PX / 2)
    # how far the last column would be off if the pixels were taken as they are
    off = max(abs(width * (layout.x_scale - 1)), abs(ROW_PX * (layout.y_scale - 1)))
    x, y = round(x0), round(y0)
    if off < 0.75 and 0 <= x <= ink.shape[1] - width and 0 <= y <= ink.shape[0] - ROW_PX:
        return ink[y : y + ROW_PX, x : x + width]  # untouched pixels are sharper than interpolated ones
    to_page = np.array([[layout.x_scale, 0.0, x0], [0.0, layout.y_scale, y0]])
    row = cv2.warpAffine(ink, to_page, (width, ROW_PX), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(row, dtype=np.uint8)


def _box(layout: Layout, x: float, baseline_y: float, width: float) -> NDArray[np.float64]:
    x0, y0 = layout.to_page(x, baseline_y - ROW_PX / 2)
    x1, y1 = layout.to_page(x + width, baseline_y + ROW_PX / 2)
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
