"""What `leadwise serve` says over HTTP, as types: they check what goes out and write the OpenAPI page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from leadwise.models.onnx_file import ModelInfo
from leadwise.names import CAUTION
from leadwise.pages.page_signals import Geometry, ReadQuality
from leadwise.recordings.summary import Rhythm
from leadwise.serving.gate import Quality

Share = float
Corners = list[list[float]]


_EXAMPLE: dict[str, Any] = {
    "kind": "page",
    "file": "page.jpg",
    "page": 1,
    "of_pages": 1,
    "label": "normal",
    "probabilities": {"normal": 0.972, "abnormal_heartbeat": 0.021, "history_of_mi": 0.005, "mi": 0.002},
    "heart_rate_bpm": 72.1,
    "af_probability": 0.012,
    "quality": {
        "leads": {"I": 0.998, "II": 1.0},
        "strip": 1.0,
        "limb_mv": 0.18,
        "einthoven_off": 0.06,
        "strip_alike": 0.999,
        "rhythm_lead": "II",
        "heart_rate_bpm": 72.1,
    },
    "warnings": [],
    "boxes_px": {"I": [[152.5, 314.0], [644.0, 314.0], [644.0, 614.0], [152.5, 614.0]]},
    "signals_hz": 250,
    "model": {
        "name": "student12",
        "classes": ["normal", "abnormal_heartbeat", "history_of_mi", "mi"],
        "version": "0.1.0",
        "protocol": "grouped",
        "data_fingerprint": "0123456789ab",
        "trained_on": "all pages of one hospital",
        "note": "Research use only.",
    },
    "caution": CAUTION,
    "page_px": [2213, 1572],
    "signals_mv": {"I": [0.013, 0.013, None, 0.026], "strip": [0.0, 0.013]},
    "starts_s": {"I": 0.0, "V1": 5.0, "strip": 0.0},
    "without": {"I": {"normal": 0.951, "abnormal_heartbeat": 0.04, "history_of_mi": 0.006, "mi": 0.003}},
    "picture": None,
}


class Hearts(BaseModel):
    """What the network for pages of any form says, under its own name; no diagnosis."""

    probabilities: dict[str, Share] = Field(
        description="each by itself: several may hold; empty where it says nothing"
    )
    why_none: str = Field(description="why it says nothing, else empty")
    contradiction: str = Field(
        description="why it and the class beside it cannot both hold, else empty; among the page's warnings too"
    )
    model: ModelInfo
    taught_and_tested: str


class PageAnswer(BaseModel):
    """The answer for one printed page: all that `leadwise predict --json` says, and what was read."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    kind: Literal["page"] = "page"
    file: str
    page: int = Field(description="which page of the file, from 1")
    of_pages: int = Field(description="how many pages the file holds")
    label: str = Field(description="the most probable class")
    probabilities: dict[str, Share] = Field(description="calibrated on pages of the training hospital, sum 1")
    heart_rate_bpm: float | None = Field(description="measured on the rhythm strip")
    af_probability: float | None = Field(
        description="of atrial fibrillation or flutter, by the strip's beats and a model of recordings; null where "
        "too few beats are on it"
    )
    quality: Quality
    warnings: list[str] = Field(description="what a reader of the answer should know, a sentence each")
    hearts: Hearts | None = Field(
        None, description="the network for pages of any form, where it comes with leadwise"
    )
    boxes_px: dict[str, Corners] = Field(
        description="corners of each lead and of the strip in pixels of the page, clockwise from the upper left"
    )
    signals_hz: int = Field(description="samples a second of signals_mv")
    model: ModelInfo
    caution: str
    page_px: tuple[int, int] = Field(description="width and height of the page as it was read")
    signals_mv: dict[str, list[float | None]] = Field(
        description="millivolts of each lead (2.5 s) and of the strip (10 s); null where no ink could be read"
    )
    starts_s: dict[str, float] = Field(
        description="when each lead begins on the page's clock: its four columns follow one another"
    )
    without: dict[str, dict[str, Share]] = Field(
        description="the probabilities when this lead, or the strip, is blank for the network"
    )
    picture: str | None = Field(
        None, description="the page as it was read, a JPEG as data URI; where `picture=true` was sent"
    )


class Placed(BaseModel):
    """Where one lead stands on the page's clock, whose 0 is the start of the first column."""

    start_s: float
    length_s: float


class DigitisedAnswer(BaseModel):
    """The leads of one printed page, whatever its form; the model, which knows one form, gives no class."""

    kind: Literal["digitised"] = "digitised"
    file: str
    label: None = Field(description="no class")
    why_no_class: str = Field(description="empty where none was asked for")
    hearts: Hearts | None = Field(
        None, description="the network for pages of any form, where a class was asked for"
    )
    af_probability: float | None = Field(
        description="of atrial fibrillation or flutter, by a strip's beats and a model of recordings; null where no "
        "strip is long enough, or no class was asked for"
    )
    form: str = Field(description="how the page is laid out: rows x columns of leads + strips")
    reader: str = Field(description="which reader read it: known form, paths (of a PDF) or any page")
    page: int = Field(description="its number in the file, from 1")
    of_pages: int
    leads: dict[str, Placed] = Field(description="those that are printed; a strip is II_strip")
    rate_hz: int = Field(description="samples a second of signals_mv")
    geometry: Geometry
    quality: ReadQuality
    warnings: list[str] = Field(description="what a reader of the leads should know, a sentence each")
    caution: str
    page_px: tuple[int, int] = Field(description="width and height of the page as it was read")
    signals_mv: dict[str, list[float | None]] = Field(
        description="millivolts of each lead and strip, from its start on; null where nothing was read"
    )
    picture: str | None = Field(
        None, description="the page with its traces drawn, a JPEG as data URI; where `picture=true` was sent"
    )


class Beats(BaseModel):
    """Where heartbeats were found in a recording, and what each is called."""

    lead: str = Field(description="the lead on which they were looked for first")
    leads: list[str] = Field(description="the one or two leads by which they were named")
    detector: str
    samples: list[int] = Field(description="sample numbers of the R peaks, from 0")
    labels: list[str] = Field(
        description="the most probable class of each: N, S, V, F or Q of ANSI/AAMI EC57"
    )
    probabilities: dict[str, list[Share]] = Field(description="by class, one a beat")


class Episode(BaseModel):
    """From when to when a recording is likely to be in atrial fibrillation or flutter."""

    rhythm: Literal["AFIB"]
    start_s: float
    end_s: float
    probability: Share = Field(description="the mean over its stretches of half a minute")


class RecordAnswer(BaseModel):
    """What was read of one WFDB record: its beats, each with its class, and the rhythm of all."""

    kind: Literal["record"] = "record"
    file: str
    rate_hz: float
    duration_s: float
    processing: str = Field(description="what was done to the signals")
    signals_mv: dict[str, list[float | None]] = Field(description="millivolts by lead, processed")
    beats: Beats
    rhythm: Rhythm
    episodes: list[Episode] | None = Field(
        description="of atrial fibrillation or flutter; null where it is too short to tell"
    )
    gaps_s: list[tuple[float, float]] = Field(
        description="from when to when no beat can be found, seconds; no interval crosses one"
    )
    heart_rate_bpm: float | None = Field(description="60 s over the median interval between beats")
    warnings: list[str]
    model: ModelInfo
    caution: str
    picture: str | None = Field(
        None, description="the recording as a strip chart, a PNG as data URI; where `picture=true` was sent"
    )


class Refusal(BaseModel):
    """Why there is no answer, and what to do about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "foreign_page",
                    "detail": "letter.png: no frame found. Is this a page of the known layout?",
                }
            ]
        }
    )

    code: str = Field(description="the kind of refusal, for programs")
    detail: str = Field(description="the reason in words, for people")


class Health(BaseModel):
    """Whether the server can answer, and how busy it is."""

    status: Literal["ok", "starting"] = Field(
        description="`starting` until a process has loaded the models; an answer then waits for it, some seconds"
    )
    version: str
    workers: int
    in_work: int = Field(description="requests that are being answered or wait")
    places: int = Field(description="so many at most; then it says 503")


@dataclass(frozen=True)
class ModelCard(ModelInfo):
    """The model and its card, Markdown; null for a model other than the one shipped."""

    card: str | None


class Sample(BaseModel):
    """A real page to try, from the set on which the model was trained."""

    name: str
    title: str
    label: str = Field(description="how its hospital labelled it")
    page: str = Field(description="where the picture is")
    thumbnail: str
