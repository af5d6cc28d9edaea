"""Networks that answer for a whole page at once: `leadwise.models.leads12`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from leadwise.data.cache import shrink
from leadwise.data.contracts import TASKS
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.engine import answer
from leadwise.learning.examples import Pages
from leadwise.learning.lead_models import LeadData
from leadwise.learning.partition import weights_name
from leadwise.learning.study import Results, Study
from leadwise.models import registry
from leadwise.models.leads12 import INK_PX, SIGNAL_HZ, STRIP_PX, PageClassifier
from leadwise.pages.digitize import RATE_HZ, Signals, digitize
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import Page
from leadwise.signals.beats import median_beat


def page_views(data: LeadData) -> dict[str, NDArray[Any]]:
    """All pages as the page models see them (`leadwise.models.leads12.VIEWS`), in memory: some 85 kB a page.

    Ink shrunk by area (uint8), signals and usual beats in mV with 0 where nothing was read.
    """
    told = zip(data.crops, data.strips, data.signals, data.rhythm, strict=True)
    return _stacked(_views(crops, strip, Signals(leads, rhythm)) for crops, strip, leads, rhythm in told)


def views_of(pages: Iterable[Page]) -> dict[str, NDArray[Any]]:
    """The same, straight from pictures of pages. Raises `ForeignPage` for one of another layout."""

    def read(page: Page) -> dict[str, NDArray[Any]]:
        leads = cut_leads(page, find_layout(page))
        return _views(leads.crops, leads.strip, digitize(leads))

    return _stacked(map(read, pages))


def _views(crops: NDArray[np.uint8], strip: NDArray[np.uint8], signals: Signals) -> dict[str, NDArray[Any]]:
    """One page."""
    return {
        "ink": np.stack([shrink(crop, INK_PX) for crop in crops]),
        "ink_strip": shrink(strip, STRIP_PX),
        "signals": _at_signal_hz(signals.leads),
        "rhythm": _at_signal_hz(signals.strip),
        "beats": _at_signal_hz(median_beat(signals)),
    }


def _stacked(pages: Iterable[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    every = list(pages)
    return {name: np.stack([page[name] for page in every]) for name in every[0]}


def _at_signal_hz(millivolts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of neighbouring samples, ``(..., samples)``: 250 to 125 Hz; nan counts as 0."""
    pairs = RATE_HZ // SIGNAL_HZ
    millivolts = np.nan_to_num(millivolts)
    whole = millivolts[..., : millivolts.shape[-1] // pairs * pairs]
    return np.asarray(whole.reshape(*whole.shape[:-1], -1, pairs).mean(axis=-1))


def train_page_model(
    parameters: Any,
    data: LeadData,
    folder: Path,
    data_fingerprint: str,
    *,
    candidates: Sequence[str],
    name: str = "leads12",
) -> Results:
    """Train page models over the folds of every task and answer for the pages left out.

    `parameters` are those of 26_image_leads12; each outer fold takes the candidate that its inner folds prefer, and
    the tables call whatever was taken `name`. Raises what `Study.of` and `cross_fit` raise.
    """
    views = page_views(data)
    results = []
    for task in parameters.TASKS:
        studies = [
            Study.of(parameters, task, model, data_fingerprint, name=name, prefix=model)
            for model in candidates
        ]
        results.append(cross_fit(studies, views, data.pages, data.folds, folder))
    return Results.joined(results)


def answer_elsewhere(
    views: dict[str, NDArray[Any]], weights: Path, chosen: pd.DataFrame, task: str
) -> dict[int, NDArray[np.float32]]:
    """By fold: what the network chosen for it answers about pages of another source ``(pages, classes)``, raw.

    `weights` is the folder and `chosen` the rows (``seed, fold, chosen``) of one task and seed that 26_image_leads12
    wrote. Raises `WeightsError` where a file is missing or does not fit.
    """
    classes = TASKS[task]
    pages = len(next(iter(views.values())))
    found = {}
    for seed, fold, name in zip(chosen["seed"], chosen["fold"], chosen["chosen"], strict=True):
        path = weights / f"{weights_name(seed, (fold,), task=task, prefix=name)}.safetensors"
        model = registry.build_page_model(name, len(classes), str(path))
        own = Pages({key: views[key] for key in model.views}, np.zeros(pages, np.int64), classes)
        found[int(fold)] = answer(model, own, np.arange(pages))[:, 0]
    return found


@torch.no_grad()
def random_encoding(
    views: dict[str, NDArray[Any]], name: str = "leads12_both", seed: int = 0
) -> NDArray[np.float32]:
    """What an encoder with random weights makes of each page: float32 ``(pages, 13 * 96)``, a floor's features."""
    torch.manual_seed(seed)
    model = PageClassifier(name, classes=2).eval()
    pages = len(next(iter(views.values())))
    parts = []
    for start in range(0, pages, 64):
        some = {key: torch.from_numpy(views[key][start : start + 64]) for key in model.views}
        parts.append(model.tokens(some).flatten(1).numpy())
    return np.concatenate(parts)
