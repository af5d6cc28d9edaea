"""Who is left out: one seed's folds of pages, windows or beats as rows of their table, checked to share no group."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.folds.pages import assert_disjoint, lie_as_published, published
from leadwise.names import TASKS, UNITS

Rows = NDArray[np.int64]

TESTED = 1
"""The fold of a protocol's one test set."""

ASKED = 2
"""The fold of its part ``val``, where networks are asked about that."""

LeftOut = tuple[int, ...]
"""The folds that a network never saw: ``(k,)`` or, for inner answers, ``(j, k)`` with j < k."""


def weights_name(seed: int, left_out: LeftOut, *, task: str = "four", prefix: str = "") -> str:
    """``seed1-fold2``; the task `binary` and a prefix stand before it: ``taught-binary-seed1-fold2``."""
    before = [part for part in (prefix, "" if task == "four" else task) if part]
    return "-".join([*before, f"seed{seed}", f"fold{left_out[0]}", *map(str, left_out[1:])])


@dataclass(frozen=True)
class Partition:
    """One seed's folds: rows of a table of units by fold, with ids, groups and labels by row.

    `trained` says who trains for each fold where that is not simply all others: under the protocols that leak, on
    purpose, and under copies' weights. There a unit may stand in a list several times. `asked` is a fold in `rows`
    that trains nobody and is not tested: each network answers for it too, for a model that learns from answers.
    `tested` are the folds that are outer ones; the others of a protocol with one test set are for choices alone.
    `copy_of` says of each row of the table of which it is another view, -1 for those that are none: such a row is in
    no fold, and trains wherever the row does whose view it is. `part_of` is the fingerprint of the published
    partition where these units are some of its own, each in its own fold there: its networks answer for them, too.
    """

    seed: int
    rows: dict[int, Rows]
    unit_ids: NDArray[Any]
    groups: NDArray[Any]
    labels: NDArray[Any]
    trained: dict[int, Rows] | None = None
    asked: int | None = None
    tested: tuple[int, ...] = ()
    copy_of: Rows | None = None
    part_of: str = ""

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits over who is in which fold; a network belongs to the partition of its training."""
        members = [
            [fold, *sorted(self.unit_ids[rows])]
            for named in (self.rows, self.trained or {})
            for fold, rows in sorted(named.items())
        ]
        return hashlib.sha256(json.dumps(members).encode()).hexdigest()[:12]

    @property
    def folds(self) -> list[int]:
        """The numbers of all folds."""
        return sorted(self.rows)

    def training_rows(self, left_out: LeftOut) -> Rows:
        """The units of all folds but those left out, checked to share no group with them; or those in `trained`.

        With their other views, where there are any.
        """
        rows = self._own_training_rows(left_out)
        if self.copy_of is None:
            return rows
        return np.concatenate([rows, np.isin(self.copy_of, rows).nonzero()[0]])

    def _own_training_rows(self, left_out: LeftOut) -> Rows:
        if self.trained is not None:
            (fold,) = left_out  # these protocols choose nothing, so they have no inner folds
            return self.trained[fold]
        kept = np.sort(np.concatenate([rows for fold, rows in self.rows.items() if fold not in left_out]))
        apart = np.concatenate([self.rows[fold] for fold in left_out])
        assert_disjoint(self.groups[kept], self.groups[apart], f"training without fold {left_out}")
        return kept


def units_in_folds(units: pd.DataFrame, folds: pd.DataFrame, protocol: str, seed: int) -> pd.DataFrame:
    """Who of a table of pages, windows or beats is where: its rows with ``row, group_id, fold, part, inner``.

    `row` is the row of the table (and of its arrays). A unit has no row where the protocol leaves it out, and several
    where it splits files; where it splits records, their windows or beats go with them. Raises `InputError` where
    ``folds.csv`` has no such partition, or not of these units.
    """
    mine = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed)]
    if mine.empty:
        maker = "13_image_folds" if "page_id" in units.columns else "15_signal_beats"
        raise InputError(
            f"folds.csv has no folds of protocol {protocol!r} with seed {seed} (it has seeds "
            f"{sorted(set(folds['seed']))}). Give {maker} the same SEEDS and run it again."
        )
    unit = mine["unit"].iloc[0]
    key = "record" if unit == "record" else f"{unit}_id"
    if key not in units.columns:
        raise InputError(f"{protocol} splits {unit}s, and this table has no column {key!r}.")
    sides = mine.rename(columns={"unit_id": key})[[key, "group_id", "fold", "part", "inner"]]
    lacking = set(sides[key]) - set(units[key])
    if lacking and unit != "page":  # pages whose leads were not found are in folds.csv alone
        raise InputError(
            f"{min(lacking)} is in folds.csv and not in this table: it was made from other recordings. "
            "Run 15_signal_beats again."
        )
    numbered = units.drop(columns="group_id", errors="ignore").assign(row=np.arange(len(units)))
    placed = sides.merge(numbered, on=key)
    return placed if unit == "page" else placed.sort_values("row", ignore_index=True)


def partition(
    units: pd.DataFrame, folds: pd.DataFrame, protocol: str, seed: int, task: str, *, ask: bool = False
) -> Partition:
    """The partition of one seed, for one task, as the protocol means it.

    `units` is a table of what the task is about (``pages.csv``, ``windows.csv``, ``beats.csv``), `folds` keeps the
    contract ``folds.csv``. With `ask` the part ``val`` of recordings, which trains nobody, is a fold that is answered
    for. Raises what `units_in_folds` raises; `InputError` where nobody is tested, a page is in no fold, or a class
    has no page in a fold (under `by_month`, whose months are as they are, and where some pages lie in the published
    folds of all: in a training); `LeakError` where a group is on both sides, unless the protocol leaks on purpose.
    """
    unit, classes = UNITS[task], TASKS[task]
    ids, labels = units[f"{unit}_id"].to_numpy(object), units["label"].to_numpy(object)
    placed = units_in_folds(units, folds, protocol, seed)
    placed = placed[placed["label"].isin(classes)]
    if unit == "page" and protocol not in _NOT_ALL:
        foreign = np.setdiff1d(np.flatnonzero(np.isin(labels, classes)), placed["row"])
        if len(foreign):
            raise InputError(
                f"page {ids[foreign[0]]} is in no fold of folds.csv: it was made from other pages. "
                "Run 13_image_folds again."
            )
    groups = np.full(len(units), None, dtype=object)
    groups[placed["row"]] = placed["group_id"]
    trains = placed["part"] == "train"
    if protocol == "leaky_copy_weights":
        rows, trained = _by_copies(placed, units["copies"].to_numpy(np.int64))
    elif protocol in _POOLED:
        rows, trained = ({1: _rows(placed, part=part)} for part in ("val", "train"))
    else:
        rows, trained = _by_part(placed, leaks=protocol.startswith("leaky"), ask=ask)
    asked = ASKED if ask and trained and ASKED in rows else None
    tested = (TESTED,) if unit != "page" and trains.any() else tuple(sorted(rows))
    part = Partition(seed, rows, ids, groups, labels, trained, asked, tested)
    if protocol == "grouped" and lie_as_published(placed["page_id"], placed["fold"], seed):
        whole = _published_fingerprint(seed, task)
        part = replace(part, part_of="" if whole == part.fingerprint else whole)
    if not protocol.startswith("leaky"):
        sides = groups[placed.loc[trains, "row"]], groups[placed.loc[~trains, "row"]]
        assert_disjoint(*sides, f"training {unit}s of {protocol}")
    for fold in part.folds if unit == "page" else ():
        may_lack = protocol in _NOT_ALL or part.part_of
        named = part.training_rows((fold,)) if may_lack else part.rows[fold]
        if absent := set(classes) - set(labels[named]):
            raise InputError(
                f"fold {fold} of seed {seed} ({protocol}) has no page of class {min(absent)!r}: too few for folds."
            )
    return part


@cache
def _published_fingerprint(seed: int, task: str) -> str:
    """Of the published partition of all pages of a task under `grouped`."""
    known = published()
    known = known[known["label"].isin(TASKS[task])]
    ids, groups, labels = (known[name].to_numpy(object) for name in ("page_id", "group_id", "label"))
    fold = known[f"grouped_{seed}"].to_numpy()
    rows = {int(number): np.flatnonzero(fold == number) for number in np.unique(fold)}
    return Partition(seed, rows, ids, groups, labels).fingerprint


Split = tuple[dict[int, Rows], dict[int, Rows] | None]
"""Rows of the units tested, by fold, and of those trained on where these are not all others."""


def _rows(placed: pd.DataFrame, **wanted: object) -> Rows:
    """The rows of the units whose columns say all this."""
    kept = np.logical_and.reduce([placed[name] == value for name, value in wanted.items()])
    return np.asarray(placed.loc[kept, "row"], np.int64)


def _by_part(placed: pd.DataFrame, *, leaks: bool, ask: bool) -> Split:
    """Where nobody is called ``train`` each fold is tested by all others; else one is tested, others are inner."""
    parts = set(placed["part"])
    if "test" not in parts:
        raise InputError("these folds test nobody: run the notebook that makes them again.")
    if "train" not in parts:
        rows = {int(fold): np.sort(_rows(placed, fold=fold)) for fold in sorted(set(placed["fold"]))}
        return rows, _others(rows) if leaks else None
    tested, inner = _rows(placed, part="test"), placed.loc[placed["part"] == "train", "inner"]
    if inner.notna().all():
        left_out = enumerate(sorted(set(inner)), start=TESTED + 1)
        return {TESTED: tested} | {
            fold: _rows(placed, part="train", inner=name) for fold, name in left_out
        }, None
    rows = {TESTED: tested} | ({ASKED: _rows(placed, part="val")} if ask and "val" in parts else {})
    return rows, {TESTED: _rows(placed, part="train")}


def _by_copies(placed: pd.DataFrame, copies: NDArray[np.int64]) -> Split:
    """A page trains as often as it has copies: the copies' weight (and steps) without their leak."""
    rows, _ = _by_part(placed, leaks=False, ask=False)
    return rows, {fold: np.repeat(others, copies[others]) for fold, others in _others(rows).items()}


def _others(rows: dict[int, Rows]) -> dict[int, Rows]:
    """By fold, the units of all others."""
    return {fold: np.concatenate([rows[other] for other in rows if other != fold]) for fold in rows}


_POOLED = ("leaky_pooled", "leaky_file_90_10")
"""Protocols in which all that is called `train` trains one network, whatever its fold, and `val` tests it."""

_NOT_ALL = ("by_month", *_POOLED)
"""Protocols that need not test every page, nor every class in every fold."""
