"""A signal made ready: gaps bridged, baseline and noise taken out without moving a wave, another rate."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.runs import runs_of

BAND_HZ = (0.5, 50.0)
_ORDER = 5
_EDGE_S = 2.0  # mirrored at both ends, a period of the lowest frequency, so that the ends do not swing
_FLAT_S = 1.0  # no lead stands still to the last bit for a second unless it is off


def bridged(signal: NDArray[np.floating]) -> NDArray[np.float64]:
    """The signal ``(..., samples)`` with straight lines where it is unknown; where all of it is, 0."""
    out = np.array(signal, np.float64)
    for lead in out.reshape(-1, out.shape[-1]):
        known = np.flatnonzero(np.isfinite(lead))
        if 0 < len(known) < len(lead):
            lead[:] = np.interp(np.arange(len(lead)), known, lead[known])
        elif not len(known):
            lead[:] = 0
    return out


def band_passed(
    signal: NDArray[np.floating], rate_hz: float, band_hz: tuple[float, float] = BAND_HZ
) -> NDArray[np.float64]:
    """The signal within a band, forwards and backwards through a Butterworth filter of order 5: no phase, no delay.

    `signal` ``(..., samples)``, nan bridged; in second-order sections, since the plain form of this filter is
    numerically unstable at 0.5 Hz. Where half the rate does not exceed the band's upper end, only its lower end is
    cut off. Raises `InputError` for less than a second of signal.
    """
    from scipy.signal import butter, sosfiltfilt

    samples = signal.shape[-1]
    if samples < rate_hz:
        raise InputError(
            f"{samples} samples at {rate_hz:g} Hz are less than a second: too short to filter at {band_hz[0]:g} Hz."
        )
    low, high = band_hz
    if high < 0.99 * rate_hz / 2:
        sos = butter(_ORDER, (low, high), "bandpass", fs=rate_hz, output="sos")
    else:
        sos = butter(_ORDER, low, "highpass", fs=rate_hz, output="sos")
    edge = min(samples - 1, round(_EDGE_S * rate_hz))
    return np.asarray(sosfiltfilt(sos, bridged(signal), padlen=edge), np.float64)


def resampled(signal: NDArray[np.floating], rate_hz: float, wanted_hz: float) -> NDArray[np.float64]:
    """The signal ``(..., samples)`` at another rate, without aliases; nan bridged. Sample 0 stays at its time."""
    from scipy.signal import resample_poly

    ratio = Fraction(wanted_hz).limit_denominator(1000) / Fraction(rate_hz).limit_denominator(1000)
    whole = bridged(signal)
    if ratio == 1:
        return whole
    return np.asarray(
        resample_poly(whole, ratio.numerator, ratio.denominator, axis=-1, padtype="line"), np.float64
    )


def unknown_or_flat(
    signal: NDArray[np.floating], rate_hz: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where one lead ``(samples,)`` is unknown (nan), and where it does not move at all for a second or longer."""
    unknown = ~np.isfinite(signal)
    still = np.zeros(len(signal), bool)
    still[1:] = signal[1:] == signal[:-1]  # nan equals nothing
    starts, ends = runs_of(still).T
    flat = np.zeros(len(signal), bool)
    long = ends - starts >= _FLAT_S * rate_hz - 1
    for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
        flat[start - 1 : end] = True
    return unknown, flat
