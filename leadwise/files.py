"""Files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path beside ``path`` to write to; rename it to ``path`` if the block ends well.

    A reader never sees half a file, and a killed writer leaves only the ``.part`` file,
    which the next writer overwrites.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(values: Any, path: Path) -> None:
    """Write plain values as JSON, whole or not at all."""
    with written_whole(path) as aside:
        text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
        aside.write_text(text, encoding="utf-8", errors="backslashreplace")  # names of files may be no UTF-8


def natural(path: str) -> tuple[tuple[int, str | int], ...]:
    """A sort key by which ``MI(10).jpg`` comes after ``MI(9).jpg``."""
    parts = re.split(r"(\d+)", path.lower())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
