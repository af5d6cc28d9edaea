"""Files out of an archive that nobody vouches for.

Where a file goes is the manifest's word, never the archive's, and sizes are counted, not believed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from leadwise.errors import FetchError
from leadwise.sets.sources import Wanted

ASIDE = ".fetch"
"""The folder, in the set's own, in which all is written that is not checked yet."""

_PIECE = 1 << 16
_MAX_CONTENTS = 4 << 20  # bytes of a zip's own table of contents; the Mendeley set needs some 0.2 MB

#: How reading a damaged zip fails; a password is a RuntimeError.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def unpack(archive: Path, folder: Path, lacking: dict[str, Wanted], room: int) -> set[str]:
    """Take from a zip the files in `lacking`, put each into `folder` and strike it off the list.

    A file is known by the last parts of its path, so that folders above them do not matter; a zip inside
    the zip counts as a folder of its name, and one inside that is left alone. Returns the paths whose content
    is not what is wanted; nothing of those is left behind. Raises `FetchError` for entries that climb out
    or are links, for more than `room` bytes really unpacked, and for a damaged archive.
    """
    unpacking = _Unpacking(folder, lacking, room)
    try:
        with _Bounded(archive) as file, zipfile.ZipFile(file) as outer:
            unpacking.take_all(outer)
    except _DAMAGED as error:
        raise FetchError(f"what came is no whole zip archive ({error})") from error
    return unpacking.wrong


class _Bounded(io.FileIO):
    """A file that refuses to be read in one huge gulp, as zipfile reads a zip's table of contents."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _MAX_CONTENTS:
            raise FetchError(f"its table of contents has {size:,} bytes, more than {_MAX_CONTENTS:,}")
        return super().read(-1 if size is None else size) or b""

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and not 0 <= offset <= os.fstat(self.fileno()).st_size:
            raise zipfile.BadZipFile("an entry lies before its beginning or after its end")
        return super().seek(offset, whence)


class _Unpacking:
    """One archive on its way into a folder: what is still lacking, what differed, how much room is left."""

    def __init__(self, folder: Path, lacking: dict[str, Wanted], room: int) -> None:
        self.folder, self.lacking, self.room = folder, lacking, room
        self.left = room
        self.wrong: set[str] = set()
        self.aside = folder / ASIDE
        self.aside.mkdir(parents=True, exist_ok=True)

    def take_all(self, archive: zipfile.ZipFile, inside: str = "") -> None:
        """Take what is lacking from an archive; `inside` is its own name where it lay in another."""
        for info, name in [(info, _safe_name(info)) for info in archive.infolist()]:
            if name.endswith("/") or not self.lacking:
                continue
            if name.lower().endswith(".zip") and not inside:
                self._take_nested(archive, info, name)
            elif path := self._lacking_path(f"{inside}/{name}"):
                self._take(archive, info, path)

    def _take_nested(self, outer: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        aside = self.aside / "inner.zip"
        try:
            with aside.open("wb") as into:
                for piece in self._pieces(outer, info):
                    into.write(piece)
            with _Bounded(aside) as file, zipfile.ZipFile(file) as inner:
                self.take_all(inner, name[: -len(".zip")])
        finally:
            aside.unlink(missing_ok=True)

    def _lacking_path(self, name: str) -> str | None:
        parts = [part for part in name.split("/") if part not in {"", "."}][-4:]
        tails = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((tail for tail in tails if tail in self.lacking), None)

    def _take(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> None:
        wanted, aside, size, digest = self.lacking[path], self.aside / "file", 0, hashlib.sha256()
        try:
            with aside.open("wb") as into:
                for piece in self._pieces(archive, info):
                    size += len(piece)
                    if size > wanted.bytes:
                        break
                    digest.update(piece)
                    into.write(piece)
            if size != wanted.bytes or digest.hexdigest() != wanted.sha256:
                self.wrong.add(path)
                return
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            aside.replace(self.folder / path)
            del self.lacking[path]
            self.wrong.discard(path)
        except _DAMAGED:
            self.wrong.add(path)
        finally:
            aside.unlink(missing_ok=True)

    def _pieces(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """The content of an entry, counted as it comes: the sizes that the archive tells are not believed."""
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise NotImplementedError("packed in a way that gives unbounded pieces")
        with archive.open(info) as stream:
            while piece := stream.read(_PIECE):
                self.left -= len(piece)
                if self.left < 0:
                    raise FetchError(f"it unpacks to more than {self.room:,} bytes")
                yield piece


def _safe_name(info: zipfile.ZipInfo) -> str:
    """An entry's path with forward slashes; refused where it leads out, or where the entry is no file."""
    name = info.filename.replace("\\", "/")
    if name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in name.split("/"):
        raise FetchError(f"its entry {info.filename!r} leads out of the folder")
    if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise FetchError(f"its entry {info.filename!r} is a link or a device")
    return name
