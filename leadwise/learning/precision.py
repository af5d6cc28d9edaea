"""Whether half the bits give twice the speed: tried on this machine, not believed."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from leadwise.files import write_json
from leadwise.learning.examples import PageDataset, Views, collate
from leadwise.learning.recipes import Recipe
from leadwise.models.registry import Classifier


def pays_in_bf16(recipe: Recipe, folder: Path, model: Classifier, dataset: PageDataset, batch: int) -> bool:
    """Whether to train in bf16: where a GPU has it, and on a CPU where a short try shows that it pays.

    What was found is kept in `folder`: a resumed training must go on as it began.
    """
    if torch.cuda.is_available():
        return recipe.precision != "fp32" and torch.cuda.is_bf16_supported()
    if recipe.precision != "try":
        return False
    kept = folder / "precision.json"
    if not kept.is_file():
        if model.name not in _PAYS:
            _PAYS[model.name] = _pays(
                model, collate([dataset[index] for index in range(min(batch, len(dataset)))])
            )
        write_json({"bf16": _PAYS[model.name]}, kept)
    return bool(json.loads(kept.read_text(encoding="utf-8"))["bf16"])


_PAYS: dict[str, bool] = {}
"""What was found in this process, by the network's name: a machine does not change under a study."""


def _pays(model: Classifier, batch: Views) -> bool:
    """Whether a step in bf16 takes under 0.9 of one in fp32 on this CPU, best of two; the generator is left alone."""
    state = torch.random.get_rng_state()
    labels, trial = batch.pop("labels"), copy.deepcopy(model)
    del batch["rows"]
    took_s = [min(_step_s(trial, batch, labels, bf16=bf16) for _ in range(2)) for bf16 in (False, True)]
    torch.random.set_rng_state(state)
    return took_s[1] < 0.9 * took_s[0]


def _step_s(model: Classifier, views: Views, labels: Tensor, *, bf16: bool) -> float:
    """Seconds of one forward and backward pass."""
    begun = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = model(**views)
    nn.functional.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
    return time.perf_counter() - begun
