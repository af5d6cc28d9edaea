"""What leads say of how they were taken: limb leads that may be swapped, and a pacemaker's spikes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Of 2,145 recordings of PTB-XL's fold 10, as the known form prints them, 0.4 % are warned of; of the same with both
# arms swapped 67 %, with the right arm and the left leg swapped 53 %.
_UP = 0.2
_ENDS = (0.005, 0.995)

# Of 28 paced ones among them and 700 others, 2.5 s of each lead in their whole band: 75 % and 0.9 % are warned of; up
# to 100 Hz 64 % and 0.6 %; up to 40 Hz none, since spikes are as wide as QRS complexes there.
_SPIKE_MV, _SPIKE_S, _SPIKES, _SPIKED_LEADS = 0.2, 0.012, 2, 5


def lead_warnings(
    leads: Mapping[str, NDArray[np.floating]], rate_hz: float, *, bent: bool = False
) -> list[str]:
    """Sentences about leads ``(samples,)`` in mV by name; nan is bridged. None where nothing is to be said.

    Leads that were read from `bent` paper are not asked for spikes: reading it leaves some of its own.
    """
    known = {name: _bridged(signal) for name, signal in leads.items() if np.isfinite(signal).mean() > 0.5}
    warnings = []
    if down := _down_beside_avr(known):
        warnings.append(
            f"aVR points up and {' and '.join(down)} down, but V6 up: limb leads may be swapped. Then leads I to aVF "
            "are others than they are called, and no answer is to be trusted"
        )
    if spiked := [] if bent else _spiked(known, rate_hz):
        warnings.append(
            f"short spikes as of a pacemaker stand in {', '.join(spiked)}: in a paced rhythm waves and "
            "intervals mean something else, and the models know few such hearts"
        )
    return warnings


def _down_beside_avr(leads: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Which of I and II point down where aVR and V6 point up; a heart does that seldom."""
    if not {"I", "II", "aVR", "V6"} <= set(leads):
        return []
    if min(_points_up(leads["aVR"]), _points_up(leads["V6"])) <= _UP:
        return []
    return [name for name in ("I", "II") if _points_up(leads[name]) < -_UP]


def _points_up(signal: NDArray[np.float64]) -> float:
    """How much higher a lead's waves are than deep, of both together, -1 to 1."""
    low, high = np.quantile(signal - np.median(signal), _ENDS)
    return float((high + low) / max(high - low, 1e-9))


def _spiked(leads: Mapping[str, NDArray[np.float64]], rate_hz: float) -> list[str]:
    """Leads with waves that are shorter than any of the heart, where these are several."""
    from scipy.signal import find_peaks

    found = []
    for name, signal in leads.items():
        spikes = sum(
            len(find_peaks(side, prominence=_SPIKE_MV, width=(0, _SPIKE_S * rate_hz))[0])
            for side in (signal, -signal)
        )
        if spikes >= _SPIKES:
            found.append(name)
    return found if len(found) >= _SPIKED_LEADS else []


def _bridged(signal: NDArray[np.floating]) -> NDArray[np.float64]:
    known = np.flatnonzero(np.isfinite(signal))
    return np.asarray(np.interp(np.arange(len(signal)), known, signal[known]), np.float64)
