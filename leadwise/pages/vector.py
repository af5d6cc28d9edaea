"""The leads of a PDF that holds them as lines: no pixel in between.

Traces are long strokes that never go back in time; words name them; time is 0 where the first column starts. The
grid's lines tell the scale, else the calibration pulse, else the file's own points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from leadwise.pages.named_lines import BEFORE_TRACE, Line, name_lines
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.paths import POINTS_PER_MM, Drawing, read_drawing
from leadwise.pages.pdf import picture_of
from leadwise.pages.physics import alike, einthoven, goldberger, strip_alike
from leadwise.pages.quality import printed_gain
from leadwise.pages.strokes import grid_pitches, pulse_heights, traces_of

PX_PER_POINT = 150 / 72
"""Of the picture that goes with the traces: 150 dpi."""

_MAX_PICTURE_PX = 4000
_OFF_COLUMN = 0.03
_USUAL_S = (2.5, 5.0, 10.0)
"""Columns of that length at the usual speed say themselves that it is theirs."""

_MOST_S = 120
_LEAST_S = 1.5
"""Shorter leads are beats that a device averaged, not what it measured."""

_ALIKE = 0.9
_DOUBTFUL, _CLEAR = 0.7, 0.95
"""Correlation of I + III with II. Exports of four makers have 0.99 and more; limb leads of wrong names have less."""

_PULSE_OFF = 0.1
_UNEVEN = 1.5
_MOST_RESIZED, _RESIZED = 1.6, 1.1
"""A pulse further from its height in the file's own points is something else; a grid further from it is told."""

_Points = NDArray[np.float64]


def read_paths(page: pypdfium2.PdfPage, number: int = 1, of: int = 1) -> PageSignals | None:
    """The leads of a PDF's page from its lines and words; None where it shows them otherwise, as a picture.

    `page` is the `number`-th of `of` in its file. 0 mV is a trace's median. The picture of the result is drawn
    at 150 dpi, upright. Raises `ForeignPage` where lines look like traces but no lead is named, `DoubtfulPage` where
    names, speed or gain contradict each other or the traces, and `UnreadablePage` for a page of too many lines.
    """
    drawing = read_drawing(page)
    traces = traces_of(drawing.strokes)
    if not traces:
        return None
    printed = {name for word in drawing.words if (name := lead_named(word.text))}
    if not printed:
        if drawing.shapes:
            return None
        many = f"are {len(traces)} lines" if len(traces) > 1 else "is a line"
        raise ForeignPage(
            f"there {many} like a trace, but no lead names (I to aVF, V1 to V6), and which lead it is cannot "
            "be told. Export the page with its names, or print it as a picture."
        )
    lines = name_lines(traces, drawing.words)
    names = [line.name for line in lines if line.name and not line.is_strip]
    if len(set(names)) < max(len(names), len(printed) / 2, 1):
        return None
    return _signals(page, drawing, lines, (number, of))


# --- scale ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Paper:
    """Points in a millimetre on both axes, what told them, speed, gain, the pulse's height, what to warn of.

    `says_speed`: whether the speed is printed; if not, it is the usual one.
    """

    x: float
    y: float
    told_by: str
    speed_mm_per_s: float
    says_speed: bool
    gain_mm_per_mv: float
    pulse_mm: float | None
    warnings: tuple[str, ...]


def _paper(drawing: Drawing) -> _Paper:
    texts = [word.text for word in drawing.words]
    speed, gain = speed_mm_per_s(texts), gain_mm_per_mv(texts)
    across, down = grid_pitches(drawing.strokes)
    heights = pulse_heights(drawing.strokes)
    height = float(np.median(heights)) if heights else None
    told_by, warnings = "grid", []
    if across is None and down is None and height is not None:
        across, told_by = height / (gain or GAIN_MM_PER_MV), "pulse"
        if not 1 / _MOST_RESIZED < across / POINTS_PER_MM < _MOST_RESIZED:
            across = None
    if across is None and down is None:
        across, told_by = POINTS_PER_MM, "file"
        warnings.append("neither grid nor pulse tells the scale, the file's own size was taken")
    x, y = across or down or POINTS_PER_MM, down or across or POINTS_PER_MM
    resized = x / POINTS_PER_MM
    if not 1 / _RESIZED < resized < _RESIZED:
        warnings.append(f"by its {told_by} the page is drawn at {resized:.0%} of its size")
    pulse_mm = height / y if height is not None else None
    if gain is None and pulse_mm is None:
        warnings.append(f"no gain is printed, {GAIN_MM_PER_MV:g} mm/mV was taken")
    if gain is None and pulse_mm is not None:
        gain = printed_gain(pulse_mm)
    gain = gain or GAIN_MM_PER_MV
    if pulse_mm is not None and abs(pulse_mm / gain - 1) > _PULSE_OFF:
        warnings.append(f"the calibration pulse is {pulse_mm:.1f} mm high, not {gain:g} mm")
    return _Paper(x, y, told_by, speed or SPEED_MM_PER_S, speed is not None, gain, pulse_mm, tuple(warnings))


# --- signals -------------------------------------------------------------------------------


def _signals(
    page: pypdfium2.PdfPage, drawing: Drawing, lines: Sequence[Line], number_of: tuple[int, int]
) -> PageSignals:
    paper = _paper(drawing)
    longest_s = max(line.width for line in lines) / paper.x / paper.speed_mm_per_s
    if longest_s > _MOST_S:
        raise DoubtfulPage(
            f"a trace of {longest_s:.3g} s at {paper.speed_mm_per_s:g} mm/s, at most {_MOST_S} s are read. "
            "Is the speed right that the page says?"
        )
    column_s = _column_s(lines, paper)
    scale = min(PX_PER_POINT, _MAX_PICTURE_PX / max(page.get_size()))
    starts = _starts(lines)
    leads: dict[str, Trace] = {}
    strips: dict[str, Trace] = {}
    warnings = list(paper.warnings)
    for line in sorted(lines, key=lambda line: line.is_strip):
        zero_x = starts[line.column]
        if abs(line.start - zero_x) > BEFORE_TRACE:
            zero_x = line.start
            warnings.append("a strip begins elsewhere than the leads, and may not show their time")
        trace = _trace(line, zero_x, line.column * column_s, paper, scale)
        name = line.name or (_repeated(trace, leads) if line.is_strip else None)
        if name and name not in (strips if line.is_strip else leads):
            (strips if line.is_strip else leads)[name] = trace
        else:
            what = "strip" if line.is_strip else "trace"
            warnings.append(f"a {what} in column {line.column + 1} is left out, its lead cannot be told")
    quality = _quality(leads, strips, paper, column_s)
    rows = max(
        sum(line.column == column and not line.is_strip for line in lines) for column in range(len(starts))
    )
    return PageSignals(
        form=f"{rows}x{len(starts)}" + (f"+{len(strips)}" if strips else ""),
        reader="paths",
        leads={name: leads[name] for name in LEADS if name in leads},
        strips=strips,
        geometry=Geometry(
            x_px_per_mm=paper.x * scale,
            y_px_per_mm=paper.y * scale,
            turn_degrees=0.0,
            mirrored=False,
            speed_mm_per_s=paper.speed_mm_per_s,
            gain_mm_per_mv=paper.gain_mm_per_mv,
            scale_from=paper.told_by,
        ),
        quality=quality,
        warnings=(*warnings, *_doubts(leads, quality, paper, column_s)),
        page=picture_of(page, scale, drawing.turn_degrees),
        number=number_of[0],
        of=number_of[1],
    )


def _starts(lines: Sequence[Line]) -> list[float]:
    """Where each column begins, x in points."""
    columns = range(max(line.column for line in lines) + 1)
    leads = [line for line in lines if not line.is_strip]
    return [float(np.median([line.start for line in leads if line.column == column])) for column in columns]


def _column_s(lines: Sequence[Line], paper: _Paper) -> float:
    """Seconds from column to column: half seconds where what is printed is about that, so that times do not drift.

    Columns may stand further apart than their traces are long, or overlap by some points.
    """
    shown = float(np.median([line.width for line in lines if not line.is_strip]))
    steps = np.diff(_starts(lines))
    in_s = [
        length / paper.x / paper.speed_mm_per_s
        for length in (shown, *([np.median(steps)] if len(steps) else []))
    ]
    for seconds in in_s:
        whole = round(2 * seconds) / 2
        if whole and abs(seconds / whole - 1) < _OFF_COLUMN:
            return whole
    return in_s[-1]


def _trace(line: Line, zero_x: float, zero_s: float, paper: _Paper, scale: float) -> Trace:
    """A line as samples, from its points at their own times; where several points share one, their mean counts."""
    times, same = np.unique(line.points[:, 0], return_inverse=True)
    heights = np.bincount(same, -line.points[:, 1]) / np.bincount(same)
    times_s = zero_s + (times - zero_x) / paper.x / paper.speed_mm_per_s
    millivolts = (heights + line.level) / paper.y / paper.gain_mm_per_mv
    # the file's numbers are rounded: a sample may lie at its edge
    first = max(0, int(np.ceil(times_s[0] * RATE_HZ - 0.05)))
    last = int(np.floor(times_s[-1] * RATE_HZ + 0.05))
    signal = _between(np.arange(first, last + 1) / RATE_HZ, times_s, millivolts)
    return Trace(first / RATE_HZ, signal.astype(np.float32), (line.points * scale).astype(np.float32))


def _between(at_s: _Points, times_s: _Points, millivolts: _Points) -> _Points:
    """A spline where points come at one rate, straight lines where a program left out those that lay on one.

    Of five exports at 125 Hz the spline is 3 dB nearer to the recordings of 500 Hz.
    """
    from scipy.interpolate import CubicSpline

    at_s = np.clip(at_s, times_s[0], times_s[-1])
    steps = np.diff(times_s)
    if steps.max() > _UNEVEN * np.median(steps):
        return np.asarray(np.interp(at_s, times_s, millivolts))
    return np.asarray(CubicSpline(times_s, millivolts)(at_s))


def _repeated(strip: Trace, leads: Mapping[str, Trace]) -> str | None:
    """The lead that a strip repeats, None where it is like none."""
    found = {name: alike(trace, strip) or 0.0 for name, trace in leads.items()}
    best = max(found, key=found.__getitem__, default=None)
    return best if best is not None and found[best] >= _ALIKE else None


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


def _doubts(leads: Mapping[str, Trace], quality: ReadQuality, paper: _Paper, column_s: float) -> list[str]:
    """What a reader should know of the result, a sentence each."""
    doubts = []
    if missing := [name for name in LEADS if name not in leads]:
        doubts.append(f"not on this page: {', '.join(missing)}")
    if not paper.says_speed and column_s not in _USUAL_S:
        doubts.append(f"no paper speed is printed, {SPEED_MM_PER_S:g} mm/s was taken")
    if column_s < _LEAST_S:
        doubts.append(
            f"leads of {column_s:.1f} s are mostly averaged beats, not what was measured at that time"
        )
    if quality.einthoven is not None and quality.einthoven < _CLEAR:
        doubts.append(f"I + III follows II only by a correlation of {quality.einthoven:.2f}")
    if quality.strip_alike is not None and quality.strip_alike < _ALIKE:
        doubts.append(f"a strip follows its lead only by a correlation of {quality.strip_alike:.2f}")
    return doubts
