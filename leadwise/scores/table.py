"""Scores as one long table, and differences as another: what every notebook that scores writes.

A row is one metric of one model at one place, and what it means is said by its columns (contracts ``scores.csv`` and
``differences.csv`` in `leadwise.tables`), never by a part of a name:

    task, protocol, test_set    what was asked, how folds were made, where
    model, weights              who answered, and what it began from: ``random``, ``pretrained``, ``drawn``, ``file``,
                                or nothing
    condition                   what else was varied: ``key=value`` pairs in order of key, with ``;`` between them
    unit, counted, average      what is counted (page, beat ...), which of them, and pooled (gross) or by record
    seeds, n                    ``1/2/3``; units of one seed
    metric, value, low, high    one of `leadwise.names.METRICS`; the ends of its 95 % interval where it has one

In ``differences.csv`` `minus` is the other model's name, or ``column=value`` (or ``key=value`` of the condition)
where it is the same model elsewhere. `scored`, `scored_by_seed` and `compared` make rows of answers; `stated` of
what was measured otherwise.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from leadwise.errors import TableError
from leadwise.names import TEST_SET_OF, UNITS, metric_of, metric_words
from leadwise.scores.draws import ENDS, Interval, Measure, bootstrap, paired
from leadwise.tables import SCHEMAS, read_table

HEADLINE = ("accuracy", "macro_f1", "macro_auroc", "auprc", "log_loss", "brier")
"""The metrics of pages where none are named."""

PLACE = tuple(name for name in SCHEMAS["scores.csv"].columns if name not in {"metric", *ENDS})
"""The columns that say what a row is about."""


def scored(
    answers: pd.DataFrame,
    measure: Measure,
    metrics: Sequence[str] | None = None,
    draws: int = 2000,
    **place: Any,
) -> pd.DataFrame:
    """Rows of ``scores.csv`` of one model's test answers, with intervals by bootstrap over groups.

    `measure` as `leadwise.scores.draws.page_metrics` gives one; `metrics` names those that are wanted, all by
    default. `place` sets columns that the answers do not tell, or tell otherwise: `model, weights, condition` (a
    mapping), `counted ...`. What is undefined (a class without units) has no row. Trainings are given where pages
    are asked about; of networks for beats and windows, which differ more from seed to seed, seeds are drawn too.
    Raises InputError as `bootstrap` does.
    """
    intervals = bootstrap(answers, measure, draws, draw_seeds=_of_beats(answers))
    return stated({name: intervals[name] for name in metrics or intervals}, **(_place_of(answers) | place))


def scored_by_seed(
    answers: pd.DataFrame,
    measure: Measure,
    metrics: Sequence[str] | None = None,
    draws: int = 2000,
    **place: Any,
) -> pd.DataFrame:
    """The same, and then each seed alone where there are several, so that their spread can be seen."""
    seeds = sorted(answers["seed"].unique())
    alone = [answers[answers["seed"] == seed] for seed in seeds] if len(seeds) > 1 else []
    return pd.concat(
        [scored(some, measure, metrics, draws, **place) for some in (answers, *alone)], ignore_index=True
    )


def compared(
    a: pd.DataFrame,
    b: pd.DataFrame,
    measure: Measure,
    metrics: Sequence[str],
    draws: int = 2000,
    *,
    minus: str | None = None,
    own_seeds: bool = False,
    **place: Any,
) -> pd.DataFrame:
    """Rows of ``differences.csv``: `metrics` of ``a`` minus those of ``b``, on the same draws.

    `minus` is ``b``'s model where it is not named; else as `scored`. Raises InputError as `paired` does.
    """
    intervals = paired(a, b, measure, metrics, draws, own_seeds=own_seeds, draw_seeds=_of_beats(a))
    rows = stated(intervals, **(_place_of(a) | place))
    rows.insert(
        rows.columns.get_loc("model") + 1, "minus", str(b["model"].iloc[0]) if minus is None else minus
    )
    return rows


def stated(metrics: Mapping[str, Interval | float | None], **place: Any) -> pd.DataFrame:
    """Rows of ``scores.csv`` of what was measured otherwise: counts, costs, shares with Wilson's interval.

    `place` as in `scored`; what is not given is empty. A metric that is None or nan has no row.
    """
    columns = dict.fromkeys(PLACE, "") | {"n": pd.NA} | place
    if unknown := set(columns) - set(PLACE):
        raise TableError(f"scores have no column {min(unknown)!r}; they have {', '.join(PLACE)}.")
    if str(columns["weights"]).endswith(".safetensors"):
        columns["weights"] = "file"
    condition = columns["condition"]
    if isinstance(condition, Mapping):
        columns["condition"] = ";".join(f"{key}={condition[key]}" for key in sorted(condition))
    rows = []
    for name, value in metrics.items():
        if value is None:
            continue
        ends = value if isinstance(value, Interval) else Interval(float(value), math.nan, math.nan)
        if not math.isnan(ends.low if metric_of(name)[0].interval else ends.value):
            rows.append(columns | {"metric": name} | vars(ends))
    return pd.DataFrame(rows, columns=list(SCHEMAS["scores.csv"].columns))


def read_scores(path: Path, name: str = "scores.csv") -> pd.DataFrame:
    """Read one of the two tables; what is empty is ``""``. Raises as `leadwise.tables.read_table` does."""
    table = read_table(path, name)
    words = [column for column, spec in SCHEMAS[name].columns.items() if spec.kind == "text"]
    return table.assign(**table[words].astype(object).where(table[words].notna(), ""))


def selected(scores: pd.DataFrame, **where: Any) -> pd.DataFrame:
    """The rows whose columns have these values; a list or tuple allows any of its own."""
    for column, value in where.items():
        wanted = list(value) if isinstance(value, (list, tuple, set)) else [value]
        scores = scores[scores[column].isin(wanted)]
    return scores


def score_of(scores: pd.DataFrame, metric: str, **where: Any) -> Interval:
    """The one value of a metric at a place. Raises TableError where there is none, or several."""
    rows = selected(scores, metric=metric, **where)
    if len(rows) != 1:
        place = ", ".join(f"{column} {value!r}" for column, value in where.items())
        raise TableError(f"{len(rows)} rows have the metric {metric!r} with {place}; it must be one.")
    return Interval(*(float(rows[column].iloc[0]) for column in ENDS))


def written(interval: Any, shown: str = ".3f", *, signed: bool = False) -> str:
    """An `Interval`, or a row of a table, as texts have it: ``0.932 (0.901 to 0.957)``."""
    if math.isnan(interval.value):
        return "–"
    form = f"{'+' if signed else ''}{shown}"
    value, low, high = (format(end, form) for end in (interval.value, interval.low, interval.high))
    return value if math.isnan(interval.low) else f"{value} ({low} to {high})"


def as_text(scores: pd.DataFrame, metrics: Iterable[str] | None = None) -> pd.DataFrame:
    """Scores for people: a line a place, a column a metric, each ``0.932 (0.901 to 0.957)``.

    Before them stand the columns of the place that differ from line to line, and the model.
    """
    wanted = list(dict.fromkeys(scores["metric"]) if metrics is None else metrics)
    keys = [c for c in ("model", "minus", *PLACE[:3], *PLACE[4:]) if c in scores]
    rows = scores[scores["metric"].isin(wanted)]
    rows = rows.assign(
        text=[
            written(row, metric_of(row.metric)[0].shown, signed="minus" in scores)
            for row in rows.itertuples()
        ],
        n=rows["n"].astype("string").fillna(""),
    )
    lines = rows.drop_duplicates(keys)[keys].reset_index(drop=True)
    for name in wanted:
        of_metric = rows[rows["metric"] == name].drop_duplicates(keys).set_index(keys)["text"]
        texts = of_metric.reindex(pd.MultiIndex.from_frame(lines))
        lines[metric_words(name)] = texts.fillna("").to_numpy()
    alike = [c for c in keys if c != "model" and len(set(lines[c])) == 1]
    return lines.drop(columns=alike)


def print_table(scores: pd.DataFrame, title: str, metrics: Sequence[str] = HEADLINE) -> None:
    """Print some metrics of scores in the terminal.

    What all rows share (protocol, task, n, seeds) stands above it. Where the terminal is too narrow for one
    table, every model gets a few lines of its own instead; what goes to a file is 160 columns wide.
    """
    from rich.console import Console
    from rich.table import Table

    plain = os.environ.get("NO_COLOR")  # rich would still print in bold
    console = Console(width=None if sys.stdout.isatty() else 160, color_system=None if plain else "auto")
    scores = scores[scores["metric"].isin(metrics)]
    if scores.empty:
        console.print(f"{title}: no scores", markup=False)
        return
    text = as_text(scores, metrics)
    shared = [
        f"{name} {scores[name].iloc[0]}" for name in ("protocol", "task", "n", "seeds") if name not in text
    ]
    title = f"{title}: {', '.join(shared)}" if shared else title
    figures = {metric_words(metric) for metric in metrics} | {"n"}
    grid = Table(title=title, title_justify="left", title_style="bold")
    for column in text:
        grid.add_column(column, justify="right" if column in figures else "left", no_wrap=True)
    for row in text.itertuples(index=False):
        grid.add_row(*row)
    if grid.__rich_measure__(console, console.options.update(max_width=1000)).maximum <= console.width:
        console.print(grid)
        return
    console.print(title, style="bold", markup=False)
    pad = max(len(column) for column in text)
    for row in text.itertuples(index=False):
        console.print()
        for column, cell in zip(text.columns, row, strict=True):
            console.print(f"  {column:<{pad}}  {cell}", markup=False, highlight=False, soft_wrap=True)


def _of_beats(answers: pd.DataFrame) -> bool:
    """Whether beats or windows were asked about."""
    return UNITS[str(answers["task"].iloc[0])] in ("beat", "window")


def _place_of(answers: pd.DataFrame) -> dict[str, Any]:
    """What answers say of their place."""
    first = answers.iloc[0]
    seeds = sorted(answers["seed"].unique())
    task, protocol = str(first["task"]), str(first["protocol"])
    by_person = "svdb" if protocol == "svdb" else "ds2"
    is_by_person = task == "aami5" and protocol.startswith(("interpatient", "svdb"))
    return {
        "task": task,
        "protocol": protocol,
        "test_set": by_person if is_by_person else TEST_SET_OF[task],
        "model": str(first["model"]),
        "unit": str(first["unit"]) if "unit" in answers else UNITS[task],
        "counted": "all",
        "average": "gross",
        "seeds": "/".join(map(str, seeds)),
        "n": int(answers["unit_id"].nunique()),
    }
