"""The field of a photographed page: where each millimetre of a bent sheet lies."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn import BEATS_S, ecg

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.drawing.photographed import Photograph, photographed
from leadwise.pages.any_page import read_any_page
from leadwise.pages.field import find_field, looked_up, middle, rectified
from leadwise.scores.drawn_pages import WRONG_DB
from leadwise.scores.snr import aligned_snr_db, page_snr_db

RATE_HZ = 500
LOOK = Look(x_px_per_mm=10, y_px_per_mm=10, pen_px=3)
STEP_MM = 2.5  # between the nodes of a field


def photograph(seed: int, grid: str = "red", form: str = "3x4+1", crumple: float = 0.7) -> Photograph:
    look = replace(LOOK, grid=grid, pitch_mm=14.0 if form == "12x1" else 30.0)
    drawn = draw(ecg(BEATS_S, RATE_HZ), RATE_HZ, FORMS[form], look)
    return photographed(drawn, np.random.default_rng(seed), crumple=crumple)


@pytest.mark.parametrize(
    ("seed", "grid", "form"), [(0, "red", "3x4+1"), (4, "grey", "3x4+1"), (0, "pink", "12x1")]
)
def test_nodes_of_a_crumpled_sheet_lie_where_its_millimetres_are_seen(
    seed: int, grid: str, form: str
) -> None:
    seen = photograph(seed, grid, form)
    field = find_field(seen.page)
    assert field is not None
    assert field.bent_mm > 1
    x, y = np.moveaxis(field.nodes_px, 2, 0)
    there = np.stack([cv2.remap(part, x, y, cv2.INTER_LINEAR) for part in np.moveaxis(seen.mm, 2, 0)])
    rows, columns = np.mgrid[: x.shape[0], : x.shape[1]] * STEP_MM
    off = (there - np.stack([columns, rows]))[:, field.clear]
    off -= np.median(off, axis=1, keepdims=True)  # which square is the first one does not matter
    assert np.quantile(np.abs(off), 0.5) < 0.06
    assert np.quantile(np.abs(off), 0.8) < 0.3


@pytest.mark.parametrize(("seed", "grid"), [(0, "red"), (1, "red"), (4, "grey")])
def test_ends_of_traces_near_the_papers_edge_are_placed_as_well(seed: int, grid: str) -> None:
    seen = photograph(seed, grid)
    field = find_field(seen.page)
    assert field is not None
    x, y = np.moveaxis(field.nodes_px, 2, 0)
    there = np.stack([cv2.remap(part, x, y, cv2.INTER_LINEAR) for part in np.moveaxis(seen.mm, 2, 0)])
    off = there[0] - np.arange(x.shape[1]) * STEP_MM
    off -= np.median(off[field.clear])
    to_mm = np.linalg.inv(np.vstack([seen.drawn.to_page, (0, 0, 1)]))
    traces = np.concatenate([lead.line_px for lead in seen.drawn.leads.values()])
    traces_mm = traces @ to_mm[:2, :2].T + to_mm[:2, 2]
    for end_mm in (traces_mm[:, 0].min(), traces_mm[:, 0].max()):
        near = np.abs(there[0] - end_mm) < 5
        near &= (there[1] > traces_mm[:, 1].min()) & (there[1] < traces_mm[:, 1].max())
        assert np.quantile(np.abs(off[near]), 0.9) < 0.5, (
            "means of what lies to one side alone were off by 1.4 mm"
        )


def test_a_rectified_sheet_is_flat_and_knows_its_place_on_the_page() -> None:
    seen = photograph(1)
    field = find_field(seen.page)
    assert field is not None
    picture, places, paper = rectified(seen.page, field, 8.0)
    assert picture.shape[:2] == places.shape[:2] == paper.shape
    assert paper.mean() > 0.5
    again = find_field(picture)
    assert again is not None
    assert again.bent_mm < 0.4 * field.bent_mm
    assert middle(again)[:2] == pytest.approx((8.0, 8.0), rel=0.01)
    points = np.array([[100.0, 200.0], [300.5, 150.25]])
    assert looked_up(places, points)[0] == pytest.approx(places[200, 100], abs=1e-3)


def test_a_table_that_is_clear_at_a_few_places_is_not_followed_for_the_sheet() -> None:
    seen = photograph(7, "grey")
    field = find_field(seen.page)
    assert field is not None
    height_px, width_px = seen.drawn.page.shape[:2]
    sheet_mm2 = height_px * width_px / (LOOK.x_px_per_mm * LOOK.y_px_per_mm)
    assert field.clear.sum() * STEP_MM**2 > 0.7 * sheet_mm2


@pytest.mark.parametrize("what", ["a page without a grid", "noise"])
def test_what_has_no_grid_has_no_field(what: str) -> None:
    page = (
        draw(ecg(BEATS_S, RATE_HZ), RATE_HZ, FORMS["3x4+1"], replace(LOOK, grid="none")).page
        if what == "a page without a grid"
        else np.random.default_rng(0).integers(0, 256, (900, 1200, 3), np.uint8)
    )
    assert find_field(page) is None


def test_a_photograph_tells_when_its_leads_begin() -> None:
    seen = photograph(1)
    assert page_snr_db(seen.drawn.leads, read_any_page(seen.page)) > 18, (
        "14 dB less where columns follow ragged ends"
    )


def test_a_crumpled_photograph_is_read_and_its_lines_lie_on_the_page() -> None:
    seen = photograph(2)
    read = read_any_page(seen.page)
    assert read.form == "3x4+1"
    assert read.geometry.bent_mm > 1
    assert aligned_snr_db(seen.drawn.leads, read) > WRONG_DB
    line = read.leads["II"].line_px
    inside = line[np.isfinite(line).all(axis=1)][::20].astype(int)
    dark = [seen.page[y - 4 : y + 5, x - 4 : x + 5].max(axis=2).min() for x, y in inside]
    paper = [np.median(seen.page[y - 30 : y + 31, x - 30 : x + 31]) for x, y in inside]
    assert np.mean(np.array(dark) < 0.75 * np.array(paper)) > 0.9
