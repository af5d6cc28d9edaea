"""A trained network as a folder in the form of Hugging Face's hub: ``config.json`` and ``model.safetensors``."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save_file

from leadwise.errors import WeightsError
from leadwise.files import write_json, written_whole
from leadwise.models.classifier import Classifier
from leadwise.models.registry import build, load_weights
from leadwise.models.weights_file import read_metadata

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def from_file(path: Path) -> Classifier:
    """The network of a safetensors file of leadwise, in eval mode; `told` is what the file says of its training.

    Raises `WeightsError` where it is missing, or does not say which network it is, or does not fit it.
    """
    told = read_metadata(path)
    if not {"model", "classes"} <= told.keys():
        raise WeightsError(f"{path}: the file does not say of which network and classes it is.")
    network = build(told["model"], len(told["classes"].split(",")), input_px=_side(told))
    network.told = load_weights(network, path)
    return network.eval()


def save(network: Classifier, folder: Path) -> None:
    """Write a network that `from_file` or `load` gave as ``config.json`` and ``model.safetensors`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: value.contiguous().cpu() for key, value in network.state_dict().items()}
    with written_whole(folder / WEIGHTS) as aside:
        save_file(tensors, aside, {"format": "pt", **network.told})
    config = {**network.told, "classes": network.told["classes"].split(","), "views": list(network.views)}
    write_json({"architectures": [network.name], "library_name": "leadwise", **config}, folder / CONFIG)


def load(folder: Path) -> Classifier:
    """The network of such a folder, in eval mode.

    Raises `WeightsError` where one of the two files is missing, or they are of different networks.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{folder / CONFIG}: not there, or not to be read ({error}). `save` writes it."
        ) from error
    network = from_file(folder / WEIGHTS)
    told = network.told
    if (config.get("model"), config.get("classes")) != (told["model"], told["classes"].split(",")):
        raise WeightsError(
            f"{folder}: {CONFIG} tells of {config.get('model')!r}, {WEIGHTS} of {told['model']!r}."
        )
    return network


def _side(told: dict[str, str]) -> int | None:
    """The side of the square input of a network for single leads."""
    return int(told["input_px"]) if told.get("input_px") else None
