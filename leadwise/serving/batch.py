"""Answers for many pages and recordings at once: every core has one, and a bad file does not stop the others."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2

from leadwise.errors import InputError, MissingInput
from leadwise.files import files_below, written_whole
from leadwise.serving.model import load_beat_model, load_model
from leadwise.serving.predict import PAGE_SUFFIXES, Answer, predict
from leadwise.serving.predict_recording import BEAT_COLUMNS, RecordingAnswer, csv_line, is_recording
from leadwise.workers import LIMITS, TOO_LARGE, Limits, each

STDIN = Path("-")
"""Stands for a page that came on standard input."""

FOUND_SUFFIXES = PAGE_SUFFIXES | {".hea"}
"""What is answered of a folder."""


@dataclass(frozen=True)
class Told:
    """What came of one file: the answer as JSON has it and as lines of text, or why there is none.

    `rows` are a recording's lines in a table of beats; `undrawn` says why there is an answer and no picture of it.
    """

    file: Path
    answer: dict[str, Any] | None = None
    lines: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    why: str = ""
    undrawn: str = ""

    def json_line(self) -> str:
        """The answer in one line of JSON, or ``file`` and ``refused``."""
        told = self.answer or {"file": str(self.file), "refused": self.why}
        text = json.dumps(told, ensure_ascii=False)
        return (
            text if text.isprintable() else json.dumps(told)
        )  # a name may be no UTF-8, or command a terminal

    def csv_lines(self, classes: Sequence[str]) -> tuple[str, ...]:
        """Its rows: a recording's beats under `beats_head`, a page's one row under `csv_head`."""
        if is_recording(self.file):
            return (
                (csv_line([self.file, *[""] * (len(BEAT_COLUMNS) - 1), self.why]),) if self.why else self.rows
            )
        return (self._page_row(classes),)

    def _page_row(self, classes: Sequence[str]) -> str:
        told = self.answer or {"probabilities": {}, "quality": {}, "warnings": []}
        shares = [told["probabilities"].get(name, "") for name in classes]
        cells = [
            self.file, told.get("label", ""), *shares, told.get("heart_rate_bpm", ""),
            told["quality"].get("einthoven_off", ""), "; ".join(told["warnings"]), self.why,
        ]  # fmt: skip
        return csv_line(cells)


def csv_head(classes: Sequence[str]) -> str:
    """The names of a table's columns: the classes are the model's."""
    shares = (f"prob_{name}" for name in classes)
    return csv_line(["file", "label", *shares, "heart_rate_bpm", "einthoven_off", "warnings", "refused"])


def beats_head() -> str:
    """The names of the columns of a table of beats."""
    return csv_line([*BEAT_COLUMNS, "refused"])


def find_files(given: Iterable[Path]) -> list[Path]:
    """The files given, and all pictures, PDFs and headers of records below the folders given, in order, each once.

    A path that is not there stays in the list, and is refused when it is read. Raises `MissingInput` for a folder
    without any, and where none of the paths is there.
    """
    found: dict[Path, None] = {}
    given = list(given)
    if not any(path == STDIN or path.exists() or is_recording(path) for path in given):
        raise MissingInput(f"{given[0]}: no such file.")
    for path in given:
        if path != STDIN and path.is_dir():
            closed: dict[Path, str] = {}
            inside = [one for one in files_below(path, closed) if one.suffix.lower() in FOUND_SUFFIXES]
            inside += closed  # which are refused with the reason
            if not inside:
                raise MissingInput(
                    f"{path}: no page and no record in this folder or below it ({', '.join(sorted(FOUND_SUFFIXES))})."
                )
            found.update(dict.fromkeys(inside))
        else:
            found[path] = None
    return list(found)


def picture_targets(pages: Sequence[Path], out: Path) -> list[Path]:
    """Where each file's picture goes: `out` itself for one file, else into the folder `out`, named after its file.

    Raises `InputError` where that cannot be written.
    """
    if len(pages) == 1 and not out.is_dir():
        if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise InputError(f"{out}: the picture's name must end in .png or .jpg.")
        _must_be_writable(out.absolute().parent)
        if out.resolve() == pages[0].resolve():
            raise InputError(f"{out}: that is the file itself. Name another file for its picture.")
        return [out]
    if out.suffix:
        raise InputError(f"{out}: with several files, --overlay names a folder, not a file.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}. Name another folder for --overlay.") from error
    _must_be_writable(out)
    given = {page.resolve() for page in pages}
    targets: dict[Path, None] = {}
    numbers: Counter[str] = Counter()  # so that many pages of one name are not all tried again
    for page in pages:
        while True:
            numbers[page.stem] += 1
            number = f"-{numbers[page.stem]}" if numbers[page.stem] > 1 else ""
            target = out / f"{page.stem}-answer{number}.png"
            if target not in targets and target.resolve() not in given:
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
    stdin: bytes = b"",
) -> Iterator[Told]:
    """Answer for files in their order, `cores` at a time; with `targets` also draw each one's picture.

    `model` is for pages, `beat_model` for recordings; `stdin` is what stands for the file `STDIN`. A file that takes
    more than `limits` is refused as others are.
    Raises `WeightsError`, before the first, where one that is needed cannot be loaded.
    """
    kinds = frozenset(map(is_recording, files))
    tasks = [
        _Task(file, target, stdin if file == STDIN else None)
        for file, target in itertools.zip_longest(files, targets)
    ]
    return each(
        partial(_answered, model, beat_model),
        tasks,
        lambda task, why: Told(task.file, why=why.removeprefix("page: " if task.data else f"{task.file}: ")),
        cores,
        limits,
        partial(_load, kinds, model, beat_model),
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


def _answered(model: Path | None, beat_model: Path | None, task: _Task) -> Told:
    own_model = beat_model if is_recording(task.file) else model
    answer = predict(task.file if task.data is None else task.data, model=own_model)
    answer = dataclasses.replace(answer, file=str(task.file))
    undrawn = _draw(answer, task.target) if task.target is not None else ""
    rows = tuple(answer.beat_lines()) if isinstance(answer, RecordingAnswer) else ()
    return Told(task.file, answer.as_json(), tuple(answer.lines()), rows, undrawn=undrawn)


def _draw(answer: Answer | RecordingAnswer, target: Path) -> str:
    """Write an answer's picture; why it could not be."""
    try:
        with written_whole(target) as aside:
            aside.write_bytes(cv2.imencode(target.suffix, answer.picture())[1].tobytes())
    except MemoryError:
        return f"{target}: {TOO_LARGE}"
    except (OSError, cv2.error) as error:
        return f"{target}: {getattr(error, 'strerror', None) or error}"
    return ""


def _must_be_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder. Make it, or name another place for the picture."
        )
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: you may not write there. Name another place for the picture.")
