"""Who is left out: one seed's folds as rows of the pages table, checked to share no group."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.folds.pages import assert_disjoint

Rows = NDArray[np.int64]

LeftOut = tuple[int, ...]
"""The folds that a network never saw: ``(k,)`` or, for inner answers, ``(j, k)`` with j < k."""


def weights_name(seed: int, left_out: LeftOut, *, task: str = "four", prefix: str = "") -> str:
    """``seed1-fold2``; the task `binary` and a prefix stand before it: ``taught-binary-seed1-fold2``."""
    before = [part for part in (prefix, "" if task == "four" else task) if part]
    return "-".join([*before, f"seed{seed}", f"fold{left_out[0]}", *map(str, left_out[1:])])


@dataclass(frozen=True)
class Partition:
    """One seed's folds: row numbers of the pages table by fold, with ids, groups and labels by row.

    `trained` says who trains for each fold where that is not simply all others: under the protocols that leak, on
    purpose, and under copies' weights. There a page may stand in a list several times. `asked` is a fold in `rows`
    that trains nobody and is not tested: each network answers for it too, for a model that learns from answers.
    `twin_of` says of each row of the table whose twin it is, -1 for those that are none: a twin is in no fold, and
    trains wherever the row does whose twin it is.
    """

    seed: int
    rows: dict[int, Rows]
    page_ids: NDArray[Any]
    groups: NDArray[Any]
    labels: NDArray[Any]
    trained: dict[int, Rows] | None = None
    asked: int | None = None
    twin_of: Rows | None = None

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits over who is in which fold; a network belongs to the partition of its training."""
        told = [
            [fold, *sorted(self.page_ids[rows])]
            for named in (self.rows, self.trained or {})
            for fold, rows in sorted(named.items())
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]

    @property
    def folds(self) -> list[int]:
        """The numbers of all folds."""
        return sorted(self.rows)

    def training_rows(self, left_out: LeftOut) -> Rows:
        """The pages of all folds but those left out, checked to share no group with them; or those in `trained`.

        With their twins, where there are any.
        """
        rows = self._own_training_rows(left_out)
        if self.twin_of is None:
            return rows
        return np.concatenate([rows, np.isin(self.twin_of, rows).nonzero()[0]])

    def _own_training_rows(self, left_out: LeftOut) -> Rows:
        if self.trained is not None:
            (fold,) = left_out  # these protocols choose nothing, so they have no inner folds
            return self.trained[fold]
        kept = np.sort(np.concatenate([rows for fold, rows in self.rows.items() if fold not in left_out]))
        apart = np.concatenate([self.rows[fold] for fold in left_out])
        assert_disjoint(self.groups[kept], self.groups[apart], f"training without fold {left_out}")
        return kept


def partition(
    pages: pd.DataFrame, folds: pd.DataFrame, protocol: str, seed: int, classes: tuple[str, ...]
) -> Partition:
    """The partition of one seed, restricted to `classes`, as the protocol of `leadwise.folds.pages` means it.

    Raises `InputError` where the folds table does not know the protocol, the seed or a page, and where a class has
    no page in a fold (under `by_month`, whose months are as they are: in a training).
    """
    mine = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed) & folds["label"].isin(classes)]
    if mine.empty:
        known = sorted(set(folds["seed"]))
        raise InputError(
            f"folds.csv has no folds of protocol {protocol!r} with seed {seed} (it has seeds {known}). "
            "Give 13_image_folds the same SEEDS and run it again."
        )
    labels = pages["label"].to_numpy()
    foreign = np.setdiff1d(pages["page_id"][np.isin(labels, classes)], mine["page_id"])
    if len(foreign) and protocol not in _NOT_ALL:
        raise InputError(
            f"page {foreign[0]} is in no fold of folds.csv: it was made from other pages. Run 13_image_folds again."
        )
    row_of = pd.Series(np.arange(len(pages)), index=pages["page_id"])
    mine = mine[mine["page_id"].isin(row_of.index)]  # pages without leads are in folds.csv and not here
    mine = mine.assign(row=row_of[mine["page_id"]].to_numpy())
    groups = mine.drop_duplicates("page_id").set_index("page_id")["group_id"]
    rows, trained = _TRAINED.get(protocol, _by_fold)(mine, pages)
    part = Partition(
        seed, rows, pages["page_id"].to_numpy(), groups.reindex(pages["page_id"]).to_numpy(), labels, trained
    )
    for fold in part.folds:
        named = part.training_rows((fold,)) if protocol in _NOT_ALL else part.rows[fold]
        lacking = set(classes) - set(labels[named])
        if lacking:
            raise InputError(
                f"fold {fold} of seed {seed} ({protocol}) has no page of class {min(lacking)!r}: too few for folds."
            )
    return part


Split = tuple[dict[int, Rows], dict[int, Rows] | None]
"""Row numbers of the pages tested, by fold, and of those trained on where these are not all others."""


def _by_fold(mine: pd.DataFrame, _: pd.DataFrame) -> Split:
    """Pages, each tested once."""
    return {fold: np.sort(part["row"].to_numpy()) for fold, part in mine.groupby("fold")}, None


def _by_copies(mine: pd.DataFrame, pages: pd.DataFrame) -> Split:
    """The same, but a page trains as often as it has copies: the copies' weight (and steps) without their leak."""
    rows, _ = _by_fold(mine, pages)
    copies = pages["copies"].to_numpy(np.int64)
    rest = {fold: np.concatenate([rows[other] for other in rows if other != fold]) for fold in rows}
    return rows, {fold: np.repeat(others, copies[others]) for fold, others in rest.items()}


def _by_file(mine: pd.DataFrame, _: pd.DataFrame) -> Split:
    """Files: a page is tested and trains once for each of its copies, on whichever side they lie."""
    rows = {fold: part["row"].to_numpy() for fold, part in mine.groupby("fold")}
    return rows, {fold: mine.loc[mine["fold"] != fold, "row"].to_numpy() for fold in rows}


def _pooled(mine: pd.DataFrame, _: pd.DataFrame) -> Split:
    """All that is called `train` trains one network, whatever its fold, and all that is called `val` tests it."""
    return tuple({1: mine.loc[mine["part"] == part, "row"].to_numpy()} for part in ("val", "train"))  # type: ignore[return-value]


_TRAINED: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Split]] = {
    "leaky_copies": _by_file,
    "leaky_copy_weights": _by_copies,
    "leaky_pooled": _pooled,
    "leaky_file_90_10": _pooled,
}
"""By protocol, how its rows of folds.csv become a split; all others are pages, each tested once."""

_NOT_ALL = ("by_month", "leaky_pooled", "leaky_file_90_10")
"""Protocols that need not test every page, nor every class in every fold."""
