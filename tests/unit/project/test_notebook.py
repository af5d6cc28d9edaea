from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from miniature import Clone
from waiting import held, wait_until

from leadwise import processes
from leadwise.errors import InputError, MissingInput, SettingsError
from leadwise.project import notebook, paths, provenance

pytestmark = pytest.mark.usefixtures("own_kernel")


def start(name: str, **namespace: Any) -> notebook.Run:
    return notebook.start(name, {"__name__": "__main__", "In": [], **namespace})


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_a_notebook_that_ends_well_leaves_a_result_that_says_how_it_came_about(clone: Clone) -> None:
    run = start("13_image_folds", SEEDS=[1, 2])
    run.table(pd.DataFrame({"group": ["a"], "pages": [3]}), "groups.csv")
    run.finish({"groups": np.int64(7), "share": {"value": 0.5, "low": math.nan, "high": np.float64(0.7)}})
    result = read(clone.result("13_image_folds"))
    assert result["notebook"] == "13_image_folds"
    assert result["parameters"] == {"PROFILE": "sample", "SEEDS": [1, 2]}
    assert result["facts"] == {"groups": 7, "share": {"value": 0.5, "low": None, "high": 0.7}}
    assert result["files"] == ["groups.csv"]
    assert result["seconds"] >= 0
    assert {"numpy", "python"} <= set(result["versions"])
    assert result["machine"]["cores"] >= 1
    assert result["code_fingerprint"] == provenance.code_fingerprint("13_image_folds")


def test_an_unknown_parameter_is_refused_with_the_nearest_right_word(clone: Clone) -> None:
    with pytest.raises(SettingsError, match="24_image_vit: unknown parameter 'EPOCS': did you mean 'EPOCHS'"):
        start("24_image_vit", EPOCS=3)


def test_a_profile_that_is_not_there_is_refused_in_a_notebook_too(clone: Clone) -> None:
    with pytest.raises(SettingsError, match="unknown profile 'cqu'"):
        start("11_image_audit", PROFILE="cqu")


def test_constants_that_a_notebook_imported_are_no_parameters(clone: Clone) -> None:
    run = start("11_image_audit", CLASSES=("normal", "mi"), TASK_CLASSES={"four": ()})
    assert run.parameters.model_dump() == {"PROFILE": "sample"}


def test_a_missing_input_names_the_notebook_to_run_first(clone: Clone) -> None:
    run = start("24_image_vit")
    with pytest.raises(
        MissingInput, match=r"24_image_vit needs leads.npy of 12_image_leads.*run 12_image_leads first"
    ):
        run.input("12_image_leads", "leads.npy")


def test_what_is_read_from_an_earlier_notebook_stands_in_the_result_with_its_hash(clone: Clone) -> None:
    earlier = start("11_image_audit")
    earlier.data_fingerprint = "0123456789ab"
    (earlier.folder / "pages.csv").write_text("page_id\n", encoding="utf-8")
    earlier.finish({})
    run = start("12_image_leads")
    assert run.input("11_image_audit", "pages.csv").read_text(encoding="utf-8") == "page_id\n"
    run.finish({})
    result = read(clone.result("12_image_leads"))
    assert [entry["path"] for entry in result["inputs"]] == ["11_image_audit/pages.csv"]
    assert len(result["inputs"][0]["sha256"]) == 64
    assert result["data_fingerprint"] == "0123456789ab"


@pytest.fixture
def audited(clone: Clone) -> Path:
    """The folder of 11, which has finished, with files of every kind."""
    run = start("11_image_audit")
    for name in (
        "pages.csv",
        "weights/seed1.safetensors",
        "trainings/seed1/tensorboard/events",
        "notebook.ipynb",
    ):
        (run.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (run.folder / name).write_text(f"what {name} holds", encoding="utf-8")
    run.finish({})
    return run.folder


def test_a_result_holds_the_sum_of_each_file_that_another_notebook_may_read(audited: Path) -> None:
    result = read(audited / "result.json")
    assert result["sha256"] == {
        name: hashlib.sha256((audited / name).read_bytes()).hexdigest()
        for name in ("pages.csv", "weights/seed1.safetensors")
    }
    assert set(result["sha256"]) < set(result["files"])


@pytest.mark.parametrize("changed", ["pages.csv", "weights/seed1.safetensors"])
def test_a_file_that_is_not_what_its_notebook_wrote_is_refused_and_what_to_run_is_said(
    audited: Path, changed: str
) -> None:
    text = (audited / changed).read_text(encoding="utf-8")
    (audited / changed).write_text(text.replace("h", "H", 1), encoding="utf-8")  # as long as it was
    later = start("12_image_leads")
    with pytest.raises(MissingInput) as refused:
        later.weights("11_image_audit") if "/" in changed else later.input("11_image_audit", changed)
    assert str(audited / changed) in str(refused.value)
    assert str(refused.value).endswith("leadwise run --profile sample --only 11_image_audit --force")
    start("11_image_audit")
    (audited / changed).parent.mkdir(exist_ok=True)
    (audited / changed).write_text(text.replace("h", "H", 1), encoding="utf-8")
    start("11_image_audit").finish({})
    assert start("12_image_leads").input("11_image_audit", changed).is_file()


def test_a_file_is_read_for_its_sum_only_where_its_size_or_time_is_not_as_it_was_written(
    audited: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_for_sums: list[Path] = []
    monkeypatch.setattr(
        notebook.files,
        "sha256",
        lambda path: read_for_sums.append(path) or hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    pages = audited / "pages.csv"
    for expected in ([], [pages]):
        later = start("12_image_leads")
        later.input("11_image_audit", "pages.csv")
        assert read_for_sums == expected
        assert (
            later.inputs["11_image_audit/pages.csv"] == read(audited / "result.json")["sha256"]["pages.csv"]
        )
        os.utime(pages, ns=(0, 0))  # as after a copy


def test_what_may_change_after_a_notebook_is_done_is_not_held_against_it(audited: Path) -> None:
    for name in ("trainings/seed1/tensorboard/events", "notebook.ipynb"):
        (audited / name).write_text("written since", encoding="utf-8")
    later = start("12_image_leads")
    assert later.input("11_image_audit", "pages.csv").is_file()
    assert later.weights("11_image_audit").is_dir()


def test_a_result_of_an_earlier_version_has_no_sums_and_its_files_are_taken_as_they_are(
    audited: Path,
) -> None:
    result = read(audited / "result.json")
    del result["sha256"]
    (audited / "result.json").write_text(json.dumps(result), encoding="utf-8")
    (audited / "pages.csv").write_text("written since", encoding="utf-8")
    assert start("12_image_leads").input("11_image_audit", "pages.csv").is_file()


@pytest.mark.parametrize("text", ["[]", "null", "7", '"x"', "", '{"notebook"'])
def test_a_result_that_is_no_json_object_counts_as_none(audited: Path, text: str) -> None:
    (audited / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(MissingInput, match="run 11_image_audit first"):
        start("12_image_leads").input("11_image_audit", "pages.csv")


def test_what_an_interrupted_run_left_stays_and_what_a_finished_one_left_goes(clone: Clone) -> None:
    (start("24_image_vit").folder / "checkpoint").write_text("half", encoding="utf-8")
    run = start("24_image_vit")
    assert (run.folder / "checkpoint").exists()
    run.finish({})
    run = start("24_image_vit")
    assert [path.name for path in run.folder.iterdir()] == [".begun.json"]


def test_what_a_killed_writer_left_goes_also_where_its_run_is_gone_on_with(clone: Clone) -> None:
    folder = start("24_image_vit").folder
    (folder / "weights").mkdir()
    half = folder / "weights" / ".seed1-fold1.0123456789ab.part.safetensors"
    half.write_text("half", encoding="utf-8")
    (folder / "checkpoint").write_text("half", encoding="utf-8")
    (folder / "weights" / "seed1-fold2.safetensors").touch()
    start("24_image_vit")
    assert not half.exists()
    assert (folder / "checkpoint").exists()
    assert (folder / "weights" / "seed1-fold2.safetensors").exists()


def test_what_was_left_under_other_parameters_goes(clone: Clone) -> None:
    (start("24_image_vit").folder / "checkpoint").write_text("half", encoding="utf-8")
    assert not (start("24_image_vit", SEEDS=[2]).folder / "checkpoint").exists()


@pytest.mark.parametrize("finished", [False, True])
def test_finished_trainings_stay_where_other_parameters_are_given(clone: Clone, finished: bool) -> None:
    run = start("24_image_vit")
    for name in ("trainings/seed1-fold1/history.csv", "weights/seed1-fold1.safetensors", "predictions.csv"):
        (run.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (run.folder / name).write_text("of seed 1", encoding="utf-8")
    if finished:
        run.finish({})
    again = start("24_image_vit", SEEDS=[1, 2])
    assert (again.folder / "weights" / "seed1-fold1.safetensors").is_file()
    assert (again.folder / "trainings" / "seed1-fold1" / "history.csv").is_file()
    assert not (again.folder / "predictions.csv").exists()
    assert not (again.folder / "result.json").exists()


def test_a_result_that_was_put_aside_stays_and_is_none_of_the_notebooks_files(clone: Clone) -> None:
    aside = clone.result("11_image_audit").with_name(notebook.OUTDATED)
    start("11_image_audit").finish({"pages": 48})
    clone.result("11_image_audit").rename(aside)
    start("11_image_audit").finish({"pages": 47})
    assert read(aside)["facts"] == {"pages": 48}
    assert read(clone.result("11_image_audit"))["files"] == []


def test_the_old_result_is_gone_as_soon_as_a_notebook_starts_again(clone: Clone) -> None:
    start("11_image_audit").finish({})
    start("11_image_audit")
    assert not clone.result("11_image_audit").exists()


@pytest.mark.parametrize("made", [False, True])
def test_a_missing_or_empty_data_folder_says_what_to_do(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: bool
) -> None:
    folder = tmp_path / "pages"
    if made:
        folder.mkdir()
    monkeypatch.setenv("LEADWISE_DATA", str(folder))
    with pytest.raises(MissingInput, match=r"LEADWISE_DATA: .*pages is (empty|no folder)"):
        start("11_image_audit", PROFILE="cpu")


def test_the_profile_cpu_works_on_the_pages_that_the_user_names(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pages").mkdir()
    page = tmp_path / "pages" / "a.jpg"
    page.write_bytes(b"1")
    monkeypatch.setenv("LEADWISE_DATA", str(page.parent))
    run = start("11_image_audit", PROFILE="cpu")
    assert run.data_folder() == page.parent
    before = run.data_listing
    page.write_bytes(b"12")
    assert provenance.data_listing("cpu", ["pages"]) != before
    assert provenance.data_listing("sample", ["pages"]) == {"pages": "sample"}


def test_a_notebook_on_recordings_works_on_those_the_user_names(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "signals" / "mitdb").mkdir(parents=True)
    record = tmp_path / "signals" / "mitdb" / "100.hea"
    record.write_text("100 0 360 0\n", encoding="utf-8")
    monkeypatch.setenv("LEADWISE_SIGNALS", str(tmp_path / "signals"))
    run = start("14_signal_records", PROFILE="cpu")
    assert run.recordings_folder() == record.parent
    assert "47 people" in run.caution
    before = run.data_listing
    record.write_text("100 0 360 00\n", encoding="utf-8")
    assert provenance.data_listing("cpu", ["mitdb"]) != before
    assert provenance.data_listing("sample", ["mitdb"]) == {"mitdb": "sample"}


def test_a_set_of_recordings_in_folders_of_its_own_is_listed_whole(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "ptbxl425" / "records" / "00001_hr.hea"
    record.parent.mkdir(parents=True)
    record.write_text("00001_hr 12 500 5000\n", encoding="utf-8")
    monkeypatch.setenv("LEADWISE_SIGNALS", str(tmp_path))
    before = provenance.data_listing("cpu", ["ptbxl425", "ptbdb"])
    assert before["ptbdb"] == "sample"
    record.write_text("00001_hr 12 500 50000\n", encoding="utf-8")
    assert provenance.data_listing("cpu", ["ptbxl425"])["ptbxl425"] != before["ptbxl425"]


@pytest.mark.parametrize(
    ("audit", "later"), [("11_image_audit", "24_image_vit"), ("14_signal_records", "34_signal_transfer")]
)
def test_what_comes_of_the_sample_says_so_where_the_whole_set_is_named_since(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: str, later: str
) -> None:
    monkeypatch.delenv("LEADWISE_SIGNALS", raising=False)
    start(audit, PROFILE="cpu").finish({})
    for folder in ("pages", "mitdb", "ptbxl60"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(b"1")
    monkeypatch.setenv("LEADWISE_DATA", str(tmp_path / "pages"))
    monkeypatch.setenv("LEADWISE_SIGNALS", str(tmp_path))
    run = start(later, PROFILE="cpu")
    run.finish({})
    assert "Its figures mean nothing" in run.caution or "its figures mean nothing" in run.caution
    result = read(paths.result_path("cpu", later))
    assert provenance.made_from_the_sample(result)
    assert result["data_listing"].get("ptbxl60") != "sample"


def test_without_recordings_the_excerpts_serve_and_say_so(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LEADWISE_SIGNALS", raising=False)
    run = start("14_signal_records", PROFILE="cpu")
    assert "six minutes each of twelve recordings. Its figures mean nothing" in capsys.readouterr().out
    assert len(list(run.recordings_folder().glob("*.dat"))) == 12
    assert run.data_listing == {"mitdb": "sample"}


def test_what_was_made_of_other_recordings_is_refused(clone: Clone) -> None:
    run = start("14_signal_records")
    run.data_fingerprint = "0123456789ab"
    (run.folder / "records.csv").write_text("record\n", encoding="utf-8")
    run.finish({})
    later = start("15_signal_beats")
    assert later.data_fingerprint == "0123456789ab"
    later.input("14_signal_records", "records.csv")
    clone.result("14_signal_records").write_text('{"data_fingerprint": "ba9876543210"}', encoding="utf-8")
    with pytest.raises(MissingInput, match=r"made from other recordings .* than 14_signal_records has seen"):
        later.input("14_signal_records", "records.csv")


def test_a_notebook_in_another_process_is_not_raced(clone: Clone) -> None:
    lock = clone.runs / "sample" / ".locks" / "11_image_audit.lock"
    script = f"""
import sys, time
from pathlib import Path
from leadwise.processes import take_lock
take_lock(Path({str(lock)!r}), "it")
print("held", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(InputError, match=f"is being run by process {holder.pid}"):
            processes.take_lock(lock, "11_image_audit", wait_s=0.3)
        holder.kill()
    processes.take_lock(lock, "11_image_audit", wait_s=5)
    assert lock.read_text(encoding="ascii") == str(os.getpid())


def test_a_process_dies_with_the_one_that_started_it(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux can have a process killed with its parent")
    lock = tmp_path / "lock"
    child = (
        "import time; from pathlib import Path; from leadwise import processes; processes.die_with_parent(); "
        f"processes.take_lock(Path({str(lock)!r}), 'it'); time.sleep(60)"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent]) as process:
        wait_until(lambda: held(lock))
        process.kill()
    wait_until(lambda: not held(lock), 5)  # so the child is gone
