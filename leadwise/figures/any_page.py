"""Pictures of how one page of any form becomes twelve leads: grid, ink, traces, signals over the truth, laws.

Signals are in mV. What was read is orange, what was printed black, wherever both stand in one picture.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from leadwise.drawing.drawn import DrawnPage
from leadwise.figures.leads import ecg_paper
from leadwise.figures.signals import BLUE, ORANGE
from leadwise.figures.style import (
    INK,
    Picture,
    bare,
    heading,
    legend_above,
    picture,
    rgb,
)
from leadwise.pages.forms import Form, lead_of
from leadwise.pages.grid import Grid
from leadwise.pages.page_signals import RATE_HZ, PageSignals, Trace
from leadwise.pages.read import Page
from leadwise.pages.rows import Rows

_ROW_MV = 3.0
_SPECTRUM_PX = 1500
_PAPER = "ECG paper of 25 mm/s and 10 mm/mV, thick lines 0.2 s and 0.5 mV apart"


def grid_in_spectrum(page: Page, grid: Grid) -> Picture:
    """A page, and its spectrum with rings where a grid of this scale and turn has its waves."""
    figure = picture(13, 5.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
    left.imshow(rgb(page, 1000))
    bare(left)
    left.set_title("The page as it came")
    grey = page.mean(axis=2).astype(np.float32)
    shrink = min(1.0, _SPECTRUM_PX / max(grey.shape))
    grey = np.asarray(cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.float32)
    level = grey - cv2.blur(grey, (35, 35))
    height, width = level.shape
    waves = np.abs(np.fft.fftshift(np.fft.fft2(level * np.outer(np.hanning(height), np.hanning(width)))))
    across, down = (0.5 * px_per_mm * shrink for px_per_mm in (grid.x_px_per_mm, grid.y_px_per_mm))
    shown = np.log1p(waves)
    right.imshow(
        shown, extent=(-across, across, down, -down), cmap="gray_r", aspect="equal",
        vmin=float(np.quantile(shown, 0.6)), vmax=float(np.quantile(shown, 0.9998)), interpolation="antialiased",
    )  # fmt: skip
    turn = np.radians(grid.turn_degrees)
    for per_mm, colour, size in ((0.2, BLUE, 9), (1.0, ORANGE, 15)):
        ways = [turn + quarter * np.pi / 2 for quarter in range(4)]
        right.plot(
            [per_mm * np.cos(way) for way in ways], [per_mm * np.sin(way) for way in ways], "o", color=colour,
            markersize=size, markerfacecolor="none", markeredgewidth=1.8,
            label=f"waves of {1 / per_mm:.0f} mm",
        )  # fmt: skip
    right.set(xlim=(-1.25, 1.25), ylim=(1.25, -1.25), xlabel="Waves a mm across", ylabel="Waves a mm down")
    right.set_title("Its spectrum: a grid is a few peaks")
    right.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2)
    caption = (
        f"n = 1 page; {grid.x_px_per_mm:.2f} px a mm across, {grid.y_px_per_mm:.2f} down, turned by "
        f"{grid.turn_degrees:.2f} degrees; contrast {grid.contrast:.2f}"
    )
    return heading(figure, "", caption)


def rows_of_ink(upright: Page, rows: Rows) -> Picture:
    """An upright page, and its ink: traces, what was set aside as letters and marks, the rows' baselines."""
    figure = picture(13, 4.8)
    left, right = figure.subplots(1, 2)
    left.imshow(rgb(upright, 1000))
    left.set_title("Turned upright, one scale on both axes")
    canvas = np.full(upright.shape, 255, np.uint8)
    canvas[rows.marks > 127] = (200, 160, 90)  # a pale blue, BGR
    canvas[rows.traces > 127] = 20
    height, width = rows.traces.shape
    right.imshow(rgb(canvas, 1000), extent=(0, width, height, 0))
    for number, y in enumerate(rows.baselines_px):
        right.axhline(
            float(y), color=ORANGE, linewidth=1.2, linestyle="--", label="baselines" if not number else None
        )
    right.plot([], [], "s", color=(90 / 255, 160 / 255, 200 / 255), label="letters and marks")
    right.plot([], [], "s", color=INK, label="traces")
    for ax in (left, right):
        bare(ax)
    right.set_title("Its ink: what goes on is a trace")
    right.legend(loc="upper right", bbox_to_anchor=(1, 0), ncols=3, fontsize=9.5)
    return heading(figure, "", f"n = 1 page, {len(rows.baselines_px)} rows of traces")


def traces_on_page(read: PageSignals) -> Picture:
    """The page with the lines that were followed, a colour a column, each named where it begins."""
    figure = picture(12, 12 * read.page.shape[0] / read.page.shape[1] + 0.6)
    draw_traces(figure.subplots(), read)
    quality = read.quality
    caption = (
        f"n = 1 page, read as {read.form}; a line was followed in {quality.read:.0%} of the printed time"
    )
    return heading(figure, "", caption)


def draw_traces(ax: Axes, read: PageSignals) -> None:
    """The page and its lines, into one part of a picture."""
    ax.imshow(rgb(read.page, 1200), extent=(0, read.page.shape[1], read.page.shape[0], 0))
    ax.set(xlim=(0, read.page.shape[1]), ylim=(read.page.shape[0], 0))
    bare(ax)
    columns = sorted({trace.start_s for trace in read.leads.values()})
    for name, trace in read.columns().items():
        if not len(trace.line_px):
            continue
        strip = name.endswith("_strip")
        colour = "#117733" if strip else (BLUE, ORANGE)[columns.index(trace.start_s) % 2]
        ax.plot(*trace.line_px.T, color=colour, linewidth=1.1)
        ax.annotate(
            name.replace("_", " "), tuple(trace.line_px[0]), (2, 16), textcoords="offset points", color=colour,
            fontweight="bold", fontsize=11, bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1},
        )  # fmt: skip


def leads_over_truth(read: PageSignals, drawn: DrawnPage, snr_db: Mapping[str, float]) -> Picture:
    """All leads on ECG paper as the form prints them, what was read over what was printed; `snr_db` by lead."""
    form = drawn.form
    rows = len(form.rows) + len(form.strips)
    figure = picture(12, 12 * 0.4 * rows * _ROW_MV / form.length_s + 1.1)
    ax = figure.subplots()
    draw_over_truth(ax, read, drawn, snr_db)
    legend_above(figure, ax, 2)
    caption = f"n = 1 page; signal to noise of each lead raw, in dB; {_PAPER}; PTB-XL, Wagner et al. 2022, CC BY 4.0"
    return heading(figure, "", caption)


def draw_over_truth(ax: Axes, read: PageSignals, drawn: DrawnPage, snr_db: Mapping[str, float]) -> None:
    """All leads over what was printed, into one part of a picture, with what its legend needs."""
    form = drawn.form
    rows = len(form.rows) + len(form.strips)
    ecg_paper(ax, (0, form.length_s), (-rows * _ROW_MV, 0))
    for name, middle in _places(form):
        true = drawn.leads[name]
        ax.plot(true.start_s + np.arange(len(true.signal_mv)) / true.rate_hz, true.signal_mv + middle, color=INK,
                linewidth=2.6, alpha=0.85, zorder=3)  # fmt: skip
        if name in read.leads:
            _read_line(ax, read.leads[name], middle)
        ax.text(
            true.start_s + 0.05, middle + 1.05, f"{name}  {snr_db[name]:.0f} dB", fontweight="bold", zorder=5
        )
    for number, (name, true) in enumerate(drawn.strips.items()):
        middle = -(len(form.rows) + number + 0.5) * _ROW_MV
        ax.plot(np.arange(len(true.signal_mv)) / true.rate_hz, true.signal_mv + middle, color=INK, linewidth=2.6,
                alpha=0.85, zorder=3)  # fmt: skip
        if name in read.strips:
            _read_line(ax, read.strips[name], middle)
        ax.text(0.05, middle + 1.05, f"{name}, strip", fontweight="bold", zorder=5)
    ax.plot([], [], color=INK, linewidth=2.6, label="printed")
    ax.plot([], [], color=ORANGE, linewidth=1.2, label="read")
    ax.set(xlim=(0, form.length_s), ylim=(-rows * _ROW_MV, 0), yticks=[], xlabel="Time, s", aspect=0.4)


def _places(form: Form) -> list[tuple[str, float]]:
    """Each lead with the height of its row's middle, mV on the figure's paper."""
    return [
        (lead_of(name)[0], -(row + 0.5) * _ROW_MV) for row, names in enumerate(form.rows) for name in names
    ]


def _read_line(ax: Axes, trace: Trace, middle_mv: float) -> None:
    time_s = trace.start_s + np.arange(len(trace.signal_mv)) / RATE_HZ
    ax.plot(time_s, trace.signal_mv + middle_mv, color=ORANGE, linewidth=1.2, zorder=4)


def laws(read: PageSignals) -> Picture:
    """What nothing here enforces: I + III over II, aVR + aVL + aVF beside 0, the first strip over its lead."""
    leads, quality = read.leads, read.quality
    figure = picture(13, 3.9)
    axes = figure.subplots(1, 3)
    sums = {
        "I + III over II": (("II",), ("I", "III"), quality.einthoven),
        "aVR + aVL + aVF, which must be 0": ((), ("aVR", "aVL", "aVF"), quality.goldberger),
    }
    for ax, (title, (over, parts, value)) in zip(axes, sums.items(), strict=False):
        length = min(len(leads[name].signal_mv) for name in (*over, *parts))
        time_s = np.arange(length) / RATE_HZ
        below = np.asarray(leads[over[0]].signal_mv[:length]) if over else np.zeros(length)
        above = np.sum([leads[name].signal_mv[:length] for name in parts], axis=0)
        _over(ax, time_s, below, above, f"{title}: {_shown(value)}")
    name, strip = next(iter(read.strips.items()), ("", None))
    if strip is None or name not in leads:
        bare(axes[2])
        axes[2].set_title("No strip on this page")
    else:
        lead = leads[name]
        first = round((lead.start_s - strip.start_s) * RATE_HZ)
        part = strip.signal_mv[first : first + len(lead.signal_mv)]
        time_s = lead.start_s + np.arange(len(part)) / RATE_HZ
        _over(
            axes[2],
            time_s,
            lead.signal_mv[: len(part)],
            part,
            f"The strip over {name}: {_shown(quality.strip_alike)}",
        )
    axes[0].set_ylabel("mV")
    caption = (
        "n = 1 page; correlations after shifts of at most 40 ms; in the middle 1 minus the size of the sum over "
        "that of the leads; 1 is perfect"
    )
    return heading(figure, "", caption)


def _over(
    ax: Axes,
    time_s: NDArray[np.floating],
    below: NDArray[np.floating],
    above: NDArray[np.floating],
    title: str,
) -> None:
    reach = max(1.0, *(float(np.nanmax(np.abs(signal), initial=0)) * 1.1 for signal in (below, above)))
    ecg_paper(ax, (float(time_s[0]), float(time_s[-1])), (-reach, reach))
    ax.plot(time_s, below, color=INK, linewidth=3.2, alpha=0.6, zorder=3)
    ax.plot(time_s, above, color=ORANGE, linewidth=1.2, zorder=4)
    ax.set(xlim=(time_s[0], time_s[-1]), ylim=(-reach, reach), xlabel="Time, s")
    ax.set_title(title, fontsize=11)


def _shown(value: float | None) -> str:
    return "not on this page" if value is None else f"{value:.3f}"
