"""Pictures of pages, leads and folds. Pages are BGR as ``read_page`` gives them; crops are ink on black.

A crop is one lead at the template's scale: uint8 (300, 500), 2.5 s = 491.5 px, its baseline in the middle.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.evaluation.figures import (
    GREY,
    INK,
    PALE,
    PAPER,
    PAPER_COARSE,
    PAPER_FINE,
    Picture,
    bare,
    class_colour,
    class_name,
    heading,
    ink_on_nothing,
    picture,
    rgb,
)
from leadwise.pages.leads import LEADS

Image = NDArray[np.uint8]

PIXELS_PER_S = 196.6
PIXELS_PER_MV = 78.6
LEAD_S = 2.5
"""The template's scale, to which every crop was brought: separators are 491.5 px = 2.5 s apart."""

_BOX = "#332288"
_ALARM = "#b00020"


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
    left, right = figure.subfigures(1, 2, width_ratios=[1.5, 1], wspace=0.03)
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
        f"{counts['files'].sum()} files hold {counts['distinct'].sum()} distinct pages (equal by sha256)",
    )
    return figure


def page_with_boxes(image: Image, boxes: NDArray[np.floating], names: Sequence[str], title: str) -> Picture:
    """A page with the outline of each lead that was cut from it; ``boxes`` (N, 4, 2) in pixels of the page."""
    height, width = image.shape[:2]
    shown = rgb(image, 1800)
    factor = shown.shape[1] / width
    figure = picture(11, 11 * height / width + 0.75)
    ax = figure.subplots()
    bare(ax)
    ax.imshow(shown, interpolation="lanczos")
    for corners, name in zip(np.asarray(boxes) * factor, names, strict=True):
        ax.add_patch(Polygon(corners, fill=False, edgecolor=_BOX, linewidth=1.6))
        x, y = corners[np.argmin(corners.sum(axis=1))]
        tag = {"facecolor": _BOX, "edgecolor": "none", "pad": 2.5}
        ax.text(x + 4, y + 5, name, color="white", fontsize=10, fontweight="bold", va="top", bbox=tag)
    heading(figure, title, f"{len(boxes)} boxes on a page of {width} × {height} px")
    return figure


def crops_grid(crops: Mapping[str, NDArray[np.uint8]], columns: Sequence[str], title: str) -> Picture:
    """Lead crops, a row a class: ``crops`` maps a class to (n, 300, 500), ``columns`` heads the n columns."""
    figure = picture(11.5, 0.8 + len(crops) * (11.5 / len(columns) * 0.6 + 0.1))
    axes = figure.subplots(len(crops), len(columns), squeeze=False)
    for row, (label, of_class) in zip(axes, crops.items(), strict=True):
        for ax, crop in zip(row, of_class, strict=True):
            _crop_on_paper(ax, crop)
        row[0].set_ylabel(textwrap.fill(class_name(label), 11), color=class_colour(label), fontweight="bold")
    for ax, name in zip(axes[0], columns, strict=True):
        ax.set_title(name, loc="center")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)  # type: ignore[union-attr,call-arg]
    shown = sum(len(of_class) for of_class in crops.values())
    heading(figure, title, f"{shown} crops; each 2.5 s wide and 3.8 mV high, grid of 0.2 s by 0.5 mV")
    return figure


def lead_on_ecg_paper(
    lead: NDArray[np.uint8] | NDArray[np.floating], name: str, fs_hz: float | None = None
) -> Picture:
    """One lead on ECG paper, 25 mm/s and 10 mm/mV, 1 and 5 mm grid, axes in s and mV.

    ``lead``: a crop (300, 500), drawn as it is, or a signal (samples,) in mV with its rate ``fs_hz``.
    Raises InputError for a signal without a rate.
    """
    lead = np.asarray(lead)
    if lead.ndim == 1 and not fs_hz:
        raise InputError(f"lead {name}: a signal is drawn at a rate; give fs_hz.")
    if lead.ndim == 2:
        seconds, reach = LEAD_S, lead.shape[0] / 2 / PIXELS_PER_MV
        low, high = -reach, reach
    else:
        seconds = len(lead) / (fs_hz or 1)
        low, high = min(-0.5, float(np.nanmin(lead)) - 0.2), max(1.0, float(np.nanmax(lead)) + 0.2)
        low, high = np.floor(low * 2) / 2, np.ceil(high * 2) / 2
    width = min(12.0, max(6.0, 3.2 * seconds))
    figure = picture(width, min(8.0, (width - 0.9) / (seconds / 0.4) * (high - low) + 1.2))
    ax = figure.subplots()
    ecg_paper(ax, (0, seconds), (low, high))
    if lead.ndim == 2:
        ax.imshow(ink_on_nothing(lead), extent=_extent(lead), interpolation="bilinear", zorder=3)
    else:
        ax.plot(np.arange(len(lead)) / (fs_hz or 1), lead, color=INK, linewidth=1.3, zorder=3)
    ax.set(xlim=(0, seconds), ylim=(low, high), xlabel="Time, s", ylabel="mV")
    ax.set_aspect(0.4)  # 10 mm a millivolt and 25 mm a second: a millivolt is as long as 0.4 s
    heading(
        figure, name, "ECG paper of 25 mm/s and 10 mm/mV; thin lines 1 mm, thick lines 5 mm apart; n = 1 lead"
    )
    return figure


def twelve_leads_on_ecg_paper(
    crops: NDArray[np.uint8], strip: NDArray[np.uint8], title: str, strip_name: str = "rhythm"
) -> Picture:
    """All that was cut from a page, put back on clean ECG paper in the usual 3 x 4 and the rhythm strip.

    ``crops`` (12, 300, 500) in the order of LEADS, ``strip`` (300, 2000).
    """
    row_mv = 301 / PIXELS_PER_MV  # rows of the printed page lie 301 px apart
    figure = picture(12, 12 * 0.4 * (4 * row_mv) / (4 * LEAD_S) + 1.0)
    ax = figure.subplots()
    ecg_paper(ax, (0, 4 * LEAD_S), (-4 * row_mv, 0))
    rows = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
    for row, names in enumerate(rows):
        for column, name in enumerate(names):
            crop = crops[LEADS.index(name)]
            x0, middle = column * LEAD_S, -(row + 0.5) * row_mv
            ax.imshow(
                ink_on_nothing(crop), extent=_extent(crop, x0, middle), interpolation="bilinear", zorder=3
            )
            ax.text(x0 + 0.04, middle + 1.3, name, fontweight="bold", fontsize=11, zorder=4)
            if column:
                ax.plot([x0, x0], [middle - 0.25, middle + 0.25], color=GREY, linewidth=1, zorder=4)
    ax.imshow(
        ink_on_nothing(strip), extent=_extent(strip, 0, -3.5 * row_mv), interpolation="bilinear", zorder=3
    )
    ax.text(0.04, -3.5 * row_mv + 1.3, strip_name, fontweight="bold", fontsize=11, zorder=4)
    ax.set(
        xlim=(0, 4 * LEAD_S),
        ylim=(-4 * row_mv, 0),
        xlabel="Time, s (each lead 2.5 s, the strip 10 s)",
        yticks=[],
    )
    ax.set_aspect(0.4)
    heading(
        figure, title, "ECG paper of 25 mm/s and 10 mm/mV; thick lines 0.2 s and 0.5 mV apart; n = 1 page"
    )
    return figure


def shrink_comparison(crop: NDArray[np.uint8], shrunk: Mapping[str, NDArray[np.uint8]]) -> Picture:
    """What shrinking does to a trace: above the whole crop, below the steepest stroke, enlarged.

    ``shrunk`` maps a method's name to the small crop that it made of ``crop``; pixels are shown as pixels.
    """
    panels = {f"as cut, {crop.shape[0]} × {crop.shape[1]} px": crop}
    panels |= {f"{name}, {small.shape[0]} × {small.shape[1]} px": small for name, small in shrunk.items()}
    height, width = crop.shape
    rows = np.where(crop > 127, np.arange(height)[:, None], -1)
    tall = rows.max(axis=0) - np.where(rows < 0, height, rows).min(axis=0)
    x = int(np.clip(int(np.argmax(tall)), 60, width - 60))
    figure = picture(12, 5.9)
    axes = figure.subplots(2, len(panels), height_ratios=[1, 1.25], squeeze=False)
    for column, (name, image) in enumerate(panels.items()):
        for ax in axes[:, column]:
            ax.set_facecolor(PAPER)
            ax.imshow(255 - image, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0), aspect="auto",
                      interpolation="nearest")  # fmt: skip
            ax.set(xticks=[], yticks=[])
            for spine in ax.spines.values():
                spine.set(visible=True, color=PALE)
        axes[0, column].set_title(textwrap.fill(name, 18), loc="center", fontsize=11)
        axes[0, column].add_patch(
            Polygon(
                [(x - 60, 2), (x + 60, 2), (x + 60, height - 2), (x - 60, height - 2)],
                fill=False,
                edgecolor=_ALARM,
                linewidth=1.4,
            )  # fmt: skip
        )
        axes[1, column].set_xlim(x - 60, x + 60)
        for spine in axes[1, column].spines.values():
            spine.set(color=_ALARM, linewidth=1.4)
    heading(
        figure,
        "What shrinking does to a trace",
        f"n = 1 lead; below: the red box, {120 / PIXELS_PER_S:.1f} s wide; pixels are shown as pixels, without smoothing",
    )
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
        left.axvspan(place[group] - 0.5, place[group] + 0.5, color=_ALARM, alpha=0.13, linewidth=0)
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

    table = chosen.groupby(["fold", "label"]).size().unstack(fill_value=0)
    start = np.zeros(len(numbers))
    y = np.array([len(numbers) - 1 - row + 0.42 for row in range(len(numbers))])
    for label in labels:
        count = table[label].reindex(numbers).to_numpy()
        right.barh(
            y, count, 0.62, left=start, color=class_colour(label), label=class_name(label), edgecolor="white"
        )
        for x, value, at in zip(start, count, y, strict=True):
            if value > 0.035 * table.sum(axis=1).max():
                right.text(x + value / 2, at, str(value), ha="center", va="center", color="white", fontsize=10,
                           fontweight="bold")  # fmt: skip
        start += count
    right.set(
        ylim=left.get_ylim(),
        yticks=[],
        xlabel="Pages" if chosen["path"].nunique() == chosen["page_id"].nunique() else "Files",
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
        f"n = {len(chosen)} {'files' if chosen['path'].nunique() > chosen['page_id'].nunique() else 'pages'}, "
        f"{len(groups)} groups, seed {seed}; {verdict}",
    )
    return figure


def ecg_paper(ax: Axes, seconds: tuple[float, float], millivolts: tuple[float, float]) -> None:
    """Draw ECG paper between the given times and voltages: 1 mm is 0.04 s or 0.1 mV, thick lines every 5 mm."""
    ax.set_facecolor(PAPER)
    for step_mm, colour, width in ((1, PAPER_FINE, 0.5), (5, PAPER_COARSE, 0.9)):
        xs = _lines(*seconds, step_mm * 0.04)
        ys = _lines(*millivolts, step_mm * 0.1)
        lines = [[(x, millivolts[0]), (x, millivolts[1])] for x in xs]
        lines += [[(seconds[0], y), (seconds[1], y)] for y in ys]
        ax.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=1), autolim=False)
    for spine in ax.spines.values():
        spine.set(visible=True, color=PAPER_COARSE)


def _crop_on_paper(ax: Axes, crop: NDArray[np.uint8]) -> None:
    """A crop on paper with the thick lines alone, without ticks."""
    reach = crop.shape[0] / 2 / PIXELS_PER_MV
    ax.set_facecolor(PAPER)
    lines = [[(x, -reach), (x, reach)] for x in _lines(0, LEAD_S, 0.2)]
    lines += [[(0, y), (LEAD_S, y)] for y in _lines(-reach, reach, 0.5)]
    ax.add_collection(LineCollection(lines, colors=PAPER_FINE, linewidths=0.7, zorder=1), autolim=False)
    ax.imshow(ink_on_nothing(crop), extent=_extent(crop), interpolation="antialiased", zorder=3)
    ax.set(xlim=(0, LEAD_S), ylim=(-reach, reach), xticks=[], yticks=[])
    ax.set_aspect(0.4)
    for spine in ax.spines.values():
        spine.set(visible=True, color=PAPER_COARSE)


def _extent(
    crop: NDArray[np.uint8], x0_s: float = 0.0, middle_mv: float = 0.0
) -> tuple[float, float, float, float]:
    """Where a crop lies in seconds and millivolts."""
    height, width = crop.shape
    reach = height / 2 / PIXELS_PER_MV
    return x0_s, x0_s + width / PIXELS_PER_S, middle_mv - reach, middle_mv + reach


def _lines(low: float, high: float, step: float) -> NDArray[np.floating]:
    """Multiples of ``step`` between ``low`` and ``high``."""
    return np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1) * step


def _class_order() -> list[str]:
    """The classes in the order of all figures."""
    from leadwise.evaluation.figures import CLASS_NAMES

    return list(CLASS_NAMES)
