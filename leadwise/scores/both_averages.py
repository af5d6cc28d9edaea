"""Beats as EC57 has them scored: over all and as the mean of records, with the first five minutes and without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from leadwise.names import AAMI
from leadwise.scores.beats import NOTHING, averaged, beat_metrics, counted, ec57_metrics
from leadwise.scores.metrics import Floats
from leadwise.scores.table import scored

Metrics = Callable[[Floats], dict[str, Floats]]

WITHOUT = ("232", "202")
"""Of DS2: the record that holds three quarters of its S, and that of a man whose other record, 201, is of DS1."""

OF_CLASSES = ("recall_S", "ppv_S", "recall_V", "ppv_V")


def counted_as_papers_do(
    answers: pd.DataFrame,
    late: pd.Series,
    classes: Sequence[str] = AAMI,
    *,
    condition: dict[str, str],
    **place: Any,
) -> list[pd.DataFrame]:
    """Rows of ``scores.csv`` of one model's test answers: of all beats, without each record of WITHOUT, and by EC57.

    Each over all beats (gross) and as the mean of records; `late` says which rows EC57 counts. Where such a record is
    not asked about there are no rows without it. `place` as `leadwise.scores.table.scored` takes it.
    """
    heading, by_ec57 = ("macro_f1", "accuracy"), {**condition, "counting": "ec57"}
    place |= {"classes": classes}
    rows = in_both_averages(answers, beat_metrics, heading, counted="all", condition=condition, **place)
    for record in WITHOUT:
        others = answers[answers["group_id"] != f"record-{record}"]
        if len(others) < len(answers):
            name = f"without_{record}"
            rows += in_both_averages(
                others, beat_metrics, heading, counted=name, condition=condition, **place
            )
    return rows + in_both_averages(
        answers[late], ec57_metrics, heading[1:], counted="after_5_min", condition=by_ec57, **place
    )


def in_both_averages(
    answers: pd.DataFrame,
    metrics: Metrics,
    heading: Sequence[str],
    classes: Sequence[str] = AAMI,
    **place: Any,
) -> list[pd.DataFrame]:
    """Rows of S and V gross, with those of `heading`, and as the mean of records. What is nothing is not in n."""
    n = answers.loc[answers["label"] != NOTHING, "unit_id"].nunique()
    place = {"weights": "random", **place, "n": int(n)}
    gross, by_record = (of(metrics, classes) for of in (counted, averaged))
    return [
        scored(answers, gross, (*heading, *OF_CLASSES), **place),
        scored(answers, by_record, OF_CLASSES, **place, average="record"),
    ]
