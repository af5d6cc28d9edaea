"""Recordings whose rhythm is known: which of CinC 2017 teach and which test, and in which form their labels lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadwise.errors import MissingInput
from leadwise.recordings.stretches import starts_s
from leadwise.sets.rhythms import beats_in_episodes, cinc_records, is_held_out


def test_a_third_is_held_out_and_always_the_same() -> None:
    names = [f"A{number:05d}" for number in range(1, 8529)]
    held_out = [is_held_out(name) for name in names]
    assert 0.31 < sum(held_out) / len(names) < 0.36
    assert [name for name in names[:12] if is_held_out(name)] == ["A00003", "A00004"]


def test_labels_are_read_as_published_and_with_heads(tmp_path: Path) -> None:
    for name in ("A00001", "A00002"):
        (tmp_path / f"{name}.hea").touch()
    (tmp_path / "labels.csv").write_text("record,label\nA00001,N\nA00002,A\nA00003,O\n", encoding="utf-8")
    with_heads = cinc_records(tmp_path)
    assert with_heads["label"].tolist() == ["N", "A"], "what does not lie there is left out"
    (tmp_path / "REFERENCE.csv").write_text("A00001,N\nA00002,A\nA00003,O\n", encoding="utf-8")
    assert cinc_records(tmp_path).equals(with_heads)


def test_recordings_without_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="neither REFERENCE"):
        cinc_records(tmp_path)


def test_beats_lie_in_an_episode_of_their_own_record() -> None:
    times = np.arange(0.5, 300, 1.0)
    beats = pd.DataFrame({"record": np.repeat(["a", "b"], len(times)), "time_s": np.tile(times, 2)})
    beats["beat_id"] = [
        f"{record}-{time:g}" for record, time in zip(beats["record"], beats["time_s"], strict=True)
    ]
    starts = starts_s(300.0)
    stretches = pd.DataFrame({"record": "a", "start_s": starts, "duration_s": 300.0})
    inside = beats_in_episodes(beats, stretches, np.where(starts >= 150, 0.9, 0.1))
    assert not inside[[f"b-{time:g}" for time in times]].any()
    found = times[inside[[f"a-{time:g}" for time in times]].to_numpy()]
    assert 140 < found.min() < 175
    assert found.max() == times[-1]
