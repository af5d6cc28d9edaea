"""What is known of windows and beats before any network: whose they are, which are odd, who is right unseen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.names import AAMI
from leadwise.recordings.heartbeats import PUBLISHED
from leadwise.recordings.windows import HOP_S, LENGTH, count_within
from leadwise.sets.recordings import RATE_HZ, Recording, load_recording

ONE_SIDED = 0.95
"""A record is one-sided where one label has this share of its windows."""

_NOT_THE_WORST = 0.95
_FEWEST_BEATS = 20  # a median of fewer is no usual beat


def widest(records: pd.DataFrame) -> str:
    """The record that shows most: most classes of beats, then most ventricular ones."""
    counts = records[[f"beats_{name}" for name in AAMI]]
    order = pd.DataFrame({"kinds": (counts > 0).sum(axis=1), "v": records["beats_V"]})
    return str(records.loc[order.sort_values(["kinds", "v"]).index[-1], "record"])


def telling_start(recording: Recording) -> float:
    """The second at which the window with most classes of beats begins, the rarest of them as often as may be."""
    beats = recording.marks.beats
    classes = beats.classes
    by_class = (beats.samples[classes == name] for name in AAMI)
    table = np.stack([count_within(samples, recording.starts, LENGTH) for samples in by_class], axis=1)
    worth = 100 * (table > 0).sum(axis=1) + np.where(table > 0, table, 1000).min(axis=1)
    return float(recording.starts[int(worth.argmax())] / RATE_HZ)


def most_restless(paths: Iterable[Path]) -> tuple[Recording, float]:
    """The recording whose baseline wanders most, and the second at which a window begins that shows it.

    By the spread of the medians of a window's seconds; of each record the window that one in twenty exceeds, since
    the worst of all is an electrode that came off.
    """
    most: tuple[float, Path, float] | None = None
    for path in paths:
        recording = load_recording(path)
        lead = np.nan_to_num(recording.record.signals[recording.channel])
        second = round(RATE_HZ)
        medians = np.median(lead[: len(lead) // second * second].reshape(-1, second), axis=1)
        first = (recording.starts // second).astype(np.int64)
        spread = np.array([medians[at : at + round(LENGTH / second)].std() for at in first])
        if len(spread):
            chosen = int(np.argsort(spread)[int(_NOT_THE_WORST * (len(spread) - 1))])
            if most is None or spread[chosen] > most[0]:
                most = float(spread[chosen]), path, float(recording.starts[chosen] / RATE_HZ)
    if most is None:
        raise InputError("no recording has a window, so none can be shown.")
    return load_recording(most[1]), most[2]


def odd_ones(windows: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Windows that show what the published rule does: without a beat, a tie, all beats abnormal; and `what` they are.

    The last is of the record without a pacemaker that has the largest share of abnormal windows. A kind that does not
    occur is left out.
    """
    unpaced = records[records["part"] != "paced"].set_index("record")
    share = unpaced["windows_abnormal"] / unpaced["windows"].clip(lower=1)
    oddest = share.idxmax() if len(share) else None  # none where every record is paced
    kinds = {
        "no beat": windows[windows["decided"] == "no_beat"],
        "a tie": windows[windows["decided"] == "tie"],
        "all beats abnormal": windows[
            (windows["record"] == oddest) & (windows["beats_normal"] == 0) & (windows["beats_abnormal"] > 0)
        ],
    }
    rows = [
        of_kind.iloc[[len(of_kind) // 2]].assign(what=what) for what, of_kind in kinds.items() if len(of_kind)
    ]
    return pd.concat(rows, ignore_index=True) if rows else windows.iloc[:0].assign(what="")


def label_floors(windows: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Accuracies without a look at the signal, of all records and of those without a pacemaker.

    Columns ``of, records, windows, always_normal, record_alone, one_sided``: always saying normal; saying each
    record's own majority; number of records of which one label has 95 % or more.
    """
    paced = records.loc[records["part"] == "paced", "record"]
    rows = []
    for name, kept in (("all records", windows), ("no pacemaker", windows[~windows["record"].isin(paced)])):
        abnormal = (kept["label"] == "abnormal").groupby(kept["record"]).agg(["mean", "size"])
        most = np.maximum(abnormal["mean"], 1 - abnormal["mean"])
        rows.append(
            {
                "of": name,
                "records": len(abnormal),
                "windows": len(kept),
                "always_normal": float((kept["label"] == "normal").mean()),
                "record_alone": float((most * abnormal["size"]).sum() / abnormal["size"].sum()),
                "one_sided": int((most >= ONE_SIDED).sum()),
            }
        )
    return pd.DataFrame(rows)


def overlapping(placed: pd.DataFrame) -> float:
    """Share of tested windows that share half of their samples with one that was learned from.

    `placed` has `record, start_s, part`, a row a window (`leadwise.folds.partition.units_in_folds`).
    """
    step = (placed["start_s"] / HOP_S).round().astype(int)
    learned = set(
        zip(placed["record"][placed["part"] == "train"], step[placed["part"] == "train"], strict=True)
    )
    tested = placed["part"] == "test"
    near = [
        (record, at - 1) in learned or (record, at + 1) in learned
        for record, at in zip(placed["record"][tested], step[tested], strict=True)
    ]
    return float(np.mean(near))


def usual_beats(contexts: NDArray[np.floating], beats: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Median normal beat ``(samples,)`` of each record with at least 20, first lead, about its own median.

    `contexts` ``(beats, leads, samples)``, a row for each of `beats`.
    """
    usual = {}
    for name, rows in beats[beats["label"] == "N"].groupby("record", sort=False).groups.items():
        if len(rows) >= _FEWEST_BEATS:
            beat = np.median(np.asarray(contexts[np.asarray(rows), 0], np.float64), axis=0)
            usual[str(name)] = beat - np.median(beat)
    return usual


def not_published(rebuilt: pd.Series) -> list[str]:
    """Classes whose number of rows is not that of the published files, a sentence each."""
    return [
        f"{name} has {int(rebuilt.get(name, 0))} rows and not {number}"
        for name, number in PUBLISHED.items()
        if rebuilt.get(name, 0) != number
    ]


def always(label: str, tested: pd.DataFrame, profile: str, seed: int) -> pd.DataFrame:
    """Rows of ``predictions.csv`` of whoever calls every beat `label`. `tested`: beats under one protocol, placed."""
    return pd.DataFrame(
        {
            "unit": "beat",
            "unit_id": tested["beat_id"],
            "group_id": tested["group_id"],
            "model": f"always_{label}",
            "profile": profile,
            "task": "aami5",
            "protocol": "interpatient",
            "seed": seed,
            "fold": tested["fold"],
            "role": "test",
            "held_out": None,
            "label": tested["label"],
            **{f"prob_{name}": float(name == label) for name in AAMI},
        }
    ).reset_index(drop=True)
