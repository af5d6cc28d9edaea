"""`leadwise digitize` as people type it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pypdfium2
import pytest
from command_line import command_of
from drawn import ecg
from read_pages import pdf_of_6x2

import leadwise
from leadwise.drawing.render import render
from leadwise.pages.digitize import RATE_HZ
from leadwise.pages.page_signals import PageSignals

command = command_of("digitize")


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pages of the known form under one name, and a text that poses as a third."""
    folder = tmp_path_factory.mktemp("scans")
    page = render(np.pad(ecg(), ((0, 0), (0, 1)), "edge"), RATE_HZ)
    for name in ("one", "two"):
        (folder / name).mkdir()
        cv2.imwrite(str(folder / name / "page.png"), page)
    (folder / "note.png").write_text("no picture")
    return folder


def test_a_folder_becomes_signals_a_table_and_the_reasons_of_those_refused(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "signals"
    assert command(monkeypatch, scans, "--out", out, "--format", "csv") == 1
    told = capsys.readouterr()
    assert "3 files: 2 pages were read, 0 with warnings; 1 were refused" in told.err
    assert "note.png: not an image that can be read" in told.err
    assert sorted(path.name for path in out.iterdir()) == [
        "digitized.csv", "page-2.csv", "page-2.json", "page.csv", "page.json",
    ]  # fmt: skip
    table = pd.read_csv(out / "digitized.csv").set_index("name", drop=False)
    assert len(table) == 3
    assert table["refused"].notna().sum() == 1
    assert table.loc["page-2", "file"].endswith("two/page.png")
    assert table.loc["page", "reader"] == "known form"
    signals = pd.read_csv(out / "page.csv")
    truth = np.interp(signals["time_s"], np.arange(ecg().shape[1]) / RATE_HZ, ecg()[1])
    off = (signals["II_strip"] - truth).iloc[50:-50]
    assert (off - off.mean()).std() < 0.04


def test_machines_of_a_cluster_share_the_files_and_agree_on_names(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in (1, 2):
        command(monkeypatch, scans, "--out", tmp_path, "--format", "npy", "--shard", f"{part}/2")
    tables = [pd.read_csv(tmp_path / f"digitized_{part}of2.csv") for part in (1, 2)]
    assert [len(table) for table in tables] == [2, 1]
    told = [
        json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) for name in ("page", "page-2")
    ]
    assert {Path(one["file"]).parent.name for one in told} == {"one", "two"}


def test_every_ecg_of_a_file_is_read_and_a_letter_among_them_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = pypdfium2.PdfDocument(pdf_of_6x2())
    exam.new_page(595, 842)
    exam.import_pages(pypdfium2.PdfDocument(pdf_of_6x2()))
    exam.save(tmp_path / "exam.pdf")
    assert command(monkeypatch, tmp_path / "exam.pdf", "--out", tmp_path / "all", "--format", "npy") == 0
    names = ["digitized.csv", "exam.json", "exam.npy", "exam_page3.json", "exam_page3.npy"]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == names
    assert "page 3 of 3" in capsys.readouterr().out
    assert command(monkeypatch, tmp_path / "exam.pdf", "--page", 2, "--out", tmp_path / "second") == 1
    assert "page 2 of this PDF is blank" in capsys.readouterr().err


def test_a_further_page_takes_no_record_of_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = pypdfium2.PdfDocument(pdf_of_6x2())
    exam.import_pages(pypdfium2.PdfDocument(pdf_of_6x2()))
    exam.save(tmp_path / "x y.pdf")
    for name in ("x_y_page2.pdf", "X Y_page2-2.pdf"):
        (tmp_path / name).write_bytes(pdf_of_6x2())
    assert command(monkeypatch, tmp_path, "--out", tmp_path / "all", "--format", "wfdb") == 0
    told = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "all").glob("*.json")]
    assert len({file.lower() for one in told for file in one["files"]}) == 2 * 4
    assert len([*(tmp_path / "all").glob("*.hea")]) == 4


def test_the_table_says_of_which_page_not_all_was_written_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long = tmp_path / f"{'x' * 250}.pdf"
    long.write_bytes(pdf_of_6x2())
    assert command(monkeypatch, long, "--out", tmp_path / "all", "--format", "csv", "--overlay") == 1
    assert "not written: " in capsys.readouterr().err
    (row,) = pd.read_csv(tmp_path / "all" / "digitized.csv").to_dict("records")
    assert "File name too long" in row["refused"]


def test_a_file_that_is_no_earlier_result_is_left_and_other_pages_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("100.pdf", "101.pdf"):
        (tmp_path / name).write_bytes(pdf_of_6x2())
    (tmp_path / "100.hea").write_text("the recording itself", encoding="utf-8")
    assert command(monkeypatch, tmp_path, "--out", tmp_path, "--format", "csv") == 0
    for _ in range(2):
        assert command(monkeypatch, tmp_path, "--out", tmp_path) == 1
        assert "100.hea: is there already, and 100.json tells of no such result" in capsys.readouterr().err
    assert (tmp_path / "100.hea").read_text(encoding="utf-8") == "the recording itself"
    assert not (tmp_path / "100.dat").exists()
    assert (tmp_path / "101.hea").is_file()
    table = pd.read_csv(tmp_path / "digitized.csv").set_index("name")
    assert table["refused"].notna().to_dict() == {100: True, 101: False}
    assert command(monkeypatch, tmp_path / "101.pdf", "--out", tmp_path, "--format", "csv") == 0
    assert command(monkeypatch, tmp_path / "101.pdf", "--out", tmp_path) == 0, "its record is its own still"


def test_a_picture_of_traces_takes_no_place_of_a_page_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf_of_6x2())
    arguments = ("--out", tmp_path, "--format", "csv", "--overlay")
    assert command(monkeypatch, tmp_path / "a.pdf", *arguments) == 0
    drawn = (tmp_path / "a_overlay.png").stat().st_mtime_ns
    assert command(monkeypatch, tmp_path, *arguments) == 1
    assert "a_overlay.png: is itself a page to read" in capsys.readouterr().err
    assert (tmp_path / "a_overlay.png").stat().st_mtime_ns == drawn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.png",), "none.png: no such file"),
        ((".", "--format", "edf"), "'edf' is none"),
        ((".", "--shard", "3/2"), "such as 1/8"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_read(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, *arguments, "--out", "signals") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "signals").exists()


def test_python_gives_the_leads_of_a_page(scans: Path) -> None:
    signals = leadwise.digitize(scans / "one" / "page.png")
    assert isinstance(signals, PageSignals)
    assert signals.samples().shape == (5000, 13)
    assert signals.leads["V6"].start_s == 7.5
