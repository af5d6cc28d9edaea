"""A beat beside its own record: intervals and amplitudes are measured by the record, and no label is used."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leadwise.learning.augment import augmented
from leadwise.models.beat_rhythm import MARGIN, BeatRhythm, mix
from leadwise.recordings.beat_views import CUT, INTERVALS, beat_views, intervals, usual_beat


def record(n: int = 60, rate_s: float = 0.8, height_mv: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """An even rhythm in two leads whose beats are alike, but for the tenth: early and upside down."""
    r_s = np.arange(n) * rate_s
    r_s[10] -= 0.3 * rate_s
    shape = np.exp(-(((np.arange(CUT.samples) - CUT.peak) / 4) ** 2))
    beats = height_mv * np.stack([shape, -0.5 * shape])[None].repeat(n, axis=0).astype(np.float32)
    beats[10] *= -1
    return beats, r_s


def test_an_early_beat_is_early_at_any_rate():
    told = [dict(zip(INTERVALS, intervals(record(rate_s=rate)[1])[10], strict=True)) for rate in (0.5, 1.1)]
    for one in told:
        assert one["before_median"] == pytest.approx(np.log(0.7), abs=1e-3)
        assert one["after_median"] == pytest.approx(np.log(1.3), abs=1e-3)
        assert one["near_-2"] == pytest.approx(0.0, abs=1e-6)
    assert told[0]["usual_s"] == pytest.approx(np.log(0.5), abs=1e-3)
    assert intervals(record()[1]).shape == (60, len(INTERVALS))


def test_the_usual_beat_is_not_the_odd_one_and_amplitudes_are_in_its_units():
    beats, r_s = record()
    np.testing.assert_allclose(usual_beat(beats, r_s), beats[0], atol=1e-6)
    low, high = (beat_views(*record(height_mv=height)) for height in (0.2, 3.0))
    np.testing.assert_allclose(low["beat"].astype(float), high["beat"].astype(float), atol=0.02)
    assert {name: view.shape for name, view in low.items()} == {
        "beat": (60, 2, 144), "usual_beat": (60, 2, 144), "intervals": (60, 20),
    }  # fmt: skip


def test_one_lead_serves_for_both():
    beats, r_s = record()
    views = beat_views(beats[:, :1], r_s)
    np.testing.assert_array_equal(views["beat"][:, 0], views["beat"][:, 1])


def test_a_mix_has_a_usual_beat_of_height_one():
    views = {name: torch.from_numpy(view).float() for name, view in beat_views(*record()).items()}
    for shares in ([1.0, 0.0], [0.0, 1.0], [0.7, 0.2]):
        _, usual = mix(views["beat"], views["usual_beat"], torch.tensor([shares]))
        assert usual.amax() - usual.amin() == pytest.approx(1.0, abs=0.02)
    _, cancelled = mix(views["beat"], views["usual_beat"], torch.tensor([[0.7, 0.7]]))
    assert cancelled.abs().max() < 0.1  # noise is not blown up to a beat


def test_training_sees_one_mix_and_an_answer_the_mean_of_both_leads():
    torch.manual_seed(0)
    views = {name: torch.from_numpy(view) for name, view in beat_views(*record()).items()}
    changed = augmented(views)
    assert changed["beat"].shape == (60, 1, CUT.samples - 2 * MARGIN)
    model = BeatRhythm(5).eval()
    assert model(**changed).shape == (60, 5)
    answer = model(**{name: view.float() for name, view in views.items()}).exp()
    torch.testing.assert_close(answer.sum(dim=1), torch.ones(60), atol=1e-4, rtol=0)
