"""The picture of what a network adds to the heart rate that is printed on the page anyway."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from leadwise.figures.style import ALARM, GREY, INK, MARK, PALE, Picture, heading, picture

_METRICS = {"accuracy": "Accuracy", "macro_auroc": "Macro AUROC"}
_TASKS = {"four": "Four classes", "binary": "Normal against\nabnormal heartbeat"}


def beside_the_rate(scores: pd.DataFrame, differences: pd.DataFrame) -> Picture:
    """Every model beside the printed heart rate alone: its score (left) and what it has more, paired (right).

    ``scores`` as ``tables.summary`` makes them, a row a task and model, ``rate`` among them (``majority``, far below,
    is left out); ``differences``: columns ``task, model, metric, value, low, high``, each model minus ``rate`` on the
    same pages and draws. A row of panels a task; a difference whose interval is not above 0 is red and hollow: not
    shown to be more than the rate.
    """
    tasks = [task for task in _TASKS if task in set(scores["task"])]
    names = {
        task: [m for m in scores.query("task == @task")["model"] if m not in ("rate", "majority")]
        for task in tasks
    }
    tall = max(len(own) for own in names.values())
    figure = picture(12.4, 0.9 + len(tasks) * (1.0 + 0.36 * tall))
    grid = figure.subplots(len(tasks), 4, squeeze=False, sharey="row", width_ratios=(1.15, 1, 1.15, 1))
    for axes, task in zip(grid, tasks, strict=True):
        own = scores.query("task == @task").set_index("model")
        for left, metric in ((0, "accuracy"), (2, "macro_auroc")):
            _scores(axes[left], own, names[task], metric)
            more = differences.query("task == @task and metric == @metric").set_index("model")
            _differences(axes[left + 1], more, names[task])
            axes[left].set_title(_METRICS[metric])
            axes[left + 1].set_title("minus the rate's")
        axes[0].set_yticks(range(len(names[task])), names[task])
        axes[0].set_ylabel(_TASKS[task], fontweight="bold")
        axes[0].set_ylim(len(names[task]) - 0.4, -0.6)
    n = ", ".join(
        f"{scores.query('task == @task')['n'].iloc[0]} pages ({_TASKS[task].lower()})".replace("\n", " ")
        for task in tasks
    )
    heading(
        figure,
        "What is more than the printed heart rate?",
        f"n = {n}; 95 % intervals by bootstrap over printed ids, differences paired\n"
        "line and band: the rate alone; "
        "red, hollow: not shown to be more",
    )
    return figure


def _scores(ax: Axes, own: pd.DataFrame, names: list[str], metric: str) -> None:
    rate = own.loc["rate"]
    ax.axvspan(rate[f"{metric}_low"], rate[f"{metric}_high"], color=PALE, alpha=0.7, linewidth=0)
    ax.axvline(rate[metric], color=GREY, linewidth=1.4)
    for place, name in enumerate(names):
        row = own.loc[name]
        ax.plot([row[f"{metric}_low"], row[f"{metric}_high"]], [place, place], color=MARK, linewidth=1.6)
        ax.plot(row[metric], place, "o", color=MARK, markersize=6)
    ax.grid(visible=True, axis="x")
    ax.tick_params(axis="y", length=0)


def _differences(ax: Axes, more: pd.DataFrame, names: list[str]) -> None:
    ax.axvline(0, color=GREY, linewidth=1.4)
    for place, name in enumerate(names):
        if name not in more.index:
            continue
        row = more.loc[name]
        colour = INK if row["low"] > 0 else ALARM
        ax.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.6)
        ax.plot(
            row["value"],
            place,
            "D",
            color=colour,
            markersize=5,
            fillstyle="full" if row["low"] > 0 else "none",
        )
    ax.grid(visible=True, axis="x")
    ax.tick_params(axis="y", length=0)
