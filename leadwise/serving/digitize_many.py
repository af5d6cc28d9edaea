"""Leads of many pages at once: every core has one, its process writes the files, and a bad page stops no other.

A file may hold several ECGs. Its first is read with all files; then its other pages are, each by itself and within
the limits of one, so that a file of many pages costs no more than as many files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from leadwise.errors import ForeignPage, InputError, UnreadablePage
from leadwise.files import must_be_writable
from leadwise.pages.read import MAX_LOOKED_AT
from leadwise.serving.batch import Outcome
from leadwise.serving.digitised import Digitised
from leadwise.serving.digitize_files import Format, free_name, taken_by, write_files
from leadwise.serving.digitize_page import digitize_page
from leadwise.workers import LIMITS, Limits, each


@dataclass(frozen=True)
class Wanted:
    """What is written of each page, and where; `page` alone of each file, or all that are ECGs."""

    out: Path
    page: int | None
    formats: tuple[Format, ...]
    overlay: bool


class _Task(NamedTuple):
    file: Path
    name: str
    page: int | None
    is_further: bool = False


def prepare(out: Path) -> None:
    """Make the folder for the results. Raises `InputError` where it cannot be made or written to."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: {error.strerror or error}. Name another folder for --out.") from error
    must_be_writable(out / "page.json")


def digitize_all(
    files: Sequence[Path], names: Mapping[Path, str], wanted: Wanted, cores: int, limits: Limits = LIMITS
) -> Iterator[Outcome]:
    """Read files in their order, `cores` at a time, then their further pages; write each under its name.

    `names` are those of all files, of other machines too. A further page that is no ECG is passed over.
    """
    further: list[_Task] = []
    taken = taken_by(names.values())
    out = wanted.out.resolve()
    inputs = frozenset(path.name for path in map(Path.resolve, names) if path.parent == out)
    read = partial(each, partial(_digitized, wanted, inputs), refused=_refused, cores=cores, limits=limits)
    for outcome in read([_Task(file, names[file], wanted.page) for file in files]):
        yield outcome
        if wanted.page is None and outcome.answer is not None:
            further += _further_pages(outcome, names[outcome.file], taken)
    for outcome in read(further) if further else ():
        if outcome.answer or outcome.why:
            yield outcome


def _further_pages(outcome: Outcome, name: str, taken: set[str]) -> Iterator[_Task]:
    assert outcome.answer is not None  # noqa: S101  # nothing follows a refusal
    first, of = outcome.answer["page"] + 1, outcome.answer["of_pages"]
    for page in range(first, min(of, MAX_LOOKED_AT) + 1):
        yield _Task(outcome.file, free_name(f"{name}_page{page}", taken), page, True)


def _refused(task: _Task, why: str) -> Outcome:
    which = f"page {task.page}: " if task.is_further else ""
    return Outcome(task.file, why=f"{which}{why.removeprefix(f'{task.file}: ')}")


def _digitized(wanted: Wanted, inputs: frozenset[str], task: _Task) -> Outcome:
    try:
        signals = digitize_page(task.file, page=task.page)
    except (ForeignPage, UnreadablePage):
        if task.is_further:
            return Outcome(task.file)
        raise
    page = Digitised(str(task.file), signals)
    unwritten = ""
    try:
        write_files(page, wanted.out, task.name, wanted.formats, wanted.overlay, inputs)
    except InputError as error:
        unwritten = str(error)
    except OSError as error:
        unwritten = f"{error.filename or task.name}: {error.strerror or error}"
    rows = tuple({**row, "name": task.name, "refused": unwritten} for row in page.rows())
    return Outcome(task.file, page.as_json(), tuple(page.lines()), rows, undrawn=unwritten)
