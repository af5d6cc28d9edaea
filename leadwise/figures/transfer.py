"""Pictures of transfer: the beats of both sets, three ways with their floors, and what differs, paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from leadwise.figures.style import ALARM, GREY, MODEL_COLOURS, Picture, heading, picture
from leadwise.recordings.heartbeats import LENGTH, RATE_HZ
from leadwise.scores.metrics import READABLE
from leadwise.scores.transfer import METRICS

_SETS = {"normal": "PTB-XL", "healthy": "PTB"}
_CLASSES = (MODEL_COLOURS[6], MODEL_COLOURS[4])
_KINDS = {
    ("leaky_beats", "beat"): ("beats at random, by beat: leaks", "x", ALARM),
    ("patient_folds", "beat"): ("by patient, by beat", "o", MODEL_COLOURS[0]),
    ("patient_folds", "patient"): ("by patient, by patient", "s", MODEL_COLOURS[1]),
}
"""What is drawn of the protocols and levels: its name, marker and colour."""


def usual_beats(
    sets: Mapping[str, tuple[NDArray[np.floating], Sequence[str]]], shown: Sequence[str]
) -> Picture:
    """Median beats by class, a panel a set: `sets` maps its name to rows ``(beats, 187)`` and their labels.

    `shown` are the classes that are drawn, where a set has them; the band holds half of the beats.
    """
    figure = picture(5.6 * len(sets) + 0.6, 3.9)
    axes = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
    times_s = np.arange(LENGTH) / RATE_HZ
    for ax, (name, (rows, labels)) in zip(axes, sets.items(), strict=True):
        told = np.asarray(labels)
        for number, label in enumerate([label for label in shown if label in set(told)]):
            low, middle, high = np.quantile(
                np.asarray(rows[told == label], np.float32), (0.25, 0.5, 0.75), axis=0
            )
            ax.fill_between(times_s, low, high, color=_CLASSES[number], alpha=0.18, linewidth=0)
            ax.plot(times_s, middle, color=_CLASSES[number], linestyle=("-", "--")[number],
                    label=f"{label}, n = {(told == label).sum():,}")  # fmt: skip
        ax.set(xlim=(0, 1.2), ylim=(-0.03, 1.05), xlabel="Time from R, s", title=name)
        ax.legend(loc="upper right", fontsize=9.5)
    axes[0].set_ylabel("0 to 1 of the row")
    heading(
        figure,
        "Beats in one form",
        "lines: medians at each moment; bands: from the first quartile to the third",
    )
    return figure


def three_ways(summary: pd.DataFrame) -> Picture:
    """A row a way or floor, a panel a metric: with the leak and without, by beat and by patient.

    `summary` as `leadwise.scores.transfer.transfer_summary` gives it, of one task.
    """
    models = list(dict.fromkeys(summary["model"]))
    figure = picture(12.4, 1.9 + 0.72 * len(models))
    axes = figure.subplots(1, len(METRICS), sharey=True)
    lowest = min(0.4, float(summary[[f"{metric}_low" for metric in METRICS]].min().min()))
    for ax, metric in zip(axes, METRICS, strict=True):
        for number, (kind, (name, marker, colour)) in enumerate(_KINDS.items()):
            own = summary[(summary["protocol"] == kind[0]) & (summary["unit"] == kind[1])].set_index("model")
            for row, model in enumerate(models):
                if model in own.index and np.isfinite(own.loc[model, metric]):
                    ends = [float(own.loc[model, f"{metric}{end}"]) for end in ("", "_low", "_high")]
                    _point(ax, row + 0.25 * (number - 1), *ends, marker=marker, colour=colour)
            ax.plot([], [], marker, color=colour, linestyle="none", label=name)
        ax.set_title(READABLE[metric])
        ax.set_xlim(lowest - 0.03, 1.09)
        ax.grid(visible=True, axis="x")
    axes[0].set_yticks(range(len(models)), models)
    axes[0].set_ylim(len(models) - 0.4, -0.6)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3, fontsize=9.5)
    heading(figure, f"From MIT-BIH to {_SETS[summary['task'].iloc[0]]}", _caption(summary))
    return figure


def differences(table: pd.DataFrame) -> Picture:
    """Paired differences with a line at 0: ways against each other, and the leak's price for each way.

    `table` as `leadwise.scores.transfer.transfer_differences` gives it, of one task.
    """
    honest = table[table["protocol"] == "patient_folds"]
    leak = table[table["minus"] == "patient_folds"]
    rows = [
        *((f"{one} minus {other}", one, other) for one, other in _pairs(honest)),
        *((f"{one}: what the leak adds", one, other) for one, other in _pairs(leak)),
    ]
    shown = pd.concat([honest, leak])
    figure = picture(12.4, 1.7 + 0.55 * len(rows))
    axes = figure.subplots(1, len(METRICS), sharey=True)
    levels = [kind for protocol, kind in _KINDS if protocol == "patient_folds"]
    for ax, metric in zip(axes, METRICS, strict=True):
        for place, (_, one, other) in enumerate(rows):
            for number, level in enumerate(levels):
                wanted = (shown["model"] == one) & (shown["minus"] == other) & (shown["unit"] == level)
                told = shown[wanted & (shown["metric"] == metric)].iloc[0]
                _, marker, colour = _KINDS["patient_folds", level]
                _point(ax, place + 0.24 * (number - 0.5), told["value"], told["low"], told["high"],
                       marker=marker, colour=colour, signed=True)  # fmt: skip
        ax.axvline(0, color=GREY, linewidth=1.2)
        ax.set_title(f"{READABLE[metric]}, difference")
        ax.grid(visible=True, axis="x")
        ax.margins(x=0.12)
    for level in levels:
        _, marker, colour = _KINDS["patient_folds", level]
        axes[-1].plot([], [], marker, color=colour, label=f"by {level}", linestyle="none")
    axes[0].set_yticks(range(len(rows)), [name for name, *_ in rows])
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    figure.legend(*axes[-1].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=9.5)
    heading(figure, "What differs, paired", "lines: 95 % intervals, the same draws of patients on both sides; first "
            "rows are without the leak")  # fmt: skip
    return figure


def _pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(dict.fromkeys(zip(table["model"], table["minus"], strict=True)))


def _point(
    ax: Axes,
    row: float,
    value: float,
    low: float,
    high: float,
    *,
    marker: str,
    colour: str,
    signed: bool = False,
) -> None:
    ax.plot([low, high], [row, row], color=colour, linewidth=2.2, solid_capstyle="round")
    ax.plot(value, row, marker, color=colour, markersize=6.5, markeredgewidth=2)
    ax.annotate(
        f"{value:+.3f}" if signed else f"{value:.3f}", (high, row), xytext=(5, 0), textcoords="offset points",
        va="center", fontsize=8.5, color=colour,
    )  # fmt: skip


def _caption(summary: pd.DataFrame) -> str:
    first = summary.drop_duplicates("unit").set_index("unit")
    told = ", ".join(
        f"{first.loc[level, 'n']:,} {level}s ({first.loc[level, 'positives'] / first.loc[level, 'n']:.0%} not normal)"
        for level in first.index
    )
    return f"n = {told}; lines: 95 % intervals, patients drawn; majority and rate_alone are floors"
