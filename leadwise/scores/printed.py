"""What papers and published notebooks print of such networks, each with its source: to stand beside ours."""

from __future__ import annotations

import pandas as pd

from leadwise.files import RESOURCES


def printed(of: str) -> pd.DataFrame:
    """What is printed of ``beats``, of ``transfer`` or of readers of ``pages``; empty where a source does not say it.

    `model` names the same network here, for those that are rebuilt.
    """
    return pd.read_csv(RESOURCES / f"published_{of}.csv")
