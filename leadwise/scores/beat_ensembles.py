"""Several networks' answers to beats as one: their mean, their vote, a logistic regression, of the k best of them.

Members are ranked, and the regression is fitted, on answers to beats that no member was trained on: the part ``val``
of ``folds.csv``. The published coursework ranks on the test set and fits on the members' own training rows,
whose answers are surer than any others; what ranking on the test set would have gained is told beside: no result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from leadwise.errors import InputError, LeakError
from leadwise.names import AAMI
from leadwise.scores.beats import BEATS, HEADING
from leadwise.scores.draws import bootstrap
from leadwise.scores.metrics import Floats, probabilities
from leadwise.scores.table import compared, scored

HOW = ("mean", "vote", "logistic")
"""The ways of joining: the members' mean probability, the share that call a class, a regression on all they say."""

METRICS = ("macro_f1", "accuracy", "recall_S", "ppv_S", "recall_V", "ppv_V")

_PROB = [f"prob_{name}" for name in AAMI]
_TIE = 1e-3  # of a vote: how much the mean probability counts, far less than one voice of a thousand


@dataclass(frozen=True)
class Members:
    """Networks that answered for the same beats, by name: for those that nobody learned from, and for the tested."""

    val: dict[str, pd.DataFrame]
    test: dict[str, pd.DataFrame]

    @property
    def names(self) -> list[str]:
        """Their names, as they were given."""
        return list(self.test)


def members(predictions: pd.DataFrame, names: Sequence[str], found: pd.DataFrame, protocol: str) -> Members:
    """The answers of networks that shall be joined, checked to be about the same beats, one seed of one protocol.

    `predictions` keeps the contract ``predictions.csv``; `found` is what
    `leadwise.folds.partition.units_in_folds` gives of ``beats.csv`` for that protocol and seed. Raises `InputError`
    for fewer than two members, and for one whose answers are missing or are of other beats than the parts ``val`` and
    ``test`` hold; `LeakError` where an answer to learn from is about a beat that members were trained on.
    """
    if len(names) < 2:
        raise InputError(f"{protocol}: an ensemble joins two networks at least, and there is {len(names)}.")
    asked = predictions[predictions["protocol"] == protocol]
    sides = {
        role: {name: _answers(asked, name, role, found, protocol) for name in names}
        for role in ("val", "test")
    }
    return Members(**sides)


def _answers(asked: pd.DataFrame, name: str, role: str, found: pd.DataFrame, protocol: str) -> pd.DataFrame:
    own = asked[(asked["model"] == name) & (asked["role"] == role)].sort_values("unit_id", ignore_index=True)
    who = f"{name} under {protocol}"
    if own.empty:
        raise InputError(
            f"{who} has no answers to the part {role!r}, so it cannot be joined. Run 32_signal_networks again."
        )
    trained = set(found.loc[found["part"] == "train", "beat_id"])
    if seen := sorted(trained & set(own["unit_id"])):
        raise LeakError(
            f"{who}: {len(seen)} of the {len(own)} answers called {role!r} are about beats that members were trained "
            f"on ({seen[0]} for one). What is learned from those says nothing of other beats."
        )
    wanted = found[found["part"] == role].rename(columns={"beat_id": "unit_id"})
    if rows_fingerprint(own) != rows_fingerprint(wanted):
        odd = sorted(set(own["unit_id"]) ^ set(wanted["unit_id"]))
        raise InputError(
            f"{who} answers for other beats than the part {role!r} has: {len(own)} rows with fingerprint "
            f"{rows_fingerprint(own)}, and not {len(wanted)} with {rows_fingerprint(wanted)}"
            f"{f' ({odd[0]} for one)' if odd else ' (labels or repeats differ)'}. Run 32_signal_networks again."
        )
    return own


def rows_fingerprint(rows: pd.DataFrame) -> str:
    """Twelve hex digits over which beats with which labels, in any order: columns ``unit_id, label``."""
    told = sorted(rows["unit_id"].astype(str) + " " + rows["label"].astype(str))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def ranked(answers: dict[str, pd.DataFrame]) -> list[str]:
    """Networks by their macro-F1 over those of N, S and V that are annotated in these answers, the best first."""
    score = {name: _macro_f1(rows) for name, rows in answers.items()}
    return sorted(answers, key=lambda name: -score[name])


def _macro_f1(rows: pd.DataFrame) -> float:
    told = bootstrap(rows.assign(role="test"), BEATS, draws=0)  # also of answers to learn from, to rank by
    return float(np.nanmean([told[f"f1_{name}"].value for name in HEADING]))


def joined(how: str, given: Members, names: Sequence[str]) -> pd.DataFrame:
    """Test answers of some members as one, rows of ``predictions.csv`` whose model is ``<how>_<number of members>``.

    Ties of a vote go to the class with the higher mean probability. The regression is fitted on the members' answers
    to the part ``val``; a class that is not there is never called. Raises `InputError` where it holds one class.
    """
    told = np.stack([given.test[name][_PROB].to_numpy() for name in names])
    if how == "mean":
        prob = told.mean(axis=0)
    elif how == "vote":
        voices = np.eye(len(AAMI))[told.argmax(axis=2)].mean(axis=0)
        prob = (voices + _TIE * told.mean(axis=0)) / (1 + _TIE)
    else:
        prob = _regression(given, names)
    rows = given.test[names[0]]
    return rows.assign(model=f"{how}_{len(names)}", **dict(zip(_PROB, prob.T, strict=True)))


def _regression(given: Members, names: Sequence[str]) -> Floats:
    def said(answers: dict[str, pd.DataFrame]) -> Floats:
        return np.concatenate([answers[name][_PROB].to_numpy() for name in names], axis=1)

    labels = given.val[names[0]]["label"]
    if labels.nunique() < 2:
        raise InputError(
            f"a regression cannot be fitted on {len(labels)} beats that are all called {labels.iloc[0]}."
        )
    fitted = LogisticRegression(max_iter=2000).fit(said(given.val), labels)
    prob = np.zeros((len(given.test[names[0]]), len(AAMI)))
    prob[:, [AAMI.index(name) for name in fitted.classes_]] = fitted.predict_proba(said(given.test))
    return prob


def constant(answers: pd.DataFrame) -> str | None:
    """The class that a model calls every beat, None where it tells some apart."""
    called = np.unique(probabilities(answers, AAMI)[1].argmax(axis=1))
    return AAMI[int(called[0])] if len(called) == 1 else None


def by_number(given: Members, draws: int = 2000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the k best give, for every way of joining and every k from two: rows of scores and of differences.

    A row's model is the way of joining, its condition ``k``. Differences are paired: against the member that is best
    on ``val``; and, under ``ranked_on=test``, what an order taken from the test set would have gained. What is told
    of that order is no result.
    """
    on_val, on_test = ranked(given.val), ranked(given.test)
    best = given.test[on_val[0]]
    scores, differences = [], []
    for how in HOW:
        for k in range(2, len(on_val) + 1):
            one = joined(how, given, on_val[:k])
            peeked = one if set(on_test[:k]) == set(on_val[:k]) else joined(how, given, on_test[:k])
            place: dict[str, Any] = {"model": how, "condition": {"k": k}}
            peek: dict[str, Any] = {"model": how, "condition": {"k": k, "ranked_on": "test"}}
            scores.append(scored(one, BEATS, METRICS, draws, **place))
            scores.append(scored(peeked, BEATS, ["macro_f1"], draws, **peek))
            differences.append(compared(one, best, BEATS, ["macro_f1"], draws, **place))
            differences.append(
                compared(peeked, one, BEATS, ["macro_f1"], draws, minus="ranked_on=val", **peek)
            )
    return pd.concat(scores, ignore_index=True), pd.concat(differences, ignore_index=True)
