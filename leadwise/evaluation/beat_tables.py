"""Scores of beats and windows as tables: by protocol and model, with intervals, and beside what papers print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files as package_files
from typing import Any

import pandas as pd

from leadwise.evaluation.figures_beat_scores import readable
from leadwise.evaluation.intervals import Interval

Scores = dict[tuple[str, str], dict[str, Interval]]
"""By protocol and model: each metric with its interval."""

FLOORS = ("majority", "ratios_alone", "record_alone")


def scored(answers: pd.DataFrame, score: Callable[[pd.DataFrame], dict[str, Interval]]) -> Scores:
    """What `score` gives for each protocol and model in `answers`, in their order."""
    keys = ["protocol", "model"]
    return {(str(p), str(m)): score(rows) for (p, m), rows in answers.groupby(keys, sort=False)}


def flat(scores: Scores, answers: pd.DataFrame, counted: str = "all") -> pd.DataFrame:
    """A row a protocol and model, for each metric its value and the ends of its interval.

    Before them stand `task, protocol, model, counted` (which of the `answers` count), `n`, the units of one seed, and
    `seeds`, as ``1/2/3``.
    """
    rows: list[dict[str, Any]] = []
    for (protocol, model), told in scores.items():
        own = answers[(answers["protocol"] == protocol) & (answers["model"] == model)]
        seeds = sorted(own["seed"].unique())
        row: dict[str, Any] = {
            "task": own["task"].iloc[0],
            "protocol": protocol,
            "model": model,
            "counted": counted,
            "n": len(own) // len(seeds),
            "seeds": "/".join(map(str, seeds)),
        }
        for name, one in told.items():
            row |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
        rows.append(row)
    return pd.DataFrame(rows)


def as_text(scores: Scores, metrics: Sequence[str]) -> pd.DataFrame:
    """The same for people: ``0.93 (0.90–0.96)`` under the metrics' names."""
    nothing = Interval(*(float("nan"),) * 3)
    return pd.DataFrame(
        [
            {"protocol": protocol, "model": model}
            | {readable(name): str(told.get(name, nothing)) for name in metrics}
            for (protocol, model), told in scores.items()
        ]
    )


def prices(scores: Scores, leaky: str, true: str, metrics: Sequence[str]) -> pd.DataFrame:
    """What networks trained under both protocols score in each: `of, model, metric, leaky, true`, with their ends.

    `floor` is what always giving the same answer scores under the true one.
    """
    rows: list[dict[str, Any]] = []
    networks = [name for protocol, name in scores if protocol == leaky and name not in FLOORS]
    for name in networks:
        for metric in metrics:
            row: dict[str, Any] = {"of": leaky, "model": name, "metric": metric}
            for side, protocol in (("leaky", leaky), ("true", true)):
                one = scores[protocol, name][metric]
                row |= {side: one.value, f"{side}_low": one.low, f"{side}_high": one.high}
            rows.append(row | {"floor": scores[true, "majority"][metric].value})
    return pd.DataFrame(rows)


def printed() -> pd.DataFrame:
    """What papers print about beats by person, each with its source; empty where they do not say it."""
    resource = package_files("leadwise") / "resources" / "published_beats.csv"
    with resource.open(encoding="utf-8") as file:
        return pd.read_csv(file)
