"""The notebooks, executed once on the embedded sample, for every test that looks at what they wrote."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadwise.project import profiles, provenance

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def executed_sample() -> Path:
    """Give the results of all notebooks under the profile sample.

    Those of ``make run`` (or of earlier tests) serve where they were made by the present code and
    parameters; otherwise all notebooks run now, into .test-runs. One process of the tests runs them; another that
    needs them meanwhile waits.
    """
    own = REPOSITORY / ".test-runs"
    own.mkdir(exist_ok=True)
    with (own / "turn.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for runs in (REPOSITORY / "runs", own):
            if is_current(runs / "sample"):
                return runs / "sample"
        run_all(own)
    return own / "sample"


def run_all(runs: Path) -> None:
    """Run all notebooks of the profile sample into a folder."""
    environment = {name: value for name, value in os.environ.items() if name != "LEADWISE_DATA"}
    done = subprocess.run(
        [sys.executable, "-m", "leadwise", "run", "--profile", "sample", "--force"],
        cwd=REPOSITORY,
        env=environment | {"LEADWISE_RUNS": str(runs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def is_current(folder: Path) -> bool:
    """Whether all notebooks were executed with the present code and the present parameters."""
    with contextlib.chdir(REPOSITORY):
        for name, parameters in profiles.load_profile("sample").items():
            if not all((folder / name / file).is_file() for file in ("notebook.ipynb", "result.json")):
                return False
            result = provenance.read_result(folder / name / "result.json")
            if result is None or result["parameters"] != parameters.model_dump():
                return False
            if result["code_fingerprint"] != provenance.code_fingerprint(name):
                return False
    return True
