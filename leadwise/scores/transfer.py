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
from leadwise.scores.draws import page_metrics
from leadwise.scores.table import compared, scored, selected, stated, written

LEVELS = ("beat", "patient")
METRICS = ("accuracy", "auroc", "auprc")
PAIRS = (("tuned", "scratch"), ("frozen", "scratch"), ("tuned", "frozen"))
"""Ways that are compared, the second taken from the first."""

_BEGINS = {"scratch": "random", "frozen": "mitdb", "tuned": "mitdb"}
"""What each way begins from."""

Answers = Mapping[tuple[str, str], pd.DataFrame]
"""Test answers for beats, by protocol and way (or floor)."""


def by_patient(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers for beats as answers for patients: a row a patient and seed."""
    classes = TASKS[str(answers["task"].iloc[0])]
    prob = [f"prob_{name}" for name in classes]
    told = answers.assign(label=answers["label"] == classes[1])
    keys = ["model", "task", "protocol", "role", "seed", "group_id"]
    found = told.groupby(keys, as_index=False).agg({**dict.fromkeys(prob, "mean"), "label": "any"})
    label = np.where(found["label"], classes[1], classes[0])
    return found.assign(label=label, unit_id=found["group_id"], unit="patient")


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
    for (_, way), own in answers.items():
        classes = TASKS[str(own["task"].iloc[0])]
        for level in LEVELS:
            given = own if level == "beat" else by_patient(own)
            place = _place(way, model) | {"unit": level}
            found = scored(given, page_metrics(classes), (*METRICS, f"f1_{classes[1]}"), draws, **place)
            once = given[given["seed"] == given["seed"].iloc[0]]
            place = found.iloc[0].drop(["metric", "value", "low", "high"]).to_dict()
            count = {f"units_{classes[1]}": int((once["label"] == classes[1]).sum())}
            folds = own.groupby(["seed", "fold"]).ngroups
            same = {f"always_{name}": n for name, n in always(own).items()}
            tables += [found, stated(count, **place), stated(same, **(place | {"n": folds}))]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def transfer_differences(answers: Answers, model: str, draws: int = 2000) -> pd.DataFrame:
    """Rows of ``differences.csv``: PAIRS under each protocol; each way under ``leaky_beats`` minus ``patient_folds``.

    Both answer for the same beats in the same seeds, so all are paired.
    """
    tables = []
    for protocol in dict.fromkeys(protocol for protocol, _ in answers):
        for one, other in PAIRS:
            tables += _paired(
                answers[protocol, one], answers[protocol, other], model, f"way={other}", one, draws
            )
    for protocol, way in answers:
        if protocol == "leaky_beats" and way in _BEGINS:
            honest = answers["patient_folds", way]
            tables += _paired(answers[protocol, way], honest, model, "protocol=patient_folds", way, draws)
    return pd.concat(tables, ignore_index=True)


def said(scores: pd.DataFrame, differences: pd.DataFrame, task: str) -> str:
    """What was found for a task, in a few sentences made of computed numbers."""
    own, told = (selected(table, task=task) for table in (scores, differences))
    parts = []
    for unit in LEVELS:
        rows = selected(own, protocol="patient_folds", unit=unit, metric="auroc")
        values = ", ".join(
            f"`{one.condition.removeprefix('way=') or one.model}` {written(one)}" for one in rows.itertuples()
        )
        parts.append(f"By patient, AUROC over {rows['n'].iloc[0]:,} {unit}s: {values}.")
    parts += [
        f"`{one.condition}` minus `{one.minus}`, by {one.unit}: {_verdict(one)}."
        for one in selected(told, protocol="patient_folds", metric="auroc").itertuples()
    ]
    parts += [
        f"The leak adds to the accuracy of `{one.condition}`, by beat: {_verdict(one)}."
        for one in selected(told, minus="protocol=patient_folds", metric="accuracy", unit="beat").itertuples()
    ]
    same = own[
        own["metric"].str.startswith("always_") & (own["model"] != "frequent_class") & (own["unit"] == "beat")
    ]
    parts += [
        f"`{one.condition or one.model}` under `{one.protocol}` says the same of everything: "
        f"{one.metric.removeprefix('always_')} in {one.value:.0f} of {one.n} folds."
        for one in same.itertuples()
    ]
    return f"**{task}** (`{TASKS[task][0]}` against `{TASKS[task][1]}`). " + " ".join(parts)


def _place(way: str, model: str) -> dict[str, Any]:
    if way not in _BEGINS:
        return {"model": way}
    return {"model": model, "weights": _BEGINS[way], "condition": {"way": way}}


def _paired(
    a: pd.DataFrame, b: pd.DataFrame, model: str, minus: str, way: str, draws: int
) -> list[pd.DataFrame]:
    """Differences of METRICS at both levels, on the seeds that both have."""
    seeds = sorted(set(a["seed"]) & set(b["seed"]))
    a, b = (one[one["seed"].isin(seeds)] for one in (a, b))
    measure = page_metrics(TASKS[str(a["task"].iloc[0])])
    pairs = {"beat": (a, b), "patient": (by_patient(a), by_patient(b))}
    return [
        compared(one, other, measure, METRICS, draws, minus=minus, unit=level, **_place(way, model))
        for level, (one, other) in pairs.items()
    ]


def _verdict(one: Any) -> str:
    """A difference with its interval, and whether chance alone may have made it."""
    clear = one.low > 0 or one.high < 0
    return written(one, signed=True) + ("" if clear else ", may be chance")
