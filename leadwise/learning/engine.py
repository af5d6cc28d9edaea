"""One training, and one set of answers: `transformers.Trainer` over lead crops or whole pages.

The Trainer brings warm-up, decay, mixed precision, checkpoints and several GPUs; what is added here are the
crops and signals from memory maps, augmentation in batches, a loss that a teacher may sit in, answers to held-out
pages after each epoch, and a history that outlives a kill.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import RandomSampler
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.integrations.integration_utils import TensorBoardCallback

from leadwise.errors import TrainingError
from leadwise.files import differing, sums, write_json, written_whole
from leadwise.folds.partition import Rows
from leadwise.learning.augment import augmented
from leadwise.learning.examples import Examples, PageDataset, Views, collate
from leadwise.models.classifier import Classifier
from leadwise.models.networks import Recipe
from leadwise.scores.metrics import scores

Probabilities = NDArray[np.float32]

Loss = Callable[[Tensor, Views, Tensor, Tensor], Tensor]
"""(logits, views, labels, rows of the pages) of a batch to a scalar."""

ANSWER_BATCH = 256

_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)


@dataclass(frozen=True)
class Plan:
    """What one training sees and how long it goes on.

    `rows` are the pages trained on; `watched` are held-out pages by fold, answered after each epoch.
    The schedule is laid out for `epochs`; the training ends after `stop_after` of them, and a chosen
    number of epochs is thus the same training stopped early. `max_steps` cuts each epoch short.
    """

    rows: Rows
    watched: dict[int, Rows]
    seed: int
    epochs: int
    stop_after: int
    max_steps: int | None = None


@dataclass
class Trained:
    """A finished training: its network, its history, its answers by (epoch, fold), and fp32 or bf16."""

    model: Classifier | None
    history: pd.DataFrame
    answers: dict[tuple[int, int], Probabilities]
    precision: str

    @property
    def seconds(self) -> float:
        """How long it took, answers not counted; of one that was cut off, all its parts."""
        return float(self.history["seconds"].max())


def train(
    plan: Plan,
    examples: Examples,
    make_model: Callable[[], Classifier],
    recipe: Recipe,
    folder: Path,
    *,
    loss: Loss | None = None,
    on_step: Callable[[dict[str, float]], None] | None = None,
) -> Trained:
    """Train one network on the examples of `plan.rows`; go on from the last whole checkpoint in `folder`.

    `folder` belongs to this training; `forget_checkpoints` clears it when the network is safely elsewhere.
    `loss` is the recipe's cross-entropy unless given. Raises `TrainingError` when the loss is no number, or
    where memory is too small for the batch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    model = make_model()
    dataset = PageDataset(examples, plan.rows)
    batch = min(recipe.batch, len(dataset))
    drawn = len(dataset) if plan.max_steps is None else min(len(dataset), plan.max_steps * batch)
    steps = math.ceil(drawn / batch) * plan.epochs
    on_gpu, precision = torch.cuda.is_available(), precision_of(recipe)
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=plan.epochs,
        # several GPUs share the recipe's batch, they do not multiply it
        per_device_train_batch_size=max(1, batch // max(1, torch.cuda.device_count())),
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        adam_beta2=recipe.adam_beta2,
        warmup_steps=math.ceil(recipe.warmup * steps),
        lr_scheduler_type=recipe.schedule,
        max_grad_norm=0.0,  # the published work does not clip
        bf16=precision == "bf16",
        use_cpu=not on_gpu,
        seed=plan.seed,
        save_strategy="epoch",
        save_total_limit=2,
        logging_steps=max(1, steps // (10 * plan.epochs)),
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        disable_tqdm=True,
        dataloader_pin_memory=on_gpu,
        report_to=[],
        log_level="error",
    )
    watcher = _Watcher(plan, examples, folder, on_step)
    trainer = _Trainer(
        model=model,
        args=arguments,
        train_dataset=dataset,
        data_collator=collate,
        loss=loss or cross_entropy(recipe, examples, plan.rows),
        augment=recipe.augment,
        drawn=drawn,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(watcher)
    trainer.add_callback(TensorBoardCallback(SummaryWriter(log_dir=str(folder / "tensorboard"))))  # type: ignore[no-untyped-call]
    checkpoint = _last_checkpoint(folder)
    if checkpoint is not None:
        watcher.recall(checkpoint)
    if checkpoint is not None and watcher.epochs_done >= plan.stop_after:  # killed after the last epoch
        model.load_state_dict(load_file(checkpoint / "model.safetensors"))
    else:
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except (MemoryError, RuntimeError) as error:  # torch has no type of its own for a CPU's memory
            if not (isinstance(error, MemoryError) or _NO_MEMORY.search(str(error))):
                raise
            raise TrainingError(
                f"{folder.name}: memory is too small for a batch of {batch} examples ({str(error).splitlines()[0]}). "
                "Lower `batch` in the network's recipe (leadwise/models/networks.py), or take a smaller network."
            ) from error
    return Trained(model.eval(), watcher.history(), watcher.answers, precision)


def precision_of(recipe: Recipe) -> str:
    """``fp32`` or ``bf16``: with which the recipe trains on this machine; auto is bf16 where a GPU has it.

    On a processor it did not pay where that was measured (an AMD EPYC), so there auto is fp32.
    """
    if recipe.precision != "auto":
        return recipe.precision
    has_it = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if has_it else "fp32"


def forget_checkpoints(folder: Path) -> None:
    """Delete what only a resumed training would need; history and TensorBoard files stay."""
    for left in folder.glob("checkpoint-*"):
        shutil.rmtree(left)


@torch.no_grad()
def answer(model: Classifier, examples: Examples, rows: Rows) -> Probabilities:
    """Softmax of the raw logits of each example: float32 ``(rows, examples of a page, classes)``."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    pages_at_once = max(1, (ANSWER_BATCH if examples.per_page > 1 else 64) // examples.per_page)
    parts = []
    for start in range(0, len(rows), pages_at_once):
        seen = examples.all_of(rows[start : start + pages_at_once])
        views = {name: torch.from_numpy(view).to(device) for name, view in seen.items()}
        parts.append(model(**views).float().softmax(dim=1).cpu().numpy())
    model.train(was_training)
    return np.concatenate(parts).reshape(len(rows), examples.per_page, len(examples.classes))


def cross_entropy(recipe: Recipe, examples: Examples, rows: Rows) -> Loss:
    """The recipe's cross-entropy: labels smoothed, classes weighted by their number among `rows`.

    A class weighs its frequency to the power of minus `class_weights`; the weights' mean over the pages is 1.
    """
    counts = np.bincount(examples.labels[rows], minlength=len(examples.classes)).astype(float)
    weights = np.maximum(counts, max(1, recipe.rarest * counts.sum())) ** -recipe.class_weights
    weight = torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)

    def loss(logits: Tensor, _: Views, labels: Tensor, __: Tensor) -> Tensor:
        own = weight.to(logits.device)
        if recipe.focal:
            sure = logits.float().log_softmax(dim=1).gather(1, labels[:, None])[:, 0]
            return -(own[labels] * (1 - sure.exp()) ** recipe.focal * sure).sum() / own[labels].sum()
        return nn.functional.cross_entropy(
            logits.float(), labels, own, label_smoothing=recipe.label_smoothing
        )

    return loss


def page_scores(
    answers: Probabilities, labels: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, float]:
    """Scores of pages ``(n, examples, classes)`` after averaging each page's examples."""
    return scores(labels, answers.mean(axis=1), classes)


class _Trainer(Trainer):
    """The Trainer with our loss, augmentation, and epochs that may be cut short."""

    def __init__(self, *args: Any, loss: Loss, augment: bool, drawn: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.own_loss, self.augment, self.drawn = loss, augment, drawn

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], *args: Any, **options: Any) -> Tensor:  # noqa: ARG002
        views = {name: view for name, view in inputs.items() if name not in ("labels", "rows")}
        if self.augment:
            views = augmented(views)
        return self.own_loss(model(**views), views, inputs["labels"], inputs["rows"])

    def _get_train_sampler(self, train_dataset: Any = None) -> RandomSampler:  # noqa: ARG002
        return RandomSampler(self.train_dataset, num_samples=self.drawn)  # type: ignore[arg-type]


class _Watcher(TrainerCallback):
    """Keeps the history, answers the watched pages after each epoch, and stops where the plan says."""

    def __init__(
        self,
        plan: Plan,
        examples: Examples,
        folder: Path,
        on_step: Callable[[dict[str, float]], None] | None,
    ) -> None:
        self.plan, self.examples, self.folder, self.on_step = plan, examples, folder, on_step
        self.answers: dict[tuple[int, int], Probabilities] = {}
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
        for path in self.folder.glob("answers-*.npy"):
            _, epoch, fold = path.stem.split("-")
            if int(epoch) <= self.epochs_done:
                self.answers[int(epoch), int(fold)] = np.load(path, allow_pickle=False)

    def _line(self, state: Any) -> dict[str, float]:
        line = self.lines.setdefault(state.global_step, {"epoch": state.epoch, "step": state.global_step})
        line["seconds"] = self.seconds_before + time.perf_counter() - self.started - self.answering
        return line

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if self.on_step is not None:
            last = self.lines[max(self.lines)] if self.lines else {}
            self.on_step({"epoch": state.epoch, **{key: last[key] for key in ("loss",) if key in last}})

    def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
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
        epoch = round(state.epoch)
        line = self._line(state)
        begun = time.perf_counter()
        for fold, rows in self.plan.watched.items():
            given = answer(more["model"], self.examples, rows)
            with written_whole(self.folder / f"answers-{epoch}-{fold}.npy") as aside:
                np.save(aside, given)
            self.answers[epoch, fold] = given
        if self.plan.watched:
            rows = np.concatenate(list(self.plan.watched.values()))
            held_out = np.concatenate([self.answers[epoch, fold] for fold in self.plan.watched])
            found = page_scores(held_out, self.examples.labels[rows], self.examples.classes)
            line.update({f"inner_{name}": found[name] for name in ("log_loss", "accuracy")})
        self.answering += time.perf_counter() - begun
        control.should_log = True
        if epoch >= self.plan.stop_after:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        begun = time.perf_counter()
        checkpoint = self.folder / f"checkpoint-{state.global_step}"
        kept = [path for path in checkpoint.rglob("*") if path.is_file()]
        kept += [self.folder / f"answers-{epoch}-{fold}.npy" for epoch, fold in self.answers]
        # written last: a checkpoint is whole where all is as it is told here
        told = {"lines": list(self.lines.values()), "sha256": sums(self.folder, kept)}
        write_json(told, checkpoint / "history.json")
        self.answering += time.perf_counter() - begun


def _last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that is as it was written; what a kill left half done, or is damaged, is deleted."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        if (path / "history.json").is_file():
            try:
                told = json.loads((path / "history.json").read_text(encoding="utf-8"))
                damaged = differing(folder, told["sha256"])
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
