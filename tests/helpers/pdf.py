"""Small PDFs, written by hand: a page of lines and words."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pypdfium2
from numpy.typing import NDArray

from leadwise.names import LEADS

MM = 72 / 25.4
HEADER_WORDS = "Name: I. V. Avery", "HR 63/min", "25 mm/s 10 mm/mV 0.05-150 Hz"


def pdf_page(content: str, size: tuple[float, float] = (842, 595), rotate: int = 0) -> pypdfium2.PdfPage:
    """One page with this content, Helvetica as /F."""
    kind = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %g %g]/Rotate %d/Contents 4 0 R" % (*size, rotate)
    return _opened([kind + b"/Resources<</Font<</F 5 0 R>>>>>>", _stream(b"", content), FONT])


def nested_page(depth: int) -> pypdfium2.PdfPage:
    """One page that shows a form that shows a form, and so on; the last draws a line."""
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 842 595]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>"
    )
    forms = [
        _stream(
            b"/Type/XObject/Subtype/Form/BBox[0 0 842 595]/Resources<</XObject<</X %d 0 R>>>>" % (6 + level),
            "/X Do",
        )
        for level in range(depth)
    ]
    last = _stream(b"/Type/XObject/Subtype/Form/BBox[0 0 842 595]", "0 0 m 500 500 l S")
    return _opened([page, _stream(b"", "/X Do"), *forms, last])


FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


def _stream(entries: bytes, content: str) -> bytes:
    packed = zlib.compress(content.encode("latin-1"))
    return b"<<%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (entries, len(packed), packed)


def _opened(parts: list[bytes]) -> pypdfium2.PdfPage:
    """The one page of a PDF of these parts, of which the first is the page, numbered from 3."""
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", *parts]
    data, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(data))
        data += b"%d 0 obj" % number + part + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(parts) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>startxref\n%d\n%%%%EOF" % (count, len(data))
    return pypdfium2.PdfDocument(data + b"xref\n0 %d\n0000000000 65535 f \n" % count + table + end)[0]


def word(text: str, x: float, y: float, by_letter: bool = False) -> str:
    """A word, its lower left at (x, y) points."""
    if by_letter:
        return "".join(word(letter, x + 5 * number, y) for number, letter in enumerate(text))
    return f"BT /F 9 Tf {x:.2f} {y:.2f} Td ({text}) Tj ET\n"


def line(points: NDArray[np.floating]) -> str:
    """A line through points."""
    steps = " ".join(f"{x:.3f} {y:.3f} l" for x, y in points[1:])
    return f"{points[0][0]:.3f} {points[0][1]:.3f} m {steps} S\n"


def grid(millimetre: float, width: float, height: float) -> str:
    """Lines of 1 mm, of so many points."""
    upright = (f"{x:.3f} 0 m {x:.3f} {height} l S" for x in np.arange(0, width, millimetre))
    level = (f"0 {y:.3f} m {width} {y:.3f} l S" for y in np.arange(0, height, millimetre))
    return "0.2 w 1 .8 .8 RG\n" + "\n".join((*upright, *level)) + "\n0.7 w 0 0 0 RG\n"


PULSE = np.array([[0, 0], [1, 0], [1, 10], [6, 10], [6, 0], [7, 0]], float)
"""In mm."""


def ecg_page(
    signals: NDArray[np.floating],
    rate_hz: float,
    rows: Iterable[tuple[str, ...]],
    strip: str | None = None,
    *,
    millimetre: float = MM,
    with_grid: bool = True,
    pulse_mm: float | None = None,
    names: bool = True,
    words: tuple[str, ...] = HEADER_WORDS,
    pieces: int = 1,
    strip_name: bool = True,
    by_letter: bool = False,
) -> str:
    """Twelve leads ``(12, samples)`` mV over A4 across, at 25 mm/s and 10 mm/mV, each column where the last one ends.

    `millimetre` in points; each lead drawn in `pieces` strokes.
    """
    out = [grid(millimetre, 842, 595)] if with_grid else []
    rows = list(rows)
    column_s = 10 / len(rows[0])
    printed = [
        (name, number, row * column_s, column_s)
        for number, names_ in enumerate(rows)
        for row, name in enumerate(names_)
    ]
    if strip:
        printed.append((strip, len(rows), 0.0, 10.0))
    for name, row, start_s, length_s in printed:
        first, count = round(start_s * rate_hz), round(length_s * rate_hz)
        shown = signals[LEADS.index(name), first : first + count]
        x = 60 + (start_s + np.arange(len(shown)) / rate_hz) * 25 * millimetre
        zero = 500 - row * (420 / (len(rows) + bool(strip)))
        points = np.column_stack([x, zero + shown * 10 * millimetre])
        cuts = np.linspace(0, len(points) - 1, pieces + 1).round().astype(int)
        out += [line(points[a : b + 1]) for a, b in pairwise(cuts)]
        if names and (strip_name or row < len(rows)):
            out.append(word(name, x[0] + 4, zero + 25, by_letter))
        if pulse_mm and start_s == 0:
            out.append(line(PULSE * [1, pulse_mm / 10] * millimetre + [25, zero]))
    out += [word(text, 40 + 200 * place, 565, by_letter) for place, text in enumerate(words)]
    return "".join(out)
