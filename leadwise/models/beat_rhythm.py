"""Our network for beats: the beat beside the usual beat of its record, and its place in the rhythm, to one answer.

Which channel lies where differs between records, so each training beat is seen in a random mix of its two leads
(`leadwise.learning.augment`), and an answer is the mean of what each lead by itself says.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadwise.recordings.beat_views import INTERVALS

MIXES = ((1.0, 0.0), (0.0, 1.0))
"""The mixes of the two leads that are asked: each by itself."""

MARGIN = 8
"""Samples at either end that training may shift a beat by, and that an answer leaves out."""

_LEAST = 0.3  # of the usual beat's height: a mix in which it cancels out is not blown up
_WAVES = slice(22, 92)


class BeatRhythm(nn.Module):
    """Views of `leadwise.recordings.beat_views` to logits; of two leads, or (in training) of one mix of them."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, width in ((2, 24, 7), (24, 32, 5), (32, 48, 5), (48, 64, 3)):
            layers += [nn.Conv1d(before, after, width, stride=2, padding=width // 2, bias=False)]
            layers += [nn.BatchNorm1d(after), nn.ReLU()]
        self.beat = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.25), nn.Linear(8 * 64, 48))
        many = len(INTERVALS)
        self.intervals = nn.Sequential(
            nn.BatchNorm1d(many), nn.Linear(many, 48), nn.ReLU(), nn.Linear(48, 32)
        )
        self.head = nn.Sequential(
            nn.BatchNorm1d(80), nn.ReLU(), nn.Dropout(0.25), nn.Linear(80, 64), nn.ReLU(), nn.Dropout(0.25),
            nn.Linear(64, classes),
        )  # fmt: skip

    def forward(self, beat: Tensor, usual_beat: Tensor, intervals: Tensor) -> Tensor:
        """Logits ``(N, classes)``; of two leads the logarithm of the mean probability over `MIXES`."""
        if beat.shape[1] == 1:
            return self.of_mix(beat[:, 0], usual_beat[:, 0], intervals)
        parts = []
        for shares in MIXES:
            mixed, usual = mix(beat, usual_beat, torch.tensor([shares], dtype=beat.dtype, device=beat.device))
            kept = slice(MARGIN, mixed.shape[1] - MARGIN)
            parts.append(self.of_mix(mixed[:, kept], usual[:, kept], intervals).softmax(dim=1))
        return torch.log(torch.stack(parts).mean(dim=0) + 1e-7)

    def of_mix(self, beat: Tensor, usual: Tensor, intervals: Tensor) -> Tensor:
        """Logits of one mix ``(N, 128)``."""
        seen = self.beat(torch.stack([beat, beat - usual], dim=1))
        return torch.as_tensor(self.head(torch.cat([seen, self.intervals(intervals)], dim=1)))


def mix(beat: Tensor, usual: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Both leads ``(N, 2, samples)`` added up by `shares` ``(N or 1, 2)``, the usual beat's height made 1 again."""
    mixed, usual_mixed = ((view * shares[:, :, None]).sum(dim=1) for view in (beat, usual))
    waves = usual_mixed[:, _WAVES]
    height = (waves.amax(dim=1) - waves.amin(dim=1)).clamp_min(_LEAST)[:, None]
    return mixed / height, usual_mixed / height
