"""Pictures of digitised signals: a trace and its ink, the Einthoven triangle, heart rates, the way there and back.

Signals are in mV at ``RATE_HZ`` samples a second; 0 mV is the foot of the printed calibration pulse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from leadwise.figures.leads import ecg_paper
from leadwise.figures.style import (
    ALARM,
    GREY,
    INK,
    PALE,
    Picture,
    bare,
    class_colour,
    class_name,
    heading,
    picture,
    rgb,
)
from leadwise.names import CLASS_NAMES, LEADS
from leadwise.pages.digitize import N_LEAD, RATE_HZ
from leadwise.pages.forms import known_printout

BLUE, ORANGE = "#0072B2", "#D55E00"
"""Of Okabe and Ito's palette."""

_TEMPLATE = known_printout()
_LEAD_S = _TEMPLATE.column_s
PIXEL_MV = 1 / _TEMPLATE.px_per_mv
"""Height of one pixel, 0.0127 mV."""

Signal = NDArray[np.floating]


def before_and_after(ink: NDArray[np.uint8], signals: Signal, name: str) -> Picture:
    """A lead's ink, enlarged where it is steepest, with the fitted line; and the lead in mV.

    `ink` is that of the whole page (``Leads.ink``), `signals` ``(12, 625)`` mV.
    """
    (row, column), (left_px, top_px, *_) = _TEMPLATE.place(name), _TEMPLATE.ink_box
    lead = signals[LEADS.index(name)].astype(float)
    time_s = np.arange(N_LEAD) / RATE_HZ
    first_x = _TEMPLATE.first_x - left_px + column * _TEMPLATE.column_px
    x_px = first_x + time_s * _TEMPLATE.px_per_s
    y_px = _TEMPLATE.baselines_y[row] - top_px - lead * _TEMPLATE.px_per_mv
    steep = float(x_px[np.nanargmax(np.abs(np.gradient(np.nan_to_num(lead))))])
    figure = picture(12.5, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.75])
    half = 26
    middle = np.clip(steep, first_x + half, first_x + _TEMPLATE.column_px - half)
    near = np.abs(x_px - middle) < half
    low, high = np.nanmin(y_px[near]) - 10, np.nanmax(y_px[near]) + 10
    left.imshow(255 - ink, cmap="gray", vmin=-120, vmax=255, interpolation="nearest")
    left.plot(x_px, y_px, color=ORANGE, linewidth=1.6)
    left.plot(x_px, y_px, "o", color=ORANGE, markersize=3)
    left.set(xlim=(middle - half, middle + half), ylim=(high, low), xticks=[], yticks=[], aspect="auto")
    left.set_title(f"Lead {name}: pixels of ink, and the line fitted to them")
    reach = max(1.0, float(np.nanmax(np.abs(lead))) * 1.15)
    ecg_paper(right, (0, _LEAD_S), (-reach, reach))
    right.plot(time_s, lead, color=INK, linewidth=1.3)
    right.axvspan(
        *((middle + np.array([-half, half]) - first_x) / _TEMPLATE.px_per_s), color=ORANGE, alpha=0.15
    )
    right.set(xlim=(0, _LEAD_S), ylim=(-reach, reach), xlabel="Time, s", ylabel="mV")
    right.set_title("The signal; shaded, the part at the left")
    caption = f"n = 1 lead; {RATE_HZ} samples a second (dots); ECG paper of 25 mm/s and 10 mm/mV"
    return heading(figure, "", caption)


def einthoven(signals: Signal, rms_mv: Signal, correlations: Signal, title: str = "") -> Picture:
    """The triangle that closes: heart's vector of one page from each two of three leads, and I + III upon II.

    `signals` ``(12, 625)`` mV of the page that is drawn; `rms_mv` and `correlations`, one a page, are those of the
    whole set, nan left out. The vector is Einthoven's: the three leads are its projections on the sides of an
    equilateral triangle (Einthoven, Fahr and de Waart 1913).
    """
    lead_i, lead_ii, lead_iii = (signals[LEADS.index(name)].astype(float) for name in ("I", "II", "III"))
    figure = picture(13, 6.6)
    grid = figure.add_gridspec(3, 2, width_ratios=[1, 1.25], height_ratios=[1.5, 0.62, 1])
    _triangle(figure.add_subplot(grid[:, 0]), lead_i, lead_ii, lead_iii)
    over, rest, below = (figure.add_subplot(grid[row, 1]) for row in range(3))
    time_s = np.arange(N_LEAD) / RATE_HZ
    over.plot(time_s, lead_ii, color=PALE, linewidth=5, label="II, as printed", solid_capstyle="round")
    over.plot(time_s, lead_i + lead_iii, color=ORANGE, linewidth=1.4, label="I + III")
    over.set(xlim=(0, _LEAD_S), ylabel="mV", xticklabels=[])
    _legend_above(over, 2)
    over.set_title("Lead II, and the sum of leads I and III")
    residual = 1000 * (lead_i + lead_iii - lead_ii - np.nanmean(lead_i + lead_iii - lead_ii))
    rest.axhspan(-1000 * PIXEL_MV / 2, 1000 * PIXEL_MV / 2, color=PALE, alpha=0.7, label="one pixel")
    rest.plot(time_s, residual, color=INK, linewidth=0.9)
    reach = max(30.0, float(np.nanmax(np.abs(residual))) * 1.1)
    rest.set(xlim=(0, _LEAD_S), ylim=(-reach, reach), xlabel="Time, s", ylabel="I + III - II,\nmicrovolts")
    _legend_above(rest, 1)
    known = rms_mv[np.isfinite(rms_mv)]
    median = float(np.median(known))
    below.hist(1000 * np.clip(known, 0, 0.03), bins=np.arange(0, 30.5, 0.75).tolist(), color=BLUE)
    below.axvline(1000 * median, color=ORANGE, linewidth=1.6)
    below.axvline(1000 * PIXEL_MV, color=GREY, linewidth=1.2, linestyle="--")
    top = below.get_ylim()[1]
    below.text(1000 * median + 0.3, 0.93 * top, f"median {1000 * median:.1f}", color=ORANGE, va="top")
    below.text(1000 * PIXEL_MV + 0.3, 0.93 * top, f"one pixel {1000 * PIXEL_MV:.1f}", color=GREY, va="top")
    below.set(xlim=(0, 30), xlabel="Root mean square of I + III - II on a page, microvolts", ylabel="Pages")
    shown = correlations[np.isfinite(correlations)]
    return heading(
        figure,
        title,
        f"n = 1 page at the left and above, {len(known)} below (30 and more in the last bar); correlation of I + III "
        f"with II: median {np.median(shown):.4f}, 5th percentile {np.percentile(shown, 5):.4f}; nothing is enforced",
    )


def _triangle(ax: Axes, lead_i: Signal, lead_ii: Signal, lead_iii: Signal) -> None:
    """Einthoven's triangle with the vector's loop from each pair of leads; y points to the feet."""
    loops = {
        "from I and II": (lead_i, (lead_ii - lead_i / 2) * 2 / np.sqrt(3), BLUE, 4.5, 0.35),
        "from II and III": (lead_ii - lead_iii, (lead_ii + lead_iii) / np.sqrt(3), "#009E73", 2.4, 0.7),
        "from I and III": (lead_i, (lead_iii + lead_i / 2) * 2 / np.sqrt(3), ORANGE, 0.9, 1.0),
    }
    size = 1.1 * max(
        float(np.nanmax(np.hypot(x, y))) for x, y, *_ in loops.values()
    )  # inscribed circle's radius
    right_arm, left_arm, leg = (
        2 * size * np.array([np.cos(angle), np.sin(angle)]) for angle in np.radians([210, -30, 90])
    )
    ax.add_patch(Polygon([right_arm, left_arm, leg], fill=False, edgecolor=GREY, linewidth=1.2))
    for x, y, colour, width, alpha in loops.values():
        ax.plot(x, y, color=colour, linewidth=width, alpha=alpha, solid_joinstyle="round")
    for label, (_, _, colour, width, alpha) in loops.items():
        ax.plot([], [], color=colour, linewidth=width, alpha=alpha, label=label)
    for name, place, up_pt in (("right arm", right_arm, 6), ("left arm", left_arm, 6), ("left leg", leg, -6)):
        ax.annotate(name, tuple(place), (0, up_pt), textcoords="offset points", ha="center",
                    va="bottom" if up_pt > 0 else "top")  # fmt: skip
    for name, ends, beside in (
        ("I", (right_arm, left_arm), (0, -0.12)),
        ("II", (right_arm, leg), (-0.14, 0.05)),
        ("III", (left_arm, leg), (0.14, 0.05)),
    ):
        x, y = sum(ends) / 2 + size * np.array(beside)
        ax.text(x, y, name, ha="center", va="center", fontweight="bold", fontsize=12)
    length = next(step for step in (2.0, 1.0, 0.5, 0.2, 0.1, 0.05) if step <= size or step == 0.05)
    x0, y0 = -1.72 * size, 1.96 * size
    ax.plot([x0, x0 + length], [y0, y0], color=INK, linewidth=2)
    ax.text(x0 + length / 2, y0 - 0.06 * size, f"{length:g} mV", ha="center", va="bottom")
    ax.set(xlim=(-1.95 * size, 1.95 * size), ylim=(2.35 * size, -1.45 * size), aspect="equal")
    bare(ax)
    ax.legend(loc="lower right", title="The heart's vector", alignment="left")
    ax.set_title("The triangle closes: three loops lie upon each other")


def _legend_above(ax: Axes, columns: int) -> None:
    """A legend over the axes' right end, where no trace runs through it."""
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=columns, borderaxespad=0.0)


def heart_rates(printed: Signal, measured: Signal, labels: Sequence[str], names: Sequence[str]) -> Picture:
    """Printed against measured heart rate, a point a page; pages beyond 3 bpm and 4 % are named.

    All in beats a minute; `labels` are classes, `names` what to call a page that misses.
    """
    figure = picture(8.2, 7)
    ax = figure.subplots()
    both = np.isfinite(printed) & np.isfinite(measured)
    off = np.abs(measured - printed) > np.maximum(3, 0.04 * printed)
    line = np.linspace(40, 220, 200)
    band = np.maximum(3, 0.04 * line)
    ax.fill_between(line, line - band, line + band, color=PALE, alpha=0.6, linewidth=0, label="3 bpm or 4 %")
    for label in [name for name in CLASS_NAMES if name in labels]:
        here = both & (np.array(labels) == label)
        ax.plot(printed[here], measured[here], "o", color=class_colour(label), markersize=4, alpha=0.7,
                label=class_name(label))  # fmt: skip
    for number in np.flatnonzero(both & off).tolist():
        x, y = printed[number], measured[number]
        ax.annotate(names[number], (x, y), (5, 3), textcoords="offset points", fontsize=8, color=ALARM)
    ax.set(xlabel="Printed, beats a minute", ylabel="Measured on the rhythm strip, beats a minute")
    ax.set_aspect("equal")
    ax.legend(loc="lower right")
    n, within = int(both.sum()), int((both & ~off).sum())
    caption = f"n = {n} pages; {within} within 3 bpm or 4 %; measured: by the median interval of beats"
    return heading(figure, "Printed and measured heart rate", caption)


def rhythm_strips(
    strips: Signal, peaks: Sequence[NDArray[np.intp]], captions: Sequence[str], title: str
) -> Picture:
    """Rhythm strips ``(pages, 2500)`` in mV, one below the other, with the beats that were found."""
    figure = picture(12.5, 0.5 + 0.85 * len(strips))
    axes = figure.subplots(len(strips), 1, sharex=True, squeeze=False)[:, 0]
    time_s = np.arange(strips.shape[1]) / RATE_HZ
    for ax, strip, beats, caption in zip(axes, strips, peaks, captions, strict=True):
        ax.plot(time_s, strip, color=INK, linewidth=0.9)
        high = np.nanmax(strip) + 0.18 * float(np.nanmax(strip) - np.nanmin(strip))
        ax.plot(time_s[beats], np.full(len(beats), high), "v", color=ORANGE, markersize=5)
        ax.set(xlim=(0, time_s[-1]), yticks=[])
        ax.spines["left"].set_visible(False)
        ax.set_ylabel(caption, rotation=0, ha="right", va="center", fontsize=9)
    axes[-1].set_xlabel("Time, s")
    caption = f"n = {len(strips)} pages; each strip at its own height; triangles: beats as found"
    return heading(figure, title, caption)


def survived(
    counts: Mapping[str, tuple[int, int]], examples: Mapping[str, NDArray[np.uint8]], title: str
) -> Picture:
    """What was done to pages, an example of each (BGR), and how many of how many came through."""
    figure = picture(13, 2.9)
    axes = figure.subplots(1, len(examples), squeeze=False)[0]
    for ax, (name, page) in zip(axes, examples.items(), strict=True):
        ax.imshow(rgb(page, 700), interpolation="lanczos")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color=PALE)
        ax.set_title(name, fontsize=9.5, loc="center")
        ax.set_xlabel("{} of {}".format(*counts[name]), fontweight="bold")
    return heading(figure, title, f"n = {sum(total for _, total in counts.values())} pages in all")


def there_and_back(printed: Signal, read: Signal, snr_db: Signal, name: str) -> Picture:
    """One lead as it was printed and as it was read, mV ``(625,)`` each, and the SNR of all recordings in dB."""
    figure = picture(12.5, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=[1.7, 1])
    time_s = np.arange(N_LEAD) / RATE_HZ
    left.plot(
        time_s, printed - printed.mean(), color=PALE, linewidth=5, label="printed", solid_capstyle="round"
    )
    left.plot(time_s, read - np.nanmean(read), color=ORANGE, linewidth=1.3, label="read from the page")
    left.set(xlim=(0, _LEAD_S), xlabel="Time, s", ylabel="mV")
    _legend_above(left, 2)
    left.set_title(name)
    medians = np.median(snr_db, axis=1)
    right.hist(
        medians, bins=np.arange(np.floor(medians.min()), np.ceil(medians.max()) + 1).tolist(), color=BLUE
    )
    right.axvline(float(np.median(medians)), color=ORANGE)
    right.set(xlabel="Signal to noise, dB (median of a recording's 12 leads)", ylabel="Recordings")
    right.set_title(f"Median {np.median(medians):.1f} dB")
    caption = (
        f"n = {len(medians)} recordings of PTB-XL, printed at 0.67-25 Hz; neither gain nor time is fitted"
    )
    return heading(figure, "", caption)
