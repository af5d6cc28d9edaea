"""WFDB headers as they come, read line by line, so that `wfdb` can be handed one that it knows how to read.

What the format leaves open is filled in as its documentation says, and what was filled in or passed over is said in
`notes`: dates of any form, a gain of 0, signals beyond those counted. Names may have dots, paths, other scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from leadwise.errors import InputError
from leadwise.names import shortened
from leadwise.recordings.which_leads import MOST_SIGNALS

MOST_BYTES = 65_536
"""Of a header: twelve leads need a thousand."""

FORMATS = ("8", "16", "24", "32", "61", "80", "160", "212", "310", "311", "508", "516", "524")
"""How samples may lie in a file; the last three are FLAC."""

NULL = "~"
"""Stands for no file: a gap between segments, or a signal that a record names and does not have."""

ASSUMED_GAIN = 200.0
"""Steps a mV where a header tells none, or 0: so the format has it."""

_MOST_SEGMENTS, _MOST_FRAME, _MOST_LINE = 2000, 10_000, 1000
_MOST_SKEW_S, _MOST_HZ, _GAINS = 1.0, 1e6, (1e-6, 1e12)
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_RECORD = re.compile(
    rf"(?P<name>\S.*?)\s+(?P<signals>\d{{1,9}})\s+(?P<rate>{_NUMBER})(?:/\S*)?(?:\s*\([^)]*\))?(?:\s+(?P<samples>\d+))?"
    r"(?:\s+(?P<when>.*))?"
)
_SIGNAL = re.compile(
    r"(?P<file>\S.*?)\s+(?P<format>\d+)(?:x(?P<frame>\d{1,9}))?(?::(?P<skew>\d{1,18}))?(?:\+(?P<offset>\d{1,18}))?"
    r"(?:\s+(?P<rest>.*))?"
)
_GAIN = re.compile(rf"(?P<gain>{_NUMBER})?(?:\((?P<base>{_NUMBER})\))?(?:/(?P<unit>\S*))?")
_SEGMENT = re.compile(r"(?P<name>\S.*?)\s+(?P<samples>\d{1,18})\s*")
_WHEN = re.compile(r"(\d{1,2}:)?\d{1,2}:\d{1,2}(\.\d+)?(\s+\d{1,2}/\d{1,2}/\d{4})?")
_FIELDS = 5  # resolution, zero, first value, checksum, block size: whole numbers before the name


@dataclass(frozen=True)
class Signal:
    """A line of a header: where a signal lies, what its steps are; `first` 0, `checksum` None where none is told."""

    file: str
    format: str
    frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str
    first: int
    checksum: int | None
    name: str


@dataclass(frozen=True)
class Header:
    """A header: `rate_hz` of its frames, `samples` of each signal where it says so, signals, or segments in order."""

    rate_hz: float
    samples: int | None
    signals: tuple[Signal, ...] = ()
    segments: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = field(default=(), repr=False)


def parsed(name: str, content: bytes) -> Header:
    """Read a header's bytes. Raises `InputError`, which begins with `name`, for none, and for what nobody records."""
    if len(content) > MOST_BYTES:
        raise InputError(f"{name}: {len(content)} bytes; a header has {MOST_BYTES} at most.")
    lines = [line.strip() for line in _text(content).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if long := [line for line in lines if len(line) > _MOST_LINE]:
        raise InputError(
            f"{name}: a line of {len(long[0])} letters ({shortened(long[0], 40)}); {_MOST_LINE} at most are read. "
            "Mend the header."
        )
    first = _RECORD.fullmatch(lines[0]) if lines else None
    if first is None:  # wfdb would go on with a rate of 250
        raise InputError(
            f"{name}: not a WFDB header; it begins with a name, the number of signals, and samples a second."
        )
    rate_hz, samples, count = float(first["rate"]), first["samples"], int(first["signals"])
    if not 0 < rate_hz < _MOST_HZ:
        raise InputError(f"{name}: {rate_hz:g} samples a second, which no recorder has. Mend the header.")
    if samples is not None and len(samples) > 15:
        raise InputError(
            f"{name}: claims {shortened(samples)} samples, which no recorder has. Mend the header."
        )
    when = first["when"] or ""
    notes = [_passed_over(when)] if when and not _WHEN.fullmatch(when) else []
    several = re.search(r"/(\d+)$", first["name"])
    if several and _names_a_segment(lines[1:2]):  # or a path that ends so: mitdb/100
        segments = tuple(_segments(name, lines[1:], int(several[1])))
        return Header(rate_hz, int(samples) if samples else None, (), segments, tuple(notes))
    if not 1 <= count <= MOST_SIGNALS:
        raise InputError(
            f"{name}: it begins with {shortened(lines[0])}, where 1 to {MOST_SIGNALS} signals must be counted. "
            "Mend the header."
        )
    if len(lines) - 1 < count:
        raise InputError(f"{name}: names {len(lines) - 1} of its {count} signals. The header is cut off.")
    if len(lines) - 1 > count:
        notes.append(
            f"the header counts {count} signals and describes {len(lines) - 1}: the first {count} are read"
        )
    signals = [_signal(name, line, rate_hz) for line in lines[1 : count + 1]]
    return Header(
        rate_hz,
        int(samples) or None if samples else None,
        tuple(signal for signal, _ in signals),
        (),
        (*notes, *_assumed([signal.name for signal, assumed in signals if assumed])),
    )


def for_wfdb(header: Header, files: dict[str, str]) -> str:
    """The header of a record ``r`` in the words that wfdb reads; `files` are the names that its files have there."""
    lines = [f"r {len(header.signals)} {header.rate_hz!r} {header.samples or 0}"]
    for number, one in enumerate(header.signals):
        frame, skew = f"x{one.frame}" if one.frame > 1 else "", f":{one.skew}" if one.skew else ""
        offset = f"+{one.offset}" if one.offset else ""
        where = f"{files[one.file]} {one.format}{frame}{skew}{offset}"
        lines.append(f"{where} {one.gain!r}({one.baseline})/mV 16 0 {one.first} 0 0 s{number}")
    return "\n".join([*lines, ""])


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _signal(header: str, line: str, rate_hz: float) -> tuple[Signal, bool]:
    """A signal, and whether its gain had to be assumed."""
    found = _SIGNAL.fullmatch(line)
    if found is None:
        raise InputError(f"{header}: not a readable WFDB header ({shortened(line)} describes no signal).")
    if found["format"] not in FORMATS and (found["file"], found["format"]) != (NULL, "0"):
        raise InputError(
            f"{header}: signals in format {shortened(found['format'])}; read are {', '.join(FORMATS)}."
        )
    frame, skew, offset = (int(found[name] or 0) for name in ("frame", "skew", "offset"))
    if skew > _MOST_SKEW_S * rate_hz:
        raise InputError(
            f"{header}: signals shifted against each other by more than {_MOST_SKEW_S:g} s. Write them aligned."
        )
    if offset > MOST_BYTES:
        raise InputError(f"{header}: signals that begin after more than {MOST_BYTES} bytes. Write them anew.")
    if frame > _MOST_FRAME:
        raise InputError(f"{header}: {frame} samples in a frame; at most {_MOST_FRAME} are read.")
    gain, base, unit, numbers, name = _rest(found["rest"] or "")
    if gain and not _GAINS[0] <= abs(gain) <= _GAINS[1]:
        raise InputError(
            f"{header}: a gain beyond {_GAINS[0]:g} to {_GAINS[1]:g} steps a unit, which no recorder has. "
            "Mend the header."
        )
    zero = numbers[1] if len(numbers) > 1 else 0
    first = numbers[2] if len(numbers) > 2 else 0
    checksum = numbers[3] if len(numbers) > 3 and numbers[3] else None  # 0: many programs write it unasked
    file = re.split(r"[/\\]", found["file"])[-1]
    signal = Signal(
        file, found["format"], max(frame, 1), skew, offset, gain or ASSUMED_GAIN, zero if base is None else base,
        unit, first, checksum, name,
    )  # fmt: skip
    return signal, not gain


def _rest(rest: str) -> tuple[float, int | None, str, list[int], str]:
    """What follows the format: gain (0 where none is told), baseline, unit, whole numbers, the name."""
    words = rest.split()
    found = _GAIN.fullmatch(words[0]) if words else None
    gain, base, unit, used = 0.0, None, "mV", 0  # the format's own unit where none is told
    if found is not None and words[0]:
        gain, unit, used = float(found["gain"] or 0), found["unit"] if found["unit"] is not None else "mV", 1
        base = None if found["base"] is None else round(float(found["base"]))
    numbers: list[int] = []
    while used < len(words) and len(numbers) < _FIELDS and re.fullmatch(r"[-+]?\d{1,18}", words[used]):
        numbers.append(int(words[used]))
        used += 1
    return gain, base, unit, numbers, " ".join(words[used:])


def _names_a_segment(lines: list[str]) -> bool:
    """Whether a line is a segment's name and its samples, and not a file of signals with its format."""
    if not (lines and _SEGMENT.fullmatch(lines[0])):
        return False
    found = _SIGNAL.fullmatch(lines[0])
    return found is None or found["format"] not in FORMATS or "." not in found["file"]


def _segments(header: str, lines: list[str], count: int) -> Iterator[tuple[str, int]]:
    if not 1 <= count <= _MOST_SEGMENTS or len(lines) < count:
        raise InputError(
            f"{header}: {shortened(str(count))} segments, {len(lines)} of them named; 1 to {_MOST_SEGMENTS} are "
            "read. Mend the header."
        )
    for line in lines[:count]:
        found = _SEGMENT.fullmatch(line)
        if found is None:
            raise InputError(f"{header}: not a readable WFDB header ({shortened(line)} names no segment).")
        yield re.split(r"[/\\]", found["name"])[-1], int(found["samples"])


def _passed_over(when: str) -> str:
    return f"the header's date or time ({shortened(when)}) is in no form that WFDB knows, and was ignored"


def _assumed(names: list[str]) -> Iterator[str]:
    if names:
        without = names.count("")
        unnamed = f"{without} signal{'s' * (without > 1)} without a name"
        which = ", ".join([*filter(None, names), *([unnamed] if without else [])])
        yield f"no gain is told for {which}: {ASSUMED_GAIN:g} steps a mV were assumed, so heights may be wrong"
