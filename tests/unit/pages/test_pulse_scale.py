"""Pages without a grid: their calibration pulses tell the scale, or nothing does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn import ecg

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.errors import ForeignPage
from leadwise.pages.any_page import read_any_page
from leadwise.pages.pulse_scale import scale_of_pulses
from leadwise.scores.snr import page_snr_db

SIGNALS = ecg(rate_hz=500)
LOOK = Look(grid="none", x_px_per_mm=6, y_px_per_mm=6)


@pytest.mark.parametrize("pulse", ["left", "right"])
@pytest.mark.parametrize("px_per_mm", [5.0, 9.0])
def test_pulses_of_10_mm_tell_the_scale(pulse: str, px_per_mm: float) -> None:
    look = replace(LOOK, pulse=pulse, x_px_per_mm=px_per_mm, y_px_per_mm=px_per_mm)
    found = scale_of_pulses(draw(SIGNALS, 500, FORMS["3x4+1"], look).page)
    assert found is not None
    assert found.y_px_per_mm == pytest.approx(px_per_mm, rel=0.015)
    assert found.x_px_per_mm == pytest.approx(px_per_mm, rel=0.03)


def test_beats_and_letters_are_no_pulses() -> None:
    assert scale_of_pulses(draw(SIGNALS, 500, FORMS["3x4+1"], replace(LOOK, pulse="none")).page) is None


def test_a_page_without_a_grid_is_read_by_its_pulses_and_says_so() -> None:
    page = draw(SIGNALS, 500, FORMS["3x4+1"], LOOK)
    found = read_any_page(page.page)
    assert found.geometry.scale_from == "pulse"
    assert found.quality.grid is None
    assert "no grid" in found.warnings[-1]
    assert not any("faint" in warning for warning in found.warnings)
    assert page_snr_db(page.leads, found) > 6


def test_a_page_with_neither_grid_nor_pulses_has_no_scale() -> None:
    page = draw(SIGNALS, 500, FORMS["3x4+1"], replace(LOOK, pulse="none")).page
    with pytest.raises(ForeignPage, match="neither a grid nor calibration pulses"):
        read_any_page(page)
