"""Answers of page models about recordings of another source: page classes against what the recordings are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadwise.scores.calibration import ece_floor, expected_calibration_error
from leadwise.scores.draws import ENDS, Interval, page_metrics, wilson
from leadwise.scores.metrics import probabilities
from leadwise.scores.table import PLACE, compared, scored, stated
from leadwise.sets.ptbxl import LABELS

MERGED: Mapping[str, tuple[str, ...]] = {
    "normal": ("normal",),
    "rhythm": ("abnormal_heartbeat",),
    "mi": ("history_of_mi", "mi"),
}
"""Which page classes answer for which label: PTB-XL's statements do not tell an old infarction from a fresh one."""

_AGAINST_NORMAL = ("mi", "rhythm")
"""Labels that are told from normal, each by an AUROC."""


def merged(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers in the three labels: ``prob_<label>`` is the sum of its page classes; other columns stay."""
    sums = {
        f"prob_{label}": answers[[f"prob_{name}" for name in names]].sum(axis=1)
        for label, names in MERGED.items()
    }
    return answers.drop(columns=[column for column in answers if column.startswith("prob_")]).assign(**sums)


def age_alone(answers: pd.DataFrame, age: pd.Series) -> pd.DataFrame:
    """Who is older is less normal: `merged` answers to the same recordings that only rank, once each.

    `age` in years, by ``unit_id``; one that is not known is the median of the others. Of these answers an AUROC alone
    means anything.
    """
    once = answers[answers["seed"] == answers["seed"].iloc[0]]
    years = once["unit_id"].map(age)
    older = years.fillna(years.median()) / 100
    return once.assign(model="age_alone", prob_normal=1 - older, prob_mi=older, prob_rhythm=older)


def aurocs(answers: pd.DataFrame, draws: int = 2000, **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv``: ``auroc_mi`` and ``auroc_rhythm`` of `merged` answers, patients drawn.

    Normal against each, by the share of the two probabilities.
    """
    return pd.concat(
        [
            scored(_pair(answers, label), page_metrics(["normal", label]), ["auroc"], draws, **place).assign(
                metric=f"auroc_{label}"
            )
            for label in _AGAINST_NORMAL
        ],
        ignore_index=True,
    )


def auroc_differences(a: pd.DataFrame, b: pd.DataFrame, draws: int = 2000, **place: Any) -> pd.DataFrame:
    """Rows of ``differences.csv``: `aurocs` of ``a`` minus those of ``b``, on the same draws of patients."""
    tables = []
    for label in _AGAINST_NORMAL:
        measure = page_metrics(["normal", label])
        rows = compared(_pair(a, label), _pair(b, label), measure, ["auroc"], draws, own_seeds=True, **place)
        tables.append(rows.assign(metric=f"auroc_{label}"))
    return pd.concat(tables, ignore_index=True)


def recall_differences(a: pd.DataFrame, b: pd.DataFrame, draws: int = 2000, **place: Any) -> pd.DataFrame:
    """Rows of ``differences.csv``: the recall of each label, ``a`` minus ``b``, on the same draws of patients."""
    rows = compared(a, b, page_metrics(LABELS), [f"recall_{label}" for label in LABELS], draws, **place)
    return rows.assign(n=rows["metric"].str.removeprefix("recall_").map(_counts(a)))


def external_scores(answers: pd.DataFrame, draws: int = 2000, **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv`` of `merged` answers: means over the fold models (column ``seed``), patients drawn.

    `aurocs`; ``recall_<label>``; ``log_loss``; ``ece`` (without interval) and ``ece_floor``, means over the models;
    ``recall_rhythm`` of the median network, with Wilson's interval; ``units_<label>``: how many there are. `n` is of
    those that a metric is about.
    """
    n_of = _counts(answers)
    of_all = scored(
        answers, page_metrics(LABELS), [*(f"recall_{label}" for label in LABELS), "log_loss"], draws, **place
    )
    for label in LABELS:
        of_all.loc[of_all["metric"] == f"recall_{label}", "n"] = n_of[label]
    where = dict(of_all[of_all["metric"] == "log_loss"].iloc[0][list(PLACE)])
    by_model = [probabilities(rows, LABELS) for _, rows in answers.groupby("seed")]
    errors = [expected_calibration_error(prob, labels) for labels, prob in by_model]
    floors = [ece_floor(prob) for _, prob in by_model]
    floor = Interval(*(float(np.mean([getattr(interval, end) for interval in floors])) for end in ENDS))
    of_median = {"condition": place.get("condition", {}) | {"of": "median_network"}, "n": n_of["rhythm"]}
    found = wilson(int(np.median(rhythm_counts(answers))), n_of["rhythm"])
    parts = [
        of_all,
        aurocs(answers, draws, **place),
        stated({"ece": float(np.mean(errors)), "ece_floor": floor}, **where),
        stated({"recall_rhythm": found}, **(where | of_median)),
        stated({f"units_{label}": n_of[label] for label in LABELS}, **where),
    ]
    return pd.concat(parts, ignore_index=True)


def by_filter(
    answers: pd.DataFrame, age: pd.Series, draws: int = 2000, **place: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of ``scores.csv`` and ``differences.csv`` of answers to recordings that were printed by several filters.

    `answers` hold the page classes' probabilities and a column ``filter``, which stands in the condition; `age` is in
    years, by ``unit_id``. Of each filter `external_scores`, and `age_alone` once; the model minus age alone; each
    later filter minus the first.
    """
    of_each = {str(name): merged(rows) for name, rows in answers.groupby("filter", sort=False)}
    first, *others = of_each
    by_age = age_alone(of_each[first], age)
    scores = [aurocs(by_age, draws, seeds="")]
    differences = []
    for name, rows in of_each.items():
        own = place | {"condition": {"filter": name}}
        scores.append(external_scores(rows, draws, **own))
        differences.append(auroc_differences(rows, by_age, draws, **own))
    for name in others:
        own = place | {"condition": {"filter": name}, "minus": f"filter={first}"}
        differences.append(auroc_differences(of_each[name], of_each[first], draws, **own))
        differences.append(recall_differences(of_each[name], of_each[first], draws, **own))
    return pd.concat(scores, ignore_index=True), pd.concat(differences, ignore_index=True)


def rhythm_counts(answers: pd.DataFrame) -> list[int]:
    """By fold model: how many recordings of label ``rhythm`` are called so."""
    rows = answers[answers["label"] == "rhythm"]
    right = rows[[f"prob_{label}" for label in LABELS]].idxmax(axis=1) == "prob_rhythm"
    return [int(n) for n in right.groupby(rows["seed"]).sum()]


def called(answers: pd.DataFrame) -> pd.DataFrame:
    """What share of each label (rows) is called which page class (columns), mean over the fold models.

    ``answers`` hold the page classes' probabilities.
    """
    columns = [column for column in answers if column.startswith("prob_")]
    page_class = answers[columns].idxmax(axis=1).str.removeprefix("prob_")
    shares = pd.crosstab(answers["label"], page_class, normalize="index")
    names = [column.removeprefix("prob_") for column in columns]
    return shares.reindex(index=[label for label in LABELS if label in shares.index], columns=names).fillna(
        0.0
    )


def _pair(answers: pd.DataFrame, label: str) -> pd.DataFrame:
    """The answers about normal recordings and those of a label, each probability as its share of the two."""
    rows = answers[answers["label"].isin(["normal", label])]
    columns = ["prob_normal", f"prob_{label}"]
    shares = rows[columns].div(rows[columns].sum(axis=1), axis=0)
    return rows.assign(**dict(shares.items()))


def _counts(answers: pd.DataFrame) -> dict[str, int]:
    n_of = answers.drop_duplicates("unit_id")["label"].value_counts()
    return {label: int(n_of.get(label, 0)) for label in LABELS}
