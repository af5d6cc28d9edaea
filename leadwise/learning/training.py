"""A training as a job: all that one network needs to be trained, in this process or in another.

Files are the only way from a training to whoever asked for it: its network in ``weights/``, and in ``trainings/`` its
history and answers. What stands there whole, and is made of the same, is taken up and not made again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from leadwise.errors import WeightsError
from leadwise.files import differing, sha256, sums, written_whole
from leadwise.folds.partition import LeftOut, Partition, Rows, weights_name
from leadwise.learning.answers import answer, answers_table, refuse_start_that_saw
from leadwise.learning.engine import Loss, Trained, cross_entropy, train
from leadwise.learning.examples import Examples
from leadwise.learning.fingerprint import AUGMENTED_BY, TRAINED_BY, code_of, fingerprint, majors
from leadwise.learning.history import Answers, Plan, forget_checkpoints, keep_answers, kept_answers
from leadwise.learning.study import Study
from leadwise.learning.training_facts import said_of_training
from leadwise.models import registry
from leadwise.models.classifier import Classifier
from leadwise.models.networks import network
from leadwise.models.signal_nets import freeze_convolutions
from leadwise.models.weights_file import read_metadata
from leadwise.names import VERSION
from leadwise.tables import write_table

PROGRESS = "progress.json"
"""The file in which a training notes, about once a second, how far it is: ``epoch``, and ``loss`` where known."""


class LossFor(Protocol):
    """Gives the loss of a training where that is not the recipe's own cross-entropy."""

    @property
    def code(self) -> Sequence[str]:
        """The definitions that make it, ``module:name``; none where it is the recipe's own after all."""

    def __call__(self, part: Partition, left_out: LeftOut, loss: Loss) -> Loss:
        """The loss of the training that leaves out these folds; `loss` is the recipe's own."""

    def made_of(self, part: Partition, left_out: LeftOut) -> list[Any]:
        """What of it changes with its settings, and with the networks that it asks."""


@dataclass(frozen=True)
class Finished:
    """What a finished training leaves: its history, and its answers to folds that it never saw."""

    history: pd.DataFrame
    answers: Answers


@dataclass(frozen=True)
class Training:
    """One network of a study: trained without some folds, all epochs or the first `stop_after`, below `folder`.

    Of two folds left out each is answered for after every epoch, to choose for the other; of one it is answered at
    the end, if `answer_test`, and for the fold that is asked about. `seen` is the digest of `examples`.
    """

    study: Study
    examples: Examples
    seen: str
    part: Partition
    left_out: LeftOut
    stop_after: int
    folder: Path
    loss_for: LossFor | None = None
    answer_test: bool = True

    @property
    def name(self) -> str:
        """How its files are called."""
        return weights_name(self.part.seed, self.left_out, task=self.study.task, prefix=self.study.prefix)

    @property
    def scratch(self) -> Path:
        """The folder that is its own."""
        return self.folder / "trainings" / self.name

    @property
    def weights(self) -> Path:
        """The file of its network."""
        return self.folder / "weights" / f"{self.name}.safetensors"

    @property
    def inner(self) -> bool:
        """Whether it is trained to choose, and not to be tested."""
        return len(self.left_out) == 2

    @cached_property
    def plan(self) -> Plan:
        """What it sees and how long it goes on; the seed of its weights and batches is a number of its own."""
        first, *second = self.left_out  # seed 1 without fold 2 gives 102, without 2 and 3 gives 123
        number = first * 10 + second[0] if second else first
        return Plan(
            self.part.training_rows(self.left_out),
            self._watched(),
            self.part.seed * 100 + number,
            self.study.epochs,
            self.stop_after,
            self.study.max_steps,
            self.study.units_an_epoch,
        )

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hex digits over all that it depends on: settings, units, first weights, libraries, code."""
        study, row, start = self.study, network(self.study.model), self.study.weights
        # who else is trained, and where the results go, is nothing to this one
        settings = {key: value for key, value in asdict(study).items() if key not in _NOT_ITS_OWN}
        settings["recipe"].pop("source")
        roots = [*TRAINED_BY, row.builder, *_WRAPPED_BY.get(row.answers_for, ())]
        roots += [AUGMENTED_BY] if study.recipe.augment else []
        roots += ["leadwise.models.signal_nets:freeze_convolutions"] if study.frozen else []
        roots += self.loss_for.code if self.loss_for else []
        made_of = {
            "study": settings,
            "network": {key: getattr(row, key) for key in _OF_A_NETWORK},
            "start": sha256(Path(start)) if start.endswith(".safetensors") else start,
            "units": [self.part.unit_ids[self.plan.rows].tolist(), self.part.labels[self.plan.rows].tolist()],
            "seen": self.seen,
            "plan": [self.plan.seed, self.plan.epochs, self.stop_after, self.inner, self.answer_test],
            "loss": self.loss_for.made_of(self.part, self.left_out) if self.loss_for else None,
            "libraries": majors(),
            "code": code_of(roots),
        }
        return fingerprint(made_of)

    def run(self) -> None:
        """Train, answer, and leave all of it in files; goes on from the last whole checkpoint of the same training.

        Raises what `train` raises, and `LeakError` for first weights that saw what is left out.
        """
        study, part = self.study, self.part
        refuse_start_that_saw(study.weights, study.data_fingerprint, part, self.left_out)
        self._make_scratch()
        loss = cross_entropy(study.recipe, self.examples, self.plan.rows)
        trained = train(
            self.plan,
            self.examples,
            self._model,
            study.recipe,
            self.scratch,
            loss=self.loss_for(part, self.left_out, loss) if self.loss_for else loss,
            on_step=self._noting(),
        )
        trained.history.to_csv(self.scratch / "history.csv", index=False)
        if not self.inner and self.answer_test:
            self._answer(trained.model)
        self._save(trained)
        (self.scratch / PROGRESS).unlink(missing_ok=True)

    def finished(self) -> Finished | None:
        """What it left, if it is finished and all of it is as it was written; of damage a line is printed."""
        if not self.weights.is_file():
            return None
        try:
            metadata = read_metadata(self.weights)
            if metadata.get("fingerprint") != self.fingerprint:
                return None
            damaged = differing(self.scratch, json.loads(metadata["kept"]))
            if _digest(load_file(self.weights)) != metadata["tensors"]:
                damaged.append(self.weights.name)
        except (WeightsError, KeyError, ValueError):
            damaged = [self.weights.name]
        if damaged:
            tqdm.write(
                f"{self.name}: {damaged[0]} is not as it was written, so this network is trained again."
            )
            return None
        forget_checkpoints(self.scratch)
        return Finished(pd.read_csv(self.scratch / "history.csv"), kept_answers(self.scratch))

    def history(self, finished: Finished) -> pd.DataFrame:
        """Its rows of ``history.csv``."""
        study = self.study
        keys = study.keys(self.part.seed, self.left_out[-1])
        keys |= {"model": study.prefix} if study.prefix else {}
        keys |= {
            "role": "inner" if self.inner else "test",
            "held_out": self.left_out[0] if self.inner else None,
        }
        return finished.history.assign(**keys)

    def test_answers(self, answers: Answers) -> list[pd.DataFrame]:
        """Rows of ``predictions.csv``, of one that is tested: for its fold, and for the one that is asked about."""
        keys = self.study.keys(self.part.seed, self.left_out[0]) | {"profile": self.study.profile}
        return [
            answers_table(
                of_fold, self.part, fold, keys | {"role": "val" if fold == self.part.asked else "test"}
            )
            for (_, fold), of_fold in sorted(answers.items())
        ]

    def _watched(self) -> dict[int, Rows]:
        """Of two folds left out, those that are answered for after every epoch: each where the other is tested.

        Where one alone is, as DS2 beside the folds inside DS1, it is not looked at: its answers would choose nothing.
        """
        if not self.inner:
            return {}
        j, k = self.left_out
        tested = self.part.tested or self.part.rows
        return {fold: self.part.rows[fold] for fold, other in ((j, k), (k, j)) if other in tested}

    def _model(self) -> Classifier:
        study = self.study
        model = registry.build(study.model, len(study.classes), study.weights, study.input_px)
        return freeze_convolutions(model) if study.frozen else model

    def _make_scratch(self) -> None:
        """Its scratch folder, emptied where it belongs to another training."""
        mark = self.scratch / "fingerprint"
        if self.scratch.is_dir() and not (mark.is_file() and mark.read_bytes() == self.fingerprint.encode()):
            shutil.rmtree(self.scratch)
        self.scratch.mkdir(parents=True, exist_ok=True)
        mark.write_text(self.fingerprint)

    def _noting(self) -> Callable[[dict[str, float]], None]:
        noted = [0.0]

        def note(step: dict[str, float]) -> None:
            if time.monotonic() - noted[0] > 1:
                noted[0] = time.monotonic()
                (self.scratch / PROGRESS).write_text(json.dumps(step), encoding="utf-8")

        return note

    def _answer(self, model: Classifier) -> None:
        for fold in (self.left_out[0], self.part.asked):
            if fold is not None:
                keep_answers(
                    self.scratch, self.stop_after, fold, answer(model, self.examples, self.part.rows[fold])
                )
        # else a page is answered once a file, as published, and no table holds that
        if pd.Index(self.part.rows[self.left_out[0]]).is_unique:
            answers = pd.concat(self.test_answers(kept_answers(self.scratch)))
            write_table(answers, self.scratch / "answers.csv", "predictions.csv")

    def _save(self, trained: Trained) -> None:
        study, model = self.study, trained.model
        tensors = {key: value.contiguous().cpu() for key, value in model.state_dict().items()}
        metadata = {
            "model": study.model,
            "name": study.name,
            "classes": ",".join(study.classes),
            "task": study.task,
            "protocol": study.protocol,
            "seed": str(self.part.seed),
            "left_out": ",".join(map(str, self.left_out)),
            "partition": self.part.fingerprint,
            "epochs": str(self.stop_after),
            "began_from": model.began_from,
            **model.preprocessing,
            "data_fingerprint": study.data_fingerprint,
            "fingerprint": self.fingerprint,
            "leadwise": VERSION,
            **said_of_training(trained.precision, trained.seconds),
            # a finished training is taken up where all of it is as it was
            "tensors": _digest(tensors),
            "kept": json.dumps(
                sums(self.scratch, [self.scratch / "history.csv", *self.scratch.glob("answers-*.npy")])
            ),
        }
        with written_whole(self.weights) as aside:
            save_file(tensors, aside, metadata)
        forget_checkpoints(self.scratch)


_NOT_ITS_OWN = ("folds", "seeds", "inner", "profile", "weights")

_OF_A_NETWORK = ("builder", "options", "views", "input_px", "mean_std", "samples", "checkpoint", "revision")

_WRAPPED_BY = {
    "leads": ("leadwise.models.classifier:LeadClassifier",),
    "recordings": ("leadwise.models.signal_nets:SignalClassifier",),
}


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Hex sha256 over the names and bytes of all tensors."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode() + b"\0")
        digest.update(tensors[key].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
