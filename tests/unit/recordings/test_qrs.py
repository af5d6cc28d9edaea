"""Beats of a recording are found where they are, whatever its rate, unit and polarity, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from detection import detections, matched, summed_up, without_flutter
from numpy.typing import NDArray

from leadwise.recordings.annotations import Annotations
from leadwise.recordings.qrs import find_beats
from leadwise.recordings.records import rhythm_first
from leadwise.recordings.summary import Runs, summarise
from leadwise.sets.recordings import EC57_FROM_S, RATE_HZ, find_recordings, load_recording
from leadwise.sets.sample import unpack_excerpts

SECONDS = 60
BEATS_S = np.arange(0.7, SECONDS - 0.5, 0.8)


def heart(
    rate_hz: float, beats_s: NDArray[np.floating] = BEATS_S, seconds: float = SECONDS
) -> NDArray[np.float64]:
    """One lead with P, QRS and T waves at these times, mV."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    signal = np.zeros(len(time_s))
    for after, height, width in (
        (-0.16, 0.12, 0.025),
        (0.0, 1.0, 0.011),
        (0.03, -0.25, 0.012),
        (0.28, 0.35, 0.05),
    ):
        signal += sum(height * np.exp(-(((time_s - beat - after) / width) ** 2) / 2) for beat in beats_s)
    return signal


@pytest.mark.parametrize("rate_hz", [100.0, 128.0, 250.0, 360.0, 500.0, 1000.0])
def test_every_beat_is_found_at_any_rate(rate_hz: float) -> None:
    found = find_beats(heart(rate_hz)[None], rate_hz) / rate_hz
    assert found == pytest.approx(BEATS_S, abs=0.02)


@pytest.mark.parametrize("factor", [-1.0, 0.1, 30.0])
def test_polarity_and_unit_do_not_matter(factor: float) -> None:
    assert (
        find_beats(factor * heart(RATE_HZ)[None], RATE_HZ).tolist()
        == find_beats(heart(RATE_HZ)[None], RATE_HZ).tolist()
    )


def test_a_small_beat_in_a_gap_is_found_and_a_ripple_is_not() -> None:
    kept = np.delete(BEATS_S, [30, 50])
    signal = heart(RATE_HZ, kept) + 0.3 * heart(RATE_HZ, BEATS_S[[30]]) + 0.02 * heart(RATE_HZ, BEATS_S[[50]])
    found = find_beats(signal[None], RATE_HZ) / RATE_HZ
    assert found == pytest.approx(np.delete(BEATS_S, 50), abs=0.02)


def test_where_all_leads_are_lost_no_beat_is_found() -> None:
    signal = np.stack([heart(RATE_HZ), 0.5 * heart(RATE_HZ)])
    signal[:, 20 * 360 : 40 * 360] = np.nan
    found = find_beats(signal, RATE_HZ) / RATE_HZ
    assert not ((found > 20) & (found < 40)).any()
    assert len(found) == pytest.approx(len(BEATS_S) * 40 / 60, abs=2)
    signal[:, 20 * 360 : 40 * 360] = 0.0
    assert not ((find_beats(signal, RATE_HZ) / RATE_HZ - 30) ** 2 < 95).any()


def test_where_one_lead_is_off_the_other_serves() -> None:
    signal = np.stack([heart(RATE_HZ), 0.5 * heart(RATE_HZ)])
    signal[0, 20 * 360 : 40 * 360] = signal[0, 20 * 360]
    found = find_beats(signal, RATE_HZ) / RATE_HZ
    assert found == pytest.approx(BEATS_S, abs=0.03)


@pytest.mark.parametrize(
    "signal", [np.zeros((1, 3600)), np.full((2, 3600), np.nan), np.zeros((1, 100)), np.ones((1, 720))]
)
def test_where_nothing_moves_there_is_no_beat(signal: NDArray[np.float64]) -> None:
    assert find_beats(signal, RATE_HZ).size == 0


def test_the_rhythm_lead_is_known_by_its_name_wherever_it_stands() -> None:
    assert rhythm_first(("V5", "MLII")) == (1, 0)
    assert rhythm_first(("I", "ii", "III")) == (1, 0, 2)
    assert rhythm_first((None, "V1")) == rhythm_first(("PW", "V1")) == (1, 0)
    assert rhythm_first(("AO", "V5", "ch 1", "MLII", "I")) == (3, 1, 4, 0, 2)
    assert rhythm_first((None, "ch 2")) == (0, 1)


def test_a_beat_found_twice_is_made_up_once_and_one_far_away_is_missed() -> None:
    known = np.array([1000, 2000, 3000, 4000])
    found = np.array([1010, 2000, 2030, 3100])
    assert matched(known, found) == (2, 2, 2)
    assert matched(known, np.zeros(0, np.int64)) == (0, 4, 0)
    assert matched(known, known + 54) == (4, 0, 0), "150 ms are still near"


def test_nothing_is_asked_within_flutter() -> None:
    marks = Annotations(np.array([100, 1000, 2000, 3000]), np.array(["N", "[", "]", "N"]))
    assert without_flutter(marks, np.array([100, 960, 1500, 2040, 3000])).tolist() == [100, 3000]


def test_beats_of_the_excerpts_are_found(tmp_path: Path) -> None:
    paths = find_recordings(unpack_excerpts(tmp_path))
    found = detections([load_recording(path) for path in paths], {"all_leads": _all_leads})
    table = summed_up(found).set_index("counted")
    assert table.loc["all", "records"] == 12
    assert table.loc["all", "sensitivity"].value > 0.995
    assert table.loc["all", "ppv"].value > 0.99
    assert table.loc["all", "ppv"].low <= table.loc["all", "ppv"].value <= table.loc["all", "ppv"].high


def test_whole_set_99_7_of_100_beats_are_found_and_as_many_are_right() -> None:
    folder = Path(os.environ.get("LEADWISE_SIGNALS", "none")) / "mitdb"
    if not (folder / "234.hea").is_file():
        pytest.skip("LEADWISE_SIGNALS names no folder with the whole MIT-BIH database in mitdb/")
    found = detections(map(load_recording, find_recordings(folder)), {"all_leads": _all_leads})
    table = summed_up(found).set_index("counted")
    assert table["records"].to_dict() == {"all": 48, "ds1": 22, "ds2": 22, "paced": 4, "after_5_min": 48}
    for counted, row in table.iterrows():
        assert row["sensitivity"].value > 0.997
        assert row["ppv"].value > 0.997 - (0.0005 if counted == "ds2" else 0)


def test_what_ec57_counts_of_detection_begins_after_five_minutes(tmp_path: Path) -> None:
    recording = load_recording(find_recordings(unpack_excerpts(tmp_path))[0])
    before = recording.marks.beats.samples[recording.marks.beats.samples < EC57_FROM_S * RATE_HZ]
    found = detections([recording], {"the first five minutes": lambda _: before}).set_index("counted")
    assert found.loc["all", "found"] == len(before) > 0
    assert found.loc["after_5_min", ["found", "made_up"]].tolist() == [0, 0]
    assert found.loc[recording.of.part_of(recording.name), "missed"] == found.loc["all", "missed"]


def test_a_rhythm_is_summed_up_with_its_pairs_and_runs() -> None:
    classes = list("NNVNVVNVVVVNSSNQ")
    samples = np.cumsum([360] * 10 + [180] * 3 + [720] + [360] * 2)
    rhythm = summarise(samples, classes, RATE_HZ)
    assert rhythm.counts == {"N": 6, "S": 2, "V": 7, "F": 0, "Q": 1}
    assert rhythm.ventricular == Runs(1, 1, 4)
    assert rhythm.supraventricular == Runs(1, 0, 2)
    assert rhythm.heart_rate_bpm == 60
    assert (rhythm.longest_interval_s, rhythm.longest_at_s) == (2.0, 11.5)
    assert rhythm.share("V") == 7 / 16
    assert rhythm.fastest_bpm > rhythm.heart_rate_bpm


def test_without_beats_a_rhythm_has_no_rate() -> None:
    rhythm = summarise(np.zeros(0, np.int64), [], RATE_HZ)
    assert (rhythm.beats, rhythm.heart_rate_bpm, rhythm.longest_interval_s) == (0, None, None)
    assert rhythm.share("N") == 0


def _all_leads(recording) -> NDArray[np.int64]:
    return find_beats(recording.record.signals[list(recording.order)], RATE_HZ)
