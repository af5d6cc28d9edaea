"""Answers for many pages and recordings at once: every core has one, and a bad file does not stop the others."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2

from leadwise.errors import InputError, MissingInput
from leadwise.files import files_below, must_be_writable, written_whole
from leadwise.names import printable
from leadwise.pages.read import PAGE_SUFFIXES
from leadwise.recordings.annotations import Annotations, write_annotations
from leadwise.recordings.files import header_beside, is_recording
from leadwise.serving.digitised import Digitised
from leadwise.serving.long_recordings import more_seconds
from leadwise.serving.model import load_beat_model, load_model, load_rhythm_model
from leadwise.serving.predict import Answer, predict
from leadwise.serving.predict_recording import RecordingAnswer
from leadwise.workers import LIMITS, TOO_LARGE, Limits, each

STDIN = Path("-")
"""Stands for a page that came on standard input."""

FOUND_SUFFIXES = PAGE_SUFFIXES | {".hea", ".edf", ".dcm"}
"""What is answered of a folder."""


@dataclass(frozen=True)
class Outcome:
    """What came of one file: the answer as JSON has it and as lines of text, or why there is none.

    `rows` are its rows in a table, by column, where they were asked for; `undrawn` says why there is an answer and no
    picture of it, `unwritten` why no annotations.
    """

    file: Path
    answer: dict[str, Any] | None = None
    lines: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    why: str = ""
    undrawn: str = ""
    unwritten: str = ""

    @property
    def has_no_class(self) -> bool:
        """Whether a page's leads were read and no more."""
        return self.answer is not None and self.answer.get("kind") == "digitised"

    def json_line(self) -> str:
        """The answer in one line of JSON, or ``file`` and ``refused``."""
        answer = self.answer or {"file": str(self.file), "refused": self.why}
        text = json.dumps(answer, ensure_ascii=False)
        # a name may be no UTF-8, or command a terminal
        return text if text.isprintable() else json.dumps(answer)

    def csv_lines(self, columns: Sequence[str]) -> str:
        """Its rows as lines of CSV: a page's one row, a recording's beats, or why it was refused."""
        return csv_lines(columns, [{"file": self.file, "refused": self.why}] if self.why else self.rows)


def page_columns(classes: Sequence[str]) -> tuple[str, ...]:
    """Of a table of pages: the classes are the model's."""
    shares = (f"prob_{name}" for name in classes)
    return ("file", "label", *shares, "heart_rate_bpm", "einthoven_off", "warnings", "refused")


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as lines of CSV, each with its end; no text in them commands a terminal or a spreadsheet.

    A spreadsheet runs what begins with one of ``= + - @``, so ``'`` is put before it (OWASP, "CSV injection").
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writerows({name: _plain(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


def _plain(cell: Any) -> Any:
    if not isinstance(cell, str | Path):
        return cell
    text = printable(str(cell))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def find_files(paths: Iterable[Path], suffixes: frozenset[str] = FOUND_SUFFIXES) -> list[Path]:
    """The files given, and all of these suffixes below the folders given, in order, each once.

    A path that is not there stays in the list, and is refused when it is read. Raises `MissingInput` for a folder
    without any, and where none of the paths is there.
    """
    what = "no page and no record" if ".hea" in suffixes else "no page"
    files: dict[Path, None] = {}
    paths = list(paths)
    if not any(path == STDIN or path.exists() or is_recording(path) for path in paths):
        raise MissingInput(f"{paths[0]}: no such file.")
    for path in paths:
        if path != STDIN and path.is_dir():
            closed: dict[Path, str] = {}
            inside = [one for one in files_below(path, closed) if one.suffix.lower() in suffixes]
            inside += closed  # which are refused with the reason
            if not inside:
                raise MissingInput(
                    f"{path}: {what} in this folder or below it ({', '.join(sorted(suffixes))})."
                )
            files.update(dict.fromkeys(inside))
        else:
            files[path] = None
    return list(files)


def picture_targets(pages: Sequence[Path], out: Path) -> list[Path]:
    """Where each file's picture goes: `out` itself for one file, else into the folder `out`, named after its file.

    Raises `InputError` where that cannot be written.
    """
    if len(pages) == 1 and not out.is_dir():
        if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise InputError(f"{out}: the picture's name must end in .png or .jpg.")
        must_be_writable(out.absolute())
        if out.resolve() == pages[0].resolve():
            raise InputError(f"{out}: that is the file itself. Name another file for its picture.")
        return [out]
    if out.suffix and not out.is_dir():
        raise InputError(f"{out}: with several files, --overlay names a folder, not a file.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}. Name another folder for --overlay.") from error
    must_be_writable(out / "picture.png")
    sources = {page.resolve() for page in pages}
    targets: dict[Path, None] = {}
    numbers: Counter[str] = Counter()  # so that many pages of one name are not all tried again
    for page in pages:
        while True:
            numbers[page.stem] += 1
            number = f"-{numbers[page.stem]}" if numbers[page.stem] > 1 else ""
            target = out / f"{page.stem}-answer{number}.png"
            if target not in targets and target.resolve() not in sources:
                break
        targets[target] = None
    return list(targets)


def answer_all(
    files: Sequence[Path],
    *,
    model: Path | None = None,
    beat_model: Path | None = None,
    targets: Sequence[Path] = (),
    cores: int = 1,
    limits: Limits = LIMITS,
    contents: Mapping[Path, bytes] = MappingProxyType({}),
    page: int | None = None,
    atr: str | None = None,
    rows: bool = False,
) -> Iterator[Outcome]:
    """Answer for files in their order, `cores` at a time; with `targets` also draw each one's picture.

    With `atr` beats of recordings are also written beside them as WFDB annotations, by an annotator of that name;
    with `rows` answers have their rows in a table.

    `model` is for pages, `beat_model` for recordings; `contents` holds the bytes of files that lie nowhere, such
    as `STDIN`; `page` is that of files of several (None: the first that is an ECG page). A file that takes more than
    `limits` (a long recording has more time) is refused as others are.
    Raises `WeightsError`, before the first, where one that is needed cannot be loaded.
    """
    kinds = frozenset(map(is_recording, files))
    tasks = [
        _Task(file, target, contents.get(file)) for file, target in itertools.zip_longest(files, targets)
    ]
    return each(
        partial(_answered, model, beat_model, page, atr, rows),
        tasks,
        lambda task, why: Outcome(
            task.file, why=why.removeprefix("page: " if task.data else f"{task.file}: ")
        ),
        cores,
        limits,
        partial(_load, kinds, model, beat_model),
        lambda task: more_seconds(task.file),
    )


class _Task(NamedTuple):
    file: Path
    target: Path | None
    data: bytes | None


def _load(kinds: frozenset[bool], model: Path | None, beat_model: Path | None) -> None:
    if False in kinds:
        load_model(model)
    if True in kinds:
        load_beat_model(beat_model)
    load_rhythm_model()


def _answered(
    model: Path | None, beat_model: Path | None, page: int | None, atr: str | None, rows: bool, task: _Task
) -> Outcome:
    own_model = beat_model if is_recording(task.file) else model
    answer = predict(task.file if task.data is None else task.data, model=own_model, page=page)
    answer = dataclasses.replace(answer, file=str(task.file))
    undrawn = _draw(answer, task.target) if task.target is not None else ""
    unwritten = _write_annotations(answer, atr) if atr and isinstance(answer, RecordingAnswer) else ""
    table = tuple(answer.rows()) if rows else ()
    return Outcome(
        task.file, answer.as_json(), tuple(answer.lines()), table, undrawn=undrawn, unwritten=unwritten
    )


def _write_annotations(answer: RecordingAnswer, annotator: str) -> str:
    """Write a recording's beats beside it; why that could not be."""
    header = header_beside(Path(answer.file))
    target = header.with_name(f"{header.stem}.{annotator}")
    if target.exists():
        return f"{target}: is there already. Name another annotator, or remove it."
    try:
        marks = Annotations(answer.samples, answer.labels)
        write_annotations(marks, target, answer.rate_hz, answer.changes())
    except OSError as error:
        return f"{target}: {error.strerror or error}"
    return ""


def _draw(answer: Answer | Digitised | RecordingAnswer, target: Path) -> str:
    """Write an answer's picture; why it could not be."""
    try:
        with written_whole(target) as aside:
            aside.write_bytes(cv2.imencode(target.suffix, answer.picture())[1].tobytes())
    except MemoryError:
        return f"{target}: {TOO_LARGE}"
    except (OSError, cv2.error) as error:
        return f"{target}: {getattr(error, 'strerror', None) or error}"
    return ""
