"""Half a minute in numbers: what fibrillation changes in them, and what early beats, noise and silence do not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from leadwise.recordings.filters import band_passed
from leadwise.recordings.stretches import FEATURES, LEAST_BEATS, LENGTH_S, described, starts_s

HZ = 360.0


def described_of(intervals_s: NDArray[np.floating], p_mv: float = 0.15) -> dict[str, float]:
    """A made lead: a QRS complex at each R peak, and a P wave before it."""
    times = 1.0 + np.cumsum(intervals_s)
    times = times[times < LENGTH_S - 0.6]
    at = np.arange(round(LENGTH_S * HZ)) / HZ
    lead = sum(
        np.exp(-(((at - time) / 0.012) ** 2)) + p_mv * np.exp(-(((at - time + 0.16) / 0.02) ** 2))
        for time in times
    )
    lead = lead + 0.01 * np.random.default_rng(0).normal(size=len(at))
    _, table = described(band_passed(lead[None], HZ)[0], HZ, times)
    assert len(table) == 1
    return dict(zip(FEATURES, table[0].tolist(), strict=True))


def test_an_even_rhythm_has_small_steps_and_its_rate() -> None:
    even = described_of(np.full(60, 0.8))
    assert even["rate_bpm"] == pytest.approx(75, abs=0.5)
    assert even["step_median"] < 0.01
    assert even["same"] == 1
    assert even["qrs_alike"] > 0.95


def test_fibrillation_has_steps_at_every_lag_and_no_p_wave() -> None:
    rng = np.random.default_rng(1)
    even = described_of(rng.normal(0.8, 0.02, 60))
    uneven = described_of(rng.uniform(0.45, 1.15, 60), p_mv=0.0)
    for name in ("step_median", "step_of_any_lag", "sample_entropy", "spread_entropy"):
        assert uneven[name] > 2 * max(even[name], 0.02), name
    assert uneven["p_alike"] < even["p_alike"]
    assert uneven["p_height"] < even["p_height"]


def test_bigeminy_steps_from_beat_to_beat_and_not_over_two() -> None:
    bigeminy = described_of(np.tile([0.55, 1.05], 30))
    assert bigeminy["step_median"] > 0.4
    assert bigeminy["step_of_any_lag"] < 0.02
    assert bigeminy["turns"] > 0.9


@pytest.mark.parametrize("count", [0, LEAST_BEATS - 1])
def test_too_few_beats_say_nothing(count: int) -> None:
    starts, table = described(np.zeros(round(LENGTH_S * HZ)), HZ, np.arange(count) * 3.0 + 1)
    assert starts.tolist() == [0.0]
    assert np.isnan(table).all()


def test_a_lead_that_is_flat_or_unknown_gives_numbers_and_no_crash() -> None:
    times = np.arange(1, 29, 0.9)
    for lead in (np.zeros(round(LENGTH_S * HZ)), np.full(round(LENGTH_S * HZ), np.nan)):
        _, table = described(lead, HZ, times)
        assert np.isfinite(table).all()


def test_stretches_cover_all_of_a_recording() -> None:
    assert starts_s(5.0).tolist() == [0.0]
    assert starts_s(30.0).tolist() == [0.0]
    assert starts_s(55.0).tolist() == [0.0, 10.0, 20.0, 25.0]
    assert starts_s(1805.6)[-1] == pytest.approx(1775.6)
