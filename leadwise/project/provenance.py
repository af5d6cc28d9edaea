"""What a result depends on beside its parameters: code, pages, versions, machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from leadwise import processes
from leadwise.errors import MissingInput
from leadwise.project import paths

_PACKAGES = (
    "leadwise", "numpy", "opencv-python-headless", "pandas", "scikit-learn", "matplotlib", "torch",
    "torchvision", "timm", "transformers", "rapidocr", "scipy", "wfdb", "snakemake", "papermill",
)  # fmt: skip


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
    wanted = os.environ.get("LEADWISE_DATA")
    if profile == "sample" or not wanted:
        return None
    folder = Path(wanted).expanduser().absolute()
    if not folder.is_dir() or not any(folder.iterdir()):
        raise MissingInput(
            f"LEADWISE_DATA: {folder} {'is empty' if folder.is_dir() else 'is no folder'}. Let it name "
            "the folder that holds the class folders, or unset it to work on the embedded sample."
        )
    return folder


def signals_folder(profile: str, name: str) -> Path | None:
    """Give a folder of recordings below ``$LEADWISE_SIGNALS``, or None where that is not set or has none of it."""
    wanted = os.environ.get("LEADWISE_SIGNALS")
    if profile == "sample" or not wanted:
        return None
    folder = Path(wanted).expanduser().absolute() / name
    return folder if folder.is_dir() else None


def data_listing(profile: str) -> str:
    """Digest names, sizes and times of the pages, unread: tells cheaply whether they may have changed."""
    from leadwise.pages.read import IMAGE_SUFFIXES

    folder = data_folder(profile)
    if folder is None:
        return "sample"
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file():
            state = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:12]


def signals_listing(profile: str, name: str = "mitdb") -> str:
    """The same of the recordings in a folder below ``$LEADWISE_SIGNALS``."""
    folder = signals_folder(profile, name)
    if folder is None:
        return "sample"
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        state = path.stat()
        digest.update(f"{path.name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:12]


def versions() -> dict[str, str]:
    """List the installed versions of what figures depend on, without importing it."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Describe the machine: system, processor, cores that may be used, memory, GPU where torch is loaded."""
    torch = sys.modules.get("torch")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": platform.platform(terse=True),
        "processor": _processor(),
        "cores": processes.available_cores(),
        "memory_gb": round(memory / 1e9, 1),
        "gpu": torch.cuda.get_device_name() if torch is not None and torch.cuda.is_available() else None,
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.processor())
