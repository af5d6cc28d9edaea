"""Notebooks that are said to have run: their results and scores, without a training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from leadwise.project import paths, profiles
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.scores.draws import Interval
from leadwise.scores.table import stated
from leadwise.tables import write_table

PLACE = {
    "task": "four", "protocol": "grouped", "test_set": "mendeley", "model": "leads12", "weights": "random",
    "unit": "page", "counted": "all", "average": "gross", "seeds": "1", "n": 491,
}  # fmt: skip


def row(value: float = 0.95, metric: str = "accuracy", **more: object) -> pd.DataFrame:
    return stated({metric: Interval(value, value - 0.01, value + 0.01)}, **{**PLACE, **more})


def ran(notebook: str, scores: pd.DataFrame | None = None, seconds: float = 90.0, **more: object) -> Path:
    """The folder of a notebook that has run under the profile cpu."""
    folder = paths.result_path("cpu", notebook).parent
    folder.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "notebook": notebook,
        "parameters": profiles.parameters("cpu", notebook).model_dump(),
        "profile": "cpu",
        "data_listing": {"pages": "0123456789ab", "mitdb": "0123456789ab", "ptbxl425": "0123456789ab"},
        "machine": {"processor": "AMD EPYC", "cores": 2, "memory_gb": 25.3, "gpu": None},
        "versions": {"torch": "2.15.0", "numpy": "2.4.6"},
        "seconds": seconds,
        "note": "Nothing is chosen.",
        **more,
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    for picture in NOTEBOOKS[notebook].figures:
        Image.new("RGB", (30, 15), "white").save(folder / picture)
    for model in NOTEBOOKS[notebook].ships:
        (folder / model).write_bytes(b"the file")
    if scores is not None:
        write_table(scores, folder / "scores.csv", "scores.csv")
    return folder
