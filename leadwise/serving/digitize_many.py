"""Leads of many pages at once: every core has one, its process writes the files, and a bad page stops no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from leadwise.errors import InputError
from leadwise.files import must_be_writable
from leadwise.serving.batch import Outcome
from leadwise.serving.digitised import Digitised
from leadwise.serving.digitize_files import Format, write_files
from leadwise.serving.digitize_page import digitize_page
from leadwise.workers import LIMITS, Limits, each


@dataclass(frozen=True)
class Wanted:
    """What is written of each page, and where."""

    out: Path
    page: int | None
    formats: tuple[Format, ...]
    overlay: bool


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
    """Read files in their order, `cores` at a time, and write what is wanted of each under its name."""
    return each(
        partial(_digitized, wanted),
        [(file, names[file]) for file in files],
        lambda task, why: Outcome(task[0], why=why.removeprefix(f"{task[0]}: ")),
        cores,
        limits,
    )


def _digitized(wanted: Wanted, task: tuple[Path, str]) -> Outcome:
    file, name = task
    page = Digitised(str(file), digitize_page(file, page=wanted.page))
    unwritten = ""
    try:
        write_files(page, wanted.out, name, wanted.formats, wanted.overlay)
    except OSError as error:
        unwritten = f"{error.filename or name}: {error.strerror or error}"
    rows = tuple({**row, "name": name} for row in page.rows())
    return Outcome(file, page.as_json(), tuple(page.lines()), rows, undrawn=unwritten)
