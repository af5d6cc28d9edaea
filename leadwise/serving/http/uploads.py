"""What was sent, bytes with names, to what is answered: a page or a WFDB record, told apart by their names.

`answer` is the one way in for every server; it touches no network and keeps nothing.
"""

from __future__ import annotations

import base64
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from leadwise.errors import InputError
from leadwise.names import CAUTION, LEADS
from leadwise.pages.digitize import N_LEAD, RATE_HZ
from leadwise.pages.read import IMAGE_SUFFIXES, MAX_BYTES, Page
from leadwise.pages.template import ON_PAGE
from leadwise.recordings.records import STRIP, record_of, write_record
from leadwise.serving import recordings
from leadwise.serving.http.schema import PageAnswer, RecordAnswer
from leadwise.serving.model import load_model
from leadwise.serving.occlusion import without_each_lead
from leadwise.serving.predict import Answer, predict_page
from leadwise.serving.predict_recording import name_beats

PAGE_SUFFIXES = IMAGE_SUFFIXES | {".pdf"}
RECORD_SUFFIXES = frozenset({".hea", ".dat", ".zip"})

MAX_FILES = 16
"""Most files of one request, or of one zip."""

_SHOWN_PX, _SHOWN_QUALITY = 1600, 85
_STARTS_S = {name: column * N_LEAD / RATE_HZ for names in ON_PAGE for column, name in enumerate(names)}


_BAD_ZIP = (
    zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError, NotImplementedError
)  # fmt: skip


class UnknownKind(InputError):
    """A file that by its name is neither a page nor part of a record."""


@dataclass(frozen=True)
class Upload:
    """One file as it was sent; its name is never used as a path."""

    name: str
    data: bytes


def answer(
    uploads: Sequence[Upload],
    *,
    model: Path | None = None,
    beat_model: Path | None = None,
    picture: bool = False,
) -> PageAnswer | RecordAnswer:
    """Answer for one page or one record; with `picture` the answer holds the page as it was read, or a strip chart.

    Raises `UnknownKind`, `UnreadablePage`, `ForeignPage`, `DoubtfulPage` or another `InputError`, each in words that
    the sender can act on, and `WeightsError` for the model.
    """
    read = _read(uploads, model)
    if isinstance(read, Answer):
        return _page_answer(read, model, picture)
    name, reading = read
    named = name_beats(name, reading, beat_model)
    return RecordAnswer(
        **named.as_json(),
        signals_mv={
            lead: _numbers(signal)
            for lead, signal in zip(reading.record.names, reading.record.signals, strict=True)
        },
        picture=_data_uri(named.picture(), ".png") if picture else None,
    )


def as_csv(uploads: Sequence[Upload], *, model: Path | None = None) -> bytes:
    """The millivolts of a page or record as a table, a row a sample; raises as `answer` does."""
    return _written(_read(uploads, model))["csv"]


def as_wfdb(uploads: Sequence[Upload], *, model: Path | None = None) -> bytes:
    """The millivolts of a page or record as WFDB, ``.hea`` and ``.dat`` in a zip; raises as `answer` does."""
    files = _written(_read(uploads, model))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in ("hea", "dat"):
            archive.writestr(f"leadwise.{suffix}", files[suffix])
    return packed.getvalue()


def _read(uploads: Sequence[Upload], model: Path | None) -> Answer | tuple[str, recordings.Reading]:
    if not uploads:
        raise InputError("no file was sent. Send a page, or a WFDB record, as multipart/form-data.")
    files = [Upload(_shown(one.name), one.data) for one in uploads]
    for one in files:
        if _suffix(one) not in PAGE_SUFFIXES | RECORD_SUFFIXES | {""}:
            raise UnknownKind(
                f"{one.name}: not a kind that is read. Pages end in {', '.join(sorted(PAGE_SUFFIXES))}; records in "
                ".hea with .dat, or .zip."
            )
        if not one.data:
            raise InputError(f"{one.name}: the file is empty.")
    names = ", ".join(one.name for one in files)
    pages = [one for one in files if _suffix(one) not in RECORD_SUFFIXES]
    if pages and len(files) > 1:
        raise InputError(f"{names}: one page or one record at a time. Send each by itself.")
    if pages:
        return _page(pages[0], model)
    if any(_suffix(one) == ".zip" for one in files):
        if len(files) > 1:
            raise InputError(f"{names}: a zip comes alone. Send either the zip or the files.")
        files = _unpacked(files[0])
    if len({one.name for one in files}) < len(files):
        raise InputError(f"{names}: two files of one name.")
    record = recordings.read_files({one.name: one.data for one in files})
    name = next(one.name for one in files if _suffix(one) == ".hea")
    try:
        return name, recordings.process(record)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _page(upload: Upload, model: Path | None) -> Answer:
    try:
        found = predict_page(upload.data, model=model)
    except InputError as error:
        told = str(error).removeprefix("page: ")
        raise type(error)(f"{upload.name}: {told}") from error
    return Answer(**{**vars(found), "file": upload.name})


def _page_answer(found: Answer, model: Path | None, picture: bool) -> PageAnswer:
    record = found.signals
    lines = {**dict(zip(LEADS, record.leads, strict=True)), STRIP: record.strip}
    left_out = without_each_lead(record, load_model(model))
    return PageAnswer(
        **found.as_json(),
        page_px=(found.page.shape[1], found.page.shape[0]),
        signals_mv={name: _numbers(line) for name, line in lines.items()},
        starts_s={**{name: _STARTS_S[name] for name in LEADS}, STRIP: 0.0},
        without={
            name: {label: round(share, 4) for label, share in shares.items()}
            for name, shares in left_out.items()
        },
        picture=_data_uri(found.page) if picture else None,
    )


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
                if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
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


def _written(read: Answer | tuple[str, recordings.Reading]) -> dict[str, bytes]:
    """A record's files by suffix, as `write_record` writes them; they lie in memory meanwhile."""
    if isinstance(read, Answer):
        record, origin = record_of(read.signals), f"digitised by leadwise from {read.file}"
    else:
        record, origin = read[1].record, f"{recordings.PROCESSING}; by leadwise from {read[0]}"
    comments = [origin.encode("ascii", "replace").decode(), CAUTION]
    with recordings.folder_in_memory() as folder:
        write_record(record, folder, "leadwise", comments)
        return {one.suffix[1:]: one.read_bytes() for one in folder.iterdir()}


def _numbers(signal: np.ndarray[tuple[int], np.dtype[np.floating]]) -> list[float | None]:
    """To a microvolt; None for nan."""
    rounded = np.round(signal.astype(float), 3).tolist()
    return [value if value == value else None for value in rounded]  # noqa: PLR0124  # nan alone differs from itself


def _data_uri(page: Page, suffix: str = ".jpg") -> str:
    scale = min(1.0, _SHOWN_PX / page.shape[1])
    size = (max(1, round(page.shape[1] * scale)), max(1, round(page.shape[0] * scale)))
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA) if scale < 1 else page
    kind, how = ("png", []) if suffix == ".png" else ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, _SHOWN_QUALITY])
    data = cv2.imencode(suffix, small, how)[1].tobytes()
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _shown(name: str) -> str:
    """A name fit to be shown: without folders and control characters, not too long, its suffix kept."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(letter for letter in last if letter.isprintable()).strip() or "file"
    return plain if len(plain) <= 80 else f"{plain[:60]}…{plain[-12:]}"


def _suffix(upload: Upload) -> str:
    return PurePosixPath(upload.name).suffix.lower()
