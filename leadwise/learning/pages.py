"""What networks of pages are trained on, and the trainings: leads, views of whole pages, or the page as a picture."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from leadwise.folds.partition import Partition, partition, weights_name
from leadwise.learning.answers import answer
from leadwise.learning.cross_fit import Inputs, cross_fit
from leadwise.learning.examples import Units
from leadwise.learning.study import Results, Study, TrainingSettings
from leadwise.models import registry
from leadwise.models.leads12 import PageClassifier
from leadwise.models.networks import recipe
from leadwise.models.page_vit import PICTURE_PX
from leadwise.names import LEADS, TASKS
from leadwise.pages.digitize import Signals
from leadwise.pages.layout import find_layout
from leadwise.pages.read import read_page
from leadwise.sets.arrays import shrink, shrink_leads
from leadwise.sets.views import Views, all_views, stacked

VARIANTS = ("plain", "no_decay", "masked")
"""The page as a picture as published; without its weight decay; on pages whose header and footer are white."""


class PageSettings(TrainingSettings, Protocol):
    """What the parameters of a notebook say that trains networks of pages for one task or both."""

    TASKS: Sequence[str]
    FOLDS: Sequence[int]
    SEEDS: Sequence[int]
    TEST: bool


@dataclass(frozen=True)
class PageData:
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

    def partition(self, task: str, seed: int, protocol: str = "grouped") -> Partition:
        """Who is left out when, for one task and seed of a protocol."""
        return partition(self.pages, self.folds, protocol, seed, task)

    def views(self) -> Views:
        """All pages as the page models see them (`leadwise.sets.views`), in memory: some 85 kB a page."""
        every = zip(self.crops, self.strips, self.signals, self.rhythm, strict=True)
        return stacked(
            all_views(crops, strip, Signals(leads, rhythm)) for crops, strip, leads, rhythm in every
        )

    def example_lead(self, lead: str, label: str, px: int) -> NDArray[np.uint8]:
        """One lead of the first page of a class as a network sees it: uint8 ``(px, px)``."""
        row = int(np.flatnonzero(self.pages["label"] == label)[0])
        return shrink(self.crops[row, LEADS.index(lead)], (px, px))


def train_pages(
    settings: PageSettings,
    inputs: Inputs,
    data: PageData,
    folder: Path,
    data_fingerprint: str,
    models: Sequence[str],
    **more: Any,
) -> Results:
    """Train a network over the folds of every task and answer for the pages left out.

    `settings` are a training notebook's, `inputs` as in `cross_fit`, in the order of ``data.pages``. Several `models`
    are candidates, of which each outer fold takes the one that its inner folds prefer. Where TEST is false the inner
    folds alone are trained. `more` are fields of the study, as in `Study.of`. Raises what `partition`, `Study.of` and
    `cross_fit` raise.
    """
    results = []
    for task in settings.TASKS:
        parts = {seed: data.partition(task, seed) for seed in settings.SEEDS}
        # files of candidates, which tables call by one name, are called by their own
        fields = [{"prefix": model if "name" in more else ""} | more for model in models]
        studies = [
            Study.of(settings, task, model, data_fingerprint, **of_model)
            for model, of_model in zip(models, fields, strict=True)
        ]
        results.append(cross_fit(studies, inputs, parts, folder, answer_test=settings.TEST))
    return Results.joined(results)


def variant(model: str, name: str, recipe_name: str) -> dict[str, Any]:
    """Fields of the study of one of VARIANTS; tables and files call it ``page_vit_masked``."""
    called = model if name == "plain" else f"{model}_{name}"
    published = recipe(model, recipe_name)
    trained_by = replace(published, weight_decay=0.0) if name == "no_decay" else published
    return {"name": called, "prefix": called, "recipe": trained_by}


@contextmanager
def shrunk(crops: NDArray[np.uint8], folder: Path, side: int) -> Iterator[NDArray[np.uint8]]:
    """The crops at a network's input size, as a memory map below `folder` that is deleted afterwards."""
    path = folder / f".crops-{side}.npy"
    try:
        yield shrink_leads(crops, path, (side, side))
    finally:
        path.unlink(missing_ok=True)


def page_pictures(pages: pd.DataFrame, folder: Path, *, masked: bool) -> NDArray[np.uint8]:
    """All pages as pictures, RGB uint8 ``(pages, 182, 256, 3)``, shrunk by area.

    `pages` keeps the contract ``pages.csv``, its paths are relative to `folder`. Where `masked`, all that is printed
    outside the frame (id, sex, heart rate, date, settings) is white. Raises what `read_page` and `find_layout` raise.
    """
    from tqdm import tqdm

    pictures = np.empty((len(pages), *PICTURE_PX, 3), np.uint8)
    for number, path in enumerate(tqdm(pages["path"], "pictures", mininterval=1, file=sys.stdout)):
        page = read_page(folder / path)
        if masked:
            inside = np.zeros(page.shape[:2], np.uint8)
            cv2.fillConvexPoly(inside, find_layout(page).frame.round().astype(np.int32), 1)
            page = np.where(inside[:, :, None] == 1, page, np.uint8(255))
        pictures[number] = cv2.resize(page, PICTURE_PX[::-1], interpolation=cv2.INTER_AREA)[:, :, ::-1]
    return pictures


def answer_elsewhere(
    views: Views, weights: Path, chosen: pd.DataFrame, task: str
) -> dict[int, NDArray[np.float32]]:
    """By fold: what the network chosen for it answers about pages of another source ``(pages, classes)``, raw.

    `weights` is the folder and `chosen` the rows (``seed, fold, chosen``) of one task and seed that 26_image_leads12
    wrote. Raises `WeightsError` where a file is missing or does not fit.
    """
    classes = TASKS[task]
    pages = len(next(iter(views.values())))
    answers = {}
    for seed, fold, name in zip(chosen["seed"], chosen["fold"], chosen["chosen"], strict=True):
        path = weights / f"{weights_name(seed, (fold,), task=task, prefix=name)}.safetensors"
        model = registry.build(name, len(classes), str(path))
        examples = Units({key: views[key] for key in model.views}, np.zeros(pages, np.int64), classes)
        answers[int(fold)] = answer(model, examples, np.arange(pages))[:, 0]
    return answers


@torch.no_grad()
def random_encoding(views: Views) -> NDArray[np.float32]:
    """What an encoder with random weights makes of each page: float32 ``(pages, 13 * 96)``, a floor's features."""
    torch.manual_seed(0)
    model = registry.build("leads12_both", classes=2).eval()
    assert isinstance(model, PageClassifier)  # noqa: S101 - no other has a token for each lead
    pages = len(next(iter(views.values())))
    parts = []
    for start in range(0, pages, 64):
        some = {key: torch.from_numpy(views[key][start : start + 64]) for key in model.views}
        parts.append(model.tokens(some).flatten(1).numpy())
    return np.concatenate(parts)
