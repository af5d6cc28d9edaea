"""A WFDB record from a folder or as bytes: checked before it is decoded, then in mV, band-passed, its beats found.

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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
from leadwise.names import shortened
from leadwise.recordings.filters import BAND_HZ, band_passed, unknown_or_flat
from leadwise.recordings.qrs import find_beats
from leadwise.recordings.records import Record, read_record, rhythm_first
from leadwise.workers import memory

MAX_S = 1900.0
"""Longest recording that is answered; those of MIT-BIH have 1,806 s."""

MAX_VALUES = 8_000_000
"""Most samples of all leads together: half an hour of eight leads at 500 Hz."""

PROCESSING = f"band-pass {BAND_HZ[0]:g} to {BAND_HZ[1]:g} Hz, Butterworth of order 5, forwards and backwards"
DETECTOR = "leadwise.recordings.qrs"

SECOND_LEAD = "V1"
"""Stands beside the rhythm lead where there are more than two, as in most records of MIT-BIH."""

_FORMATS = {"8", "16", "24", "32", "61", "80", "160", "212", "310", "311"}
_MOST_SKEW_S, _GAINS = 1.0, (1e-6, 1e12)
_LEAST_S, _LEAST_HZ, _MOST_HZ, _MOST_LEADS, _MOST_HEADER = 2.0, 100.0, 10_000.0, 32, 65_536
_RECORD_LINE = re.compile(rb"\S+ +\d+ +\d+(\.\d+)?\b.*")
_MOST_BYTES = 100_000_000
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


@dataclass(frozen=True)
class Reading:
    """A recording, `record` in mV and band-passed, and the sample numbers of its beats.

    `leads` names one or two: that in which beats are looked for first, and the one beside it. `filtered`
    ``(1 or 2, samples)`` is the two of them with all gaps bridged.
    """

    record: Record
    leads: tuple[str, ...]
    filtered: NDArray[np.float64]
    beats: NDArray[np.int64]
    warnings: tuple[str, ...]

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
            raise InputError(
                f"{header}: the signals do not fit this header ({shortened(str(error))})."
            ) from error
    if not np.isfinite(record.signals).any():
        raise InputError(f"{header}: no lead of this record has a known value.")
    return Record(record.signals, _unique_names(record.names), record.rate_hz)


def read_path(path: Path) -> Record:
    """One record from the path of its ``.hea``, of its ``.dat``, or without suffix; checked as `read_files` does.

    Raises `MissingInput` where there is no such header, and what `read_files` raises.
    """
    header = path if path.suffix == ".hea" else path.with_name(f"{path.name.removesuffix('.dat')}.hea")
    if not header.is_file():
        raise MissingInput(
            f"{header.name}: no such file. A record is a .hea file with its signals beside it."
        )
    try:
        if header.stat().st_size > _MOST_HEADER:
            raise InputError(f"{header.name}: larger than a header is ({_MOST_HEADER} bytes at most).")
        content = header.read_bytes()
        beside = {
            line.split()[0].decode("utf-8", "replace") for line in content.splitlines()[1:] if line.split()
        }
        files = {name: header.parent / name for name in beside if _PLAIN_NAME.fullmatch(name)}
        large = [name for name, file in files.items() if file.is_file() and file.stat().st_size > _MOST_BYTES]
        if large:
            raise InputError(f"{large[0]}: over {_MOST_BYTES / 1e6:.0f} MB. Cut the record into parts.")
        return read_files(
            {header.name if _PLAIN_NAME.fullmatch(header.name) else "record.hea": content}
            | {name: file.read_bytes() for name, file in files.items() if file.is_file()}
        )
    except OSError as error:
        raise InputError(f"{header.name}: {error.strerror or error}.") from error


def process(record: Record) -> Reading:
    """Band-pass a record and find its beats; raises `InputError` where it is too short or sampled too slowly."""
    seconds = record.signals.shape[1] / record.rate_hz
    if seconds < _LEAST_S:
        raise InputError(f"{seconds:.1f} s of signal; at least {_LEAST_S:g} s are needed.")
    lost = [unknown_or_flat(lead, record.rate_hz) for lead in record.signals]
    order = [number for number in rhythm_first(record.names) if not np.logical_or(*lost[number]).all()]
    if not order:
        raise InputError("all leads are flat. Was the recorder connected?")
    filtered = band_passed(record.signals, record.rate_hz)
    beats = find_beats(record.signals[order], record.rate_hz)
    chosen = _beside(record.names, order)
    # unknown stays unknown in what is shown; the filter alone looks across it
    shown = np.where(np.isfinite(record.signals), filtered, np.nan)
    return Reading(
        Record(shown, record.names, record.rate_hz),
        tuple(record.names[number] for number in chosen),
        filtered[chosen],
        beats if len(beats) > 1 else beats[:0],
        tuple(_warnings(record, order, lost, beats)),
    )


def _beside(names: Sequence[str], order: Sequence[int]) -> list[int]:
    """The lead for beats and the one beside it, of those in `order`."""
    upper = [names[number].upper() for number in order]
    second = upper.index(SECOND_LEAD, 1) if SECOND_LEAD in upper[1:] else 1
    return [order[0], *order[second : second + 1]]


def _warnings(
    record: Record,
    order: Sequence[int],
    lost: Sequence[tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    beats: NDArray[np.int64],
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
    if len(beats) < 2:
        yield f"no heartbeats were found on {record.names[order[0]]}"


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
        claims = [] if several else list(_out_of_bounds(header, rate_hz))
    except Exception as error:  # whatever a made header may do to its parser
        raise InputError(f"{name}: not a readable WFDB header ({shortened(str(error))}).") from error
    if several:
        raise InputError(f"{name}: a record of several segments; send one segment.")
    if not 1 <= leads <= _MOST_LEADS:
        raise InputError(f"{name}: {leads} signals; 1 to {_MOST_LEADS} are read.")
    if missing := sorted(set(named) - set(files)) or ([] if named else [f"{path.stem}.dat"]):
        raise InputError(
            f"{name}: names {shortened(', '.join(missing))}, which was not sent. Send all files of the record."
        )
    if unknown := sorted(set(formats) - _FORMATS):
        raise InputError(
            f"{name}: signals in format {shortened(', '.join(unknown))}; read are {', '.join(sorted(_FORMATS))}."
        )
    if not _LEAST_HZ <= rate_hz <= _MOST_HZ:
        raise InputError(f"{name}: {rate_hz:g} samples a second; {_LEAST_HZ:g} to {_MOST_HZ:g} are read.")
    if claims:
        raise InputError(f"{name}: {claims[0]}")
    if set(frames) - {1}:
        raise InputError(f"{name}: signals of several rates in one record; write them at one rate.")
    if samples is None:  # then it is what the file holds, at a byte a sample at least
        samples = max(len(files[signal]) for signal in named)
    if samples > MAX_S * rate_hz or samples * leads > MAX_VALUES:
        raise InputError(
            f"{name}: {shortened(f'{samples:,}')} samples of {leads} leads at {rate_hz:g} a second; at most "
            f"{MAX_S:,.0f} s and {MAX_VALUES:,} samples are read. Cut it into parts."
        )


def _out_of_bounds(header: Any, rate_hz: float) -> Iterator[str]:
    """What a header claims that no recording needs: wfdb makes room for a skew, whatever there is to fill it."""
    if any(not 0 <= int(skew or 0) <= _MOST_SKEW_S * rate_hz for skew in header.skew or []):
        yield f"signals shifted against each other by more than {_MOST_SKEW_S:g} s. Write them aligned."
    if any(not 0 <= int(offset or 0) <= _MOST_HEADER for offset in header.byte_offset or []):
        yield f"signals that begin after more than {_MOST_HEADER} bytes. Write them anew."
    if any(not _GAINS[0] <= abs(float(gain)) <= _GAINS[1] for gain in header.adc_gain or []):
        yield f"a gain beyond {_GAINS[0]:g} to {_GAINS[1]:g} steps a unit, which no recorder has. Mend the header."


def _unique_names(names: Sequence[str | None]) -> tuple[str, ...]:
    """Every lead with a name of its own: those without one are numbered, and repeated ones."""
    every: list[str] = []
    for number, name in enumerate(names, 1):
        unique, again = (name or f"signal {number}"), 2
        while unique in every:
            unique, again = f"{name or 'signal'} {again}", again + 1
        every.append(unique)
    return tuple(every)
