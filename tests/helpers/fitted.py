"""A study trained over the folds of a table of made pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from leadwise.folds.partition import partition
from leadwise.learning.cross_fit import Inputs, cross_fit
from leadwise.learning.study import Results, Study


def fitted(
    study: Study | Sequence[Study],
    inputs: Inputs,
    pages: pd.DataFrame,
    folds: pd.DataFrame,
    folder: Path,
    **more: Any,
) -> Results:
    """What `cross_fit` gives over the partitions of a study's seeds."""
    first = study if isinstance(study, Study) else study[0]
    parts = {seed: partition(pages, folds, first.protocol, seed, first.task) for seed in first.seeds}
    return cross_fit(study, inputs, parts, folder, **more)
