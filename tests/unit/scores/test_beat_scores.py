"""Beats and windows are counted as the protocols say, people are drawn, and floors are what they must be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score

from leadwise.errors import InputError, TableError
from leadwise.names import AAMI, WINDOW_LABELS
from leadwise.recordings.heartbeats import PUBLISHED
from leadwise.scores.beats import BEATS, EC57, WINDOWS, after_5_min, ranking
from leadwise.scores.draws import bootstrap
from leadwise.scores.metrics import confusion
from leadwise.sets.record_facts import (
    always,
    label_floors,
    not_published,
    odd_ones,
    overlapping,
    usual_beats,
)
from leadwise.tables import checked


def answers(
    true: str, called: str, people: list[str] | None = None, seed: int = 1, classes: tuple[str, ...] = AAMI
) -> pd.DataFrame:
    """Rows of predictions.csv, a beat a letter, certain of each answer."""
    n = len(true)
    return pd.DataFrame(
        {
            "unit": "beat", "unit_id": [f"b{k}" for k in range(n)], "group_id": people or ["p"] * n, "model": "m",
            "profile": "cpu", "task": "aami5", "protocol": "interpatient", "seed": seed, "fold": 1, "role": "test",
            "held_out": None, "label": list(true),
            **{f"prob_{name}": [float(one == name) for one in called] for name in classes},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    """Five thousand beats of ten people, answered well but not perfectly, with graded probabilities."""
    rng = np.random.default_rng(0)
    true = rng.choice(list(AAMI), 5000, p=[0.8, 0.06, 0.1, 0.03, 0.01])
    prob: NDArray[np.float64] = rng.dirichlet([0.4] * 5, len(true))
    prob[np.arange(len(true)), [AAMI.index(name) for name in true]] += 0.6
    prob /= prob.sum(axis=1, keepdims=True)
    table = answers("".join(true), "N" * len(true), [f"p{k % 10}" for k in range(len(true))])
    return table.assign(**{f"prob_{name}": prob[:, k] for k, name in enumerate(AAMI)})


def beats_of(table: pd.DataFrame, late: list[bool] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"beat_id": table["unit_id"], "in_ec57": late or [True] * len(table)})


def test_the_plain_count_is_scikit_learns(many: pd.DataFrame) -> None:
    called = np.array(AAMI)[many[[f"prob_{name}" for name in AAMI]].to_numpy().argmax(axis=1)]
    found = bootstrap(many, BEATS, 100)
    assert found["accuracy"].value == pytest.approx((called == many["label"]).mean())
    for name in AAMI:
        own = {"labels": [name], "average": "macro"}
        assert found[f"recall_{name}"].value == pytest.approx(recall_score(many["label"], called, **own))
        assert found[f"ppv_{name}"].value == pytest.approx(precision_score(many["label"], called, **own))
    three = f1_score(many["label"], called, labels=["N", "S", "V"], average="macro")
    assert found["macro_f1"].value == pytest.approx(three)
    for interval in found.values():
        assert interval.low <= interval.value <= interval.high


def test_ranks_are_scikit_learns(many: pd.DataFrame) -> None:
    found = bootstrap(many, ranking(AAMI, ["S", "V"]), 50)
    for name in ("S", "V"):
        truth, score = many["label"] == name, many[f"prob_{name}"]
        assert found[f"auroc_{name}"].value == pytest.approx(roc_auc_score(truth, score), abs=1e-3)
        assert found[f"auprc_{name}"].value == pytest.approx(average_precision_score(truth, score), abs=5e-3)
        assert found[f"auprc_{name}"].low < found[f"auprc_{name}"].high


def test_ec57_does_not_charge_what_nobody_can_know() -> None:
    table = answers("VFQNSQFN", "VVVVSSSN")
    plain, ec57 = bootstrap(table, BEATS, 50), bootstrap(after_5_min(table, beats_of(table)), EC57, 50)
    assert plain["ppv_V"].value == pytest.approx(1 / 4)
    assert ec57["ppv_V"].value == pytest.approx(1 / 2)  # of F, Q and N called V the N alone is charged
    assert plain["ppv_S"].value == pytest.approx(1 / 3)
    assert ec57["ppv_S"].value == pytest.approx(1 / 2)  # of Q and F called S the F alone
    assert ec57["recall_V"].value == 1
    assert "macro_f1" not in ec57
    assert "recall_N" not in ec57


def test_ec57_charges_every_miss() -> None:
    table = answers("VVVVS", "VFQNQ")
    found = bootstrap(after_5_min(table, beats_of(table)), EC57, 50)
    assert found["recall_V"].value == pytest.approx(1 / 4)
    assert found["recall_S"].value == 0


def test_ec57_leaves_the_first_five_minutes_out() -> None:
    table = answers("VVNN", "NVVN")
    found = bootstrap(after_5_min(table, beats_of(table, [False, True, False, True])), EC57, 50)
    assert (found["recall_V"].value, found["ppv_V"].value, found["accuracy"].value) == (1, 1, 1)
    with pytest.raises(InputError, match=r"beat b0 is not in beats\.csv"):
        after_5_min(table, beats_of(table).iloc[1:])


def test_intervals_come_from_people_and_not_from_beats() -> None:
    true = "NV" * 500
    one_bad_heart = "".join("NV" if k >= 100 else "NN" for k in range(500))
    people = [f"p{k // 200}" for k in range(1000)]  # the first of five is never found
    found = bootstrap(answers(true, one_bad_heart, people), BEATS, 500)["recall_V"]
    assert found.value == pytest.approx(0.8)
    assert found.low < 0.5
    assert found.high == 1


def test_seeds_are_averaged_and_drawn_alike() -> None:
    both = pd.concat([answers("NVNV", "NVNV"), answers("NVNV", "NNNN", seed=2)])
    assert bootstrap(both, BEATS, 50)["recall_V"].value == pytest.approx(0.5)
    assert confusion(both, AAMI).loc["V"].to_dict() == {"N": 2, "S": 0, "V": 2, "F": 0, "Q": 0}


def test_a_class_that_is_not_there_has_no_score() -> None:
    found = bootstrap(answers("NNV", "NNV"), BEATS, 50)
    assert np.isnan(found["recall_S"].value)
    assert np.isnan(found["macro_f1"].value)
    assert str(found["f1_S"]) == "–"


def test_who_always_says_the_same_has_a_balanced_accuracy_of_one_half() -> None:
    table = answers("NNNV", "NNNN").assign(
        label=["normal"] * 3 + ["abnormal"], prob_normal=1.0, prob_abnormal=0.0, task="window", unit="window"
    )
    found = bootstrap(table, WINDOWS, 50)
    assert (found["accuracy"].value, found["balanced_accuracy"].value) == (0.75, 0.5)
    assert found["recall_abnormal"].value == 0
    assert confusion(table, WINDOW_LABELS).loc["abnormal", "normal"] == 1


def test_what_cannot_be_scored_is_named() -> None:
    table = answers("NV", "NV")
    with pytest.raises(InputError, match="no answers"):
        bootstrap(table.iloc[:0], BEATS)
    with pytest.raises(InputError, match="answers twice in seed 1"):
        bootstrap(pd.concat([table, table]), BEATS)
    with pytest.raises(InputError, match="several models"):
        bootstrap(pd.concat([table, table.assign(model="other", unit_id=["x", "y"])]), BEATS)


def test_answers_to_beats_and_windows_keep_the_contract() -> None:
    table = answers("NV", "NV")
    assert len(checked(table, "predictions.csv", "made")) == 2
    with pytest.raises(TableError, match="task 'aami5' has the classes N, S, V, F, Q"):
        checked(table.assign(label="X"), "predictions.csv", "made")
    with pytest.raises(TableError, match="task 'aami5' needs prob_ of"):
        checked(table.drop(columns="prob_Q"), "predictions.csv", "made")


# --- what is known before any network ---------------------------------------------------------------------


def made_windows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "record": ["a"] * 4 + ["b"] * 4,
            "start_s": [0, 5, 10, 15] * 2,
            "beats_normal": [9, 9, 9, 0, 0, 0, 5, 0],
            "beats_abnormal": [0, 0, 0, 0, 9, 9, 5, 9],
            "decided": ["majority"] * 3 + ["no_beat"] + ["majority"] * 2 + ["tie", "majority"],
            "label": ["normal"] * 4 + ["abnormal", "abnormal", "normal", "abnormal"],
        }
    )


def made_records() -> pd.DataFrame:
    return pd.DataFrame(
        {"record": ["a", "b"], "part": ["ds1", "paced"], "windows": [4, 4], "windows_abnormal": [0, 3]}
    )


def test_floors_look_at_no_signal() -> None:
    every, unpaced = label_floors(made_windows(), made_records()).to_dict("records")
    assert (every["always_normal"], every["record_alone"], every["one_sided"]) == (5 / 8, 7 / 8, 1)
    assert (unpaced["records"], unpaced["always_normal"], unpaced["record_alone"]) == (1, 1, 1)


def test_odd_windows_are_those_of_the_rule() -> None:
    odd = odd_ones(made_windows(), made_records().assign(part="ds1"))
    assert odd["what"].tolist() == ["no beat", "a tie", "all beats abnormal"]
    assert odd["label"].tolist() == ["normal", "normal", "abnormal"]


def test_where_every_record_is_paced_none_is_of_abnormal_beats_alone() -> None:
    odd = odd_ones(made_windows(), made_records().assign(part="paced"))
    assert odd["what"].tolist() == ["no beat", "a tie"]


def test_a_tested_window_overlaps_with_its_neighbours_alone() -> None:
    table = made_windows().assign(part=["train", "test", "val", "val", "val", "val", "test", "val"])
    assert overlapping(table) == 0.5


def test_usual_beats_are_of_normal_beats_and_of_enough() -> None:
    beats = pd.DataFrame({"record": ["a"] * 30 + ["b"] * 5, "label": ["N"] * 25 + ["V"] * 5 + ["N"] * 5})
    contexts = np.zeros((35, 1, 4), np.float16)
    contexts[:25, 0, 1], contexts[25:30, 0, 1] = 1, 9
    usual = usual_beats(contexts, beats)
    assert list(usual) == ["a"]
    assert usual["a"].tolist() == [0, 1, 0, 0]


def test_rows_that_are_not_the_published_ones_are_named() -> None:
    assert not not_published(pd.Series(PUBLISHED))
    assert not_published(pd.Series(PUBLISHED | {"S": 2_781})) == ["S has 2781 rows and not 2779"]


def test_whoever_always_says_n_keeps_the_contract() -> None:
    tested = pd.DataFrame(
        {"beat_id": ["x", "y"], "group_id": ["p", "q"], "fold": [1, 1], "label": ["N", "V"]}
    )
    table = checked(always("N", tested, "cpu", 1), "predictions.csv", "always")
    assert bootstrap(table, BEATS, 50)["accuracy"].value == 0.5
