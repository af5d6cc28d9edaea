"""Leads of one heart held against each other: what adds up, what repeats, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import ecg
from numpy.typing import NDArray

from leadwise.names import LEADS
from leadwise.pages.forms import lead_of
from leadwise.pages.page_signals import RATE_HZ, Trace
from leadwise.pages.physics import augmented, einthoven, goldberger, law_of, strip_alike

ONE_HEART = ecg(rate_hz=RATE_HZ)


def printed(name: str, start_s: float = 0, length_s: float = 2.5, late_s: float = 0) -> Trace:
    """A lead of one heart as a page shows it, its wave `late_s` after where it should be, with some noise."""
    first = round((start_s - late_s) * RATE_HZ)
    signal = np.roll(ONE_HEART[LEADS.index(name)], -first)[: round(length_s * RATE_HZ)]
    noise = np.random.default_rng(LEADS.index(name)).normal(0, 0.005, len(signal))
    return Trace(start_s, (signal + noise).astype(np.float32), np.zeros((0, 2), np.float32))


def limbs(late_s: float = 0) -> dict[str, Trace]:
    """The six limb leads of a form of four columns: I and aVR late by so much."""
    first = {"I": printed("I", late_s=late_s), "II": printed("II"), "III": printed("III")}
    second = {
        "aVR": printed("aVR", 2.5, late_s=late_s),
        "aVL": printed("aVL", 2.5),
        "aVF": printed("aVF", 2.5),
    }
    return first | second


def swapped(leads: dict[str, Trace], one: str, other: str) -> dict[str, Trace]:
    return leads | {one: leads[other], other: leads[one]}


@pytest.mark.parametrize("late_s", [0.0, 0.018, -0.036])
def test_limb_leads_of_one_heart_add_up_also_where_one_is_printed_late(late_s: float) -> None:
    assert einthoven(limbs(late_s)) == pytest.approx(1, abs=0.01)
    assert goldberger(limbs(late_s)) == pytest.approx(1, abs=0.05)


def test_limb_leads_of_wrong_names_do_not_add_up() -> None:
    assert (einthoven(limbs() | {"II": printed("V1")}) or 1) < 0.5
    assert (goldberger(limbs() | {"aVR": limbs()["aVL"]}) or 1) < 0.5


def test_leads_of_other_columns_share_no_time() -> None:
    assert einthoven(limbs() | {"II": printed("II", 2.5)}) is None
    assert augmented(limbs()) is None


def test_six_limb_leads_of_one_column_follow_from_two() -> None:
    column = {name: printed(name, length_s=5) for name in LEADS[:6]}
    assert augmented(column) == pytest.approx(1, abs=0.01)
    assert (augmented(swapped(column, "aVR", "aVF")) or 1) < 0.3


def test_a_strip_repeats_the_lead_of_its_name_where_that_is_printed() -> None:
    strips = {"II": printed("II", length_s=10, late_s=0.01), "V1": printed("V5", length_s=10)}
    found = strip_alike({"II": printed("II"), "V1": printed("V1", 5)}, strips)
    assert found["II"] == pytest.approx(1, abs=0.01)
    assert found["V1"] < 0.5
    assert strip_alike({}, strips) == {}


def upside_down(trace: Trace) -> Trace:
    return Trace(trace.start_s, -trace.signal_mv, trace.line_px)


def without(trace: Trace, gap: slice | NDArray[np.bool_]) -> Trace:
    signal = trace.signal_mv.copy()
    signal[gap] = np.nan
    return Trace(trace.start_s, signal, trace.line_px)


def test_gaps_are_left_out() -> None:
    holed = limbs() | {
        "I": without(printed("I"), slice(300, 420)),
        "aVL": without(printed("aVL", 2.5), slice(100)),
    }
    assert einthoven(holed) == pytest.approx(1, abs=0.01)
    assert goldberger(holed) == pytest.approx(1, abs=0.05)


def test_what_was_not_read_or_does_not_move_says_nothing() -> None:
    assert einthoven(limbs() | {"III": without(printed("III"), slice(None))}) is None
    flat = Trace(0, np.zeros(1250, np.float32), np.zeros((0, 2), np.float32))
    assert einthoven({"I": flat, "II": flat, "III": flat}) is None
    assert einthoven({"I": printed("I"), "II": printed("II")}) is None
    assert goldberger({}) is None


CABRERA = {
    name: printed(name, start) for name, start in zip(LEADS[:6], (0, 2.5, 2.5, 0, 0, 2.5), strict=True)
}


def test_any_three_limb_leads_of_one_time_obey_a_law() -> None:
    assert einthoven(CABRERA) is None
    assert goldberger(CABRERA) == pytest.approx(1, abs=0.1)
    assert (goldberger(swapped(CABRERA, "aVR", "aVL")) or 1) < 0.4
    assert (goldberger(CABRERA | {"aVR": upside_down(CABRERA["aVR"])}) or 1) < 0.4


def test_what_no_heart_shows_is_nothing_in_limb_leads_and_all_there_is_in_others() -> None:
    signals = ecg(rate_hz=RATE_HZ)
    for names in (["I", "II", "III"], ["aVL", "I", "-aVR"], LEADS[:6], ["I", "II", "III", "aVR"]):
        law = law_of(names)
        leads = [sign * signals[LEADS.index(lead)] for lead, sign in map(lead_of, names)]
        assert law is not None
        assert np.abs(law @ leads).max() < 1e-9
        noise = np.random.default_rng(0).normal(size=(len(names), 10_000))
        assert np.linalg.norm(law @ noise) == pytest.approx(np.linalg.norm(noise), rel=0.02)
    assert law_of(["I", "II"]) is None
