"""Rows of a page's ink, whatever touches and frames them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn import ecg

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.names import LEADS
from leadwise.pages.ink import PX_PER_MM, ink_of
from leadwise.pages.rows import are_two_pages, find_rows

SIGNALS = ecg(rate_hz=500)
LOOK = Look(x_px_per_mm=PX_PER_MM, y_px_per_mm=PX_PER_MM)


def baselines_mm(form: str, look: Look, times: float = 1.0) -> np.ndarray:
    """Where rows were found on a page of heartbeats that are so many times as tall."""
    return find_rows(ink_of(draw(times * SIGNALS, 500, FORMS[form], look).page)).baselines_px / PX_PER_MM


@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_its_rows(form: str) -> None:
    rows = baselines_mm(form, replace(LOOK, pitch_mm=22))
    assert len(rows) == len(FORMS[form].rows) + len(FORMS[form].strips)
    assert np.diff(rows) == pytest.approx(22, abs=0.5)


def test_rows_whose_waves_reach_into_the_next_are_still_rows() -> None:
    rows = baselines_mm("6x2+1", replace(LOOK, pitch_mm=19, pen_px=3), times=1.8)
    assert np.diff(rows) == pytest.approx(19, abs=0.5)
    assert len(rows) == 7


@pytest.mark.parametrize("separators", ["line", "tick", "none"])
def test_a_frame_and_separators_are_no_rows(separators: str) -> None:
    rows = baselines_mm("3x4+1", replace(LOOK, frame=True, separators=separators))
    assert len(rows) == 4


@pytest.mark.parametrize("form", ["3x4", "3x4+1", "6x2+1"])
def test_edges_of_paper_on_a_table_are_no_rows(form: str) -> None:
    ink = ink_of(draw(SIGNALS, 500, FORMS[form], replace(LOOK, header=False, footer=False)).page)
    ink = np.pad(ink, ((200, 200), (0, 0)))
    x = np.arange(100, ink.shape[1] - 100)
    for y in (40, len(ink) - 40):  # bowed and shaky, as no frame is
        edge = np.stack(
            [x, y + 6 * np.sin(x / 300) + np.random.default_rng(0).uniform(-1.5, 1.5, len(x))], axis=1
        )
        cv2.polylines(ink, [np.round(edge).astype(np.int32)], False, 255, 4)
    rows = find_rows(ink)
    assert len(rows.baselines_px) == len(FORMS[form].rows) + len(FORMS[form].strips)
    assert not rows.traces[:100].any()
    assert rows.marks[30:50].any()


@pytest.mark.parametrize("form", ["2x6", "3x4", "3x4+1"])
def test_pieces_of_a_frame_that_rows_waves_reach_are_no_rows(form: str) -> None:
    page = draw(2 * SIGNALS, 500, FORMS[form], replace(LOOK, header=False, footer=False)).page
    ink = ink_of(page)
    baselines = find_rows(ink).baselines_px
    y = round(baselines[-1] + 0.6 * np.diff(baselines).mean())
    ink = np.pad(ink, ((0, max(0, y + 30 - len(ink))), (0, 0)))
    for left in (300, 1200):
        ink[y : y + 4, left : left + 250] = 255
    assert find_rows(ink).baselines_px == pytest.approx(baselines, abs=2)


def test_a_strip_that_stands_nearer_than_rows_do_is_one() -> None:
    page = draw(SIGNALS, 500, FORMS["3x4+1"], replace(LOOK, header=False, footer=False)).page
    ink = ink_of(page)
    baselines = find_rows(ink).baselines_px
    cut = round((baselines[2] + baselines[3]) / 2)
    nearer = round(0.4 * (baselines[3] - baselines[2]))
    ink = np.concatenate([ink[: cut - nearer // 2], ink[cut + nearer // 2 :]])
    rows = find_rows(ink).baselines_px
    assert len(rows) == 4
    assert rows[3] - rows[2] == pytest.approx(0.6 * (baselines[3] - baselines[2]), abs=4)


@pytest.mark.parametrize("lead", ["I", "V6"])
def test_a_flat_lead_is_a_row_at_the_top_and_at_the_bottom(lead: str) -> None:
    signals = SIGNALS.copy()
    signals[LEADS.index(lead)] *= 0.05
    page = draw(signals, 500, FORMS["12x1"], replace(LOOK, pitch_mm=16)).page
    assert len(find_rows(ink_of(page)).baselines_px) == 12


@pytest.mark.parametrize("form", FORMS)
def test_two_pages_below_or_beside_one_another_are_told_from_one(form: str) -> None:
    page = draw(SIGNALS, 500, FORMS[form], replace(LOOK, x_px_per_mm=4, y_px_per_mm=4)).page

    def are_two(picture: np.ndarray) -> bool:
        large = cv2.resize(picture, None, fx=PX_PER_MM / 4, fy=PX_PER_MM / 4, interpolation=cv2.INTER_CUBIC)
        return are_two_pages(find_rows(ink_of(large)))

    assert not are_two(page)
    assert are_two(np.vstack([page, page]))
    assert are_two(np.hstack([page, page]))


def test_an_empty_page_has_no_rows() -> None:
    found = find_rows(np.zeros((600, 900), np.uint8))
    assert not len(found.baselines_px)
    assert not found.traces.any()


def test_dots_of_a_grid_are_no_ink_and_traces_stay_where_they_are() -> None:
    ink = np.zeros((500, 1200), np.uint8)
    wave = np.round(8 * np.cos(np.arange(1200) / 9)).astype(int)
    for baseline in (120, 320):
        for column in range(50, 1150):
            first, last = sorted(baseline + wave[column - 1 : column + 1])
            ink[first : last + 3, column] = 255
    dotted = ink.copy()
    dotted[::8, ::8] = 255
    for column in range(210, 1000, 50):  # some hang below the trace
        dotted[120 + wave[column] + 3 :, column][:3] = 255
    plain, found = find_rows(ink), find_rows(dotted)
    assert np.count_nonzero(plain.traces) > 0.99 * np.count_nonzero(ink)
    assert np.mean((plain.traces > 0) != (found.traces > 0)) < 1e-4
    assert not found.marks.any()
