"""Networks of published coursework on single beats, each in the sizes of its report: beats ``(N, 187)`` to logits.

Source: the project of github.com/ceylanmesut on arrhythmia in MIT-BIH and PTB beats, which compares them on beats of
the same people. Parameters are counted as Keras does; torch gives a recurrent layer a second bias, which is
kept at zero here. Where its code errs, both what it does and what was meant is here. ``heartbeat_transformer`` is
promised there and missing: its design is ours, as is the autoencoder's. ``heartbeat_cnn`` is the baseline that it
compares with, of github.com/CVxTz/ECG_Heartbeat_Classification.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from leadwise.recordings.heartbeats import LENGTH


class Recurrent(nn.Module):
    """A recurrent layer over the beat, its padding left out, then dense layers on its last state.

    The zeros with which the format fills a beat up are no signal: the coursework masks them. Here they come after
    the last sample of either way through the beat, whose state is taken; torch's packed sequences do the same in
    several times the time, since their backward pass grows with the square of the steps.
    """

    def __init__(self, classes: int, *, cell: Literal["RNN", "LSTM"], both_ways: bool) -> None:
        super().__init__()
        kind = {"RNN": nn.RNN, "LSTM": nn.LSTM}[cell]
        cells = [kind(1, 128, batch_first=True) for _ in range(1 + both_ways)]
        for one in cells:
            _one_bias(one)
        self.cells = nn.ModuleList(cells)
        self.head = _dense((256 if both_ways else 128, 256, 128), classes, dropout=0.1)

    def forward(self, heartbeat: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        ends = true_lengths(heartbeat)[:, None] - 1
        forwards = heartbeat[:, : int(ends.max()) + 1]
        back = (ends - torch.arange(forwards.shape[1], device=ends.device)).clamp_min(0)
        rows = torch.arange(len(forwards), device=ends.device)
        last = [
            cell(way[:, :, None])[0][rows, ends[:, 0]]
            for cell, way in zip(self.cells, (forwards, forwards.gather(1, back)), strict=False)
        ]
        return torch.as_tensor(self.head(torch.cat(last, dim=1)))


class DilatedBiLstm(nn.Module):
    """Four dilated convolutions, each halved in time, a bidirectional LSTM of 20, dense layers at each step."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((1, 200), (200, 150), (150, 100), (100, 75)):
            layers += [nn.Conv1d(before, after, 3, dilation=2), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(0.05)]
        self.convolutions = nn.Sequential(*layers)
        self.cell = nn.LSTM(75, 20, batch_first=True, bidirectional=True)
        _one_bias(self.cell)
        self.steps = nn.Sequential(
            nn.Linear(40, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.3)
        )
        self.head = nn.Linear(7 * 128, classes)

    def forward(self, heartbeat: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        steps = self.convolutions(heartbeat[:, None]).transpose(1, 2)
        return torch.as_tensor(self.head(self.steps(self.cell(steps)[0]).flatten(1)))


class HalvedChannels(nn.Module):
    """What the coursework's pooling does: told that channels come first where they come last, it halves them."""

    def forward(self, found: Tensor) -> Tensor:
        """``(N, channels, samples)`` to half as many channels, each the larger of two neighbours."""
        return found.reshape(len(found), -1, 2, found.shape[2]).amax(dim=2)


class Spectrum(nn.Module):
    """Real and imaginary part of a beat's Fourier transform, ``(N, 2, 94)``; `masked` sets its padding to 0.5."""

    def __init__(self, *, masked: bool) -> None:
        super().__init__()
        self.masked = masked

    def forward(self, heartbeat: Tensor) -> Tensor:
        """``(N, 2, 94)``."""
        if self.masked:
            heartbeat = torch.where(within(heartbeat), heartbeat, 0.5)
        found = torch.fft.rfft(heartbeat.float(), dim=1)
        return torch.stack([found.real, found.imag], dim=1)


class ResidualUnit(nn.Module):
    """A bottleneck of a residual net of the second kind (He et al. 2016): norm and activation before convolutions."""

    def __init__(self, before: int, after: int, stride: int, *, first: bool, shortcut: bool) -> None:
        super().__init__()
        narrow = after // 4
        ready: list[nn.Module] = [] if first else [nn.BatchNorm1d(before), nn.ReLU()]
        self.layers = nn.Sequential(
            *ready, nn.Conv1d(before, narrow, 1, stride=stride),
            nn.BatchNorm1d(narrow), nn.ReLU(), nn.Conv1d(narrow, narrow, 3, padding=1),
            nn.BatchNorm1d(narrow), nn.ReLU(), nn.Conv1d(narrow, after, 1),
        )  # fmt: skip
        self.shortcut = nn.Conv1d(before, after, 1, stride=stride) if shortcut else nn.Identity()

    def forward(self, found: Tensor) -> Tensor:
        """The same, with what the unit adds."""
        return torch.as_tensor(self.shortcut(found) + self.layers(found))


class Autoencoder(nn.Module):
    """A beat to a code of 32 numbers and back, with a classifier on the code; ours.

    `reconstruct` is trained first, on beats without their classes (`Reconstruction`).
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Unflatten(1, (1, -1)),
            nn.Conv1d(1, 16, 7, stride=2, padding=3), nn.ReLU(), nn.Conv1d(16, 32, 5, stride=2, padding=2), nn.ReLU(),
            nn.Conv1d(32, 32, 5, stride=2, padding=2), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 24, 32),
        )  # fmt: skip
        self.decoder = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, LENGTH), nn.Sigmoid())
        self.head = _dense((32, 64), classes)

    def reconstruct(self, heartbeat: Tensor) -> Tensor:
        """The beat from its code, ``(N, 187)``."""
        return torch.as_tensor(self.decoder(self.encoder(heartbeat)))

    def forward(self, heartbeat: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        return torch.as_tensor(self.head(self.encoder(heartbeat)))


class Reconstruction(Autoencoder):
    """The same network while it learns to give beats back: its answer is the beat."""

    def forward(self, heartbeat: Tensor) -> Tensor:
        """The beat from its code, ``(N, 187)``."""
        return self.reconstruct(heartbeat)


class HeartbeatTransformer(nn.Module):
    """Patches of eleven samples as tokens of 64, positions, two blocks of attention, a class token; ours."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.patches = nn.Conv1d(1, 64, 11, stride=11)
        self.places = nn.Parameter(0.02 * torch.randn(LENGTH // 11 + 1, 64))
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, 64))
        layer = nn.TransformerEncoderLayer(
            64, 4, 128, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, classes))

    def forward(self, heartbeat: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        found = self.patches(heartbeat[:, None]).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(found), 1, -1), found], dim=1) + self.places
        return torch.as_tensor(self.head(self.blocks(tokens)[:, 0]))


def within(heartbeat: Tensor) -> Tensor:
    """Which samples of beats ``(N, 187)`` come no later than the last that is not zero."""
    return heartbeat.flip(1).cummax(dim=1).values.flip(1) > 0


def true_lengths(heartbeat: Tensor) -> Tensor:
    """Samples of each beat before its padding, at least one."""
    return within(heartbeat).sum(dim=1).clamp_min(1)


def mlp(classes: int) -> nn.Module:
    """One hidden layer of 256."""
    return _dense((LENGTH, 256), classes)


def baseline(classes: int, channels: int = 1) -> nn.Module:
    """Four pairs of convolutions without padding, the largest over time, two dense layers (CVxTz)."""
    layers: list[nn.Module] = [] if channels > 1 else [nn.Unflatten(1, (1, -1))]
    pairs = ((channels, 16, 5), (16, 32, 3), (32, 32, 3), (32, 256, 3))
    for before, after, width in pairs:
        layers += [nn.Conv1d(before, after, width), nn.ReLU(), nn.Conv1d(after, after, width), nn.ReLU()]
        last = after == pairs[-1][1]
        layers += [nn.AdaptiveMaxPool1d(1), nn.Dropout(0.2)] if last else [nn.MaxPool1d(2), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Flatten(), *_dense((256, 64, 64), classes))


def vanilla_cnn(classes: int, *, as_published: bool) -> nn.Module:
    """Three pairs of convolutions of width 5, the largest over time, dense 512 and 256; published: channels pool."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, -1))]
    before = 1
    for number, after in enumerate((16, 32, 64)):
        layers += [nn.Conv1d(before, after, 5), nn.ReLU(), nn.Conv1d(after, after, 5), nn.ReLU()]
        before = after
        if number < 2:
            layers.append(HalvedChannels() if as_published else nn.MaxPool1d(2))
            before = after // 2 if as_published else after
    layers += [nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, *_dense((64, 512, 256), classes))


def fourier(classes: int, *, masked: bool) -> nn.Module:
    """The baseline on the beat's spectrum; meant to have its padding replaced, which the published code forgets."""
    return nn.Sequential(Spectrum(masked=masked), baseline(classes, channels=2))


def resnet(classes: int, units: int) -> nn.Module:
    """Convolution 16 of width 7, three stages of 64, 128 and 256 of `units` bottlenecks: 9 x units + 2 layers."""
    layers: list[nn.Module] = [
        nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 16, 7, padding=3), nn.BatchNorm1d(16), nn.ReLU(),
    ]  # fmt: skip
    before = 16
    for stage, after in enumerate((64, 128, 256)):
        for unit in range(units):
            begins = unit == 0
            layers.append(
                ResidualUnit(
                    before, after, 2 if begins and stage else 1, first=begins and not stage, shortcut=begins
                )
            )
            before = after
    return nn.Sequential(
        *layers,
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(256, classes),
    )


def _dense(sizes: tuple[int, ...], classes: int, dropout: float = 0.0) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.Dropout(dropout)] if dropout else []), nn.Linear(sizes[-1], classes))


def _one_bias(cell: nn.RNNBase) -> None:
    """Keep the second of a recurrent layer's two biases at zero, as if there were one."""
    for name, value in cell.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(value)
            value.requires_grad = False
