"""Recordings as others wrote them: what is read of each, what is said, and what is refused, by kind."""

from __future__ import annotations

import shutil
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
from leadwise.recordings.annotations import read_annotations
from leadwise.recordings.headers import parsed
from leadwise.recordings.records import Record, read_record, write_wfdb
from leadwise.recordings.which_leads import kind_of
from leadwise.recordings.zips import unpacked
from leadwise.serving.predict_recording import RecordingAnswer, predict_recording
from leadwise.serving.recordings import read_files, read_path
from leadwise.sets.recordings import load_recording

HZ, SECONDS = 360, 60
N = HZ * SECONDS


@pytest.fixture(scope="module")
def steps(excerpts: Path) -> NDArray[np.int64]:
    """A minute of record 208 in steps of 1/200 mV from 0, ``(samples, 2)``."""
    record = wfdb.rdrecord(str(excerpts / "208"), physical=False, sampto=N)
    return np.asarray(record.d_signal - 1024, np.int64)


@pytest.fixture(scope="module")
def known(
    excerpts: Path, steps: NDArray[np.int64], tmp_path_factory: pytest.TempPathFactory, beat_model: Path
):
    """What is found in that minute as it stands in a plain record."""
    path = put(tmp_path_factory.mktemp("plain"), "plain", steps)
    return predict_recording(path, model=beat_model)


def checksum(signal: NDArray[np.int64]) -> int:
    return (int(signal.sum()) + 32768) % 65536 - 32768


def put(
    folder: Path,
    name: str,
    steps: NDArray[np.int64],
    head: str = "",
    names: Sequence[str] = ("MLII", "V1"),
    gains: Sequence[str] = ("200/mV", "200/mV"),
    sums: bool = True,
    file: str = "",
    data: bytes | None = None,
    fmt: str = "16",
) -> Path:
    """Write a record by hand, as programs of others do."""
    file = file or f"{name}.dat"
    lines = [
        f"{file} {fmt} {gain} 16 0 {signal[0]} {checksum(signal) if sums else 0} 0 {lead}"
        for gain, signal, lead in zip(gains, steps.T, names, strict=True)
    ]
    first = head or f"{name} {steps.shape[1]} {HZ} {len(steps)}"
    path = folder / f"{name}.hea"
    path.write_text("\n".join([first, *lines, ""]), encoding="utf-8")
    (folder / file).write_bytes(steps.astype("<i2").tobytes() if data is None else data)
    return path


def same(found: RecordingAnswer, known: RecordingAnswer) -> bool:
    return np.array_equal(found.samples, known.samples) and np.array_equal(found.labels, known.labels)


def said(found: RecordingAnswer) -> str:
    return "\n".join(found.warnings)


def breath(length: int) -> NDArray[np.int64]:
    return (500 * np.sin(np.arange(length) / HZ * 2 * np.pi * 0.25)).astype(np.int64)


# --- which signals are ECG -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "ECG",
        "ECG1",
        "EKG",
        "MLII",
        "II",
        "I",
        "aVR",
        "AVF",
        "V1",
        "V6",
        "V4R",
        "CM5",
        "CC5",
        "MCL1",
        "D3",
        "DII",
        "vx",
        "Z",
        "A-S",
        "mod.V1",
        "ECG Lead II",
        "Lead aVR",
        "lead I (Einthoven)",
        "ECG II",
        "ECG Chest",
    ],
)
def test_a_lead_is_an_ecg_by_its_name(name: str) -> None:
    assert kind_of(name, "mV") == "ecg"


@pytest.mark.parametrize(
    "name",
    [
        "RESP",
        "Resp oro-nasal",
        "ABP",
        "ART",
        "BP",
        "PLETH",
        "PPG",
        "CO2",
        "SpO2",
        "EEG Fpz-Cz",
        "C4-A1",
        "Fp1-F7",
        "EOG horizontal",
        "EOG(R)",
        "E1-M2",
        "EMG chin",
        "CVP",
        "Temp rectal",
        "THOR RES",
        "ABDO RES",
        "SOUND",
        "Event marker",
        "HR",
        "fetal ECG",
        "Plethysmogram",
        "photopleth",
        "BVP",
        "PulseOx",
        "Arterial",
        "ABPmean",
        "Respiration rate",
        "breathing",
        "Phonocardiogram",
        "capnogram",
    ],
)
def test_another_signal_is_none_whatever_its_unit(name: str) -> None:
    assert kind_of(name, "mV") == "other"


def test_a_unit_of_pressure_is_no_ecg_and_a_name_that_tells_nothing_leaves_it_open() -> None:
    assert kind_of("II", "mmHg") == "other"
    assert [kind_of(name, "µV") for name in ("signal 1", "ch 3", "сигнал")] == ["open"] * 3


def test_respiration_that_stands_first_is_set_aside_and_said(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    both = np.column_stack([breath(N), steps[:, 0]])
    found = predict_recording(put(tmp_path, "resp", both, names=("RESP", "ECG")), model=beat_model)
    assert found.leads == ("ECG",)
    assert len(found.samples) == pytest.approx(len(known.samples), abs=2)
    assert "set aside, since it is no ECG: RESP (mV)" in said(found)


def test_a_pressure_is_set_aside_and_the_answer_is_that_without_it(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    three = np.column_stack([steps, breath(N)])
    path = put(tmp_path, "abp", three, "", ("MLII", "V1", "ABP"), ("200/mV", "200/mV", "20/mmHg"), sums=False)
    found = predict_recording(path, model=beat_model)
    assert same(found, known)
    assert found.warnings == ("set aside, since it is no ECG: ABP (mmHg)",)


@pytest.mark.parametrize("name", ["PW", ""])
def test_a_lead_that_is_named_stands_before_one_whose_name_is_open(
    tmp_path: Path, steps: NDArray[np.int64], beat_model: Path, name: str
) -> None:
    found = predict_recording(put(tmp_path, "pw", steps, names=(name, "ECG")), model=beat_model)
    assert found.leads[0] == "ECG"


def test_a_signal_without_a_telling_name_is_looked_at(
    tmp_path: Path, steps: NDArray[np.int64], beat_model: Path
) -> None:
    both = np.column_stack([breath(N), steps[:, 0]])
    found = predict_recording(put(tmp_path, "open", both, names=("ch 1", "ch 2")), model=beat_model)
    assert found.leads == ("ch 2",)
    assert "ch 1 set aside: it does not look like an ECG" in said(found)


# --- no heart ------------------------------------------------------------------------------------------------


def made(kind: str) -> NDArray[np.int64]:
    rng, t = np.random.default_rng(0), np.arange(N) / HZ
    if kind == "flat":
        return np.full((N, 2), 7)
    if kind == "steps":
        return np.column_stack([np.cumsum(rng.random(N) < 0.0005) * 100] * 2) + rng.integers(-1, 2, (N, 2))
    one = {
        "hum": 200 * np.sin(2 * np.pi * 50 * t),
        "hum and noise": 200 * np.sin(2 * np.pi * 60 * t) + rng.normal(0, 2, N),
        "noise": rng.integers(-2, 3, N),
        "drift": np.cumsum(rng.normal(0, 2, N)),
        "muscle": 60 * rng.normal(size=N) * (1 + np.sin(2 * np.pi * 0.3 * t)),
        "a wave of 8 Hz": 100 * np.sin(2 * np.pi * 8 * t),
    }[kind]
    return np.column_stack([one, one]).astype(np.int64)


@pytest.mark.parametrize(
    "kind", ["hum", "hum and noise", "noise", "drift", "muscle", "a wave of 8 Hz", "flat"]
)
def test_what_has_no_heart_in_it_is_refused(tmp_path: Path, kind: str, beat_model: Path) -> None:
    with pytest.raises(InputError, match="no heartbeat found"):
        predict_recording(put(tmp_path, "none", made(kind)), model=beat_model)


# --- headers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "when", ["05-May-2020 09:49:17", "2014-05-08 05:05:15", "2006", "12:00:00 01/02/199", "yesterday"]
)
def test_a_date_of_any_form_is_ignored_and_said(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path, when: str
) -> None:
    path = put(tmp_path, "dated", steps, f"dated 2 {HZ} {N} {when}")
    found = predict_recording(path, model=beat_model)
    assert same(found, known)
    assert f"date or time ({when}) is in no form that WFDB knows, and was ignored" in said(found)


def test_a_date_as_wfdb_has_it_is_not_spoken_of(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    path = put(tmp_path, "dated", steps, f"dated 2 {HZ} {N} 12:00:00 01/02/1990")
    assert predict_recording(path, model=beat_model).warnings == known.warnings == ()


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("rec.v2", "rec.v2 2 360 {n}"),
        ("E07835", "E07835.mat 2 360 {n}"),
        ("in_a_folder", "data/E07835 2 360 {n}"),
        ("in_folders", "mitdb/100 2 360 {n}"),
        ("tabs", "tabs\t2\t360\t{n}"),
        ("exponent", "exponent 2 3.6e2 {n}"),
        ("counter", "counter 2 360/1000(5) {n}"),
        ("no_length", "no_length 2 360"),
        ("Запись", "Запись 2 360 {n}"),
        ("心电图", "心电图 2 360 {n}"),
    ],
)
def test_a_header_is_read_however_it_is_written(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path, name: str, head: str
) -> None:
    path = put(tmp_path, name, steps, head.format(n=N))
    path.write_text(path.read_text(encoding="utf-8").replace(" 16 ", "\t16 "), encoding="utf-8")
    assert same(predict_recording(path, model=beat_model), known)


def test_fields_that_are_missing_are_filled_in_as_the_format_has_it(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    path = put(tmp_path, "short", steps)
    path.write_text(f"short 2 360 {N}\nshort.dat 16 200/mV MLII\nshort.dat 16 200 V1\n", encoding="utf-8")
    assert same(predict_recording(path, model=beat_model), known)


def test_signals_behind_24_bytes_in_a_zip_are_read(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    data = b"\0" * 24 + steps.astype("<i2").tobytes()
    path = put(
        tmp_path, "E1", steps, f"E1.mat 2 360 {N} 05-May-2020 09:49:17", file="E1.mat", data=data, fmt="16+24"
    )
    assert same(predict_recording(path, model=beat_model), known)
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        for file in ("E1.hea", "E1.mat"):
            archive.write(tmp_path / file, f"folder/{file}")
    assert same(predict_recording(tmp_path / "packed.zip", model=beat_model), known)


def test_capitals_do_not_count(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    path = put(tmp_path, "REC", steps)
    path.rename(tmp_path / "REC.HEA")
    (tmp_path / "REC.dat").rename(tmp_path / "REC.DAT")
    for given in ("REC.HEA", "REC.DAT", "REC"):
        assert same(predict_recording(tmp_path / given, model=beat_model), known)


def test_each_signal_may_lie_in_a_file_of_its_own_and_at_a_rate_of_its_own(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    for number in range(2):
        (tmp_path / f"s{number}.dat").write_bytes(steps[:: number + 1, number].astype("<i2").tobytes())
    header = f"two 2 180 {N // 2}\ns0.dat 16x2 200/mV 16 0 0 0 0 MLII\ns1.dat 16 200/mV 16 0 0 0 0 V1\n"
    (tmp_path / "two.hea").write_text(header, encoding="ascii")
    found = predict_recording(tmp_path / "two.hea", model=beat_model)
    assert found.rate_hz == HZ
    assert len(found.samples) == pytest.approx(len(known.samples), abs=1)
    assert "brought to 360 samples a second: V1 (180 Hz)" in said(found)
    np.testing.assert_allclose(read_record(tmp_path / "two").signals[0], steps[:, 0] / 200, rtol=0, atol=1e-9)


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_flac_is_read(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path, fmt: str
) -> None:
    steps = np.clip(steps, -127, 127) if fmt == "508" else steps
    wfdb.wrsamp(
        "f", fs=HZ, units=["mV"] * 2, sig_name=["MLII", "V1"], d_signal=steps, fmt=[fmt] * 2, adc_gain=[200.0] * 2,
        baseline=[0] * 2, write_dir=str(tmp_path),
    )  # fmt: skip
    np.testing.assert_allclose(read_record(tmp_path / "f").signals, steps.T / 200, rtol=0, atol=1e-9)
    if fmt != "508":
        assert same(predict_recording(tmp_path / "f.hea", model=beat_model), known)


def test_a_name_that_ends_like_a_count_of_segments_is_none_where_signals_follow(tmp_path: Path) -> None:
    head = "mitdb/2 2 360 100\n"
    for line in ("100.dat 16\n", "100.dat 212 200 11 1024 995 -22131 0\n"):
        assert len(parsed("a.hea", f"{head}{line * 2}".encode()).signals) == 2
    assert parsed("a.hea", f"{head}100 212\n~ 16\n".encode()).segments == (("100", 212), ("~", 16))
    with pytest.raises(InputError, match=r"a\.hea: 2 segments, 1 of them named; 1 to 2000 are read\. Mend"):
        parsed("a.hea", f"{head}s_1 50\n".encode())


def test_a_first_value_counts_where_samples_lie_as_differences(
    tmp_path: Path, steps: NDArray[np.int64]
) -> None:
    slow = np.round(steps[:, :1] / 4 + np.linspace(50, 90, N)[:, None]).astype(np.int64)
    differences = np.diff(slow, axis=0, prepend=slow[:1])
    data = np.clip(differences, -128, 127).astype("i1")
    slow = slow[0] + np.cumsum(data, axis=0, dtype=np.int64)
    record = read_record(
        put(tmp_path, "d", slow, names=("II",), gains=("200",), data=data.tobytes(), fmt="8")
    )
    np.testing.assert_allclose(record.signals, slow.T / 200, rtol=0, atol=1e-9)
    assert record.notes == ()


def test_segments_are_put_together_and_gaps_are_unknown(
    tmp_path: Path, steps: NDArray[np.int64], beat_model: Path
) -> None:
    half = N // 2
    put(tmp_path, "s_1", steps[:half])
    put(tmp_path, "s_2", steps[half:, ::-1], names=("V1", "MLII"))
    text = f"s/4 2 360 {N + 3600}\n~ 0\ns_1 {half}\n~ 3600\ns_2 {half}\n"
    (tmp_path / "s.hea").write_text(text, encoding="ascii")
    record = read_record(tmp_path / "s")
    assert record.names == ("MLII", "V1")
    assert np.isnan(record.signals[:, half : half + 3600]).all()
    np.testing.assert_allclose(record.signals[:, half + 3600 :], steps[half:].T / 200, rtol=0, atol=1e-9)
    found = predict_recording(tmp_path / "s.hea", model=beat_model)
    assert "gaps of 10 s between segments" in said(found)
    assert not ((found.times_s > 30.2) & (found.times_s < 39.8)).any()


def test_a_segment_without_an_ecg_is_a_gap_and_is_named(tmp_path: Path, steps: NDArray[np.int64]) -> None:
    half = N // 2
    put(tmp_path, "s_1", steps[:half])
    put(tmp_path, "s_2", steps[half:], names=("ABP", "RESP"), gains=("20/mmHg", "200/mV"))
    (tmp_path / "s.hea").write_text(f"s/2 2 360 {N}\ns_1 {half}\ns_2 {half}\n", encoding="ascii")
    record = read_record(tmp_path / "s")
    np.testing.assert_allclose(record.signals[:, :half], steps[:half].T / 200, rtol=0, atol=1e-9)
    assert np.isnan(record.signals[:, half:]).all()
    assert (record.names, record.notes) == (("MLII", "V1"), ("no ECG in s_2: unknown there",))
    (tmp_path / "s.hea").write_text(f"s/2 2 360 {N}\n~ {half}\ns_2 {half}\n", encoding="ascii")
    with pytest.raises(InputError, match=r"s\.hea: all of its segments are gaps, or without an ECG"):
        read_record(tmp_path / "s")


@pytest.mark.parametrize(("rate", "times"), [("360", 1), ("360.3", 1), ("120", 3)])
def test_a_master_header_agrees_with_its_segments_frames(
    tmp_path: Path, steps: NDArray[np.int64], rate: str, times: int
) -> None:
    frames = N // times
    parts = np.ascontiguousarray(steps.reshape(frames, times, 2).transpose(0, 2, 1))  # of each frame
    fmt = f"16x{times}" if times > 1 else "16"
    put(tmp_path, "s_1", steps, f"s_1 2 {360 // times} {frames}", data=parts.astype("<i2").tobytes(), fmt=fmt)
    (tmp_path / "s.hea").write_text(f"s/1 2 {rate} {frames}\ns_1 {frames}\n", encoding="ascii")
    record = read_record(tmp_path / "s")
    assert record.rate_hz == HZ
    np.testing.assert_allclose(record.signals, steps.T / 200, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", [300, 180, 1000])
def test_a_master_header_of_another_rate_than_its_segments_is_refused(
    tmp_path: Path, steps: NDArray[np.int64], rate: int
) -> None:
    put(tmp_path, "s_1", steps)
    (tmp_path / "s.hea").write_text(f"s/1 2 {rate} 5000\ns_1 5000\n", encoding="ascii")
    told = rf"s\.hea: {rate} samples a second, and 360 in s_1\.hea: times would be wrong\. Mend the header"
    with pytest.raises(InputError, match=told):
        read_record(tmp_path / "s")


def test_a_segment_that_is_missing_is_told_by_the_header_that_names_it(
    tmp_path: Path, steps: NDArray[np.int64]
) -> None:
    put(tmp_path, "s_1", steps)
    (tmp_path / "s.hea").write_text("s/2 2 360 8000\ns_1 4000\ns_2 4000\n", encoding="ascii")
    files = {name: (tmp_path / name).read_bytes() for name in ("s.hea", "s_1.hea", "s_1.dat")}
    with pytest.raises(InputError, match=r"^s\.hea: names s_2\.hea, which was not sent or does not lie"):
        read_files(files)


def packed(path: Path, *files: Path, others: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(others):
            archive.writestr(f"about/readme{number}.txt", "x")
        for file in files:
            archive.write(file, f"record/{file.name}")
    return path


def test_what_is_no_part_of_the_record_does_not_count_in_a_zip(
    tmp_path: Path, steps: NDArray[np.int64]
) -> None:
    path = put(tmp_path, "r", steps, file="r.d16")
    (tmp_path / "r.atr").write_bytes(b"beats")
    files = [tmp_path / "r.d16", tmp_path / "r.atr", path]
    whole = read_path(packed(tmp_path / "r.zip", *files, others=40))
    np.testing.assert_allclose(whole.signals, steps.T / 200, rtol=0, atol=1e-9)
    assert set(unpacked("r.zip", tmp_path / "r.zip", 10**6)) == {"r.hea", "r.d16"}
    with pytest.raises(
        InputError, match=r"r\.zip: 1043 files and folders; at most 1000 are looked at\. Pack"
    ):
        read_path(packed(tmp_path / "r.zip", *files, others=1040))


def test_a_zip_of_many_files_of_records_says_what_to_pack(tmp_path: Path, steps: NDArray[np.int64]) -> None:
    files = []
    for number in range(17):
        files.append(tmp_path / f"{number}.dat")
        files[-1].write_bytes(b"12")
    told = r"r\.zip: more than 16 files of records\. Pack the files of one record alone\."
    with pytest.raises(InputError, match=told):
        read_path(packed(tmp_path / "r.zip", *files))
    assert len(unpacked("r.zip", packed(tmp_path / "r.zip", *files[:16]), 10**6)) == 16


def test_what_is_no_zip_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "r.zip").write_bytes(b"PK\3\4junk")
    with pytest.raises(
        InputError, match=r"r\.zip: not a zip that can be read\. Pack the record anew, without"
    ):
        read_path(tmp_path / "r.zip")


def test_a_zip_of_segments_may_have_one_that_is_a_layout_alone(
    tmp_path: Path, steps: NDArray[np.int64]
) -> None:
    put(tmp_path, "s_1", steps)
    lines = ("~ 0 200/mV 16 0 0 0 0 MLII", "~ 0 200/mV 16 0 0 0 0 V1", "~ 0 10/mmHg 16 0 0 0 0 ABP")
    (tmp_path / "s_layout.hea").write_text("\n".join([f"s_layout 3 {HZ} 0", *lines]), encoding="ascii")
    (tmp_path / "s.hea").write_text(f"s/2 3 {HZ} {N}\ns_layout 0\ns_1 {N}\n", encoding="ascii")
    whole = read_path(tmp_path / "s.hea").signals
    files = [tmp_path / name for name in ("s.hea", "s_layout.hea", "s_1.hea", "s_1.dat")]
    np.testing.assert_array_equal(read_path(packed(tmp_path / "s.zip", *files)).signals, whole)
    with pytest.raises(InputError, match=r"s_layout\.hea: none of its signals lies in a file"):
        read_path(tmp_path / "s_layout.hea")


def test_a_wrong_checksum_is_a_warning_and_a_right_one_is_none(
    tmp_path: Path, steps: NDArray[np.int64], beat_model: Path
) -> None:
    damaged = steps.copy()
    damaged[8000:8036] = 900
    path = put(tmp_path, "sum", steps, data=damaged.astype("<i2").tobytes())
    assert "the checksum of MLII, V1 is wrong" in said(predict_recording(path, model=beat_model))
    assert read_record(put(tmp_path, "right", steps)).notes == ()


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("neg -2 360 100", r"it begins with neg -2 360 100, where 1 to 256 signals must be counted\. Mend"),
        ("none 0 360 100", r"it begins with none 0 360 100, where"),
    ],
)
def test_a_count_of_signals_that_is_none_is_told_as_it_stands(head: str, told: str) -> None:
    with pytest.raises(InputError, match=rf"h\.hea: {told}"):
        parsed("h.hea", f"{head}\nr.dat 16 200 16 0 0 0 0 II\n".encode())


@pytest.mark.parametrize("line", ["a{}b", "a 1 360 9\na{}b", "a 1 360 9\na {}(x"])
def test_a_line_that_is_too_long_is_refused_before_it_costs_anything(line: str) -> None:
    began = time.perf_counter()
    with pytest.raises(InputError, match=r"a\.hea: a line of \d{5} letters .* 1000 at most are read\. Mend"):
        parsed("a.hea", line.format(" " * 65_000).encode())
    assert time.perf_counter() - began < 2  # where it was a minute
    lines = f"a 16 {'1' * 900}e\n" * 60  # as long as they may be
    began = time.perf_counter()
    assert len(parsed("a.hea", f"a 60 360 9\n{lines}".encode()).signals) == 60
    assert time.perf_counter() - began < 2


# --- units and gains -----------------------------------------------------------------------------------------


def test_a_gain_of_0_is_taken_as_200_a_mv_and_said(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path
) -> None:
    found = predict_recording(put(tmp_path, "gain", steps, gains=("0", "0")), model=beat_model)
    assert same(found, known)
    assert "no gain is told for MLII, V1: 200 steps a mV were assumed" in said(found)


def test_signals_without_a_name_are_counted(tmp_path: Path, steps: NDArray[np.int64]) -> None:
    record = read_record(put(tmp_path, "bare", steps, names=("", ""), gains=("0", "0")))
    assert record.names == ("signal 1", "signal 2")
    assert record.notes == (
        "no gain is told for 2 signals without a name: 200 steps a mV were assumed, so heights may be wrong",
    )


@pytest.mark.parametrize(
    "unit",
    [
        "0.2/uV",
        "0.2/µV",
        "0.2/μV",
        "200000/V",
        "200/MV",
        "200/mVolt",
        "0.2/µVolts",
        "200/мВ",
        "0.2/мкВ",
        "200/毫伏",
    ],
)
def test_units_are_known_however_they_are_written(
    tmp_path: Path, steps: NDArray[np.int64], known: RecordingAnswer, beat_model: Path, unit: str
) -> None:
    assert same(predict_recording(put(tmp_path, "unit", steps, gains=(unit, unit)), model=beat_model), known)


def test_a_lead_whose_unit_alone_is_unknown_is_told_which_to_write(
    tmp_path: Path, steps: NDArray[np.int64]
) -> None:
    path = put(tmp_path, "unit", steps, gains=("200/XX", "200/XX"))
    told = r"\(MLII \(XX\), V1 \(XX\)\): the unit of MLII \(XX\), V1 \(XX\) is not known: write mV, uV or V\."
    with pytest.raises(InputError, match=rf"unit\.hea: no ECG among its signals {told}"):
        read_record(path)
    three = np.column_stack([steps, breath(N)])
    path = put(tmp_path, "one", three, "", ("MLII", "V1", "ABP"), ("200/XX", "200/mV", "20/mmHg"))
    assert read_record(path).notes == (
        "set aside, since it is no ECG: ABP (mmHg)",
        "set aside, since the unit of MLII (XX) is not known: write mV, uV or V",
    )


@pytest.mark.parametrize(
    ("gain", "told"),
    [("200/V", "likely mV is meant"), ("1/V", "likely uV"), ("200/uV", "likely mV"), ("1/mV", "uV")],
)
def test_a_height_that_no_heart_has_is_refused_with_the_likely_unit(
    tmp_path: Path, steps: NDArray[np.int64], beat_model: Path, gain: str, told: str
) -> None:
    with pytest.raises(InputError, match=rf"where hearts give 0\.05 to 20 mV.*{told}"):
        predict_recording(put(tmp_path, "unit", steps, gains=(gain, gain)), model=beat_model)


def test_one_lead_of_an_impossible_height_is_set_aside(
    tmp_path: Path, steps: NDArray[np.int64], beat_model: Path
) -> None:
    found = predict_recording(put(tmp_path, "unit", steps, gains=("200/V", "200/mV")), model=beat_model)
    assert found.leads == ("V1",)
    assert "MLII set aside: its beats are of a height that no heart has" in said(found)


# --- bad input -----------------------------------------------------------------------------------------------


def test_a_second_of_signal_is_too_short(tmp_path: Path, steps: NDArray[np.int64], beat_model: Path) -> None:
    with pytest.raises(InputError, match=r"1\.0 s of signal; at least 2 s are needed"):
        predict_recording(put(tmp_path, "second", steps[:HZ]), model=beat_model)


def test_fourteen_days_are_too_long(tmp_path: Path, beat_model: Path) -> None:
    samples = 14 * 86_400 * 100
    (tmp_path / "long.hea").write_text(
        f"long 1 100 {samples}\nlong.dat 8 200 8 0 0 0 0 II\n", encoding="ascii"
    )
    with (tmp_path / "long.dat").open("wb") as file:
        file.truncate(samples)  # of which nothing takes room on the disk
    with pytest.raises(
        InputError, match=r"336:00:00 h of 1 leads; at most 50 hours are read\. Cut it into parts"
    ):
        predict_recording(tmp_path / "long.hea", model=beat_model)


def test_signals_that_are_shorter_than_told_are_refused(tmp_path: Path, steps: NDArray[np.int64]) -> None:
    path = put(tmp_path, "cut", steps, f"cut 2 360 {N + 1}")
    with pytest.raises(InputError, match=rf"{N + 1} samples are told, {N} are there"):
        read_record(path)


def test_annotations_of_another_record_are_refused(tmp_path: Path, excerpts: Path) -> None:
    shutil.copy(excerpts / "208.hea", tmp_path / "208.hea")
    shutil.copy(excerpts / "208.dat", tmp_path / "208.dat")
    shutil.copy(excerpts / "100.atr", tmp_path / "208.atr")
    with pytest.raises(InputError, match=r"208\.atr: .* of another record"):
        load_recording(tmp_path / "208.hea")
    shutil.copy(excerpts / "208.atr", tmp_path / "208.atr")
    assert len(load_recording(tmp_path / "208.hea").marks.beats.samples) > 500
    assert len(read_annotations(tmp_path / "208").beats.samples) > 500


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<?xml version='1.0'?><RestingECG><MuseInfo/></RestingECG>", "muse2wfdb"),
        ("<restingecgdata xmlns='http://www3.medical.philips.com'/>", "sierraecg"),
        ("<AnnotatedECG xmlns='urn:hl7-org:v3'/>", "HL7"),
        ("<a/>", "no kind that is known"),
    ],
)
def test_xml_is_refused_with_the_name_of_a_converter(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "ecg.xml").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        predict_recording(tmp_path / "ecg.xml")


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"none\.edf: no such file"):
        predict_recording(tmp_path / "none.edf")
    assert isinstance(Record(np.zeros((1, 2)), ("I",), 1.0).notes, tuple)


def test_leads_of_a_page_that_follow_one_another_show_their_heart(
    tmp_path: Path, steps: NDArray[np.int64], beat_model: Path
) -> None:
    """As `leadwise digitize` writes a page: a quarter of ten seconds each, and a strip, whose name tells nothing."""
    names = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    signals = np.full((13, 10 * HZ), np.nan)
    for number in range(12):
        here = slice(number // 3 * 900, number // 3 * 900 + 900)
        signals[number, here] = steps[here, 0] / 200
    signals[12] = steps[: 10 * HZ, 0] / 200
    write_wfdb(Record(signals, (*names, "strip"), HZ), tmp_path, "page", [])
    found = predict_recording(tmp_path / "page.hea", model=beat_model)
    assert len(found.samples) >= 12
    assert not any("strip" in text for text in found.warnings)
