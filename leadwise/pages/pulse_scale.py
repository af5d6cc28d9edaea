"""The scale of a page without a grid, from its calibration pulses: 1 mV, 10 mm high, in front of or behind each row.

A pulse is a piece of ink of its own: a foot, an upright stroke, a flat top, a stroke down, a foot. Rows have pulses
of one size, one below the other, so nothing is taken for one that does not stand there at least twice.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.pages.grid import Grid
from leadwise.pages.read import Page

_HEIGHT_MM, _USUAL_WIDTH_MM = 10.0, 5.0
_LEAST_PX = 20
_FLANK, _BETWEEN = 0.8, 0.25  # of a pulse's height is ink in its upright strokes, and between them at most
_ASPECT = (0.35, 0.7)  # of its height, between the upright strokes
_ALIKE = 0.04


def scale_of_pulses(page: Page) -> Grid | None:
    """Pixels a millimetre of an upright page, BGR uint8, as a grid not seen; None where no pulses are found."""
    grey = page.max(axis=2)
    limit, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    black = (grey <= limit).astype(np.uint8)
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(black)
    pulses = []
    for number, (left, top, width, height, _) in enumerate(stats.tolist()):
        if number and height > _LEAST_PX and 0.4 * height < width < 2 * height:
            piece = numbers[top : top + height, left : left + width] == number
            if (size := _pulse_px(piece)) is not None:
                pulses.append((left, *size))
    if not pulses:
        return None
    lefts, widths, heights = np.array(pulses, float).T
    alike = [
        (np.abs(heights - height) < _ALIKE * height) & (np.abs(lefts - left) < 0.2 * height)
        for left, height in zip(lefts, heights, strict=True)
    ]
    most = max(alike, key=np.count_nonzero)
    if np.count_nonzero(most) < 2:
        return None
    y = float(np.median(heights[most])) / _HEIGHT_MM
    x = float(np.median(widths[most])) / _USUAL_WIDTH_MM
    # a width is mostly 5 mm; where it is not nearly, pixels are taken to be square
    return Grid(x if abs(x / y - 1) < _ALIKE else y, y, 0.0, None, "pulse")


def _pulse_px(piece: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Width and height of a pulse between the middles of its strokes, None where a piece of ink is none."""
    height = len(piece)
    share = piece.mean(axis=0)
    flanks = np.flatnonzero(share > _FLANK)
    if len(flanks) < 2:
        return None
    split = int(np.diff(flanks).argmax())
    first, second = flanks[: split + 1], flanks[split + 1 :]
    inside = piece[:, first[-1] + 1 : second[0]]
    width = float(second.mean() - first.mean())
    if not _ASPECT[0] < width / height < _ASPECT[1] or not inside.size or inside.mean() > _BETWEEN:
        return None
    top = _middle(inside)
    feet = [part for part in (piece[:, : first[0]], piece[:, second[-1] + 1 :]) if part.size]
    if not feet or top > 0.2 * height:
        return None
    foot = float(np.mean([_middle(part) for part in feet]))
    return (width, foot - top) if foot > 0.8 * height else None


def _middle(ink: NDArray[np.bool_]) -> float:
    # the middle one, since a stroke's soft or slanted edge is part of this ink too
    return float(np.median(np.nonzero(ink)[0])) if ink.any() else float("nan")
