"""A WFDB record that came as bytes: checked before it is decoded, then in mV, band-passed, its beats found.

WFDB's formats are read by wfdb, which reads files: they lie in memory (tmpfs) while it does, under names that were
checked, and are gone when it is done. What a header claims is looked at before anything is decoded.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.signals.records import Record, read_record

MAX_S = 1900.0
"""Longest recording that is answered; those of MIT-BIH have 1,806 s."""

MAX_VALUES = 8_000_000
"""Most samples of all leads together: half an hour of eight leads at 500 Hz."""

BAND_HZ = (0.5, 40.0)
PROCESSING = f"band-pass {BAND_HZ[0]:g} to {BAND_HZ[1]:g} Hz, Butterworth of order 2, forwards and backwards"
DETECTOR = "xqrs of wfdb"

# xqrs takes 7 us a sample; on half of those of MIT-BIH (180 Hz) it finds as many beats, on a third not
_DETECTION_HZ = 150.0

_FORMATS = {"8", "16", "24", "32", "61", "80", "160", "212", "310", "311"}
_LEAST_S, _LEAST_HZ, _MOST_HZ, _MOST_LEADS, _MOST_HEADER = 2.0, 100.0, 10_000.0, 32, 65_536
_RECORD_LINE = re.compile(rb"\S+ +\d+ +\d+(\.\d+)?\b.*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
_MEMORY = Path("/dev/shm")  # noqa: S108  # a tmpfs where Linux has one


@dataclass(frozen=True)
class Reading:
    """A recording, `record` in mV and band-passed, and the sample numbers of beats found on `lead`."""

    record: Record
    lead: str
    beats: NDArray[np.intp]
    warnings: tuple[str, ...]

    @property
    def heart_rate_bpm(self) -> float | None:
        """60 s over the median interval between beats; None where there are fewer than two."""
        intervals = np.diff(self.beats)
        return float(60 * self.record.rate_hz / np.median(intervals)) if len(intervals) else None


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder for programs that know only files; where there is a tmpfs, nothing in it touches a disk."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def read_files(files: Mapping[str, bytes]) -> Record:
    """One record from its files by name, a ``.hea`` and the signals that it names, in mV.

    Raises `InputError` for a header that is missing, unreadable or claims too much, and for signals that were not
    sent, are cut off or cannot be decoded.
    """
    header = _the_header(files)
    for name in files:
        if not _PLAIN_NAME.fullmatch(name):
            raise InputError(f"{name}: files of a record have plain names (letters, digits, - _ and .).")
    with folder_in_memory() as folder:
        for name, data in files.items():
            (folder / name).write_bytes(data)
        path = (folder / header).with_suffix("")
        _check_claims(path, header, files)
        try:
            record = read_record(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), header)) from error
        except Exception as error:  # whatever a made file may do to a reader of a dozen formats
            raise InputError(f"{header}: the signals do not fit this header ({error}).") from error
    if not np.isfinite(record.signals).any(axis=1).all():
        raise InputError(f"{header}: a lead of this record has no known value.")
    return Record(record.signals, _told_apart(record.names), record.rate_hz)


def process(record: Record) -> Reading:
    """Band-pass a record and find its beats; raises `InputError` where it is too short or sampled too slowly."""
    seconds = record.signals.shape[1] / record.rate_hz
    if seconds < _LEAST_S:
        raise InputError(f"{seconds:.1f} s of signal; at least {_LEAST_S:g} s are needed.")
    filtered = np.stack([_band_passed(signal, record.rate_hz) for signal in record.signals])
    known = np.isfinite(record.signals)
    told = []
    if not known.all():
        told.append(f"{1 - known.mean():.1%} of the samples are marked as unknown and were bridged")
    number = _lead_for_beats(record)
    beats = _beats(filtered[number], record.rate_hz)
    if len(beats) < 2:
        told.append(f"no heartbeats were found on {record.names[number]}")
    # unknown stays unknown in what is shown; the filter alone looks across it
    shown = Record(np.where(known, filtered, np.nan), record.names, record.rate_hz)
    return Reading(shown, record.names[number], beats, tuple(told))


def _the_header(files: Mapping[str, bytes]) -> str:
    headers = [name for name in files if name.lower().endswith(".hea")]
    if not headers:
        raise InputError(
            f"{', '.join(files)}: signals without their header. Send the .hea file of the same name with it."
        )
    if len(headers) > 1:
        raise InputError(f"{', '.join(headers)}: one record at a time, these are {len(headers)}.")
    if len(files[headers[0]]) > _MOST_HEADER:
        raise InputError(
            f"{headers[0]}: {len(files[headers[0]])} bytes; a header has {_MOST_HEADER} at most."
        )
    return headers[0]


def _check_claims(path: Path, name: str, files: Mapping[str, bytes]) -> None:
    """Refuse what a header claims beyond the limits, or of files that were not sent."""
    import wfdb

    lines = (line.strip() for line in files[name].splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if not _RECORD_LINE.fullmatch(first):  # wfdb would go on with a rate of 250
        raise InputError(
            f"{name}: not a WFDB header; it begins with a name, the number of signals, and samples a second."
        )
    try:
        header = wfdb.rdheader(str(path))
        rate_hz, leads, samples = float(header.fs), int(header.n_sig), header.sig_len
        several = getattr(header, "n_seg", None) is not None
        named = [] if several else list(header.file_name or [])
        formats = [] if several else [str(fmt) for fmt in header.fmt or []]
        frames = [] if several else [int(frame or 1) for frame in header.samps_per_frame or []]
    except Exception as error:  # whatever a made header may do to its parser
        raise InputError(f"{name}: not a readable WFDB header ({error}).") from error
    if several:
        raise InputError(f"{name}: a record of several segments; send one segment.")
    if not 1 <= leads <= _MOST_LEADS:
        raise InputError(f"{name}: {leads} signals; 1 to {_MOST_LEADS} are read.")
    if missing := sorted(set(named) - set(files)) or ([] if named else [f"{path.stem}.dat"]):
        raise InputError(
            f"{name}: names {', '.join(missing)}, which was not sent. Send all files of the record."
        )
    if unknown := sorted(set(formats) - _FORMATS):
        raise InputError(
            f"{name}: signals in format {', '.join(unknown)}; read are {', '.join(sorted(_FORMATS))}."
        )
    if not _LEAST_HZ <= rate_hz <= _MOST_HZ:
        raise InputError(f"{name}: {rate_hz:g} samples a second; {_LEAST_HZ:g} to {_MOST_HZ:g} are read.")
    if set(frames) - {1}:
        raise InputError(f"{name}: signals of several rates in one record; write them at one rate.")
    if samples is None:  # then it is what the file holds, at a byte a sample at least
        samples = max(len(files[one]) for one in named)
    if samples > MAX_S * rate_hz or samples * leads > MAX_VALUES:
        raise InputError(
            f"{name}: {samples / rate_hz:,.0f} s of {leads} leads; at most {MAX_S:,.0f} s and {MAX_VALUES:,} samples "
            "are read. Cut it into parts."
        )


def _told_apart(names: Sequence[str | None]) -> tuple[str, ...]:
    """Every lead with a name of its own: those without one are numbered, and repeated ones."""
    every: list[str] = []
    for number, name in enumerate(names, 1):
        unique, again = (name or f"signal {number}"), 2
        while unique in every:
            unique, again = f"{name or 'signal'} {again}", again + 1
        every.append(unique)
    return tuple(every)


def _band_passed(signal: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    from scipy.signal import butter, sosfiltfilt

    known = np.flatnonzero(np.isfinite(signal))
    filled = np.interp(np.arange(len(signal)), known, signal[known])
    return np.asarray(sosfiltfilt(butter(2, BAND_HZ, "bandpass", fs=rate_hz, output="sos"), filled))


def _lead_for_beats(record: Record) -> int:
    """Lead II where there is one (in ambulatory records MLII), else the first."""
    names = [name.upper() for name in record.names]
    return next((names.index(name) for name in ("II", "MLII") if name in names), 0)


def _beats(signal: NDArray[np.float64], rate_hz: float) -> NDArray[np.intp]:
    from wfdb.processing import xqrs_detect

    if np.ptp(signal) < 1e-3:
        return np.zeros(0, np.intp)
    step = max(1, int(rate_hz // _DETECTION_HZ))  # nothing above 40 Hz is left that could fold
    try:
        return step * np.asarray(xqrs_detect(signal[::step], rate_hz / step, verbose=False), np.intp)
    except (ValueError, IndexError, ZeroDivisionError):  # too little that looks like a beat to learn from
        return np.zeros(0, np.intp)
