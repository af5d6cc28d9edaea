"""Drawn pages of any form: what they show is what their truth says, wherever a scanner put it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import ecg

from leadwise.drawing.drawn import FORMS, GRIDS, DrawnPage, Look, draw, with_any_strips
from leadwise.drawing.drawn_ink import FONTS
from leadwise.names import LEADS
from leadwise.pages.forms import lead_of

RATE_HZ = 500
SIGNALS = ecg(rate_hz=RATE_HZ)
PLAIN = Look(x_px_per_mm=5, y_px_per_mm=5)


def darkness_of(page: DrawnPage) -> float:
    """The share of the traces' points on the page at which, or beside which, a pixel is darker than any grid."""
    dark = page.page.max(axis=2) < 140
    height, width = dark.shape
    found = []
    for trace in (*page.leads.values(), *page.strips.values()):
        x, y = np.round(trace.line_px).astype(int).T
        seen = (x > 0) & (x < width - 1) & (y > 0) & (y < height - 1)
        near = [dark[y[seen] + down, x[seen] + right] for down in (-1, 0, 1) for right in (-1, 0, 1)]
        found.append(np.any(near, axis=0))
    return float(np.concatenate(found).mean())


@pytest.mark.parametrize("form_name", FORMS)
def test_every_form_shows_each_lead_where_and_when_it_stands(form_name: str) -> None:
    form = FORMS[form_name]
    page = draw(SIGNALS, RATE_HZ, form, PLAIN)
    assert tuple(page.leads) == LEADS
    assert tuple(page.strips) == form.strips
    for row in form.rows:
        for column, name in enumerate(row):
            lead, sign = lead_of(name)
            shown = page.leads[lead]
            start = round(column * form.column_s * RATE_HZ)
            true = SIGNALS[LEADS.index(lead), start : start + len(shown.signal_mv)]
            assert (shown.start_s, shown.length_s) == (column * form.column_s, form.column_s)
            assert np.ptp(shown.signal_mv - true) < 1e-12
            rises_px = -np.diff(shown.line_px[:, 1])
            assert np.sum(sign * rises_px * np.diff(shown.signal_mv)) > 0  # aVR falls where -aVR is printed
    assert all(strip.length_s == pytest.approx(form.length_s) for strip in page.strips.values())
    assert darkness_of(page) > 0.999


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_page_looks_like_its_traces_are_dark_where_the_truth_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    form = with_any_strips(list(FORMS.values())[seed % len(FORMS)], rng)
    look = replace(Look.at_random(rng, rows=7), x_px_per_mm=6, y_px_per_mm=6.2, pen_px=2)
    assert darkness_of(draw(SIGNALS, RATE_HZ, form, look)) > 0.99


@pytest.mark.parametrize(
    "seen", [{"quarter_turns": 1}, {"quarter_turns": 2}, {"mirrored": True}, {"turn_degrees": 3.0}]
)
def test_a_turned_page_takes_its_truth_with_it(seen: dict[str, float]) -> None:
    assert darkness_of(draw(SIGNALS, RATE_HZ, FORMS["6x2+1"], replace(PLAIN, **seen))) > 0.99


@pytest.mark.parametrize("grid", GRIDS)
def test_a_grid_has_its_colour_and_no_ink_of_the_trace(grid: str) -> None:
    page = draw(np.zeros((12, 5000)), RATE_HZ, FORMS["3x4"], replace(PLAIN, grid=grid, smooth=False))
    colour = GRIDS[grid] or (255, 255, 255)
    assert (page.page == colour).all(axis=2).mean() > 0.01
    assert (page.page.max(axis=2) < 140).mean() < 0.03  # pulses, names and flat lines


@pytest.mark.parametrize("font", FONTS)
def test_names_stand_above_their_leads_in_every_font(font: str) -> None:
    named = draw(np.zeros((12, 5000)), RATE_HZ, FORMS["3x4"], replace(PLAIN, font=font, grid="none"))
    dark = named.page.max(axis=2) < 140
    for lead in named.leads.values():
        x, y = np.round(lead.line_px[0]).astype(int)
        assert dark[y - 50 : y - 25, x + 3 : x + 60].any()


def test_a_second_is_25_mm_and_a_millivolt_10_mm_on_either_scale() -> None:
    look = replace(PLAIN, x_px_per_mm=6, y_px_per_mm=5)
    lead = draw(SIGNALS, RATE_HZ, FORMS["3x4"], look).leads["V2"]
    assert np.diff(lead.line_px[:, 0]) == pytest.approx(6 * 25 / RATE_HZ)
    assert np.ptp(lead.line_px[:, 1]) == pytest.approx(5 * 10 * np.ptp(lead.signal_mv))


def test_columns_begin_together_where_the_device_prints_so() -> None:
    after, together = (
        draw(SIGNALS, RATE_HZ, FORMS["3x4"], replace(PLAIN, simultaneous=simultaneous)).leads["V1"]
        for simultaneous in (False, True)
    )
    lead = SIGNALS[LEADS.index("V1")]
    assert after.start_s == together.start_s == 5.0
    assert np.ptp(after.signal_mv - lead[2500:3750]) < 1e-12
    assert np.ptp(together.signal_mv - lead[:1250]) < 1e-12


def test_the_same_chance_draws_the_same_page() -> None:
    one, other = (
        draw(SIGNALS, RATE_HZ, FORMS["3x4"], Look.at_random(np.random.default_rng(3))) for _ in range(2)
    )
    assert np.array_equal(one.page, other.page)


def test_a_recording_shorter_than_the_form_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 10 s"):
        draw(SIGNALS[:, :4000], RATE_HZ, FORMS["3x4"], PLAIN)


def test_strips_are_of_other_leads_on_some_pages() -> None:
    rng = np.random.default_rng(0)
    strips = {with_any_strips(FORMS["3x4+2"], rng).strips for _ in range(20)}
    assert len(strips) > 2
    assert all(len(set(names)) == 2 for names in strips)
