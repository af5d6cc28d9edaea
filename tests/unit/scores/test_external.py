"""Questions to page models about recordings of another country: who is asked, by what, beside what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadwise.figures.elsewhere import by_question
from leadwise.names import SUPERCLASSES
from leadwise.scores import external
from leadwise.scores.external import QUESTIONS
from leadwise.scores.table import score_of, selected
from leadwise.sets.views import SIGNAL_HZ
from leadwise.tables import checked

PLACES = {"leads12": {"weights": "published", "seeds": "1"}, "student12": {"weights": "file", "seeds": "1"}}


def recordings(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    """Of superclasses, codes, and whether an infarction is held likely."""
    table = pd.DataFrame(
        {
            "record": [f"r{number}" for number in range(len(rows))],
            "patient_id": [f"p{number}" for number in range(len(rows))],
            "codes": [frozenset(codes.split()) for _, codes, _ in rows],
            "sure_mi": pd.array([sure for _, _, sure in rows], "boolean"),
        }
    )
    return table.assign(
        **{name: [name in classes.split() for classes, _, _ in rows] for name in SUPERCLASSES}
    )


@pytest.mark.parametrize(
    ("classes", "codes", "sides"),
    [
        ("NORM", "NORM SR", {"mi": "other", "af": "other", "sinus_tachycardia": "other"}),
        ("NORM", "NORM SARRH", {"mi": "other"}),
        ("NORM", "NORM", {}),
        ("NORM", "NORM SR STACH", {"sinus_tachycardia": "asked", "af": "other"}),
        ("NORM", "NORM SBRAD", {"sinus_bradycardia": "asked"}),
        ("NORM", "NORM PACE SR", {"af": "other"}),
        ("NORM MI", "NORM IMI SR", {"af": "other"}),
        ("MI", "IMI AFIB", {"mi": "asked", "mi_alone": "asked", "af": "asked"}),
        ("MI STTC", "IMI NDT SR", {"mi": "asked", "af": "other"}),
        ("STTC", "NDT SR", {"sttc_alone": "asked", "af": "other"}),
        ("CD", "CLBBB SR AFLT", {"cd_alone": "asked"}),
    ],
)
def test_who_is_asked_about_and_against_whom(classes: str, codes: str, sides: dict[str, str]) -> None:
    one = recordings((classes, codes, False))
    found = {name: question.sides(one).get("r0") for name, question in QUESTIONS.items()}
    told = {name: side for name, side in found.items() if side is not None}
    against_normal = {name for name in QUESTIONS if name != "af"}
    if sides.get("mi") == "other":
        assert {name for name, side in told.items() if side == "other"} >= against_normal
    assert sides.items() <= told.items()
    if not sides:
        assert told == {}


def test_an_infarction_held_unlikely_is_asked_about_where_all_count() -> None:
    two = recordings(("MI", "IMI SR", True), ("MI", "IMI SR", False), ("NORM", "NORM SR", False))
    assert QUESTIONS["mi"].sides(two).to_dict() == {"r0": "asked", "r1": "asked", "r2": "other"}
    assert QUESTIONS["sure_mi"].sides(two).to_dict() == {"r0": "asked", "r2": "other"}


@pytest.fixture
def asked() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sixty normal recordings, twenty infarctions, ten fibrillating hearts, and what five networks say of them."""
    about = recordings(
        *[("NORM", "NORM SR", False)] * 60,
        *[("MI", "IMI SR", True)] * 20,
        *[("STTC", "NDT AFIB", False)] * 10,
    )
    rows = []
    for fold in range(1, 6):
        sure = np.random.default_rng(fold).uniform(0.05, 0.4, len(about))
        mi = np.where(about["MI"], 1 - sure, sure / 2)
        rows.append(
            pd.DataFrame(
                {
                    "unit": "record",
                    "unit_id": about["record"],
                    "group_id": about["patient_id"],
                    "prob_normal": 1 - mi,
                    "prob_abnormal_heartbeat": 0.0,
                    "prob_history_of_mi": mi / 2,
                    "prob_mi": mi / 2,
                }
            ).assign(model="leads12", task="external", protocol="external", role="test", seed=fold, fold=fold)
        )
    return about, pd.concat(rows, ignore_index=True)


def test_both_classes_of_infarction_answer_for_one_and_a_blind_model_is_one_half(asked) -> None:
    about, answers = asked
    blind = answers.assign(prob_normal=1.0, prob_mi=0.0, prob_history_of_mi=0.0)
    student = answers.query("seed == 1").assign(model="student12")
    of_student = {("student12", name): student for name in ("zero_phase", "causal")}
    given = {("leads12", "zero_phase"): answers, ("leads12", "causal"): blind, **of_student}
    rate = pd.Series(np.arange(len(about), dtype=float), about["record"])
    scores, differences = external.external_scores(
        given, about, {"rate": rate}, list(QUESTIONS), draws=200, places=PLACES, counted="fold_10"
    )
    checked(scores, "scores.csv", "made")
    checked(differences, "differences.csv", "made")
    of = {"condition": "filter=zero_phase;question=mi"}
    assert score_of(scores, "auroc", model="leads12", **of).value == 1
    assert score_of(scores, "auroc", model="leads12", condition="filter=causal;question=mi").value == 0.5
    assert score_of(scores, "auroc", model="student12", condition="filter=causal;question=mi").value == 1
    assert score_of(scores, "auroc", model="rate", condition="question=mi").value == 1
    assert score_of(scores, "units_asked", condition="question=mi").value == 20
    place = {"model": "leads12", "condition": "filter=causal;question=mi"}
    assert score_of(differences, "auroc", minus="filter=zero_phase", **place).value == -0.5
    assert score_of(differences, "auroc", minus="rate", **place).value == -0.5
    told = score_of(
        differences, "auroc", minus="leads12", model="student12", condition="filter=causal;question=mi"
    )
    assert told.value == 0.5
    assert not len(selected(scores, condition="question=cd_alone")), "nobody was asked about"
    assert external.told(scores, "fold_10", "mi", "leads12", "causal").startswith("0.500")
    assert external.told(scores, "fold_10", "cd_alone", "rate") == "not known here"
    assert by_question(scores).get_axes()


def test_a_value_that_is_not_known_ranks_in_the_middle(asked) -> None:
    about, answers = asked
    age = pd.Series(np.where(about["MI"], 70.0, 40.0), about["record"])
    age[:10] = np.nan
    found = external.ranked(answers, about, QUESTIONS["mi"], age, "age_alone")
    assert found["unit_id"].is_unique
    assert found["prob_asked"].between(0, 1).all()
    assert set(found.query("unit_id in @age.index[:10]")["prob_asked"]) == set(
        found.query("unit_id in @age.index[10:60]")["prob_asked"]
    )


def test_odds_are_moved_to_how_frequent_infarctions_are_here(asked) -> None:
    about, answers = asked
    found = external.calibration_scores(
        answers, about, "mi", 0.5, draws=200, condition={"filter": "causal"}, counted="fold_10"
    )
    checked(found, "scores.csv", "made")
    shifts = {name: score_of(found, "log_loss", condition=f"filter=causal;question=mi;shift={name}") for name in
              ("none", "prevalence")}  # fmt: skip
    assert shifts["none"].value != shifts["prevalence"].value
    assert score_of(found, "ece", condition="filter=causal;question=mi;shift=none").value > 0


def test_a_strip_tells_its_rate_and_how_its_intervals_spread() -> None:
    def strip(times_s: list[float]) -> np.ndarray:
        at = np.arange(1250) / SIGNAL_HZ
        return sum(np.exp(-(((at - time) / 0.02) ** 2)) for time in times_s)

    even = external.rhythm_of_strip(strip([0.5 + 0.8 * number for number in range(12)]))
    uneven = external.rhythm_of_strip(strip([0.5, 1.1, 2.2, 2.9, 4.3, 4.9, 6.1, 6.8, 8.2, 9.0]))
    assert even[0] == pytest.approx(75, abs=1)
    assert even[1] < 2
    assert uneven[1] > 20
    assert np.isnan(external.rhythm_of_strip(np.zeros(1250))).all()


def test_strips_that_were_read_are_ranked_beside_the_same_without_a_page() -> None:
    rhythms = ["AFIB", "SR"] * 20
    asked = recordings(*[("NORM", rhythm, False) for rhythm in rhythms])
    uneven = pd.Series([float(rhythm == "AFIB") for rhythm in rhythms], asked["record"])
    keys = {"task": "external", "protocol": "external", "model": "any", "seed": 1, "role": "test"}
    answers = asked[["record", "patient_id"]].set_axis(["unit_id", "group_id"], axis=1).assign(**keys)
    place = {"counted": "fold_10", "condition": {"paper": "drawn"}}
    scores, differences = external.strip_scores(
        {"rate": 0 * uneven}, {"rate": uneven}, answers, asked, draws=100, **place
    )
    checked(scores, "scores.csv", "made")
    checked(differences, "differences.csv", "made")
    where = "paper=drawn;question=af;signals="
    assert score_of(scores, "auroc", condition=f"{where}direct").value == 1
    assert score_of(scores, "auroc", condition=f"{where}read").value == 0.5
    assert score_of(differences, "auroc", minus="signals=direct").value == -0.5
