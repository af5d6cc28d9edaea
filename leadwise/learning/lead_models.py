"""Networks that answer for one lead at a time, as the published work trains them.

A page's answer is the mean of its twelve leads' probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.folds.partition import Partition, partition
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.study import Results, Study
from leadwise.models.networks import network
from leadwise.names import LEADS, TASKS
from leadwise.sets.arrays import shrink, shrink_leads


@dataclass(frozen=True)
class LeadData:
    """What the data notebooks hand on: the tables `pages.csv` and `folds.csv`, and all crops.

    `crops` uint8 ``(pages, 12, 300, 500)``, `strips` uint8 ``(pages, 300, 2000)``, `signals` mV ``(pages, 12, 625)``
    and `rhythm` mV ``(pages, 2500)``, memory-mapped, in the order of `pages`, which holds the pages whose leads were
    found.
    """

    pages: pd.DataFrame
    folds: pd.DataFrame
    crops: NDArray[np.uint8]
    strips: NDArray[np.uint8]
    signals: NDArray[np.float32]
    rhythm: NDArray[np.float32]

    def partition(self, task: str, seed: int) -> Partition:
        """Who is left out when, for one task and seed of the protocol `grouped`."""
        return partition(self.pages, self.folds, "grouped", seed, TASKS[task])

    def example_lead(self, lead: str, label: str, px: int) -> NDArray[np.uint8]:
        """One lead of the first page of a class as a network sees it: uint8 ``(px, px)``."""
        row = int(np.flatnonzero(self.pages["label"] == label)[0])
        return shrink(self.crops[row, LEADS.index(lead)], (px, px))


def train_lead_model(
    parameters: Any,
    data: LeadData,
    folder: Path,
    data_fingerprint: str,
    *,
    model: str,
) -> Results:
    """Train a network of single leads over the folds of every task and answer for the pages left out.

    `parameters` are a training notebook's (WEIGHTS, RECIPE, TASKS, FOLDS, SEEDS, EPOCHS, MAX_STEPS,
    INNER). Raises what `network`, `Study.of` and `cross_fit` raise.
    """
    side = network(model).input_px
    results = []
    with shrunk(data.crops, folder, side) as crops:
        for task in parameters.TASKS:
            study = Study.of(parameters, task, model, data_fingerprint, name=model, input_px=side)
            results.append(cross_fit(study, crops, data.pages, data.folds, folder))
    return Results.joined(results)


@contextmanager
def shrunk(crops: NDArray[np.uint8], folder: Path, side: int) -> Iterator[NDArray[np.uint8]]:
    """The crops at a network's input size, as a memory map below `folder` that is deleted afterwards."""
    path = folder / f".crops-{side}.npy"
    try:
        yield shrink_leads(crops, path, (side, side))
    finally:
        path.unlink(missing_ok=True)
