"""Where columns of a bent sheet begin: by its bars, or where its rows begin and end."""

from __future__ import annotations

import numpy as np
import pytest

from leadwise.pages.columns import Evidence, find_columns

WIDTH_PX = 491.5
PAGE_PX = 2200
FIRST_PX = 117


def evidence(bars_px: list[int], begin_px: dict[int, float], end_px: dict[int, float]) -> Evidence:
    """Of a sheet with bars at some places, of whose rows some shares begin and end at others."""
    bars, starts, ends, none = (np.zeros(PAGE_PX) for _ in range(4))
    for at in bars_px:
        bars[at - 1 : at + 2] = 0.2, 0.5, 0.2
    for edge, places in ((starts, begin_px), (ends, end_px)):
        for at, share in places.items():
            edge[at] = share
    there = np.zeros(PAGE_PX, bool)
    there[FIRST_PX : round(FIRST_PX + 4 * WIDTH_PX)] = True
    return Evidence(bars, bars, none, none, starts, ends, starts, ends, there, pen_px=1.0)


def at(column: float) -> int:
    return round(FIRST_PX + column * WIDTH_PX)


def test_bars_as_far_apart_as_columns_are_believed_where_ragged_rows_say_otherwise() -> None:
    ragged = evidence([at(1), at(2), at(3)], {at(0) - 13: 0.75, at(0): 0.25}, {at(4) - 13: 0.5})
    found = find_columns(ragged, [], 4, WIDTH_PX, (1.0,), bent=True)
    assert found.first_px == pytest.approx(FIRST_PX, abs=1)


def test_rows_that_begin_and_end_together_are_believed_where_a_bar_is_a_qrs_complex() -> None:
    complexes = evidence([at(1) - 14, at(2) + 9, at(3) + 14], {at(0): 1.0}, {at(4): 1.0})
    found = find_columns(complexes, [], 4, WIDTH_PX, (1.0,), bent=True)
    assert found.first_px == pytest.approx(FIRST_PX, abs=2)
