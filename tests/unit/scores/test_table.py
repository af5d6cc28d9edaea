"""Scores as rows: each says what its metric needs, is found by what it means, and is read back as it was written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from made import made_answers

from leadwise.errors import InputError, TableError
from leadwise.names import CLASSES, METRICS, metric_of, metric_words
from leadwise.scores.draws import Interval, page_metrics
from leadwise.scores.table import (
    HEADLINE,
    as_text,
    compared,
    print_table,
    read_scores,
    score_of,
    scored,
    scored_by_seed,
    selected,
    stated,
    written,
)
from leadwise.tables import checked, write_table

PAGES = page_metrics(CLASSES)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return scored(made_answers(seeds=(1, 2)), PAGES, HEADLINE, 50, weights="random")


def test_a_score_says_where_it_is_from_and_how_many_units_and_seeds_stand_behind_it(
    rows: pd.DataFrame,
) -> None:
    first = rows.iloc[0]
    assert first[["task", "protocol", "test_set", "model"]].tolist() == [
        "four",
        "grouped",
        "mendeley",
        "made",
    ]
    assert first[["weights", "unit", "counted", "average"]].tolist() == ["random", "page", "all", "gross"]
    assert (first["seeds"], first["n"]) == ("1/2", 120)
    assert (rows["low"] <= rows["value"]).all()
    assert (rows["value"] <= rows["high"]).all()
    assert rows["metric"].tolist() == list(HEADLINE)


def test_of_several_seeds_each_stands_alone_too_and_their_mean_is_the_score() -> None:
    answers = made_answers(seeds=(1, 2))
    rows = scored_by_seed(answers, PAGES, ["accuracy"], 50)
    assert rows["seeds"].tolist() == ["1/2", "1", "2"]
    assert rows["value"][0] == pytest.approx(rows["value"][1:].mean())
    assert len(scored_by_seed(answers[answers["seed"] == 2], PAGES, ["accuracy"], 50)) == 1


def test_rows_are_read_back_as_they_were_written(rows: pd.DataFrame, tmp_path: Path) -> None:
    write_table(rows, tmp_path / "scores.csv", "scores.csv")
    again = read_scores(tmp_path / "scores.csv")
    pd.testing.assert_frame_equal(again, rows.astype(again.dtypes.to_dict()))


def test_a_condition_stands_in_order_of_its_keys_whatever_the_order_given() -> None:
    told = stated({"parameters": 3}, model="student12", condition={"runtime": "onnx", "as": "vit_base"})
    assert told["condition"].tolist() == ["as=vit_base;runtime=onnx"]
    checked(told, "scores.csv", "made")


@pytest.mark.parametrize(
    ("column", "metric", "what"),
    [("protocol", "accuracy", "protocol"), ("n", "accuracy", "n"), ("low", "macro_f1", "interval")],
)
def test_a_row_that_lacks_what_its_metric_needs_is_refused(
    rows: pd.DataFrame, column: str, metric: str, what: str
) -> None:
    lacking = rows.copy()
    lacking.loc[lacking["metric"] == metric, column] = None
    with pytest.raises(TableError, match=f"column {column!r}.*says nothing without its {what}"):
        checked(lacking, "scores.csv", "made")


def test_what_a_clock_shows_needs_neither_protocol_nor_interval() -> None:
    checked(stated({"ms_per_page": 42.0, "parameters": 39_516}, model="student12"), "scores.csv", "made")


def test_a_metric_that_is_none_is_refused_with_the_nearest_one(rows: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="did you mean 'accuracy'"):
        checked(rows.replace({"metric": {"accuracy": "acuracy"}}), "scores.csv", "made")


def test_the_same_said_twice_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="repeats"):
        checked(pd.concat([rows, rows]), "scores.csv", "made")


def test_what_is_undefined_has_no_row() -> None:
    told = stated({"ppv_V": Interval(float("nan"), float("nan"), float("nan")), "found_mi": None}, model="m")
    assert told.empty


def test_a_column_that_scores_do_not_have_is_refused() -> None:
    with pytest.raises(TableError, match="no column 'split'"):
        stated({"parameters": 1}, model="m", split="grouped")


def test_a_score_is_found_by_what_it_means(rows: pd.DataFrame) -> None:
    one = score_of(rows, "accuracy", model="made")
    assert one.low <= one.value <= one.high
    assert len(selected(rows, metric=["accuracy", "brier"])) == 2
    with pytest.raises(TableError, match="0 rows have the metric 'accuracy' with model 'other'"):
        score_of(rows, "accuracy", model="other")
    with pytest.raises(TableError, match="2 rows"):
        score_of(pd.concat([rows, rows.assign(seeds="1")]), "accuracy", model="made")


def test_a_difference_names_the_other_and_is_none_of_a_model_with_itself() -> None:
    own = made_answers()
    told = compared(own, own.assign(model="twin"), PAGES, ["accuracy"], 50, weights="random")
    assert told[["model", "minus"]].iloc[0].tolist() == ["made", "twin"]
    assert told[["value", "low", "high"]].iloc[0].tolist() == [0, 0, 0]
    checked(told, "differences.csv", "made")
    elsewhere = compared(own, own, PAGES, ["accuracy"], 50, minus="protocol=grouped")
    assert elsewhere["minus"].tolist() == ["protocol=grouped"]


def test_inner_answers_are_never_reported() -> None:
    with pytest.raises(InputError, match="inner"):
        scored(made_answers().assign(role="inner", held_out=2), PAGES)


def test_texts_show_what_differs_from_line_to_line(rows: pd.DataFrame) -> None:
    both = pd.concat([rows, rows.assign(model="other", condition="calibrated=yes")])
    text = as_text(both, ["accuracy", "macro_f1"])
    assert list(text.columns) == ["model", "condition", "accuracy", "macro-F1"]
    assert text["accuracy"].iloc[0] == written(score_of(rows, "accuracy"))
    assert " to " in text["accuracy"].iloc[0]


def test_a_printed_table_is_never_cut(rows: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(pd.concat([rows, rows.assign(model="a_model_with_a_long_name")]), "Scores")
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert "protocol grouped, task four, n 120, seeds 1/2" in printed
    assert written(score_of(rows, "macro_auroc")) in printed


@pytest.mark.parametrize(("wanted", "codes"), [("", True), ("1", False)])
def test_a_printed_table_is_bold_in_terminals_that_want_it(
    wanted: str,
    codes: bool,
    rows: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"NO_COLOR": wanted, "FORCE_COLOR": "1", "TERM": "xterm", "COLORTERM": ""}.items():
        monkeypatch.setenv(name, value)
    print_table(rows, "Scores")
    assert ("\x1b[" in capsys.readouterr().out) is codes


def test_every_metric_has_words_and_one_of_a_class_is_called_by_both() -> None:
    assert all(metric.words for metric in METRICS.values())
    assert metric_of("recall_mi") == (METRICS["recall"], "mi")
    assert metric_of("macro_f1") == (METRICS["macro_f1"], "")
    assert metric_words("recall_history_of_mi") == "sensitivity, History of MI"
    with pytest.raises(KeyError):
        metric_of("score")
