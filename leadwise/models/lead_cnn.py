"""A small CNN that answers for one lead at a time: what a page model's encoder of ink is without its fellows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadwise.models.leads12 import InkEncoder


class LeadCnn(nn.Module):
    """Images ``(N, 3, height, width)`` of one lead to logits ``(N, classes)``; of its equal channels one is read."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.encoder = InkEncoder()
        self.head = nn.Linear(self.encoder.out.out_features, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        return torch.as_tensor(self.head(self.encoder(images[:, 0])))
