"""Beats once more, as if their record were but a segment of it: what is usual there may be odd elsewhere.

Our network sees a beat beside what is usual in its record (`leadwise.recordings.beat_views`). In most records
the usual is a normal beat, and a training on whole records learns to take it for one; in a record that is mostly
supraventricular that is wrong. So training beats are also shown beside what is usual in segments of their record,
some of which are chosen to be rich in supraventricular beats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.folds.partition import Partition, Rows
from leadwise.recordings.beat_views import beat_views

SEGMENTS = 12
"""Segments of a record; every second one lies about a supraventricular beat, where there are some."""

_BEATS = (40, 400)
_FEWEST_S = 5


@dataclass(frozen=True)
class SegmentViews:
    """Beats seen in segments: `rows` are those of ``beats.csv`` that they are, `views` what is seen, in this order.

    Segments are chosen by labels, so these views are for training alone: `Partition.copy_of` keeps them there.
    """

    rows: Rows
    views: dict[str, NDArray[np.float16]]


def segment_views(beats: pd.DataFrame, cut: NDArray[np.floating], segments: int = SEGMENTS) -> SegmentViews:
    """The beats of some segments of each record of ``beats.csv`` and ``beats.npy``; the same ones in each call."""
    rows: list[Rows] = []
    views: list[dict[str, NDArray[np.float16]]] = []
    r_s = beats["time_s"].to_numpy()
    for number, of_record in enumerate(beats.groupby("record", sort=False).indices.values()):
        is_s = (beats["label"].to_numpy()[of_record] == "S").nonzero()[0]
        for segment in _segments(len(of_record), is_s, segments, np.random.default_rng(number)):
            rows.append(of_record[segment])
            views.append(beat_views(cut[of_record[segment]], r_s[of_record[segment]]))
    joined = {name: np.concatenate([view[name] for view in views]) for name in views[0]}
    return SegmentViews(np.concatenate(rows).astype(np.int64), joined)


def with_segments(
    views: Mapping[str, NDArray[Any]], parts: Mapping[int, Partition], segments: SegmentViews
) -> tuple[dict[str, NDArray[Any]], dict[int, Partition]]:
    """Views and partitions with segments' views behind them, which have the group and label of their beat."""
    both = {name: np.concatenate([views[name], view]) for name, view in segments.views.items()}
    beats = len(next(iter(parts.values())).unit_ids)
    beat = np.concatenate([np.arange(beats), segments.rows])
    number = [f"~{number}" for number in range(len(segments.rows))]
    return both, {
        seed: replace(
            part,
            unit_ids=np.concatenate([part.unit_ids, part.unit_ids[segments.rows] + number]),
            groups=part.groups[beat],
            labels=part.labels[beat],
            copy_of=np.where(np.arange(len(beat)) < beats, -1, beat),
        )
        for seed, part in parts.items()
    }


def _segments(beats: int, is_s: Rows, number: int, random: np.random.Generator) -> Iterator[slice]:
    shortest, longest = np.minimum(_BEATS, beats)
    for place in range(number):
        length = int(np.exp(random.uniform(np.log(shortest), np.log(longest))))
        start = int(random.integers(0, beats - length + 1))
        if place % 2 and len(is_s) >= _FEWEST_S:
            start = int(random.choice(is_s) - random.integers(0, length))
        start = min(max(start, 0), beats - length)
        yield slice(start, start + length)
