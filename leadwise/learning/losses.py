"""Losses, as functions of tensors."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


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
