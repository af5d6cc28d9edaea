"""A few plain numbers of a page's signals: rhythm of the strip, amplitudes of the leads. A floor, no model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.digitize import RATE_HZ, Signals
from leadwise.pages.template import LEADS
from leadwise.signals.rhythm import r_peaks

NAMES = (
    "rate_bpm", "interval_sd_s", "longest_interval_s", "shortest_interval_s", "strip_sd_mv",
    *(f"{lead}_{what}_mv" for lead in LEADS for what in ("highest", "lowest", "sd")),
)  # fmt: skip
"""What `simple_features` gives, in its order."""


def simple_features(signals: Signals) -> NDArray[np.float64]:
    """Features of one page ``(41,)`` in the order of NAMES; 0 where nothing could be measured."""
    intervals = np.diff(r_peaks(signals.strip, RATE_HZ)) / RATE_HZ
    rhythm = (
        [60 / np.median(intervals), intervals.std(), intervals.max(), intervals.min()]
        if len(intervals)
        else [0.0] * 4
    )
    leads = np.nan_to_num(signals.leads).astype(float)
    leads -= np.median(leads, axis=1, keepdims=True)
    amplitudes = np.stack([leads.max(axis=1), leads.min(axis=1), leads.std(axis=1)], axis=1).ravel()
    return np.array([*rhythm, float(np.nan_to_num(signals.strip).std()), *amplitudes])
