"""Drawn pages and what a table says of each: what was printed, what was read, and how near it comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import ecg

from leadwise.drawing.drawn import FORMS, DrawnPage, Look, draw
from leadwise.errors import ForeignPage
from leadwise.names import LEADS
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.read import Page
from leadwise.recordings.records import Record
from leadwise.scores.drawn_pages import drawn_at_random, read_drawn, taken_for_truth
from leadwise.scores.snr import page_snr_db
from leadwise.tables import checked

RECORDINGS = {
    name: Record(ecg(rate_hz=RATE_HZ) * size, LEADS, RATE_HZ) for name, size in (("a", 1.0), ("b", 0.5))
}
PLAIN = Look(x_px_per_mm=4, y_px_per_mm=4, quarter_turns=1, turn_degrees=2)


@pytest.fixture(scope="module")
def drawn() -> DrawnPage:
    return draw(RECORDINGS["a"].signals, RATE_HZ, FORMS["3x4+1"], PLAIN)


def perfect(drawn: DrawnPage) -> PageSignals:
    """What a reader without a fault reads of a page."""
    leads, strips = (
        {
            name: Trace(one.start_s, one.signal_mv.astype(np.float32), one.line_px.astype(np.float32))
            for name, one in traces.items()
        }
        for traces in (drawn.leads, drawn.strips)
    )
    geometry = Geometry(4, 4, 92, False, 25, 10, "grid")
    return PageSignals(drawn.form.name, "any page", leads, strips, geometry, ReadQuality(1.0), (), drawn.page)


def refusing(_: Page) -> PageSignals:
    raise ForeignPage("no grid was found.")


def test_every_layout_is_drawn_as_often_and_recordings_take_turns() -> None:
    pages = list(drawn_at_random(RECORDINGS, 1))
    assert [page.form.name for _, page in pages] == list(FORMS)
    assert {name for name, _ in pages} == set(RECORDINGS)


def test_the_same_call_draws_the_same_pages() -> None:
    once, again = (next(drawn_at_random(RECORDINGS, 1))[1] for _ in range(2))
    assert once.look == again.look
    assert np.array_equal(once.page, again.page)


def test_a_page_that_was_read_right_says_so_and_fits_the_table(drawn: DrawnPage) -> None:
    row = read_drawn(drawn, lambda _: perfect(drawn))
    assert (row["read"], row["layout_right"], row["read_form"]) == (True, True, "3x4+1")
    assert row["raw_db"] > 60
    assert row["turn_degrees"] == 92
    assert row["warnings"] == ""
    checked(pd.DataFrame([{"page": "0", "record": "a"} | row]), "read_pages.csv", "made")


@pytest.mark.parametrize("wrong", [{"form": "3x4+2"}, {"strips": {}}], ids=["rows", "strips"])
def test_another_layout_than_the_printed_one_is_not_right(drawn: DrawnPage, wrong: dict[str, object]) -> None:
    assert not read_drawn(drawn, lambda _: replace(perfect(drawn), **wrong))["layout_right"]


def test_a_refused_page_says_why_and_has_no_score(drawn: DrawnPage) -> None:
    row = read_drawn(drawn, refusing)
    assert (row["read"], row["why"]) == (False, "no grid was found.")
    assert row["raw_db"] is None
    checked(pd.DataFrame([{"page": "0", "record": "a"} | row]), "read_pages.csv", "made")


def test_what_one_reader_read_may_be_the_truth_for_another(drawn: DrawnPage) -> None:
    read = perfect(drawn)
    assert page_snr_db(taken_for_truth(read), read) == 100
