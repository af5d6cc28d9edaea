"""All pages of a folder to crops on disk, a page at a time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leadwise.data.cache import create
from leadwise.data.contracts import SCHEMAS
from leadwise.errors import ForeignPage, InputError, UnreadablePage
from leadwise.files import written_whole
from leadwise.pages.digitize import rhythm_lead
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import LEAD_PX, LEAD_S, LEADS, ROW_PX, STRIP_PX, cut_leads
from leadwise.pages.quality import quality
from leadwise.pages.read import read_page


def cut_pages(pages: pd.DataFrame, folder: Path, target: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut all pages and write ``leads.npy`` and ``strip.npy`` below `target`.

    `pages` keeps the contract ``pages.csv``, its paths are relative to `folder`. Returns the rows of
    ``leads.csv``, in the order of the arrays, and the pages that were refused (`path, why`). One page is in
    memory at a time. Raises `InputError` when every page is refused.
    """
    from tqdm import tqdm

    rows: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    n_found = 0
    with written_whole(target / "leads.npy") as crops_path, written_whole(target / "strip.npy") as strip_path:
        crops = create(crops_path, (len(pages), len(LEADS), ROW_PX, LEAD_PX))
        strips = create(strip_path, (len(pages), ROW_PX, STRIP_PX))
        for page_id, path in tqdm(
            zip(pages["page_id"], pages["path"], strict=True),
            "pages",
            len(pages),
            mininterval=1,
            file=sys.stdout,
        ):
            try:
                page = read_page(folder / path)
                layout = find_layout(page)
            except (UnreadablePage, ForeignPage) as error:
                refused.append({"path": path, "why": str(error)})
                continue
            leads = cut_leads(page, layout)
            crops[n_found], strips[n_found] = leads.crops, leads.strip
            n_found += 1
            repeated, _ = rhythm_lead(leads)
            measured = [quality(crop) for crop in leads.crops] + [quality(leads.strip, 4 * LEAD_S)]
            for name, box, share in zip((*LEADS, "strip"), leads.boxes, measured, strict=True):
                rows.append(
                    {"page_id": page_id, "lead": name}
                    | {
                        f"{axis}{corner}": box[corner, "xy".index(axis)]
                        for corner in range(4)
                        for axis in "xy"
                    }
                    | {
                        "pixels_per_s": layout.pixels_per_s,
                        "pixels_per_mv": layout.pixels_per_mv,
                        "rotation_deg": layout.rotation_deg,
                        "scale": layout.scale,
                        "rhythm_lead": repeated,
                        "quality": share,
                    }
                )
        if not n_found:
            raise InputError(
                f"none of {len(pages)} pages could be cut; {refused[0]['path']}, for one: {refused[0]['why']}"
            )
        del crops, strips
        for array in (crops_path, strip_path):
            _keep_first(array, n_found)
    columns = list(SCHEMAS["leads.csv"].columns)
    return pd.DataFrame(rows, columns=columns).round(3), pd.DataFrame(refused, columns=["path", "why"])


def _keep_first(path: Path, count: int) -> None:
    """Cut an array on disk down to its first pages; nothing is done where none was refused."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if len(array) == count:
        return
    shorter = path.with_name(f"{path.name}.short.npy")
    target = create(shorter, (count, *array.shape[1:]))
    for row in range(count):
        target[row] = array[row]
    del target, array
    shorter.replace(path)
