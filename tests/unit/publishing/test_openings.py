"""The ledger of openings: all that is published of a test set stands in it, and says what was known and changed."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from made_runs import PLACE, ran, row
from miniature import Clone
from typer.testing import CliRunner

from leadwise.cli.app import app
from leadwise.names import TEST_SETS
from leadwise.publishing import openings
from leadwise.publishing.publish import publish
from leadwise.scores.table import stated
from leadwise.tables import read_table, write_table

REPOSITORY = Path(__file__).resolve().parents[3]
ANALYSIS = REPOSITORY / "analysis"
TOLD = {"commit": "0123456", "known_before": "Nothing.", "changed_after": "Nothing.", "cost": "None."}


@pytest.fixture
def analysis(clone: Clone) -> Path:
    """What 26 and 52 measured, published, with its words written."""
    ran("26_image_leads12", row())
    ran("52_signal_models", row(task="aami5", protocol="interpatient", test_set="ds2", unit="beat"))
    publish("cpu")
    tell(clone.folder / "analysis")
    return clone.folder / "analysis"


def ledger(analysis: Path) -> pd.DataFrame:
    return read_table(analysis / "openings.csv", "openings.csv")


def tell(analysis: Path) -> None:
    write_table(ledger(analysis).assign(**TOLD), analysis / "openings.csv", "openings.csv")


def opening_of(analysis: Path, run: str) -> str:
    return str(read_table(analysis / "results" / "runs.csv", "runs.csv").set_index("run").loc[run, "opening"])


def test_every_published_row_of_a_test_set_is_in_the_ledger_and_all_its_words_are_written() -> None:
    assert list(openings.faults(ANALYSIS)) == []
    named = read_table(ANALYSIS / "results" / "runs.csv", "runs.csv").set_index("run")["opening"]
    assert set(named["26_image_leads12-cpu"].split(openings.BETWEEN)) <= set(ledger(ANALYSIS)["opening"])
    assert pd.isna(named["bench_serve_load-cpu"]), "a server's speed answers for no model"


def test_openings_are_told_in_the_order_in_which_they_were_made() -> None:
    told = ledger(ANALYSIS)
    assert (told["opening"].str[:10] == told["date"]).all()
    order = told["opening"].str.split("-").map(lambda parts: tuple(map(int, parts)))
    assert order.is_monotonic_increasing
    assert told["run"].dropna().str.endswith("-cpu").all()


def test_the_page_models_folds_were_published_four_times_and_a_students_answers_stand_before_the_last() -> (
    None
):
    told = ledger(ANALYSIS).query("test_set == 'mendeley'")
    own = told[(told["run"] == "26_image_leads12-cpu") & (told["date"] < "2026-11-29")]
    assert own["commit"].tolist() == ["7387195", "f50f08f", "e63a138", "9a3c36e"]
    student = told[told["run"] == "42_student_test-cpu"].iloc[0]
    assert student["commit"] == "3eb8d1c"
    assert student.name < own.index[-1]
    assert "8012b54" in student["changed_after"]


def test_opened_md_is_what_the_ledger_says() -> None:
    told = ledger(ANALYSIS)
    text = (ANALYSIS / "OPENED.md").read_text(encoding="utf-8")
    assert text == openings.opened_text(told)
    for name in TEST_SETS:
        count = told.loc[told["test_set"] == name, "opening"].nunique()
        assert re.search(
            rf"\(`{name}`\) \| { {0: 'never', 1: 'once'}.get(count, f'{count} times') } \|", text
        ), name
    lines = [line for line in text.splitlines() if re.match(r"\| \d{4}-", line)]
    assert len(lines) == len(told)
    assert sum("| a trial |" in line for line in lines) == told["run"].isna().sum()


def test_a_published_row_without_an_entry_is_refused_by_run_and_test_set(analysis: Path) -> None:
    assert list(openings.faults(analysis)) == []
    entries = ledger(analysis)
    write_table(entries[entries["test_set"] != "ds2"], analysis / "openings.csv", "openings.csv")
    (said,) = openings.faults(analysis)
    assert said.startswith(
        "52_signal_models-cpu answers for ds2 (the 22 records of MIT-BIH's DS2), and no row"
    )
    (analysis / "openings.csv").unlink()
    assert len(list(openings.faults(analysis))) == 2


def test_an_entry_of_another_run_or_test_set_does_not_serve(analysis: Path) -> None:
    entries = ledger(analysis)
    of_beats = entries["run"] == "52_signal_models-cpu"
    for other in ({"run": "33_signal_ensemble-cpu"}, {"test_set": "mitdb"}):
        changed = entries.assign(**{key: entries[key].mask(of_beats, value) for key, value in other.items()})
        write_table(changed, analysis / "openings.csv", "openings.csv")
        (said,) = openings.faults(analysis)
        assert "52_signal_models-cpu answers for ds2" in said


@pytest.mark.parametrize(
    ("column", "words"),
    [("known_before", "of what was known before"), ("changed_after", "changed after"), ("cost", "cost")],
)
def test_an_entry_that_does_not_say_what_was_known_and_changed_is_refused(
    analysis: Path, column: str, words: str
) -> None:
    entries = ledger(analysis)
    entries.loc[0, column] = None
    write_table(entries, analysis / "openings.csv", "openings.csv")
    (said,) = openings.faults(analysis)
    assert "26_image_leads12-cpu on mendeley, says nothing" in said
    assert words in said


def test_publishing_enters_an_opening_and_asks_for_its_words(analysis: Path) -> None:
    first = opening_of(analysis, "26_image_leads12-cpu")
    ran("26_image_leads12", row(0.96))
    publish("cpu")
    entries = ledger(analysis)
    assert entries["run"].tolist() == ["26_image_leads12-cpu", "52_signal_models-cpu", "26_image_leads12-cpu"]
    assert opening_of(analysis, "26_image_leads12-cpu") == entries["opening"].iloc[-1] != first
    assert opening_of(analysis, "52_signal_models-cpu") == first
    assert "says nothing of what was known before" in "\n".join(openings.faults(analysis))
    checked = CliRunner().invoke(app, ["tables", "--check"])
    assert checked.exit_code == 1
    again = CliRunner().invoke(app, ["publish", "--profile", "cpu"])
    assert again.exit_code == 0
    assert "write its column known_before by hand" in again.stderr


def test_the_same_scores_published_again_are_no_opening(analysis: Path) -> None:
    ran("26_image_leads12", row(), seconds=30.0)
    publish("cpu")
    assert len(ledger(analysis)) == 2
    assert list(openings.faults(analysis)) == []


def test_a_metric_that_was_not_there_before_is_one(analysis: Path) -> None:
    ran("26_image_leads12", pd.concat([row(), row(0.94, metric="macro_f1")]))
    publish("cpu")
    assert ledger(analysis)["run"].tolist()[2:] == ["26_image_leads12-cpu"]


def test_test_sets_of_a_run_that_were_opened_at_different_times_are_both_named(analysis: Path) -> None:
    beats = {"task": "aami5", "unit": "beat"}
    ran(
        "52_signal_models",
        pd.concat(
            [
                row(protocol="interpatient", test_set="ds2", **beats),
                row(protocol="leaky_beats", test_set="mitdb", **beats),
            ]
        ),
    )
    publish("cpu")
    tell(analysis)
    named = opening_of(analysis, "52_signal_models-cpu").split("; ")
    assert named == sorted(set(ledger(analysis)["opening"]))
    assert len(named) == 2
    assert list(openings.faults(analysis)) == []


def test_what_answers_for_no_model_opens_nothing(clone: Clone) -> None:
    place = {key: value for key, value in PLACE.items() if key not in {"task", "protocol"}}
    ran("12_image_leads", stated({"pages_found": 491}, **(place | {"model": "known_form", "weights": ""})))
    publish("cpu")
    analysis = clone.folder / "analysis"
    assert ledger(analysis).empty
    assert list(openings.faults(analysis)) == []
