"""Recordings of which parts are unknown or no heart, and leads that are off: what is named, and what is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadwise.errors import InputError
from leadwise.recordings.records import Record, write_record
from leadwise.serving import recordings
from leadwise.serving.predict_recording import RecordingAnswer, name_beats, predict_recording

HZ = 360


@pytest.fixture
def minutes(excerpts: Path) -> Record:
    """Two minutes of 100, two leads, in mV."""
    record = recordings.read_path(excerpts / "100.hea")
    return replace(record, signals=record.signals[:, : 120 * HZ].copy())


def named(record: Record, folder: Path, beat_model: Path) -> RecordingAnswer:
    write_record(record, folder, "r", [])
    return predict_recording(folder / "r.hea", model=beat_model)


def test_no_interval_crosses_a_gap(minutes: Record, tmp_path: Path, beat_model: Path) -> None:
    minutes.signals[:, 40 * HZ : 70 * HZ] = np.nan
    answer = named(minutes, tmp_path, beat_model)
    assert answer.gaps == ((40.0, 70.0),)
    assert answer.rhythm.longest_interval_s is not None
    assert answer.rhythm.longest_interval_s < 1.5
    without = [row for row in answer.rows() if row["rr_before_s"] == ""]
    assert [float(row["time_s"]) > 70 for row in without] == [
        False,
        True,
    ]  # the first beat, and that after the gap
    assert answer.as_json()["gaps_s"] == [[40.0, 70.0]]


def test_a_beat_that_a_gap_cuts_is_none(minutes: Record, tmp_path: Path, beat_model: Path) -> None:
    whole = named(minutes, tmp_path, beat_model)
    peak = int(whole.samples[60])
    minutes.signals[:, peak + 5 : peak + 30 * HZ] = np.nan
    answer = named(minutes, tmp_path, beat_model)
    assert answer.samples[answer.samples <= peak].max() == whole.samples[59]


@pytest.mark.parametrize("what", ["hum", "noise"])
def test_half_a_minute_without_a_heart_has_no_beats(
    what: str, minutes: Record, tmp_path: Path, beat_model: Path
) -> None:
    before = named(minutes, tmp_path, beat_model)
    shape = (2, 60 * HZ)
    hum = np.broadcast_to(0.5 * np.sin(2 * np.pi * 50 * np.arange(shape[1]) / HZ), shape)
    minutes.signals[:, 60 * HZ :] = hum if what == "hum" else np.random.default_rng(0).normal(0, 0.3, shape)
    answer = named(minutes, tmp_path, beat_model)
    assert answer.gaps == ((60.0, 120.0),)
    assert answer.times_s.max() < 60
    assert len(answer.samples) == pytest.approx((before.times_s < 60).sum(), abs=1)
    assert (
        "no heartbeat found from 1:00.0 min to 2:00.0 min: nothing there is called a beat" in answer.warnings
    )


def test_beats_are_named_by_a_lead_that_is_on(minutes: Record, tmp_path: Path, beat_model: Path) -> None:
    other = minutes.names[1]
    alone = named(replace(minutes, signals=minutes.signals[1:], names=(other,)), tmp_path, beat_model)
    minutes.signals[0] = np.nan
    minutes.signals[0, : 5 * HZ] = 0.1  # of the first lead nothing but a flat line is known
    minutes.signals[0, 100 * HZ : 110 * HZ] = minutes.signals[1, 100 * HZ : 110 * HZ]
    answer = named(minutes, tmp_path, beat_model)
    seen_alone = (answer.times_s > 5) & (answer.times_s < 99)
    by_time = dict(zip(alone.times_s.round(1).tolist(), alone.labels.tolist(), strict=True))
    same = [
        by_time.get(round(time, 1)) == label
        for time, label in zip(answer.times_s[seen_alone], answer.labels[seen_alone], strict=True)
    ]
    assert np.mean(same) > 0.9
    assert any(f"are named by {other}: MLII or {other} is off there" in text for text in answer.warnings)
    lead, title = answer._shown()
    assert title == f"lead MLII, {other} where it is off"
    assert np.isfinite(lead).all()
    assert answer.picture().shape[1] == 1800


def test_of_two_leads_of_one_name_the_one_that_is_on_names_beats(minutes: Record) -> None:
    one = replace(minutes, signals=minutes.signals[1:].copy(), names=("ECG",))
    alone = name_beats("r", recordings.process(one))
    minutes.signals[0, 3 * HZ :] = np.nan
    answer = name_beats("r", recordings.process(replace(minutes, names=("ECG", "ECG"))))
    later, there = answer.times_s > 5, alone.times_s > 5
    assert answer.probabilities[later] == pytest.approx(alone.probabilities[there], abs=0.05)


def test_a_loud_lead_without_a_heart_does_not_hide_the_other(
    minutes: Record, tmp_path: Path, beat_model: Path
) -> None:
    minutes.signals[0] = np.sin(2 * np.pi * 50 * np.arange(minutes.signals.shape[1]) / HZ)
    answer = named(minutes, tmp_path, beat_model)
    assert answer.leads == (minutes.names[1],)
    assert len(answer.samples) == pytest.approx(148, abs=3)
    assert "MLII set aside: no heartbeat found on it" in answer.warnings


@pytest.mark.parametrize("seconds", [9.5, 4])
def test_noise_of_a_few_seconds_is_refused_or_doubted(
    seconds: float, minutes: Record, tmp_path: Path, beat_model: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, (2, round(seconds * HZ)))
    record = replace(minutes, signals=noise)
    if seconds > 9:
        with pytest.raises(InputError, match="no heartbeat found"):
            named(record, tmp_path, beat_model)
    else:
        warnings = named(record, tmp_path, beat_model).warnings
        assert any("too short to tell whether this is a heart" in text for text in warnings)
