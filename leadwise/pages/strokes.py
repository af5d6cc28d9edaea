"""What the strokes of a drawn page are: traces, grid lines, calibration pulses. All in points of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from leadwise.pages.paths import POINTS_PER_MM

_LONG = 20 * POINTS_PER_MM
"""Shorter strokes are no traces, longer straight ones of two points belong to a grid or frame."""

_LEAST_POINTS = 40
_TOUCHES = 0.05
_BACK = 0.02 * POINTS_PER_MM
"""How far a trace may go back in time: numbers in the file are rounded."""

_PULSE_MM = (4.0, 25.0)
_WIDEST_PULSE_MM = 20.0
_MOST_LOOSE = 2000

_LEAST_LINES = 12
_GRID_MM = (1, 5)
_OFF_SIZE = 2.2
"""Pages are printed smaller or larger by less than that; beyond it lines of 1 mm and of 5 mm cannot be told apart."""

_Points = NDArray[np.float64]


def traces_of(strokes: Sequence[_Points]) -> list[_Points]:
    """Lines that run from left to right for 20 mm and more through at least 40 points, joined where they touch.

    A file may draw a trace as one stroke, as some, or each piece between two points for itself.
    """
    pieces = [piece for stroke in strokes if not is_line(stroke) and (piece := _forward(stroke)) is not None]
    lines = (np.concatenate(chain) for chain in _joined(pieces))
    return [line for line in lines if len(line) >= _LEAST_POINTS and line[-1, 0] - line[0, 0] >= _LONG]


def is_line(stroke: _Points) -> bool:
    """Whether a stroke is one long straight line along an axis, as grids and frames are."""
    if len(stroke) != 2:
        return False
    across, down = np.abs(stroke[1] - stroke[0]).tolist()
    return bool(min(across, down) < _TOUCHES and max(across, down) >= _LONG)


def _forward(stroke: _Points) -> _Points | None:
    """A stroke from left to right; None where it runs both ways."""
    steps = np.diff(stroke[:, 0])
    if steps.min() >= -_BACK:
        return stroke
    return stroke[::-1] if steps.max() <= _BACK else None


def _joined(pieces: Iterable[_Points]) -> list[list[_Points]]:
    """Pieces in chains, each beginning where the one before it ends."""
    chains: list[list[_Points]] = []
    ends: dict[tuple[int, int], int] = {}
    for piece in sorted(pieces, key=lambda piece: float(piece[0, 0])):
        chain = ends.pop(_place(piece[0]), None)
        if chain is None:
            chain = len(chains)
            chains.append([])
        chains[chain].append(piece)
        ends[_place(piece[-1])] = chain
    return chains


def _place(point: _Points) -> tuple[int, int]:
    return round(point[0] / _TOUCHES), round(point[1] / _TOUCHES)


# --- scale ---------------------------------------------------------------------------------


def grid_pitches(strokes: Iterable[_Points]) -> tuple[float | None, float | None]:
    """Points in a millimetre along x and y by the grid's upright and level lines; None where there is none."""
    lines = np.array([stroke.ravel() for stroke in strokes if is_line(stroke)]).reshape(-1, 4)
    upright = np.abs(lines[:, 0] - lines[:, 2]) < _TOUCHES
    return _pitch(lines[upright, 0]), _pitch(lines[~upright, 1])


def _pitch(places: _Points) -> float | None:
    places = np.unique(np.round(places / _TOUCHES)) * _TOUCHES
    if len(places) < _LEAST_LINES:
        return None
    steps = np.diff(places)
    steps = steps[steps > 0.1 * POINTS_PER_MM]  # a thick line lies over a thin one
    pitch = float(np.median(steps))
    # numbers in the file are rounded: all steps together tell the pitch, as long as they are one or several of it
    counts = np.round(steps / pitch)
    regular = (counts > 0) & (np.abs(steps - counts * pitch) < 0.1 * pitch)
    if regular.mean() < 0.9:
        return None
    pitch = float(steps[regular].sum() / counts[regular].sum())
    squares = min(_GRID_MM, key=lambda square: abs(np.log(pitch / square / POINTS_PER_MM)))
    off_size = pitch / squares / POINTS_PER_MM
    return pitch / squares if 1 / _OFF_SIZE < off_size < _OFF_SIZE else None


# --- pulses --------------------------------------------------------------------------------


def pulse_heights(strokes: Sequence[_Points]) -> list[float]:
    """Heights in points of the calibration pulses that are drawn apart from traces, of one stroke or of several."""
    loose = [
        stroke
        for stroke in strokes
        if len(stroke) < _LEAST_POINTS and np.ptp(stroke, axis=0).max() <= _PULSE_MM[1] * POINTS_PER_MM
    ]
    if len(loose) > _MOST_LOOSE:
        return []
    return [height for group in _touching(loose) if (height := _pulse_height(group)) is not None]


def _touching(strokes: Sequence[_Points]) -> list[list[_Points]]:
    """Strokes in groups that share ends."""
    group_of: dict[tuple[int, int], list[_Points]] = {}
    for stroke in strokes:
        group = [stroke]
        for place in (_place(stroke[0]), _place(stroke[-1])):
            other = group_of.get(place)
            if other is not None and other is not group:
                group.extend(other)
                for member in other:
                    group_of[_place(member[0])] = group_of[_place(member[-1])] = group
            group_of[place] = group
    return list({id(group): group for group in group_of.values()}.values())


def _pulse_height(group: Sequence[_Points]) -> float | None:
    """From its foot to its top, where a group of strokes is level at two heights, never above each other."""
    points = np.concatenate(group)
    top, foot = points[:, 1].min(), points[:, 1].max()
    height = float(foot - top)
    if not _PULSE_MM[0] <= height / POINTS_PER_MM <= _PULSE_MM[1]:
        return None
    if np.ptp(points[:, 0]) > _WIDEST_PULSE_MM * POINTS_PER_MM:
        return None
    edges = np.concatenate([np.stack([stroke[:-1], stroke[1:]], axis=1) for stroke in group])
    level = np.abs(edges[:, 0, 1] - edges[:, 1, 1]) < 0.02 * height
    high, low = (level & (np.abs(edges[:, 0, 1] - y) < 0.02 * height) for y in (top, foot))
    wide = np.abs(edges[:, 0, 0] - edges[:, 1, 0])
    if not (wide[high].sum() > 0 and wide[low].sum() > 0 and wide[high | low].sum() > 0.8 * wide.sum()):
        return None
    middle = edges[low, :, 0].mean(axis=1)
    under = any(((edge.min() < middle) & (middle < edge.max())).any() for edge in edges[high, :, 0])
    return None if under else height  # what has a floor under its roof is a box
