"""Recordings with annotated beats: whose they are, on which side they stand, and their windows and beats as tables.

The MIT-BIH Arrhythmia Database (Moody and Mark 2001, doi:10.13026/C2F305) has 48 records of 47 people: 201 and 202
are one person. De Chazal, O'Dwyer and Reilly (2004, doi:10.1109/TBME.2004.827359) divided the 44 without a
pacemaker into DS1, on which all is learned and chosen, and DS2, which is tested.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.files import natural, sha256, written_whole
from leadwise.names import AAMI, FLUTTER, RATIOS
from leadwise.recordings import windows
from leadwise.recordings.annotations import Annotations, read_annotations
from leadwise.recordings.context import Cut, cut_beats, intervals_s, rhythm_ratios
from leadwise.recordings.filters import band_passed, resampled, unknown_or_flat
from leadwise.recordings.heart import stands_out
from leadwise.recordings.heartbeats import LENGTH, cut_heartbeats
from leadwise.recordings.records import Record, read_record, rhythm_first
from leadwise.sets.arrays import create


@dataclass(frozen=True)
class RecordingSet:
    """A published set of annotated recordings, and what is known of its records, which their names alone do not tell.

    `name` is its folder below ``$LEADWISE_SIGNALS``; `parts` names the records of each side; `persons` tells whose a
    record is where somebody has several; `caution` stands beside every figure of it. A record of another set may have
    the same name and be another's.
    """

    name: str
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    persons: Mapping[str, str] = field(default_factory=dict)
    person_prefix: str = ""
    caution: str = ""

    def person_of(self, record: str) -> str:
        """Whose record it is, as groups are named."""
        return f"{self.person_prefix or self.name}-{self.persons.get(record, record)}"

    def part_of(self, record: str) -> str:
        """The side on which a record stands; ``other`` for one of none."""
        return next((part for part, names in self.parts.items() if record in names), "other")

    def records_of_the_same(self, records: Iterable[str], known: Iterable[str]) -> list[str]:
        """Those of `records`, each once and in order, whose person has a record in `known`."""
        people = {self.person_of(record) for record in known}
        return sorted({record for record in records if self.person_of(record) in people})


def find_recordings(folder: Path) -> list[Path]:
    """Headers of the records in a folder, in natural order. Raises `InputError` where there is none."""
    headers = sorted(folder.glob("*.hea"), key=lambda path: natural(path.name))
    if not headers:
        raise InputError(
            f"{folder}: no WFDB record (.hea) lies there. `leadwise fetch mitdb` brings the MIT-BIH database; "
            "LEADWISE_SIGNALS names the folder above it."
        )
    return headers


MITDB = RecordingSet(
    "mitdb",
    parts={
        "ds1": (
            "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
            "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
        ),
        "ds2": (
            "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
            "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
        ),
        "paced": ("102", "104", "107", "217"),
    },
    persons={"202": "201"},
    person_prefix="person",
    caution="These are half-hour recordings of 47 people of one hospital, some chosen for rare arrhythmias, of "
    "the years 1975 to 1979; beats were marked by two cardiologists. Research use only.",
)  # fmt: skip

SVDB = RecordingSet(
    "svdb",
    parts={"svdb": tuple(map(str, (*range(800, 813), *range(820, 830), *range(840, 895))))},
    caution="These are half-hour recordings of two leads that are not named, with supraventricular arrhythmias; "
    "which records are one person's is not told.",
)
"""The MIT-BIH Supraventricular Arrhythmia Database (Greenwald 1990, doi:10.13026/C2V30W)."""

_ENOUGH_BEATS, _LEAST_AT_BEATS = 50, 1.6
"""At its own beats a record of DS1 moves at least 3.4 times as much as usually, at those of another at most 1.4 times
(six minutes at a time, all pairs)."""

RATE_HZ = windows.RATE_HZ
"""All recordings are brought to this rate."""

EC57_FROM_S = 300.0
"""EC57 leaves the first five minutes of a record out: they may be used to learn its usual beat."""


@dataclass(frozen=True)
class Recording:
    """One annotated recording at 360 Hz; `marks` are at that rate, too."""

    name: str
    record: Record
    marks: Annotations
    own_rate_hz: float
    of: RecordingSet = MITDB

    @property
    def order(self) -> tuple[int, ...]:
        """The channels from 0, that of the lead that is used first (`rhythm_first`)."""
        return rhythm_first(self.record.names)

    @property
    def channel(self) -> int:
        """The channel of the lead that is used, from 0."""
        return self.order[0]

    @property
    def lead(self) -> str:
        """The lead that is used."""
        return self.record.names[self.channel]

    @cached_property
    def filtered(self) -> NDArray[np.float64]:
        """All leads ``(leads, samples)`` in mV within 0.5 to 50 Hz, the one that is used first."""
        return band_passed(self.record.signals[list(self.order)], RATE_HZ)

    @cached_property
    def lost(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Where the lead that is used is unknown, and where it is flat."""
        return unknown_or_flat(self.record.signals[self.channel], RATE_HZ)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First samples of its windows, but for those in which most of the signal is lost."""
        starts = windows.window_starts(self.record.signals.shape[1])
        return starts[windows.usable(np.logical_or(*self.lost), starts)]


def load_recording(path: Path, of: RecordingSet = MITDB) -> Recording:
    """Read a record (path of its ``.hea``) with its annotations, at 360 Hz whatever its own rate is.

    Raises `MissingInput` where it has no annotations, `InputError` where it or they cannot be read, it holds no known
    sample, is shorter than a window, or they are those of another record.
    """
    marks, record = read_annotations(path), read_record(path)
    if not np.isfinite(record.signals).any():
        raise InputError(f"{path.stem}: no sample of it is known.")
    if record.signals.shape[1] < windows.WINDOW_S * record.rate_hz:
        raise InputError(
            f"{path.stem}: {record.signals.shape[1] / record.rate_hz:.1f} s, shorter than a window of "
            f"{windows.WINDOW_S} s."
        )
    if (own_rate_hz := record.rate_hz) != RATE_HZ:
        lost = np.stack([~np.isfinite(lead) for lead in record.signals])
        signals = resampled(record.signals, own_rate_hz, RATE_HZ)
        at = np.minimum(np.arange(signals.shape[1]) * own_rate_hz / RATE_HZ, lost.shape[1] - 1).astype(
            np.int64
        )
        signals[lost[:, at]] = np.nan
        record = Record(signals, record.names, RATE_HZ)
        marks = Annotations(np.round(marks.samples * (RATE_HZ / own_rate_hz)).astype(np.int64), marks.symbols)
    _check_marks(path.stem, record, marks)
    return Recording(path.stem, record, marks.between(0, record.signals.shape[1]), own_rate_hz, of)


def _check_marks(name: str, record: Record, marks: Annotations) -> None:
    """Raise `InputError` for marks beyond the record's end, or beats at which nothing moves."""
    samples = marks.beats.samples
    length = record.signals.shape[1]
    if len(samples) and samples[-1] >= length + RATE_HZ:
        raise InputError(
            f"{name}.atr: its last beat is at {samples[-1] / RATE_HZ:.1f} s, and the record ends at "
            f"{length / RATE_HZ:.1f} s: annotations of another record. Put those of this one there."
        )
    samples = samples[samples < length]
    lead = record.signals[rhythm_first(record.names)[0]]
    if len(samples) >= _ENOUGH_BEATS and stands_out(lead, RATE_HZ, samples) < _LEAST_AT_BEATS:
        raise InputError(
            f"{name}.atr: where it has beats, nothing moves in the signals: annotations of another record. Put those "
            "of this one there."
        )


def survey(folder: Path, of: RecordingSet = MITDB) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The records of a folder, of one set, as ``records.csv``, and those left out as `record, why`.

    Raises `InputError` where none can be used.
    """
    from tqdm import tqdm

    paths = find_recordings(folder)
    rows, left_out = [], []
    for path in tqdm(paths, "records", mininterval=1, file=sys.stdout):
        try:
            rows.append(_surveyed(load_recording(path, of)))
        except InputError as error:
            left_out.append((path.stem, str(error)))
    if not rows:
        raise InputError(f"{folder}: none of {len(paths)} records can be used. The first: {left_out[0][1]}")
    return pd.DataFrame(rows), pd.DataFrame(left_out, columns=["record", "why"])


def _surveyed(recording: Recording) -> dict[str, object]:
    classes = recording.marks.beats.classes
    labels, _ = windows.labelled(windows.beats_in_windows(recording.marks, recording.starts))
    samples = recording.record.signals.shape[1]
    unknown, flat = recording.lost
    return {
        "record": recording.name,
        "group_id": recording.of.person_of(recording.name),
        "part": recording.of.part_of(recording.name),
        "lead": recording.lead,
        "channel": recording.channel,
        "leads": "+".join(recording.record.names),
        "rate_hz": recording.own_rate_hz,
        "seconds": samples / RATE_HZ,
        "beats": len(classes),
        **{f"beats_{name}": int((classes == name).sum()) for name in AAMI},
        "flutter_waves": int((recording.marks.symbols == FLUTTER).sum()),
        "windows": len(labels),
        "windows_abnormal": int((labels == "abnormal").sum()),
        "windows_left_out": len(windows.window_starts(samples)) - len(labels),
        "missing_s": float(unknown.sum() / RATE_HZ),
        "flat_s": float(flat.sum() / RATE_HZ),
    }


def fingerprint(folder: Path, records: Iterable[str]) -> str:
    """Twelve hex digits over all files of the records: equal where the data are."""
    digest = hashlib.sha256()
    for path in sorted(path for record in records for path in folder.glob(f"{record}.*")):
        digest.update(f"{path.name}\0{sha256(path)}\n".encode())
    return digest.hexdigest()[:12]


def write_windows(folder: Path, records: pd.DataFrame, target: Path) -> pd.DataFrame:
    """Write ``windows.npy``, float16 ``(windows, 3600)``, record by record, and give ``windows.csv``."""
    tables, done = [], 0
    with written_whole(target) as aside:
        array = create(aside, (int(records["windows"].sum()), windows.LENGTH), np.float16)
        for recording in _again(folder, records):
            starts = recording.starts
            array[done : done + len(starts)] = windows.cut_windows(recording.filtered[0], starts)
            done += len(starts)
            tables.append(windows_of(recording))
        del array  # flushes
    return pd.concat(tables, ignore_index=True)


def windows_of(recording: Recording) -> pd.DataFrame:
    """Rows of ``windows.csv`` of one recording."""
    counts = windows.beats_in_windows(recording.marks, recording.starts)
    labels, decided = windows.labelled(counts)
    return pd.DataFrame(
        {
            "window_id": [f"{recording.name}-{start:07d}" for start in recording.starts.tolist()],
            "record": recording.name,
            "group_id": recording.of.person_of(recording.name),
            "start_s": recording.starts / RATE_HZ,
            "beats_normal": counts[:, 0],
            "beats_abnormal": counts[:, 1],
            "decided": decided,
            "label": labels,
        }
    )


def write_beats(
    folder: Path, records: pd.DataFrame, target: Path, cut: Cut, leads: int, of: RecordingSet = MITDB
) -> pd.DataFrame:
    """Write ``heartbeats.npy`` and ``beats.npy`` into the folder `target` and give ``beats.csv``.

    Both are float16, a row a beat: ``(beats, 187)`` between 0 and 1, and ``(beats, leads, samples)`` in mV by `cut`.
    A record with fewer leads has zeros in their place.
    """
    tables, done, total = [], 0, int(records["beats"].sum())
    with written_whole(target / "heartbeats.npy") as first, written_whole(target / "beats.npy") as second:
        heartbeats = create(first, (total, LENGTH), np.float16)
        contexts = create(second, (total, leads, cut.samples), np.float16)
        for recording in _again(folder, records, of):
            beats = recording.marks.beats
            here = slice(done, done + len(beats.samples))
            heartbeats[here] = cut_heartbeats(
                recording.record.signals[recording.channel], RATE_HZ, beats.samples
            )
            signals_mv = cut_beats(recording.filtered[:leads], RATE_HZ, beats.samples, cut)
            contexts[here, : signals_mv.shape[1]] = signals_mv
            done = here.stop
            tables.append(beats_of(recording))
        del heartbeats, contexts  # flushes
    return pd.concat(tables, ignore_index=True)


def beats_of(recording: Recording) -> pd.DataFrame:
    """Rows of ``beats.csv`` of one recording."""
    beats = recording.marks.beats
    before, after = intervals_s(beats.samples, RATE_HZ)
    times_s = beats.samples / RATE_HZ
    return pd.DataFrame(
        {
            "beat_id": [f"{recording.name}-{sample:07d}" for sample in beats.samples.tolist()],
            "record": recording.name,
            "group_id": recording.of.person_of(recording.name),
            "time_s": times_s,
            "symbol": beats.symbols,
            "label": beats.classes,
            "rr_before_s": before,
            "rr_after_s": after,
            "in_heartbeat": np.isfinite(after),
            "in_ec57": times_s >= EC57_FROM_S,
            **dict(zip(RATIOS, rhythm_ratios(beats.samples, RATE_HZ).T.astype(np.float64), strict=True)),
        }
    )


def _again(folder: Path, records: pd.DataFrame, of: RecordingSet = MITDB) -> Iterator[Recording]:
    from tqdm import tqdm

    for record in tqdm(records["record"], "records", mininterval=1, file=sys.stdout):
        yield load_recording(folder / f"{record}.hea", of)
