"""Twins are beats beside what is usual in a stretch of their record; they train where their beats do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadwise.errors import LeakError
from leadwise.folds.partition import Partition
from leadwise.learning.segments import added, twins
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


def test_a_twin_is_its_beat_beside_what_is_usual_in_a_stretch(beats: pd.DataFrame, cut: np.ndarray) -> None:
    found = twins(beats, cut, many=12)
    labels = beats["label"].to_numpy()[found.rows]
    median = found.views["intervals"][:, INTERVALS.index("before_median")].astype(float)
    usual = found.views["usual_beat"][:, 0, CUT.peak].astype(float)
    assert set(np.round(median[labels == "S"], 2)) > {0.0}  # usual there, though early in its record
    assert (usual[labels == "S"] < 0).any()
    assert (usual[labels == "S"] > 0).any()
    whole = beat_views(cut[300:], beats["time_s"].to_numpy()[300:])
    assert (whole["usual_beat"][:, 0, CUT.peak] > 0).all()
    again = twins(beats, cut, many=12)
    np.testing.assert_array_equal(found.rows, again.rows)


def test_half_of_the_stretches_lie_about_s(beats: pd.DataFrame, cut: np.ndarray) -> None:
    """Of record a they lie anywhere; of b more than a fifth are S, which is their share in the record."""
    found = twins(beats, cut, many=40)
    of_b = found.rows[found.rows >= 300]
    assert (beats["label"].to_numpy()[of_b] == "S").mean() > 0.3
    assert len(found.rows) - len(of_b) >= 40 * 40


def test_a_record_shorter_than_a_stretch_is_one(beats: pd.DataFrame, cut: np.ndarray) -> None:
    found = twins(beats.iloc[:10], cut[:10], many=3)
    assert found.rows.tolist() == list(range(10)) * 3


def test_twins_train_where_their_beats_do(beats: pd.DataFrame, cut: np.ndarray) -> None:
    found = twins(beats, cut, many=4)
    views = beat_views(cut, beats["time_s"].to_numpy())
    units, both, twin_of = added(beats, views, found)
    assert units["unit_id"].is_unique
    assert all(len(view) == len(units) == len(twin_of) for view in both.values())
    np.testing.assert_array_equal(both["beat"][len(beats) :], found.views["beat"])
    groups, rows = units["record"].to_numpy(), {1: np.arange(300), 2: np.arange(300, 600)}
    part = Partition(1, rows, units["unit_id"].to_numpy(), groups, units["label"].to_numpy(), twin_of=twin_of)
    trained = part.training_rows((1,))
    assert set(groups[trained]) == {"b"}
    assert len(trained) == 300 + (found.rows >= 300).sum()
    # split at random, a beat's twins stay with it
    leaky = Partition(
        1, {1: np.arange(0, 600, 2)}, part.page_ids, groups, part.labels, {1: np.arange(1, 600, 2)}, None, twin_of
    )  # fmt: skip
    rows_of_twins = leaky.training_rows((1,))[300:]
    assert len(rows_of_twins) > 0
    assert (twin_of[rows_of_twins] % 2 == 1).all()


def test_a_shared_record_is_still_refused(beats: pd.DataFrame) -> None:
    rows = {1: np.arange(300), 2: np.arange(200, 600)}
    part = Partition(
        1, rows, beats["unit_id"].to_numpy(), beats["record"].to_numpy(), beats["label"].to_numpy(),
        twin_of=np.full(600, -1),
    )  # fmt: skip
    with pytest.raises(LeakError):
        part.training_rows((1,))
