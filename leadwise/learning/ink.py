"""Training of networks that look at drawn pages' ink; and the loss of the one that tells inks apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from leadwise.files import written_whole
from leadwise.pages.ink_maps import KINDS

N = TypeVar("N", bound=nn.Module)

WEIGHTS: Mapping[str, float] = {
    "trace": 1.0, "text": 1.0, "pulse": 0.75, "separator": 0.75, "coarse": 0.25, "fine": 0.25
}  # fmt: skip
"""How much each kind weighs in the loss: the reader follows traces and leaves words out; grids are found without."""

_MISSED = (
    2.0  # what is missed of a trace weighs more: a level one may as well be a separator, and rows need it
)
_WARM_STEPS = 200
_COOL_SHARE = 0.3  # of all steps, at the end: the rate falls to nothing
_KEPT = 0.997  # of the running mean of weights, a step: it is some 300 steps long


@dataclass(frozen=True)
class Recipe:
    """How long and how fast: `steps` of `batch` crops, Adam at `rate`; a page is drawn every `renew_every` steps."""

    steps: int
    batch: int = 8
    rate: float = 3e-3
    weight_decay: float = 1e-4
    renew_every: int = 5


class Supply(Protocol):
    """What is learned from: what `batch` gives goes into the network first, the rest into the loss."""

    def renew(self) -> object:
        """Put a new page in an old one's place."""

    def batch(self, crops: int) -> tuple[NDArray[Any], ...]:
        """So many crops and their truth."""


class Training(Generic[N]):
    """A network of pages' ink in training: weights, their running mean, which is what is used, and the optimizer.

    `network` makes it, twice; `loss` is that of its logits, of a kind that `Supply.batch` tells.
    """

    def __init__(
        self, recipe: Recipe, seed: int, network: Callable[[], N], loss: Callable[..., Tensor]
    ) -> None:
        torch.manual_seed(seed)
        self.recipe, self.loss, self.step = recipe, loss, 0
        self.network = network().to(memory_format=torch.channels_last)
        self.mean = network().to(memory_format=torch.channels_last).eval().requires_grad_(requires_grad=False)
        self.mean.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), recipe.rate, weight_decay=recipe.weight_decay
        )

    def run(self, store: Supply) -> Iterator[tuple[int, float]]:
        """Train to the recipe's last step; each step and its loss."""
        while self.step < self.recipe.steps:
            if self.step % self.recipe.renew_every == 0:
                store.renew()
            crops, *truth = (torch.from_numpy(part) for part in store.batch(self.recipe.batch))
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.rate * self._share()
            found = self.loss(self.network(crops.contiguous(memory_format=torch.channels_last)), *truth)
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
        with written_whole(path) as aside:
            save_file(
                {name: value.contiguous() for name, value in held.items()}, aside, {"step": str(self.step)}
            )

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


def loss(logits: Tensor, kinds: Tensor, judged: Tensor) -> Tensor:
    """Cross entropy and one minus soft Dice, a kind each, weighed by WEIGHTS.

    Logits and kinds are ``(N, 6, height, width)``; `judged` ``(N, 6)`` says of which crops a kind is known.
    """
    weights = logits.new_tensor([WEIGHTS[kind] for kind in KINDS])
    known = judged.float()
    missed = logits.new_tensor([_MISSED if kind == "trace" else 1.0 for kind in KINDS])[:, None, None]
    entropy = functional.binary_cross_entropy_with_logits(logits, kinds, reduction="none", pos_weight=missed)
    entropy = entropy.mean(dim=(2, 3))
    entropy = (entropy * known).sum(dim=0) / known.sum(dim=0).clamp_min(1)
    share = torch.sigmoid(logits)

    def total(values: Tensor) -> Tensor:
        return (values.sum(dim=(2, 3)) * known).sum(dim=0)

    both, true = total(share * kinds), total(kinds * kinds)
    dice = (2 * both + 1) / (total(share * share) + true + 1)
    dice = torch.where(true > 0, dice, 1.0)  # or a kind that few crops have would best be never said
    return ((4 * entropy + 1 - dice) * weights).sum() / weights.sum()
