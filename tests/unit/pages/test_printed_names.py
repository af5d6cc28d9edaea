"""Names of leads are read from a page's ink, find their rows, and speak for the form whose leads they call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import ecg

from leadwise.drawing.drawn import FORMS, Look, draw_kinds
from leadwise.files import RESOURCES
from leadwise.names import LEADS
from leadwise.pages.columns import Columns
from leadwise.pages.forms import lead_of
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.printed_names import (
    KINDS,
    PrintedName,
    in_rows,
    named_columns,
    named_right,
    names_at,
    printed_names,
    strip_names,
    without_names,
)
from leadwise.pages.rows import Rows

RATE_HZ = 500
FORM = FORMS["3x4+1"]
COLUMNS = Columns(100.0, 500.0, 4, 0.0, 0.0, 0.0)
BASELINES = np.array([200.0, 430.0, 660.0, 890.0])


def names_of(form_name: str = "3x4+1", *, below_px: float = -60.0) -> list[PrintedName]:
    """The names of a form's leads and strips, where most printers have them."""
    form = FORMS[form_name]
    rows = [*form.rows, *((name,) for name in form.strips)]
    return [
        PrintedName(name, COLUMNS.start(column) + 20, BASELINES[row] + below_px, 0.9)
        for row, names in enumerate(rows)
        for column, name in enumerate(names)
    ]


@pytest.mark.parametrize("form_name", ["3x4+1", "6x2", "12x1 cabrera", "4x3"])
@pytest.mark.parametrize("font", ["strokes", "outlines", "plain"])
def test_names_of_a_drawn_page_are_read(form_name: str, font: str) -> None:
    form = FORMS[form_name]
    pitch_mm = min(30.0, 180 / (len(form.rows) + len(form.strips)))
    look = Look(grid="none", font=font, x_px_per_mm=PX_PER_MM, y_px_per_mm=PX_PER_MM, pitch_mm=pitch_mm)
    kinds = draw_kinds(ecg(rate_hz=RATE_HZ), RATE_HZ, form, look)
    read = [name.name for name in printed_names(np.max(list(kinds.values()), axis=0))]
    printed = [name for row in form.rows for name in row]
    found = sum(any(lead_of(name)[0] == lead_of(other)[0] for other in read) for name in printed)
    assert found >= 11


def test_empty_paper_has_no_names() -> None:
    assert printed_names(np.zeros((300, 500), np.uint8)) == []


def test_the_surest_of_a_neighbourhood_is_a_name() -> None:
    shares = np.zeros((len(KINDS), 20, 30), np.float32)
    shares[0] = 1
    for column, kind, sure in ((10, "II", 0.9), (11, "III", 0.8), (25, "V1", 0.95)):
        shares[0, 8, column], shares[KINDS.index(kind), 8, column] = 1 - sure, sure
    found = {name.name: name for name in names_at(shares)}
    assert set(found) == {"II", "V1"}
    assert found["V1"].x_px == pytest.approx(25.5 * PX_PER_MM, abs=1)


@pytest.mark.parametrize("below_px", [-90.0, -40.0, 45.0])
def test_names_above_or_below_their_traces_find_their_rows(below_px: float) -> None:
    for name, row in in_rows(names_of(below_px=below_px), BASELINES):
        assert name.y_px == BASELINES[row] + below_px


def test_names_speak_for_the_form_whose_leads_they_call() -> None:
    named = in_rows(names_of("3x4+1 cabrera"), BASELINES)
    assert named_right(named, FORMS["3x4+1 cabrera"], COLUMNS) == pytest.approx(0.9)
    assert named_right(named, FORM, COLUMNS) == pytest.approx(0)  # chest leads stand alike
    assert named_right([], FORM, COLUMNS) == 0


def test_a_name_says_where_its_column_begins() -> None:
    named = named_columns(in_rows(names_of(), BASELINES), FORM, 2200)
    for column in range(4):
        assert named[column, int(COLUMNS.start(column))] == pytest.approx(2.7)
        assert named[column, int(COLUMNS.start(column)) - 150] == 0


def test_strips_are_called_by_names_at_their_beginning_alone() -> None:
    strip = BASELINES[3] - 60
    names = [name for name in names_of() if name.y_px != strip]
    named = in_rows(
        [*names, PrintedName("V5", 110, strip, 0.85), PrintedName("II", 1500, strip, 0.9)], BASELINES
    )
    assert strip_names(named, FORM, COLUMNS) == {0: "V5"}


def test_two_strips_that_are_called_alike_have_no_name() -> None:
    form = replace(FORM, strips=("II", "V1"))
    baselines = np.append(BASELINES, 1120.0)
    names = [*names_of()[:-1], *(PrintedName("II", 110, place - 60, 0.9) for place in baselines[3:])]
    assert strip_names(in_rows(names, baselines), form, COLUMNS) == {}


def test_a_name_that_touches_a_trace_is_a_mark_and_a_wave_that_crosses_a_name_stays() -> None:
    trace, letter, wave = ((slice(198, 202), slice(90, 300)), (slice(150, 170), 120), (slice(150, 199), 130))
    traces = np.zeros((460, 400), np.uint8)
    traces[trace] = traces[letter] = traces[wave] = 255
    rows = without_names(
        Rows(traces, np.zeros_like(traces), BASELINES[:2]), [(PrintedName("II", 122, 160, 0.9), 0)]
    )
    assert not rows.traces[letter].any()
    assert rows.marks[letter].all()
    assert rows.traces[trace].all()
    assert rows.traces[wave].all()


def test_the_file_is_small_and_knows_all_leads() -> None:
    assert (RESOURCES / "names.onnx").stat().st_size < 310_000
    assert ("", *LEADS, "-aVR") == KINDS
