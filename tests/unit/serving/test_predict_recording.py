"""A whole recording in one call: beats named, rhythm, picture; and what is said of a bad or unusual one."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
import wfdb
from command_line import command_of
from made import made_beats
from numpy.typing import NDArray
from starlette.testclient import TestClient

import leadwise
from leadwise.errors import InputError, MissingInput, WeightsError
from leadwise.learning.export import describe
from leadwise.learning.export_beats import beat_metadata, export_beats
from leadwise.models import registry
from leadwise.models.onnx_file import BEATS
from leadwise.models.signal_nets import SignalClassifier
from leadwise.names import AAMI
from leadwise.recordings.beat_views import CUT, beat_views
from leadwise.recordings.context import cut_beats
from leadwise.recordings.filters import resampled
from leadwise.recordings.records import Record, read_record, write_record
from leadwise.serving import batch, recordings
from leadwise.serving import model as room
from leadwise.serving.http import app, schema
from leadwise.serving.model import BeatModel, load_beat_model
from leadwise.serving.predict_recording import BEAT_COLUMNS, RecordingAnswer, predict_recording
from leadwise.serving.strip_chart import strip_chart
from leadwise.sets.recordings import load_recording

HZ = 360


@pytest.fixture(scope="module")
def minute(excerpts: Path) -> Record:
    """A minute of record 208, with beats of V, from its own first ten seconds on."""
    whole = read_record(excerpts / "208")
    return Record(whole.signals[:, 3600 : 3600 + 60 * HZ], whole.names, whole.rate_hz)


@pytest.fixture(scope="module")
def answer(excerpts: Path, beat_model: Path) -> RecordingAnswer:
    found = leadwise.predict(excerpts / "208.hea", model=beat_model)
    assert isinstance(found, leadwise.RecordingAnswer)
    return found


def put(record: Record, folder: Path, name: str = "r") -> Path:
    write_record(record, folder, name, [])
    return folder / f"{name}.hea"


command = command_of("predict")


# --- an answer -----------------------------------------------------------------------------------------------


def test_every_beat_is_found_and_named(answer: RecordingAnswer, excerpts: Path) -> None:
    known = load_recording(excerpts / "208.hea").marks.beats.samples
    near = np.abs(known[:, None] - answer.samples).min(axis=1) <= 54
    assert near.mean() > 0.99
    assert answer.probabilities.shape == (len(answer.samples), len(AAMI))
    assert answer.probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert set(answer.labels) <= set(AAMI)
    assert sum(answer.rhythm.counts.values()) == answer.rhythm.beats == len(answer.samples)
    assert answer.leads == ("MLII", "V1")
    assert answer.warnings == ()
    assert answer.duration_s == 360


def test_a_record_that_the_model_may_remember_is_named_so(
    excerpts: Path, beat_network: SignalClassifier, tmp_path: Path
) -> None:
    told = {
        "protocol": "none",
        "data_fingerprint": "0" * 12,
        "trained_on": "",
        "note": "",
        "records": "201,208",
    }
    model = tmp_path / "knows.onnx"
    export_beats(beat_network, model, beat_metadata(beat_network, AAMI, **told))
    known, unknown = (predict_recording(excerpts / f"{name}.hea", model=model) for name in ("208", "100"))
    assert "remembers" in known.warnings[0]
    assert unknown.warnings == ()


def test_the_model_is_asked_what_it_was_trained_on(
    excerpts: Path, beat_model: Path, beat_network: SignalClassifier
) -> None:
    """On annotated beats the way from the file to a probability is that of the notebooks, in torch."""
    for name in ("114", "208"):  # MLII is the second channel of 114
        recording = load_recording(excerpts / f"{name}.hea")
        beats = recording.marks.beats.samples
        views = beat_views(cut_beats(recording.filtered[:2], HZ, beats, CUT), beats / HZ)
        with torch.no_grad():
            asked = {key: torch.from_numpy(view.astype(np.float32)) for key, view in views.items()}
            known = beat_network(**asked).softmax(dim=1).numpy()
        reading = recordings.process(recordings.read_path(excerpts / f"{name}.hea"))
        assert reading.filtered == pytest.approx(recording.filtered[:2])
        cut = cut_beats(reading.filtered, HZ, beats, CUT)
        found = load_beat_model(beat_model).answer(beat_views(cut, beats / HZ))
        assert found == pytest.approx(known, abs=1e-5)


def test_an_answer_says_itself_in_text_json_and_html(answer: RecordingAnswer) -> None:
    text = "\n".join(answer.lines())
    assert f"{len(answer.samples)} beats in 6:00.0 min" in text
    assert "Research use only, not a medical device" in text
    told = json.loads(json.dumps(answer.as_json()))
    assert told["kind"] == "record"
    assert told["beats"]["labels"] == answer.labels.tolist()
    assert len(told["beats"]["probabilities"]["V"]) == told["rhythm"]["beats"]
    assert told["model"]["trained_on"] == "nothing"
    assert "not a medical device" in told["caution"]
    shown = answer._repr_html_()
    assert "data:image/png;base64," in shown
    assert "S, supraventricular" in shown


def test_the_table_has_a_row_a_beat(answer: RecordingAnswer) -> None:
    rows = list(csv.DictReader(batch.csv_lines(BEAT_COLUMNS, answer.rows()).splitlines(), BEAT_COLUMNS))
    assert len(rows) == len(answer.samples)
    first, second = rows[:2]
    assert first["rr_before_s"] == ""
    assert float(second["rr_before_s"]) == pytest.approx(np.diff(answer.times_s)[0], abs=1e-3)
    assert sum(float(second[f"prob_{name}"]) for name in AAMI) == pytest.approx(1, abs=1e-3)


def test_the_picture_has_every_class_in_its_colour(minute: Record) -> None:
    samples = np.arange(300, 60 * HZ - 300, 300)
    labels = [*("NNNNS" * len(samples))[: len(samples) - 1], "V"]
    sure = np.ones(len(samples))
    shown = strip_chart(minute.signals[0], HZ, samples, labels, sure, "made", ["a line"])
    assert shown.shape[1] == 1800
    for blue, green, red in ((115, 158, 0), (0, 159, 230), (0, 94, 213)):
        assert (np.abs(shown.astype(int) - (blue, green, red)).max(axis=2) < 3).sum() > 200
    plain = strip_chart(minute.signals[0], HZ, samples, ["N"] * len(samples), sure, "made", ["a line"])
    assert plain.shape[0] < shown.shape[0] - 400, "nothing rare, nothing enlarged"


def test_a_picture_can_be_drawn_with_gaps_and_without_beats(minute: Record) -> None:
    signal = minute.signals[0].copy()
    signal[1000:9000] = np.nan
    none = np.zeros(0, np.int64)
    assert strip_chart(signal, HZ, none, [], np.zeros(0), "made", []).shape[1] == 1800
    assert strip_chart(signal, HZ, np.array([5000]), ["V"], np.ones(1), "made", []).shape[1] == 1800


def test_predict_needs_no_torch(excerpts: Path, beat_model: Path) -> None:
    script = (
        "import sys, leadwise; "
        f"a = leadwise.predict({str(excerpts / '100.hea')!r}, model={str(beat_model)!r}); a.picture(); "
        "assert len(a.samples) > 300; assert not {'torch', 'matplotlib', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# --- unusual records -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate_hz", [100.0, 250.0, 1000.0])
def test_another_rate_gives_the_same_beats_and_a_warning(
    minute: Record, rate_hz: float, tmp_path: Path, beat_model: Path
) -> None:
    known = predict_recording(put(minute, tmp_path, "own"), model=beat_model)
    other = Record(resampled(minute.signals, HZ, rate_hz), minute.names, rate_hz)
    found = predict_recording(put(other, tmp_path), model=beat_model)
    assert len(found.samples) == len(known.samples)
    # where a wide beat swings as far up as down, either may be its top
    assert (np.abs(found.times_s - known.times_s) < 0.01).mean() > 0.9
    assert found.times_s == pytest.approx(known.times_s, abs=0.1)
    if rate_hz > 100:
        assert np.abs(found.probabilities - known.probabilities).mean() < 0.05
    assert any(f"{rate_hz:g} samples a second" in text for text in found.warnings)


def test_one_lead_is_answered_with_a_warning(minute: Record, tmp_path: Path, beat_model: Path) -> None:
    found = predict_recording(put(Record(minute.signals[:1], ("ECG",), HZ), tmp_path), model=beat_model)
    assert len(found.samples) > 40
    assert found.leads == ("ECG",)
    assert any("one lead alone" in text for text in found.warnings)
    assert any("no lead MLII or II: ECG stands in" in text for text in found.warnings)


def test_of_twelve_leads_ii_and_v1_are_looked_at(minute: Record, tmp_path: Path, beat_model: Path) -> None:
    names = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2")
    found = predict_recording(
        put(Record(np.repeat(minute.signals, 4, axis=0), names, HZ), tmp_path), model=beat_model
    )
    assert found.leads == ("II", "V1")


def test_gaps_and_flat_stretches_are_bridged_and_told(
    minute: Record, tmp_path: Path, beat_model: Path
) -> None:
    signals = minute.signals.copy()
    signals[:, 10 * HZ : 16 * HZ] = np.nan
    signals[0, 30 * HZ : 40 * HZ] = 0.2
    found = predict_recording(put(Record(signals, minute.names, HZ), tmp_path), model=beat_model)
    assert not ((found.times_s > 10.1) & (found.times_s < 15.9)).any()
    assert ((found.times_s > 30) & (found.times_s < 40)).sum() > 5, "the other lead still has them"
    assert any("10.0% of the samples are marked as unknown" in text for text in found.warnings)
    assert any("MLII is flat for 10 s" in text for text in found.warnings)
    assert np.isnan(found.record.signals[0, 11 * HZ])
    assert np.isfinite(found.probabilities).all()


def test_a_lead_that_is_off_throughout_is_left_out(minute: Record, tmp_path: Path, beat_model: Path) -> None:
    for off in (np.nan, 0.0):
        signals = minute.signals.copy()
        signals[0] = off
        found = predict_recording(put(Record(signals, minute.names, HZ), tmp_path), model=beat_model)
        assert found.leads == ("V1",)
        assert any("nothing is known of MLII" in text for text in found.warnings)
        assert len(found.samples) > 30
        assert found.picture().shape[1] == 1800


def test_less_than_ten_seconds_is_answered_with_a_warning(
    minute: Record, tmp_path: Path, beat_model: Path
) -> None:
    short = Record(minute.signals[:, : 8 * HZ], minute.names, HZ)
    found = predict_recording(put(short, tmp_path), model=beat_model)
    assert 5 <= len(found.samples) <= 20
    assert any("only 8.0 s: too short" in text for text in found.warnings)


def test_a_slow_wave_is_no_heart(tmp_path: Path, beat_model: Path) -> None:
    slow = np.sin(np.arange(30 * HZ) / HZ)[None] * 0.2
    with pytest.raises(InputError, match="no heartbeat found on MLII"):
        predict_recording(put(Record(slow, ("MLII",), HZ), tmp_path), model=beat_model)


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        (np.full((1, 3600), np.nan), "no lead of this record has a known value"),
        (np.zeros((2, 3600)), "all leads are flat"),
        (np.random.default_rng(0).normal(size=(1, 400)), "1.1 s of signal; at least 2 s"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(
    signals: NDArray[np.float64], said: str, tmp_path: Path, beat_model: Path
) -> None:
    names = ("MLII", "V1")[: len(signals)]
    with pytest.raises(InputError, match=said):
        predict_recording(put(Record(signals, names, HZ), tmp_path), model=beat_model)


def test_missing_and_truncated_files_are_named(minute: Record, tmp_path: Path, beat_model: Path) -> None:
    path = put(minute, tmp_path)
    for given in (path, path.with_suffix(".dat"), path.with_suffix("")):
        assert len(predict_recording(given, model=beat_model).samples) > 40
    data = path.with_suffix(".dat").read_bytes()
    path.with_suffix(".dat").write_bytes(data[:5001])
    with pytest.raises(InputError, match=r"r\.hea: .*(Is its \.dat whole|do not fit)"):
        predict_recording(path, model=beat_model)
    path.with_suffix(".dat").unlink()
    with pytest.raises(InputError, match=r"names r\.dat, which was not sent|r\.dat.* beside"):
        predict_recording(path, model=beat_model)
    path.unlink()
    with pytest.raises(MissingInput, match=r"r\.hea: no such file"):
        predict_recording(path, model=beat_model)


def test_a_header_that_names_files_elsewhere_is_refused(tmp_path: Path, beat_model: Path) -> None:
    (tmp_path / "out.dat").write_bytes(b"1234" * 9000)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "r.hea").write_text("r 1 360 7200\n../out.dat 16\n", encoding="ascii")
    with pytest.raises(InputError, match=r"r\.hea"):
        predict_recording(folder / "r.hea", model=beat_model)


# --- the model -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("many_beats", [1, 2, 700])
def test_the_exported_file_answers_as_torch_does(
    many_beats: int, beat_network: SignalClassifier, beat_model: Path
) -> None:
    views = made_beats(many_beats, rng_seed=many_beats)
    with torch.no_grad():
        known = beat_network(**views).softmax(dim=1).numpy()
    found = load_beat_model(beat_model).answer({name: view.numpy() for name, view in views.items()})
    assert found == pytest.approx(known, abs=1e-5)


def test_the_file_says_what_it_is_and_is_small(beat_model: Path) -> None:
    info = load_beat_model(beat_model).info
    assert (info.name, info.classes, info.protocol) == ("beat_rhythm", AAMI, "none")
    assert info.version == leadwise.__version__
    assert beat_model.stat().st_size < 1_000_000


def test_another_network_is_not_exported(tmp_path: Path) -> None:
    network = registry.build("heartbeat_cnn", 5)
    with pytest.raises(WeightsError, match="only beat_rhythm is exported"):
        export_beats(network, tmp_path / "a.onnx", beat_metadata(network, AAMI))


def test_a_changed_file_or_one_of_pages_is_refused(beat_model: Path, tmp_path: Path) -> None:
    data = bytearray(beat_model.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "changed.onnx").write_bytes(data)
    with pytest.raises(WeightsError, match="checksum is missing or wrong"):
        load_beat_model(tmp_path / "changed.onnx")
    student = Path(leadwise.__file__).parent / "resources" / "student12.onnx"
    with pytest.raises(WeightsError, match=r"a model of format 1; --beat-model takes format beats 1"):
        load_beat_model(student)


@pytest.mark.parametrize("key", sorted(BEATS.preprocessing))
def test_a_file_made_for_beats_cut_otherwise_is_refused(
    key: str, beat_network: SignalClassifier, beat_model: Path, tmp_path: Path
) -> None:
    told = beat_metadata(beat_network, AAMI, protocol="none", data_fingerprint="0")
    file = onnx.load(beat_model)
    del file.metadata_props[:]
    onnx.save(file, tmp_path / "a.onnx")
    describe(tmp_path / "a.onnx", told | {key: "7"})
    with pytest.raises(WeightsError, match=f"cut otherwise.*{key}"):
        load_beat_model(tmp_path / "a.onnx")


# --- the command ---------------------------------------------------------------------------------------------


def test_json_is_one_line_a_file_pages_and_records_together(
    excerpts: Path,
    sample_folder: Path,
    beat_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = min(sample_folder.rglob("Normal*.jpg"))
    given = (excerpts / "100.hea", page, excerpts / "none.hea")
    assert command(monkeypatch, *given, "--json", "--beat-model", beat_model) == 1
    record, page_told, missing = map(json.loads, capsys.readouterr().out.splitlines())
    assert record["kind"] == "record"
    assert record["rhythm"]["beats"] > 400
    assert page_told["label"]
    assert "no such file" in missing["refused"]


def test_csv_is_a_table_of_beats(
    excerpts: Path, beat_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = (excerpts / "100.hea", excerpts / "none.hea", excerpts / "208.hea")
    assert command(monkeypatch, *given, "--csv", "--beat-model", beat_model) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(dict.fromkeys(row["file"] for row in rows)) == list(map(str, given))
    assert [row["file"] for row in rows if row["refused"]] == [str(given[1])]
    assert {row["label"] for row in rows} <= {*AAMI, ""}


def test_csv_of_pages_and_beats_together_is_refused(
    excerpts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, excerpts / "100.hea", "page.jpg", "--csv") == 2
    assert "one kind at a time" in capsys.readouterr().err


def test_a_recording_is_drawn_and_told(
    excerpts: Path,
    tmp_path: Path,
    beat_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = (excerpts / "208.hea", "--overlay", tmp_path / "strip.png", "--beat-model", beat_model)
    assert command(monkeypatch, *asked) == 0
    said = capsys.readouterr().out
    assert "Research use only, not a medical device" in said
    assert "beats in 6:00.0 min" in said
    assert cv2.imread(str(tmp_path / "strip.png")).std() > 10


def test_records_of_a_folder_are_found_with_its_pages(excerpts: Path, tmp_path: Path) -> None:
    for name in ("100.hea", "100.dat", "100.atr"):
        shutil.copy(excerpts / name, tmp_path / name)
    (tmp_path / "page.jpg").write_bytes(b"none")
    assert [path.name for path in batch.find_files([tmp_path])] == ["100.hea", "page.jpg"]


def test_without_a_model_of_beats_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BeatModel, "shipped", "no_such.onnx")
    room._opened.cache_clear()
    with pytest.raises(WeightsError, match=r"no_such\.onnx is not among leadwise's resources.*--beat-model"):
        batch._load(frozenset({True}), None, None)


def test_a_model_of_beats_that_is_not_there_is_said_before_the_first(
    excerpts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, excerpts / "100.hea", "--beat-model", tmp_path / "none.onnx") == 2
    told = capsys.readouterr()
    assert "none.onnx" in told.err
    assert not told.out


# --- the server ----------------------------------------------------------------------------------------------


def test_the_server_answers_as_the_command_does(excerpts: Path, beat_model: Path) -> None:
    files = [("file", (f"208{end}", (excerpts / f"208{end}").read_bytes())) for end in (".hea", ".dat")]
    with TestClient(app.make_app(workers=1, beat_model=beat_model), "http://localhost") as client:
        told = client.post("/predict?picture=true", files=files)
        assert told.status_code == 200, told.text
    answer = schema.RecordAnswer.model_validate_json(told.content)
    known = predict_recording(excerpts / "208.hea", model=beat_model).as_json()
    assert json.loads(answer.model_dump_json(include=set(known))) == json.loads(json.dumps(known)) | {
        "file": "208.hea"
    }
    assert (answer.picture or "").startswith("data:image/png;base64,")


def test_a_server_without_a_model_of_beats_still_answers_for_the_signals(
    excerpts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadwise.serving.http.jobs import Job, do
    from leadwise.serving.http.uploads import Upload

    monkeypatch.setattr(BeatModel, "shipped", "no_such.onnx")
    room._opened.cache_clear()
    files = tuple(Upload(f"208{end}", (excerpts / f"208{end}").read_bytes()) for end in (".hea", ".dat"))
    refused = do(Job(files, "predict", "json", None))
    assert refused.status_code == 501
    assert b"no_such.onnx" in refused.body
    assert do(Job(files, "predict", "csv", None)).status_code == 200


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("16:2000000000", "shifted against each other by more than 1 s"),
        ("16+99999999999", "begin after more than 65536 bytes"),
        ("16 1e-308/mV", "a gain beyond 1e-06 to 1e\\+12"),
        ("9" * 900, "in format 9{107}…9{12};"),
        ("9" * 60_000, "a line of 60006 letters"),
    ],
)
def test_a_header_that_claims_what_no_recorder_has_is_refused_before_it_costs_anything(
    claim: str, told: str
) -> None:
    files = {"a.hea": f"a 1 360 1000\na.dat {claim}\n".encode(), "a.dat": bytes(3000)}
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=told) as refused:
            recordings.read_files(files)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert len(str(refused.value)) < 400


def test_a_record_with_a_small_skew_is_read(tmp_path: Path) -> None:
    files = {"a.hea": b"a 1 360 1000\na.dat 16:36+10 200/mV 16 0 0 0 0 II\n", "a.dat": bytes(3000)}
    assert recordings.read_files(files).signals.shape == (1, 1000)


def test_many_samples_are_told_in_few_words() -> None:
    files = {"a.hea": b"a 1 360 " + b"9" * 300 + b"\na.dat 16\n", "a.dat": bytes(3000)}
    with pytest.raises(InputError, match=r"claims 9+…9+ samples, which no recorder has") as refused:
        recordings.read_files(files)
    assert len(str(refused.value)) < 400


def test_a_made_record_of_any_format_is_read_as_wfdb_reads_it(tmp_path: Path) -> None:
    wave = np.sin(np.arange(3600) / 20)[:, None]
    wfdb.wrsamp(
        "r", fs=HZ, units=["mV"], sig_name=["II"], p_signal=wave, fmt=["212"], write_dir=str(tmp_path)
    )
    known = wfdb.rdrecord(str(tmp_path / "r")).p_signal.T
    assert recordings.read_path(tmp_path / "r.hea").signals == pytest.approx(known)
