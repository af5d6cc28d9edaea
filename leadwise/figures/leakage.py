"""Pictures of what a leak is worth: a score that falls as leaks are closed; networks as published, and by person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from leadwise.figures.forest import RECORDS_DRAWN, Look, forest, how_many, marks, panel_name
from leadwise.figures.style import (
    ALARM,
    GREY,
    MARK,
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
from leadwise.scores.draws import ENDS

STEPS = {
    ("leaky_file_90_10", "file"): "one shuffle\nof files,\nlast tenth",
    ("leaky_copies", "file"): "five folds\nof files",
    ("leaky_copies", "page"): "each page\ncounted once",
    ("leaky_copy_weights", "page"): "no copies\non both sides",
    ("distinct", "page"): "each page\ntrains once",
    ("grouped", "page"): "pages of one id\nkept together",
}
"""The steps from what is published to what holds, by protocol and by the unit that is counted."""

_LEAKS = ("leaky_file_90_10", "leaky_copies")
"""Of the steps' protocols those under which training holds pages that are tested."""

_FLOORS = {"rate": "the printed heart rate alone", "base_rates": "the most frequent class alone"}


def falling_score(scores: pd.DataFrame, floors: pd.DataFrame, title: str, n_words: str) -> Picture:
    """Accuracy of each network (left) and recall of each class (right) while leaks are closed, with 95 % intervals.

    Rows of ``scores.csv``: `scores` of each network under the protocols and units of STEPS, ``accuracy`` and
    ``recall_<class>``; the right panel shows the first network. `floors`: ``accuracy`` of what needs no network.
    `title` says what the leak is worth, `n_words` how many pages there are.
    """
    there = set(zip(scores["protocol"], scores["unit"], strict=True))
    steps = [step for step in STEPS if step in there]
    models = list(dict.fromkeys(scores["model"]))
    floors = floors[floors["metric"] == "accuracy"]
    figure = picture(12.6, 5.2)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.1, 1))
    for number, model in enumerate(models):
        by_step = _by_step(scores, model, "accuracy", steps)
        look = Look(MODEL_COLOURS[number], MODEL_MARKERS[number], line="-")
        at = np.arange(len(steps)) + 0.16 * (number - (len(models) - 1) / 2)
        marks(left, at, by_step[ENDS], look, upright=True, label=model)
        # the first network's numbers below and before its points, the others' above and after
        way, across, down = (-1, "right", "top") if number == 0 else (1, "left", "bottom")
        for x, value in zip(at + 0.07 * way, by_step["value"], strict=True):
            if np.isfinite(value):
                left.text(
                    x, value + 0.01 * way, f"{value:.3f}", fontsize=9, color=look.colour, ha=across, va=down
                )
    lowest = [floors["value"].min()]
    for number, name in enumerate(CLASSES):
        by_step = _by_step(scores, models[0], f"recall_{name}", steps)
        look = Look(class_colour(name), MODEL_MARKERS[number], line="-")
        at = np.arange(len(steps)) + 0.14 * (number - 1.5)
        marks(right, at, by_step[ENDS], look, upright=True, label=class_name(name))
        lowest.append(by_step[ENDS].min().min())
    leaky = sum(protocol in _LEAKS for protocol, _ in steps)
    for ax, of_panel in ((left, "Accuracy"), (right, f"Sensitivity of each class, {models[0]}")):
        _steps(ax, steps, leaky)
        ax.set_title(of_panel)
    for model, value, low, high in floors[["model", *ENDS]].itertuples(index=False):
        if np.isfinite([low, high]).all():
            left.axhspan(low, high, color=PALE, alpha=0.4, linewidth=0, zorder=0.5)
        left.axhline(value, color=GREY, linewidth=1.2, linestyle=":")
        left.text(
            len(steps) / 2 - 0.5, value, _FLOORS.get(model, model), ha="center", va="bottom", fontsize=9.5
        )
    left.set_ylim(np.nanmin(lowest) - 0.05, 1.05)
    return heading(
        figure,
        title,
        f"{n_words}; as many steps in every training; intervals by bootstrap over printed ids",
    )


def learning_curve(scores: pd.DataFrame, of_month: pd.DataFrame, n_words: str) -> Picture:
    """Accuracy by number of training pages (left), and on the largest month's pages (right), with 95 % intervals.

    `scores` and `of_month` are rows of ``scores.csv`` as `leadwise.scores.prices` makes them: ``pages=155`` in the
    condition. `n_words` say how many pages are tested.
    """
    figure = picture(10.4, 4.4)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.4, 1))
    curve = _by_pages(scores)
    marks(left, curve["pages"], curve[ENDS], Look(MARK, line="-"), upright=True)
    for pages, value in zip(curve["pages"], curve["value"], strict=True):
        left.annotate(f"{value:.3f}", (pages, value), (7, -13), textcoords="offset points", fontsize=9)
    left.set(xlabel="pages that one network learned from", title="Pages of all months", xlim=(0, None))
    rows = _by_pages(of_month).sort_values(["pages", "protocol"], ignore_index=True)
    others = rows["protocol"] == "by_month"
    for kind, look in ((others, Look(ALARM, "s")), (~others, Look(MARK))):
        marks(right, np.flatnonzero(kind), rows.loc[kind, ENDS], look, upright=True)
    for at, value in enumerate(rows["value"]):
        right.annotate(f"{value:.3f}", (at, value), (7, -3), textcoords="offset points", fontsize=9)
    names = [
        f"{pages} pages of\n{'other months' if other else 'all months'}"
        for pages, other in zip(rows["pages"], others, strict=True)
    ]
    right.set_xticks(range(len(rows)), names)
    right.set(xlim=(-0.5, len(rows) - 0.3), title=f"Pages of the largest month, n = {rows['n'].max()}")
    left.set_ylabel("accuracy")
    return heading(
        figure,
        "Accuracy by the number of pages learned from",
        f"{n_words}; 95 % intervals by bootstrap over printed ids; every training takes as many steps",
    )


def _by_pages(scores: pd.DataFrame) -> pd.DataFrame:
    """The accuracies among the rows, with their number of training ``pages``, fewest first."""
    rows = scores[scores["metric"] == "accuracy"]
    return rows.assign(pages=rows["condition"].str.removeprefix("pages=").astype(int)).sort_values("pages")


def price_of_leak(
    scores: pd.DataFrame,
    metrics: Sequence[str],
    leaky: str,
    true: str,
    title: str,
    printed: pd.DataFrame | None = None,
) -> Picture:
    """What each network (a row) scores as published (hollow) and by person (filled): a panel a metric.

    `scores` are rows of ``scores.csv`` under the protocols `leaky` and `true`; of ``always_normal`` the second
    is drawn as a line. `printed` is what authors print of their networks, as `leadwise.scores.printed` gives it.
    """
    chosen = scores[scores["metric"].isin(list(metrics)) & scores["protocol"].isin([leaky, true])]
    of_both = chosen.loc[chosen["protocol"] == leaky, "model"]
    kinds = {
        "split at random, as published": Look(ALARM, filled=False),
        "as its authors print it": Look("black", "x"),
        "by person": Look(MARK),
    }
    of_leaky, of_printed, of_true = kinds
    points = chosen.assign(kind=np.where(chosen["protocol"] == leaky, of_leaky, of_true))
    floor = points[(points["model"] == "always_normal") & (points["protocol"] == true)]
    points = points[points["model"].isin(of_both) & (points["model"] != "always_normal")]
    if printed is not None:
        as_printed = printed[(printed["protocol"] == leaky) & printed["model"].isin(of_both)]
        as_printed = as_printed.melt("model", as_printed.columns.intersection(list(metrics)), "metric")
        points = pd.concat([points, as_printed.assign(kind=of_printed).dropna(subset=["value"])])
    if of_printed not in set(points["kind"]):
        del kinds[of_printed]
    units = [how_many(chosen[chosen["protocol"] == protocol]) for protocol in (leaky, true)]
    return forest(
        points.assign(row=points["model"], panel=points["metric"]),
        {metric: panel_name(metric, chosen["task"].iloc[0]) for metric in metrics},
        kinds,
        title=title,
        caption=f"{units[0]} split at random, {units[1]} by person; lines: {RECORDS_DRAWN}\n"
        "grey line and band: always the same answer, by person",
        line=floor.assign(panel=floor["metric"]),
        shown=".3f",
    )


def _by_step(scores: pd.DataFrame, model: str, metric: str, steps: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """A network's values with their ends in the order of the steps; nan where it has none."""
    of_metric = scores[(scores["model"] == model) & (scores["metric"] == metric)]
    return of_metric.set_index(["protocol", "unit"])[ENDS].reindex(pd.MultiIndex.from_tuples(steps))


def _steps(ax: Axes, steps: Sequence[tuple[str, str]], leaky: int) -> None:
    """The steps under an axis, those that leak on red ground."""
    ax.axvspan(-0.6, leaky - 0.5, color=ALARM, alpha=0.07, linewidth=0)
    ax.set_xticks(range(len(steps)), [STEPS[step] for step in steps], fontsize=9)
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, len(steps) - 0.5)
    ax.grid(visible=True, axis="y")
    ax.legend(loc="lower left", fontsize=9.5, frameon=True, edgecolor="none", framealpha=0.85)
    if 0 < leaky < len(steps):
        ax.text(leaky - 0.55, 1.012, "leaks", color=ALARM, ha="right", va="bottom", fontsize=10)
        ax.text(leaky - 0.45, 1.012, "holds", color=GREY, ha="left", va="bottom", fontsize=10)
