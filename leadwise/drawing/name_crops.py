"""Crops of pages' ink and where names of leads stand in them, to train a network on: drawn pages of any form.

Only ink is drawn, as `leadwise.pages.sheet` finds it: traces, pulses, bars and letters, with the gaps, specks and
leftovers of a grid that come with it. Names stand where forms have them, and many more anywhere, across traces too;
between them words and numbers that are no name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass, label

from leadwise.drawing import drawn_ink as ink
from leadwise.drawing.drawn import Look, draw_kinds, with_any_strips
from leadwise.drawing.ink_crops import said
from leadwise.pages.forms import Form
from leadwise.pages.lead_words import lead_named
from leadwise.pages.printed_names import CELL_PX, KINDS, NAMES_PX_PER_MM

Mask = NDArray[np.uint8]

SIDE_PX = 128
"""Of a crop: 32 mm."""

IGNORED = 255
"""In a crop's truth: beside a name's middle, or a name that is cut, neither of which is judged."""

_LARGER = 1.15  # a page is kept so much larger than crops are cut from it
_NAME_MM, _WORD_MM = (1.7, 5.5), (1.5, 5.5)
_MIDDLE_PX = 3  # a name's middle is so large
_LIKE_NAMES = (
    "V", "aV", "L", "F", "R", "1", "l", "|", "T", "P", "QRS", "IV", "VI", "V7", "V8", "V9", "V3R", "V4R", "Hz", "ID",
    "mm", "1mV", "AV", "VX",
)  # fmt: skip


@dataclass(frozen=True)
class NamedPage:
    """Ink of a page, uint8: `strokes` and `words`; and its names, by kind and box: left, top, right, bottom."""

    strokes: Mask = field(repr=False)
    words: Mask = field(repr=False)
    names: tuple[tuple[int, NDArray[np.float64]], ...]


def named_page(
    signals_mv: NDArray[np.floating], rate_hz: float, form: Form, rng: np.random.Generator
) -> NamedPage:
    """A page drawn at random with twelve leads ``(12, samples)``, mV.

    Raises as `leadwise.drawing.drawn.draw` does.
    """
    form = with_any_strips(form, rng)
    look = _look(form, rng)
    names: list[tuple[str, NDArray[np.float64]]] = []

    def write_name(canvas: Mask, name: str, where_px: NDArray[np.float64], height_px: float) -> None:
        if (box := _write_name(canvas, name, where_px, height_px, look.font, rng)) is not None:
            names.append((name, box))

    kinds = draw_kinds(signals_mv * np.exp(rng.uniform(-0.4, 0.5)), rate_hz, form, look, write_name)
    words, scale = kinds["text"], look.y_px_per_mm
    height, width = words.shape
    for _ in range(int(rng.integers(10, 45))):
        height_px = scale * float(np.exp(rng.uniform(*np.log(_NAME_MM))))
        where = rng.uniform((0, 0), (width - height_px, height))
        name, font = str(rng.choice(KINDS[1:])), str(rng.choice(ink.FONTS))
        box = _write_name(words, name, where, height_px, font, rng)
        if box is not None:
            names = [other for other in names if not _touch(other[1], box, scale)] + [(name, box)]
    for _ in range(int(rng.integers(10, 50))):
        _write_word(words, scale, [box for _, box in names], rng)
    strokes = np.maximum(np.maximum(kinds["trace"], kinds["pulse"]), kinds["separator"])
    share = NAMES_PX_PER_MM * _LARGER / scale
    size = (round(width * share), round(height * share))
    strokes, words = (
        np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
        for mask in (strokes, words)
    )
    return NamedPage(strokes, words, tuple((KINDS.index(name), box * share) for name, box in names))


def crop(page: NamedPage, rng: np.random.Generator) -> tuple[Mask, Mask]:
    """A piece of a page, a little turned, bent and off in scale: its ink, and the kind of each of its cells.

    uint8 ``(SIDE_PX, SIDE_PX)`` and ``(SIDE_PX / 4, SIDE_PX / 4)``, the latter by the order of KINDS or IGNORED.
    """
    height, width = page.words.shape
    middle = rng.uniform((0, 0), (width, height))
    if page.names and rng.random() < 0.8:
        box = page.names[int(rng.integers(len(page.names)))][1]
        middle = (box[:2] + box[2:]) / 2 + rng.uniform(-50, 50, 2)
    to_crop = _any_map(middle, rng)
    strokes, words = (
        np.asarray(cv2.warpAffine(mask, to_crop, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA) / 255, np.float32)
        for mask in (page.strokes, page.words)
    )
    return _seen(strokes, words, rng), _cells(page, to_crop)


def _look(form: Form, rng: np.random.Generator) -> Look:
    look = Look.at_random(rng, rows=len(form.rows) + len(form.strips), grid="none")
    scale = float(rng.uniform(6, 10))
    above_mm = -rng.uniform(2, 7) if rng.random() < 0.25 else rng.uniform(1.5, 0.4 * look.pitch_mm)
    return replace(
        look,
        x_px_per_mm=scale,
        y_px_per_mm=scale,
        pen_px=max(1, round(scale * float(np.exp(rng.uniform(*np.log((0.12, 0.6))))))),
        name_mm=float(np.exp(rng.uniform(*np.log((1.7, 5.0))))),
        name_above_mm=float(above_mm),
        frame=bool(rng.random() < 0.1),
        separators=str(rng.choice(["line", "tick", "tick", "none"])),
    )


def middles(cells: NDArray[np.integer]) -> list[tuple[int, float, float]]:
    """Kind, row and column of each name whose middle is judged in a crop, by its cells."""
    found = []
    for kind in np.unique(cells[(cells > 0) & (cells != IGNORED)]):
        numbers, count = label(cells == kind)
        for row, column in center_of_mass(numbers > 0, numbers, range(1, count + 1)):
            found.append((int(kind), float(row), float(column)))
    return found


# --- words ---------------------------------------------------------------------------------


def _as_printed(name: str, rng: np.random.Generator) -> str:
    """A lead's name as some countries and devices print it; all mean the same lead."""
    other = rng.random()
    if name.startswith("V"):
        name = f"C{name[1:]}" if other < 0.12 else f"v{name[1:]}" if other < 0.18 else name
    elif name in {"I", "II", "III"}:
        name = (
            f"D{len(name)}"
            if other < 0.05
            else f"D{name}"
            if other < 0.08
            else f"L{len(name)}"
            if other < 0.1
            else name
        )
    else:
        name = (
            name.replace("aV", "AV") if other < 0.12 else name.replace("aV", "av") if other < 0.15 else name
        )
    return name + str(rng.choice([".", ":"])) if rng.random() < 0.04 else name


def _write_name(
    canvas: Mask,
    name: str,
    where_px: NDArray[np.float64],
    height_px: float,
    font: str,
    rng: np.random.Generator,
) -> NDArray[np.float64] | None:
    """Write it in any face, its lower left corner at a place; its box, None where all of it lies outside."""
    printed = _as_printed(name, rng)
    small = np.zeros((int(1.6 * height_px + 8), int(1.4 * height_px * len(printed) + 12)), np.uint8)
    at = np.array([4.0, len(small) - int(0.3 * height_px) - 3])
    if font == "strokes" and printed == name and rng.random() < 0.5:
        ink.write(small, printed, at, height_px, "strokes", smooth=True)
    elif rng.random() < 0.35:
        ink.write(small, printed, at, height_px, str(rng.choice(ink.FONTS[1:])), smooth=True)
    else:
        ink.write_in(small, printed, at, ink.any_face(max(6, round(height_px / 0.72)), rng))
    if rng.random() < 0.1:
        small = np.asarray(cv2.dilate(small, np.ones((2, 2), np.uint8)), np.uint8)
    y, x = np.nonzero(small > 60)
    left, top = np.round(where_px - at).astype(int)
    low = np.maximum((left, top), 0)
    high = np.minimum((left + small.shape[1], top + small.shape[0]), canvas.shape[::-1])
    if not len(x) or (low >= high).any():
        return None
    part = canvas[low[1] : high[1], low[0] : high[0]]
    np.maximum(part, small[low[1] - top : high[1] - top, low[0] - left : high[0] - left], out=part)
    return np.array([x.min() + left, y.min() + top, x.max() + left, y.max() + top], np.float64)


def _write_word(
    canvas: Mask, scale: float, names: list[NDArray[np.float64]], rng: np.random.Generator
) -> None:
    """A word that is no name, where it does not stand beside one."""
    letters = list("abcdefghijklmnopqrstuwxyzABCDEFGHKMNOPQRSTUVWXYZ0123456789/-. ")
    word = str(
        rng.choice(
            [
                said(rng),
                str(rng.integers(0, 10 ** int(rng.integers(1, 7)))),
                "".join(rng.choice(letters, int(rng.integers(1, 7)))),
                str(rng.choice(_LIKE_NAMES)),
            ]
        )
    )
    if not word.strip() or lead_named(word) is not None or lead_named(f"a{word.strip()}") is not None:
        return
    face = ink.any_face(max(6, round(scale * float(np.exp(rng.uniform(*np.log(_WORD_MM)))) / 0.72)), rng)
    where = rng.uniform((0, 0), canvas.shape[::-1])
    box = np.array(face.getbbox(word, anchor="ls")) + np.tile(where, 2)
    if not any(_touch(name, box, 1.5 * scale) for name in names):
        ink.write_in(canvas, word, where, face)


def _touch(one: NDArray[np.float64], other: NDArray[np.float64], beside_px: float) -> bool:
    """Whether boxes overlap, or lie nearer to each other."""
    apart = np.maximum(one[:2], other[:2]) - np.minimum(one[2:], other[2:])
    return bool((apart < (0.5 * beside_px, 0.3 * beside_px)).all())


# --- crops ---------------------------------------------------------------------------------


def _any_map(middle: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    scale, apart = np.exp(rng.normal(0, 0.12)) / _LARGER, np.exp(rng.normal(0, 0.05))
    angle = np.radians(rng.normal(0, 1.5))
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forth = turned @ np.array([[scale * apart, scale * rng.normal(0, 0.06)], [0, scale / apart]])
    return np.column_stack([forth, SIDE_PX / 2 - forth @ middle])


def _cells(page: NamedPage, to_crop: NDArray[np.float64]) -> Mask:
    """Kinds of a crop's cells: a name's in its middle, IGNORED around it."""
    count = SIDE_PX // CELL_PX
    y, x = np.mgrid[:count, :count] * CELL_PX + CELL_PX / 2 - 0.5
    cells, ignored = np.zeros((count, count), np.uint8), np.zeros((count, count), np.bool_)
    for kind, box in page.names:
        middle = to_crop[:, :2] @ (box[:2] + box[2:]) / 2 + to_crop[:, 2]
        half = np.abs(to_crop[:, :2] @ (box[2:] - box[:2])) / 2
        off_x, off_y = np.abs(x - middle[0]), np.abs(y - middle[1])
        ignored |= (off_x <= max(6, half[0] + 2)) & (off_y <= max(6, half[1]))
        if ((middle - half > -2) & (middle + half < SIDE_PX + 2)).all():
            core = (off_x <= _MIDDLE_PX) & (off_y <= _MIDDLE_PX)
            cells[core] = kind
            ignored &= ~core
    return np.where(ignored, IGNORED, cells).astype(np.uint8)


def _seen(strokes: NDArray[np.float32], words: NDArray[np.float32], rng: np.random.Generator) -> Mask:
    """Ink as it is found on a page: blurred, faint, with gaps, a grid's leftovers, specks."""
    both = np.maximum(strokes, words * (rng.uniform(0.5, 1) if rng.random() < 0.25 else 1))
    size = both.shape
    if rng.random() < 0.5:
        both = cv2.GaussianBlur(both, (0, 0), float(rng.uniform(0.3, 1.1)))
    both = np.clip(both * np.exp(rng.uniform(-0.2, 0.9)), 0, 1)
    if rng.random() < 0.4:
        cells = int(rng.integers(16, 64))
        clouds = cv2.resize(
            rng.random((cells, cells), np.float32), size[::-1], interpolation=cv2.INTER_LINEAR
        )
        both = both * np.clip((clouds - rng.uniform(0, 0.4)) * 6, 0, 1)
    if rng.random() < 0.25:
        step, lines = int(rng.choice([4, 20])), np.zeros(size, np.float32)
        lines[int(rng.integers(step)) :: step] = lines[:, int(rng.integers(step)) :: step] = 1
        both = np.maximum(both, lines * rng.uniform(0.05, 0.5) * (rng.random(size) < rng.uniform(0.2, 1)))
    if rng.random() < 0.2:
        both = (both > rng.uniform(0.3, 0.6)).astype(np.float32)
    if rng.random() < 0.3:
        both = np.clip(both + rng.normal(0, rng.uniform(0, 0.12), size), 0, 1)
    if rng.random() < 0.15:
        both = np.where(rng.random(size) < 0.004, 1.0, both)
    return np.asarray(both * 255, np.uint8)
