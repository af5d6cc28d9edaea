"""A page model without attention: the vectors of all leads, each at its lead's place, joined.

One small encoder reads the signal of each lead and of the rhythm strip; the thirteen vectors go side by side through
one hidden layer to the answer. Its smaller size is the student, for a laptop's processor.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadwise.models.classifier import Classifier
from leadwise.models.leads12 import signal_layers
from leadwise.sets.views import LARGEST_MV


class JoinedLeads(Classifier):
    """A page model: ``signals`` and ``rhythm`` in mV, ``(N, 12, 312)`` and ``(N, 1250)`` at 125 Hz, to logits.

    `plan` gives layers as `signal_layers` takes them; `lead` numbers stay of a lead, `page` of a page.
    """

    takes = "signals in mV at 125 Hz, 0 where nothing was read"

    def __init__(self, classes: int, *, plan: tuple[tuple[int, int, int], ...], lead: int, page: int) -> None:
        super().__init__()
        self.layers = signal_layers(plan)
        self.lead = nn.Linear(2 * plan[-1][1], lead)
        self.page = nn.Sequential(nn.Dropout(0.2), nn.Linear(13 * lead, page), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(page, classes))

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
