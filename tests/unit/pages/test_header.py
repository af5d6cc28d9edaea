"""What is printed around the frame: read beyond doubt, or left empty, never guessed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadwise.errors import MissingInput
from leadwise.pages import header
from leadwise.pages.header import Header, parse, read_header
from leadwise.pages.layout import find_layout
from leadwise.pages.read import read_page
from leadwise.sets.catalogue import shipped

ID = "ID：168616"
FOOTER = "0.67~25Hz AC50 25mm/s 10mm/mV 4*2.5s+1r  81 SE-3 V1.0 SEMIP V1.7"
TIME = "2020-08-06 10:30:24 AM"


def test_a_header_that_reads_well_gives_all_fields() -> None:
    assert parse(ID, "Male", FOOTER, TIME) == Header("168616", "male", "2020-08-06T10:30:24", 81, False)


def test_a_header_that_cannot_be_read_gives_no_field() -> None:
    assert parse("", "", "", "") == Header(None, None, None, None, None)


def test_a_header_of_another_device_gives_no_field() -> None:
    assert parse("Name: Smith", "72 years", "25 mm/s 10 mm/mV 72", "6 August") == Header(*[None] * 5)


@pytest.mark.parametrize(
    ("text", "recording_id"),
    [
        ("ID:168616", "168616"),
        ("ID： 168 616", "168616"),
        ("1D:16861", "16861"),
        ("ID:1686160", "1686160"),
        ("ID:1686", None),
        ("ID:16861600", None),
        ("ID:16B616", None),
        ("ID:", None),
    ],
)
def test_an_id_has_five_to_seven_digits(text: str, recording_id: str | None) -> None:
    assert parse(text, "", "", "").recording_id == recording_id


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("Male", "male"),
        ("Female", "female"),
        ("Fe male", "female"),
        ("FEMALE", "female"),
        ("Mal", None),
        ("M", None),
        ("", None),
    ],
)
def test_sex_is_male_or_female_or_empty(text: str, sex: str | None) -> None:
    assert parse("", text, "", "").sex == sex


@pytest.mark.parametrize(
    ("footer", "rate_bpm", "lead_off"),
    [
        (FOOTER, 81, False),
        (FOOTER.replace(" ", ""), 81, False),
        (FOOTER.replace("81", "110"), 110, False),
        (FOOTER.replace("81", "81 Lead Off"), 81, True),
        (FOOTER.replace("81", "LeadOff"), None, True),
        (FOOTER.replace("2.5s+1r", "25s+1r"), 81, False),
        (FOOTER.replace("81", ""), None, False),
        (FOOTER.replace("81", "8"), None, False),
        (FOOTER.replace("81", "15"), None, False),
        (FOOTER.replace("81", "351"), None, False),
        (FOOTER.replace("81", "8.10"), None, False),
        ("25mm/s 10mm/mV 81", None, None),
        ("81", None, None),
    ],
)
def test_a_rate_stands_after_the_known_footer_and_is_plausible(
    footer: str, rate_bpm: int | None, lead_off: bool | None
) -> None:
    found = parse("", "", footer, "")
    assert (found.heart_rate_bpm, found.lead_off) == (rate_bpm, lead_off)


@pytest.mark.parametrize(
    ("text", "recorded_at"),
    [
        ("2020-08-06 10:30:24 AM", "2020-08-06T10:30:24"),
        ("2020-08-06 10:30:24 PM", "2020-08-06T22:30:24"),
        ("2020-08-0610:30:24pm", "2020-08-06T22:30:24"),
        ("2020-08-06 12:00:00 AM", "2020-08-06T00:00:00"),
        ("06-08-2020 22:30:24", "2020-08-06T22:30:24"),
        ("06-08-2020 10.30.24 PM", "2020-08-06T22:30:24"),
        ("2020-13-06 10:30:24", None),
        ("2020-02-30 10:30:24", None),
        ("2020-08-06 22:30:24 PM", None),
        ("1920-08-06 10:30:24", None),
        ("2020-08-06", None),
        ("2020-08-06 10:30", None),
        ("2O20-08-06 10:30:24", None),
    ],
)
def test_a_time_is_a_real_moment_of_this_century(text: str, recorded_at: str | None) -> None:
    assert parse("", "", "", text).recorded_at == recorded_at


@pytest.mark.parametrize("row", [0, 40])
def test_a_real_page_reads_as_the_shipped_catalogue_has_it(
    sample_folder: Path, sample_pages: pd.DataFrame, row: int
) -> None:
    pytest.importorskip("rapidocr", reason="rapidocr is not installed: pip install leadwise[ocr]")
    page = read_page(sample_folder / sample_pages["path"].iloc[row])
    found = read_header(page, find_layout(page))
    known = shipped().set_index("sha256").loc[sample_pages["sha256"].iloc[row]]
    assert vars(found) == {name: known[name] for name in vars(found)}


def test_a_page_with_its_header_painted_over_gives_no_field(
    sample_folder: Path, sample_pages: pd.DataFrame
) -> None:
    pytest.importorskip("rapidocr", reason="rapidocr is not installed: pip install leadwise[ocr]")
    page = read_page(sample_folder / sample_pages["path"].iloc[0]).copy()
    page[:270] = 255
    page[1521:] = 255
    assert read_header(page, find_layout(page)) == Header(None, None, None, None, None)


def test_a_page_cut_at_its_frame_gives_no_field(sample_folder: Path, sample_pages: pd.DataFrame) -> None:
    pytest.importorskip("rapidocr", reason="rapidocr is not installed: pip install leadwise[ocr]")
    page = read_page(sample_folder / sample_pages["path"].iloc[0])[280:1520]
    assert read_header(page, find_layout(page)) == Header(None, None, None, None, None)


def test_reading_without_rapidocr_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, sample_folder: Path, sample_pages: pd.DataFrame
) -> None:
    page = read_page(sample_folder / sample_pages["path"].iloc[0])
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    header._engine.cache_clear()
    with pytest.raises(MissingInput, match=r"pip install rapidocr"):
        read_header(np.asarray(page), find_layout(page))
