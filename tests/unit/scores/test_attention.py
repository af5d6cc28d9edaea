"""Attention on beats: chance is 1 exactly, and what lies on the beats is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadwise.scores.attention import against_chance, beats_within, share_on


def test_chance_is_one_whatever_the_attention_looks_like():
    attention = np.random.default_rng(0).gamma(0.3, size=900)
    shifted = [share_on(np.roll(attention, by), 10.0, [2.0, 5.5, 7.0]) for by in range(900)]
    assert np.isclose(np.mean(shifted), 1.0)


def test_attention_on_the_beats_is_above_one_and_beside_them_below():
    attention = np.full(900, 0.5)
    attention[170:190] = 5.0  # 1.9 to 2.1 s
    assert share_on(attention, 10.0, [2.0]) > 5
    assert share_on(attention, 10.0, [8.0]) < 1
    assert np.isnan(share_on(attention, 10.0, []))


def test_records_count_once_however_many_windows_they_have():
    shares = pd.DataFrame(
        {
            "group_id": ["a"] * 98 + ["b", "c"],
            "abnormal": [3.0] * 98 + [1.0, 2.0],
            "normal": [1.0] * 98 + [1.0, np.nan],
        }
    )
    told = against_chance(shares, ["abnormal", "normal"]).set_index("what")
    assert told.loc["abnormal", "value"] == 2.0
    assert told.loc["abnormal", "low"] == 1.0
    assert told.loc["abnormal", "high"] == 3.0
    assert told.loc["abnormal minus normal", ["records", "value"]].tolist() == [2, 1.0]


def test_beats_of_a_window_are_told_from_its_start():
    beats = pd.DataFrame(
        {"record": ["100", "100", "100", "101"], "time_s": [4.0, 6.0, 16.5, 6.0], "symbol": list("NVNN")}
    )
    told = beats_within(beats, "100", 5.0, 10.0)
    assert told[["at_s", "abnormal"]].to_numpy().tolist() == [[1.0, True]]
