"""A Vision Transformer for the whole page as a picture, from random weights, as two published notebooks train it.

Source: github.com/MahsaBakhtiari/ECG_image_classification, ``vit_ecg_model.ipynb``: patches of 7 x 8 px, width 512,
eight pre-norm blocks of 32 heads and an MLP of 2048 with ReLU, learned positions, no class token, mean over patches,
no dropout; 25,734,660 parameters. ``page_vit_micro`` is the same at a size for two cores.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadwise.models.classifier import Classifier

PICTURE_PX = (182, 256)
"""Height and width of the page as this network sees it."""


class PagePicture(Classifier):
    """A page's picture, RGB uint8 ``(N, 182, 256, 3)``, to logits ``(N, classes)``; 0 to 255 becomes 0 to 1 inside.

    Patches are of `patch_px` (height, width); `width` is that of a token, `mlp` that of a block's inner layer.
    """

    takes = "the page as RGB uint8, 182 x 256 px, shrunk by area; divided by 255 inside"

    def __init__(
        self, classes: int, *, patch_px: tuple[int, int], width: int, depth: int, heads: int, mlp: int
    ) -> None:
        super().__init__()
        tokens = PICTURE_PX[0] // patch_px[0] * (PICTURE_PX[1] // patch_px[1])
        self.patches = nn.Conv2d(3, width, patch_px, stride=patch_px)
        self.place = nn.Parameter(0.02 * torch.randn(tokens, width))
        layer = nn.TransformerEncoderLayer(
            width,
            heads,
            mlp,
            dropout=0.0,
            activation="relu",
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, page: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        picture = page.permute(0, 3, 1, 2).float() / 255
        tokens = self.patches(picture).flatten(2).transpose(1, 2) + self.place
        return torch.as_tensor(self.head(self.blocks(tokens).mean(dim=1)))
