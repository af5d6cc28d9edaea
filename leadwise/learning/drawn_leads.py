"""Networks of single leads that learn from drawn leads before they see a page: PTB-XL's superclasses, lead by lead.

Recordings are drawn as the known form prints them, and their leads are cut as those of pages are. What was learned
there is kept as a file without a head, from which a training on pages begins (`leadwise.models.registry.build`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save_file

from leadwise.drawing.render import render
from leadwise.drawing.trials import drawn
from leadwise.files import written_whole
from leadwise.learning.engine import Trained, train
from leadwise.learning.examples import Leads
from leadwise.learning.fingerprint import TRAINED_BY, code_of, fingerprint, majors
from leadwise.learning.hearts import each_by_itself
from leadwise.learning.history import Plan
from leadwise.learning.training_facts import said_of_training
from leadwise.models import registry
from leadwise.models.networks import network, recipe
from leadwise.models.weights_file import HOLDS, read_metadata
from leadwise.names import LEADS, SUPERCLASSES, VERSION
from leadwise.pages.forms import known_form
from leadwise.pages.layout import Layout, find_layout
from leadwise.pages.leads import cut_leads
from leadwise.sets.arrays import create, shrink
from leadwise.sets.views import twelve_leads

RECIPE = "random"
"""Of `leadwise.models.networks`: that by which the same networks learn pages from random weights."""

_MADE_BY = (
    f"{__name__}:draw_leads",
    "leadwise.learning.hearts:each_by_itself",
    "leadwise.models.classifier:LeadClassifier",
)


def drawn_crops(path: Path) -> NDArray[np.uint8]:
    """The leads of a recording as a page shows them, uint8 ``(12, 300, 500)``: drawn, and cut as a page's are.

    Drawn in 0.67 to 25 Hz without shift in phase. Where its leads lie is known, so large traces, over which no
    layout would be found, leave none out. Raises what `read_record` and `render` raise.
    """
    return cut_leads(drawn(*twelve_leads(path)), _empty_layout()).crops


@cache
def _empty_layout() -> Layout:
    """Of a page on which nothing is drawn but the form: that of each drawn page."""
    return find_layout(render(np.full((len(LEADS), round(known_form().length_s) + 1), np.nan), 1.0))


def draw_leads(paths: Sequence[Path], target: Path, side: int) -> NDArray[np.uint8]:
    """`drawn_crops` of recordings at a network's input size, ``(recordings, 12, side, side)``, as a memory map."""
    from tqdm import tqdm

    with written_whole(target) as aside:
        crops = create(aside, (len(paths), len(LEADS), side, side))
        for number, path in enumerate(tqdm(paths, "drawn pages", mininterval=1, file=sys.stdout)):
            crops[number] = [shrink(crop, (side, side)) for crop in drawn_crops(path)]
        del crops  # flushes
    return np.asanyarray(np.load(target, mmap_mode="r", allow_pickle=False))


def teach(
    model: str,
    paths: Sequence[Path],
    stated: NDArray[np.bool_],
    target: Path,
    data_fingerprint: str,
    *,
    seed: int,
    epochs: int,
    max_steps: int | None = None,
) -> None:
    """Teach a network of single leads what is stated of the recordings, and write it to `target` without its head.

    Each lead is an example with all that is `stated` ``(recordings, 5)`` of its recording, each of SUPERCLASSES by
    itself. All epochs, nothing chosen. A file made of the same recordings (`data_fingerprint`), settings and code is
    taken up. Raises what `draw_leads` and `train` raise.
    """
    made_of = _fingerprint(model, data_fingerprint, seed, epochs, max_steps)
    if target.is_file() and read_metadata(target).get("fingerprint") == made_of:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    drawn_to = target.with_name(f".{target.stem}.npy")
    try:
        crops = draw_leads(paths, drawn_to, network(model).input_px)
        examples = Leads(crops, np.zeros(len(crops), np.int64), SUPERCLASSES)
        plan = Plan(np.arange(len(crops)), {}, seed, epochs, epochs, max_steps)
        trained = _trained(model, examples, stated, plan, target.with_suffix(""))
    finally:
        drawn_to.unlink(missing_ok=True)
    told = {"data_fingerprint": data_fingerprint, "fingerprint": made_of, "epochs": str(epochs)}
    _keep(trained, target, told | {"loss": f"{trained.history['loss'].dropna().iloc[-1]:.4f}"})


def _trained(model: str, examples: Leads, stated: NDArray[np.bool_], plan: Plan, folder: Path) -> Trained:
    shutil.rmtree(folder, ignore_errors=True)  # a checkpoint there may be of other recordings
    made = train(
        plan,
        examples,
        lambda: registry.build(model, len(SUPERCLASSES)),
        recipe(model, RECIPE),
        folder,
        loss=each_by_itself(stated),
    )
    shutil.rmtree(folder)
    return made


def _fingerprint(model: str, data_fingerprint: str, *settings: Any) -> str:
    numbers = asdict(recipe(model, RECIPE))
    numbers.pop("source")
    return fingerprint(
        {
            "network": [model, network(model).builder, dict(network(model).options)],
            "recipe": numbers,
            "recordings": data_fingerprint,
            "settings": settings,
            "libraries": majors(),
            "code": code_of([*TRAINED_BY, *_MADE_BY, network(model).builder]),
        }
    )


def _keep(trained: Trained, target: Path, told: dict[str, str]) -> None:
    """Write what a network learned but for its head."""
    model = trained.model
    body = registry.body_of(model)
    metadata = {
        HOLDS: "body",
        "model": model.name,
        "task": "hearts",
        "classes": ",".join(SUPERCLASSES),
        "began_from": model.began_from,
        **model.preprocessing,
        "leadwise": VERSION,
        **said_of_training(trained.precision, trained.seconds),
        **told,
    }
    with written_whole(target) as aside:
        save_file({key: value.contiguous().cpu() for key, value in body.items()}, aside, metadata)
