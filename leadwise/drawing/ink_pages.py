"""Crops of real pages of the known printout, whose ink its own reader tells, to train a network on.

What the reader follows is trace. Pulses, separators, the frame and names stand in known places, and all ink
outside the frame is text. The printed grid is 1 % wider than the trace and nobody's truth, so what is said of it is
not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.drawing import ink_looks
from leadwise.drawing.ink_crops import LEVELS, PIECE_PX, Crop
from leadwise.pages.forms import known_printout
from leadwise.pages.ink import PX_PER_MM, beside_paper
from leadwise.pages.ink_maps import KINDS
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import ink_of
from leadwise.pages.read import Page

Mask = NDArray[np.uint8]

_DARK = 0.6  # of the paper's brightness, in the brightest channel: the pink grid is lighter
_LINE_PX = 6  # from the middle of a separator or of the frame: no ink of it lies further off


def known_ink(page: Page) -> tuple[Page, dict[str, Mask]] | None:
    """A page of the known printout at `PX_PER_MM`, BGR, and its ink by kind, uint8 0 to 255, without the grid's.

    None where the page would have to be resampled: its ink is then not known to the pixel. Raises as
    `leadwise.pages.layout.find_layout` does.
    """
    layout, known = find_layout(page), known_printout()
    if not layout.is_whole_shift or abs(known.px_per_s / 25 - PX_PER_MM) > 0.01:
        return None
    moved = np.array([[1, 0, -layout.matrix[0, 2]], [0, 1, -layout.matrix[1, 2]]], np.float32)
    page = np.asarray(cv2.warpAffine(page, moved, known.page_px, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    left, top, right, bottom = known.ink_box
    kinds = {kind: np.zeros(page.shape[:2], np.uint8) for kind in KINDS}
    kinds["trace"][top:bottom, left:right] = ink_of(page, find_layout(page))
    dark = page.max(axis=2) < _DARK * layout.paper
    rest = dark & (cv2.dilate(kinds["trace"], np.ones((3, 3), np.uint8)) == 0)
    for x, y, width, height in known.pulse_boxes():
        _move(rest, kinds["pulse"], slice(y - 4, y + height + 4), slice(x - 4, x + width + 4))
    upper, lower = known.separator_rows
    for middle in known.separators_x:
        _move(rest, kinds["separator"], slice(upper - 4, lower + 4), _around(middle))
    edges = [round(edge) for edge in known.frame]
    for x in (edges[0], edges[2]):
        _move(rest, kinds["separator"], slice(edges[1] - _LINE_PX, edges[3] + _LINE_PX), _around(x))
    for y in (edges[1], edges[3]):
        _move(rest, kinds["separator"], _around(y), slice(edges[0] - _LINE_PX, edges[2] + _LINE_PX))
    for row, column in known.named():
        label = known.label_box(row, column)
        _move(rest, kinds["text"], *(slice(side.start - _LINE_PX, side.stop + _LINE_PX) for side in label))
    rest[edges[1] : edges[3], edges[0] : edges[2]] = False  # dots of the grid
    kinds["text"][rest] = 255
    return page, kinds


def page_crops(
    page: Page,
    kinds: dict[str, Mask],
    rng: np.random.Generator,
    *,
    pieces: int = 4,
    each: int = 4,
    side_px: int,
) -> Iterator[Crop]:
    """`each` crops of so many pieces of a page that `known_ink` gave, scanned or photographed once more."""
    height, width = page.shape[:2]
    for _ in range(pieces):
        top, left = int(rng.integers(0, height - PIECE_PX)), int(rng.integers(0, width - PIECE_PX))
        part = (slice(top, top + PIECE_PX), slice(left, left + PIECE_PX))
        photo = bool(rng.random() < 0.5)
        seen = (ink_looks.photographed if photo else ink_looks.scanned)(
            page[part].astype(np.float32), 1.0, rng
        )
        beside = np.clip(beside_paper(seen) * LEVELS, 0, 255).astype(np.uint8)
        covered = np.stack([kinds[kind][part] for kind in KINDS])
        for y, x in rng.integers(0, PIECE_PX - side_px + 1, (each, 2)):
            box = (slice(y, y + side_px), slice(x, x + side_px))
            yield Crop(beside[:, *box], covered[:, *box], seen[box], "real", photo, grid_known=False)


def _around(middle: float) -> slice:
    return slice(round(middle) - _LINE_PX, round(middle) + _LINE_PX + 1)


def _move(rest: NDArray[np.bool_], kind: Mask, rows: slice, columns: slice) -> None:
    """Ink in a box is of this kind and no text."""
    kind[rows, columns][rest[rows, columns]] = 255
    rest[rows, columns] = False
