"""What can be had without a model: the rows that every table shows beneath the networks."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


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
