"""The one known printout, as it looks before a trace is drawn on it, and the places of its parts.

A page of this device has a pink frame; in it three rows of four leads, 2.5 s each, a rhythm strip of 10 s, a
calibration pulse at the left of each row and black separators between the columns. All places are in pixels
of the template, that is of a page of 2213 x 1572 px as published in the Mendeley set.

The two pictures in ``leadwise/resources`` were found and not drawn: what is black on more than 80 % of pages
is the template's ink, and a page's bright side (80th percentile) is its paper. `find_template` is how.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import ConfigDict, PositiveFloat

from leadwise.files import RESOURCES

if TYPE_CHECKING:
    from leadwise.pages.read import Page

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Template:
    """The places of one printout, px on a page of `page_px`, and which lead stands where.

    `rows` are the leads of each row from the left, `column_s` the seconds of a column; the rhythm strip is one row
    more, below them, as long as all columns. `baselines_y` are at 0 mV, the strip's last. `frame` is left, top, right
    and bottom of its outer edges; `ink_rows` reach from below the header to above the footer. `pulse` is left, top,
    width and height of the first row's calibration pulse, lines included. `labels_x` are left and right of the names
    of each column, `labels_y` the top of those of each row, `label_px` their height. `fixed_text` are boxes (left,
    top, right, bottom) whose text is the same on every page.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    rows: tuple[tuple[str, ...], ...]
    column_s: PositiveFloat
    page_px: tuple[int, int]
    px_per_s: PositiveFloat
    px_per_mv: PositiveFloat
    frame: tuple[float, float, float, float]
    separators_x: tuple[float, ...]
    separator_rows: tuple[int, int]
    baselines_y: tuple[float, ...]
    first_x: float
    ink_rows: tuple[int, int]
    pulse: Box
    labels_x: tuple[tuple[int, int], ...]
    labels_y: tuple[int, ...]
    label_px: int
    fixed_text: tuple[Box, ...]
    ink_png: str
    paper_png: str

    @property
    def ink(self) -> NDArray[np.bool_]:
        """What is printed in black on every page, ``(height, width)``; the strip's label is that of lead II."""
        return _ink(self.ink_png)

    @property
    def paper(self) -> Page:
        """Grid and frame alone, BGR uint8 ``(height, width, 3)``."""
        return _paper(self.paper_png)

    def label_box(self, row: int, column: int) -> tuple[slice, slice]:
        """Rows and columns in which a lead's name stands; the strip is the last row, which has column 0 alone."""
        left, right = self.labels_x[column]
        return slice(self.labels_y[row], self.labels_y[row] + self.label_px), slice(left, right)


@functools.cache
def _ink(name: str) -> NDArray[np.bool_]:
    import cv2

    return np.asarray(cv2.imread(str(RESOURCES / name), cv2.IMREAD_GRAYSCALE)) > 0


@functools.cache
def _paper(name: str) -> Page:
    import cv2

    return np.asarray(cv2.imread(str(RESOURCES / name), cv2.IMREAD_COLOR), np.uint8)


PAGE_PX = (2213, 1572)
"""Width and height of the template."""

PIXELS_PER_S = 196.6  # separators stand 491.5 px = 2.5 s apart; the grid is drawn 1 % wider than the trace
PIXELS_PER_MV = 78.6  # calibration pulses are 78.5 to 79 px high
FRAME = (68.0, 283.5, 2175.5, 1517.0)  # left, top, right, bottom: outer edges, median over the 491 pages
SEPARATORS_X = (644.0, 1136.0, 1627.5)
SEPARATOR_ROWS = (420, 1110)
BASELINES_Y = (464.0, 763.0, 1066.0, 1366.0)  # three rows of leads, then the strip; 0 mV
FIRST_X = 152.5  # where the traces begin; the second column begins at its separator

ON_PAGE = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
"""Where each lead stands: rows and columns of the page."""

LEAD_S = 2.5
STRIP_S = 10.0

PULSES_XY = (95, 383, 37, 82)  # left, top, width, height of the first row's pulse, line widths included
_LABELS_X = ((152, 185), (646, 700), (1138, 1180), (1630, 1668))
_LABELS_Y = (436, 737, 1039, 1339)
_LABEL_PX = 21  # height
_FIXED_TEXT = ((0, 0, 2213, 66), (0, 66, 122, 106), (0, 106, 2213, 283), (0, 1517, 545, 1572))

_INK, _PAPER = "template_ink.png", "template_paper.png"
_INK_SHARE, _PAPER_PERCENTILE, _COLOURS = 0.8, 80, 12


def ink() -> NDArray[np.bool_]:
    """What is printed in black on every page, ``(1572, 2213)``; the strip's label is that of lead II."""
    return _ink(_INK)


def paper() -> Page:
    """Grid and frame alone, BGR uint8 ``(1572, 2213, 3)``."""
    return _paper(_PAPER)


def label_box(row: int, column: int) -> tuple[slice, slice]:
    """Rows and columns in which a lead's name stands; row 3 is the rhythm strip, which has column 0 alone."""
    left, right = _LABELS_X[column]
    return slice(_LABELS_Y[row], _LABELS_Y[row] + _LABEL_PX), slice(left, right)


def find_template(pages: Iterable[Page]) -> tuple[NDArray[np.bool_], Page]:
    """Ink and paper that `pages` (one file variant of this template, untouched) have in common.

    At most 100 pages whose grid is dotted as the first one's are used. The paper is reduced to a dozen
    colours, so that it compresses.
    """
    stack = _pages_of_one_grid(pages)
    common = (stack.max(axis=3) < 60).mean(axis=0) > _INK_SHARE
    fixed = np.zeros_like(common)
    for left, top, right, bottom in _FIXED_TEXT:
        fixed[top:bottom, left:right] = True
    left, top, width, height = PULSES_XY
    for baseline in BASELINES_Y:
        y = top + round(baseline - BASELINES_Y[0])
        fixed[y - 3 : y + height + 3, left : left + width] = True
    for row in range(4):
        for column in range(4 if row < 3 else 1):
            fixed[label_box(row, column)] = True
    for x in SEPARATORS_X:
        fixed[slice(*SEPARATOR_ROWS), round(x - 2) : round(x + 3)] = True
    ink_ = common & fixed
    bright = np.percentile(stack, _PAPER_PERCENTILE, axis=0, overwrite_input=True).astype(np.uint8)
    bright[ink_] = 255
    inside = np.zeros_like(common)
    inside[round(FRAME[1]) - 3 : round(FRAME[3]) + 3, round(FRAME[0]) - 3 : round(FRAME[2]) + 3] = True
    bright[~inside] = 255
    return ink_, _in_few_colours(bright)


def write_template(pages: Iterable[Page], folder: Path) -> None:
    """Write what `find_template` finds as two PNG files."""
    common, bright = find_template(pages)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(common).save(folder / _INK, optimize=True)
    colours, index = np.unique(bright.reshape(-1, 3), axis=0, return_inverse=True)
    picture = Image.fromarray(index.reshape(bright.shape[:2]).astype(np.uint8), "P")
    picture.putpalette(colours[:, ::-1].ravel().tolist())
    picture.save(folder / _PAPER, optimize=True)


def _pages_of_one_grid(pages: Iterable[Page]) -> NDArray[np.uint8]:
    first, alike = None, []
    for page in pages:
        between_rows = 255.0 - page[1130:1230, 200:2100].max(axis=2)
        first = between_rows if first is None else first
        if np.corrcoef(first.ravel(), between_rows.ravel())[0, 1] > 0.9:
            alike.append(page)
        if len(alike) == 100:
            break
    return np.stack(alike)


def _in_few_colours(picture: Page) -> Page:
    import cv2
    from sklearn.metrics import pairwise_distances_argmin

    pixels = picture.reshape(-1, 3).astype(np.float32)
    rng = np.random.default_rng(0)
    dark = pixels[pixels.max(axis=1) < 160]  # the grid's dots: few, and all that matters
    some = np.concatenate([rng.choice(part, 50_000) for part in (pixels, dark)])
    cv2.setRNGSeed(0)
    _, _, centres = cv2.kmeans(some, _COLOURS, np.empty(0), (3, 30, 0.5), 2, cv2.KMEANS_PP_CENTERS)
    colours = np.concatenate([np.round(centres), [[255.0] * 3]]).astype(np.float32)
    nearest = pairwise_distances_argmin(pixels, colours)
    return np.asarray(colours[nearest].reshape(picture.shape).astype(np.uint8))
