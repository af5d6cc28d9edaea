"""What must hold among the leads of one page, whatever the heart does: physics, never enforced, only looked at.

Leads I, II and III are differences of the same three electrodes' potentials, so I + III = II at each moment
(Einthoven 1913); the augmented leads are theirs against the mean, so aVR + aVL + aVF = 0 (Goldberger 1942).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.digitize import RATE_HZ, Signals, correlation, rhythm_lead
from leadwise.pages.template import LEADS
from leadwise.signals.rhythm import heart_rate_bpm


@dataclass(frozen=True)
class Checks:
    """How well a page's signals agree with each other; nan where leads are missing or flat.

    Residuals are root mean squares in mV, their own mean taken out, since each row's 0 mV is only printed to a
    pixel (0.013 mV). `strip_correlation` is that of the strip with the lead it repeats, `rhythm_lead`.
    """

    einthoven_correlation: float
    einthoven_rms_mv: float
    goldberger_rms_mv: float
    rhythm_lead: str | None
    strip_correlation: float
    heart_rate_bpm: float


def check(signals: Signals) -> Checks:
    """Look at one page's signals."""
    one, two, three, right, left, foot = (
        signals.leads[LEADS.index(name)].astype(float) for name in ("I", "II", "III", "aVR", "aVL", "aVF")
    )
    repeated, alike = rhythm_lead(signals)
    return Checks(
        correlation(one + three, two),
        rms(one + three - two),
        rms(right + left + foot),
        repeated,
        alike,
        heart_rate_bpm(signals.strip, RATE_HZ),
    )


def rms(values: NDArray[np.floating]) -> float:
    """Root mean square about the mean where known."""
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else float("nan")
