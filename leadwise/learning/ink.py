"""Training of the ink network on crops of drawn pages, and how well it tells one ink from another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from leadwise.drawing.ink_crops import LEVELS, Crop
from leadwise.learning.ink_supply import Store
from leadwise.models.ink_net import InkNet
from leadwise.pages.ink_maps import KINDS

WEIGHTS: Mapping[str, float] = {
    "trace": 1.0, "text": 1.0, "pulse": 0.5, "separator": 0.5, "coarse": 0.25, "fine": 0.25
}  # fmt: skip
"""How much each kind weighs in the loss: the reader follows traces and leaves words out; grids are found without."""

_WARM_STEPS = 200
_COOL_SHARE = 0.3  # of all steps, at the end: the rate falls to nothing
_KEPT = 0.997  # of the running mean of weights, a step: it is some 300 steps long
_HELD = 0.5  # a pixel is ink where at least half of it is covered


@dataclass(frozen=True)
class Recipe:
    """How long and how fast: `steps` of `batch` crops, Adam at `rate`; a page is drawn every `renew_every` steps."""

    steps: int
    batch: int = 8
    rate: float = 3e-3
    weight_decay: float = 1e-4
    renew_every: int = 5


class Training:
    """An ink network in training: the weights, their running mean, which is what is used, and the optimizer."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        torch.manual_seed(seed)
        self.recipe, self.step = recipe, 0
        self.network = InkNet().to(memory_format=torch.channels_last)
        self.mean = InkNet().to(memory_format=torch.channels_last).eval().requires_grad_(requires_grad=False)
        self.mean.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), recipe.rate, weight_decay=recipe.weight_decay
        )

    def run(self, store: Store) -> Iterator[tuple[int, float]]:
        """Train to the recipe's last step; each step and its loss."""
        while self.step < self.recipe.steps:
            if self.step % self.recipe.renew_every == 0:
                store.renew()
            beside, kinds = (torch.from_numpy(part) for part in store.batch(self.recipe.batch))
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.rate * self._share()
            found = loss(self.network(beside.contiguous(memory_format=torch.channels_last)), kinds)
            self.optimizer.zero_grad(set_to_none=True)
            found.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            kept = min(_KEPT, self.step / (self.step + 10))
            with torch.no_grad():
                for mean, now in zip(self.mean.parameters(), self.network.parameters(), strict=True):
                    mean.lerp_(now, 1 - kept)
            yield self.step, float(found.detach())

    def save(self, path: Path) -> None:
        """All that `resume` needs, as safetensors."""
        held = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        held |= {f"mean.{name}": value for name, value in self.mean.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            held |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        part = path.with_suffix(".part")
        save_file({name: value.contiguous() for name, value in held.items()}, part, {"step": str(self.step)})
        part.replace(path)

    def resume(self, path: Path) -> None:
        """Go on where `save` left off."""
        held = load_file(path)
        for prefix, network in (("network.", self.network), ("mean.", self.mean)):
            network.load_state_dict(
                {name.removeprefix(prefix): value for name, value in held.items() if name.startswith(prefix)}
            )
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in held.items():
            if name.startswith("optimizer."):
                _, number, what = name.split(".")
                state.setdefault(int(number), {})[what] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.step = int(state[0]["step"]) if state else 0

    def _share(self) -> float:
        """Of the recipe's rate at this step: it rises, stays, and falls at the end."""
        left = (self.recipe.steps - self.step) / (_COOL_SHARE * self.recipe.steps)
        return min(1.0, (self.step + 1) / _WARM_STEPS, max(left, 0.0))


def loss(logits: Tensor, kinds: Tensor) -> Tensor:
    """Cross entropy and one minus soft Dice, a kind each, weighed by WEIGHTS; both ``(N, 6, height, width)``."""
    weights = logits.new_tensor([WEIGHTS[kind] for kind in KINDS])
    entropy = functional.binary_cross_entropy_with_logits(logits, kinds, reduction="none").mean(dim=(0, 2, 3))
    share = torch.sigmoid(logits)
    both = (share * kinds).sum(dim=(0, 2, 3))
    dice = (2 * both + 1) / ((share * share).sum(dim=(0, 2, 3)) + (kinds * kinds).sum(dim=(0, 2, 3)) + 1)
    return ((4 * entropy + 1 - dice) * weights).sum() / weights.sum()


@torch.inference_mode()
def shares(network: InkNet, crop: Crop) -> NDArray[np.float32]:
    """What the network says of a crop, 0 to 1, ``(6, side, side)``."""
    beside = torch.from_numpy(crop.beside[None].astype(np.float32) / LEVELS)
    return np.asarray(torch.sigmoid(network(beside.contiguous(memory_format=torch.channels_last)))[0].numpy())


def dice(said: Sequence[NDArray[np.bool_]], true: Sequence[NDArray[np.bool_]]) -> float:
    """Twice the pixels that are both over the sum of both, of all pictures together; nan where there are none."""
    both = sum(int((a & b).sum()) for a, b in zip(said, true, strict=True))
    all_of_them = sum(int(a.sum()) + int(b.sum()) for a, b in zip(said, true, strict=True))
    return 2 * both / all_of_them if all_of_them else math.nan


def dice_by_kind(network: InkNet, pictures: Sequence[Crop]) -> dict[str, float]:
    """Dice of each kind over some crops."""
    said = [shares(network, crop) >= _HELD for crop in pictures]
    true = [crop.kinds >= 255 * _HELD for crop in pictures]
    return {
        kind: dice([each[number] for each in said], [each[number] for each in true])
        for number, kind in enumerate(KINDS)
    }
