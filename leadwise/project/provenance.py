"""What a result depends on beside its parameters: code and data."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from leadwise.errors import MissingInput
from leadwise.project import paths
from leadwise.project.notebooks import NOTEBOOKS

SAMPLE = "sample"
"""Stands for a set that the user does not have, so that what the package embeds of it serves, if anything."""


def code_fingerprint(notebook: str) -> str:
    """Digest the package's modules and the notebook's own cells: what could change its results.

    12 hex digits; outputs and metadata of the notebook do not count.
    """
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for module in sorted(package.rglob("*.py")):
        digest.update(module.relative_to(package).as_posix().encode() + b"\0" + module.read_bytes() + b"\0")
    path = paths.notebook_path(notebook)
    if not path.is_file():
        shown = path.relative_to(paths.repository()).as_posix()
        raise MissingInput(f"{path} is missing: restore it, for example with 'git checkout {shown}'.")
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        digest.update("".join(cell["source"]).encode() + b"\0")
    return digest.hexdigest()[:12]


def data_folder(profile: str) -> Path | None:
    """Give the user's folder of pages, or None where the embedded sample serves."""
    folder = _named_folder("LEADWISE_DATA", profile)
    if folder is not None and not (folder.is_dir() and any(folder.iterdir())):
        raise MissingInput(
            f"LEADWISE_DATA: {folder} {'is empty' if folder.is_dir() else 'is no folder'}. Let it name "
            "the folder that holds the class folders, or unset it to work on the embedded sample."
        )
    return folder


def signals_folder(profile: str, name: str) -> Path | None:
    """Give a folder of recordings below ``$LEADWISE_SIGNALS``, or None where that is not set or has none of it."""
    folder = _named_folder("LEADWISE_SIGNALS", profile)
    return folder / name if folder is not None and (folder / name).is_dir() else None


def _named_folder(variable: str, profile: str) -> Path | None:
    named = os.environ.get(variable)
    return Path(named).expanduser().absolute() if named and profile != "sample" else None


def data_listing(profile: str, sets: Iterable[str]) -> dict[str, str]:
    """By the name of each set: a digest of its files' names, sizes and times, unread, or SAMPLE.

    It tells cheaply whether they may have changed. Sets are ``pages`` and folders below ``$LEADWISE_SIGNALS``. Raises
    MissingInput where ``LEADWISE_DATA`` names no folder with something in it, and pages are asked for.
    """
    folders = {
        name: data_folder(profile) if name == "pages" else signals_folder(profile, name) for name in sets
    }
    return {name: _listing(folder, pages=name == "pages") for name, folder in folders.items()}


def read_result(path: Path) -> dict[str, Any] | None:
    """Read a ``result.json``; None where there is none, or what is there is no JSON object and thus no result."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    return result if isinstance(result, dict) else None


def made_from_the_sample(result: Mapping[str, Any]) -> bool:
    """Whether the set that a notebook is about was the embedded sample when it wrote this ``result.json``."""
    return listed(result, NOTEBOOKS[result["notebook"]].data[0]) == SAMPLE


def listed(result: Mapping[str, Any], name: str) -> str | None:
    """The digest of one set in a ``result.json``; older ones hold that of the set that they are about alone."""
    listing = result.get("data_listing")
    return listing.get(name) if isinstance(listing, dict) else listing


def _listing(folder: Path | None, *, pages: bool) -> str:
    from leadwise.pages.read import IMAGE_SUFFIXES

    if folder is None:
        return SAMPLE
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        is_wanted = not pages or path.suffix.lower() in IMAGE_SUFFIXES
        if is_wanted and not path.name.startswith(".") and path.is_file():
            state = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:12]
