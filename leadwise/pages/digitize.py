"""From ink to millivolts: which ink belongs to which row, and where the pen's middle ran.

Three steps. Each pixel column of a page holds a few unbroken runs of ink, nearly always one for each row; where
traces cross, the runs of all rows are shared out together, so that ink which two rows could claim goes to one of
them and none is left over. Then the pen is undone: it is 3 px wide, so a column shows how high and how low the
pen's middle came within 3 px. The line that would draw just these heights is fitted. Last, what is faster than
any printed voltage (25 Hz) is smoothed away. Columns are never averaged: a steep stroke keeps its full height.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.forms import known_form
from leadwise.pages.leads import Leads
from leadwise.pages.template import Template

RATE_HZ = 250
"""Samples a second of all digitised signals."""

N_LEAD, N_STRIP = 625, 2500
"""Samples of a lead of 2.5 s and of the strip of 10 s."""

Pixels = NDArray[np.float64]

_REACH_PX = 330  # 4.2 mV: no trace was seen further from its baseline
_PEN_PX = 1.5  # half the pen's width
_GAP_S = 0.2  # a longer stretch without ink is not bridged
_SAME_LEAD = 0.99

# Costs of a sharing-out, a column: pixels between the runs of neighbouring columns; a row without a run;
# a run that two rows hold; ink that no row claims; and, weakly, distance from the row's baseline, in which one far
# row is likelier than two near.
_NO_RUN, _SHARED, _FAR = 8.0, 6.0, 0.1
_UNCLAIMED, _UNCLAIMED_PX = 4.0, 0.3  # for a run, and for each of its first 30 px
_MOST_SHARINGS = 100

_JUMP_PX, _TIP_PX = 20, 25  # no stroke leaves more between two columns; a tip that crosses is not wider


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

    `y_px` float64 ``(points,)`` are rows from the top of the template's ink box, `_FINE` points a pixel, nan where
    nothing was drawn; the first pixel is that in column `x_px`. `row` is the row of leads; it begins at `first_x`.
    """

    template: Template
    y_px: Pixels
    x_px: int
    row: int
    first_x: float

    def millivolts(self, rate_hz: float, samples: int) -> NDArray[np.float32]:
        """So many samples from the lead's start on, float32, mV."""
        known = self.template
        at = (np.arange(samples) / rate_hz * known.px_per_s - (self.x_px - self.first_x) + 0.5) * _FINE - 0.5
        millivolts = (known.baselines_y[self.row] - known.ink_box[1] - self.y_px) / known.px_per_mv
        return np.asarray(np.interp(at, np.arange(len(self.y_px)), millivolts), np.float32)

    def points(self) -> Pixels:
        """Where it runs, float64 ``(points, 2)``: x and y in pixels of the template."""
        drawn = np.flatnonzero(np.isfinite(self.y_px))
        x = self.x_px + (drawn + 0.5) / _FINE - 0.5
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
    high, low = _share_out(leads.ink, template)
    ends = (*template.columns_x[1:], leads.ink.shape[1])
    lines: dict[str, Line] = {}
    for row, names in enumerate(template.rows):
        for column, name in enumerate(names):
            part = slice(template.columns_x[column], ends[column])
            line = _undo_pen(high[row, part], low[row, part], template)
            first_x = template.first_x + column * template.column_px
            lines[name] = Line(template, line, template.ink_box[0] + part.start, row, first_x)
    strip = _undo_pen(high[-1], low[-1], template)
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


# --- which ink belongs to which row ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Runs:
    """Unbroken upright runs of ink, from left to right and from the top: column, first and last row of pixels."""

    column: NDArray[np.intp]
    top: NDArray[np.intp]
    bottom: NDArray[np.intp]
    first: NDArray[np.intp]
    """Number of each column's first run; one more than there are columns."""
    baselines: Pixels
    """Of each row of leads and of the strip, as the runs' rows are."""
    columns_x: tuple[int, ...]
    """First column of each column of leads."""


def _share_out(ink: NDArray[np.uint8], template: Template) -> tuple[Pixels, Pixels]:
    """Upper and lower edge of each row's ink, ``(4, width)`` in pixels, nan where it has none."""
    runs = _find_runs(ink, template)
    rows, width = len(runs.baselines), ink.shape[1]
    chosen = np.full((rows, width), -1)
    if not len(runs.column):
        return np.full((rows, width), np.nan), np.full((rows, width), np.nan)
    middles = (runs.baselines[1:] + runs.baselines[:-1]) / 2
    band, beyond = np.searchsorted(middles, runs.top), np.searchsorted(middles, runs.bottom)
    count = np.zeros((rows, width), int)
    np.add.at(count, (band, runs.column), 1)
    across = np.flatnonzero(band != beyond)
    doubtful = np.asarray((count > 1).any(axis=0))
    doubtful[runs.column[across]] = True
    chosen[band, runs.column] = np.arange(len(runs.column))
    doubtful |= _between_jumps(runs, chosen)
    for start, stop in _stretches(doubtful, runs.columns_x):
        _share_stretch(runs, chosen, start, stop)
    high, low = (np.full(chosen.shape, np.nan) for _ in range(2))
    there = chosen >= 0
    upper, lower = _edges(ink, runs)
    high[there], low[there] = upper[chosen[there]], lower[chosen[there]]
    _part_merged(chosen, high, low)
    return high, low


def _between_jumps(runs: _Runs, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Columns in which a row's run stands apart from those before and after: another row's tip may lie there."""
    gap = np.maximum(
        runs.top[chosen[:, 1:]] - runs.bottom[chosen[:, :-1]],
        runs.top[chosen[:, :-1]] - runs.bottom[chosen[:, 1:]],
    )
    apart = (gap > _JUMP_PX) & (chosen[:, 1:] >= 0) & (chosen[:, :-1] >= 0)
    between = np.zeros(chosen.shape[1], np.bool_)
    for row in apart:
        for before, after in itertools.pairwise(np.flatnonzero(row)):
            if after - before <= _TIP_PX:
                between[before + 1 : after + 1] = True
    return between


def _find_runs(ink: NDArray[np.uint8], template: Template) -> _Runs:
    height, width = ink.shape
    upright = np.zeros((width, height + 2), np.bool_)
    upright[:, 1:-1] = cv2.transpose(ink) > 127
    line = upright.ravel()
    changes = np.flatnonzero(line[1:] != line[:-1])
    column, top = np.divmod(changes[::2], height + 2)
    bottom = changes[1::2] % (height + 2) - 1
    first = np.searchsorted(column, np.arange(width + 1))
    baselines = np.array(template.baselines_y) - template.ink_box[1]
    return _Runs(column, top, bottom, first, baselines, template.columns_x)


def _edges(ink: NDArray[np.uint8], runs: _Runs) -> tuple[Pixels, Pixels]:
    """Where the ink passes half of black, between pixels: above and below each run."""
    padded = np.pad(ink, ((1, 1), (0, 0))).astype(float)

    def crossing(inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Pixels:
        dark, light = padded[inside + 1, runs.column], padded[outside + 1, runs.column]
        return np.asarray((dark - 127.5) / np.maximum(dark - light, 1.0))

    upper = runs.top - crossing(runs.top, runs.top - 1)
    return upper, runs.bottom + crossing(runs.bottom, runs.bottom + 1)


def _stretches(doubtful: NDArray[np.bool_], columns_x: tuple[int, ...]) -> list[tuple[int, int]]:
    """First column and the one after the last of each doubtful stretch; none reaches over a separator."""
    stretches: list[tuple[int, int]] = []
    for start, stop in itertools.pairwise((*columns_x, len(doubtful))):
        columns = np.flatnonzero(doubtful[start:stop]) + start
        parts = np.split(columns, np.flatnonzero(np.diff(columns) > 2) + 1)
        stretches += [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]
    return stretches


def _share_stretch(runs: _Runs, chosen: NDArray[np.intp], start: int, stop: int) -> None:
    """Share out the runs of doubtful columns over all rows at once: the cheapest way from column to column."""
    edges = {0, *runs.columns_x, chosen.shape[1]}
    before = None if start in edges else _sharings_of([[int(run)] for run in chosen[:, start - 1]])
    total = np.zeros(1)
    states, back = before, []
    history = []
    for column in range(start, stop):
        here = range(runs.first[column], runs.first[column + 1])
        options = [[run for run in here if _reaches(runs, run, row)] + [-1] for row in range(len(chosen))]
        new = _sharings_of(_fewer(runs, options))
        cost = _cost_of(runs, new, here)
        if states is None:
            pointers, total = np.zeros(len(new), int), cost
        else:
            way = total[:, None] + _steps(runs, states, new)
            pointers = way.argmin(axis=0)
            total = way[pointers, np.arange(len(new))] + cost
        states = new
        history.append(new)
        back.append(pointers)
    if stop not in edges and states is not None:
        after = _sharings_of([[int(run)] for run in chosen[:, stop]])
        total = total + _steps(runs, states, after)[:, 0]
    state = int(total.argmin())
    for column in range(stop - 1, start - 1, -1):
        chosen[:, column] = history[column - start][state]
        state = int(back[column - start][state])


def _reaches(runs: _Runs, run: int, row: int) -> bool:
    return bool(
        runs.top[run] - runs.baselines[row] < _REACH_PX and runs.baselines[row] - runs.bottom[run] < _REACH_PX
    )


def _fewer(runs: _Runs, options: list[list[int]]) -> list[list[int]]:
    """The options of each row, the farthest left out until there are not too many sharings."""
    middle = (runs.top + runs.bottom) / 2

    def distance(run: int, row: int) -> float:
        return -1.0 if run < 0 else float(abs(middle[run] - runs.baselines[row]))

    options = [
        sorted(choices, key=functools.partial(distance, row=row)) for row, choices in enumerate(options)
    ]
    while np.prod([len(choices) for choices in options]) > _MOST_SHARINGS:
        max(options, key=len).pop()
    return options


def _sharings_of(options: list[list[int]]) -> NDArray[np.intp]:
    """All ways to give each row one of its options, ``(n, 4)``; -1 is none."""
    return np.array(list(itertools.product(*options)), np.intp)


def _cost_of(runs: _Runs, sharings: NDArray[np.intp], here: range) -> NDArray[np.float64]:
    none = sharings < 0
    middle = (runs.top[sharings] + runs.bottom[sharings]) / 2
    far = np.sqrt(np.abs(middle - runs.baselines))
    claimed = (sharings[:, :, None] == np.arange(here.start, here.stop)).any(axis=1)
    height = np.minimum(runs.bottom[here.start : here.stop] - runs.top[here.start : here.stop], 30)
    left_over = (~claimed) @ (_UNCLAIMED + _UNCLAIMED_PX * height)
    shared = (~none).sum(axis=1) - claimed.sum(axis=1)
    alone = np.where(none, _NO_RUN, _FAR * far).sum(axis=1)
    return np.asarray(alone + _SHARED * shared + left_over)


def _steps(runs: _Runs, old: NDArray[np.intp], new: NDArray[np.intp]) -> NDArray[np.float64]:
    """Cost ``(n old, n new)`` of going from one column's sharing to the next one's."""
    from_, to = old[:, None, :], new[None, :, :]
    gap = np.maximum(runs.top[to] - runs.bottom[from_], runs.top[from_] - runs.bottom[to])
    known = (from_ >= 0) & (to >= 0)
    return np.asarray(np.where(known, np.clip(gap - 1, 0, 100), 0).sum(axis=2), np.float64)


def _part_merged(chosen: NDArray[np.intp], high: Pixels, low: Pixels) -> None:
    """Where two rows hold one run, it is kept by the row that moves further; the other is bridged."""
    width = chosen.shape[1]
    for first, second in itertools.combinations(range(len(chosen)), 2):
        merged = (chosen[first] >= 0) & (chosen[first] == chosen[second])
        columns = np.flatnonzero(merged)
        for part in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
            if not len(part):
                continue
            left, right = max(part[0] - 1, 0), min(part[-1] + 1, width - 1)
            moves = [
                np.nan_to_num(
                    np.nanmax([low[row, left] - high[row, left], low[row, right] - high[row, right], 0.0])
                )
                + np.nan_to_num(abs(high[row, left] - high[row, right]))
                for row in (first, second)
            ]
            still = first if moves[0] < moves[1] else second
            high[still, part] = low[still, part] = np.nan


# --- where the pen's middle ran ----------------------------------------------------------------------------

_FINE = 2  # points of the fitted line in a pixel
_PASSES = 6
_SMOOTH_PX = 1.2


def _undo_pen(high: Pixels, low: Pixels, template: Template) -> Pixels:
    """The line whose 3 px wide drawing has these edges, `_FINE` points a pixel; nan where nothing was drawn."""
    width = len(high)
    there = np.flatnonzero(np.isfinite(high))
    points = (np.arange(width * _FINE) + 0.5) / _FINE - 0.5
    if len(there) < 2:
        return np.full(len(points), np.nan)
    line = np.interp(points, there, (high[there] + low[there]) / 2)
    highest, lowest = high[there] + _PEN_PX, low[there] - _PEN_PX
    swapped = highest > lowest  # thinner than the pen: only the middle is known
    middle = (highest + lowest) / 2
    highest, lowest = np.where(swapped, middle, highest), np.where(swapped, middle, lowest)
    reach = np.arange(-_FINE, 2 * _FINE)
    window = np.clip(there[:, None] * _FINE + reach, 0, len(points) - 1)
    rows = np.arange(len(there))
    for _ in range(_PASSES):
        nearby = line[window]
        top, bottom = nearby.argmin(axis=1), nearby.argmax(axis=1)
        at = np.concatenate([window[rows, top], window[rows, bottom]])
        off = np.concatenate([highest - nearby[rows, top], lowest - nearby[rows, bottom]])
        weight = _smoothed(np.bincount(at, minlength=len(points)))
        line += _smoothed(np.bincount(at, off, minlength=len(points))) / (weight + 0.05)
    gap_px = _GAP_S * template.px_per_s
    for gap in np.flatnonzero(np.diff(there) > gap_px):
        line[(there[gap] + 1) * _FINE : there[gap + 1] * _FINE] = np.nan
    reach_px = round(gap_px)
    line[: max(0, there[0] - reach_px) * _FINE] = np.nan
    line[(there[-1] + 1 + reach_px) * _FINE :] = np.nan
    return line


def _smoothed(values: NDArray[Any]) -> Pixels:
    from scipy.ndimage import gaussian_filter1d

    sigma = _SMOOTH_PX * _FINE
    return np.asarray(
        gaussian_filter1d(values, sigma, output=float, mode="constant", radius=int(3 * sigma + 1))
    )
