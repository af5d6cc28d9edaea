"""Pictures of answers about beats and windows: scores with intervals, who is called what, what a leak is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from leadwise.evaluation.figures import (
    ALARM,
    GREY,
    INK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    Picture,
    heading,
    picture,
)
from leadwise.evaluation.intervals import Interval

_NAMES = {"macro_f1": "Macro F1 (N, S, V)", "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy"}
_KINDS = {"f1": "F1 of", "recall": "Sensitivity to", "ppv": "PPV of"}


def readable(metric: str) -> str:
    """A metric's name as figures print it: ``recall_S`` is ``Sensitivity to S``."""
    kind, _, of = metric.partition("_")
    return _NAMES.get(metric, f"{_KINDS.get(kind, kind)} {of}")


def by_model(
    scores: Mapping[str, Mapping[str, Interval]], metrics: Sequence[str], title: str, note: str = ""
) -> Picture:
    """A forest plot: a row a model, a panel a metric, points with their 95 % intervals."""
    figure = picture(12, 1.7 + 0.45 * len(scores))
    axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    rows = np.arange(len(scores))
    for ax, metric in zip(axes, metrics, strict=True):
        for row, told in enumerate(scores.values()):
            one, colour = told.get(metric), MODEL_COLOURS[row % len(MODEL_COLOURS)]
            if one is None or not np.isfinite(one.value):
                continue
            ax.plot([one.low, one.high], [row, row], color=colour, linewidth=2.6, solid_capstyle="round")
            ax.plot(one.value, row, MODEL_MARKERS[row % len(MODEL_MARKERS)], color=colour, markersize=8)
            ax.annotate(
                f"{one.value:.2f}", (one.value, row), xytext=(0, 7), textcoords="offset points",
                ha="center", fontsize=9.5, color=colour,
            )  # fmt: skip
        ax.set_title(readable(metric), fontsize=11)
        ax.set_yticks(rows, list(scores))
        ax.set(ylim=(len(scores) - 0.5, -0.7), xlim=(-0.02, 1.02))
        ax.grid(visible=True, axis="x")
    heading(figure, title, note or "lines: 95 % intervals by bootstrap over records")
    return figure


def matrix(counted: pd.DataFrame, title: str) -> Picture:
    """How often each class (rows) was called each (columns), as `beat_scores.confusion` counts it."""
    figure = picture(1.6 + 0.95 * len(counted), 1.6 + 0.72 * len(counted))
    ax = figure.subplots()
    share = counted.to_numpy(float) / np.maximum(counted.to_numpy().sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(counted.to_numpy()):
        dark = share[row, column] > 0.5
        ax.text(column, row, f"{value:,}\n{share[row, column]:.0%}", ha="center", va="center",
                color="white" if dark else INK, fontsize=10)  # fmt: skip
    places = range(len(counted))
    ax.set_xticks(places, list(counted.columns))
    ax.set_yticks(places, list(counted.index))
    ax.set(xlabel="Called", ylabel="Annotated")
    ax.tick_params(length=0)
    heading(figure, title, f"n = {counted.to_numpy().sum():,} beats; colour and %: share of the row")
    return figure


def price_of_leak(prices: pd.DataFrame, title: str) -> Picture:
    """What a network scores as published (left) and by person (right): a panel a metric, a line a network.

    `prices` has ``model, metric, leaky, leaky_low, leaky_high, true, true_low, true_high, floor``.
    """
    metrics = list(dict.fromkeys(prices["metric"]))
    figure = picture(4.4 * len(metrics) + 1.5, 4.6)
    axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    names = list(dict.fromkeys(prices["model"]))
    for ax, metric in zip(axes, metrics, strict=True):
        for one in prices[prices["metric"] == metric].itertuples():
            number = names.index(one.model)
            colour, aside = MODEL_COLOURS[number % len(MODEL_COLOURS)], 0.04 * number
            ax.plot([aside, 1 + aside], [one.leaky, one.true], color=colour, linewidth=2, alpha=0.6)
            for place, value, low, high in (
                (aside, one.leaky, one.leaky_low, one.leaky_high), (1 + aside, one.true, one.true_low, one.true_high),
            ):  # fmt: skip
                ax.plot([place, place], [low, high], color=colour, linewidth=2.4)
                ax.plot(place, value, MODEL_MARKERS[number % len(MODEL_MARKERS)], color=colour, markersize=8)
                ax.annotate(f"{value:.3f}", (place, value), xytext=(9, 7), textcoords="offset points", va="center",
                            fontsize=9, color=colour)  # fmt: skip
            if np.isfinite(one.floor):
                ax.axhline(one.floor, color=GREY, linewidth=1, linestyle=":")
        ax.set_xticks([0, 1], ["as published", "by person"])
        ax.set(xlim=(-0.15, 1.45), ylim=(0, 1.03))
        ax.set_title(readable(metric), fontsize=11)
        ax.grid(visible=True, axis="y")
    for number, name in enumerate(names):
        axes[0].plot(
            [],
            [],
            MODEL_MARKERS[number % len(MODEL_MARKERS)],
            color=MODEL_COLOURS[number % len(MODEL_COLOURS)],
            label=name,
        )
    axes[-1].legend(loc="lower right", fontsize=9)
    heading(
        figure,
        title,
        "lines: 95 % intervals by bootstrap over records; dotted: always the same answer, by person",
    )
    return figure


def sensitivity_and_ppv(ours: Mapping[str, Mapping[str, Interval]], printed: pd.DataFrame) -> Picture:
    """Sensitivity to S and V against their PPV: ours with intervals, and what papers print, which has none.

    `printed` has ``work, class, recall, ppv`` in 0 to 1.
    """
    figure = picture(12, 5.4)
    for ax, name in zip(figure.subplots(1, 2, sharey=True), "SV", strict=True):
        own = printed[(printed["class"] == name) & printed["recall"].notna() & printed["ppv"].notna()]
        ax.plot(own["ppv"], own["recall"], "x", color=ALARM, markersize=8, markeredgewidth=2)
        for work, ppv, recall in zip(own["work"], own["ppv"], own["recall"], strict=True):
            ax.annotate(
                work, (ppv, recall), xytext=(6, 6), textcoords="offset points", fontsize=8.5, color=ALARM
            )
        for number, (model, told) in enumerate(ours.items()):
            recall, ppv = told[f"recall_{name}"], told[f"ppv_{name}"]
            colour = MODEL_COLOURS[number % len(MODEL_COLOURS)]
            ax.plot([ppv.low, ppv.high], [recall.value] * 2, color=colour, linewidth=1.8)
            ax.plot([ppv.value] * 2, [recall.low, recall.high], color=colour, linewidth=1.8)
            ax.plot(
                ppv.value,
                recall.value,
                MODEL_MARKERS[number % len(MODEL_MARKERS)],
                color=colour,
                markersize=9,
                label=model,
            )
        ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=f"PPV of {name}", title=f"Class {name}")
        ax.grid(visible=True)
    figure.axes[0].set_ylabel("Sensitivity")
    figure.axes[0].legend(loc="lower right", fontsize=9)
    heading(
        figure,
        "DS1 to DS2, all annotated beats",
        "red: as printed in papers, without intervals; crosses of ours: 95 % intervals, records drawn",
    )
    return figure
