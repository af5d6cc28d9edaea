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
    found = find_pages(folder)
    pages, unread = build_catalogue(found.files, folder)
    facts = (
        gather(folder, headers=False, processes=processes).files.drop_duplicates("sha256").set_index("sha256")
    )
    seen = facts.reindex(pages["sha256"])
    foreign, damaged = (seen["foreign"].fillna("") != "").to_numpy(), seen["page"].isna().to_numpy()
    kept = ~(foreign | damaged)
    notes = [left_out(found.problems).strip()] if len(found.problems) else []
    notes += [
        f"{number} {what}"
        for number, what in (
            (int((~kept).sum()), "pages are of no known layout or damaged, and in no fold."),
            (len(unread), "pages' printed ids were not read: they may belong together and are kept apart."),
        )
        if number
    ]
    if not kept.any():
        raise InputError(
            f"{folder}: none of {len(pages)} pages is of a known layout, so nothing can be cut or folded."
        )
    same = seen["page"][kept].astype(int).tolist()
    pages = pages[kept].reset_index(drop=True)
    tables = [make_folds(pages, "grouped", seeds, traces=same)]
    for protocol in ("distinct", "by_month"):
        with contextlib.suppress(InputError, LeakError):
            tables.append(make_folds(pages, protocol, seeds, traces=same))
    return published_form(pd.concat(tables, ignore_index=True)), notes
