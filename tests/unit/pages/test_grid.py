"""Grids of pages: millimetres on both axes, turn, and what is none."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn import ecg

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.pages.grid import find_grid

SIGNALS = ecg(rate_hz=500)
LOOK = Look(x_px_per_mm=5.84, y_px_per_mm=5.7, pen_px=2)


@pytest.mark.parametrize("grid", ["red", "blue", "grey"])
@pytest.mark.parametrize("turn_degrees", [0.0, -7.0])
def test_a_grid_tells_millimetres_of_both_axes_and_its_turn(grid: str, turn_degrees: float) -> None:
    page = draw(SIGNALS, 500, FORMS["3x4+1"], replace(LOOK, grid=grid, turn_degrees=turn_degrees)).page
    found = find_grid(page)
    assert found is not None
    assert found.x_px_per_mm == pytest.approx(LOOK.x_px_per_mm, rel=0.005)
    assert found.y_px_per_mm == pytest.approx(LOOK.y_px_per_mm, rel=0.005)
    assert found.turn_degrees == pytest.approx(turn_degrees, abs=0.1)


@pytest.mark.parametrize("x_px_per_mm", [4.02, 5.23, 11.0])
def test_small_and_large_pages_have_no_coarser_grid_than_theirs(x_px_per_mm: float) -> None:
    look = replace(LOOK, x_px_per_mm=x_px_per_mm, y_px_per_mm=x_px_per_mm, jpeg_quality=84)
    found = find_grid(draw(SIGNALS, 500, FORMS["6x2+1"], look).page)
    assert found is not None
    assert found.x_px_per_mm == pytest.approx(x_px_per_mm, rel=0.005)


def test_a_page_on_its_side_has_the_grid_of_the_upright_one() -> None:
    page = draw(SIGNALS, 500, FORMS["3x4"], replace(LOOK, quarter_turns=1)).page
    found = find_grid(page)
    assert found is not None
    assert found.x_px_per_mm == pytest.approx(LOOK.y_px_per_mm, rel=0.005)


@pytest.mark.parametrize("header", [False, True])
def test_text_and_beats_on_white_paper_are_no_grid(header: bool) -> None:
    page = draw(SIGNALS, 500, FORMS["3x4"], replace(LOOK, grid="none", header=header, footer=header)).page
    assert find_grid(page) is None


def test_noise_and_a_stamp_have_no_grid() -> None:
    noise = np.random.default_rng(0).normal(200, 20, (300, 400))
    picture = cv2.merge([np.clip(noise, 0, 255).astype(np.uint8)] * 3)
    assert find_grid(picture) is None
    assert find_grid(picture[:40, :40]) is None
