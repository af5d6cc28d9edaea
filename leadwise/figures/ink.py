"""Pictures of what networks of ink see and say: crops with their truth, the loss, how well each kind is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
from matplotlib.patches import Patch
from numpy.typing import NDArray

from leadwise.drawing.ink_crops import Crop
from leadwise.drawing.name_crops import middles
from leadwise.figures.signals import BLUE, ORANGE
from leadwise.figures.style import Picture, bare, heading, legend_above, picture, rgb
from leadwise.pages.ink_maps import KINDS
from leadwise.pages.printed_names import CELL_PX
from leadwise.pages.printed_names import KINDS as NAMES
from leadwise.pages.read import Page

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "trace": (0, 0, 0), "text": (0, 114, 178), "pulse": (204, 121, 167), "separator": (213, 94, 0),
    "coarse": (170, 205, 185), "fine": (215, 230, 220),
}  # fmt: skip
"""Of each kind of ink, RGB: those of Okabe and Ito, grids pale."""


def painted(maps: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Six maps ``(6, height, width)``, 0 to 1, as one RGB picture: each kind in its colour, grids beneath."""
    page = np.full((*maps.shape[1:], 3), 255.0)
    for kind in ("fine", "coarse", "separator", "text", "pulse", "trace"):
        share = np.clip(maps[KINDS.index(kind)], 0, 1)[..., None]
        page = page * (1 - share) + np.array(COLOURS[kind]) * share
    return np.asarray(page, np.uint8)


def crops_and_maps(
    crops: Sequence[Crop], caption: str, said: Sequence[NDArray[np.floating]] | None = None
) -> Picture:
    """A column a crop: as it was seen, its truth, and what a network says where `said` is given."""
    rows = 2 if said is None else 3
    figure = picture(1.9 * len(crops), 2.0 * rows + 0.5)
    axes = figure.subplots(rows, len(crops), squeeze=False)
    for column, crop in enumerate(crops):
        pictures = [crop.picture[..., ::-1], painted(crop.kinds / 255)]
        if said is not None:
            pictures.append(painted(said[column]))
        for row, shown in enumerate(pictures):
            axes[row, column].imshow(shown, interpolation="nearest")
            bare(axes[row, column])
        axes[0, column].set_title(f"{crop.grid} grid{', photo' if crop.photo else ''}", fontsize=8)
    for row, title in enumerate(("as seen", "truth", "network")[:rows]):
        axes[row, 0].set_ylabel(title)
    handles = [Patch(color=_share(kind), label=kind) for kind in KINDS]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(KINDS), fontsize=9)
    heading(figure, "", caption)
    return figure


def named_crops(ink: NDArray[np.floating], cells: NDArray[np.integer], caption: str) -> Picture:
    """Crops of ink ``(crops, height, width)``, 0 to 1, eight a row, and the names of leads that are to be read there.

    `cells` ``(crops, rows, columns)`` are their truth, as `leadwise.drawing.name_crops.crop` gives it.
    """
    rows = -(-len(ink) // 8)
    figure = picture(12, 1.6 * rows + 0.5)
    for axes, shown, truth in zip(figure.subplots(rows, 8, squeeze=False).ravel(), ink, cells, strict=False):
        axes.imshow(1 - shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        for kind, row, column in middles(truth):
            place = (np.array([column, row]) + 0.5) * CELL_PX - 0.5
            axes.annotate(
                NAMES[kind],
                place,
                (0, 9),
                textcoords="offset points",
                ha="center",
                color=_share("text"),
                fontsize=9,
            )
        bare(axes)
    heading(figure, "", caption)
    return figure


def losses(history: pd.DataFrame, title: str, caption: str) -> Picture:
    """The loss by step, thin as it came and thick as a running mean."""
    figure = picture(8, 3.6)
    axes = figure.subplots()
    axes.plot(history["step"], history["loss"], color=BLUE, alpha=0.3, linewidth=0.8)
    smooth = history["loss"].rolling(max(1, len(history) // 40), min_periods=1).mean()
    axes.plot(history["step"], smooth, color=BLUE, linestyle="--", label="training, running mean")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)
    legend_above(figure, axes, 2)
    heading(figure, title, caption)
    return figure


def told_by_kind(told: pd.DataFrame, title: str, caption: str) -> Picture:
    """Dice of the trace by kind of page: `pages`, `trace` (by the network), `colours` are the columns."""
    figure = picture(8, 0.5 * len(told) + 1.6)
    axes = figure.subplots()
    places = np.arange(len(told))[::-1]
    axes.hlines(places, told["colours"], told["trace"], color="0.8")
    axes.plot(told["colours"], places, "o", color=ORANGE, label="rule on colours")
    axes.plot(told["trace"], places, "o", color=BLUE, label="network")
    axes.set_yticks(places, told["pages"])
    axes.set_xlim(0, 1)
    axes.set_xlabel("Dice of the trace")
    legend_above(figure, axes, 2)
    heading(figure, title, caption)
    return figure


def page_and_maps(page: Page, maps: Mapping[str, NDArray[np.float32]], caption: str) -> Picture:
    """An upright page, BGR, and beside it the ink of each kind that was found on it."""
    figure = picture(13, 5.2)
    left, right = figure.subplots(1, 2)
    shrink = min(1.0, 900 / max(page.shape[:2]))
    size = (round(page.shape[1] * shrink), round(page.shape[0] * shrink))
    small = np.stack([cv2.resize(maps[kind], size, interpolation=cv2.INTER_AREA) for kind in KINDS])
    left.imshow(rgb(page, 900))
    right.imshow(painted(np.minimum(1.6 * small, 1)))
    for axes, title in ((left, "The page"), (right, "What the network finds on it")):
        bare(axes)
        axes.set_title(title)
    heading(figure, "", caption)
    return figure


def _share(kind: str) -> tuple[float, float, float]:
    red, green, blue = (level / 255 for level in COLOURS[kind])
    return red, green, blue
