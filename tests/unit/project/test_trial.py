"""A trial (TEST: false) answers inner folds alone: test folds stay closed, and nobody takes it for a test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from made import made_folds, made_pages, made_views
from miniature import Clone

from leadwise.errors import MissingInput, SettingsError
from leadwise.folds.partition import partition
from leadwise.learning.pages import train_pages
from leadwise.learning.study import Results
from leadwise.models.weights_file import read_metadata
from leadwise.project import notebook, profiles, trial
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.tables import checked, read_table

N = 40
TRIED = [
    "21_image_beit",
    "22_image_deit",
    "23_image_swin_tiny",
    "24_image_vit",
    "25_image_vit_scratch",
    "26_image_leads12",
]
CANDIDATES = ["leads12_beats", "leads12_joined"]


def trained(folder: Path, *, test: bool) -> Results:
    """What 26 trains of forty made pages, two epochs of two steps."""
    pages = made_pages(N)
    folds = made_folds(pages)
    data: Any = SimpleNamespace(partition=lambda task, seed: partition(pages, folds, "grouped", seed, task))
    settings: Any = SimpleNamespace(
        PROFILE="sample", WEIGHTS="random", RECIPE="random", TASKS=["four"], FOLDS=[1, 2, 3, 4, 5], SEEDS=[1],
        EPOCHS=2, MAX_STEPS=2, INNER=True, TEST=test,
    )  # fmt: skip
    return train_pages(settings, made_views(N), data, folder, "made", CANDIDATES, name="leads12")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trial")


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return trained(folder, test=False)


def test_a_trial_of_the_page_model_answers_for_no_test_fold(results: Results, folder: Path) -> None:
    told = checked(results.predictions, "predictions.csv", "these answers")
    assert set(told["role"]) == {"inner"}
    assert set(results.history["role"]) == {"inner"}
    assert (results.networks, len(results.chosen)) == ([], 5)
    left_out = [read_metadata(path)["left_out"] for path in (folder / "weights").glob("*.safetensors")]
    assert len(left_out) == 2 * 10
    assert all("," in folds for folds in left_out), "a network that leaves out one fold is made to be tested"
    assert not list((folder / "trainings").rglob("answers.csv"))


def test_what_a_trial_has_trained_need_not_be_trained_again_to_test(
    results: Results, folder: Path, tmp_path: Path
) -> None:
    tested = trained(shutil.copytree(folder, tmp_path / "later"), test=True)
    assert tested.reused == len(results.trainings)
    assert len(tested.networks) == 5
    inner = tested.predictions.query("role == 'inner'").reset_index(drop=True)
    pd.testing.assert_frame_equal(inner, results.predictions, check_dtype=False)
    assert tested.test_units("four")["unit_id"].nunique() == N


def test_inner_scores_are_told_by_candidate_and_epoch(results: Results) -> None:
    table = trial.inner_scores(results.history)
    assert set(zip(table["model"], table["epoch"], strict=True)) == {
        (name, epoch) for name in CANDIDATES for epoch in (1, 2)
    }
    assert (table["trainings"] == 10).all()
    of_one = results.history.query("model == 'leads12_joined' and epoch > 1.5")["inner_log_loss"]
    last = table.query("model == 'leads12_joined' and epoch == 2").iloc[0]
    assert last["log_loss"] == pytest.approx(of_one.mean())
    best = trial.lowest(table)
    (sentence,) = trial.told(best)
    winner = best.loc[best["log_loss"].idxmin()]
    assert f"{winner['model']} is lowest, log-loss {winner['log_loss']:.3f} after" in sentence
    assert "No network was asked about the fold that it is tested on" in sentence


@pytest.mark.parametrize("name", TRIED)
def test_a_trial_without_inner_folds_is_refused(name: str) -> None:
    given = {"PROFILE": "x", "TEST": False}
    said = "here: TEST: false answers inner folds alone, and there are none: set INNER: true"
    with pytest.raises(SettingsError, match=said):
        profiles.check_parameters(name, given | {"INNER": False}, "here")
    assert profiles.check_parameters(name, given | {"INNER": True}, "here").model_dump()["TEST"] is False


@pytest.mark.parametrize("name", ["31_signal_attention", "34_signal_transfer", "41_student_distill"])
def test_where_nothing_is_chosen_there_is_no_trial(name: str) -> None:
    with pytest.raises(SettingsError, match=r"TEST: false .* there are none: nothing is chosen here"):
        profiles.check_parameters(name, {"PROFILE": "x", "TEST": False}, "here")


def test_networks_of_beats_are_tried_where_one_chooses_its_epochs() -> None:
    known = {"PROFILE": "x", "TEST": False, "REPEATED": [], "LEAKY": [], "MODELS": ["heartbeat_cnn"]}
    profiles.check_parameters("32_signal_networks", known | {"FIXED": []}, "here")
    with pytest.raises(SettingsError, match="there are none: FIXED holds all of MODELS"):
        profiles.check_parameters("32_signal_networks", known | {"FIXED": ["heartbeat_cnn"]}, "here")


def test_what_prices_leaks_is_nothing_but_tests_and_has_no_trial() -> None:
    trying = {name for name, row in NOTEBOOKS.items() if "TEST" in row.parameters.model_fields}
    assert trying == {
        *TRIED, "31_signal_attention", "32_signal_networks", "34_signal_transfer", "35_signal_rhythm",
        "36_signal_beats_joined", "37_image_drawn_leads", "41_student_distill",
    }  # fmt: skip


TRIAL = """import pandas as pd
from types import SimpleNamespace
from leadwise.project import trial
place = {"model": "leads12_joined", "task": "four", "protocol": "grouped", "seed": 1, "fold": 1, "role": "inner"}
rows = {"step": [2, 4], "epoch": [1.0, 2.0], "inner_log_loss": [0.5, 0.25], "inner_accuracy": [0.75, 0.9]}
answer = {"unit": "page", "unit_id": "0", "group_id": "g", "profile": "sample", "held_out": 2, "label": "mi"}
answer |= {f"prob_{name}": 0.25 for name in ("normal", "abnormal_heartbeat", "history_of_mi", "mi")}
told = pd.DataFrame([place | answer])
trial.end(run, SimpleNamespace(predictions=told, history=pd.DataFrame(rows).assign(held_out=2, **place)))"""


def test_a_trial_ends_its_notebook_and_no_later_cell_runs(clone: Clone) -> None:
    clone.notebook("26_image_leads12", TRIAL)
    ran = clone.execute("26_image_leads12")
    assert ran.returncode == 0, ran.stdout
    result = clone.result("26_image_leads12")
    told = json.loads(result.read_text(encoding="utf-8"))
    assert told["note"] == trial.NOTE
    assert told["files"] == ["inner.csv", "predictions.csv"]
    assert read_table(result.with_name("predictions.csv"), "predictions.csv")["role"].tolist() == ["inner"]
    cells = json.loads(result.with_name("notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    said = ["".join(text for output in cell.get("outputs", []) for text in output["text"]) for cell in cells]
    assert "leads12_joined is lowest, log-loss 0.250 after 2 epochs (accuracy 0.900, mean over 1" in said[-2]
    assert said[-1] == "Skipped: TEST is False. Start the kernel anew to test.\n"


@pytest.mark.usefixtures("own_kernel")
def test_a_notebook_that_needs_test_answers_of_a_trial_says_what_to_run(clone: Clone) -> None:
    def start(name: str, **parameters: Any) -> notebook.Run:
        return notebook.start(name, {"__name__": "__main__", **parameters})

    for test in (False, True):
        run = start("26_image_leads12", INNER=True, TEST=test)
        run.table(pd.DataFrame({"chosen": []}), "chosen.csv")
        run.finish()
        if test:
            assert start("42_student_test").input("26_image_leads12", "chosen.csv").is_file()
            break
        for name in ("41_student_distill", "42_student_test", "43_student_export", "51_image_models"):
            with pytest.raises(MissingInput, match=rf"{name} needs .* was a trial.*TEST: true and run it"):
                start(name).input("26_image_leads12", "chosen.csv")
