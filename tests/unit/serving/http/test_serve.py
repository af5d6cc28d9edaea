"""A page or a record over HTTP: answers are typed, refusals are 4xx in words, nothing is kept, nothing stops."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import wfdb
from command_line import command_of
from hostile_uploads import HOSTILE
from read_pages import pdf_of_6x2
from starlette.testclient import TestClient
from waiting import wait_until

import leadwise
from leadwise.errors import InputError, WeightsError
from leadwise.names import LEADS
from leadwise.serving import recordings
from leadwise.serving.http import app as http
from leadwise.serving.http import desk, schema
from leadwise.serving.http.limits import Limits
from leadwise.serving.http.serve import listen
from leadwise.serving.predict import predict
from leadwise.sets.sample import unpack_sample

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = unpack_sample(tmp_path_factory.mktemp("pages"))
    return min(folder.rglob("Normal*.jpg")).read_bytes()


@pytest.fixture(scope="module")
def client(beat_model: Path) -> Iterator[TestClient]:
    app = http.make_app(workers=1, beat_model=beat_model)
    with TestClient(app, "http://localhost", raise_server_exceptions=False) as asked:
        yield asked


def sent(client: TestClient, *files: tuple[str, bytes], to: str = "/predict"):
    return client.post(to, files=[("file", file) for file in files])


def made_record(folder: Path, fmt: str = "212", seconds: float = 12.0, rate_hz: float = 360.0) -> np.ndarray:
    """Write a record of two leads with a beat a second; give its millivolts as wfdb reads them."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    beat = np.exp(-((((time_s + 0.5) % 1) - 0.5) ** 2) / (2 * 0.012**2))
    signals = np.stack([1.2 * beat + 0.02 * np.sin(9 * time_s), -0.5 * beat + 0.1], axis=1)
    wfdb.wrsamp(
        "r", fs=rate_hz, units=["mV", "mV"], sig_name=["MLII", "V5"], p_signal=signals, fmt=[fmt, fmt],
        adc_gain=[80.0, 80.0], baseline=[0, 0], write_dir=str(folder),
    )  # fmt: skip
    return wfdb.rdrecord(str(folder / "r")).p_signal.T


def record_files(folder: Path) -> list[tuple[str, bytes]]:
    return [(name, (folder / name).read_bytes()) for name in ("r.hea", "r.dat")]


# --- a page --------------------------------------------------------------------------------------------------


def test_a_page_is_answered_as_predict_answers(client: TestClient, page: bytes) -> None:
    told = sent(client, ("page.jpg", page))
    assert told.status_code == 200
    assert told.headers["cache-control"] == "no-store"
    answer = schema.PageAnswer.model_validate_json(told.content)
    known = predict(page)
    assert (answer.file, answer.label) == ("page.jpg", known.label)
    assert answer.probabilities == pytest.approx(known.probabilities, abs=1e-4)
    assert answer.page_px == (known.page.shape[1], known.page.shape[0])
    assert np.array(answer.signals_mv["V3"], float) == pytest.approx(
        known.signals.leads[LEADS.index("V3")], abs=6e-4, nan_ok=True
    )
    assert answer.starts_s["V3"] == 5.0
    assert answer.model.data_fingerprint == known.model.data_fingerprint
    assert "not a medical device" in answer.caution
    assert answer.picture is None


def test_the_answer_without_each_lead_stands_beside_it(client: TestClient, page: bytes) -> None:
    answer = schema.PageAnswer.model_validate_json(sent(client, ("page.jpg", page)).content)
    assert tuple(answer.without) == (*LEADS, "strip")
    for shares in answer.without.values():
        assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert any(shares != answer.probabilities for shares in answer.without.values())


def test_the_page_as_it_was_read_comes_where_it_is_wanted(client: TestClient, page: bytes) -> None:
    told = sent(client, ("page.jpg", page), to="/predict?picture=true").json()
    assert told["picture"].startswith("data:image/jpeg;base64,")


def test_the_signals_come_as_a_table_and_as_wfdb(client: TestClient, page: bytes, tmp_path: Path) -> None:
    table = sent(client, ("page.jpg", page), to="/signals.csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert (len(rows), rows[0]["time_s"], rows[625]["I_mv"]) == (2500, "0.000", "")
    packed = sent(client, ("page.jpg", page), to="/signals.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        archive.extractall(tmp_path)
    record = wfdb.rdrecord(str(tmp_path / "leadwise"))
    assert record.sig_name == [*LEADS, "strip"]
    assert any("not a medical device" in comment for comment in record.comments)
    lead_ii = [float(row["II_mv"]) for row in rows[:625] if row["II_mv"]]
    known = record.p_signal[:625, 1]
    assert lead_ii == pytest.approx(known[np.isfinite(known)], abs=1e-3)


# --- a page of another form ----------------------------------------------------------------------------------


def test_a_page_of_another_form_gets_its_leads_and_no_class(client: TestClient) -> None:
    told = sent(client, ("exam.pdf", pdf_of_6x2()))
    assert told.status_code == 200, told.text
    answer = schema.DigitisedAnswer.model_validate_json(told.content)
    assert (answer.file, answer.form, answer.label) == ("exam.pdf", "6x2", None)
    assert "this is another" in answer.why_no_class
    assert set(answer.signals_mv) == set(LEADS)
    assert answer.leads["V1"].start_s == pytest.approx(5, abs=0.01)
    assert len(answer.signals_mv["V1"]) == pytest.approx(5 * answer.rate_hz, abs=5)
    assert "not a medical device" in answer.caution
    assert answer.picture is None


def test_a_page_is_digitized_without_being_asked_what_it_shows(client: TestClient, page: bytes) -> None:
    answer = schema.DigitisedAnswer.model_validate_json(
        sent(client, ("page.jpg", page), to="/digitize?picture=true").content
    )
    assert (answer.reader, answer.rate_hz, answer.why_no_class) == ("known form", 500, "")
    assert list(answer.signals_mv)[:12] == list(LEADS)
    assert answer.picture is not None
    assert answer.picture.startswith("data:image/jpeg;base64,")


def test_leads_of_any_form_come_as_a_table_as_wfdb_and_drawn_on_the_page(
    client: TestClient, tmp_path: Path
) -> None:
    file = ("exam.pdf", pdf_of_6x2())
    table = sent(client, file, to="/digitize.csv")
    assert table.text.startswith(f"time_s,{','.join(LEADS)}\n0.000,")
    assert sent(client, file, to="/signals.csv").text == table.text
    with zipfile.ZipFile(io.BytesIO(sent(client, file, to="/digitize.zip").content)) as archive:
        archive.extractall(tmp_path)
    record = wfdb.rdrecord(str(tmp_path / "leadwise"))
    assert (record.sig_name, record.fs) == (list(LEADS), 500)
    assert sent(client, file, to="/digitize.png").content.startswith(b"\x89PNG")


def test_a_record_is_not_digitized(client: TestClient, tmp_path: Path) -> None:
    made_record(tmp_path)
    told = sent(client, *record_files(tmp_path), to="/digitize")
    assert told.status_code == 422
    assert told.json()["detail"] == "r.hea: a record holds its signals already. Send a printed page."


# --- a record ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["212", "16", "80"])
def test_a_record_is_decoded_as_wfdb_decodes_it(tmp_path: Path, fmt: str) -> None:
    known = made_record(tmp_path, fmt)
    record = recordings.read_files(dict(record_files(tmp_path)))
    assert record.signals == pytest.approx(known, abs=1e-9)
    assert record.names == ("MLII", "V5")


def test_a_record_comes_back_in_millivolts_with_its_beats(client: TestClient, tmp_path: Path) -> None:
    made_record(tmp_path)
    told = sent(client, *record_files(tmp_path))
    assert told.status_code == 200, told.text
    answer = schema.RecordAnswer.model_validate_json(told.content)
    assert (answer.rate_hz, answer.duration_s) == (360.0, 12.0)
    assert answer.heart_rate_bpm == pytest.approx(60, abs=1)
    assert answer.beats.lead == "MLII"
    assert len(answer.beats.samples) == pytest.approx(12, abs=1)
    off = [abs(beat / 360 - round(beat / 360)) for beat in answer.beats.samples]
    assert max(off) < 0.03, "beats lie on the R waves, at whole seconds"
    middle = answer.signals_mv["MLII"][5 * 360 : 7 * 360]  # at its ends a filter has half a beat to see
    assert max(value for value in middle if value is not None) == pytest.approx(1.2, abs=0.2)


def test_a_zip_is_answered_as_its_files(client: TestClient, tmp_path: Path) -> None:
    made_record(tmp_path)
    files = record_files(tmp_path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files:
            archive.writestr(f"folder/{name}", data)
    assert sent(client, ("r.zip", packed.getvalue())).json() == sent(client, *files).json()


def test_a_lead_without_a_name_gets_a_number(client: TestClient, tmp_path: Path) -> None:
    made_record(tmp_path)
    header = (tmp_path / "r.hea").read_text(encoding="ascii").replace(" MLII", "").replace(" V5", "")
    (tmp_path / "r.hea").write_text(header, encoding="ascii")
    told = sent(client, *record_files(tmp_path)).json()
    assert list(told["signals_mv"]) == ["signal 1", "signal 2"]
    assert sent(client, *record_files(tmp_path), to="/signals.zip").status_code == 200


def test_beats_of_a_real_record_are_those_that_were_annotated() -> None:
    if not (folder := os.environ.get("LEADWISE_SIGNALS")):
        pytest.skip("LEADWISE_SIGNALS is not set: it names the folder with MIT-BIH in mitdb/")
    stem = Path(folder) / "mitdb" / "100"
    record = recordings.read_files(
        {f"100{end}": stem.with_suffix(end).read_bytes() for end in (".hea", ".dat")}
    )
    assert record.signals == pytest.approx(wfdb.rdrecord(str(stem)).p_signal.T)
    found = recordings.process(record).beats
    annotated = wfdb.rdann(str(stem), "atr")
    known = annotated.sample[np.isin(annotated.symbol, list("NAV"))]
    known = known[known < 650_000 - 36]  # the record's end cuts the last one in two
    assert len(found) == pytest.approx(len(known), rel=0.005)
    assert np.abs(known[:, None] - found).min(axis=1).max() <= 54, "each within 150 ms"


# --- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_uploads_are_refused_in_words(client: TestClient, page: bytes, kind: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(3):
        files = HOSTILE[kind](page, rng)
        told = sent(client, *((one.name, one.data) for one in files))
        if kind == "damaged" and told.status_code == 200:  # one row may be left to be read, and is doubted
            assert told.json()["label"] is None
            assert told.json()["warnings"]
            continue
        assert 400 <= told.status_code < 500, (kind, [one.name for one in files], told.text[:200])
        refusal = schema.Refusal.model_validate_json(told.content)
        assert len(refusal.detail) > 15
        assert "Traceback" not in told.text
        assert not re.search(r"/(dev/shm|tmp)/", told.text), "no path of the server's"
    assert client.get("/health").json()["in_work"] == 0


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        ([("a.dat", b"123")], 422, "signals without their header"),
        ([("a.hea", b"a 1 360 1000\na.dat 212\n")], 422, "a.dat, which was not sent"),
        (
            [("a.hea", b"a 1 360 1000\n../../etc/passwd 16\n"), ("a.dat", b"123")],
            422,
            "passwd, which was not sent",
        ),
        ([("a.hea", b"a 1 360 1000\nb.dat 16\n"), ("a.dat", b"123")], 422, "b.dat, which was not sent"),
        (
            [("a.hea", b"a 1 360 999999999\na.dat 212\n"), ("a.dat", b"123")],
            422,
            "999999999 samples are told",
        ),
        ([("page.txt", b"abc")], 415, "not a kind that is read"),
        ([("page.jpg", b"")], 422, "the file is empty"),
        ([("a/../b\x00c.jpg", b"abc")], 422, "not an image"),
        ([("a.jpg", b"abc"), ("b.jpg", b"abc")], 422, "one page or one record at a time"),
        ([(f"{n}.dat", b"abc") for n in range(40)], 400, "Too many files"),
    ],
)
def test_a_refusal_says_what_to_do(client: TestClient, files: list, status: int, said: str) -> None:
    told = sent(client, *files)
    assert told.status_code == status
    assert said in told.json()["detail"]


def test_what_is_no_form_is_refused(client: TestClient, page: bytes) -> None:
    for content, kind in [
        (page, "image/jpeg"),
        (b"file=abc", "application/x-www-form-urlencoded"),
        (b"abc", "multipart/form-data"),
        (b"abc", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ]:
        told = client.post("/predict", content=content, headers={"content-type": kind})
        assert told.status_code == 400, kind
        assert told.json()["detail"]
    assert client.post("/predict", content=iter([b"abc"])).status_code == 411


def test_too_many_bytes_are_refused_before_they_come(client: TestClient) -> None:
    told = client.post(
        "/predict",
        content=b"abc",
        headers={"content-type": "multipart/form-data; boundary=b", "content-length": "99000000000"},
    )
    assert told.status_code == 413
    assert "at most 50 MB" in told.json()["detail"]


def test_unknown_addresses_and_methods_are_refused_in_words(client: TestClient) -> None:
    assert "nothing here" in client.get("/docs").json()["detail"]
    assert client.get("/predict").status_code == 405
    assert "No such sample" in client.get("/samples/none.jpg").json()["detail"]


# --- what it says of itself ----------------------------------------------------------------------------------


def test_health_model_and_samples(client: TestClient) -> None:
    wait_until(lambda: client.get("/health").json()["status"] == "ok")
    model = client.get("/model").json()
    assert model["name"] == "student12"
    assert "What must not be asked of it" in model["card"]
    assert client.get("/model/card").text == model["card"]
    beats = client.get("/model", params={"of": "beats"}).json()
    assert beats["classes"] == ["N", "S", "V", "F", "Q"]
    assert beats["card"] is None  # this server was given a model of beats of its own
    assert client.get("/model/card", params={"of": "beats"}).status_code == 404
    assert client.get("/model", params={"of": "livers"}).status_code == 422
    hearts = client.get("/model", params={"of": "hearts"}).json()
    assert hearts["classes"] == ["NORM", "MI", "STTC", "CD", "HYP"]
    assert "What must not be asked of it" in hearts["card"]
    samples = client.get("/samples").json()
    assert len(samples) == 3
    for one in samples:
        data = client.get(f"/{one['page']}").content
        assert sent(client, (f"{one['name']}.jpg", data)).status_code == 200
        assert len(client.get(f"/{one['thumbnail']}").content) < 60_000


def test_a_server_that_has_just_begun_says_that_it_is_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    import misbehaving

    monkeypatch.setattr(desk, "_warm", misbehaving.wait)
    with TestClient(http.make_app(workers=1), "http://localhost") as client:
        assert client.get("/health").json()["status"] == "starting"
        wait_until(lambda: client.get("/health").json()["status"] == "ok")


def test_openapi_has_types_and_examples(client: TestClient) -> None:
    told = client.get("/openapi.json").json()
    upload = told["paths"]["/predict"]["post"]
    assert "multipart/form-data" in upload["requestBody"]["content"]
    assert {"200", "400", "413", "415", "422", "503"} <= set(upload["responses"])
    example = told["components"]["schemas"]["PageAnswer"]["examples"][0]
    schema.PageAnswer.model_validate(example)


def test_the_page_runs_its_own_script_alone_and_loads_nothing_from_elsewhere(client: TestClient) -> None:
    told = client.get("/")
    policy = told.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    outside = [part for part in told.text.split('"') if part.startswith(("http:", "https:", "//"))]
    assert outside == ["http://www.w3.org/2000/svg"], "a name, which nobody fetches"
    assert "Research use only, not a medical device" in told.text


# --- many at once, and what goes wrong -----------------------------------------------------------------------


def test_a_full_house_says_503_and_when_to_ask_again(page: bytes) -> None:
    with TestClient(
        http.make_app(workers=1, limits=Limits(places_per_worker=1)), "http://localhost"
    ) as client:
        statuses: list[int] = []

        def ask() -> None:
            told = sent(client, ("page.jpg", page))
            statuses.append(told.status_code)
            if told.status_code == 503:
                assert int(told.headers["retry-after"]) >= 1

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(statuses) == {200, 503}
        assert sent(client, ("page.jpg", page)).status_code == 200


command = command_of("serve")


def test_it_does_not_start_with_a_model_that_was_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((Path(leadwise.__file__).parent / "resources" / "student12.onnx").read_bytes())
    data[1000] ^= 1
    (tmp_path / "changed.onnx").write_bytes(data)
    assert command(monkeypatch, "--model", tmp_path / "changed.onnx", "--port", 0) == 2
    assert "checksum is missing or wrong" in capsys.readouterr().err
    with pytest.raises(WeightsError):
        http.make_app(tmp_path / "changed.onnx")


def test_a_port_in_use_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert command(monkeypatch, "--port", port) == 2
    assert f"127.0.0.1:{port}: the port is in use" in capsys.readouterr().err


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(InputError, match="Name another --host"):
        listen("192.0.2.1", 0)


def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(
        sys.modules, "leadwise.serving.http.connections", raising=False
    )  # it may be there by now
    assert command(monkeypatch, "--port", 0) == 2
    assert "pip install 'leadwise[serve]'" in capsys.readouterr().err


def test_serve_needs_no_torch_and_a_client_that_leaves_is_forgotten(page: bytes, served: str) -> None:
    host, port = served.removeprefix("http://").split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(
                b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                b"Content-Length: 500000\r\n\r\n--b\r\n" + bytes(1000)
            )
    import httpx2

    give_up = time.monotonic() + 20
    while httpx2.get(f"{served}/health").json()["in_work"]:
        assert time.monotonic() < give_up, "places of clients that left stay taken"
        time.sleep(0.1)
    told = httpx2.post(f"{served}/predict", files={"file": ("page.jpg", page)}, timeout=60)
    assert told.json()["kind"] == "page"
    assert json.loads(told.content)["label"] == "normal"


def test_serving_imports_no_torch() -> None:
    import subprocess

    script = "import sys, leadwise.serving.http.app, leadwise.serving.http.jobs; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", script], text=True).split())
    assert not {"torch", "pandas", "sklearn", "matplotlib", "transformers", "onnx", "timm"} & loaded
