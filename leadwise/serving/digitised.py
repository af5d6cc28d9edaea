"""A page whose leads were read, whatever its form: how it is told, and how it is shown. It has no class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from leadwise.names import CAUTION
from leadwise.pages.page_signals import Geometry, PageSignals, Trace
from leadwise.pages.read import Page
from leadwise.serving.hearts import HeartsAnswer
from leadwise.serving.overlay import as_table, with_lines
from leadwise.serving.rhythm import strip_words

_COLOUR = (0, 114, 178)  # RGB: blue, which no eye takes for the ink or for a red grid
_FADED = 0.55  # of the page's darkness is left beneath the traces
_FINER = 4  # binary digits of a pixel's parts, as OpenCV draws them
_GAP_MM = 2.5  # of paper without a point: there the line is broken
_READERS = {"known form": "the known form", "paths": "a PDF's paths", "any page": "any page"}


@dataclass(frozen=True)
class Digitised:
    """The leads of one page; in a notebook it shows itself.

    `why_no_class` says why there is no class where one was asked for. Then `hearts` is what the network for pages of
    any form says, `af_probability` how likely the strip shows atrial fibrillation or flutter. `label` is always None.
    """

    file: str
    signals: PageSignals = field(repr=False)
    why_no_class: str = ""
    hearts: HeartsAnswer | None = None
    af_probability: float | None = None

    @property
    def label(self) -> None:
        """No class: the models know pages of one form alone."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the leads should know, a sentence each."""
        return self.signals.warnings

    def picture(self) -> Page:
        """The page, paler, with the traces drawn over it and named, and what was found beneath; BGR uint8."""
        return with_lines(traced(self.signals), self.lines())

    def lines(self) -> list[str]:
        """What was read, in a few lines of plain text."""
        return [
            *([f"no class: {self.why_no_class}"] if self.why_no_class else []),
            *(self.hearts.lines() if self.hearts else []),
            *strip_words(self.af_probability),
            self._what_was_read(),
            ", ".join(f"{name} {value}" for name, value in self._quality()),
            *(f"warning: {text}" for text in self.warnings),
            CAUTION,
        ]

    def as_json(self) -> dict[str, Any]:
        """All but the picture and the signals, as JSON has it."""
        return {
            "kind": "digitised",
            "file": self.file,
            "label": None,
            "why_no_class": self.why_no_class,
            "hearts": None if self.hearts is None else self.hearts.as_json(),
            "af_probability": _rounded(self.af_probability),
            **self.signals.as_json(),
            "caution": CAUTION,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Its one row in a table of pages, by column, among others."""
        told = self.signals.as_json()
        warnings = [*([f"no class: {self.why_no_class}"] if self.why_no_class else []), *self.warnings]
        placed = {
            "leads": len(self.signals.leads),
            "strips": " ".join(self.signals.strips),
            "length_s": round(self.signals.length_s, 3),
        }
        parts = {**told["quality"], **told["geometry"]}
        numbers = {name: _rounded(value) for name, value in parts.items()}
        return [{**told, **numbers, **placed, "file": self.file, "warnings": "; ".join(warnings)}]

    def _repr_html_(self) -> str:
        return as_table(self.picture(), f"{self.file}: leads", ("quality", ""), self._quality(), self.lines())

    def _what_was_read(self) -> str:
        signals = self.signals
        if not signals.leads:
            return (
                f"a strip whose lead is not known, {signals.length_s:.1f} s; read by the reader of any page"
            )
        leads = f"{len(signals.leads)} {'lead' if len(signals.leads) == 1 else 'leads'}"
        strips = f" and {'strips' if len(signals.strips) > 1 else 'a strip'} of {', '.join(signals.strips)}"
        which = f", page {signals.number} of {signals.of}" if signals.of > 1 else ""
        return (
            f"{leads}{strips if signals.strips else ''}, {signals.length_s:g} s; "
            f"form {signals.form}, read by the reader of {_READERS[signals.reader]}{which}"
        )

    def _quality(self) -> list[tuple[str, str]]:
        quality = self.signals.quality
        known = [
            ("read", f"{quality.read:.1%} of the printed time"),
            ("I + III against II", _correlation(quality.einthoven)),
            ("aVR + aVL + aVF = 0", "" if quality.goldberger is None else f"to {quality.goldberger:.0%}"),
            ("strip against its lead", _correlation(quality.strip_alike)),
            ("calibration pulse", "" if quality.pulse_mm is None else f"{quality.pulse_mm:.1f} mm"),
        ]
        return [(name, value) for name, value in known if value]


def _correlation(value: float | None) -> str:
    return "" if value is None else f"correlation {value:.3f}"


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def traced(signals: PageSignals) -> Page:
    """The page, paler, with each trace as a thin line where it was followed, and its name; BGR uint8."""
    width = signals.page.shape[1]
    shown = np.asarray(
        cv2.addWeighted(signals.page, _FADED, np.full_like(signals.page, 255), 1 - _FADED, 0), np.uint8
    )
    for trace in signals.columns().values():
        for part in _unbroken(trace, signals.geometry):
            points = np.round(part * 2**_FINER).astype(np.int32)
            cv2.polylines(
                shown, [points], False, _COLOUR[::-1], max(1, round(width / 1200)), cv2.LINE_AA, _FINER
            )
    picture = Image.fromarray(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB))
    draw, size = ImageDraw.Draw(picture), max(11, width // 85)
    font = ImageFont.load_default(size)
    for name, trace in signals.columns().items():
        if len(trace.line_px):
            x, y = (float(value) for value in trace.line_px[0])
            text = name.replace("_", " ")
            left, top, right, bottom = draw.textbbox((x, y - 2.6 * size), text, font=font)
            pad = size // 4
            draw.rectangle((left - pad, top - pad, right + pad, bottom + pad), fill=_COLOUR)
            draw.text((x, y - 2.6 * size), text, font=font, fill="white")
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8)


def _unbroken(trace: Trace, geometry: Geometry) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    """A trace's line in parts, each without a gap in time."""
    turn = np.radians(geometry.turn_degrees)
    along_mm = trace.line_px @ (np.cos(turn), np.sin(turn)) / geometry.x_px_per_mm
    gaps = np.flatnonzero(np.abs(np.diff(along_mm)) > _GAP_MM)
    return np.split(trace.line_px, gaps + 1) if len(trace.line_px) else []
