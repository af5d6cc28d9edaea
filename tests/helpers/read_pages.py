"""Pages of two columns of six leads: as if one were read, with a gap in lead I, and as a PDF of lines."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from drawn import ecg
from pdf import ecg_page, pdf_page

from leadwise.names import LEADS
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace

GAP = slice(1000, 1100)
_PX_PER_S, _PX_PER_MV, _LEFT_PX = 100.0, 40.0, 60.0


def read_page_of_6x2(*warnings: str, number: int = 1, of: int = 1) -> PageSignals:
    """Leads I to aVF from 0 s, V1 to V6 from 5 s, a strip of II."""
    signals = ecg(rate_hz=RATE_HZ).astype(np.float32)
    half = signals.shape[1] // 2
    leads = {}
    for place, name in enumerate(LEADS):
        column, row = divmod(place, 6)
        leads[name] = _trace(signals[place, column * half : (column + 1) * half], 5.0 * column, row)
    signal = leads["I"].signal_mv.copy()
    signal[GAP] = np.nan
    kept = np.isfinite(signal)
    leads["I"] = replace(leads["I"], signal_mv=signal, line_px=leads["I"].line_px[kept])
    return PageSignals(
        form="6x2+1",
        reader="any page",
        leads=leads,
        strips={"II": _trace(signals[1], 0.0, 6)},
        geometry=Geometry(4.0, 4.0, 0.0, False, 25.0, 10.0, "grid"),
        quality=ReadQuality(0.99, einthoven=0.999, strip_alike=1.0),
        warnings=warnings,
        page=np.full((900, 1100, 3), 255, np.uint8),
        number=number,
        of=of,
    )


def _trace(signal_mv: np.ndarray, start_s: float, row: int) -> Trace:
    x = _LEFT_PX + _PX_PER_S * (start_s + np.arange(len(signal_mv)) / RATE_HZ)
    y = 100 + 110 * row - _PX_PER_MV * signal_mv
    return Trace(start_s, signal_mv, np.stack([x, y], axis=1).astype(np.float32))


def pdf_of_6x2() -> bytes:
    """A file whose leads are lines, so that it is read at once."""
    rows = zip(LEADS[:6], LEADS[6:], strict=True)
    file = io.BytesIO()
    pdf_page(ecg_page(ecg(rate_hz=RATE_HZ), RATE_HZ, rows)).pdf.save(file)
    return file.getvalue()
