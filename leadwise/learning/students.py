"""Students: small networks that are trained with and without a teacher, on the same folds from the same weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.folds.partition import Partition, weights_name
from leadwise.learning.answers import answer_folds, load_for
from leadwise.learning.cross_fit import Inputs, cross_fit
from leadwise.learning.distill import LOSSES, TaughtBy, Teacher
from leadwise.learning.engine import Plan, answer, cross_entropy, forget_checkpoints, train
from leadwise.learning.examples import Examples, Leads, Pages
from leadwise.learning.lead_models import LeadData, shrunk
from leadwise.learning.study import Results, Study
from leadwise.models import registry
from leadwise.models.classifier import Classifier
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
    parameters: Any,
    data: LeadData,
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

    `parameters` are those of 41_student_distill. Raises what `Study.of`, `TaughtBy` and `cross_fit` raise.
    """
    name = student_name(model, loss)
    of_page = _of_page(model)
    if of_page:  # what the notebook says of weights and recipe is meant for students of single leads
        parameters = parameters.model_copy(update={"WEIGHTS": "random", "RECIPE": "random"})
    own = {"shown": tuple(set(SHOWN) - set(network(model).views))} if of_page else {"input_px": LEAD_PX}
    study = Study.of(
        parameters, teacher.task, model, data_fingerprint,
        name=name, prefix=name, folds=tuple(folds), seeds=tuple(seeds), inner=False, **own,
    )  # fmt: skip
    taught = TaughtBy(teacher, loss, None if of_page else views)
    with _seen(model, data, views, folder) as inputs:
        return cross_fit(study, inputs, data.pages, data.folds, folder, loss_for=taught, answer_test=False)


def train_shipped(
    parameters: Any, data: LeadData, views: Views, folder: Path, teacher: Teacher, *, loss: str, seed: int
) -> JoinedLeads:
    """Train the student that ships, on all pages; no page is left to score it, so nothing is chosen here.

    `parameters` has EPOCHS and MAX_STEPS; `folder` belongs to this training. Raises what `train` raises.
    """
    part = data.partition(teacher.task, seed)
    told = recipe("student12", "random")
    labels = np.array([teacher.classes.index(label) for label in part.labels])
    seen = Pages({name: views[name] for name in SHOWN}, labels, teacher.classes)
    rows = np.arange(len(part.labels))
    epochs = parameters.EPOCHS or told.epochs
    taught = TaughtBy(teacher, loss)(part, (), cross_entropy(told, seen, rows))
    shutil.rmtree(folder, ignore_errors=True)  # a checkpoint there may be of another loss or other pages
    trained = train(
        Plan(rows, {}, 100 * seed, epochs, epochs, parameters.MAX_STEPS),
        seen,
        lambda: registry.build_page_model("student12", len(teacher.classes)),
        told,
        folder,
        loss=taught,
    )
    forget_checkpoints(folder)
    assert isinstance(trained.model, JoinedLeads)  # noqa: S101 - a training ends with its network
    return trained.model


def answer_student(
    data: LeadData,
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
    name, classes = student_name(model, loss), TASKS["four"]
    make: Callable[[], Classifier]
    with _seen(model, data, views, folder) as inputs:
        if isinstance(inputs, dict):
            examples: Examples = _unlabelled(inputs, network(model).views, classes)
            make = partial(registry.build_page_model, model, len(classes))
        else:
            examples = Leads(inputs, np.zeros(len(data.pages), np.int64), classes)
            make = partial(registry.build, model, len(classes), input_px=LEAD_PX)
        return answer_folds(
            examples,
            data.pages,
            data.folds,
            weights,
            make=make,
            keys={"model": name, "task": "four", "protocol": "grouped", "profile": profile},
            seeds=seeds,
            outer=folds,
            prefix=name,
        )


def finished(weights: Path, name: str, part: Partition, fold: int) -> JoinedLeads:
    """The student of one fold that `train_student` left in `weights`; raises as `answers.load_for` does."""
    student = registry.build_page_model("student12", len(TASKS["four"]))
    assert isinstance(student, JoinedLeads)  # noqa: S101 - by its name
    return load_for(
        weights / f"{weights_name(part.seed, (fold,), prefix=name)}.safetensors", student, part, (fold,)
    )


def heard(
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


def _unlabelled(views: Views, names: Sequence[str], classes: tuple[str, ...]) -> Pages:
    """Pages to be answered for, in the views that a network looks at."""
    return Pages({name: views[name] for name in names}, np.zeros(len(views[names[0]]), np.int64), classes)


@contextmanager
def _seen(model: str, data: LeadData, views: Views, folder: Path) -> Iterator[Inputs]:
    if _of_page(model):
        yield views
        return
    with shrunk(data.crops, folder, LEAD_PX) as crops:
        yield crops


def _of_page(model: str) -> bool:
    """Whether a student sees whole pages; the others see single leads."""
    return network(model).answers_for == "pages"
