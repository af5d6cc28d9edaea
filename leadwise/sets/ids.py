"""What a printed id is: pairs of pages by id, time, class and rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def page_pairs(pages: pd.DataFrame, alike: NDArray[np.floating]) -> pd.DataFrame:
    """All pairs of pages whose header was read.

    Columns: `recording_id` (of the first), `same_id, same_label, minutes, rate_difference_bpm, alike`.

    `pages` keeps the contract ``pages.csv``; `alike` ``(pages, pages)`` says how alike two pages' beats are.
    """
    read = pages[["recording_id", "recorded_at", "heart_rate_bpm"]].notna().all(axis=1).to_numpy()
    known = pages[read]
    one, other = np.triu_indices(len(known), 1)
    minutes = pd.to_datetime(known["recorded_at"]).to_numpy("datetime64[s]").astype(np.int64) / 60
    rate = known["heart_rate_bpm"].to_numpy(float)
    ident, label = known["recording_id"].to_numpy(str), known["label"].to_numpy(str)
    return pd.DataFrame(
        {
            "recording_id": ident[one],
            "same_id": ident[one] == ident[other],
            "same_label": label[one] == label[other],
            "minutes": np.abs(minutes[one] - minutes[other]),
            "rate_difference_bpm": np.abs(rate[one] - rate[other]),
            "alike": alike[np.ix_(read, read)][one, other],
        }
    )


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
