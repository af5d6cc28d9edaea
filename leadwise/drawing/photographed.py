"""Drawn pages as a telephone sees them: bent, creased, from the side, on a table, in uneven light; with the truth.

A sheet is given a height: soft waves, folds along lines, a crumple of many small facets. Where it rises it is seen
displaced, and its slope darkens it or lights it. Nothing here is used to read a page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.drawing.drawn import DrawnPage, Look
from leadwise.drawing.drawn_ink import as_jpeg
from leadwise.pages.read import Page

Values = NDArray[np.float32]

_LIGHT = 0.35  # of the paper's brightness, at most, is taken or given by a slope
_SEEN_PX = (2600, 4000)  # longer side of photographs


@dataclass(frozen=True)
class Photograph:
    """A photograph, and for each of its pixels the millimetre of the sheet that it shows, ``(height, width, 2)``."""

    page: Page = field(repr=False)
    drawn: DrawnPage
    mm: Values = field(repr=False)


def as_printed(look: Look, rng: np.random.Generator) -> Look:
    """The look of a printed sheet before it is photographed: fine, upright, and without what a scanner adds."""
    px_per_mm = float(rng.uniform(9, 11))
    return replace(
        look,
        x_px_per_mm=px_per_mm,
        y_px_per_mm=px_per_mm,
        pen_px=int(rng.integers(2, 5)),
        shade=0.0,
        blur_px=0.0,
        noise=0.0,
        jpeg_quality=None,
        turn_degrees=0.0,
        quarter_turns=0,
        mirrored=False,
    )


def photographed(drawn: DrawnPage, rng: np.random.Generator, *, crumple: float | None = None) -> Photograph:
    """A photograph of a drawn page, `crumple` between 0, a flat sheet, and 1; at random where it is None."""
    crumple = float(rng.uniform(0, 1)) if crumple is None else crumple
    height, width = drawn.page.shape[:2]
    scale = rng.uniform(*_SEEN_PX) * rng.uniform(0.62, 0.95) / max(height, width)
    seen = tuple(round(side * scale / rng.uniform(0.72, 0.92)) for side in (width, height))
    x, y = _sheet_seen(seen, (width, height), scale, rng)
    # all lengths of the sheet's shape are shares of its longer side
    up, along, down = _shape(x, y, max(height, width), rng, crumple)
    off_x, off_y = along * up, down * up
    source_x, source_y = (x + off_x).astype(np.float32), (y + off_y).astype(np.float32)
    table = _table(seen, rng)
    inside = (source_x > 0) & (source_y > 0) & (source_x < width - 1) & (source_y < height - 1)
    fine = drawn.page if scale > 0.8 else cv2.GaussianBlur(drawn.page, (0, 0), 0.4 / scale)
    sheet = cv2.remap(fine, source_x, source_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = _light(up, rng)
    shadow = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 12)[..., None]
    table = table * (1 - 0.4 * shadow)
    share = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7)[..., None]
    picture = (sheet * light[..., None] * rng.uniform(0.72, 0.95)) * share + table * (1 - share)
    picture = picture * rng.uniform(0.93, 1.0, 3).astype(np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.5, 1.3)))
    picture += rng.normal(0, rng.uniform(1, 4), (*picture.shape[:2], 1)).astype(np.float32)
    page = as_jpeg(np.clip(picture, 0, 255).astype(np.uint8), int(rng.integers(75, 96)))
    to_mm = np.linalg.inv(np.vstack([drawn.to_page, (0, 0, 1)]))[:2]
    mm = np.stack([source_x * to_mm[k, 0] + source_y * to_mm[k, 1] + to_mm[k, 2] for k in range(2)], axis=2)
    return Photograph(page, drawn, mm.astype(np.float32))


def _sheet_seen(
    seen: tuple[int, int], size: tuple[int, int], scale: float, rng: np.random.Generator
) -> tuple[Values, Values]:
    """Pixels of the page that a flat sheet would show at each pixel of the photograph: turned, and from the side."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float) * size
    middle = (corners - np.array(size) / 2) * scale
    turn = np.radians(rng.uniform(-15, 15))
    middle = middle @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    side = np.array([rng.uniform(-0.12, 0.12), rng.uniform(-0.18, 0.18)])  # tilt of the telephone
    middle /= (1 + middle @ side / max(seen))[:, None]
    target = middle - (middle.min(axis=0) + middle.max(axis=0)) / 2 + np.array(seen) / 2
    back = cv2.getPerspectiveTransform(target.astype(np.float32), corners.astype(np.float32))
    u, v = np.meshgrid(np.arange(seen[0], dtype=np.float32), np.arange(seen[1], dtype=np.float32))
    below = back[2, 0] * u + back[2, 1] * v + back[2, 2]
    x = (back[0, 0] * u + back[0, 1] * v + back[0, 2]) / below
    y = (back[1, 0] * u + back[1, 1] * v + back[1, 2]) / below
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _shape(
    x: Values, y: Values, longer: int, rng: np.random.Generator, crumple: float
) -> tuple[Values, float, float]:
    """How high the sheet lies at each pixel, in pixels of the page, and how far a height displaces what is seen."""
    u, v = x / longer, y / longer
    up = np.zeros_like(u)
    for _ in range(3):  # soft waves
        turn, wave = rng.uniform(0, np.pi), rng.uniform(0.8, 2.5)
        up += rng.uniform(0, 0.012) * np.sin(
            2 * np.pi * wave * (np.cos(turn) * u + np.sin(turn) * v) + rng.uniform(0, 6)
        )
    for _ in range(int(rng.integers(0, 2 + round(4 * crumple)))):  # folds
        turn = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
        across = np.cos(turn) * (u - rng.uniform(0.2, 0.8)) + np.sin(turn) * (v - rng.uniform(0.1, 0.6))
        soft = rng.uniform(0.003, 0.02)
        up += rng.uniform(-0.08, 0.08) * (np.sqrt(across**2 + soft**2) - soft)
    if crumple > 0.4:  # facets: the lower envelope of cones has edges that go all ways
        small = 1 / 8
        size = (max(2, round(u.shape[1] * small)), max(2, round(u.shape[0] * small)))
        us, vs = cv2.resize(u, size), cv2.resize(v, size)
        facets: NDArray[np.floating] = np.zeros_like(us)
        for number in (6, 14):
            seeds = rng.uniform((-0.1, -0.1), (1.1, 0.9), (number, 2))
            far = np.stack([np.hypot(us - a, vs - b) for a, b in seeds])
            facets += (np.sort(far, axis=0)[0] - 0.1) * rng.uniform(-0.06, 0.06) * crumple
        up += cv2.resize(
            cv2.GaussianBlur(facets, (0, 0), 1.0), (u.shape[1], u.shape[0]), interpolation=cv2.INTER_CUBIC
        )
    return (
        np.asarray(up * longer, np.float32),
        float(rng.uniform(-0.35, 0.35)),
        float(rng.uniform(-0.35, 0.35)),
    )


def _light(up: Values, rng: np.random.Generator) -> Values:
    """What a slope and the lamp make of the paper's brightness, around 1."""
    slope_x, slope_y = (
        cv2.Sobel(up, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(up, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    turn = rng.uniform(0, 2 * np.pi)
    slope = np.cos(turn) * slope_x + np.sin(turn) * slope_y
    height, width = up.shape
    lamp = cv2.resize(1 - rng.uniform(0, 0.35) * rng.random((2, 3)).astype(np.float32), (width, height))
    return np.asarray(lamp * np.clip(1 + 3.0 * slope, 1 - _LIGHT, 1 + 0.1), np.float32)


def _table(seen: tuple[int, int], rng: np.random.Generator) -> Values:
    """Wood, or a plain dark cloth."""
    width, height = seen
    rough = rng.normal(0, 1, (height // 2, max(2, width // 120))).astype(np.float32)
    grain = cv2.resize(rough, seen, interpolation=cv2.INTER_CUBIC)
    colour = np.array([(80, 120, 160), (50, 50, 55), (120, 140, 150)][rng.integers(3)], np.float32)
    return np.asarray(colour * (1 + 0.08 * grain[..., None]), np.float32)
