"""A page model without attention: the vectors of all leads, each at its lead's place, joined.

One small encoder reads the signal of each lead and of the rhythm strip; the thirteen vectors go side by side through
one hidden layer to the answer. Its smaller size is the student, for a laptop's processor.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from leadwise.models.leads12 import signal_layers
from leadwise.models.origin import how_trained
from leadwise.sets.views import LARGEST_MV


@dataclass(frozen=True)
class _Size:
    """Layers as `signal_layers` takes them; how many numbers stay of a lead, and of a page."""

    plan: tuple[tuple[int, int, int], ...]
    lead: int
    page: int


_SIZES = {
    "leads12_joined": _Size(((1, 24, 9), (24, 32, 9), (32, 48, 7), (48, 64, 5)), lead=32, page=96),
    "student12": _Size(((1, 16, 9), (16, 24, 9), (24, 32, 7), (32, 48, 5)), lead=24, page=64),
}
VIEWS = dict.fromkeys(_SIZES, ("signals", "rhythm"))
"""What each of them looks at: signals in mV ``(N, 12, 312)`` and ``(N, 1250)``, at 125 Hz."""


class JoinedLeads(nn.Module):
    """A page model by its name in `VIEWS`; takes ``signals`` and ``rhythm`` in mV, gives logits ``(N, classes)``."""

    def __init__(self, name: str, classes: int, began_from: str = "random") -> None:
        super().__init__()
        self.name, self.began_from, self.views = name, began_from, VIEWS[name]
        size = _SIZES[name]
        self.layers = signal_layers(size.plan)
        self.lead = nn.Linear(2 * size.plan[-1][1], size.lead)
        self.page = nn.Sequential(nn.Dropout(0.2), nn.Linear(13 * size.lead, size.page), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(size.page, classes))

    @property
    def preprocessing(self) -> dict[str, str]:
        """What a file of its weights says of what goes in."""
        return {"views": ",".join(self.views), "input": "signals in mV at 125 Hz, 0 where nothing was read"}

    @property
    def how_trained(self) -> str:
        """How to speak of this network once it is trained."""
        return how_trained(self.began_from, "trained on")

    def features(self, signals: Tensor, rhythm: Tensor) -> Tensor:
        """What it makes of each page before it answers: ``(N, 64)`` of the student, ``(N, 96)``."""
        leads = self._encoded(signals.flatten(0, 1)).view(*signals.shape[:2], -1)
        leads = torch.cat([leads, self._encoded(rhythm)[:, None]], dim=1)
        return torch.as_tensor(self.page(leads.flatten(1)))

    def forward(self, signals: Tensor, rhythm: Tensor, **_: Tensor) -> Tensor:
        """Logits ``(N, classes)``; views that only a teacher sees are left aside."""
        return torch.as_tensor(self.head(self.features(signals, rhythm)))

    def _encoded(self, millivolts: Tensor) -> Tensor:
        """Signals ``(N, samples)`` to one vector each."""
        lines = millivolts.clamp(-LARGEST_MV, LARGEST_MV)[:, None, None]
        found = self.layers(lines.contiguous(memory_format=torch.channels_last)).flatten(2)
        both = torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)
        return torch.as_tensor(nn.functional.relu(self.lead(both)))
