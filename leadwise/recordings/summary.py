"""The rhythm of a whole recording in a few numbers, from its beats and their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.names import AAMI
from leadwise.runs import runs_of

_RUN = 3
_NEARBY = 10


@dataclass(frozen=True)
class Runs:
    """Beats of one class that follow each other: pairs, runs of three or more, and the longest of them."""

    pairs: int
    runs: int
    longest_beats: int


@dataclass(frozen=True)
class Rhythm:
    """What a recording's beats are together; rates in beats a minute, None where there are too few beats.

    `counts` by class, all five. `heart_rate_bpm` is 60 s over the median interval; the slowest and fastest rate are
    those of ten intervals in a row. `longest_interval_s` begins at `longest_at_s`. What crosses a gap is no interval.
    """

    beats: int
    counts: dict[str, int]
    heart_rate_bpm: float | None
    slowest_bpm: float | None
    fastest_bpm: float | None
    longest_interval_s: float | None
    longest_at_s: float | None
    ventricular: Runs
    supraventricular: Runs

    def share(self, name: str) -> float:
        """Beats of one class over all, 0 where there is none."""
        return self.counts[name] / max(self.beats, 1)


def summarise(
    r_samples: NDArray[np.integer],
    classes: Sequence[str],
    rate_hz: float,
    crossed: NDArray[np.bool_] | None = None,
) -> Rhythm:
    """Sum up R peaks at `rate_hz`, in order, each with its class; `crossed` ``(beats - 1,)`` are no intervals."""
    every = np.diff(np.asarray(r_samples, np.float64)) / rate_hz
    begins = np.arange(len(every)) if crossed is None else np.flatnonzero(~crossed)
    in_a_row = np.split(every[begins], np.flatnonzero(np.diff(begins) > 1) + 1)
    number = min(_NEARBY, max(len(run) for run in in_a_row))
    means = [
        np.convolve(run, np.full(number, 1 / number), "valid") for run in in_a_row if len(run) >= number > 0
    ]
    longest = int(begins[every[begins].argmax()]) if len(begins) else 0
    return Rhythm(
        len(r_samples),
        {name: sum(label == name for label in classes) for name in AAMI},
        float(60 / np.median(every[begins])) if means else None,
        float(60 / max(run.max() for run in means)) if means else None,
        float(60 / min(run.min() for run in means)) if means else None,
        float(every[longest]) if means else None,
        float(r_samples[longest] / rate_hz) if means else None,
        _runs(classes, "V"),
        _runs(classes, "S"),
    )


def _runs(classes: Sequence[str], name: str) -> Runs:
    lengths = np.diff(runs_of(np.array([label == name for label in classes], bool)))
    return Runs(
        int((lengths == 2).sum()), int((lengths >= _RUN).sum()), int(lengths.max()) if len(lengths) else 0
    )


def clock(seconds: float) -> str:
    """A time of a recording in words: seconds, minutes or hours."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)}:{seconds % 60:04.1f} min"
    return f"{int(seconds // 3600)}:{int(seconds // 60) % 60:02d}:{int(seconds % 60):02d} h"
