"""What transfer is worth, as tables and sentences for people, and as metrics for ``result.json``."""

from __future__ import annotations

from importlib.resources import files as package_files
from typing import Any

import pandas as pd

from leadwise.names import TASKS
from leadwise.scores.draws import Interval
from leadwise.scores.metrics import READABLE
from leadwise.scores.transfer import METRICS


def as_text(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of `transfer_summary` for people: ``0.93 (0.90–0.96)`` under the metrics' names."""
    out = summary[["protocol", "unit", "model", "n", "seeds"]].copy()
    for metric in METRICS:
        out[READABLE[metric]] = [str(one) for one in _intervals(summary, metric)]
    return out.assign(always=summary["always"])


def printed() -> pd.DataFrame:
    """What published work prints of transfer from MIT-BIH to PTB, each with its source."""
    resource = package_files("leadwise") / "resources" / "published_transfer.csv"
    with resource.open(encoding="utf-8") as file:
        return pd.read_csv(file)


def said(summary: pd.DataFrame, differences: pd.DataFrame, task: str) -> str:
    """What was found for a task, in a few sentences made of computed numbers."""
    own = summary[summary["task"] == task]
    told = differences[differences["task"] == task]
    parts = []
    for unit in ("beat", "patient"):
        rows = own[(own["protocol"] == "patient_folds") & (own["unit"] == unit)]
        values = ", ".join(
            f"`{name}` {one}" for name, one in zip(rows["model"], _intervals(rows, "auroc"), strict=True)
        )
        parts.append(f"By patient, AUROC over {rows['n'].iloc[0]:,} {unit}s: {values}.")
    honest = told[(told["protocol"] == "patient_folds") & (told["metric"] == "auroc")]
    parts += [
        f"`{one.model}` minus `{one.minus}`, by {one.unit}: {_verdict(one)}." for one in honest.itertuples()
    ]
    leak = told[
        (told["minus"] == "patient_folds") & (told["metric"] == "accuracy") & (told["unit"] == "beat")
    ]
    parts += [
        f"The leak adds to the accuracy of `{one.model}`, by beat: {_verdict(one)}."
        for one in leak.itertuples()
    ]
    same = own[(own["always"] != "") & (own["model"] != "majority") & (own["unit"] == "beat")]
    parts += [
        f"`{one.model}` under `{one.protocol}` says the same of everything: {one.always}."
        for one in same.itertuples()
    ]
    return f"**{task}** (`{TASKS[task][0]}` against `{TASKS[task][1]}`). " + " ".join(parts)


def as_metrics(summary: pd.DataFrame, differences: pd.DataFrame) -> dict[str, Interval]:
    """All of both tables by name: ``<task>_<protocol>_<unit>_<model>_<metric>``, and with ``_minus_<other>``."""
    found = {}
    for metric in METRICS:
        for one, value in zip(summary.itertuples(), _intervals(summary, metric), strict=True):
            found[f"{one.task}_{one.protocol}_{one.unit}_{one.model}_{metric}"] = value
    for one in differences.itertuples():
        name = f"{one.task}_{one.protocol}_{one.unit}_{one.model}_minus_{one.minus}_{one.metric}"
        found[name] = Interval(one.value, one.low, one.high)
    return found


def _intervals(table: pd.DataFrame, metric: str) -> list[Interval]:
    ends = (table[f"{metric}{end}"] for end in ("", "_low", "_high"))
    return [Interval(*map(float, one)) for one in zip(*ends, strict=True)]


def _verdict(one: Any) -> str:
    """A difference with its interval, and whether chance alone may have made it."""
    clear = one.low > 0 or one.high < 0
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f}" + (")" if clear else "; may be chance)")
