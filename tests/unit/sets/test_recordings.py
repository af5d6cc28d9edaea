"""Annotated recordings: filtered without delay, cut into windows and beats, split by person; and bad ones."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from make_excerpts import RECORDS, make_archive
from numpy.typing import NDArray

from leadwise.errors import InputError, LeakError, MissingInput, SettingsError, TableError
from leadwise.files import RESOURCES
from leadwise.folds import recordings as signal_folds
from leadwise.folds.partition import units_in_folds
from leadwise.names import AAMI, SYMBOLS
from leadwise.recordings import filters, heartbeats, windows
from leadwise.recordings.annotations import Annotations, read_annotations
from leadwise.recordings.context import Cut, cut_beats, intervals_s, rhythm_ratios
from leadwise.recordings.records import read_record
from leadwise.sets import recordings
from leadwise.sets.arrays import open_array
from leadwise.sets.heartbeat_csv import counted, read_heartbeat_csv
from leadwise.tables import checked

SEEDS = [1, 2]
HZ = 360
ARCHIVE = RESOURCES / "mitdb12.tar.xz"


@pytest.fixture(scope="module")
def mitdb() -> Path:
    """The whole MIT-BIH database, for tests that only then mean something."""
    if (
        not (folder := os.environ.get("LEADWISE_SIGNALS"))
        or not (Path(folder) / "mitdb" / "100.hea").is_file()
    ):
        pytest.skip("LEADWISE_SIGNALS names no folder with the whole MIT-BIH database in mitdb/")
    return Path(folder) / "mitdb"


@pytest.fixture(scope="module")
def records(excerpts: Path) -> pd.DataFrame:
    found, left_out = recordings.survey(excerpts)
    assert left_out.empty
    return checked(found, "records.csv", "sample")


@pytest.fixture(scope="module")
def tables(
    excerpts: Path, records: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, object]:
    """What the notebooks write of the sample: tables, and the folder with the arrays."""
    folder = tmp_path_factory.mktemp("arrays")
    cut = recordings.write_windows(excerpts, records, folder / "windows.npy")
    beats = recordings.write_beats(excerpts, records, folder, Cut(), leads=2)
    return {
        "windows": checked(cut, "windows.csv", "sample"),
        "beats": checked(beats, "beats.csv", "sample"),
        "folder": folder,
    }


def marked(samples: list[int], symbols: str) -> Annotations:
    return Annotations(np.array(samples, np.int64), np.array(list(symbols), np.str_))


def put(
    folder: Path,
    seconds: float = 30,
    rate_hz: int = HZ,
    leads: tuple[str, ...] = ("MLII", "V1"),
    lost: tuple[float, float, float] | None = None,
    annotated: bool = True,
    name: str = "rec",
) -> Path:
    """A record with a beat a second, written by wfdb itself; `lost`: from, to (s) and what stands there (mV)."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    one = np.exp(-0.5 * ((times % 1 - 0.5) / 0.02) ** 2) + 0.1 * np.sin(2 * np.pi * 0.3 * times)
    signals = np.stack([one * (1 - 0.3 * number) for number in range(len(leads))], axis=1)
    if lost:
        signals[round(lost[0] * rate_hz) : round(lost[1] * rate_hz)] = lost[2]
    folder.mkdir(exist_ok=True)
    wfdb.wrsamp(
        name, fs=rate_hz, units=["mV"] * len(leads), sig_name=list(leads), p_signal=signals,
        fmt=["16"] * len(leads), adc_gain=[1000.0] * len(leads), baseline=[0] * len(leads), write_dir=str(folder),
    )  # fmt: skip
    if annotated:
        at = np.round((np.arange(int(seconds)) + 0.5) * rate_hz).astype(np.int64)
        wfdb.wrann(name, "atr", at, np.array(["N"] * len(at)), write_dir=str(folder))
    return folder / f"{name}.hea"


# --- the sample ------------------------------------------------------------------------------------------


def test_the_sample_is_small_credited_and_of_both_sides(records: pd.DataFrame, excerpts: Path) -> None:
    assert ARCHIVE.stat().st_size < 3_000_000
    assert tuple(records["record"]) == RECORDS
    assert records["part"].value_counts().to_dict() == {"ds1": 6, "ds2": 6}
    assert (records["beats_V"] >= 3).sum() >= 3
    assert (records["beats_S"] >= 3).sum() >= 2
    credit = (excerpts / "CREDIT.txt").read_text(encoding="utf-8")
    assert "doi.org/10.13026/C2F305" in credit
    assert "Open Data Commons" in credit


def test_the_excerpts_are_the_published_numbers(mitdb: Path, excerpts: Path) -> None:
    for name in ("114", "222"):
        header = wfdb.rdheader(str(excerpts / name))
        start = int(header.comments[-1].split()[-3]) * HZ
        whole, part = read_record(mitdb / name), read_record(excerpts / name)
        end = start + part.signals.shape[1]
        np.testing.assert_array_equal(part.signals, whole.signals[:, start:end])
        marks = read_annotations(mitdb / name).between(start, end)
        np.testing.assert_array_equal(read_annotations(excerpts / name).samples, marks.samples - start)
        np.testing.assert_array_equal(read_annotations(excerpts / name).symbols, marks.symbols)


def test_the_sample_is_made_again_by_its_command(mitdb: Path, tmp_path: Path) -> None:
    make_archive(mitdb, tmp_path / "again.tar.xz")
    with tarfile.open(tmp_path / "again.tar.xz") as made, tarfile.open(ARCHIVE) as shipped:
        for one, other in zip(made, shipped, strict=True):
            assert one.name == other.name
            assert made.extractfile(one).read() == shipped.extractfile(other).read()  # type: ignore[union-attr]


def test_114_is_read_in_its_second_channel(records: pd.DataFrame, excerpts: Path) -> None:
    row = records.set_index("record").loc["114"]
    assert (row["lead"], row["channel"], row["leads"]) == ("MLII", 1, "V5+MLII")
    recording = recordings.load_recording(excerpts / "114.hea")
    mlii = read_record(excerpts / "114").lead("MLII")
    np.testing.assert_allclose(recording.filtered[0], filters.band_passed(mlii, HZ), atol=1e-12)


def test_201_and_202_are_one_person(records: pd.DataFrame) -> None:
    people = records.set_index("record")["group_id"]
    assert people["201"] == people["202"] == "person-201"
    assert people.nunique() == 11


# --- filters ---------------------------------------------------------------------------------------------


def test_the_band_pass_moves_no_wave_and_takes_baseline_and_mains() -> None:
    times = np.arange(20 * HZ) / HZ
    beats = np.exp(-0.5 * ((times % 1 - 0.5) / 0.02) ** 2)
    disturbed = beats + 2 + np.sin(2 * np.pi * 0.1 * times) + 0.2 * np.sin(2 * np.pi * 100 * times)
    cleaned = filters.band_passed(disturbed, HZ)
    for number in range(20):
        peak = number * HZ + HZ // 2
        assert abs(int(cleaned[peak - 60 : peak + 60].argmax()) - 60) <= 1
    middle = slice(3 * HZ, -3 * HZ)
    reference = filters.band_passed(beats, HZ)
    assert np.abs(cleaned - reference)[middle].max() < 0.02


@given(frequency=st.floats(2, 30))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_within_the_band_a_wave_passes_whole(frequency: float) -> None:
    wave = np.sin(2 * np.pi * frequency * np.arange(20 * HZ) / HZ)
    middle = slice(5 * HZ, -5 * HZ)
    np.testing.assert_allclose(filters.band_passed(wave, HZ)[middle], wave[middle], atol=0.02)


@pytest.mark.parametrize("rate_hz", [100, 250, 1000])
def test_another_rate_comes_to_360_hz_with_its_beats_in_place(tmp_path: Path, rate_hz: int) -> None:
    recording = recordings.load_recording(put(tmp_path / "r", rate_hz=rate_hz))
    assert recording.own_rate_hz == rate_hz
    assert recording.record.signals.shape == (2, 30 * HZ)
    signal = recording.filtered[0]
    for sample in recording.marks.samples[1:-1]:
        assert abs(int(signal[sample - 90 : sample + 90].argmax()) - 90) <= 2
    assert len(recording.starts) == 5


def test_half_a_second_is_too_short_to_filter() -> None:
    with pytest.raises(InputError, match="less than a second"):
        filters.band_passed(np.zeros(180), HZ)


def test_gaps_are_bridged_and_a_lead_that_is_off_is_seen() -> None:
    signal = np.sin(np.arange(5 * HZ) / 20)
    signal[100:200] = np.nan
    signal[900 : 900 + 2 * HZ] = 0.3
    assert np.isfinite(filters.bridged(signal)).all()
    unknown, flat = filters.unknown_or_flat(signal, HZ)
    assert np.flatnonzero(unknown).tolist() == list(range(100, 200))
    assert np.flatnonzero(flat).tolist() == list(range(900, 900 + 2 * HZ))
    assert not filters.unknown_or_flat(np.repeat(np.arange(50.0), HZ // 2), HZ)[1].any()


# --- windows ---------------------------------------------------------------------------------------------


def test_each_window_is_standardised_by_itself(tables: dict[str, object]) -> None:
    array = open_array(tables["folder"] / "windows.npy")  # type: ignore[operator]
    assert array.shape == (len(tables["windows"]), 3600)  # type: ignore[arg-type]
    whole = np.asarray(array, np.float32)
    np.testing.assert_allclose(whole.mean(axis=1), 0, atol=2e-3)
    np.testing.assert_allclose(whole.std(axis=1), 1, atol=2e-3)
    signal = np.random.default_rng(0).normal(size=20 * HZ)
    starts = windows.window_starts(len(signal))
    alone = windows.cut_windows(signal, starts[:1])
    signal[3600:] *= 100
    np.testing.assert_array_equal(windows.cut_windows(signal, starts)[0], alone[0])


def test_windows_overlap_by_half_and_none_is_cut_short() -> None:
    assert windows.window_starts(3599).size == 0
    assert windows.window_starts(3600).tolist() == [0]
    assert windows.window_starts(7200 + 1799).tolist() == [0, 1800, 3600]


@pytest.mark.parametrize(
    ("symbols", "label", "decided"),
    [
        ("NNV", "normal", "majority"),
        ("NVV", "abnormal", "majority"),
        ("NL", "normal", "tie"),
        ("", "normal", "no_beat"),
        ("!!!!!!", "normal", "no_beat"),  # ventricular flutter: the published rule calls it normal
        ("+~|", "normal", "no_beat"),
        ("/", "abnormal", "majority"),
    ],
)
def test_the_published_rule(symbols: str, label: str, decided: str) -> None:
    marks = marked(list(range(10, 10 + len(symbols))), symbols)
    labels, how = windows.labelled(windows.beats_in_windows(marks, np.array([0])))
    assert (labels[0], how[0]) == (label, decided)


def test_a_beat_belongs_to_the_windows_that_hold_its_sample() -> None:
    counts = windows.beats_in_windows(marked([1799, 1800, 3599, 3600], "NNNN"), np.array([0, 1800, 3600]))
    assert counts[:, 0].tolist() == [3, 3, 1]


def test_whole_set_windows_are_those_that_were_counted(mitdb: Path) -> None:
    labels, decided = [], []
    for path in recordings.find_recordings(mitdb):
        marks = read_annotations(path)
        one = windows.labelled(windows.beats_in_windows(marks, windows.window_starts(650_000)))
        labels += one[0].tolist()
        decided += one[1].tolist()
    assert (len(labels), labels.count("abnormal")) == (17_280, 4_767)
    assert (decided.count("tie"), decided.count("no_beat")) == (232, 20)


# --- beats -----------------------------------------------------------------------------------------------


def test_every_symbol_has_one_of_the_five_classes_and_flutter_none() -> None:
    assert set(SYMBOLS.values()) == set(AAMI)
    assert {"!", "+", "~", "|", "x", '"', "[", "]"}.isdisjoint(SYMBOLS)
    assert "".join(marked(list(range(9)), "NLRejAV!F").beats.classes) == "NNNNNSVF"


def test_annotated_beats_less_the_last_of_each_record_are_the_published_rows(mitdb: Path) -> None:
    beats = [read_annotations(path).beats.classes for path in recordings.find_recordings(mitdb)]
    assert sum(map(len, beats)) == 109_494
    rows = pd.Series(np.concatenate([classes[:-1] for classes in beats])).value_counts().to_dict()
    assert rows == heartbeats.PUBLISHED
    assert sum(rows.values()) == 109_446


def test_sides_hold_the_beats_that_were_counted(mitdb: Path) -> None:
    counts = {}
    for path in recordings.find_recordings(mitdb):
        classes = read_annotations(path).beats.classes
        side = counts.setdefault(recordings.MITDB.part_of(path.stem), dict.fromkeys(AAMI, 0))
        for name in AAMI:
            side[name] += int((classes == name).sum())
    assert list(counts["ds1"].values()) == [45_866, 944, 3_788, 415, 8]
    assert list(counts["ds2"].values()) == [44_259, 1_837, 3_221, 388, 7]
    assert list(counts["paced"].values()) == [506, 0, 227, 0, 8_028]


def test_rebuilt_heartbeats_keep_the_published_form(tables: dict[str, object]) -> None:
    beats, folder = tables["beats"], tables["folder"]
    rows = np.asarray(open_array(folder / "heartbeats.npy"), np.float32)  # type: ignore[operator]
    inside = beats["in_heartbeat"].to_numpy()  # type: ignore[index]
    assert rows.shape == (len(inside), 187)
    assert (~inside).sum() == len(RECORDS)
    assert not rows[~inside].any()
    assert rows[inside].min() == 0
    assert (rows[inside].max(axis=1) == 1).all()


def test_a_heartbeat_is_as_long_as_1_2_times_the_usual_interval() -> None:
    times = np.arange(20 * HZ) / HZ
    signal = 0.5 + np.exp(-0.5 * ((times % 0.8 - 0.4) / 0.02) ** 2) + 0.1 * np.sin(2 * np.pi * times)
    peaks = np.round(np.arange(0.4, 19.6, 0.8) * HZ).astype(int)
    rows = heartbeats.cut_heartbeats(signal, HZ, peaks)
    lengths = [int(np.flatnonzero(row)[-1]) + 1 for row in rows[1:-2]]
    assert all(abs(length - 1.2 * 0.8 * 125) <= 1 for length in lengths)
    assert not rows[-1].any()
    assert np.isin(rows[:-1].argmax(axis=1), (0, 1, 99, 100, 101)).all()


def test_a_beat_stands_at_its_place_in_its_context() -> None:
    signal = np.zeros((2, 10 * HZ))
    signal[0, 5 * HZ - 3 : 5 * HZ + 4] = 1
    cut = Cut(rate_hz=120, before_s=0.5, after_s=0.7)
    found = cut_beats(signal, HZ, np.array([5 * HZ, 5 * HZ - HZ // 4]), cut)
    assert found.shape == (2, 2, cut.samples) == (2, 2, 144)
    assert abs(int(found[0, 0].argmax()) - cut.peak) <= 1
    assert abs(int(found[1, 0].argmax()) - (cut.peak + 30)) <= 1
    assert not found[:, 1].any()


def test_at_the_ends_of_a_record_a_beat_is_as_long_as_any() -> None:
    signal = np.linspace(0, 1, 5 * HZ)[None]
    found = cut_beats(signal, HZ, np.array([0, 5 * HZ - 1]), Cut())
    assert found.shape == (2, 1, Cut().samples)
    assert np.allclose(found[0, 0, : Cut().peak], found[0, 0, 0], atol=1e-3)


def test_ratios_take_a_persons_rate_out() -> None:
    beats = np.array([0, 300, 600, 750, 1200, 1500])
    ratios = rhythm_ratios(beats, HZ)
    assert ratios[3, :2] == pytest.approx([0.5, 1.5])
    np.testing.assert_allclose(rhythm_ratios(beats * 2, HZ), ratios, atol=1e-6)
    assert ratios[0, 0] == ratios[-1, 1] == 1
    assert np.isfinite(ratios).all()


def test_a_gap_of_flutter_does_not_move_the_mean() -> None:
    even = np.arange(0, 100 * 300, 300)
    gap = np.r_[even, even + even[-1] + 60 * HZ]
    assert rhythm_ratios(gap, HZ)[50] == pytest.approx([1, 1, 1, 1])
    assert rhythm_ratios(gap, HZ)[105] == pytest.approx([1, 1, 1, 1])


@pytest.mark.parametrize("beats", [[], [500]])
def test_without_an_interval_every_ratio_is_1(beats: list[int]) -> None:
    assert rhythm_ratios(np.array(beats, np.int64), HZ).tolist() == [[1.0] * 4] * len(beats)
    assert all(len(side) == len(beats) for side in intervals_s(np.array(beats, np.int64), HZ))


# --- folds -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def all_records() -> pd.DataFrame:
    """The 48 records with made counts."""
    rng = np.random.default_rng(0)
    names = [*recordings.MITDB.parts["ds1"], *recordings.MITDB.parts["ds2"], *recordings.MITDB.parts["paced"]]
    return pd.DataFrame(
        {
            "record": names,
            "group_id": [recordings.MITDB.person_of(name) for name in names],
            "part": [recordings.MITDB.part_of(name) for name in names],
            **{f"beats_{name}": rng.integers(0, 500, len(names)) for name in AAMI},
            "windows_abnormal": rng.integers(0, 360, len(names)),
        }
    )


def test_ds1_is_learned_from_and_ds2_tested_and_paced_records_are_out(all_records: pd.DataFrame) -> None:
    table = checked(signal_folds.make_signal_folds(all_records, "interpatient", SEEDS), "folds.csv", "x")
    for _, one in table.groupby("seed"):
        parts = one.groupby("part")["unit_id"].apply(set)
        assert parts["train"] == set(recordings.MITDB.parts["ds1"])
        assert parts["test"] == set(recordings.MITDB.parts["ds2"])


def test_records_of_one_person_are_known_together() -> None:
    assert recordings.MITDB.records_of_the_same(["202", "100", "202", "101"], ["201", "100"]) == [
        "100",
        "202",
    ]


def test_strictly_the_person_of_201_is_on_one_side(all_records: pd.DataFrame) -> None:
    table = signal_folds.make_signal_folds(all_records, "interpatient_strict", SEEDS)
    tested = table[table["part"] == "test"]
    assert set(recordings.MITDB.parts["ds2"]) - set(tested["unit_id"]) == {"202"}
    assert set(table.loc[table["part"] == "train", "group_id"]).isdisjoint(tested["group_id"])


def test_choices_are_made_on_six_records_of_ds1_or_more_at_a_time(all_records: pd.DataFrame) -> None:
    table = signal_folds.make_signal_folds(all_records, "interpatient", SEEDS)
    for _, one in table.groupby("seed"):
        sizes = one["inner"].value_counts()
        assert sizes.min() >= signal_folds.LEFT_OUT
        assert sizes.sum() == len(recordings.MITDB.parts["ds1"])
        assert one.loc[one["part"] == "test", "inner"].isna().all()


@pytest.fixture(scope="module")
def both_sets(all_records: pd.DataFrame) -> pd.DataFrame:
    """All records of MIT-BIH and of the supraventricular database, with made counts."""
    names = recordings.SVDB.parts["svdb"]
    rng = np.random.default_rng(1)
    counts = {
        name: rng.integers(0, 500, len(names)) for name in all_records if name.startswith(("beats", "win"))
    }
    groups = [recordings.SVDB.person_of(name) for name in names]
    svdb = pd.DataFrame({"record": names, "group_id": groups, "part": "svdb", **counts})
    return pd.concat([all_records, svdb], ignore_index=True)


def test_a_second_set_is_learned_from_and_in_proportion_in_every_inner_fold(both_sets: pd.DataFrame) -> None:
    assert len(recordings.SVDB.parts["svdb"]) == 78
    table = signal_folds.make_signal_folds(both_sets, "interpatient_svdb", SEEDS)
    table = checked(table, "folds.csv", "x")
    part_of = both_sets.set_index("record")["part"]
    for _, one in table.groupby("seed"):
        sides = one.groupby("part")["unit_id"].apply(set)
        assert sides["train"] == {*recordings.MITDB.parts["ds1"], *recordings.SVDB.parts["svdb"]}
        assert sides["test"] == set(recordings.MITDB.parts["ds2"])
        sizes = pd.crosstab(one["unit_id"].map(part_of), one["inner"].astype("float"))
        assert sizes.loc["svdb"].tolist() == [26, 26, 26]
        assert sizes.loc["ds1"].between(7, 8).all()


def test_the_other_set_is_tested_by_who_learned_from_ds1_alone(both_sets: pd.DataFrame) -> None:
    table = signal_folds.make_signal_folds(both_sets, "svdb", SEEDS)
    both = signal_folds.make_signal_folds(both_sets, "interpatient_svdb", SEEDS)
    sides = table.groupby("part")["unit_id"].apply(set)
    assert sides["train"] == set(recordings.MITDB.parts["ds1"])
    assert sides["test"] == set(recordings.SVDB.parts["svdb"])
    inner = [
        one.query("unit_id < '300' and part == 'train'").set_index(["seed", "unit_id"])["inner"]
        for one in (table, both)
    ]
    pd.testing.assert_series_equal(*inner)


def test_the_records_of_fibrillation_are_never_left_out_together(both_sets: pd.DataFrame) -> None:
    for seed in range(5):
        table = signal_folds.make_signal_folds(both_sets, "interpatient_svdb", [seed]).set_index("unit_id")
        assert table.loc[list(signal_folds.FIBRILLATING), "inner"].nunique() == 2


def test_more_records_than_folds_cannot_be_kept_apart(
    both_sets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal_folds, "FIBRILLATING", ("201", "203", "101", "106"))
    with pytest.raises(InputError, match=r"draws of 3 folds none keeps record-101, .*record-203 apart"):
        signal_folds.make_signal_folds(both_sets, "interpatient_svdb", [1])


def test_without_records_to_test_there_is_no_such_fold(all_records: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="0 of the other"):
        signal_folds.make_signal_folds(all_records, "svdb", SEEDS)


def test_seven_records_of_ds1_are_held_out_for_whoever_learns_from_answers(all_records: pd.DataFrame) -> None:
    table = signal_folds.make_signal_folds(all_records, "interpatient_held_out", SEEDS)
    table = checked(table, "folds.csv", "x")
    for _, one in table.groupby("seed"):
        parts = one.groupby("part")["unit_id"].apply(set)
        assert (len(parts["train"]), len(parts["val"])) == (15, 7)
        assert parts["train"] | parts["val"] == set(recordings.MITDB.parts["ds1"])
        assert parts["test"] == set(recordings.MITDB.parts["ds2"])
        assert one["inner"].isna().all()


def test_five_folds_keep_people_together(all_records: pd.DataFrame) -> None:
    table = signal_folds.make_signal_folds(all_records, "patient_folds", SEEDS)
    assert (table.groupby("seed").size() == 44).all()
    assert (table.groupby(["seed", "group_id"])["fold"].nunique() == 1).all()
    assert table.groupby(["seed", "fold"]).size().between(8, 10).all()
    assert set(table["unit_id"]).isdisjoint(recordings.MITDB.parts["paced"])
    first, second = (one.set_index("unit_id")["fold"] for _, one in table.groupby("seed"))
    assert (first != second[first.index]).any()
    again = signal_folds.make_signal_folds(all_records, "patient_folds", SEEDS)
    pd.testing.assert_frame_equal(table, again)


@pytest.mark.parametrize("protocol", ["interpatient", "interpatient_strict", "interpatient_held_out"])
def test_a_record_of_ds1_in_ds2_is_refused(all_records: pd.DataFrame, protocol: str) -> None:
    twice = pd.concat(
        [all_records, all_records.query("record == '101'").assign(part="ds2", group_id="person-x")]
    )
    with pytest.raises(LeakError, match=r"DS1 against DS2: 1 group.*101"):
        signal_folds.make_signal_folds(twice.reset_index(drop=True), protocol, SEEDS)


def test_a_person_in_two_folds_is_refused(all_records: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    def apart(kept: pd.DataFrame, *_: object) -> NDArray[np.int64]:
        return np.arange(len(kept)) % 5 + 1

    monkeypatch.setattr(signal_folds, "_spread", apart)
    with pytest.raises(LeakError, match="person-201"):
        signal_folds.make_signal_folds(all_records, "patient_folds", SEEDS)


def test_leaky_windows_leak_and_say_so(tables: dict[str, object], records: pd.DataFrame) -> None:
    cut = tables["windows"]
    table = signal_folds.make_signal_folds(records, "leaky_windows", [42], windows=cut)  # type: ignore[arg-type]
    shares = table["part"].value_counts(normalize=True)
    assert shares[["train", "val", "test"]].tolist() == pytest.approx([0.64, 0.16, 0.2], abs=0.01)
    sides = table.groupby("part")["group_id"].apply(set)
    assert sides["test"] & sides["train"]


def test_leaky_beats_leave_the_last_beat_of_each_record_out(
    tables: dict[str, object], records: pd.DataFrame
) -> None:
    beats = tables["beats"]
    table = signal_folds.make_signal_folds(records, "leaky_beats", [1], beats=beats)  # type: ignore[arg-type]
    assert len(table) == len(beats) - len(RECORDS)  # type: ignore[arg-type]
    assert (table["part"] == "test").mean() == pytest.approx(0.2, abs=0.01)
    placed = units_in_folds(beats, table, "leaky_beats", 1)  # type: ignore[arg-type]
    shares = placed.groupby("part")["label"].value_counts(normalize=True).unstack()
    assert shares.loc["test", "S"] == pytest.approx(shares.loc["train", "S"], abs=0.01)


def test_windows_are_placed_by_their_record(tables: dict[str, object], records: pd.DataFrame) -> None:
    cut = tables["windows"]
    table = signal_folds.make_signal_folds(records, "patient_folds", [1])
    placed = units_in_folds(cut, table, "patient_folds", 1)  # type: ignore[arg-type]
    assert placed["row"].tolist() == list(range(len(cut)))  # type: ignore[arg-type]
    fold = table.set_index("unit_id")["fold"]
    assert (placed["fold"].to_numpy() == fold[placed["record"]].to_numpy()).all()
    with pytest.raises(InputError, match="no folds of protocol 'patient_folds' with seed 9"):
        units_in_folds(cut, table, "patient_folds", 9)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="made from other recordings"):
        units_in_folds(cut.query("record != '100'"), table, "patient_folds", 1)  # type: ignore[attr-defined]


def test_whole_set_leaky_parts_are_as_large_as_published(mitdb: Path) -> None:
    rows = np.concatenate(
        [read_annotations(path).beats.classes[:-1] for path in recordings.find_recordings(mitdb)]
    )
    beats = pd.DataFrame(
        {"beat_id": np.arange(len(rows)).astype(str), "group_id": "x", "label": rows, "in_heartbeat": True}
    )
    cut = pd.DataFrame({"window_id": np.arange(17_280).astype(str), "group_id": "x"})
    parts = signal_folds.leaky_beats(beats, 1)["part"].value_counts()
    assert (parts["test"], parts["train"] + parts["val"]) == (21_892, 87_554)
    parts = signal_folds.leaky_windows(cut, 42)["part"].value_counts()
    assert (parts["train"], parts["val"], parts["test"]) == (11_059, 2_765, 3_456)


def test_an_unknown_protocol_or_a_missing_table_is_named(all_records: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match="did you mean 'interpatient'"):
        signal_folds.make_signal_folds(all_records, "interpatent", SEEDS)
    with pytest.raises(InputError, match="leaky_windows splits windows: give their table"):
        signal_folds.make_signal_folds(all_records, "leaky_windows", SEEDS)
    with pytest.raises(InputError, match="22 of DS1 and 0 of DS2"):
        signal_folds.make_signal_folds(all_records.query("part == 'ds1'"), "interpatient", SEEDS)


# --- bad input -------------------------------------------------------------------------------------------


def test_a_record_without_annotations_is_left_out_by_name(tmp_path: Path) -> None:
    put(tmp_path / "r", name="good")
    put(tmp_path / "r", name="bare", annotated=False)
    found, left_out = recordings.survey(tmp_path / "r")
    assert found["record"].tolist() == ["good"]
    assert left_out["record"].tolist() == ["bare"]
    assert "bare.atr: the record bare has no annotations" in left_out["why"][0]
    with pytest.raises(MissingInput, match="so its beats have no classes"):
        recordings.load_recording(tmp_path / "r" / "bare.hea")


def test_annotations_that_are_none_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "r")
    path.with_suffix(".atr").write_bytes(b"\xff" * 7)
    with pytest.raises(InputError):
        recordings.load_recording(path)


def test_a_record_with_one_lead_of_another_name_serves(tmp_path: Path) -> None:
    put(tmp_path / "r", leads=("ECG",))
    found, _ = recordings.survey(tmp_path / "r")
    row = checked(found, "records.csv", "one lead").iloc[0]
    assert (row["lead"], row["channel"], row["windows"]) == ("ECG", 0, 5)
    beats = recordings.write_beats(tmp_path / "r", found, tmp_path, Cut(), leads=2)
    array = open_array(tmp_path / "beats.npy")
    assert array.shape == (len(beats), 2, Cut().samples)
    assert array[:, 0].any()
    assert not array[:, 1].any()


@pytest.mark.parametrize(("value", "column"), [(np.nan, "missing_s"), (0.2, "flat_s")])
def test_a_lost_stretch_is_counted_and_its_windows_left_out(
    tmp_path: Path, value: float, column: str
) -> None:
    put(tmp_path / "r", seconds=60, lost=(20, 40, value))
    found, _ = recordings.survey(tmp_path / "r")
    row = found.iloc[0]
    assert row[column] == pytest.approx(20, abs=0.1)
    assert (row["windows"], row["windows_left_out"]) == (8, 3)  # those from 20, 25 and 30 s on
    table = recordings.write_windows(tmp_path / "r", found, tmp_path / "windows.npy")
    assert set(table["start_s"]).isdisjoint({20, 25, 30})
    assert np.isfinite(open_array(tmp_path / "windows.npy")).all()


def test_a_record_of_which_nothing_is_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sample of it is known"):
        recordings.load_recording(put(tmp_path / "r", lost=(0, 30, np.nan)))


def test_a_record_shorter_than_a_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rec: 6\.0 s, shorter than a window of 10 s"):
        recordings.load_recording(put(tmp_path / "r", seconds=6))


def test_a_missing_dat_is_named_and_a_truncated_one_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "r")
    data = path.with_suffix(".dat").read_bytes()
    path.with_suffix(".dat").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"not a readable WFDB record .*Is its \.dat whole"):
        recordings.load_recording(path)
    path.with_suffix(".dat").unlink()
    with pytest.raises(
        InputError, match=r"rec\.hea: names rec\.dat, which was not sent or does not lie beside it"
    ):
        recordings.load_recording(path)
    with pytest.raises(InputError, match="none of 1 records can be used"):
        recordings.survey(tmp_path / "r")


def test_a_folder_without_records_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="leadwise fetch mitdb"):
        recordings.survey(tmp_path)


def beat_rows(folder: Path, columns: int = 188, label: float = 2, name: str = "mitbih_test.csv") -> Path:
    rows = np.random.default_rng(0).random((4, columns))
    rows[:, -1] = [0, 1, label, 0]
    path = folder / name
    pd.DataFrame(rows).to_csv(path, header=False, index=False)
    return path


def test_the_four_files_are_read_with_their_classes(tmp_path: Path) -> None:
    values, labels = read_heartbeat_csv(beat_rows(tmp_path))
    assert (values.shape, values.dtype) == ((4, 187), np.float32)
    assert labels.tolist() == ["N", "S", "V", "N"]
    _, labels = read_heartbeat_csv(beat_rows(tmp_path, label=1, name="ptbdb_abnormal.csv"))
    assert labels.tolist() == ["normal", "abnormal", "abnormal", "normal"]


def test_rows_of_the_files_that_are_there_are_counted(tmp_path: Path) -> None:
    beat_rows(tmp_path)
    beat_rows(tmp_path, label=1, name="ptbdb_abnormal.csv")
    table = counted(tmp_path)
    assert table.loc["mitbih_test.csv"].to_dict() == dict(
        zip(table.columns, [2, 1, 1, 0, 0, 0, 0], strict=True)
    )
    assert table.loc["ptbdb_abnormal.csv", ["normal", "abnormal"]].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("columns", "label", "said"),
    [
        (186, 2, "186 columns; 187 values and the class, 188 in all"),
        (188, 7, "row 3: class 7 is none of 0 to 4"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, columns: int, label: float, said: str) -> None:
    with pytest.raises(TableError, match=said):
        read_heartbeat_csv(beat_rows(tmp_path, columns, label))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no row"),
        ("a,b\n1,2\n", "not a table of numbers"),
        ("1,2\n1,2,3\n", "not a table of numbers"),
    ],
)
def test_what_is_no_table_of_beats_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mitbih_train.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError, match=said):
        read_heartbeat_csv(path)


def test_a_value_outside_0_to_1_names_its_place(tmp_path: Path) -> None:
    path = beat_rows(tmp_path)
    rows = pd.read_csv(path, header=None)
    rows.iloc[1, 4] = 1.5
    rows.to_csv(path, header=False, index=False)
    with pytest.raises(TableError, match=r"row 2, column 5: 1\.5 is not within 0 to 1"):
        read_heartbeat_csv(path)


def test_another_name_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="not one of mitbih_train"):
        read_heartbeat_csv(tmp_path / "beats.csv")
    with pytest.raises(MissingInput, match="no such file"):
        read_heartbeat_csv(tmp_path / "mitbih_test.csv")


def test_a_record_of_another_set_is_not_whose_its_name_says_in_mit_bih(mitdb: Path) -> None:
    """PhysioNet's long-term database of atrial fibrillation has records 100 to 122 too."""
    other = recordings.RecordingSet("ltafdb")
    ours, theirs = (recordings.load_recording(mitdb / "100.hea", of) for of in (recordings.MITDB, other))
    assert recordings.beats_of(ours)["group_id"].unique().tolist() == ["person-100"]
    assert recordings.beats_of(theirs)["group_id"].unique().tolist() == ["ltafdb-100"]
    assert (ours.of.part_of("100"), theirs.of.part_of("100")) == ("ds2", "other")
    assert other.person_of("201") != other.person_of("202")
