"""Net benefit: by hand, on the known cases of treating all and none, and refused where it has no meaning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made import made_answers

from leadwise.errors import InputError
from leadwise.names import CLASSES
from leadwise.scores import benefit
from leadwise.scores.benefit import ALL, NONE

BINARY = CLASSES[:2]


def told(prob: list[float], labels: list[int], seed: int = 1) -> pd.DataFrame:
    """Answers for pages with these probabilities of the second class and these labels, each page a group."""
    frame = pd.DataFrame(
        {"unit_id": [f"p{i}" for i in range(len(prob))], "label": [BINARY[k] for k in labels]}
    )
    frame["group_id"] = frame["unit_id"]
    frame["prob_abnormal_heartbeat"] = prob
    frame["prob_normal"] = 1 - frame["prob_abnormal_heartbeat"]
    return frame.assign(
        unit="page", model="made", task="binary", protocol="grouped", seed=seed, fold=1, role="test"
    )


FIVE = told([0.9, 0.6, 0.3, 0.7, 0.1], [1, 1, 1, 0, 0])


def values(answers: pd.DataFrame, thresholds: list[float], prevalence: float | None = None) -> pd.DataFrame:
    table = benefit.net_benefit({"made": answers}, BINARY, thresholds, prevalence, draws=50)
    return table.pivot_table(index="threshold", columns="model", values="net_benefit", dropna=False)


def test_five_pages_by_hand() -> None:
    found = values(FIVE, [0.2, 0.5, 0.8])
    assert found["made"].tolist() == pytest.approx([3 / 5 - 1 / 5 / 4, 2 / 5 - 1 / 5, 1 / 5])
    assert found[ALL].tolist() == pytest.approx([3 / 5 - 2 / 5 / 4, 3 / 5 - 2 / 5, 3 / 5 - 2 / 5 * 4])
    assert found[NONE].tolist() == [0, 0, 0]


def test_a_probability_equal_to_the_threshold_is_acted_on() -> None:
    assert values(FIVE, [0.7])["made"].tolist() == pytest.approx([1 / 5 - 1 / 5 * 7 / 3])
    assert values(FIVE, [0.7001])["made"].tolist() == pytest.approx([1 / 5])


def test_a_constant_answer_treats_all_below_it_and_none_above() -> None:
    found = values(told([0.4] * 6, [1, 0, 0, 1, 0, 0]), [0.1, 0.4, 0.41, 0.9])
    assert found["made"].tolist() == pytest.approx([*found[ALL].tolist()[:2], 0, 0])
    assert found[ALL].iloc[0] > 0


def test_a_perfect_model_has_the_prevalence_at_every_threshold() -> None:
    found = values(told([1.0, 1.0, 0.0, 0.0, 0.0], [1, 1, 0, 0, 0]), [0.01, 0.5, 0.99])
    assert found["made"].tolist() == pytest.approx([0.4] * 3)
    at_a_tenth = values(told([1.0, 1.0, 0.0, 0.0, 0.0], [1, 1, 0, 0, 0]), [0.01, 0.5, 0.99], 0.1)
    assert at_a_tenth["made"].tolist() == pytest.approx([0.1] * 3)


def test_treating_all_is_worth_nothing_at_the_prevalence() -> None:
    assert values(FIVE, [0.6])[ALL].tolist() == pytest.approx([0])
    assert values(FIVE, [0.25], 0.25)[ALL].tolist() == pytest.approx([0])


def test_another_prevalence_moves_probabilities_and_counts_by_hand() -> None:
    """From 3 in 5 to 1 in 4 the odds shrink by (1/3) / (3/2) = 2/9: 0.9 becomes 2/3, 0.7 becomes 14/41, 0.6 1/4."""
    moved = benefit.at_prevalence(np.array([0.9, 0.7, 0.6, 0.0, 1.0]), 3 / 5, 1 / 4)
    assert moved == pytest.approx([2 / 3, 14 / 41, 1 / 4, 0, 1])
    found = values(FIVE, [0.3, 0.5], 0.25)["made"]
    assert found.tolist() == pytest.approx([0.25 / 3 - 0.75 / 2 * 3 / 7, 0.25 / 3])


def test_the_same_prevalence_changes_nothing() -> None:
    answers = made_answers(100, BINARY)
    share = float((answers["label"] == BINARY[1]).mean())
    both = [values(answers, [0.31, 0.5, 0.77], prevalence)["made"] for prevalence in (None, share)]
    assert both[0].tolist() == pytest.approx(both[1].tolist())


@pytest.mark.parametrize("label", [0, 1])
def test_a_class_without_pages(label: int) -> None:
    one_sided = told([0.9, 0.8, 0.1], [label] * 3)
    assert values(one_sided, [0.5])["made"].tolist() == pytest.approx([2 / 3 if label else -2 / 3])
    table = benefit.net_benefit({"made": one_sided}, BINARY, [0.5], 0.3, draws=50)
    assert np.isnan(benefit.at(table, "made", 0.5).value)


def test_the_value_is_the_mean_over_seeds() -> None:
    worse = told([0.1, 0.1, 0.1, 0.9, 0.9], [1, 1, 1, 0, 0], seed=2)
    assert values(pd.concat([FIVE, worse]), [0.5])["made"].tolist() == pytest.approx([(1 / 5 - 2 / 5) / 2])


def test_a_model_has_nothing_over_itself_and_pairs_are_closer_than_their_ends() -> None:
    answers = made_answers(300, BINARY)
    near = answers.assign(prob_abnormal_heartbeat=answers["prob_abnormal_heartbeat"].clip(0.02, 0.98))
    near["prob_normal"] = 1 - near["prob_abnormal_heartbeat"]
    table = benefit.net_benefit({"one": answers, "two": near}, BINARY, [0.5], over=["one", ALL], draws=200)
    same = benefit.at(table, "two", 0.5, "over_one")
    assert (same.value, same.low, same.high) == (0, 0, 0)
    alone, paired = (benefit.at(table, "two", 0.5, what) for what in ("net_benefit", "over_treat_all"))
    assert paired.value == pytest.approx(alone.value - benefit.at(table, ALL, 0.5).value)
    assert paired.low > 0


def test_groups_are_drawn_and_not_pages() -> None:
    answers = made_answers(200, BINARY)
    copies = pd.concat([answers.assign(unit_id=answers["unit_id"] + f"copy{i}") for i in range(4)])
    ends = [
        benefit.at(benefit.net_benefit({"made": rows}, BINARY, [0.5], draws=1000), "made", 0.5)
        for rows in (answers, copies)
    ]
    assert ends[0].value == pytest.approx(ends[1].value)
    assert ends[0].high - ends[0].low == pytest.approx(ends[1].high - ends[1].low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    everyone = made_answers(40_000, BINARY, rng_seed=1)
    truth = benefit.net_benefit({"made": everyone}, BINARY, [0.4], draws=2)
    truth_at = benefit.at(truth, "made", 0.4).value
    covered = 0
    for number in range(60):
        some = made_answers(160, BINARY, rng_seed=100 + number)
        one = benefit.at(benefit.net_benefit({"made": some}, BINARY, [0.4], draws=300), "made", 0.4)
        covered += one.low <= truth_at <= one.high
    assert covered >= 51  # 57 are expected


def test_a_table_for_people_counts_in_pages_of_a_hundred() -> None:
    tables = [
        benefit.net_benefit({"made": FIVE}, BINARY, [0.1, 0.2, 0.5], share, draws=50) for share in (None, 0.1)
    ]
    told = benefit.as_text(pd.concat(tables))
    assert told.columns.tolist() == ["10%", "50%"]
    assert told.index.tolist() == [(share, name) for share in ("60%", "10%") for name in ("made", ALL, NONE)]
    assert told.loc[("60%", "made"), "50%"].startswith("20.0 (")
    assert told.loc[("10%", NONE), "10%"] == "0.0 (0.0 to 0.0)"


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, 1.2, float("nan")])
def test_a_threshold_at_or_beyond_an_end_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        benefit.net_benefit({"made": FIVE}, BINARY, [0.5, threshold])


def test_what_has_no_meaning_is_refused() -> None:
    other = FIVE.assign(unit_id=FIVE["unit_id"] + "x")
    mixed = pd.concat([FIVE, other.assign(model="another")])
    twice = pd.concat([FIVE, FIVE])
    for answers, classes, more, why in (
        ({}, BINARY, {}, "no answers"),
        ({"made": FIVE.iloc[:0]}, BINARY, {}, "no answers"),
        ({"made": FIVE}, CLASSES, {}, "4 classes"),
        ({"made": FIVE}, BINARY, {"prevalence": 1.0}, "prevalence 1"),
        ({"made": FIVE}, BINARY, {"over": ["rate"]}, "no model 'rate'"),
        ({"made": FIVE.assign(role="inner")}, BINARY, {}, "inner answers"),
        ({"made": mixed}, BINARY, {}, "several models at once: made, another"),
        ({"made": twice}, BINARY, {}, "answers twice"),
        (
            {"made": FIVE, "other": other.assign(model="other")},
            BINARY,
            {},
            r"other \(grouped\) and made \(grouped\)",
        ),
        ({ALL: FIVE}, BINARY, {}, "no name for a model"),
    ):
        with pytest.raises(InputError, match=why):
            benefit.net_benefit(answers, classes, [0.5], draws=10, **more)
    with pytest.raises(InputError, match="no threshold"):
        benefit.net_benefit({"made": FIVE}, BINARY, [])
