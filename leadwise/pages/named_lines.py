"""Which lead each trace of a drawn page is: columns, strips, and the words that name them. All in points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.lead_words import lead_named
from leadwise.pages.paths import POINTS_PER_MM, Word

BEFORE_TRACE = 15 * POINTS_PER_MM
"""A name may stand that far before its trace begins; traces that begin nearer to each other share a column."""

_FROM_ROWS = 40 * POINTS_PER_MM
_MOST_WAYS = 5000
"""A column of 6 traces and 12 names has 924 ways to name it."""

_STRIP = 1.5
"""Times as long as the usual trace of the page."""

_Points = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A trace, points ``(points, 2)`` from left to right; its column from 0; the lead that a word says it is."""

    points: _Points = field(repr=False)
    column: int
    is_strip: bool
    name: str | None = None

    @property
    def start(self) -> float:
        """Where it begins, x."""
        return float(self.points[0, 0])

    @property
    def width(self) -> float:
        """From its first to its last point."""
        return float(self.points[-1, 0] - self.points[0, 0])

    @property
    def level(self) -> float:
        """Its median height on the page, y."""
        return float(np.median(self.points[:, 1]))


def name_lines(traces: Sequence[_Points], words: Sequence[Word]) -> list[Line]:
    """Traces by column, in it from top to bottom, with their names.

    Strips, which are longer than most traces, belong to the first. Names stand over, under or
    beside their traces, but all of a column in the same way.
    """
    lines = _in_columns(traces)
    starts = [min(line.start for line in column if not line.is_strip) for column in lines]
    places = [(word.x, word.y, name) for word in words if (name := lead_named(word.text))]
    named: list[Line] = []
    for number, column in enumerate(lines):
        left = starts[number] - BEFORE_TRACE if number else -np.inf
        right = starts[number + 1] - BEFORE_TRACE if number + 1 < len(starts) else np.inf
        top, bottom = column[0].level - _FROM_ROWS, column[-1].level + _FROM_ROWS
        near = sorted((y, name) for x, y, name in places if left <= x < right and top <= y <= bottom)
        names = dict(_matched(column, near))
        named += [Line(line.points, number, line.is_strip, names.get(row)) for row, line in enumerate(column)]
    return named


def _in_columns(traces: Sequence[_Points]) -> list[list[Line]]:
    lines = sorted((Line(points, 0, False) for points in traces), key=lambda line: line.start)
    usual = np.median([line.width for line in lines])
    columns: list[list[Line]] = []
    for line in (line for line in lines if line.width <= _STRIP * usual):
        if not columns or line.start - columns[-1][0].start > BEFORE_TRACE:
            columns.append([])
        columns[-1].append(line)
    columns[0] += [Line(line.points, 0, True) for line in lines if line.width > _STRIP * usual]
    return [sorted(column, key=lambda line: line.level) for column in columns]


def _matched(column: Sequence[Line], places: Sequence[tuple[float, str]]) -> list[tuple[int, str]]:
    """Rows of a column and their names, both from top to bottom, where they stand to each other most evenly."""
    rows = tuple(range(len(column)))
    # a strip often has no name: it is the first to go without
    for some in (rows, tuple(row for row in rows if not column[row].is_strip)):
        if len(some) == len(places):
            return [(row, name) for row, (_, name) in zip(some, places, strict=True)]
    count = min(len(column), len(places))
    if comb(len(column), count) * comb(len(places), count) > _MOST_WAYS:
        return []
    levels = [line.level for line in column]
    ways = [(some, chosen) for some in combinations(rows, count) for chosen in combinations(places, count)]
    some, chosen = min(
        ways, key=lambda way: _unevenness([levels[row] for row in way[0]], [y for y, _ in way[1]])
    )
    return [(row, name) for row, (_, name) in zip(some, chosen, strict=True)]


def _unevenness(lines_y: Sequence[float], names_y: Sequence[float]) -> float:
    """How differently names stand to their traces, and, where that is the same, how far."""
    if not lines_y:
        return 0.0
    off = np.subtract(names_y, lines_y)
    return float(off.std() + 0.1 * abs(off.mean()))
