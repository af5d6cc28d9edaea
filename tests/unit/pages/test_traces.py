"""Following ink: pens are undone, strays are left out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from leadwise.pages.pen import FINE, Pen, pen_of, undo_pen
from leadwise.pages.traces import share_out, without_strays

WIDTH = 300


def wave() -> np.ndarray:
    """A baseline at 100 px with a narrow wave of 60 px, ``(WIDTH,)``."""
    x = np.arange(WIDTH)
    return 100 - 60 * np.exp(-(((x - 150) / 4.0) ** 2))


def drawn_with(line: np.ndarray, half_px: float, *, square: bool) -> tuple[np.ndarray, np.ndarray]:
    """Edges of a line's drawing: how high and low a pen's tip comes at each column of pixels."""
    fine = np.interp(np.arange(0, WIDTH, 0.05), np.arange(WIDTH), line)
    at = np.arange(0, WIDTH, 0.05)
    high, low = np.empty(WIDTH), np.empty(WIDTH)
    for column in range(WIDTH):
        aside = at - column
        near = np.abs(aside) <= half_px
        tip = half_px if square else np.sqrt(half_px**2 - aside[near] ** 2)
        high[column], low[column] = (fine[near] - tip).min(), (fine[near] + tip).max()
    return high, low


@pytest.mark.parametrize(("half_px", "square"), [(0.8, False), (1.5, True), (2.0, False)])
def test_a_pen_is_undone_to_the_tip_of_a_narrow_wave(half_px: float, square: bool) -> None:
    high, low = drawn_with(wave(), half_px, square=square)
    line = undo_pen(high, low, Pen(half_px, square=square))
    at = (np.arange(len(line)) + 0.5) / FINE - 0.5
    off = line - np.interp(at, np.arange(WIDTH), wave())
    assert abs(line.min() - wave().min()) < 6
    assert np.sqrt(np.mean(off**2)) < 1.5


def test_a_piece_of_another_row_is_left_out_of_a_lead() -> None:
    high, low = drawn_with(wave(), 1.0, square=False)
    high[200:210], low[200:210] = 240, 243
    high[:6], low[:6] = 10, 13
    clean, _ = without_strays(high, low, (20, 200))
    assert np.isnan(clean[200:210]).all()
    assert np.isnan(clean[:6]).all()
    assert np.isfinite(clean[6:200]).all()
    assert np.isfinite(clean[210:]).all()


def test_a_steep_wave_is_no_stray() -> None:
    high, low = drawn_with(wave(), 1.0, square=False)
    clean, _ = without_strays(high, low, (20, 200))
    assert np.isfinite(clean).all()


def test_traces_of_six_rows_that_cross_are_told_apart() -> None:
    baselines = 60.0 + 100 * np.arange(6)
    ink = np.zeros((680, WIDTH), np.uint8)
    lines = [wave() - 100 + baseline for baseline in baselines]
    lines[2] = lines[2] - 70 * np.exp(-(((np.arange(WIDTH) - 150) / 4.0) ** 2))  # reaches into the row above
    for line in lines:
        for column in range(1, WIDTH):
            first, last = sorted((round(line[column - 1]), round(line[column])))
            ink[first - 1 : last + 2, column] = 255
    high, low = share_out(ink, baselines)
    middle = (high + low) / 2
    for row, line in enumerate(lines):
        known = np.isfinite(middle[row])
        assert known.mean() > 0.95
        flat = known & (np.abs(np.arange(WIDTH) - 150) > 12)
        assert np.abs(middle[row] - line)[flat].max() < 2


def test_the_pen_is_the_one_that_draws_the_edges() -> None:
    x = np.arange(0, WIDTH, 0.4)
    line = 100 - sum(60 * np.exp(-(((x - at) / 5.0) ** 2)) for at in range(30, WIDTH, 40))
    points = np.round(np.stack([x, line], axis=1)).astype(np.int32)
    thin = cv2.polylines(np.zeros((160, WIDTH), np.uint8), [points], False, 255)
    square = cv2.dilate(thin, np.ones((3, 3), np.uint8))
    finer = np.round(16 * np.stack([x, line], axis=1)).astype(np.int32)
    soft = cv2.polylines(np.zeros((160, WIDTH), np.uint8), [finer], False, 255, 2, cv2.LINE_AA, 4)
    for ink, is_square in ((square, True), (soft, False)):
        high, low = share_out(ink, np.array([100.0]))
        half_px = float(np.quantile(low[0] - high[0], 0.1)) / 2
        assert pen_of([(high[0], low[0])], half_px).square is is_square
