"""The reader of the known form: its leads, and whether they can be twelve leads of one heart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadwise.names import LEADS
from leadwise.pages import forms, physics
from leadwise.pages.digitize import Line, Lines, Signals, follow
from leadwise.pages.layout import Layout, find_layout
from leadwise.pages.leads import Leads, cut_leads
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.read import Page
from leadwise.pages.template import LEAD_S, STRIP_S
from leadwise.serving import gate
from leadwise.serving.gate import Quality

FORM = forms.known_form().name
"""Its name in the table of forms."""

_MM_PER_S, _MM_PER_MV = 25.0, 10.0  # as it prints on every page


@dataclass(frozen=True)
class KnownForm:
    """What was read of one page of the known form; `notes` are warnings about its file."""

    page: Page
    layout: Layout
    leads: Leads
    lines: Lines
    signals: Signals
    quality: Quality
    notes: tuple[str, ...] = ()

    def page_signals(self) -> PageSignals:
        """The same as every reader gives it: finer than `signals`, with the lines on the page."""
        leads = {name: self._trace(line, LEAD_S) for name, line in self.lines.leads.items()}
        repeated = self.quality.rhythm_lead
        strips = {repeated or "II": self._trace(self.lines.strip, STRIP_S)}
        warnings = [*self.notes, *gate.warnings_of_reading(self.quality)]
        if repeated is None:
            warnings.append(
                "the strip resembles no lead closely; it is taken for II, as this form mostly prints"
            )
        return PageSignals(
            FORM,
            "known form",
            leads,
            strips,
            self._geometry(),
            self._read_quality(leads),
            tuple(warnings),
            self.page,
        )

    def _trace(self, line: Line, seconds: float) -> Trace:
        on_page = self.layout.to_page(line.points())
        millivolts = line.millivolts(RATE_HZ, round(seconds * RATE_HZ))
        return Trace(line.start_s, millivolts, on_page.astype(np.float32))

    def _geometry(self) -> Geometry:
        return Geometry(
            self.layout.pixels_per_s / _MM_PER_S, self.layout.pixels_per_mv / _MM_PER_MV,
            self.layout.rotation_deg, False, _MM_PER_S, _MM_PER_MV, "form",
        )  # fmt: skip

    def _read_quality(self, leads: dict[str, Trace]) -> ReadQuality:
        share = sum(self.quality.leads.values()) * LEAD_S + self.quality.strip * STRIP_S
        return ReadQuality(
            share / (len(LEADS) * LEAD_S + STRIP_S),
            physics.einthoven(leads),
            physics.goldberger(leads),
            self.quality.strip_alike,
        )


def read_known_form(page: Page) -> KnownForm:
    """Read a picture, BGR uint8.

    Raises `ForeignPage` (another layout, upside down) and `DoubtfulPage` (the layout, but no twelve leads of one
    heart).
    """
    layout = find_layout(page)
    leads = cut_leads(page, layout)
    lines = follow(leads)
    signals = lines.signals()
    quality = gate.look_at(leads.crops, leads.strip, signals)
    gate.refuse_doubtful(quality)
    return KnownForm(page, layout, leads, lines, signals, quality)
