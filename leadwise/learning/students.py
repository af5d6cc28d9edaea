"""Students: small networks that are trained with and without a teacher, on the same folds from the same weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.folds.partition import Partition, weights_name
from leadwise.learning.answers import answer, answers_table, load_for
from leadwise.learning.cross_fit import Inputs, cross_fit
from leadwise.learning.distill import LOSSES, TaughtBy, Teacher
from leadwise.learning.engine import cross_entropy, train
from leadwise.learning.examples import Examples, Leads, Units
from leadwise.learning.history import Plan, forget_checkpoints
from leadwise.learning.pages import PageData, shrunk
from leadwise.learning.study import Results, Study, TrainingSettings
from leadwise.models import registry
from leadwise.models.joined_leads import JoinedLeads
from leadwise.models.networks import network, recipe
from leadwise.names import TASKS
from leadwise.sets.views import Views

LEAD_PX = 96
"""Side of the crops that students of single leads see: the published 224 take five times as long on a CPU."""

SHOWN = ("signals", "rhythm", "beats")
"""What is drawn for a student's teacher, whatever the loss, so that every student sees the same pages."""


def student_name(model: str, loss: str) -> str:
    """How tables and files call a student: ``student12_untaught``."""
    return f"{model}_{loss}"


def place_of(name: str) -> dict[str, Any]:
    """Where scores of a model of the tables stand: of a student its network, and its loss as the condition."""
    for loss in LOSSES:
        if name.endswith(f"_{loss}"):
            return {"model": name.removesuffix(f"_{loss}"), "condition": {"loss": loss}}
    return {"model": name}


def train_student(
    settings: TrainingSettings,
    data: PageData,
    views: Views,
    folder: Path,
    data_fingerprint: str,
    teacher: Teacher,
    *,
    model: str,
    loss: str,
    folds: Sequence[int],
    seeds: Sequence[int],
) -> Results:
    """Train one student by one loss over folds, all epochs of its recipe; the test folds stay closed.

    `settings` are the parameters of 41_student_distill. Raises what `Study.of`, `TaughtBy` and `cross_fit` raise.
    """
    name = student_name(model, loss)
    of_page = _of_page(model)
    # what the notebook says of weights and recipe is meant for students of single leads
    more: dict[str, Any] = {"weights": "random", "recipe": "random"} if of_page else {"input_px": LEAD_PX}
    more |= {"shown": tuple(sorted(set(SHOWN) - set(network(model).views)))} if of_page else {}
    more |= {"folds": tuple(folds), "seeds": tuple(seeds), "inner": False}
    study = Study.of(settings, teacher.task, model, data_fingerprint, name=name, prefix=name, **more)
    taught = TaughtBy(teacher, loss, None if of_page else views)
    parts = {seed: data.partition(teacher.task, seed) for seed in seeds}
    with _inputs(model, data, views, folder) as inputs:
        return cross_fit(study, inputs, parts, folder, loss_for=taught, answer_test=False)


def shipped_student(
    settings: TrainingSettings,
    data: PageData,
    views: Views,
    folder: Path,
    teacher: Teacher,
    *,
    loss: str,
    seed: int,
) -> JoinedLeads:
    """The student that ships, trained on all pages; no page is left to score it, so nothing is chosen here.

    `folder` belongs to this training. Raises what `train` raises.
    """
    part = data.partition(teacher.task, seed)
    of_student = recipe("student12", "random")
    labels = np.array([teacher.classes.index(label) for label in part.labels])
    examples = Units({name: views[name] for name in SHOWN}, labels, teacher.classes)
    rows = np.arange(len(part.labels))
    epochs = settings.EPOCHS or of_student.epochs
    taught = TaughtBy(teacher, loss)(part, (), cross_entropy(of_student, examples, rows))
    shutil.rmtree(folder, ignore_errors=True)  # a checkpoint there may be of another loss or other pages
    trained = train(
        Plan(rows, {}, 100 * seed, epochs, epochs, settings.MAX_STEPS),
        examples,
        lambda: registry.build("student12", len(teacher.classes)),
        of_student,
        folder,
        loss=taught,
    )
    forget_checkpoints(folder)
    assert isinstance(trained.model, JoinedLeads)  # noqa: S101 - by its name
    return trained.model


def answer_student(
    data: PageData,
    views: Views,
    weights: Path,
    folder: Path,
    *,
    model: str,
    loss: str,
    profile: str,
    folds: Sequence[int],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Test answers (`predictions.csv`) of the networks that `train_student` left in `weights`.

    `folder` may be written to. Raises `WeightsError` where one is missing, `LeakError` where one saw its fold.
    """
    name, task = student_name(model, loss), "four"
    classes, side = TASKS[task], None if _of_page(model) else LEAD_PX
    keys = {"model": name, "task": task, "protocol": "grouped", "profile": profile, "role": "test"}
    tables = []
    with _inputs(model, data, views, folder) as inputs:
        examples: Examples = (
            _unlabelled(inputs, network(model).views, classes)
            if isinstance(inputs, dict)
            else Leads(inputs, np.zeros(len(data.pages), np.int64), classes)
        )
        for seed in seeds:
            part = data.partition(task, seed)
            for k in folds:
                path = weights / f"{weights_name(seed, (k,), task=task, prefix=name)}.safetensors"
                student = load_for(path, registry.build(model, len(classes), input_px=side), part, (k,))
                answers = answer(student, examples, part.rows[k])
                tables.append(answers_table(answers, part, k, keys | {"seed": seed, "fold": k}))
    return pd.concat(tables, ignore_index=True)


def finished(weights: Path, name: str, part: Partition, fold: int) -> JoinedLeads:
    """The student of one fold that `train_student` left in `weights`; raises as `answers.load_for` does."""
    student = registry.build("student12", len(TASKS["four"]))
    assert isinstance(student, JoinedLeads)  # noqa: S101 - by its name
    return load_for(
        weights / f"{weights_name(part.seed, (fold,), prefix=name)}.safetensors", student, part, (fold,)
    )


def confidence(
    teacher: Teacher, part: Partition, views: Views, fold: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How sure of the label a teacher is, for each training page ``(pages,)``: of pages it knows, and cross-fitted.

    The first is the network that answers for `fold`, about the pages that it was trained on; the second, about the
    same pages, those that saw neither them nor `fold`.
    """
    rows = part.training_rows((fold,))
    labels = np.array([teacher.classes.index(label) for label in part.labels[rows]])
    network = teacher.network(part, fold)
    known = answer(network, _unlabelled(views, network.views, teacher.classes), rows)[:, 0]
    unknown = np.exp(teacher.cross_fitted(part, fold).numpy())[rows]
    every = np.arange(len(rows))
    return known[every, labels], unknown[every, labels]


def _unlabelled(views: Views, names: Sequence[str], classes: tuple[str, ...]) -> Units:
    """Pages to be answered for, in the views that a network looks at."""
    return Units({name: views[name] for name in names}, np.zeros(len(views[names[0]]), np.int64), classes)


@contextmanager
def _inputs(model: str, data: PageData, views: Views, folder: Path) -> Iterator[Inputs]:
    if _of_page(model):
        yield views
        return
    with shrunk(data.crops, folder, LEAD_PX) as crops:
        yield crops


def _of_page(model: str) -> bool:
    """Whether a student sees whole pages; the others see single leads."""
    return network(model).answers_for == "pages"
