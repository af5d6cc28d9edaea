"""What a network learned of one set of beats, taken to another: convolutions frozen, all of it tuned, or none.

After github.com/CVxTz/ECG_Heartbeat_Classification: all layers but the last are taken over, the last one is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from leadwise.errors import SettingsError, WeightsError, nearest
from leadwise.files import written_whole
from leadwise.folds.partition import Partition
from leadwise.folds.recordings import placed
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.signal_models import signal_partition
from leadwise.learning.study import Results, Study
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
    told = read_metadata(source)
    if lacking := {"model", "classes", "samples", "data_fingerprint"} - set(told):
        raise WeightsError(
            f"{source}: the file does not say its {min(lacking)!r}, so it cannot be told whether it fits. Begin from "
            "a file that leadwise wrote."
        )
    if told["model"] != model:
        raise WeightsError(
            f"{source}: these are weights of {told['model']!r}, not of {model!r}. Let MODEL name that network, or "
            "begin from another file."
        )
    own = network(model).samples
    if told["samples"] != str(own):
        raise WeightsError(
            f"{source}: this network learned from beats of {told['samples']} samples, and these have {own}. It would "
            "answer, and mean nothing: begin from another file."
        )
    learned = registry.build_page_model(model, len(told["classes"].split(",")), str(source)).state_dict()
    torch.manual_seed(seed)
    fresh = registry.build_page_model(model, len(TASKS[task]))
    last = [name for name, part in fresh.named_modules() if isinstance(part, nn.Linear)][-1]
    new = {key: value for key, value in fresh.state_dict().items() if key.startswith(f"{last}.")}
    with written_whole(target) as aside:
        # one word alone: several are written in a random order, and by another file all would be trained again
        told = {"data_fingerprint": told["data_fingerprint"]}
        save_file({key: value.contiguous() for key, value in (learned | new).items()}, aside, told)
    return target


def transfer_partition(beats: pd.DataFrame, folds: pd.DataFrame, protocol: str, seed: int) -> Partition:
    """One seed's five folds of beats (of `transfer_folds`) as `cross_fit` wants them.

    Under ``leaky_beats`` people are on both sides, on purpose; under any other protocol that raises `LeakError`, when
    training begins.
    """
    units = beats.rename(columns={"beat_id": "unit_id"})
    part = signal_partition(units, placed(beats, folds, protocol, seed), seed)
    if not protocol.startswith("leaky"):
        return part
    others = {
        fold: np.concatenate([rows for number, rows in part.rows.items() if number != fold])
        for fold in part.rows
    }
    return replace(part, trained=others)


def train_transfer(
    parameters: Any,
    beats: pd.DataFrame,
    rows: NDArray[np.floating],
    folds: pd.DataFrame,
    folder: Path,
    data_fingerprint: str,
    *,
    task: str,
    protocol: str,
    way: str,
    starts: Mapping[int, Path],
) -> Results:
    """Train ``parameters.MODEL`` on beats in one of WAYS over five folds, and answer for every beat.

    `beats` and `rows` as in `leadwise.sets.labelled_beats.LabelledBeats`, `folds` of `transfer_folds`; `starts` has
    by seed what `start_file` wrote for this task. All epochs are trained, nothing is chosen. Tables
    call the network by its way.
    """
    if way not in WAYS:
        raise SettingsError(f"no way of transfer is called {way!r}; {nearest(way, WAYS)}")
    pages = beats.rename(columns={"beat_id": "page_id"})
    parts = []
    for seed in parameters.SEEDS:
        part = transfer_partition(beats, folds, protocol, seed)
        weights = "random" if way == "scratch" else str(starts[seed])
        study = Study.of(
            parameters.model_copy(update={"WEIGHTS": weights}),
            task,
            parameters.MODEL,
            data_fingerprint,
            name=way,
            prefix=f"{way}-{protocol}",
            folds=tuple(part.folds),
            seeds=(seed,),
            inner=False,
            protocol=protocol,
            frozen=way == "frozen",
        )
        parts.append(cross_fit(study, {"heartbeat": rows}, pages, {seed: part}, folder))
    return Results.joined(parts)
