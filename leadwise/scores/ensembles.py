"""Several answers as one: of a page's files, or of several trainings."""

from __future__ import annotations

import pandas as pd


def mean_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """A row a unit, in the order in which they first come: its mean probabilities, all else from its first row.

    ``answers``: rows of predictions.csv of one model, task, protocol and kind of unit.
    """
    probabilities = [column for column in answers if column.startswith("prob_")]
    first = answers.drop_duplicates("unit_id").set_index("unit_id")
    first[probabilities] = answers.groupby("unit_id")[probabilities].mean().reindex(first.index)
    return first.reset_index()


def mean_over_seeds(answers: pd.DataFrame, name: str) -> pd.DataFrame:
    """A page's answers of all seeds as one, under a name of its own: an ensemble, not a repetition.

    ``answers``: one model's test answers, seed by seed. Each seed's network never saw the page; the rows keep the
    first seed's number and fold.
    """
    return mean_answers(answers).assign(model=name)
