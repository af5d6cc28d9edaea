"""A page brought to one scale, flat or bent: its ink, and the way back to the picture.

Two ways tell ink from paper and grid: a rule on colours, exact and quick, where the trace is darker than a grid in
colour; and a small network, where the grid is as dark as the trace, or shadows lie on the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import ForeignPage
from leadwise.pages import field as fields
from leadwise.pages.grid import Grid
from leadwise.pages.ink import MOST_PX, PX_PER_MM, beside_paper, darkness_beside, ink_of, upright
from leadwise.pages.ink_maps import maps_beside
from leadwise.pages.read import Page
from leadwise.pages.turns import runs_downwards

_TOLD = ("trace", "text", "pulse", "separator")
_NO_STROKE, _A_STROKE = 0.1, 0.3  # how sure the network is of none, and of one
_KEENER = 2.0  # where `keen`, as sure by so much less
_BLACKER = 1.1
# A gap of a stroke, and how black it is at least. Longer ones lie in QRS complexes: 15 px cost photographs 0.5 dB.
_GAP_PX, _PAPER = 7, 0.15

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


@dataclass(frozen=True)
class Seen:
    """What the network sees of a picture at PX_PER_MM, `maps` of `_TOLD`, and how dark it is."""

    maps: Mapping[str, NDArray[np.float32]] = field(repr=False)
    dark: NDArray[np.float32] = field(repr=False)

    @classmethod
    def of(cls, picture: Page) -> Seen:
        """Of an upright picture, or one that was laid flat."""
        beside = beside_paper(picture)
        return cls(maps_beside(beside, kinds=_TOLD), darkness_beside(beside))

    def ink(self, paper: NDArray[np.bool_] | None = None, *, keen: bool = False) -> tuple[Ink, Ink]:
        """Strokes as dark as the picture has them where the network says that there is one, and letters.

        How black they are is told by those on the `paper`, where it is known.
        """
        maps, dark = self.maps, self.dark
        none, one = (limit / (_KEENER if keen else 1) for limit in (_NO_STROKE, _A_STROKE))
        sure = np.maximum(np.maximum(maps["trace"], maps["pulse"]), maps["separator"])
        letters = np.where(sure > maps["text"], 0, maps["text"])
        sure = np.where(sure < maps["text"] / 2, 0, sure)
        strokes = sure > 0.5 if paper is None else (sure > 0.5) & paper
        # a stroke is seldom darker than most are
        black = float(np.median(dark[strokes])) / _BLACKER if strokes.any() else 1.0
        blackness = np.clip(dark / black, 0, 1)
        ink = _as_ink(np.clip((sure - none) / (one - none), 0, 1) * blackness)
        # thin strokes that go up and down steeply are seen with gaps, which are no paper
        whole = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((_GAP_PX, 1), np.uint8))
        return np.where(blackness > _PAPER, whole, ink).astype(np.uint8), _as_ink(letters)


def flat_sheet(page: Page, grid: Grid, *, by_network: bool = False) -> Sheet:
    """A flat page of a known scale. Raises `ForeignPage` where it shows no ink, or is too large by its grid."""
    ink = _by_network if by_network else _by_colour
    place = (grid.x_px_per_mm, grid.y_px_per_mm, grid.turn_degrees)
    lies = page.shape[0] > page.shape[1]  # on its side, as far as a picture's shape tells
    whole = upright(page, *place, columns_kept=not lies)
    strokes, letters = ink(whole.picture)
    if whole.x_px_per_mm != PX_PER_MM and runs_downwards(strokes):
        whole = upright(page, *place, columns_kept=False)
        strokes, letters = ink(whole.picture)
    return Sheet(
        page, whole.x_px_per_mm, strokes, letters, whole.on_page, *place, 0.0, grid.contrast, grid.told_by
    )


@dataclass(frozen=True)
class LaidFlat:
    """A photographed `page` whose sheet was laid flat: its `picture` at PX_PER_MM, and what the network sees there.

    `places` and `paper` are as `leadwise.pages.field.rectified` gives them.
    """

    page: Page = field(repr=False)
    found: fields.Field = field(repr=False)
    picture: Page = field(repr=False)
    places: NDArray[np.float32] = field(repr=False)
    paper: NDArray[np.bool_] = field(repr=False)
    seen: Seen = field(repr=False)


def laid_flat(page: Page, found: fields.Field) -> LaidFlat:
    """Lay a photographed page flat by its field. Raises `ForeignPage` where it is too large by its grid."""
    if max(found.size_px(PX_PER_MM)) > MOST_PX:
        raise ForeignPage(
            "by its grid the paper in this picture would be over half a metre large, which is no printed ECG. "
            "Photograph one page, as large as it fits into the picture."
        )
    picture, places, paper = fields.rectified(page, found, PX_PER_MM)
    return LaidFlat(page, found, picture, places, paper, Seen.of(picture))


def bent_sheet(laid: LaidFlat, *, keen: bool = False) -> Sheet:
    """The sheet of a photograph, its ink by the network; `keen` takes faint ink for strokes."""
    inks = laid.seen.ink(laid.paper, keen=keen)
    strokes, letters = (np.where(laid.paper, ink, 0).astype(np.uint8) for ink in inks)

    def on_page(points: Points) -> NDArray[np.float32]:
        return fields.looked_up(laid.places, points)

    x_px_per_mm, y_px_per_mm, turn_degrees = fields.middle(laid.found)
    return Sheet(
        laid.page,
        PX_PER_MM,
        strokes,
        letters,
        on_page,
        x_px_per_mm,
        y_px_per_mm,
        turn_degrees,
        laid.found.bent_mm,
        None,
        "grid",
    )


def _by_colour(picture: Page) -> tuple[Ink, Ink]:
    ink = ink_of(picture)
    return ink, np.zeros_like(ink)


def _by_network(picture: Page) -> tuple[Ink, Ink]:
    return Seen.of(picture).ink()


def _as_ink(share: NDArray[np.floating]) -> Ink:
    return np.asarray(np.round(255 * np.clip(share, 0, 1)), np.uint8)
