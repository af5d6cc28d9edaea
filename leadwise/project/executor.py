"""Running the notebooks: ``leadwise run`` over Snakemake, and the executor of a single one.

    leadwise run            holds runs/<profile>, starts
    └── snakemake           over workflow/Snakefile, a rule a notebook, starts for each that is not done
        └── executor        python -m leadwise.project.executor NOTEBOOK PROFILE THREADS, which starts
            └── kernel      the notebook itself, which holds its own folder (leadwise.project.notebook.start)

On Linux each is killed when the one above it ends, so a ``kill -9`` anywhere leaves nothing that
goes on writing; elsewhere the locks make the next run wait for what is left.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leadwise import processes
from leadwise.errors import LeadwiseError, MissingInput, SettingsError, nearest
from leadwise.project import notebook, paths, profiles, provenance
from leadwise.project.notebooks import NOTEBOOKS, Parameters, check_notebook, with_needs

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_EVENT = "@leadwise "


class NotebookError(LeadwiseError):
    """A notebook stopped before its end."""


class Outcome(NamedTuple):
    """How a run ended: ``error`` is None when all went well."""

    ran: list[str]
    error: str | None


# --- leadwise run --------------------------------------------------------------------------


def run(
    profile: str,
    only: str | None = None,
    cores: int | None = None,
    *,
    jobs: int | None = None,
    force: bool = False,
) -> Outcome:
    """Run the notebooks of a profile that are not done, or one of them with all that it needs.

    A notebook is done when its ``result.json`` is there, was made with the profile's parameters and
    from the present data, and is newer than what it needs. A result that is not is put aside as
    ``result.outdated.json``; those of notebooks that are not asked for stay. ``force`` runs the notebook
    (all, without ``only``) once more. ``jobs`` of a notebook's trainings go on at once, each in a process of
    one thread: as many as there are cores, one in the profile ``sample``, where two notebooks run. Raises
    SettingsError for unknown names, MissingInput for missing pages, and InputError while another run of the
    same profile goes on.
    """
    if importlib.util.find_spec("snakemake") is None:  # else Snakemake's own process would say so, in a log
        raise ModuleNotFoundError("snakemake is not installed", name="snakemake")
    if only is not None:
        check_notebook(only)
    parameters = profiles.load_profile(profile)
    for name in parameters:
        if not paths.notebook_path(name).is_file():
            raise MissingInput(f"{paths.notebook_path(name)} is missing: 'git checkout' brings it back.")
    asked = list(parameters) if only is None else with_needs(only, parameters)
    listing = provenance.data_listing(profile, {data for name in asked for data in NOTEBOOKS[name].data})
    folder = paths.runs_folder() / profile
    processes.take_lock(folder / ".locks" / "run.lock", f"the profile {profile!r}")
    for name in asked:
        result = paths.result_path(profile, name)
        of_notebook = {data: listing[data] for data in NOTEBOOKS[name].data}
        if (force and only in (None, name)) or _outdated(result, parameters[name], of_notebook):
            with contextlib.suppress(FileNotFoundError):
                result.replace(result.with_name(notebook.OUTDATED))
            result.with_name(notebook.BEGUN).unlink(missing_ok=True)  # what is half done is not gone on with
    cores = min(cores or processes.available_cores(), 2 if profile == "sample" else sys.maxsize)
    threads = min(jobs or (1 if profile == "sample" else cores), cores)
    if jobs is not None and jobs > threads:
        print(
            f"{jobs} trainings at once on {cores} cores would only wait for each other: {threads} go on.",
            flush=True,
        )
    return _snakemake(folder, profile, only, cores, threads)


def made_by_other_code(profile: str) -> list[str]:
    """List the notebooks whose results were made before the code or the notebook changed."""
    results = {name: provenance.read_result(paths.result_path(profile, name)) for name in NOTEBOOKS}
    return [
        name
        for name, result in results.items()
        if result is not None and result.get("code_fingerprint") != provenance.code_fingerprint(name)
    ]


def _outdated(path: Path, parameters: Parameters, listing: dict[str, str]) -> bool:
    if not path.is_file():
        return False
    result = provenance.read_result(path) or {}  # without these: made by an older version, or not by us
    return (result.get("parameters"), result.get("data_listing")) != (parameters.model_dump(), listing)


def _snakemake(folder: Path, profile: str, only: str | None, cores: int, threads: int) -> Outcome:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    start = (
        f"from leadwise import processes; processes.die_with_parent({os.getpid()}); "
        "from snakemake.cli import main; main()"
    )
    command = [
        *(sys.executable, "-c", start),
        *([f"{only}/result.json"] if only else []),  # before --config, which is greedy
        *("--snakefile", str(paths.repository() / "workflow" / "Snakefile")),
        *("--cores", str(cores), "--scheduler", "greedy", "--nocolor"),
        "--rerun-incomplete",
        "--nolock",  # our own lock is held, and unlike Snakemake's it ends with its holder
        *("--config", f"profile={profile}", f"threads={threads}", f"python={sys.executable}"),
    ]
    places = {"LEADWISE_RUNS": str(folder.parent), paths.KNOWN_REPOSITORY: str(paths.repository())}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console()
    with (
        (folder / "workflow.log").open("w", encoding="utf-8") as log,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | places,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        shown = _Shown(progress)
        try:
            for line in process.stdout or ():
                if line.startswith(_EVENT):
                    with contextlib.suppress(ValueError):  # another job's line may have cut this one in two
                        shown.take(json.loads(line.removeprefix(_EVENT)))
                        continue
                log.write(line)
                log.flush()
                if total := re.match(r"total\s+(\d+)$", line):
                    shown.total = int(total[1]) - (only is None)  # the rule `all` is no notebook
        except BaseException:  # Ctrl-C, or nobody reads what we print: Snakemake would wait for ever
            process.kill()
            raise
    if process.returncode == 0:
        return Outcome(shown.done, None)
    if shown.errors:
        error = "\n".join(shown.errors)
    elif shown.running:
        error = f"{', '.join(shown.running)}: was killed from outside. Is there enough memory?"
    else:
        error = f"Snakemake stopped; what it said is in {folder / 'workflow.log'}"
    return Outcome(shown.done, error)


class _Shown:
    """What the executors have told so far, shown as it comes: live in a terminal, as plain lines elsewhere."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.total: int | None = None
        self.running: dict[str, TaskID] = {}
        self.done: list[str] = []
        self.errors: list[str] = []

    def take(self, event: dict[str, Any]) -> None:
        """Note what one notebook does, and show it."""
        name, state = event["notebook"], event["state"]
        if name not in self.running:
            self.running[name] = self.progress.add_task(name)
            if not self.progress.console.is_terminal:
                print(f"{name} ...", flush=True)
        if state == "running":
            self.progress.update(self.running[name], description=f"{name}  {event['cell']}")
            return
        self.progress.remove_task(self.running.pop(name))
        if state == "failed":
            self.errors.append(event["error"])
            line = f"{name} failed after {event['seconds']:.0f} s"
        else:
            self.done.append(name)
            count = f"{len(self.done)} of {self.total or '?'} notebooks"
            line = f"{name} done in {event['seconds']:.0f} s ({count})"
        self.progress.console.print(line, highlight=False)
        sys.stdout.flush()


# --- the executor of one notebook ----------------------------------------------------------


def execute(name: str, profile: str) -> None:
    """Execute one notebook with a profile's parameters, in this process and a kernel of its own.

    The executed notebook and then ``result.json`` come to their places when all cells have run.
    Raises NotebookError, after the notebook was kept as ``notebook.failed.ipynb``, when a cell fails
    or the kernel is killed; SettingsError when the notebook's own parameters are not those of
    leadwise.project.notebooks.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    parameters = profiles.parameters(profile, name).model_dump()
    source = paths.notebook_path(name)
    cells = _check_parameters_cell(source, set(parameters))
    folder = paths.runs_folder() / profile / name
    aside = folder.parent / ".running" / f"{name}.ipynb"
    aside.parent.mkdir(parents=True, exist_ok=True)
    failed = folder / "notebook.failed.ipynb"
    failed.unlink(missing_ok=True)

    def at_cell(cell_index: int, **_: Any) -> None:
        _tell(name, "running", cell=f"cell {cell_index + 1} of {cells}")

    try:
        with tempfile.TemporaryDirectory() as sockets:  # a short path: a socket's may have some hundred bytes
            papermill.execute_notebook(
                source,
                aside,
                parameters=parameters,
                cwd=source.parent,
                kernel_name="python3",
                language="python",
                kernel_manager_class=_own_python(sockets),
                progress_bar=False,
                coalesce_streams=True,  # one line of progress stays, not hundreds
                on_cell_start=at_cell,
            )
        result = folder / notebook.WAITING_RESULT
        if not result.is_file():
            raise NotebookError("ended without run.finish(...), so there is no result")
    except (papermill.PapermillExecutionError, DeadKernelError, NotebookError) as error:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / notebook.WAITING_RESULT).unlink(missing_ok=True)
        aside.replace(failed)
        raise NotebookError(f"{name}: {_say(error)}\n  The notebook up to there: {failed}") from None
    aside.replace(folder / "notebook.ipynb")
    result.replace(folder / "result.json")
    (folder / notebook.BEGUN).unlink(missing_ok=True)


def _check_parameters_cell(source: Path, known: set[str]) -> int:
    """Compare a notebook's parameters cell with its settings; return how many cells will run.

    Papermill itself only warns of an unknown parameter, and puts parameters silently at the top of
    a notebook that has no such cell.
    """
    cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise SettingsError(
            f"{source.name}: {len(tagged)} cells are tagged 'parameters', and it must be one."
        )
    targets = [
        target
        for statement in ast.parse("".join(tagged[0]["source"])).body
        for target in getattr(statement, "targets", [getattr(statement, "target", None)])
    ]
    assigned = {target.id for target in targets if isinstance(target, ast.Name)}
    for word in sorted(assigned - known):
        raise SettingsError(f"{source.name}: unknown parameter {word!r}: {nearest(word, known)}")
    for word in sorted(known - assigned):
        raise SettingsError(f"{source.name}: the parameter {word!r} is missing from the cell 'parameters'.")
    return len(cells) + 1  # papermill puts the profile's parameters into a cell of their own


def _own_python(sockets: str) -> type:
    """Make a kernel manager that starts this Python, whatever kernels the user has installed.

    They talk by sockets in the folder ``sockets``: a port that is free when it is chosen may be taken
    when the kernel begins.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class OwnPython(AsyncKernelManager):
        def _transport_default(self) -> str:
            return "ipc"

        def _connection_file_default(self) -> str:
            return f"{sockets}/kernel.json"

        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return KernelSpecManager(parent=self, kernel_dirs=[])

    return OwnPython


def _say(error: Exception) -> str:
    if hasattr(error, "evalue"):
        text = f"In [{error.exec_count}]: {error.ename}: {error.evalue}"  # type: ignore[attr-defined]
        return "\n".join(text.splitlines()[-5:]) if text.count("\n") > 5 else text
    if isinstance(error, NotebookError):
        return str(error)
    return "the kernel was killed while a cell ran. Is there enough memory?"


def _tell(name: str, state: str, **more: Any) -> None:
    """Tell ``leadwise run``, which reads what Snakemake and its jobs print."""
    line = f"{_EVENT}{json.dumps({'notebook': name, 'state': state, **more})}\n"
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), line.encode())  # in one piece: two jobs write into one pipe


def main(arguments: list[str]) -> int:
    """Execute the notebook that Snakemake asks for: NOTEBOOK PROFILE THREADS."""
    name, profile, threads = arguments
    processes.die_with_parent()
    os.environ[notebook.UNDER_EXECUTOR] = "1"
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", processes.JOBS):
        os.environ[variable] = threads
    # where it is missing, jsonschema checks no IRIs, of which notebooks have none; its import takes a second
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    began_s = time.monotonic()
    _tell(name, "running", cell="starts")
    try:
        execute(name, profile)
    except Exception as error:
        if not isinstance(error, LeadwiseError):
            traceback.print_exc()  # a defect of ours or of a library: all of it goes to workflow.log
        message = str(error) if str(error).startswith(name) else f"{name}: {error}"
        _tell(name, "failed", seconds=time.monotonic() - began_s, error=message)
        return 1
    _tell(name, "done", seconds=time.monotonic() - began_s)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
