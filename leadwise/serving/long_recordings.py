"""A recording of hours or days, in windows of half an hour: memory stays that of a window and of the beats.

Windows overlap, so that a filter's end and a detector's neighbourhood lie outside of what is kept. Beats are found at
the recording's own rate; the one or two leads that they are named by are kept at the 120 samples a second of a beat.
Where half a minute has no heart in it, nothing there is called a beat, and the answer says from when to when.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.recordings.beat_views import CUT
from leadwise.recordings.files import header_beside, is_recording
from leadwise.recordings.filters import band_passed, resampled, unknown_or_flat
from leadwise.recordings.gaps import in_any, joined, spans_of, widened, without_heart
from leadwise.recordings.heart import heights_mv
from leadwise.recordings.qrs import find_beats
from leadwise.recordings.records import Record, rhythm_first
from leadwise.recordings.sources import Source
from leadwise.recordings.summary import clock
from leadwise.serving.recordings import (
    MAX_VALUES,
    Reading,
    alone_without_heart,
    beside,
    check_rate,
    fits,
    has_heart,
    impossible_heights,
    leads_without_heart,
    no_heart_there,
    process,
    read_whole,
    why_no_heart,
)

MAX_HOURS = 50.0
"""Longest recording that is answered: two days of a Holter recorder, and what is recorded until it is taken off."""

_SECONDS_A_MB, _MB_FOR_ALL = 5.0, 10.0
_WINDOW_S = 1800
_MARGIN_S = 60  # the detector looks at 15 pieces of 2 s around, the filter at a few seconds
_LOOKS, _LOOK_S = 8, 60
_APART_S = 0.2  # a beat at a window's edge may be found in both


def more_seconds(path: Path) -> float:
    """How much longer than another file a recording may take to read, by the size of its files.

    A day of two leads has 93 MB and takes half a minute of one core: 5 s for each MB over 10 is for a machine ten
    times as slow or busy.
    """
    if not is_recording(path):
        return 0.0
    header = header_beside(path)
    try:
        beside = [header]
        if header.suffix.lower() == ".hea":
            names = (f"{glob.escape(header.stem)}{ending}" for ending in (".*", "_*"))
            beside = [one for name in names for one in header.parent.glob(name)]
        size = sum(one.stat().st_size for one in beside if one.is_file())
    except OSError:  # which its reading will tell
        return 0.0
    return _SECONDS_A_MB * max(0.0, size / 1e6 - _MB_FOR_ALL)


def read(source: Source) -> Reading:
    """The beats of a recording of any length. Raises `InputError` as `process` does, and beyond MAX_HOURS."""
    check_rate(source)
    if source.duration_s > MAX_HOURS * 3600:
        raise InputError(
            f"{clock(source.duration_s)} of {len(source.names)} leads; at most {MAX_HOURS:g} hours are read. "
            "Cut it into parts."
        )
    return process(read_whole(source)) if fits(source) else _in_windows(source)


@dataclass
class _Gathered:
    """What the windows gave, in order."""

    shown: NDArray[np.floating]  # (1 or 2, samples at the rate of a beat), nan where nothing is known
    beats: list[NDArray[np.int64]] = field(default_factory=list)
    without_s: list[tuple[float, float]] = field(default_factory=list)
    dark_s: list[tuple[float, float]] = field(default_factory=list)
    unknown: int = 0
    flat: int = 0


def _in_windows(source: Source) -> Reading:
    order, notes = _leads(source)
    chosen = beside(source.names, order)
    names = tuple(source.names[number] for number in chosen)
    length = int(np.ceil(source.samples * (CUT.rate_hz / source.rate_hz)))
    gathered = _Gathered(np.full((len(chosen), length), np.nan, np.float32))
    for start, end in _windows(source):
        _read_window(source, order, chosen, start, end, gathered)
    beats = _apart(np.concatenate(gathered.beats), source.rate_hz)
    beats = beats[~in_any(beats / source.rate_hz, widened(gathered.dark_s))]
    if len(beats) < 2:
        raise InputError(why_no_heart(", ".join(names)))
    warnings = (*source.notes(), *notes, *_warnings(source, gathered, names))
    gaps = joined([*gathered.dark_s, *gathered.without_s])
    return Reading(
        Record(gathered.shown, names, CUT.rate_hz),
        names,
        gathered.shown,
        beats,
        warnings,
        source.rate_hz,
        gaps,
    )


def _windows(source: Source) -> Iterator[tuple[int, int]]:
    """First sample and end of each window, half an hour long, or shorter where there are many leads."""
    most_s = MAX_VALUES / (source.rate_hz * len(source.names)) - 2 * _MARGIN_S
    step = round(max(_MARGIN_S, min(_WINDOW_S, int(most_s))) * source.rate_hz)
    for start in range(0, source.samples, step):
        yield start, min(start + step, source.samples)


def _read_window(
    source: Source, order: list[int], chosen: list[int], start: int, end: int, gathered: _Gathered
) -> None:
    rate_hz = source.rate_hz
    margin = round(_MARGIN_S * rate_hz)
    first, last = max(0, start - margin), min(source.samples, end + margin)
    signals = source.read(first, last)
    inside = slice(start - first, end - first)
    lost = [unknown_or_flat(signals[number], rate_hz) for number in chosen]
    gathered.unknown += int(sum(unknown[inside].sum() for unknown, _ in lost))
    gathered.flat += int(lost[0][1][inside].sum())
    off = np.stack([np.logical_or(*one) for one in lost])
    gathered.dark_s += [
        (start / rate_hz + low, start / rate_hz + high)
        for low, high in spans_of(np.all(off[:, inside], axis=0), rate_hz)
    ]
    beats = find_beats(signals[order], rate_hz)
    empty = joined(without_heart(signals[order], rate_hz, beats))
    at_s = [(first / rate_hz + low, first / rate_hz + high) for low, high in empty]
    gathered.without_s += [
        (max(low, start / rate_hz), min(high, end / rate_hz))
        for low, high in at_s
        if high > start / rate_hz and low < end / rate_hz
    ]
    beats = beats[~in_any(beats / rate_hz, empty)] + first
    gathered.beats.append(beats[(beats >= start) & (beats < end)])
    filtered = resampled(band_passed(signals[chosen], rate_hz), rate_hz, CUT.rate_hz)
    times = CUT.rate_hz / rate_hz
    low, high = round(start * times), min(round(end * times), gathered.shown.shape[1])
    skip = low - round(first * times)
    part = filtered[:, skip : skip + high - low]
    at = np.minimum(((np.arange(part.shape[1]) + skip) / times).astype(np.int64), signals.shape[1] - 1)
    gathered.shown[:, low : low + part.shape[1]] = np.where(off[:, at], np.nan, part)


def _leads(source: Source) -> tuple[list[int], list[str]]:
    """The leads in which beats are looked for, the first most, by eight looks of a minute; and what was set aside."""
    rate_hz, samples = source.rate_hz, round(_LOOK_S * source.rate_hz)
    last = max(0, source.samples - samples)  # of many leads less than a minute is read so, too
    starts = np.unique(np.linspace(0, last, _LOOKS).astype(np.int64)).tolist()
    looks = [source.read(start, min(start + samples, source.samples)) for start in starts]
    unlike = set(leads_without_heart(source.names, looks, rate_hz))
    alive = {
        number
        for number in range(len(source.names))
        if not all(np.logical_or(*unknown_or_flat(look[number], rate_hz)).all() for look in looks)
    }
    order = [number for number in rhythm_first(source.names) if number in alive - unlike]
    if not order:
        raise InputError(why_no_heart(", ".join(source.names)))
    heights = np.stack([_heights(look[order], rate_hz) for look in looks])
    without = [] if np.isfinite(heights).any() else alone_without_heart(looks, order, rate_hz)
    if without:
        order = [number for number in order if number not in without]
        heights = np.stack([_heights(look[order], rate_hz) for look in looks])
    usual = np.array(
        [np.median(own[np.isfinite(own)]) if np.isfinite(own).any() else np.nan for own in heights.T]
    )
    shown = Record(looks[0], source.names, rate_hz, source.units)
    impossible = set(impossible_heights(shown, order, usual))
    notes = [f"{source.names[number]} set aside: it does not look like an ECG" for number in sorted(unlike)]
    notes += [f"{source.names[number]} set aside: no heartbeat found on it" for number in without]
    notes += [f"{source.names[number]} set aside: no heart is so high" for number in sorted(impossible)]
    dead = set(range(len(source.names))) - alive
    notes += [
        f"nothing was known of {source.names[number]} in {_LOOKS} looks: left out" for number in sorted(dead)
    ]
    return [number for number in order if number not in impossible], notes


def _heights(leads_mv: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """How high beats are in each lead of a look; nan where it shows no heart."""
    beats = find_beats(leads_mv, rate_hz)
    if not has_heart(leads_mv, rate_hz, beats):
        return np.full(len(leads_mv), np.nan)
    return heights_mv(band_passed(leads_mv, rate_hz), rate_hz, beats)


def _apart(beats: NDArray[np.int64], rate_hz: float) -> NDArray[np.int64]:
    """Beats without those that follow another sooner than any heart's."""
    return np.asarray(beats[np.r_[True, np.diff(beats) > _APART_S * rate_hz][: len(beats)]])


def _warnings(source: Source, gathered: _Gathered, names: tuple[str, ...]) -> Iterator[str]:
    is_long = source.duration_s > _WINDOW_S
    why = "longer than half an hour" if is_long else f"more than {MAX_VALUES:,} samples of all leads together"
    yield f"{why}: read in windows, and kept of it {' and '.join(names)}"
    if gathered.unknown:
        share = gathered.unknown / (source.samples * len(names))
        yield f"{share:.1%} of the samples are marked as unknown and were bridged"
    if gathered.flat:
        yield f"{names[0]} is flat for {gathered.flat / source.rate_hz:.0f} s: the lead was off there"
    if gathered.without_s:
        yield no_heart_there(joined(gathered.without_s))
