"""The student: the page model's task at a quarter of its work, without attention, for a laptop's processor.

One small encoder reads the signal of each lead and of the rhythm strip; the thirteen vectors, each at its lead's
place, go through one hidden layer to the answer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadwise.data.views import LARGEST_MV
from leadwise.models.leads12 import signal_layers
from leadwise.models.origin import how_trained

VIEWS = {"student12": ("signals", "rhythm")}
"""What it looks at: signals in mV ``(N, 12, 312)`` and ``(N, 1250)``, at 125 Hz."""

_PLAN = ((1, 16, 9), (16, 24, 9), (24, 32, 7), (32, 48, 5))  # channels before, after, and width of a filter
_LEAD, _PAGE = 24, 64  # numbers that stay of a lead, and of a page


class Student(nn.Module):
    """A small page model; takes ``signals`` and ``rhythm`` in mV, gives logits ``(N, classes)``."""

    def __init__(self, name: str, classes: int, began_from: str = "random") -> None:
        super().__init__()
        self.name, self.began_from, self.views = name, began_from, VIEWS[name]
        self.layers = signal_layers(_PLAN)
        self.lead = nn.Linear(2 * _PLAN[-1][1], _LEAD)
        self.page = nn.Sequential(nn.Dropout(0.2), nn.Linear(13 * _LEAD, _PAGE), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(_PAGE, classes))

    @property
    def preprocessing(self) -> dict[str, str]:
        """What a file of its weights says of what goes in."""
        return {"views": ",".join(self.views), "input": "signals in mV at 125 Hz, 0 where nothing was read"}

    @property
    def how_trained(self) -> str:
        """How to speak of this network once it is trained."""
        return how_trained(self.began_from, "trained on")

    def features(self, signals: Tensor, rhythm: Tensor) -> Tensor:
        """What it makes of each page before it answers: ``(N, 64)``."""
        leads = self._encoded(signals.flatten(0, 1)).view(-1, signals.shape[1], _LEAD)
        leads = torch.cat([leads, self._encoded(rhythm)[:, None]], dim=1)
        return torch.as_tensor(self.page(leads.flatten(1)))

    def forward(self, signals: Tensor, rhythm: Tensor, **_: Tensor) -> Tensor:
        """Logits ``(N, classes)``; views that only a teacher sees are left aside."""
        return torch.as_tensor(self.head(self.features(signals, rhythm)))

    def _encoded(self, millivolts: Tensor) -> Tensor:
        """Signals ``(N, samples)`` to ``(N, 24)``."""
        lines = millivolts.clamp(-LARGEST_MV, LARGEST_MV)[:, None, None]
        found = self.layers(lines.contiguous(memory_format=torch.channels_last)).flatten(2)
        both = torch.cat([found.mean(dim=2), found.amax(dim=2)], dim=1)
        return torch.as_tensor(nn.functional.relu(self.lead(both)))
