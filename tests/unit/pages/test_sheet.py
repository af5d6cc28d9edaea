"""Ink of a sheet by what the network sees."""

from __future__ import annotations

import numpy as np
import pytest

from leadwise.pages.sheet import Seen


@pytest.fixture
def seen() -> Seen:
    """A level trace above a line of the grid, and a steep stroke of which the network does not see the middle."""
    maps = {kind: np.zeros((60, 80), np.float32) for kind in ("trace", "text", "pulse", "separator")}
    dark = np.zeros((60, 80), np.float32)
    dark[18:23, :40] = 0.9
    maps["trace"][18:23, :40] = 1
    dark[28, :40] = 0.9  # a line of the grid, some of which seems a trace
    maps["trace"][28, 5:25] = 0.4
    dark[5:55, 60:63] = 0.5
    maps["trace"][5:28, 60:63] = maps["trace"][33:55, 60:63] = 1
    return Seen(maps, dark)


def test_gaps_of_a_stroke_are_ink_and_paper_between_strokes_is_none(seen: Seen) -> None:
    strokes, letters = seen.ink()
    assert strokes[18:23, :40].min() > 200
    assert not strokes[24:27, :40].any()
    assert strokes[28:33, 61].min() > 100
    assert not letters.any()


def test_how_black_strokes_are_is_told_by_those_on_the_paper(seen: Seen) -> None:
    paper = np.ones((60, 80), bool)
    paper[:, :50] = False
    assert seen.ink(paper)[0][10, 61] > seen.ink()[0][10, 61]
