"""Crops to train an ink network on: their truth is what covers each pixel, whatever they look like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import ecg

from leadwise.drawing.drawn import FORMS, Look, draw, draw_kinds
from leadwise.drawing.ink_crops import LEVELS, crops
from leadwise.drawing.ink_looks import GRID_COLOURS
from leadwise.pages.ink_maps import KINDS

SIGNALS = ecg(rate_hz=500)
PLAIN = Look(x_px_per_mm=6, y_px_per_mm=5.8, frame=True)


def test_the_inks_of_a_page_are_told_apart_and_together_they_are_the_page() -> None:
    look = replace(PLAIN, grid="pink", smooth=False)
    page, kinds = (
        draw(SIGNALS, 500, FORMS["3x4+1"], look).page,
        draw_kinds(SIGNALS, 500, FORMS["3x4+1"], look),
    )
    assert tuple(kinds) == KINDS
    inked = np.maximum.reduce([kinds[kind] for kind in KINDS[:4]]) > 0
    assert np.array_equal(inked, (page == 0).all(axis=2))
    assert np.array_equal(inked | (kinds["coarse"] > 0) | (kinds["fine"] > 0), (page != 255).any(axis=2))
    assert all(kinds[kind].any() for kind in KINDS)


def test_the_trace_alone_is_drawn_as_the_trace() -> None:
    kinds = draw_kinds(np.zeros((12, 5000)), 500, FORMS["3x4"], replace(PLAIN, smooth=False, pen_px=1))
    rows = np.flatnonzero(kinds["trace"].any(axis=1))
    assert len(rows) == 3  # three flat rows of leads
    assert not kinds["pulse"][:, 150:].any()  # all pulses stand at the left


def test_a_page_without_a_grid_has_no_lines_of_it() -> None:
    kinds = draw_kinds(SIGNALS, 500, FORMS["6x2"], replace(PLAIN, grid="none"))
    assert not kinds["coarse"].any()
    assert not kinds["fine"].any()


def test_bars_between_leads_may_be_thicker_than_the_trace() -> None:
    thin, thick = (
        draw_kinds(SIGNALS, 500, FORMS["3x4"], replace(PLAIN, separator_px=px))["separator"] for px in (0, 6)
    )
    assert (thick > 0).sum() > 1.5 * (thin > 0).sum()


@pytest.mark.parametrize("grid", GRID_COLOURS)
@pytest.mark.parametrize("photo", [False, True])
def test_crops_of_every_grid_are_as_large_as_asked_and_have_its_lines(grid: str, photo: bool) -> None:
    rng = np.random.default_rng(list(GRID_COLOURS).index(grid))
    drawn = list(crops(SIGNALS, 500, FORMS["3x4+1"], rng, each=2, side_px=128, grid=grid, photo=photo))
    assert len(drawn) == 8
    for crop in drawn:
        assert crop.beside.shape == (3, 128, 128)
        assert crop.kinds.shape == (6, 128, 128)
        assert (crop.grid, crop.photo) == (grid, photo)
    lines = max(crop.kinds[4:].max() for crop in drawn)
    assert lines == 0 if grid == "none" else lines > 100


def test_ink_is_darker_than_paper_where_the_truth_says_so() -> None:
    rng = np.random.default_rng(1)
    grey, covered = [], []
    for _ in range(3):
        for crop in crops(SIGNALS, 500, FORMS["3x4"], rng, grid="pink", photo=False):
            grey.append(crop.beside.mean(axis=0) / LEVELS)
            covered.append(crop.kinds[:4].max(axis=0) / 255)
    light, share = np.stack(grey), np.stack(covered)
    assert light[share > 0.9].mean() < 0.5
    assert light[share == 0].mean() > 0.8
    assert np.corrcoef(light.ravel(), share.ravel())[0, 1] < -0.6


def test_the_same_chance_cuts_the_same_crops() -> None:
    one, other = (list(crops(SIGNALS, 500, FORMS["3x4"], np.random.default_rng(2))) for _ in range(2))
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(one, other, strict=True))
    assert all(np.array_equal(a.kinds, b.kinds) for a, b in zip(one, other, strict=True))


def test_a_recording_shorter_than_the_form_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 10 s"):
        next(crops(SIGNALS[:, :4000], 500, FORMS["3x4"], np.random.default_rng(0)))
