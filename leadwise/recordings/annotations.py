"""Marks beside a recording: those of experts, each beat in the class in which classifiers are compared; and ours."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
from leadwise.files import written_whole
from leadwise.names import SYMBOLS


@dataclass(frozen=True)
class Annotations:
    """Marks in order of time: `samples` ``(marks,)`` at the record's rate, `symbols` ``(marks,)``, one sign each."""

    samples: NDArray[np.int64]
    symbols: NDArray[np.str_]

    @property
    def beats(self) -> Annotations:
        """The beats alone."""
        kept = np.isin(self.symbols, list(SYMBOLS))
        return Annotations(self.samples[kept], self.symbols[kept])

    @property
    def classes(self) -> NDArray[np.str_]:
        """The AAMI class of each mark; all of them must be beats."""
        return np.array([SYMBOLS[symbol] for symbol in self.symbols.tolist()], np.str_)

    def between(self, first: int, end: int) -> Annotations:
        """The marks at samples ``first`` to ``end - 1``."""
        kept = slice(*np.searchsorted(self.samples, [first, end]).tolist())
        return Annotations(self.samples[kept], self.symbols[kept])


def read_annotations(path: Path) -> Annotations:
    """Read the annotations of a WFDB record (path without suffix, or of its ``.hea``).

    Raises `MissingInput` where the record has none, `InputError` where they cannot be read.
    """
    import wfdb

    path = path.with_suffix("") if path.suffix == ".hea" else path
    file = path.with_name(f"{path.name}.atr")
    if not file.is_file():
        raise MissingInput(
            f"{file.name}: the record {path.name} has no annotations beside it, so its beats have no classes. "
            "Put the file there, or leave the record out."
        )
    try:
        annotation = wfdb.rdann(str(path), "atr")
    except (ValueError, OSError, IndexError, KeyError) as error:
        raise InputError(f"{file}: not readable as WFDB annotations ({error}). Fetch it again.") from error
    return Annotations(np.asarray(annotation.sample, np.int64), np.array(annotation.symbol, np.str_))


RHYTHM = "+"
"""The symbol of a change of rhythm, whose note names it: ``(AFIB``, ``(N``."""


def write_annotations(
    marks: Annotations, target: Path, rate_hz: float, rhythm: Sequence[tuple[int, str]] = ()
) -> None:
    """Write marks as WFDB annotations to `target`, whose suffix names the annotator, in letters.

    `rhythm` are changes of rhythm: the sample of each, and its note as WFDB has it, such as ``(AFIB``.
    """
    import wfdb

    changes = Annotations(
        np.array([at for at, _ in rhythm], np.int64), np.array([RHYTHM] * len(rhythm), np.str_)
    )
    samples = np.concatenate([changes.samples, marks.samples])
    order = np.argsort(samples, kind="stable")
    notes = [*(note for _, note in rhythm), *[""] * len(marks.samples)]
    symbols = [*changes.symbols.tolist(), *marks.symbols.tolist()]
    with tempfile.TemporaryDirectory() as folder, written_whole(target) as aside:
        wfdb.wrann(
            "r",
            target.suffix[1:],
            samples[order],
            symbol=[symbols[number] for number in order],
            aux_note=[notes[number] for number in order],
            fs=rate_hz,
            write_dir=folder,
        )
        aside.write_bytes((Path(folder) / f"r{target.suffix}").read_bytes())
