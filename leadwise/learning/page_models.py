"""Networks that answer for a whole page at once: `leadwise.models.leads12`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leadwise.data.cache import shrink
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.lead_models import LeadData
from leadwise.learning.study import Results, Study
from leadwise.models import registry
from leadwise.models.leads12 import INK_PX, STRIP_PX


def page_views(data: LeadData) -> dict[str, NDArray[Any]]:
    """All pages as the page models see them, in memory: some 80 kB a page.

    Ink shrunk by area (uint8), signals in mV with 0 where nothing was read.
    """
    pages, leads = data.crops.shape[:2]
    ink = np.zeros((pages, leads, *INK_PX), np.uint8)
    strip = np.zeros((pages, *STRIP_PX), np.uint8)
    for page in range(pages):
        strip[page] = shrink(data.strips[page], STRIP_PX)
        for lead in range(leads):
            ink[page, lead] = shrink(data.crops[page, lead], INK_PX)
    signals, rhythm = (np.nan_to_num(view) for view in (data.signals, data.rhythm))
    return {"ink": ink, "ink_strip": strip, "signals": signals, "rhythm": rhythm}


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


@torch.no_grad()
def random_encoding(
    views: dict[str, NDArray[Any]], name: str = "leads12_both", seed: int = 0
) -> NDArray[np.float32]:
    """What an encoder with random weights makes of each page: float32 ``(pages, 13 * 96)``, a floor's features."""
    torch.manual_seed(seed)
    model = registry.build_page_model(name, classes=2).eval()
    pages = len(next(iter(views.values())))
    parts = []
    for start in range(0, pages, 64):
        some = {key: torch.from_numpy(views[key][start : start + 64]) for key in model.views}
        parts.append(model.tokens(some).flatten(1).numpy())
    return np.concatenate(parts)
