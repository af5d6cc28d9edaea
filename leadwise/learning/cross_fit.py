"""Trainings over folds: who answers for whom, what is chosen where, and the tables that come of it.

Outer fold k is tested by a network that never saw it. Where a choice is made (the number of epochs), it is
made for each k from inner answers alone: inner fold j of k is another outer fold, answered by the network
that saw neither j nor k. That network also answers for k when j is tested, so five folds cost 10 + 5
trainings. Among several candidates each outer fold chooses for itself, in the same way.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from leadwise.errors import InputError, WeightsError
from leadwise.files import differing, sha256, sums, written_whole
from leadwise.folds.partition import LeftOut, Partition, partition, weights_name
from leadwise.learning.answers import answers_table, refuse_start_that_saw
from leadwise.learning.engine import Loss, Plan, Trained, answer, cross_entropy, forget_checkpoints, train
from leadwise.learning.examples import Examples, Leads, Pages
from leadwise.learning.study import Results, Study
from leadwise.learning.training_facts import said_of_training
from leadwise.models import registry
from leadwise.models.classifier import Classifier
from leadwise.models.networks import network
from leadwise.models.signal_nets import freeze_convolutions
from leadwise.models.weights_file import read_metadata
from leadwise.names import VERSION
from leadwise.scores.calibration import fit_calibration
from leadwise.scores.metrics import probabilities, scores
from leadwise.tables import write_table

LossFor = Callable[[Partition, LeftOut, Loss], Loss]
"""(partition, folds left out, the recipe's own loss) to the loss of that training."""

Inputs = NDArray[np.uint8] | dict[str, NDArray[Any]]
"""Lead crops ``(pages, 12, height, width)``, or views of whole pages by name ``(pages, ...)``."""


def cross_fit(
    study: Study | Sequence[Study],
    inputs: Inputs,
    pages: pd.DataFrame,
    folds: pd.DataFrame | dict[int, Partition],
    folder: Path,
    *,
    loss_for: LossFor | None = None,
    answer_test: bool = True,
) -> Results:
    """Train a study over its folds and answer for the pages left out.

    `inputs` are in the order of `pages` (contract ``pages.csv``; of windows and beats `page_id` and `label`),
    `folds` keeps the contract ``folds.csv`` or is the partitions, by seed, that came of it.
    Several studies are candidates: each is trained on the inner folds, and for each outer fold the one (and the
    number of its epochs) whose pooled inner answers have the lowest log-loss is trained on the rest. Seeds after the
    first take the candidate that most folds of the first chose, and choose their epochs alone. Networks go to
    ``folder/weights``, each written when it is finished, and its test answers (contract ``predictions.csv``) to
    ``folder/trainings``; a second call takes up finished ones, goes on with the one that was cut off, and trains
    again, with a line that says so, what is damaged. `loss_for` gives a loss other than the recipe's cross-entropy.
    With `answer_test` false the test folds stay closed.

    Raises `LeakError` when a group is on both sides, `InputError` for a fold or class that is not there, or for
    candidates among which nothing chooses.
    """
    candidates = [study] if isinstance(study, Study) else list(study)
    first = candidates[0]
    if len(candidates) > 1 and not first.inner:
        raise InputError("several candidates, but INNER is False: only inner answers may choose among them.")
    parts = _partitions(first, pages, folds)
    index = np.array(
        [first.classes.index(label) if label in first.classes else -1 for label in pages["label"]]
    )
    examples: Examples = (
        Pages(inputs, index, first.classes)
        if isinstance(inputs, dict)
        else Leads(inputs, index, first.classes)
    )
    seen = examples.fingerprint()
    jobs = [_Jobs(each, examples, seen, pages, folder, loss_for) for each in candidates]
    results = Results(pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    answers: list[pd.DataFrame] = []
    calibration: list[dict[str, Any]] = []
    with _progress(candidates, parts) as on_step:
        for each in jobs:
            each.on_step = on_step
        standing = jobs
        for seed, part in parts.items():
            taken: list[_Jobs] = []
            for k in first.folds:
                keys = first.keys(seed, k)
                best, epochs = jobs[0], first.epochs
                if first.inner:
                    best, epochs, inner = _chosen(standing, part, k)
                    told = _inner_answers(best.study, inner, epochs, part, keys)
                    answers.append(told)
                    prob, labels = probabilities(told, first.classes)[::-1]
                    weighted = best.study.recipe.class_weights != 0
                    calibration.append(
                        {**keys, **fit_calibration(prob, labels, first.classes, bias=weighted)}
                    )
                chosen = best.study
                taken.append(best)
                results.chosen[first.task, seed, k] = epochs
                results.candidates[first.task, seed, k] = chosen.model
                results.networks.append(weights_name(seed, (k,), task=chosen.task, prefix=chosen.prefix))
                outer = best.run(part, (k,), stop_after=epochs)
                if answer_test and outer.model is not None:
                    told_of: list[pd.DataFrame] = []
                    for role, fold in (("test", k), ("val", part.asked)):
                        if fold is not None:
                            given = answer(outer.model, best.examples, part.rows[fold])
                            told = {**keys, "profile": first.profile, "role": role}
                            told_of.append(answers_table(given, part, fold, told))
                    scratch = folder / "trainings" / results.networks[-1]
                    if pd.Index(part.rows[k]).is_unique:  # else a page is answered once a file, as published
                        write_table(pd.concat(told_of), scratch / "answers.csv", "predictions.csv")
                    answers += told_of
            standing = [max(jobs, key=taken.count)] if standing is jobs else standing
    results.history = pd.concat([table for each in jobs for table in each.histories], ignore_index=True)
    results.predictions = pd.concat(answers, ignore_index=True) if answers else pd.DataFrame()
    columns = ["model", "task", "protocol", "seed", "fold", "temperature"]
    results.calibration = pd.DataFrame(calibration, columns=None if calibration else columns)
    results.trainings = [name for each in jobs for name in each.names]
    results.reused = sum(each.reused for each in jobs)
    return results


class _Jobs:
    """Runs each training once, keeps what it gave, and takes up what an earlier start finished."""

    def __init__(
        self,
        study: Study,
        examples: Examples,
        seen: str,
        pages: pd.DataFrame,
        folder: Path,
        loss_for: LossFor | None,
    ) -> None:
        self.study, self.pages, self.folder, self.loss_for = study, pages, folder, loss_for
        self.examples, self.seen = examples, seen
        if isinstance(examples, Pages):
            self.examples = replace(
                examples,
                views={name: examples.views[name] for name in (*network(study.model).views, *study.shown)},
            )
        self.on_step: Any = None
        self.done: dict[tuple[int, LeftOut], Trained] = {}
        self.histories: list[pd.DataFrame] = []
        self.names: list[str] = []
        self.reused = 0

    def run(self, part: Partition, left_out: LeftOut, stop_after: int | None = None) -> Trained:
        if (part.seed, left_out) in self.done:
            return self.done[part.seed, left_out]
        study = self.study
        name = weights_name(part.seed, left_out, task=study.task, prefix=study.prefix)
        self.names.append(name)
        rows = part.training_rows(left_out)
        watched = {fold: part.rows[fold] for fold in left_out} if len(left_out) == 2 else {}
        plan = Plan(
            rows,
            watched,
            _training_seed(part.seed, left_out),
            study.epochs,
            stop_after or study.epochs,
            study.max_steps,
        )
        fingerprint = self._fingerprint(plan, part, left_out)
        trained = self._finished(name, fingerprint)
        if trained is None:
            refuse_start_that_saw(study.weights, study.data_fingerprint, part, left_out)
            loss = None
            if self.loss_for:
                loss = self.loss_for(part, left_out, cross_entropy(study.recipe, self.examples, rows))
            scratch = self._own(self.folder / "trainings" / name, fingerprint)
            trained = train(
                plan,
                self.examples,
                self._model,
                study.recipe,
                scratch,
                loss=loss,
                on_step=lambda told: self.on_step(name, told),
            )
            trained.history.to_csv(scratch / "history.csv", index=False)
            self._save(name, fingerprint, trained, part, left_out, plan)
        forget_checkpoints(self.folder / "trainings" / name)
        if watched:  # asked for twice, by j and by k, but only for its answers
            trained.model = None
            self.done[part.seed, left_out] = trained
        role = {"role": "inner", "held_out": left_out[0]} if watched else {"role": "test", "held_out": None}
        keys = study.keys(part.seed, left_out[-1]) | ({"model": study.prefix} if study.prefix else {})
        self.histories.append(trained.history.assign(**keys, **role))
        return trained

    def _model(self, weights: str | None = None) -> Classifier:
        study = self.study
        start = weights or study.weights
        if isinstance(self.examples, Pages):
            model = registry.build_page_model(study.model, len(study.classes), start)
            return freeze_convolutions(model) if study.frozen else model
        return registry.build(study.model, len(study.classes), start, study.input_px)

    def _fingerprint(self, plan: Plan, part: Partition, left_out: LeftOut) -> str:
        """Twelve hex digits over all that a training depends on: settings, pages, weights, code."""
        study = asdict(self.study)
        # who else is trained, and where the results go, is nothing to this one
        for changeable in ("folds", "seeds", "inner", "profile"):
            study.pop(changeable)
        start = self.study.weights
        told = {
            "study": study,
            "start": sha256(Path(start)) if start.endswith(".safetensors") else start,
            "pages": self.pages["page_id"].to_numpy()[plan.rows].tolist(),
            "seen": self.seen,
            "plan": [plan.seed, plan.epochs, plan.stop_after, sorted(plan.watched)],
            "teacher": getattr(self.loss_for, "fingerprint", lambda *_: None)(part, left_out),
            "code": {
                path.name: sha256(path)
                for room in ("models", "learning")
                for path in sorted((Path(__file__).parents[1] / room).glob("*.py"))
                if path.name not in ("export.py", "training_facts.py")
                and (self.loss_for or path.name != "distill.py")  # those take no part
            },
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]

    def _own(self, scratch: Path, fingerprint: str) -> Path:
        """The scratch folder of a training, emptied where it belongs to another one."""
        mark = scratch / "fingerprint"
        if scratch.is_dir() and not (mark.is_file() and mark.read_bytes() == fingerprint.encode()):
            shutil.rmtree(scratch)
        scratch.mkdir(parents=True, exist_ok=True)
        mark.write_text(fingerprint)
        return scratch

    def _finished(self, name: str, fingerprint: str) -> Trained | None:
        path, scratch = self.folder / "weights" / f"{name}.safetensors", self.folder / "trainings" / name
        if not path.is_file():
            return None
        try:
            told = read_metadata(path)
            if told.get("fingerprint") != fingerprint:
                return None
            model = self._model(str(path))
            damaged = differing(scratch, json.loads(told["kept"]))
            if _digest(model.state_dict()) != told["tensors"]:
                damaged.append(path.name)
        except (WeightsError, KeyError, ValueError):
            damaged = [path.name]
        if damaged:
            tqdm.write(f"{name}: {damaged[0]} is not as it was written, so this network is trained again.")
            return None
        self.reused += 1
        answers = {}
        for kept in scratch.glob("answers-*.npy"):
            _, epoch, fold = kept.stem.split("-")
            answers[int(epoch), int(fold)] = np.load(kept, allow_pickle=False)
        return Trained(model.eval(), pd.read_csv(scratch / "history.csv"), answers, told["precision"])

    def _save(
        self,
        name: str,
        fingerprint: str,
        trained: Trained,
        part: Partition,
        left_out: LeftOut,
        plan: Plan,
    ) -> None:
        study, model, scratch = self.study, trained.model, self.folder / "trainings" / name
        assert model is not None  # noqa: S101 - a training ends with its network
        tensors = {key: value.contiguous().cpu() for key, value in model.state_dict().items()}
        metadata = {
            "model": study.model,
            "name": study.name,
            "classes": ",".join(study.classes),
            "task": study.task,
            "protocol": study.protocol,
            "seed": str(part.seed),
            "left_out": ",".join(map(str, left_out)),
            "partition": part.fingerprint,
            "epochs": str(plan.stop_after),
            "began_from": model.began_from,
            **model.preprocessing,
            "data_fingerprint": study.data_fingerprint,
            "fingerprint": fingerprint,
            "leadwise": VERSION,
            **said_of_training(trained.precision, trained.seconds),
            # a finished training is taken up where all of it is as it was
            "tensors": _digest(tensors),
            "kept": json.dumps(sums(scratch, [scratch / "history.csv", *scratch.glob("answers-*.npy")])),
        }
        with written_whole(self.folder / "weights" / f"{name}.safetensors") as aside:
            save_file(tensors, aside, metadata)


def _partitions(
    study: Study, pages: pd.DataFrame, folds: pd.DataFrame | dict[int, Partition]
) -> dict[int, Partition]:
    if isinstance(folds, dict):
        parts = {seed: folds[seed] for seed in study.seeds}
    else:
        parts = {seed: partition(pages, folds, study.protocol, seed, study.classes) for seed in study.seeds}
    for part in parts.values():
        for k in study.folds:
            if k not in part.rows:
                raise InputError(f"FOLDS names fold {k}; folds.csv has {part.folds}.")
    return parts


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Hex sha256 over the names and bytes of all tensors."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode() + b"\0")
        digest.update(tensors[key].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _pair(j: int, k: int) -> LeftOut:
    return (min(j, k), max(j, k))


def _training_seed(seed: int, left_out: LeftOut) -> int:
    """A number of its own for each training: seed 1 without fold 2 gives 102, without 2 and 3 gives 123."""
    return seed * 100 + (left_out[0] * 10 + left_out[1] if len(left_out) == 2 else left_out[0])


def _chosen(jobs: Sequence[_Jobs], part: Partition, k: int) -> tuple[_Jobs, int, dict[int, Trained]]:
    """The candidate and number of epochs whose inner answers for outer fold `k` have the lowest log-loss, pooled."""
    found = []
    for number, each in enumerate(jobs):
        inner = {j: each.run(part, _pair(j, k)) for j in part.folds if j != k}
        labels = np.concatenate([each.examples.labels[part.rows[j]] for j in inner])
        for epoch in sorted({epoch for trained in inner.values() for epoch, _ in trained.answers}):
            prob = np.concatenate([trained.answers[epoch, j].mean(axis=1) for j, trained in inner.items()])
            loss = scores(labels, prob, each.examples.classes)["log_loss"]
            found.append((loss, epoch, number, inner))
    _, epochs, number, inner = min(found, key=lambda one: one[:3])
    return jobs[number], epochs, inner


def _inner_answers(
    study: Study, inner: dict[int, Trained], epochs: int, part: Partition, keys: dict[str, Any]
) -> pd.DataFrame:
    tables = [
        answers_table(
            trained.answers[epochs, j],
            part,
            j,
            {**keys, "profile": study.profile, "role": "inner", "held_out": j},
            by_lead=False,
        )
        for j, trained in inner.items()
    ]
    return pd.concat(tables, ignore_index=True)


@contextmanager
def _progress(
    candidates: Sequence[Study], parts: dict[int, Partition]
) -> Iterator[Callable[[str, dict[str, float]], None]]:
    """A bar over the epochs of all trainings of all candidates."""
    study = candidates[0]
    pairs = {_pair(j, k) for part in parts.values() for k in study.folds for j in part.folds if j != k}
    inner_ones = len(pairs) * (len(parts) + len(candidates) - 1)  # seeds after the first have one candidate
    trainings = len(parts) * len(study.folds) + (inner_ones if study.inner else 0)
    begun: list[str] = []
    layout = "{desc} {percentage:3.0f}% |{bar:20}| {elapsed} gone, {remaining} to go{postfix}"
    with tqdm(
        desc=study.name, total=trainings * study.epochs, mininterval=1.0, bar_format=layout, file=sys.stdout
    ) as bar:

        def on_step(name: str, told: dict[str, float]) -> None:
            if name not in begun:
                begun.append(name)
            epochs_done = (len(begun) - 1) * study.epochs + told["epoch"]
            loss = f", loss {told['loss']:.3f}" if "loss" in told else ""
            where = f"training {len(begun)} of {trainings}, epoch {told['epoch']:.1f} of {study.epochs}{loss}"
            bar.set_postfix_str(where, refresh=False)
            bar.update(round(epochs_done, 2) - bar.n)

        yield on_step
