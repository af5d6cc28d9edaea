"""A small network that finds the printed names of leads: of each square millimetre, whose name has its middle there.

It is convolutional throughout, so that a crop and a whole page have the same answers, and sees some 15 mm around each
place: a whole name, and what stands beside it. Its weights are normed as those of the ink network are.
"""

from __future__ import annotations

from itertools import chain

import torch
from torch import nn

from leadwise.models.ink_net import NormedConvolution
from leadwise.pages.printed_names import KINDS

_NOTHING = 4.0  # nearly everywhere no name has its middle: a network that knows nothing yet says so
_LAYERS = (
    (1, 12, 1, 1),
    (12, 20, 2, 1),
    (20, 24, 1, 1),
    (24, 40, 2, 1),
    *((40, 40, 1, far) for far in (1, 2, 2, 1)),
)
"""Channels before and after, stride, dilation."""


class NameNet(nn.Sequential):
    """Ink ``(N, 1, height, width)`` in, 0 to 1, logits of KINDS out, ``(N, kinds, height / 4, width / 4)``."""

    def __init__(self) -> None:
        head = nn.Conv2d(_LAYERS[-1][1], len(KINDS), 1)
        nothing = torch.zeros(len(KINDS))
        nothing[0] = _NOTHING
        head.load_state_dict({"weight": torch.zeros_like(head.weight), "bias": nothing})
        layers = (
            (NormedConvolution(before, after, stride=stride, dilation=dilation), nn.ReLU())
            for before, after, stride, dilation in _LAYERS
        )
        super().__init__(*chain.from_iterable(layers), head)
