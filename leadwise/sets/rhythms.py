"""Recordings whose rhythm is known: CinC 2017 by record, MIT-BIH by its notes of rhythm; as stretches of 30 s.

The PhysioNet/CinC Challenge 2017 (Clifford et al. 2017, doi:10.13026/d3hm-sf11) has 8,528 recordings of one lead from
a hand-held device, each called normal (N), atrial fibrillation (A), another rhythm (O) or too noisy (~). Of a part of
them, about a third is held out by a digest of the record's name. Persons are not told.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import MissingInput
from leadwise.recordings.episodes import episodes_of, in_episodes, overlap_s, read_rhythm
from leadwise.recordings.filters import band_passed
from leadwise.recordings.qrs import find_beats
from leadwise.recordings.records import Record, read_record, rhythm_first
from leadwise.recordings.stretches import FEATURES, LENGTH_S, described
from leadwise.sets.recordings import MITDB, RecordingSet, find_recordings

CINC_COUNTS: Mapping[str, int] = {"N": 5050, "A": 738, "O": 2456, "~": 284}
"""Recordings of each class as published: what a part that has more of A is weighed back to."""

SHORT_S = 10.0
"""What a printed strip shows; recordings are also cut into pieces of that length, so that such are known."""

_HELD_OUT_OF = 3


def is_held_out(record: str) -> bool:
    """Whether a recording of CinC 2017 is kept for the test."""
    return int(hashlib.sha256(record.encode()).hexdigest(), 16) % _HELD_OUT_OF == 0


def cinc_records(folder: Path) -> pd.DataFrame:
    """Rows `record, label, held_out` of the recordings that lie in a folder.

    Labels are those of ``REFERENCE.csv`` as published, or of ``labels.csv`` with columns `record, label`. Raises
    `MissingInput` where neither is there.
    """
    published = folder / "REFERENCE.csv"
    if published.is_file():
        labels = pd.read_csv(published, header=None, names=["record", "label"], dtype=str)
    elif (folder / "labels.csv").is_file():
        labels = pd.read_csv(folder / "labels.csv", dtype=str)
    else:
        raise MissingInput(
            f"{folder}: neither REFERENCE.csv nor labels.csv tells what the recordings are. Put one there, or take "
            "the folder away."
        )
    labels = labels[[(folder / f"{record}.hea").is_file() for record in labels["record"]]]
    return labels.assign(held_out=labels["record"].map(is_held_out)).reset_index(drop=True)


def cinc_stretches(folder: Path, records: pd.DataFrame, length_s: float = LENGTH_S) -> pd.DataFrame:
    """Stretches of some of `cinc_records`, a row each: `set, record, start_s`, FEATURES, `length_s, label, is_af`."""
    rows = []
    for row in _shown(list(records.itertuples(index=False)), "CinC 2017"):
        starts, table = described_record(read_record(folder / f"{row.record}.hea"), length_s)
        rows.append(
            _rows("cinc2017", row.record, starts, table).assign(
                length_s=length_s, label=row.label, is_af=row.label == "A"
            )
        )
    return pd.concat(rows, ignore_index=True)


def noted_stretches(folder: Path, records: Sequence[str], of: RecordingSet = MITDB) -> pd.DataFrame:
    """Stretches of annotated records, as `cinc_stretches`; one is in fibrillation or flutter for half of it or more.

    `duration_s` is that of the record.
    """
    here = {path.stem: path for path in find_recordings(folder)}
    rows = []
    for name in _shown([name for name in records if name in here], of.name):
        record = read_record(here[name])
        duration_s = record.signals.shape[1] / record.rate_hz
        truth = read_rhythm(here[name], duration_s)
        starts, table = described_record(record)
        af_s = [overlap_s([(start, min(start + LENGTH_S, duration_s))], truth) for start in starts.tolist()]
        rows.append(
            _rows(of.name, name, starts, table).assign(
                length_s=LENGTH_S, label="", is_af=np.array(af_s) > LENGTH_S / 2, duration_s=duration_s
            )
        )
    return pd.concat(rows, ignore_index=True)


def beats_in_episodes(
    beats: pd.DataFrame, stretches: pd.DataFrame, probability: NDArray[np.floating]
) -> pd.Series:
    """Which beats of ``beats.csv`` lie in an episode of fibrillation, by ``beat_id``.

    `stretches` are `noted_stretches` of their records, `probability` ``(stretches,)`` how likely each is one.
    """
    found = pd.Series(data=False, index=beats["beat_id"])
    times_s = beats.set_index("beat_id").groupby("record")["time_s"]
    for record, own in stretches.assign(probability=probability).groupby("record"):
        episodes = episodes_of(
            own["start_s"].to_numpy(), own["probability"].to_numpy(), float(own["duration_s"].iloc[0])
        )
        if episodes:
            when = times_s.get_group(record)
            found[when.index] = in_episodes(when.to_numpy(), episodes)
    return found


def strip_stretches(folder: Path) -> pd.DataFrame:
    """Lead II of PTB-XL's recordings of 10 s in a folder with their ``labels.csv``, a stretch each, as above.

    One is of fibrillation or flutter where its statements hold AFIB or AFLT.
    """
    codes = pd.read_csv(folder / "labels.csv").set_index("ecg_id")["scp_codes"].str.split()
    rows = []
    for path in _shown(find_recordings(folder / "records"), "strips"):
        record = read_record(path)
        strip = Record(record.lead("II")[None], ("II",), record.rate_hz)
        starts, table = described_record(strip)
        is_af = not {"AFIB", "AFLT"}.isdisjoint(codes[int(path.stem.split("_")[0])])
        rows.append(_rows("ptbxl", path.stem, starts, table).assign(length_s=SHORT_S, label="", is_af=is_af))
    return pd.concat(rows, ignore_index=True)


def described_record(
    record: Record, length_s: float = LENGTH_S
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Its stretches as `described` gives them, by the beats that are found in it."""
    order = list(rhythm_first(record.names))
    beats = find_beats(record.signals[order], record.rate_hz)
    lead_mv = band_passed(record.signals[order[:1]], record.rate_hz)[0]
    return described(lead_mv, record.rate_hz, beats / record.rate_hz, length_s)


def _rows(of: str, record: str, starts: NDArray[np.float64], table: NDArray[np.float64]) -> pd.DataFrame:
    rows = pd.DataFrame(table, columns=list(FEATURES))
    rows.insert(0, "start_s", starts)
    rows.insert(0, "record", record)
    rows.insert(0, "set", of)
    return rows


def _shown(items: Sequence, what: str) -> Iterator:  # type: ignore[type-arg]
    from tqdm import tqdm

    yield from tqdm(items, what, mininterval=1, file=sys.stdout)
