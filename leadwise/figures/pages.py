"""Pictures of pages and folds. Pages are BGR as ``read_page`` gives them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
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
    heading,
    picture,
    rgb,
)

Image = NDArray[np.uint8]


def page_gallery(
    images: Sequence[Image], captions: Sequence[str], labels: Sequence[str], title: str
) -> Picture:
    """Pages side by side, each framed in its class's colour, a caption over each."""
    columns = min(4, len(images)) if len(images) % 3 or len(images) == 12 else 3
    rows = -(-len(images) // columns)
    figure = picture(11, 0.6 + rows * (11 / columns * 0.71 + 0.35))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        bare(ax)
    for ax, image, text, label in zip(axes, images, captions, labels, strict=False):
        ax.imshow(rgb(image, 800), interpolation="lanczos")
        ax.set_title(text, fontsize=10, color=INK)
        for spine in ax.spines.values():
            spine.set(visible=True, color=class_colour(label), linewidth=3)
    heading(figure, title, f"{len(images)} pages, frames in the class's colour")
    return figure


def copies_and_counts(images: Sequence[Image], names: Sequence[str], counts: pd.DataFrame) -> Picture:
    """Left: files that are byte for byte one page. Right: files and distinct pages by class.

    ``counts`` has the columns ``label, files, distinct``, a row a class.
    """
    columns = min(4, len(images))
    rows = -(-len(images) // columns)
    figure = picture(12, max(3.8, 1.2 + rows * 1.45))
    left, right = figure.subfigures(1, 2, width_ratios=[1.5, 1], wspace=0.03, squeeze=False)[0]
    axes = left.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        bare(ax)
    for ax, image, name in zip(axes, images, names, strict=False):
        ax.imshow(rgb(image, 500), interpolation="lanczos")
        ax.set_title(name, fontsize=10, fontweight="normal", loc="center")
        for spine in ax.spines.values():
            spine.set(visible=True, color=PALE)
    left.suptitle(f"{len(images)} files, one page", x=0.01, ha="left", fontweight="bold", fontsize=12)

    ax = right.subplots()
    y = np.arange(len(counts))
    shades = [class_colour(label) for label in counts["label"]]
    ax.barh(y - 0.19, counts["files"], 0.36, color=shades, alpha=0.35)
    ax.barh(y + 0.19, counts["distinct"], 0.36, color=shades)
    reach = counts["files"].max()
    for row, (files, distinct) in enumerate(zip(counts["files"], counts["distinct"], strict=True)):
        ax.text(files + reach * 0.015, row - 0.19, f"{files} files", va="center", fontsize=10, color=GREY)
        ax.text(distinct + reach * 0.015, row + 0.19, f"{distinct} distinct", va="center", fontsize=10)
    ax.set_yticks(y, [textwrap.fill(class_name(label), 12) for label in counts["label"]])
    ax.set(
        xlim=(0, reach * 1.28),
        ylim=(len(counts) - 0.5, -0.5),
        xlabel="Files (pale) and distinct pages (full)",
    )
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    right.suptitle("What each class holds", x=0.01, ha="left", fontweight="bold", fontsize=12)
    heading(
        figure,
        "",
        f"{counts['files'].sum()} files hold {counts['distinct'].sum()} distinct pages",
    )
    return figure


def page_with_boxes(image: Image, boxes: NDArray[np.floating], names: Sequence[str], title: str) -> Picture:
    """A page with the outline of each lead cut from it; ``boxes`` (N, 4, 2) in pixels of the page."""
    height, width = image.shape[:2]
    shown = rgb(image, 1800)
    factor = shown.shape[1] / width
    figure = picture(11, 11 * height / width + 0.75)
    ax = figure.subplots()
    bare(ax)
    ax.imshow(shown, interpolation="lanczos")
    for corners, name in zip(np.asarray(boxes) * factor, names, strict=True):
        ax.add_patch(Polygon(corners, fill=False, edgecolor=MARK, linewidth=1.6))
        x, y = corners[np.argmin(corners.sum(axis=1))]
        tag = {"facecolor": MARK, "edgecolor": "none", "pad": 2.5}
        ax.text(x + 4, y + 5, name, color="white", fontsize=10, fontweight="bold", va="top", bbox=tag)
    heading(figure, title, f"{len(boxes)} boxes on a page of {width} × {height} px")
    return figure


def folds_figure(folds: pd.DataFrame, protocol: str, seed: int) -> Picture:
    """Which fold tests which group: a column a group, a row a fold; class counts of each fold beside it.

    ``folds``: rows of folds.csv. Where folds are disjoint every column has ink in one row alone; a group
    that lies in several is drawn over a red band and counted in the caption.
    Raises InputError where there is no such protocol and seed with test folds.
    """
    chosen = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed) & (folds["part"] == "test")]
    if chosen.empty:
        raise InputError(f"folds_figure: no test folds of protocol {protocol!r} and seed {seed}.")
    numbers = sorted(chosen["fold"].unique())
    labels = [label for label in chosen["label"].unique() if label not in _class_order()]
    labels = [label for label in _class_order() if (chosen["label"] == label).any()] + labels
    cells = chosen.groupby(["group_id", "fold", "label"]).size()
    groups = chosen.groupby("group_id").agg(
        fold=("fold", "min"), folds=("fold", "nunique"), size=("fold", "size")
    )
    groups = groups.sort_values(["fold", "folds", "size"], ascending=[True, True, False])
    place = pd.Series(np.arange(len(groups)), index=groups.index)
    tallest = int(cells.groupby(level=["group_id", "fold"]).sum().max())

    figure = picture(12, 5.6)
    left, right = figure.subplots(1, 2, width_ratios=[2.1, 1])
    for group in groups.index[groups["folds"] > 1]:
        left.axvspan(place[group] - 0.5, place[group] + 0.5, color=ALARM, alpha=0.13, linewidth=0)
    for row, fold in enumerate(numbers):
        of_fold = cells.xs(fold, level="fold")
        bottom = np.full(len(groups), float(len(numbers) - 1 - row))
        for label in labels:
            if label not in of_fold.index.get_level_values("label"):
                continue
            count = of_fold.xs(label, level="label").reindex(groups.index, fill_value=0).to_numpy()
            some = count > 0
            left.bar(np.flatnonzero(some), count[some] * 0.86 / tallest, 1.0, bottom=bottom[some],
                     color=class_colour(label), linewidth=0)  # fmt: skip
            bottom += count * 0.86 / tallest
        left.axhline(len(numbers) - 1 - row, color=PALE, linewidth=0.8)
    left.set(xlim=(-1, len(groups)), ylim=(-0.05, len(numbers)), title="Groups and the fold that tests them")
    left.set_xlabel(f"{len(groups)} groups (columns; height: pages, the tallest {tallest})")
    left.set_yticks(
        [len(numbers) - 1 - row + 0.42 for row in range(len(numbers))], [f"Fold {f}" for f in numbers]
    )
    left.tick_params(axis="y", length=0)
    left.spines["left"].set_visible(False)

    unit = "pages" if chosen["path"].nunique() == chosen["page_id"].nunique() else "files"
    table = pd.crosstab(chosen["fold"], chosen["label"])
    start = np.zeros(len(numbers))
    y = np.array([len(numbers) - 1 - row + 0.42 for row in range(len(numbers))])
    for label in labels:
        count = table[label].reindex(numbers).to_numpy()
        right.barh(
            y, count, 0.62, left=start, color=class_colour(label), label=class_name(label), edgecolor="white"
        )
        for x, value, at in zip(start, count, y, strict=True):
            if value > 0.035 * table.sum(axis=1).max():
                centre = {"ha": "center", "va": "center"}
                right.text(
                    x + value / 2, at, str(value), color="white", fontsize=10, fontweight="bold", **centre
                )
        start += count
    right.set(
        ylim=left.get_ylim(),
        yticks=[],
        xlabel=unit.capitalize(),
    )
    right.set_title("Classes of each fold")
    right.spines["left"].set_visible(False)
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside upper right", ncols=len(labels), fontsize=10
    )
    shared = int((groups["folds"] > 1).sum())
    verdict = (
        f"{shared} groups lie in several folds (red bands): these folds leak"
        if shared
        else "no group lies in two folds"
    )
    heading(
        figure,
        f"Folds of the protocol “{protocol}”",
        f"n = {len(chosen)} {unit}, {len(groups)} groups, seed {seed}; {verdict}",
    )
    return figure


def _class_order() -> list[str]:
    """The classes in the order of all figures."""
    from leadwise.names import CLASS_NAMES

    return list(CLASS_NAMES)
