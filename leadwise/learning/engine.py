"""One training: `transformers.Trainer` over lead crops, whole pages, windows or beats.

The Trainer brings warm-up, decay, mixed precision, checkpoints and several GPUs; what is added here are examples from
memory maps, augmentation in batches, and a loss that a teacher may sit in. What is kept meanwhile, and the answers to
held-out units after each epoch, are `leadwise.learning.history`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import RandomSampler
from torch.utils.tensorboard import SummaryWriter
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.integrations.integration_utils import TensorBoardCallback

from leadwise.errors import TrainingError
from leadwise.folds.partition import Rows
from leadwise.learning.augment import augmented
from leadwise.learning.examples import Examples, ExamplesOfRows, Views, collate
from leadwise.learning.history import Plan, Watcher, last_checkpoint
from leadwise.models.classifier import Classifier
from leadwise.models.networks import Recipe

Loss = Callable[[Tensor, Views, Tensor, Tensor], Tensor]
"""(logits, views, labels, rows of the units) of a batch to a scalar."""

_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)


@dataclass(frozen=True)
class Trained:
    """A network that was trained just now, in eval mode, its history, and fp32 or bf16."""

    model: Classifier
    history: pd.DataFrame
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
    dataset = ExamplesOfRows(examples, plan.rows)
    batch = min(recipe.batch, len(dataset))
    drawn = (plan.units_an_epoch or len(plan.rows)) * examples.per_unit
    if plan.max_steps is not None:
        drawn = min(drawn, plan.max_steps * batch)
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
    watcher = Watcher(plan, examples, folder, on_step)
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
    checkpoint = last_checkpoint(folder)
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
    return Trained(model.eval(), watcher.history(), precision)


def precision_of(recipe: Recipe) -> str:
    """``fp32`` or ``bf16``: with which the recipe trains on this machine; auto is bf16 where a GPU has it.

    On a processor it did not pay where that was measured (an AMD EPYC), so there auto is fp32.
    """
    if recipe.precision != "auto":
        return recipe.precision
    has_it = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16" if has_it else "fp32"


def cross_entropy(recipe: Recipe, examples: Examples, rows: Rows) -> Loss:
    """The recipe's cross-entropy: labels smoothed, classes weighted by their number among `rows`.

    A class weighs its frequency to the power of minus `class_weights`; the weights' mean over the rows is 1.
    """
    counts = np.bincount(examples.labels[rows], minlength=len(examples.classes)).astype(float)
    weights = np.maximum(counts, max(1, recipe.rarest * counts.sum())) ** -recipe.class_weights
    weight = torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)

    def loss(logits: Tensor, _: Views, labels: Tensor, __: Tensor) -> Tensor:
        by_class = weight.to(logits.device)
        if recipe.focal:
            log_prob = logits.float().log_softmax(dim=1).gather(1, labels[:, None])[:, 0]
            by_unit = by_class[labels]
            return -(by_unit * (1 - log_prob.exp()) ** recipe.focal * log_prob).sum() / by_unit.sum()
        return nn.functional.cross_entropy(
            logits.float(), labels, by_class, label_smoothing=recipe.label_smoothing
        )

    return loss


class _Trainer(Trainer):
    """The Trainer with our loss, augmentation, and epochs that may be cut short."""

    def __init__(self, *args: Any, loss: Loss, augment: bool, drawn: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.loss, self.augment, self.drawn = loss, augment, drawn

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], *args: Any, **options: Any) -> Tensor:  # noqa: ARG002
        views = {name: view for name, view in inputs.items() if name not in ("labels", "rows")}
        if self.augment:
            views = augmented(views)
        return self.loss(model(**views), views, inputs["labels"], inputs["rows"])

    def _get_train_sampler(self, train_dataset: Any = None) -> RandomSampler:  # noqa: ARG002
        return RandomSampler(self.train_dataset, num_samples=self.drawn)  # type: ignore[arg-type]
