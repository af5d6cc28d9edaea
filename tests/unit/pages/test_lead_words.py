"""Printed words of a page: names of leads as devices of several countries write them, speed and gain."""

from __future__ import annotations

import pytest

from leadwise.errors import DoubtfulPage
from leadwise.pages.lead_words import gain_mm_per_mv, lead_named, speed_mm_per_s


@pytest.mark.parametrize(
    ("printed", "lead"),
    [("I", "I"), ("aVR", "aVR"), ("AVF", "aVF"), ("V4:", "V4"), ("DII", "II"), ("D3", "III"), ("c6", "V6")],
)
def test_a_lead_has_several_names(printed: str, lead: str) -> None:
    assert lead_named(printed) == lead


@pytest.mark.parametrize("printed", ["", "V7", "V3r", "-aVR", "II III", "IV", "Name", "1"])
def test_other_words_name_no_lead_of_the_twelve(printed: str) -> None:
    assert lead_named(printed) is None


@pytest.mark.parametrize(
    "printed", ["25mm/s", "Rhythm 10s, 25 mm/s, 2p", "10,00 mm/mV 25.0mm/sec 75Hz", "25 MM/S"]
)
def test_a_page_says_its_speed(printed: str) -> None:
    assert speed_mm_per_s(["HR 63/min", printed]) == 25


@pytest.mark.parametrize("printed", ["10mm/mV", "25mm/s 10 mm/mV 0.01-20Hz 50Hz", "25 mm/s/10,0 mm/mV"])
def test_a_page_says_its_gain(printed: str) -> None:
    assert gain_mm_per_mv([printed, printed]) == 10


def test_a_page_may_say_neither() -> None:
    assert speed_mm_per_s(["0.05-150 Hz"]) is None
    assert gain_mm_per_mv([]) is None


def test_two_gains_are_refused() -> None:
    with pytest.raises(DoubtfulPage, match="5 and 10 mm/mV"):
        gain_mm_per_mv(["10/5 mm/mV"])
