"""Independent trainings side by side: joblib hands each to a process, or does them here one after the other.

`processes.JOBS` says how many processes; each has one thread, so that a network's weights do not depend on how many
there are. Where it is not set, joblib's own setting holds (``joblib.parallel_config``), which is one after the other,
here, with torch's own threads.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

import torch
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from leadwise import processes
from leadwise.errors import SettingsError, TrainingError
from leadwise.learning.training import PROGRESS, Finished, Training


class Progress:
    """A bar over the epochs of trainings, as they note them in their folders."""

    def __init__(self, name: str, trainings: int, epochs: int) -> None:
        self.trainings, self.epochs = trainings, epochs
        self.done = self.reused = 0
        layout = "{desc} {percentage:3.0f}% |{bar:20}| {elapsed} gone, {remaining} to go{postfix}"
        self.bar = tqdm(
            desc=name, total=trainings * epochs, mininterval=1.0, bar_format=layout, file=sys.stdout
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    @contextmanager
    def watching(self, trainings: Sequence[Training]) -> Iterator[None]:
        """Look every second how far these are, until they are finished."""
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(1.0):
                self._show(trainings)

        watch = threading.Thread(target=look, daemon=True)
        watch.start()
        try:
            yield
        finally:
            ended.set()
            watch.join()

    def count(self, number: int) -> None:
        """Some more trainings are finished."""
        self.done += number
        self.bar.set_postfix_str(f"training {self.done} of {self.trainings}", refresh=False)
        self._move_to(self.done * self.epochs)

    def _show(self, trainings: Sequence[Training]) -> None:
        noted = {training.weights: _noted(training) for training in trainings}
        steps = [step for step in noted.values() if step is not None]
        finished = sum(step is None and weights.is_file() for weights, step in noted.items())
        if steps:
            loss = f", loss {steps[-1]['loss']:.3f}" if "loss" in steps[-1] else ""
            at = ", ".join(f"{step['epoch']:.1f}" for step in steps)
            where = (
                f"training {self.done + finished + 1} of {self.trainings}, epoch {at} of {self.epochs}{loss}"
            )
            self.bar.set_postfix_str(where, refresh=False)
        epochs = sum(step["epoch"] for step in steps)
        self._move_to((self.done + finished) * self.epochs + epochs)

    def _move_to(self, epochs: float) -> None:
        self.bar.update(max(0.0, round(epochs, 2) - self.bar.n))


def run_all(trainings: Iterable[Training], progress: Progress) -> dict[str, Finished]:
    """What each training leaves, by its name; unfinished ones are trained, as many at once as `processes.JOBS` says.

    `progress` counts those that were finished before as `reused`. Raises `TrainingError` where a process was killed.
    What one of them raises is raised here; the others are ended, and what is finished stays. `SettingsError` for a
    number of jobs that is none.
    """
    wanted = {training.name: training for training in trainings}
    results = {name: training.finished() for name, training in wanted.items()}
    todo = [wanted[name] for name, finished in results.items() if finished is None]
    progress.reused += len(wanted) - len(todo)
    progress.count(len(wanted) - len(todo))
    number = _at_once()
    try:
        with progress.watching(todo):
            Parallel(n_jobs=number)(
                delayed(_run)(training, os.getpid(), number is not None) for training in todo
            )
    except TerminatedWorkerError as error:
        raise TrainingError(
            f"A process that trained one of {', '.join(training.name for training in todo[:3])}"
            f"{', ...' if len(todo) > 3 else ''} was killed, most likely for want of memory. What is finished is "
            f"kept: run again, with fewer at once (leadwise run --jobs {max(1, (number or 2) // 2)})."
        ) from error
    progress.count(len(todo))
    for training in todo:
        results[training.name] = training.finished()
    return {name: finished for name, finished in results.items() if finished is not None}


def _at_once() -> int | None:
    """How many trainings may go on at once, at most one a GPU where there are some; None where nothing says it."""
    jobs = os.environ.get(processes.JOBS)
    if jobs is None:
        return None
    if not jobs.isdecimal() or int(jobs) < 1:
        raise SettingsError(
            f"{processes.JOBS} is {jobs!r}; it says how many trainings go on at once, a number from 1 on."
        )
    return min(int(jobs), torch.cuda.device_count()) if torch.cuda.is_available() else int(jobs)


def _run(training: Training, parent: int, one_thread: bool) -> None:
    """One training, in the process that asked for it or in one of its own."""
    if os.getpid() != parent:
        one_thread = True
        if os.getppid() == parent:  # else a cluster's: its scheduler looks after it
            processes.die_with_parent(parent)
        _take_one_gpu(torch.cuda.device_count())
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if one_thread else threads)
        training.run()
    finally:
        torch.set_num_threads(threads)


def _take_one_gpu(gpus: int) -> None:
    """Let this process see one GPU alone where there are several: the first process the first, and so on."""
    number = re.search(r"\d+$", multiprocessing.current_process().name)
    if gpus > 1 and number:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[(int(number[0]) - 1) % gpus]


def _noted(training: Training) -> dict[str, float] | None:
    with suppress(OSError, ValueError):
        step: dict[str, float] = json.loads((training.scratch / PROGRESS).read_text(encoding="utf-8"))
        return step
    return None
