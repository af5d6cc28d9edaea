"""Recordings of another country, to ask a page model about hearts that its set cannot hold: PTB-XL, by its codes.

Wagner et al., *PTB-XL, a large publicly available electrocardiography dataset*, version 1.0.3, PhysioNet,
doi:10.13026/kfzx-aw45, CC BY 4.0.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd

from leadwise.errors import InputError

LABELS = ("normal", "rhythm", "mi")
"""What a recording may be called here, in the order of all tables."""

_SURE = 50  # likelihood in %, as PTB-XL gives it with each code
_USUAL_RHYTHM = {"SR", "SARRH"}  # sinus rhythm, and the sinus arrhythmia of breathing


def labelled_recordings(folder: Path, but: Path | None = None) -> pd.DataFrame:
    """The recordings of a folder with ``ptbxl_database.csv``, ``scp_statements.csv`` and ``records/``.

    Columns ``record, patient_id, label, path`` (without suffix). ``mi``: any statement of the class MI, old or fresh,
    however likely; ``rhythm``: none, and a rhythm other than sinus; ``normal``: no statement of another class than
    NORM at 50 % or more, and sinus rhythm. All others are left out, and so are the records of the folder `but`.
    Raises `InputError` where the tables are not there or not as PTB-XL has them.
    """
    recordings, statements = read_recordings(folder, but)
    classes, rhythms = statements["diagnostic_class"], statements.index[statements["rhythm"] == 1]
    labels = [_label(codes, classes, set(rhythms) - _USUAL_RHYTHM) for codes in recordings["codes"]]
    table = recordings.rename(columns={"patient": "patient_id"}).assign(label=labels)
    return table[["record", "patient_id", "label", "path"]].dropna(subset="label", ignore_index=True)


def read_recordings(folder: Path, but: Path | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """PTB-XL's recordings as `record, patient, codes, path` (without suffix), and its table of statements.

    Those below ``records/`` alone, and without the records of the folder `but`. Raises `InputError` where the tables
    are not there or not as PTB-XL has them.
    """
    try:
        table = pd.read_csv(folder / "ptbxl_database.csv")
        statements = pd.read_csv(folder / "scp_statements.csv", index_col=0)
        lacking = {"diagnostic_class", "rhythm"} - set(statements)
        if lacking:
            raise KeyError(min(lacking))
        recordings = pd.DataFrame(
            {
                "record": table["filename_hr"].map(lambda path: Path(path).name),
                "patient": table["patient_id"].map("patient-{:.0f}".format),
                "codes": table["scp_codes"].map(ast.literal_eval),
            }
        )
    except (OSError, KeyError, ValueError, SyntaxError) as error:
        raise InputError(f"{folder}: not laid out as PTB-XL is ({error}).") from error
    left_out = {path.stem for path in but.rglob("*.hea")} if but else set()
    paths = {path.stem: path.with_suffix("") for path in (folder / "records").glob("*.hea")}
    kept = recordings["record"].isin(paths.keys() - left_out)
    return recordings[kept].assign(path=lambda kept: kept["record"].map(paths)), statements


def _label(codes: dict[str, float], classes: pd.Series, other_rhythms: set[str]) -> str | None:
    if any(classes.get(code) == "MI" for code in codes):
        return "mi"
    if other_rhythms & set(codes):
        return "rhythm"
    sure = {classes.get(code) for code, likely in codes.items() if likely >= _SURE}
    return "normal" if {name for name in sure if isinstance(name, str)} == {"NORM"} else None
