"""The reader of any page, flat or photographed: from a picture to the leads of whatever form it is.

Grid, ink, rows, columns, traces, and then what physics says of them. Every form of ``forms.yaml`` that has as many
rows as the page is a hypothesis; the one whose leads obey Einthoven, Goldberger and the strips best is kept. Which
side is up is told the same way, where the first look is not convincing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np

from leadwise.errors import ForeignPage, InputError, OtherScale
from leadwise.names import LEADS
from leadwise.pages import physics, quality, traces
from leadwise.pages.columns import Columns, Evidence, Look, Pixels, bridged, find_columns, laws_of
from leadwise.pages.digitize import correlation
from leadwise.pages.field import Field, find_field
from leadwise.pages.form_traces import Reader, pen_of, without_bars
from leadwise.pages.forms import Form, forms, lead_of, trace_scales
from leadwise.pages.grid import Grid, find_grid
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.pace import is_heart, printed_at, said_of_speed
from leadwise.pages.page_signals import RATE_HZ, UNNAMED, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.printed_names import (
    NameInRow,
    in_rows,
    named_columns,
    named_right,
    printed_names,
    strip_names,
    without_names,
)
from leadwise.pages.printed_scale import printed_scale
from leadwise.pages.pulse import Pulse, find_pulses, traces_between, without_flanks
from leadwise.pages.pulse_scale import scale_of_pulses
from leadwise.pages.read import Page
from leadwise.pages.rows import Rows, are_two_pages, find_rows
from leadwise.pages.sheet import Sheet, bent_sheet, flat_sheet, laid_flat
from leadwise.pages.turns import UPRIGHT, Side, is_named, read_side_up, runs_downwards

_BENT_MM = 0.5
# 6 of 77 photographs show a grid that seems flat, of 0.46 to 0.60; 19 of 20 drawn flat pages have 0.59 to 0.74.
_FLAT_CONTRAST = 0.57
# Of 60 drawn pages of five forms, 59 broke the laws of their own form least, and no other was so near.
_AS_LAWFUL = 0.1
_AS_NAMED = 0.15  # of twelve names, so few more are called where a form has them
_THERE = 0.1  # of a lead: with less it was cut off
_FOOT_MM = 2.0  # from a pulse's flank to the trace
_REPEATS = 0.8  # correlation of a strip with its lead
_USUAL = 0.03  # leads that strips repeat on nearly all printers win from others that are as alike


def read_any_page(
    page: Page,
    grid_of: Callable[[Page], Grid | None] = find_grid,
    field_of: Callable[[Page], Field | None] = find_field,
) -> PageSignals:
    """The leads of a page, BGR uint8 ``(height, width, 3)``, of any form in ``forms.yaml``, flat or photographed.

    `grid_of` and `field_of` give its grid and its field, which take time to find: who has looked for them already
    says so by that.

    Ways to read it are tried from the quickest to the slowest, until one gives leads of which nothing is to be said;
    else the one of which least is to be said. Raises `ForeignPage` where no grid, no rows or no known form is found,
    `DoubtfulPage` where a form is found but its leads cannot be twelve leads of one heart.
    """
    found: list[PageSignals] = []
    errors: list[InputError] = []
    for read in _ways(page, grid_of(page), field_of):
        try:
            signals = read()
        except OtherScale:
            raise
        except InputError as error:
            errors.append(error)
            continue
        if not quality.ink_is_doubtful(signals):
            return signals
        found.append(signals)
    if found:
        return min(found, key=lambda each: (len(each.warnings), -_convincing(each)))
    raise errors[0]


def _ways(
    page: Page, grid: Grid | None, field_of: Callable[[Page], Field | None]
) -> Iterator[Callable[[], PageSignals]]:
    """Ways to read a page, as flat or as bent, by the rule on colours or by the network."""
    seems_flat = grid is not None and (grid.contrast is None or grid.contrast >= _FLAT_CONTRAST)
    if grid is not None and seems_flat:
        yield lambda: _read_sheet(flat_sheet(page, grid))
    field = field_of(page)
    if field is not None and (grid is None or field.bent_mm > _BENT_MM):
        laid = cache(partial(laid_flat, page, field))
        yield lambda: _read_sheet(bent_sheet(laid()))
        yield lambda: _read_sheet(bent_sheet(laid(), keen=True), all_sides=False)
    elif grid is not None:
        if not seems_flat:
            yield lambda: _read_sheet(flat_sheet(page, grid))
        yield lambda: _read_sheet(flat_sheet(page, grid, by_network=True))
    else:
        yield lambda: _read_sheet(_scaled_by_pulses(page))


def _scaled_by_pulses(page: Page) -> Sheet:
    if (scale := scale_of_pulses(page)) is None:
        raise ForeignPage(
            "neither a grid nor calibration pulses were found on this page, and so no scale in millimetres. Scan it "
            "in colour, flat and upright."
        )
    return flat_sheet(page, scale)


def _read_sheet(sheet: Sheet, *, all_sides: bool = True) -> PageSignals:
    """What a sheet holds, its lines in pixels of the page."""
    read = partial(_read, sheet)
    signals = read_side_up(sheet.strokes.shape, read) if all_sides else read(UPRIGHT)

    def on_page(trace: Trace) -> Trace:
        return replace(trace, line_px=sheet.on_page(trace.line_px)) if len(trace.line_px) else trace

    by_pulse = "the page has no grid: millivolts are told by its calibration pulses, seconds as at 25 mm/s"
    return replace(
        signals.with_traces(on_page),
        warnings=(*signals.warnings, by_pulse) if sheet.scale_from == "pulse" else signals.warnings,
    )


def _read(sheet: Sheet, side: Side) -> PageSignals:
    ink, letters = side.set_up(sheet.strokes), side.set_up(sheet.letters)
    if runs_downwards(ink):
        raise ForeignPage("traces run from top to bottom on this page. Turn it by a quarter.")
    rows = find_rows(ink, letters)
    if are_two_pages(rows):
        raise ForeignPage(
            "two pages are in this picture, and neither was read. Cut it into one picture a page."
        )
    quality.refuse_clutter(rows)
    if len(rows.baselines_px) == 1:
        return _read_strip(sheet, rows)
    candidates = [
        form for form in forms() if form.printout is None and _rows_of(form) == len(rows.baselines_px)
    ]
    if not candidates:
        number = len(rows.baselines_px)
        if number > max(map(_rows_of, forms())):
            raise ForeignPage(
                f"{number} rows of traces were found, more than any known form has: are there two pages in this "
                "picture? Cut it into one picture a page."
            )
        if not number:
            raise ForeignPage("no traces were found on this page. Is it a printed ECG, whole and flat?")
        raise ForeignPage(
            f"{number} rows of traces were found, and no known form has that number of rows. 'leadwise layouts' "
            "lists those that are read."
        )
    names = in_rows(printed_names(np.maximum(ink, letters)), rows.baselines_px)
    rows = without_names(rows, names)
    look = Look.at(rows)
    pulses = find_pulses(np.maximum(rows.traces, rows.marks), rows.baselines_px)
    between = traces_between(pulses, len(rows.baselines_px), ink.shape[1])
    printed = dict(printed_at(form, len(rows.baselines_px), pulses) for form in candidates)
    if not pulses and (scale := printed_scale(rows.marks, rows.baselines_px)) is not None:
        printed = {replace(form.at_speed(scale[0]), gain_mm_per_mv=scale[1]): True for form in candidates}
    found = [
        (_read_form(sheet, rows, look, form, columns, pulses, names), form)
        for form, columns in _likeliest(sheet, rows, look, printed, between, names)
    ]
    signals, form = max(found, key=lambda each: _convincing(each[0]))
    quality.refuse_one_lead(signals.leads)
    if any(lead_of(name)[1] < 0 for row in form.rows for name in row) and not is_named(signals.quality):
        quality.refuse_doubtful_laws(signals)
    return _with_notes(quality.judged(_at_printed_gain(signals)), form, speed_is_told=printed[form])


def _with_notes(signals: PageSignals, form: Form, *, speed_is_told: bool) -> PageSignals:
    """The page with what was assumed of it: the order of its leads, its speed and gain."""
    told = signals.quality
    notes = said_of_speed(
        {name: trace for name, trace in signals.leads.items() if trace.start_s == 0} or signals.strips,
        form, told=speed_is_told, pulsed=told.pulse_mm is not None,
    )  # fmt: skip
    if not signals.leads:
        notes.append("this page shows one lead, and which one it is was not read")
    elif told.einthoven is None and told.goldberger is None and not is_named(told):
        notes.append(
            "no three limb leads were read at one time, and few names of leads: nothing but the usual order tells "
            "which lead is which"
        )
    return replace(signals, warnings=(*signals.warnings, *notes))


def _at_printed_gain(signals: PageSignals) -> PageSignals:
    """Voltages by the gain that the calibration pulse tells, where it is another than the form's."""
    told = signals.quality.pulse_mm
    usual = signals.geometry.gain_mm_per_mv
    if told is None or (gain := quality.printed_gain(told)) == usual:
        return signals

    def scaled(trace: Trace) -> Trace:
        return replace(trace, signal_mv=np.asarray(trace.signal_mv * (usual / gain), np.float32))

    said = f"the calibration pulse is {told:.1f} mm high: voltages are read at {gain:g} mm/mV"
    return replace(
        signals.with_traces(scaled),
        geometry=replace(signals.geometry, gain_mm_per_mv=gain),
        warnings=(*signals.warnings, said),
    )


def _rows_of(form: Form) -> int:
    return len(form.rows) + len(form.strips)


def _read_strip(sheet: Sheet, rows: Rows) -> PageSignals:
    """The one lead of a rhythm strip that was printed, or cut out, alone: as long as it is, without its pulses."""
    look = Look.at(rows)
    inked = np.flatnonzero(look.inked)
    first, last = int(inked[0]), int(inked[-1]) + 1
    pulses = find_pulses(np.maximum(rows.traces, rows.marks), rows.baselines_px)
    for pulse in pulses:
        foot = round(_FOOT_MM * PX_PER_MM)
        if pulse.right_px < (first + last) / 2:
            first = round(pulse.right_px) + foot
        else:
            last = min(last, round(pulse.left_px) - foot)
    form, told = printed_at(next(form for form in forms() if form.columns == 1), 1, pulses)
    seconds = (last - first) / sheet.across_px_per_mm / form.speed_mm_per_s
    form = replace(form, column_s=max(seconds, 1 / RATE_HZ))
    columns = Columns(first, last - first, 1, 0.0, 1.0, 0.0)
    read = Reader(rows, columns, form, look.edges, pen_of(look.edges, 1, columns, look.pen_px))
    strips = {UNNAMED: read.trace(0, 0, 1)}
    if not is_heart(strips[UNNAMED]):
        raise ForeignPage(
            "one row of traces was found on this page, and no heartbeats in it. Is it an ECG, whole?"
        )
    measured = quality.measured({}, strips, form, rows, columns, pulses, sheet.contrast)
    signals = quality.judged(_at_printed_gain(_as_read(sheet, form, UNNAMED, {}, strips, measured)))
    return _with_notes(signals, form, speed_is_told=told)


def _likeliest(
    sheet: Sheet,
    rows: Rows,
    look: Look,
    candidates: Iterable[Form],
    between: tuple[float, float],
    names: Sequence[NameInRow],
) -> list[tuple[Form, Columns]]:
    """The forms that have leads where their names are printed, and of these the most lawful, with their columns."""
    found = [(form, _columns_of(sheet, rows, look, form, between, names)) for form in candidates]
    named = [named_right(names, form, columns) for form, columns in found]
    found = [each for each, right in zip(found, named, strict=True) if right > max(named) - _AS_NAMED]
    least = min(columns.off for _, columns in found)
    return [(form, columns) for form, columns in found if columns.off < least + _AS_LAWFUL]


def _read_form(
    sheet: Sheet,
    rows: Rows,
    look: Look,
    form: Form,
    columns: Columns,
    pulses: Sequence[Pulse],
    names: Sequence[NameInRow],
) -> PageSignals:
    ink = without_bars(rows, look.bars, columns, form)
    ink = without_flanks(ink, rows.baselines_px, pulses, columns.start(0))
    starts = tuple(round(columns.start(column)) for column in range(columns.count + 1))
    inside = tuple(start for start in starts if 0 <= start < ink.shape[1])
    edges = traces.share_out(ink, rows.baselines_px, inside, traces.ANY_PAGE)
    read = Reader(rows, columns, form, edges, pen_of(edges, len(form.rows), columns, look.pen_px))
    leads = {}
    for row, printed in enumerate(form.rows):
        for column, name in enumerate(printed):
            lead, sign = lead_of(name)
            trace = read.trace(row, column, 1)
            leads[lead] = replace(trace, signal_mv=sign * trace.signal_mv)
    leads = {name: leads[name] for name in LEADS}
    strips = _named_strips(
        [read.trace(len(form.rows) + n, 0, form.columns) for n in range(len(form.strips))],
        strip_names(names, form, columns),
        leads,
    )
    measured = quality.measured(leads, strips, form, rows, columns, pulses, sheet.contrast)
    measured = replace(measured, named=named_right(names, form, columns))
    there = {name: trace for name, trace in leads.items() if np.isfinite(trace.signal_mv).mean() > _THERE}
    return _as_read(sheet, form, form.name, there, strips, measured)


def _as_read(
    sheet: Sheet,
    form: Form,
    name: str,
    leads: dict[str, Trace],
    strips: dict[str, Trace],
    measured: ReadQuality,
) -> PageSignals:
    geometry = Geometry(
        sheet.x_px_per_mm,
        sheet.y_px_per_mm,
        sheet.turn_degrees,
        False,
        form.speed_mm_per_s,
        form.gain_mm_per_mv,
        sheet.scale_from,
        sheet.bent_mm,
    )
    return PageSignals(name, "any page", leads, strips, geometry, measured, (), sheet.page)


def _columns_of(
    sheet: Sheet,
    rows: Rows,
    look: Look,
    form: Form,
    between: tuple[float, float],
    names: Sequence[NameInRow],
) -> Columns:
    """Columns, first without the strips' help, then with it where strips are found to repeat leads."""
    middles = (look.edges[0] + look.edges[1]) / 2
    named = named_columns(names, form, len(look.inked))
    evidence = replace(Evidence.of(look, len(form.rows), form.columns), named=named)
    heights = np.stack(
        [baseline - bridged(middle) for middle, baseline in zip(middles, rows.baselines_px, strict=True)]
    )
    width_px = form.column_s * form.speed_mm_per_s * sheet.across_px_per_mm
    find = partial(
        find_columns, evidence, count=form.columns, width_px=width_px, scales=trace_scales(form), between=between,
        bent=sheet.bent_mm > 0,
    )  # fmt: skip
    found = find(laws=laws_of(heights, form.rows, ()))
    repeated = [
        (*place, strip)
        for strip in range(len(form.rows), len(heights))
        if (place := _repeated(heights, strip, found, form)) is not None
    ]
    if not repeated:
        return found
    return find(laws=laws_of(heights, form.rows, repeated))


def _repeated(heights: Pixels, strip: int, columns: Columns, form: Form) -> tuple[int, int] | None:
    """Row and column of the lead that a strip resembles most; None where it repeats none: columns begin together."""

    def alike(place: tuple[int, int]) -> float:
        first, last = (max(0, round(columns.start(place[1] + end))) for end in (0, 1))
        one, two = heights[place[0], first:last], heights[strip, first:last]
        return float(np.nan_to_num(correlation(one, two), nan=-1.0))

    most = max(itertools.product(range(len(form.rows)), range(form.columns)), key=alike)
    return most if alike(most) > _REPEATS else None


def _named_strips(
    strips: list[Trace], printed: Mapping[int, str], leads: Mapping[str, Trace]
) -> dict[str, Trace]:
    """Strips by the names that are `printed` beside them, else by the lead that each resembles most.

    No two have one name. Columns follow one another in time, or all show the first seconds: whichever makes strips
    more alike.
    """
    at_once = {name: replace(lead, start_s=0.0) for name, lead in leads.items()}
    named: list[tuple[float, dict[str, Trace]]] = []
    for shown in (leads, at_once):
        called: dict[str, Trace] = {}
        total = 0.0
        for number, strip in enumerate(strips):
            alike = {
                name: (physics.alike(lead, strip) or -1.0) + _USUAL * (name in ("II", "V1", "V5"))
                for name, lead in shown.items()
                if name not in called and (name == printed.get(number) or name not in printed.values())
            }
            best = max(alike, key=lambda name: alike[name])
            best = printed.get(number, best)
            called[best] = strip
            total += alike[best]
        named.append((total, called))
    return max(named, key=lambda each: each[0])[1]


def _convincing(signals: PageSignals) -> float:
    told = signals.quality
    return physics.agreement(told.einthoven, told.goldberger, told.strip_alike, told.augmented) + (
        told.named or 0.0
    )
