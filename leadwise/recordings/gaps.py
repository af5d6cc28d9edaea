"""Stretches of a recording in which no beat can be found, and intervals between beats that cross one.

What crosses a gap is no interval: beats may lie in it that nobody saw. It tells neither how early the next beat comes
nor how long the heart paused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from leadwise.recordings.heart import evidence
from leadwise.recordings.summary import clock
from leadwise.runs import runs_of

Spans = tuple[tuple[float, float], ...]
"""From when to when, in seconds, in order."""

_SHORTEST_S = 0.15  # a QRS complex lasts no less
_PIECE_S = 30.0
_CUT_S = 0.1  # beside a gap a beat may be cut in two, and what is left of it is of no class


def spans_of(dark: NDArray[np.bool_], rate_hz: float) -> Iterator[tuple[float, float]]:
    """The stretches of ``(samples,)`` that are dark for so long that a beat may hide there."""
    edges = runs_of(dark) / rate_hz
    yield from ((start, end) for start, end in edges.tolist() if end - start >= _SHORTEST_S)


def without_heart(
    leads_mv: NDArray[np.floating], rate_hz: float, beats: NDArray[np.integer]
) -> Iterator[tuple[float, float]]:
    """The half minutes of a record ``(leads, samples)``, two or more of them, in which nothing looks like a heart.

    Either nothing was found there, one or two beats at their ends, or what was found are no heartbeats.
    """
    pieces = int(leads_mv.shape[1] / (_PIECE_S * rate_hz))
    edges = np.linspace(0, leads_mv.shape[1], max(pieces, 1) + 1).astype(np.int64).tolist()
    for start, end in pairwise(edges):
        own = beats[(beats >= start) & (beats < end)] - start
        found = evidence(leads_mv[:, start:end], rate_hz, own)
        if pieces > 1 and not any(lead.is_heart for lead in found):
            yield start / rate_hz, end / rate_hz


def joined(spans: Iterable[tuple[float, float]]) -> Spans:
    """Spans in order, those that touch or overlap as one."""
    whole: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)


def widened(spans: Iterable[tuple[float, float]]) -> Spans:
    """Gaps with what lies so close beside them that a beat there is cut."""
    return joined((start - _CUT_S, end + _CUT_S) for start, end in spans)


def crossing(r_s: NDArray[np.floating], gaps: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Which intervals ``(beats - 1,)`` between R peaks in seconds, in order, cross a gap."""
    crossed = np.zeros(max(len(r_s) - 1, 0), bool)
    for start, end in gaps:
        crossed[max(0, int(np.searchsorted(r_s, start, "right")) - 1) : int(np.searchsorted(r_s, end))] = True
    return crossed


def in_any(times_s: NDArray[np.floating], spans: Spans) -> NDArray[np.bool_]:
    """Which of some times lie in a span."""
    edges = np.array(spans).ravel()
    return np.asarray(np.searchsorted(edges, times_s, "right") % 2 == 1)


def in_words(spans: Spans) -> str:
    """From when to when, for a sentence."""
    return ", ".join(f"{clock(start)} to {clock(end)}" for start, end in spans)
