"""What lies in the folder after pages were digitised: names, columns, gaps, and that none is lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import wfdb
from read_pages import GAP, read_page_of_6x2

from leadwise.errors import InputError
from leadwise.names import LEADS
from leadwise.serving.digitised import Digitised, traced
from leadwise.serving.digitize_files import (
    COLUMNS,
    FORMATS,
    Shard,
    formats_of,
    names_of,
    record_name,
    wfdb_of,
    write_files,
)

PAGE = Digitised("folder/my scan.png", read_page_of_6x2("the trace of I has gaps"))
HEADS = [*LEADS, "II_strip"]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signals")
    write_files(PAGE, folder, "my scan", FORMATS, True)
    return folder


def test_a_page_becomes_files_of_its_name_and_nothing_else(out: Path) -> None:
    suffixes = (
        "my scan.csv",
        "my scan.json",
        "my scan.npy",
        "my scan_overlay.png",
        "my_scan.dat",
        "my_scan.hea",
    )
    assert sorted(path.name for path in out.iterdir()) == sorted(suffixes)


def test_csv_has_the_page_s_clock_and_is_empty_where_a_lead_is_not_printed(out: Path) -> None:
    head, *rows = csv.reader((out / "my scan.csv").read_text(encoding="utf-8").splitlines())
    assert head == ["time_s", *HEADS]
    assert len(rows) == 5000
    assert [rows[0][0], rows[2500][0], rows[-1][0]] == ["0.000", "5.000", "9.998"]
    at_1_s = dict(zip(head, rows[500], strict=True))
    assert all(at_1_s[name] for name in (*LEADS[:6], "II_strip"))
    assert not any(at_1_s[name] for name in LEADS[6:])
    assert not any(row[1] for row in rows[GAP])
    read = np.array([row[2] for row in rows[:2500]], float)
    assert read == pytest.approx(PAGE.signals.leads["II"].signal_mv, abs=6e-4)


def test_wfdb_reads_the_same_millivolts_and_knows_what_is_unknown(out: Path) -> None:
    record = wfdb.rdrecord(str(out / "my_scan"))
    assert record.fs == 500
    assert record.sig_name == HEADS
    assert set(record.units) == {"mV"}
    expected = PAGE.signals.samples()
    assert (np.isnan(record.p_signal) == np.isnan(expected)).all()
    assert np.nanmax(abs(record.p_signal - expected)) < 6e-4
    assert "Research use only" in " ".join(record.comments)


def test_a_wfdb_record_of_a_file_with_a_line_break_in_its_name_is_read(tmp_path: Path) -> None:
    for name, content in wfdb_of(PAGE.signals, "scan", "my\nscan.png").items():
        (tmp_path / name).write_bytes(content)
    assert r"digitised by leadwise from my\nscan.png" in wfdb.rdrecord(str(tmp_path / "scan")).comments


def test_npy_holds_all_samples_in_the_columns_that_json_names(out: Path) -> None:
    table = np.load(out / "my scan.npy")
    told = json.loads((out / "my scan.json").read_text(encoding="utf-8"))
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table, PAGE.signals.samples())
    assert told["columns"] == HEADS


def test_json_says_how_the_page_is_laid_out_and_how_well_it_was_read(out: Path) -> None:
    told = json.loads((out / "my scan.json").read_text(encoding="utf-8"))
    assert told["form"] == "6x2+1"
    assert told["leads"]["V1"] == {"start_s": 5.0, "length_s": 5.0}
    assert told["leads"]["II_strip"] == {"start_s": 0.0, "length_s": 10.0}
    assert told["quality"]["einthoven"] == 0.999
    assert told["geometry"]["scale_from"] == "grid"
    assert told["warnings"] == ["the trace of I has gaps"]
    assert "my_scan.hea" in told["files"]
    assert told["label"] is None


def test_the_overlay_follows_each_trace_and_breaks_where_it_breaks(out: Path) -> None:
    drawn = cv2.imread(str(out / "my scan_overlay.png"))
    assert drawn.shape[1] == 1100
    is_blue = (drawn[:900].astype(int) @ (1, 0, -1)) > 60
    for name in ("II", "V6"):
        x, y = PAGE.signals.leads[name].line_px[1200].round().astype(int)
        assert is_blue[y - 2 : y + 3, x].any()
    gap_x = 60 + 100 * (GAP.start + GAP.stop) // 2 // 500
    assert not is_blue[60:130, gap_x].any()


def test_the_page_itself_is_left_as_it_was() -> None:
    before = PAGE.signals.page.copy()
    traced(PAGE.signals)
    np.testing.assert_array_equal(PAGE.signals.page, before)


def test_it_says_what_was_read_what_to_beware_of_and_that_no_class_was_given() -> None:
    lines = Digitised(
        "a.png", read_page_of_6x2("the trace of I has gaps", number=2, of=3), "another form"
    ).lines()
    assert lines[0] == "no class: another form"
    assert lines[1].startswith("12 leads and a strip of II, 10 s; form 6x2+1")
    assert "page 2 of 3" in lines[1]
    assert "warning: the trace of I has gaps" in lines
    assert "Research use only" in lines[-1]


def test_a_table_s_row_has_every_column_but_name_and_refusal() -> None:
    (row,) = PAGE.rows()
    assert set(COLUMNS) - set(row) == {"name", "refused"}
    assert row["length_s"] == 10
    assert row["strips"] == "II"


# --- names and parts -----------------------------------------------------------------------------------------


def test_two_pages_of_one_name_get_two_names_whatever_their_case() -> None:
    files = [
        Path(name) for name in ("a/x.png", "b/X.jpg", "x-2.png", "b/x y.png", "b/x_y.png", "digitized.png")
    ]
    names = names_of(files, None)
    assert [names[file] for file in files] == ["x", "X-2", "x-2-2", "x y", "x_y-2", "digitized-2"]
    assert len({record_name(name).lower() for name in names.values()}) == len(files)


def test_a_page_that_was_asked_for_is_named_by_its_number() -> None:
    assert names_of([Path("exam.pdf")], 2) == {Path("exam.pdf"): "exam_page2"}


@pytest.mark.parametrize("of", [1, 2, 3, 7, 20])
def test_parts_of_a_cluster_hold_each_file_once(of: int) -> None:
    files = [Path(f"{number}.png") for number in range(13)]
    parts = [Shard.of_text(f"{part}/{of}").among(files) for part in range(1, of + 1)]
    assert sorted(file for part in parts for file in part) == sorted(files)
    assert len({Shard(part, of).table for part in range(1, of + 1)}) == of
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "a/b", "1/0", "-1/4", ""])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="give a part of all, such as 1/8"):
        Shard.of_text(text)


def test_formats_are_taken_by_name_and_an_unknown_one_is_refused_with_those_there_are() -> None:
    assert formats_of("npy, CSV") == ("csv", "npy")
    with pytest.raises(InputError, match="'edf' is none; take some of csv, wfdb, npy"):
        formats_of("csv,edf")
