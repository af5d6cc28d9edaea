"""Scores, intervals and calibration: right by hand, by scikit-learn or by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made import made_answers
from sklearn import metrics as sk

from leadwise.errors import InputError
from leadwise.names import CLASSES
from leadwise.scores import calibration, draws, floors, metrics

BINARY = CLASSES[:2]
PAGES = draws.page_metrics(CLASSES)


# --- scores ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rounded", [False, True], ids=["no ties", "many ties"])
def test_four_class_scores_agree_with_scikit_learn(rounded):
    labels, prob = metrics.probabilities(made_answers(), CLASSES)
    if rounded:
        prob = np.round(prob, 1) + 0.01
        prob /= prob.sum(axis=1, keepdims=True)
    found = metrics.scores(labels, prob, CLASSES)
    answer, truth = prob.argmax(axis=1), np.eye(4)[labels]
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(labels, answer))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(labels, answer, average="macro"))
    assert found["macro_auroc"] == pytest.approx(sk.roc_auc_score(labels, prob, multi_class="ovr"))
    assert found["auprc"] == pytest.approx(sk.average_precision_score(truth, prob, average="macro"))
    assert found["log_loss"] == pytest.approx(sk.log_loss(labels, prob))
    assert found["brier"] == pytest.approx(((prob - truth) ** 2).sum(axis=1).mean())
    assert "auroc" not in found


def test_the_positive_class_of_two_is_the_abnormal_one():
    labels, prob = metrics.probabilities(made_answers(classes=BINARY), BINARY)
    found = metrics.scores(labels, prob, BINARY)
    assert found["auroc"] == pytest.approx(sk.roc_auc_score(labels, prob[:, 1]))
    assert found["auprc"] == pytest.approx(sk.average_precision_score(labels, prob[:, 1]))
    assert found["recall_abnormal_heartbeat"] == pytest.approx(sk.recall_score(labels, prob[:, 1] > 0.5))
    assert found["specificity_abnormal_heartbeat"] == pytest.approx(found["recall_normal"])


def test_a_class_without_pages_has_no_recall_and_raises_no_warning():
    found = metrics.scores(np.array([0, 3]), np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]]), CLASSES)
    assert found["accuracy"] == 1.0
    assert np.isnan(found["recall_history_of_mi"])
    assert np.isnan(found["macro_f1"])


def test_values_that_are_no_probabilities_are_refused():
    with pytest.raises(InputError, match="sum to 1"):
        metrics.scores(np.array([0]), np.array([[0.7, 0.7, 0.1, 0.1]]), CLASSES)


def test_only_test_answers_of_the_wanted_folds_are_selected():
    answers = made_answers(seeds=(1, 2))
    chosen = metrics.select_pages(answers, "four", [2], [1, 3])
    assert set(chosen["seed"]) == {2}
    assert set(chosen["fold"]) == {1, 3}
    with pytest.raises(InputError, match="no test answers for seed 3, fold 1"):
        metrics.select_pages(answers, "four", [3], [1])


def test_base_rates_know_the_training_pages_frequencies_alone():
    answers = made_answers(200)
    folds = answers[["protocol", "unit_id", "label", "seed", "fold"]]
    floor = floors.base_rates(answers[answers["fold"] != 1], folds, CLASSES)
    tested = floor[floor["fold"] == 2]
    trained_on = answers.loc[answers["fold"] != 2, "label"].value_counts(normalize=True)
    for name in CLASSES:
        assert tested[f"prob_{name}"].unique() == pytest.approx([trained_on[name]])
    assert metrics.scores(*metrics.probabilities(floor, CLASSES), CLASSES)["macro_auroc"] < 0.55


# --- intervals ------------------------------------------------------------------------------


def test_the_headline_is_the_mean_over_seeds():
    answers = made_answers(seeds=(1, 2, 3))
    found = draws.bootstrap(answers, PAGES, 50)
    by_seed = [
        metrics.scores(*metrics.probabilities(frame, CLASSES), CLASSES)["accuracy"]
        for _, frame in answers.groupby("seed")
    ]
    assert found["accuracy"].value == pytest.approx(np.mean(by_seed))


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    true = metrics.scores(*metrics.probabilities(made_answers(40_000), CLASSES), CLASSES)["accuracy"]
    covered = 0
    for repeat in range(60):
        found = draws.bootstrap(made_answers(200, rng_seed=repeat + 1), PAGES, 200)["accuracy"]
        covered += found.low <= true <= found.high
    assert covered >= 51  # 57 are expected; fewer than 51 of 60 happen once in 100 if the interval holds


def test_groups_are_drawn_and_not_pages():
    alike = pd.concat([made_answers(60)] * 4).assign(copy=np.repeat(range(4), 60))
    alike["unit_id"] = alike["unit_id"] + "-" + alike["copy"].astype(str)
    whole = draws.bootstrap(alike.drop(columns="copy"), PAGES, 400)["accuracy"]
    apart = alike.assign(group_id=alike["unit_id"]).drop(columns="copy")
    naive = draws.bootstrap(apart, PAGES, 400)["accuracy"]
    assert whole.high - whole.low > 1.5 * (naive.high - naive.low)


def test_a_model_does_not_differ_from_itself():
    answers = made_answers()
    difference = draws.paired(answers, answers, PAGES, ["accuracy", "macro_auroc"], 100)
    for interval in difference.values():
        assert (interval.value, interval.low, interval.high) == (0, 0, 0)


def test_a_better_model_differs_by_more_than_chance():
    better = made_answers(400, skill=3.0)
    worse = made_answers(400, skill=0.5).assign(label=better["label"])
    assert draws.paired(better, worse, PAGES, ["accuracy"], 200)["accuracy"].low > 0


def test_models_that_answered_for_other_pages_are_not_compared():
    answers = made_answers()
    with pytest.raises(InputError):
        draws.paired(answers, answers.iloc[:-1], PAGES, ["accuracy"], 10)


def test_each_draw_takes_as_many_groups_as_there_are_and_the_first_row_is_no_draw():
    names, counts = draws.weighings(["b", "a", "a", "c"], 50)
    assert names.tolist() == ["a", "b", "c"]
    assert counts[0].tolist() == [1, 1, 1]
    assert (counts.sum(axis=1) == 3).all()
    with pytest.raises(InputError, match="no answers"):
        draws.weighings([], 10)


def test_a_share_is_drawn_as_any_other_statistic():
    rng = np.random.default_rng(1)
    values, groups = rng.random(200), [f"g{k // 5}" for k in range(200)]
    fast = draws.bootstrap_share(values, groups)
    slow = draws.bootstrap_statistic(values, groups, lambda drawn: float(drawn.mean()))
    assert (fast.value, fast.low, fast.high) == pytest.approx((slow.value, slow.low, slow.high))
    assert np.isnan(draws.bootstrap_share(np.array([]), []).value)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"role": "inner"}, "inner answers"),
        ({"model": ["one", *["other"] * 119]}, "several models"),
        ({"protocol": ["grouped", *["distinct"] * 119]}, "several protocols"),
    ],
)
def test_answers_of_anybody_but_one_answerer_are_not_scored(change, what):
    with pytest.raises(InputError, match=what):
        draws.bootstrap(made_answers().assign(**change), PAGES, 10)


def test_what_a_comparison_can_show_is_2_8_of_its_standard_errors():
    step = 0.01  # of one that is as wide as 2 * 1.96 standard errors
    assert draws.detectable(draws.Interval(0.0, -1.96 * step, 1.96 * step)) == pytest.approx(
        2.8 * step, rel=2e-3
    )


def test_a_difference_of_that_size_is_found_four_times_of_five():
    rng = np.random.default_rng(0)
    answers = made_answers(300, classes=BINARY)
    right = {f"prob_{name}": (answers["label"] == name).astype(float) for name in BINARY}
    perfect = answers.assign(group_id=answers["unit_id"], **right)
    measure, found, sizes = draws.page_metrics(BINARY), 0, []
    for _ in range(40):
        one, other = (_with_errors(perfect, rng.random(300) < share) for share in (0.04, 0.1))
        gain = draws.paired(one, other, measure, ["accuracy"], 200)["accuracy"]
        sizes.append(draws.detectable(gain))
        found += gain.low > 0
    assert np.mean(sizes) == pytest.approx(0.1 - 0.04, rel=0.2)
    assert found / 40 == pytest.approx(0.8, abs=0.2)


def _with_errors(answers: pd.DataFrame, wrong: np.ndarray) -> pd.DataFrame:
    """These answers the other way round."""
    first, second = (answers[f"prob_{name}"] for name in BINARY)
    return answers.assign(
        **{
            f"prob_{BINARY[0]}": np.where(wrong, second, first),
            f"prob_{BINARY[1]}": np.where(wrong, first, second),
        }
    )


def test_wilsons_interval_of_26_of_30():
    found = draws.wilson(26, 30)  # 0.7032 to 0.9469, Newcombe's calculator
    assert (found.value, found.low, found.high) == pytest.approx((26 / 30, 0.7032, 0.9469), abs=5e-4)


def all_right(units: int, groups: int) -> pd.DataFrame:
    """Pages of two classes, all answered rightly, in so many groups."""
    rows = made_answers(units, classes=BINARY)
    right = {f"prob_{name}": (rows["label"] == name).astype(float) for name in BINARY}
    return rows.assign(group_id=[f"g{k % groups}" for k in range(units)], **right)


def test_a_perfect_score_on_105_pages_has_wilsons_interval_and_their_420_files_have_the_same():
    for units in (105, 420):
        found = draws.bootstrap(all_right(units, 105), draws.page_metrics(BINARY), 50)
        assert (found["accuracy"].value, found["accuracy"].high) == (1, 1)
        assert found["accuracy"].low == pytest.approx(0.965, abs=5e-4)
    told = draws.bootstrap_share(np.ones(420, bool), [f"g{k % 105}" for k in range(420)])
    assert told == found["accuracy"]


def test_a_perfect_sensitivity_rests_on_the_groups_of_its_class_and_a_mean_on_the_rarest():
    answers = all_right(40, 40)
    n_of = answers["label"].value_counts()
    found = draws.bootstrap(answers, draws.page_metrics(BINARY), 50)
    for name in BINARY:
        assert found[f"recall_{name}"] == found[f"ppv_{name}"] == draws.wilson(n_of[name], n_of[name])
    assert found["macro_f1"] == found["macro_auroc"] == draws.wilson(n_of.min(), n_of.min())
    flipped = answers.rename(columns={f"prob_{BINARY[k]}": f"prob_{BINARY[1 - k]}" for k in (0, 1)})
    assert draws.bootstrap(flipped, draws.page_metrics(BINARY), 50)["accuracy"] == draws.wilson(0, 40)


def test_a_score_that_is_not_perfect_keeps_the_interval_of_its_draws():
    answers = all_right(40, 40)
    answers.loc[0, ["prob_normal", "prob_abnormal_heartbeat"]] = 0.5, 0.5
    answers.loc[0, "label"] = "abnormal_heartbeat"
    found = draws.bootstrap(answers, draws.page_metrics(BINARY), 400)
    assert found["accuracy"].low < 39 / 40 == found["accuracy"].value
    assert found["recall_normal"].low < 1 == found["recall_normal"].value


# --- seeds ----------------------------------------------------------------------------------


def one_lucky_seed() -> pd.DataFrame:
    """Three trainings on the same pages, of which one is far better."""
    skills = {1: 0.2, 2: 0.2, 3: 6.0}
    return pd.concat(made_answers(400, skill=skill).assign(seed=seed) for seed, skill in skills.items())


def test_where_seeds_are_drawn_the_interval_tells_what_other_trainings_would_give():
    answers = one_lucky_seed()
    given, drawn = (
        draws.bootstrap(answers, PAGES, 1000, draw_seeds=seeds)["accuracy"] for seeds in (False, True)
    )
    assert given.value == drawn.value
    by_seed = [
        metrics.scores(*metrics.probabilities(own, CLASSES), CLASSES)["accuracy"]
        for _, own in answers.groupby("seed")
    ]
    between = np.std(by_seed) / np.sqrt(3)  # of the mean of three that are drawn from these three
    width = np.hypot(given.high - given.low, 2 * 1.96 * between)
    assert drawn.high - drawn.low == pytest.approx(width, rel=0.25)


def test_one_seed_can_be_drawn_in_one_way_alone():
    answers = made_answers(100)
    assert draws.bootstrap(answers, PAGES, 50) == draws.bootstrap(answers, PAGES, 50, draw_seeds=True)


def test_models_of_the_same_seeds_are_compared_on_the_same_seeds():
    answers = one_lucky_seed()
    better = answers.assign(model="better")
    alike = draws.paired(better, answers, PAGES, ["accuracy"], 100, draw_seeds=True)["accuracy"]
    assert (alike.low, alike.high) == (0, 0)
    one = answers[answers["seed"] == 3]
    apart = draws.paired(one, answers, PAGES, ["accuracy"], 400, own_seeds=True, draw_seeds=True)["accuracy"]
    fixed = draws.paired(one, answers, PAGES, ["accuracy"], 400, own_seeds=True)["accuracy"]
    assert apart.high - apart.low > 2 * (fixed.high - fixed.low)


# --- calibration ----------------------------------------------------------------------------


def overconfident(n: int, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from a model's true probabilities, and the same model with logits times `factor`."""
    rng = np.random.default_rng(3)
    logits = rng.normal(scale=1.5, size=(n, 4))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(4, p=row) for row in true])
    loud = np.exp(logits * factor)
    return loud / loud.sum(axis=1, keepdims=True), labels


def test_the_temperature_of_an_overconfident_model_is_found():
    prob, labels = overconfident(6000, factor=2.5)
    fitted = calibration.fit_calibration(prob, labels, CLASSES, bias=False)
    assert fitted == {"temperature": pytest.approx(2.5, rel=0.08)}


def test_a_calibrated_model_lies_within_its_floor_and_an_overconfident_one_does_not():
    for factor, within in ((1.0, True), (2.5, False)):
        prob, labels = overconfident(2000, factor)
        floor = calibration.ece_floor(prob)
        error = calibration.expected_calibration_error(prob, labels)
        assert (floor.low <= error <= floor.high) == within


def test_each_fold_gets_its_own_temperature():
    answers = made_answers()
    fitted = pd.DataFrame(
        {
            "model": "made",
            "task": "four",
            "protocol": "grouped",
            "seed": 1,
            "fold": range(1, 6),
            "temperature": [1, 1, 1, 1, 9.0],
        }
    )
    tempered = calibration.apply_by_fold(answers, fitted, CLASSES)
    last = answers["fold"] == 5
    pd.testing.assert_frame_equal(tempered[~last], answers[~last])
    assert (tempered.loc[last, "prob_normal"] - 0.25).abs().max() < (
        answers.loc[last, "prob_normal"] - 0.25
    ).abs().max()
    with pytest.raises(InputError, match="no temperature"):
        calibration.apply_by_fold(answers, fitted.iloc[:4], CLASSES)
