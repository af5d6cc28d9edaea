"""What can be had of a beat without a network: always N, and how early it comes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadwise.signals.annotations import AAMI
from leadwise.signals.context import RATIOS


def majority(answers: pd.DataFrame) -> pd.DataFrame:
    """Always N, about the beats of `answers`."""
    return answers.assign(model="majority", **{f"prob_{name}": float(name == AAMI[0]) for name in AAMI})


def ratios_alone(answers: pd.DataFrame, beats: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """A logistic regression on the four ratios of intervals in ``beats.csv``, fitted on the training beats.

    `found` is what `leadwise.data.signal_folds.placed` gives of `beats` for the seed of the `answers`. Classes are
    weighed by their rarity, since otherwise it always says N. Nothing is chosen.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learned = found[(found["part"] == "train") & found["label"].isin(["N", "S", "V"])]
    regression = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    regression.fit(learned[list(RATIOS)].to_numpy(), learned["label"])
    asked = beats.set_index("beat_id").loc[answers["unit_id"], list(RATIOS)].to_numpy()
    known = dict(zip(regression.classes_, regression.predict_proba(asked).T, strict=True))
    nothing = np.zeros(len(answers))
    return answers.assign(model="ratios_alone", **{f"prob_{name}": known.get(name, nothing) for name in AAMI})
