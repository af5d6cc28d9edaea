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

from leadwise.errors import InputError
from leadwise.folds.pages import assert_disjoint
from leadwise.folds.partition import Partition, Rows
from leadwise.folds.recordings import placed
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.engine import Loss
from leadwise.learning.examples import Views
from leadwise.learning.segments import Twins, added
from leadwise.learning.study import Results, Study
from leadwise.models import registry
from leadwise.models.heartbeat_nets import Autoencoder
from leadwise.models.networks import network
from leadwise.models.signal_nets import AttentionNet, SignalClassifier
from leadwise.names import TASKS, UNITS
from leadwise.recordings.beat_views import beat_views
from leadwise.scores.costs import ms_per_call

TESTED = 1
"""The fold of a protocol's one test set."""

ASKED = 2
"""The fold of its part ``val``, where networks are asked about that."""

_AT_ONCE = 16  # each has 900 x 900 weights for each of eight heads


def signal_partition(
    units: pd.DataFrame, found: pd.DataFrame, seed: int, *, leaks: bool = False, ask: bool = False
) -> Partition:
    """One seed's folds of windows or beats as `cross_fit` wants them.

    `units` has columns ``unit_id, label``; `found` is what `leadwise.folds.recordings.placed` gives of the same
    table. Rows of the part ``val`` train nobody; with `ask` they are the fold `ASKED`, answered for by those who are
    tested. Raises `LeakError` where a record is on both sides, unless the protocol `leaks` on purpose, and
    `InputError` where nobody is tested.
    """
    row, part = found["row"].to_numpy(np.int64), found["part"].to_numpy(object)
    test, train = row[part == "test"], row[part == "train"]
    if not len(test):
        raise InputError("these folds test nobody: run 15_signal_beats again.")
    groups = np.full(len(units), None, dtype=object)
    groups[row] = found["group_id"].to_numpy(object)
    inner = found["inner"].to_numpy(float, na_value=np.nan)[part == "train"]
    trained = None
    if not len(train):  # everybody is tested once
        fold = found["fold"].to_numpy(np.int64)
        rows = {int(number): row[fold == number] for number in np.unique(fold)}
    elif np.isfinite(inner).all():
        assert_disjoint(groups[train], groups[test], "training records")
        left_out = enumerate(np.unique(inner), start=TESTED + 1)
        rows = {TESTED: test} | {number: train[inner == name] for number, name in left_out}
    else:
        rows, trained = {TESTED: test}, {TESTED: train}
        if ask and (part == "val").any():
            rows[ASKED] = row[part == "val"]
        if not leaks:
            assert_disjoint(groups[train], groups[row[part != "train"]], "training records")
    asked = ASKED if trained and ASKED in rows else None
    return Partition(
        seed, rows, units["unit_id"].to_numpy(), groups, units["label"].to_numpy(), trained, asked
    )


def train_signal_model(
    parameters: Any,
    table: pd.DataFrame,
    views: Mapping[str, NDArray[Any]],
    folds: pd.DataFrame,
    folder: Path,
    data_fingerprint: str,
    *,
    task: str,
    protocol: str,
    candidates: Sequence[str],
    name: str | None = None,
    inner: bool = False,
    epochs: int | None = None,
    ask: bool = False,
    more: Twins | None = None,
) -> Results:
    """Train networks for recordings under one protocol and answer for the units left out.

    `table` is ``windows.csv`` or ``beats.csv``, `views` are in its order, `folds` is ``signal_folds.csv``. Several
    candidates are chosen among on inner folds, and the tables call what was taken `name`. `epochs` stands for those
    of the parameters where a protocol has its own. With `ask` there are also answers (role ``val``) for the part
    ``val``. `more` are twins of the units, which train where these do. The autoencoder learns to give beats back
    first, from the beats that it is trained on and no others. Raises what `placed`, `Study.of` and `cross_fit` raise.
    """
    units = table.rename(columns={f"{UNITS[task]}_id": "unit_id"})
    told = {"leaks": protocol.startswith("leaky"), "ask": ask}
    partitions = {
        seed: signal_partition(units, placed(table, folds, protocol, seed), seed, **told)
        for seed in parameters.SEEDS
    }
    everybody = tuple(next(iter(partitions.values())).folds)
    own = {
        "folds": everybody if protocol == "patient_folds" else (TESTED,),
        "protocol": protocol,
        "inner": inner,
    }
    studies = [
        Study.of(
            parameters,
            task,
            model,
            data_fingerprint,
            name=name or model,
            prefix=f"{model}-{protocol}",
            **own,
        )
        for model in candidates
    ]
    if epochs is not None:
        studies = [replace(study, epochs=epochs) for study in studies]
    given = dict(views)
    if more is not None:
        units, given, twin_of = added(units, given, more)
        partitions = {seed: _with_twins(part, units, twin_of) for seed, part in partitions.items()}
    pages = units.rename(columns={"unit_id": "page_id"})
    begins = network(studies[0].model).learned_first
    if begins is None:
        return cross_fit(studies, given, pages, partitions, folder)
    found = []
    for seed, part in partitions.items():
        study = replace(studies[0], seeds=(seed,))
        first = replace(
            Study.of(
                parameters, task, begins, data_fingerprint, prefix=f"{begins}-{protocol}", name=begins, **own
            ),
            seeds=(seed,),
        )
        learned = cross_fit(
            first, given, pages, {seed: part}, folder, loss_for=_giving_back, answer_test=False
        )
        weights = str(folder / "weights" / f"{learned.networks[0]}.safetensors")
        then = cross_fit(replace(study, weights=weights), given, pages, {seed: part}, folder)
        found += [replace(learned, chosen={}, candidates={}, networks=[]), then]
    return Results.joined(found)


def _with_twins(part: Partition, units: pd.DataFrame, twin_of: Rows) -> Partition:
    """The same folds of a table that has twins behind it; a twin has the group of its unit."""
    own = np.where(twin_of < 0, np.arange(len(units)), twin_of)
    return replace(
        part,
        page_ids=units["unit_id"].to_numpy(),
        groups=part.groups[own],
        labels=units["label"].to_numpy(),
        twin_of=twin_of,
    )


def _giving_back(*_: object) -> Loss:
    """Mean squared difference between an answer ``(N, 187)`` and the beat itself; classes are not looked at."""

    def loss(given: Tensor, views: Views, _: Tensor, __: Tensor) -> Tensor:
        return torch.nn.functional.mse_loss(given.float(), views["heartbeat"].float())

    return loss


@torch.no_grad()
def network_costs(name: str, results: Results, views: Mapping[str, NDArray[Any]]) -> dict[str, float | str]:
    """What one network costs: `model, parameters, epochs, s_per_epoch, ms_per_beat`.

    Seconds are those of its trainings in `results` that leave out the test set alone, the median between two notes of
    the loss, so that a pause does not count; milliseconds, of one beat at a time in fp32 on this process's threads,
    are the fastest.
    """
    model = registry.build_page_model(name, len(TASKS["aami5"])).eval()
    one = {view: torch.from_numpy(np.asarray(views[view][:1])) for view in model.views}
    history = results.history[results.history["role"] == "test"]
    own = history[history["model"].str.startswith(f"{name}-")].sort_values("epoch").groupby("seed")
    noted = own[["epoch", "seconds"]].diff().dropna()
    return {
        "model": name,
        "parameters": sum(value.numel() for value in model.parameters() if value.requires_grad),
        "epochs": float(own["epoch"].max().mean()),
        "s_per_epoch": float((noted["seconds"] / noted["epoch"]).median()),
        "ms_per_beat": ms_per_call(lambda: model(**one)),
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
