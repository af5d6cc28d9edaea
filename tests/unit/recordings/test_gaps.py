"""Stretches in which no beat can be found, and intervals between beats that cross one."""

from __future__ import annotations

import numpy as np
import pytest

from leadwise.names import AAMI
from leadwise.recordings.beat_views import INTERVALS, intervals
from leadwise.recordings.gaps import crossing, in_any, in_words, joined, spans_of
from leadwise.recordings.summary import summarise

HZ = 100.0


def test_what_is_dark_for_less_than_a_beat_lasts_is_no_gap() -> None:
    dark = np.zeros(1000, bool)
    dark[100:110] = dark[300:400] = dark[950:] = True
    assert list(spans_of(dark, HZ)) == [(3.0, 4.0), (9.5, 10.0)]


def test_an_interval_crosses_a_gap_that_begins_or_ends_in_it() -> None:
    r_s = np.array([1.0, 2.0, 3.0, 9.0, 10.0])
    assert crossing(r_s, [(3.5, 8.0)]).tolist() == [False, False, True, False]
    assert crossing(r_s, [(2.5, 8.0)]).tolist() == [False, True, True, False]
    assert crossing(r_s, [(0.0, 0.5), (10.5, 12.0)]).tolist() == [False] * 4
    assert crossing(r_s[:1], [(0.0, 5.0)]).tolist() == []


def test_spans_that_touch_are_one() -> None:
    spans = joined([(30.0, 60.0), (0.0, 2.0), (60.0, 90.0)])
    assert spans == ((0.0, 2.0), (30.0, 90.0))
    assert in_words(spans) == "0.0 s to 2.0 s, 30.0 s to 1:30.0 min"
    assert in_any(np.array([1.0, 2.0, 29.0, 89.0]), spans).tolist() == [True, False, False, True]


def test_a_gap_is_no_pause() -> None:
    r_s = np.r_[np.arange(0, 20, 0.8), np.arange(80, 100, 0.8)]
    beats = (r_s * HZ).astype(int)
    rhythm = summarise(beats, ["N"] * len(beats), HZ, crossing(r_s, [(20.0, 80.0)]))
    assert rhythm.longest_interval_s == pytest.approx(0.8, abs=0.02)
    assert rhythm.slowest_bpm == pytest.approx(75, abs=1)
    seen = summarise(beats, ["N"] * len(beats), HZ)
    assert seen.longest_interval_s == pytest.approx(
        60.8, abs=0.05
    )  # nothing was dark there: the heart paused


def test_runs_between_gaps_that_are_shorter_than_ten_intervals_still_tell_a_rate() -> None:
    r_s = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 13.0])
    rhythm = summarise((r_s * HZ).astype(int), ["N"] * 7, HZ, crossing(r_s, [(3.0, 9.0)]))
    assert rhythm.slowest_bpm == rhythm.fastest_bpm == rhythm.heart_rate_bpm == pytest.approx(60)
    alone = summarise(np.array([0, 1000]), ["N"] * 2, HZ, np.array([True]))
    assert (alone.heart_rate_bpm, alone.longest_interval_s, alone.counts["N"]) == (None, None, 2)
    assert set(alone.counts) == set(AAMI)


def test_how_early_beats_come_is_not_measured_by_a_gap() -> None:
    r_s = np.r_[np.arange(0, 20, 0.8), np.arange(200, 220, 0.8)]
    told, blind = intervals(r_s, crossing(r_s, [(20.0, 200.0)])), intervals(r_s)
    mean = INTERVALS.index("before_mean")
    assert np.abs(told[:, mean]).max() < 0.01
    assert blind[:, mean].min() < -1  # all beats seem early beside a mean that one gap has moved
