"""An EDF or EDF+ file as a `Source`, by edfio: the better kept of the readers, and Python alone."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.recordings.sources import Chosen, Source, at_rate, choose
from leadwise.recordings.which_leads import MOST_SIGNALS

_HEAD = 256  # bytes, and as many for each signal
_ANNOTATIONS = "EDF Annotations"
_BEGINS = re.compile(rb"([-+]\d+(?:\.\d*)?)\x14\x14")
_ROUNDED_S = 1.0  # by which times of a day may be off, where a part's length is rounded


def open_edf(path: Path) -> Source:
    """Open an EDF or EDF+ file. Raises `InputError` for one that cannot be read, has gaps, or has no ECG."""
    try:
        import edfio
    except ImportError as error:
        raise InputError(
            f"{path.name}: EDF needs one more package. Install it with `pip install leadwise[formats]`, or edfio."
        ) from error
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if len(head) < _HEAD or head[:8].strip() != b"0" or not head[252:256].strip().isdigit():
        raise InputError(f"{path.name}: not an EDF file: its first {_HEAD} bytes are no header of one.")
    if int(head[252:256]) > MOST_SIGNALS:
        raise InputError(f"{path.name}: {int(head[252:256])} signals; 1 to {MOST_SIGNALS} are read.")
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            edf = edfio.read_edf(path, lazy_load_data=True, header_encoding="latin-1")
            signals = [one for one in edf.signals if one.label.strip() != _ANNOTATIONS]
            labels, units = (
                [one.label.strip() for one in signals],
                [one.physical_dimension for one in signals],
            )
            duration_s = float(edf.duration)
            has_gaps = (edf.reserved.startswith("EDF+D") and not edf.is_continuous) or (
                edf.reserved.startswith("EDF+C") and _ends_late(path, edf.num_data_records, duration_s)
            )
    except MemoryError:
        raise
    except Exception as error:  # whatever a made file may do to its reader
        raise InputError(f"{path.name}: not a readable EDF file: {_why_unreadable(path)}.") from error
    if has_gaps:
        raise InputError(
            f"{path.name}: an EDF+ file whose parts have gaps between them. Write it as EDF+C or WFDB, its gaps "
            "filled."
        )
    if not signals:
        raise InputError(f"{path.name}: no ECG in it: it holds annotations alone.")
    chosen = choose(path.name, labels, units)
    notes = [*(f"of the file: {one.message}" for one in said), *chosen.notes]
    return _source(path, [signals[number] for number in chosen.numbers], chosen, duration_s, notes)


def _ends_late(path: Path, parts: int, duration_s: float) -> bool:
    """Whether the last part of a file that calls itself continuous begins later than it would without gaps."""
    begins_s = []
    with path.open("rb") as file:
        signals = int(file.read(_HEAD)[252:256])
        counts = file.read(_HEAD * signals)[216 * signals : 224 * signals]  # samples of each in a part
        size = 2 * sum(int(counts[at : at + 8]) for at in range(0, len(counts), 8))
        for part in (0, max(parts - 1, 0)):
            file.seek(_HEAD * (signals + 1) + part * size)
            begin = _BEGINS.search(file.read(size))
            begins_s.append(float(begin[1]) if begin else 0.0)
    part_s = duration_s / max(parts, 1)
    return begins_s[1] - begins_s[0] > duration_s - part_s + max(part_s, _ROUNDED_S)


def _why_unreadable(path: Path) -> str:
    """What in a header keeps a file from being read, and what to do about it."""
    with path.open("rb") as file:
        content = file.read(_HEAD * (MOST_SIGNALS + 1) + 1)
    signals = int(content[252:256])
    if len(content) <= _HEAD * (signals + 1):
        return "it holds a header alone, or part of one. Fetch it again"
    if not content[244:252].strip(b" .0"):
        return "its parts last 0 s by its header. Write it anew"
    if b"," in content[244:252] + content[_HEAD + 104 * signals : _HEAD + 120 * signals]:
        return "its header has decimal commas, where EDF has points. Write it anew"
    return "its header is damaged. Fetch it again, or write it as WFDB"


def _source(
    path: Path, signals: Sequence[Any], chosen: Chosen, duration_s: float, notes: list[str]
) -> Source:
    try:
        rates = [float(one.sampling_frequency) for one in signals]
        flat = [
            one.label
            for one in signals
            if one.digital_min == one.digital_max or one.physical_min == one.physical_max
        ]
    except ValueError as error:
        raise InputError(f"{path.name}: not a readable EDF file: {_why_unreadable(path)}.") from error
    if not all(0 < one < math.inf for one in (duration_s, *rates)):
        raise InputError(f"{path.name}: not a readable EDF file: {_why_unreadable(path)}.")
    if flat:
        raise InputError(f"{path.name}: {', '.join(flat)} has no range of values. Mend the file's header.")
    rate_hz = max(rates)
    slower = [f"{lead} ({own:g} Hz)" for lead, own in zip(chosen.names, rates, strict=True) if own < rate_hz]
    if slower:
        notes.append(f"brought to {rate_hz:g} samples a second: {', '.join(slower)}")

    def read(first: int, end: int) -> NDArray[np.float64]:
        start, stop = math.floor(first / rate_hz), min(math.ceil(end / rate_hz), duration_s)
        skip = first - round(start * rate_hz)
        length = round(stop * rate_hz) - round(start * rate_hz)  # as edfio has it where a rate is not whole
        leads = []
        for one, own, mv in zip(signals, rates, chosen.mv, strict=True):
            part = np.asarray(one.get_data_slice(start, stop), np.float64) * mv
            leads.append(part if own == rate_hz else at_rate(part, rate_hz / own, length))
        return np.stack(leads)[:, skip : skip + end - first]

    samples = int(duration_s * rate_hz + 1e-6)
    return Source(chosen.names, chosen.kinds, chosen.units, rate_hz, samples, read, lambda: notes)
