"""The reader of the known form: its leads, and whether they can be twelve leads of one heart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadwise.names import LEADS
from leadwise.pages import physics
from leadwise.pages.digitize import Line, Lines, Signals, follow
from leadwise.pages.forms import known_form
from leadwise.pages.layout import Layout, find_layout
from leadwise.pages.leads import Leads, cut_leads
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.read import Page
from leadwise.serving import gate
from leadwise.serving.gate import Quality

_FORM = known_form()


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
        leads = {
            name: self._trace(line, _start_s(name), _FORM.column_s) for name, line in self.lines.leads.items()
        }
        repeated = self.quality.rhythm_lead
        strips = {repeated or "II": self._trace(self.lines.strip, 0.0, _FORM.length_s)}
        warnings = [*self.notes, *gate.warnings_of_reading(self.quality)]
        if repeated is None:
            warnings.append(
                "the strip resembles no lead closely; it is taken for II, as this form mostly prints"
            )
        return PageSignals(
            _FORM.name,
            "known form",
            leads,
            strips,
            self._geometry(),
            self._read_quality(leads),
            tuple(warnings),
            self.page,
        )

    def _trace(self, line: Line, start_s: float, seconds: float) -> Trace:
        on_page = self.layout.to_page(line.points())
        millivolts = line.millivolts(RATE_HZ, round(seconds * RATE_HZ))
        return Trace(start_s, millivolts, on_page.astype(np.float32))

    def _geometry(self) -> Geometry:
        return Geometry(
            self.layout.pixels_per_s / _FORM.speed_mm_per_s, self.layout.pixels_per_mv / _FORM.gain_mm_per_mv,
            self.layout.rotation_deg, False, _FORM.speed_mm_per_s, _FORM.gain_mm_per_mv, "form",
        )  # fmt: skip

    def _read_quality(self, leads: dict[str, Trace]) -> ReadQuality:
        share = sum(self.quality.leads.values()) * _FORM.column_s + self.quality.strip * _FORM.length_s
        return ReadQuality(
            share / (len(LEADS) * _FORM.column_s + _FORM.length_s),
            physics.einthoven(leads),
            physics.goldberger(leads),
            self.quality.strip_alike,
        )


def _start_s(lead: str) -> float:
    """When a lead begins, after the start of the first column."""
    return next(names.index(lead) * _FORM.column_s for names in _FORM.rows if lead in names)


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
