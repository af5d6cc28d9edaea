"""What can be had without a model: the rows that every table shows beneath the networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.names import TASKS


def majority(answers: pd.DataFrame, folds: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Answers that only know how frequent each class is among the training pages.

    ``answers``: a model's test answers (rows of predictions.csv), whose pages are answered for; ``folds``:
    the contract folds.csv. For each seed and fold every class gets its share among the pages of the other
    folds, so the answer is always the most frequent class.
    """
    tables = []
    for (protocol, seed, fold), tested in answers.groupby(["protocol", "seed", "fold"]):
        rest = folds[(folds["protocol"] == protocol) & (folds["seed"] == seed) & (folds["fold"] != fold)]
        shares = rest.loc[rest["label"].isin(list(classes)), "label"].value_counts(normalize=True)
        known = {f"prob_{name}": float(shares.get(name, 0.0)) for name in classes}
        tables.append(tested.assign(model="majority", **known))
    return pd.concat(tables, ignore_index=True)


def printed_rate(pages: pd.DataFrame) -> NDArray[np.float64]:
    """The heart rate printed on each page (contract pages.csv) as a feature for `linear`, ``(pages, 1)``.

    One that was not read says nothing: 75, the middle of the usual.
    """
    return np.asarray(pages["heart_rate_bpm"].astype("Float64").fillna(75).to_numpy(float)[:, None])


def linear(
    answers: pd.DataFrame,
    features: NDArray[np.floating],
    pages: pd.DataFrame,
    *,
    model: str,
    strength: float = 1.0,
) -> pd.DataFrame:
    """Answers of a logistic regression on a few numbers a page, fitted on the pages of the other folds.

    ``answers``: a model's test answers, whose pages are answered for and whose other folds are trained on;
    ``features`` ``(pages, n)`` in the order of ``pages`` (contract pages.csv), scaled by the training pages;
    ``strength`` is scikit-learn's C. Nothing is chosen.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    row_of = pd.Series(np.arange(len(pages)), index=pages["page_id"])
    tables = []
    for (task, _), every in answers.groupby(["task", "seed"]):
        for fold in sorted(every["fold"].unique()):
            tested, rest = every[every["fold"] == fold], every[every["fold"] != fold]
            regression = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
            regression.fit(features[row_of[rest["unit_id"]]], rest["label"])
            prob = regression.predict_proba(features[row_of[tested["unit_id"]]])
            known = dict(zip(regression.classes_, prob.T, strict=True))
            columns = {f"prob_{name}": known.get(name, 0.0) for name in TASKS[str(task)]}
            tables.append(tested.assign(model=model, **columns))
    return pd.concat(tables, ignore_index=True)
