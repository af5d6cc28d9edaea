"""The reader of any page: leads of every form of the table, in millivolts and seconds, from flat pages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import ecg
from other_pages import printed_of

from leadwise.drawing.drawn import FORMS, DrawnPage, Look, draw
from leadwise.drawing.render import render
from leadwise.drawing.trials import band_limited
from leadwise.names import LEADS
from leadwise.pages.any_page import read_any_page
from leadwise.pages.forms import known_form
from leadwise.pages.page_signals import PageSignals
from leadwise.scores.snr import lead_snrs_db, page_snr_db

RATE_HZ = 500
SIGNALS = ecg(rate_hz=RATE_HZ)
LOOK = Look(x_px_per_mm=6, y_px_per_mm=6.2, filter_hz=40)


def read(form: str, look: Look = LOOK) -> tuple[DrawnPage, PageSignals]:
    page = draw(SIGNALS, RATE_HZ, FORMS[form], look)
    return page, read_any_page(page.page)


@pytest.mark.parametrize("form", FORMS)
def test_leads_of_every_form_are_read_in_millivolts_and_seconds(form: str) -> None:
    page, signals = read(form)
    assert signals.form == form
    assert tuple(signals.leads) == LEADS
    assert tuple(signals.strips) == FORMS[form].strips
    assert {name: trace.start_s for name, trace in signals.leads.items()} == {
        name: shown.start_s for name, shown in page.leads.items()
    }
    assert page_snr_db(page.leads, signals) > 20
    assert np.quantile(list(lead_snrs_db(page.leads, signals).values()), 0.1) > 20


@pytest.mark.parametrize("separators", ["line", "tick", "none"])
def test_columns_are_found_to_half_a_pixel_with_bars_between_them_and_without(separators: str) -> None:
    page, signals = read("3x4", replace(LOOK, separators=separators))
    for name in ("aVR", "V1", "V4"):  # the first that stand behind a boundary
        first = signals.leads[name].line_px[0]
        # a line's points stand on half pixels of the upright page: the first up to 0.6 px before its column
        assert abs(first[0] - page.leads[name].line_px[0, 0]) < 0.8


def test_bars_on_whole_pixels_and_traces_smaller_than_their_grid_are_a_printers_that_is_known() -> None:
    signals_mv = band_limited(SIGNALS, RATE_HZ)
    signals = read_any_page(render(signals_mv, RATE_HZ))
    shown = printed_of(signals_mv, RATE_HZ, known_form())
    assert page_snr_db(shown, signals) > 26  # 22.6 by the middles of its bars and its grid
    assert signals.leads["V4"].signal_mv.max() == pytest.approx(shown["V4"].signal_mv.max(), rel=0.01)


def test_a_line_lies_on_the_trace_of_the_page_as_it_was_given() -> None:
    page, signals = read("3x4+1", replace(LOOK, turn_degrees=2.0, margin_mm=15))
    line, drawn = signals.leads["V5"].line_px[::10], page.leads["V5"].line_px
    apart = np.linalg.norm(line[:, None] - drawn[None], axis=2).min(axis=1)
    assert np.quantile(apart, 0.9) < 1.0


def test_geometry_is_that_of_the_print() -> None:
    _, signals = read("3x4+1", replace(LOOK, turn_degrees=-1.5))
    found = signals.geometry
    assert (found.x_px_per_mm, found.y_px_per_mm) == pytest.approx((6, 6.2), rel=0.005)
    assert found.turn_degrees == pytest.approx(-1.5, abs=0.1)
    assert (found.speed_mm_per_s, found.gain_mm_per_mv, found.scale_from) == (25, 10, "grid")


def test_a_strip_is_named_by_the_lead_that_it_repeats() -> None:
    form = replace(FORMS["3x4+1"], strips=("V5",))
    page = draw(SIGNALS, RATE_HZ, form, LOOK)
    assert list(read_any_page(page.page).strips) == ["V5"]
