"""The checks of page reading themselves: they pass what is right and, above all, fail what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from drawn import ecg
from numpy.typing import NDArray

from leadwise.drawing import trials as page_checks
from leadwise.drawing.trials import (
    DISTORTIONS,
    FOREIGN,
    PRINT_FILTERS,
    band_limited,
    is_found,
    is_refused,
    round_trip,
    round_trip_snr_db,
)
from leadwise.names import LEADS
from leadwise.pages.digitize import digitize
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import Page, read_page
from leadwise.recordings.records import read_record


@pytest.fixture(scope="module")
def some_pages(sample_folder: Path, sample_pages: pd.DataFrame) -> list[Page]:
    """Eight pages, two of each class."""
    return [read_page(sample_folder / path) for path in sample_pages["path"][::6]]


@pytest.fixture(scope="module")
def real_leads(some_pages: list[Page]) -> list[NDArray[np.float32]]:
    return [digitize(cut_leads(page, find_layout(page))).leads for page in some_pages]


@pytest.fixture(scope="module")
def made_trip() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return round_trip(ecg(rate_hz=500), 500)


# --- spoilt pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", DISTORTIONS)
def test_spoilt_pages_are_found(some_pages: list[Page], way: str) -> None:
    assert [is_found(page, way) for page in some_pages] == [True] * len(some_pages)


@pytest.mark.parametrize("way", DISTORTIONS)
def test_a_mark_on_the_paper_goes_where_the_distortion_says(way: str) -> None:
    page = np.full((1572, 2213, 3), 255, np.uint8)
    marks = np.array([[300, 400], [1900, 300], [1106, 786], [2000, 1400]])
    for x, y in marks:
        page[y - 6 : y + 7, x - 6 : x + 7] = 0
    picture, moved = DISTORTIONS[way](page)
    dark = (picture.max(axis=2) < 90).astype(np.uint8)
    _, _, stats, centres = cv2.connectedComponentsWithStats(dark)
    found = centres[1:][stats[1:, cv2.CC_STAT_AREA] > 20]
    wanted = marks @ moved[:, :2].T + moved[:, 2]
    distance = np.linalg.norm(found[:, None] - wanted, axis=2)
    assert len(found) == len(marks)
    assert distance.min(axis=0).max() < 0.5


def test_a_page_is_turned_clockwise_by_3_degrees() -> None:
    _, moved = DISTORTIONS["rotated"](np.full((1572, 2213, 3), 255, np.uint8))
    across = moved[:, :2] @ [1, 0]  # y runs downwards
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(3)


@pytest.mark.parametrize("way", DISTORTIONS)
def test_a_distortion_changes_the_page(some_pages: list[Page], way: str) -> None:
    before = some_pages[0].copy()
    picture, _ = DISTORTIONS[way](some_pages[0])
    np.testing.assert_array_equal(some_pages[0], before)
    assert picture.shape != before.shape or np.abs(picture.astype(int) - before).mean() > 0.5


def blank(page: Page) -> Page:
    return np.full_like(page, 255)


def without_v6(page: Page) -> Page:
    changed = page.copy()
    changed[930:1180, 1640:2110] = 255
    return changed


def moved_in_secret(page: Page) -> Page:
    return np.roll(page, 8, axis=1)


@pytest.mark.parametrize("spoil", [blank, without_v6, moved_in_secret])
def test_a_page_that_lost_its_leads_or_its_place_does_not_count_as_found(
    some_pages: list[Page], monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Page], Page]
) -> None:
    monkeypatch.setitem(DISTORTIONS, "made", lambda page: (spoil(page), np.eye(2, 3)))
    monkeypatch.setitem(DISTORTIONS, "none", lambda page: (page, np.eye(2, 3)))
    assert is_found(some_pages[0], "none")
    assert not is_found(some_pages[0], "made")


# --- foreign pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FOREIGN)
def test_pages_of_other_devices_are_refused(real_leads: list[NDArray[np.float32]], kind: str) -> None:
    for seed, leads in enumerate(real_leads[::2]):
        assert is_refused(FOREIGN[kind](leads, np.random.default_rng(seed)))


def test_pages_of_the_known_device_are_not_refused(some_pages: list[Page]) -> None:
    assert not any(is_refused(page) for page in some_pages)


@pytest.mark.parametrize("kind", [kind for kind in FOREIGN if kind != "a photo of something else"])
def test_foreign_pages_show_the_traces_they_are_drawn_with(kind: str) -> None:
    silent, loud = (
        FOREIGN[kind](np.tile(size * np.sin(np.arange(625) / 9), (12, 1)), np.random.default_rng(0))
        for size in (0.0, 1.0)
    )
    assert (loud.max(axis=2) < 60).sum() > 1.5 * (silent.max(axis=2) < 60).sum()


# --- there and back --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hz", "left"), [(0.1, 0.0), (5, 1.0), (15, 1.0), (50, 0.0)])
def test_drift_and_mains_are_outside_the_printed_band_and_a_qrs_is_inside(hz: float, left: float) -> None:
    times_s = np.arange(5000) / 500
    wave = np.sin(2 * np.pi * hz * times_s)[None]
    middle = np.s_[:, 1500:3500]  # a filter needs a while at both ends
    assert band_limited(wave, 500)[middle] == pytest.approx(left * wave[middle], abs=0.02)


def test_the_filter_that_runs_forwards_keeps_the_band_and_bends_what_follows_a_step() -> None:
    times_s = np.arange(5000) / 500
    by_forwards = PRINT_FILTERS["causal"]
    assert by_forwards(np.full((1, 5000), 3.0), 500) == pytest.approx(0, abs=1e-6), "no start is seen"
    for hz, least, most in ((0.05, 0, 0.1), (8, 0.95, 1.01), (100, 0, 0.08)):
        left = by_forwards(np.sin(2 * np.pi * hz * times_s)[None], 500)[0, 2500:]
        assert least <= np.abs(left).max() <= most
    step = (times_s > 5)[None].astype(float)
    assert np.abs(by_forwards(step, 500)[0, :2500]).max() < 1e-9, "nothing is known before it comes"
    assert np.abs(PRINT_FILTERS["zero_phase"](step, 500)[0, 2000:2500]).max() > 0.1


def test_what_is_printed_is_read_back_above_20_db(made_trip) -> None:
    printed, read = made_trip
    assert printed.shape == read.shape == (12, 625)
    snr_db = 10 * np.log10((printed**2).sum(axis=1) / ((read - printed) ** 2).sum(axis=1))
    assert snr_db.min() > 20


def test_printed_and_read_have_no_offset_and_one_gain(made_trip) -> None:
    printed, read = made_trip
    np.testing.assert_allclose([printed.mean(axis=1), read.mean(axis=1)], 0, atol=1e-6)
    gain = (printed * read).sum(axis=1) / (printed**2).sum(axis=1)
    np.testing.assert_allclose(gain, 1, atol=0.03)


def test_each_lead_is_held_against_its_own_2_5_s(made_trip) -> None:
    printed, read = made_trip
    alike = np.corrcoef(printed, read)[:12, 12:]
    assert np.diag(alike).min() > 0.99
    other_column = alike[LEADS.index("I"), LEADS.index("V4")]
    assert other_column < 0.5  # beats lie elsewhere there


def test_an_error_of_a_tenth_is_20_db_whatever_the_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = ecg()[:, :625]
    for error in (1.1, 0.9):
        monkeypatch.setattr(page_checks, "round_trip", lambda *_, error=error: (signals, error * signals))
        np.testing.assert_allclose(round_trip_snr_db(signals, 250), 20)


def test_real_recordings_come_back_above_20_db() -> None:
    folder = os.environ.get("LEADWISE_SIGNALS")
    if not folder:
        pytest.skip("LEADWISE_SIGNALS is not set: it names the folder that holds ptbxl60/, 60 recordings")
    paths = sorted((Path(folder) / "ptbxl60").rglob("*.hea"))[::12]
    records = [read_record(path) for path in paths]
    assert len(records) == 5
    assert np.median([round_trip_snr_db(one.signals, one.rate_hz) for one in records]) > 20
