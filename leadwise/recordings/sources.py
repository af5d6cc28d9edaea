"""A recording that lies open: its signals, and any part of them in mV, so that a day need not lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.names import shortened
from leadwise.recordings.filters import resampled
from leadwise.recordings.which_leads import MV_OF, Kind, has_no_unit, kind_of, normal_unit

MOST_LEADS = 32


@dataclass(frozen=True)
class Source:
    """ECG leads of a recording: `names`, each once, samples a second, how many `samples` each has.

    `read` gives samples ``first`` to ``end - 1`` of all leads, ``(leads, end - first)`` in mV, nan where nothing is
    known. `kinds` tells which are ECG by their names and which leave it open; `units` are those of the file. `notes`
    say what was set aside or assumed; some are known only when all has been read.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    units: tuple[str, ...]
    rate_hz: float
    samples: int
    read: Callable[[int, int], NDArray[np.float64]] = field(repr=False)
    notes: Callable[[], Sequence[str]] = field(repr=False)

    @property
    def duration_s(self) -> float:
        """How long the recording is."""
        return self.samples / self.rate_hz


@dataclass(frozen=True)
class Chosen:
    """The signals that are, or may be, ECG: numbers in the file, names, kinds, units, mV a unit; what to say."""

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    units: tuple[str, ...]
    mv: tuple[float, ...]
    notes: tuple[str, ...]


def choose(file: str, names: Sequence[str], units: Sequence[str]) -> Chosen:
    """Set aside what is no ECG by its name or unit. Raises `InputError` where nothing is left, or too much."""
    kinds = [kind_of(name, unit) for name, unit in zip(names, units, strict=True)]
    kept = [number for number, kind in enumerate(kinds) if kind != "other"]
    aside = [
        (_in_words(name, unit), kind_of(name, "mV") == "ecg")
        for name, unit, kind in zip(names, units, kinds, strict=True)
        if kind == "other"
    ]
    unknown = shortened(", ".join(words for words, is_named in aside if is_named))
    unknown = f"the unit of {unknown} is not known: write mV, uV or V" if unknown else ""
    if not kept:
        why = unknown or "an ECG is one by its name, in volts, millivolts or microvolts"
        every = ", ".join(words for words, _ in aside)
        raise InputError(f"{file}: no ECG among its signals ({shortened(every)}): {why}.")
    if len(kept) > MOST_LEADS:
        raise InputError(f"{file}: {len(kept)} signals; 1 to {MOST_LEADS} are read.")
    no_ecg = shortened(", ".join(words for words, is_named in aside if not is_named))
    notes = [f"set aside, since it is no ECG: {no_ecg}"] if no_ecg else []
    notes += [f"set aside, since {unknown}"] if unknown else []
    without = [names[number] for number in kept if has_no_unit(units[number])]
    if without:
        notes.append(
            f"no unit is told for {', '.join(map(repr, without))}: mV was assumed, so heights may be wrong"
        )
    own = [units[number] for number in kept]
    return Chosen(
        tuple(kept),
        unique_names([names[number] for number in kept], kept),
        tuple(kinds[number] for number in kept),
        tuple(own),
        tuple(MV_OF[normal_unit(unit)] for unit in own),
        tuple(notes),
    )


def unique_names(names: Sequence[str], numbers: Sequence[int]) -> tuple[str, ...]:
    """Every lead with a name of its own: those without one are numbered from 1, and repeated ones."""
    every: list[str] = []
    for name, number in zip(names, numbers, strict=True):
        unique, again = (name or f"signal {number + 1}"), 2
        while unique in every:
            unique, again = f"{name or 'signal'} {again}", again + 1
        every.append(unique)
    return tuple(every)


def at_rate(signal: NDArray[np.float64], times: float, samples: int) -> NDArray[np.float64]:
    """A signal ``(n,)`` brought to `times` its rate, so many samples of it, nan where it was unknown."""
    unknown = ~np.isfinite(signal)
    faster = resampled(signal, 1.0, times)[:samples]
    at = np.minimum((np.arange(samples) / times).astype(np.int64), len(signal) - 1)
    faster = np.pad(faster, (0, samples - len(faster)), mode="edge")
    return np.where(unknown[at], np.nan, faster)


def _in_words(name: str, unit: str) -> str:
    return f"{name or 'a signal without a name'}" + ("" if has_no_unit(unit) else f" ({unit})")
