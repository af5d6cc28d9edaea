"""Several trainings' answers as one."""

from __future__ import annotations

import pandas as pd


def mean_over_seeds(answers: pd.DataFrame, name: str) -> pd.DataFrame:
    """A page's answers of all seeds as one, their mean, under a name of its own: an ensemble, not a repetition.

    ``answers``: one model's test answers (rows of predictions.csv). Each seed's network never saw the page; the rows
    keep the first seed's number and fold.
    """
    probabilities = [column for column in answers if column.startswith("prob_")]
    first = answers[answers["seed"] == answers["seed"].iloc[0]].set_index("unit_id")
    mean = answers.groupby("unit_id")[probabilities].mean().reindex(first.index)
    return first.assign(model=name, **{column: mean[column] for column in probabilities}).reset_index()
