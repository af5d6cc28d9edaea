"""A WFDB record as a `Source`: its header mended, its signals read by wfdb, part by part.

wfdb reads files: a folder is made that holds the mended header and links to the signals, all under names of ours.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
from leadwise.names import shortened
from leadwise.recordings import headers
from leadwise.recordings.headers import Header
from leadwise.recordings.sources import MOST_LEADS, Chosen, Source, at_rate, choose
from leadwise.recordings.which_leads import kind_of

_BYTES = {
    "8": 1.0, "80": 1.0, "16": 2.0, "61": 2.0, "160": 2.0, "24": 3.0, "32": 4.0, "212": 1.5, "310": 4 / 3,
    "311": 4 / 3,
}  # fmt: skip
_FLAC = {"508", "516", "524"}
_FROM_THE_START = "8"  # differences: a sample is known when all before it are
_MOST_OF_DIFFERENCES = 8_000_000
_SAME_RATE = 0.001  # of a rate: rounded in one header and not in the other


def open_wfdb(path: Path, scratch: Path) -> Source:
    """Open the record of a header's path; `scratch` is a folder for links, which must last as long as the source.

    Raises `MissingInput` where there is no such header, `InputError` where it cannot be read or has no ECG.
    """
    if not path.is_file():
        raise MissingInput(f"{path}: no such record")
    header = headers.parsed(path.name, path.read_bytes())
    return _joined(path, header, scratch) if header.segments else _single(path, header, scratch)


def _single(path: Path, header: Header, scratch: Path) -> Source:
    file = path.name
    present = [number for number, signal in enumerate(header.signals) if signal.file != headers.NULL]
    if not present:
        raise InputError(f"{file}: none of its signals lies in a file.")
    chosen = choose(
        file,
        [header.signals[number].name for number in present],
        [header.signals[number].unit for number in present],
    )
    return _Reader(path, header, present, chosen, scratch).source()


class _Reader:
    """Reads the ECG signals of one record, and adds up their checksums as it comes by."""

    def __init__(
        self, path: Path, header: Header, present: Sequence[int], chosen: Chosen, scratch: Path
    ) -> None:
        self._file, self._chosen = path.name, chosen
        self._all = [header.signals[number] for number in present]
        self._own = [self._all[number] for number in chosen.numbers]
        self._frame = max(one.frame for one in self._own)
        self._is_framed = any(one.frame > 1 for one in self._all)
        self._rate_hz = header.rate_hz * self._frame
        folder = Path(tempfile.mkdtemp(dir=scratch))
        links: dict[str, str] = {}
        for one in self._all:
            if one.file not in links:
                links[one.file] = f"d{len(links)}.dat"
                (folder / links[one.file]).symlink_to(_beside(path, one.file))
        sizes = [_frames(self._file, self._all, name, folder / link) for name, link in links.items()]
        frames = header.samples if header.samples is not None else min(sizes)
        if frames < 1 or min(sizes) < frames:
            raise InputError(
                f"{self._file}: not a readable WFDB record ({frames} samples are told, {min(sizes)} are there). "
                "Is its .dat whole? Fetch it again."
            )
        self._frames, self._header = frames, header
        mended = Header(header.rate_hz, frames, tuple(self._all))
        (folder / "r.hea").write_text(headers.for_wfdb(mended, links), encoding="ascii")
        self._record = str(folder / "r")
        self._sums, self._summed = np.zeros(len(self._own), np.int64), 0

    def source(self) -> Source:
        chosen = self._chosen
        return Source(
            chosen.names,
            chosen.kinds,
            chosen.units,
            self._rate_hz,
            self._frames * self._frame,
            self.read,
            self.notes,
        )

    def read(self, first: int, end: int) -> NDArray[np.float64]:
        """Samples `first` to ``end - 1`` in mV; a signal of another rate is brought to that of the fastest."""
        start, stop = first // self._frame, min(-(-end // self._frame), self._frames)
        parts = self._read_frames(start, stop)
        leads = [
            part
            if one.frame == self._frame
            else at_rate(part, self._frame / one.frame, (stop - start) * self._frame)
            for part, one in zip(parts, self._own, strict=True)
        ]
        skip = first - start * self._frame
        return np.stack(leads)[:, skip : skip + end - first]

    def notes(self) -> Sequence[str]:
        """What is to be said of the record, checksums among it once all has been read in order."""
        said = [*self._header.notes, *self._chosen.notes]
        skewed = any(one.skew for one in self._all)
        if self._summed == self._frames and not skewed:
            wrong = [
                name
                for name, one, total in zip(self._chosen.names, self._own, self._sums.tolist(), strict=True)
                if one.checksum is not None and (total - one.checksum) % 65536
            ]
            if wrong:
                said.append(f"the checksum of {', '.join(wrong)} is wrong: samples were changed or damaged")
        rates = {one.frame for one in self._own}
        if len(rates) > 1:
            slower = [
                f"{name} ({self._header.rate_hz * one.frame:g} Hz)"
                for name, one in zip(self._chosen.names, self._own, strict=True)
                if one.frame < self._frame
            ]
            said.append(f"brought to {self._rate_hz:g} samples a second: {', '.join(slower)}")
        return said

    def _read_frames(self, start: int, stop: int) -> list[NDArray[np.float64]]:
        import wfdb

        whole = any(one.format == _FROM_THE_START for one in self._all)
        if whole and self._frames * len(self._all) > _MOST_OF_DIFFERENCES:
            raise InputError(
                f"{self._file}: too long for format 8, whose samples lie as differences. Write it anew."
            )
        begin = 0 if whole else start
        try:
            record = wfdb.rdrecord(
                self._record, sampfrom=begin, sampto=stop, channels=list(self._chosen.numbers), physical=False,
                smooth_frames=not self._is_framed,
            )  # fmt: skip
            if not self._is_framed:  # all at once, which is faster
                steps = list(record.d_signal[start - begin :].T)
                volts = list(record.dac()[start - begin :].T)
            else:
                steps = [
                    part[(start - begin) * one.frame :]
                    for part, one in zip(record.e_d_signal, self._own, strict=True)
                ]
                record.e_d_signal = steps
                volts = record.dac(expanded=True)
        except MemoryError:
            raise
        except Exception as error:  # whatever a made file may do to a reader of a dozen formats
            raise InputError(
                f"{self._file}: not a readable WFDB record (its samples are not of the format that is told). "
                "Is its .dat whole? Fetch it again."
            ) from error
        if start <= self._summed < stop:
            new = self._summed - start
            self._sums += [
                int(part[new * one.frame :].sum()) for part, one in zip(steps, self._own, strict=True)
            ]
            self._summed = stop
        return [part * mv for part, mv in zip(volts, self._chosen.mv, strict=True)]


def _beside(header: Path, name: str) -> Path:
    """The file beside a header that it names; capitals do not count where the name itself is not there."""
    folder = header.parent
    plain = name not in ("", ".", "..") and "\0" not in name
    if plain and (folder / name).is_file():
        return (folder / name).absolute()
    with os.scandir(folder) as entries:
        same = sorted(
            one.name for one in entries if plain and one.name.lower() == name.lower() and one.is_file()
        )
    if not same:
        raise InputError(
            f"{header.name}: names {shortened(name)}, which was not sent or does not lie beside it. "
            "All files of the record are needed."
        )
    return (folder / same[0]).absolute()


def _frames(file: str, signals: Sequence[headers.Signal], name: str, path: Path) -> int:
    """How many frames a file of signals holds."""
    inside = [one for one in signals if one.file == name]
    if len({(one.format, one.offset) for one in inside}) > 1:
        raise InputError(f"{file}: {name} is said to hold signals of several formats. Mend the header.")
    one, width = inside[0], sum(signal.frame for signal in inside)
    if one.format in _FLAC:
        import soundfile

        try:
            return int(soundfile.info(str(path)).frames) // max(signal.frame for signal in inside)
        except (RuntimeError, ValueError, OSError) as error:
            raise InputError(f"{file}: {name} is no FLAC file that can be read. Fetch it again.") from error
    held = (path.stat().st_size - one.offset) / (_BYTES[one.format] * width)
    return max(math.ceil(held) if one.format in ("310", "311") else int(held), 0)


def _joined(path: Path, header: Header, scratch: Path) -> Source:
    """Segments one after the other; a gap, or a lead that a segment has not, is unknown there."""
    parts: list[tuple[int, int, Source]] = []
    without: list[str] = []
    first = gaps = 0
    for name, samples in header.segments:
        if name == headers.NULL:
            gaps += samples
        elif samples:
            below = _beside(path, f"{name}{path.suffix}")
            own = _segment(path.name, header, below)
            if not any(_may_be_ecg(signal) for signal in own.signals):
                without.append(name)
            else:
                source = _single(below, own, scratch)
                if source.samples < samples * round(source.rate_hz / own.rate_hz):
                    raise InputError(
                        f"{path.name}: {name} is shorter than the {samples} samples that are told of it. Fetch it "
                        "again."
                    )
                parts.append((first, samples, source))
        first += samples
    if not parts:
        raise InputError(
            f"{path.name}: all of its segments are gaps, or without an ECG. Send another record."
        )
    rates = {source.rate_hz for *_, source in parts}
    if len(rates) > 1:
        raise InputError(
            f"{path.name}: segments of several rates ({', '.join(f'{rate:g}' for rate in sorted(rates))})."
        )
    (rate_hz,) = rates
    times = round(rate_hz / header.rate_hz)
    known = {
        lead: (kind, unit)
        for *_, source in parts
        for lead, kind, unit in zip(source.names, source.kinds, source.units, strict=True)
    }
    names = tuple(known)
    if len(names) > MOST_LEADS:
        raise InputError(
            f"{path.name}: {len(names)} leads in all of its segments; at most {MOST_LEADS} are read."
        )
    read = _reading(names, [(start * times, length * times, source) for start, length, source in parts])

    def notes() -> Sequence[str]:
        every = dict.fromkeys([*header.notes, *(note for *_, source in parts for note in source.notes())])
        if without:
            every[f"no ECG in {shortened(', '.join(without))}: unknown there"] = None
        return [*every, *([f"gaps of {gaps / header.rate_hz:.0f} s between segments"] if gaps else [])]

    kinds, units = zip(*known.values(), strict=True)
    return Source(names, kinds, units, rate_hz, first * times, read, notes)


def _segment(file: str, master: Header, path: Path) -> Header:
    """The header of a segment of the record whose header is `file`."""
    own = headers.parsed(path.name, path.read_bytes())
    if own.segments:
        raise InputError(f"{path.name}: a segment that has segments itself. Send its parts.")
    if abs(own.rate_hz - master.rate_hz) > _SAME_RATE * master.rate_hz:
        raise InputError(
            f"{file}: {master.rate_hz:g} samples a second, and {own.rate_hz:g} in {path.name}: times would be wrong. "
            "Mend the header that errs."
        )
    return own


def _may_be_ecg(signal: headers.Signal) -> bool:
    """Whether a signal is there, and may be an ECG; one that is by its name and has a wrong unit is told of later."""
    is_other = kind_of(signal.name, signal.unit) == "other" and kind_of(signal.name, "mV") != "ecg"
    return signal.file != headers.NULL and not is_other


def _reading(
    names: tuple[str, ...], parts: list[tuple[int, int, Source]]
) -> Callable[[int, int], NDArray[np.float64]]:
    """A function that reads across segments: where each starts, how long it is, and its source."""

    def read(first: int, end: int) -> NDArray[np.float64]:
        out = np.full((len(names), end - first), np.nan)
        for start, length, source in parts:
            low, high = max(first, start), min(end, start + length)
            if low < high:
                rows = [names.index(name) for name in source.names]
                out[rows, low - first : high - first] = source.read(low - start, high - start)
        return out

    return read
