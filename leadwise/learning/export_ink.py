"""The ink network as one ONNX file for pages of any size, with what it was trained on in its notes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from leadwise.learning.export import describe, write_onnx
from leadwise.models.ink_net import STRIDE, InkNet
from leadwise.names import VERSION
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.ink_maps import KINDS


class _Shares(nn.Module):
    def __init__(self, network: InkNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, beside: Tensor) -> Tensor:
        return torch.sigmoid(self.network(beside))


def export_ink(network: InkNet, path: Path, metadata: Mapping[str, str]) -> None:
    """Write it as ONNX, sealed: ``beside (1, 3, height, width)`` in, ``kinds (1, 6, height, width)`` 0 to 1 out.

    Height and width are any multiples of `leadwise.models.ink_net.STRIDE`. `metadata` are protocol,
    data_fingerprint, trained_on and note; form and kinds are added.
    """
    some = torch.rand(1, 3, 3 * STRIDE, 5 * STRIDE)
    height, width = (STRIDE * torch.export.Dim(f"{side}_by_{STRIDE}", min=1) for side in ("height", "width"))
    write_onnx(_Shares(network.cpu()), (some,), ["beside"], ["kinds"], ({2: height, 3: width},), path)
    said = {"format": "ink 1", "model": "ink_net", "kinds": ",".join(KINDS), "px_per_mm": f"{PX_PER_MM:g}"}
    describe(path, said | {"leadwise": VERSION, **metadata})
