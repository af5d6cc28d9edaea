"""Pictures of teaching: what a teacher says, how its students train, and what teaching was worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.figures.style import (
    ALARM,
    GREY,
    INK,
    MARK,
    MODEL_COLOURS,
    PALE,
    Picture,
    bare,
    heading,
    picture,
    rgb,
)


def confidence_in_the_label(
    known: NDArray[np.floating], unknown: NDArray[np.floating], title: str
) -> Picture:
    """How probable a teacher holds the label of each page ``(pages,)``: of pages it was trained on, and of others."""
    figure = picture(8.4, 3.6)
    ax = figure.subplots()
    for values, colour, line, name in (
        (known, MODEL_COLOURS[0], "--", "trained on these pages"),
        (unknown, MODEL_COLOURS[2], "-", "never saw these pages (cross-fitted)"),
    ):
        share = np.arange(1, len(values) + 1) / len(values)
        ax.step(np.sort(values), share, where="post", color=colour, linestyle=line, linewidth=2, label=name)
    ax.set_xlabel("probability given to the page's label")
    ax.set_ylabel("share of pages")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.legend(loc="upper left", frameon=False)
    heading(
        figure,
        title,
        f"n = {len(known)} pages of the training folds; the further left, the more is left to say",
    )
    return figure


def losses_by_epoch(history: pd.DataFrame, title: str) -> Picture:
    """Training loss by epoch (``history.csv``), a panel a student: each fold a thin line, their mean a thick one."""
    names = list(dict.fromkeys(history["model"]))
    figure = picture(12.4, 2.9 * -(-len(names) // 3) + 0.6)
    grid = figure.subplots(-(-len(names) // 3), 3, squeeze=False).ravel()
    for ax, name in zip(grid, names, strict=False):
        own = history[(history["model"] == name) & history["loss"].notna()]
        for _, one in own.groupby(["seed", "fold"]):
            ax.plot(one["epoch"], one["loss"], color=PALE, linewidth=0.8)
        by_epoch = own.groupby(own["epoch"].apply(np.ceil))["loss"].mean()
        ax.plot(by_epoch.index, by_epoch, color=INK, linewidth=1.8, linestyle="--")
        ax.set_title(name)
        ax.set_xlabel("epoch")
        ax.set_ylabel("training loss")
        ax.set_ylim(bottom=0)
    for ax in grid[len(names) :]:
        ax.set_visible(False)
    trainings = history.groupby("model").apply(lambda own: own[["seed", "fold"]].drop_duplicates().shape[0])
    heading(
        figure, title, "grey: each fold and seed, dashed: their mean; n = " + ", ".join(map(str, trainings[names]))
        + " trainings",
    )  # fmt: skip
    return figure


def what_teaching_gives(differences: pd.DataFrame, pages: int) -> Picture:
    """Each taught student minus its untaught twin, paired: columns ``model, metric, value, low, high, n, seeds``.

    A panel a metric; an interval that holds 0 is grey and hollow, one on the wrong side red.
    """
    metrics = list(dict.fromkeys(differences["metric"]))
    names = list(dict.fromkeys(differences["model"]))
    figure = picture(12.4, 1.6 + 0.42 * len(names))
    panels = np.atleast_1d(figure.subplots(1, len(metrics), sharey=True))
    for ax, metric in zip(panels, metrics, strict=True):
        ax.axvline(0, color=GREY, linewidth=1)
        better = -1 if metric in ("log_loss", "brier") else 1
        own = differences[differences["metric"] == metric].set_index("model")
        for place, name in enumerate(names):
            d = own.loc[name]
            shown = not d["low"] <= 0 <= d["high"]
            colour = GREY if not shown else ALARM if better * d["value"] < 0 else MARK
            ax.plot([d["low"], d["high"]], [place, place], color=colour, linewidth=2)
            face = colour if shown else "white"
            ax.plot(d["value"], place, "o", color=colour, markerfacecolor=face, markersize=7)
        ax.set_title(metric.replace("_", " ") + (" (less is better)" if better < 0 else ""))
        told = [f"{name} ({own.loc[name, 'n']} pages, {own.loc[name, 'seeds']} x)" for name in names]
        ax.set_yticks(range(len(names)), told)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xlabel("taught minus untaught")
    heading(
        figure,
        "What does a teacher give?",
        f"n = {pages} pages, seeds as often as told; 95 % intervals by bootstrap over printed ids, paired\n"
        "grey, hollow: not shown to differ; red: worse",
    )
    return figure


def answered_page(page: NDArray[np.uint8]) -> Picture:
    """A page as `leadwise predict --overlay` draws it, BGR uint8."""
    height, width = page.shape[:2]
    figure = picture(11.0, 11.0 * height / width)
    ax = figure.subplots()
    ax.imshow(rgb(page, longest_px=1650))
    bare(ax)
    return figure


def costs(table: pd.DataFrame, steps_ms: Mapping[str, float]) -> Picture:
    """What an answer costs: each network alone, and the steps from a file to an answer.

    Left, logarithmic: ``table`` with ``network, ms_per_page, size_mb``; right: ``steps_ms`` one after the other.
    """
    figure = picture(12.4, 1.9 + 0.42 * len(table))
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    left.barh(range(len(table)), table["ms_per_page"], color=MODEL_COLOURS[3])
    left.set_xscale("log")
    left.xaxis.set_major_formatter(lambda ms, _: f"{ms:g}")
    left.set_yticks(range(len(table)), table["network"])
    left.invert_yaxis()
    left.set_xlim(right=table["ms_per_page"].max() * 6)
    for place, (ms, size) in enumerate(zip(table["ms_per_page"], table["size_mb"], strict=True)):
        left.annotate(f" {_three_digits(ms)} ms, {_three_digits(size)} MB", (ms, place), va="center")
    left.set_xlabel("milliseconds a page, one core")
    left.set_title("The network alone")
    begun = 0.0
    for (name, ms), colour in zip(steps_ms.items(), MODEL_COLOURS, strict=False):
        right.barh([0], [ms], left=begun, color=colour, label=f"{name}, {ms:.2g} ms")
        begun += ms
    right.set_yticks([])
    right.set_ylim(-2.6, 0.6)
    right.legend(loc="lower left", frameon=False)
    right.set_xlabel("milliseconds, one core")
    right.set_title(f"From a file to an answer: {begun:.0f} ms")
    heading(
        figure,
        "What an answer costs",
        "fastest of several calls; networks of single leads take twelve for a page",
    )
    return figure


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
