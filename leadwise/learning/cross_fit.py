"""Trainings over folds: who answers for whom, what is chosen where, and the tables that come of it.

Outer fold k is tested by a network that never saw it. Where a choice is made (the number of epochs), it is
made for each k from inner answers alone: inner fold j of k is another outer fold, answered by the network
that saw neither j nor k. That network also answers for k when j is tested, so five folds cost 10 + 5
trainings. Among several candidates each outer fold chooses for itself, in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError, SettingsError
from leadwise.folds.partition import LeftOut, Partition
from leadwise.learning.answers import answers_table
from leadwise.learning.distill import TaughtBy
from leadwise.learning.examples import Examples, Leads, Units, digest
from leadwise.learning.jobs import Progress, run_all
from leadwise.learning.study import Results, Study
from leadwise.learning.training import Finished, LossFor, Training
from leadwise.models.networks import network
from leadwise.scores.calibration import fit_calibration
from leadwise.scores.metrics import probabilities, scores

Inputs = NDArray[np.uint8] | dict[str, NDArray[Any]]
"""Lead crops ``(pages, 12, height, width)``, or views of whole units by name ``(units, ...)``."""


def cross_fit(
    study: Study | Sequence[Study],
    inputs: Inputs,
    parts: Mapping[int, Partition],
    folder: Path,
    *,
    loss_for: LossFor | None = None,
    answer_test: bool = True,
) -> Results:
    """Train a study over its folds and answer for the units left out.

    `inputs` are in the order of the units' table, `parts` are its partitions by seed (`leadwise.folds.partition`).
    Several studies are candidates: each is trained on the inner folds, and for each outer fold the one (and the
    number of its epochs) whose pooled inner answers have the lowest log-loss is trained on the rest. Seeds after the
    first take the candidate that most folds of the first chose, and choose their epochs alone. Trainings that do not
    wait for each other go on at once (`leadwise.learning.jobs`). Networks go to ``folder/weights``, each written when
    it is finished, and its test answers (contract ``predictions.csv``) to ``folder/trainings``; a second call takes
    up finished ones, goes on with those that were cut off, and trains again, with a line that says so, what is
    damaged. `loss_for` gives a loss other than the recipe's cross-entropy. With `answer_test` false the test folds
    stay closed, and where inner folds choose, these alone are trained.

    Raises `LeakError` when a group is on both sides, `InputError` for a fold or class that is not there, or for
    candidates among which nothing chooses, `SettingsError` for inner folds of a taught student, and what `run_all`
    raises.
    """
    studies = [study] if isinstance(study, Study) else list(study)
    first = studies[0]
    if len(studies) > 1 and not first.inner:
        raise InputError("several candidates, but INNER is False: only inner answers may choose among them.")
    if first.inner and isinstance(loss_for, TaughtBy) and loss_for.teaching.hears != "nothing":
        raise SettingsError(
            f"INNER is True, but no teacher of {loss_for.loss!r} left out two folds as inner trainings do. Train "
            "students with INNER False."
        )
    for part in parts.values():
        for k in first.folds:
            if k not in part.rows:
                raise InputError(f"FOLDS names fold {k}; folds.csv has {part.folds}.")
    crew = [_Candidate.of(each, inputs, next(iter(parts.values())), folder, loss_for) for each in studies]
    choices = {(seed, k): _Choice(crew[0], first.epochs) for seed in parts for k in first.folds}
    finished: dict[str, Finished] = {}
    chooses_alone = first.inner and not answer_test
    with _progress(studies, parts, outer=not chooses_alone) as progress:
        if first.inner:
            standing, seeds = crew, list(parts)
            for some in (seeds[:1], seeds[1:]):
                inner = [
                    each.training(parts[seed], _pair(j, k))
                    for seed in some for each in standing for k in first.folds for j in parts[seed].folds if j != k
                ]  # fmt: skip
                finished |= run_all(inner, progress)
                chosen = {
                    (seed, k): _chosen(standing, parts[seed], k, finished)
                    for seed in some
                    for k in first.folds
                }
                choices |= chosen
                if standing is crew:
                    taken = [choice.candidate for choice in chosen.values()]
                    standing = [max(crew, key=taken.count)]
        outer = {
            (seed, k): choice.candidate.training(parts[seed], (k,), choice.epochs, answer_test)
            for (seed, k), choice in choices.items()
            if not chooses_alone
        }
        finished |= run_all(outer.values(), progress)
    results = _results(choices, outer, crew, parts, finished)
    results.reused = progress.reused
    return results


class _Candidate(NamedTuple):
    """A study with what its network sees."""

    study: Study
    examples: Examples
    seen: str
    folder: Path
    loss_for: LossFor | None

    @classmethod
    def of(
        cls, study: Study, inputs: Inputs, part: Partition, folder: Path, loss_for: LossFor | None
    ) -> _Candidate:
        numbers = {name: number for number, name in enumerate(study.classes)}
        labels = np.array([numbers.get(label, -1) for label in part.labels])
        if isinstance(inputs, dict):
            names = (*network(study.model).views, *study.shown)
            examples: Examples = Units({name: inputs[name] for name in names}, labels, study.classes)
        else:
            examples = Leads(inputs, labels, study.classes)
        return cls(study, examples, digest(examples), folder, loss_for)

    def training(
        self, part: Partition, left_out: LeftOut, epochs: int | None = None, answer_test: bool = True
    ) -> Training:
        stop_after = epochs or self.study.epochs
        return Training(
            self.study, self.examples, self.seen, part, left_out, stop_after, self.folder, self.loss_for, answer_test
        )  # fmt: skip


class _Choice(NamedTuple):
    """What is trained for an outer fold."""

    candidate: _Candidate
    epochs: int


def _pair(j: int, k: int) -> LeftOut:
    return (min(j, k), max(j, k))


def _inner(
    candidate: _Candidate, part: Partition, k: int, finished: Mapping[str, Finished]
) -> dict[int, Finished]:
    """By inner fold j: the training that saw neither it nor outer fold `k`."""
    return {j: finished[candidate.training(part, _pair(j, k)).name] for j in part.folds if j != k}


def _chosen(crew: Sequence[_Candidate], part: Partition, k: int, finished: Mapping[str, Finished]) -> _Choice:
    """The candidate and number of epochs whose inner answers for outer fold `k` have the lowest log-loss, pooled."""
    losses = []
    for number, each in enumerate(crew):
        inner = _inner(each, part, k, finished)
        labels = np.concatenate([each.examples.labels[part.rows[j]] for j in inner])
        for epoch in sorted({epoch for training in inner.values() for epoch, _ in training.answers}):
            prob = np.concatenate([training.answers[epoch, j].mean(axis=1) for j, training in inner.items()])
            losses.append((scores(labels, prob, each.examples.classes)["log_loss"], epoch, number))
    _, epochs, number = min(losses)
    return _Choice(crew[number], epochs)


def _results(
    choices: Mapping[tuple[int, int], _Choice],
    outer: Mapping[tuple[int, int], Training],
    crew: Sequence[_Candidate],
    parts: Mapping[int, Partition],
    finished: Mapping[str, Finished],
) -> Results:
    """The tables, in order of seed and fold: inner answers and then test answers of each, and their trainings."""
    results = Results(pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    answers, calibration = [], []
    histories: dict[str, pd.DataFrame] = {}
    for (seed, k), (candidate, epochs) in choices.items():
        study, part = candidate.study, parts[seed]
        keys = study.keys(seed, k)
        if study.inner:
            for training in [each.training(part, _pair(j, k)) for each in crew for j in part.folds if j != k]:
                if training.name in finished and training.name not in histories:
                    histories[training.name] = training.history(finished[training.name])
            inner = pd.concat(
                answers_table(
                    training.answers[epochs, j], part, j,
                    {**keys, "profile": study.profile, "role": "inner", "held_out": j}, by_lead=False,
                )
                for j, training in _inner(candidate, part, k, finished).items()
            )  # fmt: skip
            answers.append(inner)
            labels, prob = probabilities(inner, study.classes)
            bias = study.recipe.class_weights != 0
            calibration.append({**keys, **fit_calibration(prob, labels, study.classes, bias=bias)})
        results.chosen[study.task, seed, k] = epochs
        results.candidates[study.task, seed, k] = study.model
        if tested := outer.get((seed, k)):
            histories[tested.name] = tested.history(finished[tested.name])
            answers += tested.test_answers(finished[tested.name].answers)
            results.networks.append(tested.name)
    results.history = pd.concat(histories.values(), ignore_index=True)
    results.predictions = pd.concat(answers, ignore_index=True) if answers else pd.DataFrame()
    columns = ["model", "task", "protocol", "seed", "fold", "temperature"]
    results.calibration = pd.DataFrame(calibration, columns=None if calibration else columns)
    results.trainings = list(finished)
    return results


def _progress(studies: Sequence[Study], parts: Mapping[int, Partition], *, outer: bool) -> Progress:
    """A bar over all trainings of all candidates."""
    study = studies[0]
    pairs = {_pair(j, k) for part in parts.values() for k in study.folds for j in part.folds if j != k}
    inner = len(pairs) * (len(parts) + len(studies) - 1)  # seeds after the first have one candidate
    trainings = (len(parts) * len(study.folds) if outer else 0) + (inner if study.inner else 0)
    return Progress(study.name, trainings, study.epochs)
