"""Folds by protocol: who is tested where, and proof that no group stands on both sides.

A page is grouped with all pages that share its bytes, its trace or its printed id. The id is a running number of
the device, given out twice at times, and no person: grouping by it is a precaution, and these pages do not allow
"by patient". Protocols whose names begin with "leaky" do as published work does, so that what they hide can be
priced; none of them may head a table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

from leadwise.errors import InputError, LeakError, SettingsError, nearest
from leadwise.files import RESOURCES
from leadwise.names import CLASSES, TASKS
from leadwise.sets.traces import joined
from leadwise.tables import SCHEMAS

N_FOLDS = 5


def make_folds(
    pages: pd.DataFrame,
    protocol: str,
    seeds: Sequence[int],
    files: pd.DataFrame | None = None,
    traces: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Folds of one protocol as rows of ``folds.csv``, a partition for each seed.

    `pages` keeps the contract ``pages.csv``; `files` (`path, sha256`, a row a file) is needed where files are
    split and not pages; `traces`, one a page, are the numbers of `leadwise.sets.traces.group_same_trace`. Raises
    `SettingsError` for an unknown protocol, `InputError` where a class has fewer pages (or groups) than folds, or
    a protocol cannot be had with these pages, `LeakError` should a group come to lie on both sides.
    """
    if protocol not in PROTOCOLS:
        raise SettingsError(f"no protocol is called {protocol!r}; {nearest(protocol, PROTOCOLS)}")
    _enough(pages["label"].value_counts(), "pages")
    pages = pages.reset_index(drop=True).assign(group_id=lambda all_: group_ids(all_, traces))
    unit, make = PROTOCOLS[protocol]
    table = pages if unit == "page" else _by_file(pages, files, protocol)
    folds = pd.concat([make(table, seed) for seed in seeds], ignore_index=True)
    folds = folds.rename(columns={"page_id": "unit_id"})
    folds = folds.assign(protocol=protocol, unit="page", inner=pd.array([pd.NA] * len(folds), "Int64"))
    return folds[[*SCHEMAS["folds.csv"].columns, "path", "label"]]


def grouped(pages: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Distinct pages joined by copy, trace and printed id, stratified by class: the one that may head a table."""
    groups = pages["group_id"]
    _enough(pages.groupby("label")["group_id"].nunique(), "groups of pages")
    splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    return disjoint(_split(pages, splitter.split(pages, pages["label"], groups), seed))


def distinct(pages: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Distinct pages, ids and traces ignored: tells what they cost. Every page is a group of its own."""
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    pages = pages.assign(group_id=pages["page_id"])
    return disjoint(_split(pages, splitter.split(pages, pages["label"]), seed))


def by_month(pages: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Each recording month is tested by the others, in order of time; pages without a date are left out.

    The one shift inside the set: months differ in the device's settings and in the share of the classes. Nothing
    is drawn, so all seeds have the same folds.
    """
    month = pages["recorded_at"].astype("string").str[:7]
    months = sorted(month.dropna().unique())
    if len(months) < 2:
        raise InputError(f"by_month needs pages of two months at least; these are of {len(months)}.")
    dated = pages[month.notna()].assign(
        seed=seed, part="test", fold=month.map({name: number for number, name in enumerate(months, start=1)})
    )
    return disjoint(dated.astype({"fold": "int64"}))


def leaky_copies(files: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Every file, copies on both sides, as published work splits; the group is the page, and it does leak."""
    splitter = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    return _split(files, splitter.split(files, files["label"]), seed)


def leaky_pooled(files: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As ECG-Image-Classification published it: five folds of normal and abnormal files, to be pooled again.

    A class at a time, files in a shuffled order are cut into five test parts; of what remains the first fifth (in
    that order) validates and the rest trains. Pooled over folds, as its notebooks pool them, a file may both train
    and validate, and copies do.
    """
    if lacking := set(TASKS["binary"]) - set(files["label"]):
        raise InputError(
            f"leaky_pooled needs pages of {' and '.join(TASKS['binary'])}; {min(lacking)} is missing."
        )
    rng = np.random.default_rng(seed)
    parts = []
    for label in TASKS["binary"]:
        of_class = files[files["label"] == label]
        of_class = of_class.iloc[rng.permutation(len(of_class))].reset_index(drop=True)
        splitter = KFold(N_FOLDS, shuffle=True, random_state=seed)
        for fold, (rest, _) in enumerate(splitter.split(of_class), start=1):
            n_val = -(-len(rest) // N_FOLDS)
            for part, rows in (("val", rest[:n_val]), ("train", rest[n_val:])):
                parts.append(of_class.iloc[rows].assign(fold=fold, part=part))
    return pd.concat(parts, ignore_index=True).assign(seed=seed)


def leaky_file_90_10(files: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As two published transformers were scored: all files shuffled once, the last tenth validates."""
    shuffled = files.iloc[np.random.default_rng(seed).permutation(len(files))].reset_index(drop=True)
    trained = len(files) - len(files) // 10
    return shuffled.assign(seed=seed, fold=1, part=np.where(np.arange(len(files)) < trained, "train", "val"))


PROTOCOLS: dict[str, tuple[str, Callable[[pd.DataFrame, int], pd.DataFrame]]] = {
    "grouped": ("page", grouped),
    "distinct": ("page", distinct),
    "by_month": ("page", by_month),
    "leaky_copies": ("file", leaky_copies),
    "leaky_copy_weights": ("page", distinct),  # the same folds; training weighs each page by its copies
    "leaky_pooled": ("file", leaky_pooled),
    "leaky_file_90_10": ("file", leaky_file_90_10),
}
"""By name: what is split, and how."""


def published() -> pd.DataFrame:
    """The folds that ship with leadwise: the 491 distinct pages under grouped, distinct and by_month, seeds 1 to 3.

    A row a page: `page_id, group_id, label`, then a column a partition, ``grouped_1`` to ``distinct_3``, and
    ``by_month``, which hold the fold in which the page is tested.
    """
    return pd.read_csv(RESOURCES / "folds.csv", dtype={"page_id": str})


def published_rows(protocol: str, seed: int) -> pd.DataFrame:
    """One of these partitions, `grouped` or `distinct`, as rows of ``folds.csv``."""
    wide = published()
    kept = {"unit_id": wide["page_id"], "group_id": wide["group_id"], "fold": wide[f"{protocol}_{seed}"]}
    return pd.DataFrame(kept).assign(
        protocol=protocol, unit="page", seed=seed, part="test", inner=pd.array([pd.NA] * len(wide), "Int64")
    )[list(SCHEMAS["folds.csv"].columns)]


def lie_as_published(page_ids: Iterable[str], folds: Iterable[int], seed: int) -> bool:
    """Whether pages lie each in its own fold of the published `grouped` partition of a seed."""
    known = published().set_index("page_id")
    name = f"grouped_{seed}"
    mine = pd.Series(list(folds), index=list(page_ids))
    if name not in known or not mine.index.isin(known.index).all():
        return False
    return bool((known.loc[mine.index, name].to_numpy() == mine.to_numpy()).all())


def grouped_as_published(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``folds.csv`` whose `grouped` folds are the published ones, where all their pages are known there.

    Of some of the published pages folds by themselves would be others, and a network that is published for a fold
    would know pages of it. The groups are the published ones as well.
    """
    known = published().set_index("page_id")
    mine = (table["protocol"] == "grouped") & ("grouped_" + table["seed"].astype(str)).isin(known.columns)
    if not table.loc[mine, "unit_id"].isin(known.index).all():
        return table
    rows = table[mine]
    folds = [
        known.loc[page, f"grouped_{seed}"] for page, seed in zip(rows["unit_id"], rows["seed"], strict=True)
    ]
    groups = known.loc[rows["unit_id"], "group_id"].to_numpy()
    table = table.copy()
    table.loc[mine, "fold"], table.loc[mine, "group_id"] = folds, groups
    return table


def published_form(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``folds.csv`` in the form in which folds are published."""
    kept = table[table["protocol"].isin(["grouped", "distinct", "by_month"])]
    kept = kept.rename(columns={"unit_id": "page_id"})
    grouped_rows = kept[kept["protocol"] == "grouped"].drop_duplicates("page_id")
    wide = grouped_rows.set_index("page_id")[["group_id", "label"]]
    for (protocol, seed), rows in kept.groupby(["protocol", "seed"], sort=False):
        name = protocol if protocol == "by_month" else f"{protocol}_{seed}"
        wide[name] = rows.set_index("page_id")["fold"].reindex(wide.index).astype("Int64")
    return wide.reset_index()


def fingerprint(wide: pd.DataFrame) -> str:
    """Twelve hex digits over folds in their published form: equal where every page is tested in the same folds."""
    columns = sorted(column for column in wide.columns if column not in {"group_id", "label"})
    whole = dict.fromkeys(columns, "Int64") | {
        "page_id": "str"
    }  # a gap makes a column read from a file float
    rows = wide[columns].astype(whole).sort_values("page_id").to_csv(index=False, lineterminator="\n")
    return hashlib.sha256(rows.encode()).hexdigest()[:12]


def group_ids(pages: pd.DataFrame, traces: Sequence[int] | None = None) -> pd.Series[str]:
    """A page's group, joined by printed id and by trace; a page whose id could not be read is its own group.

    Copies are one page already. A group is named by its smallest id, or by its page.
    """
    ids = ("id-" + pages["recording_id"].astype("string")).fillna("page-" + pages["page_id"]).astype(str)
    if traces is None:
        return ids
    numbers = joined(ids, pd.Series(traces))
    return pd.Series(ids.groupby(numbers).transform("min").to_numpy(str), index=pages.index)


def assert_disjoint(train_groups: Iterable[str], test_groups: Iterable[str], what: str) -> None:
    """Raise `LeakError`, with up to three groups by name, if any group is on both sides."""
    both = sorted(set(train_groups) & set(test_groups))
    if both:
        raise LeakError(
            f"{what}: {len(both)} group(s) are on both sides, {', '.join(both[:3])} among them. "
            "Scores of such a split say nothing; make the folds with a protocol that keeps groups together."
        )


def disjoint(table: pd.DataFrame) -> pd.DataFrame:
    """The table itself, once it is shown that no group is tested in two folds."""
    for fold in sorted(table["fold"].unique()):
        tested = table["fold"] == fold
        assert_disjoint(table.loc[~tested, "group_id"], table.loc[tested, "group_id"], f"fold {fold}")
    return table


def _split(table: pd.DataFrame, splits: Iterable[tuple[np.ndarray, np.ndarray]], seed: int) -> pd.DataFrame:
    fold = np.zeros(len(table), dtype=np.int64)
    for number, (_, tested) in enumerate(splits, start=1):
        fold[tested] = number
    return table.assign(seed=seed, fold=fold, part="test")


def _by_file(pages: pd.DataFrame, files: pd.DataFrame | None, protocol: str) -> pd.DataFrame:
    """A row a file, its group the page."""
    if files is None:
        raise InputError(f"{protocol} splits files: give the table of files that find_files made.")
    table = files[["path", "sha256"]].merge(pages.drop(columns="path"), on="sha256", validate="many_to_one")
    return table.assign(group_id=table["page_id"])


def _enough(counts: pd.Series[int], what: str) -> None:
    for label in [name for name in CLASSES if name in counts.index]:
        if counts[label] < N_FOLDS:
            raise InputError(
                f"class {label!r} has {counts[label]} {what}; {N_FOLDS} folds need {N_FOLDS} at least. "
                "Add pages of this class."
            )
