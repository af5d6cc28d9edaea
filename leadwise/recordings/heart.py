"""Is there a heart in these signals at all? Whoever is given mains hum, noise or a loose electrode should say so.

Peaks are found in anything. Those of a heart stand out from what lies between them, and each is like many others;
peaks of noise are not alike, and waves of a generator leave no quiet between. Limits were set by real leads (DS1
of MIT-BIH and paced records by the minute, every other record of PTB-XL's fold 10) and by made noise of twelve kinds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadwise.recordings.filters import band_passed
from leadwise.recordings.qrs import BAND_HZ, energy

HEIGHTS_MV = (0.05, 20.0)
"""How high heartbeats are, from top to bottom, in any lead that is worth reading."""

_LEAST_BEATS = 3
_AROUND_S = 0.1
_COMPARED = 200  # beats, spread over the whole signal
_LEAST_OUT, _LEAST_ALIKE, _MOST_OPPOSITE = 1.6, 0.8, 0.4
_OPPOSITE = -0.8


@dataclass(frozen=True)
class Evidence:
    """What speaks for a heart in one lead.

    `stands_out` is the energy at peaks over the usual one; `alike` the correlation of a beat with the nearest quarter
    of the others; `opposite` the share of pairs that are each other's mirror image, as steps up and down are.
    """

    stands_out: float
    alike: float
    opposite: float

    @property
    def is_heart(self) -> bool:
        """Whether it is enough."""
        return (
            self.stands_out >= _LEAST_OUT and self.alike >= _LEAST_ALIKE and self.opposite <= _MOST_OPPOSITE
        )


def evidence(
    leads_mv: NDArray[np.floating], rate_hz: float, beats: NDArray[np.integer]
) -> Iterator[Evidence]:
    """By lead ``(leads, samples)``, where it is known at three of these peaks in samples or more."""
    half = round(_AROUND_S * rate_hz)
    inside = beats[(beats >= half) & (beats < leads_mv.shape[1] - half)]
    for lead in leads_mv:
        known = np.isfinite(lead)
        own = inside[known[inside - half] & known[inside] & known[inside + half]]
        if len(own) >= _LEAST_BEATS:
            yield _of_lead(band_passed(lead[None], rate_hz, BAND_HZ), rate_hz, known, own, half)


def heights_mv(
    filtered_mv: NDArray[np.floating], rate_hz: float, beats: NDArray[np.integer]
) -> NDArray[np.float64]:
    """How high beats usually are in each lead ``(leads,)``, from top to bottom, within a tenth of a second."""
    half = round(_AROUND_S * rate_hz)
    inside = beats[(beats >= half) & (beats < filtered_mv.shape[1] - half)]
    if not len(inside):
        return np.full(len(filtered_mv), np.nan)
    return np.asarray(
        np.median(np.ptp(filtered_mv[:, inside[:, None] + np.arange(-half, half + 1)], axis=2), axis=1)
    )


def stands_out(lead_mv: NDArray[np.floating], rate_hz: float, samples: NDArray[np.integer]) -> float:
    """How much more moves at these samples of one lead ``(samples,)`` than usually: 1 at samples taken blindly."""
    strength = energy(band_passed(lead_mv[None], rate_hz, BAND_HZ), rate_hz)[0]
    return float(np.median(strength[samples]) / max(float(np.median(strength)), 1e-12))


def _of_lead(
    fast: NDArray[np.float64], rate_hz: float, known: NDArray[np.bool_], beats: NDArray[np.integer], half: int
) -> Evidence:
    strength = energy(fast, rate_hz)[0]
    usual = float(np.median(strength[known]))
    if usual <= 0:
        return Evidence(0.0, 0.0, 1.0)
    some = beats[np.unique(np.linspace(0, len(beats) - 1, min(len(beats), _COMPARED)).astype(np.int64))]
    shapes = fast[0, some[:, None] + np.arange(-half, half + 1)]
    shapes /= np.sqrt((shapes**2).sum(axis=1, keepdims=True)) + 1e-12
    alike = shapes @ shapes.T
    others = alike[~np.eye(len(alike), dtype=bool)].reshape(len(alike), -1)
    return Evidence(
        float(np.median(strength[beats]) / usual),
        float(np.median(np.quantile(others, 0.75, axis=1))),
        float((others < _OPPOSITE).mean()),
    )
