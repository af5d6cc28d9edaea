"""The workflow over stand-in notebooks: what runs, what does not run again, and what a kill leaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from miniature import Clone
from waiting import held, wait_until

from leadwise.project import profiles
from leadwise.project.notebooks import NOTEBOOKS, ends

SLEEP = "import time; time.sleep(300)"


def sources(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


# --- the executor of one notebook ----------------------------------------------------------


def test_an_executed_notebook_holds_the_profiles_parameters_and_its_result(clone: Clone) -> None:
    clone.notebook("24_image_vit", "assert MAX_STEPS == 4, MAX_STEPS\nassert run.threads == 1\n"
                   "import os; assert os.environ['LEADWISE_JOBS'] == '1'")  # fmt: skip
    done = clone.execute("24_image_vit")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = clone.result("24_image_vit").parent
    assert sorted(path.name for path in folder.iterdir()) == ["notebook.ipynb", "result.json"]
    assert any("MAX_STEPS = 4" in source for source in sources(folder / "notebook.ipynb"))


def test_the_kernel_is_this_python_whatever_kernels_the_user_has_installed(
    clone: Clone, tmp_path: Path
) -> None:
    hostile = tmp_path / "jupyter" / "kernels" / "python3"
    hostile.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (hostile / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    clone.notebook(
        "11_image_audit", f"import sys; assert sys.executable == {sys.executable!r}, sys.executable"
    )
    done = clone.execute("11_image_audit", JUPYTER_PATH=str(hostile.parents[1]))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_kernel_takes_no_port_that_another_may_take_first(clone: Clone) -> None:
    clone.notebook(
        "11_image_audit",
        "from ipykernel.connect import get_connection_info\n"
        "info = get_connection_info(unpack=True)\n"
        "assert info['transport'] == 'ipc', info",
    )
    done = clone.execute("11_image_audit")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failing_cell_keeps_the_notebook_under_another_name(clone: Clone) -> None:
    clone.notebook("11_image_audit", "raise ValueError('twelve leads were wanted')")
    done = clone.execute("11_image_audit")
    assert done.returncode == 1
    assert "ValueError: twelve leads were wanted" in done.stdout
    folder = clone.result("11_image_audit").parent
    assert (folder / "notebook.failed.ipynb").is_file()
    assert not (folder / "notebook.ipynb").exists()
    assert not (folder / "result.json").exists()


def test_a_cell_that_fails_after_the_result_was_written_leaves_no_result(clone: Clone) -> None:
    clone.notebook("11_image_audit", "run.finish({})\nraise ValueError('too late')")
    assert clone.execute("11_image_audit").returncode == 1
    names = {path.name for path in clone.result("11_image_audit").parent.iterdir()}
    assert names == {"notebook.failed.ipynb", ".begun.json"}  # the latter lets a training go on


def test_a_killed_kernel_ends_the_job_with_an_error(clone: Clone) -> None:
    clone.notebook("11_image_audit", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = clone.execute("11_image_audit")
    assert done.returncode == 1
    assert "the kernel was killed while a cell ran" in done.stdout
    assert (clone.result("11_image_audit").parent / "notebook.failed.ipynb").is_file()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ((), "0 cells are tagged 'parameters'"),
        (('PROFILE = "sample"', 'PROFILE = "sample"'), "2 cells are tagged 'parameters'"),
        (('PROFIL = "sample"',), "unknown parameter 'PROFIL': did you mean 'PROFILE'?"),
        (("# none",), "the parameter 'PROFILE' is missing"),
    ],
)
def test_a_notebook_whose_parameters_are_not_those_of_the_settings_is_refused(
    clone: Clone, parameters: tuple[str, ...], said: str
) -> None:
    clone.notebook("11_image_audit", parameters=parameters)
    done = clone.execute("11_image_audit")
    assert done.returncode == 1
    assert said in done.stdout


def test_a_notebook_that_never_finishes_its_run_has_no_result(clone: Clone) -> None:
    path = clone.notebook("11_image_audit")
    path.write_text(path.read_text(encoding="utf-8").replace("run.finish({})", "pass"), encoding="utf-8")
    done = clone.execute("11_image_audit")
    assert done.returncode == 1
    assert "ended without run.finish" in done.stdout


# --- leadwise run --------------------------------------------------------------------------


def test_a_run_makes_what_is_needed_and_a_second_run_makes_nothing(clone: Clone) -> None:
    first = clone.leadwise("run", "--only", "12_image_leads")
    assert first.returncode == 0, first.stdout + first.stderr
    assert clone.result("11_image_audit").is_file()
    assert not clone.result("13_image_folds").exists()
    assert str(clone.result("12_image_leads").with_name("notebook.ipynb")) in first.stdout
    before = {name: clone.result(name).stat().st_mtime_ns for name in ("11_image_audit", "12_image_leads")}
    clone.notebook("11_image_audit")  # touched, not changed
    second = clone.leadwise("run", "--only", "12_image_leads")
    assert second.returncode == 0
    assert "Nothing to do" in second.stdout
    assert before == {name: clone.result(name).stat().st_mtime_ns for name in before}


def test_changed_parameters_are_made_again_and_what_they_do_not_touch_is_not(clone: Clone) -> None:
    assert clone.leadwise("run", "--only", "12_image_leads").returncode == 0
    audit = clone.result("11_image_audit").stat().st_mtime_ns
    profile = clone.folder / "workflow" / "profiles" / "sample.yaml"
    text = profile.read_text(encoding="utf-8")
    assert "CHECKED: 4" in text
    profile.write_text(text.replace("CHECKED: 4", "CHECKED: 5"), encoding="utf-8")
    assert clone.leadwise("run", "--only", "12_image_leads").returncode == 0
    assert (
        json.loads(clone.result("12_image_leads").read_text(encoding="utf-8"))["parameters"]["CHECKED"] == 5
    )
    assert clone.result("11_image_audit").stat().st_mtime_ns == audit


def test_a_run_that_fails_names_the_notebook_the_error_and_what_was_kept(clone: Clone) -> None:
    clone.notebook("11_image_audit", "raise ValueError('no frame found')")
    done = clone.leadwise("run")
    assert done.returncode == 1
    kept = clone.result("11_image_audit").with_name("notebook.failed.ipynb")
    assert "11_image_audit: In [4]: ValueError: no frame found" in done.stderr
    assert str(kept) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can have processes killed with their parent")
def test_after_a_kill_nothing_lives_on_and_the_same_command_goes_on(clone: Clone) -> None:
    clone.notebook("12_image_leads", SLEEP)
    command = clone.command("run", "--only", "12_image_leads")
    locks = clone.runs / "sample" / ".locks"
    with subprocess.Popen(command, cwd=clone.folder, stdout=subprocess.DEVNULL) as running:
        wait_until(lambda: held(locks / "12_image_leads.lock"), 120)
        refused = clone.leadwise("run")
        running.kill()
    assert refused.returncode == 2
    assert f"the profile 'sample' is being run by process {running.pid}" in refused.stderr
    wait_until(lambda: not held(locks / "12_image_leads.lock"), 5)
    audit = clone.result("11_image_audit").stat().st_mtime_ns
    clone.notebook("12_image_leads")
    again = clone.leadwise("run", "--only", "12_image_leads")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "11_image_audit" not in again.stdout.split("Executed")[0]
    assert clone.result("11_image_audit").stat().st_mtime_ns == audit


def test_a_run_ends_when_nobody_reads_what_it_prints(clone: Clone) -> None:
    command = clone.command("run", "--only", "13_image_folds")
    with subprocess.Popen(
        command, cwd=clone.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(60) != 0


def test_the_snakefile_is_short_and_names_no_notebook(clone: Clone) -> None:
    text = (clone.folder / "workflow" / "Snakefile").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    assert not re.search(r"\d\d_[a-z]+|(image|signal|student)_", text)


@pytest.mark.parametrize("profile", ["sample", "cpu", "paper"])
def test_a_rule_for_each_notebook_runs_after_what_its_row_names(clone: Clone, profile: str) -> None:
    folder = clone.runs / profile
    folder.mkdir(parents=True)
    snakefile = clone.folder / "workflow" / "Snakefile"
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--cores", "1", "--dry-run",
         "--scheduler", "greedy", "--config", f"profile={profile}", "threads=1", "python=python"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = dict(re.findall(r"^rule (\w+):\n +input: (.*)\n", done.stdout + done.stderr, re.MULTILINE))
    everything = jobs.pop("all")
    assert set(jobs) == set(NOTEBOOKS)
    told = profiles.load_profile(profile)
    assert set(re.findall(r"(\w+)/result.json", everything)) == set(ends(told))
    for name, inputs in jobs.items():
        assert set(re.findall(r"(\w+)/result.json", inputs)) == set(NOTEBOOKS[name].needed(told[name]))


def test_a_runs_folder_elsewhere_gets_the_results(clone: Clone, tmp_path: Path) -> None:
    done = subprocess.run(
        clone.command("run", "--only", "11_image_audit"),
        cwd=clone.folder / "training",
        env=os.environ | {"LEADWISE_RUNS": str(tmp_path / "other place")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "other place" / "sample" / "11_image_audit" / "result.json").is_file()
    assert not clone.runs.exists()
