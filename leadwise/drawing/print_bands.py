"""Bands in which other devices print, drawn at random, so that a network does not learn the filter of one of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

LOW_HZ, HIGH_HZ = (0.05, 0.67), (25.0, 150.0)
"""Between which the lower and the upper end of a device's band lie: from diagnostic prints to the known form's."""


def in_a_band_at_random(
    rng: np.random.Generator,
) -> Callable[[NDArray[np.floating], float], NDArray[np.float64]]:
    """A filter that prints each recording in a band of its own, both ends even on a logarithmic scale.

    One half runs forwards alone (first order, then second), as a device that prints while it records must have it;
    the other has no shift in phase. An upper end that the rate cannot hold is left out.
    """

    def filtered(signals_mv: NDArray[np.floating], rate_hz: float) -> NDArray[np.float64]:
        from scipy.signal import butter, sosfiltfilt

        low_hz, high_hz = (float(np.exp(rng.uniform(*np.log(ends)))) for ends in (LOW_HZ, HIGH_HZ))
        forwards = bool(rng.random() < 0.5)
        found = np.nan_to_num(signals_mv).astype(np.float64)
        for order, cut_hz, kind in ((1, low_hz, "highpass"), (2, high_hz, "lowpass")):
            if cut_hz >= 0.45 * rate_hz:
                continue
            sections = butter(order, cut_hz, kind, fs=rate_hz, output="sos")
            found = run_forwards(sections, found) if forwards else sosfiltfilt(sections, found, axis=1)
        return np.asarray(found)

    return filtered


def run_forwards(sections: NDArray[np.float64], signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signals ``(leads, samples)`` filtered forwards alone, as if their first values had always been there."""
    from scipy.signal import sosfilt, sosfilt_zi

    begun = sosfilt_zi(sections)[:, None, :] * signals[None, :, :1]
    return np.asarray(sosfilt(sections, signals, axis=1, zi=begun)[0])
