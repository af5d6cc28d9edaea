"""Several networks' answers to beats as one: their mean, their vote, a logistic regression, of the k best of them.

Members are ranked, and the regression is fitted, on answers to beats that no member was trained on: the part ``val``
of ``folds.csv``. The published coursework ranks on the test set and fits on the members' own training rows,
whose answers are surer than any others; what ranking on the test set would have gained is told beside: no result.
"""

from __future__ import annotations

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


def members(predictions: pd.DataFrame, names: Sequence[str], placed: pd.DataFrame, protocol: str) -> Members:
    """The answers of networks that shall be joined, checked to be about the same beats, one seed of one protocol.

    `predictions` keeps the contract ``predictions.csv``; `placed` is what
    `leadwise.folds.partition.units_in_folds` gives of ``beats.csv`` for that protocol and seed. Raises `InputError`
    for fewer than two members, and for one whose answers are missing or are of other beats than the parts ``val`` and
    ``test`` hold; `LeakError` where an answer to learn from is about a beat that members were trained on.
    """
    if len(names) < 2:
        raise InputError(f"{protocol}: an ensemble joins two networks at least, and there is {len(names)}.")
    asked = predictions[predictions["protocol"] == protocol]
    sides = {
        role: {name: _answers(asked, name, role, placed, protocol) for name in names}
        for role in ("val", "test")
    }
    return Members(**sides)


def _answers(asked: pd.DataFrame, name: str, role: str, placed: pd.DataFrame, protocol: str) -> pd.DataFrame:
    rows = asked[(asked["model"] == name) & (asked["role"] == role)].sort_values("unit_id", ignore_index=True)
    who = f"{name} under {protocol}"
    if rows.empty:
        raise InputError(
            f"{who} has no answers to the part {role!r}, so it cannot be joined. Run 32_signal_networks again."
        )
    trained = set(placed.loc[placed["part"] == "train", "beat_id"])
    if leaked := sorted(trained & set(rows["unit_id"])):
        raise LeakError(
            f"{who}: {len(leaked)} of the {len(rows)} answers called {role!r} are about beats that members were "
            f"trained on ({leaked[0]} for one). What is learned from those says nothing of other beats."
        )
    of_part = placed[placed["part"] == role].sort_values("beat_id")
    if rows[["unit_id", "label"]].to_numpy().tolist() != of_part[["beat_id", "label"]].to_numpy().tolist():
        odd = sorted(set(rows["unit_id"]) ^ set(of_part["beat_id"]))
        raise InputError(
            f"{who} answers for other beats than the part {role!r} has: {len(rows)} rows, and not {len(of_part)} "
            f"({f'{odd[0]} for one' if odd else 'labels or repeats differ'}). Run 32_signal_networks again."
        )
    return rows


def ranked(answers: dict[str, pd.DataFrame]) -> list[str]:
    """Networks by their macro-F1 over those of N, S and V that are annotated in these answers, the best first."""
    score = {name: _macro_f1(rows) for name, rows in answers.items()}
    return sorted(answers, key=lambda name: -score[name])


def _macro_f1(rows: pd.DataFrame) -> float:
    scores = bootstrap(rows.assign(role="test"), BEATS, draws=0)  # also of answers to learn from, to rank by
    return float(np.nanmean([scores[f"f1_{name}"].value for name in HEADING]))


def joined(how: str, networks: Members, names: Sequence[str]) -> pd.DataFrame:
    """Test answers of some members as one, rows of ``predictions.csv`` whose model is ``<how>_<number of members>``.

    Ties of a vote go to the class with the higher mean probability. The regression is fitted on the members' answers
    to the part ``val``; a class that is not there is never called. Raises `InputError` where it holds one class.
    """
    by_network = np.stack([networks.test[name][_PROB].to_numpy() for name in names])
    if how == "mean":
        prob = by_network.mean(axis=0)
    elif how == "vote":
        voices = np.eye(len(AAMI))[by_network.argmax(axis=2)].mean(axis=0)
        prob = (voices + _TIE * by_network.mean(axis=0)) / (1 + _TIE)
    else:
        prob = _regression(networks, names)
    rows = networks.test[names[0]]
    return rows.assign(model=f"{how}_{len(names)}", **dict(zip(_PROB, prob.T, strict=True)))


def _regression(networks: Members, names: Sequence[str]) -> Floats:
    def inputs(answers: dict[str, pd.DataFrame]) -> Floats:
        return np.concatenate([answers[name][_PROB].to_numpy() for name in names], axis=1)

    labels = networks.val[names[0]]["label"]
    if labels.nunique() < 2:
        raise InputError(
            f"a regression cannot be fitted on {len(labels)} beats that are all called {labels.iloc[0]}."
        )
    fitted = LogisticRegression(max_iter=2000).fit(inputs(networks.val), labels)
    prob = np.zeros((len(networks.test[names[0]]), len(AAMI)))
    prob[:, [AAMI.index(name) for name in fitted.classes_]] = fitted.predict_proba(inputs(networks.test))
    return prob


def constant(answers: pd.DataFrame) -> str | None:
    """The class that a model calls every beat, None where it tells some apart."""
    called = np.unique(probabilities(answers, AAMI)[1].argmax(axis=1))
    return AAMI[int(called[0])] if len(called) == 1 else None


def by_number(networks: Members, draws: int = 2000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the k best give, for every way of joining and every k from two: rows of scores and of differences.

    A row's model is the way of joining, its condition ``k``. Differences are paired: against the member that is best
    on ``val``; and, under ``ranked_on=test``, what an order taken from the test set would have gained. What is told
    of that order is no result.
    """
    on_val, on_test = ranked(networks.val), ranked(networks.test)
    best = networks.test[on_val[0]]
    scores, differences = [], []
    for how in HOW:
        for k in range(2, len(on_val) + 1):
            ensemble = joined(how, networks, on_val[:k])
            peeked = ensemble if set(on_test[:k]) == set(on_val[:k]) else joined(how, networks, on_test[:k])
            place: dict[str, Any] = {"model": how, "condition": {"k": k}}
            peek: dict[str, Any] = {"model": how, "condition": {"k": k, "ranked_on": "test"}}
            scores.append(scored(ensemble, BEATS, METRICS, draws, **place))
            scores.append(scored(peeked, BEATS, ["macro_f1"], draws, **peek))
            differences.append(compared(ensemble, best, BEATS, ["macro_f1"], draws, **place))
            differences.append(
                compared(peeked, ensemble, BEATS, ["macro_f1"], draws, minus="ranked_on=val", **peek)
            )
    return pd.concat(scores, ignore_index=True), pd.concat(differences, ignore_index=True)
