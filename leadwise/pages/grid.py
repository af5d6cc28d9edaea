"""The grid of any flat page: how many pixels a millimetre is on each axis, and how far the page is turned.

A printed grid is a wave of 1 mm and one of 5 mm in each of two perpendicular directions, so it is found where waves
are found: as peaks of the picture's spectrum. The two directions are those in which peaks lie on one line; the
millimetre is the period whose overtones and whose fifth hit most peaks. Cells are never taken to be square: drawn
pages were seen whose axes differ by 4 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2

from leadwise.pages.read import Page
from leadwise.pages.waves import levelled

Values = NDArray[np.float32]

_SIDE_PX = 2000  # pages are looked at in at most this size
_MM_PX = (2.3, 30.0)
_APART = 0.07  # the axes' millimetres differ by at most this share
_LONGER_MM, _LONGER_SPREAD = 240.0, 0.35  # longer side of printed pages, on a logarithmic scale
_STEP = 0.0004  # between periods that are tried, as a share
_BOTH = 0.4  # sharp lines have their first overtone too, a wrong period mostly one of both
_LEAST = 4.5  # 56 drawn pages of all grids had 5.0 at least, 32 without one 3.9 at most


@dataclass(frozen=True)
class Grid:
    """Pixels a millimetre along the grid's two directions, how far it is turned clockwise, and its contrast, 0 to 1.

    `turn_degrees` lies between -45 and 45: which of its four sides is the upper one a grid does not say. `told_by`
    says what told the scale: "grid", or "pulse" where no grid is seen and so none has a contrast.
    """

    x_px_per_mm: float
    y_px_per_mm: float
    turn_degrees: float
    contrast: float | None
    told_by: str = "grid"


def find_grid(page: Page) -> Grid | None:
    """The grid of a page, BGR uint8; None where the page shows none."""
    grey = page.mean(axis=2, dtype=np.float32)
    shrink = min(1.0, _SIDE_PX / max(grey.shape))
    if shrink < 1:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    if min(grey.shape) < 64:
        return None
    spectrum = _Spectrum.of(levelled(grey))
    turn = spectrum.turn_degrees()
    found = _periods(spectrum, turn, max(grey.shape))
    if found is None:
        return None
    x_px, y_px, contrast = found
    turn, x_px, y_px = spectrum.refined(turn, x_px, y_px)
    return Grid(x_px / shrink, y_px / shrink, turn, contrast)


@dataclass(frozen=True)
class _Spectrum:
    """Magnitudes over their surroundings, one quarter turn to the right of the vertical axis; cycles a pixel."""

    height: Values
    """Peaks over what surrounds them, ``(rows, columns)``; row 0 is the middle one."""
    middle: int
    fy_step: float
    fx_step: float

    @classmethod
    def of(cls, picture: Values) -> _Spectrum:
        rows, columns = picture.shape
        window = np.hanning(rows).astype(np.float32)[:, None] * np.hanning(columns).astype(np.float32)
        size = tuple(cv2.getOptimalDFTSize(n) for n in (rows, columns))
        magnitude = np.abs(rfft2(picture * window, s=size)).astype(np.float32)
        furthest = math.ceil(0.5 * size[1]) + 1
        magnitude = np.fft.fftshift(magnitude, axes=0)[:, :furthest]
        around = cv2.blur(magnitude, (31, 31)) + 1e-6
        return cls(magnitude / around, size[0] // 2, 1 / size[0], 1 / size[1])

    def turn_degrees(self) -> float:
        """The direction in which, and across which, most of the peaks lie."""
        rows, columns = np.nonzero(self.height > 4.0)
        fx, fy = columns * self.fx_step, (rows - self.middle) * self.fy_step
        radius = np.hypot(fx, fy)
        used = (radius > 1 / (5 * _MM_PX[1])) & (radius < 1 / _MM_PX[0])
        if not used.any():
            return 0.0
        height = np.minimum(self.height[rows[used], columns[used]], 12.0)
        angle = np.degrees(np.arctan2(fy[used], fx[used]))  # -90 to 90
        folded = (angle + 45) % 90 - 45
        upright = np.abs(angle - folded) > 45
        bins = np.linspace(-45, 45, 901)
        votes = [
            np.histogram(folded[part], bins, weights=height[part] * radius[used][part])[0]
            for part in (upright, ~upright)
        ]
        around = np.array([0.25, 0.5, 1.0, 0.5, 0.25])
        smooth = [np.convolve(np.concatenate([vote[-2:], vote, vote[:2]]), around, "valid") for vote in votes]
        both = np.sqrt(smooth[0] * smooth[1]) + 0.05 * (smooth[0] + smooth[1])
        best = int(both.argmax())
        return float((bins[best] + bins[best + 1]) / 2)

    def along(self, frequency: NDArray[np.float64], turn_degrees: float, upright: bool) -> Values:
        """Height of the spectrum at frequencies along one direction of a grid that is turned."""
        angle = math.radians(turn_degrees + (90 if upright else 0))
        fx, fy = frequency * math.cos(angle), frequency * math.sin(angle)
        back = fx < 0
        fx, fy = np.where(back, -fx, fx), np.where(back, -fy, fy)
        at_x = (fx / self.fx_step).astype(np.float32)
        at_y = (fy / self.fy_step + self.middle).astype(np.float32)
        values = [
            cv2.remap(
                self.height,
                (at_x + dx)[None],
                (at_y + dy)[None],
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )[0]
            for dx, dy in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
        ]
        return np.asarray(np.minimum(np.maximum.reduce(values), 30.0), np.float32)

    def refined(self, turn_degrees: float, x_px: float, y_px: float) -> tuple[float, float, float]:
        """Turn and periods from the highest peaks near those that were expected."""
        turns, periods = [], []
        for period, upright in ((x_px, False), (y_px, True)):
            strong = [
                (height * order, frequency / order, angle)
                for order in (0.2, 0.4, 0.6, 1, 2)
                if order / period < 0.45
                for height, frequency, angle in [self._peak(order / period, turn_degrees, upright)]
                if height > 3
            ]
            if not strong:
                periods.append(period)
                continue
            weights = np.array([weight for weight, _, _ in strong]) ** 2
            periods.append(float(1 / np.average([f for _, f, _ in strong], weights=weights)))
            turns.append(
                (float(np.average([a for _, _, a in strong], weights=weights)), float(weights.sum()))
            )
        if turns:
            turn_degrees = float(
                np.average([turn for turn, _ in turns], weights=[weight for _, weight in turns])
            )
        return turn_degrees, periods[0], periods[1]

    def _peak(self, frequency: float, turn_degrees: float, upright: bool) -> tuple[float, float, float]:
        """Height, frequency and turn of the highest place within two steps of where a peak is expected."""
        angle = math.radians(turn_degrees + (90 if upright else 0))
        fx, fy = frequency * math.cos(angle), frequency * math.sin(angle)
        if fx < 0:
            fx, fy = -fx, -fy
        column, row = round(fx / self.fx_step), round(fy / self.fy_step) + self.middle
        left, top = max(column - 2, 0), max(row - 2, 0)
        around = self.height[top : row + 3, left : column + 3]
        if not around.size:
            return 0.0, frequency, turn_degrees
        y, x = (int(place) for place in np.unravel_index(int(around.argmax()), around.shape))
        y, x = y + top, x + left
        at_x = x + _vertex(self._at(y, abs(x - 1)), self._at(y, x), self._at(y, x + 1))
        at_y = y + _vertex(self._at(y - 1, x), self._at(y, x), self._at(y + 1, x))
        fx, fy = at_x * self.fx_step, (at_y - self.middle) * self.fy_step
        found = math.degrees(math.atan2(fy, fx)) - (90 if upright else 0)
        found = (found + 45 + 180) % 180 - 45  # a direction and its opposite are one
        found = found - 180 if found > 90 else found
        return self._at(y, x), math.hypot(fx, fy), found

    def _at(self, row: int, column: int) -> float:
        rows, columns = self.height.shape
        return float(self.height[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)])


def _vertex(before: float, here: float, after: float) -> float:
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def _periods(spectrum: _Spectrum, turn_degrees: float, longer_px: int) -> tuple[float, float, float] | None:
    """Pixels a millimetre across and down, and the contrast; None where no period stands out."""
    periods = np.exp(np.arange(math.log(_MM_PX[0]), math.log(_MM_PX[1]), _STEP))
    scores = [_comb(spectrum, periods, turn_degrees, upright) for upright in (False, True)]
    reach = round(_APART / _STEP)
    kernel = np.ones((1, 2 * reach + 1), np.uint8)
    best_down = cv2.dilate(scores[1][None], kernel)[0]
    prior = -0.5 * (np.log(longer_px / periods / _LONGER_MM) / _LONGER_SPREAD) ** 2
    both = np.minimum(scores[0], best_down) + 0.5 * (scores[0] + best_down) + prior
    across = int(both.argmax())
    low = max(0, across - reach)
    down = low + int(scores[1][low : across + reach + 1].argmax())
    score = float(min(scores[0][across], scores[1][down]))
    if score < _LEAST:
        return None
    return float(periods[across]), float(periods[down]), min(1.0, score / 10)


def _comb(spectrum: _Spectrum, periods: NDArray[np.float64], turn_degrees: float, upright: bool) -> Values:
    """How well the lines of each period in millimetres stand out: of 1 mm, and of 5 mm where these are thicker."""

    def at(order: float) -> Values:
        frequency = order / periods
        values = spectrum.along(frequency, turn_degrees, upright)
        return np.where(frequency < 0.5, values, 0).astype(np.float32)

    first, second = at(1.0), at(2.0)
    second = np.where(periods > 4, second, first)  # finer waves than a pixel can show
    coarse = (at(0.2) + at(0.4) + at(0.6)) / 3
    beside = np.maximum.reduce([at(order) for order in (0.1, 0.3, 0.5, 0.7)])
    fine = np.log1p(np.maximum(first, second)) + _BOTH * np.log1p(np.minimum(first, second))
    return np.asarray(fine + np.log1p(coarse) - 0.5 * np.log1p(beside), np.float32)
