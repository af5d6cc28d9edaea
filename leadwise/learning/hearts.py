"""Hearts: what a page of any device says of NORM, MI, STTC, CD and HYP, of which several may hold.

Taught on one part of PTB-XL, from what a printed page bears: 2.5 s of each lead, columns one after another, and a
strip, in bands drawn at random. Nothing is chosen where it is tested: epochs are fixed, and the probabilities are
calibrated on inner parts of what it was taught on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leadwise.drawing.print_bands import in_a_band_at_random
from leadwise.drawing.trials import PRINT_FILTERS
from leadwise.folds.partition import Rows
from leadwise.learning.engine import Loss, Trained, train
from leadwise.learning.examples import Units
from leadwise.learning.export import describe, export
from leadwise.learning.history import Plan, forget_checkpoints
from leadwise.models import registry
from leadwise.models.joined_leads import JoinedLeads
from leadwise.models.networks import recipe
from leadwise.models.onnx_file import HEARTS
from leadwise.names import SUPERCLASSES, VERSION
from leadwise.sets.views import Views, levelled, views_of_recordings

NETWORK, RECIPE = "leads12_joined", "hearts"

BANDS = 4
"""Random bands of each recording, beside the known form's by both filters."""

INNER = 3
"""Parts of what is taught on, of which each is answered by a network that did not see it, to calibrate."""

_AT_ONCE = 256


def taught_views(paths: Sequence[Path], seed: int) -> Views:
    """Recordings as pages would print them, each in ``BANDS + 2`` ways, all ways of one after another; levelled.

    ``signals`` float32 ``(recordings * ways, 12, 312)`` and ``rhythm``. Raises what `read_record` raises.
    """
    rng = np.random.default_rng(seed)
    filters = dict(PRINT_FILTERS) | {f"random_{number}": in_a_band_at_random(rng) for number in range(BANDS)}
    seen = views_of_recordings(paths, filters)
    names = next(iter(seen.values()))
    ways = {name: np.stack([views[name] for views in seen.values()], axis=1) for name in names}
    return levelled(
        {name: view.reshape(-1, *view.shape[2:]).astype(np.float32) for name, view in ways.items()}
    )


def train_hearts(
    views: Views,
    stated: NDArray[np.bool_],
    rows: Rows,
    folder: Path,
    *,
    seed: int,
    epochs: int | None = None,
    max_steps: int | None = None,
) -> Trained:
    """Train one network on the recordings `rows` of `taught_views`, an epoch as many examples as recordings.

    `stated` ``(recordings, 5)``: whether each of SUPERCLASSES is. `folder` belongs to this training. Raises what
    `train` raises.
    """
    ways = len(views["signals"]) // len(stated)
    own = np.concatenate([np.asarray(rows) * ways + way for way in range(ways)])
    of_it = recipe(NETWORK, RECIPE)
    shutil.rmtree(folder, ignore_errors=True)  # a checkpoint there may be of other rows
    plan = Plan(own, {}, seed, epochs or of_it.epochs, epochs or of_it.epochs, max_steps, len(rows))
    examples = Units(views, np.zeros(len(views["signals"]), np.int64), SUPERCLASSES)
    trained = train(
        plan, examples, build, of_it, folder, loss=each_by_itself(np.repeat(stated, ways, axis=0))
    )
    forget_checkpoints(folder)
    return trained


def build() -> JoinedLeads:
    """The network, random weights from torch's generator."""
    network = registry.build(NETWORK, len(SUPERCLASSES))
    assert isinstance(network, JoinedLeads)  # noqa: S101 - by its name
    return network


def each_by_itself(stated: NDArray[np.bool_]) -> Loss:
    """Cross-entropy of each superclass by itself, their mean; `stated` ``(units, 5)`` by the rows of a batch."""
    truth = torch.from_numpy(stated.astype(np.float32))

    def loss(logits: Tensor, _: dict[str, Tensor], __: Tensor, rows: Tensor) -> Tensor:
        wanted = truth[rows.cpu()].to(logits.device)
        return nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted)

    return loss


@torch.no_grad()
def logits_of(network: nn.Module, views: Views) -> NDArray[np.float32]:
    """Logits ``(units, 5)`` of levelled views."""
    network.eval().cpu()
    starts = range(0, len(views["signals"]), _AT_ONCE)
    parts = [
        network(**{name: torch.from_numpy(view[start : start + _AT_ONCE]) for name, view in views.items()})
        for start in starts
    ]
    return np.asarray(torch.cat(parts).numpy())


def inner_parts(recordings: pd.DataFrame, seed: int) -> list[Rows]:
    """Rows of INNER parts of about equal size; all recordings of a patient, where that is known, are in one."""
    number = pd.factorize(recordings["patient_id"])[0]
    part = np.random.default_rng(seed).permutation(number.max() + 1) % INNER
    return [np.flatnonzero(part[number] == one) for one in range(INNER)]


def inner_logits(
    views: Views,
    stated: NDArray[np.bool_],
    parts: Sequence[Rows],
    train_on: Callable[[Rows, int], nn.Module],
) -> NDArray[np.float32]:
    """Logits ``(recordings, 5)`` of each recording by a network that did not see its part, as the form prints it.

    `train_on` gives a network of the rows of the other parts, and takes its number.
    """
    ways = len(views["signals"]) // len(stated)
    found = np.zeros(stated.shape, np.float32)
    for number, part in enumerate(parts):
        others = np.setdiff1d(np.arange(len(stated)), part)
        network = train_on(others, number)
        found[part] = logits_of(network, {name: view[part * ways] for name, view in views.items()})
    return found


def fit_sigmoids(logits: NDArray[np.floating], stated: NDArray[np.bool_]) -> pd.DataFrame:
    """For each superclass `slope` and `shift` of Platt's sigmoid ``1 / (1 + exp(-(slope * logit + shift)))``.

    Platt, "Probabilistic outputs for support vector machines" (1999), without its smoothing of labels. One that is
    stated of all, or of none, stays as it is.
    """
    from sklearn.linear_model import LogisticRegression

    rows = []
    for column, name in enumerate(SUPERCLASSES):
        truth, slope, shift = stated[:, column], 1.0, 0.0
        if 0 < truth.sum() < len(truth):
            fitted = LogisticRegression(C=1e6).fit(logits[:, [column]], truth)
            slope, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
        rows.append({"superclass": name, "slope": slope, "shift": shift})
    return pd.DataFrame(rows)


class Hearts(nn.Module):
    """Networks of several seeds as one: the mean of their logits, calibrated, as probabilities ``(N, 5)``."""

    slope: Tensor
    shift: Tensor

    def __init__(self, networks: Sequence[nn.Module], sigmoids: pd.DataFrame) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks).eval().cpu()
        for name in ("slope", "shift"):
            self.register_buffer(name, torch.tensor(sigmoids[name].to_numpy(np.float32)))

    def forward(self, signals: Tensor, rhythm: Tensor) -> Tensor:
        """Probabilities of levelled views."""
        logits = torch.stack([network(signals, rhythm) for network in self.networks]).mean(dim=0)
        return torch.sigmoid(logits * self.slope + self.shift)


def export_hearts(hearts: Hearts, path: Path, **told: str) -> None:
    """Write it as ONNX, sealed: `signals` and `rhythm` in, ``probabilities (N, 5)`` out; float32.

    `told` are protocol, data_fingerprint, trained_on and note.
    """
    some = {"signals": np.zeros((2, 12, 312), np.float32), "rhythm": np.zeros((2, 1250), np.float32)}
    export(hearts, some, ("probabilities",), path)
    said = {"format": HEARTS.name, "model": "hearts", "classes": ",".join(SUPERCLASSES)}
    describe(path, {**said, **HEARTS.preprocessing, "leadwise": VERSION, **told})
