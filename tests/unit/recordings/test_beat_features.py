"""A beat in numbers: measured by its own record, whatever its rate and height, and by no label."""

from __future__ import annotations

import numpy as np
import pytest

from leadwise.recordings.beat_features import FEATURES, INTERVALS, SHAPES, beat_features, slowest_cluster
from leadwise.recordings.beat_views import CUT


def record(n: int = 60, rate_s: float = 0.8, height_mv: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """An even rhythm in two leads whose beats are alike, but for the tenth: early, wide and upside down."""
    r_s = np.arange(n) * rate_s
    r_s[10] -= 0.3 * rate_s
    at = np.arange(CUT.samples) - CUT.peak
    shape, wide = (np.exp(-((at / width) ** 2)) for width in (4, 8))
    shape = shape + 0.3 * np.exp(-(((at - 36) / 12) ** 2))
    beats = np.stack([shape, -0.5 * shape])[None].repeat(n, axis=0)
    beats[10] = np.stack([-wide, 0.5 * wide])
    return height_mv * beats, r_s


def of_beat(number: int, **kwargs: float) -> dict[str, float]:
    return dict(zip(FEATURES, beat_features(*record(**kwargs))[number].tolist(), strict=True))


def test_there_are_64_numbers_a_beat_and_none_is_unknown() -> None:
    assert len(FEATURES) == len(set(FEATURES)) == 64 == len(INTERVALS) + 2 * len(SHAPES) + 1
    told = beat_features(*record())
    assert told.shape == (60, 64)
    assert told.dtype == np.float32
    assert np.isfinite(told).all()


@pytest.mark.parametrize("rate_s", [0.5, 1.1])
def test_an_early_beat_is_early_at_any_rate(rate_s: float) -> None:
    one = of_beat(10, rate_s=rate_s)
    for reference in ("median", "slow", "near_median"):
        assert one[f"before_{reference}"] == pytest.approx(0.7, abs=0.02)
        assert one[f"after_{reference}"] == pytest.approx(1.3, abs=0.02)
    assert of_beat(30, rate_s=rate_s)["before_median"] == pytest.approx(1)


@pytest.mark.parametrize("height_mv", [0.3, 2.0])
def test_an_odd_shape_is_odd_at_any_height(height_mv: float) -> None:
    odd, usual = of_beat(10, height_mv=height_mv), of_beat(30, height_mv=height_mv)
    assert usual["alike_0"] == pytest.approx(1, abs=1e-3)
    assert odd["alike_0"] < 0
    assert odd["width_usual_0"] > 1.3
    assert odd["share_alike_1"] < 0.05
    assert usual["share_alike_1"] > 0.9
    assert usual["like_next_0"] == pytest.approx(1, abs=1e-3)


def test_a_record_that_is_mostly_early_beats_still_has_a_slow_cluster() -> None:
    short, long = np.full(300, 0.45), np.full(60, 0.9)
    mode, slow, share = slowest_cluster(np.r_[short, long])
    assert mode == pytest.approx(0.45, rel=0.03)
    assert slow == pytest.approx(0.9, rel=0.03)
    assert share == pytest.approx(1 / 6, abs=0.01)


def test_a_few_pauses_are_no_cluster() -> None:
    mode, slow, _ = slowest_cluster(np.r_[np.full(300, 0.8), np.full(9, 1.6)])
    assert mode == slow == pytest.approx(0.8, rel=0.03)


def test_one_lead_serves_for_both_and_two_beats_are_enough() -> None:
    beats, r_s = record()
    told = beat_features(beats[:2, :1], r_s[:2])
    first = len(INTERVALS)
    np.testing.assert_array_equal(
        told[:, first : first + len(SHAPES)], told[:, first + len(SHAPES) : first + 2 * len(SHAPES)]
    )
    assert np.isfinite(told).all()
