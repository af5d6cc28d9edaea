"""The SLURM profile: it fits the workflow, and a stand-in for SLURM is given what each notebook needs."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from miniature import Clone

from leadwise.project.notebooks import NOTEBOOKS

PROFILE = Path(__file__).resolve().parents[3] / "workflow" / "cluster" / "config.yaml"
CLUSTER_PAGE = PROFILE.parents[2] / "docs" / "cluster.md"

with_plugin = pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
    reason="SLURM's executor is not installed: pip install snakemake-executor-plugin-slurm",
)

# What the executor asks of SLURM, answered on this machine: a submitted job runs at once and writes how it ended.
STAND_INS = {
    "sbatch": """echo "$@" | sed 's/ --wrap=.*//' >> "$QUEUE/submitted"
for last; do :; done
id=$(($(wc -l < "$QUEUE/submitted")))
(SLURM_JOB_ID=$id sh -c "${last#--wrap=}" > "$QUEUE/$id.log" 2>&1 && s=COMPLETED || s=FAILED
 echo "$id|$s" >> "$QUEUE/ended") &
echo $id""",
    "srun": """while [ "${1#-}" != "$1" ]; do shift; done
exec "$@" """,
    "sacct": """cat "$QUEUE/ended" 2>/dev/null || true""",
    "scontrol": "",
    "sinfo": "",
    "sacctmgr": "",
    "scancel": "",
}


def documented() -> list[str]:
    """The command that docs/cluster.md gives, without its comment and the lines' ends."""
    (block,) = re.findall(r"```bash\n(make env.*?)```", CLUSTER_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    commands = [line.split(" # ")[0].strip() for line in block.replace("\\\n", " ").splitlines()]
    (command,) = [line for line in commands if "snakemake" in line]
    return shlex.split(command)


def snakemake(clone: Clone, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Give that command in a clone, with this Python and the sample for its profile of notebooks."""
    given = [word.replace("$PWD/.venv/bin/python", sys.executable) for word in documented()[3:]]
    given = [word.replace("paper", "sample") for word in given]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *more[:1], *given, *more[1:]],
        cwd=clone.folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_profile_speaks_of_the_cluster_alone() -> None:
    profile = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))
    assert profile["executor"] == "slurm"
    assert "set-resources" not in profile
    assert set(profile["default-resources"]) == {"mem_mb", "runtime"}


def test_what_trains_for_long_wants_a_gpu_and_more_time_than_the_others_get() -> None:
    trained = {name for name in NOTEBOOKS if name[0] in "23"} | {"41_student_distill"}
    trained -= {"33_signal_ensemble", "35_signal_rhythm"}  # which join answers, and teach trees
    assert {name for name, row in NOTEBOOKS.items() if row.gpu} == trained
    usual = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))["default-resources"]
    for name in trained:
        assert NOTEBOOKS[name].resources["runtime"] > usual["runtime"]
        assert NOTEBOOKS[name].resources.get("mem_mb", usual["mem_mb"]) >= usual["mem_mb"]


@with_plugin
def test_a_dry_run_for_a_cluster_lists_every_notebook_with_what_it_asks_for(clone: Clone) -> None:
    done = snakemake(clone, "all", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = dict(re.findall(r"^rule (\w+):\n((?: .*\n)+)", done.stdout + done.stderr, re.MULTILINE))
    assert NOTEBOOKS.keys() <= jobs.keys()
    usual = yaml.safe_load(PROFILE.read_text(encoding="utf-8"))["default-resources"]
    for name, row in NOTEBOOKS.items():
        for what, amount in (usual | row.resources).items():
            assert f"{what}={amount}" in jobs[name]
        assert ("gpu=" in jobs[name]) == row.gpu


@with_plugin
@pytest.mark.skipif(
    " " in sys.executable, reason="Snakemake writes Python's path into a job unquoted; this one has a space"
)
def test_a_notebook_is_submitted_with_its_cores_and_runs_as_a_job(clone: Clone, tmp_path: Path) -> None:
    for name, script in STAND_INS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    done = snakemake(
        clone, "11_image_audit/result.json", "--slurm-init-seconds-before-status-checks", "1",
        PATH=f"{tmp_path}:{os.environ['PATH']}", QUEUE=str(tmp_path), HOME=str(tmp_path),
    )  # fmt: skip
    logs = "".join(log.read_text(encoding="utf-8") for log in tmp_path.glob("*.log"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    assert clone.result("11_image_audit").is_file()
    (submitted,) = (tmp_path / "submitted").read_text(encoding="utf-8").splitlines()
    for wanted in ("--cpus-per-task=8", "--mem 16000", "-t 120", "--export=ALL"):
        assert wanted in submitted
