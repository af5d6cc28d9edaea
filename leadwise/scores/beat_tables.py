"""Scores of beats and windows as tables: by protocol and model, with intervals, and beside what papers print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files as package_files
from typing import Any

import numpy as np
import pandas as pd

from leadwise.names import AAMI
from leadwise.scores.beats import beat_difference, readable
from leadwise.scores.draws import Interval

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


def prices(
    scores: Scores, leaky: str, true: str, metrics: Sequence[str], *, floors: bool = False
) -> pd.DataFrame:
    """What networks trained under both protocols score in each: `of, model, metric, leaky, true`, with their ends.

    With `floors`, those too that are no networks.
    `floor` is what always giving the same answer scores under the true one, `printed` what was published of the
    network under the leaky one, where anything was.
    """
    told = printed().query("protocol == @leaky").dropna(subset="model").set_index("model")
    rows: list[dict[str, Any]] = []
    networks = [name for protocol, name in scores if protocol == leaky and (floors or name not in FLOORS)]
    for name in networks:
        for metric in metrics:
            row: dict[str, Any] = {"of": leaky, "model": name, "metric": metric}
            for side, protocol in (("leaky", leaky), ("true", true)):
                one = scores[protocol, name][metric]
                row |= {side: one.value, f"{side}_low": one.low, f"{side}_high": one.high}
            known = name in told.index and metric in told.columns
            row["printed"] = float(told.loc[name, metric]) if known else np.nan
            rows.append(row | {"floor": scores[true, "majority"][metric].value})
    return pd.DataFrame(rows)


def paired(
    answers: pd.DataFrame, against: Sequence[str], metrics: Sequence[str], draws: int = 2000
) -> pd.DataFrame:
    """Each model of one protocol minus each of `against`, paired by people: `model, minus, metric, value, low, high`.

    Floors are compared with nobody. `survives` says whether the interval leaves zero out.
    """
    models = dict(iter(answers.groupby("model", sort=False)))
    rows = [
        (model, other, metric, one.value, one.low, one.high, one.low > 0 or one.high < 0)
        for other in against
        for model in models
        if model != other and model not in FLOORS
        for metric, one in beat_difference(models[model], models[other], metrics, draws).items()
    ]
    return pd.DataFrame(rows, columns=["model", "minus", "metric", "value", "low", "high", "survives"])


def errors(answers: pd.DataFrame) -> pd.DataFrame:
    """The share of beats that each model (rows) gets wrong, by `class <name>` and by `record <number>` (columns).

    Means over seeds; a class that no beat has is left out.
    """
    called = answers[[f"prob_{name}" for name in AAMI]].to_numpy().argmax(axis=1)
    table = pd.DataFrame(
        {
            "model": answers["model"],
            "wrong": np.asarray(AAMI)[called] != answers["label"],
            "class": "class " + answers["label"],
            "record": "record " + answers["unit_id"].str.rsplit("-", n=1).str[0],
        }
    )
    sides = [
        table.pivot_table(index="model", columns=side, values="wrong", aggfunc="mean", sort=False)
        for side in ("class", "record")
    ]
    ordered = [f"class {name}" for name in AAMI if f"class {name}" in sides[0]]
    return pd.concat([sides[0][ordered], sides[1][sorted(sides[1])]], axis=1)


def networks(prices: pd.DataFrame, costs: pd.DataFrame) -> pd.DataFrame:
    """A row a network: what it scores by person, as published and as printed, and what it costs.

    `prices` as `prices` gives them: ``<metric>`` is by person, ``leaky_<metric>`` as published, both with their ends,
    ``printed_<metric>`` what its authors print. `costs` has ``model, parameters, epochs, s_per_epoch, ms_per_beat``.
    """
    rows = []
    for model, own in prices.groupby("model", sort=False):
        row: dict[str, Any] = {"model": model}
        for one in own.to_dict("records"):
            for end in ("", "_low", "_high"):
                row[f"{one['metric']}{end}"] = one[f"true{end}"]
                row[f"leaky_{one['metric']}{end}"] = one[f"leaky{end}"]
            row[f"printed_{one['metric']}"] = one["printed"]
        rows.append(row)
    return pd.DataFrame(rows).merge(costs, on="model", how="left")


def networks_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same for people."""
    shown = {"network": table["model"]}
    for name in [name for name in table if f"{name}_low" in table]:
        metric = name.removeprefix("leaky_")
        ends = table[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
        words = f"{readable(metric)}, {'by person' if metric == name else 'split at random'}"
        shown[words] = [str(Interval(*one)) for one in ends]
        if metric != name and table[f"printed_{metric}"].notna().any():
            shown[f"{readable(metric)}, printed"] = table[f"printed_{metric}"]
    called = {"s_per_epoch": "seconds an epoch of DS1", "ms_per_beat": "milliseconds a beat"}
    return pd.DataFrame(shown | {called.get(n, n): table[n] for n in ("parameters", "epochs", *called)})


def printed() -> pd.DataFrame:
    """What papers print about beats, each with its source; empty where they do not say it, or not of N, S and V.

    `model` names the same network here, for those that are rebuilt.
    """
    resource = package_files("leadwise") / "resources" / "published_beats.csv"
    with resource.open(encoding="utf-8") as file:
        return pd.read_csv(file)
