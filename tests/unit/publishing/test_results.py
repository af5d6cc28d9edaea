"""Published tables show what their specification asks for, or are refused; and every document holds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from leadwise.errors import TableError
from leadwise.names import CLASSES, TASKS
from leadwise.publishing import documents
from leadwise.publishing.render import ANOTHER_MODEL, Cell, Listing, Published, Sentence, Table
from leadwise.publishing.results import HEADLINE, TABLES
from leadwise.publishing.sentences import (
    beside_its_kind,
    each_difference,
    gained_by_ranking,
    lead_over_the_best_baseline,
    paired_or_not,
    shown_or_not,
)
from leadwise.scores.beats import BEATS, WINDOWS
from leadwise.scores.draws import Interval, page_metrics
from leadwise.scores.table import read_scores, score_of, scored, selected, stated
from leadwise.scores.transfer import transfer_scores
from leadwise.scores.wrong_answers import all_say_otherwise, by_networks_that_never_saw_it, by_page
from leadwise.tables import read_table, write_table

REPOSITORY = Path(__file__).resolve().parents[3]
TRANSFER = "34_signal_transfer-cpu"
LADDER = ["leaky_beats", "patient_folds"]
PLACE = {
    "task": "four", "protocol": "grouped", "test_set": "mendeley", "weights": "random", "unit": "page",
    "counted": "all", "average": "gross", "n": 491,
}  # fmt: skip


def score(model: str, value: float, run: str, metric: str = "accuracy", **more: object) -> pd.DataFrame:
    interval = Interval(value, value - 0.02, value + 0.02)
    return stated({metric: interval}, **{**PLACE, "model": model, "seeds": "1", **more}).assign(run=run)


def difference(model: str, minus: str, value: float, **more: object) -> pd.DataFrame:
    rows = score(model, value, "26-cpu", **more)
    rows.insert(4, "minus", minus)
    return rows


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two notebooks' scores, of one the seeds apart and calibrated; and what differs."""
    scores = [
        score("leads12", 0.95, "26-cpu", seeds="1/2/3"),
        score("leads12", 0.96, "26-cpu"),
        score("leads12", 0.94, "26-cpu", seeds="1/2/3", condition="calibrated=yes"),
        score("rate", 0.71, "26-cpu", seeds="1/2/3"),
        score("beit_micro", 0.79, "21-cpu"),
        stated({"always_mi": 5}, **PLACE | {"model": "rate", "seeds": "1", "n": 5}).assign(run="26-cpu"),
        stated({"parameters": 78_432, "size_mb": 0.26}, model="leads12").assign(run="26-cpu"),
    ]
    differences = [
        difference("leads12", "rate", 0.24, seeds="1/2/3"),
        difference("leads12", "strip_features", -0.01, seeds="1/2/3"),
        difference("leads12", "protocol=distinct", -0.06, seeds="1/2/3"),
    ]
    runs = [
        ("26-cpu", "26_image_leads12", "cpu", 81.3, "chosen on inner folds."),
        ("21-cpu", "21_image_beit", "cpu", 60.7, None),
    ]
    write_table(pd.concat(scores), tmp_path / "scores.csv", "scores.csv")
    write_table(pd.concat(differences), tmp_path / "differences.csv", "differences.csv")
    table = pd.DataFrame(runs, columns=["run", "notebook", "profile", "minutes", "note"])
    table = table.assign(
        command=[f"leadwise run --profile cpu --only {name}" for name in table["notebook"]], hardware="2 cores",
        versions=None, precision=None, opening=None,
    )  # fmt: skip
    write_table(table, tmp_path / "runs.csv", "runs.csv")
    return tmp_path


@pytest.fixture
def published(results: Path) -> Published:
    return Published.read(results)


@pytest.fixture(scope="module")
def ours() -> Published:
    """What the repository publishes; tests look at it alone."""
    return Published.read(REPOSITORY / "analysis" / "results")


@pytest.fixture(scope="module")
def shown(ours: Published) -> dict[str, str]:
    """Every table of it, by name."""
    return {name: one.text(ours) for name, one in TABLES.items()}


def table(**more: object) -> Table:
    told = {
        "title": "Made", "where": ({"task": "four", "calibrated": ""},), "lines": ("model", "seeds"),
        "cells": (Cell("accuracy"),),
    }  # fmt: skip
    return Table(**{**told, **more})


def test_a_line_a_place_and_a_column_a_figure_with_its_interval(published: Published) -> None:
    lines = table().text(published).splitlines()
    assert lines[0] == "| model | seeds | accuracy |"
    assert lines[2:6] == [
        "| `leads12` | 1, 2, 3 | 0.950 (0.930 to 0.970) |",
        "| `leads12` | 1 | 0.960 (0.940 to 0.980) |",
        "| `rate` | 1, 2, 3 | 0.710 (0.690 to 0.730) |",
        "| `beit_micro` | 1 | 0.790 (0.770 to 0.810) |",
    ]


def test_seeds_that_are_published_alone_show_their_spread(results: Path) -> None:
    some = Published.read(results)
    assert "Not every seed of `leads12`, `rate` is published alone, so their spread is not shown." in (
        table().text(some)
    )
    alone = [score("leads12", value, "26-cpu", seeds=seed) for seed, value in (("2", 0.93), ("3", 0.97))]
    every = pd.concat([read_scores(results / "scores.csv"), *alone])
    write_table(every, results / "scores.csv", "scores.csv")
    text = table().text(Published.read(results))
    assert "| `leads12` | 1, 2, 3 | 0.950 (0.930 to 0.970); seeds 0.930 to 0.970 |" in text
    assert "| `leads12` | 2 |" not in text
    assert "Not every seed of `rate` is" in text
    listed = table(each_seed=True).text(Published.read(results))
    assert "0.950 (0.930 to 0.970); seeds 0.930 to 0.970 |" in listed
    for seed, value in (("1", "0.960"), ("2", "0.930"), ("3", "0.970")):
        assert f"| `leads12` | {seed} | {value} (" in listed


def test_a_file_stands_beside_the_mean_of_its_kind() -> None:
    rows = pd.DataFrame(
        [("", "1/2/3", 0.72), ("f5ab4aaada5d", "1", 0.69)], columns=["file", "seeds", "value"]
    ).assign(metric="macro_f1")
    assert beside_its_kind(rows) == (
        "In macro-F1 the file has 0.690; 3 networks that the same recipe trained again have 0.720 in the mean."
    )


def test_beneath_stand_all_runs_that_the_table_is_of_and_not_the_last_one(published: Published) -> None:
    text = table(caption="Made up.").text(published)
    assert "Made up. `leadwise run --profile cpu --only 26_image_leads12`: 81.3 minutes on 2 cores." in text
    assert "chosen on inner folds. `leadwise run --profile cpu --only 21_image_beit`: 60.7 minutes" in text
    of_one = table(where=({"model": "beit_micro"},)).text(published)
    assert "26_image_leads12" not in of_one


def test_no_published_table_is_said_to_be_of_one_notebook_where_it_is_of_several(
    shown: dict[str, str],
) -> None:
    for notebook in ("21_image_beit", "22_image_deit", "24_image_vit"):
        assert f"--only {notebook}`" in shown["image_transformers"]


def test_a_comparison_is_told_from_a_paired_difference_or_called_not_shown(published: Published) -> None:
    where = {"minus": "rate", "metric": "accuracy", "model": "leads12"}
    told = paired_or_not(published, where, "Not shown.")
    assert told.startswith("Paired: `leads12` minus `rate`, accuracy, +0.240 (+0.220 to +0.260)")
    assert paired_or_not(published, where | {"minus": "age_alone"}, "Not shown.") == "Not shown."


def test_beats_after_five_minutes_are_as_many_as_were_counted(ours: Published) -> None:
    for asked in (
        {"task": "aami5", "protocol": "interpatient", "metric": "accuracy"},
        {"task": "detection", "metric": "sensitivity"},
    ):
        late, every = (selected(ours.scores, counted=counted, **asked) for counted in ("after_5_min", "all"))
        assert 0 < late["n"].max() < every["n"].dropna().min()


def test_beneath_differences_stands_what_they_can_show(published: Published) -> None:
    cells = (Cell("accuracy"), Cell("accuracy", "minus the rate's", minus="rate"))
    text = table(cells=cells).text(
        published
    )  # an interval of 0.04 is 3.92 standard errors, of which 2.80 are found
    assert "with 80 % power where it is at least 0.029 in accuracy;" in text
    assert "80 % power" not in table().text(published)
    of_sentences = table(sentences=(Sentence({"model": "leads12", "metric": "accuracy"}, shown_or_not),))
    assert "at least 0.029 in accuracy;" in of_sentences.text(published)


def test_what_can_be_shown_is_told_by_n_where_few_and_many_are_compared(ours: Published) -> None:
    """Abnormal pages at 90 bpm and below beside those above, which are more and find smaller differences."""
    text = TABLES["image_rates"].text(ours)
    least = {int(n): float(size) for size, n in re.findall(r"(0\.\d+) in sensitivity.*?\(n = (\d+)\)", text)}
    assert least[36] > 2 * least[197]


def test_labels_that_are_doubted_are_those_that_the_published_answers_contradict() -> None:
    folder = REPOSITORY / "analysis" / "results"
    tested = folder / "answers" / "26_image_leads12-cpu" / "leads12-four-grouped-1.csv.xz"
    files = (folder / "leads12" / "predictions.csv", tested)
    answers = pd.concat(read_table(path, "predictions.csv") for path in files).query("seed == 1")
    table = by_page(by_networks_that_never_saw_it(answers), CLASSES)
    doubtful = pd.read_csv(folder / "doubtful.csv", dtype={"page_id": str})
    assert all_say_otherwise(table)["page_id"].tolist() == doubtful["page_id"].tolist()
    assert (doubtful["label"] != doubtful["called"]).all()
    assert (doubtful["networks"] == 5).all()


def test_the_lead_is_over_the_baseline_that_inner_folds_prefer(results: Path) -> None:
    path = results / "scores.csv"
    inner = [
        stated({"inner_log_loss": loss}, **PLACE | {"model": name, "seeds": "1/2/3"}).assign(run="26-cpu")
        for name, loss in (("rate", 0.8), ("strip_features", 0.56))
    ]
    assert lead_over_the_best_baseline(Published.read(results)) == ""
    write_table(pd.concat([read_table(path, "scores.csv"), *inner]), path, "scores.csv")
    said = lead_over_the_best_baseline(Published.read(results))
    assert "(0.560), not by its test answers, is `strip_features`" in said
    assert said.endswith("accuracy: -0.010 (-0.030 to +0.010).")


def test_a_column_of_differences_has_the_sign_and_stands_in_its_line(published: Published) -> None:
    cells = (Cell("accuracy"), Cell("accuracy", "minus the rate's", minus="rate"))
    first, second, *_ = table(cells=cells).text(published).splitlines()[2:]
    assert first.endswith("| +0.240 (+0.220 to +0.260) |")
    assert second.endswith("|  |")
    whichever = (Cell("accuracy"), Cell("accuracy", "minus", minus=ANOTHER_MODEL))
    with pytest.raises(TableError, match="2 rows have"):  # rate and strip_features; a protocol is no model
        table(cells=whichever).text(published)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"lines": ("model", "sed")}, "no column or condition 'sed'.*did you mean 'seeds'"),
        ({"where": ({"tusk": "four"},)}, "no column or condition 'tusk'.*did you mean 'task'"),
        ({"where": ({"task": "fore"},)}, "no published row has {'task': 'fore'}"),
        ({"cells": (Cell("accuracy"), Cell("macro_f1"))}, "no row has what the column 'macro-F1' asks for"),
        ({"cells": (Cell("accuracy", where={"k": "5"}),)}, "no column or condition 'k'"),
        ({"lines": ("model",)}, r"2 rows have .* they differ in .*seeds"),
    ],
)
def test_a_specification_that_asks_for_what_no_row_has_is_refused(
    published: Published, more: dict[str, object], why: str
) -> None:
    with pytest.raises(TableError, match=why):
        table(**more).text(published)


def test_a_table_that_may_lack_says_that_it_is_not_measured(published: Published) -> None:
    assert table(where=({"metric": "net_benefit"},), may_lack=True).text(published) == "Not yet measured."


def test_a_listing_has_a_line_a_figure_and_refuses_one_that_is_not_there(published: Published) -> None:
    items = (Cell("parameters"), Cell("size_mb", "size, MB"), Cell("always_mi"))
    text = Listing("Made", {"notebook": "26_image_leads12"}, "`leads12`", items).text(published)
    assert "| parameters | 78,432 |  |  |" in text
    assert "| size, MB | 0.26 |  |  |" in text
    with pytest.raises(TableError, match="no row has what the line 'epochs' asks for"):
        Listing("Made", {"notebook": "26_image_leads12"}, "`leads12`", (Cell("epochs"),)).text(published)


def test_sentences_tell_what_is_shown_from_what_is_not(published: Published) -> None:
    def said(write: Callable[[pd.DataFrame], str], *minus: str) -> str:
        return Sentence({"minus": minus, "metric": "accuracy"}, write).text_and_runs(published)[0]

    assert said(shown_or_not, "rate", "strip_features") == (
        "Task four, accuracy, paired: `leads12` is above `rate` (+0.240, +0.220 to +0.260); "
        "**not shown to differ from** `strip_features` (-0.010, -0.030 to +0.010)."
    )
    by_other = said(partial(shown_or_not, by="minus"), "rate")
    assert by_other == "Task four, accuracy, paired: `rate`: above it `leads12`."
    listed = said(each_difference, "protocol=distinct")
    assert listed == "`leads12`, `grouped` minus `distinct`: -0.060 (-0.080 to -0.040)."
    span = said(gained_by_ranking, "rate", "strip_features")
    assert (
        span == "Ranking on the test set would have gained -0.010 to +0.240 (`grouped`), which is no result."
    )


def test_a_listing_with_credits_names_data_and_run_in_every_line(published: Published) -> None:
    cells = (Cell("accuracy", "the rate", {"model": "rate"}),)
    text = Listing("Made", {"task": "four"}, "what", cells, {"mendeley": "somebody"}).text(published)
    line = "| the rate | 0.710 | 0.690 to 0.730 | 491 pages | 1, 2, 3 | somebody | `26_image_leads12` |"
    assert line in text


def test_a_row_whose_run_is_unknown_is_refused(results: Path) -> None:
    runs = pd.read_csv(results / "runs.csv")
    runs[runs["run"] != "21-cpu"].to_csv(results / "runs.csv", index=False)
    with pytest.raises(TableError, match=r"run '21-cpu' is not in runs\.csv"):
        Published.read(results)


def test_only_what_stands_between_marks_changes(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(documents.WRITERS, "made", table().text)
    text = "before\n<!-- leadwise tables: made -->\nstale\n<!-- end of table -->\nafter\n"
    once = documents.with_tables(text, published)
    assert once.startswith("before\n<!-- leadwise tables: made -->\n| model | seeds | accuracy |")
    assert once.endswith("<!-- end of table -->\nafter\n")
    assert "stale" not in once
    assert documents.with_tables(once, published) == once
    with pytest.raises(TableError, match="did you mean 'made'"):
        documents.with_tables(text.replace("tables: made", "tables: mode"), published)


def test_readme_results_and_cards_are_as_the_command_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert not documents.outdated(), "`leadwise tables` writes them"


def test_every_published_row_stands_in_a_table_of_its_notebook(
    ours: Published, shown: dict[str, str]
) -> None:
    """A notebook whose scores are published has a table that shows some of them."""
    together = "\n".join(shown.values())
    for run in ours.runs.itertuples():
        assert run.command in together, f"{run.Index} is published, and no table shows a row of it"


def test_two_profiles_are_told_apart_in_every_table(ours: Published, shown: dict[str, str]) -> None:
    other = {run: run.replace("-cpu", "-paper") for run in ours.runs.index}
    both = Published(
        *(
            pd.concat([one, one.assign(run=one["run"].map(other), profile="paper")])
            for one in (ours.scores, ours.differences)
        ),
        pd.concat([ours.runs, ours.runs.rename(index=other)]),
    )
    assert HEADLINE.text(both) == HEADLINE.text(ours), "it is of one profile, which its commands name"
    for name, table in TABLES.items():
        told = table.text(both)
        if told == shown[name] == "Not yet measured.":
            continue
        assert "| `cpu` |" in told or "| cpu |" in told or "(`cpu`)" in told
        assert all(line in told for line in shown[name].splitlines() if line.startswith("Task "))


def test_published_scores_are_what_the_published_answers_give() -> None:
    """Each file of answers is of one seed; scores of that seed alone are computed from it again.

    Those of transfer have a test of their own: their ways are conditions of one network.
    """
    folder = REPOSITORY / "analysis" / "results"
    published = read_scores(folder / "scores.csv")
    published = published[published["seeds"].str.fullmatch(r"\d+") & (published["counted"] == "all")]
    published = published[~published["unit"].isin(["file", "lead"])]
    again = []
    for path in sorted((folder / "answers").rglob("*.csv.xz")):
        if path.parent.name == TRANSFER:
            continue
        answers = read_table(path, "predictions.csv")
        task = answers["task"].iloc[0]
        place = {name: answers[name].iloc[0] for name in ("model", "task", "protocol")}
        condition = answers["condition"].iloc[0] if "condition" in answers else ""
        own = selected(published, **place, seeds=str(answers["seed"].iloc[0]), condition=condition)
        elsewhere = own["metric"].str.match(
            "found_|doubtful|inner_|attention_"
        )  # counts, and what else is asked
        own = own[(own["run"] == path.parent.name) & ~elsewhere]
        if len(own):
            wanted = own.set_index("metric")[["value", "low", "high"]]
            weights = own["weights"].iloc[0]
            measure = {"aami5": BEATS, "window": WINDOWS}.get(task, page_metrics(TASKS[task]))
            told = scored(answers, measure, list(wanted.index), weights=weights, condition=condition)
            assert told[list(wanted)].to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-5)
            again += list(own["metric"])
    assert again


def test_published_scores_of_transfer_are_what_its_answers_give() -> None:
    """Patients of one age have one probability but for its last digit, so their ranks may change."""
    folder = REPOSITORY / "analysis" / "results"
    published = selected(read_scores(folder / "scores.csv"), run=TRANSFER, task="normal", protocol=LADDER)
    answers = {}
    for path in sorted((folder / "answers" / TRANSFER).glob("*.csv.xz")):
        of_way = read_table(path, "predictions.csv")
        answers[of_way["protocol"].iloc[0], of_way["model"].iloc[0]] = of_way
    where = ["protocol", "model", "condition", "unit", "metric"]
    told = transfer_scores(answers, "heartbeat_cnn").set_index(where).sort_index()
    wanted = published.set_index(where).sort_index()
    assert list(told.index) == list(wanted.index)
    for column in ("value", "low", "high", "n"):
        assert told[column].to_numpy(float) == pytest.approx(
            wanted[column].to_numpy(float), abs=5e-4, nan_ok=True
        )


def test_the_published_figures_of_the_whole_set_reach_what_is_claimed(ours: Published) -> None:
    """What is said in words of the triangle and of the pages that are found."""
    assert "on nine pages in ten to within one pixel" in TABLES["image_leads"].intro
    scores = selected(ours.scores, notebook="12_image_leads")
    assert score_of(scores, "pages_found").value == scores["n"].max() == 491
    assert score_of(scores, "einthoven_rms_mv_median").value < 1 / 78.6, "one pixel"
    assert score_of(scores, "einthoven_within_one_pixel").low > 0.9
    assert score_of(scores, "header_right").value == 1
