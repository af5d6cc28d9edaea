"""The network for beats as one ONNX file that anyone can run, with all that `leadwise predict` must know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from leadwise.errors import WeightsError
from leadwise.learning.export import describe, export
from leadwise.models.onnx_file import BEATS
from leadwise.models.signal_nets import SignalClassifier
from leadwise.names import VERSION
from leadwise.recordings.beat_views import CUT, INTERVALS, LEADS


class _Shares(nn.Module):
    """A network for beats, its logits as probabilities."""

    def __init__(self, network: SignalClassifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, beat: Tensor, usual_beat: Tensor, intervals: Tensor) -> Tensor:
        return torch.softmax(self.network(beat=beat, usual_beat=usual_beat, intervals=intervals), dim=1)


def export_beats(network: SignalClassifier, path: Path, metadata: Mapping[str, str]) -> None:
    """Write ``beat_rhythm`` as ONNX, sealed: any number of beats in, ``probabilities (N, classes)`` out.

    `metadata` is what `beat_metadata` gives. The network is left ready to answer (`eval`). Raises `WeightsError` for
    any other network, since `leadwise predict` gives these views alone.
    """
    if network.name != "beat_rhythm":
        raise WeightsError(f"{network.name}: only beat_rhythm is exported for `leadwise predict`.")
    # ones, since two beats that are nothing at all are blown up by the height of their usual beat
    some = {
        "beat": np.ones((2, LEADS, CUT.samples), np.float32),
        "usual_beat": np.ones((2, LEADS, CUT.samples), np.float32),
        "intervals": np.ones((2, len(INTERVALS)), np.float32),
    }
    export(_Shares(network.eval().cpu()), some, ("probabilities",), path)
    describe(path, metadata)


def beat_metadata(network: SignalClassifier, classes: Sequence[str], **more: str) -> dict[str, str]:
    """What the file says of itself.

    `more` are protocol, data_fingerprint, trained_on, note, and records: the names, commas between them, of all
    records of the people whom it was shown.
    """
    return {
        "format": BEATS.name,
        "model": network.name,
        "classes": ",".join(classes),
        **BEATS.preprocessing,
        "leadwise": VERSION,
        **more,
    }
