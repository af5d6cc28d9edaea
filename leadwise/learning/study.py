"""What is trained and what comes of it: the plan of `cross_fit` and its tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from leadwise.models.classifier import Classifier
from leadwise.models.networks import Recipe, recipe
from leadwise.names import TASKS, UNITS


class TrainingSettings(Protocol):
    """What every training notebook's parameters say (`leadwise.project.notebooks`)."""

    PROFILE: str
    WEIGHTS: str
    RECIPE: str
    EPOCHS: int | None
    MAX_STEPS: int | None


@dataclass(frozen=True)
class Study:
    """One network, one task, one protocol: what `cross_fit` trains.

    `name` stands in the column `model` of all tables; `weights`, `input_px` and `model` are the
    registry's; `epochs` is the longest training considered. With `inner` the number of epochs is chosen
    on inner folds, without it all of them are trained and nothing is chosen. `shown` names views that the loss
    looks at and the network does not; with `frozen` convolutions stay as `weights` brought them. With
    `units_an_epoch` every training takes the steps of one that has so many units, whatever it has itself.
    """

    name: str
    model: str
    weights: str
    recipe: Recipe
    epochs: int
    task: str
    classes: tuple[str, ...]
    folds: tuple[int, ...]
    seeds: tuple[int, ...]
    inner: bool
    profile: str
    data_fingerprint: str
    protocol: str = "grouped"
    max_steps: int | None = None
    input_px: int | None = None
    prefix: str = ""
    shown: tuple[str, ...] = ()
    frozen: bool = False
    units_an_epoch: int | None = None

    @classmethod
    def of(
        cls, settings: TrainingSettings, task: str, model: str, data_fingerprint: str, **more: Any
    ) -> Study:
        """The study of one task that a training notebook's settings describe; `more` is what they do not say.

        Settings without FOLDS, SEEDS or INNER want ``folds, seeds, inner``; `weights`, `epochs` and
        `recipe` (or its name) stand for the settings' own where they are given.
        """
        trained_by = more.pop("recipe", settings.RECIPE)
        trained_by = trained_by if isinstance(trained_by, Recipe) else recipe(model, trained_by)
        for field_name, convert in (("folds", tuple), ("seeds", tuple), ("inner", bool)):
            if field_name not in more:
                more[field_name] = convert(getattr(settings, field_name.upper()))
        values: dict[str, Any] = {
            "name": model,
            "weights": settings.WEIGHTS,
            "epochs": settings.EPOCHS or trained_by.epochs,
            "profile": settings.PROFILE,
            "max_steps": settings.MAX_STEPS,
        }
        fixed = {"model": model, "recipe": trained_by, "task": task, "classes": TASKS[task]}
        return cls(**values | fixed | {"data_fingerprint": data_fingerprint} | more)

    def keys(self, seed: int, fold: int) -> dict[str, Any]:
        """The columns that name a row of any table."""
        return {
            "model": self.name,
            "task": self.task,
            "protocol": self.protocol,
            "seed": seed,
            "fold": fold,
        }


def forget_others(folder: Path, trainings: Iterable[str]) -> None:
    """Delete trainings and weights below `folder` that are not among those named: they are of other parameters."""
    named = set(trainings)
    for path in [*folder.glob("trainings/*"), *folder.glob("weights/*.safetensors")]:
        if path.name.removesuffix(".safetensors") not in named:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@dataclass
class Results:
    """The tables of a study (contracts `predictions.csv`, `history.csv`, `calibration.csv`) and more.

    `networks` names the weights that answer for the test folds, in order of task, seed and fold; `chosen`
    holds their number of epochs by (task, seed, fold), `candidates` the network that was chosen. `trainings` names
    all that were needed, inner ones too; `reused` counts those found finished from an earlier start.
    """

    predictions: pd.DataFrame
    history: pd.DataFrame
    calibration: pd.DataFrame
    networks: list[str] = field(default_factory=list)
    chosen: dict[tuple[str, int, int], int] = field(default_factory=dict)
    candidates: dict[tuple[str, int, int], str] = field(default_factory=dict)
    trainings: list[str] = field(default_factory=list)
    reused: int = 0

    @classmethod
    def joined(cls, parts: Sequence[Results]) -> Results:
        """The results of several tasks in one."""
        return cls(
            pd.concat([part.predictions for part in parts], ignore_index=True),
            pd.concat([part.history for part in parts], ignore_index=True),
            pd.concat([part.calibration for part in parts], ignore_index=True),
            [name for part in parts for name in part.networks],
            {key: epochs for part in parts for key, epochs in part.chosen.items()},
            {key: model for part in parts for key, model in part.candidates.items()},
            [name for part in parts for name in part.trainings],
            sum(part.reused for part in parts),
        )

    def test_units(self, task: str) -> pd.DataFrame:
        """The test answers of one task, for whole pages, windows or beats."""
        rows = self.predictions
        return rows[(rows["unit"] == UNITS[task]) & (rows["role"] == "test") & (rows["task"] == task)]

    def cost(self, model: Classifier, folder: Path) -> dict[str, float]:
        """What a network of the study costs: `parameters, weights_mb`, and of what was trained here `train_s`."""
        cost = {
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "weights_mb": (folder / "weights" / f"{self.networks[0]}.safetensors").stat().st_size / 1e6,
        }
        return cost | ({"train_s": self.seconds_per_network()} if len(self.history) else {})

    def seconds_per_network(self) -> float:
        """Mean training time of the networks that answer for the test folds, answers not counted."""
        test = self.history[self.history["role"] == "test"]
        return float(test.groupby(["task", "seed", "fold"])["seconds"].max().mean())
