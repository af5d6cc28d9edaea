"""Pictures of networks: what they see of a lead, where their parameters lie, how they train, what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.figures.forest import JUDGED, forest, how_many, judged, panel_names
from leadwise.figures.style import GREY, INK, MODEL_COLOURS, PALE, Picture, heading, ink_on_nothing, picture
from leadwise.names import metric_words

TIME_AND_SIZE = {
    "train_minutes": "Training, minutes",
    "parameters_m": "Parameters, millions",
    "size_mb": "Weights, MB",
    "ms_per_page": "One page, ms",
}
"""Columns that ``time_and_size`` draws, where the table has them."""

_LINES = "#5a6fb0"


def tokens_on_crop(crop: NDArray[np.uint8], patch_px: int, title: str, window: int | None = None) -> Picture:
    """The patches into which a network cuts a lead, and the windows within which it attends.

    ``crop`` (h, w) is the lead as the network sees it, shrunk to its input size; ``patch_px`` divides both.
    With ``window`` (patches a side) a second panel shows the next layer's windows, shifted by half of one;
    patches of one colour attend to each other, and windows that leave at one side come back at the other.
    Raises InputError where the patches do not tile the crop or the windows not the patches.
    """
    (height, width), side = crop.shape, f"{patch_px} × {patch_px} px"
    rows, columns = height // patch_px, width // patch_px
    if crop.shape != (rows * patch_px, columns * patch_px):
        raise InputError(f"tokens_on_crop: patches of {patch_px} px do not tile a crop of {crop.shape} px.")
    caption = f"n = 1 lead of {height} × {width} px: {rows} × {columns} = {rows * columns} patches of {side}"
    if window is None:
        figure = picture(6.4, 6.4)
        _tokens(figure.subplots(), crop, patch_px, None)
        return heading(figure, title, caption)
    if rows % window or columns % window:
        raise InputError(f"tokens_on_crop: windows of {window} do not tile {rows} × {columns} patches.")
    figure = picture(11, 6.1)
    shifts = {"One layer: windows": 0, "The next: shifted windows": window // 2}
    for ax, (name, shift) in zip(figure.subplots(1, 2), shifts.items(), strict=True):
        row = (np.arange(rows) - shift) % rows // window
        column = (np.arange(columns) - shift) % columns // window
        _tokens(ax, crop, patch_px, row[:, None] * (columns // window) + column)
        ax.set_title(name)
    caption += f", {rows // window * (columns // window)} windows of {window} × {window} patches"
    return heading(figure, title, caption)


def patches_on_pages(
    pages: Mapping[str, NDArray[np.uint8]], patch_px: tuple[int, int], title: str
) -> Picture:
    """Pages as a network sees them, RGB ``(height, width, 3)`` by name, and the patches into which it cuts them."""
    figure = picture(1.0 + 5.6 * len(pages), 4.6)
    for ax, (name, page) in zip(np.atleast_1d(figure.subplots(1, len(pages))), pages.items(), strict=True):
        height, width = page.shape[:2]
        ax.imshow(page, interpolation="nearest")
        for x in np.arange(patch_px[1], width, patch_px[1]) - 0.5:
            ax.axvline(x, color=_LINES, linewidth=0.5, alpha=0.6)
        for y in np.arange(patch_px[0], height, patch_px[0]) - 0.5:
            ax.axhline(y, color=_LINES, linewidth=0.5, alpha=0.6)
        ax.set(xticks=[], yticks=[], xlabel=f"{width} × {height} px")
        ax.set_title(name)
    tokens = height // patch_px[0] * (width // patch_px[1])
    return heading(figure, title, f"n = 1 page; {tokens} patches of {patch_px[1]} × {patch_px[0]} px")


def three_views(
    ink: NDArray[np.uint8],
    signal_mv: NDArray[np.floating],
    beat_mv: NDArray[np.floating],
    rate_hz: float,
    title: str,
) -> Picture:
    """One lead as a page model may see it: its ink, shrunk; its signal in mV over 2.5 s; its usual beat in mV."""
    figure = picture(12, 3.2)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.3, 0.6))
    left.imshow(255 - ink, cmap="gray", aspect="auto", interpolation="nearest")
    left.set(xlabel=f"{ink.shape[1]} px for 2.5 s", ylabel=f"{ink.shape[0]} px", xticks=[], yticks=[])
    for ax, line in ((middle, signal_mv), (right, beat_mv)):
        ax.plot(np.arange(len(line)) / rate_hz, line, color=INK, linewidth=1.2)
        ax.set(xlim=(0, len(line) / rate_hz), xlabel="Time, s", ylabel="mV")
        ax.grid(visible=True)
    for ax, name in ((left, "Ink"), (middle, "Signal"), (right, "Usual beat")):
        ax.set_title(name)
    return heading(figure, title, f"n = 1 lead; signal and beat at {rate_hz:g} Hz")


def attention_on_crop(
    crop: NDArray[np.uint8], maps: Mapping[str, NDArray[np.floating]], title: str
) -> Picture:
    """Where a network looks on a lead: each map (rows, columns of patches) under the ink, one panel a map.

    Colours are attention in multiples of what even attention would give each patch, alike in all panels.
    """
    figure = picture(1.2 + 4.1 * len(maps), 5.2)
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    shares = {name: np.asarray(m, dtype=float) / np.sum(m) * np.size(m) for name, m in maps.items()}
    highest = max(2.0, *(float(share.max()) for share in shares.values()))
    height, width = crop.shape
    for ax, (name, share) in zip(axes, shares.items(), strict=True):
        heat = ax.imshow(share, cmap="YlOrBr", vmin=0, vmax=highest, extent=(0, width, height, 0), alpha=0.85)
        ax.imshow(ink_on_nothing(crop), extent=(0, width, height, 0), interpolation="bilinear")
        ax.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], title=name)
    bar = figure.colorbar(heat, ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("Attention, 1 = evenly spread")
    bar.outline.set_visible(False)
    patches = next(iter(shares.values())).shape
    return heading(figure, title, f"n = 1 lead of {height} × {width} px, {patches[0]} × {patches[1]} patches")


def parameters_by_part(parts: Mapping[str, int], title: str) -> Picture:
    """Where a network's parameters lie: a bar a part, with its share of all."""
    total = sum(parts.values())
    figure = picture(9, 1.3 + 0.45 * len(parts))
    texts = [f"{_count(count)}  ({count / total:.1%})" for count in parts.values()]
    _bars(figure.subplots(), list(parts), np.array(list(parts.values()), float), texts)
    return heading(figure, title, f"{total:,} parameters in all")


def time_and_size(table: pd.DataFrame, note: str = "") -> Picture:
    """What each model costs: a panel for each column of TIME_AND_SIZE that the table has, logarithmic where needed.

    ``table`` has a row a model, named by ``model``; ``note`` says on which machine it was measured.
    """
    kept = [column for column in TIME_AND_SIZE if column in table]
    figure = picture(3.0 + 3.0 * len(kept), 1.3 + 0.5 * len(table))
    axes = figure.subplots(1, len(kept), squeeze=False, sharey=True)[0]
    for ax, column in zip(axes, kept, strict=True):
        values = table[column].to_numpy(float)
        texts = ["not measured" if np.isnan(v) else f"{v:.3g}" if v < 1000 else f"{v:,.0f}" for v in values]
        log = 0 < 100 * np.nanmin(values, initial=np.inf) < np.nanmax(values, initial=0)
        _bars(ax, list(table["model"]), values, texts, log=log)
        ax.set_title(TIME_AND_SIZE[column], fontsize=11)
    return heading(figure, "Time and size", f"n = {len(table)} models{'; ' if note else ''}{note}")


def losses_by_epoch(history: pd.DataFrame, title: str) -> Picture:
    """Training loss by epoch (``history.csv``), a panel a model: each fold a thin line, their mean a thick one."""
    models = dict(iter(history[history["loss"].notna()].groupby("model", sort=False)))
    rows = -(-len(models) // 3)
    figure = picture(12.4, 2.9 * rows + 0.6)
    grid = figure.subplots(rows, 3, squeeze=False).ravel()
    trainings = [of_model.groupby(["seed", "fold"]) for of_model in models.values()]
    for ax, (name, of_model), runs in zip(grid, models.items(), trainings, strict=False):
        for _, run in runs:
            ax.plot(run["epoch"], run["loss"], "--", color=MODEL_COLOURS[0], linewidth=0.8, alpha=0.35)
        mean = of_model.groupby(np.ceil(of_model["epoch"]))["loss"].mean()
        ax.plot(mean.index, mean, "--", color=MODEL_COLOURS[0], linewidth=2.2)
        ax.set(title=name, xlabel="Epoch", ylabel="Training loss", ylim=(0, None))
    for ax in grid[len(models) :]:
        ax.set_visible(False)
    n = ", ".join(str(len(runs)) for runs in trainings)
    caption = f"n = {n} trainings, a fold and seed each (thin lines), and their mean (thick)"
    return heading(figure, title, caption)


def training_curves(history: pd.DataFrame, title: str) -> Picture:
    """Training loss (dashed), metrics on held-out inner folds (solid, where there are any), learning rate.

    ``history``: rows of history.csv of one model. Thin lines are single trainings, thick lines their mean
    over the epochs that all of them have. ``inner_log_loss`` shares the panel of the training loss.
    """
    keys = [c for c in ("task", "protocol", "seed", "fold", "role", "held_out") if c in history]
    runs = [run.sort_values("step") for _, run in history.groupby(keys, dropna=False)]
    inner = [c for c in history if str(c).startswith("inner_") and history[c].notna().any()]
    losses = [c for c in inner if c in {"inner_log_loss", "inner_loss"}]
    others = [c for c in inner if c not in losses]
    figure = picture(11.5 if others else 9, 4.3)
    axes = figure.subplots(1, 3 if others else 2, width_ratios=[1.5, 1.2, 0.8] if others else [1.6, 1])
    _curves(axes[0], runs, "loss", MODEL_COLOURS[0], "--", "training")
    for colour, column in zip((MODEL_COLOURS[2], MODEL_COLOURS[1]), losses, strict=False):
        _curves(axes[0], runs, column, colour, "-", "held out")
    axes[0].set(title="Loss", ylim=(0, None), xlabel="Epoch")
    axes[0].legend(loc="best")
    if others:
        for colour, column in zip(MODEL_COLOURS[1:], others, strict=False):
            _curves(axes[1], runs, column, colour, "-", metric_words(column.removeprefix("inner_")))
        axes[1].set(title="On held-out inner folds", ylim=(0, 1.02), xlabel="Epoch")
        axes[1].legend(loc="best")
    _curves(axes[-1], runs, "lr", GREY, "-", "")
    axes[-1].set(title="Learning rate", ylim=(0, None), xlabel="Epoch")
    axes[-1].ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    for ax in axes:
        ax.grid(visible=True)
        ax.xaxis.set_major_locator(MaxNLocator(5))
    return heading(figure, title, f"n = {len(runs)} trainings (thin lines) and their mean (thick)")


def other_beginning(differences: pd.DataFrame) -> Picture:
    """Networks minus themselves from other first weights: rows of ``differences.csv``, a panel a metric."""
    rows = differences["model"] + ", " + differences["task"] + ": " + differences["weights"] + " minus "
    rows += differences["minus"].str.removeprefix("weights=")
    return forest(
        judged(differences).assign(row=rows, panel=differences["metric"]),
        panel_names(differences),
        title="What is it worth to begin elsewhere?",
        caption=f"{how_many(differences)}; 95 % intervals by bootstrap over printed ids, paired\n{JUDGED}",
        line=0.0,
        axis="difference",
    )


def _tokens(ax: Axes, crop: NDArray[np.uint8], patch_px: int, windows: NDArray[np.intp] | None) -> None:
    """A crop with patch lines; where windows are given, their tints and borders too."""
    height, width = crop.shape
    if windows is not None:
        tints = colormaps["tab20"](windows % 20)
        tints[..., :3] = 0.72 + 0.28 * tints[..., :3]
        ax.imshow(tints, extent=(0, width, height, 0), interpolation="nearest")
    ax.imshow(ink_on_nothing(crop), extent=(0, width, height, 0), interpolation="nearest", zorder=3)
    lines = [[(x, 0), (x, height)] for x in range(0, width + 1, patch_px)]
    lines += [[(0, y), (width, y)] for y in range(0, height + 1, patch_px)]
    fine = windows is not None
    ax.add_collection(
        LineCollection(lines, colors=PALE if fine else _LINES, linewidths=0.6 if fine else 1.1, zorder=2)
    )
    if windows is not None:
        borders = [
            [((j + 1) * patch_px, i * patch_px), ((j + 1) * patch_px, (i + 1) * patch_px)]
            for i, j in np.argwhere(np.diff(windows, axis=1) != 0)
        ]
        borders += [
            [(j * patch_px, (i + 1) * patch_px), ((j + 1) * patch_px, (i + 1) * patch_px)]
            for i, j in np.argwhere(np.diff(windows, axis=0) != 0)
        ]
        ax.add_collection(LineCollection(borders, colors=INK, linewidths=1.8, capstyle="round", zorder=4))
    ax.set(xlim=(0, width), ylim=(height, 0), xlabel="px", ylabel="px")
    ax.set_aspect("equal")
    ax.spines[:].set(visible=True, color=INK if fine else _LINES, linewidth=1.2)


def _curves(ax: Axes, runs: list[pd.DataFrame], column: str, colour: str, line: str, name: str) -> None:
    """One quantity over the epochs: every training thin, their mean thick."""
    kept = [run.dropna(subset=[column]) for run in runs]
    kept = [run for run in kept if len(run)]
    if not kept:
        return
    if len(kept) > 1:
        for run in kept:
            ax.plot(run["epoch"], run[column], color=colour, linestyle=line, linewidth=0.8, alpha=0.35)
    by_epoch = pd.concat([run.groupby("epoch")[column].mean() for run in kept], axis=1).dropna()
    marker = "o" if len(by_epoch) < 3 else None
    ax.plot(by_epoch.index, by_epoch.mean(axis=1), color=colour, linestyle=line, linewidth=2.2, marker=marker,
            markersize=4, label=name or None)  # fmt: skip


def _bars(
    ax: Axes, names: Sequence[str], values: NDArray[np.floating], texts: Sequence[str], *, log: bool = False
) -> None:
    """Bars from the left under each other, what is told of each beside it; none where the value is nan."""
    least, most = (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else (0.0, 1.0)
    known = np.nan_to_num(values)
    ax.barh(range(len(names)), known, 0.62, color=MODEL_COLOURS[0], alpha=0.85)
    ax.set(xlim=(0, 1.3 * most), xticks=[])
    if log:
        ax.set(xscale="log", xlim=(least / 3, most * (3 * most / least) ** 0.35))
        ax.xaxis.set_major_locator(LogLocator(numticks=4))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        ax.minorticks_off()
        known = known.clip(least / 3)
    ax.spines[["left", "bottom"]].set_visible(False)
    for row, (value, text) in enumerate(zip(values, texts, strict=True)):
        ink = GREY if np.isnan(value) else INK
        ax.annotate(text, (known[row], row), (6, 0), textcoords="offset points", va="center", color=ink)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


def _count(count: int) -> str:
    """A number of parameters as people say it."""
    if count >= 1_000_000:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.1f} k" if count >= 1_000 else str(count)
