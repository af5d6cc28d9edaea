"""What there is to know of a folder of pages before anything is trained on it: facts, without a verdict.

Every file is hashed; every distinct file is decoded once, by several processes, and gives the hash of its pixels,
the descriptor of its trace, and, where asked for, its printed header. ``leadwise.audit.findings`` draws
the conclusions.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadwise.audit.folder_names import Places, fold_of
from leadwise.errors import ForeignPage, MissingInput
from leadwise.names import CLASSES
from leadwise.pages.digitize import digitize
from leadwise.pages.header import read_header
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import read_page
from leadwise.sets.catalogue import NO_IMAGE, find_images, left_out, shipped
from leadwise.sets.traces import SIZE, descriptor, group_same_trace, joined
from leadwise.workers import LIMITS, Limits, each

FIELDS = ("recording_id", "sex", "recorded_at", "heart_rate_bpm")


@dataclass(frozen=True)
class Facts:
    """What a folder holds.

    `files` has a row a readable image: `path, label, split` (each empty where there is none), `within` (the fold
    in which a split stands), `sha256`, `pixels` (hash of the decoded picture), `trace` (number of the trace, -1 where
    it cannot be read), `page` (number of the distinct page: same bytes, pixels or trace), `group` (pages joined by
    printed id), `foreign` (why the layout is not known, or empty), and the printed FIELDS, None where not read.
    `problems` has `path, why`. `empty` names the class folders without a readable image. `not_checked` says, in
    sentences, what could not be looked at.
    """

    folder: Path
    files: pd.DataFrame
    problems: pd.DataFrame
    empty: tuple[str, ...]
    not_checked: tuple[str, ...]

    @property
    def pages(self) -> pd.DataFrame:
        """The first file of each distinct page, with `copies`, the number of its files."""
        copies = self.files["page"].value_counts()
        return self.files.drop_duplicates("page").assign(copies=lambda first: first["page"].map(copies))

    @property
    def is_split(self) -> bool:
        """Whether folders named train, val, test and the like stand above the classes."""
        return bool((self.files["split"] != "").any())

    def counts(self, by: str) -> pd.DataFrame:
        """Files and distinct pages by `label` or `split`: columns `by, files, distinct`, known classes first."""
        table = self.files.groupby(by)["page"].agg(files="size", distinct="nunique").reset_index()
        order = {name: place for place, name in enumerate((*CLASSES, "train", "val", "test"))}
        return table.sort_values(
            by, key=lambda names: names.map(lambda n: (order.get(n, 99), n)), ignore_index=True
        )


def gather(
    folder: Path,
    headers: bool = True,
    processes: int = 1,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] = lambda pages, _: pages,
    limits: Limits = LIMITS,
) -> Facts:
    """Look at all images below the class folders of `folder`.

    With `headers` the printed fields of pages that the shipped catalogue does not hold are read by OCR, if it is
    installed. `progress` is given what comes page by page, and how many come, and passes it on. Raises `MissingInput`
    where there is no folder or no readable image.
    """
    places = Places(folder)
    listing = find_images(folder, places.label_of)
    ocr = headers and all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime"))
    known = shipped().set_index("sha256")[list(FIELDS)].astype(object)
    distinct = listing.files.drop_duplicates("sha256").reset_index(drop=True)
    tasks = [(folder / row.path, ocr and row.sha256 not in known.index) for row in distinct.itertuples()]
    looks = pd.DataFrame(
        progress(each(_look, tasks, _damaged, processes, limits), len(tasks)),
        columns=["pixels", "foreign", "why", "trace", *FIELDS],
        index=distinct["sha256"],
        dtype=object,
    ).fillna(dict.fromkeys(("pixels", "foreign", "why"), ""))
    looks["trace"] = _traces(looks["trace"])
    looks.update(known)
    files = listing.files.join(looks, on="sha256")
    damaged = files["why"] != ""
    problems = pd.concat([listing.problems, files.loc[damaged, ["path", "why"]]], ignore_index=True)
    others = problems["why"] == NO_IMAGE
    problems, others = problems[~others].reset_index(drop=True), problems[others]
    files = files[~damaged].drop(columns="why").reset_index(drop=True)
    if files.empty:
        raise MissingInput(
            f"{folder}: no images below a class folder.{left_out(problems)} Give the folder that holds one folder "
            "of page images a class, or train, val and test with the classes in each."
        )
    files[list(FIELDS)] = files[list(FIELDS)].astype(object).where(files[list(FIELDS)].notna(), None)
    files["split"] = [places.split_of(path) for path in files["path"]]
    files["within"] = [fold_of(split) for split in files["split"]]
    files["page"] = joined(files["pixels"], files["trace"].where(files["trace"] >= 0))
    files["group"] = joined(files["page"], files["recording_id"])
    return Facts(
        folder,
        files,
        problems,
        places.empty(files, listing.closed),
        tuple(_not_checked(files, len(others), headers, ocr)),
    )


# --- one page ------------------------------------------------------------------------------------------------


def _look(task: tuple[Path, bool]) -> dict[str, Any]:
    """What one file shows: `pixels`, and `trace` with the printed fields, or why it is `foreign`."""
    path, header = task
    page = read_page(path)
    digest = hashlib.sha256(f"{page.shape}".encode())
    digest.update(np.ascontiguousarray(page).data)
    pixels = digest.hexdigest()
    try:
        layout = find_layout(page)
    except ForeignPage as error:
        return {"pixels": pixels, "foreign": str(error)}
    fields = vars(read_header(page, layout)) if header else {}
    return {"pixels": pixels, "trace": descriptor(digitize(cut_leads(page, layout))), **fields}


def _damaged(task: tuple[Path, bool], why: str) -> dict[str, Any]:
    return {"why": why.removeprefix(f"{task[0]}: ")}


def _traces(descriptors: Iterable[Any]) -> np.ndarray[Any, Any]:
    unread = np.full(SIZE, np.nan, np.float32)
    table = np.array([trace if isinstance(trace, np.ndarray) else unread for trace in descriptors])
    table = table.reshape(-1, SIZE)
    return np.where(np.isfinite(table).all(axis=1), group_same_trace(table), -1)


def _not_checked(files: pd.DataFrame, others: int, headers: bool, ocr: bool) -> Iterator[str]:
    if others:
        yield f"{others} files that are no images by their names were not looked at."
    unnamed = int((files["label"] == "").sum())
    if unnamed:
        yield f"{unnamed} files lie in a split but in no class: their copies were looked for, their class is unknown."
    blank = files[(files["foreign"] == "") & files[list(FIELDS)].isna().all(axis=1)]["page"].nunique()
    if blank and not headers:
        yield f"The printed headers of {blank} pages were not read, as --no-headers asked."
    elif blank and not ocr:
        yield f"The printed headers of {blank} pages were not read: that needs 'pip install rapidocr onnxruntime'."
    elif blank:
        yield f"Nothing could be read in the printed headers of {blank} pages."
    foreign = files[files["foreign"] != ""]["page"].nunique()
    if foreign:
        yield f"The traces of {foreign} pages of another layout were not compared; their bytes and pixels were."
    if not (files["split"] != "").any():
        yield "There are no folders named train, val or test, so no split could be checked for leaks."
