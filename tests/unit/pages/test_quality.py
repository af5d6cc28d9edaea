"""What a page's reader says of its own work: trusted, warned of, refused; nothing wrong without a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from drawn import ecg
from numpy.typing import NDArray

from leadwise.drawing import made
from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.errors import DoubtfulPage, ForeignPage, InputError
from leadwise.names import LEADS
from leadwise.pages.any_page import read_any_page
from leadwise.pages.digitize import RATE_HZ as KNOWN_HZ
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.quality import judged, refuse_clutter, together
from leadwise.pages.rows import Rows
from leadwise.scores.drawn_pages import WRONG_DB
from leadwise.scores.snr import lead_snrs_db, page_snr_db

FORM = FORMS["3x4+1"]
LOOK = Look(x_px_per_mm=6, y_px_per_mm=6, pen_px=2)
GOOD = ReadQuality(
    read=1,
    einthoven=0.99,
    goldberger=0.95,
    strip_alike=0.99,
    pulse_mm=10,
    grid=0.5,
    together=0.95,
    columns=0.9,
)


def page_of(quality: ReadQuality) -> PageSignals:
    geometry = Geometry(6, 6, 0, False, 25, 10, "grid")
    return PageSignals("3x4+1", "any page", {}, {}, geometry, quality, (), np.zeros((1, 1, 3), np.uint8))


# --- limits --------------------------------------------------------------------------------


def test_a_good_page_is_answered_without_a_word() -> None:
    assert judged(page_of(GOOD)).warnings == ()


def test_what_a_page_does_not_show_speaks_neither_for_nor_against_it() -> None:
    assert judged(page_of(ReadQuality(read=1))).warnings == ()


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ({"einthoven": 0.85}, "I + III and II agree by 0.85"),
        ({"goldberger": 0.45}, "The sum of aVR, aVL and aVF is not 0"),
        ({"augmented": 0.7}, "do not follow from I and II"),
        ({"strip_alike": 0.7}, "strip"),
        ({"together": 0.7}, "do not fall together"),
        ({"pulse_mm": 8.7}, "8.7 mm"),
        ({"pulses_within": 1}, "pulse stands where a lead should"),
        ({"strays": 0.03}, "into the next row for 3.0%"),
        ({"strays_at_ends": 0.03}, "where a lead begins or ends"),
        ({"read": 0.9}, "90% of the traces"),
        ({"columns": 0.05}, "where columns begin"),
        ({"grid": 0.3}, "grid is faint or bent"),
        ({"named": -0.1}, "are mostly those of others"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(found: Mapping[str, Any], word: str) -> None:
    (warning,) = judged(page_of(replace(GOOD, **found))).warnings
    assert word in warning


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ({"einthoven": 0.3}, "I + III"),
        ({"goldberger": -0.1}, "aVR, aVL and aVF is not 0"),
        ({"augmented": 0.2}, "aVR, aVL and aVF"),
        ({"together": 0.2}, "beats"),
        ({"pulse_mm": 7.0}, "7.0 mm high, where 5, 10 or 20 mm"),
        ({"pulse_mm": 14.0}, "14.0 mm high, where 5, 10 or 20 mm"),
        ({"pulses_within": 3}, "pulse"),
        ({"read": 0.4}, "40% of the traces"),
        ({"named": -0.5}, "are mostly those of others"),
    ],
)
def test_what_cannot_be_twelve_leads_is_refused_with_the_reason_and_what_to_do(
    found: Mapping[str, Any], word: str
) -> None:
    with pytest.raises(DoubtfulPage, match=r"read as 3x4\+1, .*leadwise layouts") as refusal:
        judged(page_of(replace(GOOD, **found)))
    assert word in str(refusal.value)


# --- what is measured ----------------------------------------------------------------------


def traces_of(late_s: Mapping[str, float]) -> dict[str, Trace]:
    """Leads of one heart on a page of three rows of four, some printed late."""
    signals = ecg(rate_hz=RATE_HZ)
    found = {}
    for names in FORM.rows:
        for column, name in enumerate(names):
            first = round((column * 2.5 - late_s.get(name, 0)) * RATE_HZ)
            signal = np.roll(signals[LEADS.index(name)], -first)[:1250]
            found[name] = Trace(column * 2.5, signal.astype(np.float32), np.zeros((0, 2), np.float32))
    return found


def test_beats_of_one_heart_fall_together_also_where_a_lead_is_a_little_late() -> None:
    assert (together(traces_of({}), FORM) or 0) > 0.95
    assert (together(traces_of(dict.fromkeys(["I", "aVL", "V3", "V4"], 0.03)), FORM) or 0) > 0.9


def test_beats_at_other_times_do_not_fall_together() -> None:
    late = {name: 0.13 * row for row, names in enumerate(FORM.rows) for name in names}
    assert (together(traces_of(late), FORM) or 0) < 0.3


def test_flat_and_missing_leads_have_no_beats_to_compare() -> None:
    flat = {
        name: Trace(trace.start_s, np.full(1250, value, np.float32), trace.line_px)
        for (name, trace), value in zip(traces_of({}).items(), [0.0, np.nan] * 6, strict=True)
    }
    assert together(flat, FORM) is None


def test_a_grid_as_black_as_its_traces_is_refused_before_it_is_followed() -> None:
    ink = np.zeros((400, 800), np.uint8)
    ink[::8] = 255
    with pytest.raises(ForeignPage, match="as black as the traces"):
        refuse_clutter(Rows(ink, np.zeros_like(ink), np.array([100.0, 200, 300])))


# --- pages ---------------------------------------------------------------------------------


def test_a_clean_page_is_read_rightly_without_a_warning() -> None:
    page = draw(ecg(), KNOWN_HZ, FORM, LOOK)
    read = read_any_page(page.page)
    assert read.warnings == ()
    assert read.quality.pulse_mm == pytest.approx(10, rel=0.03)
    assert (read.quality.together or 0) > 0.9
    assert page_snr_db(page.leads, read) > WRONG_DB


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"rows": (("aVL", "II", "V1", "V4"), ("I", "aVF", "V2", "V5"), ("aVR", "III", "V3", "V6"))},
            "is not 0",
        ),
        ({"gain_mm_per_mv": 7.0}, "7.0 mm high"),
    ],
    ids=["Cabrera's order without its minus", "a gain that no device has"],
)
def test_a_page_of_a_form_that_is_not_known_is_refused(change: Mapping[str, Any], why: str) -> None:
    page = draw(ecg(), KNOWN_HZ, replace(FORM, **change), LOOK)
    with pytest.raises(DoubtfulPage, match=why):
        read_any_page(page.page)


@pytest.mark.parametrize("gain_mm_per_mv", [5.0, 20.0])
def test_a_calibration_pulse_tells_the_gain(gain_mm_per_mv: float) -> None:
    page = draw(
        0.6 * ecg(), KNOWN_HZ, replace(FORM, gain_mm_per_mv=gain_mm_per_mv), replace(LOOK, pitch_mm=40)
    )
    read = read_any_page(page.page)
    assert read.geometry.gain_mm_per_mv == gain_mm_per_mv
    assert f"at {gain_mm_per_mv:g} mm/mV" in " ".join(read.warnings)
    assert page_snr_db(page.leads, read) > WRONG_DB


def cut_to_strip(page: np.ndarray) -> np.ndarray:
    """What is below the last row of leads of a page of three rows and a strip."""
    strip_mm = 8 + 7 + 0.6 * LOOK.pitch_mm + 12  # margin, footer, half of the strip's row, and its pulse
    return np.ascontiguousarray(page[-round(strip_mm * LOOK.y_px_per_mm) :])


@pytest.mark.parametrize("speed_mm_per_s", [25, 50])
@pytest.mark.parametrize("pulse", ["left", "right"])
def test_a_rhythm_strip_alone_is_one_lead_without_a_name(speed_mm_per_s: float, pulse: str) -> None:
    page = draw(ecg(), KNOWN_HZ, FORM.at_speed(speed_mm_per_s), replace(LOOK, pulse=pulse))
    read = read_any_page(cut_to_strip(page.page))
    assert (read.form, list(read.columns()), read.leads) == ("strip", ["strip"], {})
    assert read.geometry.speed_mm_per_s == speed_mm_per_s
    assert "which one it is was not read" in " ".join(read.warnings)
    shown, truth = read.strips["strip"], page.strips["II"]
    assert shown.length_s == pytest.approx(truth.length_s, abs=0.1)
    at_s = np.arange(len(truth.signal_mv)) / KNOWN_HZ
    early_s = max(  # it begins where its trace does
        np.arange(-0.03, 0.03, 0.002), key=lambda late_s: _alike(shown, at_s + late_s, truth.signal_mv)
    )
    assert _alike(shown, at_s + early_s, truth.signal_mv) > 0.99


def _alike(shown: Trace, at_s: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    signal = np.interp(at_s, np.arange(len(shown.signal_mv)) / RATE_HZ, np.nan_to_num(shown.signal_mv))
    return float(np.corrcoef(signal, truth)[0, 1])


def test_one_row_without_heartbeats_is_refused() -> None:
    slow_wave = 0.4 * np.sin(2 * np.pi * 0.3 * np.arange(10 * KNOWN_HZ + 1) / KNOWN_HZ)
    page = draw(np.tile(slow_wave, (12, 1)), KNOWN_HZ, FORM, replace(LOOK, pulse="none"))
    with pytest.raises(ForeignPage, match="no heartbeats in it"):
        read_any_page(cut_to_strip(page.page))


@pytest.mark.parametrize(("share", "there"), [(0.85, 12), (0.72, 9)])
def test_of_a_page_that_is_cut_at_the_right_the_leads_that_are_there_are_read(
    share: float, there: int
) -> None:
    page = draw(ecg(), KNOWN_HZ, FORM, LOOK)
    read = read_any_page(np.ascontiguousarray(page.page[:, : round(share * page.page.shape[1])]))
    assert list(read.leads) == list(LEADS)[:there]
    assert "the page may be cut" in " ".join(read.warnings)
    snrs_db = lead_snrs_db(page.leads, read)
    assert min(snrs_db[name] for name in LEADS[:9]) > 15


@dataclass(frozen=True)
class Shown:
    """What a lead of a made page shows: its 2.5 s, again and again."""

    start_s: float
    rate_hz: float
    signal_mv: NDArray[np.float64]


@pytest.mark.parametrize("kind", made.KINDS)
def test_pictures_of_something_else_are_refused_or_read_rightly(kind: str) -> None:
    signals = ecg()[:, :625]
    page = made.KINDS[kind](signals, np.random.default_rng(0))
    try:
        read = read_any_page(page)
    except InputError:
        return
    printed = {
        name: Shown(trace.start_s, KNOWN_HZ, np.tile(signals[LEADS.index(name)], round(trace.length_s / 2.5)))
        for name, trace in read.leads.items()
    }
    assert read.form in kind_forms(kind)
    assert page_snr_db(printed, read) > WRONG_DB


def kind_forms(kind: str) -> tuple[str, ...]:
    """The forms that a kind of made page has."""
    return ("6x2",) if kind == "six rows of two leads" else ("3x4+1",)
