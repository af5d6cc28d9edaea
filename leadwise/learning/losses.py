"""Losses, as functions of tensors."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def distillation_loss(
    student: Tensor, teacher: Tensor, labels: Tensor, *, alpha: float, temperature: float
) -> Tensor:
    """``alpha * CE(student, labels) + (1 - alpha) * T^2 * KL(teacher_T || student_T)``, mean over the batch.

    `student` and `teacher` are logits ``(N, classes)``, `labels` class numbers ``(N,)``; both
    distributions of the second term are softmax of logits divided by the temperature T. T^2 keeps the
    gradient of that term at the size of the first one's.

    Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
    """
    told = functional.cross_entropy(student, labels)
    shown = functional.kl_div(
        functional.log_softmax(student / temperature, dim=1),
        functional.log_softmax(teacher / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return alpha * told + (1 - alpha) * temperature**2 * shown
