"""The price list of leakage: every network under every protocol, which steps are not chance; and of fewer pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from leadwise.names import CLASSES, TASKS
from leadwise.scores.draws import page_metrics
from leadwise.scores.table import compared, scored

METRICS = ("accuracy", "macro_f1", "macro_auroc")
"""What the price list holds beside the recall of each class."""

STEPS = (
    ("leaky_copies", "leaky_copy_weights"),
    ("leaky_copy_weights", "distinct"),
    ("distinct", "grouped"),
    ("leaky_copies", "grouped"),
)
"""Protocols that answer for the same pages, so that the second is taken from the first, paired.

The first is the leak itself: the same pages weigh as much in both, and are tested by who saw them, or did not.
"""

_SPLIT_FILES = ("leaky_file_90_10", "leaky_copies", "leaky_pooled")


def price_list(once: pd.DataFrame, as_published: pd.DataFrame, **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv``: every network under every protocol, and as published work counts.

    ``once`` and ``as_published`` as in `leadwise.learning.leakage.Priced`. `unit` is ``page``, each once; ``file``,
    or a page as often as pooled folds hold it; ``lead``, single leads of those. Metrics are METRICS, and
    ``recall_<class>``. All intervals are drawn over groups, to which the copies of a page belong: they tell nothing
    more.
    """
    several = as_published[as_published["protocol"].isin(_SPLIT_FILES)]
    tables = []
    for answers, name in ((several, "file"), (once, "page")):
        for (task, _, _, unit), of_one in answers.groupby(["task", "protocol", "model", "unit"], sort=False):
            classes = TASKS[str(task)]
            columns = place | {"unit": name if unit == "page" else "lead"}
            metrics = [*METRICS, *(f"recall_{label}" for label in classes)]
            tables.append(scored(of_one, page_metrics(classes), metrics, **columns))
    return pd.concat(tables, ignore_index=True)


def step_differences(once: pd.DataFrame, **place: Any) -> pd.DataFrame:
    """Rows of ``differences.csv``: each of STEPS, task `four`, for each network: accuracy, macro-F1 and recalls.

    Paired on the same draws; steps whose protocols do not answer for the same pages are left out. A month is no step:
    see `month_compared`.
    """
    metrics = ["accuracy", "macro_f1", *(f"recall_{label}" for label in CLASSES)]
    tables = []
    for _, of_network in once[once["task"] == "four"].groupby("model", sort=False):
        answers = dict(iter(of_network.groupby("protocol")))
        for first, second in STEPS:
            both = [answers.get(name, of_network.iloc[:0]) for name in (first, second)]
            if both[0].empty or set(both[0]["unit_id"]) != set(both[1]["unit_id"]):
                continue
            a, b = both
            tables.append(compared(a, b, page_metrics(CLASSES), metrics, minus=f"protocol={second}", **place))
    return pd.concat(tables, ignore_index=True)


def curve_scores(by_size: Mapping[int, pd.DataFrame], **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv``: METRICS of a network by pages that it learned from, ``pages=155`` in the condition."""
    return pd.concat(
        [
            scored(answers, page_metrics(CLASSES), METRICS, condition={"pages": size}, **place)
            for size, answers in sorted(by_size.items())
        ],
        ignore_index=True,
    )


def month_compared(
    of_month: pd.DataFrame,
    by_size: Mapping[int, pd.DataFrame],
    month: Collection[str],
    size: int,
    **place: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What another month does to the largest one, and what fewer pages do: accuracy, and its paired differences.

    `of_month` are answers under `by_month`, `by_size` those under `grouped` by number of training pages, `month` the
    ids of the largest month's pages and `size` the number of pages of all others. Rows of ``scores.csv`` on these
    pages (``counted`` is ``largest_month``): of networks that learned from other months, from as many pages of all
    months, and from all pages; of ``differences.csv`` the first minus the second, which differ in the months and
    the classes' shares in them, and the second minus the third, which differ in nothing but the number of pages.
    """
    most = max(by_size)
    answers = [
        (table[table["unit_id"].isin(list(month))], pages)
        for table, pages in ((of_month, size), (by_size[size], size), (by_size[most], most))
    ]
    measure = page_metrics(CLASSES)
    places = [place | {"counted": "largest_month", "condition": {"pages": pages}} for _, pages in answers]
    (other_months, _), (all_months, _), (all_pages, _) = answers
    told = [
        scored(rows, measure, METRICS[:1], **where) for (rows, _), where in zip(answers, places, strict=True)
    ]
    steps = [
        compared(other_months, all_months, measure, METRICS[:1], minus="protocol=grouped", **places[0]),
        compared(all_months, all_pages, measure, METRICS[:1], minus=f"pages={most}", **places[1]),
    ]
    return pd.concat(told, ignore_index=True), pd.concat(steps, ignore_index=True)
