"""What networks get wrong: which pages, how often together, and of which kinds; on tables small enough to count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made import made_answers
from scipy.special import softmax

from leadwise.errors import InputError
from leadwise.names import CLASSES
from leadwise.scores import calibration, subgroups, wrong_answers
from leadwise.scores.draws import wilson
from leadwise.tables import checked

BINARY = CLASSES[:2]
LABELS = ["normal", "normal", "mi", "mi"]


def saying(words: list[str], sure: float = 0.7, labels: list[str] = LABELS) -> pd.DataFrame:
    """Answers for pages p0, p1 ... that name these classes, each with the probability `sure`."""
    frame = pd.DataFrame({"unit_id": [f"p{i}" for i in range(len(words))], "label": labels})
    for name in CLASSES:
        frame[f"prob_{name}"] = [sure if word == name else (1 - sure) / 3 for word in words]
    more = {"model": "made", "task": "four", "protocol": "grouped", "seed": 1, "fold": 1, "role": "test"}
    return frame.assign(unit="page", group_id=frame["unit_id"], **more)


ONE = saying(["normal", "mi", "mi", "normal"])
TWO = saying(["normal", "mi", "normal", "history_of_mi"], 0.4)


# --- by page --------------------------------------------------------------------------------


def test_each_page_says_who_answers_otherwise_and_the_worst_comes_first() -> None:
    table = wrong_answers.by_page({"one": ONE, "two": TWO}, CLASSES)
    assert table["page_id"].tolist() == ["p1", "p3", "p2", "p0"]
    assert table["p_label"].tolist() == pytest.approx([0.15, 0.15, 0.45, 0.55])
    assert table["p_lowest"].tolist() == pytest.approx([0.1, 0.1, 0.2, 0.4])
    assert table["wrong"].tolist() == [2, 2, 1, 0]
    assert table["called"].tolist() == ["mi", "normal", "normal", "normal"]
    assert table["agreeing"].tolist() == [2, 1, 1, 2]
    assert table["answer_two"].tolist() == ["mi", "history_of_mi", "normal", "normal"]


def test_only_one_and_the_same_wrong_answer_of_all_counts_as_agreement() -> None:
    table = wrong_answers.by_page({"one": ONE, "two": TWO}, CLASSES)
    assert wrong_answers.all_say_otherwise(table)["page_id"].tolist() == ["p1"]


def test_a_label_is_doubted_where_all_networks_that_never_saw_the_page_agree_against_it() -> None:
    """Three folds: page 0 of fold 1 and so on; a page's network of its own fold, and two inner ones."""
    says = {  # by page: the outer answer, then the inner ones for the two other folds
        "p0": ["mi", "mi", "mi"],
        "p1": ["mi", "mi", "normal"],
        "p2": ["mi", "mi", "mi"],
        "p3": ["normal", "history_of_mi", "normal"],
    }
    fold_of = {"p0": 1, "p1": 2, "p2": 3, "p3": 3}
    rows = []
    for number in range(3):
        own = saying([says[page][number] for page in says])
        fold = [fold_of[page] if number == 0 else (fold_of[page] + number - 1) % 3 + 1 for page in says]
        rows.append(own.assign(fold=fold, role="inner" if number else "test"))
    answers = pd.concat(rows).sample(frac=1, random_state=0)
    networks = wrong_answers.by_networks_that_never_saw_it(answers)
    assert len(networks) == 3
    assert networks["network_1"].set_index("unit_id")["prob_mi"].gt(0.5).to_dict() == {
        "p0": True, "p1": True, "p2": True, "p3": False,
    }  # fmt: skip
    table = wrong_answers.by_page(networks, CLASSES)
    assert wrong_answers.all_say_otherwise(table)["page_id"].tolist() == ["p0"]  # p2 is called as labelled
    assert table.set_index("page_id")["wrong"].to_dict() == {"p0": 3, "p1": 2, "p2": 0, "p3": 3}


def test_a_page_without_an_inner_answer_is_not_judged_by_fewer_networks() -> None:
    inner = TWO.iloc[:3].assign(role="inner", fold=2)
    with pytest.raises(InputError, match="different units"):
        wrong_answers.by_page(wrong_answers.by_networks_that_never_saw_it(pd.concat([ONE, inner])), CLASSES)


def test_the_order_of_rows_does_not_matter() -> None:
    shuffled = TWO.sample(frac=1, random_state=3)
    tables = [wrong_answers.by_page({"one": ONE, "two": two}, CLASSES) for two in (TWO, shuffled)]
    pd.testing.assert_frame_equal(*tables)


def test_answers_that_are_not_of_one_model_and_the_same_pages_are_refused() -> None:
    for answers, why in (
        ({}, "no network"),
        ({"one": ONE.iloc[:0]}, "no answers"),
        ({"one": pd.concat([ONE, TWO.assign(model="two")])}, "several models at once: made, two"),
        ({"one": pd.concat([ONE, ONE.assign(seed=2)])}, "several seeds"),
        ({"one": pd.concat([ONE, ONE])}, "unit p0 answers twice"),
        ({"one": ONE.assign(role="inner")}, "inner answers"),
        ({"one": ONE, "two": TWO.iloc[:3]}, r"answer for different units, labels or seeds \(3 and 4 rows\)"),
        ({"one": ONE, "two": TWO.assign(label="mi")}, "different units, labels"),
    ):
        with pytest.raises(InputError, match=why):
            wrong_answers.by_page(answers, CLASSES)


# --- together -------------------------------------------------------------------------------


def test_wrong_together_is_counted_from_none_to_all() -> None:
    counted = wrong_answers.wrong_together(wrong_answers.by_page({"one": ONE, "two": TWO}, CLASSES), draws=50)
    assert counted["wrong"].tolist() == [0, 1, 2]
    assert counted["pages"].tolist() == [1, 1, 2]
    assert counted["by_chance"].sum() == pytest.approx(4)


def test_networks_that_err_on_their_own_lie_within_what_chance_gives() -> None:
    alone = {f"n{i}": made_answers(400, rng_seed=0) for i in range(3)}
    labels = alone["n0"]["label"].to_numpy()
    rng = np.random.default_rng(5)
    for name, rows in alone.items():
        prob = rng.normal(size=(400, 4)) + 2 * (labels[:, None] == np.array(CLASSES))
        prob = np.exp(prob) / np.exp(prob).sum(axis=1, keepdims=True)
        alone[name] = rows.assign(**{f"prob_{one}": prob[:, k] for k, one in enumerate(CLASSES)})
    counted = wrong_answers.wrong_together(wrong_answers.by_page(alone, CLASSES), draws=500)
    assert counted["pages"].between(counted["low"] - 3, counted["high"] + 3).all()
    same = dict.fromkeys(("a", "b", "c"), alone["n0"])
    together = wrong_answers.wrong_together(wrong_answers.by_page(same, CLASSES), draws=500)
    assert together["pages"].iloc[3] > 2 * together["high"].iloc[3]
    assert together["pages"].iloc[1:3].tolist() == [0, 0]


def test_a_class_that_is_hard_for_all_explains_being_wrong_together() -> None:
    labels = ["normal"] * 50 + ["mi"] * 10
    hard = saying(
        ["normal"] * 60, labels=labels
    )  # each network misses every MI page: no choice of pages is left
    counted = wrong_answers.wrong_together(
        wrong_answers.by_page({"one": hard, "two": hard}, CLASSES), draws=50
    )
    assert counted["pages"].tolist() == [50, 0, 10]
    assert counted["by_chance"].tolist() == [50, 0, 10]
    assert counted["low"].tolist() == counted["high"].tolist() == [50, 0, 10]


# --- kinds of pages -------------------------------------------------------------------------

PAGES = pd.DataFrame(
    {
        "page_id": ["p0", "p1", "p2", "p3", "p4"],
        "sex": ["male", "female", None, "male", "male"],
        "recorded_at": [
            "2020-10-01T08:00:00", "2019-11-30T23:59:59", None, "2020-10-31T08:00:00", "2020-08-01T08:00:00",
        ],
        "heart_rate_bpm": pd.array([59, 90, pd.NA, 120, 121], dtype="Int64"),
    }
)  # fmt: skip
QUALITY = pd.DataFrame(
    {
        "page_id": ["p0", "p1", "p2", "p3"],
        "quality": [0.9799, 0.98, 0.99, 1.0],
        "einthoven_rms_mv": [0.001, 1 / 78.6, np.nan, 0.5 / 78.6],
    }
)


def test_bands_hold_their_lower_end_and_what_was_not_read_has_a_name() -> None:
    kinds = subgroups.kinds_of_pages(PAGES, QUALITY)
    lost = subgroups.NOT_KNOWN
    assert kinds.index.tolist() == PAGES["page_id"].tolist()
    assert kinds["rate"].tolist() == [
        "under 60 bpm", "60 to under 91 bpm", lost, "91 to under 121 bpm", "121 bpm or more",
    ]  # fmt: skip
    assert kinds["month"].tolist() == ["2020-10", "2019-11", lost, "2020-10", "2020-08"]
    assert kinds["sex"].tolist() == ["male", "female", lost, "male", "male"]
    assert kinds["quality"].tolist() == [
        "under 0.98",
        "0.98 to under 0.99",
        "0.99 or more",
        "0.99 or more",
        lost,
    ]
    assert kinds["triangle"].tolist()[2] == kinds["triangle"].tolist()[4] == lost
    assert kinds["month"].cat.categories.tolist() == ["2019-11", "2020-08", "2020-10", lost]


def test_pages_without_any_header_are_all_not_known() -> None:
    bare = PAGES.assign(sex=None, recorded_at=None, heart_rate_bpm=pd.array([pd.NA] * 5, dtype="Int64"))
    bare = bare.astype({"sex": "object", "recorded_at": "object"})
    kinds = subgroups.kinds_of_pages(bare, QUALITY)
    assert (kinds[["sex", "month", "rate"]] == subgroups.NOT_KNOWN).all(axis=None)


def test_right_answers_are_counted_by_class_and_kind_with_wilsons_interval() -> None:
    labels = ["normal"] * 12 + ["mi"] * 4
    answers = saying(["normal"] * 9 + ["mi"] * 7, labels=labels)
    pages = pd.DataFrame(
        {
            "page_id": answers["unit_id"],
            "sex": ["male"] * 15 + ["female"],
            "recorded_at": "2020-10-01T08:00:00",
            "heart_rate_bpm": pd.array([70] * 12 + [100] * 4, dtype="Int64"),
        }
    )
    read = pd.DataFrame({"page_id": answers["unit_id"], "quality": 1.0, "einthoven_rms_mv": 0.001})
    kinds = subgroups.kinds_of_pages(
        pages.iloc[:-1], read
    )  # the last page is in no table: a page of no known kind
    found = subgroups.counts(answers, kinds, CLASSES).set_index(["what", "group"])
    assert found.loc["class", ["right", "of"]].to_numpy().tolist() == [[9, 12], [4, 4]]
    assert found.loc["rate"].index.tolist() == [
        "60 to under 91 bpm",
        "91 to under 121 bpm",
        subgroups.NOT_KNOWN,
    ]
    slow = found.loc[("rate", "60 to under 91 bpm")]
    assert (slow["share"], slow["low"], slow["high"]) == pytest.approx(tuple(vars(wilson(9, 12)).values()))
    fast = found.loc[("rate", "91 to under 121 bpm")]
    assert (fast["right"], fast["of"]) == (3, 3)
    assert fast[["share", "low", "high"]].isna().all(), "three pages have a count and no share"
    assert found.loc[("month", "2020-10"), list(CLASSES)].tolist() == [12, 0, 0, 3]
    assert (found.groupby("what")["of"].sum() == 16).all(), "each page is counted once in each kind"


def test_groups_are_published_as_accuracies_with_their_intervals_and_small_ones_are_not() -> None:
    answers = saying(["normal"] * 9 + ["mi"] * 7, labels=["normal"] * 12 + ["mi"] * 4)
    pages = pd.DataFrame(
        {
            "page_id": answers["unit_id"],
            "sex": ["male"] * 12 + ["female"] * 4,
            "recorded_at": "2020-10-01T08:00:00",
            "heart_rate_bpm": pd.array([70] * 16, dtype="Int64"),
        }
    )
    read = pd.DataFrame({"page_id": answers["unit_id"], "quality": 1.0, "einthoven_rms_mv": 0.001})
    table = subgroups.counts(answers, subgroups.kinds_of_pages(pages, read), CLASSES)
    place = {"task": "four", "protocol": "grouped", "test_set": "mendeley", "model": "made", "unit": "page",
             "counted": "all", "average": "gross", "seeds": "1", "n": 16}  # fmt: skip
    rows = checked(subgroups.as_scores(table, **place), "scores.csv", "made").set_index("condition")
    assert (rows.loc["sex=male", "value"], rows.loc["sex=male", "n"]) == (0.75, 12)
    assert rows.loc["sex=male", "low"] == pytest.approx(wilson(9, 12).low)
    assert rows.loc["month=2020-10", "n"] == 16
    assert "sex=female" not in rows.index


def test_slow_abnormal_pages_are_told_apart_from_fast_ones() -> None:
    """Four at 90 bpm or less, of which one is found; six faster ones, all found."""
    labels = ["abnormal_heartbeat"] * 10 + ["normal"] * 5
    says = ["abnormal_heartbeat", "normal", "mi", "normal", *["abnormal_heartbeat"] * 6, *["normal"] * 5]
    answers = saying(says, labels=labels)
    rate = pd.array([50, 70, 90, 90, 91, 100, 120, 130, 140, 150, 60, 60, 60, 60, pd.NA], dtype="Int64")
    pages = pd.DataFrame({"page_id": answers["unit_id"], "heart_rate_bpm": rate})
    rows = subgroups.abnormal_by_rate(answers, pages, weights="random").set_index("counted")
    assert rows["metric"].unique().tolist() == ["recall_abnormal_heartbeat"]
    slow, fast = rows.loc["rate_up_to_90"], rows.loc["rate_above_90"]
    assert (slow["value"], slow["n"], fast["value"], fast["n"]) == (0.25, 4, 1.0, 6)
    assert slow["low"] < 0.25 < slow["high"]
    assert (fast["low"], fast["high"]) == pytest.approx((wilson(6, 6).low, 1))
    unread = pages.assign(heart_rate_bpm=pd.array([pd.NA] * 15, dtype="Int64"))
    assert subgroups.abnormal_by_rate(answers, unread).empty


def test_what_one_model_finds_of_slow_abnormal_pages_is_set_against_another_on_the_same_pages() -> None:
    labels = ["abnormal_heartbeat"] * 4 + ["normal"] * 2
    pages = pd.DataFrame({"heart_rate_bpm": pd.array([50, 70, 90, 120, 60, 60], dtype="Int64")})
    found = [*["abnormal_heartbeat"] * 4, "normal", "normal"]
    more, fewer = (saying(says, labels=labels) for says in (found, ["abnormal_heartbeat", *["normal"] * 5]))
    pages["page_id"] = more["unit_id"]
    fewer["model"] = "fewer"
    rows = subgroups.abnormal_by_rate_minus(more, fewer, pages).set_index("counted")
    assert rows["value"].to_dict() == pytest.approx({"rate_up_to_90": 2 / 3, "rate_above_90": 1.0})
    assert set(rows["minus"]) == {"fewer"}


def test_several_seeds_are_not_counted_as_more_pages() -> None:
    with pytest.raises(InputError, match="several seeds at once: 1, 2"):
        subgroups.counts(made_answers(seeds=(1, 2)), subgroups.kinds_of_pages(PAGES, QUALITY), CLASSES)


# --- calibrated where it was fitted ---------------------------------------------------------


def test_answers_stay_as_they_are_where_a_fold_has_no_calibration() -> None:
    answers = made_answers(50, BINARY)
    fitted = answers[["model", "task", "protocol", "seed", "fold"]].drop_duplicates().assign(temperature=2.0)
    tuned = calibration.apply_where_fitted(answers, fitted, BINARY)
    assert tuned["prob_normal"].to_numpy() == pytest.approx(
        softmax(np.log(answers[["prob_normal", "prob_abnormal_heartbeat"]].to_numpy()) / 2.0, axis=1)[:, 0]
    )
    assert calibration.apply_where_fitted(answers, fitted.iloc[1:], BINARY).equals(answers)
    assert calibration.apply_where_fitted(answers, fitted.iloc[:0], BINARY).equals(answers)
