"""Networks of single leads that others wrote, as transformers, timm and torchvision have them.

Each is built with random weights, or with those of a `checkpoint` and a new head. `revision` is the commit of the
checkpoint on the hub; without one the newest is taken.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn


def hugging_face(
    classes: int, *, kind: Literal["Beit", "ViT"], checkpoint: str | None = None, revision: str | None = None
) -> nn.Module:
    """A base network of transformers; `checkpoint` as the hub names it."""
    import transformers

    network = getattr(transformers, f"{kind}ForImageClassification")
    if checkpoint is not None:
        pinned = {"revision": revision} if revision else {}
        return network.from_pretrained(  # type: ignore[no-any-return]
            checkpoint, num_labels=classes, ignore_mismatched_sizes=True, use_safetensors=True, **pinned
        )
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


def timm_net(
    classes: int,
    *,
    architecture: str,
    checkpoint: str | None = None,
    revision: str | None = None,
    **options: Any,
) -> nn.Module:
    """A network of timm; `checkpoint` is the architecture with its tag, `options` are timm's."""
    import timm

    if revision:
        options |= {"pretrained_cfg_overlay": {"hf_hub_id": f"timm/{checkpoint}@{revision}"}}
    return timm.create_model(
        checkpoint or architecture, pretrained=checkpoint is not None, num_classes=classes, **options
    )


def mobilenet(classes: int, *, checkpoint: str | None = None, revision: str | None = None) -> nn.Module:
    """MobileNetV3-Small of torchvision, whose files have their checksum in their names and thus no `revision`."""
    from torchvision.models import MobileNet_V3_Small_Weights, mobilenet_v3_small

    net: nn.Module = mobilenet_v3_small()
    if checkpoint is not None:  # a checksum and tensors alone, never a pickle's code
        if revision:
            raise ValueError(f"torchvision has no revision {revision!r} of its weights")
        published = MobileNet_V3_Small_Weights[checkpoint.split()[-1]]
        net.load_state_dict(published.get_state_dict(check_hash=True, weights_only=True, progress=False))
    else:  # torchvision's 0.01 lags behind so few steps: answers in eval mode are then chance
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1
    # training on a processor takes two thirds of the time so (a transformer's patches are slower)
    net.get_submodule("features").register_forward_pre_hook(_channels_last)
    head = net.get_submodule("classifier")
    head[3] = nn.Linear(head[3].in_features, classes)  # type: ignore[operator, index]
    return net


def _channels_last(_: nn.Module, images: tuple[Tensor]) -> tuple[Tensor]:
    return (images[0].contiguous(memory_format=torch.channels_last),)
