"""On what, how exactly and how long networks were trained: each file of weights says it of its own training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leadwise import machine
from leadwise.errors import WeightsError
from leadwise.models.weights_file import read_metadata


@dataclass(frozen=True)
class Trainings:
    """What the trainings of a folder have in common, or not: how many, their `seconds` in all, and each kind once.

    `seconds` are of training alone, answers not counted; `precisions` are ``fp32`` or ``bf16``; `machines` as
    `leadwise.machine.hardware` tells them; `versions` as `leadwise.machine.libraries` does.
    """

    number: int
    seconds: float
    precisions: tuple[str, ...]
    machines: tuple[str, ...]
    versions: tuple[str, ...]


def said_of_training(precision: str, seconds: float) -> dict[str, str]:
    """What a file of weights says of the training that has just ended in this process."""
    return {
        "precision": precision,
        "seconds": f"{seconds:.2f}",
        "machine": machine.hardware(),
        "versions": machine.libraries(),
    }


def trainings_in(folder: Path) -> Trainings:
    """What the ``.safetensors`` files in a folder say of their trainings; torch is not needed.

    Raises `WeightsError` where there is none, or one that does not say it.
    """
    by_file = {path: read_metadata(path) for path in sorted(folder.glob("*.safetensors"))}
    if not by_file:
        raise WeightsError(f"{folder}: no weights. Run the notebook that trains them first.")
    wanted = ("precision", "seconds", "machine", "versions")
    for path, metadata in by_file.items():
        if lacking := [key for key in wanted if key not in metadata]:
            raise WeightsError(
                f"{path}: the file does not say its {lacking[0]!r}, so it is not known how it was trained. Run the "
                "notebook that trains it again."
            )
    kinds = {key: tuple(sorted({metadata[key] for metadata in by_file.values()})) for key in wanted}
    return Trainings(
        len(by_file),
        round(sum(float(metadata["seconds"]) for metadata in by_file.values()), 2),
        kinds["precision"],
        kinds["machine"],
        kinds["versions"],
    )
