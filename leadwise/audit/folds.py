"""Folds of a folder of one's own: of those of its pages in which an audit finds nothing that would break a fold."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from leadwise.audit.facts import gather
from leadwise.errors import InputError, LeakError
from leadwise.folds.pages import make_folds, published_form
from leadwise.sets.catalogue import build_catalogue, find_pages, left_out


def fold_folder(folder: Path, seeds: Sequence[int], processes: int = 1) -> tuple[pd.DataFrame, list[str]]:
    """Folds of all distinct pages of a folder, in the form in which folds are published; and what to know of them.

    Pages are joined by bytes, pixels, trace and printed id; what cannot be read of them joins nothing, and is told in
    a sentence each. A protocol that cannot be had with these pages is left out, ``grouped`` never: raises
    `InputError` where a class has too few groups.
    """
    listing = find_pages(folder)
    pages, unread = build_catalogue(listing.files, folder)
    facts = (
        gather(folder, headers=False, processes=processes).files.drop_duplicates("sha256").set_index("sha256")
    )
    by_page = facts.reindex(pages["sha256"])
    kept = (by_page["foreign"] == "").to_numpy()  # nan where it is damaged
    notes = [left_out(listing.problems).strip()] if len(listing.problems) else []
    if not kept.all():
        notes.append(f"{(~kept).sum()} pages are of no known layout or damaged, and in no fold.")
    if len(unread):
        notes.append(
            f"{len(unread)} pages' printed ids were not read: they may belong together and are kept apart."
        )
    if not kept.any():
        raise InputError(
            f"{folder}: none of {len(pages)} pages is of a known layout, so nothing can be cut or folded."
        )
    same = by_page["page"][kept].astype(int).tolist()
    pages = pages[kept].reset_index(drop=True)
    tables = [make_folds(pages, "grouped", seeds, traces=same)]
    for protocol in ("distinct", "by_month"):
        with contextlib.suppress(InputError, LeakError):
            tables.append(make_folds(pages, protocol, seeds, traces=same))
    return published_form(pd.concat(tables, ignore_index=True)), notes
