"""A flat page of any device, brought upright to one scale, and the ink of its traces alone.

Traces are printed in black or nearly so, grids in a colour or in a lighter grey. Each channel is divided by the
paper's own brightness, which takes shadows and a cast away; what is then dark in all channels is ink. Straight lines
that are longer than any trace is straight are frames, and what stands apart and is small are letters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import ForeignPage
from leadwise.pages.read import Page

PX_PER_MM = 7.864
"""Of an upright page on both axes: the known form's 196.6 px a second and 78.64 a mV, at 25 mm/s and 10 mm/mV."""

_STRAIGHT_DEGREES, _NEAR_ENOUGH = 0.005, 0.15
"""Of a page that lies straight and is so near to PX_PER_MM, or to half of it, pixels are kept across."""

MOST_PX = 4000
"""Width and height of an upright page, at most: half a metre of paper."""

_PAPER_MM = 3.0  # a square of this side has paper in it, whatever is printed on it
_GREY = 0.7  # how much of a colour's spread is taken off its darkness
_GRID_SHARE, _INK_SHARE = 0.90, 0.995  # of a page's pixels are no darker than its grid, than its ink
_LEAST_APART = 0.12


@dataclass(frozen=True)
class Upright:
    """A page, BGR uint8, and the affine map ``(2, 3)`` from its pixels to those of the page.

    Down it has PX_PER_MM, across `x_px_per_mm`, which is nearly that.
    """

    picture: Page
    to_page: NDArray[np.float64]
    x_px_per_mm: float

    def on_page(self, points: NDArray[np.floating]) -> NDArray[np.float32]:
        """Points ``(n, 2)`` of the upright page in pixels of the page."""
        return np.asarray(points @ self.to_page[:, :2].T + self.to_page[:, 2], np.float32)


def upright(
    page: Page, x_px_per_mm: float, y_px_per_mm: float, turn_degrees: float, *, columns_kept: bool = True
) -> Upright:
    """Turn a page back by `turn_degrees` (clockwise) and bring it to PX_PER_MM, across nearly where it lies straight.

    A steep stroke of a page without soft edges stands in whole columns of pixels. Between them it would be moved by
    up to half a pixel, 2.5 ms, so columns stay where they are, where `columns_kept`, as long as they are about as
    wide as asked for.
    """
    height, width = page.shape[:2]
    angle = math.radians(turn_degrees)
    x_scale = x_px_per_mm / PX_PER_MM
    if columns_kept:
        x_scale = _kept(x_scale, turn_degrees)
    scale = np.array([x_scale, y_px_per_mm / PX_PER_MM])
    turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    forth = turned * scale  # from upright to page, but for where it begins
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) - 0.5
    there = corners @ np.linalg.inv(forth).T
    low, high = there.min(axis=0), there.max(axis=0)
    size = np.ceil(high - low).astype(int)
    if size.max() > MOST_PX or size.min() < 20 * PX_PER_MM:
        raise ForeignPage(
            f"by its grid this page would be {size[0] / PX_PER_MM:.0f} x {size[1] / PX_PER_MM:.0f} mm large, which "
            "is no printed ECG: are there two pages in this picture? Scan one page, whole and flat."
        )
    to_page = np.column_stack([forth, forth @ (low + 0.5)])
    white = tuple(
        int(value) for value in np.median(page[:: max(1, height // 50), :: max(1, width // 50)], axis=(0, 1))
    )
    small, inward = page, to_page
    if scale.max() > 1.25:  # thin strokes would fall between the pixels that are looked at
        shrink = 1 / scale.max()
        small = np.asarray(
            cv2.resize(page, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        shrunk = np.array([small.shape[1] / width, small.shape[0] / height])
        inward = shrunk[:, None] * to_page
        inward[:, 2] += shrunk * 0.5 - 0.5
    picture = cv2.warpAffine(
        small,
        inward,
        (int(size[0]), int(size[1])),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=white,
    )
    return Upright(np.asarray(picture, np.uint8), to_page, x_px_per_mm / x_scale)


def _kept(scale: float, turn_degrees: float) -> float:
    """Pixels of the page a pixel across: one or a half where the page lies straight and that is near."""
    whole = (times for times in (1.0, 0.5) if abs(scale / times - 1) < _NEAR_ENOUGH)
    return next(whole, scale) if abs(turn_degrees) < _STRAIGHT_DEGREES else scale


def beside_paper(picture: Page) -> NDArray[np.float32]:
    """Each channel of an upright page divided by the paper's brightness around, float32 ``(3, height, width)``.

    Paper is 1, black ink nearly 0; shadows and a cast are gone. The channels' order is the picture's: BGR.
    """
    height, width = picture.shape[:2]
    step = round(_PAPER_MM * PX_PER_MM / 2)
    half = np.ascontiguousarray(picture[::2, ::2])
    small = cv2.resize(cv2.dilate(half, np.ones((step, step), np.uint8)), (width // 8, height // 8))
    paper = cv2.resize(
        cv2.GaussianBlur(small, (0, 0), step / 2), (width, height), interpolation=cv2.INTER_LINEAR
    )
    shares = np.empty((3, height, width), np.float32)
    for share, part, white in zip(shares, cv2.split(picture), cv2.split(np.maximum(paper, 1)), strict=True):
        cv2.divide(part, white, dst=share, dtype=cv2.CV_32F)
    return shares


def darkness(picture: Page) -> NDArray[np.float32]:
    """How dark an upright page is beside its paper, 0 to 1, where it is dark in all colours."""
    return darkness_beside(beside_paper(picture))


def darkness_beside(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """As `darkness`, of a page whose `beside_paper` is known."""
    lightest = cv2.max(cv2.max(shares[0], shares[1]), shares[2])
    least = cv2.min(cv2.min(shares[0], shares[1]), shares[2])
    spread = np.maximum(lightest - least - 0.1, 0.0)
    return np.asarray(np.clip(1 - lightest - _GREY * spread, 0, 1), np.float32)


def ink_of(picture: Page) -> NDArray[np.uint8]:
    """Ink of an upright page, uint8: 255 where it is as black as its traces, 0 where as light as paper or grid.

    Raises `ForeignPage` where nothing is darker than the grid.
    """
    dark = darkness(picture)
    some = dark[::3, ::3]
    grid, black = np.quantile(some, _GRID_SHARE), np.quantile(some, _INK_SHARE)
    if black - grid < _LEAST_APART:
        raise ForeignPage(
            "no trace that is darker than its grid was found on this page. Pages whose grid is as black as the "
            "trace, and empty ones, cannot be read; scan it in colour."
        )
    return np.asarray(np.clip((dark - grid) * (255 / (black - grid)), 0, 255), np.uint8)
