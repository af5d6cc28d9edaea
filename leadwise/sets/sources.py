"""The public sets that leadwise can fetch: where they are, and what each of their files must be.

The manifests lie in ``resources``, a row a file: ``path, sha256, bytes``. A folder is judged by them
whether leadwise fetched it or a person downloaded it by hand.
"""

from __future__ import annotations

import csv
import functools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from leadwise.errors import FetchError, MissingInput, nearest
from leadwise.files import RESOURCES, files_below, sha256


class Wanted(NamedTuple):
    """What one file must be."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Source:
    """One published set.

    Each of `addresses` gives one zip of all files; or, where `zipped` is false, is the folder in which the
    files stand one by one. `page` is where a person downloads the set.
    """

    name: str
    title: str
    page: str
    addresses: tuple[str, ...]
    zipped: bool
    manifest: Path

    @functools.cached_property
    def files(self) -> dict[str, Wanted]:
        """What each file must be, by its path below the set's folder."""
        with self.manifest.open(encoding="utf-8", newline="") as handle:
            return {row["path"]: Wanted(row["sha256"], int(row["bytes"])) for row in csv.DictReader(handle)}


@dataclass(frozen=True)
class Verdict:
    """What a folder holds of a set, as paths below the folder; `extra` is what the set does not list."""

    right: tuple[str, ...]
    differs: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...] = ()

    @property
    def lacking(self) -> tuple[str, ...]:
        """What a whole set would need: files that differ and files that are missing."""
        return (*self.differs, *self.missing)


# The addresses are unproven: they were written down on a machine without a network. Where one does not
# answer, the next is tried, and then the page is named.
SOURCES = {
    "mendeley": Source(
        name="mendeley",
        title="ECG Images dataset of Cardiac Patients",
        page="https://data.mendeley.com/datasets/gwbz3fsgp8/2",
        addresses=(
            "https://data.mendeley.com/public-api/zip/gwbz3fsgp8/download/2",
            "https://prod-dcd-datasets-cache-zipfiles.s3.eu-west-1.amazonaws.com/gwbz3fsgp8-2.zip",
        ),
        zipped=True,
        manifest=RESOURCES / "mendeley.csv",
    ),
    "mitdb": Source(
        name="mitdb",
        title="MIT-BIH Arrhythmia Database",
        page="https://physionet.org/content/mitdb/1.0.0/",
        addresses=("https://physionet.org/files/mitdb/1.0.0/",),
        zipped=False,
        manifest=RESOURCES / "mitdb.csv",
    ),
}


def named(name: str) -> Source:
    """The source of that name; raises `FetchError` with the nearest one where there is none."""
    if name not in SOURCES:
        raise FetchError(f"no set is called {name!r}; {nearest(name, SOURCES)}")
    return SOURCES[name]


def recognised(folder: Path, name: str | None = None) -> tuple[Source, Path]:
    """Which set lies in `folder`, the one of that `name` if it is given, and in which folder at or below it.

    Downloads by hand bring folders of their own (``wget -r`` four of them), so the set's folder is the one
    below which most of its files stand. Raises `MissingInput` where there is no such folder, `FetchError`
    where no set can be told.
    """
    among = SOURCES if name is None else {name: named(name)}
    if not folder.is_dir():
        raise MissingInput(f"{folder}: no such folder. Give the one that holds the downloaded files.")
    by_name = {Path(path).name: (name, path) for name in among for path in among[name].files}
    counts: Counter[tuple[str, Path]] = Counter()
    for file in files_below(folder, {}):
        of, wanted = by_name.get(file.name, ("", None))
        if wanted and f"/{file.as_posix()}".endswith(f"/{wanted}"):
            counts[of, file.parents[wanted.count("/")]] += 1
    if counts:
        (of, root), _ = counts.most_common(1)[0]
        return among[of], root
    if name is not None:
        return among[name], folder
    raise FetchError(
        f"{folder}: no file of a known set lies there. Give the folder that holds the files of "
        f"{' or '.join(SOURCES)}, under the names with which they were published."
    )


def verify(folder: Path, source: Source) -> Verdict:
    """Compare every file of `source` below `folder` with the manifest, by size and then by sha256.

    Hidden files are no extra ones. 0.6 GB take one to two seconds, so no progress is shown.
    """
    present = {path.relative_to(folder).as_posix() for path in files_below(folder, {})}
    same = {path: _matches(folder / path, wanted) for path, wanted in source.files.items() if path in present}
    return Verdict(
        right=tuple(path for path in same if same[path]),
        differs=tuple(path for path in same if not same[path]),
        missing=tuple(path for path in source.files if path not in present),
        extra=tuple(sorted(present - set(source.files))),
    )


def _matches(path: Path, wanted: Wanted) -> bool:
    """Whether a file is the one that is wanted; one that cannot be read is not."""
    try:
        return path.stat().st_size == wanted.bytes and sha256(path) == wanted.sha256
    except OSError:
        return False
