"""A training that is killed with -9 and started again ends with the same weights, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from waiting import wait_until

TRAINING = """
import sys
from pathlib import Path
import numpy as np
from safetensors.torch import save_file
from leadwise.tables import CLASSES
from leadwise.learning import engine
from leadwise.learning.examples import Units
from leadwise.learning.history import Plan, kept_answers
from leadwise.models import registry
from leadwise.models.networks import recipe

views, folder = dict(np.load(sys.argv[1])), Path(sys.argv[2])
examples = Units(views, np.arange(40) % 4, CLASSES)
plan = Plan(np.arange(32), {1: np.arange(32, 40)}, seed=1, epochs=30, stop_after=30)
told = recipe("leads12_beats", "random")
trained = engine.train(plan, examples, lambda: registry.build("leads12_beats", 4), told, folder)
save_file(trained.model.state_dict(), folder / "trained.safetensors")
np.save(folder / "answers.npy", kept_answers(folder)[30, 1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed")
def test_a_training_killed_with_9_ends_with_the_same_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    views = {
        "signals": rng.normal(size=(40, 12, 312)).astype(np.float32),
        "rhythm": rng.normal(size=(40, 1250)).astype(np.float32),
        "beats": rng.normal(size=(40, 12, 81)).astype(np.float32),
    }
    np.savez(tmp_path / "views.npz", **views)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-c", TRAINING, str(tmp_path / "views.npz")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    with subprocess.Popen([*command, str(killed)], env=environment) as running:
        wait_until(lambda: len(list(killed.glob("checkpoint-*/history.json"))) > 1, 120)
        running.kill()
    assert not (killed / "trained.safetensors").exists()
    for folder in (killed, whole):
        subprocess.run([*command, str(folder)], env=environment, check=True)

    assert (killed / "trained.safetensors").read_bytes() == (whole / "trained.safetensors").read_bytes()
    assert (killed / "answers.npy").read_bytes() == (whole / "answers.npy").read_bytes()
