"""What a benchmark measured, as `leadwise publish` takes it up: its scores, and how it was run."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pandas as pd

from leadwise.project.paths import runs_folder
from leadwise.publishing import publish


def write_measured(name: str, profile: str, scores: pd.DataFrame, minutes: float, note: str) -> Path:
    """Write ``scores.csv`` and ``runs.csv`` into the benchmark's folder of a profile; return the folder."""
    folder = runs_folder() / profile / name
    publish.write_measured(name, folder, profile, shlex.join(["python", *sys.argv]), scores, minutes, note)
    for row in scores.itertuples():
        between = "" if pd.isna(row.low) else f"  [{row.low:.2f}, {row.high:.2f}]"
        print(f"{row.metric:22} {row.condition or '':34} {row.value:10.2f}{between}")
    return folder
