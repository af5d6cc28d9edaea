"""Signal to noise of what was read of a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from drawn import ecg
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.scores.snr import aligned_snr_db, lead_snrs_db, page_snr_db, snr_db


@dataclass(frozen=True)
class Printed:
    start_s: float
    rate_hz: float
    signal_mv: NDArray[np.float64]


@pytest.fixture(scope="module")
def printed() -> dict[str, Printed]:
    """Three rows of four leads, 2.5 s each."""
    signals = ecg(rate_hz=RATE_HZ)
    shown = {}
    for number, name in enumerate(LEADS):
        start = 1250 * (number // 3)
        shown[name] = Printed(start / RATE_HZ, RATE_HZ, signals[number, start : start + 1250])
    return shown


def page(
    printed: dict[str, Printed], *, later_s: float = 0.0, gain: float = 1.0, noise_mv: float = 0.0
) -> PageSignals:
    """What a reader makes of it: every trace too late, too large, or noisy."""
    rng = np.random.default_rng(0)
    leads = {
        name: Trace(
            lead.start_s + later_s,
            (gain * lead.signal_mv + rng.normal(0, noise_mv, len(lead.signal_mv))).astype(np.float32),
            np.zeros((0, 2), np.float32),
        )
        for name, lead in printed.items()
    }
    geometry = Geometry(8, 8, 0, False, 25, 10, "grid")
    return PageSignals(
        "3x4", "any page", leads, {}, geometry, ReadQuality(1.0), (), np.zeros((1, 1, 3), np.uint8)
    )


def test_noise_of_a_tenth_of_the_signal_is_20_db() -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(0, 1, 100_000)
    assert snr_db(signal, signal + rng.normal(0, 0.1, 100_000)) == pytest.approx(20, abs=0.1)


def test_a_baseline_elsewhere_costs_nothing() -> None:
    signal = np.sin(np.arange(1000) / 9)
    assert snr_db(signal, signal + 3) == 100


def test_silence_is_0_db() -> None:
    signal = np.sin(np.arange(1000) / 9)
    assert snr_db(signal, np.full(1000, np.nan)) == pytest.approx(0)


def test_half_a_lead_unread_costs_half_of_its_signal() -> None:
    signal = np.sin(np.arange(2000) * 2 * np.pi / 100)
    assert snr_db(signal, np.where(np.arange(2000) < 1000, signal, np.nan)) == pytest.approx(3.01, abs=0.01)


def test_a_lead_without_a_signal_has_a_number() -> None:
    assert np.isfinite(snr_db(np.zeros(100), np.ones(100) * np.arange(100)))


def test_a_page_read_as_it_was_printed_has_the_most(printed: dict[str, Printed]) -> None:
    assert page_snr_db(printed, page(printed)) > 90


def test_a_gain_of_a_tenth_too_much_is_20_db(printed: dict[str, Printed]) -> None:
    assert page_snr_db(printed, page(printed, gain=1.1)) == pytest.approx(20, abs=0.01)


def test_a_page_read_too_late_is_bad_raw_and_good_aligned(printed: dict[str, Printed]) -> None:
    late = page(printed, later_s=0.03)
    assert page_snr_db(printed, late) < 3
    assert aligned_snr_db(printed, late) > 60


def test_a_page_read_later_than_may_be_aligned_stays_bad(printed: dict[str, Printed]) -> None:
    assert aligned_snr_db(printed, page(printed, later_s=0.4)) < 6


def test_a_lead_that_was_not_read_is_silence(printed: dict[str, Printed]) -> None:
    read = page(printed)
    del read.leads["V3"]
    snrs = lead_snrs_db(printed, read)
    assert snrs["V3"] == pytest.approx(0)
    assert snrs["V4"] > 90


def test_a_lead_that_nothing_was_seen_of_is_silence(printed: dict[str, Printed]) -> None:
    read = page(printed)
    read.leads["V3"] = Trace(0.0, np.zeros(0, np.float32), np.zeros((0, 2), np.float32))
    assert lead_snrs_db(printed, read)["V3"] == pytest.approx(0)
