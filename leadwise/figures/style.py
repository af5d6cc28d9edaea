"""How every figure of leadwise looks, and how it is saved.

The drawing functions stand beside it, a file a subject. What several subjects draw is drawn in one place: ``forest``
(points with their intervals) and ``matrix`` (labels against answers).

Each of them returns a ``Picture``: a matplotlib Figure made without pyplot. A plain Figure made so is not
shown by a notebook; a Picture brings its own PNG, so that as the last line of a cell it is shown once, in
Jupyter and in a headless kernel, whatever the backend is, and nothing needs to be closed. To show several
from one cell, give each to ``IPython.display.display``. No backend is ever set.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.patches import Patch
from numpy.typing import NDArray

from leadwise.files import written_whole
from leadwise.names import BEAT_COLOURS, CLASS_COLOURS, CLASS_NAMES, printable

MODEL_COLOURS = ("#332288", "#117733", "#AA4499", "#88CCEE", "#882255", "#999933", "#44AA99", "#CC6677")
"""Tol's muted palette for models; with MODEL_MARKERS, since eight colours alone are too many."""

MODEL_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

INK = "#1a1a1a"
GREY = "#6e6e6e"
PALE = "#d9d9d9"
PAPER = "#fff8f6"
PAPER_FINE = "#fadcd7"
PAPER_COARSE = "#efb3aa"

MARK = "#332288"
"""Outlines of what was found on a page."""

ALARM = "#b00020"
"""What should not be: a leak, a place to look at."""

STYLE: Mapping[str, Any] = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "savefig.dpi": 150,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so figures are alike everywhere
    "font.size": 10.5,
    "text.color": INK,
    "text.parse_math": False,  # a file's name may hold dollar signs
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "leadwise",  # the same figure gives the same bytes
    "svg.fonttype": "path",
}


class Picture(Figure):
    """A Figure that shows itself in a notebook without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def picture(width_in: float, height_in: float) -> Picture:
    """An empty picture in the style, laid out so that nothing overlaps; sizes in inches."""
    mpl.rcParams.update(STYLE)  # type: ignore[arg-type]  # keys are literals in the stubs
    return Picture(figsize=(width_in, height_in), layout="constrained")


def heading(figure: Picture, title: str, caption: str) -> Picture:
    """The picture with a title over all of it and a caption (which holds n) under it, both at the left."""
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=13.5, fontweight="bold")
    figure.supxlabel(caption, x=0.01, ha="left", fontsize=9.5, color=GREY)
    return figure


def legend_above(figure: Figure, ax: Axes, columns: int) -> None:
    """What the marks in `ax` mean, for the whole picture: in one line at the right, above all panels."""
    handles, names = ax.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=columns, fontsize=10)


def colour_key(
    ax: Axes, colours: Mapping[str, str], loc: Literal["lower left", "lower right"] = "lower right"
) -> None:
    """What colours mean, in one line over the axes, at its right or left end."""
    handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
    if handles:
        ax.legend(handles=handles, loc=loc, bbox_to_anchor=("right" in loc, 1), ncols=len(handles))


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write ``name.png`` (150 dpi) and ``name.svg`` into ``folder``, each whole or not at all.

    Returns the two paths. The bytes do not depend on when they were written.
    """
    paths = []
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None, "Creator": None})):
        path = folder / f"{name}{suffix}"
        with written_whole(path) as aside:
            figure.savefig(aside, format=suffix[1:], dpi=150, metadata=metadata)
        paths.append(path)
    return paths


def rgb(image: NDArray[np.uint8], longest_px: int = 1200) -> NDArray[np.uint8]:
    """A BGR page as RGB, shrunk so that a saved SVG does not carry whole pages."""
    factor = longest_px / max(image.shape[:2])
    if factor < 1:
        image = np.asarray(
            cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
        )
    return np.ascontiguousarray(image[..., ::-1])


def ink_on_nothing(crop: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A crop (h, w), ink bright on black, as RGBA (h, w, 4): dark ink on a transparent ground."""
    out = np.empty((*crop.shape, 4))
    out[..., :3] = colors.to_rgb(INK)
    out[..., 3] = crop / 255.0
    return out


def bare(axes: Axes) -> None:
    """No ticks, no frame: for pictures."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def drawable(name: str) -> str:
    r"""A name that others gave, of a file or a class, with what the font lacks written out: ``\u5fc3``.

    Matplotlib draws a box for it, the same for every such sign, and warns.
    """
    signs = _signs_of_the_font()
    return "".join(
        sign if ord(sign) in signs else sign.encode("ascii", "backslashreplace").decode()
        for sign in printable(name)
    )


@functools.cache
def _signs_of_the_font() -> frozenset[int]:
    regular, bold = (
        get_font(findfont(FontProperties(family="DejaVu Sans", weight=weight))).get_charmap()
        for weight in ("normal", "bold")
    )
    return frozenset(regular.keys() & bold.keys())


def class_name(label: str) -> str:
    """A class as people read it; a class of another task as its words."""
    return CLASS_NAMES.get(label, label.replace("_", " "))


def class_colour(label: str) -> str:
    """The class's own colour, of pages or beats; grey for a class of another task."""
    return CLASS_COLOURS.get(label, BEAT_COLOURS.get(label, GREY))
