"""Is this a page like those we know? Refused is what physics rules out, warned of is what is merely unlike.

A page of another layout never comes so far (`leadwise.pages.layout`). Here the form was found, and the question is
whether twelve leads of one heart are drawn on it: in every lead there is ink, the strip repeats one of the leads, and
I + III = II. The limits leave room: all 491 pages of the published set are well inside (beside each the worst).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import DoubtfulPage
from leadwise.names import LEADS
from leadwise.pages.checks import check, quality
from leadwise.pages.digitize import Signals
from leadwise.pages.forms import known_form

# what is said, and not refused
_WORN_INK, _WORN_OFF = 0.95, 0.25
_RATE_BPM = (30.0, 220.0)


@dataclass(frozen=True)
class Quality:
    """How well a page was read: by lead the share of its time that has ink, 0 to 1, and what all leads must fulfil.

    `einthoven_off` is the size of I + III - II over that of the limb leads, by mean square or by median, whichever
    is less; `limb_mv` the root mean square of the six limb leads; `strip_alike` the correlation of the rhythm strip
    with `rhythm_lead`, the lead that it repeats (None where none reaches 0.99).
    """

    leads: dict[str, float]
    strip: float
    limb_mv: float
    einthoven_off: float
    strip_alike: float
    rhythm_lead: str | None
    heart_rate_bpm: float | None

    @property
    def ink(self) -> float:
        """The share of the emptiest lead, or of the strip."""
        return min(*self.leads.values(), self.strip)


@dataclass(frozen=True)
class Limits:
    """The least `ink` and `alike`, the most `off` (fields of Quality) with which a page is answered."""

    ink: float
    alike: float
    off: float

    @classmethod
    def of(cls, pages: Sequence[Quality]) -> Limits:
        """Set by the worst of some real pages, with room: 3.5 times as many gaps, 1.3 times as far off."""
        return cls(
            1 - 3.5 * (1 - min(page.ink for page in pages)),
            1 - 3.5 * (1 - min(page.strip_alike for page in pages)),
            1.3 * max(page.einthoven_off for page in pages),
        )

    def broken_by(self, page: Quality) -> bool:
        """Whether `refuse_doubtful` refuses a page."""
        try:
            refuse_doubtful(page, self)
        except DoubtfulPage:
            return True
        return False


LIMITS = Limits(ink=0.80, alike=0.90, off=0.40)
"""Those of the 491 pages of the published set (worst: 0.943, 0.971, 0.308)."""

_LEAST_MV = 0.01  # flat lines; the smallest limb leads of the published set have 0.05


def look_at(crops: NDArray[np.uint8], strip: NDArray[np.uint8], signals: Signals) -> Quality:
    """Measure a page's quality: its ink ``(12, 300, 500)`` and ``(300, 2000)``, and its voltages."""
    checks = check(signals)
    limb = np.nan_to_num(signals.leads[: LEADS.index("V1")].astype(float))
    limb -= np.median(limb, axis=1, keepdims=True)
    lead_i, lead_ii, lead_iii = limb[:3]
    off = lead_i + lead_iii - lead_ii
    off -= np.median(off)
    limb_mv = float(np.sqrt(np.mean(limb.std(axis=1) ** 2)))
    # a moment that was misread upsets the mean square and not the median; small waves, the other way round
    by_square = float(off.std()) / max(limb_mv, _LEAST_MV)
    by_median = float(np.median(np.abs(off))) / max(float(np.median(np.abs(limb[:3]))), _LEAST_MV / 2)
    return Quality(
        {name: quality(crop) for name, crop in zip(LEADS, crops, strict=True)},
        quality(strip, known_form().columns),
        limb_mv,
        min(by_square, by_median),
        checks.strip_correlation,
        checks.rhythm_lead,
        checks.heart_rate_bpm if np.isfinite(checks.heart_rate_bpm) else None,
    )


def refuse_doubtful(page: Quality, limits: Limits = LIMITS) -> None:
    """Raise `DoubtfulPage` where what is drawn on the known form cannot be twelve leads of one heart."""
    shares = {**page.leads, "the rhythm strip": page.strip}
    empty = [name for name, share in shares.items() if share < limits.ink]
    if empty:
        raise DoubtfulPage(
            f"the form is known, but too little of a trace is left of {', '.join(empty)} (ink in under "
            f"{limits.ink:.0%} of the time). Is the page blank, faded or torn there? Scan it again, darker."
        )
    if not page.limb_mv >= _LEAST_MV:
        raise DoubtfulPage("the form is known, but its traces are flat lines. Is this a test print?")
    if not page.strip_alike >= limits.alike:
        raise DoubtfulPage(
            f"the form is known, but its rhythm strip repeats none of the leads (best correlation "
            f"{page.strip_alike:.2f}, {limits.alike:.2f} is needed). Is an ECG drawn on it, and can it be read?"
        )
    if not page.einthoven_off <= limits.off:
        raise DoubtfulPage(
            f"the form is known, but I + III is not II (off by {page.einthoven_off:.0%} of the limb leads' size, at "
            f"most {limits.off:.0%} is allowed): these are not leads of one heart, or they cannot be read."
        )


def warnings_of(page: Quality, distance: float, far: float) -> tuple[str, ...]:
    """What a reader of the answer should know, a sentence each; `distance` and `far` are the model's."""
    warnings = []
    if distance > far:
        warnings.append(
            f"this page is unlike the training pages (distance {distance:.1f}; 99 in 100 of them lie below "
            f"{far:.1f}): trust the answer less"
        )
    warnings += warnings_of_reading(page)
    if page.heart_rate_bpm is None:
        warnings.append("no heart rate could be measured on the rhythm strip")
    return (*warnings, *rate_warnings(page.heart_rate_bpm))


def rate_warnings(heart_rate_bpm: float | None) -> list[str]:
    """That a heart rate may be miscounted, where it is one that few hearts have."""
    if heart_rate_bpm is None or _RATE_BPM[0] <= heart_rate_bpm <= _RATE_BPM[1]:
        return []
    return [f"a heart rate of {heart_rate_bpm:.0f} bpm may be miscounted"]


def warnings_of_reading(page: Quality) -> list[str]:
    """What a reader of the leads alone should know, a sentence each."""
    warnings = []
    faint = [name for name, share in page.leads.items() if share < _WORN_INK]
    if faint:
        warnings.append(f"the trace of {', '.join(faint)} has gaps")
    if page.einthoven_off > _WORN_OFF:
        warnings.append(
            f"I + III differs from II by {page.einthoven_off:.0%}: the limb leads were read badly"
        )
    return warnings
