"""How near a page's traces are to what was printed: signal to noise of each lead, on the page's own clock.

SNR of a lead    10 log10(sum of true² / sum of (read - true)²), the mean of each taken out, in dB
SNR of a page    the median of its leads; one that was not read counts as silence, 0 dB
raw              neither gain nor time is fitted
aligned          one shift in time of at most 0.2 s, the same for all leads of a page
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.page_signals import RATE_HZ, PageSignals

MOST_SHIFT_S = 0.2
"""Of an aligned comparison."""

_STEP_S = 0.002
_COARSE = 4
_MOST_DB = 100.0  # what is read to the last bit


class Printed(Protocol):
    """What a trace shows: `signal_mv` ``(samples,)`` at `rate_hz`, from `start_s` after the first column's start."""

    @property
    def start_s(self) -> float:
        """On the page's clock."""

    @property
    def rate_hz(self) -> float:
        """Samples a second."""

    @property
    def signal_mv(self) -> NDArray[np.float64]:
        """All known."""


def snr_db(true: NDArray[np.floating], read: NDArray[np.floating]) -> float:
    """Signal to noise of one lead in dB, of two signals ``(samples,)`` without their means.

    What was not read, nan, counts as the mean of what was: of nothing read it is 0 dB. At most 100 dB.
    """
    known = np.isfinite(read)
    middle = float(read[known].mean()) if known.any() else 0.0
    wanted = true - true.mean()
    noise = np.sum((np.where(known, read - middle, 0.0) - wanted) ** 2)
    signal = np.sum(wanted**2)
    if noise <= signal * 10 ** (-_MOST_DB / 10):
        return _MOST_DB
    return float(10 * np.log10(max(signal, 1e-12) / noise))


def lead_snrs_db(
    printed: Mapping[str, Printed], read: PageSignals, *, shift_s: float = 0.0
) -> dict[str, float]:
    """Signal to noise of each lead that is printed, by name; what was read is moved later by `shift_s`.

    The ends that a shift moves out of sight count for nothing.
    """
    snrs = {}
    for name, truth in printed.items():
        times_s = np.arange(len(truth.signal_mv)) / truth.rate_hz
        last_s = times_s[-1]
        seen = (times_s >= max(0.0, shift_s)) & (times_s <= last_s + min(0.0, shift_s))
        at_s = times_s[seen] + truth.start_s - shift_s
        snrs[name] = snr_db(truth.signal_mv[seen], _at(read, name, at_s))
    return snrs


def page_snr_db(printed: Mapping[str, Printed], read: PageSignals) -> float:
    """Signal to noise of a page, raw: the median of its leads."""
    return float(np.median(list(lead_snrs_db(printed, read).values())))


def aligned_snr_db(printed: Mapping[str, Printed], read: PageSignals) -> float:
    """Signal to noise of a page after the one shift in time, to 2 ms, that serves it best."""

    def at(step: int) -> float:
        return float(np.median(list(lead_snrs_db(printed, read, shift_s=step * _STEP_S).values())))

    most = round(MOST_SHIFT_S / _STEP_S)
    near = max(
        range(-most, most + 1, _COARSE), key=at
    )  # a QRS is wider than 8 ms, so the best is not stepped over
    return max(map(at, range(max(-most, near - _COARSE), min(most, near + _COARSE) + 1)))


def _at(read: PageSignals, name: str, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """What was read of a lead at these times of the page, nan where nothing was."""
    trace = read.leads.get(name)
    if trace is None or not len(trace.signal_mv):
        return np.full(at_s.shape, np.nan)
    times_s = trace.start_s + np.arange(len(trace.signal_mv)) / RATE_HZ
    signal = np.interp(at_s, times_s, trace.signal_mv)
    # half a sample of rounding at either end is no gap
    outside = (at_s < times_s[0] - 0.5 / RATE_HZ) | (at_s > times_s[-1] + 0.5 / RATE_HZ)
    return np.where(outside, np.nan, signal)
