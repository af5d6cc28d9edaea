"""From signals to a page of the known template: what the device would have printed.

Drawn as the device draws: a line through whole pixels with a 3 px pen, no smooth edges, on the template's own
paper, with its separators, calibration pulses, names and header, and saved as JPEG.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.drawing.drawn_ink import as_jpeg
from leadwise.names import LEADS
from leadwise.pages.forms import known_form, known_printout
from leadwise.pages.header import Header
from leadwise.pages.read import Page
from leadwise.pages.template import Template
from leadwise.runs import runs_of

_PEN = np.ones((3, 3), np.uint8)
_FONT = cv2.FONT_HERSHEY_COMPLEX_SMALL


def render(
    signals: NDArray[np.floating],
    rate_hz: float,
    *,
    rhythm: str = "II",
    header: Header | None = None,
    jpeg_quality: int = 90,
) -> Page:
    """A page, BGR uint8 ``(1572, 2213, 3)``, of 10 s of twelve leads.

    `signals` ``(12, samples)`` in mV in the order of LEADS, at least 10 s of them; nan is not drawn. Columns of
    leads follow one another in time, as on the device's pages. `rhythm` names the lead of the strip.
    Raises `ValueError` where the shape or the length does not fit, or no lead is called `rhythm`.
    """
    template, length_s = known_printout(), known_form().length_s
    if rhythm not in LEADS:
        raise ValueError(f"rhythm {rhythm!r}: no lead; known are {', '.join(LEADS)}")
    if signals.ndim != 2 or len(signals) != len(LEADS) or signals.shape[1] < length_s * rate_hz:
        raise ValueError(
            f"signals {signals.shape}: 12 leads of at least {length_s:g} s at {rate_hz:g} Hz are needed"
        )
    ink = _form(template, rhythm)
    traces = np.zeros(ink.shape, np.uint8)
    for row, names in enumerate(template.rows):
        for column, name in enumerate(names):
            first, last = (round(edge * template.column_s * rate_hz) for edge in (column, column + 1))
            part = signals[LEADS.index(name), first : last + 1]
            _draw(traces, template, part, rate_hz, (row, column))
    strip = signals[LEADS.index(rhythm), : round(length_s * rate_hz) + 1]
    _draw(traces, template, strip, rate_hz, (len(template.rows), 0))
    ink |= np.asarray(cv2.dilate(traces, _PEN), np.uint8)
    if header is not None:
        _write(ink, header)
    page = template.paper.copy()
    page[ink > 0] = 0
    return as_jpeg(page, jpeg_quality)


def _form(template: Template, rhythm: str) -> NDArray[np.uint8]:
    """The template's ink, with the rhythm strip's name changed to that of its lead."""
    ink = template.ink.astype(np.uint8)
    name = ink[template.label_box(*template.place(rhythm))].copy()
    rows, columns = template.label_box(len(template.rows), 0)
    ink[rows, columns] = 0
    ink[rows, columns.start : columns.start + name.shape[1]] |= name
    return ink


def _draw(
    canvas: NDArray[np.uint8],
    template: Template,
    millivolts: NDArray[np.floating],
    rate_hz: float,
    place: tuple[int, int],
) -> None:
    row, column = place
    x, y = template.first_x + column * template.column_px, template.baselines_y[row]
    columns = np.round(x + np.arange(len(millivolts)) / rate_hz * template.px_per_s)
    rows = np.round(y - millivolts * template.px_per_mv)
    for start, end in runs_of(np.isfinite(rows)).tolist():
        points = np.stack([columns[start:end], rows[start:end]], axis=1).astype(np.int32)
        cv2.polylines(canvas, [points], False, 1)


def _write(ink: NDArray[np.uint8], header: Header) -> None:
    """The printed fields where the device prints them."""
    fields = [
        (header.recording_id, (130, 96)),
        (header.sex.capitalize() if header.sex else None, (428, 96)),
        (header.recorded_at.replace("T", " ") if header.recorded_at else None, (1782, 1546)),
        (f"{header.heart_rate_bpm}" if header.heart_rate_bpm else None, (560, 1546)),
        ("Lead Off" if header.lead_off else None, (700, 1546)),
    ]
    for text, where in fields:
        if text:
            cv2.putText(ink, text, where, _FONT, 1.1, 1, 1)
