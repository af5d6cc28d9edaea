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

RECORDINGS = 21_799
"""So many has version 1.0.3, by its page."""

_SURE = 50  # likelihood in %, as PTB-XL gives it with each code
_SINUS = {"SR", "SARRH", "SBRAD", "STACH"}  # of usual rate, as breathing has it, slow, fast
_OLDEST = 90  # PTB-XL hides ages above 89 as 300


def labelled_recordings(folder: Path, but: Path | None = None) -> pd.DataFrame:
    """The recordings of a folder with ``ptbxl_database.csv``, ``scp_statements.csv`` and ``records/``.

    Columns ``record, patient_id, label, age, recorded_at, path`` (without suffix). ``mi``: a statement of the class
    MI, old or fresh, at 50 % or more; ``rhythm``: none of that class, however unlikely, and a rhythm other than sinus
    (a slow or fast sinus rhythm is none); ``normal``: no such rhythm, none of that class either, and none of another
    than NORM at 50 % or more. All others are left out, and so are the records of the folder `but`.
    Raises `InputError` where the tables are not there or not as PTB-XL has them.
    """
    recordings, statements = read_recordings(folder, but)
    classes, rhythms = statements["diagnostic_class"], statements.index[statements["rhythm"] == 1]
    labels = [_label(codes, classes, set(rhythms) - _SINUS) for codes in recordings["codes"]]
    table = recordings.rename(columns={"patient": "patient_id"}).assign(label=labels)
    columns = ["record", "patient_id", "label", "age", "recorded_at", "path"]
    return table[columns].dropna(subset="label", ignore_index=True)


def origin(recordings: pd.DataFrame) -> str:
    """A sentence on which recordings of PTB-XL these are, of a table as `labelled_recordings` gives it."""
    numbers = recordings["record"].str.extract(r"(\d+)", expand=False).astype(int)
    first, last = (
        f"{end:%Y-%m}" if pd.notna(end) else "?" for end in recordings["recorded_at"].agg(["min", "max"])
    )
    shares = recordings["label"].value_counts(normalize=True)
    called = ", ".join(f"{shares.get(label, 0):.0%} {label}" for label in LABELS)
    return (
        f"{len(recordings)} recordings of PTB-XL, numbers {numbers.min()} to {numbers.max()} of {RECORDINGS:,}, "
        f"dated {first} to {last}: those at hand, not a random draw; {called}."
    )


def read_recordings(folder: Path, but: Path | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """PTB-XL's recordings as `record, patient, age, recorded_at, codes, path`, and its table of statements.

    Those below ``records/`` alone, and without the records of the folder `but`; `path` is without suffix. `age` in
    years, 90 for all above 89, which PTB-XL hides, nan where none is stated; `recorded_at` may be unknown.
    Raises `InputError` where the tables are not there or not as PTB-XL has them.
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
                "age": table["age"].astype(float).clip(upper=_OLDEST),
                "recorded_at": pd.to_datetime(table.get("recording_date", pd.NaT)),
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
    sure = {classes.get(code) for code, likely in codes.items() if likely >= _SURE}
    if "MI" in sure:
        return "mi"
    if any(classes.get(code) == "MI" for code in codes):
        return None
    if other_rhythms & set(codes):
        return "rhythm"
    return "normal" if {name for name in sure if isinstance(name, str)} == {"NORM"} else None
