"""Pictures of leads.

A crop is one lead at the template's scale: uint8 (300, 500), ink bright on black, 2.5 s = 491.5 px, its
baseline in the middle.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from leadwise.figures.style import (
    ALARM,
    GREY,
    MARK,
    PALE,
    PAPER,
    PAPER_COARSE,
    PAPER_FINE,
    Picture,
    bare,
    class_colour,
    class_name,
    heading,
    ink_on_nothing,
    picture,
    rgb,
)
from leadwise.names import LEADS
from leadwise.pages.forms import known_printout

_TEMPLATE = known_printout()
_LEAD_S = _TEMPLATE.column_s
_ROW_MV = 301 / _TEMPLATE.px_per_mv  # rows of the printed page lie 301 px apart


def crops_grid(crops: Mapping[str, NDArray[np.uint8]], columns: Sequence[str], title: str) -> Picture:
    """Lead crops, a row a class: ``crops`` maps a class to (n, 300, 500), ``columns`` heads the n columns."""
    figure = picture(11.5, 0.8 + len(crops) * (11.5 / len(columns) * 0.6 + 0.1))
    axes = figure.subplots(len(crops), len(columns), squeeze=False)
    for row, (label, of_class) in zip(axes, crops.items(), strict=True):
        for ax, crop in zip(row, of_class, strict=True):
            reach_mv = crop.shape[0] / 2 / _TEMPLATE.px_per_mv
            _lines(ax, (0, _LEAD_S), (-reach_mv, reach_mv), 5, PAPER_FINE, 0.7)
            _ink(ax, crop, 0, 0, "antialiased")
            ax.set(xlim=(0, _LEAD_S), ylim=(-reach_mv, reach_mv), xticks=[], yticks=[], aspect=0.4)
        row[0].set_ylabel(textwrap.fill(class_name(label), 11), color=class_colour(label), fontweight="bold")
    for ax, name in zip(axes[0], columns, strict=True):
        ax.set_title(name, loc="center")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02)  # type: ignore[union-attr,call-arg]
    shown = sum(len(of_class) for of_class in crops.values())
    return heading(figure, title, f"{shown} crops; each 2.5 s wide and 3.8 mV high, grid of 0.2 s by 0.5 mV")


def twelve_leads_on_ecg_paper(crops: NDArray[np.uint8], strip: NDArray[np.uint8], title: str) -> Picture:
    """All that was cut from a page, put back on clean ECG paper in the usual 3 x 4 and the rhythm strip.

    ``crops`` (12, 300, 500) in the order of LEADS, ``strip`` (300, 2000).
    """
    figure = picture(12, 12 * 0.4 * (4 * _ROW_MV) / (4 * _LEAD_S) + 1.0)
    twelve_leads_on(figure.subplots(), crops, strip)
    caption = "ECG paper of 25 mm/s and 10 mm/mV; thick lines 0.2 s and 0.5 mV apart; n = 1 page"
    return heading(figure, title, caption)


def page_to_leads(
    page: NDArray[np.uint8], boxes: NDArray[np.floating], crops: NDArray[np.uint8], strip: NDArray[np.uint8]
) -> Picture:
    """A page with the outline of all that is cut from it, and beside it the same leads on clean paper.

    ``page`` BGR (height, width, 3), ``boxes`` (13, 4, 2), ``crops`` (12, 300, 500), ``strip`` (300, 2000).
    """
    figure = picture(14, 5.6)
    left, right = figure.subplots(1, 2, width_ratios=[1.28, 1])
    height, width = page.shape[:2]
    left.imshow(rgb(page, 1800), extent=(0, width, height, 0), interpolation="lanczos")
    bare(left)
    left.add_collection(PolyCollection(list(boxes), facecolors="none", edgecolors=MARK, linewidths=1.2))
    left.set_title("The page as scanned, and what is cut from it")
    twelve_leads_on(right, crops, strip)
    right.set_title("Twelve leads and the rhythm strip, ink alone")
    return heading(figure, "", "n = 1 page of Khan and Hussain (2021), CC BY 4.0; paper 25 mm/s, 10 mm/mV")


def shrink_comparison(crop: NDArray[np.uint8], shrunk: Mapping[str, NDArray[np.uint8]]) -> Picture:
    """What shrinking does to a trace: above the whole crop, below the steepest stroke, enlarged.

    ``shrunk`` maps a method's name to the small crop that it made of ``crop``; pixels are shown as pixels.
    """
    panels = {f"as cut, {crop.shape[0]} × {crop.shape[1]} px": crop}
    panels |= {f"{name}, {small.shape[0]} × {small.shape[1]} px": small for name, small in shrunk.items()}
    height, width = crop.shape
    rows = np.where(crop > 127, np.arange(height)[:, None], -1)
    tall = rows.max(axis=0) - np.where(rows < 0, height, rows).min(axis=0)
    x = int(np.clip(int(np.argmax(tall)), 60, width - 60))
    figure = picture(12, 5.9)
    axes = figure.subplots(2, len(panels), height_ratios=[1, 1.25], squeeze=False)
    for column, (name, image) in enumerate(panels.items()):
        for ax in axes[:, column]:
            ax.set_facecolor(PAPER)
            ax.imshow(255 - image, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0), aspect="auto",
                      interpolation="nearest")  # fmt: skip
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=PALE)
        axes[0, column].set_title(textwrap.fill(name, 18), loc="center", fontsize=11)
        box = Rectangle((x - 60, 2), 120, height - 4, fill=False, edgecolor=ALARM, linewidth=1.4)
        axes[0, column].add_patch(box)
        axes[1, column].set_xlim(x - 60, x + 60)
        axes[1, column].spines[:].set(color=ALARM, linewidth=1.4)
    caption = (
        f"n = 1 lead; below: the red box, {120 / _TEMPLATE.px_per_s:.1f} s wide; pixels are drawn unsmoothed"
    )
    return heading(figure, "What shrinking does to a trace", caption)


def twelve_leads_on(
    ax: Axes, crops: NDArray[np.uint8], strip: NDArray[np.uint8], text_pt: float = 11
) -> None:
    """Draw twelve leads ``(12, 300, 500)`` and the strip ``(300, 2000)`` on paper, in the page's order."""
    ecg_paper(ax, (0, 4 * _LEAD_S), (-4 * _ROW_MV, 0))
    for row, names in enumerate(_TEMPLATE.rows):
        for column, name in enumerate(names):
            crop = crops[LEADS.index(name)]
            x0, middle = column * _LEAD_S, -(row + 0.5) * _ROW_MV
            _ink(ax, crop, x0, middle)
            ax.text(x0 + 0.04, middle + 1.3, name, fontweight="bold", fontsize=text_pt, zorder=4)
            if column:
                ax.plot([x0, x0], [middle - 0.25, middle + 0.25], color=GREY, linewidth=1, zorder=4)
    _ink(ax, strip, 0, -3.5 * _ROW_MV)
    ax.text(0.04, -3.5 * _ROW_MV + 1.3, "rhythm", fontweight="bold", fontsize=text_pt, zorder=4)
    ax.set(xlim=(0, 4 * _LEAD_S), ylim=(-4 * _ROW_MV, 0), yticks=[])
    ax.set_xlabel("Time, s (each lead 2.5 s, the strip 10 s)")
    ax.set_aspect(0.4)  # 10 mm a millivolt and 25 mm a second: a millivolt is as long as 0.4 s


def ecg_paper(ax: Axes, seconds: tuple[float, float], millivolts: tuple[float, float]) -> None:
    """Draw ECG paper between these times and voltages: 1 mm is 0.04 s or 0.1 mV, every fifth line thick."""
    _lines(ax, seconds, millivolts, 1, PAPER_FINE, 0.5)
    _lines(ax, seconds, millivolts, 5, PAPER_COARSE, 0.9)


def _ink(
    ax: Axes, crop: NDArray[np.uint8], x0_s: float, middle_mv: float, smoothed: str = "bilinear"
) -> None:
    """A crop's ink where it lies in seconds and millivolts."""
    height, width = crop.shape
    reach = height / 2 / _TEMPLATE.px_per_mv
    extent = (x0_s, x0_s + width / _TEMPLATE.px_per_s, middle_mv - reach, middle_mv + reach)
    ax.imshow(ink_on_nothing(crop), extent=extent, interpolation=smoothed, zorder=3)


def _lines(
    ax: Axes,
    seconds: tuple[float, float],
    millivolts: tuple[float, float],
    step_mm: int,
    colour: str,
    width: float,
) -> None:
    """The paper's lines that lie so many millimetres apart, in its frame."""
    ax.set_facecolor(PAPER)
    xs, ys = _multiples(*seconds, step_mm * 0.04), _multiples(*millivolts, step_mm * 0.1)
    lines = [[(x, millivolts[0]), (x, millivolts[1])] for x in xs]
    lines += [[(seconds[0], y), (seconds[1], y)] for y in ys]
    ax.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=1), autolim=False)
    ax.spines[:].set(visible=True, color=PAPER_COARSE)


def _multiples(low: float, high: float, step: float) -> NDArray[np.floating]:
    """Multiples of ``step`` between ``low`` and ``high``."""
    return np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1) * step
