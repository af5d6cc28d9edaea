"""How a notebook opens and closes: one call at its top, one at its end.

    run = leadwise.project.notebook.start("24_image_vit", globals())
    leads = run.input("12_image_leads", "leads.npy")
    run.table(predictions, "predictions.csv")
    run.finish({"accuracy": 0.93})

Between the two a notebook writes only below ``run.folder``. ``result.json`` comes last, and its
presence means "done".
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from leadwise import files, machine, processes
from leadwise.errors import MissingInput
from leadwise.project import paths, profiles, provenance
from leadwise.project.notebooks import NOTEBOOKS, Parameters, audit_of, check_notebook

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from leadwise.learning.pages import PageData

    Drawn = TypeVar("Drawn", bound=Figure)

#: Set by the executor (leadwise.project.executor): the result then waits beside its place until the
#: executed notebook is in its own.
UNDER_EXECUTOR = "LEADWISE_UNDER_EXECUTOR"
WAITING_RESULT = ".result.json"

#: What a training notebook's folder holds of networks; `leadwise.learning.cross_fit` says whether they still fit.
TRAININGS = ("trainings", "weights")

#: Says with which parameters a notebook was begun; there until it is done.
BEGUN = ".begun.json"

#: The last result that `leadwise run` put aside because its parameters or data had changed.
OUTDATED = "result.outdated.json"


def start(name: str, namespace: Mapping[str, Any]) -> Run:
    """Open a notebook: check its parameters, take its folder, fix seeds and threads, say where it stands.

    ``namespace`` is the notebook's ``globals()``; its UPPERCASE names are the parameters. What an
    interrupted run with the same parameters left in the folder stays, so that training can go on. All else
    there is cleared away, the old ``result.json`` with it, but for a result that was put aside and for finished
    trainings: each of them knows all that it was made of, so that another seed, or another picture, need not cost
    their time again.

    Raises SettingsError for an unknown notebook, profile or parameter, and InputError when another
    process runs the same notebook and does not end within half a minute.
    """
    from leadwise.project.literal import show_tables_as_text

    if os.environ.get(UNDER_EXECUTOR):
        processes.die_with_parent(int(os.environ["JPY_PARENT_PID"]))
    parameters = profiles.check_parameters(name, _parameters_in(name, namespace), name)
    if parameters.PROFILE not in profiles.profile_names():
        profiles.load_profile(parameters.PROFILE)  # says which profiles there are
    profile = parameters.PROFILE
    profile_folder = paths.runs_folder() / profile
    processes.take_lock(profile_folder / ".locks" / f"{name}.lock", f"{name} (profile {profile})", wait_s=30)
    run = Run(
        name=name,
        profile=profile,
        parameters=parameters,
        folder=profile_folder / name,
        threads=int(os.environ.get("OMP_NUM_THREADS", processes.available_cores())),
        code_fingerprint=provenance.code_fingerprint(name),
        data_listing=provenance.data_listing(profile, NOTEBOOKS[name].data),
    )
    _clear(run.folder, parameters)
    audit = provenance.read_result(paths.result_path(profile, run.audit))
    if name != run.audit and audit is not None:
        run.data_fingerprint = audit.get("data_fingerprint")
        about = NOTEBOOKS[name].data[0]
        # what comes of the sample says so, whatever the environment names by now
        run.data_listing[about] = provenance.listed(audit, about) or run.data_listing[about]
    _fix_threads(run.threads)
    _fix_seeds(getattr(parameters, "SEEDS", [1])[0])
    show_tables_as_text()
    run.introduce()
    return run


@dataclasses.dataclass
class Run:
    """One run of one notebook. ``folder`` is where it writes, ``threads`` what it may use."""

    name: str
    profile: str
    parameters: Any  # the model of NOTEBOOKS[name]; each notebook knows its own
    folder: Path
    threads: int
    code_fingerprint: str
    data_listing: dict[str, str]
    data_fingerprint: str | None = None
    inputs: dict[str, str] = dataclasses.field(default_factory=dict)
    started: datetime = dataclasses.field(default_factory=lambda: datetime.now().astimezone())
    _began_s: float = dataclasses.field(default_factory=time.monotonic)

    def introduce(self) -> None:
        """Print versions, machine, data and profile."""
        versions = (f"{package} {version}" for package, version in machine.versions().items())
        hardware = (f"{what} {value}" for what, value in machine.described().items() if value is not None)
        print("notebook ", self.name)
        print("profile  ", self.profile)
        print("versions ", ", ".join(versions))
        print("machine  ", ", ".join(hardware))
        print("threads  ", self.threads)
        print("data     ", self.data_fingerprint or f"not yet audited ({self.audit} names it)")
        if note := self._on_the_sample():
            print(f"\n{note}")

    @property
    def on_recordings(self) -> bool:
        """Whether the notebook is about recordings, and not about pages."""
        return NOTEBOOKS[self.name].on_recordings

    @property
    def audit(self) -> str:
        """Name the notebook that first sees the data, whose fingerprint all results of these data carry."""
        return audit_of(self.name)

    def data_folder(self) -> Path:
        """Give the folder with the pages: the embedded sample, or ``$LEADWISE_DATA`` where that is set.

        The profile ``sample`` always works on the sample. Raises MissingInput for a folder that is
        not there or empty.
        """
        folder = provenance.data_folder(self.profile)
        if folder is None:
            from leadwise.sets.sample import unpack_sample

            folder = unpack_sample(paths.runs_folder() / ".sample-data")
        return folder

    def recordings_folder(self) -> Path:
        """Give the folder with the records of MIT-BIH: the embedded excerpts, or ``$LEADWISE_SIGNALS/mitdb``.

        The profile ``sample`` always works on the excerpts.
        """
        folder = provenance.signals_folder(self.profile, "mitdb")
        if folder is None:
            from leadwise.sets.sample import unpack_excerpts

            folder = unpack_excerpts(paths.runs_folder() / ".sample-signals")
        return folder

    def heartbeat_folder(self) -> Path | None:
        """Give ``$LEADWISE_SIGNALS/heartbeat``, where the user has the published "heartbeat" files, or None."""
        return provenance.signals_folder(self.profile, "heartbeat")

    def input(self, notebook: str, filename: str) -> Path:
        """Give a file that an earlier notebook wrote, and note in the result that it was read.

        Raises MissingInput where it is not there, was made from other data or in a trial, or is not as that notebook
        wrote it.
        """
        check_notebook(notebook)
        path = paths.runs_folder() / self.profile / notebook / filename
        result = provenance.read_result(paths.result_path(self.profile, notebook))
        if result is None or not path.is_file():
            raise MissingInput(
                f"{self.name} needs {filename} of {notebook}, which has not been run under the profile "
                f"{self.profile!r}: run {notebook} first, or give "
                f"'leadwise run --profile {self.profile} --only {self.name}', which runs all that it needs."
            )
        if not result.get("parameters", {}).get("TEST", True):
            raise MissingInput(
                f"{self.name} needs {filename} of {notebook}, which was a trial: its test folds are closed, and no "
                "network was trained for them. Let it have TEST: true and run it again: "
                f"leadwise run --profile {self.profile} --only {notebook}"
            )
        made_from = result.get("data_fingerprint")
        if self.name != self.audit and made_from != self.data_fingerprint:
            what = "recordings" if self.on_recordings else "pages"
            raise MissingInput(
                f"{self.name} needs {filename} of {notebook}, which was made from other {what} ({made_from}) "
                f"than {self.audit} has seen since ({self.data_fingerprint}): run {notebook} again."
            )
        if f"{notebook}/{filename}" not in self.inputs:
            noted = result.get("sha256", {}).get(filename)  # results of older versions hold no sums
            is_as_noted = result.get("states", {}).get(filename) == _state(path)
            digest = noted if noted and is_as_noted else files.sha256(path)
            if noted not in (None, digest):
                raise MissingInput(
                    f"{self.name} needs {filename} of {notebook}, and {path} is not what that notebook wrote: it was "
                    "damaged or changed since. Make it again: "
                    f"leadwise run --profile {self.profile} --only {notebook} --force"
                )
            self.inputs[f"{notebook}/{filename}"] = digest
        return path

    def result(self, notebook: str) -> dict[str, Any]:
        """Give what an earlier notebook wrote into its ``result.json``."""
        return provenance.read_result(self.input(notebook, "result.json")) or {}

    def weights(self, notebook: str) -> Path:
        """Give the folder of the networks that an earlier notebook trained, and note all of them as read."""
        folder = self.input(notebook, "result.json").parent / "weights"
        for path in sorted(folder.glob("*.safetensors")):
            self.input(notebook, f"weights/{path.name}")
        return folder

    def page_data(self) -> PageData:
        """Give the pages, folds and crops that the data notebooks wrote; pages without crops are left out."""
        from leadwise.learning.pages import PageData
        from leadwise.sets.arrays import open_array
        from leadwise.tables import read_table

        cut = read_table(self.input("12_image_leads", "leads.csv"), "leads.csv")["page_id"].unique()
        pages = read_table(self.input("11_image_audit", "pages.csv"), "pages.csv")
        arrays = ("leads.npy", "strip.npy", "signals.npy", "rhythm.npy")
        return PageData(
            pages.set_index("page_id").loc[cut].reset_index(),
            read_table(self.input("13_image_folds", "folds.csv"), "folds.csv"),
            *(open_array(self.input("12_image_leads", name)) for name in arrays),
        )

    @property
    def caution(self) -> str:
        """Give the sentence that must stand beside every figure of this run."""
        if note := self._on_the_sample():
            return f"**{note}**"
        if self.on_recordings:
            from leadwise.sets.recordings import MITDB

            return MITDB.caution
        return (
            "These are pages of one hospital and one device, labelled by criteria that were not published; a "
            "printed id is a number of the device and no person. Research use only."
        )

    def _on_the_sample(self) -> str:
        """Say which figures mean nothing where the embedded sample is what was worked on."""
        about = NOTEBOOKS[self.name].data[0]
        if self.data_listing[about] != provenance.SAMPLE:
            return ""
        if self.on_recordings:
            why = f"LEADWISE_SIGNALS named no folder that holds {about}/, so this"
            if self.profile != "sample":
                return (
                    f"{why} is the sample: six minutes each of twelve recordings. Its figures mean nothing."
                )
            return (
                "This is the sample: six minutes each of twelve recordings. What a published network says of them "
                "(weights: published) is true of these minutes; all other figures come of a few steps from random "
                "weights and mean nothing."
            )
        if self.profile == "sample":
            return (
                "This is the sample: 48 pages. What published networks and their baselines say of them (weights: "
                "published) is true of these pages; figures of what was trained here, a few steps from random "
                "weights, mean nothing."
            )
        return (
            "LEADWISE_DATA was not set, so this is the embedded sample of 48 pages: its figures mean nothing. "
            "Let LEADWISE_DATA name the folder that holds the class folders."
        )

    def table(self, frame: pd.DataFrame, name: str) -> Path:
        """Write a table whole; one with a contract in leadwise.tables is checked against it."""
        from leadwise import tables

        path = self.folder / name
        if name in tables.SCHEMAS:
            tables.write_table(frame, path, name)
        else:
            with files.written_whole(path) as aside:
                frame.to_csv(aside, index=False)
        return path

    def document(self, values: Any, name: str) -> Path:
        """Write plain values as a JSON file, whole."""
        files.write_json(values, self.folder / name)
        return self.folder / name

    def figure(self, figure: Drawn, name: str) -> Drawn:
        """Save a figure as PNG and SVG, and hand it back so that it shows as a cell's last line."""
        from leadwise.figures.style import save_figure

        save_figure(figure, self.folder, name)
        return figure

    def finish(self, facts: Mapping[str, Any] | None = None, *, note: str = "") -> None:
        """Write ``result.json``, the last act of a notebook.

        ``facts`` maps names to what was counted that is no score (scores stand in ``scores.csv``): numbers,
        ``{value, low, high}`` or dataclasses with these fields; what is not finite becomes null. ``note`` is a
        sentence on how this run was made that its parameters alone do not tell; it is published with its scores.
        Beside each file that another notebook may read stand its sha256, with which `input` compares, and its size
        and time: where these are the same still, `input` does not read the file once more for its sum.
        """
        written = sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and not path.name.startswith(".") and path.name != OUTDATED
        )
        # no later notebook reads scratch of trainings, nor the notebook itself, which moves in later
        readable = [
            self.folder / name
            for name in written
            if not name.startswith("trainings/") and not name.endswith(".ipynb")
        ]
        result = {
            "notebook": self.name,
            "profile": self.profile,
            "parameters": self.parameters.model_dump(),
            "data_fingerprint": self.data_fingerprint,
            "data_listing": self.data_listing,
            "code_fingerprint": self.code_fingerprint,
            "inputs": [{"path": path, "sha256": digest} for path, digest in sorted(self.inputs.items())],
            "versions": machine.versions(),
            "machine": machine.described(),
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self._began_s, 1),
            "facts": json.loads(TypeAdapter(Any).dump_json(facts or {}, fallback=_number)),
            "note": note,
            "files": written,
            "sha256": files.sums(self.folder, readable),
            "states": {path.relative_to(self.folder).as_posix(): _state(path) for path in readable},
        }
        waiting = bool(os.environ.get(UNDER_EXECUTOR))
        files.write_json(result, self.folder / (WAITING_RESULT if waiting else "result.json"))
        if not waiting:
            (self.folder / BEGUN).unlink(missing_ok=True)
        print(f"{self.name} is done after {result['seconds']:.0f} s; its files are in {self.folder}")


def _parameters_in(name: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Collect a notebook's UPPERCASE plain values; constants that it imported are tuples and dicts."""
    check_notebook(name)
    known = NOTEBOOKS[name].parameters.model_fields
    plain = (str, int, float, bool, list, type(None))
    return {
        word: value
        for word, value in namespace.items()
        if word in known or (word.isupper() and word[0].isalpha() and isinstance(value, plain))
    }


def _state(path: Path) -> list[int]:
    """A file's size in bytes and the time of its last change, ns."""
    state = path.stat()
    return [state.st_size, state.st_mtime_ns]


def _clear(folder: Path, parameters: Parameters) -> None:
    """Make the folder ready: an interrupted run with the same parameters keeps all, any other its trainings."""
    begun = folder / BEGUN
    now = parameters.model_dump_json()
    interrupted = not (folder / "result.json").exists()
    if not (interrupted and begun.is_file() and begun.read_bytes() == now.encode()):
        for path in folder.glob("*"):
            if path.name not in (*TRAININGS, OUTDATED):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    files.sweep(folder)
    (folder / WAITING_RESULT).unlink(missing_ok=True)
    begun.write_text(now, encoding="utf-8")


def _fix_threads(threads: int) -> None:
    import cv2

    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(threads)  # read by what is imported from here on
    cv2.setNumThreads(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _fix_seeds(seed: int) -> None:
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries that take no generator draw from this one
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _number(value: Any) -> Any:
    """One of numpy as Python's own."""
    if hasattr(value, "item"):
        return value.item()
    raise ValueError(f"a fact of type {type(value).__name__} does not fit into result.json: {value!r}.")
