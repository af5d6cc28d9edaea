"""What a network is trained on: units (pages, windows, beats), an example at a time or some units at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from leadwise.folds.partition import Rows

Views = dict[str, Tensor]
"""What a network takes in, by the names of its arguments; the first dimension is the batch."""


@dataclass(frozen=True)
class Leads:
    """Pages by their leads, each an example: `crops` uint8 ``(pages, 12, height, width)``, `labels` ``(pages,)``.

    `crops` may be a memory map; `labels` are numbers of `classes`.
    """

    crops: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def per_unit(self) -> int:
        """Examples of one page."""
        return int(self.crops.shape[1])

    def example(self, row: int, place: int) -> dict[str, NDArray[Any]]:
        """One example: lead number `place` of a page."""
        return {"pixels": self.crops[row, place]}

    def all_of(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """All examples of some pages, page by page."""
        return {"pixels": self.crops[rows].reshape(-1, *self.crops.shape[2:])}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is seen, by name."""
        return {"pixels": self.crops}


@dataclass(frozen=True)
class Units:
    """Whole units, each an example: `views` by name ``(units, ...)``, which may be mapped, `labels` ``(units,)``."""

    views: dict[str, NDArray[Any]]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    per_unit: int = 1

    def example(self, row: int, place: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002 - there is one
        """One example: a unit."""
        return {name: view[row] for name, view in self.views.items()}

    def all_of(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """Some units."""
        return {name: np.ascontiguousarray(view[rows]) for name, view in self.views.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is seen, by name."""
        return self.views


Examples = Leads | Units


def digest(examples: Examples) -> str:
    """Hex sha256 over all that is seen."""
    total = hashlib.sha256()
    for name, view in sorted(examples.arrays().items()):
        total.update(name.encode())
        total.update(np.ascontiguousarray(view).data)
    return total.hexdigest()


class ExamplesOfRows(Dataset[dict[str, Any]]):
    """Item i is one example with its label and the row of its unit: all of the first unit, then of the next."""

    def __init__(self, examples: Examples, rows: Rows) -> None:
        self.examples, self.rows = examples, rows

    def __len__(self) -> int:
        return len(self.rows) * self.examples.per_unit

    def __getitem__(self, index: int) -> dict[str, Any]:
        unit, place = divmod(index, self.examples.per_unit)
        row = int(self.rows[unit])
        return self.examples.example(row, place) | {
            "labels": self.examples.labels[row],
            "rows": np.int64(row),
        }


def collate(items: list[dict[str, Any]]) -> dict[str, Tensor]:
    """A batch of such items."""
    return {name: torch.from_numpy(np.stack([item[name] for item in items])) for name in items[0]}
