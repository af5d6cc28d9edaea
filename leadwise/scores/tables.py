"""Tables that compare models: numbers for files, texts for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import pandas as pd

from leadwise.errors import InputError
from leadwise.names import TASKS
from leadwise.scores.draws import Interval, bootstrap_groups
from leadwise.scores.metrics import LOWER_IS_BETTER, readable

HEADLINE = ("accuracy", "macro_f1", "macro_auroc", "auprc", "log_loss", "brier")
"""The metrics of a table where none are named."""

_COLUMNS = {"model": "Model", "protocol": "Protocol", "task": "Task", "n": "n", "seeds": "Seeds"}


def summary(
    answers: Mapping[str, pd.DataFrame],
    classes: Sequence[str],
    metrics: Sequence[str] = HEADLINE,
    draws: int = 2000,
) -> pd.DataFrame:
    """One row a model: what was asked, how the folds were made, and each metric with its 95 % interval.

    ``answers`` holds, by the name to print, the test rows of predictions.csv of one model (unit ``page``).
    Columns: ``model, task, protocol, n`` (distinct units), ``seeds``, then ``<metric>``, ``<metric>_low``
    and ``<metric>_high``. Rows keep the order given. Raises InputError as ``bootstrap_groups`` does, and
    for inner answers, which choose and are never reported.
    """
    rows = []
    for name, frame in answers.items():
        if (frame["role"] != "test").any():
            raise InputError(f"{name}: inner answers in a summary. Give the rows of role 'test' alone.")
        found = bootstrap_groups(frame, classes, draws)
        unknown = [metric for metric in metrics if metric not in found]
        if unknown:
            raise InputError(f"summary: no metric {unknown[0]!r}; known are {', '.join(found)}.")
        row: dict[str, object] = {
            "model": name,
            "task": frame["task"].iloc[0],
            "protocol": frame["protocol"].iloc[0],
            "n": frame["unit_id"].nunique(),
            "seeds": frame["seed"].nunique(),
        }
        for metric in metrics:
            interval = found[metric]
            row |= {metric: interval.value, f"{metric}_low": interval.low, f"{metric}_high": interval.high}
        rows.append(row)
    return pd.DataFrame(rows)


def as_text(table: pd.DataFrame, class_names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The same rows for people: ``0.93 (0.90–0.96)`` under readable column names."""
    metrics = metrics_of(table)
    out = pd.DataFrame({_COLUMNS[c]: table[c].astype(str) for c in _COLUMNS if c in table})
    for metric in metrics:
        out[readable(metric, class_names or {})] = [
            str(Interval(*ends)) for ends in zip(*(table[c] for c in _ends(metric)), strict=True)
        ]
    return out


def print_table(table: pd.DataFrame, title: str, class_names: Mapping[str, str] | None = None) -> None:
    """Print a summary in the terminal, the best value of each metric in bold.

    What all rows share (protocol, task, n, seeds) stands above it. Where the terminal is too narrow for one
    table, every model gets a few lines of its own instead; what goes to a file is 160 columns wide.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 160)
    text = as_text(table, class_names)
    shared = [name for name in _COLUMNS.values() if name != "Model" and len(text[name].unique()) == 1]
    title = (
        f"{title}: {', '.join(f'{name.lower()} {text[name].iloc[0]}' for name in shared)}"
        if shared
        else title
    )
    text = text.drop(columns=shared)
    best = {readable(m, class_names or {}): _best_row(table, m) for m in metrics_of(table)}
    grid = Table(title=title, title_justify="left", title_style="bold")
    for column in text:
        grid.add_column(column, justify="right" if column in best or column == "n" else "left", no_wrap=True)
    for number, row in enumerate(text.itertuples(index=False)):
        cells = zip(text.columns, row, strict=True)
        grid.add_row(*(f"[bold]{cell}[/bold]" if best.get(c) == number else cell for c, cell in cells))
    if grid.__rich_measure__(console, console.options.update(max_width=1000)).maximum <= console.width:
        console.print(grid)
        return
    console.print(title, style="bold", markup=False)
    pad = max(len(column) for column in text)
    for row in text.itertuples(index=False):
        console.print()
        for column, cell in zip(text.columns, row, strict=True):
            console.print(f"  {column:<{pad}}  {cell}", markup=False, highlight=False, soft_wrap=True)


def join_tasks(answers: Mapping[str, Mapping[str, pd.DataFrame]], draws: int = 2000) -> pd.DataFrame:
    """The summaries of several tasks, one below the other; ``answers``: by task, what ``summary`` takes."""
    return pd.concat(
        [summary(models, TASKS[task], draws=draws) for task, models in answers.items()], ignore_index=True
    )


def as_metrics(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The metrics of a summary, a row a task, as ``result.json`` has them: ``{name: {value, low, high}}``.

    Names of the second task and those after it begin with the task.
    """
    found = {}
    for number, row in enumerate(table.to_dict("records")):
        for metric in metrics_of(table):
            name = metric if number == 0 else f"{row['task']}_{metric}"
            found[name] = {"value": row[metric], "low": row[f"{metric}_low"], "high": row[f"{metric}_high"]}
    return found


def metrics_of(table: pd.DataFrame) -> list[str]:
    """The metrics of a summary, in its order."""
    return [c for c in table if f"{c}_low" in table and f"{c}_high" in table]


def _ends(metric: str) -> tuple[str, str, str]:
    """The three columns of a metric."""
    return metric, f"{metric}_low", f"{metric}_high"


def _best_row(table: pd.DataFrame, metric: str) -> int | None:
    """The row of the best value; none where one model stands alone or nothing is defined."""
    values = table[metric].astype(float).reset_index(drop=True)
    if len(values) < 2 or values.isna().all():
        return None
    return int(values.idxmin() if metric in LOWER_IS_BETTER else values.idxmax())
