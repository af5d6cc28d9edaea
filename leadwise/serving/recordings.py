"""A recording from a path or as bytes: opened within limits, then in mV, band-passed, its beats found.

Files that were sent lie in memory (tmpfs) while they are read, under names that were checked, and are gone when it is
done. What a header claims is looked at before anything is decoded. What has no heart in it is refused.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.names import shortened
from leadwise.recordings import headers
from leadwise.recordings.files import header_beside, open_file
from leadwise.recordings.filters import BAND_HZ, band_passed, unknown_or_flat
from leadwise.recordings.gaps import Spans, in_any, in_words, joined, spans_of, widened, without_heart
from leadwise.recordings.heart import HEIGHTS_MV, evidence, heights_mv
from leadwise.recordings.qrs import find_beats
from leadwise.recordings.records import Record, rhythm_first
from leadwise.recordings.sources import Source
from leadwise.recordings.which_leads import MV_OF, kind_of, normal_unit
from leadwise.recordings.zips import unpacked
from leadwise.workers import memory

MAX_S = 1900.0
"""Longest recording that is read as a whole; those of MIT-BIH have 1,806 s."""

MAX_VALUES = 8_000_000
"""Most samples of all leads together that are read as a whole: half an hour of eight leads at 500 Hz."""

PROCESSING = f"band-pass {BAND_HZ[0]:g} to {BAND_HZ[1]:g} Hz, Butterworth of order 5, forwards and backwards"
DETECTOR = "leadwise.recordings.qrs"

SECOND_LEAD = "V1"
"""Stands beside the rhythm lead where there are more than two, as in most records of MIT-BIH."""

NO_HEART = "no heartbeat found"

_LEAST_S, _LEAST_HZ, _MOST_HZ = 2.0, 100.0, 10_000.0
_TOO_SHORT_TO_TELL_S = 9.0  # of 192 stretches of MIT-BIH of this length none lacks the evidence, of 7 s three
_MOST_EMPTY = 0.75  # half a record of noise hides a heart from whoever looks at all of it at once
_MOST_ZIP_BYTES, _MOST_NAME = 200_000_000, 120


@dataclass(frozen=True)
class Reading:
    """A recording, `record` in mV and band-passed, and its beats as sample numbers at `rate_hz`, the file's own.

    `leads` names one or two: that in which beats are looked for first, and the one beside it. `filtered`
    ``(1 or 2, samples)`` is the two of them with all gaps bridged, at the rate of `record`. That is `rate_hz`, but
    for a recording that was read in windows (`leadwise.serving.long_recordings`). In `gaps` no beat can be found.
    """

    record: Record
    leads: tuple[str, ...]
    filtered: NDArray[np.floating]
    beats: NDArray[np.int64]
    warnings: tuple[str, ...]
    rate_hz: float
    gaps: Spans = ()

    @property
    def lead(self) -> str:
        """The lead in which beats are looked for first."""
        return self.leads[0]

    @property
    def duration_s(self) -> float:
        """How long the recording is."""
        return float(self.record.signals.shape[1] / self.record.rate_hz)


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder for programs that know only files; where there is a tmpfs, nothing in it touches a disk."""
    with tempfile.TemporaryDirectory(dir=memory()) as folder:
        yield Path(folder)


def read_files(files: Mapping[str, bytes]) -> Record:
    """One record from its files by name: a ``.hea`` and the signals that it names, an EDF, or a DICOM; in mV.

    Raises `InputError` for a header that is missing, unreadable or claims too much, for signals that were not sent,
    are cut off or cannot be decoded, and where none of them is an ECG.
    """
    with folder_in_memory() as folder:
        return read_whole(open_file(_written(files, folder), folder))


def read_path(path: Path) -> Record:
    """One record, no longer than MAX_S, from the path of a file of it, or without suffix; checked as there.

    Raises `MissingInput` where there is no such file, and what `read_files` raises.
    """
    with opened(path) as source:
        return read_whole(source)


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """A recording of any length that lies open: WFDB by a file of it or without suffix, EDF, DICOM, a zip of them."""
    path = header_beside(path)
    with folder_in_memory() as folder:
        try:
            if path.suffix.lower() == ".zip" and path.is_file():
                path = _written(unpacked(path.name, path, _MOST_ZIP_BYTES), folder)
            yield open_file(path, folder)
        except OSError as error:
            raise InputError(f"{path.name}: {error.strerror or error}.") from error


def read_whole(source: Source) -> Record:
    """All of a recording at once. Raises `InputError` where that is too much, or nothing of it is known."""
    check_rate(source)
    if not fits(source):
        raise InputError(
            f"{source.samples:,} samples of {len(source.names)} leads at {source.rate_hz:g} a second; "
            f"at most {MAX_S:,.0f} s and {MAX_VALUES:,} samples are read at once. Cut it into parts."
        )
    signals = source.read(0, source.samples)
    if not np.isfinite(signals).any():
        raise InputError("no lead of this record has a known value.")
    return Record(signals, source.names, source.rate_hz, source.units, tuple(source.notes()))


def fits(source: Source) -> bool:
    """Whether a recording can be read as a whole."""
    return source.duration_s <= MAX_S and source.samples * len(source.names) <= MAX_VALUES


def check_rate(source: Source) -> None:
    """Raise `InputError` for a rate at which no beats are read."""
    if not _LEAST_HZ <= source.rate_hz <= _MOST_HZ:
        raise InputError(f"{source.rate_hz:g} samples a second; {_LEAST_HZ:g} to {_MOST_HZ:g} are read.")


def process(record: Record) -> Reading:
    """Band-pass a record and find its beats.

    Raises `InputError` where it is too short or sampled too slowly, has no heart, or a height that no heart has.
    """
    seconds = record.signals.shape[1] / record.rate_hz
    if seconds < _LEAST_S:
        raise InputError(f"{seconds:.1f} s of signal; at least {_LEAST_S:g} s are needed.")
    lost = [unknown_or_flat(lead, record.rate_hz) for lead in record.signals]
    off = np.stack([np.logical_or(*one) for one in lost])
    order = [number for number in rhythm_first(record.names) if not off[number].all()]
    if not order:
        raise InputError(f"{NO_HEART}: all leads are flat. Was the recorder connected?")
    if unlike := leads_without_heart(record.names, [record.signals], record.rate_hz):
        return process(_without(record, unlike, "it does not look like an ECG, and is not named like one"))
    filtered = band_passed(record.signals, record.rate_hz)
    beats = find_beats(record.signals[order], record.rate_hz)
    empty = joined(without_heart(record.signals[order], record.rate_hz, beats))
    is_mostly_empty = sum(end - start for start, end in empty) > _MOST_EMPTY * seconds
    doubtful = not has_heart(record.signals[order], record.rate_hz, beats) and (is_mostly_empty or not empty)
    if doubtful and (without := alone_without_heart([record.signals], order, record.rate_hz)):
        return process(_without(record, without, "no heartbeat found on it"))
    if doubtful and seconds >= _TOO_SHORT_TO_TELL_S:
        raise InputError(why_no_heart(", ".join(record.names[number] for number in order)))
    dark = list(spans_of(np.all(off[order], axis=0), record.rate_hz))
    beats = beats[~in_any(beats / record.rate_hz, joined([*widened(dark), *empty]))]
    heights = heights_mv(filtered[order], record.rate_hz, beats)
    if impossible := impossible_heights(record, order, heights):
        return process(_without(record, impossible, "its beats are of a height that no heart has"))
    chosen = beside(record.names, order)
    # what is off stays so in what is shown; the filter alone looks across it
    shown = np.where(off, np.nan, filtered)
    return Reading(
        Record(shown, record.names, record.rate_hz),
        tuple(record.names[number] for number in chosen),
        filtered[chosen],
        beats if len(beats) > 1 else beats[:0],
        (*record.notes, *_warnings(record, order, lost, beats, empty, doubtful)),
        record.rate_hz,
        joined([*dark, *empty]),
    )


def beside(names: Sequence[str], order: Sequence[int]) -> list[int]:
    """The lead for beats and the one beside it, of those in `order`."""
    upper = [names[number].upper() for number in order]
    second = upper.index(SECOND_LEAD, 1) if SECOND_LEAD in upper[1:] else 1
    return [order[0], *order[second : second + 1]]


def has_heart(leads_mv: NDArray[np.floating], rate_hz: float, beats: NDArray[np.integer]) -> bool:
    """Whether any of the leads shows a heart at these beats."""
    return any(lead.is_heart for lead in evidence(leads_mv, rate_hz, beats))


def leads_without_heart(
    names: Sequence[str], pieces: Sequence[NDArray[np.floating]], rate_hz: float
) -> list[int]:
    """Numbers of the leads whose names leave it open what they are, and that show no heart in any of some pieces.

    None where that would be all of them.
    """
    unnamed = [number for number, name in enumerate(names) if kind_of(name, "mV") == "open"]
    unlike = [number for number in unnamed if not _shows_heart(pieces, number, rate_hz)]
    return unlike if len(unlike) < len(names) else []


def alone_without_heart(
    pieces: Sequence[NDArray[np.floating]], order: Sequence[int], rate_hz: float
) -> list[int]:
    """Numbers of the leads that show no heart by themselves in any of some pieces, where others do.

    Whoever looks at all leads together finds none, where one of them is loud and no heart.
    """
    without = [number for number in order if not _shows_heart(pieces, number, rate_hz)]
    return without if len(without) < len(order) else []


def _shows_heart(pieces: Sequence[NDArray[np.floating]], number: int, rate_hz: float) -> bool:
    alone = (piece[[number]] for piece in pieces)
    return any(has_heart(lead, rate_hz, find_beats(lead, rate_hz)) for lead in alone)


def no_heart_there(spans: Spans) -> str:
    """What is said of stretches in which nothing looks like a heart."""
    return f"no heartbeat found from {in_words(spans)}: nothing there is called a beat"


def why_no_heart(names: str) -> str:
    """The refusal of what was looked for a heart in vain."""
    return (
        f"{NO_HEART} on {names}: what moves there is noise, mains hum, or another signal. Was the recorder "
        "connected, and is it an ECG?"
    )


def impossible_heights(record: Record, order: Sequence[int], heights: NDArray[np.floating]) -> list[int]:
    """Numbers of the leads whose beats are higher than any heart's, where others are not.

    Raises `InputError` where no lead is of a possible height, and names the unit that the header is likely to mean.
    """
    low, high = HEIGHTS_MV
    known = [
        (number, height)
        for number, height in zip(order, heights.tolist(), strict=True)
        if np.isfinite(height)
    ]
    if not known or any(low <= height <= high for _, height in known):
        return [number for number, height in known if height > high]
    number, height = known[0]
    said = record.units[number] if number < len(record.units) else "mV"
    likely = [
        unit
        for unit in ("mV", "uV", "V")
        if low <= height / MV_OF[normal_unit(said)] * MV_OF[unit.lower()] <= high
    ]
    advice = f"The header says {said or 'no unit'}; likely {likely[0]} is meant. " if likely else ""
    raise InputError(
        f"heartbeats of {_volts(height)} on {record.names[number]}, where hearts give {low:g} to {high:g} mV. "
        f"{advice}Mend its unit or gain."
    )


def _volts(height_mv: float) -> str:
    return f"{height_mv / 1000:.3g} V" if height_mv >= 1000 else f"{height_mv:.3g} mV"


def _without(record: Record, numbers: Sequence[int], why: str) -> Record:
    kept = [number for number in range(len(record.names)) if number not in numbers]
    names = ", ".join(record.names[number] for number in numbers)
    return replace(
        record,
        signals=record.signals[kept],
        names=tuple(record.names[number] for number in kept),
        units=tuple(record.units[number] for number in kept if number < len(record.units)),
        notes=(*record.notes, f"{names} set aside: {why}"),
    )


def _warnings(
    record: Record,
    order: Sequence[int],
    lost: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    beats: NDArray[np.int64],
    empty: Spans,
    doubtful: bool,
) -> Iterator[str]:
    """What a reader should know of the signals, a sentence each."""
    if off := [name for number, name in enumerate(record.names) if number not in order]:
        yield f"nothing is known of {', '.join(off)}: unknown or flat throughout, and left out"
    unknown = np.mean([lost[number][0].mean() for number in order])
    if unknown:
        yield f"{unknown:.1%} of the samples are marked as unknown and were bridged"
    for number in order:
        if lost[number][1].any():
            seconds = lost[number][1].sum() / record.rate_hz
            yield f"{record.names[number]} is flat for {seconds:.0f} s: the lead was off there"
    if empty:
        yield no_heart_there(empty)
    if len(beats) < 2:
        yield f"no heartbeats were found on {record.names[order[0]]}"
    elif doubtful:
        yield "too short to tell whether this is a heart: noise or mains hum would look the same"


def _written(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write files that were sent into a folder; the one that is to be opened."""
    for name, data in files.items():
        if (
            name.startswith(".")
            or set(name) & set("/\\\0")
            or not name.isprintable()
            or len(name) > _MOST_NAME
        ):
            raise InputError(f"{shortened(name)}: files of a record have plain names, without folders.")
        (folder / name).write_bytes(data)
    whole = [name for name in files if Path(name).suffix.lower() in (".edf", ".dcm")]
    heads = [name for name in files if name.lower().endswith(".hea")]
    if not heads + whole:
        raise InputError(
            f"{', '.join(files)}: signals without their header. Send the .hea file of the same name with it."
        )
    if len(heads) > 1:  # that of a record of several segments, with those of the segments
        above = [name for name in heads if headers.parsed(name, files[name]).segments]
        heads = above if len(above) == 1 else heads
    if len(heads + whole) > 1:
        raise InputError(f"{', '.join(heads + whole)}: one record at a time, these are {len(heads + whole)}.")
    return folder / (heads + whole)[0]
