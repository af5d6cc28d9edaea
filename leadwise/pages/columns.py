"""Where the columns of a page begin: not where ink ends, but where traces change from one lead to the next.

Three things tell it, and all columns are looked for at once, equally far apart. Bars are printed there, or ticks;
traces of all rows jump at one place; and only between the right places I + III is II and aVR + aVL + aVF is 0, and
a strip repeats its lead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

from leadwise.errors import ForeignPage
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.physics import is_limb, law_of
from leadwise.pages.rows import Rows, pitch_px
from leadwise.pages.traces import ANY_PAGE, share_out

Pixels = NDArray[np.float64]

_BAR_MM = 7.0  # above and below the baseline
_JUMP_PX = 8.0
_GAP_PX, _STEADY_PX = 4, 3
_CUT = 0.3  # of a page that is cut at the right: with less of it, it is refused
_FEW = 0.3  # pixels of ink a row: no trace but a gap
_WORD_MM, _LETTER_MM = 1.0, (1.2, 6.0)
_ODD_WIDTH, _GRIDS_WIDTH = 15.0, 0.2
_THERE = 0.2
_NAMED = 0.25  # a name that stands where its column begins, beside bars that stand at all of them: 2
# From the first column of ink to where the pen began is half a pen less that: on 38 drawn pages to 0.4 px.
# Where no bar tells where the last column ends, its last sample stands before that, at 500 Hz by so much.
_CAP_PX, _SAMPLE_PX = 0.7, 1.1
# So many of the rows begin or end at one place. Bars that stand further than this from equal distances tell less than
# such ends: of 0.4 and 0.2 the latter read 6 pages of the known form 3 dB better, and 39 drawn ones as well.
_TOGETHER, _END_PX = 0.5, 0.2
_FAR_PX, _AGREE_PX, _BEGIN_AND_END = 24, 3.0, 1.2  # so many begin and end there, of 2
_RAGGED_PX = 10  # so far rows of a bent sheet begin and end beside one another
_SURE = 0.4  # bars alone tell the place, to a part of a pixel
_BESIDE_PULSE_PX = 4.0  # half a millimetre: traces begin at a pulse's foot, and pens are wide
_APART = 0.02  # printers' columns were found up to 1 % wider or narrower than their grid says
_OFF_PX, _UNSURE_PX = (
    0.75,
    2.5,
)  # so far a bar on whole pixels may stand from where its column begins, and a jump


@dataclass(frozen=True)
class Columns:
    """Where the first column begins and how wide each is, in pixels of the upright page, and what speaks for it.

    `off` is how much of the traces breaks the laws of their leads, 0 to 1; `scale` is how large the traces are drawn,
    of what the grid says: 1 but for some printers.
    """

    first_px: float
    width_px: float
    count: int
    bars: float
    jumps: float
    off: float
    scale: float = 1.0

    def start(self, column: int) -> float:
        """Where a column begins, and with `count` where the last one ends, in pixels of the upright page."""
        return self.first_px + column * self.width_px


@dataclass(frozen=True)
class Look:
    """What is seen of a page's rows before a form is tried, ``(rows, width)`` each: edges, bars, jumps and words.

    `inked` ``(width,)``: whether there is a trace in more than a few of all rows.
    """

    edges: tuple[Pixels, Pixels]
    bars: Pixels
    jumps: Pixels
    words: Pixels
    inked: NDArray[np.bool_]
    pen_px: float

    @classmethod
    def at(cls, rows: Rows) -> Look:
        """Of rows that were found."""
        edges = share_out(rows.traces, rows.baselines_px, sharing=ANY_PAGE)
        return cls(
            edges,
            _bars(np.maximum(rows.traces, rows.marks), rows.baselines_px),
            _jumps(edges),
            _words(rows.marks, rows.baselines_px),
            (rows.traces > 127).sum(axis=0) > _FEW * len(rows.baselines_px),
            _pen_px(edges),
        )


@dataclass(frozen=True)
class Evidence:
    """What speaks for a new lead at each column of pixels, ``(width,)`` each, 0 to 1: means over rows with columns.

    `starts` and `ends` tell where traces begin and stop together, `each_starts` and `each_ends` in how many rows they
    do so by themselves; `there` whether most of these rows have one; `pen_px` is half the pen's width. `named`
    ``(columns, width)`` is how many of each column's leads have their name printed as if it began there.
    """

    bars: Pixels
    thin_bars: Pixels
    jumps: Pixels
    words: Pixels
    starts: Pixels
    ends: Pixels
    each_starts: Pixels
    each_ends: Pixels
    there: NDArray[np.bool_]
    pen_px: float
    named: Pixels | None = None

    @classmethod
    def of(cls, look: Look, rows: int, columns: int) -> Evidence:
        """Of a page whose uppermost `rows` have so many columns."""
        there = np.isfinite(look.edges[0])
        # where bars and jumps tell nothing, a narrow gap between pulses and traces does
        inked = look.inked if columns == 1 else np.zeros_like(look.inked)
        starts, ends = _starts(there), _starts(there[:, ::-1])[::-1]
        narrow = _GAP_PX // 2
        return cls(
            maximum_filter1d(look.bars[:rows], 3, axis=1).mean(axis=0),
            look.bars[:rows].mean(axis=0),
            maximum_filter1d(look.jumps[:rows], 3, axis=1).mean(axis=0),
            look.words[:rows].mean(axis=0),
            np.maximum(starts, _after_gap(inked, narrow)),
            np.maximum(ends, _after_gap(inked[::-1], narrow)[::-1]),
            starts,
            ends,
            there[:rows].mean(axis=0) > 0.5,
            look.pen_px,
        )


def _starts(there: NDArray[np.bool_]) -> Pixels:
    """In how many of the rows ``(rows, width)`` a trace begins after a gap."""
    return np.asarray(np.mean([_after_gap(row, _GAP_PX) for row in there], axis=0))


def _after_gap(there: NDArray[np.bool_], gap_px: int) -> NDArray[np.bool_]:
    before = np.concatenate([np.zeros(gap_px + 1), np.cumsum(there)])
    return np.asarray(there & (before[gap_px:-1] == before[: len(there)]))


def _bars(ink: NDArray[np.uint8], baselines_px: Pixels) -> Pixels:
    """How much of a bar stands at each column of pixels in each row, ``(rows, width)``, 0 to 1.

    `ink` uint8 with letters and marks. A bar is dark above and below the baseline, and narrow.
    """
    reach = round(_BAR_MM * PX_PER_MM)
    found = np.zeros((len(baselines_px), ink.shape[1]))
    for row, baseline in enumerate(np.round(baselines_px).astype(int)):
        above = ink[max(0, baseline - reach) : max(1, baseline - 4)].mean(axis=0) / 255
        below = (
            ink[baseline + 5 : baseline + reach + 1].mean(axis=0) / 255
            if baseline + 5 < len(ink)
            else above * 0
        )
        both = np.minimum(above, below) + 0.3 * np.maximum(above, below)
        beside = np.minimum(np.roll(both, 8), np.roll(both, -8))
        found[row] = np.clip(both - np.maximum(beside, minimum_filter1d(both, 15)), 0, 1)
    return found


def _jumps(edges: tuple[Pixels, Pixels]) -> Pixels:
    """How clearly each row's trace jumps between two flat pieces at each column of pixels, ``(rows, width)``, 0 to 1.

    `edges` ``(rows, width)`` are the upper and lower ones. Tall ink is a steep stroke, and so is no flat piece.
    """
    steps = np.zeros_like(edges[0])
    for row, (high, low) in enumerate(zip(*edges, strict=True)):
        if np.isfinite(high).sum() < 100:
            continue
        top, bottom = bridged(high), bridged(low)
        middle = (top + bottom) / 2
        mean = uniform_filter1d(middle, 5)
        tall = bottom - top - np.median(bottom - top)
        spread = maximum_filter1d(middle, 7) - minimum_filter1d(middle, 7) + maximum_filter1d(tall, 7)
        before, after = np.roll(mean, 4), np.roll(mean, -4)
        rough = np.roll(spread, 5) + np.roll(spread, -5)
        steps[row] = np.clip(np.abs(after - before) - rough, 0, _JUMP_PX) / _JUMP_PX
    return steps


def _pen_px(edges: tuple[Pixels, Pixels]) -> float:
    """Half the pen's width: half of how high ink is where traces are flat."""
    thick = (edges[1] - edges[0])[np.isfinite(edges[0])]
    return float(np.quantile(thick, 0.1)) / 2 if len(thick) else 1.0


def bridged(middle_px: Pixels) -> Pixels:
    """A row's trace ``(width,)`` with its gaps bridged."""
    known = np.flatnonzero(np.isfinite(middle_px))
    return np.asarray(np.interp(np.arange(len(middle_px)), known, middle_px[known]))


def _words(marks: NDArray[np.uint8], baselines_px: Pixels) -> Pixels:
    """Where words begin beside each row, ``(rows, width)``, 0 to 1, `_WORD_MM` to both sides."""
    rows, width = len(baselines_px), marks.shape[1]
    begins = np.zeros((rows, width))
    pitch = pitch_px(baselines_px)
    _, _, stats, _ = cv2.connectedComponentsWithStats((marks > 127).astype(np.uint8))
    letters = [
        (left, left + wide, top + tall / 2)
        for left, top, wide, tall, _ in stats[1:].tolist()
        if _LETTER_MM[0] * PX_PER_MM < tall < _LETTER_MM[1] * PX_PER_MM and wide < 1.3 * tall
    ]
    for left, _, middle in letters:
        row = int(np.abs(baselines_px - middle).argmin())
        follows = any(
            0 < left - other_right + 0.5 * PX_PER_MM < 2 * PX_PER_MM and abs(other - middle) < PX_PER_MM
            for _, other_right, other in letters
        )
        if not follows and abs(baselines_px[row] - middle) < 0.6 * pitch:
            begins[row, left] = 1
    reach = round(_WORD_MM * PX_PER_MM)
    return np.asarray(maximum_filter1d(begins, 2 * reach + 1, axis=1))


Law = tuple[int, Pixels, Pixels]
"""A column; how far off a law is at each column of pixels; and the size of what the law is about."""


def laws_of(
    values_px: Pixels, rows: Sequence[Sequence[str]], strips: Sequence[tuple[int, int, int]]
) -> list[Law]:
    """What must hold within columns, of heights ``(rows, width)`` over the baselines.

    `rows` are the leads of each row of a form; `strips` are row, column and row of the strip that repeats it.
    """
    reach = 3
    slopes = np.roll(values_px, -reach, axis=1) - np.roll(values_px, reach, axis=1)
    laws = []
    for column, names in enumerate(zip(*rows, strict=True)):
        limbs = [row for row, name in enumerate(names) if is_limb(name)]
        if (law := law_of([names[row] for row in limbs])) is not None:
            parts = slopes[limbs]
            laws.append((column, np.sum((law @ parts) ** 2, axis=0), np.sum(parts**2, axis=0)))
    for row, column, strip in strips:
        off = (slopes[row] - slopes[strip]) ** 2
        laws.append((column, off, slopes[row] ** 2 + slopes[strip] ** 2))
    return laws


def find_columns(
    evidence: Evidence,
    laws: Sequence[Law],
    count: int,
    width_px: float,
    scales: Sequence[float],
    between: tuple[float, float] = (-np.inf, np.inf),
    *,
    bent: bool = False,
) -> Columns:
    """The columns that fit best: `count` of about `width_px`, times one of the `scales` at which traces are drawn.

    They stand `between` two places, as far as these are known from calibration pulses. Of a `bent` sheet rows begin
    and end raggedly, where its field is least known; its grid tells how wide columns are.
    """
    edge, jump, word, there = evidence.bars, evidence.jumps, evidence.words, evidence.there
    page_px = len(edge)
    starts, ends = (maximum_filter1d(each, 2 * _STEADY_PX + 1) for each in (evidence.starts, evidence.ends))
    covered = np.concatenate([[0], np.cumsum(there)])
    sums = [
        (column, np.concatenate([[0], np.cumsum(off)]), np.concatenate([[0], np.cumsum(size)]))
        for column, off, size in laws
    ]
    best: Columns | None = None
    score = -np.inf
    for width in width_px * np.arange(1 - _APART, 1 + _APART + 1e-9, 0.002):
        first = np.arange(round(-0.1 * width), page_px - (count - max(0.5, _CUT * count)) * width)
        beside_px = np.maximum(between[0] - first, first + count * width - between[1])
        first = first[beside_px < _BESIDE_PULSE_PX]
        if not len(first):
            continue

        def at(values: Pixels, place: Pixels) -> Pixels:
            inside = (place >= 0) & (place < page_px - 1)
            return np.where(inside, values[np.clip(np.round(place), 0, page_px - 1).astype(int)], 0.0)

        def within(sums_: Pixels, column: int, first: Pixels = first, width: float = width) -> Pixels:
            ends = [
                np.clip(np.round(first + (column + end) * width), 0, page_px).astype(int) for end in (0, 1)
            ]
            return np.asarray(sums_[ends[1]] - sums_[ends[0]])

        inner = [first + column * width for column in range(1, count)]
        of_bars = _mean([at(edge, place) for place in inner], first)
        of_bars = of_bars + 0.1 * (at(edge, first) + at(edge, first + count * width))
        # where there is one column, all traces begin where it does
        of_jumps = _mean([at(jump, place) for place in inner] or [at(starts, first)], first)
        off = _mean(
            [
                np.minimum(within(off_, column) / np.maximum(within(size, column), 1.0), 1)
                for column, off_, size in sums
            ],
            first,
        )
        share = sum(within(covered, column) for column in range(count)) / count / width
        shifts = np.arange(-1, 7, 0.5) * PX_PER_MM
        of_words = np.max(
            [
                np.mean([at(word, first + shift + column * width) for column in range(count)], axis=0)
                for shift in shifts
            ],
            axis=0,
        )
        of_ends = at(starts, first) + at(ends, first + count * width)
        named = np.zeros(len(first))
        if evidence.named is not None:
            named = sum(
                (at(each, first + column * width) for column, each in enumerate(evidence.named)), named
            )
        total = (
            2 * of_bars
            + of_jumps
            - 2.5 * off
            + 3 * share
            + of_words
            + _NAMED * named
            + of_ends
            - _ODD_WIDTH * abs(width / width_px - 1)
        )
        at_best = int(np.argmax(total))
        if total[at_best] > score:
            score = total[at_best]
            told = (float(each[at_best]) for each in (of_bars, of_jumps, off))
            best = Columns(float(first[at_best]), float(width), count, *told)
    if best is None:
        raise ForeignPage("the page is too narrow for all columns of its form: is it cut? Scan it whole.")
    return (_by_grid if bent else _refined)(best, evidence, width_px, scales)


def _by_grid(columns: Columns, evidence: Evidence, width_px: float, scales: Sequence[float]) -> Columns:
    """Columns as wide as the grid says: where rows begin and end so far apart, else by bars, or by most ends.

    Bars as far apart as columns, or where rows begin, tell it best; others are QRS complexes of all rows.
    """
    found = [_begin_and_end(columns, evidence, width_px, scale) for scale in scales]
    told, rows = max(found, key=lambda each: each[1])
    together = rows > _BEGIN_AND_END
    if not together:
        told = min((told for told, _ in found), key=lambda each: abs(each.width_px - columns.width_px))
    if columns.bars > _SURE:
        near = replace(told, first_px=columns.first_px)
        bars = [_middle_near(evidence.thin_bars, round(near.start(n)), _THERE) for n in range(near.count + 1)]
        firsts = [seen[0] - n * near.width_px for n, seen in enumerate(bars) if seen is not None]
        by_bars = replace(near, first_px=float(np.median(firsts))) if firsts else near
        regular = len(firsts) >= max(2, near.count - 1) and np.ptp(firsts) < _AGREE_PX
        if regular or not together or abs(by_bars.first_px - told.first_px) < _AGREE_PX:
            return by_bars
    if together:
        return told
    told = replace(told, first_px=columns.first_px)
    place, weight = _ends(told, evidence, _RAGGED_PX)
    if not len(place):
        return told
    middle = int(np.searchsorted(np.cumsum(weight), weight.sum() / 2))
    return replace(told, first_px=float(place[middle]))


def _begin_and_end(
    columns: Columns, evidence: Evidence, width_px: float, scale: float
) -> tuple[Columns, float]:
    """Columns of one scale where most rows begin, and end as far from there as they are long; and how many, of 2."""
    told = replace(columns, width_px=scale * width_px, scale=scale)
    place, weight = _ends(told, evidence, _FAR_PX)
    if not len(place):
        return told, 0.0
    agree = np.abs(place - place[:, None]) < _AGREE_PX
    most = agree[int((agree @ weight).argmax())]
    first_px = float(np.average(place[most], weights=weight[most]))
    return replace(told, first_px=first_px), float(weight[most].sum())


def _ends(told: Columns, evidence: Evidence, reach_px: int) -> tuple[Pixels, Pixels]:
    """Where the first column begins by each start and end of rows beside it, in order, and for how many of them."""
    cap_px = max(0.0, evidence.pen_px - _CAP_PX)  # as in _refined
    after_px = _SAMPLE_PX - cap_px - told.count * told.width_px
    found = []
    for edge, column, beyond_px in (
        (evidence.each_starts, 0, cap_px),
        (evidence.each_ends, told.count, after_px),
    ):
        at = round(told.start(column)) + np.arange(-reach_px, reach_px + 1)
        at = at[(at >= 0) & (at < len(edge))]
        found += [(one + beyond_px, edge[one]) for one in at[edge[at] > 0]]
    place, weight = np.array(sorted(found)).reshape(-1, 2).T
    return place, weight


def _mean(values: list[Pixels], like: Pixels) -> Pixels:
    """Their mean; 0 at each place of `like` where there are none."""
    return np.asarray(np.mean(values, axis=0)) if values else np.zeros(len(like))


def _refined(columns: Columns, evidence: Evidence, width_px: float, scales: Sequence[float]) -> Columns:
    """Columns through the middles of the bars near them, or else of jumps, starts and ends, where there are some."""
    sure = columns.bars > _SURE
    cap_px = max(0.0, evidence.pen_px - _CAP_PX)  # ink reaches beyond where the pen began and stopped
    ends = {
        0: (evidence.starts, cap_px),
        columns.count: (evidence.ends, (0.0 if sure else _SAMPLE_PX) - cap_px),
    }
    found: dict[int, tuple[float, float]] = {}  # by the number of the column: its place, and how sure it is
    unmarked = []
    for column in range(columns.count + 1):
        edge, beyond_px = (evidence.thin_bars, 0.0) if sure else ends.get(column, (evidence.jumps, 0.0))
        least = 0.7 * columns.bars if sure and column in ends else _THERE
        if (seen := _middle_near(edge, round(columns.start(column)), least)) is not None:
            found[column] = seen[0] + beyond_px, seen[1]
        elif sure and column in ends:
            unmarked.append(column)
    if not found:
        return columns
    fitted = _line_through(found, width_px)
    scale = min(scales, key=lambda scale: abs(scale * width_px - fitted[1]))
    off_px = _off_px(found, scale * width_px)
    told = np.abs(off_px).max() < (_OFF_PX if sure else _UNSURE_PX)  # whole pixels allow what the grid says
    if not told:
        off_px = _off_px(found, fitted[1])
    weight = min(float(np.mean(off_px**2)) / _END_PX**2, 1.0)
    for column in unmarked:  # bars on whole pixels do not tell all
        edge, beyond_px = ends[column]
        if (seen := _middle_near(edge, round(columns.start(column)), _TOGETHER)) is not None:
            found[column] = seen[0] + beyond_px, weight * seen[1]
    if not told:
        first_px, found_px = _line_through(found, width_px)
        return replace(columns, first_px=first_px, width_px=found_px)
    first_px = np.average(
        [place - column * scale * width_px for column, (place, _) in found.items()],
        weights=[sure for _, sure in found.values()],
    )
    return replace(columns, first_px=float(first_px), width_px=scale * width_px, scale=scale)


def _line_through(found: Mapping[int, tuple[float, float]], width_px: float) -> tuple[float, float]:
    """First place and width that fit places by column, weighted; where few tell a width, it is about `width_px`."""
    number = np.array([*found], float)
    place, sure = np.array([*found.values()]).T
    matrix = np.column_stack([np.append(np.ones(len(number)), 0.0), np.append(number, 1.0)])
    root = np.sqrt(np.append(sure, _GRIDS_WIDTH if len(number) < 3 else 0.1 * _GRIDS_WIDTH))
    first, width = np.linalg.lstsq(matrix * root[:, None], np.append(place, width_px) * root, rcond=None)[0]
    return float(first), float(width)


def _off_px(found: Mapping[int, tuple[float, float]], width_px: float) -> Pixels:
    """How far places are from equal distances."""
    first = np.array([place - column * width_px for column, (place, _) in found.items()])
    return np.asarray(first - first.mean())


def _middle_near(edge: Pixels, place: int, least: float) -> tuple[float, float] | None:
    """Where what is seen near a place has its middle, and how much of it is seen; None where that is less."""
    left = max(0, place - 6)
    near = edge[left : place + 7]
    if len(near) < 13 or near.max() < least:
        return None
    at = max(3, int(np.median(np.flatnonzero(near > 0.9 * near.max()))))
    around = np.clip(near - 0.2 * near.max(), 0, None)[at - 3 : at + 4]
    if not around.any():
        return None
    return left + at - 3 + float(around @ np.arange(len(around)) / around.sum()), float(near.max())
