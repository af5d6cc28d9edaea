"""Trainings side by side: the same weights, and nobody is left when one is killed or all are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from failing_losses import Healthy, Killed, OutOfMemory
from fitted import fitted
from made import made_folds, made_pages, made_views
from waiting import wait_until

from leadwise import processes
from leadwise.errors import SettingsError, TrainingError
from leadwise.learning import jobs
from leadwise.learning.study import Study
from leadwise.models.networks import Recipe
from leadwise.names import CLASSES

N = 40
QUICK = Recipe(2e-3, 0.05, 0.1, 16, 2, "tests", augment=True)


@pytest.fixture(scope="module")
def pages() -> pd.DataFrame:
    return made_pages(N)


@pytest.fixture(scope="module")
def views() -> dict[str, np.ndarray]:
    return made_views(N)


def study(**more: Any) -> Study:
    settings: dict[str, Any] = {
        "name": "leads12_joined", "model": "leads12_joined", "weights": "random", "recipe": QUICK, "epochs": 2,
        "task": "four", "classes": CLASSES, "folds": (1, 2), "seeds": (1,), "inner": True, "profile": "tests",
        "data_fingerprint": "made", "max_steps": 2,
    }  # fmt: skip
    return Study(**(settings | more))


def test_two_at_once_give_the_same_weights_and_answers_as_one_after_the_other(
    pages, views, tmp_path, monkeypatch
):
    results = {}
    for number in (1, 2):
        monkeypatch.setenv(processes.JOBS, str(number))
        results[number] = fitted(study(), views, pages, made_folds(pages), tmp_path / str(number))
    one, two = (sorted((tmp_path / str(number) / "weights").iterdir()) for number in (1, 2))
    assert [path.name for path in one] == [path.name for path in two]
    assert len(one) == 9
    for first, second in zip(one, two, strict=True):
        assert tensors(first) == tensors(second), first.name
    pd.testing.assert_frame_equal(results[1].predictions, results[2].predictions)
    assert results[1].trainings == results[2].trainings
    again = fitted(study(), views, pages, made_folds(pages), tmp_path / "2")
    assert again.reused == 9, "who trained it is nothing to a network"


def tensors(path: Path) -> dict[str, bytes]:
    from safetensors.torch import load_file

    return {name: value.numpy().tobytes() for name, value in load_file(path).items()}


@pytest.mark.parametrize(
    ("loss_for", "error", "words"),
    [
        (Killed(), TrainingError, r"seed1-fold2.* was killed.*kept: run again, with fewer at once"),
        (OutOfMemory(), MemoryError, "made"),
    ],
)
def test_what_is_finished_stays_when_another_is_killed_or_fails(
    pages, views, tmp_path, monkeypatch, loss_for, error, words
):
    monkeypatch.setenv(processes.JOBS, "2")
    folds = made_folds(pages)
    alone = study(inner=False)
    fitted(study(inner=False, folds=(1,)), views, pages, folds, tmp_path, loss_for=loss_for)
    with pytest.raises(error, match=words):
        fitted(alone, views, pages, folds, tmp_path, loss_for=loss_for)
    healed = fitted(alone, views, pages, folds, tmp_path, loss_for=Healthy())
    assert healed.reused == 1
    assert (tmp_path / "weights" / "seed1-fold2.safetensors").is_file()


SIDE_BY_SIDE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_jobs
from fitted import fitted
from made import made_folds, made_pages, made_views

pages = made_pages(40)
long = test_jobs.study(epochs=10_000, inner=False, max_steps=None)
fitted(long, made_views(40), pages, made_folds(pages), Path(sys.argv[2]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not end what is left")
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_nobody_is_left_when_all_are_stopped(tmp_path: Path, ended_by: signal.Signals) -> None:
    helpers = Path(__file__).parents[2] / "helpers"
    environment = os.environ | {
        processes.JOBS: "2",
        "PYTHONPATH": f"{helpers}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    command = [sys.executable, "-c", SIDE_BY_SIDE, str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        wait_until(lambda: len(list(tmp_path.glob("trainings/*/progress.json"))) == 2, 120)
        trainers = [one for one in children(running.pid) if b"loky" in command_of(one)]
        assert len([one for one in trainers if b"resource_tracker" not in command_of(one)]) == 2
        running.send_signal(ended_by)
        running.wait(60)
    wait_until(lambda: not any(command_of(one) for one in trainers), 30)


def children(parent: int) -> list[int]:
    return [
        int(one)
        for path in Path(f"/proc/{parent}/task").glob("*/children")
        for one in path.read_text().split()
    ]


def command_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_each_process_sees_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(name: str, gpus: int, visible: str | None = None) -> str | None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        monkeypatch.setattr(jobs.multiprocessing.current_process(), "_name", name)
        jobs._take_one_gpu(gpus)
        return os.environ.get("CUDA_VISIBLE_DEVICES")

    assert [seen(f"LokyProcess-{number}", 2) for number in (1, 2, 3)] == ["0", "1", "0"]
    assert seen("LokyProcess-2", 2, "4,7") == "7"
    assert seen("LokyProcess-2", 1) is None
    assert not torch.cuda.is_initialized()


@pytest.mark.parametrize("said", ["two", "0", "-1", ""])
def test_a_number_of_jobs_that_is_none_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(processes.JOBS, said)
    with pytest.raises(
        SettingsError, match=f"LEADWISE_JOBS is '{said}'; it says how many trainings go on at once"
    ):
        jobs.run_all([], jobs.Progress("none", 0, 1))
