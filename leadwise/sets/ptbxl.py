"""Recordings of another country, to ask a page model about hearts that its set cannot hold: PTB-XL, by its codes.

Wagner et al., *PTB-XL, a large publicly available electrocardiography dataset*, version 1.0.3, PhysioNet,
doi:10.13026/kfzx-aw45, CC BY 4.0.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd

from leadwise.errors import InputError
from leadwise.sets.sample import unpack_resource

LABELS = ("normal", "rhythm", "mi")
"""What a recording may be called here, in the order of all tables."""

_SURE = 50  # likelihood in %, as PTB-XL gives it with each code
_USUAL_RHYTHM = {"SR", "SARRH"}  # sinus rhythm, and the sinus arrhythmia of breathing


def unpack_recordings(folder: Path) -> Path:
    """Write the twelve embedded recordings below `folder`, laid out as PTB-XL is, and return it."""
    return unpack_resource("ptbxl12.tar.xz", folder)


def labelled_recordings(folder: Path, but: Path | None = None) -> pd.DataFrame:
    """The recordings of a folder with ``ptbxl_database.csv``, ``scp_statements.csv`` and ``records/``.

    Columns ``record, patient_id, label, path`` (without suffix). ``mi``: any statement of the class MI, old or fresh,
    however likely; ``rhythm``: none, and a rhythm other than sinus; ``normal``: no statement of another class than
    NORM at 50 % or more, and sinus rhythm. All others are left out, and so are the records of the folder `but`.
    Raises `InputError` where the tables are not there or not as PTB-XL has them.
    """
    told, statements = read_tables(folder)
    classes, rhythms = statements["diagnostic_class"], statements.index[statements["rhythm"] == 1]
    found = found_records(folder, but)
    rows = []
    for name, patient, own in zip(told["record"], told["patient"], told["codes"], strict=True):
        label = _label(own, classes, set(rhythms) - _USUAL_RHYTHM)
        if label and name in found:
            rows.append((name, patient, label, found[name]))
    return pd.DataFrame(rows, columns=["record", "patient_id", "label", "path"])


def read_tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """PTB-XL's two tables: its recordings with `record`, `patient` and `codes` beside the rest, and its statements.

    Raises `InputError` where they are not there or not as PTB-XL has them.
    """
    try:
        told = pd.read_csv(folder / "ptbxl_database.csv")
        statements = pd.read_csv(folder / "scp_statements.csv", index_col=0)
        lacking = {"diagnostic_class", "rhythm"} - set(statements)
        if lacking:
            raise KeyError(min(lacking))
        told = told.assign(
            record=told["filename_hr"].map(lambda path: Path(path).name),
            patient=told["patient_id"].map("patient-{:.0f}".format),
            codes=told["scp_codes"].map(ast.literal_eval),
        )
    except (OSError, KeyError, ValueError, SyntaxError) as error:
        raise InputError(f"{folder}: not laid out as PTB-XL is ({error}).") from error
    return told, statements


def found_records(folder: Path, but: Path | None = None) -> dict[str, Path]:
    """Paths (without suffix) of the recordings below ``records/``, by name, without those of the folder `but`."""
    left_out = {path.stem for path in but.rglob("*.hea")} if but else set()
    paths = sorted((folder / "records").glob("*.hea"))
    return {path.stem: path.with_suffix("") for path in paths if path.stem not in left_out}


def _label(codes: dict[str, float], classes: pd.Series, other_rhythms: set[str]) -> str | None:
    if any(classes.get(code) == "MI" for code in codes):
        return "mi"
    if other_rhythms & set(codes):
        return "rhythm"
    sure = {classes.get(code) for code, likely in codes.items() if likely >= _SURE}
    return "normal" if {one for one in sure if isinstance(one, str)} == {"NORM"} else None
