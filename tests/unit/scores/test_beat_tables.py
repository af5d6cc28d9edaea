"""Floors, tables and pictures of beats and windows."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from leadwise.figures import beat_scores as figures_beat_scores
from leadwise.names import AAMI, RATIOS
from leadwise.scores import beat_tables, signal_floors
from leadwise.scores.beats import beat_scores, confusion
from leadwise.scores.draws import Interval


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


def test_a_table_tells_how_many_units_and_seeds_stand_behind_it(answers):
    scores = beat_tables.scored(answers, lambda rows: beat_scores(rows, draws=50))
    row = beat_tables.flat(scores, answers).iloc[0]
    assert (row["n"], row["seeds"], row["task"]) == (90, "1/2", "aami5")
    assert row["accuracy_low"] <= row["accuracy"] == 0.9 <= row["accuracy_high"]
    assert beat_tables.as_text(scores, ["accuracy", "recall_S"]).iloc[0]["Accuracy"].startswith("0.90 (")


def test_what_always_says_n_is_a_floor_and_so_is_how_early_a_beat_comes(answers):
    own = answers[answers["seed"] == 1]
    assert (signal_floors.majority(own)["prob_N"] == 1).all()
    early = {"N": 1.0, "S": 0.6, "V": 0.8}
    beats = pd.DataFrame({"beat_id": own["unit_id"], "label": own["label"], "part": "train"})
    for name in RATIOS:
        beats[name] = own["label"].map(early).to_numpy() if name == RATIOS[0] else 1.0
    told = signal_floors.ratios_alone(own, beats, beats)
    assert beat_scores(told, draws=50)["macro_f1"].value == 1.0
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
    told = signal_floors.record_alone(own, windows)
    assert told["prob_abnormal"].tolist() == [0, 0, 1, 1, 1]
    assert (signal_floors.majority(own)["prob_normal"] == 1).all()


def test_a_price_names_both_sides_and_the_floor(answers):
    leaky = answers.assign(
        protocol="leaky_beats", label=answers[[f"prob_{n}" for n in AAMI]].idxmax(axis=1).str[5:]
    )
    every = pd.concat([answers, leaky, *(signal_floors.majority(one) for one in (answers, leaky))])
    scores = beat_tables.scored(every, lambda rows: beat_scores(rows, draws=50))
    (row,) = beat_tables.prices(scores, "leaky_beats", "interpatient", ["accuracy"]).to_dict("records")
    assert (row["model"], row["leaky"], row["true"]) == ("ours", 1.0, 0.9)
    assert row["floor"] == pytest.approx(1 / 3)
    table = pd.DataFrame([row])
    assert figures_beat_scores.price_of_leak(table, "Beats").axes[0].get_title(loc="left") == "Accuracy"


def test_papers_are_quoted_with_their_source():
    told = beat_tables.printed()
    assert told["source"].notna().all()
    values = told[["recall", "ppv", "accuracy", "macro_f1"]].to_numpy()
    assert ((values > 0) & (values < 1) | np.isnan(values)).all()


def test_pictures_of_scores_and_of_a_matrix_can_be_drawn(answers):
    scores = {"ours": beat_scores(answers, draws=50), "none": {"macro_f1": Interval(*(float("nan"),) * 3)}}
    picture = figures_beat_scores.by_model(scores, ["macro_f1", "f1_S"], "By person")
    assert [ax.get_title(loc="left") for ax in picture.axes] == ["Macro F1 (N, S, V)", "F1 of S"]
    drawn = figures_beat_scores.matrix(confusion(answers), "ours")
    assert sum(text.get_text().count("%") for text in drawn.axes[0].texts) == 25


@pytest.fixture
def several(answers: pd.DataFrame) -> pd.DataFrame:
    """Ours in two seeds, a worse network in one, and the floor."""
    first = answers[answers["seed"] == 1]
    worse = first.assign(model="heartbeat_cnn")
    wrong = worse["unit_id"].str.startswith("101")
    worse.loc[wrong, [f"prob_{name}" for name in AAMI]] = [0.0, 0.0, 1.0, 0.0, 0.0]
    return pd.concat([answers.assign(model="beat_rhythm"), worse, signal_floors.majority(first)])


def test_each_network_is_compared_with_each_mark_and_floors_with_none(several):
    table = beat_tables.paired(several, ["majority", "beat_rhythm"], ["macro_f1"], draws=200)
    pairs = list(zip(table["model"], table["minus"], strict=True))
    assert pairs == [
        ("beat_rhythm", "majority"), ("heartbeat_cnn", "majority"), ("heartbeat_cnn", "beat_rhythm"),
    ]  # fmt: skip
    assert table["survives"].tolist() == [True, True, False]  # one record of three: chance may leave it out
    assert table["value"].iloc[2] < 0
    figures_beat_scores.differences(table, "Made").savefig(io.BytesIO())


def test_errors_are_counted_by_class_and_by_record(several):
    wrong = beat_tables.errors(several)
    assert list(wrong.columns) == ["class N", "class S", "class V", "record 100", "record 101", "record 102"]
    assert wrong.loc["majority", ["class N", "class S", "class V"]].tolist() == [0, 1, 1]
    assert wrong.loc["heartbeat_cnn", "record 101"] == pytest.approx(2 / 3)
    assert wrong.loc["beat_rhythm", "record 101"] == pytest.approx(0.1)
    figures_beat_scores.wrong_by(wrong, "Made").savefig(io.BytesIO())


def test_scores_by_person_as_published_and_as_printed_stand_beside_what_a_network_costs(several):
    both = pd.concat([several, several.assign(protocol="leaky_beats")])
    scores = beat_tables.scored(both, lambda rows: beat_scores(rows, draws=50))
    prices = beat_tables.prices(scores, "leaky_beats", "interpatient", ["accuracy"])
    costs = pd.DataFrame(
        {
            "model": ["heartbeat_cnn"],
            "parameters": [254_901],
            "epochs": [8],
            "s_per_epoch": [17.0],
            "ms_per_beat": [0.8],
        }
    )
    table = beat_tables.networks(prices, costs)
    told = table.set_index("model")
    assert list(told.index) == ["beat_rhythm", "heartbeat_cnn"]
    assert told.loc["heartbeat_cnn", "s_per_epoch"] == 17.0
    assert told.loc["heartbeat_cnn", "printed_accuracy"] == 0.9841
    assert np.isnan(told.loc["beat_rhythm", "printed_accuracy"])
    text = beat_tables.networks_as_text(table).set_index("network")
    assert text.loc["beat_rhythm", "Accuracy, by person"].startswith("0.90 (")
    assert text.loc["heartbeat_cnn", "seconds an epoch of DS1"] == 17.0
    figures_beat_scores.price_of_leak(prices, "Made").savefig(io.BytesIO())
