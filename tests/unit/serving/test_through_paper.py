"""Recordings on drawn pages, read again: what networks see of them is what they see without a page, nearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import through_paper
from through_paper import LAYOUTS, read_from_paper, strip_values

from leadwise.errors import ForeignPage, InputError
from leadwise.pages.forms import forms
from leadwise.sets.ptbxl import stated_recordings
from leadwise.sets.sample import unpack_recordings
from leadwise.sets.views import SIGNAL_HZ, STRIP_SAMPLES, levelled, views_of_recordings


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return stated_recordings(unpack_recordings(tmp_path_factory.mktemp("ptbxl")))


def test_each_layout_shows_lead_ii_for_ten_seconds() -> None:
    of = {form.name: form for form in forms()}
    assert all("II" in of[name].strips for name in LAYOUTS)


def test_a_page_is_read_as_it_was_drawn_and_kept(
    recordings: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = recordings.head(1)
    seen, is_read = read_from_paper(one, tmp_path)
    assert is_read.all()
    direct = views_of_recordings(one["path"], {"as_it_is": lambda signals, _: signals})["as_it_is"]
    alike = np.corrcoef(seen["rhythm"][0], levelled(direct)["rhythm"][0])[0, 1]
    assert alike > 0.9
    monkeypatch.setattr(through_paper, "printed", lambda *_, **__: pytest.fail("it was kept"))
    again, _ = read_from_paper(one, tmp_path)
    assert np.array_equal(again["signals"], seen["signals"])


def test_a_page_that_is_refused_has_no_views(
    recordings: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise ForeignPage("no grid")

    monkeypatch.setattr(through_paper, "printed", lambda *_, **__: None)
    monkeypatch.setattr(through_paper, "read_any_page", refuse)
    with pytest.raises(InputError, match="none of these drawn pages was read"):
        read_from_paper(recordings.head(2), tmp_path)


def strip_of(intervals_s: np.ndarray) -> np.ndarray:
    """QRS complexes at these intervals, and nothing else."""
    at_s = np.arange(STRIP_SAMPLES) / SIGNAL_HZ
    return np.exp(-(((at_s[:, None] - np.cumsum(intervals_s)) / 0.02) ** 2)).sum(axis=1)


def test_strips_are_ranked_by_each_value() -> None:
    uneven = np.random.default_rng(3).uniform(0.4, 1.1, 12)
    values = strip_values(np.stack([strip_of(np.full(12, 0.8)), strip_of(uneven), np.zeros(STRIP_SAMPLES)]))
    assert list(values) == ["rate", "spread_times_rate", "af_stretch"]
    assert values["rate"][0] == pytest.approx(75, abs=2)
    for name in ("spread_times_rate", "af_stretch"):
        assert values[name][0] < values[name][1]
    assert np.isnan([each[2] for each in values.values()]).all(), "of a flat strip nothing is known"
