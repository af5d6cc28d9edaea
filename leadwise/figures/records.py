"""Pictures of annotated recordings: a stretch with its beats named, the filter's work, all windows of all records.

Signals are in mV at 360 samples a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from leadwise.figures.leads import ecg_paper
from leadwise.figures.style import ALARM, INK, PALE, Picture, heading, picture
from leadwise.names import BEAT_COLOURS, BEAT_NAMES, FLUTTER, SYMBOLS
from leadwise.recordings.windows import HOP_S, WINDOW_S
from leadwise.sets.recordings import RATE_HZ, Recording

WINDOW_COLOURS: Mapping[str, str] = MappingProxyType({"normal": "#009E73", "abnormal": "#D55E00"})

_FLUTTER_COLOUR = ALARM


def stretch(recording: Recording, start_s: float, seconds: float = 10.0) -> Picture:
    """All leads of a recording for some seconds, filtered, on ECG paper, with every beat named by its class."""
    names = [
        recording.lead,
        *(n for k, n in enumerate(recording.record.names) if k != recording.channel),
    ]
    figure = picture(13, 0.9 + 2.35 * len(names))
    axes = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    first = round(start_s * RATE_HZ)
    part = recording.filtered[:, first : first + round(seconds * RATE_HZ)]
    for ax, name, lead in zip(axes, names, part, strict=True):
        _on_paper(ax, lead, seconds)
        ax.set_ylabel(f"{name}, mV")
    shown = _named_beats(axes[0], recording, first, part.shape[1], float(axes[0].get_ylim()[1]))
    axes[-1].set_xlabel("Time, s")
    _legend(axes[0], shown)
    heading(
        figure,
        f"Record {recording.name}, from {_clock(start_s)} on",
        f"n = {shown.get('beats', 0)} beats in {seconds:g} s; 0.5 to 50 Hz; ECG paper of 25 mm/s and 10 mm/mV",
    )
    return figure


def filter_at_work(recording: Recording, start_s: float, seconds: float = 10.0) -> Picture:
    """One lead as recorded and as filtered, for some seconds; at the right both spectra of the whole record."""
    from scipy.signal import welch

    raw = recording.record.signals[recording.channel]
    here = slice(round(start_s * RATE_HZ), round((start_s + seconds) * RATE_HZ))
    clean = recording.filtered[0]
    figure = picture(13, 6.2)
    grid = figure.add_gridspec(2, 2, width_ratios=[2.1, 1])
    upper, lower, right = (
        figure.add_subplot(grid[0, 0]),
        figure.add_subplot(grid[1, 0]),
        figure.add_subplot(grid[:, 1]),
    )
    _on_paper(upper, raw[here], seconds)
    upper.set(title="As recorded", ylabel="mV")
    _on_paper(lower, clean[here], seconds)
    lower.set(title="Within 0.5 to 50 Hz, no wave moved", ylabel="mV", xlabel="Time, s")
    known = np.nan_to_num(raw)
    for signal, colour, name in ((known, PALE, "as recorded"), (clean, INK, "filtered")):
        at_hz, power = welch(signal, RATE_HZ, nperseg=round(16 * RATE_HZ))
        decibel = 10 * np.log10(np.maximum(power[1:], 1e-12))
        right.semilogx(at_hz[1:], decibel, color=colour, linewidth=2.6 if colour == PALE else 1.2, label=name)
    right.axvspan(0.5, 50, color=BEAT_COLOURS["N"], alpha=0.08, linewidth=0)
    right.set(
        xlim=(0.06, 180),
        ylim=(-90, None),
        xlabel="Frequency, Hz",
        ylabel="Power, dB of mV² per Hz",
        title="The whole record",
    )
    right.set_xticks([0.1, 0.5, 1, 10, 50], ["0.1", "0.5", "1", "10", "50"])
    right.minorticks_off()
    right.legend(loc="lower center")
    heading(
        figure,
        f"Record {recording.name}: baseline and mains out, the heart left in",
        f"n = 1 lead ({recording.lead}), {seconds:g} s from {_clock(start_s)} on at the left; Butterworth, order 5, "
        "forwards and backwards",
    )
    return figure


def all_windows(windows: pd.DataFrame, records: pd.DataFrame, title: str) -> Picture:
    """Every window of every record in its place, green or red; at the right each record's share of abnormal ones."""
    order = records.assign(share=records["windows_abnormal"] / records["windows"].clip(lower=1))
    order = order.sort_values(["share", "record"], kind="stable")["record"].tolist()
    longest = float(windows["start_s"].max()) + WINDOW_S
    steps = round(longest / HOP_S)
    ground = np.full((len(order), steps), np.nan)
    rows = windows["record"].map({name: number for number, name in enumerate(order)}).to_numpy()
    columns = (windows["start_s"] / HOP_S).round().astype(int).to_numpy()
    ground[rows, columns] = (windows["label"] == "abnormal").to_numpy(float)
    figure = picture(13, 1.6 + 0.17 * len(order))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3.2, 1])
    colours = ListedColormap([WINDOW_COLOURS["normal"], WINDOW_COLOURS["abnormal"]])
    left.imshow(
        ground,
        cmap=colours,
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
        extent=(0, longest / 60, len(order) - 0.5, -0.5),
    )
    left.set(xlabel="Time, min", ylabel="Record", yticks=range(len(order)))
    left.set_yticklabels(order, fontsize=7.5 if len(order) > 20 else 10)
    left.legend(
        handles=[Patch(color=colour, label=name) for name, colour in WINDOW_COLOURS.items()],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
    )
    share = np.nanmean(ground, axis=1)
    one_sided = np.maximum(share, 1 - share) >= 0.95
    right.barh(range(len(order)), share, color=[INK if one else PALE for one in one_sided], height=0.75)
    right.set(xlim=(0, 1), xlabel="Share of abnormal windows")
    handles = [
        Patch(color=INK, label="one class has 95 % or more"),
        Patch(color=PALE, label="both classes occur"),
    ]
    right.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1))
    heading(
        figure,
        title,
        f"n = {len(windows)} windows of {WINDOW_S} s, each {HOP_S} s after the last, of {len(order)} records; "
        f"{int(one_sided.sum())} of them are at least 95 % one class",
    )
    return figure


def odd_windows(
    recordings: Sequence[Recording], starts_s: Sequence[float], captions: Sequence[str], title: str
) -> Picture:
    """Windows one below the other, each with its beats and waves of flutter and with what the rule calls it."""
    figure = picture(13, 0.9 + 2.15 * len(recordings))
    axes = figure.subplots(len(recordings), 1, sharex=True, squeeze=False)[:, 0]
    shown: dict[str, int] = {}
    for ax, recording, start_s, caption in zip(axes, recordings, starts_s, captions, strict=True):
        first = round(start_s * RATE_HZ)
        lead = recording.filtered[0, first : first + round(WINDOW_S * RATE_HZ)]
        _on_paper(ax, lead, WINDOW_S)
        shown |= _named_beats(ax, recording, first, len(lead), float(ax.get_ylim()[1]), by_symbol=True)
        ax.set_ylabel("mV")
        ax.set_title(caption, fontsize=10.5)
    axes[-1].set_xlabel("Time, s")
    _legend(axes[0], shown)
    heading(
        figure,
        title,
        f"n = {len(recordings)} windows; 0.5 to 50 Hz; letters: the cardiologists' marks, coloured by class",
    )
    return figure


def _on_paper(ax: Axes, lead: NDArray[np.floating], seconds: float) -> None:
    middle = float(np.nanmedian(lead))
    low = min(middle - 1.0, float(np.nanmin(lead)) - 0.2)
    high = max(middle + 1.2, float(np.nanmax(lead)) + 0.55)
    ecg_paper(ax, (0, seconds), (low, high))
    ax.plot(np.arange(len(lead)) / RATE_HZ, lead, color=INK, linewidth=1.0, zorder=3)
    ax.set(xlim=(0, seconds), ylim=(low, high))


def _named_beats(
    ax: Axes, recording: Recording, first: int, samples: int, top_mv: float, *, by_symbol: bool = False
) -> dict[str, int]:
    """Write each beat's class (or own symbol) over it; gives the classes that are there, and the number of beats."""
    marks = recording.marks.between(first, first + samples)
    shown: dict[str, int] = {}
    for sample, symbol in zip(marks.samples.tolist(), marks.symbols.tolist(), strict=True):
        name = SYMBOLS.get(symbol, FLUTTER if symbol == FLUTTER else "")
        if name:
            x = (sample - first) / RATE_HZ
            colour = BEAT_COLOURS.get(name, _FLUTTER_COLOUR)
            ax.text(
                x,
                top_mv - 0.1,
                symbol if by_symbol else name,
                color=colour,
                ha="center",
                va="top",
                fontweight="bold",
                fontsize=11,
                zorder=4,
            )
            shown[name] = 1
            shown["beats"] = shown.get("beats", 0) + (name != FLUTTER)
    return shown


def _legend(ax: Axes, shown: Mapping[str, int]) -> None:
    handles = [
        Patch(color=BEAT_COLOURS[name], label=BEAT_NAMES[name]) for name in BEAT_COLOURS if name in shown
    ]
    if FLUTTER in shown:
        handles.append(Patch(color=_FLUTTER_COLOUR, label="!, wave of ventricular flutter, no beat"))
    if handles:
        ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles))


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
