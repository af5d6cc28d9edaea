"""How fast the paper ran: told by calibration pulses, which last 0.2 s, and held against how fast the heart is.

On paper of 50 mm/s everything is twice as wide as on that of 25 mm/s, so a page that is read at the wrong one shows
half or twice the rate, and QRS complexes twice or half as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from leadwise.pages.checks import r_peaks
from leadwise.pages.forms import Form
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.page_signals import RATE_HZ, Trace
from leadwise.pages.pulse import Pulse

SPEEDS_MM_PER_S = (25.0, 50.0)
"""At which paper runs; a pulse is 5 or 10 mm wide."""

_PULSE_S, _FITS = 0.2, 0.15
_BESIDE_MM = 1.5  # pulses of all rows stand one below the other
_SLOPE_S, _AROUND_S, _OF_STEEPEST = 0.02, 0.2, 0.25
# Of 150 recordings of PTB-XL's fold 10 (5 s, limb leads) rate over length of QRS lies above the first in 98 %, but in
# 18 % where they are read twice as slow; below the second in 99 %, but in 13 % where twice as fast.
_SLOW, _QUICK = 0.45, 2.7  # beats a minute a ms
_STEEP = 4.0  # their leads II and V1 have 4.7 at least, a sine 1.5, noise of one lead 3.3


def printed_at(form: Form, rows: int, pulses: Sequence[Pulse]) -> tuple[Form, bool]:
    """The form at the speed at which the page shows it, and whether that was told.

    Where fewer than two of its `rows` have a pulse, or the only one has none, it is the form's own.
    """
    lefts, rights = (np.array([getattr(each, side) for each in pulses]) for side in ("left_px", "right_px"))
    alike = [np.abs(lefts - left) < _BESIDE_MM * PX_PER_MM for left in lefts]
    most = max(alike, key=np.count_nonzero, default=np.zeros(0, np.bool_))
    if np.count_nonzero(most) >= min(2, rows):
        width_mm = float(np.median((rights - lefts)[most])) / PX_PER_MM
        for speed in SPEEDS_MM_PER_S:
            if abs(width_mm / (_PULSE_S * speed) - 1) < _FITS:
                return form.at_speed(speed), True
    return form, False


def beats_a_minute_a_ms(traces: Mapping[str, Trace]) -> float | None:
    """Heart rate over the length of QRS complexes, of traces of one time; None where no two beats are seen."""
    signals = [np.nan_to_num(trace.signal_mv.astype(float)) for trace in traces.values()]
    shortest = min(map(len, signals), default=0)
    if shortest < RATE_HZ:
        return None
    every = np.array([signal[:shortest] - np.median(signal[:shortest]) for signal in signals])
    slope = np.sqrt((np.gradient(every, axis=1) ** 2).sum(axis=0))
    steep = np.convolve(slope, np.ones(round(_SLOPE_S * RATE_HZ)), "same")
    peaks = r_peaks(np.sqrt((every**2).sum(axis=0)), RATE_HZ)
    around = round(_AROUND_S * RATE_HZ)
    beats = [steep[peak - around : peak + around] for peak in peaks if around <= peak <= shortest - around]
    if len(peaks) < 2 or not beats:
        return None
    qrs_ms = 1000 / RATE_HZ * float(np.median([(beat > _OF_STEEPEST * beat.max()).sum() for beat in beats]))
    return 60 * RATE_HZ / float(np.median(np.diff(peaks))) / qrs_ms


def is_heart(trace: Trace) -> bool:
    """Whether a trace shows heartbeats: now and then it is much steeper than mostly."""
    slope = np.abs(np.gradient(np.nan_to_num(trace.signal_mv.astype(float))))
    steep = np.convolve(slope, np.ones(round(_SLOPE_S * RATE_HZ)), "same")
    steepest, usual = np.quantile(steep, (0.98, 0.5))
    return bool(steepest > _STEEP * usual) and beats_a_minute_a_ms({"": trace}) is not None


def said_of_speed(traces: Mapping[str, Trace], form: Form, *, told: bool, pulsed: bool) -> list[str]:
    """What is to be said of a page's speed and gain: that they were assumed, or do not fit the heart."""
    pace = beats_a_minute_a_ms(traces)
    said = []
    if not told and not pulsed:
        said.append(
            f"nothing on this page tells its speed and gain: {form.speed_mm_per_s:g} mm/s and "
            f"{form.gain_mm_per_mv:g} mm/mV are assumed"
        )
    if pace is not None and (pace < _SLOW if form.speed_mm_per_s < SPEEDS_MM_PER_S[1] else pace > _QUICK):
        other = sum(SPEEDS_MM_PER_S) - form.speed_mm_per_s
        said.append(
            f"the heart is as {'slow' if pace < _SLOW else 'fast'} as if the paper had run at {other:g} mm/s, but it "
            f"was read at {form.speed_mm_per_s:g}: look what is printed"
        )
    return said
