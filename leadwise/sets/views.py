"""A page as networks see it: small pictures of its ink, its signals, and the usual beat of each lead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.digitize import RATE_HZ, Signals, digitize
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import Page
from leadwise.sets.arrays import shrink
from leadwise.sets.page_beats import median_beat

INK_PX, STRIP_PX = (48, 80), (48, 320)
"""Height and width of a lead's and the strip's ink: 32 px a second in both."""

SIGNAL_HZ = 125
"""Rate of the signals: pages are printed at up to 25 Hz, so half of what was digitised loses nothing."""

LEAD_SAMPLES, STRIP_SAMPLES = 312, 1250
"""Samples of a lead's 2.5 s and of the strip's 10 s."""

LARGEST_MV = 5.0
"""No real wave is larger; digitising errors are."""

Views = dict[str, NDArray[Any]]
"""By name: ``ink`` uint8 ``(12, 48, 80)`` and ``ink_strip`` ``(48, 320)``, ``signals`` in mV ``(12, 312)`` and
``rhythm`` ``(1250,)``, ``beats`` in mV ``(12, 81)``; 0 where nothing was read. Stacked: pages come first."""


def views_of(pages: Iterable[Page]) -> Views:
    """Pictures of pages as networks see them, stacked. Raises `ForeignPage` for one of another layout."""

    def read(page: Page) -> Views:
        leads = cut_leads(page, find_layout(page))
        return all_views(leads.crops, leads.strip, digitize(leads))

    return stacked(map(read, pages))


def stacked(pages: Iterable[Views]) -> Views:
    """The views of several pages in one array for each name."""
    every = list(pages)
    return {name: np.stack([page[name] for page in every]) for name in every[0]}


def all_views(crops: NDArray[np.uint8], strip: NDArray[np.uint8], signals: Signals) -> Views:
    """One page in every view; ink is shrunk by area."""
    return {
        "ink": np.stack([shrink(crop, INK_PX) for crop in crops]),
        "ink_strip": shrink(strip, STRIP_PX),
        **signal_views(signals),
        "beats": _at_signal_hz(median_beat(signals)),
    }


def signal_views(signals: Signals) -> Views:
    """Leads and strip of one page at SIGNAL_HZ, all that the student looks at."""
    return {"signals": _at_signal_hz(signals.leads), "rhythm": _at_signal_hz(signals.strip)}


def _at_signal_hz(millivolts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of neighbouring samples, ``(..., samples)``: 250 to 125 Hz; nan counts as 0."""
    pairs = RATE_HZ // SIGNAL_HZ
    millivolts = np.nan_to_num(millivolts)
    whole = millivolts[..., : millivolts.shape[-1] // pairs * pairs]
    return np.asarray(whole.reshape(*whole.shape[:-1], -1, pairs).mean(axis=-1))
