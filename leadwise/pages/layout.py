"""Where the template lies on a page: an affine map, found from what is printed in black on every page.

Three steps, coarse to fine. Separators are looked for in a small picture: three dark upright lines, equally far
apart, 1.404 times as long as that distance. They give a first map. Then the ends of the separators and the
calibration pulses are matched with the template's own picture at full resolution, and the map is fitted to them.
Last, the frame must be where the map says. The pink grid is never used: it is drawn 1 % wider than the trace.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import ForeignPage
from leadwise.pages.forms import known_printout
from leadwise.pages.read import Page
from leadwise.pages.template import Template
from leadwise.runs import runs_of

Matrix = NDArray[np.float64]

_SMALL_PX = 560  # longest side of the picture in which separators are looked for
_DARK = 0.3  # of the way from paper to ink
_MAX_TURN_DEG = 4.0
_LEAST_PX = 100  # a side; a page of half the template's size has 786
_ALIKE = 0.5  # correlation at which an anchor counts as found
_SNAP_PX = 1.0  # parts are printed at whole pixels: a map this close to a shift by whole pixels is one


@dataclass(frozen=True)
class Layout:
    """How a template lies on a page.

    `matrix` float64 ``(2, 3)`` takes a template point ``(x, y, 1)`` to pixels of the page as given. `ink` and
    `paper` are the brightest channel of the separators and of the paper, 0 to 255.
    """

    template: Template
    matrix: Matrix
    ink: float
    paper: float

    @property
    def pixels_per_s(self) -> float:
        """Pixels of the page for a second of the trace."""
        return self.template.px_per_s * float(np.hypot(*self.matrix[:, 0]))

    @property
    def pixels_per_mv(self) -> float:
        """Pixels of the page for a millivolt of the trace."""
        return self.template.px_per_mv * float(np.hypot(*self.matrix[:, 1]))

    @property
    def scale(self) -> float:
        """Size of the page against the template, the geometric mean of both axes."""
        return _scale(self.matrix)

    @property
    def rotation_deg(self) -> float:
        """How far the page is turned, degrees, positive clockwise."""
        return math.degrees(math.atan2(self.matrix[1, 0], self.matrix[0, 0]))

    @property
    def is_whole_shift(self) -> bool:
        """Whether the page is the template moved by whole pixels: then no pixel needs to be resampled."""
        return bool((self.matrix[:, :2] == np.eye(2)).all() and (self.matrix % 1 == 0).all())

    @property
    def frame(self) -> NDArray[np.float64]:
        """Corners of the frame on the page, ``(4, 2)``, clockwise from the upper left."""
        left, top, right, bottom = self.template.frame
        return self.to_page(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))

    def to_page(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Template points ``(..., 2)`` in pixels of the page."""
        return np.asarray(points @ self.matrix[:, :2].T + self.matrix[:, 2])


class TurnedPage(ForeignPage):
    """A page of the known form on its head or its side, or mirrored; `upright` is it as it should lie."""

    upright: Page


def find_layout(page: Page) -> Layout:
    """Find the known printout on a page, BGR uint8 ``(height, width, 3)``.

    Turned by up to 3 degrees, at half to twice the template's scale, with a border, on grey or faded paper it is
    still found. Raises `ForeignPage`, which says what was looked for and what was found instead, and `TurnedPage`
    for a page that lies on its head or its side, or is mirrored.
    """
    if min(page.shape[:2]) < _LEAST_PX:
        height, width = page.shape[:2]
        raise ForeignPage(
            f"{width} x {height} px is too small, at least {_LEAST_PX} are needed. {_WHAT_NEXT}"
        )
    bright, template = brightest(page), known_printout()
    try:
        layout = _find(bright, template)
    except ForeignPage:
        _refuse_if_turned(page, bright, template)
        raise
    _check_frame(page, layout)
    return layout


def resampled(
    picture: NDArray[np.uint8], layout: Layout, box: tuple[int, int, int, int]
) -> NDArray[np.uint8]:
    """A box of the template (left, top, right, bottom) as it lies on `picture`, at the template's scale.

    Where the page is the template moved by whole pixels, the pixels are taken as they are; what lies outside
    the picture repeats its edge.
    """
    left, top, right, bottom = box
    if layout.is_whole_shift:
        x0, y0 = (int(shift) for shift in layout.matrix[:, 2])
        rows = slice(top + y0, bottom + y0)
        columns = slice(left + x0, right + x0)
        height, width = picture.shape[:2]
        if rows.start >= 0 and columns.start >= 0 and rows.stop <= height and columns.stop <= width:
            return picture[rows, columns]
    picture, matrix = _shrunk(picture, layout.matrix)
    matrix = matrix + np.column_stack([np.zeros((2, 2)), matrix[:, :2] @ (left, top)])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_LINEAR if layout.scale > 0.8 else cv2.INTER_CUBIC)
    size = (right - left, bottom - top)
    return np.asarray(
        cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _scale(matrix: Matrix) -> float:
    return math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))


def _shrunk(picture: NDArray[np.uint8], matrix: Matrix) -> tuple[NDArray[np.uint8], Matrix]:
    """A large picture at about the template's scale, and its map: linear sampling alone would skip pixels."""
    scale = _scale(matrix)
    if scale < 1.25:
        return picture, matrix
    small = cv2.resize(picture, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    factor = np.array(small.shape[1::-1]) / picture.shape[1::-1]
    moved = matrix * factor[:, None]
    moved[:, 2] += 0.5 * factor - 0.5  # the middle of the first pixel is (0, 0) in both
    return np.asarray(small, np.uint8), moved


_WHAT_NEXT = "Is this a page of the known layout (3 rows of 4 leads and a rhythm strip, in a pink frame)?"


def brightest(page: Page) -> NDArray[np.uint8]:
    """Brightest channel of each pixel: in it ink is dark, while pink is as light as paper."""
    blue, green, red = cv2.split(page)
    return np.asarray(cv2.max(cv2.max(blue, green), red), dtype=np.uint8)


def _find(bright: NDArray[np.uint8], template: Template) -> Layout:
    why = ForeignPage(
        f"no three equally distant upright separators were found, turned by up to {_MAX_TURN_DEG:.0f} degrees. "
        f"{_WHAT_NEXT}"
    )
    for rough in itertools.islice(_first_maps(bright, template), 12):
        small, matrix = _shrunk(bright, rough)
        try:
            for reach in (20, 6):
                matrix = _snapped(_fitted(small, template, matrix, reach), template)
                if Layout(template, matrix, 0.0, 255.0).is_whole_shift:
                    break
        except ForeignPage as error:
            why = error
            continue
        ink, paper = _levels(small, template, matrix)
        factor = np.array(small.shape[1::-1]) / bright.shape[1::-1]
        matrix[:, 2] += 0.5 - 0.5 * factor
        return Layout(template, matrix / factor[:, None], ink, paper)
    raise why


def _first_maps(bright: NDArray[np.uint8], template: Template) -> Iterator[Matrix]:
    """Rough maps from the separators, good to some 1 % of the page, the likeliest first."""
    shrunk = 1 / math.ceil(max(bright.shape) / _SMALL_PX)
    small = cv2.resize(bright, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA).astype(np.float32)
    ink, paper = (float(level) for level in np.percentile(small[::2, ::2], (0.2, 50)))
    if paper - ink < 12:
        raise ForeignPage(
            f"the picture is nearly of one colour (brightness {ink:.0f} to {paper:.0f}). {_WHAT_NEXT}"
        )
    dark = np.asarray(small < paper - _DARK * (paper - ink), np.uint8)
    for _, three in _triples(_upright_lines(dark), 0.0, template):
        yield _upright_map(three, 0.0, shrunk, template)
    candidates = []
    for turn in np.radians(np.linspace(-_MAX_TURN_DEG, _MAX_TURN_DEG, 17)):
        shear = np.array([[1.0, math.tan(turn), 0.0], [0.0, 1.0, 0.0]])
        upright = np.asarray(cv2.warpAffine(dark, shear, dark.shape[::-1], flags=cv2.INTER_NEAREST), np.uint8)
        candidates += [
            (off, three, turn) for off, three in _triples(_upright_lines(upright), math.tan(turn), template)
        ]
    for _, three, turn in sorted(candidates, key=lambda candidate: candidate[0]):
        yield _upright_map(three, turn, shrunk, template)


def _upright_map(three: NDArray[np.float64], turn: float, shrunk: float, template: Template) -> Matrix:
    """The map without shear that brings the separators upon three lines ``(3, 3)`` of x, top and bottom."""
    spacing = (three[2, 0] - three[0, 0]) / 2 * math.cos(turn)
    level = spacing * math.sin(turn) * np.array([-1, 0, 1])
    # strokes that run into a separator make it longer, never shorter
    middle_y = (np.max(three[:, 1] - level) + np.min(three[:, 2] + 1 - level)) / 2
    middle = np.array([three[1, 0] - math.tan(turn) * middle_y, middle_y])
    scale = spacing / template.spacing_px / shrunk
    turned = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    known = np.array([template.separators_x[1], sum(template.separator_rows) / 2])
    return np.column_stack([turned, (middle + 0.5) / shrunk - 0.5 - turned @ known])


def _upright_lines(dark: NDArray[np.uint8]) -> list[tuple[float, float, float]]:
    """Long upright dark runs: x, top and bottom, a line each, from left to right."""
    height, width = dark.shape
    wide = cv2.dilate(dark, np.ones((1, 3), np.uint8))
    wide = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((4, 1), np.uint8))  # thin lines break when shrunk
    run = np.zeros(width, np.int32)
    longest, end = np.zeros(width, np.int32), np.zeros(width, np.int32)
    for y in range(height):
        run = (run + 1) * wide[y]
        longer = run > longest
        longest[longer], end[longer] = run[longer], y
    lines = []
    for left, right in runs_of((longest > 0.12 * height) & (longest < 0.85 * height)).tolist():
        if right - left <= 12:
            of_line = longest[left:right]
            full = left + np.flatnonzero(of_line >= 0.9 * of_line.max())
            length, bottom = float(np.median(longest[full])), float(np.median(end[full]))
            lines.append((float(full.mean()), bottom - length + 1, bottom))
    return lines


def _triples(
    lines: list[tuple[float, float, float]], lean: float, template: Template
) -> list[tuple[float, NDArray[np.float64]]]:
    """Three lines ``(3, 3)`` that stand to each other as the separators do, the best first, and how far off."""
    if len(lines) < 3:
        return []
    top, bottom = template.separator_rows
    long = (bottom - top) / template.spacing_px  # of a separator, in spacings: 1.404
    each = np.array(lines)
    x = each[:, 0]
    first, last = (index.astype(np.int32) for index in np.triu_indices(len(lines), 2))
    spacing, middle_x = (x[last] - x[first]) / 2, (x[last] + x[first]) / 2
    # the lines between two that are near their middle, each pair repeated for each: noise has many
    near = 0.03 * spacing + 1
    begin = np.maximum(np.searchsorted(x, middle_x - near), first + 1)
    counts = np.maximum(np.minimum(np.searchsorted(x, middle_x + near), last) - begin, 0)
    pair = np.repeat(np.arange(len(first)), counts)
    middle = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + begin[pair]
    threes = each[np.stack([first[pair], middle, last[pair]], axis=1)]
    spacing, near = spacing[pair], near[pair]
    level = lean * spacing[:, None] * np.array([-1, 0, 1])
    tops, bottoms = threes[:, :, 1] - level, threes[:, :, 2] + 1 - level
    off = np.max(
        [
            abs(threes[:, 1, 0] - middle_x[pair]) / near,
            abs((bottoms.min(axis=1) - tops.max(axis=1)) / spacing / long - 1) / 0.08,
            np.ptp(tops, axis=1) / (0.4 * spacing),
            np.ptp(bottoms, axis=1) / (0.4 * spacing),
        ],
        axis=0,
    )
    best = np.argsort(off, kind="stable")[: np.count_nonzero(off < 1)]
    return [(float(off[place]), threes[place]) for place in best]


@functools.cache
def _anchors(template: Template) -> list[tuple[int, int, int, int]]:
    """Boxes of the template (left, top, right, bottom): pulses, ends of separators, then lead names beside them."""
    boxes = [(x - 8, y - 8, x + width + 8, y + height + 8) for x, y, width, height in template.pulse_boxes()]
    for x in template.separators_x:
        boxes += [(round(x) - 14, y - 24, round(x) + 15, y + 24) for y in template.separator_rows]
    for row in range(3):
        for column in (1, 2, 3):
            rows, columns = template.label_box(row, column)
            boxes.append((columns.start - 8, rows.start - 6, columns.stop, rows.stop + 6))
    return boxes


_PULSES, _ENDS = slice(0, 4), slice(4, 10)


def _fitted(bright: NDArray[np.uint8], template: Template, matrix: Matrix, reach: int) -> Matrix:
    """The map that brings the anchors where they are found, each looked for within `reach` template pixels."""
    rough = Layout(template, matrix, 0.0, 255.0)
    known = template.ink.astype(np.float32)
    moved, middles, alike = [], [], []
    for left, top, right, bottom in _anchors(template):
        here = resampled(bright, rough, (left - reach, top - reach, right + reach, bottom + reach))
        patch = cv2.GaussianBlur(-known[top:bottom, left:right], (0, 0), 0.8)
        match = cv2.matchTemplate(
            cv2.GaussianBlur(here, (0, 0), 0.8).astype(np.float32), patch, cv2.TM_CCOEFF_NORMED
        )
        _, value, _, (x, y) = cv2.minMaxLoc(match)
        moved.append((x + _peak(match[y], x) - reach, y + _peak(match[:, x], y) - reach))
        middles.append(((left + right) / 2, (top + bottom) / 2))
        alike.append(value)
    is_found = np.array(alike) > _ALIKE
    if is_found[_PULSES].sum() < 3 or is_found[_ENDS].sum() < 4:
        raise ForeignPage(
            f"three upright lines stand like the separators, but only {is_found[_PULSES].sum()} of 4 calibration "
            f"pulses and {is_found[_ENDS].sum()} of 6 ends of separators are where they should be. {_WHAT_NEXT}"
        )
    points = np.column_stack([np.array(middles), np.ones(len(middles))])
    targets = rough.to_page(np.array(middles) + np.array(moved))
    # a trace that runs through an anchor lowers its likeness and moves it: reweighted least squares (Cauchy, 0.5 px)
    trusted = np.where(is_found, np.array(alike) ** 4, 0.0)
    weights = trusted
    for _ in range(8):
        rows = np.sqrt(weights)[:, None]
        fitted = np.linalg.lstsq(points * rows, targets * rows, rcond=None)[0]
        off = np.hypot(*(points @ fitted - targets).T) / rough.scale
        weights = trusted / (1 + (off / 0.5) ** 2)
    return np.asarray(fitted.T)


def _peak(values: NDArray[Any], at: int) -> float:
    """Where the parabola through a maximum and its neighbours has its top, relative to the maximum."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = (float(value) for value in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend else 0.0


def _levels(bright: NDArray[np.uint8], template: Template, matrix: Matrix) -> tuple[float, float]:
    """Brightness of the separators and of the paper between the rows."""
    layout = Layout(template, matrix, 0.0, 255.0)
    top, bottom = template.separator_rows
    inks, papers = [], []
    for x in template.separators_x:
        strip = resampled(bright, layout, (round(x) - 10, top + 10, round(x) + 11, bottom - 10))
        inks.append(np.median(strip[:, 9:12]))
        papers.append(np.median(strip[:, :4]))
    return float(np.median(inks)), float(np.median(papers))


def _snapped(matrix: Matrix, template: Template) -> Matrix:
    """The map, or a shift by whole pixels where the two agree all over the page."""
    width, height = template.page_px
    shift = np.round(matrix @ (width / 2, height / 2, 1.0) - (width / 2, height / 2))
    plain = np.column_stack([np.eye(2), shift])
    corners = np.array([(x, y, 1.0) for x in (0, width) for y in (0, height)])
    return plain if np.abs(corners @ (matrix - plain).T).max() < _SNAP_PX else matrix


def _check_frame(page: Page, layout: Layout) -> None:
    """Raise unless at least three sides of the frame stand out from what is beside them."""
    green, matrix = _shrunk(np.asarray(cv2.extractChannel(page, 1)), layout.matrix)
    layout = replace(layout, matrix=matrix)
    left, top, right, bottom = (round(edge) for edge in layout.template.frame)
    reach = 12
    profiles = [
        resampled(green, layout, (x - reach, top + 20, x + reach, bottom - 20)).mean(axis=0)
        for x in (left, right)
    ] + [
        resampled(green, layout, (left + 20, y - reach, right - 20, y + reach)).mean(axis=1)
        for y in (top, bottom)
    ]
    needed = 0.08 * max(layout.paper - layout.ink, 1.0)
    sides = sum(_stands_out(profile) > needed for profile in profiles)
    if sides < 3:
        raise ForeignPage(
            f"separators and pulses were found, but no frame around them ({sides} of 4 sides). {_WHAT_NEXT}"
        )


def _stands_out(profile: NDArray[np.float64]) -> float:
    """How much darker the darkest place near a profile's middle is than both its sides."""
    smooth = np.convolve(profile, np.ones(2) / 2, "valid")
    middle = len(smooth) // 2
    at = middle - 4 + int(np.argmin(smooth[middle - 4 : middle + 4]))
    return float(min(smooth[: at - 3].max(), smooth[at + 4 :].max()) - smooth[at])


_TURNS: tuple[tuple[tuple[Callable[[Any], Any], str], ...], ...] = (
    (
        (lambda page: cv2.rotate(page, cv2.ROTATE_180), "lies on its head: turn it by 180 degrees"),
        (lambda page: cv2.flip(page, 1), "is mirrored left to right: scan its printed side"),
        (lambda page: cv2.flip(page, 0), "is mirrored top to bottom: scan its printed side"),
    ),
    (
        (
            lambda page: cv2.rotate(page, cv2.ROTATE_90_CLOCKWISE),
            "lies on its side: turn it by 90 degrees clockwise",
        ),
        (
            lambda page: cv2.rotate(page, cv2.ROTATE_90_COUNTERCLOCKWISE),
            "lies on its side: turn it by 90 degrees anticlockwise",
        ),
    ),
)
"""What sets a page upright, and how it lies: those that leave separators upright, and those that lay them down."""


def _refuse_if_turned(page: Page, bright: NDArray[np.uint8], template: Template) -> None:
    """Raise `TurnedPage` where the page is known, but lies otherwise."""
    for turns in _TURNS:
        set_up, _ = turns[0]
        if next(_first_maps(np.asarray(set_up(bright), np.uint8), template), None) is None:
            continue  # a page without separators has none on its head or in a mirror either
        for set_up, what in turns:
            try:
                _find(np.asarray(set_up(bright), np.uint8), template)
            except ForeignPage:
                continue
            error = TurnedPage(f"this is a page of the known layout, but it {what}.")
            error.upright = np.ascontiguousarray(set_up(page))
            raise error
