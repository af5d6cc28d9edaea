"""Pictures of answers about beats and windows: scores with intervals, who is called what, what a leak is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from leadwise.figures.style import (
    ALARM,
    GREY,
    INK,
    MARK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    Picture,
    heading,
    picture,
)
from leadwise.scores.beats import readable
from leadwise.scores.draws import Interval


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
    """What each network (a row) scores as published (hollow) and by person (filled): a panel a metric.

    `prices` has ``model, metric, leaky, leaky_low, leaky_high, true, true_low, true_high, printed, floor``.
    """
    metrics = list(dict.fromkeys(prices["metric"]))
    names = list(dict.fromkeys(prices["model"]))
    figure = picture(5 * len(metrics) + 2, 1.9 + 0.62 * len(names))
    axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        for one in prices[prices["metric"] == metric].itertuples():
            row = names.index(one.model)
            for low, high, colour, down in (
                (one.leaky_low, one.leaky_high, ALARM, -0.12), (one.true_low, one.true_high, MARK, 0.12),
            ):  # fmt: skip
                ax.plot([low, high], [row + down] * 2, color=colour, linewidth=2.2, solid_capstyle="round")
            ax.plot(one.leaky, row - 0.12, "o", color=ALARM, markerfacecolor="white", markersize=8)
            ax.plot(one.true, row + 0.12, "o", color=MARK, markersize=8)
            ax.plot(one.printed, row - 0.12, "x", color="black", markersize=7, markeredgewidth=1.8)
            for value, colour, place in ((one.leaky, ALARM, 11), (one.true, MARK, -19)):
                ax.annotate(f"{value:.3f}", (value, row), xytext=(0, place), textcoords="offset points",
                            ha="center", fontsize=9, color=colour)  # fmt: skip
        floors = prices.loc[prices["metric"] == metric, "floor"].dropna().unique()
        for floor in floors:
            ax.axvline(floor, color=GREY, linewidth=1, linestyle=":")
        ax.set_title(readable(metric), fontsize=11)
        ax.set_yticks(range(len(names)), names)
        ax.set(ylim=(len(names) - 0.4, -0.7), xlim=(-0.02, 1.05))
        ax.grid(visible=True, axis="x")
    axes[0].plot([], [], "o", color=ALARM, markerfacecolor="white", label="split at random, as published")
    if prices["printed"].notna().any():
        axes[0].plot([], [], "x", color="black", markeredgewidth=1.8, label="as its authors print it")
    axes[0].plot([], [], "o", color=MARK, label="by person")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=9.5)
    heading(
        figure,
        title,
        "lines: 95 % intervals by bootstrap over records; dotted: always the same answer, by person",
    )
    return figure


def score_by_number(tables: Mapping[str, pd.DataFrame], best: Mapping[str, Interval]) -> Picture:
    """Macro-F1 of the k best networks joined: a row a protocol, a panel a way of joining.

    `tables` are those of `leadwise.scores.beat_ensembles.by_number` by protocol; `best` is the macro-F1 of the
    member that is best where nobody was trained. Solid: ranked there; dashed: ranked on the test set, as published.
    """
    ways = list(dict.fromkeys(next(iter(tables.values()))["how"]))
    figure = picture(12.5, 1.2 + 3.1 * len(tables))
    axes = figure.subplots(len(tables), len(ways), sharex="row", sharey="row", squeeze=False)
    for line, (protocol, table) in zip(axes, tables.items(), strict=True):
        for ax, how in zip(line, ways, strict=True):
            own = table[table["how"] == how]
            ax.axhline(
                best[protocol].value, color=GREY, linewidth=1.3, linestyle=":", label="best single network"
            )
            ax.fill_between(
                own["k"], own["macro_f1_low"], own["macro_f1_high"], color=MARK, alpha=0.15, linewidth=0
            )
            ax.plot(
                own["k"], own["macro_f1"], "o-", color=MARK, label="ranked on beats that nobody learned from"
            )
            ax.plot(
                own["k"], own["macro_f1_if_ranked_on_test"], "x--", color=ALARM,
                label="ranked on the test set: no result",
            )  # fmt: skip
            ax.set_title(f"{how}, {protocol}", fontsize=11)
            ax.set_xticks(own["k"])
            ax.grid(visible=True, axis="y")
        line[0].set_ylabel(readable("macro_f1"))
    for ax in axes[-1]:
        ax.set_xlabel("Networks joined")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=9.5)
    heading(figure, "The k best, joined", "band: 95 % interval by bootstrap over records")
    return figure


def differences(paired: pd.DataFrame, title: str) -> Picture:
    """Each model minus others, as `beat_tables.paired` gives it: a panel a metric, a row a model.

    Each of the others has its mark, filled where the interval leaves zero out.
    """
    metrics, names, others = (list(dict.fromkeys(paired[key])) for key in ("metric", "model", "minus"))
    figure = picture(12.5, 1.9 + 0.5 * len(names))
    axes = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        ax.axvline(0, color=GREY, linewidth=1)
        for one in paired[paired["metric"] == metric].itertuples():
            number = others.index(one.minus)
            row, colour = (
                names.index(one.model) + 0.22 * (number - (len(others) - 1) / 2),
                MODEL_COLOURS[number],
            )
            ax.plot([one.low, one.high], [row, row], color=colour, linewidth=2.2, solid_capstyle="round")
            ax.plot(one.value, row, MODEL_MARKERS[number], color=colour, markersize=7,
                    markerfacecolor=colour if one.survives else "white")  # fmt: skip
        ax.set_title(readable(metric), fontsize=11)
        ax.set_xlabel("Difference")
        ax.set_yticks(range(len(names)), names)
        ax.set(ylim=(len(names) - 0.4, -0.6))
        ax.grid(visible=True, axis="x")
    for number, other in enumerate(others):
        axes[0].plot([], [], MODEL_MARKERS[number], color=MODEL_COLOURS[number], label=f"minus {other}")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(others), fontsize=9.5
    )
    heading(figure, title, "lines: 95 % intervals by bootstrap over records; filled: zero is outside")
    return figure


def wrong_by(wrong: pd.DataFrame, title: str) -> Picture:
    """Shares of beats that networks (rows) get wrong, by class and by record, as `beat_tables.errors` counts them."""
    sides = {
        side: wrong[[name for name in wrong if name.startswith(f"{side} ")]] for side in ("class", "record")
    }
    widths = [max(3, one.shape[1]) for one in sides.values()]
    figure = picture(4.2 + 0.46 * sum(widths), 2.1 + 0.36 * len(wrong))
    for ax, (side, table) in zip(
        figure.subplots(1, 2, sharey=True, width_ratios=widths), sides.items(), strict=True
    ):
        share = table.to_numpy(float)
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(share):
            if np.isfinite(value):
                ax.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=9,
                        color="white" if value > 0.5 else INK)  # fmt: skip
        ax.set_xticks(range(table.shape[1]), [name.partition(" ")[2] for name in table])
        ax.tick_params(axis="x", labelrotation=90 if side == "record" else 0, length=0)
        ax.set_yticks(range(len(table)), list(table.index))
        ax.set_xlabel("Annotated class" if side == "class" else "Record of DS2")
    heading(
        figure, title, "numbers and colour: % of the beats of that class, or record, that are called wrongly"
    )
    return figure


def sensitivity_and_ppv(
    ours: Mapping[str, Mapping[str, Interval]],
    rebuilt: Mapping[str, Mapping[str, Interval]],
    printed: pd.DataFrame,
) -> Picture:
    """Sensitivity to S and V against their PPV: ours with intervals, rebuilt networks and papers as points.

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
        points = [(told[f"ppv_{name}"].value, told[f"recall_{name}"].value) for told in rebuilt.values()]
        if points:
            ax.plot(*zip(*points, strict=True), "o", color=GREY, markerfacecolor="none", markersize=7,
                    label="networks of a coursework, rebuilt")  # fmt: skip
        for number, (model, told) in enumerate(ours.items()):
            recall, ppv = told[f"recall_{name}"], told[f"ppv_{name}"]
            colour = MODEL_COLOURS[number % len(MODEL_COLOURS)]
            ax.plot([ppv.low, ppv.high], [recall.value] * 2, color=colour, linewidth=1.8)
            ax.plot([ppv.value] * 2, [recall.low, recall.high], color=colour, linewidth=1.8)
            ax.plot(
                ppv.value,
                recall.value,
                MODEL_MARKERS[(number + number // len(MODEL_COLOURS)) % len(MODEL_MARKERS)],
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
        "red: as printed in papers, without intervals; lines of ours: 95 % intervals by bootstrap over records",
    )
    return figure
