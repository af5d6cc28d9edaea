"""The "heartbeat" form of a beat, rebuilt from recordings, so that each keeps its record.

Kachuee, Fazeli and Sarrafzadeh (arXiv:1805.00794) publish beats as rows of 187 values: lead II at 125 Hz from the R
peak on, as long as 1.2 times the usual interval, between 0 and 1, zeros to the end. Their rows carry no record, so
no split by person can be made of them. Resampling and windowing are not told exactly: what is rebuilt here is close
to theirs and not equal. It is annotated beats, not detected ones, that are cut; all but the last of each record,
which gives the number of rows that was published.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.recordings.filters import resampled

RATE_HZ = 125.0
LENGTH = 187

PUBLISHED = {"N": 90_589, "S": 2_779, "V": 7_236, "F": 803, "Q": 8_039}
"""Rows of each class in the published files, training and test together: 109,446."""

PUBLISHED_TEST = 21_892
"""Rows of the published test file."""

_TIMES = 1.2
_AROUND_S = 5.0  # the usual interval is the median of those in the ten seconds round a beat


def cut_heartbeats(
    signal: NDArray[np.floating], rate_hz: float, r_samples: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Rows ``(beats, 187)`` of one lead ``(samples,)``; that of the last beat, which no interval follows, is 0.

    `r_samples` ``(beats,)`` are R peaks at `rate_hz`, in order.
    """
    other = resampled(signal, rate_hz, RATE_HZ)
    rows = np.zeros((len(r_samples), LENGTH), np.float32)
    times_s = np.asarray(r_samples) / rate_hz
    after = np.diff(times_s)
    lows = np.searchsorted(times_s, times_s - _AROUND_S)
    highs = np.searchsorted(times_s, times_s + _AROUND_S, side="right")
    for beat in range(len(after)):
        nearby = after[lows[beat] : max(highs[beat] - 1, lows[beat] + 1)]
        length = min(LENGTH, round(_TIMES * float(np.median(nearby)) * RATE_HZ))
        first = round(times_s[beat] * RATE_HZ)
        part = other[first : first + length]
        if len(part) and np.ptp(part) > 1e-6:
            rows[beat, : len(part)] = (part - part.min()) / np.ptp(part)
    return rows
