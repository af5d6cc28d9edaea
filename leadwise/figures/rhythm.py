"""Pictures of rhythm: intervals of a stretch, and episodes as they are noted and as they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadwise.figures.style import GREY, PALE, Picture, heading, picture

_NOTED, _FOUND = "#6e6e6e", "#D55E00"

Spans = Sequence[tuple[float, float]]


def intervals(
    times_s: Mapping[str, NDArray[np.floating]], notes: Mapping[str, Sequence[str]], caption: str
) -> Picture:
    """A row a recording, by name: each interval between R peaks at its time, and what is said of it, line by line."""
    figure = picture(9, 1.7 * len(times_s) + 0.6)
    axes = figure.subplots(len(times_s), 1, squeeze=False, sharex=True)[:, 0]
    for ax, (name, times) in zip(axes, times_s.items(), strict=True):
        ax.plot(times[1:], np.diff(times), "o-", color=_FOUND, markersize=3, linewidth=0.7)
        ax.set_ylim(0.2, 1.8)
        ax.set_ylabel("interval, s")
        ax.set_title(name, fontsize=9, loc="left")
        ax.text(1.01, 0.5, "\n".join(notes[name]), transform=ax.transAxes, fontsize=8, va="center")
    axes[-1].set_xlabel("time, s")
    heading(figure, "", caption)
    return figure


def episodes(
    noted: Mapping[str, Spans], found: Mapping[str, Spans], duration_s: float, caption: str
) -> Picture:
    """A line a record, by name: above what is noted, beneath what was found, over minutes."""
    figure = picture(9, 0.45 * len(noted) + 1.2)
    ax = figure.subplots()
    for row, name in enumerate(noted):
        ax.axhline(row, color=PALE, linewidth=0.6)
        for spans, up, colour in ((noted[name], -0.38, _NOTED), (found.get(name, ()), 0.02, _FOUND)):
            ax.broken_barh(
                [(start / 60, (end - start) / 60) for start, end in spans], (row + up, 0.36), color=colour
            )
    ax.set_yticks(range(len(noted)), list(noted))
    ax.invert_yaxis()
    ax.set_xlim(0, duration_s / 60)
    ax.set_xlabel("time, min")
    ax.set_ylabel("record")
    for x, words, colour in ((0.0, "noted by cardiologists", _NOTED), (0.35, "found", _FOUND)):
        ax.text(x, 1.03, f"■ {words}", color=colour, transform=ax.transAxes, fontsize=9)
    ax.tick_params(colors=GREY)
    heading(figure, "", caption)
    return figure
