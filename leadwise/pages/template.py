"""A printout that is known to the pixel: how it looks before a trace is drawn on it, and the places of its parts.

The one in ``forms.yaml`` is a page of the Mendeley set as it was published. It has a pink frame; in it three rows of
four leads, a rhythm strip, a calibration pulse at the left of each row and black separators between the columns.

Its two pictures in ``leadwise/resources`` were found and not drawn: what is black on more than 80 % of pages
is the template's ink, and a page's bright side (80th percentile) is its paper. `find_template` is how.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
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

    @property
    def column_px(self) -> float:
        """Width of a column of leads."""
        return self.column_s * self.px_per_s

    @property
    def ink_box(self) -> Box:
        """Left, top, right and bottom of what holds all traces, and neither pulses nor header nor footer."""
        left, (top, bottom) = int(self.first_x), self.ink_rows
        return left, top, left + round(len(self.rows[0]) * self.column_px), bottom

    @property
    def columns_x(self) -> tuple[int, ...]:
        """First pixel of each column of leads, from the left of `ink_box`."""
        return tuple(round(column * self.column_px) for column in range(len(self.rows[0])))

    @property
    def spacing_px(self) -> float:
        """From one separator to the next."""
        return (self.separators_x[-1] - self.separators_x[0]) / (len(self.separators_x) - 1)

    def place(self, lead: str) -> tuple[int, int]:
        """Row and column in which a lead stands, from 0."""
        return next((number, row.index(lead)) for number, row in enumerate(self.rows) if lead in row)

    def named(self) -> Iterator[tuple[int, int]]:
        """Row and column of each place that has a lead's name; the strip is the last row."""
        yield from itertools.product(range(len(self.rows)), range(len(self.rows[0])))
        yield len(self.rows), 0

    def pulse_boxes(self) -> Iterator[Box]:
        """Left, top, width and height of the calibration pulse of each row, the strip's last."""
        left, top, width, height = self.pulse
        for baseline in self.baselines_y:
            yield left, top + round(baseline - self.baselines_y[0]), width, height

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
