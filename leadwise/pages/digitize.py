"""From the ink of the known form to millivolts: `leadwise.pages.traces` follows it with this device's pen.

That pen is 3 px wide and square, and what is faster than any voltage that it prints (25 Hz) is smoothed away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages import pen as pens
from leadwise.pages import traces
from leadwise.pages.forms import known_form
from leadwise.pages.leads import Leads
from leadwise.pages.template import Template

RATE_HZ = 250
"""Samples a second of all digitised signals."""

N_LEAD, N_STRIP = 625, 2500
"""Samples of a lead of 2.5 s and of the strip of 10 s."""

Pixels = NDArray[np.float64]

_PEN = pens.Pen(
    1.5, square=True, smooth_px=1.2, passes=6
)  # what this device draws with, and nothing above 25 Hz
_SAME_LEAD = 0.99


@dataclass(frozen=True)
class Signals:
    """A page's voltages at RATE_HZ, 0 mV at the foot of the calibration pulse; nan where no ink could be read.

    `leads` float32 ``(12, 625)`` mV in the order of LEADS, each 2.5 s: the four columns of the page follow one
    another in time. `strip` float32 ``(2500,)`` mV, 10 s.
    """

    leads: NDArray[np.float32]
    strip: NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """The way of the pen's middle for one lead, or for the strip, in pixels of its template.

    `y_px` float64 ``(points,)`` are rows from the top of the template's ink box, `pens.FINE` points a pixel, nan
    where nothing was drawn; the first pixel is that in column `x_px`. `row` is the row of leads; it begins at
    `first_x`.
    """

    template: Template
    y_px: Pixels
    x_px: int
    row: int
    first_x: float

    def millivolts(self, rate_hz: float, samples: int) -> NDArray[np.float32]:
        """So many samples from the lead's start on, float32, mV."""
        known = self.template
        at = (
            np.arange(samples) / rate_hz * known.px_per_s - (self.x_px - self.first_x) + 0.5
        ) * pens.FINE - 0.5
        millivolts = (known.baselines_y[self.row] - known.ink_box[1] - self.y_px) / known.px_per_mv
        return np.asarray(np.interp(at, np.arange(len(self.y_px)), millivolts), np.float32)

    def points(self) -> Pixels:
        """Where it runs, float64 ``(points, 2)``: x and y in pixels of the template."""
        drawn = np.flatnonzero(np.isfinite(self.y_px))
        x = self.x_px + (drawn + 0.5) / pens.FINE - 0.5
        return np.stack([x, self.template.ink_box[1] + self.y_px[drawn]], axis=1)


@dataclass(frozen=True)
class Lines:
    """The lines of all leads by name, in the order of LEADS, and that of the rhythm strip."""

    leads: dict[str, Line]
    strip: Line

    def signals(self) -> Signals:
        """Their voltages at RATE_HZ."""
        leads = [line.millivolts(RATE_HZ, N_LEAD) for line in self.leads.values()]
        return Signals(np.stack(leads), self.strip.millivolts(RATE_HZ, N_STRIP))


def digitize(leads: Leads) -> Signals:
    """Voltages of a page whose leads were cut."""
    return follow(leads).signals()


def follow(leads: Leads) -> Lines:
    """Lines of a page whose leads were cut: finer than `Signals`, with 393 points a second."""
    template = leads.template
    high, low = traces.share_out(
        leads.ink, np.array(template.baselines_y) - template.ink_box[1], tuple(template.columns_x)
    )
    ends = (*template.columns_x[1:], leads.ink.shape[1])
    lines: dict[str, Line] = {}
    for row, names in enumerate(template.rows):
        for column, name in enumerate(names):
            part = slice(template.columns_x[column], ends[column])
            line = pens.undo_pen(high[row, part], low[row, part], _PEN)
            first_x = template.first_x + column * template.column_px
            lines[name] = Line(template, line, template.ink_box[0] + part.start, row, first_x)
    strip = pens.undo_pen(high[-1], low[-1], _PEN)
    return Lines(
        {name: lines[name] for name in LEADS},
        Line(template, strip, template.ink_box[0], len(template.rows), template.first_x),
    )


def rhythm_lead(signals: Signals) -> tuple[str | None, float]:
    """The lead that the rhythm strip repeats, or None, and the best correlation found.

    Each lead is compared with the strip over the 2.5 s that they share. None where no lead reaches 0.99.
    """
    correlations = {
        name: correlation(
            signals.leads[LEADS.index(name)], signals.strip[column * N_LEAD : (column + 1) * N_LEAD]
        )
        for row in known_form().rows
        for column, name in enumerate(row)
    }
    known = {name: value for name, value in correlations.items() if np.isfinite(value)}
    best = max(known, key=lambda name: known[name], default=None)
    value = known[best] if best else float("nan")
    return (best if value >= _SAME_LEAD else None), value


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Pearson's correlation where both are known; nan where either is flat."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 2 or not np.ptp(a[both]) or not np.ptp(b[both]):
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])
