"""Real pages of other devices are read as what they are: drawn by others, scanned, and a PDF of lines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from other_pages import Case, is_laid_out, ludb, photographs, reader_of

from leadwise.scores.snr import aligned_snr_db


@pytest.fixture(scope="module")
def folder() -> Path:
    """The folder of pages of other devices."""
    if not (named := os.environ.get("LEADWISE_PAGES_OTHER")):
        pytest.skip("LEADWISE_PAGES_OTHER is not set: it names the folder with pages of other devices")
    return Path(named)


@pytest.mark.parametrize("name", ["013", "041"])
def test_a_page_that_others_drew_gives_the_signals_that_it_was_drawn_of(folder: Path, name: str) -> None:
    case = _ludb(folder / "ludb", name)
    read = case.read()
    assert case.printed is not None
    assert is_laid_out(case, read)
    assert aligned_snr_db(case.printed, read) >= 15


@pytest.mark.parametrize(("name", "form"), [("ecg00001", "3x4+1"), ("ecg00015", "3x4")])
def test_the_leads_of_a_device_of_another_maker_obey_einthoven(folder: Path, name: str, form: str) -> None:
    read = reader_of(folder / "devices" / f"{name}.png")()
    assert read.form == form
    assert read.quality.einthoven is not None
    assert read.quality.einthoven >= 0.9


def test_columns_of_a_page_that_is_cut_stand_behind_its_pulses(folder: Path) -> None:
    read = reader_of(folder / "devices" / "ecg00009.jpeg")()
    assert (read.form, list(read.strips)) == ("3x4+1", ["V1"])


@pytest.mark.parametrize("name", ["01803", "02694", "01879"])
def test_a_photograph_of_a_crumpled_print_gives_the_signals_that_were_printed(
    folder: Path, name: str
) -> None:
    case = next(case for case in photographs(folder / "photos") if case.name.startswith(name))
    read = case.read()
    assert case.printed is not None
    assert is_laid_out(case, read)
    assert aligned_snr_db(case.printed, read) >= 8


def test_a_pdf_of_lines_is_read_without_a_pixel_between(folder: Path) -> None:
    read = reader_of(folder / "pdf" / "ptbxl_00040_hr.pdf")()
    assert (read.form, read.reader) == ("3x4+1", "paths")
    assert read.quality.einthoven is not None
    assert read.quality.einthoven >= 0.99


def _ludb(folder: Path, name: str) -> Case:
    return next(case for case in ludb(folder) if case.group == name)
