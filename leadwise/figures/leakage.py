"""The picture of what a leak is worth: a score that falls as the leaks are closed, one after another."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from leadwise.figures.style import (
    ALARM,
    GREY,
    MODEL_COLOURS,
    MODEL_MARKERS,
    PALE,
    Picture,
    class_colour,
    class_name,
    heading,
    picture,
)
from leadwise.names import CLASSES

STEPS = {
    ("leaky_file_90_10", "file"): "one shuffle\nof files,\nlast tenth",
    ("leaky_copies", "file"): "five folds\nof files",
    ("leaky_copies", "page"): "each page\ncounted once",
    ("distinct", "page"): "no copies\non both sides",
    ("grouped", "page"): "nor pages\nof one id",
    ("by_month", "page"): "nor of one\nmonth",
}
"""The steps from what is published to what holds, by protocol and by what is counted."""


def falling_score(prices: pd.DataFrame, rate: float, majority: float, pages: str) -> Picture:
    """Accuracy of each network (left) and recall of each class (right) while leaks are closed, with 95 % intervals.

    ``prices``: a row a network and step: ``model, protocol, counted`` (a key of STEPS), ``accuracy`` and
    ``recall_<class>`` with their ``_low`` and ``_high``; the right panel shows the last network. ``rate`` and
    ``majority`` are the accuracies of knowing the printed heart rate, or the frequencies, alone; ``pages`` says how
    many pages there are.
    """
    there = set(zip(prices["protocol"], prices["counted"], strict=True))
    steps = [step for step in STEPS if step in there]
    leaky = sum(protocol.startswith("leaky") for protocol, _ in steps)
    figure = picture(12.6, 5.2)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.1, 1))
    models = list(dict.fromkeys(prices["model"]))
    for number, model in enumerate(models):
        shift = 0.16 * (number - (len(models) - 1) / 2)
        _line(
            left,
            _rows(prices, model, steps),
            "accuracy",
            shift,
            model,
            MODEL_COLOURS[number],
            MODEL_MARKERS[number],
        )
        for place, row in enumerate(_rows(prices, model, steps).itertuples()):
            way = (
                -1 if number == 0 else 1
            )  # the first network's numbers below and before, the others' above and after
            left.text(
                place + shift + 0.07 * way, row.accuracy + 0.01 * way, f"{row.accuracy:.3f}", fontsize=8.5,
                color=MODEL_COLOURS[number], ha="right" if way < 0 else "left", va="top" if way < 0 else "bottom",
            )  # fmt: skip
    for number, name in enumerate(CLASSES):
        rows, shift = _rows(prices, models[-1], steps), 0.14 * (number - 1.5)
        _line(
            right, rows, f"recall_{name}", shift, class_name(name), class_colour(name), MODEL_MARKERS[number]
        )
    for ax, title in ((left, "Accuracy"), (right, f"Recall of each class, {models[-1]}")):
        ax.axvspan(-0.5, leaky - 0.5, color=ALARM, alpha=0.07, linewidth=0)
        ax.set_title(title)
        ax.set_xticks(range(len(steps)), [STEPS[step] for step in steps], fontsize=9)
        ax.tick_params(axis="x", length=0)
        ax.set_xlim(-0.5, len(steps) - 0.5)
        ax.grid(visible=True, axis="y")
        ax.legend(loc="lower left", fontsize=9.5, frameon=True, edgecolor="none", framealpha=0.85)
        if 0 < leaky < len(steps):
            ax.text(leaky - 0.55, 1.012, "leaks", color=ALARM, ha="right", va="bottom", fontsize=10)
            ax.text(leaky - 0.45, 1.012, "holds", color=GREY, ha="left", va="bottom", fontsize=10)
    for value, words in ((rate, "the printed heart rate alone"), (majority, "the most frequent class alone")):
        left.axhline(value, color=GREY, linewidth=1.2, linestyle=":")
        left.text(len(steps) / 2 - 0.5, value, words, ha="center", va="bottom", fontsize=9, color=GREY)
    left.set_ylim(min(0.65, majority - 0.05, _lowest(prices, models[-1], steps) - 0.03), 1.05)
    heading(
        figure,
        "The score falls as the leaks are closed",
        f"{pages}; 95 % intervals by bootstrap over printed ids, of recalls by Wilson; each step closes a leak more",
    )
    return figure


def _rows(prices: pd.DataFrame, model: str, steps: list[tuple[str, str]]) -> pd.DataFrame:
    """A network's rows in the order of the steps; nan where it has none."""
    return (
        prices[prices["model"] == model]
        .set_index(["protocol", "counted"])
        .reindex(pd.MultiIndex.from_tuples(steps))
    )


def _lowest(prices: pd.DataFrame, model: str, steps: list[tuple[str, str]]) -> float:
    rows = _rows(prices, model, steps)
    return float(rows[[f"recall_{name}_low" for name in CLASSES]].min().min())


def _line(
    ax: Axes, rows: pd.DataFrame, metric: str, shift: float, name: str, colour: str, marker: str
) -> None:
    x = [place + shift for place in range(len(rows))]
    ends = [rows[metric] - rows[f"{metric}_low"], rows[f"{metric}_high"] - rows[metric]]
    ax.errorbar(
        x, rows[metric], yerr=ends, color=colour, marker=marker, markersize=6, linewidth=1.4, elinewidth=1.2,
        capsize=2.5, label=name, markeredgecolor=PALE, markeredgewidth=0.5,
    )  # fmt: skip
