from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from made_scores import made_scores
from miniature import Clone

from leadwise import cli
from leadwise.cli import project
from leadwise.folds.pages import fingerprint
from leadwise.names import CLASSES
from leadwise.pages.forms import forms, known_printout
from leadwise.sets import catalogue
from leadwise.tables import write_table


def leadwise(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["leadwise", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "catalogue",
        "sample",
        "fetch",
        "folds",
        "template",
        "layouts",
        "audit",
        "predict",
        "score-shipped",
    ],
)
def test_the_help_of_each_command_shows_an_example(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leadwise(monkeypatch, command, "--help") == 0
    assert f"Example: leadwise {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "sample", "--only", "21_image_bait"), "did you mean '21_image_beit'?"),
        (("--profile", "papre"), "did you mean 'paper'?"),
        (("--profile", "typo"), "workflow/profiles/typo.yaml: 24_image_vit: unknown parameter 'EPOCS'"),
    ],
)
def test_a_wrong_word_ends_in_one_sentence_with_the_right_one(
    clone: Clone,
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (clone.folder / "workflow" / "profiles" / "typo.yaml").write_text(
        "24_image_vit: {EPOCS: 1}", encoding="utf-8"
    )
    assert leadwise(monkeypatch, "run", *arguments) == 2
    said_now = capsys.readouterr().err
    assert said in said_now
    assert len(said_now.strip().splitlines()) == 1
    assert not clone.runs.exists()


def test_outside_a_clone_it_says_where_it_must_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert leadwise(monkeypatch, "run") == 2
    assert "is not inside a clone of leadwise" in capsys.readouterr().err


def test_a_missing_data_folder_is_told_before_anything_runs(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEADWISE_DATA", str(tmp_path / "no pages"))
    assert leadwise(monkeypatch, "run", "--profile", "cpu") == 2
    assert "no pages is no folder" in capsys.readouterr().err


def test_a_missing_notebook_is_told_before_anything_runs(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone.folder / "training" / "24_image_vit.ipynb").unlink()
    assert leadwise(monkeypatch, "run") == 2
    assert "24_image_vit.ipynb is missing" in capsys.readouterr().err


def test_folds_of_the_sample_are_written_and_their_fingerprint_is_told(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "folds.csv"
    assert leadwise(monkeypatch, "folds", str(sample_folder), "--out", str(out), "--seeds", "2") == 0
    table = pd.read_csv(out, dtype={"page_id": str})
    partitions = ["grouped_1", "grouped_2", "distinct_1", "distinct_2", "by_month"]
    assert table.columns.tolist() == ["page_id", "group_id", "label", *partitions]
    said = capsys.readouterr().out
    assert f"48 distinct pages in {table['group_id'].nunique()} groups" in said
    assert f"fingerprint {fingerprint(table)}" in said


def test_a_folder_with_two_pages_a_class_gets_no_folds(
    sample_folder: Path,
    sample_pages: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path in sample_pages.groupby("label")["path"].head(2):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).hardlink_to(sample_folder / path)
    assert leadwise(monkeypatch, "folds", str(tmp_path), "--out", str(tmp_path / "folds.csv")) == 2
    assert "class 'normal' has 2 pages; 5 folds need 5 at least" in capsys.readouterr().err


def test_a_folder_of_pages_that_nobody_knows_gets_no_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for shade, name in enumerate([f"{label}/{page}.png" for label in CLASSES for page in "12"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.full((8, 8, 3), shade, np.uint8))
    assert leadwise(monkeypatch, "folds", str(tmp_path), "--out", str(tmp_path / "folds.csv")) == 2
    assert "none of 8 pages is of a known layout" in capsys.readouterr().err
    assert not list(tmp_path.glob("folds.csv*"))


@pytest.mark.parametrize(
    ("command", "out", "said"),
    [
        ("catalogue", "nowhere/pages.csv", "there is no folder"),
        ("folds", "nowhere/folds.csv", "there is no folder"),
        ("template", "file/new", "file is no folder"),
        ("score-shipped", "file/new", "file is no folder"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_anything_is_read(
    command: str,
    out: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    pages = () if command == "score-shipped" else (str(tmp_path / "unread"),)
    assert leadwise(monkeypatch, command, *pages, "--out", str(tmp_path / out)) == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def pages_of_sample(sample_pages: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """24 pages of the sample as if they were all that the shipped catalogue knows."""
    monkeypatch.setattr(catalogue, "shipped", lambda: sample_pages.iloc[::2])
    return sample_pages.iloc[::2]


def test_the_template_is_made_of_every_other_page_but_those_of_2019_11(
    sample_folder: Path,
    pages_of_sample: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = []
    monkeypatch.setattr("leadwise.pages.read.read_page", used.append)
    monkeypatch.setattr("leadwise.drawing.template_maker.write_template", lambda _, pages, __: list(pages))
    assert leadwise(monkeypatch, "template", str(sample_folder), "--out", str(tmp_path)) == 0
    later = pages_of_sample[pages_of_sample["recorded_at"] > "2020"]
    assert 0 < len(later) < len(pages_of_sample)
    assert used == [sample_folder / path for path in later["path"][::2]]


def test_the_template_is_written_as_two_pictures_of_a_page(
    sample_folder: Path,
    pages_of_sample: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "new"
    assert leadwise(monkeypatch, "template", str(sample_folder), "--out", str(out)) == 0
    assert f"Written to {out}" in capsys.readouterr().out
    ink = cv2.imread(str(out / "template_ink.png"), cv2.IMREAD_GRAYSCALE) > 0
    assert (ink & known_printout().ink).sum() > 0.9 * known_printout().ink.sum()
    paper = cv2.imread(str(out / "template_paper.png"))
    assert np.abs(paper.astype(int) - known_printout().paper).mean() < 6


def test_layouts_are_listed_with_the_place_of_each_lead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leadwise(monkeypatch, "layouts") == 0
    head, *listed = capsys.readouterr().out.splitlines()
    assert head.split() == ["layout", "s", "a", "column", "mm/s", "mm/mV", "strips", "rows"]
    assert [line.split("  ")[0] for line in listed] == [form.name for form in forms()]
    assert re.split(" {2,}", next(line for line in listed if line.startswith("6x2+1 "))) == [
        "6x2+1", "5", "25", "10", "II", "I V1, II V2, III V3, aVR V4, aVL V5, aVF V6",
    ]  # fmt: skip


def test_a_folder_that_lacks_a_page_gives_no_template_and_the_page_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leadwise(monkeypatch, "template", str(tmp_path), "--out", str(tmp_path / "new")) == 2
    assert "MI(1).jpg: No such file" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--example", "page.jpg"), "so it takes no FILES"),
        ((), "FILES is missing: name a page, a recording or a folder, or give --example."),
    ],
)
def test_predict_takes_files_or_the_example(
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert leadwise(monkeypatch, "predict", *arguments) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_what_is_true_of_the_sample_stands_apart_from_what_was_trained_there(
    clone: Clone, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        made_scores({"leads12": 0.96}, weights="published", seeds="1", n=48),
        made_scores({"rate": 0.42}, seeds="1", n=48),
        made_scores({"vit_micro": 0.25}, weights="random", seeds="1", n=48),
    ]
    of_beats = {"task": "aami5", "test_set": "ds2", "unit": "beat", "seeds": "1", "n": 3056}
    beats = made_scores(
        {"beat_rhythm": 0.87}, weights="published", condition="beats=found;file=0", **of_beats
    )
    students = [
        made_scores({"student12": accuracy}, weights=weights, condition="loss=consistent", seeds="1", n=48)
        for weights, accuracy in (("random", 0.27), ("published", 0.94))
    ]
    sources = {"51_image_models": rows, "52_signal_models": [beats], "42_student_test": students}
    for name, scores in sources.items():
        write_table(pd.concat(scores), clone.runs / "sample" / name / "scores.csv", "scores.csv")
    project._show_results("sample", None)
    told = capsys.readouterr().out
    published, trained = " ".join(told.split()).split("Trained here in seconds")
    assert "THESE FIGURES MEAN NOTHING" in trained
    assert "Published answers about pages that none had learned from" in published
    assert all(name in published for name in ("leads12", "student12", "0.940", "rate", "beat_rhythm"))
    assert "vit_micro" not in published
    assert "0.270" not in published
    assert "vit_micro" in trained
    assert "leads12" not in trained
