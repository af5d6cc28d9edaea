"""Files that are there whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leadwise.errors import InputError

DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""How reading a damaged zip fails; a password is a RuntimeError."""

RESOURCES = Path(__file__).parent / "resources"
"""What ships with leadwise beside its code."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path beside ``path`` to write to; rename it to ``path`` if the block ends well.

    A reader never sees half a file, and of two writers at once the later one's is there whole. The file aside is
    new: nobody can guess its name, so no link lies in its place. It is gone however the block ends; what a killed
    writer leaves is a hidden file that `sweep` clears away. Where ``path`` is a link, the link is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unguessed = secrets.token_hex(6)
    aside = path.with_name(f".{path.stem[:40]}.{unguessed}.part{path.suffix}")  # a name has at most 255 bytes
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    mode = stat.S_IMODE(os.fstat(handle).st_mode)  # as the umask has it
    os.close(handle)
    try:
        yield aside
        # some libraries put a file of their own in its place, which nobody else may read
        if stat.S_IMODE(aside.stat().st_mode) != mode:
            aside.chmod(mode)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def must_be_writable(target: Path) -> None:
    """Raise InputError at once, not after minutes, where a file cannot be written."""
    if not target.parent.is_dir():
        raise InputError(f"{target}: there is no folder {target.parent}. Make it, or name another file.")
    if target.exists() and not target.is_file():
        raise InputError(f"{target}: that is no plain file, and would be replaced by one. Name another file.")
    if not os.access(target.parent, os.W_OK):
        raise InputError(f"{target}: you may not write in {target.parent}. Name another file.")


def must_hold_files(folder: Path) -> None:
    """Raise InputError at once, not after minutes, where a folder that may not be there yet can hold no file."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise InputError(f"{folder}: {there} is no folder. Name another one.")
    if not os.access(there, os.W_OK):
        raise InputError(f"{folder}: you may not write in {there}. Name another folder.")


def sweep(folder: Path) -> None:
    """Delete what killed writers left anywhere below a folder; only for whoever alone writes there."""
    for left in folder.rglob(".*.part*"):
        left.unlink(missing_ok=True)


def write_json(values: Any, path: Path) -> None:
    """Write plain values as JSON, whole or not at all."""
    with written_whole(path) as aside:
        text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
        aside.write_text(text, encoding="utf-8", errors="backslashreplace")  # names of files may be no UTF-8


def natural(path: str) -> tuple[tuple[int, str | int], ...]:
    """A sort key by which ``MI(10).jpg`` comes after ``MI(9).jpg``."""
    parts = re.split(r"(\d+)", path.lower())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def sha256_in_policy(text: str) -> str:
    """A script or style as a Content-Security-Policy names it, so that it alone may run or count."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sums(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    """The sha256 of files, by their names from a folder on."""
    return {path.relative_to(folder).as_posix(): sha256(path) for path in paths}


def differing(folder: Path, digests: Mapping[str, str]) -> list[str]:
    """Which files are not there, or not as `sums` told of them."""
    return [
        name
        for name, digest in digests.items()
        if not (folder / name).is_file() or sha256(folder / name) != digest
    ]


def files_below(folder: Path, closed: dict[Path, str]) -> list[Path]:
    """All that is no folder below one, links followed, hidden ones left out, in natural order.

    Folders that may not be looked into are put into `closed`, with the reason.
    """
    paths: list[Path] = []

    def note(error: OSError) -> None:
        closed[Path(os.fsdecode(error.filename))] = (error.strerror or str(error)).lower()

    above: dict[str, frozenset[str]] = {str(folder): frozenset({os.path.realpath(folder)})}
    for here, folders, names in os.walk(folder, onerror=note, followlinks=True):
        real = {name: os.path.realpath(os.path.join(here, name)) for name in folders}  # noqa: PTH118
        # a link to a folder above itself would be followed for ever
        folders[:] = [name for name in folders if not name.startswith(".") and real[name] not in above[here]]
        above |= {os.path.join(here, name): above[here] | {real[name]} for name in folders}  # noqa: PTH118
        paths += [Path(here, name) for name in names if not name.startswith(".")]
    return sorted(paths, key=lambda path: natural(path.relative_to(folder).as_posix()))


def without_front_matter(text: str) -> str:
    """A page without the YAML between two lines of ``---`` at its beginning, if it has any."""
    return re.sub(r"\A---\n.*?\n---\n\s*", "", text, flags=re.DOTALL)
