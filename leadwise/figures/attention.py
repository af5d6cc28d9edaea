"""Where a network looks: its attention over the windows it was asked about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.figures.forest import forest
from leadwise.figures.style import ALARM, GREY, INK, Picture, heading, picture
from leadwise.scores.draws import ENDS

_ATTENTION = "#E69F00"


def attention_over_windows(
    windows: NDArray[np.floating],
    attention: NDArray[np.floating],
    beats: Sequence[pd.DataFrame],
    titles: Sequence[str],
    seconds: float,
) -> Picture:
    """Windows with the network's attention behind the trace and their beats above it.

    `windows` ``(n, samples)`` standardised, `attention` ``(n, steps)`` of the same `seconds`, drawn as a multiple of
    its mean; `beats` has ``at_s, symbol, abnormal`` for each window.
    """
    figure = picture(12.5, 2.3 * len(windows) + 0.5)
    axes = figure.subplots(len(windows), 1, sharex=True, squeeze=False)[:, 0]
    steps_s = (np.arange(attention.shape[1]) + 0.5) * seconds / attention.shape[1]
    times_s = np.arange(windows.shape[1]) * seconds / windows.shape[1]
    highest = max(2.0, float((attention / attention.mean(axis=1, keepdims=True)).max()))
    for ax, window, looked, window_beats, title in zip(axes, windows, attention, beats, titles, strict=True):
        ax.plot(times_s, window, color=INK, linewidth=0.9)
        behind = ax.twinx()
        behind.fill_between(steps_s, looked / looked.mean(), color=_ATTENTION, alpha=0.55, linewidth=0)
        behind.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
        behind.set(ylim=(0, 1.05 * highest), ylabel="Attention\n(mean = 1)")
        ax.set_zorder(behind.get_zorder() + 1)
        ax.patch.set_visible(False)
        low, high = float(window.min()), float(window.max())
        tall = high - low
        ax.set(xlim=(0, seconds), ylim=(low - 0.05 * tall, high + 0.3 * tall), ylabel="ECG, SD")
        for at_s, symbol, abnormal in window_beats[["at_s", "symbol", "abnormal"]].itertuples(index=False):
            ink, weight = (ALARM, "bold") if abnormal else (GREY, "normal")
            ax.text(at_s, high + 0.12 * tall, symbol, ha="center", fontsize=9, color=ink, fontweight=weight)
        ax.set_title(title, loc="left", fontsize=10)
    axes[-1].set_xlabel("Time, s")
    caption = (
        f"n = {len(windows)} windows; orange: attention, mean over queries and heads; dotted: even attention"
    )
    return heading(figure, "", caption)


def beside_chance(means: pd.DataFrame) -> Picture:
    """By how much what `leadwise.scores.attention.against_chance` found lies above chance."""
    chance = np.where(means["what"].str.contains(" minus "), 0.0, 1.0)
    ends = {end: means[end] - chance for end in ENDS}
    rows = [f"{what} ({n} records)" for what, n in zip(means["what"], means["records"], strict=True)]
    points = means.assign(**ends).assign(filled=lambda table: (table["low"] > 0) | (table["high"] < 0))
    return forest(
        points.assign(row=rows, panel=""),
        {"": ""},
        title="",
        caption=f"n = {means['records'].min()} to {means['records'].max()} records, means over them\n"
        "lines: 95 % intervals by bootstrap over records; hollow: the interval holds 0",
        line=0.0,
        axis="Attention near these beats above chance, window's mean = 1",
    )
