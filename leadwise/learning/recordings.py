"""Networks for windows and beats of recordings, trained by the engine of the pages, over folds of whole records.

Outer fold 1 is the test set of a protocol that has one; the records of DS1 that are left out together are its inner
folds. Where nothing is chosen (`patient_folds` with fixed epochs, and the protocols that leak) there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadwise.folds.partition import LeftOut, Partition, partition
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.engine import Loss
from leadwise.learning.examples import Views
from leadwise.learning.segments import SegmentViews, with_segments
from leadwise.learning.study import Results, Study, TrainingSettings
from leadwise.models import registry
from leadwise.models.heartbeat_nets import Autoencoder
from leadwise.models.networks import network
from leadwise.models.signal_nets import AttentionNet, SignalClassifier
from leadwise.names import TASKS
from leadwise.recordings.beat_views import beat_views
from leadwise.scores.costs import ms_per_call

_AT_ONCE = 16  # each has 900 x 900 weights for each of eight heads


def train_recordings(
    settings: TrainingSettings,
    units: pd.DataFrame,
    views: Mapping[str, NDArray[Any]],
    folds: pd.DataFrame,
    folder: Path,
    data_fingerprint: str,
    *,
    task: str,
    protocol: str,
    model: str,
    seeds: Sequence[int],
    inner: bool = False,
    ask: bool = False,
    answer_test: bool = True,
    segments: SegmentViews | None = None,
    starts: Mapping[int, Path] | None = None,
    **more: Any,
) -> Results:
    """Train a network for recordings under one protocol and answer for the units left out.

    `units` is ``windows.csv`` or ``beats.csv`` (or of another set, with these columns), `views` are in its order.
    With `ask` there are also answers (role ``val``) for the part ``val``. With `answer_test` false the inner folds
    alone are trained and answered for. `segments` are other views of the units,
    which train where these do. `starts` are the files from which each seed begins; the autoencoder learns to give
    beats back first, from the beats that it is trained on and no others. `more` are fields of the study, as in
    `Study.of`. Raises what `partition`, `Study.of` and `cross_fit` raise.
    """
    parts = {seed: partition(units, folds, protocol, seed, task, ask=ask) for seed in seeds}
    inputs = dict(views)
    if segments is not None:
        inputs, parts = with_segments(inputs, parts, segments)
    more = {"name": model} | more

    def study_of(network_name: str, **changed: Any) -> Study:
        fields: dict[str, Any] = {
            "protocol": protocol,
            "seeds": tuple(seeds),
            "folds": parts[seeds[0]].tested,
        }
        fields |= {"inner": inner, **more, **changed}
        fields |= {"prefix": f"{fields['name']}-{protocol}"}
        return Study.of(settings, task, network_name, data_fingerprint, **fields)

    results = []
    if begins := network(model).learned_first:
        first = study_of(begins, name=begins)
        learned = cross_fit(first, inputs, parts, folder, loss_for=GivenBack(), answer_test=False)
        starts = {
            seed: folder / "weights" / f"{name}.safetensors"
            for seed, name in zip(seeds, learned.networks, strict=True)
        }
        results.append(replace(learned, chosen={}, candidates={}, networks=[]))
    if starts is None:
        return cross_fit(study_of(model), inputs, parts, folder, answer_test=answer_test)
    for seed in seeds:
        study = study_of(model, seeds=(seed,), weights=str(starts[seed]))
        results.append(cross_fit(study, inputs, {seed: parts[seed]}, folder, answer_test=answer_test))
    return Results.joined(results)


class GivenBack:
    """The loss of an autoencoder: the beat ``(N, 187)`` itself is what it shall answer; classes are not looked at."""

    code = ("leadwise.learning.recordings:given_back",)

    def made_of(self, *_: object) -> list[Any]:
        """Nothing of it can be set."""
        return []

    def __call__(self, part: Partition, left_out: LeftOut, loss: Loss) -> Loss:  # noqa: ARG002
        """The same for every training."""
        return given_back


def given_back(logits: Tensor, views: Views, _: Tensor, __: Tensor) -> Tensor:
    """Mean squared difference between an answer and the beat that was asked about."""
    return torch.nn.functional.mse_loss(logits.float(), views["heartbeat"].float())


@torch.no_grad()
def network_costs(name: str, results: Results, views: Mapping[str, NDArray[Any]]) -> dict[str, float | str]:
    """What one network costs: `model, parameters, epochs, s_per_epoch, ms_per_beat`.

    Seconds are those of its trainings in `results` that leave out the test set alone, the median between two notes of
    the loss, so that a pause does not count; milliseconds, of one beat at a time in fp32 on this process's threads,
    are the fastest.
    """
    model = registry.build(name, len(TASKS["aami5"])).eval()
    beat = {view: torch.from_numpy(np.asarray(views[view][:1])) for view in model.views}
    history = results.history[results.history["role"] == "test"]
    by_seed = history[history["model"].str.startswith(f"{name}-")].sort_values("epoch").groupby("seed")
    noted = by_seed[["epoch", "seconds"]].diff().dropna()
    return {
        "model": name,
        "parameters": sum(value.numel() for value in model.parameters() if value.requires_grad),
        "epochs": float(by_seed["epoch"].max().mean()),
        "s_per_epoch": float((noted["seconds"] / noted["epoch"]).median()),
        "ms_per_beat": ms_per_call(lambda: model(**beat)),
    }


@torch.no_grad()
def reconstructed(model: SignalClassifier, beats: NDArray[np.floating]) -> NDArray[np.float32]:
    """Beats of the published format as an autoencoder gives them back from its code, float32 ``(beats, 187)``."""
    assert isinstance(model.net, Autoencoder)  # noqa: S101 - no other network has a code
    return np.asarray(model.net.reconstruct(torch.from_numpy(np.float32(beats))).numpy(), np.float32)


def all_beat_views(beats: pd.DataFrame, cut: NDArray[np.floating]) -> dict[str, NDArray[np.float16]]:
    """All beats of ``beats.csv`` and ``beats.npy`` as `beat_views` makes them, record by record."""
    parts = [
        beat_views(cut[rows], beats["time_s"].to_numpy()[rows])
        for rows in beats.groupby("record", sort=False).indices.values()
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@torch.no_grad()
def attention_of(model: SignalClassifier, windows: NDArray[np.floating]) -> NDArray[np.float32]:
    """How much each step of some windows is looked at, float32 ``(windows, 900)`` (`AttentionNet.attention`)."""
    assert isinstance(model.net, AttentionNet)  # noqa: S101 - no other network has any
    parts = [
        model.net.attention(torch.from_numpy(np.float32(windows[start : start + _AT_ONCE]))).numpy()
        for start in range(0, len(windows), _AT_ONCE)
    ]
    return np.concatenate(parts)
