"""What can be said of a beat or window without a network: the frequent class, whose it is, how early a beat comes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadwise.names import AAMI, RATIOS, TASKS, WINDOW_LABELS


def majority(answers: pd.DataFrame) -> pd.DataFrame:
    """Always N, or always ``normal``, the frequent class of every split, about the units of `answers`."""
    classes = TASKS[str(answers["task"].iloc[0])]
    return answers.assign(model="majority", **{f"prob_{name}": float(name == classes[0]) for name in classes})


def record_alone(answers: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """What most windows of the same record are called, by ``windows.csv``: all that knowing the record can give."""
    abnormal = (windows["label"] == WINDOW_LABELS[1]).groupby(windows["record"]).mean() > 0.5
    record = windows.set_index("window_id")["record"]
    told = answers["unit_id"].map(record).map(abnormal).to_numpy(float)
    return answers.assign(
        model="record_alone", **{f"prob_{WINDOW_LABELS[0]}": 1 - told, f"prob_{WINDOW_LABELS[1]}": told}
    )


def ratios_alone(answers: pd.DataFrame, beats: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """A logistic regression on the four ratios of intervals in ``beats.csv``, fitted on the training beats.

    `found` is what `leadwise.folds.recordings.placed` gives of `beats` for the seed of the `answers`. Classes are
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
