"""Crops of upright pages with what ink each pixel has, to train a network on: drawn pages of any form and look.

A page is drawn once, its ink by kind; some pieces of it are then printed, photographed and brought to
`leadwise.pages.ink.PX_PER_MM`, each in a look of its own, and crops are cut from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.drawing import ink_looks
from leadwise.drawing.drawn import Look, draw_kinds, with_any_strips
from leadwise.drawing.drawn_ink import any_face, grid_lines, line, write_in
from leadwise.pages.forms import Form
from leadwise.pages.ink import PX_PER_MM, beside_paper
from leadwise.pages.ink_maps import KINDS

Mask = NDArray[np.uint8]

PIECE_PX = 480
"""Side of a piece of a page that has one look; the paper's brightness is seen in it as on a page."""

LEVELS = 200
"""So many levels of a crop's pixel are the paper's brightness; 255 is brighter than paper by a quarter."""

_FLAT_SHARE = 0.4  # of pieces are scans and screenshots, the others photographs
_PEN_MM = (0.1, 0.6)
_BLACK = 0.2  # of pieces have a black grid besides those to which it falls by chance: the hardest
_FRAMED = 0.08  # a level trace and a frame are hard to tell apart in a crop, and traces matter more
_ON_A_LINE = 0.5  # of pieces have a baseline on a line of the grid


@dataclass(frozen=True)
class Crop:
    """A square of an upright page and its truth.

    `beside` uint8 ``(3, side, side)``: channels over the paper's, LEVELS is paper. `kinds` uint8 ``(6, side, side)``:
    how much of each pixel is covered, in the order of KINDS, 0 to 255; of the grid where that is known. `picture` is
    BGR as it was seen, of a `grid` of this colour.
    """

    beside: Mask = field(repr=False)
    kinds: Mask = field(repr=False)
    picture: Mask = field(repr=False)
    grid: str = "none"
    photo: bool = False
    one_bit: bool = False
    grid_known: bool = True


def crops(
    signals_mv: NDArray[np.floating],
    rate_hz: float,
    form: Form,
    rng: np.random.Generator,
    *,
    pieces: int = 4,
    each: int = 4,
    side_px: int = 192,
    grid: str | None = None,
    photo: bool | None = None,
) -> Iterator[Crop]:
    """`each` crops from so many pieces of a page that is drawn at random with twelve leads ``(12, samples)``, mV.

    `grid` is one of `ink_looks.GRID_COLOURS` and `photo` says how pieces are seen, where these are not left to
    chance. Raises `ValueError` as `leadwise.drawing.drawn.draw` does.
    """
    form = with_any_strips(form, rng)
    look = _look(form, rng)
    page = draw_kinds(signals_mv, rate_hz, form, look)
    for number, word in enumerate(_words(rng)):
        _write(page["text"], word, look.y_px_per_mm, rng, by_hand=number > 5)
    for _ in range(pieces):
        any_colour = "black" if rng.random() < _BLACK else str(rng.choice(list(ink_looks.GRID_COLOURS)))
        colour = grid or any_colour
        as_photo = bool(rng.random() > _FLAT_SHARE) if photo is None else photo
        picture, kinds, one_bit = _piece(page, look, colour, as_photo, rng)
        beside = np.clip(beside_paper(picture) * LEVELS, 0, 255).astype(np.uint8)
        places = rng.integers(0, PIECE_PX - side_px + 1, (each, 2))
        near = (PIECE_PX - side_px) // 2  # half of all have what the piece was chosen for
        places[::2] = np.clip(places[::2], near - side_px // 3, near + side_px // 3)
        for top, left in places:
            box = (slice(top, top + side_px), slice(left, left + side_px))
            covered = np.stack([kinds[kind][box] for kind in KINDS])
            yield Crop(beside[:, *box], covered, picture[box], colour, as_photo, one_bit)


def _look(form: Form, rng: np.random.Generator) -> Look:
    """A look of more pens, bars and places of names than `Look.at_random` has, at 4 to 12 px a mm."""
    look = Look.at_random(rng, rows=len(form.rows) + len(form.strips), grid="none")
    scale = look.y_px_per_mm
    pen_px = max(1, round(scale * float(np.exp(rng.uniform(*np.log(_PEN_MM))))))
    below = rng.random() < 0.3
    return replace(
        look,
        pen_px=pen_px,
        frame=bool(rng.random() < _FRAMED),
        smooth=bool(rng.random() < 0.85),
        separator_px=max(1, round(scale * float(rng.uniform(0.2, 0.9)))) if rng.random() < 0.5 else 0,
        separators=str(rng.choice(["line", "tick", "tick", "none"])),
        pulse_mm=float(rng.choice([5.0, 5.0, rng.uniform(2, 6)])),
        name_above_mm=float(-rng.uniform(2, 7)) if below else look.name_above_mm,
    )


def _piece(
    page: dict[str, Mask], look: Look, grid: str, photo: bool, rng: np.random.Generator
) -> tuple[Mask, dict[str, Mask], bool]:
    """A piece of the page as it is seen, BGR ``(PIECE_PX, PIECE_PX, 3)``, what covers it, and whether it is 1-bit."""
    scale = np.array([look.x_px_per_mm, look.y_px_per_mm]) / PX_PER_MM
    reach = np.ceil(PIECE_PX * scale * 0.5 * 1.08 + 4).astype(int)
    kinds = _cut(page, _middle(page, rng), reach)
    fine, coarse = _any_grid(kinds["trace"], scale * PX_PER_MM, look, rng)
    kinds |= {"fine": fine, "coarse": coarse} if grid != "none" else {}
    one_bit = rng.random() < (0.3 if grid in {"black", "grey", "none"} else 0.05)
    seen = ink_looks.printed(kinds, grid, rng)
    if one_bit:
        seen = ink_looks.one_bit(seen, rng)
    if photo and rng.random() < 0.12:
        seen = ink_looks.table(seen, kinds, rng)
    px = float(scale.mean())
    picture = (ink_looks.photographed if photo else ink_looks.scanned)(seen, px, rng)
    return (*_upright(picture, kinds, scale, rng), bool(one_bit))


def _middle(page: dict[str, Mask], rng: np.random.Generator) -> NDArray[np.int64]:
    """Where a piece lies, x and y: on a trace mostly, on any ink, or anywhere."""
    kind = rng.choice(["trace", "text", "pulse", "separator", ""], p=(0.35, 0.2, 0.2, 0.15, 0.1))
    height, width = page["trace"].shape
    if kind:
        row = int(rng.integers(height))
        rows = np.roll(np.arange(0, height, 2), -row // 2)
        for y in rows[:: max(1, len(rows) // 200)]:
            columns = np.flatnonzero(page[str(kind)][y])
            if len(columns):
                return np.array([rng.choice(columns), y])
    return rng.integers((0, 0), (width, height))


def _cut(page: dict[str, Mask], middle: NDArray[np.int64], reach: NDArray[np.int64]) -> dict[str, Mask]:
    """The masks around a point; paper goes on where the page ends."""
    low, high = middle - reach, middle + reach
    height, width = page["trace"].shape
    x, y = (slice(max(0, a), min(size, b)) for a, b, size in zip(low, high, (width, height), strict=True))
    before, after = np.maximum(-low, 0), np.maximum(high - (width, height), 0)
    border = (int(before[1]), int(after[1]), int(before[0]), int(after[0]))
    return {
        kind: np.asarray(cv2.copyMakeBorder(mask[y, x], *border, cv2.BORDER_CONSTANT, value=0), np.uint8)
        for kind, mask in page.items()
    }


def _any_grid(
    trace: Mask, px_per_mm: NDArray[np.float64], look: Look, rng: np.random.Generator
) -> tuple[Mask, Mask]:
    """Lines of any width and phase, on all of a piece or on a part; some grids have no 1 mm lines.

    Often a baseline lies on a line, as many devices print it: what is hardest to tell apart.
    """
    size = trace.shape
    down, right = (int(rng.integers(0, round(5 * scale))) for scale in px_per_mm[::-1])
    if rng.random() < _ON_A_LINE:
        baseline = int((trace > 127).sum(axis=1).argmax())
        step_px = float(px_per_mm[1]) * float(rng.choice([1, 5, 5]))
        down = round(-baseline % step_px + rng.uniform(-0.1, 0.1) * float(px_per_mm[1]))
        down = max(0, down)
    wide = (float(rng.uniform(0.08, 0.25)), float(rng.uniform(0.1, 0.4)))
    fine, coarse = (
        lines[down:, right:].copy()
        for lines in grid_lines(
            (size[0] + down, size[1] + right), px_per_mm, dots=look.dots, smooth=look.smooth, wide_mm=wide
        )
    )
    if rng.random() < 0.12:
        fine[:] = 0
    if rng.random() < 0.15:  # the grid's own edge
        row, column = (int(rng.integers(0, part)) for part in size[:2])
        side = rng.integers(3)
        for lines in (fine, coarse):
            lines[: row if side == 0 else 0] = 0
            lines[:, : column if side == 1 else 0] = 0
    return fine, coarse


def _upright(
    picture: Mask, kinds: dict[str, Mask], scale: NDArray[np.float64], rng: np.random.Generator
) -> tuple[Mask, dict[str, Mask]]:
    """Brought to PX_PER_MM, as nearly as a page's place is known: a little turned, bent, and off in scale."""
    shrink = 1.0
    if scale.max() > 1.25:  # as `leadwise.pages.ink.upright` does
        shrink = float(1 / scale.max())
        picture = np.asarray(cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))
    angle = np.radians(rng.normal(0, 0.5))
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forth = turned * (scale * (1 + rng.normal(0, 0.012, 2)))
    side = np.arange(PIECE_PX, dtype=np.float32) - PIECE_PX / 2 + 0.5
    x, y = np.meshgrid(side, side)
    bent_px = rng.uniform(0, 2)
    bend = [
        cv2.resize(coarse.astype(np.float32), (PIECE_PX, PIECE_PX), interpolation=cv2.INTER_CUBIC)
        for coarse in rng.normal(0, bent_px, (2, 5, 5))
    ]
    x, y = x + bend[0], y + bend[1]
    height, width = kinds["trace"].shape
    at_x = (forth[0, 0] * x + forth[0, 1] * y + width / 2).astype(np.float32)
    at_y = (forth[1, 0] * x + forth[1, 1] * y + height / 2).astype(np.float32)
    border = cv2.BORDER_REFLECT
    seen = cv2.remap(
        picture, (at_x * shrink - 0.5), (at_y * shrink - 0.5), cv2.INTER_CUBIC, borderMode=border
    )
    masks = {}
    for kind, mask in kinds.items():
        if not mask.any():
            masks[kind] = np.zeros((PIECE_PX, PIECE_PX), np.uint8)
            continue
        small = mask if shrink == 1 else cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
        masks[kind] = np.asarray(
            cv2.remap(small, at_x * shrink - 0.5, at_y * shrink - 0.5, cv2.INTER_LINEAR, borderMode=border),
            np.uint8,
        )
    return np.asarray(seen, np.uint8), masks


# --- words -------------------------------------------------------------------------------------------------

_SAID = (
    "Sinus rhythm", "Normal ECG", "Abnormal ECG", "Atrial fibrillation", "25mm/s", "10mm/mV", "50 Hz", "0.15-100 Hz",
    "PR interval", "QRS duration", "QT/QTc", "P-R-T axes", "Vent. rate", "Unconfirmed", "Name:", "ID:", "Age:",
    "Sex:", "Male", "Female", "Date:", "Height:", "Weight:", "Dr.", "Hospital", "Cardiology", "Left axis deviation",
    "ms", "Nonspecific ST abnormality", "bpm", "mV", "kg", "Page 1 of 1", "Lead Off", "HR", "LP40", "AC", "SN", "V1",
    "aVL",
)  # fmt: skip


def said(rng: np.random.Generator) -> str:
    """A word of devices."""
    return str(rng.choice(_SAID))


def _words(rng: np.random.Generator) -> list[str]:
    """What else stands on a page: words of devices, numbers, dates."""
    words = []
    for _ in range(int(rng.integers(6, 25))):
        number = str(rng.integers(0, 10 ** int(rng.integers(1, 8))))
        date = f"{rng.integers(1, 29):02}.{rng.integers(1, 13):02}.{rng.integers(1980, 2026)}"
        clock = f"{rng.integers(24):02}:{rng.integers(60):02}:{rng.integers(60):02}"
        word = said(rng)
        words.append(str(rng.choice([word, word, f"{word} {number}", number, date, f"{date} {clock}"])))
    return words


def _write(canvas: Mask, text: str, px_per_mm: float, rng: np.random.Generator, *, by_hand: bool) -> None:
    """Write anywhere, across traces too; some of it by hand, a scribble, or a square code."""
    height, width = canvas.shape
    x, y = int(rng.integers(0, max(1, width - 60))), int(rng.integers(10, height))
    what = rng.random()
    if by_hand and what < 0.08:
        steps = rng.normal(0, 1, (int(rng.integers(8, 40)), 2)) * (1.0, 1.6) + (0.5, 0)
        way = np.asarray(
            cv2.resize(np.cumsum(steps, axis=0), (2, 12 * len(steps)), interpolation=cv2.INTER_CUBIC),
            np.float64,
        )
        pen_px = max(1, round(px_per_mm * float(rng.uniform(0.25, 0.7))))
        line(canvas, way * px_per_mm * rng.uniform(0.5, 2.0) + (x, y), pen_px, True)
    elif by_hand and what < 0.12:
        cells = (rng.random((21, 21)) < 0.5).astype(np.uint8) * 255
        side = round(px_per_mm * float(rng.uniform(8, 20)))
        part = canvas[y : y + side, x : x + side]
        code = cv2.resize(cells, (side, side), interpolation=cv2.INTER_NEAREST)
        part[:] = np.maximum(part, code[: part.shape[0], : part.shape[1]])
    else:
        size = max(7, round(px_per_mm * float(rng.uniform(1.8, 5.5))))
        write_in(canvas, text, (x, y), any_face(size, rng))
