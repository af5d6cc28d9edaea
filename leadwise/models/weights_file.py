"""What a file of weights says of itself, read without torch."""

from __future__ import annotations

from pathlib import Path

from leadwise.errors import WeightsError

HOLDS = "holds"
"""The word of a file's metadata that says ``body`` where it has no head: a new one begins beside it, at random."""


def read_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says of itself; raises `WeightsError` where it is missing or none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path}: not a safetensors file ({error}). Make or fetch it again: 'leadwise run --force --only' the "
            "notebook that trains it, if leadwise wrote it."
        ) from error
