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
from leadwise.pages.forms import Form, known_form
from leadwise.pages.page_signals import PageSignals
from leadwise.scores.snr import lead_snrs_db, page_snr_db

RATE_HZ = 500
SIGNALS = ecg(rate_hz=RATE_HZ)
LOOK = Look(x_px_per_mm=6, y_px_per_mm=6.2, filter_hz=40)


def pitch_mm(form: Form) -> float:
    """Rows as near as on A4 held sideways, if there are many."""
    return min(30.0, 180 / (len(form.rows) + len(form.strips)))


def read(form: str, look: Look = LOOK) -> tuple[DrawnPage, PageSignals]:
    page = draw(SIGNALS, RATE_HZ, FORMS[form], replace(look, pitch_mm=pitch_mm(FORMS[form])))
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
    if len(page.form.rows) < 12:  # waves of two leads and more lie over one another where there are so many
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


SMALL = 0.6 * SIGNALS  # of voltages for which 20 mm/mV is chosen


@pytest.mark.parametrize(
    ("name", "speed_mm_per_s", "gain_mm_per_mv"),
    [
        ("3x4+1", 50, 10),
        ("6x2", 50, 5),
        ("12x1", 50, 5),
        ("4x3", 25, 5),
        ("3x4 cabrera", 25, 20),
        ("2x6", 50, 20),
    ],
)
def test_calibration_pulses_tell_speed_and_gain(
    name: str, speed_mm_per_s: float, gain_mm_per_mv: float
) -> None:
    form = replace(FORMS[name].at_speed(speed_mm_per_s), gain_mm_per_mv=gain_mm_per_mv)
    page = draw(SMALL, RATE_HZ, form, replace(LOOK, pitch_mm=pitch_mm(form)))
    signals = read_any_page(page.page)
    assert signals.form == name
    assert (signals.geometry.speed_mm_per_s, signals.geometry.gain_mm_per_mv) == (
        speed_mm_per_s,
        gain_mm_per_mv,
    )
    assert page_snr_db(page.leads, signals) > 20


def test_speed_and_gain_that_nothing_tells_are_said_to_be_assumed() -> None:
    _, signals = read("3x4+1", replace(LOOK, pulse="none", footer=False))
    (warning,) = signals.warnings
    assert "25 mm/s and 10 mm/mV are assumed" in warning


@pytest.mark.parametrize(("speed_mm_per_s", "gain_mm_per_mv"), [(25.0, 10.0), (50.0, 10.0), (25.0, 20.0)])
def test_words_tell_speed_and_gain_of_a_page_without_pulses(
    speed_mm_per_s: float, gain_mm_per_mv: float
) -> None:
    pytest.importorskip("rapidocr", reason="rapidocr is not installed: pip install leadwise[ocr]")
    form = replace(FORMS["6x2"].at_speed(speed_mm_per_s), gain_mm_per_mv=gain_mm_per_mv)
    signals_mv = SIGNALS * 10 / gain_mm_per_mv
    page = draw(signals_mv, RATE_HZ, form, replace(LOOK, pulse="none", pitch_mm=25))
    signals = read_any_page(page.page)
    found = signals.geometry
    assert (found.speed_mm_per_s, found.gain_mm_per_mv) == (speed_mm_per_s, gain_mm_per_mv)
    assert not any("assumed" in warning for warning in signals.warnings)
    assert page_snr_db(page.leads, signals) > 15


def test_paper_that_seems_to_have_run_twice_as_fast_as_it_was_read_is_told_of() -> None:
    look = replace(LOOK, pulse="none", footer=False, pitch_mm=25)
    page = draw(SIGNALS, RATE_HZ, FORMS["6x2"].at_speed(50), look)
    assert "as if the paper had run at 50 mm/s" in " ".join(read_any_page(page.page).warnings)


@pytest.mark.parametrize(("name_mm", "is_said"), [(LOOK.name_mm, False), (0.3, True)])
def test_leads_that_no_law_and_no_name_tells_apart_are_said_to_be_named_by_the_usual_order(
    name_mm: float, is_said: bool
) -> None:
    _, signals = read("2x6", replace(LOOK, name_mm=name_mm))
    assert ("nothing but the usual order tells" in " ".join(signals.warnings)) == is_said


@pytest.mark.parametrize("name", ["V1", "V5"])
def test_a_strip_is_called_as_is_printed_beside_it_whatever_it_looks_like(name: str) -> None:
    alike = SIGNALS.copy()
    alike[LEADS.index(name)] = alike[LEADS.index("II")]
    form = replace(FORMS["3x4+1"], strips=(name,))
    signals = read_any_page(draw(alike, RATE_HZ, form, LOOK).page)
    assert tuple(signals.strips) == (name,)


def test_names_tell_which_side_is_up_where_all_waves_point_down() -> None:
    signals = read_any_page(draw(-SIGNALS, RATE_HZ, FORMS["3x4+1"], LOOK).page)
    assert signals.quality.named is not None
    assert signals.quality.named > 0.5
    assert signals.geometry.turn_degrees == pytest.approx(0, abs=1)
    assert not any("side" in warning for warning in signals.warnings)


def test_minus_avr_is_turned_over() -> None:
    page, signals = read("6x2 cabrera")
    assert lead_snrs_db(page.leads, signals)["aVR"] > 20
