"""Boosted trees that name beats N, S or V by `leadwise.recordings.beat_features`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from leadwise.folds.partition import TESTED, Partition, Rows
from leadwise.learning.answers import answers_table
from leadwise.names import AAMI
from leadwise.recordings.beat_features import beat_features
from leadwise.scores.beats import HEADING

TREES, LEAVES, RATE, LEAST_OF_A_LEAF, PENALTY, LOOKED_AT = 100, 8, 0.09, 30, 1.0, 0.5
"""Steps, one tree a class each; of each tree its leaves, weight, beats of a leaf, penalty, features a split."""

KEPT = 0.25
"""Of N, drawn at random, that teach; each of them counts as four."""

CLASS_WEIGHTS = 0.5
"""A class weighs its frequency to the power of minus this, as for the network."""


def all_beat_features(beats: pd.DataFrame, cut: NDArray[np.floating]) -> NDArray[np.float32]:
    """All beats of ``beats.csv`` and ``beats.npy`` as `beat_features` tells them, record by record."""
    rows_of = beats.groupby("record", sort=False).indices.values()
    return np.concatenate([beat_features(cut[rows], beats["time_s"].to_numpy()[rows]) for rows in rows_of])


def fit(features: NDArray[np.floating], labels: NDArray[Any], seed: int) -> HistGradientBoostingClassifier:
    """Trees fitted on the beats of the three classes among ``labels (beats,)``; F and Q teach nothing."""
    random = np.random.default_rng(seed)
    kept = np.isin(labels, HEADING) & ((labels != HEADING[0]) | (random.random(len(labels)) < KEPT))
    classes = pd.Series(labels[kept]).map(HEADING.index).to_numpy()
    weights = np.where(classes == 0, 1 / KEPT, 1.0)
    counts = np.maximum(np.bincount(classes, weights, minlength=len(HEADING)), 1.0)
    weights *= counts[classes] ** -CLASS_WEIGHTS
    model = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=LEAST_OF_A_LEAF,
        l2_regularization=PENALTY, max_features=LOOKED_AT, early_stopping=False, random_state=seed,
    )  # fmt: skip
    return model.fit(features[kept], classes, sample_weight=weights / weights.mean())


def answered(model: HistGradientBoostingClassifier, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probabilities ``(beats, 5)`` in the order of AAMI; a class that it does not know has none."""
    found = np.zeros((len(features), len(AAMI)), np.float32)
    found[:, [AAMI.index(HEADING[number]) for number in model.classes_]] = model.predict_proba(features)
    return found


def inner_answers(features: NDArray[np.floating], part: Partition, keys: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of ``predictions.csv``: each inner fold answered by trees that saw neither it nor what is tested."""
    tables = []
    for fold in part.folds:
        if fold != TESTED:
            model = fit_rows(features, part, part.training_rows((TESTED, fold)))
            told = answered(model, features[part.rows[fold]])[:, None]
            tables.append(
                answers_table(told, part, fold, {**keys, "fold": TESTED, "role": "inner", "held_out": fold})
            )
    return pd.concat(tables, ignore_index=True)


def test_answers(
    model: HistGradientBoostingClassifier,
    features: NDArray[np.floating],
    part: Partition,
    keys: Mapping[str, Any],
) -> pd.DataFrame:
    """Rows of ``predictions.csv`` of what is tested, by trees fitted on all that is learned from."""
    told = answered(model, features[part.rows[TESTED]])[:, None]
    return answers_table(told, part, TESTED, {**keys, "fold": TESTED, "role": "test"})


def fit_rows(features: NDArray[np.floating], part: Partition, rows: Rows) -> HistGradientBoostingClassifier:
    """Trees fitted on some rows of a partition, by its seed."""
    return fit(features[rows], part.labels[rows], part.seed)
