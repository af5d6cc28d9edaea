"""Files out of an archive that nobody vouches for.

Which file comes in, and where it goes, is the manifest's word and never the archive's: an entry that leads out of the
folder, or is a link, is no file that is wanted. Sizes are counted, not believed.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from leadwise.errors import FetchError
from leadwise.files import DAMAGED_ZIP, sha256
from leadwise.sets.sources import Wanted

ASIDE = ".fetch"
"""The folder, in the set's own, in which all is written that is not checked yet."""

_PIECE = 1 << 16
_MAX_CONTENTS = 4 << 20  # bytes of a zip's own table of contents; the Mendeley set needs some 0.2 MB


def unpack(
    archive: Path, folder: Path, lacking: dict[str, Wanted], room: int, inside: str | None = None
) -> set[str]:
    """Take from a zip the files in `lacking`, put each into `folder` and strike it off the list.

    A file is known by the last parts of its path, so that folders above them do not matter; a zip inside
    the zip counts as a folder of its name (`inside`), and one inside that is left alone. Returns the paths whose
    content is not what is wanted; nothing of those is left behind. Raises `FetchError` where zips inside the zip
    unpack to more than `room` bytes, and for a damaged archive.
    """
    wrong: set[str] = set()
    (folder / ASIDE).mkdir(parents=True, exist_ok=True)
    aside, nested, left = folder / ASIDE / "file", folder / ASIDE / "inner.zip", room
    try:
        with _Bounded(archive) as file, zipfile.ZipFile(file) as opened:
            for entry in opened.infolist():
                name = f"{inside or ''}/{entry.filename}".replace("\\", "/")
                if name.lower().endswith(".zip") and inside is None:
                    left -= _copied(opened, entry, nested, left)
                    if left < 0:
                        raise FetchError(f"it unpacks to more than {room:,} bytes")
                    wrong |= unpack(nested, folder, lacking, room, name[: -len(".zip")])
                elif path := _lacking_path(name, lacking):
                    if not _is_right(opened, entry, aside, lacking[path]):
                        wrong.add(path)
                        continue
                    (folder / path).parent.mkdir(parents=True, exist_ok=True)
                    aside.replace(folder / path)
                    del lacking[path]
    except DAMAGED_ZIP as error:
        raise FetchError(f"what came is no whole zip archive ({error})") from error
    finally:
        aside.unlink(missing_ok=True)
        if inside is None:
            nested.unlink(missing_ok=True)
    return wrong & lacking.keys()


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


def _lacking_path(name: str, lacking: dict[str, Wanted]) -> str | None:
    parts = [part for part in name.split("/") if part not in {"", "."}][-4:]
    tails = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((tail for tail in tails if tail in lacking), None)


def _is_right(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, wanted: Wanted) -> bool:
    """Write an entry to `target`, and say whether it is the file that is wanted."""
    try:
        size = _copied(archive, entry, target, wanted.bytes)
    except DAMAGED_ZIP:
        return False
    return size == wanted.bytes and sha256(target) == wanted.sha256


def _copied(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, most: int) -> int:
    """Write an entry to `target`, and return its bytes, counted as they come; it stops beyond `most`."""
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise NotImplementedError("packed in a way that gives unbounded pieces")
    size = 0
    with archive.open(entry) as stream, target.open("wb") as into:
        while size <= most and (piece := stream.read(_PIECE)):
            size += len(piece)
            into.write(piece)
    return size
