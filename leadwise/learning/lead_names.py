"""Training of the network that reads leads' names, how well it reads them, and its file.

It learns from recordings that are drawn on pages of any form and look. Pages of recordings that are held out are
drawn in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from leadwise.drawing.name_crops import IGNORED, SIDE_PX, NamedPage, crop, middles, named_page
from leadwise.learning.export import describe, write_onnx
from leadwise.learning.ink_supply import Recordings
from leadwise.models.ink_net import NormedConvolution
from leadwise.models.name_net import NameNet
from leadwise.names import VERSION
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.printed_names import CELL_PX, KINDS, NAMES_PX_PER_MM, names_at

_NO_NAME = 0.25  # weight of places without a name, which are nearly all
_WITHIN_MM = 2.0  # of a name's middle it is found

Reader = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Ink of a crop to the shares of KINDS in its cells."""


class PageStore:
    """Drawn pages in memory, the oldest replaced by new ones; batches of crops are cut from them at random."""

    def __init__(self, recordings: Recordings, size: int, seed: int) -> None:
        self.recordings, self.size, self.rng = recordings, size, np.random.default_rng(seed)
        self.pages: list[NamedPage] = []

    def renew(self) -> None:
        """Draw one page and put it in place of the oldest."""
        self.pages = [*self.pages, named_page(*self.recordings.on_a_form(self.rng), self.rng)][-self.size :]

    def batch(self, crops: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Ink ``(crops, 1, side, side)``, 0 to 1, and kinds of its cells ``(crops, side / 4, side / 4)``."""
        cut = [crop(self.pages[int(self.rng.integers(len(self.pages)))], self.rng) for _ in range(crops)]
        ink = np.stack([ink for ink, _ in cut])[:, None].astype(np.float32) / np.float32(255)
        return ink, np.stack([cells for _, cells in cut]).astype(np.int64)


def loss(logits: Tensor, cells: Tensor) -> Tensor:
    """Cross entropy of KINDS ``(N, kinds, rows, columns)`` over the cells that are judged."""
    weights = logits.new_ones(len(KINDS))
    weights[0] = _NO_NAME
    return functional.cross_entropy(logits, cells, weights, ignore_index=IGNORED)


class _Shares(nn.Module):
    """What ships: weights as they are once normed, since that saves the file a twentieth."""

    def __init__(self, network: NameNet) -> None:
        super().__init__()
        layers = (layer.as_plain() if isinstance(layer, NormedConvolution) else layer for layer in network)
        self.network = nn.Sequential(*layers)

    def forward(self, ink: Tensor) -> Tensor:
        return torch.softmax(self.network(ink), dim=1)


def export_names(network: NameNet, path: Path, metadata: Mapping[str, str]) -> None:
    """Write it as ONNX, sealed: ``ink (1, 1, height, width)`` in, 0 to 1, ``kinds (1, kinds, ...)`` of each cell out.

    Height and width are any multiples of CELL_PX. `metadata` are protocol, data_fingerprint, trained_on and note.
    """
    some = torch.rand(1, 1, 10 * CELL_PX, 14 * CELL_PX)
    height, width = (
        CELL_PX * torch.export.Dim(f"{side}_by_{CELL_PX}", min=1) for side in ("height", "width")
    )
    write_onnx(_Shares(network.cpu()), (some,), ["ink"], ["kinds"], ({2: height, 3: width},), path)
    of_file = {
        "format": "names 1",
        "model": "name_net",
        "kinds": ",".join(KINDS),
        "px_per_mm": f"{NAMES_PX_PER_MM:g}",
    }
    describe(path, of_file | {"leadwise": VERSION, **metadata})


def by_network(network: NameNet) -> Reader:
    """What a network says."""

    @torch.inference_mode()
    def read(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
        shares = torch.softmax(network(torch.from_numpy(ink[None, None].astype(np.float32) / 255)), dim=1)
        return np.asarray(shares[0].numpy())

    return read


def by_file(session: Any) -> Reader:
    """What an exported network says, run by onnxruntime."""

    def read(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(
            session.run(None, {"ink": ink[None, None].astype(np.float32) / np.float32(255)})[0][0]
        )

    return read


def held_out(
    recordings: Recordings, pages: int, crops: int, seed: int
) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """So many crops of each of so many pages, and their cells' kinds. The same call draws the same."""
    rng = np.random.default_rng(seed)
    drawn = (named_page(*recordings.on_a_form(rng), rng) for _ in range(pages))
    return [crop(page, rng) for page in drawn for _ in range(crops)]


def told(read: Reader, pieces: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> pd.DataFrame:
    """A row a name: `name`, `n` of them, which share is `read`, and which as `another`, and `false` ones a dm2.

    False is a name where none stands; the middles of names that are cut, and what lies close around a name, count for
    nothing.
    """
    printed, found, another, false = (np.zeros(len(KINDS), int) for _ in range(4))
    for ink, cells in pieces:
        said = [(name, *_cell(name.x_px, name.y_px)) for name in names_at(read(ink))]
        for kind, row, column in middles(cells):
            printed[kind] += 1
            near = [name for name, y, x in said if max(abs(y - row), abs(x - column)) <= _WITHIN_MM]
            found[kind] += any(name.name == KINDS[kind] for name in near)
            another[kind] += bool(near) and all(name.name != KINDS[kind] for name in near)
        for name, y, x in said:
            false[KINDS.index(name.name)] += cells[min(y, len(cells) - 1), min(x, len(cells) - 1)] == 0
    square_dm = len(pieces) * (SIDE_PX / NAMES_PX_PER_MM / 100) ** 2
    shares = [np.where(printed > 0, each / np.maximum(printed, 1), np.nan) for each in (found, another)]
    table = {"name": KINDS, "n": printed, "read": shares[0], "another": shares[1], "false": false / square_dm}
    return pd.DataFrame(table).iloc[1:]


def _cell(x_px: float, y_px: float) -> tuple[int, int]:
    """Row and column of the cell in which a name's middle lies, from pixels of a page."""
    row, column = (int((place + 0.5) * NAMES_PX_PER_MM / PX_PER_MM / CELL_PX) for place in (y_px, x_px))
    return row, column
