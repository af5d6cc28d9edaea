"""The embedded sample: 48 real pages with all their copies, as the published set has them.

Twelve distinct pages of each class, taken as whole groups of one printed id, so that grouping means
something; credit and licence are in ``resources/CREDITS.md`` and inside the archive.
"""

from __future__ import annotations

import csv
import hashlib
import tarfile
from importlib.resources import files as package_files
from pathlib import Path

from leadwise.errors import InputError
from leadwise.files import written_whole

_STAMP = ".complete"


def unpack_sample(folder: Path) -> Path:
    """Write the sample's files, copies too, below `folder` and return it.

    Does nothing where a complete sample lies already (names and sizes are compared); every file's sha256 is
    checked before it is written. Raises `InputError` where the archive does not match its index.
    """
    resources = Path(str(package_files("leadwise") / "resources"))
    index_text = (resources / "sample.csv").read_text(encoding="utf-8")
    index = list(csv.DictReader(index_text.splitlines()))
    mark = hashlib.sha256(index_text.encode()).hexdigest()
    if _complete(folder, index, mark):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    copies: dict[str, list[str]] = {}
    for row in index:
        copies.setdefault(row["sha256"], []).append(row["path"])
    with tarfile.open(resources / "sample.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                continue  # a folder, or a link, which may point anywhere
            data = content.read()
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
    (folder / "CREDITS.md").write_bytes((resources / "CREDITS.md").read_bytes())
    (folder / _STAMP).write_text(mark, encoding="utf-8")
    return folder


def unpack_resource(archive: str, folder: Path) -> Path:
    """Write the files of an archive among the resources below `folder` and return it; what leads out is left out."""
    with tarfile.open(Path(str(package_files("leadwise") / "resources" / archive))) as opened:
        for member in opened:
            content = opened.extractfile(member) if member.isfile() else None
            if content is None or Path(member.name).is_absolute() or ".." in Path(member.name).parts:
                continue
            with written_whole(folder / member.name) as aside:
                aside.write_bytes(content.read())
    return folder


def _complete(folder: Path, index: list[dict[str, str]], mark: str) -> bool:
    stamp = folder / _STAMP
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != mark:
        return False
    sizes = ((folder / row["path"], int(row["bytes"])) for row in index)
    return all(path.is_file() and path.stat().st_size == size for path, size in sizes)
