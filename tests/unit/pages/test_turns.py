"""Pages that lie on a side, stand on their head or are mirrored: leads are the same, lines lie where they lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import BEATS_S, ecg

from leadwise.drawing.drawn import FORMS, DrawnPage, Look, draw
from leadwise.errors import ForeignPage
from leadwise.pages.any_page import read_any_page
from leadwise.pages.page_signals import PageSignals
from leadwise.pages.turns import UPRIGHT, Side, is_upright, read_side_up, runs_downwards
from leadwise.scores.snr import page_snr_db

RATE_HZ = 500
SIGNALS = ecg(BEATS_S, RATE_HZ)
LOOK = Look(x_px_per_mm=5, y_px_per_mm=5.1, header=False, turn_degrees=1.5)


def page_of(quarter_turns: int, mirrored: bool) -> DrawnPage:
    look = replace(LOOK, quarter_turns=quarter_turns, mirrored=mirrored)
    return draw(SIGNALS, RATE_HZ, FORMS["3x4+1"], look)


def furthest_px(page: DrawnPage, signals: PageSignals) -> float:
    """How far most points of the line of lead II lie from the line that was drawn."""
    line, drawn = signals.leads["II"].line_px[::20], page.leads["II"].line_px
    return float(np.quantile(np.linalg.norm(line[:, None] - drawn[None], axis=2).min(axis=1), 0.9))


@pytest.mark.parametrize(("quarter_turns", "mirrored"), [(1, False), (2, True)])
def test_leads_of_a_page_that_lies_wrong_are_read_where_they_stand(
    quarter_turns: int, mirrored: bool
) -> None:
    page = page_of(quarter_turns, mirrored)
    found = read_any_page(page.page)
    turn = LOOK.turn_degrees + 90 * quarter_turns
    assert (found.geometry.turn_degrees - turn + 180) % 360 - 180 == pytest.approx(0, abs=0.3)
    assert found.geometry.mirrored is mirrored
    assert found.geometry.x_px_per_mm == pytest.approx(5.0, rel=0.01)
    assert found.page is page.page
    assert furthest_px(page, found) < 1.5
    assert page_snr_db(page.leads, found) > 6
    assert found.warnings


def test_an_upright_page_is_read_once_and_without_a_word() -> None:
    read: list[Side] = []
    upright = read_any_page(page_of(0, mirrored=False).page)

    def once(side: Side) -> PageSignals:
        read.append(side)
        return upright

    assert is_upright(upright)
    assert read_side_up(upright.page.shape[:2], once) is upright
    assert read == [UPRIGHT]


def test_waves_and_names_that_show_no_side_are_answered_upright_with_a_warning() -> None:
    flat = read_any_page(page_of(0, mirrored=False).page)
    flat = replace(
        flat,
        quality=replace(flat.quality, named=0.0),
        leads={
            name: replace(lead, signal_mv=np.zeros_like(lead.signal_mv)) for name, lead in flat.leads.items()
        },
    )
    found = read_side_up(flat.page.shape[:2], lambda side: flat)
    assert "which side" in found.warnings[-1]
    assert found.geometry == flat.geometry


def test_what_no_side_shows_is_said_of_the_upright_page() -> None:
    def none(side: Side) -> PageSignals:
        raise ForeignPage("no rows" if side == UPRIGHT else "of another side")

    with pytest.raises(ForeignPage, match="no rows"):
        read_side_up((40, 60), none)


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_page_set_up_is_the_page_that_was_turned(quarter_turns: int, mirrored: bool) -> None:
    page = np.random.default_rng(0).integers(0, 255, (5, 9, 3), np.uint8)
    lying = np.rot90(page, -quarter_turns)
    lying = np.fliplr(lying) if mirrored else lying
    assert (Side(quarter_turns, mirrored).set_up(np.ascontiguousarray(lying)) == page).all()


def test_other_sides_of_a_page_have_their_rows_along_the_same_axis() -> None:
    assert {side.quarter_turns % 2 for side in UPRIGHT.turned_over()} == {0}
    assert len({UPRIGHT, *UPRIGHT.turned_over()}) == 4


def test_traces_from_top_to_bottom_lie_on_their_side() -> None:
    ink = 255 - page_of(0, mirrored=False).page.max(axis=2)
    ink = np.where(ink > 160, 255, 0).astype(np.uint8)
    assert not runs_downwards(ink)
    assert runs_downwards(np.ascontiguousarray(ink.T))
