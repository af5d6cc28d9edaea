"""Lines, letters, grids and what a scanner adds: the strokes of `leadwise.drawing.drawn`, in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from leadwise.pages.read import Page

if TYPE_CHECKING:
    from leadwise.drawing.drawn import Look

Map = NDArray[np.float64]
Mask = NDArray[np.uint8]

_FACE = cv2.FONT_HERSHEY_SIMPLEX
_SHIFT = 4  # cv2 takes points in 16ths of a pixel

FONTS = ("strokes", "outlines", "plain", "bold")
"""A plotter's strokes, for names of leads alone; Pillow's own font; OpenCV's, thin and thick."""

_LETTERS: Mapping[str, tuple[tuple[tuple[float, float], ...], ...]] = MappingProxyType(
    {
        "-": (((0.1, 0.5), (0.4, 0.5)),),
        "I": (((0, 0), (0, 1)),),
        "V": (((0, 1), (0.3, 0), (0.6, 1)),),
        "a": (
            ((0.5, 0.65), (0.5, 0)),
            ((0.5, 0.5), (0.35, 0.65), (0.15, 0.65), (0, 0.5), (0, 0.15), (0.15, 0), (0.35, 0), (0.5, 0.15)),
        ),
        "R": (
            ((0, 0), (0, 1), (0.4, 1), (0.55, 0.88), (0.55, 0.65), (0.4, 0.5), (0, 0.5)),
            ((0.3, 0.5), (0.6, 0)),
        ),
        "L": (((0, 1), (0, 0), (0.55, 0)),),
        "F": (((0, 0), (0, 1), (0.55, 1)), ((0, 0.5), (0.4, 0.5))),
        "1": (((0.1, 0.8), (0.3, 1), (0.3, 0)),),
        "2": (((0, 0.8), (0.15, 1), (0.45, 1), (0.6, 0.8), (0.6, 0.6), (0, 0), (0.6, 0)),),
        "3": (
            ((0, 0.85), (0.15, 1), (0.4, 1), (0.55, 0.85), (0.55, 0.65), (0.4, 0.52), (0.2, 0.52)),
            ((0.4, 0.52), (0.6, 0.35), (0.6, 0.15), (0.42, 0), (0.15, 0), (0, 0.15)),
        ),
        "4": (((0.45, 0), (0.45, 1), (0, 0.3), (0.6, 0.3)),),
        "5": (
            (
                (0.55, 1),
                (0.05, 1),
                (0, 0.55),
                (0.35, 0.6),
                (0.58, 0.4),
                (0.58, 0.2),
                (0.4, 0),
                (0.15, 0),
                (0, 0.12),
            ),
        ),
        "6": (
            (
                (0.5, 1),
                (0.2, 0.8),
                (0, 0.4),
                (0, 0.15),
                (0.15, 0),
                (0.4, 0),
                (0.55, 0.15),
                (0.55, 0.35),
                (0.4, 0.5),
            ),
            ((0.4, 0.5), (0.15, 0.5), (0, 0.35)),
        ),
    }
)
"""Strokes of the letters of leads' names in heights of a capital, y upwards."""


def line(ink: NDArray[np.uint8], points_px: Map, pen_px: int, smooth: bool) -> None:
    """Draw through points ``(points, 2)``; `smooth` with edges between ink and paper."""
    if smooth:
        points = np.round(points_px * 2**_SHIFT).astype(np.int32)
        cv2.polylines(ink, [points], False, 255, pen_px, cv2.LINE_AA, _SHIFT)
    else:
        cv2.polylines(ink, [np.round(points_px).astype(np.int32)], False, 255, pen_px)


def write(
    ink: NDArray[np.uint8], text: str, where_px: Map, height_px: float, font: str, smooth: bool
) -> None:
    """Write with the lower left corner of capitals of this height at a place; `font` is one of FONTS."""
    x, y = (round(float(part)) for part in where_px)
    if font == "strokes":
        pen_px, right = max(1, round(height_px / 9)), float(x)
        for letter in text:
            for stroke in _LETTERS[letter]:
                line(ink, np.array(stroke) * (height_px, -height_px) + (right, y), pen_px, smooth)
            right += height_px * (0.25 + max(px for stroke in _LETTERS[letter] for px, _ in stroke))
    elif font == "outlines":
        picture = Image.fromarray(ink)
        pen = ImageDraw.Draw(picture)
        pen.fontmode = "L" if smooth else "1"
        pen.text((x, y), text, fill=255, font=_outlines(max(8, round(height_px / 0.7))), anchor="ls")
        ink[:] = np.asarray(picture)
    else:
        thick = 1 if font == "plain" else max(2, round(height_px / 8))
        scale = cv2.getFontScaleFromHeight(_FACE, max(6, round(height_px)), thick)
        cv2.putText(ink, text, (x, y), _FACE, scale, 255, thick, cv2.LINE_AA if smooth else cv2.LINE_8)


def write_in(
    ink: NDArray[np.uint8], text: str, where_px: Sequence[float] | Map, face: ImageFont.FreeTypeFont
) -> None:
    """Write in a face, the lower left corner of capitals at a place; what lies outside is left out."""
    x, y = (round(float(part)) for part in where_px)
    box = np.array(face.getbbox(text, anchor="ls")) + np.array([x, y, x, y])
    (left, top), (right, bottom) = (
        np.clip(box[at : at + 2], 0, ink.shape[::-1]).astype(int) for at in (0, 2)
    )
    if left < right and top < bottom:
        picture = Image.fromarray(ink[top:bottom, left:right])
        ImageDraw.Draw(picture).text((x - left, y - top), text, fill=255, font=face, anchor="ls")
        ink[top:bottom, left:right] = np.asarray(picture)


def any_face(size_px: int, rng: np.random.Generator) -> ImageFont.FreeTypeFont:
    """One of the faces that come with matplotlib: sans, serif, mono, bold, italic."""
    return _face(str(rng.choice(_faces())), size_px)


@cache
def _faces() -> tuple[str, ...]:
    """Their files; faces of symbols are left out."""
    found = find_spec("matplotlib")
    folder = Path(str(found.origin)).parent / "mpl-data" / "fonts" / "ttf" if found else Path()
    names = ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "cmr10", "cmss10", "cmtt10", "cmb10")
    files = [path for path in sorted(folder.glob("*.ttf")) if path.stem.startswith(names)]
    return tuple(str(path) for path in files if "Display" not in path.stem and "Mono" not in path.stem[:4])


@cache
def _face(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


@cache
def _outlines(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def grid(page: Page, colour: tuple[int, int, int], px_per_mm: Map, *, dots: bool, smooth: bool) -> Page:
    """Paper with lines of 5 mm in a colour and of 1 mm in one half as strong, the first at the upper left corner."""
    height, width = page.shape[:2]
    fine, strong = grid_lines((height, width), px_per_mm, dots=dots, smooth=smooth)
    return laid_over(page, np.maximum(fine // (1 if dots else 2), strong), colour)


def grid_lines(
    size_px: tuple[int, int],
    px_per_mm: Map,
    *,
    dots: bool,
    smooth: bool,
    wide_mm: tuple[float, float] = (0.14, 0.14),
) -> tuple[Mask, Mask]:
    """How much of each pixel ``(height, width)`` lies on lines of 1 mm, and of 5 mm, 0 to 255.

    `wide_mm` is the width of both; `dots`: of those of 1 mm only where they cross.
    """
    (along, down) = (
        [_lines(size, scale * step, wide * scale, smooth) for step, wide in zip((1, 5), wide_mm, strict=True)]
        for size, scale in zip(size_px[::-1], px_per_mm, strict=True)
    )
    cross = np.minimum if dots else np.maximum
    return cross(along[0][None], down[0][:, None]), np.maximum(along[1][None], down[1][:, None])


def _lines(size_px: int, step_px: float, wide_px: float, smooth: bool) -> NDArray[np.uint8]:
    """How much of each pixel of a row lies on lines that are so far apart, 0 to 255."""
    wide_px = max(1.0, wide_px)
    covered = np.zeros(size_px)
    for place in np.arange(0, size_px, step_px):
        begin = place - wide_px / 2 if smooth else float(round(place - wide_px / 2))
        end = begin + (wide_px if smooth else round(wide_px))
        first, last = max(0, int(np.floor(begin))), min(size_px, int(np.ceil(end)))
        pixels = np.arange(first, last)
        covered[first:last] += np.minimum(pixels + 1, end) - np.maximum(pixels, begin)
    return np.clip(255 * covered, 0, 255).astype(np.uint8)


def laid_over(page: Page, ink: NDArray[np.uint8], colour: tuple[int, int, int]) -> Page:
    """A page with ink of a colour over it, as much as `ink` has of it, 0 to 255."""
    over = np.nonzero(ink)
    share = ink[over][:, None].astype(np.float32) / 255
    mixed = page.copy()
    mixed[over] = np.round(page[over] * (1 - share) + np.array(colour, np.float32) * share)
    return mixed


def seen(page: Page, look: Look, rng: np.random.Generator) -> tuple[Page, Map]:
    """A page as it is seen, and the ``(2, 3)`` map from its pixels to those seen."""
    moved = np.eye(3)
    picture: Any = page
    if look.turn_degrees:
        picture, turned = turned_clockwise(picture, look.turn_degrees)
        moved = np.vstack([turned, (0, 0, 1)]) @ moved
    if look.shade:
        height, width = picture.shape[:2]
        corners = 1 - look.shade * rng.random((2, 2)).astype(np.float32)
        light = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
        picture = cv2.multiply(picture, cv2.merge([light] * 3), dtype=cv2.CV_8U)
    if look.blur_px:
        picture = cv2.GaussianBlur(picture, (0, 0), look.blur_px)
    if look.noise:
        height, width = picture.shape[:2]
        tile = rng.normal(0, look.noise, (512, 512, 1)).astype(np.int16)
        times = (height // 512 + 1, width // 512 + 1, 3)
        noise = np.tile(tile, times)[:height, :width]
        picture = cv2.add(picture, noise, dtype=cv2.CV_8U)
    if look.jpeg_quality is not None:
        picture = as_jpeg(picture, look.jpeg_quality)
    for _ in range(look.quarter_turns):
        moved = np.array([[0, -1, picture.shape[0] - 1], [1, 0, 0], [0, 0, 1.0]]) @ moved
        picture = cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE)
    if look.mirrored:
        moved = np.array([[-1, 0, picture.shape[1] - 1], [0, 1, 0], [0, 0, 1.0]]) @ moved
        picture = cv2.flip(picture, 1)
    return np.asarray(picture, np.uint8), moved[:2]


def as_jpeg(page: Page, quality: int) -> Page:
    """A picture as it comes back from a JPEG of this quality."""
    data = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def turned_clockwise(page: Page, degrees: float) -> tuple[Page, Map]:
    """Turned clockwise on a white sheet that holds it all; and where its pixels went."""
    height, width = page.shape[:2]
    matrix = np.asarray(
        cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0), np.float64
    )
    cosine, sine = np.abs(matrix[0])[:2]
    size = (int(width * cosine + height * sine) + 1, int(width * sine + height * cosine) + 1)
    matrix[:, 2] += (np.array(size) - (width, height)) / 2
    return np.asarray(cv2.warpAffine(page, matrix, size, borderValue=(255, 255, 255)), np.uint8), matrix
