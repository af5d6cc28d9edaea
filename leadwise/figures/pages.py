"""Pictures of pages and folds. Pages are BGR as ``read_page`` gives them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.figures.style import (
    ALARM,
    GREY,
    INK,
    MARK,
    PALE,
    Picture,
    bare,
    class_colour,
    class_name,
    drawable,
    heading,
    legend_above,
    picture,
    rgb,
)
from leadwise.names import CLASS_NAMES

Image = NDArray[np.uint8]


def page_gallery(
    images: Sequence[Image], captions: Sequence[str], labels: Sequence[str], title: str
) -> Picture:
    """Pages side by side, each framed in its class's colour, a caption over each."""
    columns = min(4, len(images)) if len(images) % 3 or len(images) == 12 else 3
    rows = -(-len(images) // columns)
    figure = picture(11, 0.6 + rows * (11 / columns * 0.71 + 0.35))
    axes = figure.subplots(rows, columns, squeeze=False)
    shown = [rgb(image, 800) for image in images]
    _gallery(axes, shown, captions, [class_colour(label) for label in labels], 3, color=INK)
    return heading(figure, title, f"{len(images)} pages, frames in the class's colour")


def copies_and_counts(images: Sequence[Image], names: Sequence[str], counts: pd.DataFrame) -> Picture:
    """Left: files that are byte for byte one page. Right: files and distinct pages by class.

    ``counts`` has the columns ``label, files, distinct``, a row a class.
    """
    columns = min(4, len(images))
    rows = -(-len(images) // columns)
    figure = picture(12, max(3.8, 1.2 + rows * 1.45))
    left, right = figure.subfigures(1, 2, width_ratios=[1.5, 1], wspace=0.03, squeeze=False)[0]
    axes = left.subplots(rows, columns, squeeze=False)
    shown = [rgb(image, 500) for image in images]
    _gallery(axes, shown, names, [PALE] * len(images), 0.8, fontweight="normal", loc="center")
    left.suptitle(f"{len(images)} files, one page", x=0.01, ha="left", fontweight="bold", fontsize=12)

    ax = right.subplots()
    y = np.arange(len(counts))
    shades = [class_colour(label) for label in counts["label"]]
    reach = counts["files"].max()
    for column, shift, alpha, ink in (("files", -0.19, 0.35, GREY), ("distinct", 0.19, 1.0, INK)):
        ax.barh(y + shift, counts[column], 0.36, color=shades, alpha=alpha)
        for row, count in zip(y + shift, counts[column], strict=True):
            ax.text(count + reach * 0.015, row, f"{count} {column}", va="center", fontsize=10, color=ink)
    ax.set_yticks(y, [textwrap.fill(drawable(class_name(label)), 12) for label in counts["label"]])
    ax.set(xlim=(0, reach * 1.28), ylim=(len(counts) - 0.5, -0.5))
    ax.set_xlabel("Files (pale) and distinct pages (full)")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    right.suptitle("What each class holds", x=0.01, ha="left", fontweight="bold", fontsize=12)
    caption = f"{counts['files'].sum()} files hold {counts['distinct'].sum()} distinct pages"
    return heading(figure, "", caption)


def page_with_boxes(image: Image, boxes: NDArray[np.floating], names: Sequence[str], title: str) -> Picture:
    """A page with the outline of each lead cut from it; ``boxes`` (N, 4, 2) in pixels of the page."""
    height, width = image.shape[:2]
    shown = rgb(image, 1800)
    figure = picture(11, 11 * height / width + 0.75)
    ax = figure.subplots()
    bare(ax)
    ax.imshow(shown, interpolation="lanczos")
    tag = {"facecolor": MARK, "edgecolor": "none", "pad": 2.5}
    for corners, name in zip(np.asarray(boxes) * shown.shape[1] / width, names, strict=True):
        ax.add_patch(Polygon(corners, fill=False, edgecolor=MARK, linewidth=1.6))
        x, y = corners[np.argmin(corners.sum(axis=1))]
        ax.text(x + 4, y + 5, name, color="white", fontsize=10, fontweight="bold", va="top", bbox=tag)
    return heading(figure, title, f"{len(boxes)} boxes on a page of {width} × {height} px")


def folds_figure(folds: pd.DataFrame, protocol: str, seed: int) -> Picture:
    """Which fold tests which group: a column a group, a row a fold; class counts of each fold beside it.

    ``folds``: rows of folds.csv. Where folds are disjoint every column has ink in one row alone; a group
    that lies in several is drawn over a red band and counted in the caption.
    Raises InputError where there is no such protocol and seed with test folds.
    """
    chosen = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed) & (folds["part"] == "test")]
    if chosen.empty:
        raise InputError(f"folds_figure: no test folds of protocol {protocol!r} and seed {seed}.")
    there = list(chosen["label"].unique())
    labels = sorted(there, key=[*CLASS_NAMES, *there].index)
    groups = chosen.groupby("group_id").agg(
        fold=("fold", "min"), folds=("fold", "nunique"), size=("fold", "size")
    )
    groups = groups.sort_values(["fold", "folds", "size"], ascending=[True, True, False])
    shared = np.flatnonzero(groups["folds"] > 1)

    figure = picture(12, 5.6)
    left, right = figure.subplots(1, 2, width_ratios=[2.1, 1])
    for place in shared:
        left.axvspan(place - 0.5, place + 0.5, color=ALARM, alpha=0.13, linewidth=0)
    counts = pd.crosstab([chosen["label"], chosen["fold"]], chosen["group_id"])
    tallest = int(counts.groupby("fold").sum().max().max())
    counts = counts.reindex(columns=groups.index)
    _groups_of_folds(left, counts, labels, tallest)
    left.set_xlabel(f"{len(groups)} groups (columns; height: pages, the tallest {tallest})")
    unit = "pages" if chosen["path"].nunique() == chosen["unit_id"].nunique() else "files"
    _classes_of_folds(right, pd.crosstab(chosen["fold"], chosen["label"])[labels])
    right.set(ylim=left.get_ylim(), yticks=[], xlabel=unit.capitalize())
    legend_above(figure, right, len(labels))
    verdict = "no group lies in two folds"
    if len(shared):
        verdict = f"{len(shared)} groups lie in several folds (red bands): these folds leak"
    caption = f"n = {len(chosen)} {unit}, {len(groups)} groups, seed {seed}; {verdict}"
    return heading(figure, f"Folds of the protocol “{protocol}”", caption)


def _groups_of_folds(ax: Axes, counts: pd.DataFrame, labels: Sequence[str], tallest: int) -> None:
    """Each group in the row of the fold that tests it; `counts`: rows label and fold, columns groups."""
    numbers = sorted(counts.index.unique("fold"))
    for row, fold in enumerate(reversed(numbers)):
        bottom = np.full(counts.shape[1], float(row))
        for label in labels:
            if (label, fold) in counts.index:
                count = counts.loc[(label, fold)].to_numpy()
                some = np.flatnonzero(count)
                ax.bar(some, count[some] * 0.86 / tallest, 1.0, bottom=bottom[some], color=class_colour(label),
                       linewidth=0)  # fmt: skip
                bottom += count * 0.86 / tallest
        ax.axhline(row, color=PALE, linewidth=0.8)
    ax.set(
        xlim=(-1, counts.shape[1]), ylim=(-0.05, len(numbers)), title="Groups and the fold that tests them"
    )
    ax.set_yticks(np.arange(len(numbers)) + 0.42, [f"Fold {fold}" for fold in reversed(numbers)])
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _classes_of_folds(ax: Axes, table: pd.DataFrame) -> None:
    """How many of each class (columns) a fold (rows) tests."""
    y = np.arange(len(table))[::-1] + 0.42
    start = np.zeros(len(table))
    fits = 0.035 * table.sum(axis=1).max()
    for label, counts in table.items():
        bars = ax.barh(y, counts, 0.62, left=start, color=class_colour(str(label)), edgecolor="white")
        bars.set_label(class_name(str(label)))
        texts = [str(count) if count > fits else "" for count in counts]
        ax.bar_label(bars, texts, label_type="center", color="white", fontsize=10, fontweight="bold")
        start += counts.to_numpy()
    ax.set_title("Classes of each fold")
    ax.spines["left"].set_visible(False)


def _gallery(
    axes: NDArray[np.object_],
    images: Sequence[Image],
    titles: Sequence[str],
    frames: Sequence[str],
    width: float,
    **title: str,
) -> None:
    """Pages, RGB, each in a frame of its colour under its title; places without a page stay empty."""
    for ax in axes.ravel():
        bare(ax)
    for ax, image, text, colour in zip(axes.ravel(), images, titles, frames, strict=False):
        ax.imshow(image, interpolation="lanczos")
        ax.set_title(drawable(text), fontsize=10, **title)
        ax.spines[:].set(visible=True, color=colour, linewidth=width)
