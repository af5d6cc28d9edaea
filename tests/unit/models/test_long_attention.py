"""Attention over many steps says what torch's own says, and learns the same from it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from leadwise.models.long_attention import attend


@pytest.fixture
def mix() -> nn.MultiheadAttention:
    torch.manual_seed(1)
    return nn.MultiheadAttention(64, 8, batch_first=True)


@pytest.mark.parametrize("length", [1, 299, 300, 301, 900])
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])  # 30: some queries look at one step alone
def test_answers_and_gradients_are_those_of_torch(
    mix: nn.MultiheadAttention, length: int, scale: float
) -> None:
    given, weights = torch.randn(2, length, 64) * scale, torch.randn(2, length, 64)
    told: list[list[Tensor]] = []
    for narrow in (False, True):
        mix.zero_grad()
        steps = given.clone().requires_grad_()
        answer = attend(mix, steps) if narrow else mix(steps, steps, steps, need_weights=False)[0]
        (answer * weights).sum().backward()
        gradients = [steps.grad, *(value.grad for value in mix.parameters())]
        told.append([answer.detach(), *(one.clone() for one in gradients if one is not None)])
    assert len(told[0]) == len(told[1]) == 6
    for expected, found in zip(*told, strict=True):
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-4 * float(expected.abs().max()) + 1e-6)


def test_what_it_gives_is_float32_under_autocast(mix: nn.MultiheadAttention) -> None:
    steps = torch.randn(1, 30, 64)
    with torch.autocast("cpu", torch.bfloat16):
        found = attend(mix, steps.bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, attend(mix, steps), rtol=0.05, atol=0.02)
