"""Folds by protocol: who is tested where, and proof that no group stands on both sides.

A page is grouped with all pages that share its bytes or its printed id. The id is a running number of the
device, given out twice at times, and no person: grouping by it is a precaution, and these pages do not allow
"by patient".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from leadwise.data.contracts import CLASSES, SCHEMAS
from leadwise.errors import InputError, LeakError, SettingsError, nearest

N_FOLDS = 5


def make_folds(
    pages: pd.DataFrame, protocol: str, seeds: Sequence[int], files: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Folds of one protocol as rows of ``folds.csv``, a partition for each seed.

    `pages` keeps the contract ``pages.csv``; `files` (`path, sha256`, a row a file) is needed where files are
    split and not pages. Raises `SettingsError` for an unknown protocol, `InputError` where a class has fewer
    pages (or groups) than folds, `LeakError` should a group come to lie on both sides.
    """
    if protocol not in PROTOCOLS:
        raise SettingsError(f"no protocol is called {protocol!r}; {nearest(protocol, PROTOCOLS)}")
    _enough(pages["label"].value_counts(), "pages")
    tables = [PROTOCOLS[protocol](pages, seed, files) for seed in seeds]
    table = pd.concat(tables, ignore_index=True).assign(protocol=protocol, part="test")
    return table[list(SCHEMAS["folds.csv"].columns)]


def grouped(pages: pd.DataFrame, seed: int, files: pd.DataFrame | None = None) -> pd.DataFrame:  # noqa: ARG001
    """Distinct pages joined by printed id, stratified by class: the protocol that may head a table."""
    groups = group_ids(pages)
    by_class = pages.groupby("label")["page_id"].apply(lambda ids: groups[ids.index].nunique())
    _enough(by_class, "groups of pages")
    splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    table = _split(pages.assign(group_id=groups), splitter.split(pages, pages["label"], groups), seed)
    for fold in range(1, N_FOLDS + 1):
        tested = table["fold"] == fold
        assert_disjoint(table.loc[~tested, "group_id"], table.loc[tested, "group_id"], f"fold {fold}")
    return table


def distinct(pages: pd.DataFrame, seed: int, files: pd.DataFrame | None = None) -> pd.DataFrame:  # noqa: ARG001
    """Distinct pages, ids ignored: tells what the id costs. Every page is a group of its own."""
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return _split(pages.assign(group_id=pages["page_id"]), splitter.split(pages, pages["label"]), seed)


def leaky_copies(pages: pd.DataFrame, seed: int, files: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every file, copies on both sides, as published work splits; the group is the page, and it does leak."""
    if files is None:
        raise InputError("leaky_copies splits files: give the table of files that find_files made.")
    table = files[["path", "sha256"]].merge(pages.drop(columns="path"), on="sha256", validate="many_to_one")
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return _split(table.assign(group_id=table["page_id"]), splitter.split(table, table["label"]), seed)


PROTOCOLS: dict[str, Callable[[pd.DataFrame, int, pd.DataFrame | None], pd.DataFrame]] = {
    "grouped": grouped,
    "distinct": distinct,
    "leaky_copies": leaky_copies,
}


def group_ids(pages: pd.DataFrame) -> pd.Series[str]:
    """A page's group: its printed id, or, where that could not be read, the page itself.

    Copies are one page already, and a page has one id, so groups joined by copy and id are the ids.
    """
    return ("id-" + pages["recording_id"]).fillna("page-" + pages["page_id"])


def assert_disjoint(train_groups: Iterable[str], test_groups: Iterable[str], what: str) -> None:
    """Raise `LeakError`, with up to three groups by name, if any group is on both sides."""
    both = sorted(set(train_groups) & set(test_groups))
    if both:
        raise LeakError(
            f"{what}: {len(both)} group(s) are on both sides, {', '.join(both[:3])} among them. "
            "Scores of such a split say nothing; make the folds with a protocol that keeps groups together."
        )


def _split(table: pd.DataFrame, splits: Iterable[tuple[np.ndarray, np.ndarray]], seed: int) -> pd.DataFrame:
    fold = np.zeros(len(table), dtype=np.int64)
    for number, (_, tested) in enumerate(splits, start=1):
        fold[tested] = number
    return table[["path", "page_id", "group_id", "label"]].assign(seed=seed, fold=fold)


def _enough(counts: pd.Series[int], what: str) -> None:
    for label in [name for name in CLASSES if name in counts.index]:
        if counts[label] < N_FOLDS:
            raise InputError(
                f"class {label!r} has {counts[label]} {what}; {N_FOLDS} folds need {N_FOLDS} at least. "
                "Add pages of this class."
            )
