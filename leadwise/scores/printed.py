"""What papers and published notebooks print of such networks, each with its source: to stand beside ours."""

from __future__ import annotations

from importlib.resources import files as package_files

import pandas as pd


def printed(of: str) -> pd.DataFrame:
    """What is printed of ``beats``, or of ``transfer``; empty where a source does not say it.

    `model` names the same network here, for those that are rebuilt.
    """
    resource = package_files("leadwise") / "resources" / f"published_{of}.csv"
    with resource.open(encoding="utf-8") as file:
        return pd.read_csv(file)
