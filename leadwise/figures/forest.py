"""The one plot of points with their 95 % intervals: a row a model, a panel a metric.

Its points are a table, so that rows of ``scores.csv`` and ``differences.csv`` become a picture by saying in which
row and panel each stands. Filled points hold; hollow ones leak, or are not shown; red is what should not be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from leadwise.errors import InputError
from leadwise.figures.style import ALARM, GREY, MARK, PALE, Picture, heading, picture
from leadwise.names import metric_of, metric_words
from leadwise.scores.draws import ENDS

JUDGED = "grey and hollow: the interval holds 0; red: worse"
"""What `judged` means, for captions."""

RECORDS_DRAWN = "95 % intervals by bootstrap over records, and over seeds where there are several"
"""How intervals of scores of beats and windows are drawn, for captions."""

_STRIPE = "#f5f5f5"


@dataclass(frozen=True)
class Look:
    """How the points of one kind are drawn; `line` joins them."""

    colour: str = MARK
    marker: str = "o"
    filled: bool = True
    line: str = "none"


def marks(
    ax: Axes, at: ArrayLike, ends: ArrayLike, look: Look, *, upright: bool = False, label: str | None = None
) -> None:
    """Points with their intervals at these places; `ends` ``(n, 3)`` are value, low and high, as `ENDS` names them.

    An end that is nan leaves the point without a bar.
    """
    place, intervals = np.asarray(at, float), np.asarray(ends, float)
    value, low, high = intervals.T
    known = np.isfinite(intervals).all(axis=1)
    bars = ax.vlines if upright else ax.hlines
    bars(place[known], low[known], high[known], color=look.colour, linewidth=2.2, capstyle="round")
    ax.plot(*((place, value) if upright else (value, place)), label=label, **_drawn(look))


def forest(
    points: pd.DataFrame,
    panels: Mapping[str, str],
    kinds: Mapping[str, Look] | None = None,
    *,
    title: str,
    caption: str,
    line: float | pd.DataFrame | None = None,
    shown: str = "",
    axis: str = "",
) -> Picture:
    """A picture of points in rows and panels, rows in the order in which they come.

    `points` has ``row, panel, value, low, high``. With ``kind`` several stand in a row, by their look and name in
    `kinds`; with ``block`` each block has rows of its own, under the one before; ``colour`` and ``filled`` go before
    those of a kind. `panels` are the panels' titles, by what stands in ``panel``; what is in none is not drawn.
    `line` is where each panel has its line, or points of the same form (without row), drawn as line and band.
    `shown` is the format in which values are written beside their points, `axis` what stands under the panels.
    Raises InputError where there is no point, or two at one place: then the rows were not chosen.
    """
    kinds = kinds or {"": Look()}
    points = points[points["panel"].isin(list(panels))]
    points = points.assign(**{name: points.get(name, "") for name in ("block", "kind")})
    _one_at_a_place(points, panels)
    blocks = dict(iter(points.groupby("block", sort=False)))
    tall = [of_block["row"].nunique() for of_block in blocks.values()]
    width_in, row_in = 12.4 if len(panels) > 1 else 9.0, 0.26 + 0.17 * len(kinds)
    figure = picture(width_in, 1.1 + 0.55 * len(blocks) + row_in * sum(tall))
    grid = figure.subplots(len(blocks), len(panels), squeeze=False, sharey="row", height_ratios=tall)
    panel_in = (width_in - 0.085 * points["row"].str.len().max()) / len(panels)
    # of a value in 9 points beside its interval
    text_in = 0.1 + 0.075 * len(f"{1:{shown}}") if shown else 0.0
    for axes, (block, of_block) in zip(grid, blocks.items(), strict=True):
        rows = list(dict.fromkeys(of_block["row"]))
        for ax, (panel, name) in zip(axes, panels.items(), strict=True):
            _line(ax, line, block, panel)
            _points(ax, of_block[of_block["panel"] == panel], rows, kinds, shown)
            _limits(ax, text_in / panel_in)
            ax.set_title(name, fontsize=11)
            ax.set_xlabel(axis)
        axes[0].set_yticks(range(len(rows)), rows)
        axes[0].set_ylabel(str(block), fontweight="bold")
        axes[0].set_ylim(len(rows) - 0.5, -0.5)
    if len(kinds) > 1:
        handles = [Line2D([], [], **_drawn(look)) for look in kinds.values()]
        figure.legend(handles, list(kinds), loc="outside upper right", ncols=min(len(kinds), 3), fontsize=10)
    return heading(figure, title, caption)


def row_names(rows: pd.DataFrame) -> pd.Series:
    """What each row of scores or differences is called: its model, and what tells it from others of that model."""
    names = rows["model"]
    for column in ("condition", "weights", "test_set", "protocol", "counted", "average", "seeds"):
        words = rows[column].astype(object).fillna("")
        several = words.groupby([names, rows["task"], rows["metric"]]).transform("nunique") > 1
        if column == "condition":
            words = words.str.replace("=yes", "").str.replace(";", ", ")
        if column == "seeds":
            words = words.where(words == "", np.where(words.str.contains("/"), "seeds ", "seed ") + words)
        names = names.where(~several | (words == ""), names + ", " + words)
    return names


def panel_name(metric: str, task: str) -> str:
    """A metric as a panel is headed: ``Log-loss (less is better)``."""
    words = metric_words(metric)
    name = words[0].upper() + words[1:]
    if task == "aami5" and metric == "macro_f1":
        name += " (N, S, V)"
    return f"{name} (less is better)" if metric_of(metric)[0].lower_is_better else name


def panel_names(rows: pd.DataFrame) -> dict[str, str]:
    """The panels of all metrics of these rows of scores or differences, in their order."""
    return {metric: panel_name(metric, rows["task"].iloc[0]) for metric in dict.fromkeys(rows["metric"])}


def judged(differences: pd.DataFrame) -> pd.DataFrame:
    """Differences with ``filled`` and ``colour``: grey and hollow where the interval holds 0, red if worse."""
    shown = (differences["low"] > 0) | (differences["high"] < 0)
    worse = (differences["value"] < 0) != differences["metric"].map(
        lambda name: metric_of(name)[0].lower_is_better
    )
    return differences.assign(filled=shown, colour=np.where(~shown, GREY, np.where(worse, ALARM, MARK)))


def how_many(rows: pd.DataFrame) -> str:
    """Upon how many units rows of scores or differences rest: ``n = 4,475 beats, 401 patients``."""
    counts = []
    for unit, n in rows.dropna(subset=["n"]).groupby("unit", sort=False)["n"]:
        ends = dict.fromkeys((f"{n.min():,.0f}", f"{n.max():,.0f}"))
        counts.append(f"{' to '.join(ends)} {unit}s")
    return f"n = {', '.join(counts)}"


def _one_at_a_place(points: pd.DataFrame, panels: Mapping[str, str]) -> None:
    if points.empty:
        raise InputError(f"forest: no point to draw in {', '.join(panels.values())}.")
    if (twice := points.duplicated(["block", "row", "panel", "kind"])).any():
        point = points[twice].iloc[0]
        raise InputError(
            f"forest: two values of {point['panel']} for {point['row']}. Choose the rows that shall be drawn."
        )


def _drawn(look: Look) -> dict[str, Any]:
    face = look.colour if look.filled else "white"
    shape = {"marker": look.marker, "markersize": 7, "markeredgewidth": 1.4, "linestyle": look.line}
    return {"color": look.colour, "markerfacecolor": face, "zorder": 3, **shape}


def _points(ax: Axes, points: pd.DataFrame, rows: list[str], kinds: Mapping[str, Look], shown: str) -> None:
    """The points of one panel, the kinds of a row one under the other."""
    for row in range(1, len(rows), 2):
        ax.axhspan(row - 0.5, row + 0.5, color=_STRIPE, linewidth=0, zorder=0)
    for kind, of_kind in points.groupby("kind", sort=False):
        look, number = kinds[kind], list(kinds).index(kind)
        styled = of_kind.assign(
            colour=of_kind.get("colour", look.colour), filled=of_kind.get("filled", look.filled)
        )
        shift = 0.72 / max(3, len(kinds)) * (number - (len(kinds) - 1) / 2)
        for (colour, filled), some in styled.groupby(["colour", "filled"], sort=False, dropna=False):
            at = some["row"].map(rows.index) + shift
            marks(ax, at, some[ENDS], Look(colour, look.marker, filled))
            for y, value, high in zip(at, some["value"], some["high"], strict=True):
                if shown and np.isfinite(value):
                    ax.annotate(f"{value:{shown}}", (np.fmax(value, high), y), (8, 0), textcoords="offset points",
                                va="center", fontsize=9, color=colour)  # fmt: skip


def _line(ax: Axes, line: float | pd.DataFrame | None, block: str, panel: str) -> None:
    """Line and band of one panel, behind its points."""
    if isinstance(line, pd.DataFrame):
        chosen = line[(line["panel"] == panel) & (line.get("block", block) == block)]
        ends = chosen[ENDS].to_numpy(float)
    else:
        ends = np.array([] if line is None else [[line, np.nan, np.nan]])
    for value, low, high in ends:
        if np.isfinite([low, high]).all():
            ax.axvspan(low, high, color=PALE, alpha=0.6, linewidth=0, zorder=0.5)
        ax.axvline(value, color=GREY, linewidth=1.4, zorder=1)


def _limits(ax: Axes, text_share: float) -> None:
    """Room for the values at the right, ticks that fit, and none above 1 where nothing lies there."""
    ax.margins(x=0.06)
    low, high = ax.get_xlim()
    within_one = ax.dataLim.x1 <= 1
    ax.set_xlim(low, high + (high - low) * text_share)
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
    ax.set_xticks([tick for tick in ticks if low <= tick <= (min(high, 1.0) if within_one else high)])
    ax.grid(visible=True, axis="x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
