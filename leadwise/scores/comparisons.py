"""Many models against their twins, each pair on the pages that both answered for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from leadwise.scores.calibration import apply_by_fold, fit_calibration
from leadwise.scores.draws import paired_difference
from leadwise.scores.metrics import probabilities


def against(
    answers: Mapping[str, pd.DataFrame],
    twin_of: Callable[[str], str | None],
    classes: Sequence[str],
    metrics: Sequence[str],
    draws: int = 2000,
) -> pd.DataFrame:
    """Each model minus its twin, paired: columns ``model, minus, metric, value, low, high, n, seeds``.

    ``answers``: test answers by model; ``twin_of`` names whom a model is compared with, None where it is with none.
    The twin's answers are cut down to the seeds and pages of the model. Raises what `paired_difference` raises.
    """
    rows = []
    for name, own in answers.items():
        twin = twin_of(name)
        if twin is None:
            continue
        keys = ["seed", "unit_id"]
        other = answers[twin].merge(own[keys], on=keys)
        told = {"model": name, "minus": twin, "n": own["unit_id"].nunique(), "seeds": own["seed"].nunique()}
        rows += [
            told | {"metric": metric, "value": one.value, "low": one.low, "high": one.high}
            for metric, one in paired_difference(own, other, classes, metrics, draws=draws).items()
        ]
    return pd.DataFrame(rows, columns=["model", "minus", "metric", "value", "low", "high", "n", "seeds"])


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
