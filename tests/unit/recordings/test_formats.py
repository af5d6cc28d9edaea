"""EDF and DICOM: their leads in mV, what is said of them, and what is refused; what to install."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.recordings.records import read_record
from leadwise.serving.predict_recording import predict_recording
from leadwise.sets.sample import unpack_excerpts

HZ = 360


@pytest.fixture(scope="module")
def minute_mv(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float64]:
    """A minute of record 208, ``(2, samples)``."""
    return read_record(unpack_excerpts(tmp_path_factory.mktemp("signals")) / "208").signals[:, : 60 * HZ]


def edf_signal(values: NDArray[np.floating], label: str, unit: str = "uV", rate_hz: int = HZ) -> Any:
    edfio = pytest.importorskip("edfio", reason="edfio, which reads EDF, is not installed")
    return edfio.EdfSignal(values, rate_hz, label=label, physical_dimension=unit)


def put_edf(folder: Path, *signals: Any, name: str = "r.edf") -> Path:
    import edfio

    edfio.Edf(signals).write(folder / name)
    return folder / name


def test_an_edf_is_read_in_mv_and_what_is_no_ecg_is_set_aside(
    tmp_path: Path, minute_mv: NDArray[np.float64], beat_model: Path
) -> None:
    slow = np.sin(np.arange(60 * 10) / 20)
    path = put_edf(
        tmp_path,
        edf_signal(slow, "Resp oro-nasal", "", 10),
        edf_signal(minute_mv[0] * 1000, "ECG II"),
        edf_signal(minute_mv[1, ::2], "ECG V1", "mV", HZ // 2),
    )
    record = read_record(path)
    assert (record.names, record.rate_hz) == (("ECG II", "ECG V1"), HZ)
    np.testing.assert_allclose(record.signals[0], minute_mv[0], rtol=0, atol=0.001)
    assert record.notes == (
        "set aside, since it is no ECG: Resp oro-nasal",
        "brought to 360 samples a second: ECG V1 (180 Hz)",
    )
    found = predict_recording(path, model=beat_model)
    assert len(found.samples) > 80
    assert found.leads == ("ECG II", "ECG V1")


def test_a_part_of_an_edf_is_that_part_of_the_whole(tmp_path: Path, minute_mv: NDArray[np.float64]) -> None:
    from leadwise.recordings.edf_files import open_edf

    source = open_edf(
        put_edf(tmp_path, edf_signal(minute_mv[0], "I", "mV"), edf_signal(minute_mv[1, ::2], "V1", "mV", 180))
    )
    whole = source.read(0, source.samples)
    assert source.samples == 60 * HZ
    part = source.read(3333, 9001)
    np.testing.assert_array_equal(part[0], whole[0, 3333:9001])
    np.testing.assert_allclose(part[1, 200:-200], whole[1, 3533:8801], atol=0.01)


def test_a_part_of_an_edf_of_two_rates_that_are_not_whole_has_as_many_samples_of_both(
    tmp_path: Path, minute_mv: NDArray[np.float64]
) -> None:
    from leadwise.recordings.edf_files import open_edf

    path = put_edf(
        tmp_path, edf_signal(minute_mv[0], "II", "mV"), edf_signal(minute_mv[1, : 60 * 359], "V1", "mV", 359)
    )
    content = bytearray(path.read_bytes())
    content[244:252] = b"1.37    "  # seconds of each of its parts, in which 360 and 359 samples lie
    path.write_bytes(content)
    source = open_edf(path)
    whole = source.read(0, source.samples)
    for first in range(0, source.samples - 999, 777):
        part = source.read(first, first + 999)
        assert part.shape == (2, 999)
        np.testing.assert_array_equal(part[0], whole[0, first : first + 999])


def test_an_edf_without_an_ecg_is_refused(tmp_path: Path, minute_mv: NDArray[np.float64]) -> None:
    path = put_edf(
        tmp_path, edf_signal(minute_mv[0], "EEG Fpz-Cz"), edf_signal(minute_mv[1], "EOG horizontal")
    )
    with pytest.raises(
        InputError, match=r"r\.edf: no ECG among its signals \(EEG Fpz-Cz \(uV\), EOG horizontal"
    ):
        read_record(path)


def test_an_edf_that_is_cut_off_is_read_as_far_as_it_goes_and_that_is_said(
    tmp_path: Path, minute_mv: NDArray[np.float64]
) -> None:
    path = put_edf(tmp_path, edf_signal(minute_mv[0], "ECG", "mV"))
    path.write_bytes(path.read_bytes()[:-20_000])
    record = read_record(path)
    assert 30 * HZ < record.signals.shape[1] < 60 * HZ
    assert any("truncated" in note for note in record.notes)


@pytest.mark.parametrize("content", [b"", b"0" * 100, b"\0" * 600, b"0       " + b"x" * 600])
def test_what_is_no_edf_is_refused(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("edfio", reason="edfio, which reads EDF, is not installed")
    (tmp_path / "r.edf").write_bytes(content)
    with pytest.raises(InputError, match=r"r\.edf: not an EDF file"):
        read_record(tmp_path / "r.edf")


@pytest.mark.parametrize("kind", ["EDF+C", "EDF+D"])
def test_an_edf_whose_parts_have_gaps_between_them_is_refused(
    tmp_path: Path, minute_mv: NDArray[np.float64], kind: str
) -> None:
    import edfio

    path = tmp_path / "r.edf"
    notes = [edfio.EdfAnnotation(1, None, "asleep")]
    edfio.Edf([edf_signal(minute_mv[0], "ECG", "mV")], annotations=notes).write(path)
    content = path.read_bytes()
    path.write_bytes(content[:192] + kind.encode() + content[197:])
    assert read_record(path).signals.shape == (1, 60 * HZ)
    late = re.sub(rb"\+([345]\d)\x14\x14", lambda found: b"+%d\x14\x14" % (int(found[1]) + 30), content)
    path.write_bytes(late[:192] + kind.encode() + late[197:])
    with pytest.raises(
        InputError, match=r"r\.edf: an EDF\+ file whose parts have gaps between them\. Write it"
    ):
        read_record(path)


def zero_seconds(content: bytearray) -> None:
    content[244:252] = b"0       "


def commas(content: bytearray) -> None:
    ranges = slice(256 + 104, 256 + 120)  # of one signal
    content[ranges] = content[ranges].replace(b".", b",")


def no_number_of_seconds(content: bytearray) -> None:
    content[244:252] = b"nan     "


def hardly_any_seconds(content: bytearray) -> None:
    content[244:252] = b"1e-320  "


def endless_seconds(content: bytearray) -> None:
    content[244:252] = b"1e308   "


def header_alone(content: bytearray) -> None:
    del content[300:]


def damaged(content: bytearray) -> None:
    content[256 + 120 : 256 + 128] = b"lowest  "


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (zero_seconds, r"its parts last 0 s by its header\. Write it anew\."),
        (commas, r"its header has decimal commas, where EDF has points\. Write it anew\."),
        (no_number_of_seconds, r"its header is damaged\. Fetch it again, or write it as WFDB\."),
        (hardly_any_seconds, r"its header is damaged\. Fetch it again, or write it as WFDB\."),
        (endless_seconds, r"its header is damaged\. Fetch it again, or write it as WFDB\."),
        (header_alone, r"it holds a header alone, or part of one\. Fetch it again\."),
        (damaged, r"its header is damaged\. Fetch it again, or write it as WFDB\."),
    ],
)
def test_why_an_edf_is_not_read_is_told_by_its_header(
    tmp_path: Path, minute_mv: NDArray[np.float64], spoil: Callable[[bytearray], None], told: str
) -> None:
    path = put_edf(tmp_path, edf_signal(minute_mv[0], "ECG", "mV"))
    content = bytearray(path.read_bytes())
    spoil(content)
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"r\.edf: not a readable EDF file: {told}$"):
        read_record(path)


# --- DICOM ---------------------------------------------------------------------------------------------------


def put_dicom(
    folder: Path, *groups: tuple[NDArray[np.floating], str, str], modality: str = "ECG", rate_hz: float = HZ
) -> Path:
    """A file of groups of two signals in steps of 1.25 of a thousandth, each with their names and unit."""
    pydicom = pytest.importorskip("pydicom", reason="pydicom, which reads DICOM, is not installed")
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(prefix=None)
    data = FileDataset(str(folder / "r.dcm"), {}, file_meta=meta, preamble=b"\0" * 128)
    data.Modality = modality
    sequence = []
    for signals, names, unit in groups:
        group = Dataset()
        group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = signals.shape
        group.SamplingFrequency, group.WaveformBitsAllocated = rate_hz, 16
        group.WaveformSampleInterpretation, group.WaveformOriginality = "SS", "ORIGINAL"
        group.ChannelDefinitionSequence = [channel(name, unit) for name in names.split(", ")]
        group.WaveformData = np.round(signals.T / 0.00125).astype("<i2").tobytes()
        sequence.append(group)
    if sequence:
        data.WaveformSequence = sequence
    data.save_as(folder / "r.dcm", enforce_file_format=True)
    return folder / "r.dcm"


LEADS_OF = "Lead II, Lead V1"


def channel(name: str, unit_code: str) -> Any:
    from pydicom.dataset import Dataset

    one, source, unit = Dataset(), Dataset(), Dataset()
    source.CodeValue, source.CodingSchemeDesignator, source.CodeMeaning = "2:1", "MDC", name
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = unit_code, "UCUM", unit_code
    one.ChannelSourceSequence, one.ChannelSensitivityUnitsSequence = [source], [unit]
    one.ChannelSensitivity, one.ChannelSensitivityCorrectionFactor, one.ChannelBaseline = 0.00125, 1, 0
    one.WaveformBitsStored = 16
    return one


def test_a_dicom_ecg_is_read_in_mv(tmp_path: Path, minute_mv: NDArray[np.float64], beat_model: Path) -> None:
    path = put_dicom(tmp_path, (minute_mv, LEADS_OF, "mV"))
    record = read_record(path)
    assert (record.names, record.rate_hz) == (("II", "V1"), HZ)
    np.testing.assert_allclose(record.signals, minute_mv, rtol=0, atol=0.001)
    assert len(predict_recording(path, model=beat_model).samples) > 80


def changed_dicom(path: Path, change: Callable[[Any], None]) -> Path:
    """The same file with its first group of signals changed."""
    import pydicom

    data = pydicom.dcmread(path)
    change(data.WaveformSequence[0])
    data.save_as(path)
    return path


def test_the_padding_of_a_dicom_is_unknown(tmp_path: Path, minute_mv: NDArray[np.float64]) -> None:
    padded = minute_mv.copy()
    padded[1, -500:] = -32768 * 0.00125

    def tell(group: Any) -> None:
        group.add_new("WaveformPaddingValue", "OW", np.array([-32768], "<i2").tobytes())

    record = read_record(changed_dicom(put_dicom(tmp_path, (padded, LEADS_OF, "mV")), tell))
    assert np.isnan(record.signals[1, -500:]).all()
    np.testing.assert_allclose(record.signals[0], minute_mv[0], rtol=0, atol=0.001)
    np.testing.assert_allclose(record.signals[1, :-500], minute_mv[1, :-500], rtol=0, atol=0.001)


def test_a_dicom_without_a_sensitivity_says_what_was_assumed(
    tmp_path: Path, minute_mv: NDArray[np.float64]
) -> None:
    def forget(group: Any) -> None:
        del group.ChannelDefinitionSequence[1].ChannelSensitivity

    record = read_record(changed_dicom(put_dicom(tmp_path, (minute_mv, LEADS_OF, "mV")), forget))
    assert record.notes == (
        "no sensitivity is told for V1: 1 unit a step was assumed, so heights may be wrong",
    )


def test_a_dicom_of_another_modality_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"r\.dcm: a DICOM file of modality MR without waveforms"):
        read_record(put_dicom(tmp_path, modality="MR"))


def test_the_longest_group_with_an_ecg_is_read(tmp_path: Path, minute_mv: NDArray[np.float64]) -> None:
    twice = np.hstack([minute_mv, minute_mv])
    groups = ((twice, "ART, CVP", "mm[Hg]"), (twice, "AO, LV", "mV"), (minute_mv, LEADS_OF, "mV"))
    record = read_record(put_dicom(tmp_path, *groups))
    np.testing.assert_allclose(record.signals, minute_mv, rtol=0, atol=0.001)
    assert record.notes == (
        "of 3 groups of signals the longest with an ECG is read (60 s; not 120 s, 120 s)",
    )
    with pytest.raises(InputError, match=r"r\.dcm: no ECG among its signals \(ART \(mm\[Hg\]\), CVP"):
        read_record(put_dicom(tmp_path, groups[0]))


def test_why_a_dicom_is_not_read_is_told_in_words(tmp_path: Path, minute_mv: NDArray[np.float64]) -> None:
    path = put_dicom(tmp_path, (minute_mv, LEADS_OF, "mV"), rate_hz=0)
    with pytest.raises(
        InputError, match=r"r\.dcm: 0 samples a second, which no recorder has\. Export it again\.$"
    ):
        read_record(path)
    path = put_dicom(tmp_path, (minute_mv, LEADS_OF, "mV"))
    path.write_bytes(path.read_bytes()[:-30_001])
    with pytest.raises(
        InputError, match=r"r\.dcm: not a readable DICOM waveform: it is cut off, or its signals"
    ):
        read_record(path)


def test_what_is_no_dicom_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pydicom", reason="pydicom, which reads DICOM, is not installed")
    (tmp_path / "r.dcm").write_bytes(b"no DICOM" * 100)
    with pytest.raises(
        InputError,
        match=r"r\.dcm: not a readable DICOM file: it has no header of one, or is",
    ):
        read_record(tmp_path / "r.dcm")


@pytest.mark.parametrize(("suffix", "package"), [(".edf", "edfio"), (".dcm", "pydicom")])
def test_without_its_package_it_is_said_what_to_install(
    tmp_path: Path, suffix: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"r{suffix}").write_bytes(b"0")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"needs one more package.*leadwise\[formats\].*{package}"):
        read_record(tmp_path / f"r{suffix}")
