"""A whole recording on one picture: rows of a strip chart, beats coloured by class, some of the rare enlarged."""

from __future__ import annotations

from collections.abc import Sequence

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
_BACK, _INK, _PAPER, _GRID = (255, 255, 255), (90, 90, 90), (255, 250, 248), (244, 214, 206)  # RGB

Colours = NDArray[np.uint8]


def strip_chart(
    signal_mv: NDArray[np.floating],
    rate_hz: float,
    samples: NDArray[np.integer],
    labels: Sequence[str],
    sure: NDArray[np.floating],
    title: str,
    lines: Sequence[str],
) -> Page:
    """Draw one lead ``(samples,)``, nan where it is unknown, with its R peaks `samples`, each of a class, BGR uint8.

    Of every class but the commonest up to four beats are enlarged, each the one of highest probability (`sure`, one a
    beat) of a quarter of them. `lines` are written beneath.
    """
    owner = _owners(len(signal_mv), rate_hz, samples)
    palette = _palette(labels)
    colours = palette[owner]
    bold = np.r_[[name != _commonest(labels) for name in labels], False][owner]
    parts = [_head(title, labels, len(signal_mv) / rate_hz), _rows(signal_mv, rate_hz, colours, bold)]
    for name in AAMI:
        if name in labels and name != _commonest(labels):
            chosen = _examples(np.flatnonzero(np.array(labels) == name), sure)
            parts.append(_enlarged(signal_mv, rate_hz, samples, labels, sure, chosen, colours))
    whole = np.concatenate(parts)
    return with_lines(np.asarray(cv2.cvtColor(whole, cv2.COLOR_RGB2BGR), np.uint8), lines)


def _commonest(labels: Sequence[str]) -> str:
    return max(AAMI, key=list(labels).count)


def _palette(labels: Sequence[str]) -> Colours:
    """A colour a beat, and last that of what belongs to none, RGB."""
    return np.array([*(ImageColor.getrgb(BEAT_COLOURS[name]) for name in labels), _INK], np.uint8)


def _owners(length: int, rate_hz: float, samples: NDArray[np.integer]) -> NDArray[np.int64]:
    """Whose beat each sample is, by number; the number of beats where it is nobody's."""
    owner = np.full(length, len(samples), np.int64)
    between = (samples[1:] + samples[:-1]) // 2
    starts = np.maximum(samples - round(_AROUND_S[0] * rate_hz), np.r_[0, between][: len(samples)])
    ends = np.minimum(samples + round(_AROUND_S[1] * rate_hz), np.r_[between, length][: len(samples)])
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        owner[start:end] = number
    return owner


def _head(title: str, labels: Sequence[str], seconds: float) -> Colours:
    """The title and what the colours mean."""
    head = Image.new("RGB", (_WIDTH, 92), _BACK)
    draw = ImageDraw.Draw(head)
    draw.text((_LEFT, 12), title, font=ImageFont.load_default(30), fill=(20, 20, 20))
    told, small = (
        f"a row is {_row_s(seconds):g} s; enlarged: grid of 0.2 s by 0.5 mV",
        ImageFont.load_default(20),
    )
    draw.text((_WIDTH - _RIGHT - small.getlength(told), 20), told, font=small, fill=_INK)
    x, font = _LEFT, ImageFont.load_default(22)
    for name in AAMI:
        if many := list(labels).count(name):
            text = f"{BEAT_NAMES[name]}: {many}"
            draw.rectangle((x, 60, x + 22, 78), fill=BEAT_COLOURS[name])
            draw.text((x + 30, 54), text, font=font, fill=(20, 20, 20))
            x += 70 + round(font.getlength(text))
    return np.asarray(head, np.uint8)


def _rows(
    signal_mv: NDArray[np.floating], rate_hz: float, colours: Colours, bold: NDArray[np.bool_]
) -> Colours:
    """The whole signal, row by row, its time at the left."""
    seconds = len(signal_mv) / rate_hz
    row_s = _row_s(seconds)
    count = int(np.ceil(seconds / row_s))
    height = int(np.clip(_ROWS_PX // count, *_ROW_PX))
    low, high = np.nanpercentile(signal_mv, _HEIGHTS)
    scale = min(0.95 * height / max(high - low, 0.1), _MOST_PX_PER_MV)
    drawn = np.full((count * height * _FINER, _WIDTH * _FINER, 3), _BACK, np.uint8)
    each = round(row_s * rate_hz)
    for row in range(count):
        part = slice(row * each, (row + 1) * each)
        middle = (row + 0.5) * height + (low + high) / 2 * scale
        _trace(
            drawn, signal_mv[part], colours[part], bold[part], (_LEFT, _WIDTH - _RIGHT), each, middle, scale,
            (int(row * height - 0.2 * height), int((row + 1.2) * height)),
        )  # fmt: skip
    shown = Image.fromarray(
        cv2.resize(drawn, None, fx=1 / _FINER, fy=1 / _FINER, interpolation=cv2.INTER_AREA)
    )
    write, font = ImageDraw.Draw(shown), ImageFont.load_default(18)
    for row in range(count):
        write.text((24, (row + 0.5) * height - 11), _clock(row * row_s), font=font, fill=(20, 20, 20))
    return np.asarray(shown, np.uint8)


def _row_s(seconds: float) -> float:
    return next((each for each in _ROW_S if seconds <= _MOST_ROWS * each), seconds / _MOST_ROWS)


def _trace(
    drawn: Colours, signal_mv: NDArray[np.floating], colours: Colours, bold: NDArray[np.bool_],
    ends: tuple[int, int], samples: int, middle: float, scale: float, clip: tuple[int, int],
) -> None:  # fmt: skip
    """Draw a signal between two columns: a vertical line a column, from its lowest to its highest there."""
    first, last = (_FINER * end for end in ends)
    columns = first + np.arange(len(signal_mv)) * (last - first) // samples
    ys = np.clip(middle - signal_mv * scale, *clip) * _FINER
    known = np.isfinite(ys)
    columns, ys, colours, bold = columns[known], ys[known], colours[known], bold[known]
    if not len(ys):
        return
    edges = np.flatnonzero(np.diff(columns, prepend=-1))
    tops, bottoms = np.minimum.reduceat(ys, edges), np.maximum.reduceat(ys, edges)
    before = ys[np.maximum(edges - 1, 0)]
    # each column begins where the one before ended, unless a gap lies between
    joined = np.diff(columns[edges], prepend=-9) <= max(2, (last - first) // samples + 1)
    tops = np.where(joined, np.minimum(tops, before), tops)
    bottoms = np.where(joined, np.maximum(bottoms, before), bottoms)
    wide = max(1, (last - first) // samples)
    for column, top, bottom, at in zip(
        columns[edges].tolist(), tops.tolist(), bottoms.tolist(), edges.tolist(), strict=True
    ):
        thick = _FINER + (1 if bold[at] else 0)
        drawn[max(int(top) - thick // 2, 0) : int(bottom) + thick, column : column + wide + thick - 1] = (
            colours[at]
        )


def _examples(beats: NDArray[np.intp], sure: NDArray[np.floating]) -> list[int]:
    """The surest of each quarter of some beats."""
    return [int(part[sure[part].argmax()]) for part in np.array_split(beats, _EXAMPLES) if len(part)]


def _enlarged(
    signal_mv: NDArray[np.floating], rate_hz: float, samples: NDArray[np.integer], labels: Sequence[str],
    sure: NDArray[np.floating], chosen: Sequence[int], colours: Colours,
) -> Colours:  # fmt: skip
    """Some beats of one class side by side on ECG paper, their neighbours with them."""
    drawn = np.full(((_EXAMPLE_PX + 44) * _FINER, _WIDTH * _FINER, 3), _BACK, np.uint8)
    wide = (_WIDTH - _LEFT - _RIGHT - (_EXAMPLES - 1) * _GAP_PX) // _EXAMPLES
    each = round(_EXAMPLE_S * rate_hz)
    texts: list[tuple[float, float, str, str]] = []
    for place, beat in enumerate(chosen):
        left, top = _LEFT + place * (wide + _GAP_PX), 34
        first = int(samples[beat]) - each // 2
        at = np.clip(np.arange(first, first + each), 0, len(signal_mv) - 1)
        part = np.where(np.arange(first, first + each) == at, signal_mv[at], np.nan)
        low, high = np.nanmin(part), np.nanmax(part)
        scale = min(0.72 * _EXAMPLE_PX / max(high - low, 0.1), _MOST_PX_PER_MV)
        middle = top + 0.57 * _EXAMPLE_PX + (low + high) / 2 * scale
        _paper(drawn, (left, left + wide), (top, top + _EXAMPLE_PX), wide / _EXAMPLE_S, scale)
        _trace(
            drawn, part, colours[at], np.ones(each, bool), (left, left + wide), each, middle, scale,
            (top, top + _EXAMPLE_PX),
        )  # fmt: skip
        texts.append(
            (
                left,
                8,
                f"{labels[beat]} at {_clock(samples[beat] / rate_hz)}, probability {sure[beat]:.2f}",
                labels[beat],
            )
        )
        near = np.flatnonzero((samples > first) & (samples < first + each))
        texts += [
            (left + (int(samples[one]) - first) * wide / each - 7, top + 2, labels[one], labels[one])
            for one in near.tolist()
        ]
    shown = Image.fromarray(
        cv2.resize(drawn, None, fx=1 / _FINER, fy=1 / _FINER, interpolation=cv2.INTER_AREA)
    )
    write, font = ImageDraw.Draw(shown), ImageFont.load_default(20)
    for x, y, text, name in texts:
        write.text((x, y), text, font=font, fill=BEAT_COLOURS[name])
    return np.asarray(shown, np.uint8)


def _paper(
    drawn: Colours, xs: tuple[int, int], ys: tuple[int, int], px_per_s: float, px_per_mv: float
) -> None:
    """ECG paper with lines every 0.2 s and 0.5 mV."""
    (left, right), (top, bottom) = xs, ys
    drawn[top * _FINER : bottom * _FINER, left * _FINER : right * _FINER] = _PAPER
    for x in np.arange(left, right, 0.2 * px_per_s):
        drawn[top * _FINER : bottom * _FINER, round(x * _FINER) : round(x * _FINER) + _FINER] = _GRID
    for y in np.arange(bottom, top, -0.5 * px_per_mv):
        drawn[round(y * _FINER) - _FINER : round(y * _FINER), left * _FINER : right * _FINER] = _GRID


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
