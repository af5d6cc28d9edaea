"""Made heartbeats, as voltages and as a page shows them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.digitize import N_LEAD, N_STRIP, RATE_HZ, Signals, digitize
from leadwise.pages.forms import known_printout
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import Page

TIMES_S = np.arange(N_STRIP) / RATE_HZ


BEATS_S = np.arange(0.5, 10, 0.8)


WAVES = (
    (-0.16, 0.025, (0.10, 0.12, 0.05, 0.06, 0.06, 0.06, 0.06, 0.06)),
    (0.00, 0.012, (0.90, 1.20, 0.25, 0.50, 0.90, 1.50, 1.40, 1.10)),
    (0.03, 0.014, (-0.20, -0.15, -1.10, -1.60, -1.00, -0.70, -0.30, -0.10)),
    (0.28, 0.050, (0.25, 0.30, -0.10, 0.50, 0.50, 0.45, 0.35, 0.30)),
)


def bumps(times_s: NDArray[np.floating], at_s: NDArray[np.floating], width_s: float) -> NDArray[np.floating]:
    return np.exp(-0.5 * ((times_s[:, None] - at_s) / width_s) ** 2).sum(axis=1)


def ecg(beats_s: NDArray[np.floating] = BEATS_S, rate_hz: float = RATE_HZ) -> NDArray[np.float64]:
    """10 s of twelve leads in mV with beats at these times; the limb leads keep Einthoven's law."""
    times_s = np.arange(round(10 * rate_hz)) / rate_hz
    one, two, *chest = sum(
        np.outer(size, bumps(times_s, beats_s + after, width)) for after, width, size in WAVES
    )
    limbs = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.array([*limbs, *chest])


def column_of(name: str) -> int:
    return known_printout().place(name)[1]


def shown(signals: NDArray[np.floating]) -> NDArray[np.floating]:
    """The 2.5 s of each lead that a page shows."""
    starts = [column_of(name) * N_LEAD for name in LEADS]
    return np.stack([lead[start : start + N_LEAD] for lead, start in zip(signals, starts, strict=True)])


EVEN_S = np.arange(0.4, 10, 0.75)  # 80 beats a minute, 13 of them


QUICK_S = np.arange(0.3, 10, 0.5)  # 120 beats a minute, at the same places in each column of leads


def signals_of(page: Page) -> Signals:
    return digitize(cut_leads(page, find_layout(page)))


def made_page(beats_s: NDArray[np.floating] = EVEN_S, rhythm: str = "II") -> Signals:
    """A page as if it were read without a fault."""
    signals = ecg(beats_s)
    return Signals(shown(signals).astype(np.float32), signals[LEADS.index(rhythm)].astype(np.float32))
