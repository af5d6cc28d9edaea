"""Distillation: a student learns from the labels and from a teacher's answers to the same crops."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from leadwise.files import sha256
from leadwise.learning.answers import load_for
from leadwise.learning.engine import Loss
from leadwise.learning.losses import distillation_loss
from leadwise.learning.partition import LeftOut, weights_name
from leadwise.models import registry


@dataclass(frozen=True)
class TaughtBy:
    """Gives `cross_fit` its loss: the teacher of a training saw none of the pages that training leaves out.

    `folder` is that of the notebook that trained the teacher (``weights/`` below it); `alpha` is the
    share of the labels, `temperature` softens both sets of logits (published: 0.5 and 2).
    """

    folder: Path
    model: str
    classes: tuple[str, ...]
    task: str
    alpha: float
    temperature: float

    def path(self, seed: int, left_out: LeftOut) -> Path:
        """The teacher's weights for a training that leaves out these folds."""
        return self.folder / "weights" / f"{weights_name(seed, left_out, task=self.task)}.safetensors"

    def fingerprint(self, seed: int, left_out: LeftOut) -> str | None:
        """What changes when the teacher does."""
        path = self.path(seed, left_out)
        return sha256(path) if path.is_file() else None

    def teacher(self, seed: int, left_out: LeftOut) -> registry.LeadClassifier:
        """The teacher, frozen and in eval mode.

        Raises `WeightsError` where it was not trained, `LeakError` where its file says that it saw
        pages of the folds left out.
        """
        teacher = load_for(self.path(seed, left_out), self.model, len(self.classes), seed, left_out)
        return teacher.requires_grad_(requires_grad=False)

    def __call__(self, seed: int, left_out: LeftOut) -> Loss:
        """The loss of one training."""
        teacher = self.teacher(seed, left_out)

        def loss(logits: Tensor, pixels: Tensor, labels: Tensor) -> Tensor:
            with torch.no_grad():
                shown = teacher.to(logits.device)(pixels)
            return distillation_loss(logits, shown, labels, alpha=self.alpha, temperature=self.temperature)

        return loss
