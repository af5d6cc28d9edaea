"""What the notebooks wrote when they ran on the sample."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors import safe_open
from sites import broken_links, fetched, pages

from leadwise.drawing.drawn import FORMS
from leadwise.files import sha256
from leadwise.folds.pages import assert_disjoint, published
from leadwise.folds.partition import weights_name
from leadwise.folds.recordings import SIGNAL_PROTOCOLS
from leadwise.learning.distill import LOSSES
from leadwise.learning.leakage import PRICED
from leadwise.names import CLASSES, LEADS
from leadwise.pages.ink_maps import ink_net_maps, session_of
from leadwise.project import profiles
from leadwise.project.notebooks import LEAD_NETWORKS, NOTEBOOKS, audit_of
from leadwise.project.paths import STAGES
from leadwise.publishing.report import write_report
from leadwise.scores.metrics import select_pages
from leadwise.scores.table import read_scores, score_of, selected
from leadwise.serving.model import load_model
from leadwise.sets.arrays import open_array
from leadwise.tables import read_table

REPOSITORY = Path(__file__).resolve().parents[2]
MICRO = [profiles.parameters("sample", name).model_dump()["MODEL"] for name in LEAD_NETWORKS]
#: Those that score: all but those that only look at data.
NO_SCORES = {"28_image_ink", "29_image_names"}  # how well these do stands on the cards of the files that ship
SCORING = [
    name for name in NOTEBOOKS if name not in NO_SCORES and (name[0] in "2345" or name[:2] in {"12", "17"})
]


def result_of(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((folder / name / "result.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_result_keeps_the_contract(executed_sample, name):
    result = result_of(executed_sample, name)
    wanted = {
        "notebook", "profile", "parameters", "data_fingerprint", "inputs", "versions", "machine", "started",
        "seconds", "facts", "note", "files",
    }  # fmt: skip
    assert wanted <= set(result)
    assert result["notebook"] == name
    audit = audit_of(name)
    assert result["data_fingerprint"] == result_of(executed_sample, audit)["data_fingerprint"]
    for file in result["files"]:
        assert (executed_sample / name / file).is_file(), file
    for fact in result["facts"].values():
        values = fact if isinstance(fact, dict) else {"value": fact}
        assert all(value is None or np.isfinite(value) for value in values.values())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_figures_stand_in_the_notebook_and_are_not_blank(executed_sample, name):
    cells = json.loads((executed_sample / name / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert pictures
    for picture in pictures:
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("L"), dtype=float)
        assert pixels.std() > 5
    files = [path for path in (executed_sample / name).iterdir() if path.suffix == ".png"]
    assert len(files) == len(pictures)
    assert all(path.with_suffix(".svg").is_file() for path in files)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_from_random_weights_is_called_fine_tuned(executed_sample, name):
    cells = json.loads((executed_sample / name / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            assert "fine-tuned" not in json.dumps(cell["outputs"]).lower()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_left_no_scratch_behind(executed_sample, name):
    left = [
        path
        for path in (executed_sample / name).rglob("*")
        if ".part" in path.name or "checkpoint-" in path.name
    ]
    assert not left


def test_the_audit_counts_what_is_there(executed_sample):
    facts = result_of(executed_sample, "11_image_audit")["facts"]
    assert (facts["files"], facts["distinct"], facts["printed_ids"]) == (155, 48, 22)
    pages = read_table(executed_sample / "11_image_audit" / "pages.csv", "pages.csv")
    assert pages["copies"].sum() == 155
    assert set(pages["label"].value_counts()) == {12}


def test_leads_of_every_page_are_there_in_the_order_of_the_table(executed_sample):
    folder = executed_sample / "12_image_leads"
    table = read_table(folder / "leads.csv", "leads.csv")
    assert open_array(folder / "leads.npy").shape == (48, 12, 300, 500)
    assert open_array(folder / "strip.npy").shape == (48, 300, 2000)
    assert (table.groupby("page_id").size() == 13).all()
    assert table["rhythm_lead"].dropna().isin(["II", "III"]).all()


def test_grouped_folds_share_no_group_and_leaky_ones_do(executed_sample):
    table = read_table(executed_sample / "13_image_folds" / "folds.csv", "folds.csv")
    grouped = table.query("protocol == 'grouped'")
    for fold in range(1, 6):
        assert_disjoint(
            grouped.loc[grouped["fold"] != fold, "group_id"],
            grouped.loc[grouped["fold"] == fold, "group_id"],
            "",
        )
    known = published().set_index("page_id")["grouped_1"]
    assert (grouped["fold"].to_numpy() == known[grouped["unit_id"]].to_numpy()).all(), "not as published"
    leaky = table.query("protocol == 'leaky_copies'")
    assert (leaky.groupby("unit_id")["fold"].nunique() > 1).any()


def test_windows_beats_and_folds_of_the_excerpts_are_there(executed_sample):
    first, second = executed_sample / "14_signal_records", executed_sample / "15_signal_beats"
    windows = read_table(first / "windows.csv", "windows.csv")
    beats = read_table(second / "beats.csv", "beats.csv")
    assert open_array(first / "windows.npy").shape == (len(windows), 3600) == (852, 3600)
    assert open_array(second / "heartbeats.npy").shape == (len(beats), 187)
    assert open_array(second / "beats.npy").shape == (len(beats), 2, 144)
    assert set(windows["decided"]) == {"majority", "tie", "no_beat"}
    table = read_table(second / "folds.csv", "folds.csv")
    # two more are of recordings of two sets, and 36 makes their folds
    assert set(table["protocol"]) == set(SIGNAL_PROTOCOLS) - {"interpatient_svdb", "svdb"}
    strict = table.query("protocol == 'interpatient_strict'")
    parts = strict.groupby("part")["group_id"].apply(set)
    assert_disjoint(parts["train"], parts["test"], "strict")
    assert result_of(executed_sample, "14_signal_records")["data_listing"] == {"mitdb": "sample"}


def test_recordings_are_answered_for_by_networks_that_never_saw_the_person(executed_sample):
    folds = read_table(executed_sample / "15_signal_beats" / "folds.csv", "folds.csv")
    windows = read_table(executed_sample / "14_signal_records" / "windows.csv", "windows.csv")
    answers = read_table(executed_sample / "31_signal_attention" / "predictions.csv", "predictions.csv")
    own = answers.query("protocol == 'patient_folds' and model == 'attention_windows'")
    assert sorted(own["unit_id"]) == sorted(windows["window_id"])
    of = folds.query("protocol == 'patient_folds'").set_index("unit_id")["fold"]
    record = windows.set_index("window_id")["record"]
    assert (own["fold"].to_numpy() == of[own["unit_id"].map(record)].to_numpy()).all()
    beats = read_table(executed_sample / "32_signal_networks" / "predictions.csv", "predictions.csv")
    learned = set(folds.query("protocol == 'interpatient' and part == 'train'")["group_id"])
    test = beats.query("protocol == 'interpatient' and role == 'test'")
    networks = set(profiles.parameters("sample", "32_signal_networks").MODELS)  # type: ignore[attr-defined]
    assert set(test["model"]) == networks | {"ratios_alone", "always_normal"}
    assert not learned & set(test["group_id"])
    inner = beats.query("protocol == 'interpatient' and role == 'inner'")
    assert set(inner["group_id"]) == learned


def test_networks_are_joined_by_answers_to_beats_that_none_of_them_was_trained_on(executed_sample):
    folds = read_table(executed_sample / "15_signal_beats" / "folds.csv", "folds.csv")
    answers = read_table(executed_sample / "32_signal_networks" / "predictions.csv", "predictions.csv")
    told = answers.query("protocol == 'interpatient_held_out'")
    record = told["unit_id"].str.rsplit("-", n=1).str[0]
    parts = folds.query("protocol == 'interpatient_held_out'").groupby("part")["unit_id"].apply(set)
    for role in ("val", "test"):
        own = record[told["role"] == role]
        assert set(own) == parts[role]
        assert not set(own) & parts["train"]
    joined = read_table(executed_sample / "33_signal_ensemble" / "predictions.csv", "predictions.csv")
    assert set(joined["role"]) == {"test"}
    scores = read_scores(executed_sample / "33_signal_ensemble" / "scores.csv")
    members = told["model"].nunique()
    wanted = {f"k={k}{peeked}" for k in range(2, members + 1) for peeked in ("", ";ranked_on=test")}
    for _, own in scores[scores["condition"] != ""].groupby(["protocol", "model"]):
        assert set(own["condition"]) == wanted


def test_a_leak_of_recordings_is_priced_for_every_network(executed_sample):
    scores = read_scores(executed_sample / "52_signal_models" / "scores.csv")
    scores = scores.query(
        "metric == 'accuracy' and weights != 'published'"
    )  # which answers for all beats alone
    networks = set(profiles.parameters("sample", "32_signal_networks").LEAKY)  # type: ignore[attr-defined]
    leaky = scores[scores["protocol"].str.startswith("leaky") & (scores["weights"] != "")]
    assert set(leaky["model"]) == networks | {"attention_windows"}
    n_of = scores.set_index(["protocol", "counted", "model"])["n"].sort_index()
    every = n_of["interpatient", "all"]
    strict, later = n_of["interpatient_strict", "all"], n_of["interpatient", "after_5_min"]
    assert len(every) == len(strict) == len(later)
    assert (strict < every).all()
    assert (later < every).all()


def test_transfer_answers_for_every_beat_in_each_way_and_shares_no_patient(executed_sample):
    folder = executed_sample / "34_signal_transfer"
    answers = read_table(folder / "predictions.csv", "predictions.csv")
    floors = {"rate_alone", "age_alone", "frequent_class"}
    assert set(answers["model"]) == {"scratch", "frozen", "tuned"} | floors
    asked = answers.groupby(["protocol", "model"])["unit_id"].agg(lambda ids: tuple(sorted(ids)))
    assert asked.nunique() == 1  # so that all of them can be paired
    several = answers.groupby(["protocol", "group_id"])["fold"].nunique() > 1
    assert not several["patient_folds"].any()
    assert several["leaky_beats"].all()
    scores = read_scores(folder / "scores.csv").query("task == 'normal'")
    assert set(scores["unit"]) == {"beat", "patient"}
    alike = scores[scores["metric"].str.startswith("always_") & (scores["model"] == "frequent_class")]
    of_folds = alike.groupby(["protocol", "unit"]).agg(value=("value", "sum"), n=("n", "first"))
    assert (of_folds["value"] == of_folds["n"]).all()


@pytest.mark.parametrize("name", LEAD_NETWORKS)
def test_each_page_is_answered_once_by_a_network_that_never_saw_it(executed_sample, name):
    predictions = read_table(executed_sample / name / "predictions.csv", "predictions.csv")
    pages = select_pages(predictions, "four", [1], [1, 2, 3, 4, 5])
    assert pages["unit_id"].is_unique
    assert len(pages) == 48
    folds = read_table(executed_sample / "13_image_folds" / "folds.csv", "folds.csv")
    tested = folds.query("protocol == 'grouped' and seed == 1").set_index("unit_id")["fold"]
    assert (pages.set_index("unit_id")["fold"] == tested[pages["unit_id"]]).all()
    for fold in range(1, 6):
        with safe_open(executed_sample / name / "weights" / f"seed1-fold{fold}.safetensors", "pt") as file:
            assert file.metadata()["left_out"] == str(fold)


def test_networks_that_began_from_drawn_leads_are_paired_with_those_that_did_not(executed_sample):
    own, before = (executed_sample / name for name in ("37_image_drawn_leads", "24_image_vit"))
    taught, folds = (
        own / "weights" / name for name in ("vit_micro_drawn.safetensors", "vit_micro-seed1-fold{}")
    )
    with safe_open(taught, "pt") as file:
        assert not [name for name in file.keys() if "head" in name]  # noqa: SIM118 - no mapping
        recordings = file.metadata()["data_fingerprint"]
    for fold in range(1, 6):
        with safe_open(f"{folds}.safetensors".format(fold), "pt") as file:
            told = file.metadata()
        assert (told["left_out"], told["began_from"]) == (str(fold), "file: vit_micro_drawn.safetensors")
        assert told["data_fingerprint"] != recordings
    drawn, random = (
        select_pages(read_table(folder / "predictions.csv", "predictions.csv"), "four", [1], [1, 2, 3, 4, 5])
        for folder in (own, before)
    )
    keys = ["unit_id", "group_id", "fold", "label"]
    assert (
        drawn[keys].sort_values("unit_id").to_numpy().tolist()
        == random[keys].sort_values("unit_id").to_numpy().tolist()
    )
    difference = score_of(
        read_scores(own / "differences.csv", "differences.csv"), "accuracy", weights="drawn"
    )
    of_drawn, of_random = (
        score_of(read_scores(folder / "scores.csv"), "accuracy") for folder in (own, before)
    )
    assert difference.value == pytest.approx(of_drawn.value - of_random.value)
    assert difference.low <= difference.value <= difference.high


@pytest.mark.parametrize("name", LEAD_NETWORKS)
def test_a_pages_answer_is_the_mean_of_its_twelve_leads(executed_sample, name):
    predictions = read_table(executed_sample / name / "predictions.csv", "predictions.csv")
    test = predictions[predictions["role"] == "test"]
    keys = ["model", "unit_id"]
    columns = [f"prob_{label}" for label in CLASSES]
    leads = test[test["unit"] == "lead"].groupby(keys)
    assert (leads["lead"].nunique() == 12).all()
    means = leads[columns].mean().sort_index()
    pages = test[test["unit"] == "page"].sort_values(keys)[columns]
    np.testing.assert_allclose(means.to_numpy(), pages.to_numpy(), atol=1e-5)


def test_the_number_of_epochs_is_chosen_on_inner_folds(executed_sample):
    folder = executed_sample / "21_image_beit"
    inner = read_table(folder / "predictions.csv", "predictions.csv").query("role == 'inner'")
    assert (inner.groupby(["fold", "held_out"]).ngroups) == 20
    assert (inner["fold"] != inner["held_out"]).all()
    assert len(read_table(folder / "calibration.csv", "calibration.csv")) == 5
    assert len(list((folder / "weights").glob("seed1-fold?-?.safetensors"))) == 10


def test_training_is_recorded_step_by_step(executed_sample):
    for name in LEAD_NETWORKS:
        history = read_table(executed_sample / name / "history.csv", "history.csv")
        assert history["loss"].notna().any()
        assert set(history["fold"]) == {1, 2, 3, 4, 5}
        assert list((executed_sample / name).rglob("events.out.tfevents*"))


def test_every_student_answers_for_all_pages_by_a_network_that_did_not_see_them(executed_sample):
    predictions = read_table(executed_sample / "42_student_test" / "predictions.csv", "predictions.csv")
    for loss in LOSSES:
        assert len(select_pages(predictions, "four", [1], [1, 2, 3, 4, 5], model=f"student12_{loss}")) == 48
        for fold in range(1, 6):
            name = f"student12_{loss}-seed1-fold{fold}.safetensors"
            with safe_open(executed_sample / "41_student_distill" / "weights" / name, "pt") as file:
                assert file.metadata()["left_out"] == str(fold)
    assert not (executed_sample / "41_student_distill" / "predictions.csv").exists(), (
        "41 opened the test folds"
    )


def test_every_taught_student_stands_beside_its_untaught_twin_and_its_teacher(executed_sample):
    differences = pd.read_csv(executed_sample / "42_student_test" / "differences.csv")
    pairs = set(differences[["model", "condition", "minus"]].itertuples(index=False, name=None))
    taught = [loss for loss in LOSSES if loss != "untaught"]
    assert pairs >= {("student12", f"loss={loss}", "loss=untaught") for loss in taught}
    assert pairs >= {("student12", f"loss={loss}", "leads12") for loss in LOSSES}
    assert ("mobilenetv3_small", "loss=published", "loss=untaught") in pairs
    assert (differences["low"] <= differences["high"]).all()


def test_the_exported_student_answers_as_torch_did_and_refuses_what_is_no_page(executed_sample):
    folder = executed_sample / "43_student_export"
    result = result_of(executed_sample, "43_student_export")
    scores = read_scores(folder / "scores.csv")
    assert score_of(scores, "parity_largest_difference").value < 1e-4
    assert score_of(scores, "parity_same_decision").value == 1
    assert score_of(scores, "refused", condition="page=made").value == 1
    assert score_of(scores, "refused", condition="page=real").value == 0
    model = load_model(folder / "student12.onnx")
    assert model.info.classes == CLASSES
    assert model.info.data_fingerprint == result["data_fingerprint"]
    assert "mean nothing" in model.info.note
    costs = pd.read_csv(folder / "costs.csv").set_index(["model", "runtime"])["ms_per_page"]
    assert costs["student12", "onnx"] < costs["vit_micro", "onnx"]


def test_the_page_model_is_the_published_one_and_says_what_was_published(executed_sample):
    """So that its figures are true of these pages, and those of its baselines, too."""
    folder = executed_sample / "26_image_leads12"
    assert result_of(executed_sample, "26_image_leads12")["parameters"]["WEIGHTS"] == "published"
    answers = REPOSITORY / "analysis" / "results" / "answers" / "26_image_leads12-cpu"
    own = read_table(folder / "predictions.csv", "predictions.csv").query("role == 'test'")
    columns = [f"prob_{label}" for label in CLASSES]
    for model in ("leads12", "rate", "tuned_classical"):
        told = read_table(answers / f"{model}-four-grouped-1.csv.xz", "predictions.csv").set_index("unit_id")
        mine = own.query("model == @model").set_index("unit_id")
        assert len(mine) == 48
        assert (mine[columns] - told.loc[mine.index, columns]).abs().max(axis=None) < 1e-5
    for name in ("26_image_leads12", "42_student_test", "51_image_models"):
        scores = selected(
            read_scores(executed_sample / name / "scores.csv"), metric="accuracy", counted="all"
        )
        of_pages = selected(scores, model="leads12", condition="", task="four")
        assert set(of_pages["weights"]) == {"published"}
        assert set(of_pages["n"]) == {48}
        assert (of_pages["low"] > 0.8).all(), "the published networks read these pages"
        if name == "42_student_test":  # which shows published students, too
            scores = scores[scores["weights"] != "published"]
        trained_here = scores[scores["model"].isin([*MICRO, "student12"])]
        assert set(trained_here["weights"]) <= {"random"}


def test_published_students_stand_beside_those_of_a_few_steps(executed_sample):
    scores = read_scores(executed_sample / "42_student_test" / "scores.csv")
    scores = selected(
        scores, model="student12", metric="accuracy", condition=[f"loss={loss}" for loss in LOSSES]
    )
    assert set(scores["n"]) == {48}
    of_published = scores[scores["weights"] == "published"]
    assert set(of_published["condition"]) == {f"loss={loss}" for loss in LOSSES}
    assert (of_published["low"] > 0.8).all()
    assert (scores.loc[scores["weights"] == "random", "value"] < 0.8).all()


def test_the_network_that_ships_answers_for_excerpts_of_ds2(executed_sample):
    scores = read_scores(executed_sample / "52_signal_models" / "scores.csv").query("weights == 'published'")
    assert set(scores["model"]) == {"beat_rhythm"}
    assert set(scores["test_set"]) == {"ds2"}
    file = sha256(REPOSITORY / "leadwise" / "resources" / "beat_rhythm.onnx")[:12]
    assert all(f"file={file}" in condition for condition in scores["condition"])
    assert scores.query("metric == 'macro_f1' and counted == 'all'")["low"].notna().all()


def test_the_page_model_answers_each_page_once_and_chose_on_inner_folds(executed_sample):
    folder = executed_sample / "26_image_leads12"
    predictions = read_table(folder / "predictions.csv", "predictions.csv")
    for model in ("leads12", "rate", "strip_features", "random_encoder", "base_rates"):
        pages = select_pages(predictions, "four", [1], [1, 2, 3, 4, 5], model=model)
        assert len(pages) == 48
        assert pages["unit_id"].is_unique
    assert predictions.query("role == 'inner'").groupby(["fold", "held_out"]).ngroups == 20
    chosen = pd.read_csv(folder / "chosen.csv")
    assert set(chosen["chosen"]) <= {"leads12_beats", "leads12_joined"}
    for row in chosen.itertuples():
        with safe_open(folder / "weights" / f"{row.chosen}-seed1-fold{row.fold}.safetensors", "pt") as file:
            assert file.metadata()["left_out"] == str(row.fold)
            assert file.metadata()["epochs"] == str(row.epochs)
    assert len(read_table(folder / "calibration.csv", "calibration.csv")) == 5


def test_every_protocol_is_priced_and_only_leaky_ones_know_the_test_pages(executed_sample):
    folder = executed_sample / "27_image_leakage"
    known = pd.read_csv(folder / "leaks.csv").set_index(["task", "protocol"])
    assert known.index.tolist() == [(task, name) for task, names in PRICED.items() for name in names]
    leaky = [name in ("leaky_file_90_10", "leaky_copies", "leaky_pooled") for _, name in known.index]
    assert ((known["same_page"] > 0) == leaky).all()
    assert known.loc[("four", "grouped"), "same_id"] == 0
    predictions = read_table(folder / "predictions.csv", "predictions.csv")
    once = predictions.query("task == 'four'").groupby(["model", "protocol"])["unit_id"].nunique().unstack()
    assert (once[["leaky_copies", "leaky_copy_weights", "distinct", "grouped"]] == 48).all(axis=None)
    scores = read_scores(folder / "scores.csv").query("metric == 'accuracy'")
    assert set(scores["unit"]) == {"file", "lead", "page"}
    assert selected(scores, protocol="leaky_copies", unit="file")["n"].tolist() == [155, 155]


def test_recordings_of_another_country_are_answered_by_every_folds_network(executed_sample):
    answers = read_table(executed_sample / "53_image_elsewhere" / "predictions.csv", "predictions.csv")
    filters = {f"filter={name};part=folds_1_to_9" for name in ("zero_phase", "causal")}
    assert set(answers["condition"]) == filters
    of_each = answers.groupby(["model", "condition", "fold"])["unit_id"].nunique()
    assert of_each.tolist() == [12] * (10 + 2), "five networks and a student, under two filters"
    assert answers.filter(like="prob_").sum(axis=1).between(0.999, 1.001).all()


def test_every_model_is_scored_with_intervals(executed_sample):
    scores = read_scores(executed_sample / "51_image_models" / "scores.csv")
    told = selected(scores, protocol="grouped", metric="accuracy")
    floors = ["tuned_classical", "strip_features", "rate", "random_encoder", "base_rates"]
    networks = [*MICRO, *["student12"] * len(LOSSES), "leads12"]
    assert told["model"].tolist()[: len(networks)] == networks
    assert sorted(told["model"].tolist()[len(networks) :]) == sorted(floors)
    assert told.query("model == 'student12'")["condition"].tolist() == [f"loss={loss}" for loss in LOSSES]
    assert set(told.query("model in @floors")["weights"]) == {""}


@pytest.mark.parametrize("name", SCORING)
def test_what_a_notebook_scores_keeps_the_contract_and_says_more_than_text(executed_sample, name):
    scores = read_scores(executed_sample / name / "scores.csv")
    assert np.isfinite(scores["value"]).all()
    with_interval = scores.dropna(subset=["low"])
    assert (with_interval["low"] <= with_interval["high"]).all()
    differences = executed_sample / name / "differences.csv"
    if differences.is_file():
        assert len(read_scores(differences, "differences.csv"))


def test_pages_of_every_layout_are_drawn_and_each_is_read_or_refused_with_a_reason(executed_sample):
    pages = read_table(executed_sample / "17_image_any_page" / "read_pages.csv", "read_pages.csv")
    assert set(pages["form"]) == set(FORMS)
    assert (pages["read"] == pages["aligned_db"].notna()).all()
    assert (pages["read"] == pages["why"].isna()).all()


def test_each_ink_is_told_on_pages_held_out_and_by_the_file_itself(executed_sample):
    folder = executed_sample / "28_image_ink"
    told = pd.read_csv(folder / "told.csv")
    grids = profiles.parameters("sample", "28_image_ink").GRIDS
    assert [tuple(row) for row in told[["grid", "photo"]].to_numpy()] == [
        (grid, photo) for photo in (False, True) for grid in grids
    ]
    assert set(told["file"]) == {sha256(folder / "ink.onnx")[:12]}
    maps = ink_net_maps(np.full((64, 96, 3), 255, np.uint8), session_of(str(folder / "ink.onnx")))
    assert all(each.shape == (64, 96) for each in maps.values())


def test_names_are_read_on_pages_held_out_and_by_the_file_itself(executed_sample):
    folder = executed_sample / "29_image_names"
    told = pd.read_csv(folder / "told.csv")
    assert list(told["name"]) == [*LEADS, "-aVR"]
    assert told["n"].sum() > 20
    assert set(told["file"]) == {sha256(folder / "names.onnx")[:12]}


def test_errors_are_told_page_by_page_together_and_by_kind(executed_sample):
    folder = executed_sample / "51_image_models"
    wrong = pd.read_csv(folder / "wrong.csv")
    asked = [*MICRO, "student12_untaught", "leads12"]
    assert [column for column in wrong if column.startswith("answer_")] == [
        f"answer_{name}" for name in asked
    ]
    assert wrong["page_id"].nunique() == len(wrong) == 48
    assert wrong["p_label"].is_monotonic_increasing
    together = pd.read_csv(folder / "wrong_together.csv")
    assert together["wrong"].tolist() == list(range(7))
    assert (
        together["pages"].tolist() == wrong["wrong"].value_counts().reindex(range(7), fill_value=0).tolist()
    )
    kinds = pd.read_csv(folder / "subgroups.csv")
    assert set(kinds["what"]) == {"class", "sex", "month", "rate", "quality", "triangle"}
    assert (kinds.groupby(["model", "what"])["of"].sum() == 48).all()
    assert kinds.loc[kinds["of"] < 10, "share"].isna().all()
    assert kinds.loc[kinds["of"] >= 10, "share"].notna().all()
    assert not (folder / "net_benefit.csv").exists(), "the sample is not trained on two classes"


def trainings_of(folder: Path) -> set[str]:
    """Names of the trainings that a notebook's history tells of."""
    history = read_table(folder / "history.csv", "history.csv")
    keys = ["model", "task", "seed", "fold", "held_out"]
    return {
        weights_name(seed, (fold,) if pd.isna(held_out) else (int(held_out), fold), task=task, prefix=prefix)
        for prefix, task, seed, fold, held_out in history[keys].drop_duplicates().itertuples(index=False)
    }


@pytest.mark.parametrize("name", ["31_signal_attention", "32_signal_networks", "34_signal_transfer"])
def test_trainings_of_all_protocols_are_kept_together(executed_sample: Path, name: str) -> None:
    folder = executed_sample / name
    assert {path.name for path in (folder / "trainings").iterdir()} == trainings_of(folder)
    assert {path.stem for path in (folder / "weights").iterdir()} == trainings_of(folder)


def test_a_training_of_other_parameters_goes_and_those_that_are_needed_are_taken_up(
    executed_sample: Path, tmp_path: Path
) -> None:
    for name in ("14_signal_records", "15_signal_beats", "32_signal_networks"):
        shutil.copytree(executed_sample / name, tmp_path / "sample" / name)
    folder = tmp_path / "sample" / "32_signal_networks"
    mine = written_at(folder / "weights")
    stale = folder / "weights" / "beat_rhythm-interpatient-seed9-fold1.safetensors"
    stale.write_bytes(b"of another seed")
    (folder / "trainings" / stale.stem).mkdir()
    done = papermill(REPOSITORY / "training" / "32_signal_networks.ipynb", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not stale.exists()
    assert not (folder / "trainings" / stale.stem).exists()
    now = written_at(folder / "weights")
    assert set(now) == set(mine)
    # one that begins from another's file knows it by where it lay, so that in a copied folder it is trained again
    assert {name for name in mine if now[name] != mine[name] and "autoencoder" not in name} == set()


def written_at(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def papermill(source: Path, runs: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "papermill", str(source), str(runs / "out.ipynb"), *more],
        cwd=REPOSITORY,
        env=os.environ | {"LEADWISE_RUNS": str(runs)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "written"), [("22_image_deit", "predictions.csv"), ("51_image_models", "scores.csv")]
)
def test_plain_papermill_runs_one_fold_alone(executed_sample, tmp_path, name, written):
    shutil.copytree(executed_sample, tmp_path / "sample", ignore=shutil.ignore_patterns(".*"))
    source = REPOSITORY / STAGES[name[0]] / f"{name}.ipynb"
    done = papermill(source, tmp_path, "-y", "FOLDS: [4]")
    assert done.returncode == 0, done.stderr[-2000:]
    table = pd.read_csv(tmp_path / "sample" / name / written)
    folds = read_table(executed_sample / "13_image_folds" / "folds.csv", "folds.csv")
    in_it = len(folds.query("protocol == 'grouped' and fold == 4"))
    pages = (
        table["unit_id"].nunique() if "unit_id" in table else table.query("protocol == 'grouped'")["n"].max()
    )
    assert pages == in_it


def test_their_report_opens_from_disk_with_all_notebooks_and_figures(
    executed_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("LEADWISE_RUNS", str(executed_sample.parent))
    site = write_report("sample", tmp_path / "report").parent
    assert {path.stem for path in (site / "notebooks").iterdir()} == set(NOTEBOOKS)
    shown = [figure.figcaption.a["href"] for figure in pages(site)[site / "figures.html"].find_all("figure")]
    assert len(shown) == sum(1 for name in NOTEBOOKS for _ in (executed_sample / name).glob("*.png"))
    assert sum("#cell-id=" in link for link in shown) > len(shown) / 2
    assert broken_links(site) == []
    assert fetched(site) == []
