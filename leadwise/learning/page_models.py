"""Networks that answer for a whole page at once: `leadwise.models.leads12`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from leadwise.folds.partition import weights_name
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.engine import answer
from leadwise.learning.examples import Pages
from leadwise.learning.lead_models import LeadData
from leadwise.learning.study import Results, Study
from leadwise.models import registry
from leadwise.models.leads12 import PageClassifier
from leadwise.names import TASKS
from leadwise.pages.digitize import Signals
from leadwise.sets.views import Views, all_views, stacked


def page_views(data: LeadData) -> Views:
    """All pages as the page models see them (`leadwise.sets.views`), in memory: some 85 kB a page."""
    told = zip(data.crops, data.strips, data.signals, data.rhythm, strict=True)
    return stacked(all_views(crops, strip, Signals(leads, rhythm)) for crops, strip, leads, rhythm in told)


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
    views: Views, weights: Path, chosen: pd.DataFrame, task: str
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
def random_encoding(views: Views, name: str = "leads12_both", seed: int = 0) -> NDArray[np.float32]:
    """What an encoder with random weights makes of each page: float32 ``(pages, 13 * 96)``, a floor's features."""
    torch.manual_seed(seed)
    model = registry.build_page_model(name, classes=2).eval()
    assert isinstance(model, PageClassifier)  # noqa: S101 - no other has a token for each lead
    pages = len(next(iter(views.values())))
    parts = []
    for start in range(0, pages, 64):
        some = {key: torch.from_numpy(views[key][start : start + 64]) for key in model.views}
        parts.append(model.tokens(some).flatten(1).numpy())
    return np.concatenate(parts)
