"""Ten seconds at a time: windows of a recording, and what a published rule calls them.

The rule is that of Al-Khlewee's attention-based ECG classifier: a window is abnormal where more of its beats are
abnormal than normal, and only plain beats (``N``) are normal. A bundle branch block or a pacemaker therefore makes
nearly all windows of a record abnormal; and since waves of ventricular flutter are no beats, a window that holds
nothing else is normal, as is a tie. The rule is kept as it is, so that its scores can be compared, and both cases
are counted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.names import WINDOW_LABELS
from leadwise.recordings.annotations import Annotations

RATE_HZ = 360.0
"""Of MIT-BIH, and so of all windows."""

WINDOW_S, HOP_S = 10, 5
LENGTH, HOP = round(WINDOW_S * RATE_HZ), round(HOP_S * RATE_HZ)

NORMAL_SYMBOLS = ("N",)
ABNORMAL_SYMBOLS = tuple("LRBAaJSVrFejnE/fQ")

_USABLE = 0.5  # a window of which more is unknown or flat shows no heart


def window_starts(samples: int) -> NDArray[np.int64]:
    """First samples of all whole windows in a signal of so many samples at RATE_HZ; none in a shorter one."""
    return np.arange(0, samples - LENGTH + 1, HOP, dtype=np.int64)


def cut_windows(signal: NDArray[np.floating], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Windows ``(windows, 3600)`` of one lead ``(samples,)`` at RATE_HZ, each with mean 0 and standard deviation 1.

    Each is standardised by itself: nothing of another window, let alone of the test set, is in it. A flat one is 0.
    """
    windows = signal[starts[:, None] + np.arange(LENGTH)]
    spread = windows.std(axis=1, keepdims=True)
    centred = windows - windows.mean(axis=1, keepdims=True)
    return np.asarray(np.where(spread > 1e-6, centred / np.maximum(spread, 1e-6), 0), np.float32)


def beats_in_windows(marks: Annotations, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of normal and of abnormal beats ``(windows, 2)``, by the published rule's list of symbols."""
    of_kind = (marks.samples[np.isin(marks.symbols, kind)] for kind in (NORMAL_SYMBOLS, ABNORMAL_SYMBOLS))
    return np.stack([count_within(samples, starts, LENGTH) for samples in of_kind], axis=1)


def count_within(samples: NDArray[np.integer], starts: NDArray[np.integer], length: int) -> NDArray[np.int64]:
    """How many of `samples`, in order, lie in each stretch of so many samples that begins at `starts`."""
    return np.searchsorted(samples, starts + length) - np.searchsorted(samples, starts)


def labelled(counts: NDArray[np.int64]) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Label and how it was decided, by the counts ``(windows, 2)`` of normal and abnormal beats."""
    normal, abnormal = counts.T
    decided = np.where(counts.sum(axis=1) == 0, "no_beat", np.where(normal == abnormal, "tie", "majority"))
    return np.where(abnormal > normal, *reversed(WINDOW_LABELS)), decided


def usable(lost: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which windows show a heart: at most half of their samples are `lost` ``(samples,)``, unknown or flat."""
    total = np.concatenate([[0], np.cumsum(lost)])
    return np.asarray(total[starts + LENGTH] - total[starts] <= _USABLE * LENGTH)
