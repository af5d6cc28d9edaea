"""What transfer is worth: three ways and their floors, by beat and by patient, paired, with and without the leak.

A beat is not an independent draw, so it is patients that are drawn for every interval. A patient's answer is the mean
over their beats, and a patient is of the second class where any of their recordings is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadwise.names import TASKS
from leadwise.scores.draws import of_shared_seeds, page_metrics
from leadwise.scores.table import compared, scored, selected, stated, written

LEVELS = ("beat", "patient")
METRICS = ("accuracy", "auroc", "auprc")
PAIRS = (
    *(("tuned", "scratch"), ("frozen", "scratch"), ("tuned", "frozen")),
    *((way, "age_alone") for way in ("scratch", "frozen", "tuned")),
)
"""What is compared, the second taken from the first."""

_BEGINS = {"scratch": "random", "frozen": "mitdb", "tuned": "mitdb"}
"""What each way begins from."""

Answers = Mapping[tuple[str, str], pd.DataFrame]
"""Test answers for beats, by protocol and way (or floor)."""


def by_patient(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers for beats as answers for patients: a row a patient and seed."""
    classes = TASKS[str(answers["task"].iloc[0])]
    prob = [f"prob_{name}" for name in classes]
    beats = answers.assign(label=answers["label"] == classes[1])
    keys = ["model", "task", "protocol", "role", "seed", "group_id"]
    patients = beats.groupby(keys, as_index=False).agg({**dict.fromkeys(prob, "mean"), "label": "any"})
    label = np.where(patients["label"], classes[1], classes[0])
    return patients.assign(label=label, unit_id=patients["group_id"], unit="patient")


def always(answers: pd.DataFrame) -> dict[str, int]:
    """In how many folds a model says the same of everything that it is asked, by what it says.

    Accuracy does not tell: a published ensemble of .722 said "abnormal" of every beat, and nobody saw it.
    """
    prob = answers[[f"prob_{name}" for name in TASKS[str(answers["task"].iloc[0])]]]
    called = prob.idxmax(axis=1).str.removeprefix("prob_").groupby([answers["seed"], answers["fold"]])
    same = called.first()[called.nunique().eq(1)]
    return {str(name): int(n) for name, n in same.value_counts().items()}


def transfer_scores(answers: Answers, model: str, draws: int = 2000) -> pd.DataFrame:
    """Rows of ``scores.csv`` by protocol, way and level: METRICS, F1 of the second class, and how many it has.

    Ways are those of the network `model` and stand in the condition; a floor is a model of its own. `always_<class>`
    is in how many folds, of `n`, it says that class of everything.
    """
    tables = []
    for (_, way), of_way in answers.items():
        classes = TASKS[str(of_way["task"].iloc[0])]
        for level in LEVELS:
            rows = of_way if level == "beat" else by_patient(of_way)
            place = _place(way, model) | {"unit": level}
            scores = scored(rows, page_metrics(classes), (*METRICS, f"f1_{classes[1]}"), draws, **place)
            once = rows[rows["seed"] == rows["seed"].iloc[0]]
            place = scores.iloc[0].drop(["metric", "value", "low", "high"]).to_dict()
            count = {f"units_{classes[1]}": int((once["label"] == classes[1]).sum())}
            folds = of_way.groupby(["seed", "fold"]).ngroups
            same = {f"always_{name}": n for name, n in always(of_way).items()}
            tables += [scores, stated(count, **place), stated(same, **(place | {"n": folds}))]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def transfer_differences(answers: Answers, model: str, draws: int = 2000) -> pd.DataFrame:
    """Rows of ``differences.csv``: PAIRS of what has answers, under each protocol; each way, leaky minus by patient.

    Both answer for the same beats in the same seeds, so all are paired.
    """
    protocols = dict.fromkeys(protocol for protocol, _ in answers)
    pairs = [
        ((name, way), (name, other), f"way={other}" if other in _BEGINS else other)
        for name in protocols
        for way, other in PAIRS
        if (name, other) in answers
    ]
    pairs += [
        (("leaky_beats", way), ("patient_folds", way), "protocol=patient_folds")
        for protocol, way in answers
        if protocol == "leaky_beats" and way in _BEGINS
    ]
    tables = []
    for key, other_key, minus in pairs:
        a, b = of_shared_seeds(answers[key], answers[other_key])
        place = {"minus": minus, **_place(key[1], model)}
        measure = page_metrics(TASKS[str(a["task"].iloc[0])])
        tables.append(compared(a, b, measure, METRICS, draws, unit="beat", **place))
        tables.append(
            compared(by_patient(a), by_patient(b), measure, METRICS, draws, unit="patient", **place)
        )
    return pd.concat(tables, ignore_index=True)


def summary(scores: pd.DataFrame, differences: pd.DataFrame, task: str) -> str:
    """What was found for a task, in a few sentences made of computed numbers."""
    scores, differences = (selected(table, task=task) for table in (scores, differences))
    parts = []
    for unit in LEVELS:
        rows = selected(scores, protocol="patient_folds", unit=unit, metric="auroc")
        values = ", ".join(
            f"`{row.condition.removeprefix('way=') or row.model}` {written(row)}" for row in rows.itertuples()
        )
        parts.append(f"By patient, AUROC over {rows['n'].iloc[0]:,} {unit}s: {values}.")
    parts += [
        f"`{row.condition}` minus `{row.minus}`, by {row.unit}: {_verdict(row)}."
        for row in selected(differences, protocol="patient_folds", metric="auroc").itertuples()
    ]
    leak = selected(differences, minus="protocol=patient_folds", metric="accuracy", unit="beat")
    parts += [
        f"The leak adds to the accuracy of `{row.condition}`, by beat: {_verdict(row)}."
        for row in leak.itertuples()
    ]
    same = selected(scores, unit="beat")
    same = same[same["metric"].str.startswith("always_") & (same["model"] != "frequent_class")]
    parts += [
        f"`{row.condition or row.model}` under `{row.protocol}` says the same of everything: "
        f"{row.metric.removeprefix('always_')} in {row.value:.0f} of {row.n} folds."
        for row in same.itertuples()
    ]
    return f"**{task}** (`{TASKS[task][0]}` against `{TASKS[task][1]}`). " + " ".join(parts)


def _place(way: str, model: str) -> dict[str, Any]:
    if way not in _BEGINS:
        return {"model": way}
    return {"model": model, "weights": _BEGINS[way], "condition": {"way": way}}


def _verdict(row: Any) -> str:
    """A difference with its interval, and whether chance alone may have made it."""
    clear = row.low > 0 or row.high < 0
    return written(row, signed=True) + ("" if clear else ", may be chance")
