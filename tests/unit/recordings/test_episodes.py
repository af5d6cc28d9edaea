"""Episodes: from how likely a rhythm is in each stretch, to when it begins and ends, in and out of annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwise.recordings.episodes import (
    ATRIAL,
    LIKELY,
    Episode,
    changes_of,
    episodes_of,
    in_episodes,
    overlap_s,
    read_rhythm,
)
from leadwise.recordings.stretches import starts_s
from leadwise.sets.sample import unpack_excerpts


def found(likely_from_s: float, likely_to_s: float, duration_s: float = 600.0) -> list[Episode]:
    starts = starts_s(duration_s)
    inside = np.minimum(starts + 30, likely_to_s) - np.maximum(starts, likely_from_s)
    return episodes_of(starts, np.clip(inside / 30, 0, 1), duration_s)


def test_an_episode_begins_and_ends_where_it_does_to_within_ten_seconds() -> None:
    (one,) = found(200, 400)
    assert abs(one.start_s - 200) <= 10
    assert abs(one.end_s - 400) <= 10
    assert LIKELY < one.probability <= 1


def test_a_beat_lies_in_an_episode_or_outside() -> None:
    episodes = [Episode(10.0, 50.0, 0.9), Episode(100.0, 140.0, 0.8)]
    inside = in_episodes(np.array([9.9, 10.0, 49.9, 50.0, 120.0]), episodes)
    assert inside.tolist() == [False, True, True, False, True]


def test_what_is_shorter_than_half_a_minute_is_none() -> None:
    assert found(300, 312) == []


def test_a_recording_shorter_than_half_a_minute_is_one_episode_or_none() -> None:
    assert episodes_of(np.zeros(1), np.array([0.9]), 10.0) == [Episode(0.0, 10.0, 0.9)]
    assert episodes_of(np.zeros(1), np.array([0.4]), 10.0) == []
    assert episodes_of(np.zeros(1), np.array([0.9]), 3.0) == [Episode(0.0, 3.0, 0.9)]


def test_a_gap_of_seconds_joins_two_and_one_of_a_minute_does_not() -> None:
    starts = np.arange(0, 571, 10.0)
    short = np.where((starts > 200) & (starts < 230), 0.0, 1.0)
    assert len(episodes_of(starts, short, 600.0)) == 1
    long = np.where((starts > 200) & (starts < 320), 0.0, 1.0)
    assert len(episodes_of(starts, long, 600.0)) == 2


def test_stretches_that_say_nothing_are_in_no_episode() -> None:
    assert episodes_of(np.zeros(1), np.array([np.nan]), 20.0) == []


@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=40))
def test_episodes_lie_in_order_within_the_recording(probabilities: list[float]) -> None:
    duration_s = 30.0 + 10 * (len(probabilities) - 1)
    starts = np.arange(len(probabilities)) * 10.0
    last = 0.0
    for one in episodes_of(starts, np.array(probabilities), duration_s):
        assert last <= one.start_s < one.end_s <= duration_s
        assert one.end_s - one.start_s >= 30
        last = one.end_s + 1e-9


def test_the_notes_of_a_record_are_read_as_spans(tmp_path: Path) -> None:
    folder = unpack_excerpts(tmp_path)
    spans = read_rhythm(folder / "202.hea", 360.0)
    assert len(spans) == 3
    assert spans[0][0] == pytest.approx(162.6, abs=0.1)
    assert spans[-1][1] == 360.0
    assert read_rhythm(folder / "202.hea", 360.0, ATRIAL[1:]) != spans
    assert read_rhythm(folder / "100.hea", 360.0) == []


def test_changes_are_noted_where_an_episode_begins_and_ends() -> None:
    episodes = [Episode(10, 60, 0.9), Episode(100, 200, 0.8)]
    assert changes_of(episodes, 100.0, 20_000) == [(1000, "(AFIB"), (6000, "(N"), (10000, "(AFIB")]


def test_overlap_is_counted_in_seconds() -> None:
    assert overlap_s([(0, 10), (20, 30)], [(5, 25)]) == 10
    assert overlap_s([], [(5, 25)]) == 0
