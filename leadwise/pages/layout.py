"""Where things stand on a page of the known layout: frame, separators, and the trace's own scale.

The template has a pink frame; within it three rows of four leads, 2.5 s each, and a rhythm strip of 10 s.
All places below are in pixels of the template, that is of a page of 2213 x 1572 px. The grid is drawn 1 %
wider than the trace (39.72 against 39.32 px for 5 mm), so the time scale is taken from the separators.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import ForeignPage
from leadwise.pages.read import Page

PIXELS_PER_S = 196.6  # separators stand 491.5 px = 2.5 s apart
PIXELS_PER_MV = 78.6  # calibration pulses are 78.5 to 79 px high
FRAME = (68.0, 283.5, 2175.5, 1517.0)  # left, top, right, bottom: outer edges, median over the 491 pages
SEPARATORS_X = (644.0, 1136.0, 1627.5)
SEPARATOR_ROWS = (420, 1110)
BASELINES_Y = (464.0, 763.0, 1066.0, 1366.0)  # three rows of leads, then the strip
FIRST_X = 152.5  # where the traces begin

_PINK = 60  # red above green; the frame has 80 to 130, a neutral trace 0
_DARK = 110  # brightest channel of ink; the grid never goes below 180


@dataclass(frozen=True)
class Layout:
    """Where a page's parts lie, in pixels of the page as given.

    A template point (x, y) lies at ``(x_offset + x_scale * x, y_offset + y_scale * y)``.
    """

    frame: tuple[float, float, float, float]
    separators_x: tuple[float, float, float]
    x_scale: float
    x_offset: float
    y_scale: float
    y_offset: float
    rotation_deg: float

    @property
    def pixels_per_s(self) -> float:
        """Pixels of the page for a second of the trace."""
        return PIXELS_PER_S * self.x_scale

    @property
    def pixels_per_mv(self) -> float:
        """Pixels of the page for a millivolt of the trace."""
        return PIXELS_PER_MV * self.y_scale

    @property
    def scale(self) -> float:
        """Size of the page against the template, the mean of both axes."""
        return (self.x_scale + self.y_scale) / 2

    def to_page(self, x: float, y: float) -> tuple[float, float]:
        """A template point in pixels of the page."""
        return self.x_offset + self.x_scale * x, self.y_offset + self.y_scale * y


def find_layout(page: Page) -> Layout:
    """Find frame, separators and scale of a page, BGR uint8 ``(height, width, 3)``.

    Raises `ForeignPage`, which says what was looked for and what was found, for a page without the frame or
    the separators, or with other proportions. A page turned by more than some 0.1 degrees counts as one
    without a frame.
    """
    frame = _find_frame(page)
    left, top, right, bottom = frame
    x_scale, y_scale = (right - left) / (FRAME[2] - FRAME[0]), (bottom - top) / (FRAME[3] - FRAME[1])
    if not 0.97 < x_scale / y_scale < 1.03:
        raise ForeignPage(
            f"the frame is {right - left:.0f} x {bottom - top:.0f} px; its sides should be as 1.71 to 1. "
            f"{_WHAT_NEXT}"
        )
    rotation_deg = _rotation_deg(page, frame)
    separators = _find_separators(page, frame, x_scale, y_scale)
    x_scale, x_offset = np.polyfit(SEPARATORS_X, separators, 1)
    return Layout(
        frame,
        separators,
        float(x_scale),
        float(x_offset),
        y_scale,
        top - y_scale * FRAME[1],
        rotation_deg,
    )


_WHAT_NEXT = "Is this a page of the known layout (3 rows of 4 leads and a rhythm strip, in a pink frame)?"


def _find_frame(page: Page) -> tuple[float, float, float, float]:
    """Outer edges left, top, right, bottom of the frame."""
    pink = _pink(page)
    height, width = pink.shape
    rows = cv2.reduce(pink, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    columns = cv2.reduce(pink, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    across, down = np.flatnonzero(rows > width / 2), np.flatnonzero(columns > height / 2)
    if len(across) < 2 or len(down) < 2 or np.ptp(across) < height / 3 or np.ptp(down) < width / 3:
        raise ForeignPage(
            f"no frame found: {len(across)} rows and {len(down)} columns are pink over half of the picture "
            f"({width} x {height} px); two of each, far apart, are needed. {_WHAT_NEXT} Does it lie straight?"
        )
    return float(down[0]), float(across[0]), float(down[-1] + 1), float(across[-1] + 1)


def _rotation_deg(page: Page, frame: tuple[float, float, float, float]) -> float:
    """How far the frame's left edge leans, degrees, positive when its foot lies to the right."""
    left, top, _, bottom = (round(edge) for edge in frame)
    reach, quarter = max(6, (bottom - top) // 60), (bottom - top) // 4
    strip = _pink(page[top:bottom, max(0, left - reach) : left + reach])
    columns = np.arange(strip.shape[1])
    upper, lower = strip[:quarter].sum(axis=0), strip[-quarter:].sum(axis=0)
    if not upper.sum() or not lower.sum():
        raise ForeignPage(f"the frame's left edge is interrupted. {_WHAT_NEXT}")
    lean = float(np.average(columns, weights=lower) - np.average(columns, weights=upper))
    return math.degrees(math.atan2(lean, bottom - top - quarter))


def _find_separators(
    page: Page, frame: tuple[float, float, float, float], x_scale: float, y_scale: float
) -> tuple[float, float, float]:
    """Columns of the three separators: dark lines over the height of the three rows of leads."""
    left, top, _, _ = frame
    y0, y1 = (round(top + y_scale * (y - FRAME[1])) for y in SEPARATOR_ROWS)
    found = []
    for x in SEPARATORS_X:
        expected = left + x_scale * (x - FRAME[0])
        reach = max(4.0, 12 * x_scale)
        x0 = max(0, round(expected - reach))
        dark = cv2.inRange(page[y0:y1, x0 : round(expected + reach) + 1], (0, 0, 0), (_DARK,) * 3)
        share = dark.mean(axis=0) / 255
        if not len(share) or share.max() < 0.4:
            best = share.max() if len(share) else 0.0
            raise ForeignPage(
                f"no separator near x = {expected:.0f}: the darkest column there is ink over {best:.0%} of "
                f"the three rows, 40 % are needed. {_WHAT_NEXT}"
            )
        columns = np.flatnonzero(share > 0.75 * share.max())
        found.append(x0 + float(np.average(columns, weights=share[columns])))
    return found[0], found[1], found[2]


def _pink(page: Page) -> NDArray[np.uint8]:
    """1 where red is well above green."""
    difference = cv2.subtract(cv2.extractChannel(page, 2), cv2.extractChannel(page, 1))
    return np.asarray(cv2.threshold(difference, _PINK, 1, cv2.THRESH_BINARY)[1], dtype=np.uint8)
