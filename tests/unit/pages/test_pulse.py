"""Calibration pulses: found where they stand, and as high as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn import ecg
from numpy.typing import NDArray

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.pages.digitize import RATE_HZ
from leadwise.pages.ink import PX_PER_MM, ink_of
from leadwise.pages.pulse import Pulse, find_pulses, traces_between, without_flanks

FORM = FORMS["3x4+1"]
PLAIN = Look(x_px_per_mm=PX_PER_MM, y_px_per_mm=PX_PER_MM, grid="pink", header=False, footer=False)


BASELINES_PX = (PLAIN.margin_mm + PLAIN.pitch_mm * (np.arange(4) + 0.6)) * PX_PER_MM


def ink_of_drawn(look: Look, gain_mm_per_mv: float = 10.0) -> NDArray[np.uint8]:
    return ink_of(draw(ecg(), RATE_HZ, replace(FORM, gain_mm_per_mv=gain_mm_per_mv), look).page)


def pulses_of(look: Look, gain_mm_per_mv: float = 10.0) -> list[Pulse]:
    return find_pulses(ink_of_drawn(look, gain_mm_per_mv), BASELINES_PX)


def as_photographed(ink: NDArray[np.uint8], pulses: list[Pulse]) -> NDArray[np.uint8]:
    """Ink without the steep strokes of pulses, and with a gap in the plateau of every other row."""
    out = ink.copy()
    for pulse in pulses:
        baseline = round(BASELINES_PX[pulse.row])
        for flank in (pulse.left_px, pulse.right_px):
            out[baseline - 70 : baseline + 4, round(flank) - 3 : round(flank) + 4] = 0
        if pulse.row % 2:
            middle = round((pulse.left_px + pulse.right_px) / 2)
            out[baseline - 90 : baseline - 60, middle - 8 : middle + 8] = 0
    return out


@pytest.mark.parametrize("gain_mm_per_mv", [5.0, 10.0, 20.0])
def test_each_rows_pulse_is_as_high_as_one_millivolt(gain_mm_per_mv: float) -> None:
    found = pulses_of(PLAIN, gain_mm_per_mv)
    assert [pulse.row for pulse in found] == [0, 1, 2, 3]
    assert [pulse.height_mm for pulse in found] == pytest.approx([gain_mm_per_mv] * 4, rel=0.02)


def test_traces_stand_behind_or_before_the_pulses_of_most_rows() -> None:
    left, right = (pulses_of(replace(PLAIN, pulse=pulse)) for pulse in ("left", "right"))
    page_px = 2300
    assert traces_between(left, 4, page_px) == (max(pulse.right_px for pulse in left), np.inf)
    assert traces_between(right, 4, page_px) == (-np.inf, min(pulse.left_px for pulse in right))
    assert traces_between(left[:2], 4, page_px) == (-np.inf, np.inf), "half of the rows is too few"
    scattered = [replace(each, left_px=each.left_px + 20 * each.row) for each in left]
    assert traces_between(scattered, 4, page_px) == (-np.inf, np.inf)


@pytest.mark.parametrize(("pulse", "left_mm"), [("left", 14.5), ("right", 265.5)])
def test_a_pulse_stands_before_or_behind_the_traces(pulse: str, left_mm: float) -> None:
    for found in pulses_of(replace(PLAIN, pulse=pulse)):
        assert found.left_px / PX_PER_MM == pytest.approx(left_mm, abs=0.3)
        assert (found.right_px - found.left_px) / PX_PER_MM == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize("pen_px", [1, 4])
def test_the_pens_width_is_no_part_of_its_height(pen_px: int) -> None:
    assert [pulse.height_mm for pulse in pulses_of(replace(PLAIN, pen_px=pen_px))] == pytest.approx(
        [10] * 4, rel=0.02
    )


def test_plateaus_that_stand_in_most_rows_are_pulses_without_their_flanks() -> None:
    whole = pulses_of(PLAIN)
    ink = as_photographed(ink_of_drawn(PLAIN), whole)
    found = find_pulses(ink, BASELINES_PX)
    assert [pulse.row for pulse in found] == [0, 1, 2, 3]
    assert {pulse.height_mm for pulse in found} == {10.0}
    for pulse, drawn in zip(found, whole, strict=True):
        assert (pulse.left_px, pulse.right_px) == pytest.approx((drawn.left_px, drawn.right_px), abs=3)
    for row in (0, 1):  # half of the rows is too few
        baseline = round(BASELINES_PX[row])
        ink[baseline - 95 : baseline - 55, : round(whole[0].right_px) + 9] = 0
    assert find_pulses(ink, BASELINES_PX) == []


def test_what_stands_over_a_trace_is_no_plateau() -> None:
    ink = np.zeros((round(BASELINES_PX[-1]) + 60, 400), np.uint8)
    for baseline in np.round(BASELINES_PX).astype(int):
        ink[baseline - 80 : baseline - 77, 100:142] = 255
    found = find_pulses(ink, BASELINES_PX)
    assert [(pulse.row, pulse.height_mm) for pulse in found] == [(row, 10.0) for row in range(4)]
    for baseline in np.round(BASELINES_PX).astype(int):
        ink[baseline : baseline + 3] = 255
    assert find_pulses(ink, BASELINES_PX) == []


def test_a_flank_at_which_a_trace_starts_is_no_part_of_it() -> None:
    ink = np.zeros((200, 300), np.uint8)
    ink[150:153, 100:] = 255  # the trace
    ink[71:153, 98:102] = 255  # the flank at which it starts
    ink[71:74, 60:102] = 255
    pulse = Pulse(0, 10.0, 61.0, 100.0)
    left = without_flanks(ink, np.array([151.0]), [pulse], start_px=101.0)
    assert not left[:148, 96:].any()
    assert left[150:153, 97:].sum() == ink[150:153, 97:].sum()
    assert without_flanks(ink, np.array([151.0]), [pulse], start_px=110.0) is ink, "a foot lies between"


def test_neither_beats_nor_bars_are_pulses() -> None:
    assert pulses_of(replace(PLAIN, pulse="none", separators="line", frame=True)) == []


def test_an_empty_page_has_none() -> None:
    assert find_pulses(np.zeros((400, 600), np.uint8), np.array([200.0])) == []
