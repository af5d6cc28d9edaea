"""Answers of page models about recordings of another source: page classes against what the recordings are called."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from leadwise.scores.calibration import ece_floor, expected_calibration_error
from leadwise.scores.draws import Interval, bootstrap_groups, wilson
from leadwise.scores.metrics import probabilities
from leadwise.sets.ptbxl import LABELS

MERGED: Mapping[str, tuple[str, ...]] = {
    "normal": ("normal",),
    "rhythm": ("abnormal_heartbeat",),
    "mi": ("history_of_mi", "mi"),
}
"""Which page classes answer for which label: PTB-XL's statements do not tell an old infarction from a fresh one."""


def merged(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers in the three labels: ``prob_<label>`` is the sum of its page classes; other columns stay."""
    sums = {
        f"prob_{label}": answers[[f"prob_{name}" for name in names]].sum(axis=1)
        for label, names in MERGED.items()
    }
    return answers.drop(columns=[column for column in answers if column.startswith("prob_")]).assign(**sums)


def external_scores(answers: pd.DataFrame, draws: int = 2000) -> dict[str, Interval]:
    """Metrics of `merged` answers, the mean over the fold models (column ``seed``), drawn over patients.

    ``auroc_mi`` and ``auroc_rhythm``: normal against each, by the share of the two probabilities; ``recall_<label>``;
    ``log_loss``; ``ece`` (without interval) and ``ece_floor``, means over the models; ``rhythm_found``: Wilson's
    interval of the median model's count.
    """
    found = bootstrap_groups(answers, LABELS, draws)
    scores = {name: found[name] for name in (*(f"recall_{label}" for label in LABELS), "log_loss")}
    for label in ("mi", "rhythm"):
        pair = ["normal", label]
        rows = answers[answers["label"].isin(pair)]
        columns = [f"prob_{name}" for name in pair]
        shares = rows[columns].div(rows[columns].sum(axis=1), axis=0)
        scores[f"auroc_{label}"] = bootstrap_groups(rows.assign(**dict(shares.items())), pair, draws)["auroc"]
    by_model = [probabilities(rows, LABELS) for _, rows in answers.groupby("seed")]
    errors = [expected_calibration_error(prob, labels) for labels, prob in by_model]
    floors = [ece_floor(prob) for _, prob in by_model]
    scores["ece"] = Interval(float(np.mean(errors)), float("nan"), float("nan"))
    scores["ece_floor"] = Interval(*(float(np.mean([getattr(one, end) for one in floors])) for end in _ENDS))
    counts = rhythm_counts(answers)
    scores["rhythm_found"] = wilson(
        int(np.median(counts)), int((answers["label"] == "rhythm").sum() // len(counts))
    )
    return scores


_ENDS = ("value", "low", "high")


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
    given = answers[columns].idxmax(axis=1).str.removeprefix("prob_")
    shares = pd.crosstab(answers["label"], given, normalize="index")
    names = [column.removeprefix("prob_") for column in columns]
    return shares.reindex(index=[label for label in LABELS if label in shares.index], columns=names).fillna(
        0.0
    )
