"""Answers of page models about recordings of another source: page classes against what the recordings are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from leadwise.scores.calibration import ece_floor, expected_calibration_error
from leadwise.scores.draws import ENDS, Interval, bootstrap, page_metrics, wilson
from leadwise.scores.metrics import probabilities
from leadwise.scores.table import PLACE, scored, stated
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


def external_scores(answers: pd.DataFrame, draws: int = 2000, **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv`` of `merged` answers: means over the fold models (column ``seed``), patients drawn.

    ``auroc_mi`` and ``auroc_rhythm``: normal against each, by the share of the two probabilities; ``recall_<label>``;
    ``log_loss``; ``ece`` (without interval) and ``ece_floor``, means over the models; ``recall_rhythm`` of the median
    network, with Wilson's interval; ``units_<label>``: how many there are. `n` is of those that a metric is about.
    """
    wanted = [*(f"recall_{label}" for label in LABELS), "log_loss"]
    n_of = answers.drop_duplicates("unit_id")["label"].value_counts()
    of_all = scored(answers, page_metrics(LABELS), wanted, draws, **place)
    for label in LABELS:
        of_all.loc[of_all["metric"] == f"recall_{label}", "n"] = int(n_of.get(label, 0))
    place = dict(of_all[of_all["metric"] == "log_loss"].iloc[0][list(PLACE)])
    parts = [of_all]
    for label in ("mi", "rhythm"):
        pair = ["normal", label]
        rows = answers[answers["label"].isin(pair)]
        columns = [f"prob_{name}" for name in pair]
        shares = rows[columns].div(rows[columns].sum(axis=1), axis=0)
        auroc = bootstrap(rows.assign(**dict(shares.items())), page_metrics(pair), draws)["auroc"]
        parts.append(stated({f"auroc_{label}": auroc}, **(place | {"n": int(n_of.reindex(pair).sum())})))
    by_model = [probabilities(rows, LABELS) for _, rows in answers.groupby("seed")]
    errors = [expected_calibration_error(prob, labels) for labels, prob in by_model]
    floors = [ece_floor(prob) for _, prob in by_model]
    floor = Interval(*(float(np.mean([getattr(interval, end) for interval in floors])) for end in ENDS))
    counts = rhythm_counts(answers)
    rhythms = int(n_of.get("rhythm", 0))
    of_median = {"condition": {"of": "median_network"}, "n": rhythms}
    parts += [
        stated({"ece": float(np.mean(errors)), "ece_floor": floor}, **place),
        stated({"recall_rhythm": wilson(int(np.median(counts)), rhythms)}, **(place | of_median)),
        stated({f"units_{label}": int(n_of.get(label, 0)) for label in LABELS}, **place),
    ]
    return pd.concat(parts, ignore_index=True)


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
