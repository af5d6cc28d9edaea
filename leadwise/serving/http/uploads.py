"""What was sent, bytes with names, to what is answered: a page or a WFDB record, told apart by their names.

`read_uploads` is the one way in; it touches no network and keeps nothing.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from leadwise.errors import InputError
from leadwise.names import shortened
from leadwise.pages.read import MAX_BYTES, PAGE_SUFFIXES
from leadwise.recordings.files import SUFFIXES as RECORD_SUFFIXES
from leadwise.recordings.files import xml_in_words
from leadwise.recordings.zips import unpacked
from leadwise.serving import recordings
from leadwise.serving.digitised import Digitised
from leadwise.serving.predict import Answer

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
                ".hea with .dat or .mat, .edf, .dcm, or .zip."
            )
        if not file.data:
            raise InputError(f"{file.name}: the file is empty.")
    names = ", ".join(file.name for file in files)
    pages = [file for file in files if _suffix(file) not in RECORD_SUFFIXES]
    if pages and len(files) > 1:
        raise InputError(f"{names}: one page or one record at a time. Send each by itself.")
    if pages:
        return _page(pages[0], read_page)
    if any(_suffix(file) == ".xml" for file in files):
        raise UnknownKind(f"{files[0].name}: {xml_in_words(files[0].data)}.")
    if page is not None:
        raise InputError(f"{names}: a record, which has no page {page}. Send it without a page.")
    if any(_suffix(file) == ".zip" for file in files):
        if len(files) > 1:
            raise InputError(f"{names}: a zip comes alone. Send either the zip or the files.")
        inside = unpacked(files[0].name, files[0].data, MAX_BYTES)
        files = [Upload(_plain_name(name), data) for name, data in inside.items()]
    if len({file.name for file in files}) < len(files):
        raise InputError(f"{names}: two files of one name.")
    record = recordings.read_files({file.name: file.data for file in files})
    name = next(file.name for file in files if _suffix(file) in (".hea", ".edf", ".dcm"))
    try:
        return name, recordings.process(record)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _page(upload: Upload, read_page: Callable[[bytes], PageAnswer]) -> PageAnswer:
    try:
        return dataclasses.replace(read_page(upload.data), file=upload.name)
    except InputError as error:
        raise type(error)(f"{upload.name}: {str(error).removeprefix('page: ')}") from error


def _plain_name(name: str) -> str:
    """A name fit to be shown: without folders and control characters, not too long, its suffix kept."""
    return shortened(re.split(r"[/\\]", name)[-1], 80).strip() or "file"


def _suffix(upload: Upload) -> str:
    return PurePosixPath(upload.name).suffix.lower()
