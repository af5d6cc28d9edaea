"""Pictures of beats: a class drawn over each other, rebuilt rows, two records of one person; and of the folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from leadwise.figures.style import GREY, INK, MODEL_COLOURS, PALE, Picture, colour_key, heading, picture
from leadwise.names import AAMI, BEAT_COLOURS, BEAT_NAMES
from leadwise.recordings.context import Cut
from leadwise.recordings.heartbeats import LENGTH, RATE_HZ

_PARTS: Mapping[str, str] = {"train": "#0072B2", "val": "#56B4E9", "test": "#E69F00", "": "#f0f0f0"}
_PROTOCOLS = ("interpatient", "interpatient_strict", "interpatient_held_out", "patient_folds")
_TIMES_S = np.arange(LENGTH) / RATE_HZ
_SHOWN = (MODEL_COLOURS[6], MODEL_COLOURS[4])
_MOST_DRAWN = 150
_FOLDS = ("#332288", "#117733", "#AA4499", "#88CCEE", "#DDCC77")


def beats_over_each_other(contexts: NDArray[np.floating], beats: pd.DataFrame, cut: Cut) -> Picture:
    """Beats of each class drawn over each other, one lead, and their median; beneath, how early they come.

    `contexts` ``(beats, leads, samples)`` in mV, a row for each of `beats` (``beats.csv``).
    """
    classes = [name for name in AAMI if (beats["label"] == name).any()]
    figure = picture(13, 5.9)
    axes = figure.subplots(2, len(classes), height_ratios=[2, 1], squeeze=False, sharex="row")
    times_s = (np.arange(cut.samples) - cut.peak) / cut.rate_hz
    rng = np.random.default_rng(0)
    high, low = 0.0, 0.0
    for column, name in enumerate(classes):
        rows = np.flatnonzero((beats["label"] == name).to_numpy())
        drawn = np.sort(rng.choice(rows, min(_MOST_DRAWN, len(rows)), replace=False))
        leads = np.asarray(contexts[drawn, 0], np.float64)
        upper, lower = axes[0, column], axes[1, column]
        colour = BEAT_COLOURS[name]
        lines = [np.column_stack([times_s, lead]) for lead in leads]
        alpha = max(0.08, min(0.8, 12 / len(leads)))
        upper.add_collection(LineCollection(lines, colors=colour, linewidths=0.6, alpha=alpha))
        upper.plot(times_s, np.median(leads, axis=0), color=INK, linewidth=1.8)
        upper.set_title(f"{BEAT_NAMES[name]}\n{len(rows)} of {beats.iloc[rows]['record'].nunique()} records")
        ratio = beats["rr_before_ratio"].to_numpy()[rows]
        lower.hist(np.clip(ratio, 0, 2), bins=np.arange(0, 2.05, 0.05).tolist(), color=colour, density=True)
        lower.axvline(1, color=GREY, linewidth=1, linestyle="--")
        upper.set(xlim=(max(-0.6, times_s[0]), min(0.8, times_s[-1])), xlabel="Time from R, s")
        lower.set(xlim=(0, 2), yticks=[], xlabel="Interval before / record's mean")
        high, low = max(high, np.quantile(leads, 0.999)), min(low, np.quantile(leads, 0.001))
    for ax in axes[0]:
        ax.set_ylim(low - 0.2, high + 0.2)
        if ax is not axes[0, 0]:
            ax.set_yticklabels([])
    axes[0, 0].set_ylabel("mV")
    axes[1, 0].set_ylabel("Density")
    caption = (
        f"n = {len(beats)} beats, at most {_MOST_DRAWN} of a class drawn; black: their median; beneath, all of a "
        "class: left of the dashed line it came early"
    )
    return heading(figure, "What a beat looks like, and when it comes", caption)


def rebuilt_rows(rows: NDArray[np.floating], labels: Sequence[str], records: Sequence[str]) -> Picture:
    """Rebuilt heartbeat rows ``(rows, 187)``, with class and record."""
    figure = picture(13, 3.1)
    titles = [f"{label}, record {record}" for label, record in zip(labels, records, strict=True)]
    for ax, row, label in zip(_of_rows(figure, titles), rows, labels, strict=True):
        length = int(np.flatnonzero(row)[-1]) + 1 if row.any() else 0
        ax.axvspan(length / RATE_HZ, _TIMES_S[-1], color=PALE, alpha=0.5, linewidth=0)
        ax.plot(_TIMES_S, row, color=BEAT_COLOURS[label], linewidth=1.4)
    caption = (
        f"n = {len(rows)} rows of {LENGTH} values at 125 Hz; grey: padding, whose length alone tells the rate"
    )
    return heading(figure, "The published form, rebuilt", caption)


def given_back(rows: NDArray[np.floating], back: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """Heartbeat rows ``(rows, 187)`` and what an autoencoder makes of each from its code, one of each class."""
    figure = picture(13, 3.3)
    axes = _of_rows(figure, [f"Class {label}" for label in labels])
    for ax, row, rebuilt, label in zip(axes, rows, back, labels, strict=True):
        ax.plot(_TIMES_S, row, color=INK, linewidth=1.4)
        ax.plot(_TIMES_S, rebuilt, color=BEAT_COLOURS[label], linewidth=1.8, linestyle="--")
    lines = axes[0].get_lines()
    figure.legend(lines, ["the beat", "given back from 32 numbers"], loc="outside upper right", ncols=2)
    caption = f"n = {len(rows)} beats of the test set, the first of each class"
    return heading(figure, "What the code keeps", caption)


def usual_beats(
    sets: Mapping[str, tuple[NDArray[np.floating], Sequence[str]]], shown: Sequence[str]
) -> Picture:
    """Median beats by class, a panel a set: `sets` maps its name to rows ``(beats, 187)`` and their labels.

    `shown` are the classes that are drawn, where a set has them; the band holds half of the beats.
    """
    figure = picture(5.6 * len(sets) + 0.6, 3.9)
    for ax, (rows, labels) in zip(_of_rows(figure, list(sets)), sets.values(), strict=True):
        label_of = np.asarray(labels)
        there = [label for label in shown if label in set(label_of)]
        for label, colour, line in zip(there, _SHOWN, ("-", "--"), strict=False):
            of_class = np.asarray(rows[label_of == label], np.float32)
            low, middle, high = np.quantile(of_class, (0.25, 0.5, 0.75), axis=0)
            ax.fill_between(_TIMES_S, low, high, color=colour, alpha=0.18, linewidth=0)
            ax.plot(_TIMES_S, middle, color=colour, linestyle=line, label=f"{label}, n = {len(of_class):,}")
        ax.set_xlim(0, 1.2)
        ax.legend(loc="upper right", fontsize=9.5)
    caption = "lines: medians at each moment; bands: from the first quartile to the third"
    return heading(figure, "Beats in one form", caption)


def same_person(usual: Mapping[str, NDArray[np.floating]], pair: tuple[str, str], cut: Cut) -> Picture:
    """Median normal beats by record: the two of one person over each other, all others behind; and all correlations.

    `usual` maps a record to its median beat ``(samples,)`` in mV.
    """
    figure = picture(12.5, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.4, 1])
    times_s = (np.arange(cut.samples) - cut.peak) / cut.rate_hz
    shown = (times_s > -0.4) & (times_s < 0.6)
    for name, beat in usual.items():
        if name not in pair:
            left.plot(times_s[shown], beat[shown], color=PALE, linewidth=0.9)
    for name, colour in zip(pair, (_PARTS["train"], _PARTS["test"]), strict=True):
        left.plot(times_s[shown], usual[name][shown], color=colour, linewidth=2.2, label=name)
    left.plot([], [], color=PALE, label="all other records")
    left.set(xlim=(-0.4, 0.6), xlabel="Time from R, s", ylabel="mV")
    left.legend()
    left.set_title(f"Median normal beat; {pair[0]} and {pair[1]} are one person")
    names = list(usual)
    alike = np.corrcoef(np.stack([usual[name][shown] for name in names]))
    pairs = alike[np.triu_indices(len(names), 1)]
    of_pair = float(alike[names.index(pair[0]), names.index(pair[1])])
    right.hist(pairs, bins=np.linspace(-1, 1, 41).tolist(), color=PALE)
    top = 1.2 * right.get_ylim()[1]
    right.axvline(of_pair, color=INK)
    right.text(of_pair - 0.03, 0.98 * top, f"{pair[0]} and {pair[1]}: {of_pair:.2f}", ha="right", va="top")
    right.set(xlim=(-1, 1), ylim=(0, top), ylabel="Pairs of records")
    right.set_xlabel("Correlation of two records' median beats")
    right.set_title(f"{(pairs > of_pair).sum()} of {len(pairs)} pairs are more alike")
    caption = f"n = {len(names)} records with normal beats, {len(pairs)} pairs of them"
    return heading(figure, "The same person twice", caption)


def sides(
    folds: pd.DataFrame, records: pd.DataFrame, seed: int, leaky: Mapping[str, pd.DataFrame]
) -> Picture:
    """Who is where: a row a protocol, a column a record; for leaky protocols how many of its units lie on each side.

    `folds` is ``folds.csv``; `leaky` maps a protocol to a table `record, part`, a row a window or beat.
    """
    names = records.sort_values(["part", "record"])["record"].tolist()
    rows = [*(name for name in _PROTOCOLS if name in set(folds["protocol"])), *leaky]
    figure = picture(13, 1.5 + 0.52 * len(rows))
    ax = figure.subplots()
    for y, protocol in enumerate(rows):
        if protocol in leaky:
            _shares_of_sides(ax, y, leaky[protocol], names)
        else:
            mine = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed)]
            _sides_of_records(ax, y, mine.set_index("unit_id").reindex(names))
    ax.set(xlim=(-0.6, len(names) - 0.4), ylim=(len(rows) - 0.4, -0.6))
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=8.5 if len(names) > 20 else 10)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    words = {"train": "learned from", "val": "validates", "test": "tested", "": "left out"}
    colour_key(ax, {word: _PARTS[part] for part, word in words.items()})
    caption = (
        f"n = {len(names)} records; numbers: inner fold of DS1, or the fold in which a record is tested (each its "
        "colour); leaky protocols have nearly every record on every side"
    )
    return heading(figure, "Who is on which side", caption)


def _sides_of_records(ax: Axes, y: float, folds: pd.DataFrame) -> None:
    """A row of squares: each record's side, or the fold that tests it; `folds`: a row a record, nan if left out."""
    placed = folds[["protocol", "part", "fold", "inner"]].to_numpy()
    for x, (protocol, part, fold, inner) in enumerate(placed):
        colour, text = _PARTS["" if pd.isna(part) else part], "" if pd.isna(inner) else f"{inner:.0f}"
        if protocol == "patient_folds":
            colour, text = _FOLDS[int(fold) - 1], f"{fold:.0f}"
        ax.bar(x, 0.8, width=0.86, bottom=y - 0.4, color=colour)
        ink = INK if colour in (_FOLDS[3], _FOLDS[4]) else "white"
        ax.text(x, y, text, ha="center", va="center", color=ink, fontsize=8.5, fontweight="bold")


def _shares_of_sides(ax: Axes, y: float, units: pd.DataFrame, names: Sequence[str]) -> None:
    """A row of stacked bars: which share of a record's units lies on which side; columns `record, part`."""
    shares = pd.crosstab(units["record"], units["part"], normalize="index")
    bottom = np.full(len(names), y - 0.4)
    for part in ("train", "val", "test"):
        share = 0.8 * shares.reindex(index=names, columns=[part], fill_value=0.0)[part].to_numpy()
        ax.bar(range(len(names)), share, width=0.86, bottom=bottom, color=_PARTS[part])
        bottom += share


def _of_rows(figure: Picture, titles: Sequence[str]) -> NDArray[np.object_]:
    """Axes for heartbeat rows side by side."""
    axes = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    for ax, title in zip(axes, titles, strict=True):
        ax.set(xlim=(0, _TIMES_S[-1]), ylim=(-0.03, 1.05), xlabel="Time from R, s", title=title)
    axes[0].set_ylabel("0 to 1 of the row")
    return np.asarray(axes)
