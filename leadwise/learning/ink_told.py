"""How well ink is told apart on pages that nobody was trained on: by the network, and by a rule on colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from leadwise.drawing.ink_crops import LEVELS, Crop, crops
from leadwise.drawing.ink_looks import GRID_COLOURS
from leadwise.errors import ForeignPage
from leadwise.learning.ink_supply import Recordings
from leadwise.models.ink_net import InkNet
from leadwise.pages.ink import ink_of
from leadwise.pages.ink_maps import KINDS

Maps = NDArray[np.float32]
Teller = Callable[[Crop], Maps]
"""A crop to what is said of it, 0 to 1, ``(6, side, side)``."""

_HALF = 0.5  # a pixel is ink where at least half of it is covered
_SIDE_PX = 448  # a multiple of what networks halve, of nearly all of a piece


def by_network(network: InkNet) -> Teller:
    """What a network says."""

    @torch.inference_mode()
    def tell(crop: Crop) -> Maps:
        beside = torch.from_numpy(crop.beside[None].astype(np.float32) / LEVELS)
        said = torch.sigmoid(network(beside.contiguous(memory_format=torch.channels_last)))
        return np.asarray(said[0].numpy())

    return tell


def by_file(session: Any) -> Teller:
    """What an exported network says, run by onnxruntime."""

    def tell(crop: Crop) -> Maps:
        beside = crop.beside[None].astype(np.float32) / np.float32(LEVELS)
        return np.asarray(session.run(None, {"beside": beside})[0][0])

    return tell


def by_colours(crop: Crop) -> Maps:
    """What `leadwise.pages.ink.ink_of` says: all ink is trace to it, and where it refuses nothing is."""
    maps = np.zeros((len(KINDS), *crop.picture.shape[:2]), np.float32)
    with suppress(ForeignPage):
        maps[0] = ink_of(crop.picture) / np.float32(255)
    return maps


def dice(said: Sequence[NDArray[np.bool_]], true: Sequence[NDArray[np.bool_]]) -> float:
    """Twice the pixels that are both over the sum of both, of all pictures together; nan where the truth has none."""
    both = sum(int((a & b).sum()) for a, b in zip(said, true, strict=True))
    each = sum(int(a.sum()) + int(b.sum()) for a, b in zip(said, true, strict=True))
    return 2 * both / each if any(part.any() for part in true) else math.nan


def dice_by_kind(tell: Teller, pictures: Sequence[Crop]) -> dict[str, float]:
    """Dice of each kind over some crops."""
    said = [tell(crop) >= _HALF for crop in pictures]
    true = [crop.kinds >= 255 * _HALF for crop in pictures]
    return {
        kind: dice([each[number] for each in said], [each[number] for each in true])
        for number, kind in enumerate(KINDS)
    }


def held_out(
    recordings: Recordings, each: int, seed: int, grids: Sequence[str] = tuple(GRID_COLOURS)
) -> dict[tuple[str, bool], list[Crop]]:
    """`each` pieces of drawn pages, one a page, for every colour of grid, flat and photographed.

    By colour and whether it is a photograph. The same call draws the same.
    """
    rng = np.random.default_rng(seed)
    return {
        (grid, photo): [
            crop
            for _ in range(each)
            for crop in crops(
                *recordings.on_a_form(rng), rng, pieces=1, each=1, side_px=_SIDE_PX, grid=grid, photo=photo
            )
        ]
        for photo in (False, True)
        for grid in grids
    }


def told(tell: Teller, pieces: dict[tuple[str, bool], list[Crop]]) -> pd.DataFrame:
    """A row a kind of page: `grid`, `photo`, `n`, and Dice of each of KINDS by a network.

    `colours` is Dice of the trace by the rule on colours.
    """
    return pd.DataFrame(
        [
            {"grid": grid, "photo": photo, "n": len(crops)}
            | dice_by_kind(tell, crops)
            | {"colours": dice_by_kind(by_colours, crops)["trace"]}
            for (grid, photo), crops in pieces.items()
        ]
    )
