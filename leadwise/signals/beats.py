"""The usual beat of a page: what its heartbeats have in common, all twelve leads at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.digitize import N_LEAD, RATE_HZ, Signals
from leadwise.pages.template import LEADS, ON_PAGE
from leadwise.signals.rhythm import r_peaks

BEFORE, AFTER = round(0.25 * RATE_HZ), round(0.40 * RATE_HZ)
"""Samples of a beat before and after its R wave."""


def median_beat(signals: Signals) -> NDArray[np.float32]:
    """Median beat of each lead, float32 ``(12, 162)`` mV about its own mean; nan where no whole beat was found.

    Beats are found on the sum of squares of the three leads of a column, which share their time.
    """
    beats = np.full((len(LEADS), BEFORE + AFTER), np.nan, np.float32)
    for column in range(len(ON_PAGE[0])):
        numbers = [LEADS.index(names[column]) for names in ON_PAGE]
        together = np.sqrt(np.sum(np.nan_to_num(np.gradient(signals.leads[numbers], axis=1)) ** 2, axis=0))
        peaks = [peak for peak in r_peaks(together, RATE_HZ) if BEFORE <= peak <= N_LEAD - AFTER]
        if peaks:
            cut = np.stack([signals.leads[numbers, peak - BEFORE : peak + AFTER] for peak in peaks])
            usual = np.median(cut, axis=0)
            beats[numbers] = usual - usual.mean(axis=1, keepdims=True)
    return beats


def alikeness(beats: NDArray[np.floating]) -> NDArray[np.float64]:
    """Correlation ``(pages, pages)`` of the median beats ``(pages, 12, 162)``, over the leads that both have."""
    flat = np.nan_to_num(beats.reshape(len(beats), -1)).astype(np.float64)
    known = np.isfinite(beats.reshape(len(beats), -1)).astype(np.float64)
    squares = (flat**2) @ known.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((flat @ flat.T) / np.sqrt(squares * squares.T))
