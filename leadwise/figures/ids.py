"""Pictures of what is printed beside the traces: ids over time, what an id is, what the labels can bear."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from leadwise.figures.style import (
    ALARM,
    GREY,
    PALE,
    Picture,
    class_colour,
    class_name,
    heading,
    legend_above,
    picture,
)
from leadwise.names import CLASS_NAMES

SAME, OTHER = "#D55E00", "#0072B2"
"""Pairs of one id and of two; of Okabe and Ito's palette."""


def counter_over_time(pages: pd.DataFrame, falls: pd.DataFrame) -> Picture:
    """Printed ids in order of printed time, a dot a page; red lines where the running number falls.

    `pages` keeps the contract ``pages.csv``, `falls` is what `leadwise.sets.ids.id_falls` gives.
    """
    known = pages.dropna(subset=["recording_id", "recorded_at"])
    if known.empty:
        return _nothing_read("A printed id is a running number")
    moment = pd.to_datetime(known["recorded_at"])
    months = sorted(moment.dt.strftime("%Y-%m").unique())
    figure = picture(12.5, 4.6)
    axes = figure.subplots(1, len(months), squeeze=False)[0]
    for ax, month in zip(axes, months, strict=True):
        here = moment.dt.strftime("%Y-%m") == month
        for label in [name for name in CLASS_NAMES if name in set(known["label"])]:
            rows = here & (known["label"] == label)
            number = known.loc[rows, "recording_id"].astype(int)
            ax.plot(moment[rows], number, "o", color=class_colour(label), markersize=4, alpha=0.7)
            ax.plot([], [], "o", color=class_colour(label), label=class_name(label))
        when = pd.to_datetime(falls["recorded_at"])
        for at in when[when.dt.strftime("%Y-%m") == month]:
            ax.axvline(at, color=ALARM, linewidth=1)
        ax.set_title(month)
        ax.ticklabel_format(axis="y", useOffset=False, style="plain")
        ax.tick_params(axis="x", rotation=45, labelsize=9)
    axes[0].set_ylabel("Printed id")
    legend_above(figure, axes[-1], 4)
    caption = (
        f"n = {len(known)} pages, {known['recording_id'].nunique()} ids; red: set back ({len(falls)} times)"
    )
    return heading(figure, "A printed id is a running number", caption)


def what_an_id_is(pairs: pd.DataFrame, chance: float) -> Picture:
    """Left: how often two pages of one id agree in class, by the time between them; right: how alike beats are.

    `pairs` is what `leadwise.sets.ids.page_pairs` gives, with `alike`; `chance` is the share of all pairs that agree.
    At the right, pairs of one class, recorded within an hour, their rates at most 5 bpm apart.
    """
    figure = picture(12.5, 4.4)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.2])
    edges = [0, 1, 5, 60, 24 * 60, np.inf]
    names = ["under 1 min", "1 to 5 min", "5 to 60 min", "1 to 24 h", "over a day"]
    same = pairs[pairs["same_id"]]
    for number, (low, high) in enumerate(itertools.pairwise(edges)):
        agrees = same.loc[(same["minutes"] >= low) & (same["minutes"] < high), "same_label"]
        share, text = (
            (agrees.mean(), f"{agrees.mean():.0%}\nof {len(agrees)}") if len(agrees) else (0.0, "none")
        )
        left.bar(number, share, 0.66, color=SAME)
        left.text(number, share + 0.01, text, ha="center", va="bottom", fontsize=9.5)
    left.axhline(chance, color=GREY, linestyle="--", linewidth=1.2)
    left.set(ylim=(0, 1.12), ylabel="Pairs that agree in class", xticks=range(5), xticklabels=names)
    left.tick_params(axis="x", labelsize=9)
    left.set_title("Two pages of one id, by the time between them")
    matched = pairs[pairs["same_label"] & (pairs["minutes"] <= 60) & (pairs["rate_difference_bpm"] <= 5)]
    bins = np.linspace(-0.5, 1, 31).tolist()
    for is_same, colour, name in ((False, OTHER, "two ids"), (True, SAME, "one id")):
        values = matched.loc[matched["same_id"] == is_same, "alike"].dropna()
        if len(values):
            weights = np.full(len(values), 1 / len(values))
            right.hist(values.clip(-0.5, 1), bins, weights=weights, color=colour, alpha=0.55,
                       label=f"{name} (n = {len(values)})")  # fmt: skip
            right.axvline(float(values.median()), color=colour, linewidth=1.8)
    right.set(xlabel="Correlation of the two pages' median beats, 12 leads", ylabel="Share of pairs")
    if right.get_legend_handles_labels()[0]:
        right.legend(loc="upper left")
    right.set_title("Same class, hour and rate: is one id more alike?")
    caption = f"n = {len(same)} pairs of one id; dashed: any two pages agree in {chance:.0%}; lines: medians"
    return heading(figure, "Is an id a person?", caption)


def rates_by_class(pages: pd.DataFrame) -> Picture:
    """Printed heart rate by class, a dot a page, the median marked; shaded, 60 to 100 bpm."""
    known = pages.dropna(subset=["heart_rate_bpm"])
    if known.empty:
        return _nothing_read("What the labels can bear")
    labels = [name for name in CLASS_NAMES if name in set(known["label"])]
    figure = picture(10.5, 0.8 + 0.85 * len(labels))
    ax = figure.subplots()
    ax.axvspan(60, 100, color=PALE, alpha=0.5, linewidth=0)
    rng = np.random.default_rng(0)
    for row, label in enumerate(labels):
        rate, colour = (
            known.loc[known["label"] == label, "heart_rate_bpm"].to_numpy(float),
            class_colour(label),
        )
        scattered = row + rng.uniform(-0.28, 0.28, len(rate))
        ax.plot(rate, scattered, "o", color=colour, markersize=3.5, alpha=0.6)
        median = np.median(rate)
        ax.plot([median] * 2, [row - 0.38, row + 0.38], color=colour, linewidth=3)
        ax.text(median, row - 0.4, f"{median:.0f}", ha="center", va="bottom", fontsize=9.5)
    named = [f"{class_name(label)} ({(known['label'] == label).sum()})" for label in labels]
    ax.set(yticks=range(len(labels)), yticklabels=named, xlabel="Printed heart rate, beats a minute")
    ax.invert_yaxis()
    caption = f"n = {len(known)} pages; bars: medians; shaded: 60 to 100 bpm"
    return heading(figure, "What the labels can bear", caption)


def _nothing_read(title: str) -> Picture:
    """A picture that says why there is none."""
    figure = picture(10.5, 1.6)
    figure.text(0.5, 0.5, "No printed header could be read on these pages.", ha="center", color=GREY)
    return heading(figure, title, "n = 0 pages")
