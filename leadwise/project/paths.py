"""The one module that knows where things lie."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from leadwise.errors import MissingInput, SettingsError

#: The first digit of a notebook's name is its stage, and each stage has its folder.
STAGES = {
    "1": "data_processing",
    "2": "training",
    "3": "training",
    "4": "knowledge_distillation",
    "5": "analysis",
}

#: Set by ``leadwise run`` for what it starts, which works in the runs folder, wherever that is.
KNOWN_REPOSITORY = "LEADWISE_REPOSITORY"


def repository() -> Path:
    """Find the repository that holds the current folder.

    Raises MissingInput when the current folder lies in no clone of leadwise.
    """
    if known := os.environ.get(KNOWN_REPOSITORY):
        return Path(known)
    here = Path.cwd()
    for folder in (here, *here.parents):
        project = folder / "pyproject.toml"
        if project.is_file() and _project_name(project) == "leadwise":
            return folder
    raise MissingInput(
        f"{here} is not inside a clone of leadwise (no pyproject.toml of that project here or above). "
        "Notebooks, profiles and published networks lie in the clone alone, so run, report, publish, tables and "
        "leadwise.load need one; predict, digitize, serve, audit and score-shipped do not. Change into the cloned "
        "repository, any folder of it, and give the command again."
    )


def runs_folder() -> Path:
    """Tell where results go: ``$LEADWISE_RUNS``, else ``runs/`` of the repository."""
    named = os.environ.get("LEADWISE_RUNS")
    return Path(named).expanduser().absolute() if named else repository() / "runs"


def result_path(profile: str, notebook: str) -> Path:
    """Name the ``result.json`` of a notebook, whose presence means that it is done."""
    return runs_folder() / profile / notebook / "result.json"


def notebook_path(name: str) -> Path:
    """Name the file of a notebook such as ``24_image_vit``; it need not exist."""
    if name[:1] not in STAGES:
        raise SettingsError(f"{name!r} is no name of a notebook: it begins with none of {', '.join(STAGES)}.")
    return repository() / STAGES[name[0]] / f"{name}.ipynb"


def _project_name(project: Path) -> str:
    try:
        settings = tomllib.loads(project.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""  # someone else's broken file above us is not ours to complain about
    return str(settings.get("project", {}).get("name", ""))
