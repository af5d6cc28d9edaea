"""Two models that name beats as one: the mean of their logarithms, how much S counts, and no S in fibrillation.

How they are joined is chosen on answers to records that taught neither of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.errors import InputError
from leadwise.names import AAMI
from leadwise.scores.beats import BEATS, HEADING
from leadwise.scores.draws import Interval, percentiles, weighings

SHARES, S_COUNTS = (0.0, 0.25, 0.5, 0.75, 1.0), (0.25, 0.5, 1.0, 2.0)
"""What is chosen from: the share of trees in the mean, and by what S is multiplied."""

_COLUMNS = [f"prob_{name}" for name in AAMI]
_LEAST = 1e-6
_DRAWS = 2000


@dataclass(frozen=True)
class Way:
    """How two answers become one: the trees' `share` in the mean of logarithms, the rest being the network's.

    `s_counts` multiplies S, and with `gate` no beat in atrial fibrillation is S.
    """

    share: float
    s_counts: float
    gate: bool


def joined(
    trees: NDArray[np.floating], network: NDArray[np.floating], in_af: NDArray[np.bool_], way: Way
) -> NDArray[np.float64]:
    """Probabilities ``(beats, 5)`` of two such, F and Q nought; `in_af` ``(beats,)`` says where fibrillation is."""
    known = [AAMI.index(name) for name in HEADING]
    logs = way.share * np.log(trees[:, known] + _LEAST) + (1 - way.share) * np.log(network[:, known] + _LEAST)
    shares = np.exp(logs)
    shares[:, HEADING.index("S")] *= np.where(in_af & way.gate, 0.0, way.s_counts)
    found = np.zeros((len(shares), len(AAMI)))
    found[:, known] = shares / shares.sum(axis=1, keepdims=True)
    return found


def joined_answers(
    trees: pd.DataFrame, network: pd.DataFrame, in_af: pd.Series, way: Way, model: str
) -> pd.DataFrame:
    """The same of rows of ``predictions.csv``, in the order of `trees`; `in_af` by ``unit_id``.

    Raises `InputError` where the two answer for different beats, or `in_af` lacks one of them.
    """
    return _with_answers(trees, joined(*_aligned(trees, network, in_af), way), model)


def tried(trees: pd.DataFrame, network: pd.DataFrame, in_af: pd.Series, set_of: pd.Series) -> pd.DataFrame:
    """Every way on inner answers: a row each with the fields of `Way`, macro-F1 in each set, and their `mean`.

    `set_of` names the set of each ``unit_id``: sets differ in size and in how much S they hold, and count alike.
    Raises `InputError` as `joined_answers` does, and where `set_of` lacks a beat.
    """
    own = _told(set_of, trees, "of which set they are").to_numpy(str)
    aligned = _aligned(trees, network, in_af)
    rows = []
    for way in _ways():
        answers = _with_answers(trees, joined(*aligned, way), "joined")
        by_set = {name: macro_f1(answers[own == name]) for name in sorted(set(own))}
        rows.append({**asdict(way), **by_set, "mean": float(np.mean(list(by_set.values())))})
    return pd.DataFrame(rows)


def best_way(tried_ways: pd.DataFrame, shares: Sequence[float] = SHARES, *, gate: bool) -> Way:
    """Of ways with some shares, with the gate or without, that with the highest mean."""
    some = tried_ways[tried_ways["share"].isin(shares) & (tried_ways["gate"] == gate)]
    first = some.loc[some["mean"].idxmax()]
    return Way(float(first["share"]), float(first["s_counts"]), gate)


def gained(answers: pd.DataFrame, others: pd.DataFrame) -> Interval:
    """By how much the macro-F1 of inner answers is higher than that of others to the same rows, records drawn."""
    names, counts = weighings(answers["group_id"], _DRAWS)
    record = names.get_indexer(answers["group_id"].astype(str))
    ours, theirs = (BEATS(rows, record, counts.astype(float))["macro_f1"] for rows in (answers, others))
    return percentiles(ours - theirs)


def macro_f1(answers: pd.DataFrame) -> float:
    """The mean F1 of N, S and V over all rows."""
    everyone = np.zeros(len(answers), np.intp)
    return float(BEATS(answers, everyone, np.ones((1, 1)))["macro_f1"][0])


def _aligned(
    trees: pd.DataFrame, network: pd.DataFrame, in_af: pd.Series
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """What `joined` takes, in the order of `trees`. Raises `InputError` as `joined_answers` does."""
    keys = ["seed", "role", "unit_id"]
    other = network.set_index(keys).reindex(pd.MultiIndex.from_frame(trees[keys]))
    if len(trees) != len(network) or other["label"].isna().any():
        raise InputError("trees and network answer for different beats, which cannot be joined.")
    gated = _told(in_af, trees, "whether they lie in fibrillation").to_numpy(bool)
    return trees[_COLUMNS].to_numpy(float), other[_COLUMNS].to_numpy(float), gated


def _told(by_beat: pd.Series, answers: pd.DataFrame, what: str) -> pd.Series:
    """What is told of each beat, in the order of answers. Raises `InputError` where it is told of some alone."""
    told = by_beat.reindex(answers["unit_id"])
    if (lacking := told.index[told.isna()].unique()).size:
        raise InputError(
            f"of {len(lacking)} beats, {lacking[0]} for one, it is not told {what}. Give it for every beat."
        )
    return told


def _with_answers(answers: pd.DataFrame, found: NDArray[np.float64], model: str) -> pd.DataFrame:
    return answers.assign(model=model, **dict(zip(_COLUMNS, found.T, strict=True)))


def _ways() -> Iterator[Way]:
    return (Way(*each) for each in product(SHARES, S_COUNTS, (False, True)))
