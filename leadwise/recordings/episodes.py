"""Episodes of a rhythm: spans of time of a recording, from how likely it is in each of many stretches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.recordings.annotations import RHYTHM
from leadwise.recordings.stretches import LENGTH_S
from leadwise.runs import runs_of

ATRIAL = ("(AFIB", "(AFL")
"""Notes of rhythm that are fibrillation or flutter of the atria."""

NOTE, OTHERWISE = "(AFIB", "(N"
"""How an episode that was found begins and ends in annotations of ours."""

LIKELY = 0.5
"""From which probability on; nothing was chosen there."""

_CELL_S = 5.0
_SHORTEST_S = 30.0  # cardiology calls nothing shorter an episode; a gap of less joins two


@dataclass(frozen=True)
class Episode:
    """From when to when, in seconds, and how likely the rhythm is there in the mean."""

    start_s: float
    end_s: float
    probability: float


def episodes_of(
    starts_s: NDArray[np.floating], probabilities: NDArray[np.floating], duration_s: float
) -> list[Episode]:
    """Episodes in order, of stretches ``(stretches,)`` of LENGTH_S; one that is nan says nothing.

    Five seconds are likely to be in the rhythm where the mean of all stretches over them is. An episode lasts half a
    minute or longer, or all of a recording that is shorter.
    """
    middles = np.arange(0.0, duration_s, _CELL_S) + min(_CELL_S, duration_s) / 2
    sums, counts = np.zeros(len(middles)), np.zeros(len(middles))
    for start, probability in zip(starts_s.tolist(), probabilities.tolist(), strict=True):
        if np.isfinite(probability):
            inside = slice(*np.searchsorted(middles, [start, start + LENGTH_S]).tolist())
            sums[inside] += probability
            counts[inside] += 1
    shares = sums / np.maximum(counts, 1)
    spans = _joined(runs_of(shares > LIKELY).tolist(), duration_s)
    return [
        Episode(start, end, float(shares[(middles > start) & (middles < end)].mean()))
        for start, end in spans
        if end - start >= min(_SHORTEST_S, duration_s)
    ]


def _joined(runs: Iterable[tuple[int, int]], duration_s: float) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for first, end in runs:
        start, stop = first * _CELL_S, min(end * _CELL_S, duration_s)
        if spans and start - spans[-1][1] < _SHORTEST_S:
            start = spans.pop()[0]
        spans.append((start, stop))
    return spans


def read_rhythm(path: Path, duration_s: float, notes: Sequence[str] = ATRIAL) -> list[tuple[float, float]]:
    """Spans in seconds that a record's annotations (path of its ``.hea``) name by one of these notes.

    Raises what wfdb raises for annotations that cannot be read.
    """
    import wfdb

    marks = wfdb.rdann(str(path.with_suffix("")), "atr")
    rate_hz = float(wfdb.rdheader(str(path.with_suffix(""))).fs)
    changes = [
        (sample / rate_hz, note.strip("\0"))
        for sample, symbol, note in zip(marks.sample.tolist(), marks.symbol, marks.aux_note, strict=True)
        if symbol == RHYTHM
    ]
    spans = pairwise([*changes, (duration_s, "")])
    return [(start, end) for (start, note), (end, _) in spans if note in notes and end > start]


def changes_of(episodes: Iterable[Episode], rate_hz: float, samples: int) -> list[tuple[int, str]]:
    """Changes of rhythm as annotations have them: where each episode begins, and what it ends with."""
    changes = []
    for episode in episodes:
        changes.append((round(episode.start_s * rate_hz), NOTE))
        if (end := round(episode.end_s * rate_hz)) < samples - 1:
            changes.append((end, OTHERWISE))
    return changes


def in_episodes(times_s: NDArray[np.floating], episodes: Iterable[Episode]) -> NDArray[np.bool_]:
    """Which times ``(times,)`` lie in an episode."""
    inside = np.zeros(len(times_s), bool)
    for episode in episodes:
        inside |= (times_s >= episode.start_s) & (times_s < episode.end_s)
    return inside


def overlap_s(a: Iterable[tuple[float, float]], b: Sequence[tuple[float, float]]) -> float:
    """How many seconds are in spans of both, none of which overlap within one of them."""
    return sum(max(0.0, min(end, stop) - max(start, begin)) for start, end in a for begin, stop in b)
