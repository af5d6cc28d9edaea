"""A page is brought upright to one scale, and its columns of pixels are kept where that costs nothing."""

from __future__ import annotations

import numpy as np
import pytest

from leadwise.pages.ink import PX_PER_MM, upright


def page() -> np.ndarray:
    """White with black columns, each of one pixel."""
    white = np.full((900, 1500, 3), 255, np.uint8)
    white[:, ::7] = 0
    return white


@pytest.mark.parametrize("x_px_per_mm", [7.3, PX_PER_MM, 8.6])
def test_columns_of_a_straight_page_of_about_this_scale_stay_what_they_are(x_px_per_mm: float) -> None:
    found = upright(page(), x_px_per_mm, 7.9, 0.0)
    assert found.x_px_per_mm == x_px_per_mm
    assert np.array_equal(found.picture[100], page()[100])


@pytest.mark.parametrize(("x_px_per_mm", "turn"), [(6.0, 0.0), (7.9, 1.0)])
def test_other_pages_are_brought_to_the_scale(x_px_per_mm: float, turn: float) -> None:
    assert upright(page(), x_px_per_mm, 7.9, turn).x_px_per_mm == pytest.approx(PX_PER_MM)


def test_a_page_of_half_the_scale_is_doubled() -> None:
    found = upright(page(), 4.1, 4.1, 0.0)
    assert found.x_px_per_mm == pytest.approx(8.2)
    assert found.to_page[0, 0] == 0.5
