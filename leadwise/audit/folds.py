"""Folds of a folder of one's own: of those of its pages in which an audit finds nothing that would break a fold."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from leadwise.audit.facts import gather
from leadwise.errors import InputError, LeakError
from leadwise.folds.pages import make_folds, published_form
from leadwise.sets.catalogue import check_classes, class_in, left_out
from leadwise.tables import PAGE_ID_DIGITS


def fold_folder(folder: Path, seeds: Sequence[int], processes: int = 1) -> tuple[pd.DataFrame, list[str]]:
    """Folds of all distinct pages of a folder, in the form in which folds are published; and what to know of them.

    Pages are joined by bytes, pixels, trace and printed id; what cannot be read of them joins nothing, and is told in
    a sentence each. A protocol that cannot be had with these pages is left out, ``grouped`` never: raises
    `InputError` where a class has too few groups.
    """
    facts = gather(folder, processes=processes)
    files = facts.files.assign(label=[class_in(tuple(path.split("/")[:-1])) for path in facts.files["path"]])
    known = files.dropna(subset="label")
    check_classes(known, facts.problems, folder)
    distinct = known.drop_duplicates("sha256")
    pages = distinct[distinct["foreign"] == ""].reset_index(drop=True)
    if pages.empty:
        raise InputError(
            f"{folder}: none of {len(distinct)} pages is of a known layout, so nothing can be cut or folded."
        )
    notes = [left_out(facts.problems).strip()] if len(facts.problems) else []
    notes += [
        f"{number} {what}"
        for number, what in (
            (len(files) - len(known), "files lie below no folder that names a class, and in no fold."),
            (len(distinct) - len(pages), "pages are of no known layout, and in no fold."),
            (
                int(pages["recording_id"].isna().sum()),
                "pages' printed ids were not read: they may belong together and are kept apart.",
            ),
        )
        if number
    ]
    same = pages["page"].tolist()
    pages["page_id"] = pages["sha256"].str[:PAGE_ID_DIGITS]
    tables = [make_folds(pages, "grouped", seeds, traces=same)]
    for protocol in ("distinct", "by_month"):
        with contextlib.suppress(InputError, LeakError):
            tables.append(make_folds(pages, protocol, seeds, traces=same))
    return published_form(pd.concat(tables, ignore_index=True)), notes
