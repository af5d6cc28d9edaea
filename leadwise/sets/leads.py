"""All pages of a folder to crops and signals on disk, a page at a time."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadwise.errors import ForeignPage, InputError, UnreadablePage
from leadwise.files import written_whole
from leadwise.names import LEADS
from leadwise.pages.checks import Checks, check, quality
from leadwise.pages.digitize import Signals, digitize
from leadwise.pages.forms import known_form
from leadwise.pages.layout import Layout, find_layout
from leadwise.pages.leads import Leads, cut_leads
from leadwise.pages.read import read_page
from leadwise.recordings.records import record_of, write_record
from leadwise.sets.arrays import ARRAYS, create
from leadwise.tables import SCHEMAS


@dataclass(frozen=True)
class CutPages:
    """What became of a folder of pages.

    `leads` keeps the contract ``leads.csv`` and `quality` ``quality.csv``, both in the order of the arrays;
    `refused` has `path, why`. `pages_per_s` counts layout, crops and signals by the time that one core worked
    on them; reading and writing are not in it.
    """

    leads: pd.DataFrame
    quality: pd.DataFrame
    refused: pd.DataFrame
    pages_per_s: float


def cut_pages(pages: pd.DataFrame, folder: Path, target: Path) -> CutPages:
    """Cut and digitise all pages; write ``leads.npy, strip.npy, signals.npy, rhythm.npy`` and a record a page.

    `pages` keeps the contract ``pages.csv``, its paths are relative to `folder`. Records go to
    ``target/records`` as WFDB and CSV. One page is in memory at a time. Raises `InputError` when every page is
    refused.
    """
    from tqdm import tqdm

    rows: list[dict[str, Any]] = []
    checks: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    worked_s = 0.0
    with ExitStack() as stack:
        aside = {name: stack.enter_context(written_whole(target / name)) for name in ARRAYS}
        arrays = {
            name: create(aside[name], (len(pages), *shape), dtype) for name, (shape, dtype) in ARRAYS.items()
        }
        named = list(zip(pages["page_id"], pages["path"], strict=True))
        for page_id, path in tqdm(named, "pages", mininterval=1, file=sys.stdout):
            try:
                page = read_page(folder / path)
                began = time.process_time()
                layout = find_layout(page)
            except (UnreadablePage, ForeignPage) as error:
                refused.append({"path": path, "why": str(error)})
                continue
            leads = cut_leads(page, layout)
            signals = digitize(leads)
            worked_s += time.process_time() - began
            made = (leads.crops, leads.strip, signals.leads, signals.strip)
            for array, value in zip(arrays.values(), made, strict=True):
                array[len(checks)] = value
            page_checks = check(signals)
            page_rows = _lead_rows(page_id, layout, leads, page_checks)
            rows += page_rows
            checks.append(_quality_row(page_id, layout, page_checks, signals, page_rows))
            write_record(record_of(signals), target / "records", page_id, _comments(path))
        if not checks:
            raise InputError(
                f"none of {len(pages)} pages could be cut; {refused[0]['path']}, for one: {refused[0]['why']}"
            )
        del arrays, array
        for name in ARRAYS:
            _keep_first(aside[name], len(checks))
    return CutPages(
        pd.DataFrame(rows, columns=list(SCHEMAS["leads.csv"].columns)).round(3),
        pd.DataFrame(checks, columns=list(SCHEMAS["quality.csv"].columns)).round(4),
        pd.DataFrame(refused, columns=["path", "why"]),
        len(checks) / worked_s,
    )


def _lead_rows(page_id: str, layout: Layout, leads: Leads, page_checks: Checks) -> list[dict[str, Any]]:
    measured = [quality(crop) for crop in leads.crops] + [quality(leads.strip, known_form().columns)]
    return [
        {"page_id": page_id, "lead": name}
        | {f"{axis}{corner}": box[corner, "xy".index(axis)] for corner in range(4) for axis in "xy"}
        | {
            "pixels_per_s": layout.pixels_per_s,
            "pixels_per_mv": layout.pixels_per_mv,
            "rotation_deg": layout.rotation_deg,
            "scale": layout.scale,
            "rhythm_lead": page_checks.rhythm_lead,
            "quality": share,
        }
        for name, box, share in zip((*LEADS, "strip"), leads.boxes, measured, strict=True)
    ]


def _quality_row(
    page_id: str, layout: Layout, page_checks: Checks, signals: Signals, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """One row a page: its least complete lead, how it lay, and what its signals say of each other."""
    read = np.isfinite(signals.leads).mean(axis=1).min()
    return {
        "page_id": page_id,
        "quality": min(float(read), *(row["quality"] for row in rows)),
        "rotation_deg": layout.rotation_deg,
        "scale": layout.scale,
    } | asdict(page_checks)


def _comments(path: str) -> list[str]:
    return [
        f"digitised by leadwise from the printed page {path}",
        "0 mV is the foot of the calibration pulse; printed at 0.67-25 Hz; the page's columns follow in time",
        "research use only, not a medical device",
    ]


def _keep_first(path: Path, count: int) -> None:
    """Cut an array on disk down to its first pages; nothing is done where none was refused."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if len(array) > count:
        shorter = path.with_name(f"{path.name}.short.npy")
        np.save(shorter, array[:count])  # from map to file, never all in memory
        shorter.replace(path)
