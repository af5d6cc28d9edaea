"""What was sent, bytes with names, to what is answered: a page or a WFDB record, told apart by their names.

`read_uploads` is the one way in; it touches no network and keeps nothing.
"""

from __future__ import annotations

import dataclasses
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from leadwise.errors import InputError
from leadwise.names import shortened
from leadwise.pages.read import MAX_BYTES, PAGE_SUFFIXES
from leadwise.serving import recordings
from leadwise.serving.digitised import Digitised
from leadwise.serving.predict import Answer

RECORD_SUFFIXES = frozenset({".hea", ".dat", ".zip"})

MAX_FILES = 16
"""Most files of one request, or of one zip."""

_BAD_ZIP = (
    zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError, NotImplementedError
)  # fmt: skip


PageAnswer = TypeVar("PageAnswer", Answer, Answer | Digitised, Digitised)


class UnknownKind(InputError):
    """A file that by its name is neither a page nor part of a record."""


@dataclass(frozen=True)
class Upload:
    """One file as it was sent; its name is never used as a path."""

    name: str
    data: bytes


def read_uploads(
    uploads: Sequence[Upload], read_page: Callable[[bytes], PageAnswer], page: int | None = None
) -> PageAnswer | tuple[str, recordings.Reading]:
    """What `read_page` makes of one page, or one record's name and its reading.

    `page` is that of a file of several, from 1; by default the first that is an ECG page.

    Raises `UnknownKind`, `UnreadablePage`, `ForeignPage`, `DoubtfulPage` or another `InputError`, each in words that
    the sender can act on, and `WeightsError` for the model.
    """
    files = [Upload(_plain_name(file.name), file.data) for file in uploads]
    for file in files:
        if _suffix(file) not in PAGE_SUFFIXES | RECORD_SUFFIXES | {""}:
            raise UnknownKind(
                f"{file.name}: not a kind that is read. Pages end in {', '.join(sorted(PAGE_SUFFIXES))}; records in "
                ".hea with .dat, or .zip."
            )
        if not file.data:
            raise InputError(f"{file.name}: the file is empty.")
    names = ", ".join(file.name for file in files)
    pages = [file for file in files if _suffix(file) not in RECORD_SUFFIXES]
    if pages and len(files) > 1:
        raise InputError(f"{names}: one page or one record at a time. Send each by itself.")
    if pages:
        return _page(pages[0], read_page)
    if page is not None:
        raise InputError(f"{names}: a record, which has no page {page}. Send it without a page.")
    if any(_suffix(file) == ".zip" for file in files):
        if len(files) > 1:
            raise InputError(f"{names}: a zip comes alone. Send either the zip or the files.")
        files = _unpacked(files[0])
    if len({file.name for file in files}) < len(files):
        raise InputError(f"{names}: two files of one name.")
    record = recordings.read_files({file.name: file.data for file in files})
    name = next(file.name for file in files if _suffix(file) == ".hea")
    try:
        return name, recordings.process(record)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _page(upload: Upload, read_page: Callable[[bytes], PageAnswer]) -> PageAnswer:
    try:
        return dataclasses.replace(read_page(upload.data), file=upload.name)
    except InputError as error:
        raise type(error)(f"{upload.name}: {str(error).removeprefix('page: ')}") from error


def _unpacked(upload: Upload) -> list[Upload]:
    """The files of a zip, bounded; folders, hidden files and annotations are left out."""
    try:
        with zipfile.ZipFile(io.BytesIO(upload.data)) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            if len(members) > MAX_FILES:
                raise InputError(f"{upload.name}: {len(members)} files; at most {MAX_FILES} are read.")
            files, left = [], MAX_BYTES
            for member in members:
                path = PurePosixPath(member.filename.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in path.as_posix().partition("/")[0]:
                    raise InputError(
                        f"{upload.name}: holds a path that leads out of it. Pack the record anew."
                    )
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise InputError(f"{upload.name}: holds a link. Pack the files themselves.")
                if path.suffix.lower() not in (".hea", ".dat") or path.name.startswith("."):
                    continue
                with archive.open(member) as content:
                    data = content.read(left + 1)  # what the directory says of its size is not believed
                left -= len(data)
                if left < 0:
                    raise InputError(f"{upload.name}: unpacks to more than {MAX_BYTES / 1e6:.0f} MB.")
                files.append(Upload(path.name, data))
    except InputError:
        raise
    except _BAD_ZIP as error:
        raise InputError(
            f"{upload.name}: not a zip that can be read ({error}). Pack the record anew, without a password."
        ) from error
    if not files:
        raise InputError(f"{upload.name}: holds no .hea and no .dat file.")
    return files


def _plain_name(name: str) -> str:
    """A name fit to be shown: without folders and control characters, not too long, its suffix kept."""
    return shortened(re.split(r"[/\\]", name)[-1], 80).strip() or "file"


def _suffix(upload: Upload) -> str:
    return PurePosixPath(upload.name).suffix.lower()
