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
from leadwise.scores.draws import Interval, Measure, bootstrap, paired, same_units
from leadwise.scores.metrics import Floats, probabilities
from leadwise.scores.table import stated, written

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
    for rows in answers.values():
        same_units(rows, first)
    extremes = {ALL: (0.0, 1.0), NONE: (1.0, 0.0)}
    prob = [f"prob_{name}" for name in classes]
    everyone = {**answers} | {
        name: first.assign(model=name, **dict(zip(prob, ends, strict=True)))
        for name, ends in extremes.items()
    }
    if unknown := [name for name in over if name not in everyone]:
        raise InputError(f"net_benefit: no model {unknown[0]!r}; {nearest(unknown[0], everyone)}")
    measure = _benefit(classes, thresholds, prevalence)
    share = float((first["label"] == classes[1]).mean()) if prevalence is None else prevalence
    table = []
    for name, rows in everyone.items():
        columns = {"net_benefit": bootstrap(rows, measure, draws)}
        for other in over:
            gain = paired(rows, everyone[other], measure, [f"{t:g}" for t in thresholds], draws)
            columns[f"over_{other.replace(' ', '_')}"] = gain
        for threshold in thresholds:
            row = {"model": name, "threshold": threshold, "prevalence": share}
            for column, by_threshold in columns.items():
                benefit = by_threshold[f"{threshold:g}"]
                row |= {column: benefit.value, f"{column}_low": benefit.low, f"{column}_high": benefit.high}
            table.append(row)
    return pd.DataFrame(table)


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
    rows = []
    for row in _shown(table).to_dict("records"):
        limit, share = f"{row['threshold']:.2f}", f"{row['prevalence']:.2f}"
        of_model = {
            "model": row["model"].replace(" ", "_"),
            "weights": weights.get(row["model"], ""),
            "condition": {"calibrated": "yes", "prevalence": share, "threshold": limit},
        }
        value = Interval(*(float(row[column]) for column in _ENDS))
        rows.append(stated({"net_benefit": value}, **{**place, **of_model}))
    return pd.concat(rows, ignore_index=True)


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Net benefit for people, in pages of 100: a row a prevalence and model, a column a threshold in SHOWN."""
    rows = _shown(table)
    rows = rows.assign(
        net_benefit=[written(Interval(*ends), ".1f") for ends in rows[_ENDS].to_numpy() * 100 + 0.0],
        prevalence=rows["prevalence"].map("{:.0%}".format),
        threshold=rows["threshold"].map("{:.0%}".format),
    )
    wide = rows.pivot_table("net_benefit", ["prevalence", "model"], "threshold", aggfunc="first", sort=False)
    return wide.rename_axis(columns="threshold")


_ENDS = ["net_benefit", "net_benefit_low", "net_benefit_high"]


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    return table[np.isclose(table["threshold"].to_numpy()[:, None], SHOWN).any(axis=1)]


def at_prevalence(prob: Floats, share: float, prevalence: float) -> Floats:
    """Probabilities of a class ``(N,)`` that is frequent by ``share``, as they are where it is by ``prevalence``."""
    if share in (0.0, 1.0):
        return prob  # nothing is known of the other class
    times = (prevalence / (1 - prevalence)) / (share / (1 - share))
    return prob * times / (prob * times + (1 - prob))


def _benefit(classes: Sequence[str], thresholds: Sequence[float], prevalence: float | None) -> Measure:
    """A measure for `leadwise.scores.draws`: net benefit by threshold, ``0.5`` for one."""
    limits = np.asarray(thresholds, float)
    price = limits / (1 - limits)

    def measure(answers: pd.DataFrame, group: NDArray[np.intp], counts: Floats) -> dict[str, Floats]:
        labels, both = probabilities(answers, classes)
        prob, truth, times = both[:, 1], labels[:, None] == 1, counts[:, group]
        if prevalence is not None:
            prob = at_prevalence(prob, float(truth.mean()), prevalence)
        acted = prob[:, None] >= limits
        right, needless, positives, negatives = (
            times @ pages for pages in (acted & truth, acted & ~truth, truth, ~truth)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            if prevalence is None:
                value = (right - needless * price) / (positives + negatives)
            else:
                value = prevalence * right / positives - (1 - prevalence) * price * needless / negatives
        return {f"{threshold:g}": value[:, column] for column, threshold in enumerate(thresholds)}

    return measure


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
        what = f"threshold {wrong[0]:g}" if wrong else "no threshold"
        raise InputError(f"net_benefit: {what}; thresholds lie between 0 and 1, ends excluded.")
    if prevalence is not None and (math.isnan(prevalence) or not 0 < prevalence < 1):
        raise InputError(f"net_benefit: prevalence {prevalence:g}; it lies between 0 and 1, ends excluded.")
    for name in (ALL, NONE):
        if name in answers:
            raise InputError(f"net_benefit: {name!r} is no name for a model; it stands in the table anyway.")
