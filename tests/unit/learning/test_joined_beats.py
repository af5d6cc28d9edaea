"""Trees that name beats, and how their answers are joined with a network's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadwise.errors import InputError
from leadwise.folds.partition import Partition
from leadwise.learning import beat_trees, joined_beats
from leadwise.learning.joined_beats import Way, joined
from leadwise.names import AAMI
from leadwise.tables import checked

KEYS = {"model": "beat_trees", "task": "aami5", "protocol": "svdb", "seed": 1, "profile": "tests"}


@pytest.fixture
def part() -> Partition:
    """Four records of 120 beats: one is tested, three are inner folds; F and Q are among them."""
    labels = np.array([AAMI[0] if n % 6 < 3 else AAMI[n % 6 - 2] for n in range(480)], object)
    groups = np.repeat(["a", "b", "c", "d"], 120).astype(object)
    ids = np.array([f"{group}-{n:07d}" for n, group in enumerate(groups)], object)
    rows = {fold: np.arange((fold - 1) * 120, fold * 120) for fold in (1, 2, 3, 4)}
    return Partition(1, rows, ids, groups, labels, tested=(1,))


@pytest.fixture
def features(part: Partition) -> np.ndarray:
    """Three numbers, of which the first tells N, S and V apart."""
    numbers = np.random.default_rng(0).normal(size=(480, 3)).astype(np.float32)
    numbers[:, 0] = 0.3 * numbers[:, 0] + pd.Series(part.labels).map(AAMI.index)
    return numbers


def test_trees_answer_for_records_that_did_not_teach_them(part: Partition, features: np.ndarray) -> None:
    inner = checked(beat_trees.inner_answers(features, part, KEYS), "predictions.csv", "here")
    assert inner["held_out"].value_counts().to_dict() == {2: 120, 3: 120, 4: 120}
    model = beat_trees.fit_rows(features, part, part.training_rows((1,)))
    told = checked(beat_trees.test_answers(model, features, part, KEYS), "predictions.csv", "here")
    assert set(told["group_id"]) == {"a"}
    assert (told[["prob_F", "prob_Q"]] == 0).all(axis=None)
    assert joined_beats.macro_f1(told) > 0.6


def test_a_class_that_nobody_taught_is_never_answered(part: Partition, features: np.ndarray) -> None:
    known = np.isin(part.labels, ["N", "V"])
    found = beat_trees.answered(beat_trees.fit(features[known], part.labels[known], 1), features)
    assert (found[:, AAMI.index("S")] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


TREES, NETWORK = np.array([[0.5, 0.4, 0.1, 0.0, 0.0]]), np.array([[0.1, 0.6, 0.1, 0.1, 0.1]])


def test_alone_each_says_what_it_said_but_for_what_is_none_of_three() -> None:
    nowhere = np.array([False])
    np.testing.assert_allclose(joined(TREES, NETWORK, nowhere, Way(1.0, 1.0, gate=True)), TREES, atol=1e-4)
    alone = joined(TREES, NETWORK, nowhere, Way(0.0, 1.0, gate=False))
    np.testing.assert_allclose(alone, [[0.125, 0.75, 0.125, 0, 0]], atol=1e-4)


def test_no_beat_in_fibrillation_is_supraventricular_behind_the_gate() -> None:
    inside = np.array([True])
    assert joined(TREES, NETWORK, inside, Way(0.5, 1.0, gate=True))[0, 1] == 0
    assert joined(TREES, NETWORK, inside, Way(0.5, 1.0, gate=False)).argmax() == 1
    assert joined(TREES, NETWORK, inside, Way(0.5, 0.25, gate=False)).argmax() == 0, "S counts less"


def answers(prob_s: list[float], labels: str) -> pd.DataFrame:
    table = pd.DataFrame({"unit_id": [f"r-{n}" for n in range(len(labels))], "label": list(labels)})
    prob = pd.DataFrame(0.0, index=table.index, columns=[f"prob_{name}" for name in AAMI])
    prob["prob_S"] = prob_s
    prob["prob_V"] = np.where(table["label"] == "V", 0.9, 0.0) * (1 - prob["prob_S"])
    prob["prob_N"] = 1 - prob["prob_S"] - prob["prob_V"]
    return table.join(prob).assign(seed=1, role="inner", group_id="r", model="m")


def test_the_way_with_the_highest_mean_over_the_sets_is_taken() -> None:
    right, wrong = answers([0.1, 0.1, 0.9, 0.0], "NNSV"), answers([0.1, 0.9, 0.1, 0.0], "NNSV")
    both = pd.concat([right, right.assign(unit_id="q" + right["unit_id"])], ignore_index=True)
    others = pd.concat([wrong, wrong.assign(unit_id="q" + wrong["unit_id"])], ignore_index=True)
    in_af = pd.Series(data=False, index=both["unit_id"])
    set_of = pd.Series(["ds1"] * 4 + ["svdb"] * 4, index=both["unit_id"])
    table = joined_beats.tried(both, others, in_af, set_of)
    assert {"ds1", "svdb", "mean"} <= set(table)
    best = joined_beats.best_way(table, gate=False)
    assert best.share > 0.5
    assert table["mean"].max() == pytest.approx(1)
    assert joined_beats.best_way(table, (0.0,), gate=True).share == 0
    gain = joined_beats.gained(both, others)
    assert gain.value == pytest.approx(joined_beats.macro_f1(both) - joined_beats.macro_f1(others))


def test_answers_to_different_beats_are_not_joined() -> None:
    one = answers([0.1, 0.9], "NS")
    with pytest.raises(InputError, match="different beats"):
        joined_beats.joined_answers(
            one, one.head(1), pd.Series(data=False, index=one["unit_id"]), Way(0.5, 1.0, gate=False), "m"
        )


def test_beats_of_which_rhythm_or_set_is_not_told_are_refused() -> None:
    one = answers([0.1, 0.9], "NS")
    in_af, set_of = (pd.Series(what, index=one["unit_id"]) for what in (False, "ds1"))
    way = Way(0.5, 1.0, gate=True)
    with pytest.raises(InputError, match="of 1 beats, r-1 for one, it is not told whether they lie in fibri"):
        joined_beats.joined_answers(one, one, in_af.iloc[:1], way, "m")
    with pytest.raises(InputError, match="of 1 beats, r-1 for one, it is not told of which set they are"):
        joined_beats.tried(one, one, in_af, set_of.iloc[:1])
