"""Scores of several findings at once, and of pages of another country that are called otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadwise.figures.hearts import by_finding
from leadwise.names import SUPERCLASSES
from leadwise.scores import hearts
from leadwise.scores.draws import auroc_alone, bootstrap, page_metrics
from leadwise.scores.table import compared, score_of, scored
from leadwise.tables import checked


@pytest.fixture
def recordings() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    stated = rng.random((80, 5)) < 0.4
    table = pd.DataFrame(stated, columns=list(SUPERCLASSES))
    names = [f"r{number}" for number in range(80)]
    return table.assign(record=names, patient_id=names, age=np.where(stated[:, 1], 70.0, 40.0))


def test_several_findings_may_hold_and_each_has_its_auroc(recordings: pd.DataFrame) -> None:
    stated = recordings[list(SUPERCLASSES)].to_numpy(float)
    prob = 0.2 + 0.6 * stated
    prob[:, 2] = 0.5
    answers = hearts.hearts_answers(recordings, prob, "hearts")
    checked(answers.assign(profile="cpu"), "predictions.csv", "made")
    found = scored(answers, hearts.hearts_metrics(), draws=200)
    checked(found, "scores.csv", "made")
    assert score_of(found, "auroc_MI").value == 1
    assert score_of(found, "auroc_STTC").value == 0.5
    assert score_of(found, "macro_auroc").value == pytest.approx(0.9)
    by_age = hearts.hearts_answers(recordings, hearts.of_age(recordings), "age_alone")
    more = compared(answers, by_age, hearts.hearts_metrics(), ["macro_auroc", "auroc_MI"], draws=200)
    checked(more, "differences.csv", "made")
    assert score_of(more, "auroc_MI").value == pytest.approx(0, abs=0.01), "age was made to tell it"
    assert score_of(more, "macro_auroc").value > 0.1
    told = hearts.calibration_errors(answers)
    assert told["ece"] == pytest.approx(0.18, abs=0.03)


def test_a_finding_that_nobody_has_makes_no_mean(recordings: pd.DataFrame) -> None:
    answers = hearts.hearts_answers(recordings.assign(HYP=False), np.full((80, 5), 0.3), "hearts")
    found = scored(answers, hearts.hearts_metrics(), draws=100)
    assert not found["metric"].isin(["auroc_HYP", "macro_auroc"]).any()
    assert len(found) == 4


def test_numbers_tell_what_they_hold(recordings: pd.DataFrame) -> None:
    stated = recordings[list(SUPERCLASSES)].to_numpy(bool)
    numbers = np.random.default_rng(0).normal(size=(80, 3)) + 5 * stated[:, [1]]
    prob = hearts.of_numbers(numbers, np.where([True, True, True, True, False], stated, False), numbers)
    assert prob[stated[:, 1], 1].min() > prob[~stated[:, 1], 1].max()
    assert (prob[:, 4] == 0).all()


def test_pages_are_told_by_the_odds_of_infarction_over_normal_and_within_bands_of_rates() -> None:
    labels = ["normal"] * 20 + ["mi"] * 10 + ["history_of_mi"] * 10 + ["abnormal_heartbeat"] * 10
    pages = pd.DataFrame(
        {
            "page_id": [f"{number:012x}" for number in range(50)],
            "label": labels,
            "heart_rate_bpm": [70, 100] * 25,
        }
    )
    groups = pd.Series("g" + pages["page_id"].str[-1], pages["page_id"])
    is_mi = pages["label"].isin(["mi", "history_of_mi"]).to_numpy()
    prob = np.full((50, 5), 0.5)
    prob[:, 1] = np.where(is_mi, 0.9, 0.1)
    found = hearts.page_answers(pages, groups, prob, "infarction", "hearts")
    assert len(found) == 40
    pair = ["other", "asked"]
    assert bootstrap(found, auroc_alone(pair), 100)["auroc"].value == 1
    lean, whole = (bootstrap(found, measure(pair), 100)["auroc"] for measure in (auroc_alone, page_metrics))
    assert lean == whole
    assert len(hearts.in_band(found, "rate_60_to_80")) == 20
    nothing = hearts.page_answers(pages, groups, prob, "not_normal", "hearts")
    assert bootstrap(nothing, auroc_alone(pair), 100)["auroc"].value == 0.5
    rate = hearts.ranked_pages(pages, groups, pages["heart_rate_bpm"].to_numpy(float), "mi", "rate")
    assert set(rate["label"]) == {"asked", "other"}
    rows = [
        scored(one, auroc_alone(pair), ["auroc"], 100, test_set="mendeley", counted="all",
               condition={"question": "infarction"})
        for one in (found, hearts.ranked_pages(pages, groups, np.arange(50.0), "infarction", "rate"))
    ]  # fmt: skip
    assert by_finding(pd.concat(rows)).get_axes()


def test_what_paper_costs_is_told_of_the_recordings_that_were_read(recordings: pd.DataFrame) -> None:
    stated = recordings[list(SUPERCLASSES)].to_numpy(float)
    read, direct = (hearts.hearts_answers(recordings, 0.3 + share * stated, "hearts") for share in (0.0, 0.4))
    place = {"counted": "folds_1_to_9", "weights": "file", "condition": {"paper": "drawn"}}
    scores, differences = hearts.paper_scores(read, direct, 3, draws=100, **place)
    checked(scores, "scores.csv", "made")
    checked(differences, "differences.csv", "made")
    assert score_of(scores, "macro_auroc", condition="paper=drawn;signals=read").value == 0.5
    assert score_of(scores, "macro_auroc", condition="paper=drawn;signals=direct").value == 1
    assert score_of(scores, "pages_refused").value == 3
    assert score_of(differences, "macro_auroc", minus="signals=direct").value == pytest.approx(-0.5)
