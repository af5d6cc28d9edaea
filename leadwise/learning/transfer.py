"""What a network learned of one set of beats, taken to another: convolutions frozen, all of it tuned, or none.

After github.com/CVxTz/ECG_Heartbeat_Classification: all layers but the last are taken over, the last one is new.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from leadwise.errors import WeightsError
from leadwise.files import written_whole
from leadwise.models import registry
from leadwise.models.networks import network
from leadwise.models.weights_file import read_metadata
from leadwise.names import TASKS

WAYS = ("scratch", "frozen", "tuned")
"""From random weights; the convolutions kept and the dense layers trained on; all of it trained on."""


def start_file(source: Path, model: str, task: str, seed: int, target: Path) -> Path:
    """Write the file from which a task is begun: all of `source` but its last layer, which is new, from `seed`.

    `source` is a ``.safetensors`` file that leadwise wrote of a network called `model`. Gives `target` back. Raises
    `WeightsError` where it is missing, of another network or another length of input, or does not say what it is.
    """
    metadata = read_metadata(source)
    if lacking := {"model", "classes", "samples", "data_fingerprint"} - set(metadata):
        raise WeightsError(
            f"{source}: the file does not say its {min(lacking)!r}, so it cannot be told whether it fits. Begin from "
            "a file that leadwise wrote."
        )
    if metadata["model"] != model:
        raise WeightsError(
            f"{source}: these are weights of {metadata['model']!r}, not of {model!r}. Let MODEL name that "
            "network, or begin from another file."
        )
    samples = network(model).samples
    if metadata["samples"] != str(samples):
        raise WeightsError(
            f"{source}: this network learned from beats of {metadata['samples']} samples, and these have {samples}. "
            "It would answer, and mean nothing: begin from another file."
        )
    learned = registry.build(model, len(metadata["classes"].split(",")), str(source)).state_dict()
    torch.manual_seed(seed)
    fresh = registry.build(model, len(TASKS[task]))
    last = [name for name, part in fresh.named_modules() if isinstance(part, nn.Linear)][-1]
    new = {key: value for key, value in fresh.state_dict().items() if key.startswith(f"{last}.")}
    with written_whole(target) as aside:
        # one word alone: several are written in a random order, and by another file all would be trained again
        kept = {"data_fingerprint": metadata["data_fingerprint"]}
        save_file({key: value.contiguous() for key, value in (learned | new).items()}, aside, kept)
    return target
