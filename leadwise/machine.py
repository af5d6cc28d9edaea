"""What figures and trainings depend on beside code and data: installed versions, and the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

from leadwise import processes

_PACKAGES = (
    "leadwise", "numpy", "opencv-python-headless", "pandas", "scikit-learn", "matplotlib", "torch",
    "torchvision", "timm", "transformers", "rapidocr", "scipy", "wfdb", "snakemake", "papermill",
)  # fmt: skip


def versions() -> dict[str, str]:
    """List the installed versions of what figures depend on, without importing it."""
    installed = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def libraries(installed: dict[str, str] | None = None) -> str:
    """Those of the installed versions, or of some that were told, that train: ``torch 2.15.0, timm 1.0.31, ...``."""
    installed = installed or versions()
    return ", ".join(
        f"{name} {installed[name]}" for name in ("torch", "timm", "transformers") if name in installed
    )


def described() -> dict[str, Any]:
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


def hardware(machine: dict[str, Any] | None = None) -> str:
    """This machine, or one that was described, in few words: ``AMD EPYC, 2 cores, 25.3 GB``, and the GPU if any."""
    machine = machine or described()
    words = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"
    return words if machine["gpu"] is None else f"{words}, {machine['gpu']}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.processor())
