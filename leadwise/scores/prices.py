"""The price list of leakage: every network under every protocol, and which steps between them are not chance."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from leadwise.names import CLASSES, TASKS
from leadwise.scores.draws import paired_difference, wilson
from leadwise.scores.tables import summary

METRICS = ("accuracy", "macro_f1", "macro_auroc")
"""What the price list holds beside the recall of each class."""

STEPS = (
    ("leaky_copies", "distinct"),
    ("leaky_copy_weights", "distinct"),
    ("leaky_copies", "leaky_copy_weights"),
    ("distinct", "grouped"),
    ("by_month", "grouped"),
)
"""Protocols that answer for the same pages, so that the second is taken from the first, paired."""

_PAGE_ID = 12  # length of a page's id, with which every unit's name begins
_SPLIT_FILES = ("leaky_file_90_10", "leaky_copies", "leaky_pooled")


def price_list(once: pd.DataFrame, counted: pd.DataFrame) -> pd.DataFrame:
    """A row a task, protocol and network, and for protocols that split files one more as published work counts.

    ``once`` and ``counted`` as in `leadwise.learning.leakage.Priced`. Columns as `tables.summary` gives them and
    ``counted``: ``page``, each once; ``file``, or a page as often as pooled folds hold it; ``lead``, single leads
    of those. Metrics are METRICS, and ``recall_<class>`` with Wilson's interval.
    """
    as_published = counted[counted["protocol"].isin(_SPLIT_FILES)]
    rows = []
    for answers, name in ((as_published, "file"), (once, "page")):
        for (task, _, model, unit), given in answers.groupby(
            ["task", "protocol", "model", "unit"], sort=False
        ):
            classes = TASKS[str(task)]
            row = summary({str(model): given}, classes, METRICS).assign(**_recalls(given, classes))
            rows.append(row.assign(counted=name if unit == "page" else "lead"))
    return pd.concat(rows, ignore_index=True)


def _recalls(given: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Recall of each class, with Wilson's interval for as many pages as there are: their copies tell nothing more."""
    right = given[[f"prob_{label}" for label in classes]].idxmax(axis=1) == "prob_" + given["label"]
    found: dict[str, float] = {}
    for label in classes:
        own = given["label"] == label
        pages = given.loc[own, "unit_id"].str[:_PAGE_ID].nunique()
        recall = right[own].mean()
        interval = wilson(round(recall * pages) if pages else 0, pages)
        found |= {
            f"recall_{label}": recall,
            f"recall_{label}_low": interval.low,
            f"recall_{label}_high": interval.high,
        }
    return found


def step_differences(once: pd.DataFrame) -> pd.DataFrame:
    """Each of STEPS, task `four`, for each network: accuracy, macro-F1 and recalls, paired on the same draws.

    Columns ``model, protocol, minus, metric, value, low, high``; steps whose protocols do not answer for the same
    pages are left out.
    """
    metrics = ["accuracy", "macro_f1", *(f"recall_{label}" for label in CLASSES)]
    rows = []
    for model, own in once[once["task"] == "four"].groupby("model", sort=False):
        answers = dict(iter(own.groupby("protocol")))
        for one, other in STEPS:
            both = [answers.get(name, own.iloc[:0]) for name in (one, other)]
            if both[0].empty or set(both[0]["unit_id"]) != set(both[1]["unit_id"]):
                continue
            found = paired_difference(both[0], both[1], CLASSES, metrics)
            rows += [(model, one, other, name, d.value, d.low, d.high) for name, d in found.items()]
    return pd.DataFrame(rows, columns=["model", "protocol", "minus", "metric", "value", "low", "high"])
