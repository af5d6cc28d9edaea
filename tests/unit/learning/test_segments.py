"""Beats are also seen beside what is usual in a segment of their record; these views train where the beats do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadwise.errors import LeakError
from leadwise.folds.partition import Partition
from leadwise.learning.segments import segment_views, with_segments
from leadwise.recordings.beat_views import CUT, INTERVALS, beat_views


@pytest.fixture(scope="module")
def beats() -> pd.DataFrame:
    """Two records of 300 beats; in the second, beats 200 to 259 are early, of another shape, and S."""
    early = (np.arange(300) >= 200) & (np.arange(300) < 260)
    parts = [
        pd.DataFrame(
            {
                "unit_id": [f"{name}-{number:03d}" for number in range(300)],
                "record": name,
                "label": np.where(is_s, "S", "N"),
                "time_s": np.cumsum(np.where(is_s, 0.5, 0.8)),
            }
        )
        for name, is_s in (("a", np.zeros(300, bool)), ("b", early))
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def cut(beats: pd.DataFrame) -> np.ndarray:
    shape = np.exp(-(((np.arange(CUT.samples) - CUT.peak) / 4) ** 2))
    sign = np.where(beats["label"] == "S", -1.0, 1.0)
    return (sign[:, None, None] * np.stack([shape, shape])).astype(np.float32)


def test_a_beat_is_seen_beside_what_is_usual_in_a_segment(beats: pd.DataFrame, cut: np.ndarray) -> None:
    found = segment_views(beats, cut, segments=12)
    labels = beats["label"].to_numpy()[found.rows]
    median = found.views["intervals"][:, INTERVALS.index("before_median")].astype(float)
    usual = found.views["usual_beat"][:, 0, CUT.peak].astype(float)
    assert set(np.round(median[labels == "S"], 2)) > {0.0}  # usual there, though early in its record
    assert (usual[labels == "S"] < 0).any()
    assert (usual[labels == "S"] > 0).any()
    whole = beat_views(cut[300:], beats["time_s"].to_numpy()[300:])
    assert (whole["usual_beat"][:, 0, CUT.peak] > 0).all()
    again = segment_views(beats, cut, segments=12)
    np.testing.assert_array_equal(found.rows, again.rows)


def test_half_of_the_segments_lie_about_s(beats: pd.DataFrame, cut: np.ndarray) -> None:
    """Of record a they lie anywhere; of b more than a fifth are S, which is their share in the record."""
    found = segment_views(beats, cut, segments=40)
    of_b = found.rows[found.rows >= 300]
    assert (beats["label"].to_numpy()[of_b] == "S").mean() > 0.3
    assert len(found.rows) - len(of_b) >= 40 * 40


def test_a_record_shorter_than_a_segment_is_one(beats: pd.DataFrame, cut: np.ndarray) -> None:
    found = segment_views(beats.iloc[:10], cut[:10], segments=3)
    assert found.rows.tolist() == list(range(10)) * 3


def test_segments_train_where_their_beats_do(beats: pd.DataFrame, cut: np.ndarray) -> None:
    found = segment_views(beats, cut, segments=4)
    views = beat_views(cut, beats["time_s"].to_numpy())
    columns = [beats[name].to_numpy(object) for name in ("unit_id", "record", "label")]
    by_record = Partition(1, {1: np.arange(300), 2: np.arange(300, 600)}, *columns)
    # split at random, the other views of a beat stay with it
    at_random = Partition(2, {1: np.arange(0, 600, 2)}, *columns, {1: np.arange(1, 600, 2)})
    both, parts = with_segments(views, {1: by_record, 2: at_random}, found)
    part = parts[1]
    assert len(set(part.unit_ids)) == len(part.unit_ids)
    assert all(len(view) == len(part.unit_ids) == len(part.copy_of) for view in both.values())
    np.testing.assert_array_equal(both["beat"][len(beats) :], found.views["beat"])
    trained = part.training_rows((1,))
    assert set(part.groups[trained]) == {"b"}
    assert len(trained) == 300 + (found.rows >= 300).sum()
    np.testing.assert_array_equal(part.labels[600:], beats["label"].to_numpy()[found.rows])
    copies = parts[2].training_rows((1,))[300:]
    assert len(copies) > 0
    assert (parts[2].copy_of[copies] % 2 == 1).all()


def test_a_shared_record_is_still_refused(beats: pd.DataFrame) -> None:
    rows = {1: np.arange(300), 2: np.arange(200, 600)}
    part = Partition(
        1, rows, beats["unit_id"].to_numpy(), beats["record"].to_numpy(), beats["label"].to_numpy(),
        copy_of=np.full(600, -1),
    )  # fmt: skip
    with pytest.raises(LeakError):
        part.training_rows((1,))
