"""Beats once more, as if their record were but a stretch of it: what is usual there may be odd elsewhere.

Our network sees a beat beside what is usual in its record (`leadwise.recordings.beat_views`). In most records
the usual is a normal beat, and a training on whole records learns to take it for one; in a record that is mostly
supraventricular that is wrong. So training beats are also shown beside what is usual in stretches of their record,
some of which are chosen to be rich in supraventricular beats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.folds.partition import Rows
from leadwise.recordings.beat_views import beat_views

MANY = 12
"""Stretches of a record; every second one lies about a supraventricular beat, where there are some."""

_BEATS = (40, 400)
_SOME = 5


@dataclass(frozen=True)
class Twins:
    """Beats seen in stretches: `rows` are those of ``beats.csv`` that they are, `views` what is seen, in this order.

    Stretches are chosen by labels, so twins are for training alone: `Partition.twin_of` keeps them there.
    """

    rows: Rows
    views: dict[str, NDArray[np.float16]]


def twins(beats: pd.DataFrame, cut: NDArray[np.floating], many: int = MANY) -> Twins:
    """The beats of `many` stretches of each record of ``beats.csv`` and ``beats.npy``; the same ones in each call."""
    rows: list[Rows] = []
    views: list[dict[str, NDArray[np.float16]]] = []
    r_s = beats["time_s"].to_numpy()
    for number, own in enumerate(beats.groupby("record", sort=False).indices.values()):
        is_s = (beats["label"].to_numpy()[own] == "S").nonzero()[0]
        for place in _stretches(len(own), is_s, many, np.random.default_rng(number)):
            rows.append(own[place])
            views.append(beat_views(cut[own[place]], r_s[own[place]]))
    told = {name: np.concatenate([one[name] for one in views]) for name in views[0]}
    return Twins(np.concatenate(rows).astype(np.int64), told)


def added(
    units: pd.DataFrame, views: dict[str, NDArray[Any]], more: Twins
) -> tuple[pd.DataFrame, dict[str, NDArray[Any]], Rows]:
    """Units and views with their twins behind them, and of each row whose twin it is, -1 for the units themselves."""
    copies = units.iloc[more.rows].copy()
    copies["unit_id"] += [f"~{number}" for number in range(len(copies))]
    both = {name: np.concatenate([views[name], view]) for name, view in more.views.items()}
    twin_of = np.concatenate([np.full(len(units), -1), more.rows])
    return pd.concat([units, copies], ignore_index=True), both, twin_of


def _stretches(beats: int, is_s: Rows, many: int, random: np.random.Generator) -> Iterator[slice]:
    shortest, longest = np.minimum(_BEATS, beats)
    for number in range(many):
        length = int(np.exp(random.uniform(np.log(shortest), np.log(longest))))
        start = int(random.integers(0, beats - length + 1))
        if number % 2 and len(is_s) >= _SOME:
            start = int(random.choice(is_s) - random.integers(0, length))
        start = min(max(start, 0), beats - length)
        yield slice(start, start + length)
