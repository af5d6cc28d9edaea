"""What is in a folder of pages: files, classes, copies, and what each page says in print."""

from __future__ import annotations

import functools
import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from leadwise.errors import InputError, LeadwiseError, MissingInput, UnreadablePage
from leadwise.files import RESOURCES, files_below
from leadwise.names import CLASSES
from leadwise.pages.header import Header, read_header
from leadwise.pages.layout import find_layout
from leadwise.pages.read import IMAGE_SUFFIXES, page_size, read_file, read_page
from leadwise.tables import PAGE_ID_DIGITS, SCHEMAS, checked, read_table, write_table

_HEADER_FIELDS = ("recording_id", "sex", "recorded_at", "heart_rate_bpm", "lead_off")

NO_IMAGE = "not an image by its name"
"""Why most files are left out that lie beside pages."""

#: What a folder's name must hold, in this order: "history of MI" also holds "MI".
_CLASS_WORDS = (
    ("history_of_mi", r"history|\bpmi\b|\bhmi\b"),
    ("abnormal_heartbeat", r"abnormal|arrhythmia|\bhb\b"),
    ("mi", r"myocardial|infarct|\bmi\b"),
    ("normal", r"normal"),
)


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    `files` has a row a readable page in natural order: `path` (relative), `label, sha256, bytes, width_px,
    height_px`. `problems` has a row a file that was left out, and a folder that may not be looked into: `path, why`;
    `closed` are these folders, and those of files that may not be read.
    """

    files: pd.DataFrame
    problems: pd.DataFrame
    closed: tuple[str, ...] = ()


def find_pages(folder: Path) -> Listing:
    """List and hash all images below the class folders of `folder`.

    Class folders are told by their names: those of the Mendeley set and its mirrors, or plainly `normal,
    abnormal_heartbeat, history_of_mi, mi`; folders such as train, val and test may stand above them. Files
    that cannot be read as images are problems, not errors. Raises `MissingInput` for a folder that is missing
    or holds no image below a class folder, `InputError` where one page stands under two classes.
    """
    listing = find_images(folder, class_in)
    check_classes(listing.files, listing.problems, folder)
    return listing


def check_classes(files: pd.DataFrame, problems: pd.DataFrame, folder: Path) -> None:
    """Raise `MissingInput` where no file has a class, `InputError` where one page stands under two."""
    if files.empty:
        raise MissingInput(
            f"{folder}: no images below a class folder.{left_out(problems)} It should hold folders such "
            "as 'normal', 'abnormal_heartbeat', 'history_of_mi' and 'mi' (or those of the Mendeley set) with page "
            "images."
        )
    several = files.groupby("sha256")["label"].nunique()
    if (several > 1).any():
        same = files.loc[files["sha256"] == several.idxmax(), "path"].tolist()
        raise InputError(
            f"{folder}: one page stands under two classes ({same[0]}, {same[-1]}). Only one can be right: "
            "take the other away."
        )


def find_images(folder: Path, label_of: Callable[[tuple[str, ...]], str | None]) -> Listing:
    """List and hash all images of a folder, whatever its classes are called.

    `label_of` gives the class for the names of the folders that lie between `folder` and a file, or None where
    they name no class: such a file is a problem. Raises `MissingInput` for a folder that is missing, or may not be
    looked into.
    """
    if not folder.is_dir():
        what = "that is a file" if folder.exists() else "no such folder"
        raise MissingInput(f"{folder}: {what}. Give the folder that holds the class folders.")
    closed: dict[Path, str] = {}
    paths = [path for path in files_below(folder, closed) if path.parent != folder]
    if folder in closed:
        raise MissingInput(f"{folder}: {_closed(closed[folder])}. Ask whoever it belongs to, or copy it.")
    problems = [
        {"path": path.relative_to(folder).as_posix(), "why": _closed(why)} for path, why in closed.items()
    ]
    rows, shut = [], set(closed)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        label = label_of(path.relative_to(folder).parts[:-1])
        try:
            if path.suffix.lower() not in IMAGE_SUFFIXES:
                raise UnreadablePage(NO_IMAGE)
            if label is None:
                raise UnreadablePage("no folder above it names a class")
            data = read_file(path)
            width, height = page_size(data, str(path))
        except UnreadablePage as error:
            problems.append({"path": name, "why": str(error).removeprefix(f"{path}: ")})
            if isinstance(error.__cause__, OSError):
                shut.add(path.parent)
            continue
        rows.append((name, label, hashlib.sha256(data).hexdigest(), len(data), width, height))
    columns = ["path", "label", "sha256", "bytes", "width_px", "height_px"]
    return Listing(
        pd.DataFrame(rows, columns=columns),
        pd.DataFrame(problems, columns=["path", "why"]),
        tuple(sorted(path.relative_to(folder).as_posix() for path in shut)),
    )


def left_out(problems: pd.DataFrame) -> str:
    """A sentence, after a blank, on the files that were left out; nothing where none was."""
    if problems.empty:
        return ""
    first = problems.iloc[0]
    were = "one was" if len(problems) == 1 else f"{len(problems)} were"
    return f" Of what lies there {were} left out; {first['path']}: {first['why'].rstrip('.')}."


def build_catalogue(
    files: pd.DataFrame, folder: Path, known: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The distinct pages of `files` as `pages.csv`, and the pages whose header was not read (`path, why`).

    Header fields of pages in `known` (the shipped catalogue unless given) are taken from there by sha256;
    others are read by OCR. Pages of another layout keep empty fields.
    """
    from tqdm import tqdm

    fields_of = (shipped() if known is None else known).set_index("sha256")[list(_HEADER_FIELDS)]
    first = files.drop_duplicates("sha256", keep="first").reset_index(drop=True)
    headers, unread = {}, []
    new = first[~first["sha256"].isin(fields_of.index)]
    for path, digest in tqdm(
        zip(new["path"], new["sha256"], strict=True),
        "reading printed headers",
        len(new),
        disable=new.empty,
        file=sys.stdout,
    ):
        try:
            headers[digest] = vars(_header_of(folder / path))
        except LeadwiseError as error:
            unread.append({"path": path, "why": str(error).removeprefix(f"{folder / path}: ")})
    read = pd.DataFrame.from_dict(headers, orient="index", columns=list(_HEADER_FIELDS)).astype(object)
    both = pd.concat([table for table in (fields_of.astype(object), read) if len(table)])
    pages = first.join(both, on="sha256").assign(
        page_id=first["sha256"].str[:PAGE_ID_DIGITS],
        copies=first["sha256"].map(files["sha256"].value_counts()),
    )
    return (
        checked(pages[list(SCHEMAS["pages.csv"].columns)], "pages.csv", str(folder)),
        pd.DataFrame(unread, columns=["path", "why"]),
    )


def data_fingerprint(files: pd.DataFrame) -> str:
    """Twelve hex digits over all paths and contents: the same for the same folder, wherever it lies."""
    digest = hashlib.sha256()
    for path, content in sorted(zip(files["path"], files["sha256"], strict=True)):
        digest.update(f"{path}\0{content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:12]


@functools.cache
def shipped() -> pd.DataFrame:
    """The catalogue that comes with leadwise: all 491 distinct pages of the Mendeley set."""
    return read_table(RESOURCES / "pages.csv", "pages.csv")


@functools.cache
def seen_by_eye() -> pd.DataFrame:
    """What was seen by eye on pages of the Mendeley set: `page_id, part, drawn`, the printed fields, `seen`.

    `part` is ``header``, with the fields as they stood in the catalogue when an eye compared them with the print and
    found no difference, or ``strip``, with what was `seen` on a rhythm strip whose measured heart rate is not the
    printed one. `drawn` says how the page was come by: ``at random`` (60
    headers) or because its ``rate differs``.
    """
    return pd.read_csv(RESOURCES / "seen_by_eye.csv", dtype=str)


def headers_right(pages: pd.DataFrame) -> pd.DataFrame:
    """The pages (contract ``pages.csv``) whose header was also compared by eye: `page_id, drawn, right`.

    `right` is whether all printed fields are still those that were compared.
    """
    compared = seen_by_eye().query("part == 'header'").set_index("page_id")
    printed = pages[pages["page_id"].isin(compared.index)].set_index("page_id")
    compared = compared.loc[printed.index]
    same = [printed[name].astype(str) == compared[name] for name in _HEADER_FIELDS]
    return pd.DataFrame({"drawn": compared["drawn"], "right": np.logical_and.reduce(same)}).reset_index()


def rebuild(folder: Path, out: Path) -> pd.DataFrame:
    """Read the headers of all distinct pages of `folder` anew and write them to `out`.

    Nothing is taken from the shipped catalogue, which this made. Returns the pages that were not read, as
    `build_catalogue` does.
    """
    files = find_pages(folder).files
    pages, unread = build_catalogue(files, folder, known=shipped().iloc[:0])
    write_table(pages, out, "pages.csv")
    return unread


def _closed(why: str) -> str:
    return f"folder that may not be looked into ({why})"


def class_of(folder_name: str) -> str | None:
    """The class that a folder's name stands for, or None."""
    name = folder_name.lower()
    plain = re.sub(r"[\s_-]+", " ", name).strip()
    if name in CLASSES:
        return name
    return next((label for label, words in _CLASS_WORDS if re.search(words, plain)), None)


def class_in(folders: tuple[str, ...]) -> str | None:
    """The class that the nearest folder names, of those between the set's folder and a file."""
    return next((label for name in reversed(folders) if (label := class_of(name))), None)


def _header_of(path: Path) -> Header:
    page = read_page(path)
    return read_header(page, find_layout(page))
