"""Who is left out: one seed's folds as rows of the pages table, checked to share no group."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.data.folds import assert_disjoint
from leadwise.errors import InputError

LeftOut = tuple[int, ...]
"""The folds that a network never saw: ``(k,)`` or, for inner answers, ``(j, k)`` with j < k."""


def weights_name(seed: int, left_out: LeftOut, *, task: str = "four", prefix: str = "") -> str:
    """``seed1-fold2``; the task `binary` and a prefix stand before it: ``taught-binary-seed1-fold2``."""
    before = [part for part in (prefix, "" if task == "four" else task) if part]
    return "-".join([*before, f"seed{seed}", f"fold{left_out[0]}", *map(str, left_out[1:])])


@dataclass(frozen=True)
class Partition:
    """One seed's folds: row numbers of the pages table by fold, with ids, groups and labels by row."""

    seed: int
    rows: dict[int, NDArray[np.int64]]
    page_ids: NDArray[Any]
    groups: NDArray[Any]
    labels: NDArray[Any]

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits over who is in which fold; a network belongs to the partition of its training."""
        told = [[fold, *sorted(self.page_ids[rows])] for fold, rows in sorted(self.rows.items())]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]

    @property
    def folds(self) -> list[int]:
        """The numbers of all folds."""
        return sorted(self.rows)

    def training_rows(self, left_out: LeftOut) -> NDArray[np.int64]:
        """The pages of all folds but those left out, checked to share no group with them."""
        kept = np.sort(np.concatenate([rows for fold, rows in self.rows.items() if fold not in left_out]))
        apart = np.concatenate([self.rows[fold] for fold in left_out])
        assert_disjoint(self.groups[kept], self.groups[apart], f"training without fold {left_out}")
        return kept


def partition(
    pages: pd.DataFrame, folds: pd.DataFrame, protocol: str, seed: int, classes: tuple[str, ...]
) -> Partition:
    """The partition of one seed, restricted to `classes`.

    Raises `InputError` where the folds table does not know the protocol, the seed or a page.
    """
    mine = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed) & (folds["part"] == "test")]
    if mine.empty:
        known = sorted(set(folds["seed"]))
        raise InputError(
            f"folds.csv has no folds of protocol {protocol!r} with seed {seed} (it has seeds {known}). "
            "Give 13_image_folds the same SEEDS and run it again."
        )
    by_page = mine.drop_duplicates("page_id").set_index("page_id").reindex(pages["page_id"])
    if by_page["fold"].isna().any():
        raise InputError(
            f"page {by_page.index[by_page['fold'].isna()][0]} is in no fold of folds.csv: "
            "it was made from other pages. Run 13_image_folds again."
        )
    labels = pages["label"].to_numpy()
    wanted = np.isin(labels, classes)
    fold_of = by_page["fold"].to_numpy(dtype=np.int64)
    rows = {fold: np.flatnonzero(wanted & (fold_of == fold)) for fold in sorted(set(fold_of.tolist()))}
    for fold, members in rows.items():
        lacking = set(classes) - set(labels[members])
        if lacking:
            raise InputError(
                f"fold {fold} of seed {seed} has no page of class {min(lacking)!r}: too few for five folds."
            )
    return Partition(seed, rows, pages["page_id"].to_numpy(), by_page["group_id"].to_numpy(), labels)
