"""A network by name: how it is built, what it takes in, which weights it may begin from.

`vit_base`, `beit_base`, `deit_base` and `swin_tiny` are the checkpoints of the published work on these
pages; the `micro` networks carry the same ideas at a size that a laptop trains. Names and sizes are
listed at the end of this file; `build()` makes one.
"""

from __future__ import annotations

import logging
import socket
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from leadwise.errors import SettingsError, WeightsError, nearest
from leadwise.models import joined, leads12, page_vit, signal_nets
from leadwise.models.joined import JoinedLeads
from leadwise.models.lead_cnn import LeadCnn
from leadwise.models.leads12 import PageClassifier
from leadwise.models.origin import how_trained
from leadwise.models.page_vit import PagePicture
from leadwise.models.signal_nets import SignalClassifier

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))  # what the checkpoints of ViT and BEiT were trained with
PAPER_ZERO = ((1.0, 1.0, 1.0), (0.25, 0.25, 0.25))  # white paper becomes 0: for networks without a past


class LeadClassifier(nn.Module):
    """A network with its preprocessing inside, so that nobody can feed it wrongly.

    Takes uint8 crops ``(N, height, width)``, ink bright on black; returns logits ``(N, classes)``.
    Crops of another size are resized bilinearly with antialiasing; the published colours (dark ink on
    white paper, three equal channels) and the checkpoint's own mean and standard deviation are applied.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, net: nn.Module, name: str, input_px: int, mean_std: Any, began_from: str) -> None:
        super().__init__()
        self.net = net
        self.name = name
        self.input_px = input_px
        self.began_from = began_from
        for key, value in zip(("mean", "std"), mean_std, strict=True):
            self.register_buffer(key, torch.tensor(value).view(1, 3, 1, 1), persistent=False)

    @property
    def preprocessing(self) -> dict[str, str]:
        """What a file of its weights says of what goes in."""
        return {
            "input_px": str(self.input_px),
            "mean": ",".join(f"{v:g}" for v in self.mean.flatten()),
            "std": ",".join(f"{v:g}" for v in self.std.flatten()),
            "input": "uint8 crops, ink bright on black; inverted and normalised inside the model",
        }

    @property
    def how_trained(self) -> str:
        """How to speak of this network once it is trained: fine-tuned, or from random weights."""
        return how_trained(self.began_from, "fine-tuned")

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


PageModel = PageClassifier | PagePicture | JoinedLeads | SignalClassifier
"""A network that answers for whole pages, or for windows and beats of recordings."""

_MAKES: dict[str, Callable[..., PageModel]] = {
    **dict.fromkeys(leads12.VIEWS, PageClassifier),
    **dict.fromkeys(page_vit.VIEWS, PagePicture),
    **dict.fromkeys(joined.VIEWS, JoinedLeads),
    **dict.fromkeys(signal_nets.VIEWS, SignalClassifier),
}
VIEWS: dict[str, tuple[str, ...]] = {**leads12.VIEWS, **page_vit.VIEWS, **joined.VIEWS, **signal_nets.VIEWS}
"""What each of them takes in, by its name."""

Classifier = LeadClassifier | PageModel
"""A network that answers for single leads, or one that answers for whole pages."""


@dataclass(frozen=True)
class Entry:
    """What the registry knows of a network.

    `checkpoint` is where published weights come from, None where there are none at this size.
    `make(classes, pretrained)` builds the bare network. A transformer cuts its input into patches of
    `patch_px`; Swin attends within windows of `window` patches a side.
    """

    family: str
    input_px: int
    mean_std: tuple[tuple[float, ...], tuple[float, ...]]
    checkpoint: str | None
    make: Callable[[int, bool], nn.Module]
    patch_px: int | None = None
    window: int | None = None


def entry(name: str) -> Entry:
    """What is known of a network; raises `SettingsError` with the nearest right name."""
    if name not in _ENTRIES:
        raise SettingsError(f"No model is called {name!r}; {nearest(name, _ENTRIES)}")
    return _ENTRIES[name]


def build_page_model(name: str, classes: int, weights: str = "random") -> PageModel:
    """Build a network for whole pages (a name of `VIEWS`), from random weights or a safetensors file.

    Raises `SettingsError` for an unknown name, `WeightsError` where weights cannot be had or do not fit.
    """
    if name not in VIEWS:
        raise SettingsError(f"No page model is called {name!r}; {nearest(name, VIEWS)}")
    make = _MAKES[name]
    if weights == "random":
        return make(name, classes)
    if Path(weights).suffix != ".safetensors":
        raise WeightsError(f"WEIGHTS is {weights!r}; for {name!r} it may be 'random' or a .safetensors file.")
    model = make(name, classes, f"file: {Path(weights).name}")
    load_weights(model, Path(weights))
    return model


def build(name: str, classes: int, weights: str = "random", input_px: int | None = None) -> LeadClassifier:
    """Build a network that answers for single leads.

    `input_px` is the side of its square input; only a convolutional network may have another than its own.
    `weights` is ``random``, ``pretrained`` (published weights, from the hub or its local cache; a new
    head of `classes` outputs) or the path of a safetensors file that leadwise wrote. Random weights
    come from torch's global generator: seed it before.

    Raises `SettingsError` for an unknown name, `WeightsError` where weights cannot be had or do not fit.
    """
    known = entry(name)
    side = input_px or known.input_px
    if side != known.input_px and known.family != "cnn":
        raise SettingsError(
            f"{name!r} takes crops of {known.input_px} px, not {side}: its positions are counted."
        )
    if weights == "pretrained":
        if known.checkpoint is None:
            raise WeightsError(
                f"No published weights exist for {name!r}: choose WEIGHTS = 'random' or a file."
            )
        net = _download(name, known, classes)
        return LeadClassifier(net, name, side, known.mean_std, f"pretrained: {known.checkpoint}")
    if weights == "random":
        return LeadClassifier(known.make(classes, False), name, side, known.mean_std, "random")
    if Path(weights).suffix != ".safetensors":
        raise WeightsError(
            f"WEIGHTS is {weights!r}; it may be 'pretrained', 'random' or the path of a .safetensors file."
        )
    model = LeadClassifier(
        known.make(classes, False), name, side, known.mean_std, f"file: {Path(weights).name}"
    )
    load_weights(model, Path(weights))
    return model


def read_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says of itself; raises `WeightsError` where it is missing or none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: not a safetensors file ({error}).") from error


def load_weights(model: nn.Module, path: Path) -> dict[str, str]:
    """Load a safetensors file into a model, every tensor or none, and return the file's metadata.

    Raises `WeightsError` where the file is missing, no safetensors, or holds other tensors or shapes.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(f"{path}: no such weights. Run the notebook that trains them first.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a safetensors file ({error}).") from error
    own = model.state_dict()
    wrong = [
        k
        for k in own.keys() | tensors.keys()
        if k not in own or k not in tensors or own[k].shape != tensors[k].shape
    ]
    if wrong:
        raise WeightsError(
            f"{path}: {len(wrong)} of {len(own)} tensors do not fit {getattr(model, 'name', 'the model')}, "
            f"{min(wrong)!r} for one. Were these weights trained for another model or task?"
        )
    model.load_state_dict(tensors)
    return metadata


def parameters_by_part(model: LeadClassifier) -> dict[str, int]:
    """Number of parameters by part: ``{part: count}``, in the order of the data's way through the net."""
    counts: dict[str, int] = {}
    for key, value in model.net.named_parameters():
        part = next((name for name, marks in _PARTS.items() if any(mark in key for mark in marks)), "other")
        counts[part] = counts.get(part, 0) + value.numel()
    return {part: counts[part] for part in (*_PARTS, "other") if part in counts}


_PARTS = {
    "relative position bias": ("relative_position_bias",),
    "attention": (".attn.", ".attention."),
    "MLP": (".mlp.", ".intermediate.", ".output.dense"),
    "merging of patches": ("downsample",),
    "patch embedding": ("patch_embed",),
    "tokens and positions": ("cls_token", "dist_token", "pos_embed", "position_embeddings"),
    "head": ("head", "classifier"),
    "norms and scales": ("norm", "gamma", "lambda", ".ls"),
}


def _download(name: str, known: Entry, classes: int) -> nn.Module:
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # retries would be announced one by one
    try:
        with _cache_alone_if_unreachable():
            return known.make(classes, True)
    except (OSError, RuntimeError, ValueError) as error:  # the hub's own errors are OSErrors
        reason = str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
        raise WeightsError(
            f"The published weights of {name!r} ({known.checkpoint}) could not be had: {reason}. "
            "Connect this machine to the network once (they are cached), or choose WEIGHTS = 'random'."
        ) from error


@contextmanager
def _cache_alone_if_unreachable() -> Iterator[None]:
    """Ask the hub's cache alone where its host has no address: its retries would take a minute a model."""
    from huggingface_hub import constants

    was = constants.HF_HUB_OFFLINE
    try:
        if not urllib.request.getproxies():  # a proxy resolves names for us
            socket.getaddrinfo(urllib.parse.urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = was


def _hugging_face(kind: str, checkpoint: str) -> Callable[[int, bool], nn.Module]:
    def make(classes: int, pretrained: bool) -> nn.Module:
        import transformers

        network = getattr(transformers, f"{kind}ForImageClassification")
        if pretrained:
            return network.from_pretrained(checkpoint, num_labels=classes, ignore_mismatched_sizes=True)  # type: ignore[no-any-return]
        # the configurations' defaults are those of the two base checkpoints; BEiT's switches are not
        more = (
            {
                "use_relative_position_bias": True,
                "drop_path_rate": 0.1,
                "layer_scale_init_value": 0.1,
                "use_mask_token": False,
            }
            if kind == "Beit"
            else {}
        )
        return network(getattr(transformers, f"{kind}Config")(num_labels=classes, **more))  # type: ignore[no-any-return]

    return make


def _timm(checkpoint: str, **options: Any) -> Callable[[int, bool], nn.Module]:
    def make(classes: int, pretrained: bool) -> nn.Module:
        import timm

        return timm.create_model(checkpoint, pretrained=pretrained, num_classes=classes, **options)

    return make


def _mobilenet(classes: int, pretrained: bool) -> nn.Module:
    from torchvision.models import MobileNet_V3_Small_Weights, mobilenet_v3_small

    net: nn.Module = mobilenet_v3_small()
    if pretrained:  # a checksum and tensors alone, never a pickle's code
        published = MobileNet_V3_Small_Weights.IMAGENET1K_V1
        net.load_state_dict(published.get_state_dict(check_hash=True, weights_only=True, progress=False))
    if not pretrained:  # torchvision's 0.01 lags behind so few steps: answers in eval mode are then chance
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1
    head = net.get_submodule("classifier")
    head[3] = nn.Linear(head[3].in_features, classes)  # type: ignore[operator, index]
    return net


_VIT, _BEIT = "google/vit-base-patch16-224", "microsoft/beit-base-patch16-224"
_DEIT, _SWIN = "deit_base_distilled_patch16_224", "swin_tiny_patch4_window7_224"
# 96 px, width 96 (Swin 48 to 192), four blocks: each family's own traits at a size for two cores
_MICRO: dict[str, Any] = {"img_size": 96, "patch_size": 12, "embed_dim": 96, "depth": 4, "num_heads": 3}
_SWIN_MICRO: dict[str, Any] = {
    "img_size": 96, "embed_dim": 48, "depths": (1, 2, 1), "num_heads": (2, 4, 8), "window_size": 6,
}  # fmt: skip
_ENTRIES = {
    "beit_base": Entry("beit", 224, HALF, _BEIT, _hugging_face("Beit", _BEIT), 16),
    "deit_base": Entry("deit", 224, IMAGENET, _DEIT, _timm(_DEIT), 16),
    "swin_tiny": Entry("swin", 224, IMAGENET, _SWIN, _timm(_SWIN, drop_path_rate=0.1), 4, 7),
    "vit_base": Entry("vit", 224, HALF, _VIT, _hugging_face("ViT", _VIT), 16),
    "beit_micro": Entry(
        "beit", 96, PAPER_ZERO, None, _timm("beit_base_patch16_224", **_MICRO, drop_path_rate=0.1), 12
    ),
    "deit_micro": Entry("deit", 96, PAPER_ZERO, None, _timm(_DEIT, **_MICRO), 12),
    "swin_micro": Entry("swin", 96, PAPER_ZERO, None, _timm(_SWIN, **_SWIN_MICRO), 4, 6),
    "vit_micro": Entry("vit", 96, PAPER_ZERO, None, _timm("vit_base_patch16_224", **_MICRO), 12),
    "lead_cnn": Entry("cnn", 64, PAPER_ZERO, None, lambda classes, _: LeadCnn(classes)),
    "mobilenetv3_small": Entry(
        "cnn", 224, IMAGENET, "torchvision mobilenet_v3_small IMAGENET1K_V1", _mobilenet
    ),
}
