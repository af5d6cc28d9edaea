"""Recordings of over half an hour: read in windows, a day as its parts, and beats written beside them for WFDB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from command_line import command_of
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.recordings.annotations import Annotations, write_annotations
from leadwise.recordings.records import Record, read_record, write_wfdb
from leadwise.recordings.sources import Source
from leadwise.serving import long_recordings
from leadwise.serving.long_recordings import more_seconds
from leadwise.serving.predict_recording import RecordingAnswer, predict_recording
from leadwise.serving.recordings import process, read_path

HZ = 360
command = command_of("predict")


@pytest.fixture(scope="module")
def six_minutes(excerpts: Path) -> Record:
    return read_record(excerpts / "208")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("long")


def put(
    folder: Path, name: str, signals: NDArray[np.floating], names: tuple[str, ...] = ("MLII", "V1")
) -> Path:
    write_wfdb(Record(signals, names, HZ), folder, name, [])
    return folder / f"{name}.hea"


@pytest.fixture(scope="module")
def long(folder: Path, six_minutes: Record) -> Path:
    """42 minutes: the same six, seven times."""
    return put(folder, "long", np.tile(six_minutes.signals, 7))


@pytest.fixture(scope="module")
def found(long: Path, beat_model: Path) -> RecordingAnswer:
    return predict_recording(long, model=beat_model)


def test_each_part_of_a_long_recording_has_the_beats_of_that_part(
    found: RecordingAnswer, excerpts: Path, beat_model: Path
) -> None:
    alone = predict_recording(excerpts / "208.hea", model=beat_model)
    assert (found.rate_hz, found.duration_s) == (HZ, 42 * 60)
    for part in range(7):
        first = part * 6 * 60 * HZ
        here = found.samples[(found.samples >= first) & (found.samples < first + 6 * 60 * HZ)] - first
        near = np.abs(alone.samples[:, None] - here).min(axis=1) <= 10
        assert near.mean() > 0.99
        assert len(here) == pytest.approx(len(alone.samples), abs=3)
    assert any("read in windows" in text for text in found.warnings)


def test_beats_are_seen_as_in_half_an_hour(found: RecordingAnswer, excerpts: Path, beat_model: Path) -> None:
    """The same beats in the same surroundings, so their probabilities are nearly those of a short record."""
    alone = predict_recording(excerpts / "208.hea", model=beat_model)
    first = 6 * 60 * HZ
    nearest = np.abs(found.samples[:, None] - (alone.samples + first)).argmin(axis=0)
    at_the_same = np.abs(found.samples[nearest] - alone.samples - first) <= 1
    at_the_same[:40] = at_the_same[-40:] = False  # whose neighbours are others
    off = np.abs(found.probabilities[nearest] - alone.probabilities)[at_the_same]
    assert at_the_same.mean() > 0.85
    assert off.mean() < 0.01


def test_it_is_drawn_and_told_as_others_are(found: RecordingAnswer) -> None:
    assert found.picture().shape[1] == 1800
    assert found.as_json()["rate_hz"] == HZ
    assert float(list(found.rows())[-1]["time_s"]) == pytest.approx(found.samples[-1] / HZ, abs=1e-3)
    assert found.record.rate_hz == 120


def test_no_more_than_a_window_is_read_at_once(six_minutes: Record) -> None:
    """A day of six minutes again and again: what is read of it at once is as long as of an hour."""
    asked: list[int] = []

    def read(first: int, end: int) -> NDArray[np.float64]:
        asked.append(end - first)
        return np.take(six_minutes.signals, np.arange(first, end), axis=1, mode="wrap")

    source = Source(("MLII", "V1"), ("ecg", "ecg"), ("mV", "mV"), HZ, 2 * 3600 * HZ, read, list)
    reading = long_recordings.read(source)
    assert reading.duration_s == 7200
    assert max(asked) == (1800 + 60 + 60) * HZ
    assert len(reading.beats) == pytest.approx(20 * len(process(six_minutes).beats), rel=0.01)


def test_less_than_a_minute_of_many_leads_is_read_in_windows_without_being_called_long(
    six_minutes: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """50 s, as of 17 leads at 10,000 samples a second."""
    monkeypatch.setattr("leadwise.serving.recordings.MAX_VALUES", 30_000)
    short = six_minutes.signals[:, : 50 * HZ]

    def read(first: int, end: int) -> NDArray[np.float64]:
        assert 0 <= first < end <= short.shape[1]
        return short[:, first:end]

    source = Source(("MLII", "V1"), ("ecg", "ecg"), ("mV", "mV"), HZ, short.shape[1], read, list)
    reading = long_recordings.read(source)
    alone = process(Record(short, ("MLII", "V1"), HZ))
    assert len(reading.beats) == pytest.approx(len(alone.beats), abs=1)
    assert reading.warnings[0].startswith(
        "more than 8,000,000 samples of all leads together: read in windows"
    )


def test_where_there_is_no_heart_nothing_is_called_a_beat(
    folder: Path, six_minutes: Record, beat_model: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 40 * 60 * HZ))
    found = predict_recording(
        put(folder, "off", np.hstack([np.tile(six_minutes.signals, 5), noise])), model=beat_model
    )
    assert found.times_s[-1] < 30 * 60 + 60
    assert any("no heartbeat found from 30:00.0 min to 1:10:00 h" in text for text in found.warnings)
    with pytest.raises(InputError, match="no heartbeat found on MLII, V1"):
        predict_recording(put(folder, "noise", noise), model=beat_model)


def test_a_long_recording_is_not_read_as_a_whole(long: Path) -> None:
    with pytest.raises(InputError, match="Cut it into parts"):
        read_path(long)


def test_a_long_recording_gets_more_time_by_its_size(folder: Path, excerpts: Path) -> None:
    assert more_seconds(excerpts / "208.hea") == more_seconds(folder / "page.jpg") == 0
    (folder / "day.hea").write_text("day 2 360\nday.dat 212\nday.dat 212\n", encoding="ascii")
    with (folder / "day.dat").open("wb") as file:
        file.truncate(93_000_000)
    for given in ("day.hea", "day.dat", "day"):
        assert more_seconds(folder / given) == pytest.approx(5 * 83, abs=1)


# --- annotations ---------------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path, excerpts: Path) -> Path:
    for name in ("208.hea", "208.dat"):
        (tmp_path / name).write_bytes((excerpts / name).read_bytes())
    return tmp_path / "208.hea"


def test_beats_are_written_as_annotations_that_wfdb_reads_back(
    copied: Path, beat_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, copied, "--atr", "leadwise", "--beat-model", beat_model) == 0
    known = predict_recording(copied, model=beat_model)
    written = wfdb.rdann(str(copied.with_suffix("")), "leadwise")
    assert written.sample.tolist() == known.samples.tolist()
    assert written.symbol == known.labels.tolist()
    assert written.fs == HZ
    capsys.readouterr()
    assert command(monkeypatch, copied, "--atr", "leadwise", "--beat-model", beat_model) == 1
    assert "208.leadwise: is there already" in capsys.readouterr().err


def test_changes_of_rhythm_are_notes(tmp_path: Path) -> None:
    beats = Annotations(np.array([100, 400, 700]), np.array(["N", "N", "V"]))
    write_annotations(beats, tmp_path / "r.leadwise", HZ, [(50, "(N"), (650, "(AFIB")])
    written = wfdb.rdann(str(tmp_path / "r"), "leadwise")
    assert written.sample.tolist() == [50, 100, 400, 650, 700]
    assert written.symbol == ["+", "N", "N", "+", "V"]
    assert [note.rstrip("\0") for note in written.aux_note] == ["(N", "", "", "(AFIB", ""]


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("208.hea", "a1", "named in letters alone"),
        ("page.jpg", "leadwise", "none is among these files"),
        *[
            ("208.hea", name, f"--atr {name}: a file that ends so is taken for a page or a recording")
            for name in ("hea", "DAT", "edf", "dcm", "zip", "xml", "mat", "png")
        ],
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(
    copied: Path,
    file: str,
    name: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copied.with_name("page.jpg").write_bytes(b"none")
    assert command(monkeypatch, copied.with_name(file), "--atr", name) == 2
    assert said in capsys.readouterr().err
