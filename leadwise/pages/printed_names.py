"""Names of leads that are printed on a page, read by a small network, and which of a form's leads they speak for.

A general reader of text takes I, II and III for strokes and misses most names on real printouts. This one knows
twelve names (and -aVR, as the order of Cabrera prints it), and looks for them anywhere in a page's ink, whether they
touch a trace or not. It is shipped as ``names.onnx``; ``NAMES_CARD.md`` tells how it was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise import onnx
from leadwise.names import LEADS
from leadwise.pages.forms import Form, lead_of
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.rows import Rows, pitch_px
from leadwise.runs import runs_of

if TYPE_CHECKING:
    from leadwise.pages.columns import Columns

KINDS = ("", *LEADS, "-aVR")
"""What may have its middle at a place: no name, or one of these."""

NAMES_PX_PER_MM = 4.0
"""At which ink is looked at."""

CELL_PX = 4
"""A square millimetre, of which one answer is given."""

_SHIPPED = "names.onnx"
_SURE = 0.5
_APART_CELLS = 3  # names do not stand nearer to each other
_BEFORE_MM = 14.0  # a name may stand before the first column: beside its pulse
_BEGINS_MM, _ENDS_MM = 9.0, 2.0  # a column begins so far before, or after, the middle of a name in it
# with an R wave right beside it II was III, by 0.66; where a name is less sure, the lead that is repeated tells
_STRIP_BEGINS_MM, _STRIP_SURE = 25.0, 0.8
_EARLY = 0.12  # of a column, by which a name's middle may stand before it
_OFFSETS = np.arange(
    -0.62, 0.63, 0.04
)  # of the distance of rows: how far names may stand below their baselines
_NEAR = 0.14  # of that distance: names of one page stand alike
_HALF_MM = 2.5  # of the tallest names' height, and of the width of two letters of them


@dataclass(frozen=True)
class PrintedName:
    """A lead's name as it is printed, where its middle is, in pixels of the upright page, and how sure that is."""

    name: str
    x_px: float
    y_px: float
    sure: float

    @property
    def lead(self) -> str:
        """The lead that is called so."""
        return lead_of(self.name)[0]


def printed_names(ink: NDArray[np.uint8], session: Any = None) -> list[PrintedName]:
    """Names on an upright page's ink, uint8 at `leadwise.pages.ink.PX_PER_MM`, 255 where black: traces and letters.

    `session` is another network's than the shipped one. Raises `WeightsError` where that is missing.
    """
    share = NAMES_PX_PER_MM / PX_PER_MM
    small = cv2.resize(ink, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    sides = [-side % CELL_PX for side in small.shape]
    small = np.pad(small, ((0, sides[0]), (0, sides[1])))
    (said,) = (session or onnx.session_of_shipped(_SHIPPED)).run(
        None, {"ink": small[None, None].astype(np.float32) / np.float32(255)}
    )
    return names_at(said[0])


def names_at(shares: NDArray[np.float32]) -> list[PrintedName]:
    """Names by the shares of KINDS in each cell, ``(kinds, rows, columns)``: the surest of each neighbourhood."""
    named = 1 - shares[0]
    side = 2 * _APART_CELLS - 1
    peaks = (named >= cv2.dilate(named, np.ones((side, side), np.uint8))) & (named > _SURE)
    around = np.stack([cv2.blur(kind, (3, 3)) for kind in shares[1:]])
    found = []
    for row, column in np.argwhere(peaks):
        each = around[:, row, column]
        best = int(each.argmax())
        x, y = ((place + 0.5) * CELL_PX * PX_PER_MM / NAMES_PX_PER_MM - 0.5 for place in (column, row))
        found.append(
            PrintedName(
                KINDS[1 + best], float(x), float(y), float(each[best] / each.sum() * named[row, column])
            )
        )
    return found


NameInRow = tuple[PrintedName, int]
"""A name, and the number of the row beside which it stands, from the top."""


def in_rows(names: Sequence[PrintedName], baselines_px: NDArray[np.float64]) -> list[NameInRow]:
    """Names with their rows: those that stand as far above or below a baseline as most do.

    Where names stand midway between two rows, they belong to the lower one: most printers have them above a trace.
    """
    if not names or not len(baselines_px):
        return []
    pitch = pitch_px(baselines_px)
    below = (np.array([name.y_px for name in names])[:, None] - baselines_px) / pitch
    sure = np.array([name.sure for name in names])

    def are_at(offset: float) -> NDArray[np.bool_]:
        return np.asarray((np.abs(below - offset) < _NEAR).any(axis=1))

    offset = max(_OFFSETS, key=lambda offset: float(sure @ are_at(offset)) - 0.3 * abs(offset + 0.25))
    return [
        (name, int(np.abs(row - offset).argmin()))
        for name, row, there in zip(names, below, are_at(offset), strict=True)
        if there
    ]


def without_names(rows: Rows, names: Sequence[NameInRow]) -> Rows:
    """Rows whose names are marks where letters touch a trace: of the ink above and below each other, what is theirs.

    A trace is drawn once in each column of pixels. Where it alone crosses a name, it stays.
    """
    traces, marks = rows.traces.copy(), rows.marks.copy()
    half_row = round(pitch_px(rows.baselines_px) / 2)
    for name, row in names:
        tall, wide = (round(_HALF_MM * PX_PER_MM * letters) for letters in (1.0, len(name.name) / 2))
        top, bottom = max(0, round(name.y_px) - tall), round(name.y_px) + tall
        first = max(0, min(top, round(rows.baselines_px[row]) - half_row))
        last = max(bottom, round(rows.baselines_px[row]) + half_row)
        for x in range(max(0, round(name.x_px) - wide), min(traces.shape[1], round(name.x_px) + wide)):
            runs = first + runs_of(traces[first:last, x] > 127)
            are_letters = (runs[:, 0] >= top) & (runs[:, 1] <= bottom)
            if are_letters.all():
                continue
            for begin, end in runs[are_letters]:
                run = slice(max(0, begin - 1), end + 1)
                marks[run, x] = np.maximum(marks[run, x], traces[run, x])
                traces[run, x] = 0
    return Rows(traces, marks, rows.baselines_px)


def named_columns(names: Sequence[NameInRow], form: Form, width_px: int) -> NDArray[np.float64]:
    """How many names are printed as if a form's columns began at each column of pixels, ``(columns, width)``."""
    before, after = (round(far * PX_PER_MM) for far in (_BEGINS_MM, _ENDS_MM))
    found = np.zeros((form.columns, width_px))
    for name, row in names:
        for column in range(form.columns if row < len(form.rows) else 0):
            if lead_of(form.rows[row][column])[0] == name.lead:
                middle = round(name.x_px)
                found[column, max(0, middle - before) : max(0, middle + after)] += name.sure
    return found


def named_right(names: Sequence[NameInRow], form: Form, columns: Columns) -> float:
    """Of twelve leads, how many are called by their names where a form has them, less those that are not; -1 to 1."""
    told: dict[tuple[int, int], float] = {}
    for name, row in names:
        if row >= len(form.rows) or not _is_beside(name, columns):
            continue
        column = max(0, int(np.floor((name.x_px - columns.first_px) / columns.width_px + _EARLY)))
        place = (row, min(column, form.columns - 1))
        is_it = lead_of(form.rows[row][place[1]])[0] == name.lead
        # several may be found beside one lead, of which one is it
        told[place] = max(told.get(place, -1.0), name.sure if is_it else -name.sure)
    return sum(told.values()) / len(LEADS)


def strip_names(names: Sequence[NameInRow], form: Form, columns: Columns) -> dict[int, str]:
    """Names of strips, by their numbers from the top: the surest that is printed where one begins. No two are one."""
    found: dict[int, PrintedName] = {}
    for name, row in sorted(names, key=lambda each: each[0].sure):
        strip = row - len(form.rows)
        begins = columns.first_px + _STRIP_BEGINS_MM * PX_PER_MM
        if strip >= 0 and name.sure > _STRIP_SURE and _is_beside(name, columns) and name.x_px < begins:
            found[strip] = name
    called = [name.lead for name in found.values()]
    return {strip: name.lead for strip, name in found.items() if called.count(name.lead) == 1}


def _is_beside(name: PrintedName, columns: Columns) -> bool:
    """Whether it stands beside traces, or a little before them."""
    return columns.start(0) - _BEFORE_MM * PX_PER_MM < name.x_px < columns.start(columns.count)
