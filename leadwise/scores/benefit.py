"""Net benefit: whether it is better to act on a model's answers than on all pages, or on none.

Whoever acts (looks closer, repeats, refers) from a probability of ``t`` on says with it that a needless action weighs
``t / (1 - t)`` of a page that was missed. At that threshold, of N pages,

    net benefit = TP / N  -  FP / N * t / (1 - t)

in pages rightly acted on, after each needless action has been paid for. Acting on none has 0; acting on all has
``prevalence - (1 - prevalence) * t / (1 - t)``. Vickers and Elkin, Med. Decis. Making 26 (2006) 565.

It hangs on the prevalence, and that of a collection is nobody's. For another prevalence pages count by
``prevalence / share`` within each class, and the odds of every probability are multiplied by
``(prevalence / (1 - prevalence)) / (share / (1 - share))``: what a model knows of a page stays, how frequent the
class is changes (Elkan, IJCAI 2001, 973). That holds only where pages of one class are alike here and there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError, nearest
from leadwise.scores.draws import Interval, one_answerer, percentiles, weighings
from leadwise.scores.metrics import Floats, probabilities
from leadwise.scores.table import stated

ALL, NONE = "treat all", "treat none"
"""The two who need no model."""

THRESHOLDS = tuple(number / 50 for number in range(1, 50))
"""2 % to 98 %: all, since from which probability on somebody would act is not known of anybody."""

SHOWN = (0.1, 0.3, 0.5, 0.7, 0.9)
"""The thresholds that tables show."""

ASSUMED_PREVALENCE = 0.1
"""Nobody's: one page in ten, to show what hangs on how the pages were collected."""


def net_benefit(
    answers: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    thresholds: Sequence[float],
    prevalence: float | None = None,
    over: Sequence[str] = (ALL,),
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Each model's net benefit at each threshold, and what it has over others, paired; drawn over groups.

    ``answers``: by the name to print, the test rows of predictions.csv of one model; all of the same pages and seeds.
    ``classes``: two, the last is the one acted on, from a probability of the threshold on (equal included).
    ``thresholds`` lie between 0 and 1, ends excluded. ``prevalence``: None for the share among these pages, else the
    share for which it is reckoned (see above). The value is the mean over the seeds; each draw takes the same groups
    in all seeds and for all models. ``over`` names models (or `ALL`) that are taken from each.

    Columns: ``model, threshold, prevalence``, then ``net_benefit`` and for each of ``over`` an ``over_<name>``
    (blanks as underscores), each with ``_low`` and ``_high``; a row a model and threshold, `ALL` and `NONE` the last
    two models. A draw that lacks a class is left out where a prevalence is given; nan where these pages lack one.
    Raises InputError for no answers, other than two classes, a threshold or prevalence out of its range, an unknown
    name in ``over``, inner answers, mixed models, or models that answered for other pages.
    """
    _check(answers, classes, thresholds, prevalence)
    first = next(iter(answers.values()))
    groups, counts = weighings(first["group_id"], draws, seed)
    limits = np.asarray(thresholds, float)
    share = float((first["label"] == classes[1]).mean())
    found = {
        name: _benefit(rows, groups, counts.astype(float), classes, limits, prevalence)
        for name, rows in answers.items()
    }
    certain = first.assign(**{f"prob_{classes[0]}": 0.0, f"prob_{classes[1]}": 1.0})
    found[ALL] = _benefit(certain, groups, counts.astype(float), classes, limits, prevalence)
    found[NONE] = np.zeros_like(found[ALL])
    unknown = [name for name in over if name not in found]
    if unknown:
        raise InputError(f"net_benefit: no model {unknown[0]!r}; {nearest(unknown[0], found)}")
    rows = []
    for name, values in found.items():
        told = {"net_benefit": values}
        told |= {f"over_{other.replace(' ', '_')}": values - found[other] for other in over}
        for column, threshold in enumerate(limits):
            row = {
                "model": name,
                "threshold": threshold,
                "prevalence": share if prevalence is None else prevalence,
            }
            for what, drawn in told.items():
                one = percentiles(drawn[:, column])
                row |= {what: one.value, f"{what}_low": one.low, f"{what}_high": one.high}
            rows.append(row)
    return pd.DataFrame(rows)


def at(table: pd.DataFrame, model: str, threshold: float, what: str = "net_benefit") -> Interval:
    """One value of what `net_benefit` gives. Raises InputError where there is no such row."""
    row = table[(table["model"] == model) & np.isclose(table["threshold"], threshold)]
    if row.empty:
        raise InputError(f"no net benefit of {model} at {threshold:g} in the table.")
    return Interval(*(float(row[f"{what}{end}"].iloc[0]) for end in ("", "_low", "_high")))


def as_scores(table: pd.DataFrame, place: Mapping[str, Any], weights: Mapping[str, str]) -> pd.DataFrame:
    """Rows of ``scores.csv`` of what `net_benefit` gives, at the thresholds in SHOWN.

    `place` is where the models were tested; `weights` tells by model what they began from.
    """
    kept = table[np.isclose(table["threshold"].to_numpy()[:, None], SHOWN).any(axis=1)]
    rows = []
    for one in kept.to_dict("records"):
        limit, share = f"{one['threshold']:.2f}", f"{one['prevalence']:.2f}"
        told = {
            "model": one["model"].replace(" ", "_"),
            "weights": weights.get(one["model"], ""),
            "condition": {"calibrated": "yes", "prevalence": share, "threshold": limit},
        }
        value = Interval(*(float(one[f"net_benefit{end}"]) for end in ("", "_low", "_high")))
        rows.append(stated({"net_benefit": value}, **{**place, **told}))
    return pd.concat(rows, ignore_index=True)


def as_text(table: pd.DataFrame, thresholds: Sequence[float]) -> pd.DataFrame:
    """Net benefit for people, in pages of 100: a row a prevalence and model, a column a threshold."""
    rows = table[np.isclose(table["threshold"].to_numpy()[:, None], np.asarray(thresholds)).any(axis=1)]
    ends = rows[["net_benefit", "net_benefit_low", "net_benefit_high"]].to_numpy() * 100
    words = [
        "–" if np.isnan(value) else f"{value:.1f} ({low:.1f} to {high:.1f})"
        for value, low, high in ends + 0.0
    ]
    told = rows.assign(prevalence=rows["prevalence"].map("{:.0%}".format), net_benefit=words)
    told["threshold"] = told["threshold"].map("{:.0%}".format)
    wide = told.pivot_table("net_benefit", ["prevalence", "model"], "threshold", aggfunc="first", sort=False)
    return wide.rename_axis(columns="threshold")


def at_prevalence(prob: Floats, share: float, prevalence: float) -> Floats:
    """Probabilities of a class ``(N,)`` that is frequent by ``share``, as they are where it is by ``prevalence``."""
    if share in (0.0, 1.0):
        return prob  # nothing is known of the other class
    times = (prevalence / (1 - prevalence)) / (share / (1 - share))
    return prob * times / (prob * times + (1 - prob))


def _benefit(
    answers: pd.DataFrame,
    groups: pd.Index,
    counts: Floats,
    classes: Sequence[str],
    thresholds: Floats,
    prevalence: float | None,
) -> Floats:
    """Net benefit (W, thresholds) by how often each group counts, the mean over the seeds."""
    by_seed = []
    price = thresholds / (1 - thresholds)
    for _, rows in answers.groupby("seed", sort=True):
        labels, both = probabilities(rows, classes)
        positive = labels == 1
        prob = both[:, 1]
        if prevalence is not None:
            prob = at_prevalence(prob, float(positive.mean()), prevalence)
        acted = prob[:, None] >= thresholds
        group = groups.get_indexer(rows["group_id"].astype(str))
        truth = positive[:, None]
        right, needless, positives, negatives = (
            counts @ _sums(counted, group, len(groups))
            for counted in (acted & truth, acted & ~truth, truth, ~truth)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            if prevalence is None:
                value = (right - needless * price) / (positives + negatives)
            else:
                value = prevalence * right / positives - (1 - prevalence) * price * needless / negatives
        by_seed.append(value)
    return np.asarray(np.mean(by_seed, axis=0))


def _sums(counted: NDArray[np.bool_], group: NDArray[np.intp], groups: int) -> Floats:
    """How many pages of each group count, by column: (groups, columns)."""
    out = np.zeros((groups, counted.shape[1]))
    np.add.at(out, group, counted)
    return out


def _check(
    answers: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    thresholds: Sequence[float],
    prevalence: float | None,
) -> None:
    if not answers:
        raise InputError("net_benefit: no answers were given.")
    if len(classes) != 2:
        raise InputError(
            f"net_benefit: {len(classes)} classes; it is defined for two, the last being acted on."
        )
    wrong = [t for t in thresholds if not 0 < t < 1]
    if wrong or not len(thresholds):
        told = f"threshold {wrong[0]:g}" if wrong else "no threshold"
        raise InputError(f"net_benefit: {told}; thresholds lie between 0 and 1, ends excluded.")
    if prevalence is not None and (math.isnan(prevalence) or not 0 < prevalence < 1):
        raise InputError(f"net_benefit: prevalence {prevalence:g}; it lies between 0 and 1, ends excluded.")
    keys = ["seed", "unit_id", "group_id", "label"]
    pages = None
    for name, rows in answers.items():
        if name in (ALL, NONE):
            raise InputError(f"net_benefit: {name!r} is no name for a model; it stands in the table anyway.")
        one_answerer(rows)
        own = rows[keys].astype(str).sort_values(keys).reset_index(drop=True)
        if pages is not None and not own.equals(pages):
            raise InputError(
                f"net_benefit: {name} and {next(iter(answers))} answer for other pages, labels or seeds "
                f"({len(own)} and {len(pages)} rows). Compare them on what both answered for."
            )
        pages = own
