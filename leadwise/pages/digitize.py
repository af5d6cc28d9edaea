"""From ink to a line: where the trace runs, and which lead the rhythm strip repeats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.layout import PIXELS_PER_S
from leadwise.pages.leads import LEAD_S, LEADS, ON_PAGE, Leads

_SAME_LEAD = 0.99


def trace_px(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Row of the trace in each column: the ink's centre of mass, float32 ``(width,)``, nan without ink.

    `crop` uint8 ``(height, width)``, ink bright. A column that holds a steep stroke gives the stroke's
    middle: good enough to compare two drawings of one lead, too coarse for voltages.
    """
    ink = crop.astype(np.float32)
    total = ink.sum(axis=0)
    rows = np.arange(crop.shape[0], dtype=np.float32)
    middle = np.divide(rows @ ink, total, out=np.full_like(total, np.nan), where=total > 0)
    return np.asarray(middle, dtype=np.float32)


def rhythm_lead(leads: Leads) -> tuple[str | None, float]:
    """The lead that the rhythm strip repeats, or None, and the best correlation found.

    Each lead is compared with the strip over the 2.5 s that they share; the printed names on both add
    some scatter. None where no lead reaches 0.99 (99 % of 491 pages reach 0.995; strips that leave
    their row do not).
    """
    strip = trace_px(leads.strip)
    width = int(LEAD_S * PIXELS_PER_S)
    found = {
        name: _correlation(trace_px(leads.crops[LEADS.index(name)])[:width], strip[x : x + width])
        for row in ON_PAGE
        for column, name in enumerate(row)
        for x in [round(column * LEAD_S * PIXELS_PER_S)]
    }
    known = {name: value for name, value in found.items() if np.isfinite(value)}
    best = max(known, key=lambda name: known[name], default=None)
    value = known[best] if best else float("nan")
    return (best if value >= _SAME_LEAD else None), value


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 2 or not a[both].std() or not b[both].std():
        return float("nan")
    return float(np.corrcoef(a[both], b[both])[0, 1])
