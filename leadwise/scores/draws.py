"""Confidence intervals: bootstrap over groups for any metric, Wilson's for a count and where no draw differs.

A share of 1 or 0 is the same in every draw, which is no sign of certainty. It gets Wilson's interval for as many
groups as it rests on: units of one group (pages of one printed id, copies of one page, beats of one heart) are not
independent, so 420 files of 105 pages, each page a group, give what 105 pages give, 0.965 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.scores.metrics import Floats, probabilities, ranking, weighted_scores

LEVEL = 0.95
"""Every interval of leadwise is a 95 % interval."""

_DRAWS = 2000

_POWER = 0.8

_CELLS = 4_000_000
"""Draws times units held at once: 32 MB an array, so memory does not grow with the number of pages."""


ENDS = ["value", "low", "high"]
"""The fields of an `Interval`, which are columns of every table of scores."""


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


Measure = Callable[[pd.DataFrame, NDArray[np.intp], Floats], dict[str, Floats]]
"""Answers of one seed, the number of each row's group, how often each group counts ``(W, groups)``: metrics ``(W,)``.

Made by `page_metrics`, and by `leadwise.scores.beats`.
"""


def weighings(groups: Sequence[Any], draws: int) -> tuple[pd.Index, NDArray[np.uint16]]:
    """The distinct groups in order, and how often each counts ``(1 + draws, groups)``: once as it is, then as drawn.

    As many groups are drawn as there are, with replacement. The one bootstrap of leadwise: all intervals of answers,
    and all differences, are made of these. Raises InputError where there is no group.
    """
    names = pd.Index(sorted(pd.Series(groups).astype(str).unique()))
    if not len(names):
        raise InputError("no answers to draw from.")
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return names, np.concatenate([np.ones((1, len(names)), np.uint16), drawn.astype(np.uint16)])


def bootstrap(
    answers: pd.DataFrame, measure: Measure, draws: int = 2000, *, draw_seeds: bool = False
) -> dict[str, Interval]:
    """Every metric with its percentile interval, groups drawn with replacement.

    ``answers``: rows of predictions.csv of one model, task, protocol and role, any number of seeds. The value is the
    mean over seeds of the metric of that seed's pooled answers; each draw takes the same groups in all seeds. The
    trainings are given: the interval tells what other units would give, not what other trainings would. With
    `draw_seeds` each draw also takes as many seeds as there are, with replacement, so that it tells both; of S seeds
    that shows (S - 1) / S of the variance between trainings, and nothing of one. Draws in which a metric is undefined
    (a class was not drawn) are left out of its interval. What is 1 or 0 in all draws: see above; it rests on the
    groups that hold units of its class (are called so, for ppv), of all for accuracy, of the rarest class for means
    over classes. Raises InputError as `one_answerer` does.
    """
    names, counts = weighings(answers["group_id"], draws)
    measured = _measured(answers, measure, names, counts, draw_seeds=draw_seeds)
    return {name: _with_width(percentiles(of), name, answers) for name, of in measured.items()}


def paired(
    a: pd.DataFrame,
    b: pd.DataFrame,
    measure: Measure,
    metrics: Sequence[str],
    draws: int = 2000,
    *,
    own_seeds: bool = False,
    draw_seeds: bool = False,
) -> dict[str, Interval]:
    """Metrics of ``a`` minus those of ``b``, on the same draws of ``a``'s groups, by metric name.

    With `draw_seeds` as in `bootstrap`; where both have the same seeds, also on the same draws of these. Raises
    InputError as `same_units` does, or where a metric is unknown.
    """
    same_units(a, b, own_seeds=own_seeds)
    groups = a.drop_duplicates("unit_id").set_index("unit_id")["group_id"]
    names, counts = weighings(a["group_id"], draws)
    of_a, of_b = (
        _measured(
            frame.assign(group_id=frame["unit_id"].map(groups)), measure, names, counts, draw_seeds=draw_seeds
        )
        for frame in (a, b)
    )
    unknown = [name for name in metrics if name not in of_a]
    if unknown:
        raise InputError(f"no metric {unknown[0]!r} is measured; known are {', '.join(of_a)}.")
    return {name: percentiles(of_a[name] - of_b[name]) for name in metrics}


def page_metrics(classes: Sequence[str]) -> Measure:
    """All of `leadwise.scores.metrics.weighted_scores`, for pages and whatever else is answered one by one."""

    def measure(answers: pd.DataFrame, group: NDArray[np.intp], counts: Floats) -> dict[str, Floats]:
        labels, prob = probabilities(answers, classes)
        step = max(1, _CELLS // len(labels))
        parts = [
            weighted_scores(labels, prob, counts[start : start + step][:, group], classes)
            for start in range(0, len(counts), step)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return measure


def auroc_alone(classes: Sequence[str]) -> Measure:
    """The AUROC of the second of two classes, which `page_metrics` gives too, beside much else that takes longer."""

    def measure(answers: pd.DataFrame, group: NDArray[np.intp], counts: Floats) -> dict[str, Floats]:
        labels, prob = probabilities(answers, classes)
        with np.errstate(divide="ignore", invalid="ignore"):  # a draw without one side has none
            return {"auroc": ranking(prob[:, 1], labels == 1, counts[:, group])[0]}

    return measure


def one_answerer(answers: pd.DataFrame, *, one_seed: bool = False) -> None:
    """Raise InputError unless these are test answers of one model, task and protocol, once a seed for each unit.

    With `one_seed` there may be one alone.
    """
    if answers.empty:
        raise InputError("there are no answers.")
    for column in ("model", "task", "protocol", "role", *(["seed"] if one_seed else [])):
        if len(answers[column].unique()) > 1:
            several = ", ".join(map(str, answers[column].unique()[:3]))
            raise InputError(f"answers of several {column}s at once: {several}. Take them one by one.")
    if (answers["role"] != "test").any():
        raise InputError(
            f"{_named(answers)}: inner answers choose and are not scored. Give the rows of role 'test' alone."
        )
    twice = answers.duplicated(["seed", "unit_id"])
    if twice.any():
        row = answers[twice].iloc[0]
        raise InputError(f"{_named(answers)}: unit {row['unit_id']} answers twice in seed {row['seed']}.")


def same_units(a: pd.DataFrame, b: pd.DataFrame, *, own_seeds: bool = False) -> None:
    """Raise InputError unless two models answer for the same units and labels in the same seeds.

    With `own_seeds` each may have seeds of its own.
    """
    keys = ["unit_id", "label"] if own_seeds else ["seed", "unit_id", "label"]
    left, right = (frame[keys].astype(str).drop_duplicates().sort_values(keys) for frame in (a, b))
    if not left.reset_index(drop=True).equals(right.reset_index(drop=True)):
        raise InputError(
            f"{_named(a)} and {_named(b)} answer for different units, labels or seeds "
            f"({len(a)} and {len(b)} rows). Compare them on the units that both answered for."
        )


def of_shared_seeds(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two models' answers in the seeds that both have, so that as many trainings of one are compared as of the other.

    Raises InputError where they share none.
    """
    shared = set(a["seed"]) & set(b["seed"])
    if not shared:
        raise InputError(f"{_named(a)} and {_named(b)} have no seed in common.")
    return a[a["seed"].isin(shared)], b[b["seed"].isin(shared)]


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


def detectable(interval: Interval) -> float:
    """The least difference that a comparison with an interval so wide finds with 80 % power, two-sided at 5 %.

    As many standard errors as (1.96 + 0.84); the interval is 2 * 1.96 of them wide.
    """
    both, power = (NormalDist().inv_cdf(share) for share in ((1 + LEVEL) / 2, _POWER))
    return (both + power) * (interval.high - interval.low) / (2 * both)


def bootstrap_statistic(
    values: Floats,
    groups: Sequence[Any],
    statistic: Callable[[Floats], float],
) -> Interval:
    """A statistic of one value a page, with its percentile interval, groups drawn with replacement.

    `values` ``(pages,)``, nan left out; `groups`, one a page. Raises InputError where no value is known.
    """
    known = np.isfinite(values)
    if not known.any():
        raise InputError("bootstrap_statistic: no value is known.")
    group_of = pd.Series(groups).astype(str).to_numpy()[known]
    names, counts = weighings(group_of, _DRAWS)
    times = counts[:, names.get_indexer(group_of)]
    return percentiles(np.array([statistic(np.repeat(values[known], of)) for of in times]))


def bootstrap_share(values: NDArray[np.floating] | NDArray[np.bool_], groups: Sequence[Any]) -> Interval:
    """The mean of one value a page (a share, where values are 0 and 1), groups drawn with replacement.

    `values` ``(pages,)``, `groups` one a page; the same as `bootstrap_statistic` with the mean, and much faster.
    All three nan where there is no page.
    """
    if not len(values):
        return Interval(math.nan, math.nan, math.nan)
    group_of = pd.Series(groups).astype(str)
    names, counts = weighings(group_of, _DRAWS)
    number = names.get_indexer(group_of)
    sums, pages = np.bincount(number, np.asarray(values, float)), np.bincount(number)
    return _or_wilson(percentiles((counts @ sums) / (counts @ pages)), len(names))


def percentiles(drawn: Floats) -> Interval:
    """A value and its percentile interval over the draws in which it is defined; ``drawn`` begins with the value."""
    value, defined = float(drawn[0]), drawn[1:][np.isfinite(drawn[1:])]
    if math.isnan(value) or not len(defined):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def _measured(
    answers: pd.DataFrame,
    measure: Measure,
    names: pd.Index,
    counts: NDArray[np.uint16],
    *,
    draw_seeds: bool,
) -> dict[str, Floats]:
    """Each metric as the answers are, then in each draw: ``(1 + draws,)``, means over the seeds, drawn or all."""
    one_answerer(answers)
    by_seed = [
        measure(of_seed, names.get_indexer(of_seed["group_id"].astype(str)), counts.astype(float))
        for _, of_seed in answers.groupby("seed", sort=True)
    ]
    seeds = sorted(answers["seed"].unique())
    times = np.ones((len(counts), len(seeds)))
    if draw_seeds:
        rng = np.random.default_rng([int(seed) for seed in seeds])
        times[1:] = rng.multinomial(len(seeds), np.full(len(seeds), 1 / len(seeds)), size=len(counts) - 1)
    return {name: _mean_over_seeds([of[name] for of in by_seed], times) for name in by_seed[0]}


def _mean_over_seeds(values: list[Floats], times: Floats) -> Floats:
    """Mean ``(W,)`` of each seed's values, counted as often as the seed is in ``times (W, seeds)``."""
    of_seed = np.stack(values, axis=1)
    return np.asarray((np.where(times > 0, of_seed, 0.0) * times).sum(axis=1) / times.sum(axis=1))


_MEANS = ("macro_f1", "macro_auroc", "balanced_accuracy", "auroc", "auprc")
"""Metrics from 0 to 1 that rest on every class."""


def _with_width(interval: Interval, metric: str, answers: pd.DataFrame) -> Interval:
    """The interval, or Wilson's where a share is 1 or 0 in all draws."""
    if not _same_in_all_draws(interval):
        return interval
    kind, _, of = metric.partition("_")
    group, label = answers["group_id"], answers["label"]
    groups = 0
    if metric == "accuracy":
        groups = group.nunique()
    elif metric in _MEANS:
        groups = int(group.groupby(label).nunique().min())
    elif kind in ("recall", "f1", "auroc", "auprc"):
        groups = group[label == of].nunique()
    elif kind == "specificity":
        groups = group[label != of].nunique()
    elif kind in ("ppv", "npv"):
        prob = answers[[column for column in answers if column.startswith("prob_")]].dropna(axis=1)
        groups = group[(prob.idxmax(axis=1) == f"prob_{of}") == (kind == "ppv")].nunique()
    return _or_wilson(interval, groups)


def _same_in_all_draws(interval: Interval) -> bool:
    """Whether a share is 0 in every draw, or 1 in every draw."""
    return interval.low == interval.high == interval.value in (0.0, 1.0)


def _or_wilson(interval: Interval, groups: int) -> Interval:
    """The interval; Wilson's for so many groups where it has no width at 0 or 1."""
    if groups and _same_in_all_draws(interval):
        return wilson(round(interval.value * groups), groups)
    return interval


def _named(answers: pd.DataFrame) -> str:
    """Who answers, for a message."""
    return f"{answers['model'].iloc[0]} ({answers['protocol'].iloc[0]})"
