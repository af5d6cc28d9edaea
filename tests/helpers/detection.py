"""Detectors of heartbeats, measured against annotated recordings: within 150 ms, flutter left out.

EC57 also leaves out the first five minutes of each record, for a detector to learn its heart from. `find_beats`
learns nothing, so whole records are counted, and beside them what EC57 counts (``after_5_min``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.recordings.annotations import Annotations
from leadwise.recordings.qrs import find_beats
from leadwise.scores.draws import Interval, bootstrap_share
from leadwise.sets.recordings import EC57_FROM_S, RATE_HZ, Recording

TOLERANCE_S = 0.15

Detector = Callable[[Recording], NDArray[np.int64]]


def _ours(recording: Recording) -> NDArray[np.int64]:
    return find_beats(recording.record.signals[list(recording.order)], RATE_HZ)


def _of_one_lead(recording: Recording) -> NDArray[np.int64]:
    return find_beats(recording.record.signals[[recording.channel]], RATE_HZ)


def _xqrs(recording: Recording) -> NDArray[np.int64]:
    from wfdb.processing import xqrs_detect

    return np.asarray(xqrs_detect(recording.record.signals[recording.channel], RATE_HZ, verbose=False))


def _gqrs(recording: Recording) -> NDArray[np.int64]:
    from wfdb.processing import gqrs_detect

    return np.asarray(gqrs_detect(recording.record.signals[recording.channel], RATE_HZ))


DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {"all_leads": _ours, "one_lead": _of_one_lead, "xqrs": _xqrs, "gqrs": _gqrs}
)
"""The first two are `find_beats`; those of wfdb look at the lead that is used (MLII where there is one)."""


def matched(known: NDArray[np.int64], found: NDArray[np.int64]) -> tuple[int, int, int]:
    """Beats found, missed and made up; a found beat is that of one known beat within TOLERANCE_S, at RATE_HZ."""
    from wfdb.processing import compare_annotations

    if not len(known) or not len(found):
        return 0, len(known), len(found)
    pairs = compare_annotations(known, found, round(TOLERANCE_S * RATE_HZ) + 1)
    return pairs.tp, pairs.fn, pairs.fp


def without_flutter(marks: Annotations, samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some `samples` that lie in no episode of ventricular flutter: its waves are no beats to be found."""
    margin = round(TOLERANCE_S * RATE_HZ)
    kept = np.ones(len(samples), bool)
    ends = marks.samples[marks.symbols == "]"]
    for start in marks.samples[marks.symbols == "["].tolist():
        later = ends[ends > start]
        end = int(later[0]) if len(later) else np.inf
        kept &= (samples < start - margin) | (samples > end + margin)
    return samples[kept]


def detections(
    recordings: Iterable[Recording], detectors: Mapping[str, Detector] = DETECTORS
) -> pd.DataFrame:
    """Rows of ``detector, record, counted, found, missed, made_up, seconds`` (of one core, for the whole record).

    Three a recording and detector: `counted` is ``all``, the record's part, and ``after_5_min``.
    """
    rows, late = [], EC57_FROM_S * RATE_HZ
    for recording in recordings:
        known = without_flutter(recording.marks, recording.marks.beats.samples)
        for name, detector in detectors.items():
            begun = time.process_time()
            samples = np.unique(detector(recording))
            seconds = time.process_time() - begun
            samples = without_flutter(recording.marks, samples)
            whole = matched(known, samples)
            after = matched(known[known >= late], samples[samples >= late])
            part = recording.of.part_of(recording.name)
            rows += [
                (name, recording.name, counted, *counts, seconds)
                for counted, counts in (("all", whole), (part, whole), ("after_5_min", after))
            ]
    return pd.DataFrame(
        rows, columns=["detector", "record", "counted", "found", "missed", "made_up", "seconds"]
    )


def summed_up(found: pd.DataFrame) -> pd.DataFrame:
    """A row a detector and what was counted: ``sensitivity`` and ``ppv`` as `Interval`.

    Over all beats, intervals by bootstrap over records; beside them the number of records, that of beats, and the
    ``seconds`` of the slowest record.
    """
    rows = []
    for detector, of_it in found.groupby("detector", sort=False):
        for counted, some in of_it.groupby("counted"):
            beats = int((some["found"] + some["missed"]).sum())
            shares = (_share(some, lost) for lost in ("missed", "made_up"))
            rows.append((detector, counted, len(some), beats, *shares, float(some["seconds"].max())))
    return pd.DataFrame(
        rows, columns=["detector", "counted", "records", "beats", "sensitivity", "ppv", "seconds"]
    )


def _share(found: pd.DataFrame, lost: str) -> Interval:
    right, wrong = found["found"].to_numpy(), found[lost].to_numpy()
    values = np.repeat(np.tile([1.0, 0.0], len(found)), np.stack([right, wrong], axis=1).ravel())
    return bootstrap_share(values, np.repeat(found["record"].to_numpy(), right + wrong).tolist())
