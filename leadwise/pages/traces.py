"""Which ink belongs to which row of a page that was brought to one scale.

Each pixel column of a page holds a few unbroken runs of ink, nearly always one for each row; where traces cross, the
runs of all rows are shared out together, so that ink which two rows could claim goes to one of them and none is left
over. What they mean for the line that was drawn tells `leadwise.pages.pen`.

All lengths are in pixels of a page at some 79 px a mV and 197 px a second (`leadwise.pages.forms`), as the numbers
below were chosen there.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.runs import runs_of

Pixels = NDArray[np.float64]

_REACH_PX = 330  # 4.2 mV: no trace was seen further from its baseline

# Costs of a sharing-out, a column, beside those of `Sharing`: pixels between the runs of neighbouring columns; ink
# that no row claims; and, weakly, distance from the row's baseline, in which one far row is likelier than two near.
_FAR = 0.1
_UNCLAIMED, _UNCLAIMED_PX = 4.0, 0.3  # for a run, and for each of its first 30 px
_MOST_SHARINGS = 100
_FEW_ROWS = 4  # of more, what lies alone in one row's band is no other row's: all sharings would be too many

_SLIT_PX, _SPECK_PX = 8, 6
_JUMP_PX, _TIP_PX = 20, 25  # no stroke leaves more between two columns; a tip that crosses is not wider


@dataclass(frozen=True)
class _Runs:
    """Unbroken upright runs of ink, from left to right and from the top: column, first and last row of pixels."""

    column: NDArray[np.intp]
    top: NDArray[np.intp]
    bottom: NDArray[np.intp]
    first: NDArray[np.intp]
    """Number of each column's first run; one more than there are columns."""


@dataclass(frozen=True)
class Sharing:
    """What a column costs in which a row has no run, or two rows hold one; and how far a step may cost.

    Where it goes `from_baseline`, a trace goes into a gap and comes back from it at 0 mV; else from anywhere.
    """

    none: float = 8.0
    shared: float = 6.0
    furthest: float = 100.0
    from_baseline: bool = False


KNOWN_FORM = Sharing()
"""As pages of the known form were read when that was published: hardly a gap is on them."""

ANY_PAGE = Sharing(none=2.0, shared=3.0, furthest=200.0, from_baseline=True)
"""Where ink may be missing: no row takes another's ink for its own in a gap, which costs less."""


def share_out(
    ink: NDArray[np.uint8],
    baselines_px: Pixels,
    starts: tuple[int, ...] = (0,),
    sharing: Sharing = KNOWN_FORM,
) -> tuple[Pixels, Pixels]:
    """Upper and lower edge of each row's ink, ``(rows, width)`` in pixels, nan where it has none.

    `ink` uint8 ``(height, width)``, 255 where black; `baselines_px` are the rows of pixels of 0 mV, from the top;
    `starts` the columns of pixels at which a trace may jump: where a lead begins.
    """
    rows = len(baselines_px)
    bands = np.concatenate([[-np.inf], (baselines_px[1:] + baselines_px[:-1]) / 2, [np.inf]])
    runs = _find_runs(ink)
    if rows > _FEW_ROWS:
        runs = _without_specks(runs, ink.shape[1])
    width = ink.shape[1]
    chosen = np.full((rows, width), -1)
    if not len(runs.column):
        return np.full((rows, width), np.nan), np.full((rows, width), np.nan)
    band = np.searchsorted(bands, runs.top) - 1
    beyond = np.searchsorted(bands, runs.bottom) - 1
    count = np.zeros((rows, width), int)
    np.add.at(count, (band, runs.column), 1)
    across = np.flatnonzero(band != beyond)
    doubtful = np.asarray((count > 1).any(axis=0))
    doubtful[runs.column[across]] = True
    chosen[band, runs.column] = np.arange(len(runs.column))
    jumpy = _between_jumps(runs, chosen)
    doubtful |= jumpy
    contested = (count[band, runs.column] > 1) | (band != beyond) | jumpy[runs.column]
    if rows <= _FEW_ROWS:
        contested[:] = True
    for start, stop in _stretches(doubtful, starts):
        _share_stretch(runs, band, contested, chosen, baselines_px, starts, start, stop, sharing)
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


def _find_runs(ink: NDArray[np.uint8]) -> _Runs:
    height, width = ink.shape
    upright = np.zeros((width, height + 2), np.bool_)
    upright[:, 1:-1] = cv2.transpose(ink) > 127
    line = upright.ravel()
    changes = np.flatnonzero(line[1:] != line[:-1])
    column, top = np.divmod(changes[::2], height + 2)
    bottom = changes[1::2] % (height + 2) - 1
    return _Runs(column, top, bottom, np.searchsorted(column, np.arange(width + 1)))


def _without_specks(runs: _Runs, width: int) -> _Runs:
    """Runs without what little ink lies right above or below a tall one: sides of a narrow wave, not quite apart."""
    height = runs.bottom - runs.top + 1
    near = (runs.column[1:] == runs.column[:-1]) & (runs.top[1:] - runs.bottom[:-1] <= _SLIT_PX)
    small = height <= _SPECK_PX
    kept = np.ones(len(height), np.bool_)
    kept[1:] &= ~(near & small[1:] & (height[:-1] > 3 * height[1:]))
    kept[:-1] &= ~(near & small[:-1] & (height[1:] > 3 * height[:-1]))
    column = runs.column[kept]
    return _Runs(column, runs.top[kept], runs.bottom[kept], np.searchsorted(column, np.arange(width + 1)))


def _edges(ink: NDArray[np.uint8], runs: _Runs) -> tuple[Pixels, Pixels]:
    """Where the ink passes half of black, between pixels: above and below each run."""
    padded = np.pad(ink, ((1, 1), (0, 0))).astype(float)

    def crossing(inside: NDArray[np.intp], outside: NDArray[np.intp]) -> Pixels:
        dark, light = padded[inside + 1, runs.column], padded[outside + 1, runs.column]
        return np.asarray((dark - 127.5) / np.maximum(dark - light, 1.0))

    upper = runs.top - crossing(runs.top, runs.top - 1)
    return upper, runs.bottom + crossing(runs.bottom, runs.bottom + 1)


def _stretches(doubtful: NDArray[np.bool_], starts: tuple[int, ...]) -> list[tuple[int, int]]:
    """First column and the one after the last of each doubtful stretch; none reaches over a separator."""
    stretches: list[tuple[int, int]] = []
    for start, stop in itertools.pairwise(sorted({0, *starts, len(doubtful)})):
        columns = np.flatnonzero(doubtful[start:stop]) + start
        parts = np.split(columns, np.flatnonzero(np.diff(columns) > 2) + 1)
        stretches += [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]
    return stretches


def _share_stretch(
    runs: _Runs,
    band: NDArray[np.intp],
    contested: NDArray[np.bool_],
    chosen: NDArray[np.intp],
    baselines_px: Pixels,
    starts: tuple[int, ...],
    start: int,
    stop: int,
    sharing: Sharing,
) -> None:
    """Share out the runs of doubtful columns over all rows at once: the cheapest way from column to column."""
    edges = {0, *starts, chosen.shape[1]}
    before = None if start in edges else _sharings_of([[int(run)] for run in chosen[:, start - 1]])
    total = np.zeros(1)
    states, back = before, []
    history = []
    for column in range(start, stop):
        here = range(runs.first[column], runs.first[column + 1])
        options = []
        for row, baseline in enumerate(baselines_px):
            own = [run for run in here if band[run] == row and not contested[run]]
            near = [
                run for run in here if contested[run] and (band[run] == row or _reaches(runs, run, baseline))
            ]
            options.append(own or [*near, -1])
        new = _sharings_of(_fewer(runs, options, baselines_px))
        cost = _cost_of(runs, new, here, baselines_px, sharing)
        if states is None:
            pointers, total = np.zeros(len(new), int), cost
        else:
            way = total[:, None] + _steps(runs, states, new, baselines_px, sharing)
            pointers = way.argmin(axis=0)
            total = way[pointers, np.arange(len(new))] + cost
        states = new
        history.append(new)
        back.append(pointers)
    if stop not in edges and states is not None:
        after = _sharings_of([[int(run)] for run in chosen[:, stop]])
        total = total + _steps(runs, states, after, baselines_px, sharing)[:, 0]
    state = int(total.argmin())
    for column in range(stop - 1, start - 1, -1):
        chosen[:, column] = history[column - start][state]
        state = int(back[column - start][state])


def _reaches(runs: _Runs, run: int, baseline_px: float) -> bool:
    return bool(runs.top[run] - baseline_px < _REACH_PX and baseline_px - runs.bottom[run] < _REACH_PX)


def _fewer(runs: _Runs, options: list[list[int]], baselines_px: Pixels) -> list[list[int]]:
    """The options of each row, the farthest left out until there are not too many sharings."""
    tall_first = (
        len(baselines_px) > _FEW_ROWS
    )  # else as the known form's pages were read when they were published

    def distance(run: int, row: int) -> float:
        if run < 0:
            return -np.inf
        if not tall_first:
            return float(abs((runs.top[run] + runs.bottom[run]) / 2 - baselines_px[row]))
        off = max(runs.top[run] - baselines_px[row], baselines_px[row] - runs.bottom[run], 0)
        return float(off - min(runs.bottom[run] - runs.top[run], 30))

    options = [
        sorted(choices, key=functools.partial(distance, row=row)) for row, choices in enumerate(options)
    ]
    while math.prod(len(choices) for choices in options) > _MOST_SHARINGS:
        most = max(options, key=len)
        # the first is none: of one run and none a row of many keeps the run
        most.pop(0 if tall_first and len(most) == 2 else -1)
    return options


def _sharings_of(options: list[list[int]]) -> NDArray[np.intp]:
    """All ways to give each row one of its options, ``(n, rows)``; -1 is none."""
    return np.array(list(itertools.product(*options)), np.intp)


def _cost_of(
    runs: _Runs, sharings: NDArray[np.intp], here: range, baselines_px: Pixels, sharing: Sharing
) -> NDArray[np.float64]:
    none = sharings < 0
    middle = (runs.top[sharings] + runs.bottom[sharings]) / 2
    far = np.sqrt(np.abs(middle - baselines_px))
    claimed = (sharings[:, :, None] == np.arange(here.start, here.stop)).any(axis=1)
    height = np.minimum(runs.bottom[here.start : here.stop] - runs.top[here.start : here.stop], 30)
    left_over = (~claimed) @ (_UNCLAIMED + _UNCLAIMED_PX * height)
    shared = (~none).sum(axis=1) - claimed.sum(axis=1)
    alone = np.where(none, sharing.none, _FAR * far).sum(axis=1)
    return np.asarray(alone + sharing.shared * shared + left_over)


def _steps(
    runs: _Runs, old: NDArray[np.intp], new: NDArray[np.intp], baselines_px: Pixels, sharing: Sharing
) -> NDArray[np.float64]:
    """Cost ``(n old, n new)`` of going from one column's sharing to the next one's."""
    from_, to = old[:, None, :], new[None, :, :]
    gap = np.maximum(runs.top[to] - runs.bottom[from_], runs.top[from_] - runs.bottom[to])
    known = (from_ >= 0) & (to >= 0)
    if sharing.from_baseline:
        to_off, from_off = (
            np.maximum(runs.top[each] - baselines_px, baselines_px - runs.bottom[each])
            for each in (to, from_)
        )
        gap = np.where(from_ < 0, to_off, np.where(to < 0, from_off, gap))
        known = (from_ >= 0) | (to >= 0)
    return np.asarray(np.where(known, np.clip(gap - 1, 0, sharing.furthest), 0).sum(axis=2), np.float64)


def _part_merged(chosen: NDArray[np.intp], high: Pixels, low: Pixels) -> None:
    """Where two rows hold one run, it is kept by the row that moves further; the other is bridged."""
    width = chosen.shape[1]
    for first, second in itertools.combinations(range(len(high)), 2):
        merged = (chosen[first] >= 0) & (chosen[first] == chosen[second])
        for start, end in runs_of(merged).tolist():
            left, right = max(start - 1, 0), min(end, width - 1)
            moves = [
                np.nan_to_num(
                    np.nanmax([low[row, left] - high[row, left], low[row, right] - high[row, right], 0.0])
                )
                + np.nan_to_num(abs(high[row, left] - high[row, right]))
                for row in (first, second)
            ]
            still = first if moves[0] < moves[1] else second
            high[still, start:end] = low[still, start:end] = np.nan


_STRAY_GAP_PX, _STRAY_PX, _END_PX = 8.0, 30, 12


def without_strays(high: Pixels, low: Pixels, band_px: tuple[float, float]) -> tuple[Pixels, Pixels]:
    """Edges ``(width,)`` of one lead without pieces that are another row's: nan there.

    A trace goes on from one column of pixels to the next. A short piece outside the row's own band that does not, on
    both sides, and without which what is before and behind it fits better, is none of it; nor is one at an end.
    """
    there = np.flatnonzero(np.isfinite(high))
    if not len(there):
        return high, low
    top, bottom = high[there], low[there]
    apart = np.maximum(top[1:] - bottom[:-1], top[:-1] - bottom[1:])
    ends = np.flatnonzero(apart > _STRAY_GAP_PX) + 1
    pieces = [(int(part[0]), int(part[-1])) for part in np.split(np.arange(len(there)), ends)]
    kept: list[tuple[int, int]] = []
    for number, (first, last) in enumerate(pieces):
        length = there[last] - there[first] + 1
        behind = pieces[number + 1] if number + 1 < len(pieces) else None
        if kept and behind is not None:
            before = kept[-1][1]
            past = max(top[behind[0]] - bottom[before], top[before] - bottom[behind[0]])
            to_it = max(top[first] - bottom[before], top[before] - bottom[first])
            from_it = max(top[behind[0]] - bottom[last], top[last] - bottom[behind[0]])
            stray = length < _STRAY_PX and past < min(to_it, from_it)
        else:
            stray = len(pieces) > 1 and length < _END_PX
        middle = float(np.mean(top[first : last + 1] + bottom[first : last + 1])) / 2
        if not stray or band_px[0] <= middle < band_px[1]:
            kept.append((first, last))
    clean = np.full((2, len(high)), np.nan)
    for first, last in kept:
        part = there[first : last + 1]
        clean[:, part] = high[part], low[part]
    return clean[0], clean[1]
