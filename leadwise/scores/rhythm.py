"""Scores of atrial fibrillation: of recordings called as a whole, and of time in episodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.recordings.episodes import ATRIAL, LIKELY, episodes_of, overlap_s, read_rhythm
from leadwise.scores.draws import Interval, percentiles, weighings
from leadwise.scores.table import stated

_DRAWS = 2000


def by_record(stretches: pd.DataFrame, probability: NDArray[np.floating]) -> pd.DataFrame:
    """Recordings, a row each: `record, label, is_af, prob_af`, the mean of its stretches; 0 where none is known."""
    rows = stretches[["record", "label", "is_af"]].assign(prob_af=probability)
    found = rows.groupby("record", as_index=False).agg(
        label=("label", "first"), is_af=("is_af", "first"), prob_af=("prob_af", "mean")
    )
    return found.assign(prob_af=found["prob_af"].fillna(0.0))


def record_scores(
    records: pd.DataFrame, counts: Mapping[str, int] | None = None, **place: Any
) -> pd.DataFrame:
    """Rows of ``scores.csv``: sensitivity, PPV and F1 of ``af`` of recordings as `by_record` gives them.

    With `counts` (by label) each recording weighs as many as its class has there over those that are here, and so it
    does in each draw of recordings.
    """
    labels = records["label"]
    weights = np.ones(len(records))
    if counts is not None:
        weights = (labels.map(counts) / labels.map(labels.value_counts())).to_numpy(float)
    called, is_af = (records["prob_af"] > LIKELY).to_numpy(), records["is_af"].to_numpy(bool)
    parts = np.stack([called & is_af, ~called & is_af, called & ~is_af], axis=1) * weights[:, None]
    return _scored(records["record"], parts, task="af", unit="record", n=len(records), **place)


def episode_times(
    folder: Path, stretches: pd.DataFrame, probability: NDArray[np.floating], notes: tuple[str, ...] = ATRIAL
) -> pd.DataFrame:
    """Seconds by record: `record, both_s, missed_s, false_s, duration_s, episodes`, the last as ``start-end`` in s.

    `stretches` are `leadwise.sets.rhythms.noted_stretches`; truth are spans with one of these notes.
    """
    rows = []
    for record, own in stretches.assign(probability=probability).groupby("record", sort=False):
        duration_s = float(own["duration_s"].iloc[0])
        truth = read_rhythm(folder / f"{record}.hea", duration_s, notes)
        found = [
            (one.start_s, one.end_s)
            for one in episodes_of(own["start_s"].to_numpy(), own["probability"].to_numpy(), duration_s)
        ]
        both = overlap_s(found, truth)
        rows.append(
            {
                "record": record,
                "both_s": both,
                "missed_s": sum(end - start for start, end in truth) - both,
                "false_s": sum(end - start for start, end in found) - both,
                "duration_s": duration_s,
                "episodes": "; ".join(f"{start:.0f}-{end:.0f}" for start, end in found),
            }
        )
    return pd.DataFrame(rows)


def episode_scores(times: pd.DataFrame, **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv``: sensitivity and PPV of ``af`` by duration, of `episode_times`; n: seconds of it."""
    parts = times[["both_s", "missed_s", "false_s"]].to_numpy(float)
    seconds = round(float(parts[:, :2].sum()))
    return _scored(times["record"], parts, task="af", unit="second", n=seconds, **place)


def _scored(groups: pd.Series, parts: NDArray[np.float64], **place: Any) -> pd.DataFrame:
    """Of right, missed and false ``(groups, 3)``, groups drawn with replacement."""
    names, times = weighings(groups, _DRAWS)
    right, missed, false = (times @ parts[np.argsort(names.get_indexer(groups.astype(str)))]).T
    with np.errstate(invalid="ignore"):
        values = {
            "f1_af": 2 * right / (2 * right + missed + false),
            "recall_af": right / (right + missed),
            "ppv_af": right / (right + false),
        }
    intervals: dict[str, Interval] = {name: percentiles(drawn) for name, drawn in values.items()}
    return stated(intervals, **{"counted": "all", "average": "gross", **place})
