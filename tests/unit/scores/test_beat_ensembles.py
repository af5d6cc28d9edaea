"""Networks are joined by what nobody learned from, and whoever cannot be a member is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from leadwise.errors import InputError, LeakError
from leadwise.names import AAMI
from leadwise.scores import beat_ensembles
from leadwise.scores.beat_ensembles import constant, joined, members, ranked
from leadwise.scores.beats import BEATS
from leadwise.scores.draws import bootstrap, paired
from leadwise.scores.table import score_of, selected
from leadwise.tables import checked

PARTS = {"train": ["101", "106", "108"], "val": ["109", "112"], "test": ["100", "103", "105", "111"]}
EACH = 60


@pytest.fixture
def found() -> pd.DataFrame:
    """Beats of nine records, placed: three records train, two are held out, four are tested."""
    rows = [
        (f"{record}-{n:07d}", f"record-{record}", part, AAMI[n % 3])
        for part, records in PARTS.items()
        for record in records
        for n in range(EACH)
    ]
    return pd.DataFrame(rows, columns=["beat_id", "group_id", "part", "label"])


def answered(found: pd.DataFrame, model: str, right: dict[str, float], seed: int = 0) -> pd.DataFrame:
    """Answers to held-out and tested beats, right as often as is said for each part."""
    rng = np.random.default_rng(seed)
    rows = found[found["part"].isin(list(right))]
    labels = rows["label"].map(AAMI.index).to_numpy()
    lucky = rng.random(len(rows)) < rows["part"].map(right).to_numpy()
    called = np.where(lucky, labels, (labels + rng.integers(1, 3, len(rows))) % 3)
    prob = np.full((len(rows), 5), 0.05)
    prob[np.arange(len(rows)), called] = 0.8
    return rows.rename(columns={"beat_id": "unit_id", "part": "role"}).assign(
        unit="beat", model=model, profile="tests", task="aami5", protocol="interpatient_held_out", seed=1, fold=1,
        held_out=None, **{f"prob_{name}": prob[:, k] for k, name in enumerate(AAMI)},
    )  # fmt: skip


@pytest.fixture
def answers(found: pd.DataFrame) -> pd.DataFrame:
    """`steady` is better where nobody was trained, `lucky` on the test set, `poor` nowhere."""
    shares = {"lucky": (0.6, 0.95), "steady": (0.9, 0.85), "poor": (0.4, 0.4)}
    return pd.concat(
        [
            answered(found, name, {"val": val, "test": test}, number)
            for number, (name, (val, test)) in enumerate(shares.items())
        ],
        ignore_index=True,
    )


NAMES = ["lucky", "steady", "poor"]


def test_members_are_ranked_where_nobody_was_trained(answers, found):
    given = members(answers, NAMES, found, "interpatient_held_out")
    assert ranked(given.val) == ["steady", "lucky", "poor"]
    assert ranked(given.test) == ["lucky", "steady", "poor"]


def test_the_regression_never_sees_rows_its_members_were_trained_on(answers, found, monkeypatch):
    """What it is fitted on are the held-out beats, all of them and no other: neither training nor tested ones."""
    seen = []
    fit = LogisticRegression.fit

    def noted(self, told, labels):
        seen.append((told, labels))
        return fit(self, told, labels)

    monkeypatch.setattr(LogisticRegression, "fit", noted)
    given = members(answers, NAMES, found, "interpatient_held_out")
    joined("logistic", given, NAMES)
    ((told, labels),) = seen
    held_out = found[found["part"] == "val"].sort_values("beat_id")
    assert labels.tolist() == held_out["label"].tolist()
    own = answers[(answers["model"] == "lucky") & (answers["role"] == "val")].sort_values("unit_id")
    np.testing.assert_array_equal(told[:, :5], own[[f"prob_{name}" for name in AAMI]].to_numpy())


def test_answers_to_training_beats_are_refused_as_what_to_learn_from(found):
    own = {"train": 1.0, "val": 0.9, "test": 0.9}
    table = pd.concat([answered(found, name, own) for name in NAMES], ignore_index=True)
    as_published = table.assign(role=table["role"].replace({"train": "val"}))
    with pytest.raises(LeakError, match=r"lucky .* 180 of the 300 .* trained on"):
        members(as_published, NAMES, found, "interpatient_held_out")


def test_a_member_without_answers_is_named(answers, found):
    lacking = answers[~((answers["model"] == "poor") & (answers["role"] == "val"))]
    with pytest.raises(
        InputError, match=r"poor under interpatient_held_out has no answers to the part 'val'"
    ):
        members(lacking, NAMES, found, "interpatient_held_out")
    with pytest.raises(InputError, match="two networks at least"):
        members(answers, ["poor"], found, "interpatient_held_out")


@pytest.mark.parametrize("change", ["fewer", "others", "labels", "twice"])
def test_a_member_that_answers_for_other_beats_is_named(answers, found, change):
    own = (answers["model"] == "steady") & (answers["role"] == "test")
    row = answers[own].index[7]
    changed = answers.copy()
    if change == "fewer":
        changed = changed.drop(index=row)
    elif change == "others":
        changed.loc[row, "unit_id"] = "999-0000000"
    elif change == "labels":
        changed.loc[row, "label"] = "F"
    else:
        changed = pd.concat([changed, changed.loc[[row]]])
    why = {"fewer": "[0-9-]+ for one", "others": "[0-9-]+ for one"}.get(change, "labels or repeats differ")
    with pytest.raises(InputError, match=rf"steady .* other beats than the part 'test' .*\({why}\)"):
        members(changed, NAMES, found, "interpatient_held_out")


def test_a_mean_a_vote_and_a_tie_are_what_they_are_called(answers, found):
    given = members(answers, NAMES, found, "interpatient_held_out")
    columns = [f"prob_{name}" for name in AAMI]
    every = np.stack([given.test[name][columns].to_numpy() for name in NAMES])
    np.testing.assert_allclose(joined("mean", given, NAMES)[columns], every.mean(axis=0))
    called = every.argmax(axis=2)
    vote = joined("vote", given, NAMES)[columns].to_numpy()
    two_agree = (called[0] == called[1]) | (called[0] == called[2]) | (called[1] == called[2])
    often = np.array([np.bincount(one, minlength=5).argmax() for one in called.T])
    assert (vote.argmax(axis=1) == often)[two_agree].all()
    np.testing.assert_allclose(vote.sum(axis=1), 1)
    given.test["lucky"][columns] = [0.1, 0.1, 0.7, 0.05, 0.05]  # one says V surely, the other N just so
    given.test["steady"][columns] = [0.4, 0.3, 0.3, 0.0, 0.0]
    tie = joined("vote", given, ["steady", "lucky"])[columns].to_numpy()
    assert (tie.argmax(axis=1) == AAMI.index("V")).all()


def test_a_class_that_nobody_could_learn_is_never_called(answers, found):
    absent = (answers["role"] == "val") & (answers["label"] == "S")
    beats = found[~((found["part"] == "val") & (found["label"] == "S"))]
    given = members(answers[~absent], NAMES, beats, "interpatient_held_out")
    assert (joined("logistic", given, NAMES)["prob_S"] == 0).all()
    assert ranked(given.val)[0] == "steady"
    alone = members(
        answers[(answers["role"] == "test") | (answers["label"] == "N")],
        NAMES,
        found[(found["part"] != "val") | (found["label"] == "N")],
        "interpatient_held_out",
    )
    with pytest.raises(InputError, match="40 beats that are all called N"):
        joined("logistic", alone, NAMES)


def test_who_always_says_the_same_is_named(answers):
    own = answers[(answers["model"] == "poor") & (answers["role"] == "test")]
    assert constant(own) is None
    assert constant(own.assign(**{f"prob_{name}": float(name == "V") for name in AAMI})) == "V"


def test_what_a_look_at_the_test_set_gains_is_told_apart_from_the_result(answers, found):
    given = members(answers, NAMES, found, "interpatient_held_out")
    scores, differences = beat_ensembles.by_number(given, draws=100)
    checked(scores, "scores.csv", "made")
    checked(differences, "differences.csv", "made")
    told = scores[scores["metric"] == "macro_f1"]
    assert set(told["condition"]) == {"k=2", "k=2;ranked_on=test", "k=3", "k=3;ranked_on=test"}
    gained = differences[differences["minus"] == "ranked_on=val"]
    assert (gained["value"] == 0).all()  # the same two are the best two in both orders
    worse = answers.copy()
    lucky = (worse["model"] == "lucky") & (worse["role"] == "val")
    worse.loc[lucky, [f"prob_{name}" for name in AAMI]] = [1.0, 0, 0, 0, 0]
    scores, differences = beat_ensembles.by_number(
        members(worse, NAMES, found, "interpatient_held_out"), draws=100
    )
    own, peeked = (
        score_of(scores, "macro_f1", model="mean", condition=c).value for c in ("k=2", "k=2;ranked_on=test")
    )
    gain = score_of(
        differences, "macro_f1", model="mean", minus="ranked_on=val", condition="k=2;ranked_on=test"
    )
    assert peeked == pytest.approx(own + gain.value)
    assert gain.value > 0
    over_best = selected(differences, model="mean", condition="k=3")
    assert over_best["minus"].tolist() == ["steady"]


def test_a_difference_is_paired_by_people_and_none_of_a_model_with_itself(answers):
    test = answers[answers["role"] == "test"]
    lucky, steady = (test[test["model"] == name] for name in ("lucky", "steady"))
    same = paired(lucky, lucky, BEATS, ["macro_f1"], 50)["macro_f1"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    told = paired(lucky, steady, BEATS, ["accuracy"], 500)["accuracy"]
    apart = [bootstrap(one, BEATS, 500)["accuracy"] for one in (lucky, steady)]
    assert told.value == pytest.approx(apart[0].value - apart[1].value)
    assert told.low < told.value < told.high
    with pytest.raises(InputError, match=r"lucky .* and steady .* answer for different units"):
        paired(lucky, steady.iloc[1:], BEATS, ["accuracy"], 50)
