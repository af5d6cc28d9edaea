"""Where each millimetre of a bent sheet lies in its photograph: the grid's own waves, followed over the whole page.

A printed grid is a wave of 5 mm in each of two directions, with overtones where its lines are thin. A photograph
bends it. The two waves are found in the spectrum of small pieces, where bending is slight; then the picture is
multiplied by the wave that was expected, and what is left turns slowly: its angle tells how far the paper lies from
where it was expected (demodulation, as of fringes in interferometry). Angles are unwrapped from the clearest place
outwards, and overtones make the place finer. Ink is masked, since it pulls a wave as a line does: with it places near
a trace were wrong by 0.7 mm on drawn photographs (90th percentile), without it by 0.05 mm.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.pages.read import Page
from leadwise.pages.waves import BOX, TILE_PX, Pixels, Values, levelled, waves_of

CELL_MM = 5.0
"""Between the stronger lines of a grid."""

_SIDE_PX = 2000  # photographs are looked at in at most this size
_STROKE_PX = 9  # wider than any stroke of ink
# ink is darker than the lines of the grid around it, which at this size reach twice their mean on photographs
_LINE_CELLS, _AS_LINES, _LEAST_DARK, _DARKEST_LINE = 0.04, 2.1, 0.12, 0.6
_AS_DOTS = 1.1  # a line of dots is as dark as they are, three times its mean
# before lines are found: so many times as dark as all that lies around is ink. Without this the rows of a page of
# twelve were taken for lines of a grid, and so was the grain of a table
_AS_MOST = 9.0
_NODE_MM = 3.0
_SIGMA_CELLS = 1.1  # of the first filter: it sees one wave alone, and follows 15 % of perspective
_MOST_PASSES, _GROWS, _LEAST_NODES = 6, 1.02, 30
_CLEAR, _MOST_STEP = 0.36, 0.2  # of the clearest nodes, or it is a table's grain; cells from node to node
_MOST_CARRIED = 2  # nodes
_AROUND_SEED = 15  # nodes: a sheet is clear so far around, a table was at fewer (5 of 180 drawn photographs)
_UNEVEN = 0.15  # cells: how far paper lies beside a cubic surface
_USUAL_BEND = {0: 1e3, 1: 1e3, 2: 6.0, 3: 1.0}  # cells at the picture's edge, of its terms by their order
_OVERTONES = (1, 2, 3, 4, 5)
# orders of overtones, widths of the filter and of what smooths its answer, in cells and in nodes
_FINER = (
    ((1, 2), 0.9, 0.7), (_OVERTONES, 0.7, 0.8), (_OVERTONES, 0.7, 0.8), (_OVERTONES, 0.6, 0.8)
)  # fmt: skip
_SURE = 0.3  # cells: what is further off is not this line
# 10 grids of lines had 9.9 at least, 6 of dots 2.4, two kinds of noise and 3 pages without a grid 1.6 at most
_LEAST_OVERTONE = 2.0
# Width of the filter; nodes within 0.1 mm of their place show 0.6 of what most do at least, a table 0.4 at most.
_GRID_CELLS, _NO_GRID, _A_GRID = 0.6, 0.5, 0.85
_HIDDEN = 3  # nodes to all sides
_REACH = 1.5  # nodes: what tells how a sheet goes on
_FAR, _LEVEL = 0.02, 0.05  # weight of what lies further away; how much planes through nodes are held level
_LEAST_PAPER = 0.3  # of a node's surroundings, by which what is seen beside ink is made up to the whole
_STEP_MM = 2.5  # between the nodes of the answer
_ON_PLANE_MM, _MARGIN_MM = 0.5, 15.0


@dataclass(frozen=True)
class Field:
    """Where nodes of paper, `_STEP_MM` apart, lie in the picture: ``(rows, columns, 2)`` x and y in pixels.

    `clear` ``(rows, columns)`` says where a grid was followed, or shows: between such nodes is paper, beyond them a
    table.

    `bent_mm` is how far nodes lie from a flat, evenly scaled sheet (95th percentile).
    """

    nodes_px: Values
    clear: NDArray[np.bool_]
    bent_mm: float

    def size_px(self, px_per_mm: float) -> tuple[int, int]:
        """Width and height of the sheet laid flat."""
        rows, columns = self.nodes_px.shape[:2]
        step = _STEP_MM * px_per_mm
        return int((columns - 1) * step) + 1, int((rows - 1) * step) + 1


def find_field(page: Page) -> Field | None:
    """The field of a photographed page, BGR uint8; None where no grid is found or followed."""
    shrink = min(1.0, _SIDE_PX / max(page.shape[:2]))
    small = page
    if shrink < 1:
        small = np.asarray(
            cv2.resize(page, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
    grey = small.mean(axis=2, dtype=np.float32)
    if min(grey.shape) < TILE_PX:
        return None
    dark = _dark(small)
    ink = dark > np.maximum(_AS_MOST * _around(np.asarray(np.minimum(dark, _DARKEST_LINE))), _LEAST_DARK)
    ink = _widened(ink)
    flat = levelled(grey, ink)
    waves = waves_of(flat)
    cell_px = float(1 / np.hypot(*waves.T).mean())
    follow = _Follower(flat, ~ink, cell_px)
    # what is clear tells the shape, by which more of the page gets clear
    expected, most = follow.plane(waves), 0
    for _ in range(_MOST_PASSES):
        turned, clear = follow.unwrapped(expected, _SIGMA_CELLS)
        if clear.sum() < _LEAST_NODES:
            return None
        if clear.sum() < _GROWS * most:
            break
        most = int(clear.sum())
        expected = follow.polynomial(expected + turned, clear)
    turned, clear = follow.unwrapped(expected, 1.0)
    place = expected + _smoothed(turned, clear, 0.7)
    ink = _ink(dark, follow.dense(place))
    follow = _Follower(levelled(grey, ink), ~ink, cell_px)
    turned, clear = follow.unwrapped(expected, 1.0)
    if clear.sum() < _LEAST_NODES:
        return None
    place = expected + _smoothed(turned, clear, 0.7)
    for orders, sigma, smooth in _FINER:
        seen = follow
        if orders is _OVERTONES:
            shows = follow.shows_grid(place, clear)
            place = follow.gone_on(place, shows)
            table = _beyond(shows, ink.shape)
            seen = _Follower(levelled(grey, ink | table), ~(ink | table), cell_px)
        off, weight = seen.off(place, orders, sigma)
        place = place + _smoothed(off, weight * (np.abs(off).max(axis=0) < _SURE), smooth)
    if follow.overtone(place, clear) <= _LEAST_OVERTONE:
        return None
    return follow.field(place, clear, shows, shrink)


def _dark(page: Page) -> Values:
    """How dark thin strokes are beside what lies around them, 0 to 1."""
    lightest = page.max(axis=2)
    around = cv2.morphologyEx(lightest, cv2.MORPH_CLOSE, np.ones((_STROKE_PX, _STROKE_PX), np.uint8))
    return np.asarray(1 - lightest / np.maximum(around, 1), np.float32)


def _around(values: NDArray[Any]) -> Values:
    """Their mean in the neighbourhood of each pixel."""
    return np.asarray(cv2.boxFilter(values, -1, (round(4 * BOX * max(values.shape)) | 1,) * 2), np.float32)


def _widened(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _ink(dark: Values, cells: Values) -> NDArray[np.bool_]:
    """Strokes that are darker than the grid's lines around, which lie where `cells` ``(2, ...)`` are whole."""
    lines = np.asarray((np.abs(cells - np.round(cells)) < _LINE_CELLS).any(axis=0), np.float32)
    on_lines = np.asarray(np.minimum(dark, _DARKEST_LINE) * lines)
    total = _around(on_lines)
    usual = total / np.maximum(_around(lines), 0.01)
    of_dots = _around(np.asarray(on_lines * on_lines)) / np.maximum(total, 0.01)
    return _widened(dark > np.maximum(np.maximum(_AS_LINES * usual, _AS_DOTS * of_dots), _LEAST_DARK))


class _Follower:
    """A picture that is demodulated at nodes, `step` pixels apart; places are ``(2, rows, columns)`` in cells."""

    def __init__(self, picture: Values, paper: NDArray[np.bool_], cell_px: float) -> None:
        step = max(4, round(_NODE_MM / CELL_MM * cell_px))
        self.picture, self.step, self.cell_px = picture, step, cell_px
        self.paper = paper.astype(np.float32)
        height, width = picture.shape
        self.y, self.x = np.mgrid[step // 2 : height : step, step // 2 : width : step].astype(np.float64)

    def plane(self, waves: Pixels) -> Pixels:
        return np.asarray(waves[:, 0, None, None] * self.x + waves[:, 1, None, None] * self.y)

    def dense(self, place: Pixels) -> Values:
        """Of every pixel, from nodes."""
        height, width = self.picture.shape
        move = np.array([[self.step, 0, self.x[0, 0]], [0, self.step, self.y[0, 0]]])
        return np.stack(
            [
                cv2.warpAffine(
                    each, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
                )
                for each in place.astype(np.float32)
            ]
        )

    def waves(self, dense: Values, order: float, sigma_cells: float) -> NDArray[np.complex64]:
        """What is left of a wave or its overtone at nodes, ``(2, rows, columns)``, beside the `dense` places."""
        sigma = sigma_cells * self.cell_px
        share = np.maximum(self._at_nodes(self.paper, sigma), _LEAST_PAPER)
        out = []
        for axis in range(2):
            turn = (-2 * math.pi * order) * dense[axis]
            real, imaginary = (self._at_nodes(part, sigma) for part in cv2.polarToCart(self.picture, turn))
            out.append((real + 1j * imaginary) / share)
        return np.stack(out).astype(np.complex64)

    def _at_nodes(self, values: NDArray[Any], sigma: float) -> Values:
        """A picture's mean around each node: first to a third of their distance, by areas, and then the filter."""
        third = max(1, self.step // 3)
        size = (values.shape[1] // third, values.shape[0] // third)
        cut = values[: size[1] * third, : size[0] * third]
        smooth = cv2.GaussianBlur(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), (0, 0), sigma / third)
        x, y = (((place + 0.5) / third - 0.5).astype(np.float32) for place in (self.x, self.y))
        found = cv2.remap(smooth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32)

    def overtone(self, place: Pixels, clear: NDArray[np.bool_]) -> float:
        """How high the wave of 1 mm stands beside waves that no grid has; its place is told by those of 5 mm."""
        dense = self.dense(place)
        height, lower, upper = (
            float(np.median(np.abs(self.waves(dense, order, 0.9)).min(axis=0)[clear]))
            for order in (5, 4.5, 5.5)
        )
        return 2 * height / max(lower + upper, 1e-9)

    def unwrapped(self, expected: Pixels, sigma_cells: float) -> tuple[Pixels, NDArray[np.bool_]]:
        """How many cells nodes lie beside where they were expected, and which of them tell it."""
        left = self.waves(self.dense(expected), 1, sigma_cells)
        height = np.abs(left)
        quality = height.min(axis=0)  # wood has a grain, but no lines across it
        quality /= max(float(np.quantile(quality, 0.9)), 1e-9)
        turn = np.angle(left) / (2 * math.pi)
        return _unwrap(np.asarray(turn, np.float64), np.asarray(quality, np.float64))

    def off(self, place: Pixels, orders: tuple[int, ...], sigma_cells: float) -> tuple[Pixels, Pixels]:
        """How far beside `place` nodes lie, by all overtones, each as much as it is clear."""
        dense = self.dense(place)
        total, weights = np.zeros(place.shape), np.zeros(place.shape)
        for order in orders:
            left = self.waves(dense, order, sigma_cells)
            weight = (np.abs(left) * order) ** 2
            total += weight * np.angle(left) / (2 * math.pi * order)
            weights += weight
        return total / (weights + 1e-9), np.sqrt(weights)

    def shows_grid(self, place: Pixels, clear: NDArray[np.bool_]) -> Pixels:
        """How much of what is seen around nodes is the grid, of what most that are clear show: 0 to 1.

        Beyond the paper's edge a table has waves as high, but none that stand where a grid's do.
        """
        dense = self.dense(place)
        sigma = _GRID_CELLS * self.cell_px
        waves = [np.abs(self.waves(dense, order, _GRID_CELLS)) ** 2 for order in _OVERTONES]
        share = np.sum(waves, axis=0).min(axis=0) / np.maximum(self._at_nodes(self.picture**2, sigma), 1e-9)
        share /= np.median(share[clear])
        shows = np.clip((share - _NO_GRID) / (_A_GRID - _NO_GRID), 0, 1)
        # ink and folds hide a grid, too, but around them it is seen
        around = np.ones((2 * _HIDDEN + 1,) * 2, np.uint8)
        return np.asarray(cv2.morphologyEx(shows, cv2.MORPH_CLOSE, around))

    def gone_on(self, place: Pixels, known: Pixels) -> Pixels:
        """Places where they are `known`, 0 to 1, and beyond that as the nearest known ones go on."""
        usual = self.polynomial(place, known > 0.5)
        return np.asarray(known * place + (1 - known) * (usual + _smoothed(place - usual, known, _REACH)))

    def polynomial(self, place: Pixels, clear: NDArray[np.bool_]) -> Pixels:
        """The cubic of x and y that runs near clear nodes, as flat as these allow."""
        height, width = self.picture.shape
        x, y = self.x / width * 2 - 1, self.y / height * 2 - 1
        powers = [(i, j) for i in range(4) for j in range(4 - i)]
        terms = np.stack([x**i * y**j for i, j in powers])
        uneven = _UNEVEN * math.sqrt(clear.sum() / 30)
        matrix = terms[:, clear].T / uneven
        prior = np.diag([1 / _USUAL_BEND[i + j] for i, j in powers])
        out = []
        for axis in range(2):
            values = place[axis][clear] / uneven
            solution = np.linalg.lstsq(
                np.vstack([matrix, prior]), np.concatenate([values, np.zeros(len(powers))]), rcond=None
            )[0]
            out.append(np.tensordot(solution, terms, 1))
        return np.stack(out)

    def field(self, place: Pixels, clear: NDArray[np.bool_], shows: Pixels, shrink: float) -> Field:
        """Nodes of paper in pixels of the page."""
        whole = np.floor(np.array([part[clear].min() for part in place]))
        ends = np.ceil(np.array([part[clear].max() for part in place]))
        per_cell = round(CELL_MM / _STEP_MM)
        v, u = np.mgrid[whole[1] : ends[1] + 1e-6 : 1 / per_cell, whole[0] : ends[0] + 1e-6 : 1 / per_cell]
        wanted = np.stack([u, v])
        # a flat sheet first, then what it is off, again and again
        matrix = np.stack([np.ones(clear.sum()), place[0][clear], place[1][clear]], axis=1)
        flat = [np.linalg.lstsq(matrix, part[clear], rcond=None)[0] for part in (self.x, self.y)]
        at = np.stack([one[0] + one[1] * u + one[2] * v for one in flat])
        start = at.copy()
        slope = np.array([one[1:] for one in flat])
        small = place.astype(np.float32)
        for _ in range(12):
            column = ((at[0] - self.x[0, 0]) / self.step).astype(np.float32)
            row = ((at[1] - self.y[0, 0]) / self.step).astype(np.float32)
            rows, columns = self.x.shape
            inside_c, inside_r = np.clip(column, 0, columns - 1), np.clip(row, 0, rows - 1)
            there = np.stack([cv2.remap(part, inside_c, inside_r, cv2.INTER_LINEAR) for part in small])
            # beyond the nodes the sheet goes on as if flat
            beyond = np.stack([(column - inside_c) * self.step, (row - inside_r) * self.step])
            there = there + np.tensordot(np.linalg.inv(slope), beyond, 1)
            at = at + np.tensordot(slope, wanted - there, 1)
        pixel_mm = CELL_MM / self.cell_px
        nodes = (np.moveaxis(at, 0, 2) + 0.5) / shrink - 0.5
        inside, shown = (
            cv2.remap(each, column, row, cv2.INTER_LINEAR) > 0.5
            for each in (clear.astype(np.float32), shows.astype(np.float32))
        )
        paper = _filled(inside) | shown
        bent = float(np.quantile(np.hypot(*(at - start))[paper], 0.95)) * pixel_mm if paper.any() else 0.0
        return Field(nodes.astype(np.float32), paper, bent)


def _filled(clear: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Clear nodes and those that they enclose, in rows and columns."""
    along = [np.logical_or.accumulate(clear, axis) for axis in (0, 1)]
    back = [np.flip(np.logical_or.accumulate(np.flip(clear, axis), axis), axis) for axis in (0, 1)]
    return np.asarray((along[0] & back[0]) & (along[1] & back[1]))


def _unwrap(turn: Pixels, quality: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
    """Turns ``(2, rows, columns)`` without their jumps, from the clearest node outwards, and which were reached."""
    rows, columns = quality.shape
    out = np.zeros(turn.shape)
    done = np.zeros(quality.shape, np.bool_)
    # beside what was masked on a table a few nodes may be the clearest of all; a sheet is clear far around
    around = cv2.blur(np.minimum(quality, 1).astype(np.float32), (_AROUND_SEED,) * 2)
    seed = np.unravel_index(int(around.argmax()), quality.shape)
    # what is known goes on over a few nodes that are not clear, as a row of ink is, after all clear ones were reached
    queue = [(-1.0, int(seed[0]), int(seed[1]), 0, *turn[:, seed[0], seed[1]])]
    least_carried = np.full(quality.shape, _MOST_CARRIED + 1)
    while queue:
        _, row, column, carried, *known = heapq.heappop(queue)
        if done[row, column] or carried >= least_carried[row, column]:
            continue
        step = turn[:, row, column] - known
        step -= np.round(step)
        here = known
        if quality[row, column] > _CLEAR and np.abs(step).max() <= _MOST_STEP:
            done[row, column] = True
            out[:, row, column] = here = known + step
            carried = 0
        elif carried == _MOST_CARRIED:
            continue
        else:
            carried += 1
            least_carried[row, column] = carried
        for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= r < rows and 0 <= c < columns and not done[r, c]:
                heapq.heappush(queue, (carried - min(quality[r, c], 0.999), r, c, carried, *here))
    return out, done


def _beyond(shows: Pixels, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels around nodes that show no grid."""
    size = (shape[1], shape[0])
    return np.asarray(cv2.resize(shows.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) < 0.5)


def _smoothed(values: Pixels, weight: NDArray[Any], sigma: float) -> Pixels:
    """Planes through values near each node, weighed by how clear these are, and a little by what lies further away.

    Means would not do: where a sheet ends all that is known lies to one side, and ends of traces were off by 1 mm.
    """
    y, x = np.mgrid[: values.shape[1], : values.shape[2]].astype(float)

    def around(each: NDArray[Any]) -> Pixels:
        near, far = (
            cv2.GaussianBlur(each, (0, 0), reach, borderType=cv2.BORDER_CONSTANT)
            for reach in (sigma, 4 * sigma)
        )
        return np.asarray(near + _FAR * far)

    out = np.zeros(values.shape)
    for axis, each in enumerate(np.broadcast_to(weight, values.shape).astype(float)):
        w = each**2
        total = around(w) + 1e-3 * _FAR * (np.quantile(w, 0.9) + 1e-12)
        mean, mean_x, mean_y = (around(w * part) / total for part in (values[axis], x, y))
        xx, yy = (
            around(w * part**2) / total - at**2 + _LEVEL * sigma**2 for part, at in ((x, mean_x), (y, mean_y))
        )
        xy = around(w * x * y) / total - mean_x * mean_y
        vx, vy = (
            around(w * part * values[axis]) / total - at * mean for part, at in ((x, mean_x), (y, mean_y))
        )
        size = np.maximum(xx * yy - xy**2, 1e-9)
        slopes = (vx * yy - vy * xy) / size, (vy * xx - vx * xy) / size
        out[axis] = mean + slopes[0] * (x - mean_x) + slopes[1] * (y - mean_y)
    return out


def rectified(page: Page, field: Field, px_per_mm: float) -> tuple[Page, Values, NDArray[np.bool_]]:
    """The sheet at one scale, for each of its pixels where it lies on the page, and whether that is paper."""
    step, size = _STEP_MM * px_per_mm, field.size_px(px_per_mm)
    move = np.array([[step, 0, 0], [0, step, 0]], float)
    maps = cv2.warpAffine(field.nodes_px, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    picture = cv2.remap(page, maps[..., 0], maps[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    paper = cv2.warpAffine(field.clear.astype(np.float32), move, size, flags=cv2.INTER_LINEAR) > 0.5
    return np.asarray(picture, np.uint8), np.asarray(maps, np.float32), np.asarray(paper)


def as_plane(page: Page, field: Field, px_per_mm: float) -> Page:
    """The page as if its sheet were a plane, seen from straight above, with some of what lies around it.

    The plane runs through most nodes: what few of them are off, or all a little, bends nothing.
    """
    rows, columns = field.clear.shape
    step, margin = _STEP_MM * px_per_mm, _MARGIN_MM * px_per_mm
    flat = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) * step + margin
    found, _ = cv2.findHomography(
        field.nodes_px[field.clear],
        flat[field.clear].astype(np.float32),
        cv2.USAC_MAGSAC,
        _ON_PLANE_MM * px_per_mm,
    )
    if found is None:
        return page
    width, height = (int(across * step + 2 * margin) for across in (columns, rows))
    seen = cv2.warpPerspective(
        page, found, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(seen, np.uint8)


def looked_up(places: Values, points: NDArray[np.floating]) -> Values:
    """Where points ``(n, 2)`` of a rectified sheet lie on the page, by what `rectified` gave with it."""
    at = np.asarray(points, np.float32)[:, None]
    there = cv2.remap(places, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(there[:, 0], np.float32)


def middle(field: Field) -> tuple[float, float, float]:
    """Pixels a millimetre across and down, and how far the sheet is turned clockwise, in the median."""
    across, down = np.diff(field.nodes_px, axis=1) / _STEP_MM, np.diff(field.nodes_px, axis=0) / _STEP_MM
    x, y = (float(np.median(np.hypot(each[..., 0], each[..., 1]))) for each in (across, down))
    return x, y, float(np.degrees(np.median(np.arctan2(across[..., 1], across[..., 0]))))
