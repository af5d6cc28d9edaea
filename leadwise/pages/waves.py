"""The two waves of a grid that is bent or seen from the side: how many pixels 5 mm are, and which way they run.

They are found in the mean spectrum of small pieces, where bending is slight: 5 mm and its overtones, in two
directions that are nearly perpendicular.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft2

Pixels = NDArray[np.float64]
Values = NDArray[np.float32]

TILE_PX = 256
"""Side of a piece."""

BOX = 0.024
"""Of the longer side: what is dark beside its surroundings is dark beside so much of the picture."""

_MOST = 1.6  # deviations: black ink weighs no more than a grid's line
_CELLS = (26.0, 110.0)  # of 5 mm along the longer side: a sheet in a third of the picture, or a long strip
_USUAL_CELLS, _SPREAD = 52.0, 0.45  # along the longer side, on a logarithmic scale


def levelled(grey: Values, ink: NDArray[np.bool_] | None = None) -> Values:
    """Darkness against the surroundings in their deviations; 0 where `ink` lies, which counts for neither."""
    box = (max(9, round(BOX * max(grey.shape)) | 1),) * 2
    paper: Any = np.float32(1) if ink is None else (~ink).astype(np.float32)
    share = 1 if ink is None else np.maximum(cv2.boxFilter(paper, -1, box), 0.05)
    grey = grey * paper
    mean = cv2.boxFilter(grey, -1, box) / share
    spread = np.sqrt(np.maximum(cv2.boxFilter(grey * grey, -1, box) / share - mean * mean, 4.0))
    return np.asarray(np.clip((mean - grey) / spread, -_MOST, _MOST) * paper, np.float32)


def waves_of(picture: Values) -> Pixels:
    """Wave vectors ``(2, 2)``, cycles a pixel, across the lines of 5 mm that stand upright and those that lie."""
    spectrum = _mean_spectrum(picture)
    longer = max(picture.shape)
    periods = np.exp(np.arange(math.log(longer / _CELLS[1]), math.log(longer / _CELLS[0]), 0.01))
    angles = np.radians(np.arange(-55, 146, 1.0))
    score = np.zeros((len(angles), len(periods)), np.float32)
    for weight, orders in ((1 / 5, (1, 2, 3, 4, 5)), (-1 / 4, (0.5, 1.5, 2.5, 3.5))):
        for order in orders:
            score += weight * _at(spectrum, order / periods, angles)
    score += -0.5 * ((np.log(longer / periods) - math.log(_USUAL_CELLS)) / _SPREAD) ** 2 * 0.3
    near = cv2.dilate(score, np.ones((17, 31), np.uint8))  # 8 degrees, 15 %
    first = slice(10, 101)  # -45 to 45 degrees
    both = score[first] + near[first.start + 90 : first.stop + 90]
    row, column = divmod(int(both.argmax()), both.shape[1])
    row += first.start
    left = max(0, column - 15)
    other = score[row + 82 : row + 99, left : column + 16]
    across = divmod(int(other.argmax()), other.shape[1])
    places = ((row, column), (across[0] + row + 82, across[1] + left))
    found = np.array(
        [[math.cos(angles[r]) / periods[c], math.sin(angles[r]) / periods[c]] for r, c in places]
    )
    # dots make waves from corner to corner of a cell, too, by which it may be taken for a larger or smaller one
    whole, other = found[0] + found[1], found[1] - found[0]
    if abs(whole[0]) < abs(whole[1]):  # each goes on in the direction in which its lines are counted
        whole, other = -other, whole
    turned = np.array([whole, other])
    return max((found, turned / 2, turned), key=lambda waves: _height(spectrum, waves))


def _height(spectrum: Values, waves: Pixels) -> float:
    """How far waves and their odd overtones stand out, in the mean."""
    periods, angles = 1 / np.hypot(*waves.T), np.arctan2(waves[:, 1], waves[:, 0])
    return float(
        np.mean(
            [
                _at(spectrum, np.array([order / period]), np.array([angle]))
                for period, angle in zip(periods, angles, strict=True)
                for order in (1, 3, 5)
            ]
        )
    )


def _mean_spectrum(picture: Values) -> Values:
    """Mean log magnitude of all pieces, over its surroundings, fx from 0, fy centred."""
    size = TILE_PX
    window = np.hanning(size).astype(np.float32)
    window = window[:, None] * window
    total = np.zeros((size, size // 2 + 1), np.float32)
    for top in range(0, max(1, picture.shape[0] - size + 1), size // 2):
        for left in range(0, max(1, picture.shape[1] - size + 1), size // 2):
            tile = picture[top : top + size, left : left + size]
            if tile.shape == (size, size):
                total += np.abs(rfft2(tile * window)) ** 2
    total = np.fft.fftshift(np.sqrt(total), axes=0)
    total = np.concatenate(
        [total[:, 8:0:-1][::-1], total], axis=1
    )  # some of the other half, for what lies upright
    around = cv2.blur(total, (15, 15)) + 1e-6
    return np.asarray(np.log(np.maximum(total, np.finfo(np.float32).tiny) / around), np.float32)


def _at(spectrum: Values, frequency: Pixels, angles: Pixels) -> Values:
    size = TILE_PX
    fx = np.cos(angles)[:, None] * frequency
    fy = np.sin(angles)[:, None] * frequency
    back = fx < 0
    fx, fy = np.where(back, -fx, fx), np.where(back, -fy, fy)
    outside = np.hypot(fx, fy) > 0.48
    x = (fx * size + 8).astype(np.float32)
    y = (fy * size + size // 2).astype(np.float32)
    found = cv2.remap(spectrum, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where(outside, 0.0, found).astype(np.float32)
