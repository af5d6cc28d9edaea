"""A Vision Transformer for the whole page as a picture, from random weights, as two published notebooks train it.

Source: github.com/MahsaBakhtiari/ECG_image_classification, ``vit_ecg_model.ipynb``: patches of 7 x 8 px, width 512,
eight pre-norm blocks of 32 heads and an MLP of 2048 with ReLU, learned positions, no class token, mean over patches,
no dropout; 25,734,660 parameters. ``page_vit_micro`` is the same at a size for two cores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from leadwise.models.origin import how_trained

PICTURE_PX = (182, 256)
"""Height and width of the page as this network sees it."""


@dataclass(frozen=True)
class Size:
    """Patches of `patch_px` (height, width); `width` is that of a token, `mlp` that of a block's inner layer."""

    patch_px: tuple[int, int]
    width: int
    depth: int
    heads: int
    mlp: int


SIZES = {
    "page_vit": Size((7, 8), 512, 8, 32, 2048),
    "page_vit_micro": Size((14, 16), 96, 4, 4, 384),
}

VIEWS = dict.fromkeys(SIZES, ("page",))
"""What these networks take in: ``page``, uint8 ``(N, 182, 256, 3)``, RGB."""


class PagePicture(nn.Module):
    """A page's picture to logits ``(N, classes)``; 0 to 255 becomes 0 to 1 inside."""

    def __init__(self, name: str, classes: int, began_from: str = "random") -> None:
        super().__init__()
        self.name, self.began_from, self.views = name, began_from, VIEWS[name]
        size = SIZES[name]
        tokens = PICTURE_PX[0] // size.patch_px[0] * (PICTURE_PX[1] // size.patch_px[1])
        self.patches = nn.Conv2d(3, size.width, size.patch_px, stride=size.patch_px)
        self.place = nn.Parameter(0.02 * torch.randn(tokens, size.width))
        layer = nn.TransformerEncoderLayer(
            size.width,
            size.heads,
            size.mlp,
            dropout=0.0,
            activation="relu",
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerEncoder(
            layer, size.depth, nn.LayerNorm(size.width), enable_nested_tensor=False
        )
        self.head = nn.Linear(size.width, classes)

    @property
    def preprocessing(self) -> dict[str, str]:
        """What a file of its weights says of what goes in."""
        return {
            "views": "page",
            "input": "the page as RGB uint8, 182 x 256 px, shrunk by area; divided by 255 inside",
        }

    @property
    def how_trained(self) -> str:
        """How to speak of this network once it is trained."""
        return how_trained(self.began_from, "trained on")

    def forward(self, page: Tensor) -> Tensor:
        """Logits ``(N, classes)``."""
        picture = page.permute(0, 3, 1, 2).float() / 255
        tokens = self.patches(picture).flatten(2).transpose(1, 2) + self.place
        return torch.as_tensor(self.head(self.blocks(tokens).mean(dim=1)))
