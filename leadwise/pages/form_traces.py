"""The traces of a form whose rows and columns are known: ink without bars, each lead in millivolts and seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.pages import pen as pens
from leadwise.pages import traces
from leadwise.pages.columns import Columns, Pixels
from leadwise.pages.forms import Form
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.page_signals import RATE_HZ, Trace
from leadwise.pages.rows import Rows

_SEPARATOR_MM = 1.0  # to both sides of a boundary with a bar, ink is the bar's
_BAR, _BARS_SIDE, _AS_DARK = 0.3, 0.3, 0.7


def pen_of(edges: tuple[Pixels, Pixels], leads: int, columns: Columns, half_px: float) -> pens.Pen:
    """The page's pen, by the first leads of its rows."""
    width = edges[0].shape[1]
    first, last = (int(np.clip(round(columns.start(column)), 0, width)) for column in (0, 1))
    return pens.pen_of(
        [(high[first:last], low[first:last]) for high, low in zip(*edges, strict=True)][:leads], half_px
    )


def without_bars(rows: Rows, bars: Pixels, columns: Columns, form: Form) -> NDArray[np.uint8]:
    """Ink without the bars that stand where columns meet, and without what little of a trace they cover."""
    reach = round(_SEPARATOR_MM * PX_PER_MM)
    out = rows.traces.copy()
    leads = len(form.rows)
    if columns.bars < _BAR:  # then what looks like a bar is a QRS complex
        return out
    for column in range(columns.count + 1):
        place = round(columns.start(column))
        near = slice(max(0, place - reach), max(0, place + reach + 1))
        outer = column in (0, columns.count)  # where a QRS complex is no bar
        least = max(_BAR, _AS_DARK * columns.bars) if outer else _BAR
        every = bars[:leads, near].mean(axis=0)
        if every.size and every.max() > least:
            _blank(out, every, near.start, 0, _band(rows.baselines_px, leads - 1, len(out))[1])
        for row in range(leads, len(rows.baselines_px)):
            bar = bars[row, near]
            if bar.size and bar.max() > max(_BAR, _AS_DARK * columns.bars):
                _blank(out, bar, near.start, *_band(rows.baselines_px, row, len(out)))
    return out


def _blank(ink: NDArray[np.uint8], bar: Pixels, first: int, top: int, bottom: int) -> None:
    """Take out the columns of pixels that a bar covers, and one to both sides; a wave beside it stays."""
    blank = np.flatnonzero(bar <= _BARS_SIDE * bar.max())
    middle = int(bar.argmax())
    left, right = blank[blank < middle].max(initial=-1) + 1, blank[blank > middle].min(initial=len(bar))
    ink[top:bottom, max(0, first + left - 1) : first + right + 1] = 0


def _band(baselines_px: Pixels, row: int, height: int) -> tuple[int, int]:
    middles = (baselines_px[1:] + baselines_px[:-1]) / 2
    ends = [0.0, *middles, float(height)]
    return round(ends[row]), round(ends[row + 1])


@dataclass(frozen=True)
class Reader:
    """Rows of a page and its columns, edges ``(rows, width)`` of its traces, and the pen that drew them."""

    rows: Rows
    columns: Columns
    form: Form
    edges: tuple[Pixels, Pixels]
    pen: pens.Pen

    def trace(self, row: int, column: int, columns: int) -> Trace:
        """What a row shows from one column on, over some columns."""
        start, stop = self.columns.start(column), self.columns.start(column + columns)
        seconds = columns * self.form.column_s
        samples = round(seconds * RATE_HZ)
        width = self.edges[0].shape[1]
        part = slice(int(np.clip(round(start), 0, width)), int(np.clip(round(stop), 0, width)))
        if part.stop - part.start < 2:
            return Trace(
                column * self.form.column_s,
                np.full(samples, np.nan, np.float32),
                np.zeros((0, 2), np.float32),
            )
        band = _band(self.rows.baselines_px, row, len(self.rows.traces))
        high, low = traces.without_strays(self.edges[0][row, part], self.edges[1][row, part], band)
        line = pens.undo_pen(high, low, self.pen)
        at_px = (np.arange(len(line)) + 0.5) / pens.FINE - 0.5 + part.start
        time_px = start + np.arange(samples) / samples * (stop - start)
        values = np.interp(time_px, at_px, line, left=np.nan, right=np.nan)
        near = (time_px > at_px[0] - 2) & (time_px < at_px[-1] + 2)
        values = np.where(near & ~np.isfinite(values), np.interp(time_px, at_px, line), values)
        px_per_mv = self.form.gain_mm_per_mv * PX_PER_MM * self.columns.scale
        points = np.column_stack([at_px, line])[np.isfinite(line)]
        return Trace(
            column * self.form.column_s,
            np.asarray((self.rows.baselines_px[row] - values) / px_per_mv, np.float32),
            np.asarray(points, np.float32),
        )
