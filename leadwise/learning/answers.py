"""Answers of finished networks as rows of `predictions.csv`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from leadwise.errors import LeakError, WeightsError
from leadwise.folds.partition import LeftOut, Partition, Rows
from leadwise.learning.examples import Examples
from leadwise.models.classifier import Classifier
from leadwise.models.registry import load_weights
from leadwise.models.weights_file import read_metadata
from leadwise.names import LEADS, TASKS, UNITS

Probabilities = NDArray[np.float32]

ANSWER_BATCH = 256

Network = TypeVar("Network", bound=Classifier)


@torch.no_grad()
def answer(model: Classifier, examples: Examples, rows: Rows) -> Probabilities:
    """Softmax of the raw logits of each example: float32 ``(rows, examples of a unit, classes)``."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    units_at_once = max(1, (ANSWER_BATCH if examples.per_unit > 1 else 64) // examples.per_unit)
    parts = []
    for start in range(0, len(rows), units_at_once):
        some = examples.all_of(rows[start : start + units_at_once])
        views = {name: torch.from_numpy(view).to(device) for name, view in some.items()}
        parts.append(model(**views).float().softmax(dim=1).cpu().numpy())
    model.train(was_training)
    return np.concatenate(parts).reshape(len(rows), examples.per_unit, len(examples.classes))


def load_for(path: Path, network: Network, part: Partition, left_out: LeftOut) -> Network:
    """The network with a file's weights, in eval mode; by the file's word it never saw these folds of this partition.

    Raises `WeightsError` where the file is missing or does not fit, `LeakError` where it says otherwise.
    """
    metadata = load_weights(network, path)
    if metadata.get("left_out") != ",".join(map(str, left_out)):
        raise LeakError(
            f"{path}: this network left out fold {metadata.get('left_out')}; one without fold "
            f"{','.join(map(str, left_out))} is needed."
        )
    if metadata.get("partition") not in {part.fingerprint, part.part_of or part.fingerprint}:
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
    metadata = read_metadata(Path(weights))
    if "data_fingerprint" not in metadata:
        raise WeightsError(
            f"{weights}: the file does not say on which data it was trained (data_fingerprint in its "
            "metadata), so it cannot be told whether it knows the test pages."
        )
    unseen = set(filter(None, metadata.get("left_out", "").split(",")))
    same_folds = metadata.get("partition") == part.fingerprint and set(map(str, left_out)) <= unseen
    if metadata["data_fingerprint"] == data_fingerprint and not same_folds:
        raise LeakError(
            f"{weights}: this network was trained on pages of fold {', '.join(map(str, left_out))}, which it "
            "would be asked about. Begin from random or published weights, or a file trained on other data."
        )


def answers_table(
    answers: Probabilities, part: Partition, fold: int, keys: dict[str, Any], *, by_lead: bool = True
) -> pd.DataFrame:
    """Answers ``(n, examples, classes)`` to a fold's units as rows: the units, then (if wanted) the leads of pages.

    `keys` holds the columns that are alike in all rows.
    """
    rows = part.rows[fold]
    classes = TASKS[keys["task"]]

    def table(prob: NDArray[Any], repeat: int, **more: Any) -> pd.DataFrame:
        columns = {"unit_id": part.unit_ids, "group_id": part.groups, "label": part.labels}
        frame = pd.DataFrame({name: np.repeat(values[rows], repeat) for name, values in columns.items()})
        frame[[f"prob_{name}" for name in classes]] = prob
        return frame.assign(**({"held_out": None} | keys | more))

    units = table(answers.mean(axis=1), 1, unit=UNITS[keys["task"]])
    n_leads = answers.shape[1]
    if not by_lead or n_leads == 1:  # a page model has no answers of single leads
        return units
    leads = table(answers.reshape(-1, len(classes)), n_leads, unit="lead", lead=np.tile(LEADS, len(answers)))
    return pd.concat([units, leads], ignore_index=True)
