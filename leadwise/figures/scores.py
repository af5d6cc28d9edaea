"""Pictures of answers about pages and their scores; every one with n, and with intervals where any are known.

``answers`` always maps a model's name to its test rows of predictions.csv (unit ``page``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.figures.forest import JUDGED, Look, forest, how_many, judged, marks, panel_name, row_names
from leadwise.figures.matrix import answered
from leadwise.figures.style import (
    GREY,
    MARK,
    MODEL_COLOURS,
    PALE,
    Picture,
    class_colour,
    class_name,
    heading,
    picture,
)
from leadwise.scores.calibration import confidence_bins, ece_floor, expected_calibration_error
from leadwise.scores.draws import ENDS, bootstrap, page_metrics, wilson
from leadwise.scores.metrics import Floats, probabilities

_BESIDE_RATE = {
    "accuracy": "Accuracy",
    "accuracy more": "minus the rate's",
    "macro_auroc": "Macro AUROC",
    "macro_auroc more": "minus the rate's",
}
_TASKS = {"four": "Four classes", "binary": "Normal against\nabnormal heartbeat"}


def by_model(scores: pd.DataFrame, metrics: Sequence[str], title: str) -> Picture:
    """A row a model, a panel a metric: rows of ``scores.csv`` of one task."""
    chosen = scores[scores["metric"].isin(list(metrics))]
    task, unit = chosen["task"].iloc[0], chosen["unit"].iloc[0]
    protocols, seeds = (" or ".join(dict.fromkeys(chosen[key].dropna())) for key in ("protocol", "seeds"))
    drawn = "records" if unit in {"beat", "window"} else "groups"
    return forest(
        chosen.assign(row=row_names(chosen), panel=chosen["metric"]),
        {metric: panel_name(metric, task) for metric in metrics},
        title=title,
        caption=f"{how_many(chosen)}, protocol {protocols}, seeds {seeds}; lines: 95 % intervals by bootstrap over "
        f"{drawn}",
        shown=".2f",
    )


def beside_the_rate(scores: pd.DataFrame, differences: pd.DataFrame) -> Picture:
    """Every model beside the printed heart rate alone: its score, and what it has more, paired; a block a task.

    Rows of ``scores.csv`` with the model ``rate`` among them (``base_rates``, far below, is left out), and of
    ``differences.csv``, of which those minus ``rate`` are drawn.
    """
    rows = scores[scores["model"] != "base_rates"]
    more = judged(differences[differences["minus"] == "rate"])
    points = pd.concat(
        [
            rows.assign(panel=rows["metric"], colour=MARK, filled=True),
            more.assign(panel=more["metric"] + " more"),
        ]
    )
    points = points[points["panel"].isin(list(_BESIDE_RATE))]
    blocks = {
        task: f"{_TASKS.get(task, task)}\n{how_many(of_task)}"
        for task, of_task in rows.groupby("task", sort=False)
    }
    points = points.assign(row=row_names(points), block=points["task"].map(blocks))
    rate = points[points["model"] == "rate"]
    nothing = rate.assign(panel=rate["metric"] + " more", value=0.0, low=np.nan, high=np.nan)
    return forest(
        points[points["model"] != "rate"],
        _BESIDE_RATE,
        title="What is more than the printed heart rate?",
        caption="95 % intervals by bootstrap over printed ids, differences paired; line and band: the rate alone\n"
        f"differences: {JUDGED}",
        line=pd.concat([rate, nothing]),
    )


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
        areas = bootstrap(frame, page_metrics(classes), draws)
        legends[0].append(f"{name}: {areas['macro_auroc' if wide else 'auroc']}")
        legends[1].append(f"{name}: {areas['auprc']}")
        style = {"color": MODEL_COLOURS[number % 8], "linestyle": "-" if number < 8 else ":"}
        for column, label in enumerate(positives):
            roc, pr = _mean_curves(frame, classes, label, grid)
            axes[0, column].plot(np.r_[0, grid], np.r_[0, roc], **style)
            axes[1, column].plot(grid, pr, **style)
    for column, label in enumerate(positives):
        share = (next(iter(answers.values()))["label"] == label).mean()  # what chance reaches in precision
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
    caption = f"{answered(answers)}; 95 % intervals by bootstrap over groups; dotted: chance"
    return heading(figure, title, caption)


def reliability(prob: NDArray[np.floating], label_index: NDArray[np.int64], title: str) -> Picture:
    """Does a probability mean what it says: share of right answers against confidence, bins of equal mass.

    ``prob`` (N, K), ``label_index`` (N,). Bars are Wilson's 95 % intervals; below, how sure the answers are.
    """
    confidence, in_bin = confidence_bins(prob)
    right = np.asarray(prob).argmax(axis=1) == label_index
    figure = picture(6.4, 7.0)
    top, below = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    top.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=":")
    bins_of = [in_bin == number for number in range(in_bin.max() + 1)]
    shares = pd.DataFrame([vars(wilson(int(right[here].sum()), int(here.sum()))) for here in bins_of])
    x = [float(confidence[here].mean()) for here in bins_of]
    marks(top, x, shares[ENDS], Look(), upright=True)
    error, floor = expected_calibration_error(prob, label_index), ece_floor(prob)
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
    return heading(figure, title, f"n = {len(confidence)} answers in {in_bin.max() + 1} bins of equal mass")


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
