"""Pictures of transfer: three ways with their floors, and what differs between them, paired."""

from __future__ import annotations

import pandas as pd

from leadwise.figures.forest import Look, forest, how_many, judged, panel_names
from leadwise.figures.style import ALARM, MARK, MODEL_COLOURS, Picture
from leadwise.scores.transfer import LEVELS

_SETS = {"normal": "PTB-XL", "healthy": "PTB"}
_LOOKS = {
    ("leaky_beats", "beat"): ("beats at random, by beat: leaks", Look(ALARM, filled=False)),
    ("patient_folds", "beat"): ("by patient, by beat", Look(MARK)),
    ("patient_folds", "patient"): ("by patient, by patient", Look(MODEL_COLOURS[1], "s")),
}
"""What is drawn of protocols and units, and how."""


def three_ways(scores: pd.DataFrame) -> Picture:
    """A row a way or floor, a panel a metric: with the leak and without, by beat and by patient.

    Rows of ``scores.csv`` of one task, under ``patient_folds`` and ``leaky_beats``.
    """
    kinds = [_LOOKS.get(key, ("",))[0] for key in zip(scores["protocol"], scores["unit"], strict=True)]
    points = scores.assign(row=_ways(scores), panel=scores["metric"], kind=kinds)
    return forest(
        points[points["kind"] != ""],
        panel_names(scores),
        dict(_LOOKS.values()),
        title=f"From MIT-BIH to {_SETS[scores['task'].iloc[0]]}",
        caption=f"{how_many(scores)}; lines: 95 % intervals, patients drawn; frequent_class, rate_alone and "
        "age_alone are floors,\nand the AUPRC of frequent_class is the share that is not normal",
        shown=".3f",
    )


def differences(differences: pd.DataFrame) -> Picture:
    """Paired differences of one task: ways against each other, and the leak's price for each way.

    Rows of ``differences.csv``: under ``patient_folds`` minus another way or a floor, and of ``leaky_beats`` minus
    ``protocol=patient_folds``.
    """
    ways = differences[differences["protocol"] == "patient_folds"]
    leak = differences[differences["minus"] == "protocol=patient_folds"]
    rows = [
        _ways(ways) + " minus " + ways["minus"].str.removeprefix("way="),
        _ways(leak) + ": what the leak adds",
    ]
    points = judged(pd.concat([ways, leak])).drop(columns="colour").assign(row=pd.concat(rows))
    return forest(
        points.assign(panel=points["metric"], kind="by " + points["unit"]),
        panel_names(points),
        {f"by {unit}": _LOOKS["patient_folds", unit][1] for unit in LEVELS},
        title="What differs, paired",
        caption="lines: 95 % intervals, the same draws of patients on both sides; hollow: the interval holds 0\n"
        f"{how_many(points)}; first rows are without the leak",
        line=0.0,
        shown="+.3f",
        axis="Difference",
    )


def _ways(rows: pd.DataFrame) -> pd.Series:
    """What stands before each row: the way, or the floor's name."""
    ways = rows["condition"].str.removeprefix("way=")
    return ways.where(ways != "", rows["model"])
