"""Distillation: a student learns from the labels and from a teacher's answers to the same crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from leadwise.data.folds import N_FOLDS
from leadwise.errors import WeightsError
from leadwise.files import sha256
from leadwise.learning.answers import load_for
from leadwise.learning.engine import Loss
from leadwise.learning.examples import Views
from leadwise.learning.losses import distillation_loss
from leadwise.learning.partition import LeftOut, Partition, weights_name
from leadwise.models import registry


@dataclass(frozen=True)
class TaughtBy:
    """Gives `cross_fit` its loss: the teacher of a training saw none of the pages that training leaves out.

    `weights` is the folder of the teacher's files; `alpha` is the share of the labels, `temperature` softens
    both sets of logits (published: 0.5 and 2).
    """

    weights: Path
    model: str
    classes: tuple[str, ...]
    task: str
    alpha: float
    temperature: float

    def path(self, seed: int, left_out: LeftOut) -> Path:
        """The teacher's weights for a training that leaves out these folds."""
        return self.weights / f"{weights_name(seed, left_out, task=self.task)}.safetensors"

    def require(self, seeds: Sequence[int], folds: Sequence[int], *, inner: bool) -> None:
        """Raise `WeightsError`, before any student is trained, if one of the teachers needed is missing."""
        others = range(1, N_FOLDS + 1)
        wanted: list[LeftOut] = [(k,) for k in folds]
        if inner:
            wanted += [(min(j, k), max(j, k)) for k in folds for j in others if j != k]
        paths = [self.path(seed, left_out) for seed in seeds for left_out in wanted]
        lacking = [path for path in paths if not path.is_file()]
        if lacking:
            raise WeightsError(
                f"{len(lacking)} of the teachers needed are missing, {lacking[0]} for one. Train the teacher "
                "with the same SEEDS, FOLDS and TASKS, and with INNER where the student has it."
            )

    def fingerprint(self, part: Partition, left_out: LeftOut) -> str:
        """What changes when the teacher does."""
        return sha256(self.path(part.seed, left_out))

    def teacher(self, part: Partition, left_out: LeftOut) -> registry.Classifier:
        """The teacher, frozen and in eval mode; raises as `answers.load_for` does."""
        path = self.path(part.seed, left_out)
        teacher = load_for(path, self.model, len(self.classes), part, left_out)
        return teacher.requires_grad_(requires_grad=False)

    def __call__(self, part: Partition, left_out: LeftOut) -> Loss:
        """The loss of one training."""
        teacher = self.teacher(part, left_out)

        def loss(logits: Tensor, views: Views, labels: Tensor) -> Tensor:
            with torch.no_grad():
                shown = teacher.to(logits.device)(**views)
            return distillation_loss(logits, shown, labels, alpha=self.alpha, temperature=self.temperature)

        return loss
