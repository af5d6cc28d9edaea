"""The usual beat of each lead of a page, and how alike those of two pages are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from drawn import QUICK_S, ecg, made_page, signals_of
from numpy.typing import NDArray

from leadwise.drawing.trials import scaled
from leadwise.names import LEADS
from leadwise.pages.digitize import RATE_HZ, Signals
from leadwise.pages.read import read_page
from leadwise.sets.page_beats import AFTER, BEFORE, alikeness, median_beat


def test_the_usual_beat_of_an_even_rhythm_is_its_beat() -> None:
    beats = median_beat(made_page(QUICK_S))
    assert (beats.shape, beats.dtype) == ((12, BEFORE + AFTER), np.float32)
    whole, start = ecg(QUICK_S), round(QUICK_S[9] * RATE_HZ) - BEFORE
    for beat, lead in zip(beats, whole, strict=True):
        # R and S are one complex: where S is deeper, as in V1, the beat is centred there, 30 ms after R
        around = [lead[start + off :][: len(beat)] for off in range(-10, 11)]
        off = min(np.abs(beat - (part - part.mean())).max() for part in around)
        assert off < 0.001


def test_the_usual_beat_has_no_offset() -> None:
    page = made_page()
    raised = replace(page, leads=page.leads + np.float32(0.5))
    np.testing.assert_allclose(median_beat(raised).mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(median_beat(raised), median_beat(page), atol=1e-5)


def test_one_odd_beat_of_four_does_not_change_the_usual_beat() -> None:
    page = made_page(QUICK_S)
    odd = page.leads.copy()
    odd[:, 180:230] *= 1.5  # the second beat, 0.8 s into each column
    assert np.abs(odd - page.leads).max() > 0.5
    np.testing.assert_allclose(median_beat(replace(page, leads=odd)), median_beat(page), atol=0.01)


def test_a_column_without_beats_has_none_and_the_others_have() -> None:
    page = made_page()
    still = page.leads.copy()
    still[[LEADS.index(name) for name in ("V1", "V2", "V3")]] = 0
    unknown = np.isnan(median_beat(replace(page, leads=still))).all(axis=1)
    assert [name for name, lost in zip(LEADS, unknown, strict=True) if lost] == ["V1", "V2", "V3"]


def all_alike(beats: NDArray[np.floating]) -> NDArray[np.float64]:
    first, second = np.indices((len(beats), len(beats))).reshape(2, -1)
    return alikeness(beats, first, second).reshape(len(beats), -1)


def test_pages_are_most_alike_to_themselves(sample_signals: list[Signals]) -> None:
    alike = all_alike(np.stack([median_beat(signals) for signals in sample_signals]))
    assert alike.shape == (48, 48)
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-6)
    np.testing.assert_allclose(alike, alike.T, atol=1e-12)
    assert np.abs(alike).max() <= 1 + 1e-9


def test_a_page_scanned_at_half_its_size_is_known_again_by_its_beat(
    sample_paths: list[Path], sample_signals: list[Signals]
) -> None:
    some = range(0, 48, 6)
    again = [signals_of(scaled(read_page(sample_paths[number]))[0]) for number in some]
    beats = np.stack([median_beat(signals) for signals in (*again, *sample_signals)])
    alike = all_alike(beats)[: len(again), len(again) :]
    assert alike.argmax(axis=1).tolist() == list(some)


def test_beats_of_another_gain_are_as_alike_and_upside_down_ones_opposite() -> None:
    beat = median_beat(made_page())
    np.testing.assert_allclose(all_alike(np.stack([beat, 2 * beat, -beat]))[0], [1, 1, -1], atol=1e-6)


def test_beats_are_compared_over_the_leads_that_both_have() -> None:
    whole = median_beat(made_page())
    half, other_half = whole.copy(), whole.copy()
    half[6:] = np.nan
    other_half[:6] = np.nan
    alike = all_alike(np.stack([whole, half, other_half]))
    np.testing.assert_allclose(alike[0], 1, atol=1e-6)
    assert np.isnan(alike[1, 2])
