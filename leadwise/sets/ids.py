"""What a printed id is: pairs of pages by id, time, class and rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MATCHED_MIN, MATCHED_BPM = 60, 5
"""Two pages of one class are matched where their printed times and rates lie no further apart."""

_PRINTED = ["recording_id", "recorded_at", "heart_rate_bpm"]


def page_pairs(pages: pd.DataFrame) -> pd.DataFrame:
    """Pairs of pages whose header was read: those of one id, and those that are matched in class, time and rate.

    Columns: `first, second` (rows of `pages`, which keeps the contract ``pages.csv``), `recording_id` (of the first),
    `same_id, same_label, minutes, rate_difference_bpm`. In order of the rows; as many as pages come in an hour, and
    not as there are pairs of pages.
    """
    read = np.flatnonzero(pages[_PRINTED].notna().all(axis=1))
    known = pages.iloc[read]
    minutes = pd.to_datetime(known["recorded_at"]).to_numpy("datetime64[s]").astype(np.int64) / 60
    rate_bpm = known["heart_rate_bpm"].to_numpy(float)
    recording_id, label = known["recording_id"].to_numpy(str), known["label"].to_numpy(str)
    of_id = known.groupby("recording_id").indices.values()
    pairs = [np.zeros((2, 0), np.intp), *(rows[np.stack(np.triu_indices(len(rows), 1))] for rows in of_id)]
    for rows in known.groupby("label").indices.values():
        near = _pairs_within(minutes, rows, MATCHED_MIN)
        pairs.append(near[:, np.abs(rate_bpm[near[0]] - rate_bpm[near[1]]) <= MATCHED_BPM])
    low, high = np.sort(np.concatenate(pairs, axis=1), axis=0)
    first, second = np.divmod(np.unique(low * len(known) + high), max(len(known), 1))
    return pd.DataFrame(
        {
            "first": read[first],
            "second": read[second],
            "recording_id": recording_id[first],
            "same_id": recording_id[first] == recording_id[second],
            "same_label": label[first] == label[second],
            "minutes": np.abs(minutes[first] - minutes[second]),
            "rate_difference_bpm": np.abs(rate_bpm[first] - rate_bpm[second]),
        }
    )


def _pairs_within(values: NDArray[np.floating], rows: NDArray[np.intp], most: float) -> NDArray[np.intp]:
    """Pairs ``(2, pairs)`` of `rows` whose values are at most so far apart."""
    rows = rows[np.argsort(values[rows], kind="stable")]
    ordered, place = values[rows], np.arange(len(rows))
    following = np.searchsorted(ordered, ordered + most, side="right") - place - 1
    first = np.repeat(place, following)
    nth = np.arange(following.sum()) - np.repeat(np.cumsum(following) - following, following)
    return np.stack([rows[first], rows[first + nth + 1]])


def agreement_by_chance(pages: pd.DataFrame) -> float:
    """Share of all pairs of pages whose header was read that agree in class; nan for fewer than two such pages."""
    counts = pages.dropna(subset=_PRINTED)["label"].value_counts().to_numpy(float)
    n = counts.sum()
    return float((counts * (counts - 1)).sum() / (n * (n - 1))) if n > 1 else float("nan")


def id_falls(pages: pd.DataFrame) -> pd.DataFrame:
    """Where the running number falls in order of printed time: `recorded_at, before, after`, a row a fall."""
    known = pages.dropna(subset=["recording_id", "recorded_at"]).sort_values("recorded_at")
    number = known["recording_id"].astype(int)
    falls = number.diff() < 0
    return pd.DataFrame(
        {
            "recorded_at": known["recorded_at"][falls],
            "before": number.shift()[falls].astype(int),
            "after": number[falls],
        }
    ).reset_index(drop=True)
