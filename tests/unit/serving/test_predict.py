"""A page in, an answer out; and everything else that people drop on a program."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import costly_files
import cv2
import misbehaving
import numpy as np
import pypdfium2
import pytest
from command_line import command_of
from PIL import Image
from read_pages import pdf_of_6x2

import leadwise
from leadwise.drawing import made as made_pages
from leadwise.errors import DoubtfulPage, Lost, MissingInput, UnreadablePage, WeightsError
from leadwise.models.onnx_file import EMPTY_SEAL, is_sealed, sealed
from leadwise.names import CLASSES, LEADS
from leadwise.pages.digitize import Signals, digitize
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import read_page
from leadwise.serving import batch, gate, predict_within_limits
from leadwise.serving.digitised import Digitised
from leadwise.serving.known_form import read_known_form
from leadwise.serving.model import load_model
from leadwise.serving.predict import predict
from leadwise.sets.catalogue import shipped
from leadwise.sets.sample import unpack_sample
from leadwise.workers import Limits, Workers

MODEL = Path(leadwise.__file__).parent / "resources" / "student12.onnx"


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    return unpack_sample(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def pages(sample: Path) -> list[Path]:
    """Five pages, of every class."""
    return [min(folder.glob("*.jpg")) for folder in sorted(sample.iterdir()) if folder.is_dir()] + [
        max(sample.rglob("*.jpg"))
    ]


@pytest.fixture(scope="module")
def read(pages: list[Path]) -> tuple[np.ndarray, np.ndarray, Signals]:
    page = read_page(pages[0])
    leads = cut_leads(page, find_layout(page))
    return leads.crops, leads.strip, digitize(leads)


command = command_of("predict")


# --- one page ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", ["at an angle", "turned by 9 degrees"])
def test_a_page_on_a_table_is_answered_as_the_flat_one_and_says_so(pages: list[Path], seen: str) -> None:
    page = read_page(pages[0])
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    if seen == "at an angle":
        there = corners + np.array([[110, 60], [-70, 0], [0, 0], [0, -50]])
    else:
        there = corners @ np.array([[0.988, 0.156], [-0.156, 0.988]])
    there = (there - there.min(axis=0) + 150).astype(np.float32)
    size = [int(each) + 150 for each in there.max(axis=0)]
    photograph = cv2.warpPerspective(
        page, cv2.getPerspectiveTransform(corners, there), size, borderValue=(60, 80, 110)
    )
    flat, answer = leadwise.predict(pages[0]), predict(cv2.imencode(".png", photograph)[1].tobytes())
    assert isinstance(answer, leadwise.Answer), answer
    assert answer.label == flat.label
    assert answer.probabilities == pytest.approx(flat.probabilities, abs=0.1)
    assert any("laid flat" in warning for warning in answer.warnings)


def test_a_page_is_answered_with_probabilities_leads_signals_and_quality(pages: list[Path]) -> None:
    answer = leadwise.predict(str(pages[0]))
    assert tuple(answer.probabilities) == CLASSES
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert answer.label == max(answer.probabilities, key=lambda name: answer.probabilities[name])
    assert answer.boxes.shape == (13, 4, 2)
    assert answer.signals.leads.shape == (12, 625)
    assert min(answer.quality.leads.values()) > 0.9
    assert answer.model.protocol == "grouped"
    assert answer.model.data_fingerprint
    assert "medical device" in answer.lines()[-1]


def test_the_heart_rate_is_the_printed_one(sample: Path) -> None:
    printed = shipped().set_index("path")["heart_rate_bpm"]
    paths = [
        path for path in sorted(sample.rglob("*.jpg")) if path.relative_to(sample).as_posix() in printed.index
    ]
    off = [
        abs(leadwise.predict(path).heart_rate_bpm - printed[path.relative_to(sample).as_posix()])
        for path in paths[::6]
    ]
    assert len(off) >= 5
    assert np.median(off) <= 3


def test_the_bytes_of_a_file_are_answered_as_the_file(pages: list[Path]) -> None:
    by_path, by_bytes = leadwise.predict(pages[1]), leadwise.predict(pages[1].read_bytes())
    assert by_path.probabilities == by_bytes.probabilities
    assert by_bytes.file == "page"


def test_an_answer_shows_itself_and_says_what_it_is_not(pages: list[Path]) -> None:
    answer = leadwise.predict(pages[2])
    shown = answer._repr_html_()
    assert "data:image/png;base64," in shown
    assert "not a medical device" in shown
    picture = answer.picture()
    assert picture.shape[0] > answer.page.shape[0]
    assert picture.shape[1] == answer.page.shape[1]
    blue = (np.abs(picture.astype(int) - (178, 114, 0)).sum(axis=2) < 12).sum()
    assert blue > 5000, "boxes are drawn"


def test_predict_needs_neither_torch_nor_what_only_training_needs(pages: list[Path]) -> None:
    script = f"import sys, leadwise; print(leadwise.predict({str(pages[0])!r}).label, *sys.modules)"
    label, *loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    assert label in CLASSES
    heavy = {
        "torch",
        "pandas",
        "sklearn",
        "matplotlib",
        "transformers",
        "safetensors",
        "onnx",
        "timm",
        "rapidocr",
    }
    assert not heavy & set(loaded)


# --- files of every kind -------------------------------------------------------------------------------------


@pytest.fixture
def pdf(pages: list[Path], tmp_path: Path) -> Path:
    path = tmp_path / "page.pdf"
    with Image.open(pages[0]) as image:
        image.save(path, "PDF", resolution=200.0)
    return path


def test_the_first_page_of_a_pdf_is_read_at_its_pictures_scale(pdf: Path, pages: list[Path]) -> None:
    in_pdf, as_given = read_page(pdf), read_page(pages[0])
    assert np.abs(np.array(in_pdf.shape) - as_given.shape).max() <= 2
    told, expected = leadwise.predict(pdf), leadwise.predict(pages[0])
    assert told.label == expected.label
    assert told.heart_rate_bpm == pytest.approx(expected.heart_rate_bpm, abs=3)


def test_a_blank_or_damaged_pdf_is_refused(pdf: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pdf"
    document = pypdfium2.PdfDocument.new()
    document.new_page(595, 842)
    document.save(empty)
    document.close()
    with pytest.raises(UnreadablePage, match="page 1 of this PDF is blank"):
        leadwise.predict(empty)
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(b"%PDF-1.7\n" + os.urandom(500))
    with pytest.raises(UnreadablePage, match="cannot be opened"):
        leadwise.predict(damaged)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_other_formats_are_answered_as_the_jpeg(pages: list[Path], tmp_path: Path, suffix: str) -> None:
    with Image.open(pages[0]) as image:
        image.save(tmp_path / f"page.{suffix}", lossless=True)
    told = leadwise.predict(tmp_path / f"page.{suffix}").probabilities
    assert told == pytest.approx(leadwise.predict(pages[0]).probabilities, abs=0.02)


def test_what_is_no_picture_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for name, data in {
        "empty.jpg": b"",
        "text.jpg": b"Dear Sir or Madam",
        "half.png": b"\x89PNG\r\n\x1a\n123",
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadablePage, match=name):
            leadwise.predict(tmp_path / name)


def test_a_page_of_another_form_gets_its_leads_no_class_and_its_own_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = tmp_path / "exam.pdf"
    exam.write_bytes(pdf_of_6x2())
    answer = predict(exam)
    assert isinstance(answer, Digitised)
    assert answer.label is None
    assert set(answer.signals.leads) == set(LEADS)
    assert command(monkeypatch, exam) == 1
    told = capsys.readouterr().out
    assert "no class: the models learned from pages of one form, and this is another" in told
    assert "12 leads, 10 s; form 6x2" in told
    assert command(monkeypatch, exam, "--csv") == 1
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["label"], row["refused"]) == ("", "")
    assert row["warnings"].startswith("no class:")


# --- the gate ------------------------------------------------------------------------------------------------


def test_a_page_upside_down_gets_its_class_and_is_told_how_it_lies(pages: list[Path], tmp_path: Path) -> None:
    turned = cv2.rotate(read_page(pages[0]), cv2.ROTATE_180)
    cv2.imwrite(str(tmp_path / "turned.png"), turned)
    answer = predict(tmp_path / "turned.png")
    assert answer.label == predict(pages[0]).label
    assert any("set upright" in text for text in answer.warnings)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("the form, blank", "too little of a trace"),
        ("the form, flat lines", "flat lines"),
        ("the form, noise", "I \\+ III is not II"),
        ("the form, sine waves", "I \\+ III is not II"),
        ("the form, one lead twelve times", "I \\+ III is not II"),
    ],
)
def test_the_known_form_without_a_heart_on_it_is_refused(
    read: tuple[np.ndarray, np.ndarray, Signals], kind: str, why: str
) -> None:
    page = made_pages.KINDS[kind](read[2].leads, np.random.default_rng(1))
    with pytest.raises(DoubtfulPage, match=why):
        read_known_form(page)


def test_a_strip_that_repeats_no_lead_is_refused(read: tuple[np.ndarray, np.ndarray, Signals]) -> None:
    crops, strip, signals = read
    other = Signals(signals.leads, np.random.default_rng(0).normal(size=2500).astype(np.float32))
    with pytest.raises(DoubtfulPage, match="repeats none of the leads"):
        gate.refuse_doubtful(gate.look_at(crops, strip, other))


def test_limits_leave_room_beyond_the_worst_page(read: tuple[np.ndarray, np.ndarray, Signals]) -> None:
    quality = gate.look_at(*read)
    limits = gate.Limits.of([quality])
    assert not limits.broken_by(quality)
    assert limits.off == pytest.approx(1.3 * quality.einthoven_off)
    assert gate.Limits(ink=1.01, alike=0, off=9).broken_by(quality)


def test_what_is_unlike_the_training_pages_is_warned_of(read: tuple[np.ndarray, np.ndarray, Signals]) -> None:
    quality = gate.look_at(*read)
    assert not gate.warnings_of(quality, 1.0, 10.0)
    (said,) = gate.warnings_of(quality, 11.0, 10.0)
    assert "unlike the training pages" in said


# --- the model file ------------------------------------------------------------------------------------------


def test_the_shipped_model_is_small_and_whole() -> None:
    assert MODEL.stat().st_size < 1e6
    assert is_sealed(MODEL.read_bytes())
    assert load_model().info.classes == CLASSES


def test_a_tampered_model_is_refused(tmp_path: Path, pages: list[Path]) -> None:
    data = bytearray(MODEL.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "tampered.onnx").write_bytes(data)
    with pytest.raises(WeightsError, match="checksum is missing or wrong"):
        leadwise.predict(pages[0], model=tmp_path / "tampered.onnx")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", "0", "a model of format 0"),
        ("leads", "II,I,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6", "pages that are read otherwise"),
        ("signal_hz", "100", "pages that are read otherwise"),
        ("far", "wide", "metadata cannot be read"),
        ("views", "ink", "metadata cannot be read"),
    ],
)
def test_a_model_made_for_other_input_is_refused(tmp_path: Path, key: str, value: str, said: str) -> None:
    import onnx

    model = onnx.load(MODEL)
    for entry in model.metadata_props:
        if entry.key == key:
            entry.value = value
        if entry.key == "seal":
            entry.value = EMPTY_SEAL
    (tmp_path / "other.onnx").write_bytes(sealed(model.SerializeToString()))
    with pytest.raises(WeightsError, match=said):
        load_model(tmp_path / "other.onnx")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file"):
        load_model(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model", encoding="utf-8")
    with pytest.raises(WeightsError, match="checksum"):
        load_model(tmp_path / "text.onnx")
    (tmp_path / "sealed.onnx").write_bytes(sealed(b"no model, " + EMPTY_SEAL.encode()))
    with pytest.raises(WeightsError, match="onnxruntime cannot load it"):
        load_model(tmp_path / "sealed.onnx")


def test_a_checksum_has_one_place() -> None:
    with pytest.raises(ValueError, match="place"):
        sealed(b"nothing here")
    data = sealed(b"before " + EMPTY_SEAL.encode() + b" after")
    assert is_sealed(data)
    assert not is_sealed(data + b".")
    assert not is_sealed(data + data)


# --- many files ----------------------------------------------------------------------------------------------


def test_one_bad_file_does_not_stop_the_others(
    pages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, page in enumerate(pages):
        shutil.copy(page, tmp_path / f"page {number}.jpg")
    (tmp_path / "page 2b.jpg").write_text("no picture", encoding="utf-8")
    assert command(monkeypatch, tmp_path, "--json") == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(one["file"]).name for one in told] == [
        "page 0.jpg", "page 1.jpg", "page 2.jpg", "page 2b.jpg", "page 3.jpg", "page 4.jpg",
    ]  # fmt: skip
    assert [one["file"] for one in told if "refused" in one] == [str(tmp_path / "page 2b.jpg")]
    assert told[0]["probabilities"].keys() == set(CLASSES)
    assert len(told[0]["boxes_px"]) == 13


def test_many_pages_are_read_by_several_processes_in_their_order(pages: list[Path]) -> None:
    asked = [pages[i % len(pages)] for i in range(9)]
    told = list(batch.answer_all(asked, cores=2))
    assert [one.file for one in told] == asked
    alone = batch.answer_all(asked[:1], cores=1)
    assert told[0].answer == next(alone).answer


def test_a_table_has_a_row_a_page(
    pages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, pages[0], pages[1], "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [str(pages[0]), str(pages[1])]
    assert sum(float(rows[0][f"prob_{name}"]) for name in CLASSES) == pytest.approx(1, abs=1e-3)
    assert rows[0]["refused"] == ""


def test_the_answer_is_drawn_on_the_page(
    pages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, pages[0], "--overlay", tmp_path / "answer.png") == 0
    assert "Research use only, not a medical device" in capsys.readouterr().out
    with Image.open(tmp_path / "answer.png") as image:
        assert image.width == 2213
    assert command(monkeypatch, pages[0], pages[1], "--overlay", tmp_path / "answers") == 0
    assert len(list((tmp_path / "answers").glob("*.png"))) == 2


def test_pages_of_one_name_do_not_overwrite_each_others_pictures(tmp_path: Path) -> None:
    targets = batch.picture_targets([Path("a/x.jpg"), Path("b/x.jpg"), Path("x-2.png")], tmp_path / "out")
    assert [target.name for target in targets] == ["x-answer.png", "x-answer-2.png", "x-2-answer.png"]


def test_a_folder_that_is_there_takes_pictures_though_a_dot_stands_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "v.2").mkdir()
    targets = batch.picture_targets([Path("x.jpg")], tmp_path / "v.2")
    assert targets == [tmp_path / "v.2" / "x-answer.png"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.jpg",), "none.jpg: no such file"),
        (("empty",), "no page and no record in this folder"),
        (("a.jpg", "--json", "--csv"), "exclude each other"),
        (("a.jpg", "--overlay", "none/answer.png"), "there is no folder"),
        (("a.jpg", "--overlay", "answer.txt"), "must end in .png or .jpg"),
        (("a.jpg", "b.jpg", "--overlay", "answer.png"), "names a folder, not a file"),
        (("a.jpg", "--overlay", "a.jpg"), "that is the file itself"),
        (("a.jpg", "--model", "none.onnx"), "none.onnx: No such file"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_page_is_read(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    assert command(monkeypatch, *arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.strip().splitlines()) == 1


def test_the_largest_page_is_drawn_within_the_limits(pages: list[Path], tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(costly_files.large_page(pages[0].read_bytes()))
    (told,) = batch.answer_all([tmp_path / "page.jpg"], targets=[tmp_path / "answer.png"])
    assert (told.why, told.undrawn) == ("", "")
    with Image.open(tmp_path / "answer.png") as image:
        assert image.width == 8300


def test_a_picture_that_takes_too_much_memory_is_told_as_that(
    pages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = predict(pages[0])
    monkeypatch.setattr(batch, "written_whole", lambda _: contextlib.nullcontext(tmp_path / "aside.png"))
    monkeypatch.setattr(type(answer), "picture", lambda _: np.ones(10**15))
    assert "more memory than one file may take" in batch._draw(answer, tmp_path / "answer.png")


def test_a_picture_that_cannot_be_written_is_that_pages_own_trouble(
    pages: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "answer.png").mkdir()  # a folder stands where the picture should go
    (told,) = batch.answer_all([pages[0]], targets=[tmp_path / "answer.png"])
    assert "answer.png" in told.undrawn
    assert told.answer is not None
    assert told.why == ""


def test_one_missing_file_does_not_stop_the_others(
    pages: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "none.jpg", pages[0]) == 1
    told = capsys.readouterr()
    assert "none.jpg: No such file" in told.err
    assert "heart rate" in told.out


def test_a_folder_without_pages_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no page and no record in this folder"):
        batch.find_files([tmp_path])


# --- names are data ------------------------------------------------------------------------------------------


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-m", "leadwise", "predict", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, check=False, timeout=120, **more)


def test_a_page_may_come_on_standard_input(pages: list[Path], tmp_path: Path) -> None:
    told = run("-", "--json", input=pages[0].read_bytes(), cwd=tmp_path)
    answer = json.loads(told.stdout)
    assert (told.returncode, answer["file"], answer["label"]) == (0, "-", predict(pages[0]).label)
    assert list(tmp_path.iterdir()) == []
    by_name = run("/dev/stdin", "--json", input=pages[0].read_bytes(), cwd=tmp_path)
    assert by_name.stdout == told.stdout
    assert run("-", input=b"no page").stderr.decode().startswith("-: not an image that can be read")


def test_names_are_told_whatever_they_are(pages: list[Path], tmp_path: Path) -> None:
    names = [b"caf\xe9.jpg", b"\x1b]0;title\x07.jpg", "=1+1\u202e.jpg".encode(), b"two\nlines.jpg"]
    for name in names:
        os.link(pages[0], os.fsencode(tmp_path) + b"/" + name)
    told = run("--json", *(os.fsdecode(name) for name in names), cwd=tmp_path)
    lines = told.stdout.decode("utf-8").splitlines()  # or it would not be JSON
    assert [os.fsencode(json.loads(line)["file"]) for line in lines] == names
    table = run("--csv", *(os.fsdecode(name) for name in names), cwd=tmp_path).stdout.decode("utf-8")
    cells = [row[0] for row in csv.reader(io.StringIO(table))][1:]
    assert cells == [r"caf\xe9.jpg", r"\x1b]0;title\x07.jpg", r"'=1+1\u202e.jpg", r"two\nlines.jpg"]
    plain = run(*(os.fsdecode(name) for name in names), cwd=tmp_path).stdout
    for output in (told.stdout, table.encode(), plain):
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae", output)


def test_pictures_of_many_pages_of_one_name_are_named_in_a_moment(tmp_path: Path) -> None:
    pages = [tmp_path / str(number) / "page.jpg" for number in range(2_000)]
    tried = []

    class Counted(type(tmp_path)):  # type: ignore[misc]
        def __truediv__(self, name: str) -> Path:
            tried.append(name)
            return super().__truediv__(name)

    targets = batch.picture_targets(pages, Counted(tmp_path / "out"))
    assert len(set(targets)) == len(pages)
    assert len(tried) < 2 * len(pages)


def test_a_picture_never_goes_through_a_link(pages: list[Path], tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious", encoding="utf-8")
    for name in (".answer.png.part.png", "answer.png"):
        (tmp_path / name).symlink_to(tmp_path / "victim")
    assert run(pages[0], "--overlay", tmp_path / "answer.png").returncode == 0
    assert (tmp_path / "victim").read_text(encoding="utf-8") == "precious"
    assert (tmp_path / "answer.png").read_bytes().startswith(b"\x89PNG")


def test_one_bad_file_costs_a_folder_its_deadline_and_no_more(pages: list[Path], tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(costly_files.nested_forms())
    for name in ("a.jpg", "c.jpg"):
        shutil.copy(pages[0], tmp_path / name)
    first, lost, last = batch.answer_all(batch.find_files([tmp_path]), limits=Limits(30.0, 600_000_000))
    assert first.answer is not None
    assert last.answer is not None
    assert lost.why.startswith("given up: ")


def test_python_has_the_same_limits(pages: list[Path], tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(costly_files.nested_forms())
    assert leadwise.predict(pages[0]).label == predict(pages[0]).label
    with pytest.raises(Lost):
        leadwise.predict(tmp_path / "b.pdf", limits=Limits(30.0, 600_000_000))
    with pytest.raises(UnreadablePage, match=r"no_such\.jpg: No such file"):
        leadwise.predict("no_such.jpg")


def test_threads_that_ask_first_at_once_share_a_process(
    pages: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Workers[Any, Any]] = []

    def workers(*given: Any, **more: Any) -> Workers[Any, Any]:
        made.append(Workers(*given, **more))
        return made[-1]

    monkeypatch.setattr(predict_within_limits, "Workers", workers)
    limits = Limits(19.0)  # with which nobody has asked yet
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda page: leadwise.predict(page, limits=limits), pages[:4]))
    for one in made:
        one.close()
    assert [answer.file for answer in answers] == list(map(str, pages[:4]))
    assert len(made) == 1


def test_after_ctrl_c_the_next_call_does_not_wait_for_the_file_that_was_being_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(predict_within_limits, "_answered", misbehaving.named)
    limits = Limits(61.0)  # with which nobody else asks
    assert leadwise.predict("one", limits=limits) == "one"
    interrupt = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        leadwise.predict("sleep", limits=limits)
    begun = time.monotonic()
    assert leadwise.predict("two", limits=limits) == "two"
    assert time.monotonic() - begun < 20
    predict_within_limits._workers.pop((limits, os.getpid())).close()


def test_what_is_no_file_in_a_folder_is_refused_and_not_passed_over(
    pages: list[Path], tmp_path: Path
) -> None:
    shutil.copy(pages[0], tmp_path / "a.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    special = costly_files.special(tmp_path)[:2]
    whys = {one.file.name: one.why for one in batch.answer_all(batch.find_files([tmp_path]))}
    assert whys == {
        "a.jpg": "",
        "gone.jpg": "No such file or directory.",
        **{path.name: "not a regular file. Copy what it gives into one." for path in special},
    }


def test_a_folder_that_may_not_be_looked_into_is_told(
    pages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root, as whom tests may run, is refused nothing."""
    (tmp_path / "shut").mkdir()
    shutil.copy(pages[0], tmp_path / "a.jpg")
    look = os.scandir

    def refusing(path: Any) -> Any:
        if str(path) == str(tmp_path / "shut"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert batch.find_files([tmp_path]) == [tmp_path / "a.jpg", tmp_path / "shut"]
    with pytest.raises(UnreadablePage, match="shut: Permission denied"):
        read_page(tmp_path / "shut")
