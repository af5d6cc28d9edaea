"""Networks for recordings: windows of ten seconds, or one beat at a time.

``attention_windows`` is the network of github.com/Al-Khlewee/attention-based-ecg-classifier (7,400,322 parameters at
two classes); its repository cannot draw its attention as committed, so `attention` here gives the weights.
``beat_rhythm`` is ours (`leadwise.models.beat_rhythm`), ``beat_rhythm_plain`` the same network for a training without
twins (`leadwise.learning.segments`); those that begin with ``heartbeat`` see one beat of the published files
(`leadwise.models.heartbeat_nets`).
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from leadwise.errors import SettingsError
from leadwise.models.classifier import Classifier
from leadwise.models.long_attention import attend

Network = TypeVar("Network", bound=nn.Module)


class SignalClassifier(Classifier):
    """A network for windows or beats with its name; takes its `views`, returns logits ``(N, classes)``."""

    takes = "millivolts or counts as leadwise.recordings cuts them"

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, **views: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        return torch.as_tensor(self.net(*(views[name].float() for name in self.views)))


def freeze_convolutions(model: Network) -> Network:
    """Keep the convolutions of a network, and what its batch norms remember, as they are; give the network back.

    Raises `SettingsError` where it has none, so that nothing would be frozen.
    """
    kept = [part for part in model.modules() if isinstance(part, nn.Conv1d | nn.BatchNorm1d)]
    if not any(isinstance(part, nn.Conv1d) for part in kept):
        raise SettingsError(
            f"{getattr(model, 'name', 'the network')} has no convolutions that could be frozen."
        )
    for part in kept:
        part.requires_grad_(requires_grad=False)
        if isinstance(part, nn.BatchNorm1d):
            part.register_forward_pre_hook(_as_remembered)
    return model


def _as_remembered(norm: nn.Module, _: object) -> None:
    """Before each batch: a frozen norm goes by what it remembers, whatever mode the network is in."""
    norm.training = False


class AttentionNet(nn.Module):
    """Windows ``(N, 3600)`` to logits: two convolutions, self-attention over 900 steps of 64, two dense layers.

    No positions, no residual, no norm, as published; 99.6 % of its parameters stand in the first dense layer.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv1d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2),
        )  # fmt: skip
        self.mix = nn.MultiheadAttention(64, 8, batch_first=True)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(900 * 64, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, classes)
        )

    def forward(self, window: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        steps = self.convolutions(window[:, None]).transpose(1, 2)
        return torch.as_tensor(self.head(attend(self.mix, steps)))

    def attention(self, window: Tensor) -> Tensor:
        """How much each step is looked at, the mean over queries and heads: ``(N, 900)``, 90 in a second."""
        steps = self.convolutions(window[:, None]).transpose(1, 2)
        weights = self.mix(steps, steps, steps, need_weights=True)[1]
        return torch.as_tensor(weights.mean(dim=1))
