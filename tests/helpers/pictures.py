"""Made crops to be drawn, and what is on a picture: its words, its ink, its points and intervals."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from PIL import Image

from leadwise.figures.style import Picture, save_figure


def made_crop(height: int = 300, width: int = 500) -> np.ndarray:
    """A sine of three pixels' width, ink bright on black."""
    crop = np.zeros((height, width), np.uint8)
    rows = (height / 2 + height / 5 * np.sin(np.arange(width) / width * 20)).astype(int)
    for offset in range(3):
        crop[rows + offset, np.arange(width)] = 255
    return crop


def words(figure: Picture) -> str:
    """All text of a figure."""
    return " ".join(
        text.get_text() for text in figure.findobj(match=lambda artist: hasattr(artist, "get_text"))
    )


def check(figure: Picture, folder: Path) -> None:
    """It is drawn whole, is not blank, and says how many it shows."""
    png, svg = save_figure(figure, folder, "figure")
    assert np.asarray(Image.open(png).convert("L"), dtype=float).std() > 3
    assert svg.read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert re.search(r"\d", words(figure))
    assert sorted(path.name for path in folder.iterdir()) == [png.name, svg.name]


def intervals(ax: Axes) -> list[tuple[float, float, float]]:
    """The bars that lie in an axes: row, low end, high end."""
    bars = [one for one in ax.collections if isinstance(one, LineCollection)]
    return [(float(y), float(low), float(high)) for one in bars for (low, y), (high, _) in one.get_segments()]


def points(ax: Axes) -> list[tuple[float, float, bool]]:
    """The points of an axes: value, row, and whether they are filled."""
    return [
        (float(x), float(y), line.get_markerfacecolor() != "white")
        for line in ax.get_lines()
        if line.get_marker() not in {"None", ""}
        for x, y in line.get_xydata()
        if np.isfinite(x)
    ]
