"""Recordings of another country, to ask a model about hearts that its set cannot hold: PTB-XL, by its codes.

Wagner et al., *PTB-XL, a large publicly available electrocardiography dataset*, version 1.0.3, PhysioNet,
doi:10.13026/kfzx-aw45, CC BY 4.0. Its ten folds share no patient, by its own design.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import pandas as pd

from leadwise.errors import InputError
from leadwise.files import sha256
from leadwise.names import SUPERCLASSES
from leadwise.sets.recordings import RecordingSet

PTBXL_FOLD10 = RecordingSet(
    "ptbxl_fold10",
    person_prefix="ptbxl",
    caution="Recordings of German clinics of the 1980s and 1990s. Statements have no likelihoods here, the patient "
    "is known of some alone (of the others each recording counts as one), and so is the age. Research use only.",
)
"""Fold 10 of PTB-XL, whole but for the sixty that nothing is fitted on, as ``records/`` and ``labels.csv``."""

SURE = 50
"""From this likelihood in % on a statement is held to be meant; PTB-XL gives one with each code."""

PHOTOGRAPHED = frozenset({12, 1630, 1885, 2579, 2694})
"""Numbers of recordings whose prints others photographed: nothing is fitted on them, so they can test a reader."""

_HELD_OUT = 10
_OLDEST = 90  # PTB-XL hides ages above 89 as 300


def stated_recordings(folder: Path, but: Path | None = None) -> pd.DataFrame:
    """The recordings of a folder with what is stated of each, whatever its likelihood, in order of their numbers.

    Columns ``record, ecg_id, patient_id, age, codes, fold, path``, one truth for each of `SUPERCLASSES`, and
    ``sure_mi``: an infarction at `SURE` or more, unknown where likelihoods are not given. `codes` are a set a
    recording; `path` is without suffix. The folder is laid out as PTB-XL is, or as `PTBXL_FOLD10` with
    ``labels.csv``; whose superclasses are not known is left out, and so are the records of the folder `but`. Raises
    `InputError` where its tables are not there or not as they should be.
    """
    labelled = (folder / "labels.csv").is_file()
    table = _of_labels(folder) if labelled else _of_database(*read_recordings(folder))
    left_out = {_number(path.stem) for path in but.rglob("*.hea")} if but else set()
    kept = table[~table["ecg_id"].isin(left_out)]
    columns = ["record", "ecg_id", "patient_id", "age", "codes", *SUPERCLASSES, "sure_mi", "fold", "path"]
    return kept[columns].sort_values("ecg_id", ignore_index=True)


def by_folds(folder: Path, fold10: Path | None = None, but: Path | None = None) -> dict[str, pd.DataFrame]:
    """`stated_recordings` of fold 10 (`fold_10`) and of the other folds (`folds_1_to_9`), each recording once.

    `folder` is laid out as PTB-XL is; where `fold10`, the folder of `PTBXL_FOLD10`, is given, those of fold 10 are
    taken from there alone, also those that `folder` has too. A part without a recording is left out. Raises as
    `stated_recordings`.
    """
    recordings = stated_recordings(folder, but)
    parts = {
        "fold_10": stated_recordings(fold10, but) if fold10 else recordings[recordings["fold"] == _HELD_OUT],
        "folds_1_to_9": recordings[recordings["fold"] != _HELD_OUT],
    }
    return {name: part.reset_index(drop=True) for name, part in parts.items() if len(part)}


def taught_and_tested(parts: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Who teaches and who tests, of parts as `by_folds` gives them: fold 10 without PHOTOGRAPHED, and the others.

    Of the embedded recordings, none of which is known to be of fold 10, one half teaches and the other tests, which
    says nothing.
    """
    tested = parts["folds_1_to_9"]
    if "fold_10" not in parts:
        return tested[::2].reset_index(drop=True), tested[1::2].reset_index(drop=True)
    of_fold_10 = parts["fold_10"]
    return of_fold_10[~of_fold_10["ecg_id"].isin(PHOTOGRAPHED)].reset_index(drop=True), tested


def fingerprint(recordings: pd.DataFrame) -> str:
    """Twelve hex digits over the recordings' signals and superclasses: equal where these are."""
    digest = hashlib.sha256()
    for row in recordings[["record", *SUPERCLASSES, "path"]].itertuples(index=False):
        *told, path = row
        files = sorted(path.parent.glob(f"{path.name}.*"))
        digest.update("\0".join([*map(str, told), *map(sha256, files)]).encode() + b"\n")
    return digest.hexdigest()[:12]


def _of_labels(folder: Path) -> pd.DataFrame:
    paths = _paths(folder)
    try:
        table = pd.read_csv(folder / "labels.csv")
        known = table.dropna(subset=[*SUPERCLASSES])
        known = known[known["ecg_id"].isin(paths)]
        person = known["patient_id"].map("patient-{:.0f}".format, na_action="ignore")
        return pd.DataFrame(
            {
                "record": known["ecg_id"].map(lambda number: paths[number].name),
                "ecg_id": known["ecg_id"],
                "patient_id": person.fillna(known["ecg_id"].map("recording-{}".format)),
                "age": known["age"].astype(float).clip(upper=_OLDEST),
                "codes": known["scp_codes"].map(lambda codes: frozenset(codes.split())),
                **{name: known[name] == 1 for name in SUPERCLASSES},
                "sure_mi": pd.array([pd.NA] * len(known), "boolean"),
                "fold": _HELD_OUT,
                "path": known["ecg_id"].map(paths),
            }
        )
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise InputError(f"{folder}: its labels.csv is not as it should be ({error}).") from error


def _of_database(recordings: pd.DataFrame, statements: pd.DataFrame) -> pd.DataFrame:
    classes = statements["diagnostic_class"]
    stated = recordings["codes"].map(lambda codes: {classes.get(code) for code in codes})
    sure = recordings["codes"].map(
        lambda codes: any(classes.get(code) == "MI" and likely >= SURE for code, likely in codes.items())
    )
    return recordings.rename(columns={"patient": "patient_id"}).assign(
        ecg_id=recordings["record"].map(_number),
        codes=recordings["codes"].map(frozenset),
        sure_mi=sure.astype("boolean"),
        **{name: stated.map(lambda some, name=name: name in some) for name in SUPERCLASSES},
    )


def _paths(folder: Path) -> dict[int, Path]:
    return {_number(path.stem): path.with_suffix("") for path in (folder / "records").glob("*.hea")}


def _number(record: str) -> int:
    """PTB-XL's number of a recording, by the name of its file: ``00003_hr``."""
    digits = record.partition("_")[0]
    return int(digits) if digits.isdigit() else -1


def read_recordings(folder: Path, but: Path | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """PTB-XL's recordings as `record, patient, age, recorded_at, codes, fold, path`, and its table of statements.

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
                "fold": table.get("strat_fold", float("nan")),
            }
        )
    except (OSError, KeyError, ValueError, SyntaxError) as error:
        raise InputError(f"{folder}: not laid out as PTB-XL is ({error}).") from error
    left_out = {path.stem for path in but.rglob("*.hea")} if but else set()
    paths = {path.stem: path.with_suffix("") for path in (folder / "records").glob("*.hea")}
    kept = recordings["record"].isin(paths.keys() - left_out)
    return recordings[kept].assign(path=lambda kept: kept["record"].map(paths)), statements
