"""Recordings that are called normal or not as a whole, cut into beats: PTB-XL, and PTB where the user has it.

PTB-XL: Wagner et al., version 1.0.3, PhysioNet, doi:10.13026/kfzx-aw45, CC BY 4.0. PTB: Bousseljot, Kreiseler and
Schnabel (1995), version 1.0.0, PhysioNet, doi:10.13026/C28C71, ODC-BY 1.0.

A beat has its recording's label. No one has looked at it alone: a beat of an abnormal recording may be a normal beat.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError, LeadwiseError
from leadwise.files import natural, sha256
from leadwise.names import TASKS
from leadwise.recordings.heartbeats import cut_heartbeats
from leadwise.recordings.qrs import find_beats
from leadwise.recordings.records import read_record, rhythm_first
from leadwise.sets.ptbxl import read_recordings

LEAD = "II"
"""The lead whose beats are cut: that of the published "heartbeat" files."""

_HEALTHY, _REASON = "healthy control", "reason for admission"


@dataclass(frozen=True)
class LabelledBeats:
    """Beats of recordings: a row a beat in both.

    `table` has ``beat_id, record, group_id, label, age, time_s, rate_bpm`` (the recording's median rate), `rows` are
    float16 ``(beats, 187)`` as `leadwise.recordings.heartbeats` makes them. `left_out` tells ``record, why``.
    """

    table: pd.DataFrame
    rows: NDArray[np.float16]
    left_out: pd.DataFrame


def ptbxl_records(folder: Path, but: Path | None = None) -> pd.DataFrame:
    """The recordings of a folder laid out as PTB-XL is, as ``record, group_id, label, age, path`` (without suffix).

    ``normal``: NORM is the one diagnostic class that is stated, however likely; all others are ``other``, also those
    without any. Records of the folder `but` are left out. Raises `InputError` for another layout, or no recording.
    """
    recordings, statements = read_recordings(folder, but)
    classes = statements["diagnostic_class"].dropna()
    rows = []
    for row in recordings.itertuples(index=False):
        stated = {classes[code] for code in row.codes if code in classes}
        rows.append((row.record, row.patient, TASKS["normal"][stated != {"NORM"}], row.age, row.path))
    return _records(rows, folder)


def ptbdb_records(folder: Path) -> pd.DataFrame:
    """The same of PTB (``patient001/s0010_re.hea``): ``healthy`` or ``other`` by the reason for admission.

    Recordings whose header gives no reason are left out; the group is the patient's folder.
    """
    import wfdb

    rows = []
    for path in sorted(
        folder.glob("patient*/*.hea"), key=lambda path: natural(f"{path.parent.name}/{path.name}")
    ):
        comments = [line.strip().lower() for line in wfdb.rdheader(str(path.with_suffix(""))).comments]
        told = {key: value.strip() for key, _, value in (line.partition(":") for line in comments)}
        if told.get(_REASON, "n/a") not in ("", "n/a"):
            label = TASKS["healthy"][told[_REASON] != _HEALTHY]
            age = float(told["age"]) if told.get("age", "").isdigit() else float("nan")
            rows.append(
                (f"{path.parent.name}-{path.stem}", path.parent.name, label, age, path.with_suffix(""))
            )
    return _records(rows, folder)


def fingerprint(records: pd.DataFrame) -> str:
    """Twelve hex digits over the recordings' files, labels and groups: equal where the data are."""
    digest = hashlib.sha256()
    for name, group, label, path in records[["record", "group_id", "label", "path"]].itertuples(index=False):
        files = sorted(path.parent.glob(f"{path.name}.*"))
        digest.update("\0".join([name, group, label, *map(sha256, files)]).encode() + b"\n")
    return digest.hexdigest()[:12]


def labelled_beats(records: pd.DataFrame) -> LabelledBeats:
    """The beats of lead II, found by our detector on all leads, cut as the published "heartbeat" files are.

    `records` as `ptbxl_records` gives them. The last beat of each is left out, as there. A recording that cannot be
    read, has no lead II, or fewer than three beats is left out and told. Raises `InputError` where none is left.
    """
    from tqdm import tqdm

    tables, parts, left_out = [], [], []
    for row in tqdm(
        records.itertuples(index=False), "recordings", len(records), mininterval=1, file=sys.stdout
    ):
        try:
            table, rows = _beats_of(row)
        except LeadwiseError as error:
            left_out.append((row.record, str(error)))
            continue
        tables.append(table)
        parts.append(rows)
    if not tables:
        raise InputError(f"none of {len(records)} recordings can be used. The first: {left_out[0][1]}")
    return LabelledBeats(
        pd.concat(tables, ignore_index=True),
        np.concatenate(parts),
        pd.DataFrame(left_out, columns=["record", "why"]),
    )


def _beats_of(recording: Any) -> tuple[pd.DataFrame, NDArray[np.float16]]:
    record = read_record(recording.path)
    lead = record.lead(LEAD)
    r_samples = find_beats(record.signals[list(rhythm_first(record.names))], record.rate_hz)
    if len(r_samples) < 3:
        raise InputError(
            f"{recording.record}: {len(r_samples)} beats were found, too few to cut any by its interval."
        )
    rows = cut_heartbeats(lead, record.rate_hz, r_samples)
    kept = rows.any(axis=1)  # not the last one, nor where the lead is flat
    if not kept.any():
        raise InputError(f"{recording.record}: lead {LEAD} is flat or unknown at all of its beats.")
    times_s = r_samples / record.rate_hz
    table = pd.DataFrame(
        {
            "beat_id": [f"{recording.record}-{sample:07d}" for sample in r_samples[kept].tolist()],
            "record": recording.record,
            "group_id": recording.group_id,
            "label": recording.label,
            "age": recording.age,
            "time_s": times_s[kept],
            "rate_bpm": 60 / float(np.median(np.diff(times_s))),
        }
    )
    return table, rows[kept].astype(np.float16)


def _records(rows: list[tuple[str, str, str, float, Path]], folder: Path) -> pd.DataFrame:
    if not rows:
        raise InputError(f"{folder}: no recording with a label lies there.")
    return pd.DataFrame(rows, columns=["record", "group_id", "label", "age", "path"])
