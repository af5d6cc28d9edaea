"""Where a transformer looks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leadwise.models.classifier import LeadClassifier


@torch.no_grad()
def attention_maps(model: LeadClassifier, pixels: Tensor) -> NDArray[np.float32]:
    """Attention of every layer and head, float32 ``(layers, N, heads, tokens, tokens)``; rows sum to 1.

    For ViT, DeiT and BEiT, whose blocks all see all tokens: first the class token (and DeiT's
    distillation token), then the patches row by row. `pixels` are uint8 crops ``(N, height, width)``.
    Raises ValueError for a network without such blocks (Swin attends within windows).
    """
    was_training = model.training
    model.eval()
    net: Any = model.net
    try:
        if hasattr(net, "config"):  # transformers
            net.set_attn_implementation("eager")
            layers = net(model.images(pixels), output_attentions=True).attentions
        else:
            layers = _of_timm(model, net, pixels)
    finally:
        model.train(was_training)
    return torch.stack(tuple(layers)).numpy()


def _of_timm(model: LeadClassifier, net: Any, pixels: Tensor) -> list[Tensor]:
    blocks = getattr(net, "blocks", None)
    if blocks is None:
        raise ValueError(f"{model.name} has no blocks in which every token sees every other.")
    layers: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        layers.append(inputs[0])

    hooks = [block.attn.attn_drop.register_forward_pre_hook(keep) for block in blocks]
    fused = [block.attn.fused_attn for block in blocks]
    try:
        for block in blocks:
            block.attn.fused_attn = False  # the fused kernel never forms the matrix
        model(pixels)
    finally:
        for block, was in zip(blocks, fused, strict=True):
            block.attn.fused_attn = was
        for hook in hooks:
            hook.remove()
    return layers


def look_of_token(maps: NDArray[np.float32], token: int = 0) -> NDArray[np.float32]:
    """What one token of the first crop attends to in the last layer, mean over heads: ``(side, side)``.

    `maps` as `attention_maps` gives them; the map covers the patches, row by row, and leaves out what
    the token gives to itself and to other tokens.
    """
    row = maps[-1, 0].mean(axis=0)[token]
    side = math.isqrt(len(row))  # one or two tokens stand before side * side patches
    return np.asarray(row[-side * side :].reshape(side, side))


@torch.no_grad()
def look_by_position(model: LeadClassifier, row: int, column: int) -> NDArray[np.float32]:
    """Where BEiT's patch at (row, column) would look by position alone: ``(side, side)``, sums to 1.

    Softmax of the last layer's relative position bias from this patch to all others, mean over heads: what
    attention would be if all patches held the same ink. Raises ValueError for a network without that bias.
    """
    tables = [p for key, p in model.net.named_parameters() if key.endswith("relative_position_bias_table")]
    offsets = math.isqrt(len(tables[-1])) if tables else 0  # 2 * side - 1 each way
    if not tables or offsets**2 + 3 != len(tables[-1]):  # the last three rows are the class token's
        raise ValueError(f"{model.name} has no relative position bias over all patches.")
    side = (offsets + 1) // 2
    bias = tables[-1][: offsets**2].T.reshape(-1, offsets, offsets)
    window = bias[:, row : row + side, column : column + side].flip(1, 2)
    share = window.flatten(1).softmax(dim=1).mean(dim=0)
    return np.asarray(share.reshape(side, side).numpy())
