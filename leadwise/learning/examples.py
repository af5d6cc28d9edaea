"""What a network is trained on: leads or whole pages from memory maps, an example at a time or some pages at once."""

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
    """Lead crops with their labels: `crops` uint8 ``(pages, 12, height, width)``, `labels` ``(pages,)``.

    `crops` may be a memory map; `labels` are numbers of `classes`. Each lead is an example.
    """

    crops: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def per_page(self) -> int:
        """Examples of one page."""
        return int(self.crops.shape[1])

    def example(self, row: int, place: int) -> dict[str, NDArray[Any]]:
        """One example: lead number `place` of a page."""
        return {"pixels": self.crops[row, place]}

    def all_of(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """All examples of some pages, page by page."""
        return {"pixels": self.crops[rows].reshape(-1, *self.crops.shape[2:])}

    def fingerprint(self) -> str:
        """Hex sha256 over all that is seen."""
        return hashlib.sha256(np.ascontiguousarray(self.crops).data).hexdigest()


@dataclass(frozen=True)
class Pages:
    """Whole pages with their labels; `views` by name ``(pages, ...)``, in memory or mapped. A page is an example."""

    views: dict[str, NDArray[Any]]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    per_page: int = 1

    def example(self, row: int, place: int) -> dict[str, NDArray[Any]]:  # noqa: ARG002 - there is one
        """One example: a page."""
        return {name: view[row] for name, view in self.views.items()}

    def all_of(self, rows: Rows) -> dict[str, NDArray[Any]]:
        """Some pages."""
        return {name: np.ascontiguousarray(view[rows]) for name, view in self.views.items()}

    def fingerprint(self) -> str:
        """Hex sha256 over all that is seen."""
        digest = hashlib.sha256()
        for name, view in sorted(self.views.items()):
            digest.update(name.encode() + np.ascontiguousarray(view).tobytes())
        return digest.hexdigest()


Examples = Leads | Pages


class PageDataset(Dataset[dict[str, Any]]):
    """Item i is one example with its label and the row of its page: all of the first page, then of the next."""

    def __init__(self, examples: Examples, rows: Rows) -> None:
        self.examples, self.rows = examples, rows

    def __len__(self) -> int:
        return len(self.rows) * self.examples.per_page

    def __getitem__(self, index: int) -> dict[str, Any]:
        page, place = divmod(index, self.examples.per_page)
        row = int(self.rows[page])
        told = {"labels": self.examples.labels[row], "rows": np.int64(row)}
        return {**self.examples.example(row, place), **told}


def collate(items: list[dict[str, Any]]) -> dict[str, Tensor]:
    """A batch of such items."""
    return {name: torch.from_numpy(np.stack([item[name] for item in items])) for name in items[0]}
