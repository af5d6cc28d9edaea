"""What a page of a PDF draws: strokes and words, upright, in points; nothing is rendered."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import atan2, degrees, hypot

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from leadwise.errors import UnreadablePage
from leadwise.pages.lead_words import lead_named

POINTS_PER_MM = 72 / 25.4

MAX_OBJECTS, MAX_POINTS = 60_000, 300_000
"""Of a page. Twelve leads and a strip of 10 s at 1000 Hz have 130,000 points; reading this many takes a second."""

_MAX_DEPTH = 6
_GLYPH_POINTS = 6 * POINTS_PER_MM
"""No letter that names a lead is larger."""

_Points = NDArray[np.float64]
_Line = list[tuple[float, float]]
_Matrix = tuple[float, ...]
_Written = tuple[str, float, _Matrix]
"""A text, the size of its letters before it is placed, and its matrix."""

_SAME_LINE, _NEXT_LETTER = 0.1, 1.2
"""Of the size of letters: how far the next may stand from the line, and from the last, a space between them."""


@dataclass(frozen=True)
class Word:
    """A text, where its first letter stands (left end of its baseline), and the size of its letters."""

    text: str
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Drawing:
    """A page's strokes and words, in points from its upper left corner as it is read: x to the right, y down.

    `strokes` float64 ``(points, 2)`` each, curves by their ends. `turn_degrees` is how far the page must be turned
    clockwise, beyond what the file asks for, so that the names of its leads (or else all its words) stand upright.
    `shapes` says whether there are letter-sized shapes or pictures, of which names may be made that are no words.
    """

    strokes: list[_Points] = field(repr=False)
    words: list[Word] = field(repr=False)
    shapes: bool
    turn_degrees: int


def read_drawing(page: pypdfium2.PdfPage) -> Drawing:
    """Strokes and words of a page. Raises `UnreadablePage` beyond MAX_OBJECTS or MAX_POINTS."""
    lines: list[tuple[_Line, _Matrix]] = []
    words: list[_Written] = []
    shapes, points = False, 0
    text_page = page.get_textpage()
    try:
        for number, part in enumerate(page.get_objects(max_depth=_MAX_DEPTH, textpage=text_page)):
            if number >= MAX_OBJECTS:
                raise _too_much(f"{MAX_OBJECTS} parts")
            if part.type == pdfium.FPDF_PAGEOBJ_IMAGE:
                shapes = True
            elif part.type == pdfium.FPDF_PAGEOBJ_TEXT:
                if text := part.extract().strip():
                    words.append((text, _size(part), _matrix(part)))
            elif part.type == pdfium.FPDF_PAGEOBJ_PATH:
                points += pdfium.FPDFPath_CountSegments(part)
                if points > MAX_POINTS:
                    raise _too_much(f"{MAX_POINTS} points")
                if _is_stroked(part):
                    matrix = _matrix(part)
                    lines.extend((line, matrix) for line in _lines(part))
                else:
                    shapes = shapes or _is_small(part)
    finally:
        text_page.close()
    return _upright(page, lines, words, shapes)


def _too_much(what: str) -> UnreadablePage:
    return UnreadablePage(
        f"The page is drawn of more than {what}, so its traces are not looked for. Print or scan it as a picture."
    )


def _matrix(part: pypdfium2.PdfObject) -> _Matrix:
    """From a part's own coordinates to those of the page, through all that it is nested in."""
    matrix = part.get_matrix()
    while (part := part.container) is not None:
        matrix = matrix.multiply(part.get_matrix())
    return tuple(matrix.get())


def _size(text: pypdfium2.PdfObject) -> float:
    size = ctypes.c_float()
    pdfium.FPDFTextObj_GetFontSize(text, size)
    return size.value


def _is_stroked(path: pypdfium2.PdfObject) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    return bool(pdfium.FPDFPath_GetDrawMode(path, fill, stroke) and stroke.value)


def _is_small(path: pypdfium2.PdfObject) -> bool:
    left, bottom, right, top = path.get_bounds()
    return bool(max(right - left, top - bottom) < _GLYPH_POINTS)


def _lines(path: pypdfium2.PdfObject) -> Iterator[_Line]:
    """Each line of a path that is drawn without lifting the pen, in the path's own coordinates."""
    x, y = ctypes.c_float(), ctypes.c_float()
    segment_of, point_of, kind_of = (
        pdfium.FPDFPath_GetPathSegment, pdfium.FPDFPathSegment_GetPoint, pdfium.FPDFPathSegment_GetType,
    )  # fmt: skip
    line: _Line = []
    controls = 0
    raw = path.raw  # a third faster than handing over the object each time
    for number in range(pdfium.FPDFPath_CountSegments(raw)):
        segment = segment_of(raw, number)
        point_of(segment, x, y)
        kind = kind_of(segment)
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO:  # two points that pull at the curve, then its end
            controls = (controls + 1) % 3
            if controls:
                continue
        elif kind == pdfium.FPDF_SEGMENT_MOVETO:
            if len(line) > 1:
                yield line
            line = []
        line.append((x.value, y.value))
    if len(line) > 1:
        yield line


def _upright(
    page: pypdfium2.PdfPage,
    lines: Sequence[tuple[_Line, _Matrix]],
    words: Sequence[_Written],
    shapes: bool,
) -> Drawing:
    """Turn a page so that its names stand upright, whatever way it is turned and says that it should be."""
    named = [written for written in words if lead_named(written[0])]
    directions = Counter(round(degrees(atan2(b, a)) / 90) % 4 for _, _, (a, b, *_) in named or words)
    asked = page.get_rotation() // 90
    quarters = directions.most_common(1)[0][0] if directions else asked
    # a word written upwards, against the page's own axes, is turned clockwise by as much
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    turn = np.array([[cos, sin], [sin, -cos]], float)  # also turns y down
    left, bottom, right, top = page.get_cropbox()
    corner = (np.array([[left, bottom], [right, top]]) @ turn).min(axis=0)
    placed = []
    for text, size, (a, b, _, _, e, f) in words:
        at_x, at_y = (np.array([e, f]) @ turn - corner).tolist()
        placed.append(Word(text, at_x, at_y, size * hypot(a, b)))
    # all at once: a page may have ten thousands of short lines
    lengths = [len(line) for line, _ in lines]
    points = np.array([point for line, _ in lines for point in line]).reshape(-1, 2)
    a, b, c, d, e, f = np.repeat(np.reshape([matrix for _, matrix in lines], (-1, 6)), lengths, axis=0).T
    x, y = points.T
    on_page = np.column_stack([a * x + c * y + e, b * x + d * y + f]) @ turn - corner
    ends = np.cumsum(lengths)
    strokes = [on_page[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    return Drawing(strokes, _of_letters(placed), shapes, (quarters - asked) % 4 * 90)


def _of_letters(words: Sequence[Word]) -> list[Word]:
    """Words, those that a printer's driver wrote letter by letter put together."""
    whole: list[Word] = []
    last = Word("", 0, 0, 0)
    for word in words:
        follows = (
            0 < word.x - last.x < _NEXT_LETTER * last.size and abs(word.y - last.y) < _SAME_LINE * last.size
        )
        if whole and len(word.text) == len(last.text) == 1 and follows:
            whole[-1] = replace(whole[-1], text=whole[-1].text + word.text)
        else:
            whole.append(word)
        last = word
    return whole
