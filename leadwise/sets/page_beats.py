"""Pages as few numbers: the usual beat of each lead, by which copies are known, and features for a floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.checks import r_peaks
from leadwise.pages.digitize import N_LEAD, RATE_HZ, Signals
from leadwise.pages.forms import known_form

BEFORE, AFTER = round(0.25 * RATE_HZ), round(0.40 * RATE_HZ)
"""Samples of a beat before and after its R wave."""

_PAIRS_AT_ONCE = 2048


def median_beat(signals: Signals) -> NDArray[np.float32]:
    """Median beat of each lead, float32 ``(12, 162)`` mV about its own mean; nan where no whole beat was found.

    Beats are found on the sum of squares of the three leads of a column, which share their time.
    """
    beats = np.full((len(LEADS), BEFORE + AFTER), np.nan, np.float32)
    for column in range(known_form().columns):
        numbers = [LEADS.index(names[column]) for names in known_form().rows]
        together = np.sqrt(np.sum(np.nan_to_num(np.gradient(signals.leads[numbers], axis=1)) ** 2, axis=0))
        peaks = [peak for peak in r_peaks(together, RATE_HZ) if BEFORE <= peak <= N_LEAD - AFTER]
        if peaks:
            cut = np.stack([signals.leads[numbers, peak - BEFORE : peak + AFTER] for peak in peaks])
            usual = np.median(cut, axis=0)
            beats[numbers] = usual - usual.mean(axis=1, keepdims=True)
    return beats


def alikeness(
    beats: NDArray[np.floating], first: NDArray[np.integer], second: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Correlation ``(pairs,)`` of the median beats ``(pages, 12, 162)`` of two pages, over the leads that both have.

    `first` and `second` ``(pairs,)`` are numbers of pages; nan where no lead is had by both.
    """
    alike = np.full(len(first), np.nan)
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        block = slice(start, start + _PAIRS_AT_ONCE)
        left, right = (beats[pages[block]].astype(np.float64) for pages in (first, second))
        known = np.isfinite(left) & np.isfinite(right)
        left, right = np.where(known, left, 0), np.where(known, right, 0)
        product, *squares = (
            (a * b).sum(axis=(1, 2)) for a, b in ((left, right), (left, left), (right, right))
        )
        with np.errstate(invalid="ignore"):
            alike[block] = product / np.sqrt(squares[0] * squares[1])
    return alike


FEATURES = (
    "rate_bpm", "interval_sd_s", "longest_interval_s", "shortest_interval_s", "strip_sd_mv",
    *(f"{lead}_{what}_mv" for lead in LEADS for what in ("highest", "lowest", "sd")),
)  # fmt: skip
"""What `simple_features` gives, in its order."""


def simple_features(signals: Signals) -> NDArray[np.float64]:
    """Features of one page ``(41,)`` in the order of FEATURES; 0 where nothing could be measured."""
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
