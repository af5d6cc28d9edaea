"""What a run measured is published as it is, with its run, answers, pictures and models; nothing of a sample is."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from made import made_answers
from made_runs import ran, row
from miniature import Clone
from PIL import Image
from safetensors.numpy import save_file

from leadwise.errors import MissingInput, SettingsError
from leadwise.names import CLASSES, TEST_SETS
from leadwise.project import paths, profiles, provenance
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.publishing.publish import _DATA_OF, publish, write_measured
from leadwise.scores.draws import page_metrics
from leadwise.scores.table import read_scores, score_of, scored, selected, stated
from leadwise.tables import read_table, write_table


@pytest.fixture
def results(clone: Clone) -> Path:
    return clone.folder / "analysis" / "results"


def published(results: Path, name: str = "scores.csv") -> pd.DataFrame:
    return read_scores(results / name, name)


def test_a_published_row_says_of_which_run_it_is_and_the_run_how_and_where(results: Path) -> None:
    ran("26_image_leads12", row())
    publish("cpu")
    assert published(results)["run"].tolist() == ["26_image_leads12-cpu"]
    run = read_table(results / "runs.csv", "runs.csv").iloc[0]
    assert run["command"] == "leadwise run --profile cpu --only 26_image_leads12"
    assert (run["hardware"], run["minutes"]) == ("AMD EPYC, 2 cores, 25.3 GB", 1.5)
    assert (run["versions"], run["note"]) == ("torch 2.15.0", "Nothing is chosen.")


def test_minutes_machine_and_precision_are_those_of_the_trainings(results: Path) -> None:
    """A run that takes finished trainings up is short, and may be on another machine with other libraries."""
    folder = ran("26_image_leads12", row(), seconds=60.0)
    (folder / "weights").mkdir()
    for number, precision in enumerate(("bf16", "bf16", "fp32")):
        told = {
            "precision": precision, "seconds": "1200.0", "machine": "a GPU machine",
            "versions": "torch 2.6.0, timm 1.0.15",
        }  # fmt: skip
        save_file({}, folder / "weights" / f"{number}.safetensors", told)
    publish("cpu")
    run = read_table(results / "runs.csv", "runs.csv").iloc[0]
    assert (run["minutes"], run["hardware"], run["precision"]) == (60.0, "a GPU machine", "bf16/fp32")
    assert run["versions"] == "torch 2.6.0, timm 1.0.15"


def test_publishing_again_replaces_what_says_the_same_and_keeps_the_rest(results: Path) -> None:
    ran("26_image_leads12", row(0.95))
    ran("21_image_beit", row(0.79, model="beit_micro"))
    publish("cpu")
    ran("26_image_leads12", pd.concat([row(0.96), row(0.94, metric="macro_f1")]))
    (paths.result_path("cpu", "21_image_beit")).unlink()
    publish("cpu")
    scores = published(results)
    assert score_of(scores, "accuracy", model="leads12").value == 0.96
    assert score_of(scores, "accuracy", model="beit_micro").value == 0.79
    assert len(scores) == 3


def test_of_two_notebooks_that_say_the_same_the_first_is_published_and_a_run_without_rows_goes(
    results: Path,
) -> None:
    ran("26_image_leads12", row(0.95))
    publish("cpu")
    ran("24_image_vit", row(0.95))
    ran("26_image_leads12", row(0.95, task="binary"))
    publish("cpu")
    scores = published(results)
    assert dict(zip(scores["task"], scores["run"], strict=True)) == {
        "four": "24_image_vit-cpu", "binary": "26_image_leads12-cpu",
    }  # fmt: skip
    assert set(read_table(results / "runs.csv", "runs.csv")["run"]) == set(scores["run"])


def test_rows_of_another_profile_stay(results: Path, clone: Clone) -> None:
    ran("26_image_leads12", row(0.95))
    publish("cpu")
    old = published(results).assign(run="26_image_leads12-paper")
    write_table(pd.concat([published(results), old]), results / "scores.csv", "scores.csv")
    runs = read_table(results / "runs.csv", "runs.csv")
    other = runs.assign(run="26_image_leads12-paper", profile="paper")
    write_table(pd.concat([runs, other]), results / "runs.csv", "runs.csv")
    ran("26_image_leads12", row(0.96))
    publish("cpu")
    told = published(results).set_index("run")["value"].to_dict()
    assert told == {"26_image_leads12-paper": 0.95, "26_image_leads12-cpu": 0.96}


def test_test_answers_are_published_so_that_scores_can_be_computed_again(results: Path) -> None:
    answers = made_answers(seeds=(1, 2))
    own = scored(answers, page_metrics(CLASSES), ["accuracy", "macro_f1"], 50, weights="random")
    folder = ran("26_image_leads12", own)
    inner = answers[answers["seed"] == 1].assign(role="inner", held_out=2, fold=1)
    write_table(pd.concat([answers, inner]), folder / "predictions.csv", "predictions.csv")
    written = publish("cpu")
    files = sorted((results / "answers").rglob("*.csv.xz"))
    assert [path.relative_to(results / "answers").as_posix() for path in files] == [
        f"26_image_leads12-cpu/made-four-grouped-{seed}.csv.xz" for seed in (1, 2)
    ]
    assert set(files) <= set(written)
    again = pd.concat(pd.read_csv(path) for path in files)
    assert set(again["role"]) == {"test"}
    found = scored(again, page_metrics(CLASSES), ["accuracy", "macro_f1"], 50, weights="random")
    for metric in ("accuracy", "macro_f1"):
        assert score_of(found, metric).value == pytest.approx(score_of(published(results), metric).value)


def test_what_is_finished_of_a_notebook_that_is_not_can_be_published(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = paths.result_path("cpu", "26_image_leads12").parent / "trainings"
    one_fold = made_answers().query("fold == 1")
    for number, name in enumerate(["of_other_parameters", "later"]):
        (folder / name).mkdir(parents=True)
        write_table(one_fold, folder / name / "answers.csv", "predictions.csv")
        os.utime(folder / name / "answers.csv", (number, number))
    with pytest.raises(MissingInput, match="nothing to publish"):
        publish("cpu")
    with pytest.raises(SettingsError, match="26_image_leads12 works on the embedded sample"):
        publish("cpu", partial=True)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.jpg").write_bytes(b"a page")
    monkeypatch.setenv("LEADWISE_DATA", str(tmp_path / "pages"))
    (written,) = publish("cpu", partial=True)
    assert written == results / "answers" / "26_image_leads12-cpu" / "made-four-grouped-1.csv.xz"
    assert len(pd.read_csv(written)) == len(one_fold)
    made_answers().to_csv(written, index=False)
    with pytest.raises(MissingInput, match="nothing to publish"):  # more is published than is finished
        publish("cpu", partial=True)
    assert len(pd.read_csv(written)) == len(made_answers())


def test_a_result_of_other_parameters_or_without_its_picture_is_refused(results: Path) -> None:
    ran("26_image_leads12", row(), parameters={"SEEDS": [7]})
    with pytest.raises(SettingsError, match="made with other parameters than the profile 'cpu' has now"):
        publish("cpu")
    (ran("26_image_leads12", row()) / "beside_the_rate.png").unlink()
    with pytest.raises(MissingInput, match=r"beside_the_rate\.png is missing\. Run it again"):
        publish("cpu")
    assert not (results / "scores.csv").exists()


@pytest.mark.parametrize("text", ["[]", "null", "7", '"x"', ""])
def test_a_result_that_is_no_json_object_counts_as_none(results: Path, text: str) -> None:
    (ran("26_image_leads12", row()) / "result.json").write_text(text, encoding="utf-8")
    for partial in (False, True):
        with pytest.raises(MissingInput, match="nothing to publish"):
            publish("cpu", partial=partial)


def test_a_notebook_published_alone_takes_no_row_from_one_above_it(results: Path) -> None:
    ran("26_image_leads12", row(0.95))
    publish("cpu")
    paths.result_path("cpu", "26_image_leads12").unlink()
    ran("42_student_test", pd.concat([row(0.95), row(0.9, model="student12")]))
    publish("cpu")
    told = published(results).set_index("model")["run"].to_dict()
    assert told == {"leads12": "26_image_leads12-cpu", "student12": "42_student_test-cpu"}


def test_pictures_come_small_and_models_go_into_the_package(results: Path, clone: Clone) -> None:
    folder = ran("43_student_export", stated({"parameters": 39_516}, model="student12"))
    Image.new("RGB", (3000, 1500), "white").save(folder / "answer.png")
    (folder / "student12.onnx").write_bytes(b"the file")
    publish("cpu")
    with Image.open(clone.folder / "analysis" / "figures" / "answer.png") as picture:
        assert picture.size == (1600, 800)
    assert (clone.folder / "leadwise" / "resources" / "student12.onnx").read_bytes() == b"the file"


def test_pages_with_a_doubtful_label_are_published(results: Path) -> None:
    folder = ran("51_image_models", row())
    (folder / "doubtful.csv").write_text("page_id,label\n0123456789ab,mi\n", encoding="utf-8")
    publish("cpu")
    assert (results / "doubtful.csv").read_text(encoding="utf-8").endswith("0123456789ab,mi\n")


def test_networks_of_all_seeds_and_inner_ones_of_the_first_are_kept_and_no_others(results: Path) -> None:
    folder = ran("26_image_leads12", row())
    chosen = [
        (seed, fold, f"leads12_{'beats' if fold == 2 else 'signals'}") for seed in (1, 2) for fold in (1, 2)
    ]
    pd.DataFrame(chosen, columns=["seed", "fold", "chosen"]).assign(task="four").to_csv(folder / "chosen.csv")
    write_table(made_answers(), folder / "predictions.csv", "predictions.csv")
    (folder / "calibration.csv").write_text("model,task,protocol,seed,fold,temperature\n", encoding="utf-8")
    (folder / "weights").mkdir()
    told = {"precision": "fp32", "seconds": "1.0", "machine": "m", "versions": "torch 2.15.0"}
    for name in ("signals-seed1-fold1", "signals-seed1-fold1-2", "beats-seed1-fold1-2", "beats-seed1-fold2",
                 "beats-seed1-fold1", "beats-seed2-fold2", "signals-seed2-fold1", "signals-seed2-fold1-2",
                 "signals-binary-seed1-fold1"):  # fmt: skip
        save_file({}, folder / "weights" / f"leads12_{name}.safetensors", told)
    publish("cpu")
    kept = sorted(path.stem for path in (results / "leads12").glob("*.safetensors"))
    assert kept == [
        "leads12_beats-seed1-fold1-2", "leads12_beats-seed1-fold2", "leads12_beats-seed2-fold2",
        "leads12_signals-seed1-fold1", "leads12_signals-seed1-fold1-2", "leads12_signals-seed2-fold1",
    ]  # fmt: skip
    (folder / "calibration.csv").rename(folder / "moved.csv")
    with pytest.raises(FileNotFoundError, match=r"calibration\.csv"):
        publish("cpu")
    (folder / "moved.csv").rename(folder / "calibration.csv")
    (folder / "weights" / "leads12_signals-seed2-fold1.safetensors").unlink()
    with pytest.raises(MissingInput, match=r"signals-seed2-fold1\.safetensors is missing"):
        publish("cpu")
    assert sorted(path.stem for path in (results / "leads12").glob("*.safetensors")) == kept
    assert len([*(results / "leads12").iterdir()]) == len(kept) + 3


@pytest.mark.parametrize("name", ["bench_serve_load", "score_shipped"])
def test_what_no_notebook_measured_is_published_with_the_run_that_it_tells_itself(
    results: Path, name: str
) -> None:
    folder = paths.runs_folder() / "cpu" / name
    told = stated(
        {"pages_a_second": 26.2}, model="student12", unit="request", n=1000, condition={"clients": 16}
    )
    write_measured(name, folder, "cpu", "python bench.py", told, 0.86, "Made.")
    publish("cpu")
    assert selected(published(results), run=f"{name}-cpu")["value"].tolist() == [26.2]
    run = read_table(results / "runs.csv", "runs.csv").iloc[0]
    assert (run["command"], run["minutes"], run["note"]) == ("python bench.py", 0.86, "Made.")


def test_the_sample_is_not_published(clone: Clone) -> None:
    with pytest.raises(SettingsError, match="mean nothing"):
        publish("sample")


def test_answers_of_networks_that_are_published_are_not_published_as_a_run(results: Path) -> None:
    asked = profiles.parameters("cpu", "26_image_leads12").model_dump()
    ran("26_image_leads12", row(), parameters=asked | {"WEIGHTS": "published"})
    with pytest.raises(SettingsError, match="networks that are published already"):
        publish("cpu")


def test_a_run_on_the_embedded_sample_is_not_published_under_another_name(results: Path) -> None:
    ran("26_image_leads12", row(), data_listing={"pages": provenance.SAMPLE})
    with pytest.raises(SettingsError, match=r"embedded sample.*LEADWISE_DATA"):
        publish("cpu")


def test_rows_about_recordings_of_the_embedded_sample_are_left_out(results: Path) -> None:
    """A whole set of pages, and of PTB-XL the twelve recordings that come with the package."""
    elsewhere = row(
        0.7, metric="auroc_mi", task="external", protocol="external", test_set="ptbxl", unit="record"
    )
    listing = {"pages": "0123456789ab", "ptbxl425": provenance.SAMPLE}
    ran("51_image_models", pd.concat([row(), elsewhere]), data_listing=listing)
    publish("cpu")
    assert published(results)["test_set"].tolist() == ["mendeley"]


def test_where_nothing_was_run_it_says_what_to_run(clone: Clone) -> None:
    with pytest.raises(MissingInput, match="Run them first: leadwise run --profile cpu"):
        publish("cpu")


def test_of_every_test_set_it_is_known_whether_it_was_the_sample() -> None:
    assert set(_DATA_OF) == set(TEST_SETS)
    assert set(_DATA_OF.values()) <= {name for row in NOTEBOOKS.values() for name in row.data}
