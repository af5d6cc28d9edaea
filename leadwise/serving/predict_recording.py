"""A recording in, an answer out: its beats found and named, the rhythm summed up, warnings, a picture.

    answer = leadwise.predict("100.hea")
    answer.rhythm.counts, answer.times_s, answer.labels

Research use only, not a medical device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
from leadwise.models.onnx_file import ModelInfo
from leadwise.names import AAMI, BEAT_NAMES, CAUTION
from leadwise.pages.read import Page
from leadwise.recordings.beat_views import CUT, LEADS, beat_views
from leadwise.recordings.context import cut_beats, intervals_s
from leadwise.recordings.episodes import Episode, changes_of
from leadwise.recordings.files import header_beside
from leadwise.recordings.gaps import Spans, crossing
from leadwise.recordings.records import RHYTHM_LEADS, Record, rhythm_first
from leadwise.recordings.summary import Rhythm, Runs, clock, summarise
from leadwise.serving import long_recordings
from leadwise.serving.gate import rate_warnings
from leadwise.serving.model import load_beat_model
from leadwise.serving.overlay import as_table
from leadwise.serving.recordings import DETECTOR, MAX_S, PROCESSING, Reading, beside, opened
from leadwise.serving.rhythm import as_noted, episode_words, episodes_in
from leadwise.serving.strip_chart import strip_chart

BEAT_COLUMNS = (
    "file",
    "time_s",
    "sample",
    "label",
    *(f"prob_{name}" for name in AAMI),
    "rr_before_s",
    "refused",
)
"""Of the table of beats."""

_TRAINED_HZ = 360.0
_SHORT_S, _FEW_BEATS = 10.0, 30
_MARGIN_S, _NEIGHBOURS = 10.0, 60  # seconds and beats beside what is looked at together


@dataclass(frozen=True)
class RecordingAnswer:
    """What was found in one recording.

    `record` holds its leads in mV, band-passed, nan where one is off; `leads` names the one or two of them that most
    beats were named by. `samples` are the R peaks at `rate_hz`, the file's own rate, `probabilities`
    ``(beats, classes)`` in the order of ``model.classes``. Of one of over half an hour `record` holds those
    one or two leads alone, at 120 samples a second. `episodes` are those of atrial fibrillation or flutter, None
    where it is too short to tell. In `gaps`, seconds, no beat can be found, and no interval crosses one. In a
    notebook an answer shows itself.
    """

    file: str
    leads: tuple[str, ...]
    rhythm: Rhythm
    warnings: tuple[str, ...]
    model: ModelInfo
    samples: NDArray[np.int64] = field(repr=False)
    probabilities: NDArray[np.float32] = field(repr=False)
    record: Record = field(repr=False)
    rate_hz: float
    episodes: tuple[Episode, ...] | None = None
    gaps: Spans = ()

    @cached_property
    def labels(self) -> NDArray[np.str_]:
        """The most probable class of each beat, ``(beats,)``."""
        names = np.array(self.model.classes, np.str_)
        return np.asarray(names[self.probabilities.argmax(axis=1)])

    @property
    def times_s(self) -> NDArray[np.float64]:
        """When each beat comes, ``(beats,)``."""
        return self.samples / self.rate_hz

    @property
    def duration_s(self) -> float:
        """How long the recording is."""
        return float(self.record.signals.shape[1] / self.record.rate_hz)

    @property
    def heart_rate_bpm(self) -> float | None:
        """60 s over the median interval between beats; None where no beats were found."""
        return self.rhythm.heart_rate_bpm

    def changes(self) -> list[tuple[int, str]]:
        """Changes of rhythm as annotations have them: the sample of each, and its note."""
        return changes_of(self.episodes or (), self.rate_hz, round(self.duration_s * self.rate_hz))

    def picture(self) -> Page:
        """The whole recording as a strip chart, beats coloured by class, rare ones enlarged beneath; BGR uint8."""
        lead, title = self._shown()
        surest = self.probabilities.max(axis=1, initial=0)
        return strip_chart(
            lead, self.record.rate_hz, _at(self.samples, self.rate_hz, self.record), self.labels.tolist(), surest,
            f"{Path(self.file).name}, {title}", self.lines(),
            [(one.start_s, one.end_s) for one in self.episodes or ()],
        )  # fmt: skip

    def _shown(self) -> tuple[NDArray[np.floating], str]:
        """The lead that is drawn, others in its place where it is off, and which they are."""
        names, signals = self.record.names, self.record.signals
        lead, others = signals[names.index(self.leads[0])].copy(), []
        for number in rhythm_first(names):
            there = np.isnan(lead) & np.isfinite(signals[number])
            if there.any():
                lead[there] = signals[number, there]
                others.append(names[number])
        instead = f", {' or '.join(others)} where it is off" if others else ""
        return lead, f"lead {self.leads[0]}{instead}"

    def lines(self) -> list[str]:
        """The answer in a few lines of plain text."""
        rhythm = self.rhythm
        named = [
            f"{BEAT_NAMES[name]}: {rhythm.counts[name]} ({rhythm.share(name):.1%})"
            for name in AAMI
            if rhythm.counts[name]
        ]
        return [
            f"{rhythm.beats} beats in {clock(self.duration_s)}" + (f"; {'; '.join(named)}" if named else ""),
            *_rates(rhythm),
            *episode_words(self.episodes, self.duration_s),
            *(f"warning: {text}" for text in self.warnings),
            f"{self.model.name} of leadwise {self.model.version}, trained on {self.model.trained_on}. {CAUTION}",
        ]

    def as_json(self) -> dict[str, Any]:
        """All but the picture and the signals, as JSON has it."""
        return {
            "kind": "record",
            "file": self.file,
            "rate_hz": self.rate_hz,
            "duration_s": round(self.duration_s, 3),
            "processing": PROCESSING,
            "beats": {
                "lead": self.leads[0],
                "leads": list(self.leads),
                "detector": DETECTOR,
                "samples": self.samples.tolist(),
                "labels": self.labels.tolist(),
                "probabilities": {
                    name: np.round(column.astype(float), 4).tolist()
                    for name, column in zip(self.model.classes, self.probabilities.T, strict=True)
                },
            },
            "rhythm": rounded(asdict(self.rhythm), 3),
            "episodes": as_noted(self.episodes),
            "gaps_s": [[round(start, 3), round(end, 3)] for start, end in self.gaps],
            "heart_rate_bpm": rounded(self.heart_rate_bpm, 3),
            "warnings": list(self.warnings),
            "model": asdict(self.model),
            "caution": CAUTION,
        }

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row a beat by the names of `BEAT_COLUMNS`; that of a class that the model does not know is left out."""
        rr_before_s, _ = intervals_s(self.samples, self.rate_hz)
        rr_before_s[1:][crossing(self.times_s, self.gaps)] = np.nan
        times_s = self.times_s.tolist()
        for beat, (label, shares, rr_s) in enumerate(
            zip(self.labels.tolist(), self.probabilities, rr_before_s, strict=True)
        ):
            yield {
                "file": self.file,
                "time_s": f"{times_s[beat]:.3f}",
                "sample": int(self.samples[beat]),
                "label": label,
                **{
                    f"prob_{name}": f"{share:.4f}"
                    for name, share in zip(self.model.classes, shares, strict=True)
                },
                "rr_before_s": "" if np.isnan(rr_s) else f"{rr_s:.3f}",
            }

    def _repr_html_(self) -> str:
        rows = [
            (BEAT_NAMES[name], str(count), f"{self.rhythm.share(name):.1%}")
            for name, count in self.rhythm.counts.items()
        ]
        title = f"{self.file}: {self.rhythm.beats} beats"
        return as_table(self.picture(), title, ("class", "beats", "share"), rows, self.lines()[1:])


_KNOWN = (
    "named like a record of a person from whom the model learned: if it is that one, the answer shows what the model "
    "remembers, not what it can do"
)


def predict_recording(source: str | Path, *, model: str | Path | None = None) -> RecordingAnswer:
    """Answer for one recording: WFDB by its ``.hea``, ``.dat`` or without suffix, EDF, DICOM, a zip of one.

    `model` is an ONNX file that `leadwise.learning.export_beats` wrote; by default the one that comes with leadwise.
    Raises `MissingInput` and `InputError` for a record that is not there, damaged, cut off, too short or too long,
    unknown throughout, no ECG or without a heart in it, and `WeightsError` for the model, each in a sentence that
    says what to do.
    """
    path, chosen = Path(source), None if model is None else Path(model)
    load_beat_model(chosen)
    try:
        with opened(path) as opened_source:
            return name_beats(str(source), long_recordings.read(opened_source), chosen)
    except MissingInput:
        raise
    except InputError as error:
        if str(error).startswith(f"{header_beside(path).name}:"):
            raise
        raise InputError(f"{source}: {error}") from error


def name_beats(file: str, reading: Reading, model: Path | None = None) -> RecordingAnswer:
    """Give every beat of a recording its class. Raises `WeightsError` for the model."""
    loaded = load_beat_model(model)
    rate_hz = reading.rate_hz
    crossed = crossing(reading.beats / rate_hz, reading.gaps)
    probabilities = np.zeros((len(reading.beats), len(loaded.info.classes)), np.float32)
    by_leads = _by_leads(reading)
    for leads, which in by_leads.items():
        between = np.add.reduceat(crossed[: which[-1]].astype(int), which[:-1]) + np.diff(which) - 1
        views = _views(_seen_by(reading, leads, which), between > 0)
        probabilities[which] = np.concatenate([loaded.answer(seen)[kept] for seen, kept in views])
    labels = [loaded.info.classes[number] for number in probabilities.argmax(axis=1).tolist()]
    rhythm = summarise(reading.beats, labels, rate_hz, crossed)
    known = [_KNOWN] if Path(file).stem in loaded.learned_from else []
    warnings = (*known, *reading.warnings, *_of_leads(reading, by_leads), *_warnings(reading, rhythm))
    return RecordingAnswer(
        file, reading.leads, rhythm, warnings, loaded.info, reading.beats, probabilities, reading.record, rate_hz,
        episodes_in(reading), reading.gaps,
    )  # fmt: skip


def _by_leads(reading: Reading) -> dict[tuple[int, ...], NDArray[np.intp]]:
    """Numbers of the beats by those of the leads that name them: where one that names most is off, those that are on.

    One beat alone has no interval, and is named as most are.
    """
    known, names = _known(reading), reading.record.names
    by_leads: dict[tuple[int, ...], NDArray[np.bool_]] = {}
    for pattern in np.unique(known, axis=1).T if known.size else ():
        order = [number for number in rhythm_first(names) if pattern[number]]
        leads = tuple(beside(names, order)) if order else tuple(names.index(name) for name in reading.leads)
        there = (known == pattern[:, None]).all(axis=0)
        by_leads[leads] = there | by_leads.get(leads, False)
    most = max(by_leads, key=lambda leads: int(by_leads[leads].sum()), default=())
    for leads in [leads for leads, there in by_leads.items() if there.sum() == 1 and leads != most]:
        by_leads[most] |= by_leads.pop(leads)
    return {leads: np.flatnonzero(there) for leads, there in by_leads.items()}


def _known(reading: Reading) -> NDArray[np.bool_]:
    """Which leads are on at each beat, ``(leads, beats)``."""
    record = reading.record
    return np.asarray(np.isfinite(record.signals[:, _at(reading.beats, reading.rate_hz, record)]))


def _seen_by(reading: Reading, leads: tuple[int, ...], which: NDArray[np.intp]) -> Reading:
    """Some beats of a reading as other leads show them."""
    names = tuple(reading.record.names[number] for number in leads)
    is_usual = names == reading.leads
    filtered = reading.filtered if is_usual else np.nan_to_num(reading.record.signals[list(leads)])
    return replace(reading, leads=names, filtered=filtered, beats=reading.beats[which])


def _of_leads(reading: Reading, by_leads: dict[tuple[int, ...], NDArray[np.intp]]) -> Iterator[str]:
    """By which leads beats were named where those that name most are off, a sentence each."""
    off = f"{' or '.join(reading.leads)} is off there"
    for leads, which in by_leads.items():
        names = tuple(reading.record.names[number] for number in leads)
        if names != reading.leads:
            yield f"{len(which)} of {len(reading.beats)} beats are named by {' and '.join(names)}: {off}"
    if unseen := int((~_known(reading).any(axis=0)).sum()):
        yield f"of {unseen} of {len(reading.beats)} beats no lead is on: what they are called is not to be relied on"


def _views(
    reading: Reading, crossed: NDArray[np.bool_]
) -> Iterator[tuple[dict[str, NDArray[np.float16]], slice]]:
    """Beats as the model sees them, half an hour at a time, and which of them that half hour is asked about.

    The model learned what a beat is beside the usual beat and interval of half an hour: in a day both drift. Beats on
    either side are neighbours alone. Intervals ``(beats - 1,)`` that are `crossed` tell nothing.
    """
    rate_hz, margin = reading.record.rate_hz, round(_MARGIN_S * reading.record.rate_hz)
    at = reading.beats * (rate_hz / reading.rate_hz)
    edges = np.searchsorted(at, np.arange(0, reading.filtered.shape[1], round(MAX_S * rate_hz)))
    for low, high in pairwise([*edges.tolist(), len(at)]):
        if low < high:
            near = slice(max(0, low - _NEIGHBOURS), min(len(at), high + _NEIGHBOURS))
            first = max(0, int(at[near][0]) - margin)
            piece = reading.filtered[:, first : int(at[near][-1]) + margin]
            if len(edges) == 1:
                first, piece = 0, reading.filtered
            beats = cut_beats(piece, rate_hz, at[near] - first, CUT)
            yield (
                beat_views(beats, reading.beats[near] / reading.rate_hz, crossed[near.start : near.stop - 1]),
                slice(low - near.start, high - near.start),
            )


def _at(samples: NDArray[np.int64], rate_hz: float, record: Record) -> NDArray[np.int64]:
    """R peaks at the rate of what is shown, each inside of it."""
    at = np.round(samples * (record.rate_hz / rate_hz)).astype(np.int64)
    return np.asarray(np.minimum(at, record.signals.shape[1] - 1))


def _warnings(reading: Reading, rhythm: Rhythm) -> Iterator[str]:
    """What a reader should know of the classes, a sentence each."""
    if reading.lead.upper() not in RHYTHM_LEADS:
        yield f"no lead {' or '.join(RHYTHM_LEADS)}: {reading.lead} stands in for it, and the model knows II best"
    if len(reading.leads) < LEADS:
        yield "one lead alone; the model learned from two at a time"
    if reading.rate_hz != _TRAINED_HZ:
        yield (
            f"recorded at {reading.rate_hz:g} samples a second, the model's recordings at {_TRAINED_HZ:g}: "
            "beats were resampled"
        )
    if reading.duration_s < _SHORT_S:
        yield f"only {reading.duration_s:.1f} s: too short to know this heart's usual beat and interval"
    elif 0 < rhythm.beats < _FEW_BEATS:
        yield f"only {rhythm.beats} beats: too few to know this heart's usual beat and interval well"
    yield from rate_warnings(rhythm.heart_rate_bpm)


def _rates(rhythm: Rhythm) -> Iterator[str]:
    if rhythm.heart_rate_bpm is None:
        return
    yield (
        f"heart rate {rhythm.heart_rate_bpm:.0f} bpm (over ten intervals {rhythm.slowest_bpm:.0f} to "
        f"{rhythm.fastest_bpm:.0f}); longest interval {rhythm.longest_interval_s:.1f} s at "
        f"{clock(rhythm.longest_at_s or 0)}"
    )
    for name, runs in (("ventricular", rhythm.ventricular), ("supraventricular", rhythm.supraventricular)):
        if runs_in_words := _in_a_row(runs):
            yield f"{name} beats in a row: {runs_in_words}"


def _in_a_row(runs: Runs) -> str:
    parts = [f"{runs.pairs} {'pair' if runs.pairs == 1 else 'pairs'}"] if runs.pairs else []
    if runs.runs:
        parts.append(
            f"{runs.runs} {'run' if runs.runs == 1 else 'runs'} of three or more, the longest of {runs.longest_beats}"
        )
    return ", ".join(parts)


def rounded(value: Any, digits: int) -> Any:
    """A number, or all numbers of a dictionary of dictionaries, with so many digits."""
    if isinstance(value, dict):
        return {name: rounded(part, digits) for name, part in value.items()}
    return round(value, digits) if isinstance(value, float) else value
