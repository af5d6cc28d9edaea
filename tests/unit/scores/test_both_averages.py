"""Beats counted as papers count them: with record 232 and without, by EC57, over all beats and by record."""

from __future__ import annotations

import pandas as pd
import pytest

from leadwise.names import AAMI
from leadwise.scores.both_averages import counted_as_papers_do
from leadwise.scores.table import score_of


def answers(record: str, true: str, called: str) -> pd.DataFrame:
    """A beat a letter, certain of each answer."""
    return pd.DataFrame(
        {
            "unit": "beat", "unit_id": [f"{record}-{k:07d}" for k in range(len(true))], "model": "m",
            "group_id": f"record-{record}", "profile": "cpu", "task": "aami5", "protocol": "interpatient", "seed": 1,
            "fold": 1, "role": "test", "held_out": None, "label": list(true),
            **{f"prob_{name}": [float(one == name) for one in called] for name in AAMI},
        }
    )  # fmt: skip


@pytest.fixture
def scores() -> pd.DataFrame:
    """Record 232 is all S and missed; of 100 half of S is found, one N is called V, and its first beat is early."""
    table = pd.concat([answers("232", "SSSS", "NNNN"), answers("100", "SSNV", "SNVV")], ignore_index=True)
    late = table["unit_id"] != "100-0000000"
    return pd.concat(counted_as_papers_do(table, late, condition={"gate": "no"}), ignore_index=True)


def test_without_232_its_beats_are_not_counted(scores: pd.DataFrame) -> None:
    place = {"average": "gross", "condition": "gate=no"}
    assert score_of(scores, "recall_S", counted="all", **place).value == pytest.approx(1 / 6)
    assert score_of(scores, "recall_S", counted="without_232", **place).value == pytest.approx(1 / 2)
    assert scores.groupby("counted")["n"].unique().map(list).to_dict() == {
        "after_5_min": [7], "all": [8], "without_232": [4],
    }  # fmt: skip


def test_the_mean_of_records_is_that_of_those_in_which_it_is_defined(scores: pd.DataFrame) -> None:
    place = {"average": "record", "counted": "all"}
    assert score_of(scores, "recall_S", **place).value == pytest.approx((0 + 1 / 2) / 2)
    assert score_of(scores, "ppv_V", **place).value == pytest.approx(1 / 2)


def test_ec57_says_so_and_has_no_macro_f1(scores: pd.DataFrame) -> None:
    late = scores[scores["counted"] == "after_5_min"]
    assert set(late["condition"]) == {"counting=ec57;gate=no"}
    assert "macro_f1" not in set(late["metric"])


def test_without_202_whose_man_was_learned_from_its_beats_are_not_counted() -> None:
    table = pd.concat([answers("202", "SSSS", "NNNN"), answers("100", "SSNV", "SNVV")], ignore_index=True)
    scores = pd.concat(counted_as_papers_do(table, table["label"].notna(), condition={}), ignore_index=True)
    place = {"average": "gross", "counted": "without_202"}
    assert score_of(scores, "recall_S", **place).value == pytest.approx(1 / 2)


def test_where_232_is_not_asked_about_nothing_is_left_out() -> None:
    table = answers("100", "SSNV", "SNVV")
    rows = counted_as_papers_do(table, table["label"].notna(), condition={})
    assert {counted for one in rows for counted in one["counted"]} == {"all", "after_5_min"}


def test_weights_are_what_the_caller_says_and_else_random() -> None:
    table = answers("100", "SSNV", "SNVV")
    for given, told in (({}, "random"), ({"weights": "published"}, "published")):
        rows = counted_as_papers_do(table, table["label"].notna(), condition={}, **given)
        assert {weights for one in rows for weights in one["weights"]} == {told}
