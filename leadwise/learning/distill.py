"""Teaching: a student learns from labels and from what a page model answers about the same pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from leadwise.errors import SettingsError, WeightsError, nearest
from leadwise.files import sha256
from leadwise.folds.partition import LeftOut, Partition, weights_name
from leadwise.learning.answers import load_for
from leadwise.learning.engine import Loss
from leadwise.learning.examples import Views as BatchViews
from leadwise.models import registry
from leadwise.models.classifier import Classifier
from leadwise.names import TASKS
from leadwise.sets.views import Views

TeachersAnswer = Callable[[BatchViews, Tensor], Tensor]
"""(views of a batch, rows of its pages) to what the teacher says of them: logits or log-probabilities."""


@dataclass(frozen=True)
class Teaching:
    """Parts of a loss: `labels` is the share of the recipe's own loss, the rest is the teacher's.

    The teacher is softened by `temperature`. What the student hears of it: ``same view``, its answer to the very
    page, augmentation and all, that the student sees at this step; or ``cross-fitted``, for each page the answer of
    a network that was not trained on it.
    """

    labels: float
    temperature: float = 1.0
    hears: Literal["nothing", "same view", "cross-fitted"] = "nothing"


LOSSES = {
    "untaught": Teaching(labels=1.0),
    # published notebooks on these pages (Kilimci et al. 2025): T = 2, alpha = 0.5
    "published": Teaching(labels=0.5, temperature=2.0, hears="same view"),
    # Beyer et al., "A good teacher is patient and consistent", arXiv 2106.05237: no labels, the same view
    "consistent": Teaching(labels=0.0, hears="same view"),
    # a teacher knows its own training pages by heart (Dao et al., "Knowledge distillation as semiparametric
    # inference", arXiv 2104.09732): what it says of pages that it never saw is worth more
    "cross_fitted": Teaching(labels=0.5, hears="cross-fitted"),
}
"""By name, every way in which a student is taught here."""


@dataclass(frozen=True)
class Teacher:
    """The page models of 26_image_leads12 for one task.

    `weights` is the folder of their files, `chosen` its ``chosen.csv`` (which of them each fold took), `answers` its
    ``predictions.csv``.
    """

    weights: Path
    chosen: pd.DataFrame
    answers: pd.DataFrame
    task: str = "four"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of its answers."""
        return TASKS[self.task]

    def require(self, seeds: Sequence[int], folds: Sequence[int]) -> None:
        """Raise `WeightsError`, before any student is trained, if one of the teachers needed is missing."""
        lacking = [path for seed in seeds for k in folds if not (path := self.path(seed, k)).is_file()]
        if lacking:
            raise WeightsError(
                f"{len(lacking)} of the teachers needed are missing, {lacking[0]} for one. Run 26_image_leads12 "
                "with the same SEEDS and FOLDS."
            )

    def path(self, seed: int, fold: int) -> Path:
        """The weights of the network that was not trained on a fold."""
        name = weights_name(seed, (fold,), task=self.task, prefix=self._name(seed, fold))
        return self.weights / f"{name}.safetensors"

    def network(self, part: Partition, fold: int) -> Classifier:
        """That network, frozen and in eval mode; raises as `answers.load_for` does."""
        model = registry.build(self._name(part.seed, fold), len(self.classes))
        return load_for(self.path(part.seed, fold), model, part, (fold,)).requires_grad_(requires_grad=False)

    def cross_fitted(self, part: Partition, fold: int | None) -> Tensor:
        """Log-probabilities ``(pages, classes)``: of each training page by a network that saw neither it nor `fold`.

        Rows of pages that `fold` tests are nan; without a fold every page trains. Raises `WeightsError` where answers
        are missing.
        """
        mine = self.answers[(self.answers["task"] == self.task) & (self.answers["seed"] == part.seed)]
        if fold is None:
            mine, trained = mine[mine["role"] == "test"], np.concatenate(list(part.rows.values()))
        else:
            mine = mine[(mine["role"] == "inner") & (mine["fold"] == fold)]
            trained = part.training_rows((fold,))
        mine = mine[mine["model"] == "leads12"].set_index("unit_id")
        wanted = part.unit_ids[trained]
        if not np.isin(wanted, mine.index).all():
            raise WeightsError(
                f"26_image_leads12 has no answers of its inner folds for seed {part.seed}. Run it with INNER."
            )
        prob = np.full((len(part.unit_ids), len(self.classes)), np.nan, np.float32)
        prob[trained] = mine.loc[wanted, [f"prob_{name}" for name in self.classes]].to_numpy()
        return torch.from_numpy(prob).clamp_min(1e-7).log()

    def _name(self, seed: int, fold: int) -> str:
        row = self.chosen.query("task == @self.task and seed == @seed and fold == @fold")
        if len(row) != 1:
            raise WeightsError(
                f"26_image_leads12 chose no network for fold {fold} of seed {seed}. Run it so."
            )
        return str(row["chosen"].iloc[0])


@dataclass(frozen=True)
class TaughtBy:
    """Gives `cross_fit` one of LOSSES; the teacher of a training saw none of the pages that it leaves out.

    Those are one fold or none: no teacher left out two, so `cross_fit` refuses inner folds for whoever hears one.
    A student of single leads cannot show its teacher a page: it hears what the teacher answers to the page as it is,
    for which `views` are needed.
    """

    teacher: Teacher
    loss: str
    views: Views | None = None

    @property
    def teaching(self) -> Teaching:
        """The parts of the loss; raises `SettingsError` for an unknown name."""
        if self.loss not in LOSSES:
            raise SettingsError(f"No loss is called {self.loss!r}; {nearest(self.loss, LOSSES)}")
        return LOSSES[self.loss]

    @property
    def code(self) -> tuple[str, ...]:
        """The definitions that make the loss; none where nothing is heard of a teacher."""
        return () if self.teaching.hears == "nothing" else ("leadwise.learning.distill:TaughtBy",)

    def made_of(self, part: Partition, left_out: LeftOut) -> list[Any]:
        """What changes when the loss or the teacher does."""
        parts: list[Any] = [self.loss, vars(self.teaching)]
        if self.teaching.hears == "same view":
            parts.append(sha256(self.teacher.path(part.seed, left_out[0])))
        elif self.teaching.hears == "cross-fitted":
            parts.append(self.teacher.cross_fitted(part, left_out[0]).nan_to_num().tolist())
        return parts

    def __call__(self, part: Partition, left_out: LeftOut, loss: Loss) -> Loss:
        """The loss of one training, which has the recipe's own `loss` as a part.

        Where nothing is left out, ``()``, the teacher is the mean answer of all folds' networks, or of each page
        the one that never saw it.
        """
        fold = left_out[0] if left_out else None
        teaching = self.teaching
        if teaching.hears == "nothing":
            return loss
        ask = (
            self._cross_fitted(part, fold)
            if teaching.hears == "cross-fitted"
            else self._same_view(part, fold)
        )

        def taught_loss(logits: Tensor, views: BatchViews, labels: Tensor, rows: Tensor) -> Tensor:
            answers = ask(views, rows).to(logits.device)
            taught = softened_divergence(logits.float(), answers.float(), teaching.temperature)
            if not teaching.labels:
                return taught
            return teaching.labels * loss(logits, views, labels, rows) + (1 - teaching.labels) * taught

        return taught_loss

    def _cross_fitted(self, part: Partition, fold: int | None) -> TeachersAnswer:
        by_page = self.teacher.cross_fitted(part, fold)
        return lambda _, rows: by_page[rows.cpu()]

    def _same_view(self, part: Partition, fold: int | None) -> TeachersAnswer:
        networks = [self.teacher.network(part, k) for k in ([fold] if fold else part.folds)]
        if self.views is None:
            return lambda views, _: _answered(networks, views)
        by_page = _answered(networks, {name: torch.from_numpy(view) for name, view in self.views.items()})
        return lambda _, rows: by_page[rows.cpu()]


def softened_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """``T^2 * KL(teacher_T || student_T)``, mean over the batch.

    `student` and `teacher` are logits ``(N, classes)`` (log-probabilities serve as well); both distributions are
    softmax of logits divided by the temperature T. T^2 keeps the gradient at the size of a cross-entropy's.

    Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
    """
    shown = functional.kl_div(
        functional.log_softmax(student / temperature, dim=1),
        functional.log_softmax(teacher / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return temperature**2 * shown


@torch.no_grad()
def _answered(networks: Sequence[Classifier], views: BatchViews) -> Tensor:
    """The mean answer of networks to pages, as log-probabilities ``(pages, classes)``."""
    device = next(iter(views.values())).device
    shares = [network.to(device)(**views).float().softmax(dim=1) for network in networks]
    return torch.stack(shares).mean(dim=0).clamp_min(1e-7).log()
