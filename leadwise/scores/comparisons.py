"""Many models against their twins, each pair on the pages that both answered for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from leadwise.scores.calibration import apply_by_fold, fit_calibration
from leadwise.scores.metrics import probabilities


def cut_to(other: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Another model's answers to the units that `own` answers for, in the same seeds, so that they can be paired."""
    return other.merge(own[["seed", "unit_id"]], on=["seed", "unit_id"])


def calibrated_by_other_folds(own: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """One model's test answers, each fold's calibrated on the answers to the other folds of its seed.

    What `pooled_calibration` does to a model, seen on pages that took no part in it. Raises what `fit_calibration`
    raises.
    """
    keys = ["model", "task", "protocol", "seed", "fold"]
    rows = []
    for place, _ in own.groupby(keys):
        told = dict(zip(keys, place, strict=True))
        others = own[(own["seed"] == told["seed"]) & (own["fold"] != told["fold"])]
        labels, prob = probabilities(others, classes)
        rows.append(told | fit_calibration(prob, labels, classes, bias=True))
    return apply_by_fold(own, pd.DataFrame(rows), classes)


def pooled_calibration(
    answers: Mapping[str, pd.DataFrame], classes: Sequence[str], seed: int
) -> pd.DataFrame:
    """Temperature and biases of each model, fitted on one seed's test answers of all folds together.

    For a model that is trained on all pages and so has none of its own to be calibrated on.
    """
    rows = []
    for name, own in answers.items():
        labels, prob = probabilities(own[own["seed"] == seed], classes)
        rows.append({"model": name, **fit_calibration(prob, labels, classes, bias=True)})
    return pd.DataFrame(rows)
