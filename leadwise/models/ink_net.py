"""A small network that tells what ink each pixel of an upright page has: a U-Net of a quarter of a million weights.

It works at half the page's resolution (pixels are unshuffled by 2 at its start and shuffled back at its end). Its
weights are normed and never what it sees: neither over a batch nor over the picture, so that a crop, a tile and a
whole page have the same answers. Norms of batches of crops that were chosen for ink lost half of the trace on whole
pages.
"""

from __future__ import annotations

import itertools
import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadwise.pages.ink_maps import KINDS

WIDTHS = (16, 24, 32, 48, 56)
"""Channels at 1/2, 1/4 ... 1/32 of the page's resolution."""

STRIDE = 2 ** len(WIDTHS)
"""Height and width of what goes in are multiples of it."""


_PAPER = 3.0  # most of a page is paper: a network that knows nothing yet says so


class InkNet(nn.Module):
    """Channels over the paper's in, as `leadwise.pages.ink.beside_paper` gives them, logits of KINDS out.

    ``(N, 3, height, width)`` and ``(N, 6, height, width)``.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        # at the finest level, where most of the time goes, one convolution each way
        self.down = nn.ModuleList(
            _Block(before, after, 2 if level else 1)
            for level, (before, after) in enumerate(pairwise((12, *widths)))
        )
        self.up = nn.ModuleList(
            _Block(deep + wide, wide, 2 if level else 1)
            for level, (wide, deep) in enumerate(pairwise(widths))
        )
        self.head = nn.Conv2d(widths[0], 4 * len(KINDS), 1)

    def forward(self, beside: Tensor) -> Tensor:
        """Logits; heights and widths that are no multiples of STRIDE raise torch's RuntimeError."""
        dark = 1 - beside.clamp(0.0, 1.25)
        x = functional.pixel_unshuffle(dark, 2)
        levels = []
        for number, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if number else x)
            levels.append(x)
        x = levels.pop()
        for block in reversed(self.up):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2.0), levels.pop()], dim=1))
        return functional.pixel_shuffle(self.head(x), 2) - _PAPER


class _Block(nn.Sequential):
    """So many convolutions of 3 x 3, each rectified."""

    def __init__(self, before: int, after: int, depth: int) -> None:
        layers = ((NormedConvolution(channels, after), nn.ReLU()) for channels in (before, after)[:depth])
        super().__init__(*itertools.chain.from_iterable(layers))


class NormedConvolution(nn.Conv2d):
    """3 x 3, its weights brought to mean 0 and such a spread that what comes out is as large as what went in.

    Brock et al., "Characterizing signal propagation to close the performance gap in unnormalized ResNets", ICLR 2021.
    A factor a channel is learned; all of it is a constant once the network is trained.
    """

    def __init__(self, before: int, after: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(before, after, 3, stride=stride, padding=dilation, dilation=dilation)
        self.gain = nn.Parameter(torch.ones(after, 1, 1, 1))
        self.spread = math.sqrt(2 / (1 - 1 / math.pi)) / math.sqrt(before * 9)  # half of it is lost in a ReLU

    def forward(self, x: Tensor) -> Tensor:
        """As `torch.nn.Conv2d`."""
        return functional.conv2d(x, self._normed(), self.bias, self.stride, self.padding, self.dilation)

    def as_plain(self) -> nn.Conv2d:
        """What it is once it is trained."""
        after, before = self.weight.shape[:2]
        plain = nn.Conv2d(before, after, 3, self.stride, self.padding, self.dilation)  # type: ignore[arg-type]
        plain.load_state_dict({"weight": self._normed().detach(), "bias": self.bias})
        return plain

    def _normed(self) -> Tensor:
        mean = self.weight.mean(dim=(1, 2, 3), keepdim=True)
        spread = self.weight.std(dim=(1, 2, 3), keepdim=True) + 1e-5
        return (self.weight - mean) / spread * (self.gain * self.spread)
