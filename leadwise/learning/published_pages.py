"""The page model's published networks in the place of a training: each answers for pages that it never saw."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import WeightsError
from leadwise.folds.partition import Partition, weights_name
from leadwise.learning.answers import answer, answers_table, load_for
from leadwise.learning.examples import Units
from leadwise.learning.pages import PageData, PageSettings, answer_elsewhere
from leadwise.learning.study import Results
from leadwise.models import registry
from leadwise.names import TASKS
from leadwise.scores.calibration import apply_by_fold
from leadwise.sets.views import Views
from leadwise.tables import SCHEMAS, read_table

_TASK = "four"
"""The one task whose networks are published."""


def answer_as_published(
    settings: PageSettings, views: Views, data: PageData, networks: Path, folder: Path, name: str = "leads12"
) -> Results:
    """What `train_pages` gives, of networks that are published: nothing is trained.

    `networks` is their folder, ``analysis/results/leads12``; those that are asked are copied to ``folder/weights``.
    Each page is answered by the network that left its fold out (role ``test``). Inner answers are the published ones:
    their networks gave them after the number of epochs that was chosen, and went on. Raises `WeightsError` for a
    task, seed or fold that is not published, `LeakError` where these pages do not lie in the published folds, so that
    a network might have seen what it is asked about.
    """
    if [*settings.TASKS] != [_TASK]:
        raise WeightsError(f"networks are published for the task {_TASK!r} alone, not for {settings.TASKS}.")
    chosen = pd.read_csv(networks / "chosen.csv").set_index(["task", "seed", "fold"])
    known = read_table(networks / "predictions.csv", "predictions.csv")
    results = Results(pd.DataFrame(), pd.DataFrame(columns=_HISTORY), pd.DataFrame())
    answers, fitted = [], published_calibration(networks)
    for seed in settings.SEEDS:
        part = data.partition(_TASK, seed)
        for fold in settings.FOLDS:
            if (_TASK, seed, fold) not in chosen.index:
                raise WeightsError(f"no network of seed {seed}, fold {fold} is published in {networks}.")
            model, epochs = chosen.loc[(_TASK, seed, fold), ["chosen", "epochs"]]
            keys = {"model": name, "task": _TASK, "protocol": "grouped", "seed": seed, "fold": fold}
            keys |= {"profile": settings.PROFILE, "role": "test"}
            inner = known.query("seed == @seed and fold == @fold and unit_id in @part.unit_ids")
            answers.append(inner.assign(profile=settings.PROFILE))
            asked = _Asked(networks, folder, model, part, fold)
            answers.append(answers_table(asked.about(views), part, fold, keys))
            results.trainings.append(asked.name)
            results.networks.append(asked.name)
            results.chosen[_TASK, seed, fold], results.candidates[_TASK, seed, fold] = int(epochs), model
    results.predictions = pd.concat(answers, ignore_index=True)
    results.calibration = fitted[fitted["seed"].isin(settings.SEEDS) & fitted["fold"].isin(settings.FOLDS)]
    return results


def answers_elsewhere(networks: Path, views: Views, recordings: pd.DataFrame) -> pd.DataFrame:
    """What the first seed's published networks answer about recordings of another source, calibrated on inner folds.

    `views` are in the order of `recordings`; rows as `as_answers` gives them, each network one answerer of its own.
    Raises `WeightsError` where a file is missing.
    """
    chosen = pd.read_csv(networks / "chosen.csv").query("task == @_TASK")
    chosen = chosen[chosen["seed"] == chosen["seed"].iloc[0]]
    answers = answer_elsewhere(views, networks, chosen, _TASK).items()
    raw = pd.concat(
        [as_answers(recordings, prob, "leads12", fold) for fold, prob in answers], ignore_index=True
    )
    keys = {"task": _TASK, "protocol": "grouped", "seed": int(chosen["seed"].iloc[0])}
    calibrated = apply_by_fold(raw.assign(**keys), published_calibration(networks), TASKS[_TASK])
    return calibrated.assign(**{key: raw[key] for key in keys})


def as_answers(
    recordings: pd.DataFrame, prob: NDArray[np.floating], model: str, fold: int = 1
) -> pd.DataFrame:
    """Probabilities ``(recordings, 4)`` as rows of ``predictions.csv`` of the task ``external``, but for its profile.

    ``record, patient_id, codes`` become ``unit_id, group_id, label``; ``seed`` is the network's `fold`.
    """
    stated = recordings["codes"].map(lambda codes: " ".join(sorted(codes)) or "nothing")
    return pd.DataFrame(
        {
            "unit": "record",
            "unit_id": recordings["record"],
            "group_id": recordings["patient_id"],
            "model": model,
            "task": "external",
            "protocol": "external",
            "seed": fold,
            "fold": fold,
            "role": "test",
            "held_out": pd.NA,
            "label": stated,
            **{f"prob_{name}": column for name, column in zip(TASKS[_TASK], prob.T, strict=True)},
        }
    )


def published_calibration(networks: Path) -> pd.DataFrame:
    """Rows of ``calibration.csv`` of the published networks, fitted on inner answers about all pages."""
    return read_table(networks / "calibration.csv", "calibration.csv").query("task == @_TASK")


def published_answers(
    folder: Path, page_ids: Sequence[str], seeds: Sequence[int]
) -> Mapping[str, pd.DataFrame]:
    """By model: the published test answers about some pages, those of the baselines among them.

    `folder` is that of a notebook below ``analysis/results/answers``. A baseline was fitted on the pages of the other
    folds of the whole set, as the page model was.
    """
    files = [path for seed in seeds for path in sorted(folder.glob(f"*-{_TASK}-grouped-{seed}.csv.xz"))]
    told = pd.concat([read_table(path, "predictions.csv") for path in files], ignore_index=True)
    told = told[told["unit_id"].isin(page_ids)]
    return {str(name): rows.reset_index(drop=True) for name, rows in told.groupby("model", sort=False)}


class _Asked:
    """The published network that left out a fold of a partition, at hand as a file below ``folder/weights``."""

    def __init__(self, networks: Path, folder: Path, model: str, part: Partition, fold: int) -> None:
        self.name, self.part, self.fold = weights_name(part.seed, (fold,), prefix=model), part, fold
        source, own = (place / f"{self.name}.safetensors" for place in (networks, folder / "weights"))
        if not source.is_file():
            raise WeightsError(f"{source}: this network is not published.")
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, own)
        self.network = load_for(own, registry.build(model, len(TASKS[_TASK])), part, (fold,))

    def about(self, views: Views) -> Any:
        """What it answers about the pages of that fold, as `answer` gives it."""
        seen = {view: views[view] for view in self.network.views}
        examples = Units(seen, np.zeros(len(self.part.unit_ids), np.int64), TASKS[_TASK])
        return answer(self.network, examples, self.part.rows[self.fold])


_HISTORY = [*SCHEMAS["history.csv"].columns, "model", "task", "protocol", "role", "held_out"]
