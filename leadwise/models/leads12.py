"""The page model: one encoder for all leads, attention over the twelve leads and the rhythm strip, one answer.

It may look at a page in several views: the ink of each lead (a small picture), the digitised signal (millivolts),
the usual beat of each lead. Each lead becomes one token, the sum of its views' vectors and of a vector for its
place; attention mixes the thirteen tokens, and a class token answers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadwise.models.classifier import Classifier
from leadwise.sets.views import LARGEST_MV

_WIDTH, _TOKENS = 96, 13


class PageClassifier(Classifier):
    """A page model with its preprocessing inside; `views` of `leadwise.sets.views` to logits ``(N, classes)``.

    Ink is bright on black, 0 to 255; signals are in mV, nan where nothing was read.
    """

    takes = "ink uint8 bright on black at 32 px a second, 48 px for 3.8 mV; signals in mV at 125 Hz"

    def __init__(self, classes: int, *, views: tuple[str, ...]) -> None:
        super().__init__()
        self.views = views
        if "ink" in self.views:
            self.ink = InkEncoder()
        if "signals" in self.views:
            self.signal = _SignalEncoder(((1, 24, 9), (24, 48, 9), (48, 64, 7), (64, 96, 5), (96, 96, 3)))
        if "beats" in self.views:
            self.beat = _SignalEncoder(((1, 24, 9), (24, 48, 7), (48, 64, 5), (64, 96, 3)))
        self.place = nn.Parameter(0.02 * torch.randn(_TOKENS, _WIDTH))
        self.answer = nn.Parameter(0.02 * torch.randn(1, 1, _WIDTH))
        layer = nn.TransformerEncoderLayer(
            _WIDTH, 4, 2 * _WIDTH, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
        )
        self.mix = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(_WIDTH), nn.Dropout(0.2), nn.Linear(_WIDTH, classes))

    def tokens(self, views: dict[str, Tensor]) -> Tensor:
        """One vector a lead, the strip last: ``(N, 13, 96)``."""
        parts = []
        if "ink" in self.views:
            leads, strip = _as_ink(views["ink"]), _as_ink(views["ink_strip"])
            parts.append(torch.cat([_each(self.ink, leads), self.ink(strip)[:, None]], dim=1))
        if "signals" in self.views:
            leads, strip = _as_mv(views["signals"]), _as_mv(views["rhythm"])
            parts.append(torch.cat([_each(self.signal, leads), self.signal(strip)[:, None]], dim=1))
        if "beats" in self.views:
            beats = _each(self.beat, _as_mv(views["beats"]))
            # the strip has no beat of its own
            parts.append(torch.cat([beats, torch.zeros_like(beats[:, :1])], dim=1))
        return torch.stack(parts).sum(dim=0) + self.place

    def forward(self, **views: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        tokens = self.tokens(views)
        mixed = self.mix(torch.cat([self.answer.expand(len(tokens), 1, -1).to(tokens.dtype), tokens], dim=1))
        return torch.as_tensor(self.head(mixed[:, 0]))


class InkEncoder(nn.Module):
    """A picture of one lead ``(N, height, width)`` to a vector: four layers of 16, 32, 64 and 96 channels."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 64), (64, 96)):
            # pooled before the activation, which then has a quarter of the work
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)]
            layers += [nn.MaxPool2d(2), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(2 * 96, _WIDTH)

    def forward(self, ink: Tensor) -> Tensor:
        """One vector ``(N, 96)`` for each picture."""
        found = self.layers(ink[:, None].contiguous(memory_format=torch.channels_last)).flatten(2)
        return torch.as_tensor(self.out(torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)))


def signal_layers(plan: tuple[tuple[int, int, int], ...]) -> nn.Sequential:
    """Convolutions of stride 2 over signals ``(N, 1, 1, samples)``, by channels before, after, and width.

    They are one pixel high and meant for channels_last, which halves their time on a CPU.
    """
    layers: list[nn.Module] = []
    for before, after, width in plan:
        layers += [nn.Conv2d(before, after, (1, width), stride=(1, 2), padding=(0, width // 2), bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class _SignalEncoder(nn.Module):
    """One lead in mV ``(N, samples)`` to a vector, by a plan of `signal_layers`."""

    def __init__(self, plan: tuple[tuple[int, int, int], ...]) -> None:
        super().__init__()
        self.layers = signal_layers(plan)
        self.out = nn.Linear(2 * plan[-1][1], _WIDTH)

    def forward(self, millivolts: Tensor) -> Tensor:
        lines = millivolts[:, None, None].contiguous(memory_format=torch.channels_last)
        found = self.layers(lines).flatten(2)
        return torch.as_tensor(self.out(torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)))


def _each(encoder: nn.Module, leads: Tensor) -> Tensor:
    """An encoder over the leads ``(N, 12, ...)`` of each page: ``(N, 12, 96)``."""
    found: Tensor = encoder(leads.flatten(0, 1))
    return found.view(*leads.shape[:2], -1)


def _as_ink(view: Tensor) -> Tensor:
    return view.float() / 255 if view.dtype == torch.uint8 else view


def _as_mv(view: Tensor) -> Tensor:
    return torch.nan_to_num(view).clamp(-LARGEST_MV, LARGEST_MV)
