"""What the network for pages of any form says of twelve leads, and whether it contradicts the page model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.models.onnx_file import ModelInfo
from leadwise.names import LEADS, SUPERCLASS_NAMES, probability_in_words
from leadwise.pages.page_signals import RATE_HZ, PageSignals, Trace
from leadwise.serving.model import HeartsModel
from leadwise.sets.views import LEAD_SAMPLES, SIGNAL_HZ, STRIP_SAMPLES, Views

NO_DIAGNOSIS = (
    "hearts was taught on PTB-XL's fold 10 (Germany), tested on 360 recordings of other folds and on pages from "
    "Pakistan; percentages are no frequencies, infarction tells hardly more than age: no diagnosis"
)
"""Stands beside each of its answers."""

_SHORTEST_S = 2.4  # of a lead: the network has seen 2.5 s of each, and a scanner's edge takes a little
_HALF = 0.5


@dataclass(frozen=True)
class HeartsAnswer:
    """Five calibrated probabilities, each by itself: several may hold, or none."""

    probabilities: dict[str, float]
    model: ModelInfo
    why_none: str = ""
    """Why there are no probabilities, where the page lacks what the network needs."""
    contradiction: str = ""
    """Why this and the class that stands beside it cannot both hold, in a sentence."""

    def lines(self) -> list[str]:
        """The answer in lines of plain text, and whom it was taught and tested on."""
        return [self.why_none] if self.why_none else [self.line(), NO_DIAGNOSIS]

    def line(self) -> str:
        """The answer in a line of plain text."""
        shares = (
            f"{SUPERCLASS_NAMES[name]} {probability_in_words(share)}"
            for name, share in self.probabilities.items()
        )
        return f"hearts, each by itself: {', '.join(shares)}"

    def as_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "probabilities": {name: round(share, 4) for name, share in self.probabilities.items()},
            "why_none": self.why_none,
            "contradiction": self.contradiction,
            "model": asdict(self.model),
            "taught_and_tested": NO_DIAGNOSIS,
        }

    def beside(self, label: str) -> HeartsAnswer:
        """The same beside the page model's class, with why the two cannot both hold where they cannot."""
        return replace(self, contradiction=self._contradicts(label))

    def _contradicts(self, label: str) -> str:
        norm, mi = (self.probabilities[name] > _HALF for name in ("NORM", "MI"))
        if label == "normal" and not norm and max(self.probabilities.values()) > _HALF:
            named = [SUPERCLASS_NAMES[name] for name, share in self.probabilities.items() if share > _HALF]
            return f"contradiction: the page model calls this normal, and hearts names {', '.join(named)}"
        if label in ("mi", "history_of_mi") and norm and not mi:
            named_it = "an infarction or a history of one"
            return f"contradiction: the page model names {named_it}, and hearts calls this normal"
        return ""


def ask_hearts(model: HeartsModel, signals: PageSignals) -> HeartsAnswer:
    """What it says of a page that was read; of one that lacks leads, or 2.4 s of one, why it says nothing."""
    try:
        return ask_of_views(model, views_of_traces(signals))
    except InputError as error:
        return HeartsAnswer({}, model.info, str(error))


def ask_of_views(model: HeartsModel, views: Views) -> HeartsAnswer:
    """The same of one page's views."""
    prob = model.answer(views)[0]
    return HeartsAnswer(dict(zip(model.info.classes, map(float, prob), strict=True)), model.info)


def views_of_traces(signals: PageSignals) -> Views:
    """Twelve leads and a strip of lead II as the network sees them: ``(1, 12, 312)`` and ``(1, 1250)`` in mV.

    Of each lead the first 2.5 s that are printed. Where there is no strip of II, lead II stands for it if it is there
    for 10 s; else the strip is 0, as one that was off. What was not read is 0. Raises `InputError` for a page that
    lacks leads, or 2.4 s of one.
    """
    lacking = [name for name in LEADS if name not in signals.leads]
    if lacking:
        there = len(LEADS) - len(lacking)
        raise InputError(
            f"hearts says nothing: it was taught on twelve leads, and this page has {there or 'none'} of them"
            + (f", without {', '.join(lacking)}" if there else "")
        )
    short = [name for name in LEADS if signals.leads[name].length_s < _SHORTEST_S]
    if short:
        raise InputError(
            f"hearts says nothing: it was taught on 2.5 s of each lead, and {', '.join(short)} "
            f"{'is' if len(short) == 1 else 'are'} shorter here"
        )
    leads = np.stack([_slower(signals.leads[name], LEAD_SAMPLES) for name in LEADS])
    strip = signals.strips.get("II", signals.leads["II"])
    whole = strip.length_s > STRIP_SAMPLES / SIGNAL_HZ - 1
    rhythm = _slower(strip, STRIP_SAMPLES) if whole else np.zeros(STRIP_SAMPLES, np.float32)
    return {"signals": leads[None], "rhythm": rhythm[None]}


def _slower(trace: Trace, samples: int) -> NDArray[np.float32]:
    """The first samples of a trace at SIGNAL_HZ around its median; 0 where nothing was read, or it has ended."""
    step = RATE_HZ // SIGNAL_HZ
    signal = trace.signal_mv[: samples * step].astype(np.float64)
    known = np.isfinite(signal)
    if not known.any():
        return np.zeros(samples, np.float32)
    level = np.where(known, signal - np.median(signal[known]), 0.0)
    level = np.pad(level, (0, samples * step - len(level)))
    return np.asarray(level.reshape(samples, step).mean(axis=1), np.float32)
