"""Pictures of annotated recordings: a stretch with its beats named, the filter's work, all windows of all records.

Signals are in mV at 360 samples a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from leadwise.figures.leads import ecg_paper
from leadwise.figures.style import ALARM, INK, PALE, Picture, colour_key, heading, picture
from leadwise.names import BEAT_COLOURS, BEAT_NAMES, FLUTTER, SYMBOLS
from leadwise.recordings.windows import HOP_S, WINDOW_S
from leadwise.sets.recordings import RATE_HZ, Recording

WINDOW_COLOURS: Mapping[str, str] = {"normal": "#009E73", "abnormal": "#D55E00"}

_COLOURS = {**BEAT_COLOURS, FLUTTER: ALARM}
_NAMES = {**BEAT_NAMES, FLUTTER: "!, wave of ventricular flutter, no beat"}


def stretch(recording: Recording, start_s: float) -> Picture:
    """All leads of a recording for ten seconds, filtered, on ECG paper, with every beat named by its class."""
    seconds, first = 10, round(start_s * RATE_HZ)
    part = recording.filtered[:, first : first + round(seconds * RATE_HZ)]
    figure, axes = _on_paper(part, seconds, 2.35)
    for ax, channel in zip(axes, recording.order, strict=True):
        ax.set_ylabel(f"{recording.record.names[channel]}, mV")
    named = _named_beats(axes[0], recording, first, part.shape[1])
    _key(axes[0], named)
    beats = sum(name != FLUTTER for name in named)
    caption = f"n = {beats} beats in {seconds} s; 0.5 to 50 Hz; ECG paper of 25 mm/s and 10 mm/mV"
    return heading(figure, f"Record {recording.name}, from {_clock(start_s)} on", caption)


def filter_at_work(recording: Recording, start_s: float, seconds: float = 10.0) -> Picture:
    """One lead as recorded and as filtered, for some seconds; at the right both spectra of the whole record."""
    from scipy.signal import welch

    raw = recording.record.signals[recording.channel]
    here = slice(round(start_s * RATE_HZ), round((start_s + seconds) * RATE_HZ))
    clean = recording.filtered[0]
    figure = picture(13, 6.2)
    grid = figure.add_gridspec(2, 2, width_ratios=[2.1, 1])
    upper, lower, right = (figure.add_subplot(place) for place in (grid[0, 0], grid[1, 0], grid[:, 1]))
    _trace(upper, raw[here], seconds)
    upper.set(title="As recorded", ylabel="mV")
    _trace(lower, clean[here], seconds)
    lower.set(title="Within 0.5 to 50 Hz, no wave moved", ylabel="mV", xlabel="Time, s")
    known = np.nan_to_num(raw)
    for signal, colour, name in ((known, PALE, "as recorded"), (clean, INK, "filtered")):
        at_hz, power = welch(signal, RATE_HZ, nperseg=round(16 * RATE_HZ))
        decibel = 10 * np.log10(np.maximum(power[1:], 1e-12))
        right.semilogx(at_hz[1:], decibel, color=colour, linewidth=2.6 if colour == PALE else 1.2, label=name)
    right.axvspan(0.5, 50, color=BEAT_COLOURS["N"], alpha=0.08, linewidth=0)
    right.set(xlim=(0.06, 180), ylim=(-90, None), title="The whole record")
    right.set(xlabel="Frequency, Hz", ylabel="Power, dB of mV² per Hz")
    right.set_xticks([0.1, 0.5, 1, 10, 50], ["0.1", "0.5", "1", "10", "50"])
    right.minorticks_off()
    right.legend(loc="lower center")
    caption = (
        f"n = 1 lead ({recording.lead}), {seconds:g} s from {_clock(start_s)} on at the left; Butterworth, order 5, "
        "forwards and backwards"
    )
    return heading(figure, f"Record {recording.name}: baseline and mains out, the heart left in", caption)


def all_windows(windows: pd.DataFrame, records: pd.DataFrame, title: str) -> Picture:
    """Every window of every record in its place, green or red; at the right each record's share of abnormal ones."""
    order = records.assign(share=records["windows_abnormal"] / records["windows"].clip(lower=1))
    order = order.sort_values(["share", "record"], kind="stable")["record"].tolist()
    minutes = (float(windows["start_s"].max()) + WINDOW_S) / 60
    ground = np.full((len(order), round(minutes * 60 / HOP_S)), np.nan)
    columns = (windows["start_s"] / HOP_S).round().astype(int)
    ground[windows["record"].map(order.index), columns] = windows["label"] == "abnormal"
    figure = picture(13, 1.6 + 0.17 * len(order))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3.2, 1])
    left.imshow(ground, cmap=ListedColormap(list(WINDOW_COLOURS.values())), vmin=0, vmax=1, aspect="auto",
                interpolation="nearest", extent=(0, minutes, len(order) - 0.5, -0.5))  # fmt: skip
    left.set(xlabel="Time, min", ylabel="Record", yticks=range(len(order)))
    left.set_yticklabels(order, fontsize=7.5 if len(order) > 20 else 10)
    colour_key(left, WINDOW_COLOURS, "lower left")
    share = np.nanmean(ground, axis=1)
    one_sided = np.maximum(share, 1 - share) >= 0.95
    right.barh(range(len(order)), share, color=np.where(one_sided, INK, PALE).tolist(), height=0.75)
    right.set(xlim=(0, 1), xlabel="Share of abnormal windows")
    handles = [
        Patch(color=INK, label="one class has 95 % or more"),
        Patch(color=PALE, label="both classes occur"),
    ]
    right.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1))
    caption = (
        f"n = {len(windows)} windows of {WINDOW_S} s, each {HOP_S} s after the last, of {len(order)} records; "
        f"{int(one_sided.sum())} of them are at least 95 % one class"
    )
    return heading(figure, title, caption)


def odd_windows(
    recordings: Sequence[Recording], starts_s: Sequence[float], captions: Sequence[str], title: str
) -> Picture:
    """Windows one below the other, each with its beats and waves of flutter and with what the rule calls it."""
    firsts, samples = [round(start_s * RATE_HZ) for start_s in starts_s], round(WINDOW_S * RATE_HZ)
    pairs = zip(recordings, firsts, strict=True)
    leads = [recording.filtered[0, first : first + samples] for recording, first in pairs]
    figure, axes = _on_paper(leads, WINDOW_S, 2.15)
    named = []
    for ax, recording, first, caption in zip(axes, recordings, firsts, captions, strict=True):
        named += _named_beats(ax, recording, first, samples, by_symbol=True)
        ax.set_ylabel("mV")
        ax.set_title(caption, fontsize=10.5)
    _key(axes[0], named)
    caption = (
        f"n = {len(recordings)} windows; 0.5 to 50 Hz; letters: the cardiologists' marks, coloured by class"
    )
    return heading(figure, title, caption)


def _on_paper(
    leads: Sequence[NDArray[np.floating]] | NDArray[np.floating], seconds: float, height_in: float
) -> tuple[Picture, NDArray[np.object_]]:
    """A picture of leads one below the other, and its axes."""
    figure = picture(13, 0.9 + height_in * len(leads))
    axes = figure.subplots(len(leads), 1, sharex=True, squeeze=False)[:, 0]
    for ax, lead in zip(axes, leads, strict=True):
        _trace(ax, lead, seconds)
    axes[-1].set_xlabel("Time, s")
    return figure, axes


def _trace(ax: Axes, lead: NDArray[np.floating], seconds: float) -> None:
    middle = float(np.nanmedian(lead))
    low = min(middle - 1.0, float(np.nanmin(lead)) - 0.2)
    high = max(middle + 1.2, float(np.nanmax(lead)) + 0.55)
    ecg_paper(ax, (0, seconds), (low, high))
    ax.plot(np.arange(len(lead)) / RATE_HZ, lead, color=INK, linewidth=1.0, zorder=3)
    ax.set(xlim=(0, seconds), ylim=(low, high))


def _named_beats(
    ax: Axes, recording: Recording, first: int, samples: int, *, by_symbol: bool = False
) -> list[str]:
    """Write each beat's class (or own symbol) over it; gives the classes of all beats, and waves of flutter."""
    marks = recording.marks.between(first, first + samples)
    named = []
    top_mv = float(ax.get_ylim()[1]) - 0.1
    text: dict[str, Any] = {"ha": "center", "va": "top", "fontweight": "bold", "fontsize": 11, "zorder": 4}
    for at_s, symbol in zip((marks.samples - first) / RATE_HZ, marks.symbols.tolist(), strict=True):
        if name := SYMBOLS.get(symbol, FLUTTER if symbol == FLUTTER else ""):
            ax.text(at_s, top_mv, symbol if by_symbol else name, color=_COLOURS[name], **text)
            named.append(name)
    return named


def _key(ax: Axes, named: Sequence[str]) -> None:
    colour_key(ax, {_NAMES[name]: colour for name, colour in _COLOURS.items() if name in named})


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
