"""The files of digitised pages: their names, which of them one machine of a cluster writes, and how."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np

from leadwise.errors import InputError
from leadwise.files import write_json, written_whole
from leadwise.names import CAUTION, printable
from leadwise.pages.page_signals import RATE_HZ, PageSignals
from leadwise.recordings.records import Record, as_csv, write_wfdb
from leadwise.serving.digitised import Digitised
from leadwise.serving.recordings import folder_in_memory

Format = Literal["csv", "wfdb", "npy"]
FORMATS: tuple[Format, ...] = get_args(Format)

COLUMNS = (
    "file", "name", "form", "reader", "page", "of_pages", "leads", "strips", "length_s", "read", "einthoven",
    "goldberger", "strip_alike", "pulse_mm", "grid", "x_px_per_mm", "y_px_per_mm", "turn_degrees", "mirrored",
    "speed_mm_per_s", "gain_mm_per_mv", "scale_from", "warnings", "refused",
)  # fmt: skip
"""Of the table of all files, a row each."""


class Shard(NamedTuple):
    """One of so many parts of all files, from 1."""

    part: int
    of: int

    @classmethod
    def of_text(cls, text: str) -> Shard:
        """From ``2/8``. Raises `InputError`."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError(f"--shard {text}: give a part of all, such as 1/8 to 8/8 on eight machines.")
        return cls(int(match[1]), int(match[2]))

    def among(self, files: Sequence[Path]) -> list[Path]:
        """Its files: each n-th, so that a folder of large pages is shared too."""
        return list(files[self.part - 1 :: self.of])

    @property
    def table(self) -> str:
        """The name of its table: each machine writes its own."""
        return "digitized.csv" if self.of == 1 else f"digitized_{self.part}of{self.of}.csv"


def formats_of(text: str) -> tuple[Format, ...]:
    """From ``csv,wfdb``. Raises `InputError`, which names those there are."""
    wanted = [word.strip().lower() for word in text.split(",")]
    if unknown := [word for word in wanted if word not in FORMATS]:
        raise InputError(f"--format {text}: {unknown[0]!r} is none; take some of {', '.join(FORMATS)}.")
    return tuple(known for known in FORMATS if known in wanted)


def names_of(files: Iterable[Path], page: int | None) -> dict[Path, str]:
    """The name of each file's results: its stem, with ``_page2`` where page 2 was asked for.

    A file whose stem another one before it has, whatever the case, gets ``-2`` after it, so that none is lost. The
    names hang on all files, so each machine of a cluster finds the same.
    """
    taken = taken_by(())
    return {
        file: free_name(file.stem if page in (None, 1) else f"{file.stem}_page{page}", taken)
        for file in files
    }


def taken_by(names: Iterable[str]) -> set[str]:
    """What `free_name` keeps clear of: the records of these names, whatever the case, and the table of all files."""
    return {record_name(name).lower() for name in (Path(Shard(1, 1).table).stem, *names)}


def free_name(stem: str, taken: set[str]) -> str:
    """This name, or the first of ``stem-2``, ``stem-3`` ... whose record is not taken; now it is."""
    name, number = stem, 1
    while record_name(name).lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(record_name(name).lower())
    return name


def record_name(name: str) -> str:
    """A WFDB record's name, which has letters, digits, - and _ alone."""
    return re.sub(r"[^-\w]", "_", name, flags=re.ASCII)


def record_of(signals: PageSignals) -> Record:
    """All traces on the page's clock, nan where a lead is not printed."""
    return Record(signals.samples().T.astype(np.float64), tuple(signals.columns()), RATE_HZ)


def csv_of(signals: PageSignals) -> str:
    """``time_s,I,II,...,II_strip`` and a row a sample, mV, empty where a lead is not printed."""
    return as_csv(record_of(signals), list(signals.columns()))


def wfdb_of(signals: PageSignals, name: str, source: str) -> dict[str, bytes]:
    """The files of a WFDB record by their names; `source` is told in its header."""
    origin = f"digitised by leadwise from {printable(source)}".encode("ascii", "replace").decode()
    with folder_in_memory() as folder:
        write_wfdb(record_of(signals), folder, name, [origin, CAUTION])
        return {f"{name}{suffix}": (folder / f"{name}{suffix}").read_bytes() for suffix in (".dat", ".hea")}


def npy_of(signals: PageSignals) -> bytes:
    """A numpy file of all samples, float32 ``(samples, columns)``."""
    content = io.BytesIO()
    np.save(content, signals.samples())
    return content.getvalue()


def png_of(page: Digitised) -> bytes:
    """The page with its traces drawn over it."""
    return cv2.imencode(".png", page.picture())[1].tobytes()


def write_files(
    page: Digitised,
    out: Path,
    name: str,
    formats: Sequence[Format],
    overlay: bool,
    inputs: Collection[str] = (),
) -> None:
    """Write the results of one page to a folder, each file whole or not at all, and last ``name.json``.

    `inputs` are the names of those pages to read that lie in this folder. Raises `InputError`, before anything is
    written, where a file would replace one of them, or one that is no earlier result of this name.
    """
    earlier = _earlier(out, name)
    written: dict[str, bytes] = {}
    if "csv" in formats:
        written[f"{name}.csv"] = csv_of(page.signals).encode()
    if "wfdb" in formats:
        written |= wfdb_of(page.signals, record_name(name), Path(page.file).name)
    if overlay:
        written[f"{name}_overlay.png"] = png_of(page)
    if "npy" in formats:
        written[f"{name}.npy"] = npy_of(page.signals)
    for file in (*sorted(written), f"{name}.json"):
        if file in inputs:
            raise InputError(f"{out / file}: is itself a page to read. Name another folder for --out.")
        if file not in earlier and os.path.lexists(out / file):
            raise InputError(
                f"{out / file}: is there already, and {name}.json tells of no such result of leadwise. Name another "
                "folder for --out, or move the file."
            )
    for file, content in written.items():
        with written_whole(out / file) as aside:
            aside.write_bytes(content)
    left = {file for file in earlier if (out / file).is_file()} - {f"{name}.json"}
    told = {**page.as_json(), "columns": list(page.signals.columns()), "files": sorted({*written, *left})}
    write_json(told, out / f"{name}.json")


def _earlier(out: Path, name: str) -> set[str]:
    """The files of an earlier reading under this name, as its ``name.json`` tells, if that is of leadwise."""
    try:
        told = json.loads((out / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return set()
    if (
        not isinstance(told, dict)
        or told.get("kind") != "digitised"
        or not isinstance(told.get("files"), list)
    ):
        return set()
    return {f"{name}.json", *map(str, told["files"])}
