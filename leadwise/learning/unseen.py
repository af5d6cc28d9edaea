"""The page model's networks, each asked about the pages of the fold that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from leadwise.folds.partition import Partition
from leadwise.learning.answers import answer, answers_table
from leadwise.learning.distill import Teacher
from leadwise.learning.examples import Units
from leadwise.sets.views import Views


def answers_of_folds(
    teacher: Teacher, part: Partition, views: Views, page_ids: Sequence[str]
) -> pd.DataFrame:
    """Test answers, as ``predictions.csv`` has them, of the networks of one seed about some pages of a partition.

    `page_ids` are in the order of `views`. Each page is answered by the one network that left its fold out. Raises
    `LeakError` for a network that by its file's word left out another fold, or one of another partition, and
    `WeightsError` where a file is missing or does not fit.
    """
    row_of = pd.Series(np.arange(len(part.unit_ids)), index=part.unit_ids)[list(page_ids)].to_numpy()
    tables = []
    for fold in part.folds:
        here = np.flatnonzero(np.isin(row_of, part.rows[fold]))
        if not len(here):
            continue
        network = teacher.network(part, fold)
        seen = {name: views[name] for name in network.views}
        examples = Units(seen, np.zeros(len(row_of), np.int64), teacher.classes)
        keys = {
            "model": "leads12",
            "task": teacher.task,
            "protocol": "grouped",
            "seed": part.seed,
            "fold": fold,
        }
        at_hand = replace(part, rows={fold: row_of[here]})
        tables.append(answers_table(answer(network, examples, here), at_hand, fold, keys | {"role": "test"}))
    return pd.concat(tables, ignore_index=True)
