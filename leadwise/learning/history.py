"""What is kept of a training while it goes on: its history, its answers after each epoch, whole checkpoints.

All of it outlives a kill, and none of it changes what is learned.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import TrainerCallback

from leadwise.errors import TrainingError
from leadwise.files import differing, sums, write_json, written_whole
from leadwise.folds.partition import Rows
from leadwise.learning.answers import Probabilities, answer
from leadwise.learning.examples import Examples
from leadwise.scores.metrics import scores

Answers = dict[tuple[int, int], Probabilities]
"""Answers ``(units, examples of a unit, classes)`` by (epoch, fold)."""


@dataclass(frozen=True)
class Plan:
    """What one training sees and how long it goes on.

    `rows` are the units trained on; `watched` are held-out ones by fold, answered after each epoch.
    The schedule is laid out for `epochs`; the training ends after `stop_after` of them, and a chosen
    number of epochs is thus the same training stopped early. An epoch draws each of `rows` once, or, where that is
    given, `units_an_epoch` of them: not all, or all over and over. `max_steps` cuts each epoch short.
    """

    rows: Rows
    watched: dict[int, Rows]
    seed: int
    epochs: int
    stop_after: int
    max_steps: int | None = None
    units_an_epoch: int | None = None


class Watcher(TrainerCallback):
    """Keeps the history, answers the watched units after each epoch, and stops where the plan says."""

    def __init__(
        self,
        plan: Plan,
        examples: Examples,
        folder: Path,
        on_step: Callable[[dict[str, float]], None] | None,
    ) -> None:
        self.plan, self.examples, self.folder, self.on_step = plan, examples, folder, on_step
        self.answers: Answers = {}
        self.lines: dict[int, dict[str, float]] = {}
        self.seconds_before = 0.0
        self.epochs_done = 0
        self.started = time.perf_counter()
        self.answering = 0.0

    def history(self) -> pd.DataFrame:
        """Rows `epoch, step, loss, lr, seconds` (of training alone) and `inner_*` after an epoch."""
        return pd.DataFrame(list(self.lines.values()))

    def recall(self, checkpoint: Path) -> None:
        """Take up history and answers as they were at a checkpoint."""
        kept = json.loads((checkpoint / "history.json").read_text(encoding="utf-8"))["lines"]
        self.lines = {line["step"]: line for line in kept}
        self.seconds_before = max((line["seconds"] for line in kept), default=0.0)
        self.epochs_done = round(max((line["epoch"] for line in kept), default=0))
        self.answers = {
            key: answers for key, answers in kept_answers(self.folder).items() if key[0] <= self.epochs_done
        }

    def _line(self, state: Any) -> dict[str, float]:
        line = self.lines.setdefault(state.global_step, {"epoch": state.epoch, "step": state.global_step})
        line["seconds"] = self.seconds_before + time.perf_counter() - self.started - self.answering
        return line

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Start the clock."""
        self.started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Tell how far it is."""
        if self.on_step is not None:
            last = self.lines[max(self.lines)] if self.lines else {}
            self.on_step({"epoch": state.epoch, **{key: last[key] for key in ("loss",) if key in last}})

    def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
        """Note the loss; one that is no number ends the training."""
        logs = more["logs"]
        if "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise TrainingError(
                f"{self.folder.name}: the loss is {logs['loss']} at step {state.global_step} "
                f"(epoch {state.epoch:.2f}, rate {logs['learning_rate']:.2g}). Lower the learning rate."
            )
        self._line(state).update(loss=logs["loss"], lr=logs["learning_rate"])

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
        """Answer the watched units, and stop where the plan says."""
        epoch = round(state.epoch)
        line = self._line(state)
        begun = time.perf_counter()
        for fold, rows in self.plan.watched.items():
            self.answers[epoch, fold] = answer(more["model"], self.examples, rows)
            keep_answers(self.folder, epoch, fold, self.answers[epoch, fold])
        if self.plan.watched:
            rows = np.concatenate(list(self.plan.watched.values()))
            held_out = np.concatenate([self.answers[epoch, fold] for fold in self.plan.watched])
            inner = scores(self.examples.labels[rows], held_out.mean(axis=1), self.examples.classes)
            line.update({f"inner_{name}": inner[name] for name in ("log_loss", "accuracy")})
        self.answering += time.perf_counter() - begun
        control.should_log = True
        if epoch >= self.plan.stop_after:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Write last what makes a checkpoint whole."""
        begun = time.perf_counter()
        checkpoint = self.folder / f"checkpoint-{state.global_step}"
        kept = [path for path in checkpoint.rglob("*") if path.is_file()]
        kept += [self.folder / f"answers-{epoch}-{fold}.npy" for epoch, fold in self.answers]
        # written last: a checkpoint is whole where all is as it is told here
        marks = {"lines": list(self.lines.values()), "sha256": sums(self.folder, kept)}
        write_json(marks, checkpoint / "history.json")
        self.answering += time.perf_counter() - begun


def kept_answers(folder: Path) -> Answers:
    """All answers in a training's folder."""
    answers: Answers = {}
    for path in folder.glob("answers-*.npy"):
        _, epoch, fold = path.stem.split("-")
        answers[int(epoch), int(fold)] = np.load(path, allow_pickle=False)
    return answers


def keep_answers(folder: Path, epoch: int, fold: int, answers: Probabilities) -> None:
    """Write the answers of an epoch to a fold into a training's folder."""
    with written_whole(folder / f"answers-{epoch}-{fold}.npy") as aside:
        np.save(aside, answers)


def forget_checkpoints(folder: Path) -> None:
    """Delete what only a resumed training would need; history and TensorBoard files stay."""
    for left in folder.glob("checkpoint-*"):
        shutil.rmtree(left)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that is as it was written; what a kill left half done, or is damaged, is deleted."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if (path / "history.json").is_file():
            try:
                marks = json.loads((path / "history.json").read_text(encoding="utf-8"))
                damaged = differing(folder, marks["sha256"])
            except (ValueError, TypeError, KeyError):
                damaged = [f"{path.name}/history.json"]
            if not damaged:
                whole.append(path)
                continue
            tqdm.write(
                f"{folder.name}: {damaged[0]} is not as it was written, so it is not gone on from there."
            )
        shutil.rmtree(path)
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)
