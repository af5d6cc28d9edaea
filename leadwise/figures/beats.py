"""Pictures of beats: a class drawn over each other, rebuilt rows, two records of one person; and of the folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.patches import Patch
from numpy.typing import NDArray

from leadwise.figures.style import GREY, INK, PALE, Picture, heading, picture
from leadwise.names import AAMI, BEAT_COLOURS, BEAT_NAMES
from leadwise.recordings.context import Cut
from leadwise.recordings.heartbeats import RATE_HZ

_PARTS: Mapping[str, str] = {"train": "#0072B2", "val": "#56B4E9", "test": "#E69F00", "": "#f0f0f0"}
_FOLDS = ("#332288", "#117733", "#AA4499", "#88CCEE", "#DDCC77")


def beats_over_each_other(
    contexts: NDArray[np.floating], beats: pd.DataFrame, cut: Cut, at_most: int = 150
) -> Picture:
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
        drawn = np.sort(rng.choice(rows, min(at_most, len(rows)), replace=False))
        leads = np.asarray(contexts[drawn, 0], np.float64)
        upper, lower = axes[0, column], axes[1, column]
        colour = BEAT_COLOURS[name]
        upper.add_collection(
            LineCollection(
                [np.column_stack([times_s, lead]) for lead in leads],
                colors=colour,
                linewidths=0.6,
                alpha=max(0.08, min(0.8, 12 / len(leads))),
            )
        )
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
    heading(
        figure,
        "What a beat looks like, and when it comes",
        f"n = {len(beats)} beats, at most {at_most} of a class drawn; black: their median; "
        "beneath, all of a class: left of the dashed line it came early",
    )
    return figure


def rebuilt_rows(rows: NDArray[np.floating], labels: Sequence[str], records: Sequence[str]) -> Picture:
    """Rebuilt heartbeat rows ``(rows, 187)``, with class and record."""
    figure = picture(13, 3.1)
    axes = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    for ax, row, label, record in zip(axes, rows, labels, records, strict=True):
        length = int(np.flatnonzero(row)[-1]) + 1 if row.any() else 0
        times_s = np.arange(len(row)) / RATE_HZ
        ax.axvspan(length / RATE_HZ, times_s[-1], color=PALE, alpha=0.5, linewidth=0)
        ax.plot(times_s, row, color=BEAT_COLOURS[label], linewidth=1.4)
        ax.set(xlim=(0, times_s[-1]), xlabel="Time from R, s", ylim=(-0.03, 1.05))
        ax.set_title(f"{label}, record {record}")
    axes[0].set_ylabel("0 to 1 of the row")
    heading(
        figure,
        "The published form, rebuilt",
        f"n = {len(rows)} rows of 187 values at 125 Hz; grey: padding, whose length alone tells the rate",
    )
    return figure


def given_back(rows: NDArray[np.floating], back: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """Heartbeat rows ``(rows, 187)`` and what an autoencoder makes of each from its code, one of each class."""
    figure = picture(13, 3.3)
    for ax, row, own, label in zip(
        figure.subplots(1, len(rows), sharey=True, squeeze=False)[0], rows, back, labels, strict=True
    ):
        times_s = np.arange(len(row)) / RATE_HZ
        ax.plot(times_s, row, color=INK, linewidth=1.4)
        ax.plot(times_s, own, color=BEAT_COLOURS[label], linewidth=1.8, linestyle="--")
        ax.set(xlim=(0, times_s[-1]), xlabel="Time from R, s", ylim=(-0.03, 1.05))
        ax.set_title(f"Class {label}")
    lines = figure.axes[0].get_lines()
    figure.legend(lines, ["the beat", "given back from 32 numbers"], loc="outside upper right", ncols=2)
    figure.axes[0].set_ylabel("0 to 1 of the row")
    heading(figure, "What the code keeps", f"n = {len(rows)} beats of the test set, the first of each class")
    return figure


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
    own = float(alike[names.index(pair[0]), names.index(pair[1])])
    right.hist(pairs, bins=np.linspace(-1, 1, 41).tolist(), color=PALE)
    top = 1.2 * right.get_ylim()[1]
    right.axvline(own, color=INK)
    right.text(own - 0.03, 0.98 * top, f"{pair[0]} and {pair[1]}: {own:.2f}", ha="right", va="top")
    right.set(
        xlim=(-1, 1),
        ylim=(0, top),
        xlabel="Correlation of two records' median beats",
        ylabel="Pairs of records",
    )
    right.set_title(f"{(pairs > own).sum()} of {len(pairs)} pairs are more alike")
    heading(
        figure,
        "The same person twice",
        f"n = {len(names)} records with normal beats, {len(pairs)} pairs of them",
    )
    return figure


def sides(
    folds: pd.DataFrame, records: pd.DataFrame, seed: int, leaky: Mapping[str, pd.DataFrame]
) -> Picture:
    """Who is where: a row a protocol, a column a record; for leaky protocols how many of its units lie on each side.

    `folds` is ``signal_folds.csv``; `leaky` maps a protocol to a table `record, part`, a row a window or beat.
    """
    names = records.sort_values(["part", "record"])["record"].tolist()
    true = [
        name
        for name in ("interpatient", "interpatient_strict", "interpatient_held_out", "patient_folds")
        if name in set(folds["protocol"])
    ]
    rows = [*true, *leaky]
    figure = picture(13, 1.5 + 0.52 * len(rows))
    ax = figure.subplots()
    for height, protocol in enumerate(rows):
        if protocol in leaky:
            counts = pd.crosstab(leaky[protocol]["record"], leaky[protocol]["part"], normalize="index")
            for x, name in enumerate(names):
                bottom = height - 0.4
                for part in ("train", "val", "test"):
                    share = float(counts.get(part, pd.Series(dtype=float)).get(name, 0.0))
                    ax.bar(x, 0.8 * share, width=0.86, bottom=bottom, color=_PARTS[part])
                    bottom += 0.8 * share
            continue
        mine = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed)].set_index("unit_id")
        for x, name in enumerate(names):
            part, text = "", ""
            colour = _PARTS[""]
            if name in mine.index:
                row = mine.loc[name]
                part = str(row["part"])
                by_fold = protocol == "patient_folds"
                colour = _FOLDS[int(row["fold"]) - 1] if by_fold else _PARTS[part]
                text = str(row["fold"]) if by_fold else "" if pd.isna(row["inner"]) else str(row["inner"])
            ax.bar(x, 0.8, width=0.86, bottom=height - 0.4, color=colour)
            ink = INK if colour in (_FOLDS[3], _FOLDS[4]) else "white"
            ax.text(x, height, text, ha="center", va="center", color=ink, fontsize=8.5, fontweight="bold")
    ax.set(
        xlim=(-0.6, len(names) - 0.4), ylim=(len(rows) - 0.4, -0.6), yticks=range(len(rows)), yticklabels=rows
    )
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=8.5 if len(names) > 20 else 10)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    handles = [
        Patch(color=_PARTS["train"], label="learned from"),
        Patch(color=_PARTS["val"], label="validates"),
        Patch(color=_PARTS["test"], label="tested"),
        Patch(color=_PARTS[""], label="left out"),
    ]
    ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=4)
    heading(
        figure,
        "Who is on which side",
        f"n = {len(names)} records; numbers: inner fold of DS1, or the fold in which a record is tested (each its "
        "colour); leaky protocols have nearly every record on every side",
    )
    return figure
