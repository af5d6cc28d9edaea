"""Exact self-attention over many steps with narrow heads, in about half the processor time of torch's own.

With heads of 8 channels and 900 steps nearly all time goes into matrices that are 900 on both sides. They are made
here block by block, never kept, and lie so that every product runs along their rows; the backward pass makes them
again from the logarithm of each query's sum (Dao et al. 2022, FlashAttention). Measured in
``tests/benchmarks/bench_attention.py``.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

_BLOCK = 300  # queries at once: 900 x 300 numbers stay in a core's cache


def attend(mix: nn.MultiheadAttention, steps: Tensor) -> Tensor:
    """What `mix` (batch first, no dropout, no mask) makes of ``(N, steps, width)``: the same shape, float32 on a CPU.

    Elsewhere than on a CPU torch's own attention answers.
    """
    if steps.device.type != "cpu":
        return torch.as_tensor(mix(steps, steps, steps, need_weights=False)[0])
    with torch.autocast("cpu", enabled=False):
        windows, length, width = steps.shape
        heads, each = mix.num_heads, width // mix.num_heads
        parts = nn.functional.linear(steps.float(), mix.in_proj_weight, mix.in_proj_bias)
        parts = (
            parts.view(windows, length, 3, heads, each).permute(2, 0, 3, 1, 4).reshape(3, -1, length, each)
        )
        mixed = torch.as_tensor(_Narrow.apply(*parts.unbind()))
        mixed = mixed.view(windows, heads, length, each).transpose(1, 2).reshape(windows, length, width)
        return torch.as_tensor(mix.out_proj(mixed))


class _Narrow(torch.autograd.Function):
    """Softmax attention of queries, keys and values ``(N, steps, channels)``; rows of every big matrix are keys."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query = query * (math.log2(math.e) / math.sqrt(query.shape[2]))  # powers of two are quicker than of e
        with_ones = _beside(value, torch.ones_like(value[:, :, :1])).transpose(1, 2).contiguous()
        mixed, sums = torch.empty_like(value), value.new_empty(value.shape[:2])
        for one in range(len(query)):
            for start in range(0, query.shape[1], _BLOCK):
                seen = slice(start, start + _BLOCK)
                weights = key[one] @ query[one, seen].T
                highest = weights.amax(dim=0)
                told = with_ones[one] @ weights.sub_(highest).exp2_()
                mixed[one, seen] = (told[:-1] / told[-1]).T
                sums[one, seen] = highest + told[-1].log2()
        ctx.save_for_backward(query, key, value, mixed, sums)
        return mixed

    @staticmethod
    def backward(ctx: Any, *outgoing: Tensor) -> tuple[Tensor, ...]:
        query, key, value, mixed, sums = ctx.saved_tensors
        asked = outgoing[0].contiguous()
        ones = torch.ones_like(value[:, :, :1])
        keys, values = _beside(key, ones), _beside(value, ones)
        queries = _beside(query, -sums[:, :, None])
        wanted = _beside(asked, -(asked * mixed).sum(dim=2, keepdim=True))
        to_query, to_key, to_value = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
        for one in range(len(query)):
            for start in range(0, query.shape[1], _BLOCK):
                seen = slice(start, start + _BLOCK)
                weights = (keys[one] @ queries[one, seen].T).exp2_()
                to_value[one] += (asked[one, seen].T @ weights.T).T
                change = (values[one] @ wanted[one, seen].T).mul_(weights)
                to_query[one, seen] = (key[one].T @ change).T
                to_key[one] += (query[one, seen].T @ change.T).T
        back = 1 / math.sqrt(query.shape[2])  # the keys' own change took the queries as they were scaled
        return to_query * back, to_key * math.log(2), to_value


def _beside(first: Tensor, second: Tensor) -> Tensor:
    return torch.cat([first, second], dim=2)
