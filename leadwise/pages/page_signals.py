"""What is read of one page, by whichever reader: traces in millivolts, where they stand, how far to trust them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.read import Page

RATE_HZ = 500
"""Samples a second of a trace."""


UNNAMED = "strip"
"""A rhythm strip alone, of which is not known which lead it shows; and the form of such a page."""


@dataclass(frozen=True)
class Trace:
    """One lead or strip as it is printed.

    It begins `start_s` after the start of the page's first column; `signal_mv` float32 ``(samples,)`` at RATE_HZ is
    nan where nothing was read. `line_px` float32 ``(points, 2)``: x and y on the page of the line that was followed.
    """

    start_s: float
    signal_mv: NDArray[np.float32] = field(repr=False)
    line_px: NDArray[np.float32] = field(repr=False)

    @property
    def length_s(self) -> float:
        """How long it is."""
        return len(self.signal_mv) / RATE_HZ


@dataclass(frozen=True)
class Geometry:
    """Scale and turn of a page: pixels in a millimetre of paper on both axes, which need not be equal.

    `turn_degrees` is how far the page is turned clockwise from upright, -180 to 180; `mirrored` says that it was
    turned over besides. `scale_from` says what told the scale: "grid", "pulse", "form" or "file" (a PDF's
    points). `bent_mm` is how far the paper lies beside a flat sheet (95th percentile); then scale and turn are those
    of its middle.
    """

    x_px_per_mm: float
    y_px_per_mm: float
    turn_degrees: float
    mirrored: bool
    speed_mm_per_s: float
    gain_mm_per_mv: float
    scale_from: str
    bent_mm: float = 0.0


@dataclass(frozen=True)
class ReadQuality:
    """What speaks for and against a page's traces; None where the page does not show it.

    `read` is the share of the printed time in which a trace was followed, or bridged for 0.2 s at most. `einthoven`
    is the correlation of I + III with II and `goldberger` 1 minus the size of aVR + aVL + aVF over that of these
    leads, after small shifts in time; `strip_alike` the least correlation of a strip with the lead that it repeats;
    `pulse_mm` the height of the calibration pulse on paper; `grid` the grid's contrast, 0 to 1. `augmented` is the
    least correlation of aVR, aVL and aVF with what I and II make of them; `together` how well the beats of a
    column's leads fall into one time, a correlation; `columns` how clearly print marks where columns begin, 0 to 1.
    `strays` is the largest share of a trace that lies beyond its neighbours' baselines, `strays_at_ends` that of
    its ends; `pulses_within` is how many pulses stand where leads should. `named` is how many leads, of twelve, have
    their own name printed beside them, less those that have another's, -1 to 1.
    """

    read: float
    einthoven: float | None = None
    goldberger: float | None = None
    strip_alike: float | None = None
    pulse_mm: float | None = None
    grid: float | None = None
    augmented: float | None = None
    together: float | None = None
    columns: float | None = None
    strays: float = 0.0
    strays_at_ends: float = 0.0
    pulses_within: int = 0
    named: float | None = None


@dataclass(frozen=True)
class PageSignals:
    """The leads of one page.

    `leads` and `strips` hold traces by lead name, in the order of LEADS, those alone that are printed; `form` is a
    name in ``forms.yaml``; `reader` is "known form", "paths" (of a PDF) or "any page". `number` of `of` is the page
    in its file, from 1. `page` is the picture, BGR, on which `line_px` of the traces lie.
    """

    form: str
    reader: str
    leads: dict[str, Trace]
    strips: dict[str, Trace]
    geometry: Geometry
    quality: ReadQuality
    warnings: tuple[str, ...]
    page: Page = field(repr=False)
    number: int = 1
    of: int = 1

    def with_traces(self, changed: Callable[[Trace], Trace]) -> PageSignals:
        """The same page, all its traces changed."""
        leads, strips = (
            {name: changed(trace) for name, trace in traces.items()} for traces in (self.leads, self.strips)
        )
        return replace(self, leads=leads, strips=strips)

    @property
    def length_s(self) -> float:
        """From the start of the first column to the end of the last trace."""
        return max(trace.start_s + trace.length_s for trace in self.columns().values())

    def columns(self) -> dict[str, Trace]:
        """All traces by the name that a table gives them: leads, then strips as ``II_strip``."""
        leads = {name: self.leads[name] for name in LEADS if name in self.leads}
        strips = {name if name == UNNAMED else f"{name}_strip": trace for name, trace in self.strips.items()}
        return leads | strips

    def samples(self) -> NDArray[np.float32]:
        """All `columns` on one clock, float32 ``(samples, columns)`` mV at RATE_HZ; nan where nothing is printed."""
        traces = self.columns().values()
        table = np.full((round(self.length_s * RATE_HZ), len(traces)), np.nan, np.float32)
        for column, trace in enumerate(traces):
            first = round(trace.start_s * RATE_HZ)
            signal = trace.signal_mv[: len(table) - first]
            table[first : first + len(signal), column] = signal
        return table

    def as_json(self) -> dict[str, Any]:
        """All but samples and picture, as JSON has it."""
        placed = {
            name: {"start_s": round(trace.start_s, 4), "length_s": round(trace.length_s, 4)}
            for name, trace in self.columns().items()
        }
        return {
            "form": self.form,
            "reader": self.reader,
            "page": self.number,
            "of_pages": self.of,
            "leads": placed,
            "rate_hz": RATE_HZ,
            "geometry": asdict(self.geometry),
            "quality": asdict(self.quality),
            "warnings": list(self.warnings),
        }
