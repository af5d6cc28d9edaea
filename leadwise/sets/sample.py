"""What ships with leadwise, so that all runs without a download: pages, and recordings of two databases.

48 real pages with all their copies, as the published set has them: twelve distinct pages of each class, taken as
whole groups of one printed id, so that grouping means something. Six minutes each of twelve records of MIT-BIH, as
published (``tests/helpers/make_excerpts.py`` cut them). Twelve recordings of PTB-XL. Credit and licence are in
``resources/CREDITS.md`` and inside the archives.
"""

from __future__ import annotations

import csv
import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path

from leadwise.errors import InputError
from leadwise.files import RESOURCES, written_whole

_STAMP = ".complete"
_EXAMPLE = "MI(1).jpg"  # the page that README shows


def example_page() -> tuple[Path, bytes]:
    """The name and the bytes of one page of the sample, which lies nowhere as a file.

    Raises `InputError` where the archive lacks it.
    """
    for name, data in _files_in("sample.tar.xz"):
        if Path(name).name == _EXAMPLE:
            return Path(_EXAMPLE), data
    raise InputError(f"sample.tar.xz lacks {_EXAMPLE}: the package is damaged. Install leadwise again.")


def unpack_sample(folder: Path) -> Path:
    """Write the sample's files, copies too, below `folder` and return it.

    Does nothing where a complete sample lies already (names and sizes are compared); every file's sha256 is
    checked before it is written. Raises `InputError` where the archive does not match its index.
    """
    index_text = (RESOURCES / "sample.csv").read_text(encoding="utf-8")
    index = list(csv.DictReader(index_text.splitlines()))
    mark = hashlib.sha256(index_text.encode()).hexdigest()
    if _complete(folder, index, mark):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    copies: dict[str, list[str]] = {}
    for row in index:
        copies.setdefault(row["sha256"], []).append(row["path"])
    for _, data in _files_in("sample.tar.xz"):
        # where a file goes is the index's word, never the archive's
        for path in copies.pop(hashlib.sha256(data).hexdigest(), []):
            with written_whole(folder / path) as aside:
                aside.write_bytes(data)
    if copies:
        lacking = next(iter(copies.values()))[0]
        raise InputError(
            f"sample.tar.xz lacks {len(copies)} pages of its index, {lacking} for one: the package is "
            "damaged. Install leadwise again."
        )
    (folder / "CREDITS.md").write_bytes((RESOURCES / "CREDITS.md").read_bytes())
    (folder / _STAMP).write_text(mark, encoding="utf-8")
    return folder


def unpack_excerpts(folder: Path) -> Path:
    """Write the twelve excerpts of MIT-BIH below `folder` and return ``folder/mitdb``, in which they lie."""
    return _unpacked("mitdb12.tar.xz", folder) / "mitdb"


def unpack_recordings(folder: Path) -> Path:
    """Write the twelve recordings of PTB-XL below `folder`, laid out as it is, and return it."""
    return _unpacked("ptbxl12.tar.xz", folder)


def _unpacked(archive: str, folder: Path) -> Path:
    """Write the files of an archive below `folder` and return it; what leads out is left out."""
    for name, data in _files_in(archive):
        if not Path(name).is_absolute() and ".." not in Path(name).parts:
            with written_whole(folder / name) as aside:
                aside.write_bytes(data)
    return folder


def _files_in(archive: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of an archive; no folders, and no links, which may point anywhere."""
    with tarfile.open(RESOURCES / archive) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content.read()


def _complete(folder: Path, index: list[dict[str, str]], mark: str) -> bool:
    stamp = folder / _STAMP
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != mark:
        return False
    sizes = ((folder / row["path"], int(row["bytes"])) for row in index)
    return all(path.is_file() and path.stat().st_size == size for path, size in sizes)
