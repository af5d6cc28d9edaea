"""A kill in the middle of the real workflow, while a model trains."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import held, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = ("11_image_audit", "12_image_leads", "13_image_folds")
RUN = [sys.executable, "-m", "leadwise", "run", "--profile", "sample", "--only", "24_image_vit"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can have processes killed with their parent")
def test_after_a_kill_while_a_model_trains_the_same_command_finishes_what_was_left(
    executed_sample: Path, tmp_path: Path
) -> None:
    sample = tmp_path / "sample"
    for name in DATA:  # in their order, so that none seems older than what it needs
        shutil.copytree(executed_sample / name, sample / name)
        os.utime(sample / name / "result.json")
    finished = {name: (sample / name / "result.json").stat().st_mtime_ns for name in DATA}
    environment = os.environ | {"LEADWISE_RUNS": str(tmp_path)}
    lock = sample / ".locks" / "24_image_vit.lock"
    folder = sample / "24_image_vit"

    with subprocess.Popen(RUN, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL) as running:
        wait_until(lambda: held(lock) and any(folder.glob("weights/*.safetensors")), 120)
        running.kill()
    wait_until(lambda: not held(lock), 5)
    assert not (folder / "result.json").exists()
    trained = {path: path.stat().st_mtime_ns for path in folder.glob("weights/*.safetensors")}

    again = subprocess.run(RUN, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (folder / "result.json").is_file()
    assert trained == {path: path.stat().st_mtime_ns for path in trained}, (
        "a finished network was trained again"
    )
    assert finished == {name: (sample / name / "result.json").stat().st_mtime_ns for name in DATA}
