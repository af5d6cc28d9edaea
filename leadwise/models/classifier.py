"""What a network that answers knows of itself: its name, what it takes in, what its weights began from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from leadwise.models.networks import Network


class Classifier(nn.Module):
    """A network with its preprocessing inside; takes its `views` by name, returns logits ``(N, classes)``.

    `leadwise.models.registry` builds it and tells it which row of the table it is (`called`).
    """

    name = "the model"
    views: tuple[str, ...] = ()
    samples: int | None = None
    began_from = "random"
    takes = ""
    """What goes in, in a few words."""
    taught = "trained on"
    """What is done to weights that were there before."""
    told: Mapping[str, str] = MappingProxyType({})
    """What the file that it was loaded from says of its training (`leadwise.models.hub`)."""

    def called(self, known: Network, began_from: str) -> None:
        """Note which network this is, and what its weights began from: ``random``, or a kind and ``: which``."""
        self.name, self.views, self.samples = known.name, known.views, known.samples
        self.began_from = began_from

    @property
    def preprocessing(self) -> dict[str, str]:
        """What a file of its weights says of what goes in."""
        length = {} if self.samples is None else {"samples": str(self.samples)}
        return {"views": ",".join(self.views), **length, "input": self.takes}

    @property
    def how_trained(self) -> str:
        """How to speak of this network once it is trained."""
        began = self.began_from
        return "trained from random weights" if began == "random" else f"{self.taught} ({began})"


class LeadClassifier(Classifier):
    """A network that answers for single leads, so that nobody can feed it wrongly.

    Takes uint8 crops ``(N, height, width)``, ink bright on black; returns logits ``(N, classes)``.
    Crops of another size than `input_px` are resized bilinearly with antialiasing; the published colours (dark ink on
    white paper, three equal channels) and the checkpoint's own mean and standard deviation are applied.
    """

    mean: Tensor
    std: Tensor
    takes = "uint8 crops, ink bright on black; inverted and normalised inside the model"
    taught = "fine-tuned"

    def __init__(self, net: nn.Module, known: Network, input_px: int) -> None:
        super().__init__()
        self.net = net
        self.input_px = input_px
        for key, value in zip(("mean", "std"), known.mean_std, strict=True):
            self.register_buffer(key, torch.tensor(value).view(1, 3, 1, 1), persistent=False)

    @property
    def preprocessing(self) -> dict[str, str]:
        """What a file of its weights says of what goes in."""
        return {
            "input_px": str(self.input_px),
            "mean": ",".join(f"{v:g}" for v in self.mean.flatten()),
            "std": ",".join(f"{v:g}" for v in self.std.flatten()),
            "input": self.takes,
        }

    def images(self, pixels: Tensor) -> Tensor:
        """Normalised images ``(N, 3, input_px, input_px)`` as the network sees them."""
        images = 1.0 - pixels.unsqueeze(1).float() / 255.0
        size = (self.input_px, self.input_px)
        if images.shape[-2:] != size:
            images = nn.functional.interpolate(images, size=size, mode="bilinear", antialias=True)
        return (images - self.mean) / self.std

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits ``(N, classes)`` of crops ``(N, height, width)``."""
        out = self.net(self.images(pixels))
        return out if isinstance(out, Tensor) else out.logits
