"""Folds of recordings by protocol: who is learned from, who is tested, and where choices are made.

The true protocols split people: ``interpatient``, DS1 against DS2 without paced records, as de Chazal and others
divided them (`leadwise.sets.recordings`); ``interpatient_strict``, which also drops record 202, whose person is
201 of DS1; ``interpatient_held_out``, which keeps some records of DS1 for those who learn from answers;
``interpatient_svdb``, which learns from the supraventricular database (SVDB), too; ``svdb``, which learns from DS1
and is tested on that database; ``patient_folds``, five folds by person. Protocols whose names begin with "leaky"
split windows or beats at random, as published work does; neighbours of a test window or beat are then learned by
heart.

Choices under ``interpatient`` are made on inner folds of DS1: whole records, six or more left out together where
there are enough, since on three or so records a choice follows those hearts and no rule. Where SVDB is learned from
or asked, DS1's two records of atrial fibrillation are never left out together: what fibrillation looks like is then
always known from one of them, and asked about in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from leadwise.errors import InputError, SettingsError, nearest
from leadwise.folds.pages import N_FOLDS, assert_disjoint, disjoint
from leadwise.names import AAMI
from leadwise.recordings.heartbeats import PUBLISHED, PUBLISHED_TEST
from leadwise.tables import SCHEMAS

LEFT_OUT = 6
"""Records of DS1 that are left out together, at least, to make a choice."""

MOST_INNER = 3

FIBRILLATING = ("201", "203")
"""The records of DS1 with atrial fibrillation."""

_DRAWS = 1000
_RARE = 5  # a class with fewer beats is drawn with the largest one


def make_signal_folds(
    records: pd.DataFrame,
    protocol: str,
    seeds: Sequence[int],
    windows: pd.DataFrame | None = None,
    beats: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Folds of one protocol as rows of ``folds.csv``, a partition for each seed.

    `records`, `windows` and `beats` keep the contracts of these names; the last two are needed where they are what
    is split. Raises `SettingsError` for an unknown protocol, `InputError` where it cannot be had with these records,
    `LeakError` should a record (or under ``interpatient_strict`` and ``patient_folds`` a person) be on both sides.
    """
    if protocol not in SIGNAL_PROTOCOLS:
        raise SettingsError(f"no protocol is called {protocol!r}; {nearest(protocol, SIGNAL_PROTOCOLS)}")
    tables = {"record": records, "window": windows, "beat": beats}
    unit, make = SIGNAL_PROTOCOLS[protocol]
    table = tables[unit]
    if table is None:
        raise InputError(f"{protocol} splits {unit}s: give their table.")
    made = [make(table.reset_index(drop=True), seed).assign(seed=seed) for seed in seeds]
    return pd.concat(made, ignore_index=True).assign(protocol=protocol, unit=unit)[
        list(SCHEMAS["folds.csv"].columns)
    ]


def interpatient(records: pd.DataFrame, seed: int) -> pd.DataFrame:
    """DS1 against DS2, as all published work takes them: a record is a group, although 201 and 202 are one person."""
    return _ds1_ds2(records, "record-" + records["record"].astype(str), seed)


def interpatient_strict(records: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same by person: records of DS2 whose person is also in DS1 are dropped. That is 202."""
    known = records.loc[records["part"] == "ds1", "group_id"]
    also = (records["part"] == "ds2") & records["group_id"].isin(known)
    kept = records[~also]
    return _ds1_ds2(kept, kept["group_id"], seed)


def interpatient_held_out(records: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same as `interpatient`, but the last inner fold of DS1 (of all 22 records, seven) is the part ``val``.

    No network learns from it: whatever joins networks learns from their answers to it. Nothing else is chosen.
    """
    table = interpatient(records, seed)
    held_out = table["inner"] == table["inner"].max()
    table["part"] = table["part"].mask(held_out.fillna(False).astype(bool), "val")
    groups = {part: rows["group_id"] for part, rows in table.groupby("part")}
    assert_disjoint(groups["train"], groups["val"], "training against held-out records")
    assert_disjoint(groups["val"], groups["test"], "held-out against tested records")
    return table.assign(inner=pd.array([pd.NA] * len(table), dtype="Int64"))


def interpatient_svdb(records: pd.DataFrame, seed: int) -> pd.DataFrame:
    """DS1 and SVDB against DS2, by record as `interpatient`; each inner fold holds records of both in proportion.

    Of records without SVDB it is `interpatient` with the records of fibrillation in different inner folds.
    """
    return _against(records, ("ds1", "svdb"), "ds2", seed)


def svdb(records: pd.DataFrame, seed: int) -> pd.DataFrame:
    """DS1 against SVDB, with the inner folds of DS1 that `interpatient_svdb` has."""
    return _against(records, ("ds1",), "svdb", seed)


def patient_folds(records: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Five folds of the records without a pacemaker by person, classes spread as evenly as that allows.

    Inner folds of a fold are the other four.
    """
    kept = records[records["part"] != "paced"]
    fold = _spread(kept, kept["group_id"], N_FOLDS, seed)
    return disjoint(_rows(kept, kept["group_id"], fold=fold, part="test"))


def leaky_windows(windows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As the attention-based classifier splits: windows at random, a fifth tested, a fifth of the rest validates.

    Windows overlap by half, so most tested ones share half of their samples with one that was learned.
    """
    return _at_random(windows, "window_id", seed, 0.2, 0.2, None)


def leaky_beats(beats: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As the "heartbeat" files were published: beats at random, classes in proportion; a tenth of the rest validates.

    The last beat of each record is in none of them, as in those files.
    """
    beats = beats[beats["in_heartbeat"]].reset_index(drop=True)
    counts = beats["label"].value_counts()
    classes = beats["label"].mask(beats["label"].map(counts) < _RARE, counts.idxmax())
    return _at_random(beats, "beat_id", seed, PUBLISHED_TEST / sum(PUBLISHED.values()), 0.1, classes)


def transfer_folds(beats: pd.DataFrame, protocol: str, seeds: Sequence[int]) -> pd.DataFrame:
    """Five folds of beats with their recording's label, as rows of ``folds.csv``; each beat is tested once.

    `beats` has ``beat_id, record, group_id, label``. ``patient_folds``: no person is on both sides, classes of
    recordings in proportion; ``leaky_beats``: beats at random, classes in proportion. Both answer for the same beats,
    so they can be paired. Raises `SettingsError` for another protocol, `InputError` where a class is absent from a
    fold, `LeakError` should a person of ``patient_folds`` be on both sides.
    """
    protocols = ("patient_folds", "leaky_beats")
    if protocol not in protocols:
        raise SettingsError(f"no protocol of transfer is called {protocol!r}; {nearest(protocol, protocols)}")
    unit, key = ("record", "record") if protocol == "patient_folds" else ("beat", "beat_id")
    units = beats.drop_duplicates(key).reset_index(drop=True)
    groups = units["group_id"] if unit == "record" else units[key]
    fewest = groups.groupby(units["label"]).nunique()
    if len(fewest) < 2 or fewest.min() < N_FOLDS:
        raise InputError(
            f"{protocol}: class {fewest.idxmin()!r} has {fewest.min()} of at least {N_FOLDS} "
            f"{'people' if unit == 'record' else 'beats'}, and there are {len(fewest)} classes: one would be absent "
            "from a fold. Give more recordings."
        )
    made = []
    for seed in seeds:
        splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
        fold = np.zeros(len(units), np.int64)
        for number, (rest, tested) in enumerate(splitter.split(units, units["label"], groups), start=1):
            assert_disjoint(groups[rest], groups[tested], f"fold {number} of {protocol}")
            if lacking := set(units["label"]) - set(units["label"][tested]):
                raise InputError(
                    f"{protocol}, seed {seed}: class {min(lacking)!r} is absent from fold {number}."
                )
            fold[tested] = number
        made.append(
            pd.DataFrame({"unit_id": units[key], "group_id": units["group_id"], "fold": fold, "seed": seed})
        )
    table = pd.concat(made, ignore_index=True).assign(protocol=protocol, unit=unit, part="test", inner=pd.NA)
    return table.astype({"inner": "Int64"})[list(SCHEMAS["folds.csv"].columns)]


SIGNAL_PROTOCOLS: dict[str, tuple[str, Callable[[pd.DataFrame, int], pd.DataFrame]]] = {
    "interpatient": ("record", interpatient),
    "interpatient_strict": ("record", interpatient_strict),
    "interpatient_held_out": ("record", interpatient_held_out),
    "interpatient_svdb": ("record", interpatient_svdb),
    "svdb": ("record", svdb),
    "patient_folds": ("record", patient_folds),
    "leaky_windows": ("window", leaky_windows),
    "leaky_beats": ("beat", leaky_beats),
}
"""By name: what is split, and how."""


def _ds1_ds2(records: pd.DataFrame, groups: pd.Series, seed: int) -> pd.DataFrame:
    learned, tested = records["part"] == "ds1", records["part"] == "ds2"
    if learned.sum() < 2 or not tested.any():
        raise InputError(
            f"DS1 against DS2 needs records of both; there are {learned.sum()} of DS1 and {tested.sum()} of DS2."
        )
    what = "DS1 against DS2"
    assert_disjoint(groups[learned], groups[tested], what)
    assert_disjoint(records.loc[learned, "record"], records.loc[tested, "record"], what)
    ds1 = records[learned]
    inner = _spread(
        ds1, groups[learned], max(2, min(MOST_INNER, groups[learned].nunique() // LEFT_OUT)), seed
    )
    return pd.concat(
        [
            _rows(ds1, groups[learned], fold=1, part="train", inner=inner),
            _rows(records[tested], groups[tested], fold=1, part="test"),
        ],
        ignore_index=True,
    )


def _against(records: pd.DataFrame, learned: Sequence[str], tested: str, seed: int) -> pd.DataFrame:
    """Records of some parts against those of another; inner folds are spread over each part by itself."""
    groups = "record-" + records["record"].astype(str)
    asked = records["part"] == tested
    tables = []
    for part in learned:
        own = records["part"] == part
        if not own.any() and part != learned[0]:
            continue
        if own.sum() < MOST_INNER or not asked.any():
            raise InputError(
                f"{part} against {tested}: {own.sum()} records of the one, {asked.sum()} of the other."
            )
        inner = _spread(
            records[own], groups[own], MOST_INNER, seed, [f"record-{name}" for name in FIBRILLATING]
        )
        tables.append(_rows(records[own], groups[own], fold=1, part="train", inner=inner))
    table = pd.concat([*tables, _rows(records[asked], groups[asked], fold=1, part="test")], ignore_index=True)
    trains = table["part"] == "train"
    assert_disjoint(
        table.loc[trains, "group_id"], table.loc[~trains, "group_id"], f"{learned} against {tested}"
    )
    return table


def _rows(records: pd.DataFrame, groups: pd.Series, **more: object) -> pd.DataFrame:
    table = pd.DataFrame({"unit_id": records["record"].astype(str), "group_id": groups.astype(str)})
    return table.assign(**({"inner": pd.NA} | more)).reset_index(drop=True).astype({"inner": "Int64"})


def _spread(
    records: pd.DataFrame, groups: pd.Series, n_folds: int, seed: int, apart: Sequence[str] = ()
) -> NDArray[np.int64]:
    """The fold of each record: groups whole, as many in each as in any other, classes in proportion.

    Of many draws the one whose folds are most alike in their shares of each class of beats (but Q, of which there
    are eight) and of abnormal windows, of those that leave no two groups in `apart` out together. Raises `InputError`
    where no draw does, or there are fewer people than folds.
    """
    names, number = np.unique(groups.to_numpy(str), return_inverse=True)
    if len(names) < n_folds:
        raise InputError(f"{len(names)} people are too few for {n_folds} folds.")
    counted = records[[f"beats_{name}" for name in AAMI if name != "Q"] + ["windows_abnormal"]].to_numpy(
        float
    )
    shares = np.zeros((len(names), counted.shape[1]))
    np.add.at(shares, number, counted / np.maximum(counted.sum(axis=0), 1))
    rng = np.random.default_rng(seed)
    even = np.arange(len(names)) % n_folds
    best, least = even, np.inf
    parted = np.isin(names, apart)
    for _ in range(_DRAWS):
        drawn = rng.permutation(even)
        if len(set(drawn[parted])) < parted.sum():
            continue
        off = float(((np.eye(n_folds)[drawn].T @ shares - 1 / n_folds) ** 2).sum())
        if off < least:
            best, least = drawn, off
    if not np.isfinite(least):
        raise InputError(
            f"of {_DRAWS} draws of {n_folds} folds none keeps {', '.join(names[parted])} apart. Ask for more folds."
        )
    return np.asarray(best[number] + 1, np.int64)


def _at_random(
    table: pd.DataFrame, key: str, seed: int, tested: float, validates: float, classes: pd.Series | None
) -> pd.DataFrame:
    rows = np.arange(len(table))
    n_test = round(tested * len(table))
    rest, test = train_test_split(rows, test_size=n_test, random_state=seed, stratify=classes)
    _, val = train_test_split(rest, test_size=validates, random_state=seed)
    part = np.full(len(table), "train", dtype=object)
    part[test], part[val] = "test", "val"
    made = pd.DataFrame({"unit_id": table[key], "group_id": table["group_id"], "fold": 1, "part": part})
    return made.assign(inner=pd.array([pd.NA] * len(made), dtype="Int64"))
