"""The profile `paper` is rehearsed: each published network loads a file of the published form and takes a step."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadwise.models.networks import network
from leadwise.project import profiles
from leadwise.project.notebooks import LEAD_NETWORKS

CLONE = Path(__file__).resolve().parents[3]
STEP = CLONE / "tests" / "helpers" / "paper_step.py"
OF_PAPER = ("beit_base", "deit_base", "swin_tiny", "vit_base")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Emptied at once: a network with its optimizer takes a gigabyte."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def test_these_are_the_networks_weights_and_recipes_of_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CLONE)
    asked = profiles.load_profile("paper")
    assert set(asked["37_image_drawn_leads"].sources()) < set(LEAD_NETWORKS)  # type: ignore[attr-defined]
    parameters = [asked[name].model_dump() for name in LEAD_NETWORKS]
    assert [one["MODEL"] for one in parameters] == list(OF_PAPER)
    assert {(one["WEIGHTS"], one["RECIPE"]) for one in parameters} == {("pretrained", "published")}


def step(folder: Path, *asked: str) -> dict[str, Any]:
    """What came of a step of a network of published size that begins as asked."""
    hub = {"HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(STEP), asked[0], str(folder / "trained"), *asked[1:]]
    done = subprocess.run(command, env=os.environ | hub, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_network_of_published_size_begins_from_drawn_leads(folder: Path) -> None:
    came = step(folder, "vit_base", "drawn")
    assert came["began_from"] == "file: vit_base_drawn.safetensors"
    assert came["taken"] == came["tensors"] > 150, "not every tensor of the file is in the network"
    assert came["steps"] == 1
    assert math.isfinite(came["loss"])


@pytest.mark.parametrize("name", OF_PAPER)
def test_a_checkpoint_of_the_published_form_is_taken_and_trained_by_the_published_recipe(
    name: str, folder: Path
) -> None:
    came = step(folder, name)
    assert came["began_from"] == f"pretrained: {network(name).checkpoint}"
    assert came["taken"] == came["tensors"] > 15, "not every tensor of the file is in the network"
    assert came["steps"] == 1
    assert math.isfinite(came["loss"])
    ((first, second),) = came["answers"]
    assert first + second == pytest.approx(1, abs=1e-5)


def test_without_the_file_it_says_that_it_must_be_fetched(folder: Path) -> None:
    hub = {"HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": "1"}
    script = "from leadwise.models import registry; registry.build('vit_base', 2, 'pretrained')"
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | hub, capture_output=True, text=True, check=False
    )
    assert "google/vit-base-patch16-224) could not be had" in done.stderr.splitlines()[-1]
