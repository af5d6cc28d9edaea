"""The leads of a PDF that holds them as lines: no pixel in between.

Traces are long strokes that never go back in time; words name them, in the order in which both stand below each
other; time is 0 where the first column starts. The grid's lines tell the scale, else the calibration pulse, else the
file's own points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray

from leadwise.errors import DoubtfulPage, ForeignPage
from leadwise.names import LEADS
from leadwise.pages.lead_words import (
    GAIN_MM_PER_MV,
    SPEED_MM_PER_S,
    gain_mm_per_mv,
    lead_named,
    speed_mm_per_s,
)
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.paths import POINTS_PER_MM, Drawing, read_drawing
from leadwise.pages.physics import alike, einthoven, goldberger, strip_alike
from leadwise.pages.read import Page
from leadwise.pages.strokes import grid_pitches, pulse_heights, traces_of

PX_PER_POINT = 150 / 72
"""Of the picture that goes with the traces: 150 dpi."""

_MAX_PICTURE_PX = 4000
_BEFORE_TRACE = 15 * POINTS_PER_MM
"""A name may stand that far before its trace begins."""

_FROM_ROWS = 40 * POINTS_PER_MM
_MOST_WAYS = 5000
"""A column of 6 traces and 12 names has 924 ways to name it."""

_STRIP = 1.5
"""Times as long as a trace of the last column."""

_OFF_COLUMN = 0.03
_STRIP_ALIKE = 0.9
_DOUBTFUL, _CLEAR = 0.7, 0.95
"""Correlation of I + III with II. Exports of four makers have 0.99 and more; the limb leads of wrong names, less."""

_PULSE_OFF = 0.1

_Points = NDArray[np.float64]
_Named = list[tuple[str | None, _Points]]


def read_paths(page: pypdfium2.PdfPage, number: int = 1, of: int = 1) -> PageSignals | None:
    """The leads of a PDF's page from its lines and words; None where it shows them otherwise, as a picture.

    `page` is the `number`-th of `of` in its file. 0 mV is a trace's median. The picture of the result is drawn
    at 150 dpi, upright. Raises `ForeignPage` where lines look like traces but no lead is named, `DoubtfulPage` where
    names, speed or gain contradict each other or the traces, and `UnreadablePage` for a page of too many lines.
    """
    drawing = read_drawing(page)
    lines = traces_of(drawing.strokes)
    if not lines:
        return None
    if not any(lead_named(word.text) for word in drawing.words):
        if drawing.shapes:
            return None
        many = f"are {len(lines)} lines" if len(lines) > 1 else "is a line"
        raise ForeignPage(
            f"there {many} like a trace, but no lead names, and which lead it is cannot be told. "
            "Export the page with its names, or print it as a picture."
        )
    columns = _columns(lines)
    named = [_name(column, drawing, columns) for column in range(len(columns))]
    names = [name for column in named for name, line in column if name and not _is_strip(line, columns)]
    if not names or len(set(names)) < len(names):
        return None
    paper = _paper(drawing)
    return _signals(page, drawing, columns, named, paper, (number, of))


# --- which is which ------------------------------------------------------------------------


def _columns(lines: Sequence[_Points]) -> list[list[_Points]]:
    """Traces by column from left to right, each from top to bottom."""
    columns: list[list[_Points]] = []
    for line in sorted(lines, key=_start):
        if not columns or _start(line) - _start(columns[-1][0]) > _BEFORE_TRACE:
            columns.append([])
        columns[-1].append(line)
    return [sorted(column, key=_level) for column in columns]


def _start(line: _Points) -> float:
    return float(line[0, 0])


def _level(line: _Points) -> float:
    return float(np.median(line[:, 1]))


def _width(line: _Points) -> float:
    return float(line[-1, 0] - line[0, 0])


def _is_strip(line: _Points, columns: Sequence[Sequence[_Points]]) -> bool:
    usual = float(np.median([_width(other) for other in columns[-1]]))
    return len(columns) > 1 and _width(line) > _STRIP * usual


def _name(number: int, drawing: Drawing, columns: Sequence[Sequence[_Points]]) -> _Named:
    """A column's traces with their names; None for a trace without.

    Names stand over, under or beside their traces, but all of a column in the same way.
    """
    column = columns[number]
    starts = [min(map(_start, each)) for each in columns]
    left = starts[number] - _BEFORE_TRACE if number else -np.inf
    right = starts[number + 1] - _BEFORE_TRACE if number + 1 < len(columns) else np.inf
    top, bottom = _level(column[0]) - _FROM_ROWS, _level(column[-1]) + _FROM_ROWS
    words = [word for word in drawing.words if left <= word.x < right and top <= word.y <= bottom]
    places = sorted((word.y, name) for word in words if (name := lead_named(word.text)))
    rows = [line for line in column if not _is_strip(line, columns)]
    # a strip often has no name: it is the first to go without
    for lines in (column, rows):
        if len(lines) == len(places):
            return _with_names(column, lines, [name for _, name in places])
    ways = comb(max(len(column), len(places)), min(len(column), len(places)))
    if not places or ways > _MOST_WAYS:
        return [(None, line) for line in column]
    count = min(len(column), len(places))
    _, lines, names = min(
        (
            (
                _unevenness([y for y, _ in chosen], [_level(line) for line in some]),
                some,
                [name for _, name in chosen],
            )
            for chosen in combinations(places, count)
            for some in combinations(column, count)
        ),
        key=lambda way: way[0],
    )
    return _with_names(column, lines, names)


def _with_names(column: Sequence[_Points], lines: Sequence[_Points], names: Sequence[str]) -> _Named:
    name_of = {id(line): name for line, name in zip(lines, names, strict=True)}
    return [(name_of.get(id(line)), line) for line in column]


def _unevenness(names_y: Sequence[float], lines_y: Sequence[float]) -> float:
    """How differently names stand to their traces, and, where that is the same, how far."""
    off = np.subtract(names_y, lines_y)
    return float(off.std() + 0.1 * abs(off.mean()))


# --- scale ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Paper:
    """Points in a millimetre on both axes, what told them, speed, gain, the pulse's height, what to warn of."""

    x: float
    y: float
    told_by: str
    speed_mm_per_s: float
    gain_mm_per_mv: float
    pulse_mm: float | None
    warnings: tuple[str, ...]


def _paper(drawing: Drawing) -> _Paper:
    texts = [word.text for word in drawing.words]
    speed, gain = speed_mm_per_s(texts), gain_mm_per_mv(texts)
    across, down = grid_pitches(drawing.strokes)
    heights = pulse_heights(drawing.strokes)
    height = float(np.median(heights)) if heights else None
    told_by = "grid"
    if across is None and down is None and height is not None:
        across, told_by = height / (gain or GAIN_MM_PER_MV), "pulse"
        if not 1 / 1.6 < across / POINTS_PER_MM < 1.6:
            across = None
    if across is None and down is None:
        across, told_by = POINTS_PER_MM, "file"
    x, y = across or down or POINTS_PER_MM, down or across or POINTS_PER_MM
    pulse_mm = height / y if height is not None else None
    warnings = []
    if speed is None:
        warnings.append(f"no paper speed is printed, {SPEED_MM_PER_S:g} mm/s was taken")
    if gain is None and pulse_mm is None:
        warnings.append(f"no gain is printed, {GAIN_MM_PER_MV:g} mm/mV was taken")
    if gain is None and pulse_mm is not None:
        gain = min((5.0, 10.0, 20.0), key=lambda usual: abs(np.log(pulse_mm / usual)))
    gain = gain or GAIN_MM_PER_MV
    if pulse_mm is not None and abs(pulse_mm / gain - 1) > _PULSE_OFF:
        warnings.append(f"the calibration pulse is {pulse_mm:.1f} mm high, not {gain:g} mm")
    return _Paper(x, y, told_by, speed or SPEED_MM_PER_S, gain, pulse_mm, tuple(warnings))


# --- signals -------------------------------------------------------------------------------


def _signals(
    page: pypdfium2.PdfPage,
    drawing: Drawing,
    columns: Sequence[Sequence[_Points]],
    named: Sequence[_Named],
    paper: _Paper,
    number_of: tuple[int, int],
) -> PageSignals:
    column_s = _column_s(columns, paper)
    scale = min(PX_PER_POINT, _MAX_PICTURE_PX / max(page.get_size()))
    leads: dict[str, Trace] = {}
    strips: list[tuple[str | None, Trace]] = []
    warnings = list(paper.warnings)
    for number, column in enumerate(named):
        column_x = float(np.median([_start(line) for _, line in column]))
        for name, line in column:
            trace = _trace(line, column_x, number * column_s, paper, scale)
            if _is_strip(line, columns):
                strips.append((name, trace))
            elif name:
                leads[name] = trace
            else:
                warnings.append(f"a trace in column {number + 1} has no name and is left out")
    strip_of: dict[str, Trace] = {}
    for name, trace in strips:
        name = name or _repeated(trace, leads)
        if name is None or name in strip_of:
            warnings.append("a strip whose lead cannot be told is left out")
        else:
            strip_of[name] = trace
    if missing := [name for name in LEADS if name not in leads]:
        warnings.append(f"not on this page: {', '.join(missing)}")
    quality = _quality(leads, strip_of, paper, column_s)
    if quality.einthoven is not None and quality.einthoven < _CLEAR:
        warnings.append(f"I + III follows II only by a correlation of {quality.einthoven:.2f}")
    rows = max(sum(not _is_strip(line, columns) for line in column) for column in columns)
    return PageSignals(
        form=f"{rows}x{len(columns)}" + (f"+{len(strip_of)}" if strip_of else ""),
        reader="paths",
        leads={name: leads[name] for name in LEADS if name in leads},
        strips=strip_of,
        geometry=Geometry(
            paper.x * scale,
            paper.y * scale,
            0.0,
            False,
            paper.speed_mm_per_s,
            paper.gain_mm_per_mv,
            paper.told_by,
        ),
        quality=quality,
        warnings=tuple(warnings),
        page=_picture(page, scale, drawing.turn_degrees),
        number=number_of[0],
        of=number_of[1],
    )


def _column_s(columns: Sequence[Sequence[_Points]], paper: _Paper) -> float:
    """Seconds from column to column: half seconds where what is printed is about that, so that times do not drift.

    Columns may stand further apart than their traces are long, or overlap by some points.
    """
    widths = [_width(line) for column in columns for line in column if not _is_strip(line, columns)]
    shown_s = float(np.median(widths)) / paper.x / paper.speed_mm_per_s
    if len(columns) == 1:
        return shown_s
    steps = [min(map(_start, after)) - min(map(_start, before)) for before, after in pairwise(columns)]
    step_s = float(np.median(steps)) / paper.x / paper.speed_mm_per_s
    for seconds in (shown_s, step_s):
        whole = round(2 * seconds) / 2
        if whole and abs(seconds / whole - 1) < _OFF_COLUMN:
            return whole
    return step_s


def _trace(line: _Points, column_x: float, column_start_s: float, paper: _Paper, scale: float) -> Trace:
    """A line as samples, linearly between its points at their own times; where several share one, their mean."""
    times, same = np.unique(line[:, 0], return_inverse=True)
    heights = np.bincount(same, -line[:, 1]) / np.bincount(same)
    times_s = column_start_s + (times - column_x) / paper.x / paper.speed_mm_per_s
    millivolts = (heights + _level(line)) / paper.y / paper.gain_mm_per_mv
    first = max(0, int(np.ceil(times_s[0] * RATE_HZ - 0.01)))
    last = int(np.floor(times_s[-1] * RATE_HZ + 0.01))
    sampled = np.interp(np.arange(first, last + 1) / RATE_HZ, times_s, millivolts)
    return Trace(first / RATE_HZ, sampled.astype(np.float32), (line * scale).astype(np.float32))


def _repeated(strip: Trace, leads: Mapping[str, Trace]) -> str | None:
    """The lead that a strip repeats, None where it is like none."""
    found = {name: alike(trace, strip) or 0.0 for name, trace in leads.items()}
    best = max(found, key=found.__getitem__, default=None)
    return best if best is not None and found[best] >= _STRIP_ALIKE else None


def _quality(
    leads: Mapping[str, Trace], strips: Mapping[str, Trace], paper: _Paper, column_s: float
) -> ReadQuality:
    adds_up = einthoven(leads)
    if adds_up is not None and adds_up < _DOUBTFUL:
        raise DoubtfulPage(
            f"the traces named I, II and III do not add up (correlation {adds_up:.2f}), so that names cannot be "
            "trusted. Print the page as a picture."
        )
    alikes = strip_alike(leads, strips)
    read = np.mean([min(trace.length_s / column_s, 1) for trace in leads.values()])
    return ReadQuality(
        read=round(float(read), 4),
        einthoven=adds_up,
        goldberger=goldberger(leads),
        strip_alike=min(alikes.values(), default=None),
        pulse_mm=paper.pulse_mm,
    )


def _picture(page: pypdfium2.PdfPage, scale: float, turn_degrees: int) -> Page:
    drawn = page.render(scale=scale, rotation=turn_degrees, rev_byteorder=False, prefer_bgrx=False).to_numpy()
    colours = np.asarray(drawn, np.uint8)
    if colours.ndim == 2 or colours.shape[2] == 1:
        return np.asarray(cv2.cvtColor(colours, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.ascontiguousarray(colours[:, :, :3])
