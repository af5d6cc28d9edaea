"""What experts wrote beside a recording: its beats, each in the class in which classifiers are compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
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
