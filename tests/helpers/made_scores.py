"""Made rows of scores and differences, as figures take them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

PLACE = {
    "task": "four", "protocol": "grouped", "test_set": "mendeley", "model": "made", "weights": "", "condition": "",
    "unit": "page", "counted": "all", "average": "gross", "seeds": "1/2/3", "n": 491,
}  # fmt: skip


def made_scores(
    models: Mapping[str, float], metrics: tuple[str, ...] = ("accuracy",), **place: object
) -> pd.DataFrame:
    """Rows of ``scores.csv``: each model's value, one hundredth less in each further metric; intervals of 0.04."""
    return pd.DataFrame(
        PLACE | place | {"model": model, "metric": metric, "value": value - 0.01 * number}
        for model, value in models.items()
        for number, metric in enumerate(metrics)
    ).assign(low=lambda rows: rows["value"] - 0.02, high=lambda rows: rows["value"] + 0.02)


def made_differences(
    models: Mapping[str, float], minus: str, metrics: tuple[str, ...] = ("accuracy",), **place: object
) -> pd.DataFrame:
    """Rows of ``differences.csv`` against one other."""
    return made_scores(models, metrics, **place).assign(minus=minus)


def without_interval(rows: pd.DataFrame) -> pd.DataFrame:
    """The same, of a metric that has none."""
    return rows.assign(low=np.nan, high=np.nan)
