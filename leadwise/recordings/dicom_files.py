"""A DICOM ECG (waveforms, not pictures) as a `Source`, by pydicom: its longest group of signals with an ECG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.names import shortened
from leadwise.recordings.sources import Chosen, Source, choose
from leadwise.recordings.which_leads import MOST_SIGNALS

_MOST_BYTES = 100_000_000


def open_dicom(path: Path) -> Source:
    """Open a DICOM file. Raises `InputError` for one that cannot be read or holds no ECG, naming its modality."""
    try:
        import pydicom
        from pydicom.waveforms.numpy_handler import multiplex_array
    except ImportError as error:
        raise InputError(
            f"{path.name}: DICOM needs one more package. Install it with `pip install leadwise[formats]`, or pydicom."
        ) from error
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{path.name}: over {_MOST_BYTES / 1e6:.0f} MB, which no DICOM ECG is.")
    try:
        data: Any = pydicom.dcmread(path)
        modality = str(data.get("Modality", "unknown"))
        groups = list(data.get("WaveformSequence", []))
    except MemoryError:
        raise
    except Exception as error:  # whatever a made file may do to its reader
        raise InputError(
            f"{path.name}: not a readable DICOM file: it has no header of one, or is cut off. Export it again."
        ) from error
    if not groups:
        raise InputError(
            f"{path.name}: a DICOM file of modality {shortened(modality, 16)} without waveforms. A DICOM ECG holds "
            "signals; a picture of one is read as a page: export it as PNG or PDF."
        )
    try:
        rates = [float(one.SamplingFrequency) for one in groups]
        samples = [int(one.NumberOfWaveformSamples) for one in groups]
        seconds = [length / rate if rate > 0 else 0.0 for length, rate in zip(samples, rates, strict=True)]
        longest, chosen = _longest(path.name, groups, seconds)
        values = np.asarray(data.waveform_array(longest), np.float64)
        if "WaveformPaddingValue" in groups[longest]:
            values[_padded(multiplex_array(data, longest), groups[longest])] = np.nan
        signals = values[:, list(chosen.numbers)].T * np.array(chosen.mv)[:, None]
        rate_hz = rates[longest]
        channels = groups[longest].ChannelDefinitionSequence
        without = [
            name
            for name, number in zip(chosen.names, chosen.numbers, strict=True)
            if "ChannelSensitivity" not in channels[number]
        ]
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise InputError(
            f"{path.name}: not a readable DICOM waveform: it is cut off, or its signals are not told. Export it "
            "again."
        ) from error
    if not rate_hz > 0:
        raise InputError(
            f"{path.name}: {rate_hz:g} samples a second, which no recorder has. Export it again."
        )
    notes = list(chosen.notes)
    if without:
        notes.append(
            f"no sensitivity is told for {', '.join(without)}: 1 unit a step was assumed, so heights may be wrong"
        )
    if len(groups) > 1:
        others = ", ".join(f"{length:g} s" for number, length in enumerate(seconds) if number != longest)
        notes.append(
            f"of {len(groups)} groups of signals the longest with an ECG is read ({seconds[longest]:g} s; not "
            f"{others})"
        )
    return Source(
        chosen.names, chosen.kinds, chosen.units, rate_hz, signals.shape[1],
        lambda first, end: signals[:, first:end], lambda: notes,
    )  # fmt: skip


def _longest(file: str, groups: Sequence[Any], seconds: Sequence[float]) -> tuple[int, Chosen]:
    """The number of the longest group with an ECG, one that is named so before others, and what is read of it.

    Raises what is to be said of the longest where none has an ECG.
    """
    found: dict[int, Chosen] = {}
    refused: dict[int, InputError] = {}
    for number, group in enumerate(groups):
        channels = list(group.ChannelDefinitionSequence)
        try:
            if len(channels) > MOST_SIGNALS:
                raise InputError(f"{file}: {len(channels)} signals; 1 to {MOST_SIGNALS} are read.")
            found[number] = choose(file, [_name(one) for one in channels], [_unit(one) for one in channels])
        except InputError as error:
            refused[number] = error
    if not found:
        raise refused[max(refused, key=seconds.__getitem__)]
    longest = max(found, key=lambda number: ("ecg" in found[number].kinds, seconds[number]))
    return longest, found[longest]


def _padded(steps: NDArray[np.integer], group: Any) -> NDArray[np.bool_]:
    """Where a group's samples ``(samples, channels)``, as they are stored, are its padding."""
    padding = group.WaveformPaddingValue
    if isinstance(padding, bytes):  # those of one sample, as samples are stored; pydicom leaves them so
        padding = np.frombuffer(padding, steps.dtype, 1) if padding else None
    return np.asarray(steps == padding)


def _name(channel: Any) -> str:
    """A channel's lead: what its code means, or else its label."""
    source = channel.get("ChannelSourceSequence")
    means = str(source[0].get("CodeMeaning", "")) if source else ""
    return means.removeprefix("Lead ").strip() or str(channel.get("ChannelLabel", "")).strip()


def _unit(channel: Any) -> str:
    units = channel.get("ChannelSensitivityUnitsSequence")
    return str(units[0].get("CodeValue", "")) if units else ""
