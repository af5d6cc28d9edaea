"""Confidence intervals: bootstrap over groups for any metric, Wilson's for a count."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.scores.metrics import Floats, probabilities, weighted_scores

LEVEL = 0.95
"""Every interval of leadwise is a 95 % interval."""

_CELLS = 4_000_000
"""Draws times units held at once: 32 MB an array, so memory does not grow with the number of pages."""


@dataclass(frozen=True)
class Interval:
    """A value and the ends of its 95 % interval; all three nan where the metric is undefined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """As tables print it: ``0.93 (0.90-0.96)``, with an en dash."""
        if math.isnan(self.value):
            return "–"
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


def bootstrap_groups(
    answers: pd.DataFrame, classes: Sequence[str], draws: int = 2000, seed: int = 0
) -> dict[str, Interval]:
    """Every metric with its percentile interval, groups drawn with replacement.

    ``answers``: rows of predictions.csv of one model, task, protocol and role, any number of seeds. The value
    is the mean over seeds of the metric of that seed's pooled answers; each draw takes the same groups in
    all seeds, so the scatter between seeds is carried inside the draws. Draws in which a metric is undefined
    (a class was not drawn) are left out of its interval.
    Raises InputError for an empty frame, mixed models or protocols, or a unit that answers twice in a seed.
    """
    value, drawn = _values(answers, drawn_groups(answers, draws, seed), classes)
    return {name: percentiles(value[name], drawn[name]) for name in value}


def paired_difference(
    a: pd.DataFrame,
    b: pd.DataFrame,
    classes: Sequence[str],
    metrics: Sequence[str],
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Metrics of ``a`` minus those of ``b``, on the same draws of ``a``'s groups, by metric name.

    Raises InputError where the two do not answer for the same units and labels in the same seeds,
    or where a metric is unknown.
    """
    keys = ["seed", "unit_id", "label"]
    left, right = (frame[keys].sort_values(keys).reset_index(drop=True) for frame in (a, b))
    if not left.astype(str).equals(right.astype(str)):
        raise InputError(
            f"paired_difference: {_named(a)} and {_named(b)} answer for different units, labels or seeds "
            f"({len(left)} and {len(right)} rows). Compare them on the units that both answered for."
        )
    groups = a.drop_duplicates("unit_id").set_index("unit_id")["group_id"]
    b = b.assign(group_id=b["unit_id"].map(groups))
    counts = drawn_groups(a, draws, seed)
    (value_a, drawn_a), (value_b, drawn_b) = _values(a, counts, classes), _values(b, counts, classes)
    unknown = [name for name in metrics if name not in value_a]
    if unknown:
        raise InputError(f"paired_difference: no metric {unknown[0]!r}; known are {', '.join(value_a)}.")
    return {
        name: percentiles(value_a[name] - value_b[name], drawn_a[name] - drawn_b[name]) for name in metrics
    }


def wilson(k: int, n: int) -> Interval:
    """Wilson's score interval of a share, ``k`` of ``n``; nan for ``n`` = 0. Raises InputError for k > n.

    Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    from scipy.stats import binomtest

    if not 0 <= k <= n:
        raise InputError(f"wilson: {k} of {n} is no share.")
    if n == 0:
        return Interval(math.nan, math.nan, math.nan)
    ends = binomtest(k, n).proportion_ci(LEVEL, method="wilson")
    return Interval(k / n, float(ends.low), float(ends.high))


def bootstrap_statistic(
    values: Floats,
    groups: Sequence[str],
    statistic: Callable[[Floats], float],
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """A statistic of one value a page, with its percentile interval, groups drawn with replacement.

    `values` ``(pages,)``, nan left out; `groups`, one a page. Raises InputError where no value is known.
    """
    known = np.isfinite(values)
    if not known.any():
        raise InputError("bootstrap_statistic: no value is known.")
    kept = values[known]
    numbers = pd.factorize(np.asarray(groups)[known])[0]
    order = np.argsort(numbers, kind="stable")
    members = np.split(kept[order], np.flatnonzero(np.diff(numbers[order])) + 1)
    rng = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))]))
        for _ in range(draws)
    ]
    return percentiles(float(statistic(kept)), np.array(drawn))


def bootstrap_share(
    values: NDArray[np.floating] | NDArray[np.bool_], groups: Sequence[Any], draws: int = 2000, seed: int = 0
) -> Interval:
    """The mean of one value a page (a share, where values are 0 and 1), groups drawn with replacement.

    `values` ``(pages,)``, `groups` one a page; the same as `bootstrap_statistic` with the mean, and much faster.
    All three nan where there is no page.
    """
    if not len(values):
        return Interval(math.nan, math.nan, math.nan)
    numbers = pd.factorize(np.asarray(groups))[0]
    sums, counts = np.bincount(numbers, np.asarray(values, float)), np.bincount(numbers)
    rng = np.random.default_rng(seed)
    drawn: list[Floats] = []
    at_once = max(1, _CELLS // len(sums))
    for start in range(0, draws, at_once):
        some = rng.integers(0, len(sums), (min(at_once, draws - start), len(sums)))
        drawn.append(sums[some].sum(axis=1) / counts[some].sum(axis=1))
    return percentiles(float(sums.sum() / counts.sum()), np.concatenate(drawn))


def drawn_groups(answers: pd.DataFrame, draws: int, seed: int) -> pd.DataFrame:
    """How often each group was drawn: rows groups (in sorted order), columns draws."""
    if answers.empty:
        raise InputError("no answers to draw from.")
    groups = sorted(answers["group_id"].astype(str).unique())
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=draws)
    return pd.DataFrame(counts.T.astype(np.uint16), index=groups)


def _values(
    answers: pd.DataFrame, counts: pd.DataFrame, classes: Sequence[str]
) -> tuple[dict[str, float], dict[str, Floats]]:
    """Each metric of the answers as they are, and of each draw (draws,), both as means over the seeds."""
    for column in ("model", "task", "protocol", "role"):
        if len(answers[column].unique()) > 1:
            raise InputError(
                f"answers of several {column}s at once: {', '.join(answers[column].unique()[:3])}."
            )
    twice = answers.duplicated(["seed", "unit_id"])
    if twice.any():
        row = answers[twice].iloc[0]
        raise InputError(f"{_named(answers)}: unit {row['unit_id']} answers twice in seed {row['seed']}.")
    values, drawn = [], []
    for _, of_seed in answers.groupby("seed", sort=True):
        labels, prob = probabilities(of_seed, classes)
        rows = counts.index.get_indexer(of_seed["group_id"].astype(str))
        once = weighted_scores(labels, prob, np.ones((1, len(labels))), classes)
        values.append({name: float(value[0]) for name, value in once.items()})
        drawn.append(_drawn_scores(labels, prob, rows, counts.to_numpy(), classes))
    names = list(values[0])
    return (
        {name: float(np.mean([v[name] for v in values])) for name in names},
        {name: np.mean([d[name] for d in drawn], axis=0) for name in names},
    )


def _drawn_scores(
    labels: NDArray[np.int64],
    prob: Floats,
    rows: NDArray[np.intp],
    counts: NDArray[np.uint16],
    classes: Sequence[str],
) -> dict[str, Floats]:
    """Scores of every draw, some draws at a time."""
    step = max(1, _CELLS // len(labels))
    parts = [
        weighted_scores(labels, prob, counts[rows, start : start + step].T, classes)
        for start in range(0, counts.shape[1], step)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def percentiles(value: float, drawn: Floats) -> Interval:
    """The percentile interval over the draws in which the metric is defined."""
    drawn = drawn[np.isfinite(drawn)]
    if math.isnan(value) or not len(drawn):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def _named(answers: pd.DataFrame) -> str:
    """Who answers, for a message."""
    return f"{answers['model'].iloc[0]} ({answers['protocol'].iloc[0]})"
