"""A page brought to one scale, flat or bent: its ink, and the way back to the picture.

Two ways tell ink from paper and grid: a rule on colours, exact and quick, where the trace is darker than a grid in
colour; and a small network, where the grid is as dark as the trace, or shadows lie on the paper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadwise.pages import field as fields
from leadwise.pages.grid import Grid
from leadwise.pages.ink import PX_PER_MM, ink_of, upright
from leadwise.pages.ink_maps import ink_net_maps
from leadwise.pages.read import Page
from leadwise.pages.turns import runs_downwards

Ink = NDArray[np.uint8]
Points = NDArray[np.floating]


@dataclass(frozen=True)
class Sheet:
    """Ink of a sheet, uint8, 255 where black: `strokes` of traces, pulses and bars, and `letters` apart.

    Down the sheet has PX_PER_MM, across `across_px_per_mm`, which is nearly that.

    Where letters are not told apart they are among the strokes. `on_page` takes points ``(n, 2)`` of the sheet to
    pixels of the page; `x_px_per_mm`, `y_px_per_mm` and `turn_degrees` are those of the page, in the middle where it
    is bent, `bent_mm` how far it lies beside a flat sheet; `contrast` is that of a flat page's grid, None where
    something else told the scale, as `scale_from` says.
    """

    page: Page = field(repr=False)
    across_px_per_mm: float
    strokes: Ink = field(repr=False)
    letters: Ink = field(repr=False)
    on_page: Callable[[Points], NDArray[np.float32]]
    x_px_per_mm: float
    y_px_per_mm: float
    turn_degrees: float
    bent_mm: float
    contrast: float | None
    scale_from: str


def flat_sheet(page: Page, grid: Grid, *, by_network: bool = False) -> Sheet:
    """A flat page of a known scale. Raises `ForeignPage` where it shows no ink, or is too large by its grid."""
    ink = _by_network if by_network else _by_colour
    place = (grid.x_px_per_mm, grid.y_px_per_mm, grid.turn_degrees)
    whole = upright(page, *place)
    strokes, letters = ink(whole.picture)
    if whole.x_px_per_mm != PX_PER_MM and runs_downwards(strokes):
        whole = upright(page, *place, columns_kept=False)
        strokes, letters = ink(whole.picture)
    return Sheet(
        page, whole.x_px_per_mm, strokes, letters, whole.on_page, *place, 0.0, grid.contrast, grid.told_by
    )


def bent_sheet(page: Page, found: fields.Field) -> Sheet:
    """A photographed page whose field is known; its ink is told by the network."""
    picture, places = fields.rectified(page, found, PX_PER_MM)
    strokes, letters = _by_network(picture)

    def on_page(points: Points) -> NDArray[np.float32]:
        return fields.looked_up(places, points)

    x_px_per_mm, y_px_per_mm, turn_degrees = fields.middle(found)
    return Sheet(
        page,
        PX_PER_MM,
        strokes,
        letters,
        on_page,
        x_px_per_mm,
        y_px_per_mm,
        turn_degrees,
        found.bent_mm,
        None,
        "grid",
    )


def _by_colour(picture: Page) -> tuple[Ink, Ink]:
    ink = ink_of(picture)
    return ink, np.zeros_like(ink)


def _by_network(picture: Page) -> tuple[Ink, Ink]:
    maps = ink_net_maps(picture)
    strokes = np.maximum(np.maximum(maps["trace"], maps["pulse"]), maps["separator"])
    return _as_ink(strokes), _as_ink(np.where(strokes > maps["text"], 0, maps["text"]))


def _as_ink(sure: NDArray[np.float32]) -> Ink:
    return np.round(255 * sure).astype(np.uint8)
