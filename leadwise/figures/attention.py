"""Where a network looks: its attention over the windows it was asked about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.figures.style import ALARM, GREY, INK, MARK, Picture, heading, picture

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
    for ax, window, looked, own, title in zip(axes, windows, attention, beats, titles, strict=True):
        ax.plot(times_s, window, color=INK, linewidth=0.9)
        behind = ax.twinx()
        behind.fill_between(steps_s, looked / looked.mean(), color=_ATTENTION, alpha=0.55, linewidth=0)
        behind.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
        behind.set(ylim=(0, 1.05 * highest), ylabel="Attention\n(mean = 1)")
        ax.set_zorder(behind.get_zorder() + 1)
        ax.patch.set_visible(False)
        low, high = float(window.min()), float(window.max())
        ax.set(
            ylim=(low - 0.05 * (high - low), high + 0.3 * (high - low)), ylabel="ECG, SD", xlim=(0, seconds)
        )
        for at_s, symbol, abnormal in zip(own["at_s"], own["symbol"], own["abnormal"], strict=True):
            ax.text(
                at_s, high + 0.12 * (high - low), symbol, ha="center", fontsize=9,
                color=ALARM if abnormal else GREY, fontweight="bold" if abnormal else "normal",
            )  # fmt: skip
        ax.set_title(title, loc="left", fontsize=10)
    axes[-1].set_xlabel("Time, s")
    heading(
        figure,
        "",
        f"n = {len(windows)} windows; orange: attention, mean over queries and heads; dotted: even attention",
    )
    return figure


def beside_chance(told: pd.DataFrame) -> Picture:
    """By how much what `leadwise.scores.attended.against_chance` found lies above chance."""
    figure = picture(9, 0.55 * len(told) + 1.6)
    ax = figure.subplots()
    places = np.arange(len(told))[::-1]
    chance = np.array([0.0 if " minus " in what else 1.0 for what in told["what"]])
    ax.axvline(0, color=ALARM, linewidth=1.5)
    ax.hlines(places, told["low"] - chance, told["high"] - chance, color=MARK, linewidth=2.5)
    ax.plot(told["value"] - chance, places, "o", color=MARK, markersize=7)
    ax.set_yticks(
        places, [f"{what} ({n} records)" for what, n in zip(told["what"], told["records"], strict=True)]
    )
    ax.set(xlabel="Attention near these beats above chance, window's mean = 1", ylim=(-0.6, len(told) - 0.4))
    heading(figure, "", "means over records; lines: 95 % intervals by bootstrap over records")
    return figure
