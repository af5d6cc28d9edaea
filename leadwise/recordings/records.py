"""Recordings in and out: WFDB for programs, CSV for people."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
from leadwise.files import written_whole
from leadwise.names import LEADS
from leadwise.pages.digitize import N_LEAD, N_STRIP, RATE_HZ, Signals
from leadwise.pages.forms import known_form
from leadwise.recordings.files import header_beside, open_file
from leadwise.recordings.which_leads import kind_of
from leadwise.workers import memory

STRIP = "strip"
"""Name of the rhythm strip among the signals of a page's record."""

RHYTHM_LEADS = ("MLII", "II")
"""Leads in which beats are looked for first: nearly all records of MIT-BIH have MLII, 114 as its second channel."""


@dataclass(frozen=True)
class Record:
    """One recording: `signals` ``(leads, samples)`` in mV, the names of its leads, samples a second.

    `units` are those of the file that it was read from, by lead, and `notes` what was set aside or assumed then.
    """

    signals: NDArray[np.floating]
    names: tuple[str, ...]
    rate_hz: float
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def lead(self, name: str) -> NDArray[np.float64]:
        """One lead by name, whichever case it is written in. Raises `InputError`, which names those there are."""
        names = [known.lower() for known in self.names]
        if name.lower() not in names:
            raise InputError(f"no lead {name} in this record; it has {', '.join(self.names)}")
        return np.asarray(self.signals[names.index(name.lower())])


def read_record(path: Path) -> Record:
    """Read the ECG leads of a recording, in mV: WFDB (path without suffix, or of its ``.hea``), EDF, or DICOM.

    What is no ECG by its name or unit is set aside, as `Record.notes` tells. Raises `MissingInput` where there is no
    such record, `InputError` where it cannot be read or has no ECG.
    """
    path = header_beside(path)
    if not path.is_file():
        raise MissingInput(f"{path}: no such record")
    with tempfile.TemporaryDirectory(dir=memory()) as scratch:
        source = open_file(path, Path(scratch))
        signals = source.read(0, source.samples)
        return Record(signals, source.names, source.rate_hz, source.units, tuple(source.notes()))


def rhythm_first(names: Sequence[str | None]) -> tuple[int, ...]:
    """The numbers of a record's leads, from 0: one of RHYTHM_LEADS, then those named as an ECG, then the others."""
    upper = [(name or "").upper() for name in names]
    first = next((upper.index(name) for name in RHYTHM_LEADS if name in upper), None)
    others = [kind_of(name, "mV") != "ecg" for name in upper]
    return tuple(sorted(range(len(upper)), key=lambda number: (number != first, others[number])))


def record_of(signals: Signals) -> Record:
    """A page as one recording of 10 s: each lead in its 2.5 s and nan elsewhere, then the rhythm strip."""
    table = np.full((len(LEADS) + 1, N_STRIP), np.nan)
    for names in known_form().rows:
        for column, name in enumerate(names):
            lead = LEADS.index(name)
            table[lead, column * N_LEAD : (column + 1) * N_LEAD] = signals.leads[lead]
    table[-1] = signals.strip
    return Record(table, (*LEADS, STRIP), RATE_HZ)


def write_record(record: Record, folder: Path, name: str, comments: list[str]) -> None:
    """Write ``name.hea`` and ``name.dat`` as `write_wfdb` does, and ``name.csv``: ``time_s``, then ``I_mv`` ...

    `comments` go into the header, where `read_record` and every WFDB tool can show them.
    """
    write_wfdb(record, folder, name, comments)
    with written_whole(folder / f"{name}.csv") as path:
        path.write_text(as_csv(record, [f"{lead}_mv" for lead in record.names]), encoding="utf-8")


def write_wfdb(record: Record, folder: Path, name: str, comments: list[str]) -> None:
    """Write ``name.hea`` and ``name.dat`` to a folder (WFDB, 16 bit, 1 microvolt a step).

    `comments` go into the header; nan becomes WFDB's invalid sample, which every WFDB tool leaves out.
    """
    import wfdb

    folder.mkdir(parents=True, exist_ok=True)
    steps = np.clip(np.round(record.signals * 1000), -32767, 32767)  # -32768 is WFDB's word for unknown
    steps = np.where(np.isfinite(record.signals), steps, -32768).T
    wfdb.wrsamp(
        name,
        fs=record.rate_hz,
        units=["mV"] * len(record.names),
        sig_name=list(record.names),
        d_signal=steps.astype(np.int64),
        fmt=["16"] * len(record.names),
        adc_gain=[1000.0] * len(record.names),
        baseline=[0] * len(record.names),
        comments=comments,
        write_dir=str(folder),
    )


def as_csv(record: Record, heads: Sequence[str]) -> str:
    """A row a sample, mV to a microvolt, empty where it is unknown; `heads` name its columns after ``time_s``.

    Times are told to a millisecond, or as much finer as the rate needs for each to differ.
    """
    digits = max(3, math.ceil(math.log10(record.rate_hz)))
    known = np.isfinite(record.signals)
    cells = np.full((len(record.names) + 1, record.signals.shape[1]), "", object)
    cells[0] = [f"{number / record.rate_hz:.{digits}f}" for number in range(cells.shape[1])]
    cells[1:][known] = [f"{value:.3f}" for value in record.signals[known].tolist()]
    return "\n".join([",".join(["time_s", *heads]), *map(",".join, cells.T), ""])
