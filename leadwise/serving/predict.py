"""A page or a recording in, an answer out.

    answer = leadwise.predict("page.jpg")
    answer.label, answer.probabilities, answer.signals.leads

    answer = leadwise.predict("100.hea")
    answer.rhythm, answer.labels, answer.times_s

Of a page: leads found, calibrated probabilities, quality, heart rate, warnings; of a recording see
`leadwise.serving.predict_recording`.

Research use only, not a medical device.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.models.onnx_file import ModelInfo
from leadwise.names import CAUTION, LEADS, probability_in_words
from leadwise.pages.digitize import RATE_HZ, Signals, digitize
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.page_signals import PageSignals
from leadwise.pages.read import FilePage, Page, PageFile, read_page
from leadwise.recordings.files import is_recording
from leadwise.recordings.records import STRIP
from leadwise.serving import gate
from leadwise.serving.digitised import Digitised
from leadwise.serving.digitize_page import read_file_page
from leadwise.serving.gate import Quality
from leadwise.serving.hearts import HeartsAnswer, ask_hearts, ask_of_views
from leadwise.serving.known_form import read_known_form
from leadwise.serving.model import HeartsModel, Model, hearts_ship, load_hearts, load_model
from leadwise.serving.overlay import as_table, overlay
from leadwise.serving.predict_recording import RecordingAnswer, predict_recording, rounded
from leadwise.serving.rhythm import page_probability, strip_probability, strip_words
from leadwise.sets.views import signal_views, stacked

STEPS = ("decode", "find the form", "cut the leads", "digitise", "check", "network")
"""From a file to an answer."""

NO_CLASS = "the models learned from pages of one form, and this is another. Its leads were read"
"""Why a page of another form has none."""

_ROUNDS = 7


@dataclass(frozen=True)
class Answer:
    """What was found on one page.

    `probabilities` are calibrated, by class; `label` is the most probable one. `boxes` float64 ``(13, 4, 2)`` are
    the corners of the twelve leads and of the rhythm strip in pixels of the page, clockwise from the upper left.
    `signals` are in mV at 250 Hz. `page` is the picture itself, BGR, and `page_number` of `pages` is it in its file,
    from 1. `af_probability` is how likely the strip shows atrial fibrillation or flutter, by a model of recordings;
    None where too few beats are on it. `hearts` is what the network for pages of any form says, under its own name.
    In a notebook an answer shows itself.
    """

    file: str
    label: str
    probabilities: dict[str, float]
    quality: Quality
    warnings: tuple[str, ...]
    model: ModelInfo
    boxes: NDArray[np.float64] = field(repr=False)
    signals: Signals = field(repr=False)
    page: Page = field(repr=False)
    page_number: int = 1
    pages: int = 1
    af_probability: float | None = None
    hearts: HeartsAnswer | None = None

    @property
    def heart_rate_bpm(self) -> float | None:
        """Measured on the rhythm strip; None where it could not be."""
        return self.quality.heart_rate_bpm

    def picture(self) -> Page:
        """The page with its leads boxed and the answer written under it, BGR uint8."""
        return overlay(self.page, self.boxes, self.lines())

    def lines(self) -> list[str]:
        """The answer in a few lines of plain text."""
        rate = "unknown" if self.heart_rate_bpm is None else f"{self.heart_rate_bpm:.0f} bpm"
        return [
            ", ".join(
                f"{_words(name)} {probability_in_words(share)}" for name, share in self._by_probability()
            ),
            f"heart rate {rate}; strip repeats {self.quality.rhythm_lead or 'no lead'}; "
            f"I + III = II within {self.quality.einthoven_off:.0%}",
            *strip_words(self.af_probability),
            *([f"page {self.page_number} of {self.pages}"] if self.pages > 1 else []),
            *(self.hearts.lines() if self.hearts else []),
            *(f"warning: {text}" for text in self.warnings),
            f"{self.model.name} of leadwise {self.model.version}. {CAUTION}",
        ]

    def as_json(self) -> dict[str, Any]:
        """All but the picture and the signals, as JSON has it."""
        boxes = {name: box.round(1).tolist() for name, box in zip((*LEADS, "strip"), self.boxes, strict=True)}
        return {
            "file": self.file,
            "page": self.page_number,
            "of_pages": self.pages,
            "label": self.label,
            "probabilities": {name: round(share, 4) for name, share in self.probabilities.items()},
            "heart_rate_bpm": None if self.heart_rate_bpm is None else round(self.heart_rate_bpm, 1),
            "af_probability": rounded(self.af_probability, 4),
            "quality": rounded(asdict(self.quality), 4),
            "warnings": list(self.warnings),
            "hearts": None if self.hearts is None else self.hearts.as_json(),
            "boxes_px": boxes,
            "signals_hz": RATE_HZ,
            "model": asdict(self.model),
            "caution": CAUTION,
        }

    def rows(self) -> list[dict[str, Any]]:
        """Its one row in a table of pages, by column, among others."""
        answer = self.as_json()
        shares = {f"prob_{name}": share for name, share in answer["probabilities"].items()}
        return [{**answer["quality"], **answer, **shares, "warnings": "; ".join(self.warnings)}]

    def _repr_html_(self) -> str:
        rows = [(_words(name), probability_in_words(share)) for name, share in self._by_probability()]
        title = f"{self.file}: {_words(self.label)}"
        return as_table(self.picture(), title, ("class", "probability"), rows, self.lines()[1:])

    def _by_probability(self) -> list[tuple[str, float]]:
        return sorted(self.probabilities.items(), key=lambda pair: -pair[1])


def predict(
    source: str | Path | bytes, *, model: str | Path | None = None, page: int | None = None
) -> Answer | Digitised | RecordingAnswer:
    """Answer for one file: a recording where it is named like a WFDB header (``.hea``) or its signals, else a page.

    `model` is an ONNX file for that kind; by default the one that comes with leadwise. `page` is that of a file of
    several, from 1. Raises what `predict_recording` and `predict_page` raise.
    """
    if not isinstance(source, bytes) and is_recording(Path(source)):
        if page is not None:
            raise InputError(f"{source}: a recording, which has no page {page}. Ask for it without a page.")
        return predict_recording(source, model=model)
    return predict_page(source, model=model, page=page)


def predict_page(
    source: str | Path | bytes, *, model: str | Path | None = None, page: int | None = None
) -> Answer | Digitised:
    """Answer for one page: a path, or a file's bytes, as `leadwise.pages.read.PageFile` takes them.

    A page of another form than the known one is answered with its leads and without a class. The network for pages of
    any form answers beside both, under its own name, where it comes with leadwise; a contradiction is a warning.
    Of a file of several pages it is page number `page`, from 1; by default the first that is an ECG page. `model` is
    an ONNX file that 43_student_export wrote; by default the one that comes with leadwise. Raises `UnreadablePage`
    (no picture), `ForeignPage` (no form that is known), `DoubtfulPage` (a form, but no leads of one heart that can be
    trusted) and `WeightsError` (the model), each in a sentence that says what to do.
    """
    loaded = load_model(None if model is None else Path(model))
    hearts = load_hearts() if hearts_ship() else None
    with PageFile(source if isinstance(source, bytes) else Path(source)) as file:
        return file.first_read(partial(_answered, loaded, hearts, file.name), page)


def _answered(loaded: Model, hearts: HeartsModel | None, name: str, page: FilePage) -> Answer | Digitised:
    known = read_file_page(page)
    if isinstance(known, PageSignals):
        second = ask_hearts(hearts, known) if hearts else None
        return Digitised(name, known, NO_CLASS, second, page_probability(known))
    signals, quality = known.signals, known.quality
    views = stacked([signal_views(signals)])
    probabilities, distance = loaded.answer(views)
    shares = dict(zip(loaded.info.classes, map(float, probabilities[0]), strict=True))
    label = max(shares, key=lambda label: shares[label])
    second = ask_of_views(hearts, views).beside(label) if hearts else None
    against = [second.contradiction] if second and second.contradiction else []
    return Answer(
        name,
        label,
        shares,
        quality,
        (*known.notes, *gate.warnings_of(quality, float(distance[0]), loaded.far), *against),
        loaded.info,
        known.leads.boxes,
        signals,
        known.page,
        page.number,
        page.of,
        strip_probability(signals.strip, RATE_HZ),
        second,
    )


def step_times(source: bytes, model: str | Path | None = None) -> dict[str, float]:
    """Milliseconds of each step from a file's bytes to an answer, by name, of the fastest of several rounds."""
    loaded = load_model(None if model is None else Path(model))
    fastest_s = min((_step_times_s(source, loaded) for _ in range(_ROUNDS)), key=np.sum)
    return dict(zip(STEPS, (1000 * fastest_s).tolist(), strict=True))


def _step_times_s(source: bytes, loaded: Model) -> NDArray[np.float64]:
    marks = [time.perf_counter()]

    def done(value: Any) -> Any:
        marks.append(time.perf_counter())
        return value

    page = done(read_page(source))
    layout = done(find_layout(page))
    leads = done(cut_leads(page, layout))
    signals = done(digitize(leads))
    done(gate.look_at(leads.crops, leads.strip, signals))
    done(loaded.answer(stacked([signal_views(signals)])))
    return np.diff(marks)


def without_each_lead(signals: Signals, model: Model) -> dict[str, dict[str, float]]:
    """Probabilities by class for a page without each of its leads, and without its rhythm strip, in one batch.

    A lead that is left out is 0 mV throughout, as one that was off. In training a lead was off at random
    (`leadwise.learning.augment`), so such a page is none that the network does not know. What is left out of the
    lead that the strip repeats can still be seen on the strip.
    """
    names = (*LEADS, STRIP)
    views = {
        name: np.repeat(view, len(names), axis=0) for name, view in stacked([signal_views(signals)]).items()
    }
    for number in range(len(LEADS)):
        views["signals"][number, number] = 0
    views["rhythm"][len(LEADS)] = 0
    probabilities, _ = model.answer(views)
    return {
        left_out: dict(zip(model.info.classes, map(float, row), strict=True))
        for left_out, row in zip(names, probabilities, strict=True)
    }


def is_refused(page: Page) -> bool:
    """Whether a picture, BGR uint8, is refused."""
    try:
        read_known_form(page)
    except InputError:
        return True
    return False


def _words(name: str) -> str:
    return {"mi": "MI", "history_of_mi": "history of MI"}.get(name, name.replace("_", " "))
