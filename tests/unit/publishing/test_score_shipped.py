"""What ships is scored from its bytes: as `leadwise predict` answers, and never as what it was trained on."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadwise import cli
from leadwise.errors import InputError, LeakError, WeightsError
from leadwise.files import sha256
from leadwise.publishing import score_shipped
from leadwise.publishing.render import Published
from leadwise.publishing.score_shipped import (
    BEAT_FILE,
    PAGE_FILE,
    Pages,
    ds2_records,
    read_pages,
    score_beats,
    score_folds,
    score_student,
)
from leadwise.publishing.shipped_files import called
from leadwise.scores.found_beats import matched
from leadwise.scores.table import score_of, selected
from leadwise.serving.predict_recording import predict_recording
from leadwise.sets.recordings import load_recording
from leadwise.tables import read_table

REPOSITORY = Path(__file__).resolve().parents[3]
RESULTS = REPOSITORY / "analysis" / "results"


@pytest.fixture(scope="module")
def rows(excerpts: Path) -> pd.DataFrame:
    """Scores of two excerpts of DS2, one of which has beats of V."""
    return score_beats([excerpts / "100.hea", excerpts / "214.hea"])


@pytest.fixture(scope="module")
def pages(sample_folder: Path) -> Pages:
    return read_pages(sample_folder)


def changed(file: Path, folder: Path) -> Path:
    """The same file with one bit of one weight turned."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    (folder / file.name).write_bytes(data)
    return folder / file.name


def test_each_row_says_of_which_bytes_it_is(rows: pd.DataFrame) -> None:
    assert rows["condition"].str.contains(f"file={called(sha256(BEAT_FILE))}").all()
    assert set(rows["protocol"]) == {"interpatient"}
    assert set(rows["test_set"]) == {"ds2"}
    assert (rows["low"].notna() | rows["metric"].eq("false_V")).all(), "no score without its interval"


def test_a_file_of_which_one_bit_was_changed_is_not_scored(
    excerpts: Path, pages: Pages, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="checksum is missing or wrong"):
        score_beats([excerpts / "100.hea"], changed(BEAT_FILE, tmp_path))
    with pytest.raises(WeightsError, match="checksum is missing or wrong"):
        score_student(pages, changed(PAGE_FILE, tmp_path))


def test_found_beats_are_those_that_predict_finds_and_names(excerpts: Path) -> None:
    path = excerpts / "214.hea"
    answer, recording = predict_recording(path), load_recording(path)
    known = recording.marks.beats
    own = matched(known.samples, answer.samples, answer.record.rate_hz)
    right = (own >= 0) & (answer.labels[own] == known.classes)
    told = score_beats([path])
    told = told[told["condition"].str.startswith("beats=found;file=")]
    share = score_of(told, "accuracy", counted="all", average="gross")
    assert share.value == pytest.approx(right.mean())
    of_v = known.classes == "V"
    assert of_v.sum() > 10
    share = score_of(told, "recall_V", counted="all", average="gross")
    assert share.value == pytest.approx(right[of_v].mean())


def test_records_of_ds1_are_not_asked_for(excerpts: Path, tmp_path: Path) -> None:
    assert [path.stem for path in ds2_records(excerpts)] == ["100", "200", "202", "213", "214", "222"]
    shutil.copyfile(excerpts / "101.hea", tmp_path / "101.hea")
    with pytest.raises(InputError, match="no record of DS2"):
        ds2_records(tmp_path)


def test_errors_on_training_pages_are_counted_and_are_no_score(pages: Pages) -> None:
    (row,) = score_student(pages).to_dict("records")
    assert (row["metric"], row["counted"], row["n"]) == ("training_pages_wrong", "training_pages", 48)
    assert row["value"] <= 3, "it has learned these pages"
    assert row["protocol"] == row["test_set"] == "", "no place where a test stands"
    assert row["condition"] == f"file={called(sha256(PAGE_FILE))}"


def test_a_fold_network_says_of_pages_that_it_never_saw_what_was_published(pages: Pages) -> None:
    told = score_of(score_folds(pages, RESULTS / "leads12"), "accuracy").value
    path = RESULTS / "answers" / "26_image_leads12-cpu" / "leads12-four-grouped-1.csv.xz"
    answers = read_table(path, "predictions.csv").set_index("unit_id").loc[pages.page_ids]
    names = answers.filter(like="prob_").idxmax(axis=1).str.removeprefix("prob_")
    assert told == pytest.approx((names == answers["label"]).mean())


def test_a_network_that_saw_the_pages_is_refused(pages: Pages, tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "leads12", tmp_path / "leads12")
    name = "leads12_joined-seed1-fold{}.safetensors".format
    shutil.copyfile(tmp_path / "leads12" / name(2), tmp_path / "leads12" / name(1))
    with pytest.raises(LeakError, match="left out fold 2; one without fold 1 is needed"):
        score_folds(pages, tmp_path / "leads12")


def test_what_was_published_of_the_files_is_what_the_trainings_published() -> None:
    """The fold networks of seed one, from their files, score as the notebook that trained them said."""
    scores = Published.read(RESULTS).scores
    again = selected(scores, notebook="score_shipped", model="leads12").set_index("metric")["value"]
    of_26 = selected(
        scores,
        notebook="26_image_leads12",
        model="leads12",
        task="four",
        seeds="1",
        condition="",
        counted="all",
    )
    before = of_26.set_index("metric")["value"].reindex(again.index)
    assert len(again) == 5
    assert again.to_numpy() == pytest.approx(before.to_numpy(), abs=1e-5)


def test_on_embedded_excerpts_the_command_says_that_its_figures_mean_little(
    tmp_path: Path,
    excerpts: Path,
    pages: Pages,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable in ("LEADWISE_DATA", "LEADWISE_SIGNALS", "LEADWISE_RUNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(score_shipped, "ds2_records", lambda _: [excerpts / "100.hea", excerpts / "214.hea"])
    monkeypatch.setattr(score_shipped, "read_pages", lambda _: pages)
    monkeypatch.chdir(tmp_path)  # no clone
    monkeypatch.setattr(sys, "argv", ["leadwise", "score-shipped", "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().out
    assert not ended.value.code
    assert "2 of 22 records (excerpts of six minutes) and 48 of 491 pages: these figures mean little" in said
    assert "Not in a clone of leadwise" in said
    assert "errors on the pages that it was trained on, which are no score" in said
    run = read_table(tmp_path / "out" / "runs.csv", "runs.csv").iloc[0]
    assert (run["profile"], run["command"]) == ("sample", "leadwise score-shipped")
    written = read_table(tmp_path / "out" / "scores.csv", "scores.csv")
    assert np.isin(["beat_rhythm", "student12"], written["model"]).all()
    assert "leads12" not in set(written["model"]), "its networks lie in a clone"
