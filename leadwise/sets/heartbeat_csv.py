"""The four "heartbeat" files, where somebody has them: beats of MIT-BIH and PTB without a record beside them.

``mitbih_train.csv, mitbih_test.csv, ptbdb_normal.csv, ptbdb_abnormal.csv`` of Kachuee, Fazeli and Sarrafzadeh
(arXiv:1805.00794), as Kaggle has them: no header, 187 values between 0 and 1, then the class. Since no row says whose
beat it is, no split of these files can keep people apart; `leadwise.recordings.heartbeats` rebuilds such rows from
recordings.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import MissingInput, TableError
from leadwise.names import AAMI, WINDOW_LABELS
from leadwise.recordings.heartbeats import LENGTH

FILES = {
    "mitbih_train.csv": AAMI,
    "mitbih_test.csv": AAMI,
    "ptbdb_normal.csv": WINDOW_LABELS,
    "ptbdb_abnormal.csv": WINDOW_LABELS,
}
"""The files, with what their classes 0, 1, ... mean."""


def counted(folder: Path) -> pd.DataFrame:
    """Rows of each class in those of the four files that lie in a folder: a row a file, a column a class.

    Raises as `read_heartbeat_csv` does.
    """
    labels = {name: read_heartbeat_csv(folder / name)[1] for name in FILES if (folder / name).is_file()}
    counts = {name: pd.Series(of_file).value_counts() for name, of_file in labels.items()}
    known = dict.fromkeys(name for classes in FILES.values() for name in classes)
    return pd.DataFrame(counts).T.reindex(columns=list(known)).fillna(0).astype(int)


def read_heartbeat_csv(path: Path) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Rows ``(beats, 187)`` between 0 and 1 and their classes by name ``(beats,)``; the file's name says which set.

    Raises `MissingInput` where there is no such file, `TableError` with row and column for another number of columns,
    an unknown class, or a value that is none or lies outside 0 to 1.
    """
    path = Path(path)
    if path.name not in FILES:
        raise TableError(f"{path}: not one of {', '.join(FILES)}; the name says which classes the rows have.")
    if not path.is_file():
        raise MissingInput(f"{path}: no such file. It is one of four; give the folder in which they all lie.")
    try:
        table = pd.read_csv(path, header=None, dtype=np.float64)
    except pd.errors.EmptyDataError as error:
        raise TableError(f"{path}: holds no row. Fetch it again.") from error
    except (ValueError, pd.errors.ParserError) as error:
        raise TableError(f"{path}: not a table of numbers ({error}). Fetch it again.") from error
    if table.shape[1] != LENGTH + 1:
        raise TableError(
            f"{path}: {table.shape[1]} columns; {LENGTH} values and the class, {LENGTH + 1} in all, are needed. "
            "Was a column cut off, or an index written beside them?"
        )
    values, numbers = table.to_numpy()[:, :LENGTH], table.to_numpy()[:, LENGTH]
    wrong = ~((values >= 0) & (values <= 1))  # nan is neither
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise TableError(
            f"{path}: row {row + 1}, column {column + 1}: {values[row, column]} is not within 0 to 1."
        )
    classes = FILES[path.name]
    unknown = ~np.isin(numbers, np.arange(len(classes)))
    if unknown.any():
        row = int(unknown.argmax())
        raise TableError(
            f"{path}: row {row + 1}: class {numbers[row]:g} is none of 0 to {len(classes) - 1} "
            f"({', '.join(classes)})."
        )
    return values.astype(np.float32), np.array(classes, np.str_)[numbers.astype(np.int64)]
