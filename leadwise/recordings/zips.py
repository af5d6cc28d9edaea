"""A zip with one record in it: unpacked within bounds, paths and links refused, all else left out."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path, PurePosixPath

from leadwise.errors import InputError
from leadwise.files import DAMAGED_ZIP

MAX_FILES = 16
"""Most files of one zip."""

SIGNALS = frozenset({".hea", ".dat", ".mat", ".edf", ".dcm"})
"""Ends of the names of files that are unpacked, in small or capital letters."""


def unpacked(name: str, content: bytes | Path, most_bytes: int) -> dict[str, bytes]:
    """The files of a zip by their names, without folders; hidden ones and annotations are left out.

    Raises `InputError`, which begins with `name`, for what cannot be read, leads out of the zip, or is too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content) if isinstance(content, bytes) else content) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            if len(members) > MAX_FILES:
                raise InputError(f"{name}: {len(members)} files; at most {MAX_FILES} are read.")
            files: dict[str, bytes] = {}
            left = most_bytes
            for member in members:
                path = PurePosixPath(member.filename.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in path.as_posix().partition("/")[0]:
                    raise InputError(f"{name}: holds a path that leads out of it. Pack the record anew.")
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise InputError(f"{name}: holds a link. Pack the files themselves.")
                if path.suffix.lower() not in SIGNALS or path.name.startswith("."):
                    continue
                with archive.open(member) as stream:
                    data = stream.read(left + 1)  # what the directory says of its size is not believed
                left -= len(data)
                if left < 0:
                    raise InputError(f"{name}: unpacks to more than {most_bytes / 1e6:.0f} MB.")
                if path.name in files:
                    raise InputError(f"{name}: two files of one name.")
                files[path.name] = data
    except InputError:
        raise
    except (OSError, *DAMAGED_ZIP) as error:
        raise InputError(
            f"{name}: not a zip that can be read ({error}). Pack the record anew, without a password."
        ) from error
    if not files:
        raise InputError(f"{name}: holds no record (.hea with .dat or .mat, .edf, .dcm).")
    return files
