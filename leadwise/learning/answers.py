"""Answers of finished networks as rows of `predictions.csv`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import LeakError, WeightsError
from leadwise.folds.partition import LeftOut, Partition, partition, weights_name
from leadwise.learning.engine import Probabilities, answer
from leadwise.learning.examples import Examples
from leadwise.models.classifier import Classifier
from leadwise.models.registry import load_weights
from leadwise.models.weights_file import read_metadata
from leadwise.names import LEADS, TASKS, UNITS

Network = TypeVar("Network", bound=Classifier)


def answer_folds(
    examples: Examples,
    pages: pd.DataFrame,
    folds: pd.DataFrame,
    weights: Path,
    *,
    make: Callable[[], Classifier],
    keys: dict[str, Any],
    seeds: Iterable[int],
    outer: Iterable[int],
    prefix: str = "",
) -> pd.DataFrame:
    """Let finished networks answer for the test folds that they never saw.

    `examples` are in the order of `pages`; `weights` is the folder of the networks' files, `make` builds one to load
    them into; `keys` holds the columns `model, task, protocol, profile`; the rest is as in `cross_fit`. Raises
    `WeightsError` for a missing file and `LeakError` where a file says that its network saw the fold.
    """
    classes = TASKS[keys["task"]]
    tables = []
    for seed in seeds:
        part = partition(pages, folds, keys["protocol"], seed, classes)
        for k in outer:
            path = weights / f"{weights_name(seed, (k,), task=keys['task'], prefix=prefix)}.safetensors"
            network = load_for(path, make(), part, (k,))
            given = answer(network, examples, part.rows[k])
            tables.append(answers_table(given, part, k, {**keys, "seed": seed, "fold": k, "role": "test"}))
    return pd.concat(tables, ignore_index=True)


def load_for(path: Path, network: Network, part: Partition, left_out: LeftOut) -> Network:
    """The network with a file's weights, in eval mode; by the file's word it never saw these folds of this partition.

    Raises `WeightsError` where the file is missing or does not fit, `LeakError` where it says otherwise.
    """
    told = load_weights(network, path)
    if told.get("left_out") != ",".join(map(str, left_out)):
        raise LeakError(
            f"{path}: this network left out fold {told.get('left_out')}; one without fold "
            f"{','.join(map(str, left_out))} is needed."
        )
    if told.get("partition") != part.fingerprint:
        raise LeakError(
            f"{path}: this network was trained on other folds than those of folds.csv, so it may have seen "
            "the pages it is to answer for. Run the notebook that trains it again."
        )
    network.eval()
    return network


def refuse_start_that_saw(weights: str, data_fingerprint: str, part: Partition, left_out: LeftOut) -> None:
    """Refuse to begin from a file whose network was trained on pages that are left out here.

    `weights` as in `registry.build`; only files are looked at. A file trained on other data may always serve,
    one of the same data only if it left out the same folds of the same partition. Raises `LeakError`, and
    `WeightsError` for a file that does not say what it was trained on.
    """
    if not weights.endswith(".safetensors"):
        return
    told = read_metadata(Path(weights))
    if "data_fingerprint" not in told:
        raise WeightsError(
            f"{weights}: the file does not say on which data it was trained (data_fingerprint in its "
            "metadata), so it cannot be told whether it knows the test pages."
        )
    unseen = set(filter(None, told.get("left_out", "").split(",")))
    same_folds = told.get("partition") == part.fingerprint and set(map(str, left_out)) <= unseen
    if told["data_fingerprint"] == data_fingerprint and not same_folds:
        raise LeakError(
            f"{weights}: this network was trained on pages of fold {', '.join(map(str, left_out))}, which it "
            "would be asked about. Begin from random or published weights, or a file trained on other data."
        )


def answers_table(
    given: Probabilities, part: Partition, fold: int, keys: dict[str, Any], *, by_lead: bool = True
) -> pd.DataFrame:
    """Answers ``(n, examples, classes)`` for a fold's pages as rows: the pages, then (if wanted) their leads.

    `keys` holds the columns that are alike in all rows.
    """
    rows = part.rows[fold]
    classes = TASKS[keys["task"]]

    def table(prob: NDArray[Any], repeat: int, **more: Any) -> pd.DataFrame:
        columns = {"unit_id": part.page_ids, "group_id": part.groups, "label": part.labels}
        frame = pd.DataFrame({name: np.repeat(values[rows], repeat) for name, values in columns.items()})
        frame[[f"prob_{name}" for name in classes]] = prob
        return frame.assign(**({"held_out": None} | keys | more))

    pages = table(given.mean(axis=1), 1, unit=UNITS[keys["task"]])
    n_leads = given.shape[1]
    if not by_lead or n_leads == 1:  # a page model has no answers of single leads
        return pages
    leads = table(given.reshape(-1, len(classes)), n_leads, unit="lead", lead=np.tile(LEADS, len(given)))
    return pd.concat([pages, leads], ignore_index=True)
