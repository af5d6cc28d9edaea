"""The table of forms: what it holds, and how it says that a row is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from leadwise.errors import TableError
from leadwise.names import LEADS
from leadwise.pages.forms import forms, known_form, lead_of, read_forms, trace_scales

SIX_BY_TWO = """
- name: six by two
  rows: [[I, V1], [II, V2], [III, V3], [aVR, V4], [aVL, V5], [aVF, V6]]
  column_s: 5
  strips: [II]
  speed_mm_per_s: 25
  gain_mm_per_mv: 10
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "forms.yaml"
    path.write_text(SIX_BY_TWO, encoding="utf-8")
    return path


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.name)
def test_ten_seconds_of_all_twelve_leads_are_on_every_form(form) -> None:
    assert form.length_s == pytest.approx(10, abs=0.05)
    assert sorted(lead_of(name)[0] for row in form.rows for name in row) == sorted(LEADS)


def test_a_form_is_named_by_its_rows_columns_and_strips() -> None:
    for form in forms():
        strips = f"+{len(form.strips)}" if form.strips else ""
        assert form.name.split()[0] == f"{len(form.rows)}x{form.columns}{strips}"


def test_the_printout_of_one_form_is_known_to_the_pixel() -> None:
    (known,) = [form for form in forms() if form.printout]
    assert known is known_form()
    assert known.printout.rows == known.rows
    assert known.printout.separators_x[0] - known.printout.first_x == pytest.approx(
        known.column_s * known.printout.px_per_s, abs=1
    )


def test_traces_may_be_drawn_smaller_where_a_printer_of_that_form_does_so() -> None:
    known = known_form()
    assert known.trace_scale in trace_scales(next(form for form in forms() if form.name == "3x4+1"))
    assert trace_scales(next(form for form in forms() if form.name == "6x2+1")) == (1.0,)


def test_a_form_is_one_row(table: Path) -> None:
    (form,) = read_forms(table)
    assert (form.columns, form.column_s, form.length_s, form.strips) == (2, 5, 10, ("II",))
    assert form.printout is None


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("[I, V1]", "[I, V9]", r"row 1 \(six by two\): unknown lead 'V9': did you mean 'V.'\?"),
        ("[I, V1]", "[I, V2]", "each of the twelve leads must stand in the rows once, but V1 does 0 times"),
        ("[I, V1]", "[I]", "every row must have as many leads as the first one"),
        ("column_s: 5", "column_s: 0", "column_s: input should be greater than 0"),
        ("column_s: 5", "columns_s: 5", "columns_s: no such word"),
        ("  strips: [II]\n", "", "strips: field required"),
        (SIX_BY_TWO, 2 * SIX_BY_TWO, "2 rows are named 'six by two'. Give each its own name"),
        (SIX_BY_TWO, "six by two", "must be a list of forms"),
        (SIX_BY_TWO, "- 6x2", "row 1: input should be a dictionary"),
        (SIX_BY_TWO, "[6x2", "not readable as YAML"),
    ],
)
def test_a_wrong_row_is_named_with_what_is_wrong(table: Path, right: str, wrong: str, said: str) -> None:
    table.write_text(SIX_BY_TWO.replace(right, wrong), encoding="utf-8")
    with pytest.raises(TableError, match=rf"forms\.yaml: .*{said}"):
        read_forms(table)


def test_reading_the_forms_loads_no_pictures() -> None:
    script = (
        "import json, sys; from leadwise.pages.forms import forms; forms(); print(json.dumps([*sys.modules]))"
    )
    modules = json.loads(subprocess.check_output([sys.executable, "-c", script]))
    assert not {"torch", "cv2", "pandas", "scipy"} & set(modules)
