"""Floors of beats and windows, who is wrong on what, and what papers print."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made import made_answers

from leadwise.errors import InputError
from leadwise.names import AAMI, CLASSES, RATIOS
from leadwise.scores import floors
from leadwise.scores.beats import BEATS, wrong_by
from leadwise.scores.draws import bootstrap, of_shared_seeds, page_metrics
from leadwise.scores.printed import printed
from leadwise.scores.table import compared, scored


@pytest.fixture
def answers() -> pd.DataFrame:
    """Three people, thirty beats each, in two seeds; the model is right but for every tenth."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in (1, 2):
        for number in range(90):
            label = AAMI[number % 3]
            called = AAMI[(number + (number % 10 == 0)) % 3]
            prob = {f"prob_{name}": 0.9 if name == called else 0.025 for name in AAMI}
            rows.append({"unit": "beat", "unit_id": f"10{number // 30}-{number:07d}", "group_id": f"p{number // 30}",
                         "model": "ours", "profile": "tests", "task": "aami5", "protocol": "interpatient",
                         "seed": seed, "fold": 1, "role": "test", "held_out": None, "label": label,
                         **prob})  # fmt: skip
    return pd.DataFrame(rows).sample(frac=1, random_state=int(rng.integers(9)))


def test_what_always_says_n_is_a_floor_and_so_is_how_early_a_beat_comes(answers):
    own = answers[answers["seed"] == 1]
    assert (floors.always_normal(own)["prob_N"] == 1).all()
    early = {"N": 1.0, "S": 0.6, "V": 0.8}
    beats = pd.DataFrame({"beat_id": own["unit_id"], "label": own["label"], "part": "train"})
    for name in RATIOS:
        beats[name] = own["label"].map(early).to_numpy() if name == RATIOS[0] else 1.0
    told = floors.ratios_alone(own, beats, beats)
    assert bootstrap(told, BEATS, 50)["macro_f1"].value == 1.0
    assert (told[["prob_F", "prob_Q"]] == 0).all(axis=None)


def test_knowing_the_record_calls_all_its_windows_alike():
    windows = pd.DataFrame(
        {
            "window_id": list("abcde"),
            "record": list("xxxyy"),
            "label": ["abnormal", "abnormal", "normal", *["normal"] * 2],
        }
    )
    own = pd.DataFrame({"task": "window", "unit_id": list("edcba"), "prob_normal": 0.5, "prob_abnormal": 0.5})
    told = floors.record_alone(own, windows)
    assert told["prob_abnormal"].tolist() == [0, 0, 1, 1, 1]
    assert (floors.always_normal(own)["prob_normal"] == 1).all()


# --- what chooses on inner folds -------------------------------------------------------------


PAGES = page_metrics(CLASSES)


def of_pages(answers: pd.DataFrame, noise: float) -> np.ndarray:
    """Four numbers a page that tell its class, and noise."""
    truth = np.eye(4)[answers["label"].map(CLASSES.index)]
    return truth + np.random.default_rng(1).normal(scale=noise, size=truth.shape)


def test_where_most_numbers_are_noise_inner_folds_prefer_more_regularisation():
    answers = made_answers(150)
    noise = np.random.default_rng(2).normal(size=(150, 30))
    plenty = np.concatenate([of_pages(answers, 0.6), noise], axis=1)
    ids = answers["unit_id"]
    chosen = floors.linear(answers, plenty, ids, model="strip_features")
    free = floors.linear(answers, plenty, ids, model="strip_features", strengths=(10.0,))
    assert set(chosen.chosen["chosen"]) <= {f"logistic regression, C = {c:g}" for c in (0.01, 0.1)}
    losses = [bootstrap(one.answers, PAGES, 0)["log_loss"].value for one in (chosen, free)]
    assert losses[0] < losses[1]
    assert free.chosen.empty


def test_a_tested_fold_has_no_part_in_what_is_chosen_for_it():
    answers = made_answers(150)
    numbers, tested = of_pages(answers, 0.5), answers["fold"] == 1
    lying = answers.assign(label=answers["label"].where(~tested, CLASSES[0]))
    ids = answers["unit_id"]
    true, false = (floors.linear(of, numbers, ids, model="strip_features") for of in (answers, lying))
    prob = [f"prob_{name}" for name in CLASSES]
    assert np.array_equal(true.answers.loc[tested, prob], false.answers.loc[tested, prob])
    first = [one.chosen.query("fold == 1")["log_loss"].item() for one in (true, false)]
    assert first[0] == first[1]
    others = [one.chosen.query("fold != 1")["log_loss"].tolist() for one in (true, false)]
    assert others[0] != others[1]


def test_the_classical_model_looks_at_beats_where_they_tell_more_than_numbers():
    answers = made_answers(150)
    beats = np.zeros((150, 12, 6))
    beats[:, :4] = of_pages(answers, 0.2)[:, :, None] * np.hanning(6)
    nothing = np.random.default_rng(3).normal(size=(150, 3))
    fitted = floors.tuned_classical(answers, nothing, beats, answers["unit_id"])
    assert fitted.chosen["chosen"].str.contains("beats").all()
    assert fitted.chosen["fold"].tolist() == [1, 2, 3, 4, 5]
    told = bootstrap(fitted.answers, PAGES, 50)
    assert told["accuracy"].value > 0.9
    assert set(fitted.answers["model"]) == {"tuned_classical"}


def test_support_vectors_are_taken_where_no_line_divides_the_classes():
    answers = made_answers(200, classes=CLASSES[:2])
    far = np.where(answers["label"] == CLASSES[1], 2.0, 0.5)
    angle = np.random.default_rng(4).uniform(0, 2 * np.pi, 200)
    ring = np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1)
    beats = np.random.default_rng(5).normal(scale=1e-3, size=(200, 12, 4))
    fitted = floors.tuned_classical(answers, ring, beats, answers["unit_id"])
    assert fitted.chosen["chosen"].str.contains("support vectors").all()
    assert bootstrap(fitted.answers, page_metrics(CLASSES[:2]), 0)["accuracy"].value > 0.95


def test_two_folds_leave_no_inner_one_to_choose_on():
    answers = made_answers(60).query("fold <= 2")
    with pytest.raises(InputError, match="three at least"):
        floors.linear(answers, np.zeros((60, 1)), answers["unit_id"], model="rate")


@pytest.mark.parametrize("of", ["beats", "transfer"])
def test_papers_are_quoted_with_their_source(of):
    told = printed(of)
    assert told["source"].notna().all()
    values = told.select_dtypes("number").to_numpy()
    assert ((values > 0) & (values < 1) | np.isnan(values)).all()


def test_papers_are_beside_ours_with_what_they_print_and_no_more():
    told = (
        printed("beats")
        .query("protocol == 'interpatient'")
        .dropna(subset="class")
        .set_index(["work", "class"])
    )
    for work in ("de Chazal 2004", "Mar 2011", "Ye 2012", "Alvarado 2012", "Zhang 2014"):
        assert told.loc[work, ["recall", "ppv"]].notna().all(axis=None)
    assert told.loc["Farag 2023", "ppv"].isna().all()


@pytest.fixture
def several(answers: pd.DataFrame) -> pd.DataFrame:
    """Ours in two seeds, a worse network in one, and the floor."""
    first = answers[answers["seed"] == 1]
    worse = first.assign(model="heartbeat_cnn")
    wrong = worse["unit_id"].str.startswith("101")
    worse.loc[wrong, [f"prob_{name}" for name in AAMI]] = [0.0, 0.0, 1.0, 0.0, 0.0]
    return pd.concat([answers.assign(model="beat_rhythm"), worse, floors.always_normal(first)])


def test_networks_of_other_seeds_are_compared_over_their_own(several):
    ours, worse = (several[several["model"] == name] for name in ("beat_rhythm", "heartbeat_cnn"))
    told = compared(worse, ours, BEATS, ["macro_f1"], 200, own_seeds=True).iloc[0]
    assert (told["model"], told["minus"], told["seeds"]) == ("heartbeat_cnn", "beat_rhythm", "1")
    assert told["value"] < 0 <= told["high"]  # one record of three: chance may leave it out


def test_as_many_trainings_of_one_are_compared_as_of_the_other(several):
    ours, worse = (several[several["model"] == name] for name in ("beat_rhythm", "heartbeat_cnn"))
    assert ours["seed"].nunique() == 2
    mine, other = of_shared_seeds(ours, worse)
    assert set(mine["seed"]) == set(other["seed"]) == {1}
    told = compared(mine, other, BEATS, ["macro_f1"], 200)
    assert (told["seeds"] == "1").all()
    with pytest.raises(InputError, match="no seed in common"):
        of_shared_seeds(ours[ours["seed"] == 2], worse)


def test_age_alone_is_fitted_on_the_other_folds_and_knows_no_beat():
    beats = pd.DataFrame(
        {"beat_id": [f"b{n}" for n in range(40)], "age": [70.0, 30.0] * 20, "fold": np.arange(40) // 8 + 1}
    )
    beats.loc[:1, "age"] = np.nan
    label = np.where(np.arange(40) % 2, "normal", "other")
    asked = beats.rename(columns={"beat_id": "unit_id"}).assign(
        task="normal", protocol="patient_folds", seed=1, label=label
    )
    told = floors.age_alone(asked, beats)
    assert set(told["model"]) == {"age_alone"}
    known = told[told["age"].notna()]
    assert ((known["prob_other"] > 0.5) == (known["label"] == "other")).all()
    assert told["prob_other"][:2].nunique() == 1, "whose age is not known is as old as the median"


def test_of_networks_for_beats_seeds_are_drawn_as_well_as_people(answers):
    classes = [f"prob_{name}" for name in AAMI]
    answers.loc[answers["seed"] == 2, classes] = [0.0, 0.0, 0.0, 0.0, 1.0]  # always wrong
    row = scored(answers, BEATS, ["accuracy"], 400).iloc[0]
    assert (row["low"], row["value"]) == (
        0,
        pytest.approx(0.45),
    )  # both draws are of the bad seed, now and then
    assert row["high"] == pytest.approx(0.9)


def test_errors_are_counted_by_class_and_by_record(several):
    wrong = wrong_by(several)
    assert list(wrong.columns) == ["class N", "class S", "class V", "record 100", "record 101", "record 102"]
    assert wrong.loc["always_normal", ["class N", "class S", "class V"]].tolist() == [0, 1, 1]
    assert wrong.loc["heartbeat_cnn", "record 101"] == pytest.approx(2 / 3)
    assert wrong.loc["beat_rhythm", "record 101"] == pytest.approx(0.1)
