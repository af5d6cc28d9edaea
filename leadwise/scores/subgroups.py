"""How many pages of each kind are answered rightly: by class, sex, month, printed rate, and how well they were read.

Counts with Wilson's interval; no share where there are fewer pages than `FEWEST`, and no ranking. The kinds are not
alike otherwise: a month, or a band of rates, has its own share of each class, so the classes are counted beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from leadwise.names import TASKS
from leadwise.pages.forms import known_printout
from leadwise.scores.draws import Interval, Measure, one_answerer, page_metrics, wilson
from leadwise.scores.metrics import probabilities
from leadwise.scores.table import compared, scored, stated

RATE_EDGES_BPM = (60, 91, 121)
"""Of the bands of the printed rate, whole numbers; no normal page of the public set exceeds 90 bpm."""

QUALITY_EDGES = (0.98, 0.99)
"""Of the share of time columns that hold ink, in the lead that has least of it; most pages have 0.99."""

TRIANGLE_EDGES_PX = (0.5, 1.0)
"""Of what I + III is away from II, root mean square, in pixels of the template."""

SLOW_BPM = 90
"""Up to this printed rate a page is not called abnormal for being fast."""

FEWEST = 10
"""Under so many pages a kind is counted, and no share is told."""

NOT_KNOWN = "not known"


def kinds_of_pages(pages: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Each page's kinds: index ``page_id``, columns ``sex, month, rate, quality, triangle``, ordered.

    ``pages`` and ``quality``: the tables of these names. ``rate`` is the printed one, ``quality`` and ``triangle``
    say how well the page was read. All are categories in their order, the last `NOT_KNOWN`: what was not read, also
    the quality of a page that ``quality`` does not hold.
    """
    known = pages.set_index("page_id")
    read = quality.set_index("page_id").reindex(known.index)
    kinds = {
        "sex": known["sex"].astype("category"),
        "month": known["recorded_at"].str[:7].astype("category"),
        "rate": _bands(known["heart_rate_bpm"], RATE_EDGES_BPM, "{:.0f}", " bpm"),
        "quality": _bands(read["quality"], QUALITY_EDGES, "{:.2f}", ""),
        "triangle": _bands(
            read["einthoven_rms_mv"] * known_printout().px_per_mv, TRIANGLE_EDGES_PX, "{:.1f}", " px"
        ),
    }
    return pd.DataFrame(
        {name: of.cat.add_categories(NOT_KNOWN).fillna(NOT_KNOWN) for name, of in kinds.items()}
    )


def counts(answers: pd.DataFrame, kinds: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Right answers of one model in one seed: columns ``what, group, right, of, share, low, high``, then each class.

    ``answers``: its test rows of predictions.csv; ``kinds`` as `kinds_of_pages` makes them, pages without a row being
    `NOT_KNOWN`. The first rows are by class. ``share`` and its ends are nan under `FEWEST` pages; the columns named
    by a class hold the group's pages of it. Raises InputError for several models or seeds, or no answers.
    """
    one_answerer(answers, one_seed=True)
    labels, prob = probabilities(answers, classes)
    right = prob.argmax(axis=1) == labels
    of_page = kinds.reindex(answers["unit_id"]).fillna(NOT_KNOWN).reset_index(drop=True)
    of_page.insert(0, "class", pd.Categorical(answers["label"], categories=list(classes)))
    rows = []
    for what, column in of_page.items():
        for group in column.cat.categories[column.cat.categories.isin(column)]:
            here = (column == group).to_numpy()
            n_right, n = int(right[here].sum()), int(here.sum())
            share = wilson(n_right, n) if n >= FEWEST else wilson(0, 0)
            made_up = {name: int((labels[here] == k).sum()) for k, name in enumerate(classes)}
            row = {"what": what, "group": group, "right": n_right, "of": n, "share": share.value}
            rows.append(row | {"low": share.low, "high": share.high} | made_up)
    return pd.DataFrame(rows)


def as_scores(table: pd.DataFrame, **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv`` of what `counts` gives: an accuracy a group, with Wilson's interval.

    The condition names the group: ``month=2016-10``. Groups under `FEWEST` pages have no row.
    """
    rows = [
        stated(
            {"accuracy": Interval(row["share"], row["low"], row["high"])},
            **place | {"condition": {row["what"]: row["group"]}, "n": row["of"]},
        )
        for row in table.to_dict("records")
    ]
    return pd.concat(rows, ignore_index=True)


def abnormal_by_rate(answers: pd.DataFrame, pages: pd.DataFrame, **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv``: sensitivity of abnormal pages by their printed rate, ``pages.csv``.

    `counted` is ``rate_up_to_90`` or ``rate_above_90`` (bpm), `n` the abnormal pages of which that is printed. Fast
    pages are called abnormal by their rate alone, which the sensitivity of all hides. `place` as in `scored`. Raises
    InputError as `scored` does.
    """
    rows = [
        scored(own, *_sensitivity(own), **place, counted=name)
        for name, own in _abnormal_by_band(answers, pages).items()
        if len(own)
    ]
    return pd.concat(rows, ignore_index=True) if rows else stated({})


def abnormal_by_rate_minus(
    answers: pd.DataFrame, others: pd.DataFrame, pages: pd.DataFrame, **place: Any
) -> pd.DataFrame:
    """Rows of ``differences.csv``: the same of one model minus another, paired. `place` as in `compared`."""
    theirs = _abnormal_by_band(others, pages)
    rows = [
        compared(own, theirs[name], *_sensitivity(own), **place, counted=name)
        for name, own in _abnormal_by_band(answers, pages).items()
        if len(own)
    ]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _abnormal_by_band(answers: pd.DataFrame, pages: pd.DataFrame) -> dict[str, pd.DataFrame]:
    rate = answers["unit_id"].map(pages.set_index("page_id")["heart_rate_bpm"])
    abnormal = answers["label"] == TASKS["binary"][1]
    bands = {f"rate_up_to_{SLOW_BPM}": rate <= SLOW_BPM, f"rate_above_{SLOW_BPM}": rate > SLOW_BPM}
    return {name: answers[abnormal & here.fillna(False).astype(bool)] for name, here in bands.items()}


def _sensitivity(answers: pd.DataFrame) -> tuple[Measure, list[str]]:
    """Of abnormal pages, in the task of these answers."""
    return page_metrics(TASKS[str(answers["task"].iloc[0])]), [f"recall_{TASKS['binary'][1]}"]


def _bands(values: pd.Series, edges: Sequence[float], shown: str, unit: str) -> pd.Series:
    """Each value's band as a category, lower ends included; missing where the value is."""
    ends = [shown.format(edge) for edge in edges]
    names = [f"under {ends[0]}{unit}"]
    names += [f"{low} to under {high}{unit}" for low, high in pairwise(ends)]
    names += [f"{ends[-1]}{unit} or more"]
    numbers = values.astype("Float64").to_numpy(float, na_value=float("nan"))
    cut = pd.cut(numbers, [-float("inf"), *edges, float("inf")], right=False, labels=names)
    return pd.Series(cut, index=values.index)
