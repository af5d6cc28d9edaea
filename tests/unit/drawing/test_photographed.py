"""Drawn pages that are bent and photographed: the truth that comes with them."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import BEATS_S, ecg

from leadwise.drawing.drawn import FORMS, DrawnPage, Look, draw
from leadwise.drawing.photographed import as_printed, photographed

LOOK = Look(x_px_per_mm=10, y_px_per_mm=10, pen_px=3)


def drawn_page() -> DrawnPage:
    return draw(ecg(BEATS_S, 500), 500, FORMS["3x4+1"], LOOK)


def test_the_same_generator_takes_the_same_photograph() -> None:
    drawn = drawn_page()
    one, two = (photographed(drawn, np.random.default_rng(3)) for _ in range(2))
    assert (one.page == two.page).all()


def test_each_pixel_knows_which_millimetre_it_shows() -> None:
    drawn = drawn_page()
    seen = photographed(drawn, np.random.default_rng(1), crumple=0.8)
    assert seen.mm.shape == (*seen.page.shape[:2], 2)
    line = next(iter(drawn.strips.values())).line_px
    inverse = np.linalg.inv(np.vstack([drawn.to_page, (0, 0, 1)]))[:2]
    line_mm = line @ inverse[:, :2].T + inverse[:, 2]
    distance = np.array(
        [np.hypot(*(seen.mm - point).reshape(-1, 2).T).argmin() for point in line_mm[100::800]]
    )
    rows, columns = np.unravel_index(distance, seen.page.shape[:2])
    dark = np.array(
        [
            seen.page[r - 3 : r + 4, c - 3 : c + 4].max(axis=2).min()
            for r, c in zip(rows, columns, strict=True)
        ]
    )
    paper = np.array(
        [np.median(seen.page[r - 30 : r + 31, c - 30 : c + 31]) for r, c in zip(rows, columns, strict=True)]
    )
    assert (dark < 0.7 * paper).all()


def test_a_sheet_without_crumples_has_no_facets_but_is_seen_from_the_side() -> None:
    drawn = drawn_page()
    flat = photographed(drawn, np.random.default_rng(5), crumple=0.0)
    assert flat.page.shape != drawn.page.shape
    assert flat.page.dtype == np.uint8


def test_what_is_photographed_is_printed_finely_and_upright() -> None:
    look = as_printed(LOOK, np.random.default_rng(0))
    assert look.x_px_per_mm == pytest.approx(look.y_px_per_mm)
    assert look.x_px_per_mm >= 9
    assert (look.turn_degrees, look.quarter_turns, look.mirrored) == (0.0, 0, False)
