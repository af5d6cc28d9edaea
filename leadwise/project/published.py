"""The networks that are published in a clone, each by its name, seed and fold."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from leadwise.errors import MissingInput, WeightsError, nearest
from leadwise.project import paths
from leadwise.scores.table import read_scores

if TYPE_CHECKING:
    from leadwise.models.classifier import Classifier

PUBLISHED = "analysis/results"


def networks_of(name: str) -> Path:
    """The folder of the published networks of a name, with ``chosen.csv`` and ``predictions.csv``.

    Raises `MissingInput` outside a clone, `WeightsError` for a name under which none is published.
    """
    results = paths.repository() / PUBLISHED
    networks = {path.parent.name: path.parent for path in sorted(results.glob("*/chosen.csv"))}
    if name not in networks:
        raise WeightsError(f"no network is published as {name!r}; {nearest(name, networks)}")
    return networks[name]


def answers_of(notebook: str) -> Path:
    """The folder of the published test answers of a notebook, those of the profile `cpu`."""
    return paths.repository() / PUBLISHED / "answers" / f"{notebook}-cpu"


def load(name: str | Path, *, seed: int = 1, fold: int = 1) -> Classifier:
    """A published fold network by its name, such as ``leads12``, or that of a folder with ``config.json``.

    It is a torch module in eval mode: views of pages by name (`leadwise.sets.views`) to logits ``(N, classes)``; its
    ``told`` says on what it was trained. The network of a fold never saw the pages of that fold in the partition of
    its seed, ``grouped_<seed>`` of ``folds.csv``. Raises `MissingInput` outside a clone, which says where they lie,
    and where torch is not installed; `WeightsError` for one that is not published, which says which are.
    """
    folder = Path(name)
    path = None if (folder / "config.json").is_file() else published_file(str(name), seed, fold)
    if importlib.util.find_spec("torch") is None:
        raise MissingInput("torch is not installed, and a network is of torch: pip install 'leadwise[train]'")
    from leadwise.models import hub

    return hub.load(folder) if path is None else hub.from_file(path)


def published_file(name: str, seed: int, fold: int) -> Path:
    """The file of a published fold network; raises as `load` does."""
    try:
        folder = networks_of(name)
    except MissingInput as error:
        raise MissingInput(
            f"{name!r} is no folder with a config.json, and the published networks lie in {PUBLISHED}/{name} of the "
            f"repository, not in the package: {error}"
        ) from None
    chosen = pd.read_csv(folder / "chosen.csv")
    mine = chosen.query("task == 'four' and seed == @seed and fold == @fold")
    if len(mine) != 1:
        those = "; ".join(
            f"seed {own}: folds {', '.join(map(str, sorted(rows['fold'])))}"
            for own, rows in chosen.query("task == 'four'").groupby("seed")
        )
        raise WeightsError(f"{name!r} of seed {seed}, fold {fold} is not published. Those are: {those}.")
    from leadwise.folds.partition import weights_name  # it needs scikit-learn, which the package alone lacks

    file = weights_name(seed, (fold,), prefix=str(mine["chosen"].iloc[0]))
    return folder / f"{file}.safetensors"


def inner_losses(notebook: str, tasks: Sequence[str]) -> pd.Series:
    """By task and model: the published log-loss on inner folds, by which a notebook chose among its baselines."""
    told = read_scores(paths.repository() / PUBLISHED / "scores.csv")
    told = told[told["run"].str.startswith(f"{notebook}-") & (told["metric"] == "inner_log_loss")]
    return told[told["task"].isin(tasks)].set_index(["task", "model"])["value"]
