"""What transfer is worth: three ways and their floors, by beat and by patient, paired, with and without the leak.

A beat is not an independent draw, so it is patients that are drawn for every interval. A patient's answer is the mean
over their beats, and a patient is of the second class where any of their recordings is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadwise.names import TASKS
from leadwise.scores.draws import bootstrap_groups, paired_difference

LEVELS = ("beat", "patient")
METRICS = ("accuracy", "auroc", "auprc")
PAIRS = (("tuned", "scratch"), ("frozen", "scratch"), ("tuned", "frozen"))
"""Ways that are compared, the second taken from the first."""

FLOORS = ("rate_alone", "majority")

Answers = Mapping[tuple[str, str], pd.DataFrame]
"""Test answers for beats, by protocol and model."""


def by_patient(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers for beats as answers for patients: a row a patient and seed."""
    classes = TASKS[str(answers["task"].iloc[0])]
    prob = [f"prob_{name}" for name in classes]
    told = answers.assign(label=answers["label"] == classes[1])
    keys = ["model", "task", "protocol", "role", "seed", "group_id"]
    found = told.groupby(keys, as_index=False).agg({**dict.fromkeys(prob, "mean"), "label": "any"})
    label = np.where(found["label"], classes[1], classes[0])
    return found.assign(label=label, unit_id=found["group_id"], unit="patient")


def majority(answers: pd.DataFrame) -> pd.DataFrame:
    """The class that is frequent among the beats of the other folds, always."""
    classes = TASKS[str(answers["task"].iloc[0])]
    share = pd.Series(0.0, index=answers.index)
    for tested, others in _folds(answers):
        share[tested] = float((others["label"] == classes[1]).mean() > 0.5)
    return _floor(answers, "majority", share)


def rate_alone(answers: pd.DataFrame, beats: pd.DataFrame) -> pd.DataFrame:
    """A logistic regression on the recording's heart rate and its square, fitted on the beats of the other folds.

    `beats` has ``beat_id, rate_bpm``.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    classes = TASKS[str(answers["task"].iloc[0])]
    rate = answers["unit_id"].map(beats.set_index("beat_id")["rate_bpm"])
    share = pd.Series(0.0, index=answers.index)
    for tested, others in _folds(answers):
        fitted = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=1000))
        fitted.fit(rate[others.index].to_numpy()[:, None], others["label"] == classes[1])
        share[tested] = fitted.predict_proba(rate[tested].to_numpy()[:, None])[:, 1]
    return _floor(answers, "rate_alone", share)


def always(answers: pd.DataFrame) -> str:
    """Where a model says the same of everything that it is asked: ``other in 2 of 5 folds``; else nothing.

    Accuracy does not tell: a published ensemble of .722 said "abnormal" of every beat, and nobody saw it.
    """
    prob = answers[[f"prob_{name}" for name in TASKS[str(answers["task"].iloc[0])]]]
    called = prob.idxmax(axis=1).str.removeprefix("prob_").groupby([answers["seed"], answers["fold"]])
    same = called.first()[called.nunique().eq(1)]
    return "; ".join(f"{name} in {n} of {called.ngroups} folds" for name, n in same.value_counts().items())


def transfer_summary(answers: Answers, draws: int = 2000) -> pd.DataFrame:
    """A row a protocol, model and level: ``task, protocol, model, unit, n, positives, seeds, always``, then metrics.

    Metrics are METRICS and F1 of the second class, each with ``_low``, ``_high``; `n` and `positives` are of a seed.
    """
    rows: list[dict[str, Any]] = []
    for (protocol, model), own in answers.items():
        task = str(own["task"].iloc[0])
        classes = TASKS[task]
        for level in LEVELS:
            given = own if level == "beat" else by_patient(own)
            once = given[given["seed"] == given["seed"].iloc[0]]
            row: dict[str, Any] = {
                "task": task,
                "protocol": protocol,
                "model": model,
                "unit": level,
                "n": len(once),
                "positives": int((once["label"] == classes[1]).sum()),
                "seeds": "/".join(map(str, sorted(given["seed"].unique()))),
                "always": always(own),
            }
            found = bootstrap_groups(given, classes, draws)
            for metric in (*METRICS, f"f1_{classes[1]}"):
                one = found[metric]
                row |= {metric: one.value, f"{metric}_low": one.low, f"{metric}_high": one.high}
            rows.append(row)
    return pd.DataFrame(rows)


def transfer_differences(answers: Answers, draws: int = 2000) -> pd.DataFrame:
    """PAIRS under each protocol, and each model under ``leaky_beats`` against itself under ``patient_folds``.

    Columns ``task, protocol, model, minus, unit, metric, value, low, high, seeds``; `minus` is another model or
    protocol. Both answer for the same beats in the same seeds, so all are paired.
    """
    rows: list[dict[str, Any]] = []
    for protocol in dict.fromkeys(protocol for protocol, _ in answers):
        for one, other in PAIRS:
            told = {"protocol": protocol, "model": one, "minus": other}
            rows += _paired(answers[protocol, one], answers[protocol, other], told, draws)
    for protocol, model in answers:
        if protocol == "leaky_beats" and model not in FLOORS:
            told = {"protocol": protocol, "model": model, "minus": "patient_folds"}
            rows += _paired(answers[protocol, model], answers["patient_folds", model], told, draws)
    return pd.DataFrame(rows)


def _paired(a: pd.DataFrame, b: pd.DataFrame, told: dict[str, str], draws: int) -> list[dict[str, Any]]:
    """Rows of METRICS at both levels, on the seeds that both have."""
    seeds = sorted(set(a["seed"]) & set(b["seed"]))
    a, b = (one[one["seed"].isin(seeds)] for one in (a, b))
    task = str(a["task"].iloc[0])
    rows = []
    for level in LEVELS:
        pair = (a, b) if level == "beat" else (by_patient(a), by_patient(b))
        for metric, found in paired_difference(*pair, TASKS[task], METRICS, draws).items():
            row = {"task": task, **told, "unit": level, "metric": metric}
            ends = {"value": found.value, "low": found.low, "high": found.high}
            rows.append(row | ends | {"seeds": "/".join(map(str, seeds))})
    return rows


def _folds(answers: pd.DataFrame) -> Sequence[tuple[pd.Index, pd.DataFrame]]:
    """Of each fold the rows that are tested, and the answers' rows of the other folds of its seed."""
    found = []
    for _, of_seed in answers.groupby("seed"):
        for fold in of_seed["fold"].unique():
            tested = of_seed["fold"] == fold
            found.append((of_seed.index[tested], of_seed[~tested]))
    return found


def _floor(answers: pd.DataFrame, name: str, share: pd.Series) -> pd.DataFrame:
    first, second = (f"prob_{label}" for label in TASKS[str(answers["task"].iloc[0])])
    return answers.assign(model=name, **{first: 1 - share, second: share})
