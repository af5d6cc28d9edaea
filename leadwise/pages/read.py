"""A page's bytes to its picture, within limits and never half."""

from __future__ import annotations

import io
import os
import re
import stat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from leadwise.errors import UnreadablePage

Page = NDArray[np.uint8]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})

MAX_BYTES = 50_000_000
MAX_PIXELS = 50_000_000
"""A4 at 600 dpi has 35 million pixels; a decoded page takes three bytes for each."""

MAX_SCANS = 32
"""Passes of a progressive JPEG: programs write about ten, and each costs as much as a whole picture."""

MAX_PARTS, MAX_PICTURES = 20_000, 500
"""Parts of a PDF's page that are looked through, and pictures among them: a scan may lie in strips."""

_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
_MARKER = re.compile(
    rb"\xff+([\x02-\xcf\xd8-\xfe])"
)  # others have no length, or are a byte of the picture's data
_START_OF_SCAN, _END = 0xDA, 0xD9


def read_page(source: Path | bytes) -> Page:
    """Decode a page: BGR uint8 ``(height, width, 3)``.

    `source` is a path or the file's bytes (JPEG, PNG, TIFF, BMP, WebP, or a PDF, of which the first page is taken
    at the scale of its largest picture). Raises `UnreadablePage` for a missing or empty file, one that is no image
    or was cut off, a PDF whose first page holds no picture, and one beyond `MAX_BYTES` or `MAX_PIXELS`, which is
    refused before it is decoded.
    """
    name, data = ("page", source) if isinstance(source, bytes) else (str(source), read_file(Path(source)))
    _refuse_heavy(len(data), name)
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return _first_page(data, name)
    page_size(data, name)
    # the picture as stored: a scan's orientation tag would turn it away from the size in its header
    how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    page = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if page is None:
        raise UnreadablePage(f"{name}: the picture cannot be decoded; the file is damaged. Copy it again.")
    return np.asarray(page, dtype=np.uint8)


def page_size(data: bytes, name: str = "page") -> tuple[int, int]:
    """Width and height in pixels from the file's header alone; checks all that `read_page` promises."""
    if not data:
        raise UnreadablePage(f"{name}: the file is empty.")
    _refuse_heavy(len(data), name)
    limit: Any = Image.MAX_IMAGE_PIXELS
    try:
        Image.MAX_IMAGE_PIXELS = None  # our own limit follows, in our own words
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            (width, height), kind = image.size, image.format or ""
            kind = {"MPO": "JPEG"}.get(kind, kind)  # a JPEG that says that others follow it
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise UnreadablePage(
            f"{name}: not an image that can be read (JPEG, PNG, TIFF, BMP, WebP, PDF)."
        ) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    _refuse_huge(width, height, name)
    if kind == "JPEG":
        _refuse_many_scans(data, name)
    if not _is_whole(data, kind):
        raise UnreadablePage(f"{name}: the {kind} file was cut off; its end is missing. Copy it again.")
    return width, height


def _refuse_huge(width: float, height: float, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise UnreadablePage(
            f"{name}: {width:.0f} x {height:.0f} pixels; at most {MAX_PIXELS / 1e6:.0f} million are read. "
            "Scan at 300 dpi."
        )


def _first_page(data: bytes, name: str) -> Page:
    """The first page of a PDF, drawn so that the picture that covers most of it keeps its pixels."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        with pypdfium2.PdfDocument(data) as document:
            page = document[0]
            scales: list[tuple[float, float]] = []
            for number, picture in enumerate(page.get_objects(max_depth=4)):
                if number >= MAX_PARTS:
                    raise UnreadablePage(
                        f"{name}: the first page of this PDF is drawn of more than {MAX_PARTS} parts. Scan it again."
                    )
                if picture.type != pdfium.FPDF_PAGEOBJ_IMAGE:
                    continue
                if len(scales) >= MAX_PICTURES:
                    raise UnreadablePage(
                        f"{name}: the first page of this PDF holds more than {MAX_PICTURES} pictures. Scan it again."
                    )
                if picture.get_filters(skip_simple=True) == ["DCTDecode"]:
                    _refuse_many_scans(bytes(picture.get_data(decode_simple=True)), name)
                left, bottom, right, top = picture.get_bounds()
                columns, rows = picture.get_px_size()
                # a picture that lies on its side has its columns along the page's height
                across = columns / max(right - left, 1e-3), rows / max(right - left, 1e-3)
                down = rows / max(top - bottom, 1e-3), columns / max(top - bottom, 1e-3)
                upright = abs(across[0] - down[0]) <= abs(across[1] - down[1])
                scales.append(((right - left) * (top - bottom), across[0] if upright else across[1]))
            if not scales:
                raise UnreadablePage(
                    f"{name}: the first page of this PDF holds no picture. Scan the page again."
                )
            scale = max(scales)[1]
            _refuse_huge(page.get_width() * scale, page.get_height() * scale, name)
            drawn = page.render(scale=scale, rev_byteorder=False, prefer_bgrx=False)
            picture_bgr = drawn.to_numpy()
    except pypdfium2.PdfiumError as error:
        raise UnreadablePage(f"{name}: the PDF cannot be opened ({error}). Copy it again.") from error
    colours = np.asarray(picture_bgr, np.uint8)
    if colours.ndim == 2 or colours.shape[2] == 1:
        return np.asarray(cv2.cvtColor(colours, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.ascontiguousarray(colours[:, :, :3])


def _refuse_many_scans(data: bytes, name: str) -> None:
    if (scans := _scans(data)) > MAX_SCANS:
        raise UnreadablePage(f"{name}: a JPEG of {scans} scans; at most {MAX_SCANS} are read. Save it anew.")


def _scans(data: bytes) -> int:
    """Of a JPEG's picture, and not of what stands before it (a preview) or after it (a phone's film)."""
    scans, at = 0, 2
    while (match := _MARKER.search(data, at)) and (marker := match[1][0]) != _END:
        scans += marker == _START_OF_SCAN
        at = match.end() + int.from_bytes(data[match.end() : match.end() + 2])
    return scans


def _is_whole(data: bytes, kind: str) -> bool:
    """Whether a picture's end is there; OpenCV fills what is missing with grey and says nothing."""
    if kind == "PNG":
        return b"IEND\xaeB`\x82" in data
    if kind != "JPEG" or b"\xff\xd9" in data.rstrip(b"\0")[-64:]:
        return True
    try:  # something else follows the picture, as cameras have it, or it was cut off: Pillow can tell
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def read_file(path: Path) -> bytes:
    """A file's bytes. Raises `UnreadablePage` where it cannot be read, is no regular file, or beyond `MAX_BYTES`."""
    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            os.scandir(path).close()  # says why where it may not be looked into
            raise UnreadablePage(f"{path}: a folder. Name a file in it.")
        if not stat.S_ISREG(kind.st_mode):  # a pipe or a device may have no end
            raise UnreadablePage(f"{path}: not a regular file. Copy what it gives into one.")
        _refuse_heavy(kind.st_size, str(path))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        _refuse_heavy(len(data), str(path))  # it may have grown
        return data
    except OSError as error:
        raise UnreadablePage(f"{path}: {error.strerror or error}.") from error


def _refuse_heavy(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise UnreadablePage(f"{name}: {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read.")
