"""Pictures of answers and their scores; every one with n, and with intervals where there are any to draw.

``answers`` always maps a model's name to its test rows of predictions.csv (unit ``page``).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.figures.style import (
    GREY,
    INK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    PALE,
    Picture,
    class_colour,
    class_name,
    heading,
    picture,
)
from leadwise.names import CLASS_NAMES
from leadwise.scores.calibration import confidence_bins, ece_floor, expected_calibration_error
from leadwise.scores.draws import bootstrap_groups, wilson
from leadwise.scores.metrics import LOWER_IS_BETTER, Floats, probabilities, readable
from leadwise.scores.tables import metrics_of

TIME_AND_SIZE = {
    "train_minutes": "Training, minutes",
    "parameters_m": "Parameters, millions",
    "size_mb": "Weights, MB",
    "ms_per_page": "One page, ms",
}
"""Columns that ``time_and_size`` draws, where the table has them."""


def confusion_matrices(answers: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> Picture:
    """One matrix a model: pages of each class (rows) by the answer (columns), colour the share of the row.

    Over several seeds, counts are the mean of the seeds.
    """
    import seaborn as sns

    columns = min(len(answers), 3)
    rows = -(-len(answers) // columns)
    side = 2.3 + 0.5 * len(classes)
    figure = picture(1.0 + columns * side, 0.9 + rows * (side - 0.1))
    axes = figure.subplots(rows, columns, squeeze=False)
    short = [textwrap.fill(class_name(name), 10) for name in classes]
    for ax, (name, frame) in zip(axes.ravel(), answers.items(), strict=False):
        labels, prob = probabilities(frame, classes)
        counts = np.zeros((len(classes), len(classes)))
        np.add.at(counts, (labels, prob.argmax(axis=1)), 1 / frame["seed"].nunique())
        of_class = counts.sum(axis=1, keepdims=True)
        share = np.divide(counts, of_class, out=np.zeros_like(counts), where=of_class > 0)
        texts = [
            [f"{c:.{0 if abs(c - round(c)) < 1e-6 else 1}f}\n{s:.0%}" for c, s in zip(*pair, strict=True)]
            for pair in zip(counts, share, strict=True)
        ]
        sns.heatmap(share, ax=ax, annot=np.array(texts), fmt="", cmap="Blues", vmin=0, vmax=1, cbar=False,
                    square=True, linewidths=1.5, linecolor="white", xticklabels=short, yticklabels=short,
                    annot_kws={"fontsize": 10.5})  # fmt: skip
        ax.set_title(name, loc="center")
        ax.tick_params(axis="both", length=0, rotation=0, labelsize=9.5)
        for ticks in (ax.get_xticklabels(), ax.get_yticklabels()):
            for tick, label in zip(ticks, classes, strict=True):
                tick.set_color(class_colour(label))
                tick.set_fontweight("bold")
    for ax in axes.ravel()[len(answers) :]:
        ax.set_visible(False)
    for ax in axes[:, 1:].ravel():
        ax.set_yticklabels([])
    for ax in axes[:, 0]:
        ax.set_ylabel("Label")
    for ax in axes[-1]:
        ax.set_xlabel("Answer")
    heading(figure, "Labels and answers", f"{_pages(answers)}; colour and %: share of the label's pages")
    return figure


def roc_pr(answers: Mapping[str, pd.DataFrame], classes: Sequence[str], draws: int = 2000) -> Picture:
    """ROC (above) and precision-recall curves (below), a colour a model.

    Two classes: the second is the positive one. More: each class against the rest. Over several seeds the
    curve is the mean of the seeds' curves. Areas stand in the legends with 95 % bootstrap intervals over
    groups (of all classes: macro averages).
    """
    positives = classes[1:] if len(classes) == 2 else classes
    wide = len(positives) > 1
    figure = picture(12 if wide else 10.5, 7.0 if wide else 5.6)
    axes = figure.subplots(2, len(positives), squeeze=False) if wide else figure.subplots(1, 2)[:, None]
    grid = np.linspace(0, 1, 401)
    legends: tuple[list[str], list[str]] = ([], [])
    for number, (name, frame) in enumerate(answers.items()):
        found = bootstrap_groups(frame, classes, draws)
        legends[0].append(f"{name}: {found['macro_auroc' if wide else 'auroc']}")
        legends[1].append(f"{name}: {found['auprc']}")
        style = {"color": MODEL_COLOURS[number % 8], "linestyle": "-" if number < 8 else ":"}
        for column, label in enumerate(positives):
            roc, pr = _mean_curves(frame, classes, label, grid)
            axes[0, column].plot(np.r_[0, grid], np.r_[0, roc], **style)
            axes[1, column].plot(grid, pr, **style)
    for column, label in enumerate(positives):
        share = _share(answers, label)
        axes[0, column].plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
        axes[1, column].axhline(share, color=GREY, linewidth=1, linestyle=":")
        axes[0, column].set(xlabel="1 − specificity", ylabel="" if column else "Sensitivity")
        axes[1, column].set(xlabel="Sensitivity", ylabel="" if column else "Positive predictive value")
        if wide:
            axes[0, column].set_title(class_name(label), color=class_colour(label), loc="center")
        for ax in axes[:, column]:
            ax.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
            ax.set_aspect("equal")
            ax.grid(visible=True)
            if column:
                ax.set_yticklabels([])
    what = ("Macro AUROC", "Macro AUPRC") if wide else ("AUROC", "AUPRC")
    for row in range(2):
        ax = axes[row, -1]
        handles = axes[row, 0].get_lines()[: len(answers)]
        place = {"loc": "center left", "bbox_to_anchor": (1.03, 0.5)} if wide else {"loc": "lower right"}
        if not wide and row:
            place = {"loc": "lower left"}
        legend = ax.legend(handles, legends[row], title=what[row], fontsize=9.5, frameon=not wide, **place)
        legend.get_frame().set(edgecolor="none", alpha=0.85)
        legend.set_alignment("left")
        legend.get_title().set_fontweight("bold")
    title = (
        "Each class against the rest"
        if wide
        else f"{class_name(positives[0])} against {class_name(classes[0]).lower()}"
    )
    heading(figure, title, f"{_pages(answers)}; 95 % intervals by bootstrap over groups; dotted: chance")
    return figure


def scores_with_intervals(table: pd.DataFrame, metrics: Sequence[str] = (), title: str = "") -> Picture:
    """A forest plot: a row a model, a panel a metric, points with their 95 % intervals.

    ``table`` as ``tables.summary`` makes it; all its metrics where none are named.
    """
    metrics = list(metrics) or metrics_of(table)
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    figure = picture(12, 0.9 + rows * (0.95 + 0.42 * len(table)))
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    y = np.arange(len(table))
    for ax, metric in zip(axes.ravel(), metrics, strict=False):
        value, low, high = (table[f"{metric}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
        for row in np.flatnonzero(np.isfinite(value)):
            colour = MODEL_COLOURS[row % 8]
            ax.plot([low[row], high[row]], [row, row], color=colour, linewidth=2.6, solid_capstyle="round")
            ax.plot(
                value[row], row, MODEL_MARKERS[row % 8], color=colour, markersize=8, markeredgecolor="white"
            )
            ax.annotate(f"{value[row]:.2f}", (value[row], row), xytext=(0, 7), textcoords="offset points",
                        ha="center", fontsize=9.5, color=colour)  # fmt: skip
        better = "  (lower is better)" if metric in LOWER_IS_BETTER else ""
        ax.set_title(readable(metric, CLASS_NAMES) + better, fontsize=11)
        ax.set_yticks(y, table["model"])
        ax.set_ylim(len(table) - 0.5, -0.7)
        ax.margins(x=0.08)
        ax.grid(visible=True, axis="x")
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    for ax in axes.ravel()[len(metrics) :]:
        ax.set_visible(False)
    sizes = " to ".join(str(n) for n in sorted({int(table["n"].min()), int(table["n"].max())}))
    protocols = ", ".join(dict.fromkeys(table["protocol"]))
    seeds = "/".join(str(s) for s in sorted(set(table["seeds"])))
    heading(
        figure,
        title or "Scores and their 95 % intervals",
        f"n = {sizes} pages, protocol {protocols}, seeds: {seeds}; bootstrap over groups",
    )
    return figure


def time_and_size(table: pd.DataFrame, note: str = "") -> Picture:
    """What each model costs: a panel for each column of TIME_AND_SIZE that the table has.

    ``table`` has a row a model, named by ``model``; ``note`` says on which machine it was measured.
    """
    kept = [column for column in TIME_AND_SIZE if column in table]
    figure = picture(3.0 + 3.0 * len(kept), 1.3 + 0.5 * len(table))
    axes = figure.subplots(1, len(kept), squeeze=False, sharey=True)[0]
    y = np.arange(len(table))
    for ax, column in zip(axes, kept, strict=True):
        values = table[column].to_numpy(float)
        reach = float(np.nanmax(values)) if np.isfinite(values).any() else 1.0
        ax.barh(y, np.nan_to_num(values), 0.6, color=[MODEL_COLOURS[row % 8] for row in y], alpha=0.9)
        for row, value in enumerate(values):
            text = f"{value:.3g}" if np.isfinite(value) and value < 1000 else f"{value:,.0f}"
            ax.text(np.nan_to_num(value) + reach * 0.02, row, text if np.isfinite(value) else "not measured",
                    va="center", fontsize=10, color=INK if np.isfinite(value) else GREY)  # fmt: skip
        ax.set_title(TIME_AND_SIZE[column], fontsize=11)
        ax.set(
            yticks=y,
            yticklabels=table["model"],
            ylim=(len(table) - 0.5, -0.5),
            xticks=[],
            xlim=(0, reach * 1.3),
        )
        ax.tick_params(axis="y", length=0)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
    heading(figure, "Time and size", f"n = {len(table)} models{'; ' if note else ''}{note}")
    return figure


def reliability(
    prob: NDArray[np.floating], label_index: NDArray[np.int64], title: str, bins: int = 15
) -> Picture:
    """Does a probability mean what it says: share of right answers against confidence, bins of equal mass.

    ``prob`` (N, K), ``label_index`` (N,). Bars are Wilson's 95 % intervals; below, how sure the answers are.
    """
    confidence, in_bin = confidence_bins(prob, bins)
    right = np.asarray(prob).argmax(axis=1) == label_index
    figure = picture(6.4, 7.0)
    top, below = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    top.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=":")
    for number in range(in_bin.max() + 1):
        here = in_bin == number
        share = wilson(int(right[here].sum()), int(here.sum()))
        x = float(confidence[here].mean())
        top.plot([x, x], [share.low, share.high], color=MODEL_COLOURS[0], linewidth=2, alpha=0.55)
        top.plot(x, share.value, "o", color=MODEL_COLOURS[0], markersize=7, markeredgecolor="white")
    error, floor = expected_calibration_error(prob, label_index, bins), ece_floor(prob, bins=bins)
    perfect = f"{floor.value:.3f} ({floor.low:.3f}–{floor.high:.3f})"
    text = f"Calibration error {error:.3f}\nof a perfect model {perfect}"
    top.text(0.03, 0.97, text, transform=top.transAxes, va="top", fontsize=10.5)
    least = max(0.0, min(float(confidence.min()) - 0.03, 1 / np.shape(prob)[1]))
    top.set(xlim=(least, 1.01), ylim=(-0.02, 1.04), ylabel="Share of right answers")
    top.grid(visible=True)
    below.hist(
        confidence, bins=np.linspace(least, 1, 41).tolist(), color=PALE, edgecolor="white", linewidth=0.5
    )
    below.set(xlabel="Confidence (probability of the answer)", ylabel="Pages")
    heading(figure, title, f"n = {len(confidence)} answers in {in_bin.max() + 1} bins of equal mass")
    return figure


def _mean_curves(
    frame: pd.DataFrame, classes: Sequence[str], label: str, grid: Floats
) -> tuple[Floats, Floats]:
    """Sensitivity at each 1 - specificity of the grid, precision at each sensitivity: means over seeds."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    rocs, prs = [], []
    for _, of_seed in frame.groupby("seed"):
        index, prob = probabilities(of_seed, classes)
        column = list(classes).index(label)
        truth = index == column
        if truth.all() or not truth.any():
            continue
        false_rate, true_rate, _ = roc_curve(truth, prob[:, column], drop_intermediate=False)
        rocs.append(np.interp(grid, false_rate, true_rate))
        precision, recall, _ = precision_recall_curve(truth, prob[:, column])
        at = np.searchsorted(recall[::-1], grid, side="left")  # the highest threshold that reaches the recall
        prs.append(precision[::-1][np.minimum(at, len(recall) - 1)])
    nothing = np.full(len(grid), np.nan)
    return (np.mean(rocs, axis=0), np.mean(prs, axis=0)) if rocs else (nothing, nothing)


def _share(answers: Mapping[str, pd.DataFrame], label: str) -> float:
    """Share of a class among the pages of the first model: what chance reaches in precision."""
    return float((next(iter(answers.values()))["label"] == label).mean())


def _pages(answers: Mapping[str, pd.DataFrame]) -> str:
    """How many pages and seeds the models answered for."""
    pages = sorted({frame["unit_id"].nunique() for frame in answers.values()})
    seeds = sorted({frame["seed"].nunique() for frame in answers.values()})
    text = f"n = {' to '.join(str(n) for n in (pages if len(pages) < 3 else [pages[0], pages[-1]]))} pages"
    return text if seeds == [1] else f"{text}, mean over {' to '.join(str(s) for s in seeds)} seeds"
