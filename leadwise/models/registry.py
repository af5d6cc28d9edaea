"""A network by its name: built from its row, with random weights, published ones, or those of a file.

What there is, and what each takes in, stands in `leadwise.models.networks`.
"""

from __future__ import annotations

import logging
import re
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn

from leadwise.errors import SettingsError, WeightsError
from leadwise.models.classifier import Classifier, LeadClassifier
from leadwise.models.networks import Network, network
from leadwise.models.signal_nets import SignalClassifier
from leadwise.models.weights_file import HOLDS


def build(name: str, classes: int, weights: str = "random", input_px: int | None = None) -> Classifier:
    """Build a network with its preprocessing.

    `input_px` is the side of the square input of single leads; only a network of any size may have another than its
    own. `weights` is ``random``, ``pretrained`` (published weights, from the hub or its local cache; a new head of
    `classes` outputs) or the path of a safetensors file that leadwise wrote; where that holds a body alone, the head
    stays random. Random weights come from torch's global generator: seed it before.

    Raises `SettingsError` for an unknown name, `WeightsError` where weights cannot be had or do not fit.
    """
    known = network(name)
    side = input_px or known.input_px
    if side != known.input_px and not known.any_size:
        raise SettingsError(
            f"{name!r} takes crops of {known.input_px} px, not {side}: its positions are counted."
        )
    began_from = weights
    if weights == "pretrained":
        net = _download(known, classes)
        began_from = f"pretrained: {known.checkpoint}{f'@{known.revision}' if known.revision else ''}"
    elif weights == "random" or Path(weights).suffix == ".safetensors":
        net = known.make(classes)
    else:
        raise WeightsError(
            f"WEIGHTS is {weights!r}; it may be 'pretrained', 'random' or the path of a .safetensors file."
        )
    if known.answers_for == "leads":
        net = LeadClassifier(net, known, side)
    elif known.answers_for == "recordings":
        net = SignalClassifier(net)
    assert isinstance(net, Classifier)  # noqa: S101 - every builder of a page model gives one
    is_file = Path(weights).suffix == ".safetensors"
    net.called(known, f"file: {Path(weights).name}" if is_file else began_from)
    if is_file:
        load_weights(net, Path(weights))
    return net


def load_weights(model: nn.Module, path: Path) -> dict[str, str]:
    """Load a safetensors file into a model, every tensor or none, and return the file's metadata.

    Of a file that says that it holds a body alone, every tensor of that (`body_of`); the head stays as it is. Raises
    `WeightsError` where the file is missing, no safetensors, or holds other tensors or shapes.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(f"{path}: no such weights. Run the notebook that trains them first.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise WeightsError(
            f"{path}: not a safetensors file ({error}). Make or fetch it again: 'leadwise run --force --only' the "
            "notebook that trains it, if leadwise wrote it."
        ) from error
    expected = model.state_dict()
    if metadata.get(HOLDS) == "body" and isinstance(model, Classifier):
        expected = body_of(model)
    wrong = [
        k
        for k in expected.keys() | tensors.keys()
        if k not in expected or k not in tensors or expected[k].shape != tensors[k].shape
    ]
    if wrong:
        raise WeightsError(
            f"{path}: {len(wrong)} of {len(expected)} tensors do not fit {getattr(model, 'name', 'the model')}, "
            f"{min(wrong)!r} for one. Were these weights trained for another model or task?"
        )
    model.load_state_dict(tensors, strict=False)  # all that is expected is there, and nothing else
    return metadata


def body_of(model: Classifier) -> dict[str, Tensor]:
    """All tensors of a network but those of its head, which alone depend on what it is asked."""
    return {key: value for key, value in model.state_dict().items() if _part(model, key) != "head"}


def parameters_by_part(model: Classifier) -> dict[str, int]:
    """Number of parameters by part: ``{part: count}``, in the order in which the network's row names its parts."""
    counts: dict[str, int] = {}
    for key, value in model.named_parameters():
        part = _part(model, key)
        counts[part] = counts.get(part, 0) + value.numel()
    return {part: counts[part] for part in (*network(model.name).parts, "other") if part in counts}


def _part(model: Classifier, key: str) -> str:
    """The part of the network's row to which a tensor belongs, by its name."""
    parts = network(model.name).parts
    return next((name for name, pattern in parts.items() if re.search(pattern, key)), "other")


def _download(known: Network, classes: int) -> nn.Module:
    if known.checkpoint is None:
        raise WeightsError(
            f"No published weights exist for {known.name!r}: choose WEIGHTS = 'random' or a file."
        )
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # retries would be announced one by one
    try:
        with _cache_alone_if_unreachable():
            return known.make(classes, pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:  # the hub's own errors are OSErrors
        reason = str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
        raise WeightsError(
            f"The published weights of {known.name!r} ({known.checkpoint}) could not be had: {reason}. "
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
