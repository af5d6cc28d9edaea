"""Answers for many pages at once: every core has one, and a bad file does not stop the others."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from leadwise.errors import InputError, LeadwiseError, MissingInput
from leadwise.files import natural, written_whole
from leadwise.pages.read import IMAGE_SUFFIXES
from leadwise.parallel import in_processes
from leadwise.serving.model import load_model
from leadwise.serving.predict import Answer, predict

_FEW = 8  # so few pages are answered before other processes have started

PAGE_SUFFIXES = IMAGE_SUFFIXES | {".pdf"}


@dataclass(frozen=True)
class Told:
    """What came of one file: the answer as JSON has it and as lines of text, or why there is none.

    `undrawn` says why there is an answer and no picture of it.
    """

    file: Path
    answer: dict[str, Any] | None = None
    lines: tuple[str, ...] = ()
    why: str = ""
    undrawn: str = ""

    def json_line(self) -> str:
        """The answer in one line of JSON, or ``file`` and ``refused``."""
        told = self.answer or {"file": str(self.file), "refused": self.why}
        return json.dumps(told, ensure_ascii=False)

    def csv_line(self, classes: Sequence[str]) -> str:
        """A row under `csv_head`."""
        told = self.answer or {"probabilities": {}, "quality": {}, "warnings": []}
        shares = [told["probabilities"].get(name, "") for name in classes]
        cells = [
            self.file, told.get("label", ""), *shares, told.get("heart_rate_bpm", ""),
            told["quality"].get("einthoven_off", ""), "; ".join(told["warnings"]), self.why,
        ]  # fmt: skip
        return _csv(cells)


def csv_head(classes: Sequence[str]) -> str:
    """The names of a table's columns: the classes are the model's."""
    shares = (f"prob_{name}" for name in classes)
    return _csv(["file", "label", *shares, "heart_rate_bpm", "einthoven_off", "warnings", "refused"])


def find_pages(given: Iterable[Path]) -> list[Path]:
    """The files given, and all pictures and PDFs below the folders given, in natural order, each once.

    A path that is not there stays in the list, and is refused when it is read. Raises `MissingInput` for a folder
    without any, and where none of the paths is there.
    """
    found: dict[Path, None] = {}
    given = list(given)
    if not any(path.exists() for path in given):
        raise MissingInput(f"{given[0]}: no such file.")
    for path in given:
        if path.is_dir():
            inside = sorted((p for p in path.rglob("*") if _is_page(p)), key=lambda p: natural(p.as_posix()))
            if not inside:
                raise MissingInput(
                    f"{path}: no page in this folder or below it ({', '.join(sorted(PAGE_SUFFIXES))})."
                )
            found.update(dict.fromkeys(inside))
        else:
            found[path] = None
    return list(found)


def picture_targets(pages: Sequence[Path], out: Path) -> list[Path]:
    """Where each page's picture goes: `out` itself for one page, else into the folder `out`, named after its page.

    Raises `InputError` where that cannot be written.
    """
    if len(pages) == 1 and not out.is_dir():
        if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
            raise InputError(f"{out}: the picture's name must end in .png or .jpg.")
        _must_be_writable(out.absolute().parent)
        if out.resolve() == pages[0].resolve():
            raise InputError(f"{out}: that is the page itself. Name another file for its picture.")
        return [out]
    if out.suffix:
        raise InputError(f"{out}: with several pages, --overlay names a folder, not a file.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}. Name another folder for --overlay.") from error
    _must_be_writable(out)
    given = {page.resolve() for page in pages}
    targets: dict[Path, None] = {}
    for page in pages:
        stem, number = f"{page.stem}-answer", 2
        while (target := out / f"{stem}.png") in targets or target.resolve() in given:
            stem, number = f"{page.stem}-answer-{number}", number + 1
        targets[target] = None
    return list(targets)


def answer_all(
    pages: Sequence[Path], *, model: Path | None = None, targets: Sequence[Path] = (), cores: int = 1
) -> Iterator[Told]:
    """Answer for pages in their order, `cores` at a time; with `targets` also draw each one's picture.

    Raises `WeightsError`, before the first, where the model cannot be loaded.
    """
    load_model(model)
    tasks = list(itertools.zip_longest(pages, targets))
    return in_processes(partial(_answered, model), tasks, cores if len(tasks) >= _FEW else 1)


def _answered(model: Path | None, task: tuple[Path, Path | None]) -> Told:
    page, target = task
    try:
        answer = predict(page, model=model)
    except LeadwiseError as error:
        return Told(page, why=str(error).removeprefix(f"{page}: "))
    except Exception as error:
        return Told(page, why=f"an error of leadwise, please report it ({type(error).__name__}: {error})")
    undrawn = _draw(answer, target) if target is not None else ""
    return Told(page, answer.as_json(), tuple(answer.lines()), undrawn=undrawn)


def _draw(answer: Answer, target: Path) -> str:
    """Write an answer's picture; why it could not be."""
    try:
        with written_whole(target) as aside:
            aside.write_bytes(cv2.imencode(target.suffix, answer.picture())[1].tobytes())
    except (OSError, MemoryError, cv2.error) as error:
        return f"{target}: {getattr(error, 'strerror', None) or error}"
    return ""


def _is_page(path: Path) -> bool:
    return path.suffix.lower() in PAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _must_be_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder. Make it, or name another place for the picture."
        )
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder}: you may not write there. Name another place for the picture.")


def _csv(cells: Sequence[Any]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(cells)
    return row.getvalue()
