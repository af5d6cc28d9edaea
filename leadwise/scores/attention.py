"""Whether a network's attention lies on the beats that make a window abnormal, more than by chance.

Chance is exact: the mean over all circular shifts of a window's attention against its beats is 1, whatever the
attention looks like. Records are drawn for the interval: the windows of one record are alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.recordings.windows import NORMAL_SYMBOLS
from leadwise.scores.draws import bootstrap_share

HALF_WIDTH_S = 0.15
"""What lies so near to a beat's R wave counts as lying on it: the QRS complex and the beginning of what follows."""


def beats_within(beats: pd.DataFrame, record: str, start_s: float, seconds: float) -> pd.DataFrame:
    """The beats of ``beats.csv`` in a window, with ``at_s`` from its start and ``abnormal`` by the windows' rule."""
    part = beats[(beats["record"] == record) & beats["time_s"].between(start_s, start_s + seconds)]
    return part.assign(at_s=part["time_s"] - start_s, abnormal=~part["symbol"].isin(list(NORMAL_SYMBOLS)))


def share_on(
    attention: NDArray[np.floating], seconds: float, at_s: Sequence[float] | NDArray[np.floating]
) -> float:
    """Mean attention near the times `at_s` over its mean in the window: 1 by chance, nan without times.

    `attention` ``(steps,)`` covers `seconds` evenly.
    """
    if not len(at_s):
        return float("nan")
    middle_s = (np.arange(len(attention)) + 0.5) * seconds / len(attention)
    near = (np.abs(middle_s[:, None] - np.asarray(at_s)[None]) <= HALF_WIDTH_S).any(axis=1)
    return float(attention[near].mean() / attention.mean()) if near.any() else float("nan")


def against_chance(shares: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Means over records of what `share_on` gave, with 95 % intervals by bootstrap over records; 1 is chance.

    `shares` has `group_id` and the `columns`, a row a window; a record's value is the mean of its windows. Of two
    columns their difference is told too, over records that have both. Returns ``what, records, value, low, high``.
    """
    by_record = shares.groupby("group_id")[list(columns)].mean()
    if len(columns) == 2:
        by_record[f"{columns[0]} minus {columns[1]}"] = by_record[columns[0]] - by_record[columns[1]]
    rows = []
    for name in by_record:
        known = by_record[name].dropna()
        mean = bootstrap_share(known.to_numpy(), known.index.tolist())
        rows.append((name, len(known), mean.value, mean.low, mean.high))
    return pd.DataFrame(rows, columns=["what", "records", "value", "low", "high"])
