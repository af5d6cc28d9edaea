"""A page of a PDF as a picture: a scan keeps its pixels, what is drawn is drawn at 300 dpi."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from leadwise.errors import InputError, UnreadablePage
from leadwise.pages.pictures import MAX_PIXELS, Page, refuse_huge, refuse_many_scans

MAX_PARTS, MAX_PICTURES = 20_000, 500
"""Parts of a PDF's page that are looked through, and pictures among them: a scan may lie in strips."""

_MAX_DEPTH = 6  # forms within forms; programs that stamp pages add one each
_DRAWN_SCALE = 300 / 72  # pixels a point
_LEAST_COVERED = 0.3  # of a page by its pictures, where it is a scan and no drawing with a logo on it


def open_pdf(data: bytes, name: str) -> pypdfium2.PdfDocument:
    """Raises `UnreadablePage` for a damaged or locked file, and one without a page."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        next_step = "Save it without a password." if "password" in str(error).lower() else "Copy it again."
        raise UnreadablePage(f"{name}: the PDF cannot be opened ({error}). {next_step}") from error
    if not len(document):
        raise UnreadablePage(f"{name}: the PDF holds no page. Copy it again.")
    return document


def pdf_page(document: pypdfium2.PdfDocument, number: int, name: str) -> pypdfium2.PdfPage:
    """Page `number`, from 1. Raises `UnreadablePage`."""
    try:
        return document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise UnreadablePage(
            f"{name}: page {number} of the PDF cannot be opened ({error}). Copy it again."
        ) from error


def draw(page: pypdfium2.PdfPage, number: int, name: str) -> Page:
    """Draw page `number` at the scale of its largest picture, or at 300 dpi where pictures cover little of it.

    Raises `UnreadablePage` for a blank page, one of too many parts, pictures or pixels, and a damaged one.
    """
    try:
        scale = _scale(page, f"{name}: page {number} of this PDF", name)
        return picture_of(page, scale)
    except InputError:
        raise
    except (pypdfium2.PdfiumError, ValueError) as error:  # a size of no picture, a name that is no UTF-8
        raise UnreadablePage(
            f"{name}: page {number} of the PDF cannot be drawn ({error}). Copy it again."
        ) from error


def picture_of(page: pypdfium2.PdfPage, scale: float, turn_degrees: int = 0) -> Page:
    """A page drawn at so many pixels a point, turned clockwise by quarters, BGR uint8."""
    drawn = page.render(scale=scale, rotation=turn_degrees, rev_byteorder=False, prefer_bgrx=False).to_numpy()
    colours = np.asarray(drawn, np.uint8)
    if colours.ndim == 2 or colours.shape[2] == 1:
        return np.asarray(cv2.cvtColor(colours, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.ascontiguousarray(colours[:, :, :3])


def _scale(page: pypdfium2.PdfPage, which: str, name: str) -> float:
    """Pixels a point."""
    width, height = page.get_width(), page.get_height()
    scales: list[tuple[float, float]] = []
    parts = 0
    for part in page.get_objects(max_depth=_MAX_DEPTH):
        parts += 1
        if parts > MAX_PARTS:
            raise UnreadablePage(f"{which} is drawn of more than {MAX_PARTS} parts. Scan it again.")
        if part.type == pdfium.FPDF_PAGEOBJ_FORM and part.level == _MAX_DEPTH - 1:
            # what lies deeper is not looked through, and could be drawn a million times
            raise UnreadablePage(f"{which} nests more than {_MAX_DEPTH} drawings. Scan it again.")
        if part.type != pdfium.FPDF_PAGEOBJ_IMAGE:
            continue
        if len(scales) >= MAX_PICTURES:
            raise UnreadablePage(f"{which} holds more than {MAX_PICTURES} pictures. Scan it again.")
        if part.get_filters(skip_simple=True) == ["DCTDecode"]:
            refuse_many_scans(bytes(part.get_data(decode_simple=True)), name)
        scales.append(_area_and_scale(part))
    if not parts:
        raise UnreadablePage(f"{which} is blank.")
    if sum(area for area, _ in scales) < _LEAST_COVERED * width * height:
        return min(_DRAWN_SCALE, math.sqrt(MAX_PIXELS / max(width * height, 1)) * 0.999)
    scale = max(scales)[1]
    refuse_huge(width * scale, height * scale, name)
    return scale


def _area_and_scale(picture: pypdfium2.PdfObject) -> tuple[float, float]:
    """Square points that a picture covers, and its pixels a point."""
    left, bottom, right, top = picture.get_bounds()
    form = picture.container
    while form is not None:  # which may lay it out in another scale
        left, bottom, right, top = form.get_matrix().on_rect(left, bottom, right, top)
        form = form.container
    columns, rows = picture.get_px_size()
    width, height = max(right - left, 1e-3), max(top - bottom, 1e-3)
    # a picture that lies on its side has its columns along the page's height
    upright = abs(columns / width - rows / height) <= abs(rows / width - columns / height)
    return width * height, columns / width if upright else rows / width
