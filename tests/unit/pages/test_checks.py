"""A page: its beats counted as a person counts them, its leads held against physics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import EVEN_S, bumps, ecg, made_page
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.checks import check, heart_rate_bpm, r_peaks, rms
from leadwise.pages.digitize import N_LEAD, N_STRIP, RATE_HZ, Signals
from leadwise.pages.forms import known_printout

PIXEL_MV = 1 / known_printout().px_per_mv


def lead_two(beats_s: NDArray[np.floating], rate_hz: float = RATE_HZ) -> NDArray[np.float64]:
    """Lead II with beats at these times and 5 microvolts of an amplifier's noise."""
    clean = ecg(beats_s, rate_hz)[1]
    return clean + np.random.default_rng(0).normal(0, 0.005, len(clean))


@given(
    bpm=st.floats(30, 200), first_s=st.floats(0.1, 0.9), rate_hz=st.sampled_from([200, 250, 360, 500, 1000])
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_rate_of_an_even_rhythm_is_found(bpm: float, first_s: float, rate_hz: float) -> None:
    # beats fall between samples: two half samples of an interval, or a beat a minute
    tolerance = max(1.0, bpm**2 / 60 / rate_hz)
    beats = np.arange(first_s, 10, 60 / bpm)
    assert heart_rate_bpm(lead_two(beats, rate_hz), rate_hz) == pytest.approx(bpm, abs=tolerance)


@pytest.mark.parametrize("bpm", [30, 42, 55])
def test_a_slow_rhythm_without_any_noise_has_its_rate(bpm: int) -> None:
    assert heart_rate_bpm(ecg(np.arange(0.2, 10, 60 / bpm))[1], RATE_HZ) == pytest.approx(bpm, abs=1)


def test_every_qrs_is_found_at_its_time() -> None:
    found_s = r_peaks(lead_two(EVEN_S), RATE_HZ) / RATE_HZ
    assert found_s == pytest.approx(EVEN_S, abs=0.03)  # the middle of R and S lies some 10 ms after R


@pytest.mark.parametrize("at_s", [0.75, 4.5, 8.2])
def test_one_early_beat_does_not_change_the_rate(at_s: float) -> None:
    early = lead_two(np.sort(np.append(EVEN_S, at_s)))
    assert len(r_peaks(early, RATE_HZ)) == len(EVEN_S) + 1
    assert heart_rate_bpm(early, RATE_HZ) == pytest.approx(80, abs=1)


def test_one_dropped_beat_does_not_change_the_rate() -> None:
    assert heart_rate_bpm(lead_two(np.delete(EVEN_S, 6)), RATE_HZ) == pytest.approx(80, abs=1)


@pytest.mark.parametrize("height_mv", [0.5, 1.0, 1.8])
@pytest.mark.parametrize("bpm", [45, 75, 110])
def test_t_waves_are_not_counted_however_tall(height_mv: float, bpm: float) -> None:
    beats = np.arange(0.4, 9.6, 60 / bpm)
    peaked = lead_two(beats) + height_mv * bumps(np.arange(N_STRIP) / RATE_HZ, beats + 0.28, 0.05)
    assert len(r_peaks(peaked, RATE_HZ)) == len(beats)


def test_a_wandering_baseline_and_mains_do_not_change_the_rate() -> None:
    times_s = np.arange(N_STRIP) / RATE_HZ
    disturbed = lead_two(EVEN_S) + np.sin(2 * np.pi * 0.3 * times_s) + 0.1 * np.sin(2 * np.pi * 50 * times_s)
    assert heart_rate_bpm(disturbed, RATE_HZ) == pytest.approx(80, abs=1)


@pytest.mark.parametrize("factor", [-1.0, 0.1, 1000.0])
def test_unit_and_polarity_do_not_change_the_beats(factor: float) -> None:
    np.testing.assert_array_equal(
        r_peaks(factor * lead_two(EVEN_S), RATE_HZ), r_peaks(lead_two(EVEN_S), RATE_HZ)
    )


def test_a_gap_in_a_strip_is_bridged() -> None:
    broken = lead_two(EVEN_S)
    broken[1060:1130] = np.nan  # 0.28 s between two beats, a T wave among them
    assert heart_rate_bpm(broken, RATE_HZ) == pytest.approx(80, abs=1)
    assert len(r_peaks(broken, RATE_HZ)) == len(EVEN_S)


@pytest.mark.parametrize(
    "signal",
    [np.zeros(2500), np.full(2500, 0.7), np.full(2500, np.nan), np.where(np.arange(2500) < 1300, np.nan, ecg()[1])],
    ids=["flat", "flat but not at 0", "not read", "mostly not read"],
)  # fmt: skip
def test_where_there_is_no_signal_there_is_no_beat_and_no_rate(signal: NDArray[np.float64]) -> None:
    assert len(r_peaks(signal, RATE_HZ)) == 0
    assert np.isnan(heart_rate_bpm(signal, RATE_HZ))


def test_a_single_beat_has_no_rate() -> None:
    one = ecg(np.array([0.5]))[1, :300]
    assert len(r_peaks(one, RATE_HZ)) == 1
    assert np.isnan(heart_rate_bpm(one, RATE_HZ))


def test_rates_of_real_pages_are_those_printed(
    sample_signals: list[Signals], sample_pages: pd.DataFrame
) -> None:
    printed = sample_pages["heart_rate_bpm"].to_numpy(float)
    measured = np.array([heart_rate_bpm(signals.strip, RATE_HZ) for signals in sample_signals])
    # the device counts over a longer time than it prints, so an irregular page or two may differ
    assert (np.abs(measured - printed) <= np.maximum(3, 0.04 * printed)).sum() >= 46


def test_leads_that_obey_physics_pass() -> None:
    checks = check(made_page(rhythm="aVF"))
    assert checks.einthoven_correlation > 0.99999
    assert max(checks.einthoven_rms_mv, checks.goldberger_rms_mv) < 1e-6
    assert (checks.rhythm_lead, checks.heart_rate_bpm) == ("aVF", pytest.approx(80, abs=1))


def test_the_triangle_closes_on_real_pages(sample_signals: list[Signals]) -> None:
    checks = [check(signals) for signals in sample_signals]
    assert np.median([one.einthoven_correlation for one in checks]) > 0.99
    assert min(one.einthoven_correlation for one in checks) > 0.95
    assert np.median([one.einthoven_rms_mv for one in checks]) < PIXEL_MV
    assert np.median([one.goldberger_rms_mv for one in checks]) < PIXEL_MV


def test_leads_of_two_pages_do_not_close_the_triangle(sample_signals: list[Signals]) -> None:
    mixed = sample_signals[0].leads.copy()
    mixed[0] = sample_signals[1].leads[0]
    checks = check(replace(sample_signals[0], leads=mixed))
    assert checks.einthoven_correlation < 0.95
    assert checks.einthoven_rms_mv > 4 * PIXEL_MV


def test_a_lead_upside_down_breaks_its_own_law_alone() -> None:
    page = made_page()
    upside_down = page.leads.copy()
    upside_down[0] *= -1
    checks = check(replace(page, leads=upside_down))
    assert checks.einthoven_rms_mv > 0.1
    assert checks.goldberger_rms_mv < 1e-6


def test_a_row_that_is_printed_too_high_is_no_fault() -> None:
    page = made_page()
    raised = page.leads + np.linspace(0, 0.1, 12, dtype=np.float32)[:, None]
    checks = check(replace(page, leads=raised))
    assert max(checks.einthoven_rms_mv, checks.goldberger_rms_mv) < 1e-6
    assert checks.einthoven_correlation > 0.99999


@pytest.mark.parametrize(("lead", "einthoven", "goldberger"), [("III", True, False), ("aVL", False, True)])
def test_without_a_lead_its_check_says_nan_and_the_other_still_stands(
    lead: str, einthoven: bool, goldberger: bool
) -> None:
    page = made_page()
    leads = page.leads.copy()
    leads[LEADS.index(lead)] = np.nan
    checks = check(replace(page, leads=leads))
    assert np.isnan(checks.einthoven_correlation) == np.isnan(checks.einthoven_rms_mv) == einthoven
    assert np.isnan(checks.goldberger_rms_mv) == goldberger


def test_of_a_page_without_signals_nothing_is_said() -> None:
    checks = check(Signals(np.full((12, N_LEAD), np.nan), np.full(N_STRIP, np.nan)))
    assert checks.rhythm_lead is None
    assert np.isnan(
        [
            checks.einthoven_correlation,
            checks.einthoven_rms_mv,
            checks.strip_correlation,
            checks.heart_rate_bpm,
        ]
    ).all()


def test_a_root_mean_square_leaves_out_mean_and_gaps() -> None:
    assert rms(np.array([9.0, 11.0, np.nan, 9.0, 11.0])) == pytest.approx(1)
