"""The table of notebooks: what a row may say, and what follows from the rows."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest
from miniature import Clone

from leadwise.errors import MissingInput, SettingsError
from leadwise.project import paths, profiles
from leadwise.project.notebooks import NOTEBOOKS, Notebook, ends, in_a_table, with_needs
from leadwise.publishing.notebooks_table import notebooks_chart, notebooks_table, question

AUDIT = Notebook("11_image_audit", data=("pages",))


def test_two_rows_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="two notebooks are called '11_image_audit'"):
        in_a_table(AUDIT, dataclasses.replace(AUDIT, priority=1))


def test_a_row_that_needs_an_unknown_notebook_is_told_the_nearest() -> None:
    leads = Notebook("12_image_leads", data=("pages",), needs=("11_image_audits",))
    said = "12_image_leads needs '11_image_audits', and no .* is called so: did you mean '11_image_audit'"
    with pytest.raises(SettingsError, match=said):
        in_a_table(AUDIT, leads)


def test_a_row_that_needs_one_below_it_is_refused_so_that_none_can_wait_for_itself() -> None:
    leads = Notebook("12_image_leads", data=("pages",), needs=("11_image_audit",))
    with pytest.raises(
        SettingsError, match="12_image_leads needs '11_image_audit', and no notebook above it"
    ):
        in_a_table(leads, AUDIT)


def test_which_models_are_compared_decides_what_is_needed() -> None:
    row = NOTEBOOKS["51_image_models"]
    without_students = row.needed(row.parameters.model_validate({"SOURCES": [21, 26]}))
    assert {"21_image_beit", "26_image_leads12"} <= set(without_students)
    assert not {"22_image_deit", "41_student_distill", "42_student_test"} & set(without_students)
    row = NOTEBOOKS["37_image_drawn_leads"]
    of_vit = row.needed(row.parameters.model_validate({"SOURCES": [24]}))
    assert set(row.needed()) - set(of_vit) == {"21_image_beit", "22_image_deit"}
    row = NOTEBOOKS["52_signal_models"]
    assert "31_signal_attention" in row.needed()
    assert "31_signal_attention" not in row.needed(row.parameters.model_validate({"SOURCES": [32]}))


def test_a_notebook_comes_with_all_on_which_it_rests_and_nothing_else(clone: Clone) -> None:
    profile = profiles.load_profile("cpu")
    assert with_needs("34_signal_transfer", profile) == [
        "14_signal_records", "15_signal_beats", "34_signal_transfer",
    ]  # fmt: skip
    assert with_needs("42_student_test", profile) == [
        "11_image_audit", "12_image_leads", "13_image_folds", "26_image_leads12", "41_student_distill",
        "42_student_test",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["sample", "cpu", "paper", "mine"])
def test_everything_means_every_notebook_under_every_profile(clone: Clone, name: str) -> None:
    mine = clone.folder / "workflow" / "profiles" / "mine.yaml"
    mine.write_text("51_image_models: {SOURCES: [26]}\n52_signal_models: {SOURCES: [32]}\n", encoding="utf-8")
    profile = profiles.load_profile(name)
    last = ends(profile)
    assert {one for end in last for one in with_needs(end, profile)} == set(NOTEBOOKS)
    assert ("23_image_swin_tiny" in last) == (name == "mine"), "compared with nothing, it is still run"


@pytest.mark.parametrize("name", ["sample", "cpu", "paper"])
def test_every_transformer_is_compared_under_every_profile_that_is_shipped(clone: Clone, name: str) -> None:
    needed = NOTEBOOKS["51_image_models"].needed(profiles.parameters(name, "51_image_models"))
    assert {"21_image_beit", "22_image_deit", "23_image_swin_tiny", "24_image_vit"} <= set(needed)


def test_a_model_that_ships_is_a_file_that_anyone_can_run() -> None:
    assert {model for row in NOTEBOOKS.values() for model in row.ships} == {
        "student12.onnx",
        "beat_rhythm.onnx",
        "af_stretch.onnx",
        "hearts.onnx",
    }


# --- README's table and chart --------------------------------------------------------------


def asks(clone: Clone, name: str, text: str) -> None:
    path = paths.notebook_path(name)
    told = json.loads(path.read_text(encoding="utf-8"))
    told["cells"].insert(0, {"cell_type": "markdown", "source": text.splitlines(keepends=True)})
    path.write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture
def asking(clone: Clone) -> Clone:
    for name in NOTEBOOKS:
        asks(
            clone,
            name,
            f"# {name[:2]} A title\n\n**Question.** Some words.\nWhat is {name}\nhere? More? Yes.\n",
        )
    return clone


def published_runs(*runs: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(runs, columns=["notebook", "profile", "minutes"])


def test_a_row_of_the_table_asks_what_the_notebook_asks_and_says_what_was_measured(asking: Clone) -> None:
    runs = published_runs(
        ("26_image_leads12", "cpu", 81.3),
        ("27_image_leakage", "cpu", 108.3),
        ("11_image_audit", "cpu", 0.7),
        ("bench_qrs", "mine", 8.1),
    )
    lines = notebooks_table(runs).splitlines()
    assert lines[0] == "| notebook | what it answers | `cpu` |"
    assert len(lines) == 2 + len(NOTEBOOKS)
    told = "Some words. What is {0} here?"
    place = "[26_image_leads12](training/26_image_leads12.ipynb)"
    assert f"| {place} | {told.format('26_image_leads12')} | 81 min |" in lines
    times = {line.partition("]")[0][3:]: line.split(" | ")[-1].strip(" |") for line in lines[2:]}
    assert times["11_image_audit"] == "under 1 min"
    assert times["27_image_leakage"] == "1.8 h"
    assert times["12_image_leads"] == ""


def test_minutes_stand_under_the_profile_that_they_are_of(asking: Clone) -> None:
    runs = published_runs(("24_image_vit", "cpu", 43.6), ("31_signal_attention", "paper", 12.0))
    heads, _, *lines = notebooks_table(runs).splitlines()
    assert heads.endswith("| `cpu` | `paper` |")
    assert sum(line.endswith("| 44 min |  |") for line in lines) == 1
    assert sum(line.endswith("|  | 12 min |") for line in lines) == 1


def test_a_profile_of_which_nothing_is_known_has_no_column(asking: Clone) -> None:
    assert notebooks_table(published_runs()).splitlines()[0] == "| notebook | what it answers |"


@pytest.mark.parametrize("text", ["# 24 A title\n\nNo question here.\n", "**Question.** A statement.\n"])
def test_a_notebook_that_asks_nothing_is_refused(clone: Clone, text: str) -> None:
    asks(clone, "24_image_vit", text)
    with pytest.raises(MissingInput, match=r"24_image_vit\.ipynb: its first cell has no sentence"):
        question("24_image_vit")


def test_the_chart_draws_each_way_once_and_none_that_leads_over_another() -> None:
    lines = [line.strip() for line in notebooks_chart().splitlines()]
    assert lines[:2] == ["```mermaid", "flowchart LR"]
    assert 'pages[("pages")] --> n11["11 image audit"]' in lines
    assert 'n13 --> n24["24 image vit"]' in lines, "what it needs of 11 and 12 comes with 13"
    assert 'n31 & n32 & n36 --> n52["52 signal models"]' in lines
    assert 'n30 & n32 & n35 & n43 --> predict(["leadwise predict"])' in lines
    assert sum(" --> n" in line for line in lines) == len(NOTEBOOKS)
