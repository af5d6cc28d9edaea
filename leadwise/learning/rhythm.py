"""Atrial fibrillation from stretches of recordings: boosted trees, what they learn from, and their file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold

from leadwise.files import written_whole
from leadwise.learning.export import describe
from leadwise.learning.export_trees import trees_as_onnx
from leadwise.models.onnx_file import RHYTHM
from leadwise.names import VERSION
from leadwise.recordings.stretches import FEATURES
from leadwise.sets.rhythms import CINC_COUNTS

INTERVALS = FEATURES[:9]
"""The features that are of intervals alone."""

MODELS: Mapping[str, tuple[str, ...]] = {
    "af_stretch": FEATURES,
    "af_intervals": INTERVALS,
    "af_entropy": ("sample_entropy",),
}
"""By name: what each looks at. The first ships; the others tell what shapes and what all intervals are worth."""

TREES, LEAVES, RATE, LEAST_OF_A_LEAF, PENALTY = 150, 8, 0.05, 20, 1.0
NOTED_WEIGHT = 0.3
"""All stretches of annotated records together, beside 1 for those of CinC 2017: their AF is two people's."""

_FOLDS = 5


def weights_of(stretches: pd.DataFrame) -> NDArray[np.float64]:
    """One a stretch, mean 1: a recording of CinC counts as its class was published, whatever pieces it has."""
    cinc = (stretches["set"] == "cinc2017").to_numpy()
    weights = np.ones(len(stretches))
    if cinc.any():
        own = stretches[cinc]
        records = own.drop_duplicates("record")["label"].value_counts()
        pieces = own.groupby("record")["record"].transform("size")
        weights[cinc] = (own["label"].map(CINC_COUNTS) / own["label"].map(records) / pieces).to_numpy(float)
    if cinc.any() and not cinc.all():
        weights[~cinc] = NOTED_WEIGHT * weights[cinc].sum() / (~cinc).sum()
    return np.asarray(weights / weights.mean())


def fit(stretches: pd.DataFrame, features: Sequence[str]) -> HistGradientBoostingClassifier:
    """Trees fitted on all stretches that are known. Nothing in it is drawn at random."""
    known = stretches[stretches[list(FEATURES)].notna().all(axis=1)]
    model = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=LEAST_OF_A_LEAF,
        l2_regularization=PENALTY, early_stopping=False,
    )  # fmt: skip
    model.fit(values_of(known, features), known["is_af"], sample_weight=weights_of(known))
    return model


def answered(
    model: HistGradientBoostingClassifier, stretches: pd.DataFrame, features: Sequence[str]
) -> NDArray[np.float64]:
    """How likely each stretch is one of fibrillation ``(stretches,)``; nan where too few beats are known."""
    known = stretches[list(FEATURES)].notna().all(axis=1).to_numpy()
    found = np.full(len(stretches), np.nan)
    if known.any():
        found[known] = model.predict_proba(values_of(stretches[known], features))[:, 1]
    return found


def inner_answers(stretches: pd.DataFrame, features: Sequence[str]) -> NDArray[np.float64]:
    """Answers for every stretch by trees that saw nothing of its record, in five parts."""
    kind = stretches["set"] + stretches.groupby(["set", "record"])["is_af"].transform("max").astype(str)
    found = np.full(len(stretches), np.nan)
    parts = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=1)
    for learned, asked in parts.split(stretches, kind, stretches["set"] + stretches["record"]):
        model = fit(stretches.iloc[learned], features)
        found[asked] = answered(model, stretches.iloc[asked], features)
    return found


def values_of(stretches: pd.DataFrame, features: Sequence[str]) -> NDArray[np.float32]:
    """What trees see, ``(stretches, features)``."""
    return np.asarray(stretches[list(features)], np.float32)


def write_rhythm(model: HistGradientBoostingClassifier, path: Path, **said: str) -> None:
    """Write trees on all FEATURES as ONNX, sealed; `said` are protocol, data_fingerprint, trained_on and note."""
    told = {
        "format": RHYTHM.name,
        "model": "af_stretch",
        "classes": "other,af",
        **RHYTHM.preprocessing,
        "leadwise": VERSION,
        **said,
    }
    with written_whole(path) as aside:  # so that no file is there that does not say what it is
        aside.write_bytes(trees_as_onnx(model, len(FEATURES)))
        describe(aside, told)
