"""A whole recording on one picture: rows of a strip chart, beats coloured by class, some of the rare enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from leadwise.names import AAMI, BEAT_COLOURS, BEAT_NAMES
from leadwise.pages.read import Page
from leadwise.serving.overlay import with_lines

_WIDTH, _LEFT, _RIGHT = 1800, 110, 20
_ROW_S, _MOST_ROWS = (10, 20, 30, 60, 120, 240, 600), 32
_ROW_PX, _ROWS_PX = (44, 120), 1400
_FINER = 2  # drawn larger and shrunk, so that lines are smooth
_AROUND_S = (0.22, 0.38)
_EXAMPLES, _EXAMPLE_S, _EXAMPLE_PX, _GAP_PX = 4, 3.2, 230, 14
_HEIGHTS = (0.2, 99.8)  # percentiles of voltage that a row shows whole
_MOST_PX_PER_MV = 150.0
_BACK, _DARK, _INK, _PAPER, _GRID = (
    "white",
    (20, 20, 20),
    (90, 90, 90),
    (255, 250, 248),
    (244, 214, 206),
)  # RGB

_SHADE = (232, 228, 244)  # RGB

Colours = NDArray[np.uint8]


@dataclass(frozen=True)
class _Strip:
    """One lead ``(samples,)`` in mV, its R peaks with their classes and probabilities, and whose beat each sample is.

    `owner` is a beat's number, or the number of beats where a sample is nobody's.
    """

    signal_mv: NDArray[np.floating]
    rate_hz: float
    samples: NDArray[np.integer]
    labels: Sequence[str]
    sure: NDArray[np.floating]
    owner: NDArray[np.int64]

    @cached_property
    def commonest(self) -> str:
        return max(AAMI, key=list(self.labels).count)


def strip_chart(
    signal_mv: NDArray[np.floating],
    rate_hz: float,
    samples: NDArray[np.integer],
    labels: Sequence[str],
    sure: NDArray[np.floating],
    title: str,
    lines: Sequence[str],
    shaded_s: Sequence[tuple[float, float]] = (),
) -> Page:
    """Draw one lead ``(samples,)``, nan where it is unknown, with its R peaks `samples`, each of a class, BGR uint8.

    Of every class but the commonest up to four beats are enlarged, each the one of highest probability (`sure`, one a
    beat) of a quarter of them. `lines` are written beneath; spans of `shaded_s` have a ground of their own.
    """
    owner = _owners(len(signal_mv), rate_hz, samples)
    strip = _Strip(signal_mv, rate_hz, samples, labels, sure, owner)
    parts = [_head(title, labels, len(signal_mv) / rate_hz, bool(shaded_s)), _rows(strip, shaded_s)]
    known = {label for label, at in zip(labels, samples.tolist(), strict=True) if np.isfinite(signal_mv[at])}
    parts += [_enlarged(strip, name) for name in AAMI if name in known and name != strip.commonest]
    return with_lines(np.concatenate(parts)[..., ::-1], lines)


def _owners(length: int, rate_hz: float, samples: NDArray[np.integer]) -> NDArray[np.int64]:
    """Whose beat each sample is, by number; the number of beats where it is nobody's."""
    owner = np.full(length, len(samples), np.int64)
    between = (samples[1:] + samples[:-1]) // 2
    starts = np.maximum(samples - round(_AROUND_S[0] * rate_hz), np.r_[0, between][: len(samples)])
    ends = np.minimum(samples + round(_AROUND_S[1] * rate_hz), np.r_[between, length][: len(samples)])
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        owner[start:end] = number
    return owner


def _head(title: str, labels: Sequence[str], duration_s: float, is_shaded: bool) -> Colours:
    """The title and what the colours mean."""
    head = Image.new("RGB", (_WIDTH, 92), _BACK)
    draw = ImageDraw.Draw(head)
    draw.text((_LEFT, 12), title, font=ImageFont.load_default(30), fill=_DARK)
    scale, small = (
        f"a row is {_row_s(duration_s):g} s; enlarged: grid of 0.2 s by 0.5 mV",
        ImageFont.load_default(20),
    )
    draw.text((_WIDTH - _RIGHT - small.getlength(scale), 20), scale, font=small, fill=_INK)
    x, font = _LEFT, ImageFont.load_default(22)
    for name in AAMI:
        if count := list(labels).count(name):
            text = f"{BEAT_NAMES[name]}: {count}"
            draw.rectangle((x, 60, x + 22, 78), fill=BEAT_COLOURS[name])
            draw.text((x + 30, 54), text, font=font, fill=_DARK)
            x += 70 + round(font.getlength(text))
    if is_shaded:
        draw.rectangle((x, 60, x + 22, 78), fill=_SHADE)
        draw.text((x + 30, 54), "AF or flutter likely", font=font, fill=_DARK)
    return np.asarray(head, np.uint8)


def _rows(strip: _Strip, shaded_s: Sequence[tuple[float, float]]) -> Colours:
    """The whole signal, row by row, its time at the left."""
    duration_s = len(strip.signal_mv) / strip.rate_hz
    row_s = _row_s(duration_s)
    count = int(np.ceil(duration_s / row_s))
    height = int(np.clip(_ROWS_PX // count, *_ROW_PX))
    low, high = np.nanpercentile(strip.signal_mv, _HEIGHTS)
    px_per_mv = min(0.95 * height / max(high - low, 0.1), _MOST_PX_PER_MV)
    canvas = _canvas(count * height)
    samples = round(row_s * strip.rate_hz)
    for row in range(count):
        _shade(canvas, shaded_s, (row * row_s, row_s), (row * height, (row + 1) * height))
    for row in range(count):
        at = np.arange(row * samples, min((row + 1) * samples, len(strip.signal_mv)))
        ys = (row + 0.5) * height - (strip.signal_mv[at] - (low + high) / 2) * px_per_mv
        xs = _LEFT + (at - row * samples) * (_WIDTH - _LEFT - _RIGHT) / samples
        _trace(canvas, strip, at, xs, ys, (row - 0.2) * height, (row + 1.2) * height, strip.commonest)
    times = [(24.0, (row + 0.5) * height - 11, _clock(row * row_s), _DARK) for row in range(count)]
    return _written(canvas, times, 18)


def _shade(
    canvas: Colours, shaded_s: Sequence[tuple[float, float]], row_s: tuple[float, float], ys: tuple[int, int]
) -> None:
    """The ground of what of some spans lies in one row, which begins at a time and is so long."""
    begin, length = row_s
    px_per_s = (_WIDTH - _LEFT - _RIGHT) / length
    for start, end in shaded_s:
        low, high = (_LEFT + np.clip(at - begin, 0, length) * px_per_s for at in (start, end))
        canvas[ys[0] * _FINER : ys[1] * _FINER, round(low * _FINER) : round(high * _FINER)] = _SHADE


def _row_s(duration_s: float) -> float:
    return next((row_s for row_s in _ROW_S if duration_s <= _MOST_ROWS * row_s), duration_s / _MOST_ROWS)


def _trace(
    canvas: Colours, strip: _Strip, at: NDArray[np.integer], xs: NDArray[np.floating], ys: NDArray[np.floating],
    top: float, bottom: float, thin: str = "",
) -> None:  # fmt: skip
    """Draw samples, each beat in its colour; those of the class `thin`, and what is nobody's, are thin."""
    part_top = max(int(top * _FINER), 0)
    part = canvas[part_top : int(bottom * _FINER)]
    known = np.isfinite(ys)
    owner = np.where(known, strip.owner[at], -1)
    points = (
        np.stack([xs * _FINER, np.where(known, ys, 0) * _FINER - part_top], axis=1).round().astype(np.int32)
    )
    edges = [0, *(np.flatnonzero(np.diff(owner)) + 1).tolist(), len(owner)]
    for start, end in pairwise(edges):
        if known[start:end].any():
            name = strip.labels[owner[start]] if owner[start] < len(strip.labels) else ""
            colour = ImageColor.getrgb(BEAT_COLOURS[name]) if name else _INK
            reach = end + (end < len(owner) and bool(known[end]))  # to where the next one begins
            cv2.polylines(part, [points[start:reach]], False, colour, _FINER + (name not in ("", thin)))


def _enlarged(strip: _Strip, name: str) -> Colours:
    """The surest beat of each quarter of one class side by side on ECG paper, their neighbours with them."""
    canvas = _canvas(_EXAMPLE_PX + 44)
    width, top = (_WIDTH - _LEFT - _RIGHT - (_EXAMPLES - 1) * _GAP_PX) // _EXAMPLES, 34
    samples = round(_EXAMPLE_S * strip.rate_hz)
    texts: list[_Text] = []
    known = np.isfinite(strip.signal_mv[strip.samples])
    quarters = np.array_split(np.flatnonzero((np.array(strip.labels) == name) & known), _EXAMPLES)
    chosen = [int(part[strip.sure[part].argmax()]) for part in quarters if len(part)]
    for place, beat in enumerate(chosen):
        left = _LEFT + place * (width + _GAP_PX)
        first = int(strip.samples[beat]) - samples // 2
        at = np.arange(max(first, 0), min(first + samples, len(strip.signal_mv)))
        part_mv = strip.signal_mv[at]
        low, high = np.nanmin(part_mv), np.nanmax(part_mv)
        px_per_mv = min(0.72 * _EXAMPLE_PX / max(high - low, 0.1), _MOST_PX_PER_MV)
        ys = top + 0.57 * _EXAMPLE_PX - (part_mv - (low + high) / 2) * px_per_mv
        _paper(canvas, (left, left + width), (top, top + _EXAMPLE_PX), width / _EXAMPLE_S, px_per_mv)
        _trace(canvas, strip, at, left + (at - first) * width / samples, ys, top, top + _EXAMPLE_PX)
        when = _clock(strip.samples[beat] / strip.rate_hz)
        texts.append((left, 8, f"{name} at {when}, probability {strip.sure[beat]:.2f}", BEAT_COLOURS[name]))
        for near in np.flatnonzero((strip.samples > first) & (strip.samples < first + samples)).tolist():
            x = left + (int(strip.samples[near]) - first) * width / samples - 7
            texts.append((x, top + 2, strip.labels[near], BEAT_COLOURS[strip.labels[near]]))
    return _written(canvas, texts, 20)


def _paper(
    canvas: Colours, xs: tuple[int, int], ys: tuple[int, int], px_per_s: float, px_per_mv: float
) -> None:
    """ECG paper with lines every 0.2 s and 0.5 mV."""
    (left, right), (top, bottom) = xs, ys
    part = canvas[top * _FINER : bottom * _FINER, left * _FINER : right * _FINER]
    part[:] = _PAPER
    for x in np.arange(0, right - left, 0.2 * px_per_s):
        part[:, round(x * _FINER) : round(x * _FINER) + _FINER] = _GRID
    for y in np.arange(bottom - top, 0, -0.5 * px_per_mv):
        part[round(y * _FINER) - _FINER : round(y * _FINER)] = _GRID


def _canvas(height: int) -> Colours:
    return np.full((height * _FINER, _WIDTH * _FINER, 3), 255, np.uint8)


_Text = tuple[float, float, str, str | tuple[int, int, int]]


def _written(canvas: Colours, texts: Sequence[_Text], size: int) -> Colours:
    """What was drawn, shrunk, with texts at ``(x, y)`` in their colours."""
    shown = Image.fromarray(
        cv2.resize(canvas, None, fx=1 / _FINER, fy=1 / _FINER, interpolation=cv2.INTER_AREA)
    )
    write, font = ImageDraw.Draw(shown), ImageFont.load_default(size)
    for x, y, text, colour in texts:
        write.text((x, y), text, font=font, fill=colour)
    return np.asarray(shown, np.uint8)


def _clock(seconds: float) -> str:
    """Minutes and seconds, from an hour on with hours before them."""
    minutes, rest = int(seconds // 60), int(seconds % 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
