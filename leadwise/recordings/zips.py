"""A zip with one record in it: unpacked within bounds, paths and links refused, all else left out."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from leadwise.errors import InputError
from leadwise.files import DAMAGED_ZIP
from leadwise.names import shortened
from leadwise.recordings import headers

MAX_FILES = 16
"""Most files of one record that are read."""

SIGNALS = frozenset({".hea", ".dat", ".mat", ".edf", ".dcm"})
"""Ends of the names of files that are unpacked, in small or capital letters; a header may name others."""

_MOST_IN_ALL = 1000
_ALONE = "Pack the files of one record alone."


def unpacked(name: str, content: bytes | Path, most_bytes: int) -> dict[str, bytes]:
    """The files of a zip by their names, without folders; hidden ones and annotations are left out.

    Raises `InputError`, which begins with `name`, for what cannot be read, leads out of the zip, or is too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
            members = [(PurePosixPath(one.filename.replace("\\", "/")), one) for one in archive.infolist()]
            _check(name, members)
            files: dict[str, bytes] = {}
            named: set[str] = set()
            left = most_bytes
            for path, member in sorted(members, key=lambda one: one[0].suffix.lower() != ".hea"):
                if member.is_dir() or path.name.startswith("."):
                    continue
                if path.suffix.lower() not in SIGNALS and path.name.lower() not in named:
                    continue
                if path.name in files:
                    raise InputError(f"{name}: two files of one name, {shortened(path.name)}. {_ALONE}")
                if len(files) == MAX_FILES:
                    raise InputError(f"{name}: more than {MAX_FILES} files of records. {_ALONE}")
                with archive.open(member) as stream:
                    data = stream.read(left + 1)  # what the directory says of its size is not believed
                left -= len(data)
                if left < 0:
                    raise InputError(f"{name}: unpacks to more than {most_bytes / 1e6:.0f} MB. {_ALONE}")
                files[path.name] = data
                if path.suffix.lower() == ".hea":
                    named |= {one.file.lower() for one in headers.parsed(path.name, data).signals}
    except InputError:
        raise
    except (OSError, *DAMAGED_ZIP) as error:
        raise InputError(
            f"{name}: not a zip that can be read. Pack the record anew, without a password."
        ) from error
    if not files:
        raise InputError(f"{name}: holds no record (.hea with .dat or .mat, .edf, .dcm).")
    return files


def _check(name: str, members: Sequence[tuple[PurePosixPath, zipfile.ZipInfo]]) -> None:
    """Raise `InputError` for too many members, and for one that leads out of the zip."""
    if len(members) > _MOST_IN_ALL:
        raise InputError(
            f"{name}: {len(members)} files and folders; at most {_MOST_IN_ALL} are looked at. {_ALONE}"
        )
    for path, member in members:
        if path.is_absolute() or ".." in path.parts or ":" in path.as_posix().partition("/")[0]:
            raise InputError(f"{name}: holds a path that leads out of it. Pack the record anew.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{name}: holds a link. Pack the files themselves.")
