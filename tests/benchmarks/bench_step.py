"""What of a training step is forward and backward pass: at least 85 % is claimed, so nothing else is waited for.

The page model on the embedded sample's pages, one epoch through the training engine, in this process; the rest of a
step is loading, augmentation, the optimiser and the Trainer's own work.

    python tests/benchmarks/bench_step.py [--model NAME] [--steps N] [--threads N]
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import torch

from leadwise.files import write_json
from leadwise.learning import engine
from leadwise.learning.examples import Units
from leadwise.learning.history import Plan
from leadwise.models import registry
from leadwise.models.networks import named, network, recipe
from leadwise.names import CLASSES
from leadwise.project.paths import runs_folder
from leadwise.sets.catalogue import find_pages
from leadwise.sets.sample import unpack_sample
from leadwise.sets.views import views_of

CLAIMED = 0.85


def main() -> int:
    """Measure, print, and write the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="leads12_beats", choices=named(family="leads12"))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    begun = time.perf_counter()
    found = measure(given.model, given.steps)
    row = {
        "task": "training step",
        "protocol": None,
        "model": given.model,
        "profile": "sample",
        "seeds": [1],
        "unit": "step",
        "n": given.steps,
        "metrics": found,
        "command": shlex.join(["python", *sys.argv]),
        "hardware": f"{platform.processor() or platform.machine()}, {given.threads} thread(s)",
        "minutes": round((time.perf_counter() - begun) / 60, 2),
        "note": f"shares of a step, one epoch, one run; at least {CLAIMED:.0%} is claimed for forward_backward.",
    }
    target = runs_folder() / "sample" / "bench_step" / "results.json"
    write_json([row], target)
    for name, value in found.items():
        print(f"{name:22} {value:7.3f}")
    print(f"{given.steps} steps; at least {CLAIMED:.0%} is claimed for forward_backward. Written to {target}")
    return 0 if found["forward_backward"] >= CLAIMED else 1


def measure(model: str, steps: int) -> dict[str, float]:
    """Seconds a step, and the shares of forward and backward pass, of augmentation, and of the rest."""
    told = recipe(model, "random")
    with TemporaryDirectory() as scratch:
        folder = unpack_sample(Path(scratch) / "pages")
        files = find_pages(folder).files.drop_duplicates("sha256")
        views = views_of(cv2.imread(str(folder / path)) for path in files["path"])
        labels = np.array([CLASSES.index(label) for label in files["label"]])
        examples = Units({name: views[name] for name in network(model).views}, labels, CLASSES)
        rows = np.resize(np.arange(len(labels)), (steps + 1) * told.batch)
        plan = Plan(rows, {}, seed=1, epochs=1, stop_after=1)
        stepped, augmented = Stopwatch(engine._Trainer.training_step), Stopwatch(engine.augmented)
        with (
            patch.object(engine._Trainer, "training_step", partialmethod(stepped)),
            patch.object(engine, "augmented", augmented),
        ):
            engine.train(plan, examples, lambda: registry.build(model, 4), told, Path(scratch) / "one")
    first = stepped.spans[0][1]  # the first step warms up
    whole = stepped.spans[-1][1] - first
    own, changed = (sum(end - start for start, end in watch.spans[1:]) for watch in (stepped, augmented))
    return {
        "step_s": whole / steps,
        "forward_backward": (own - changed) / whole,
        "augmentation": changed / whole,
        "rest": (whole - own) / whole,
    }


class Stopwatch:
    """A function that notes when each of its calls began and ended."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.spans: list[tuple[float, float]] = []

    def __call__(self, *args: Any, **options: Any) -> Any:
        begun = time.perf_counter()
        given = self.function(*args, **options)
        self.spans.append((begun, time.perf_counter()))
        return given


if __name__ == "__main__":
    sys.exit(main())
