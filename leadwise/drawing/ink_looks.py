"""How drawn ink looks on paper, under a lamp and through a camera: colours, shadows, creases, noise, compression.

All at random, for training alone: `leadwise.drawing.ink_crops` gives masks of ink by kind and takes a picture.
Ranges are wide on purpose: what a network has seen in excess it forgives on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.drawing.drawn_ink import as_jpeg
from leadwise.pages.ink import PX_PER_MM

Values = NDArray[np.float32]
Mask = NDArray[np.uint8]

_ALL = np.float32(1)

GRID_COLOURS: Mapping[str, tuple[int, int, int] | None] = MappingProxyType(
    {
        "red": (100, 100, 235),
        "pink": (185, 165, 250),
        "blue": (230, 170, 120),
        "green": (130, 200, 120),
        "grey": (165, 165, 165),
        "black": (20, 20, 20),
        "none": None,
    }
)
"""Colours of the 5 mm lines, BGR, before chance moves them by up to 35 levels a channel (black and grey alike)."""


def printed(kinds: Mapping[str, Mask], grid: str, rng: np.random.Generator) -> Values:
    """Paper with grid and ink of a colour each, float32 BGR 0 to 255 ``(height, width, 3)``."""
    paper = rng.uniform(235, 256) - rng.uniform(0, 18, 3) * (rng.random() < 0.5)
    size = kinds["trace"].shape
    page = [np.full(size, min(level, 255), np.float32) for level in np.broadcast_to(paper, 3)]
    colour = GRID_COLOURS[grid]
    if colour is not None:
        jitter = rng.uniform(-35, 35, 1 if grid in {"grey", "black"} else 3)
        coarse = np.clip(np.array(colour) + jitter, 0, 235)
        fine = coarse + (255 - coarse) * rng.uniform(0, 0.6)
        dithered = kinds["fine"]
        if rng.random() < 0.35 and grid in {"grey", "black"}:  # a laser prints a lighter line as fewer dots
            dithered = dithered * (rng.random(dithered.shape, np.float32) < rng.uniform(0.25, 0.8))
        _lay(page, dithered, fine)
        _lay(page, kinds["coarse"], coarse)
    black = rng.choice(5, p=(0.55, 0.2, 0.1, 0.1, 0.05))
    pen = np.array(((5, 5, 5), (45, 45, 45), (90, 30, 20), (85, 85, 85), (60, 20, 90))[black], np.float64)
    words = pen if rng.random() < 0.8 else np.full(3, rng.uniform(0, 90))
    _lay(page, kinds["text"], words)
    _lay(page, kinds["separator"], words)
    faint = np.float32(rng.uniform(0, 0.5) if rng.random() < 0.25 else 0)
    inked = 1 - faint * _clouds(size, 12, rng) if faint else np.float32(1)
    for kind in ("pulse", "trace"):
        _lay(page, kinds[kind], pen, inked)
    return np.asarray(cv2.merge(page), np.float32)


def one_bit(page: Values, rng: np.random.Generator) -> Values:
    """As a black-and-white scan: what is darker than a threshold is black."""
    grey = page.mean(axis=2) + rng.normal(0, rng.uniform(2, 25), page.shape[:2])
    black = np.where(grey < rng.uniform(110, 200), rng.uniform(0, 30), 255.0)
    return np.repeat(black[..., None], 3, axis=2).astype(np.float32)


def scanned(page: Values, px: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """As a scanner or a screenshot gives it: hardly uneven, hardly blurred. `px` is a pixel of an upright page."""
    page = page * (1 - rng.uniform(0, 0.2) * _slope(page.shape[:2], rng))[..., None]
    if rng.random() < 0.5:
        page = _blurred(page, px * rng.uniform(0, 0.9))
    return _digital(page, rng.uniform(0, 7), 55, rng)


def photographed(page: Values, px: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """As a camera sees it: stains, creases, shadows, a cast, blur, noise, moire, low contrast, sharpened."""
    size = page.shape[:2]
    mm = PX_PER_MM * px
    light = 1 - rng.uniform(0, 0.5) * _slope(size, rng)
    for _ in range(rng.integers(0, 3)):  # shadows with soft edges
        across = _from_line(size, rng) / (mm * rng.uniform(0.3, 15))
        light *= 1 - rng.uniform(0.05, 0.55) / (1 + np.exp(-np.clip(across, -30, 30)))
    for _ in range(rng.integers(0, 3)):  # creases: a dark and a light side
        across = _from_line(size, rng) / (mm * rng.uniform(0.3, 2.0))
        bent = across * np.exp(-across * across) * rng.uniform(-0.5, 0.5)
        light *= 1 + bent - rng.uniform(0, 0.3) * np.exp(-across * across)
    if rng.random() < 0.15:  # a stain
        light *= 1 - rng.uniform(0.05, 0.3) * (_clouds(size, 4, rng) > rng.uniform(0.55, 0.8))
    cast = rng.uniform(0.72, 1.0, 3)
    page = page * light[..., None].astype(np.float32) * cast.astype(np.float32)
    if rng.random() < 0.3:  # blacks that are not black
        lift = rng.uniform(0, 0.4)
        page = page * (1 - lift) + lift * page.mean()
    page = _blurred(page, px * rng.uniform(0.2, 1.5))
    if rng.random() < 0.35:  # phones sharpen
        page = page + rng.uniform(0.3, 1.5) * (page - _blurred(page, px * rng.uniform(0.8, 2)))
    if rng.random() < 0.2:  # moire
        phase = _from_line(size, rng) * (2 * np.pi / (px * rng.uniform(2.5, 30)))
        page = page + rng.uniform(1, 9) * np.sin(phase)[..., None].astype(np.float32)
    return _digital(page, rng.uniform(0, 10), 40, rng)


def table(picture: Values, kinds: dict[str, Mask], rng: np.random.Generator) -> Values:
    """A table of wood, or of anything, on one side of the paper's straight edge; no ink lies there."""
    size = picture.shape[:2]
    place = _from_line(size, rng, edge=True)
    grain = _clouds((size[0] // 6 + 1, size[1]), 40, rng)
    wood = cv2.resize(grain, size[::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        wood = cv2.resize(wood.T.copy(), size[::-1])
    colour = rng.uniform((20, 30, 40), (170, 190, 220)).astype(np.float32)
    off = place > 0
    picture = np.where(off[..., None], wood[..., None] * rng.uniform(0.2, 1.0) * 80 + colour, picture)
    for mask in kinds.values():
        mask[off] = 0
    return picture.astype(np.float32)


def _digital(page: Values, noise: float, least_quality: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    if noise > 0.5:
        top, left = rng.integers(0, 256, 2)
        grain = _grain(float(rng.choice([0.0, 0.7, 1.0])), bool(rng.random() < 0.4))
        page = page + np.float32(noise) * grain[top : top + page.shape[0], left : left + page.shape[1]]
    picture: Any = np.clip(page, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        picture = as_jpeg(picture, int(rng.integers(least_quality, 96)))
    return np.asarray(picture, np.uint8)


def _blurred(page: Values, sigma_px: float) -> Values:
    return np.asarray(cv2.GaussianBlur(page, (0, 0), max(0.3, sigma_px)), np.float32)


@cache
def _grain(grey: float, soft: bool) -> Values:
    """Noise of deviation 1, a part `grey` of it in all colours alike; each picture has a piece of it."""
    rng = np.random.default_rng(0)
    alone, alike = (
        rng.standard_normal((1200, 1200, 3), np.float32),
        rng.standard_normal((1200, 1200, 1), np.float32),
    )
    grain = np.sqrt(1 - grey * grey) * alone + grey * alike
    return np.asarray(2.8 * cv2.GaussianBlur(grain, (0, 0), 0.8) if soft else grain, np.float32)


def _lay(
    page: list[Values], mask: Mask, colour: NDArray[np.float64], strength: Values | np.float32 = _ALL
) -> None:
    """Cover the three planes of a page with a colour where a mask says so."""
    share = mask * (np.float32(1 / 255) * strength)
    for plane, level in zip(page, colour, strict=True):
        np.add(plane, share * (np.float32(level) - plane), out=plane)


def _from_line(size: tuple[int, int], rng: np.random.Generator, *, edge: bool = False) -> Values:
    """Signed distance from a straight line at random through the picture, px; `edge`: upright or level, nearly."""
    angle = rng.uniform(0, 2 * np.pi)
    if edge:
        angle = np.round(angle / (np.pi / 2)) * np.pi / 2 + rng.uniform(-0.1, 0.1)
    at = rng.uniform(0.15, 0.85, 2) * size
    y, x = np.ogrid[: size[0], : size[1]]
    return np.asarray((x - at[1]) * np.cos(angle) + (y - at[0]) * np.sin(angle), np.float32)


def _slope(size: tuple[int, int], rng: np.random.Generator) -> Values:
    corners = rng.random((2, 2)).astype(np.float32)
    return np.asarray(cv2.resize(corners, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _clouds(size: tuple[int, int], cells: int, rng: np.random.Generator) -> Values:
    """Smooth noise, 0 to 1, so many cells across."""
    coarse = rng.random((max(2, cells * size[0] // size[1]), cells)).astype(np.float32)
    return np.clip(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)
