"""A picture file's bytes to pixels: upright, on white, in eight bits, whatever the program that wrote it.

OpenCV decodes what is plain, twice as fast as Pillow; Pillow what OpenCV reads wrongly or not at all: transparency,
inks (CMYK), more than eight bits of grey, the later pages of a TIFF, and HEIC.
"""

from __future__ import annotations

import importlib
import io
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from leadwise.errors import UnreadablePage

Page = NDArray[np.uint8]

MAX_PIXELS = 50_000_000
"""A4 at 600 dpi has 35 million pixels; a decoded page takes three bytes for each."""

MAX_SCANS = 32
"""Passes of a progressive JPEG: programs write about ten, and each costs as much as a whole picture."""

MAX_FRAMES = 1_000
"""Pages of a TIFF: each is looked for behind the one before, so a million of them would take minutes."""

_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}  # ISO/IEC 23008-12
_ORIENTATION = 0x0112
_PLAIN = {"1", "L", "P", "RGB"}
_BAND_ROWS = 256
_FULL_SCALES = (1, 255, 4095, 65535)  # of one, eight, twelve and sixteen bits
_MARKER = re.compile(
    rb"\xff+([\x02-\xcf\xd8-\xfe])"
)  # others have no length, or are a byte of the picture's data
_START_OF_SCAN, _END = 0xDA, 0xD9
_DAMAGE = (
    OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError,
    struct.error,
)  # fmt: skip
"""What Pillow raises for files that were made wrong."""


class Header(NamedTuple):
    """What a file says before it is decoded; `size_px` is (width, height) of its first page as it lies upright."""

    kind: str
    size_px: tuple[int, int]
    frames: int


class Decoded(NamedTuple):
    """A picture as its orientation tag (1 to 8, of EXIF) lays it: BGR uint8 ``(height, width, 3)``."""

    page: Page
    orientation: int

    def as_stored(self) -> Page:
        """The picture before the tag turned it."""
        back = {6: 8, 8: 6}.get(self.orientation, self.orientation)
        return _turned(self.page, back)


def look(data: bytes, name: str) -> Header:
    """Read the header and check it against all limits; nothing is decoded. Raises `UnreadablePage`."""
    if not data:
        raise UnreadablePage(f"{name}: the file is empty.")
    with _opened(data, name) as image:
        kind = {"MPO": "JPEG"}.get(image.format or "", image.format or "")  # MPO: a JPEG that others follow
        width, height = image.size
        refuse_huge(width, height, name)
        if kind != "TIFF" and _orientation(image) >= 5:  # Pillow tells a TIFF's size upright
            width, height = height, width
        frames = _count_frames(image, name) if kind == "TIFF" else 1
    if kind == "JPEG":
        refuse_many_scans(data, name)
    if not _is_whole(data, kind):
        raise UnreadablePage(f"{name}: the {kind} file was cut off; its end is missing. Copy it again.")
    return Header(kind, (width, height), frames)


def decode(data: bytes, kind: str, number: int, name: str) -> Decoded:
    """Decode page `number`, from 1, of a file at which `look` had nothing to say. Raises `UnreadablePage`."""
    with _opened(data, name) as image:
        if number > 1:
            image.seek(number - 1)
        refuse_huge(*image.size, name)
        orientation = _orientation(image)
        if kind in {"TIFF", "HEIF"} or image.mode not in _PLAIN or "transparency" in image.info:
            image.load()
            page = _in_bgr(image, name)
            if kind == "TIFF":  # Pillow turned it
                return Decoded(page, orientation)
            if kind == "HEIF":  # as libheif did, which knows no tag
                return Decoded(page, 1)
        else:
            flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
            plain = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
            if plain is None:
                raise UnreadablePage(
                    f"{name}: the picture cannot be decoded; the file is damaged. Copy it again."
                )
            page = np.asarray(plain, np.uint8)
    return Decoded(_turned(page, orientation), orientation)


def refuse_huge(width: float, height: float, name: str) -> None:
    """Raise `UnreadablePage` for more than MAX_PIXELS."""
    if width * height > MAX_PIXELS:
        raise UnreadablePage(
            f"{name}: {width:.0f} x {height:.0f} pixels; at most {MAX_PIXELS / 1e6:.0f} million are read. "
            "Scan at 300 dpi."
        )


def refuse_many_scans(data: bytes, name: str) -> None:
    """Raise `UnreadablePage` for a JPEG of more than MAX_SCANS."""
    if (scans := _scans(data)) > MAX_SCANS:
        raise UnreadablePage(f"{name}: a JPEG of {scans} scans; at most {MAX_SCANS} are read. Save it anew.")


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """A file's header by Pillow, without its limits and warnings: ours follow, in our words."""
    formats = (_heif(name),) if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS else _FORMATS
    limit: Any = Image.MAX_IMAGE_PIXELS
    try:
        Image.MAX_IMAGE_PIXELS = None
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data), formats=formats) as image:
            yield image
    except UnreadablePage:
        raise
    except UnidentifiedImageError as error:
        raise UnreadablePage(
            f"{name}: not an image that can be read (JPEG, PNG, TIFF, BMP, WebP, PDF)."
        ) from error
    except _DAMAGE as error:
        raise UnreadablePage(
            f"{name}: the picture cannot be decoded; the file is damaged. Copy it again."
        ) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _heif(name: str) -> str:
    """Teach Pillow to read HEIC, as telephones write it, where that can be had."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError as error:
        raise UnreadablePage(
            f"{name}: a HEIC picture, which needs one more package. Install it with `pip install pillow-heif`, "
            "or save the picture as JPEG."
        ) from error
    return "HEIF"


def _count_frames(image: Image.Image, name: str) -> int:
    for number in range(1, MAX_FRAMES + 1):
        try:
            image.seek(number)
        except EOFError:
            return number
        except SyntaxError:  # a page in a form that is not read, which says nothing of those after it
            continue
    raise UnreadablePage(
        f"{name}: a TIFF of more than {MAX_FRAMES} pages. Save the page that you need by itself."
    )


def _orientation(image: Image.Image) -> int:
    # not that of the format's own class: a PNG's would decode the picture to look behind it
    try:
        told = Image.Image.getexif(image).get(_ORIENTATION, 1)
    except _DAMAGE:  # of the tags alone, without which a picture is read as well
        return 1
    return told if isinstance(told, int) and 1 <= told <= 8 else 1


def _turned(page: Page, orientation: int) -> Page:
    """A picture with an EXIF orientation laid upright."""
    if orientation in (5, 6, 7, 8):
        page = page.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        page = page[::-1]
    if orientation in (2, 3, 6, 7):
        page = page[:, ::-1]
    return np.ascontiguousarray(page)


def _in_bgr(image: Image.Image, name: str) -> Page:
    """In bands: Pillow takes up to four bytes a pixel, and as many again for each step."""
    if image.mode.startswith(("I", "F")):
        return _in_eight_bits(image, name)
    page = np.empty((image.height, image.width, 3), np.uint8)
    has_alpha = image.has_transparency_data and _is_seen(image)
    for top in range(0, image.height, _BAND_ROWS):
        band = image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height)))
        if has_alpha:
            band = band.convert("RGBA")
            white = Image.new("RGBA", band.size, "white")
            white.alpha_composite(band)
            band = white
        page[top : top + band.height] = np.asarray(band.convert("RGB"))[:, :, ::-1]
    return page


def _is_seen(image: Image.Image) -> bool:
    """False where all is transparent: some programs leave a fourth channel at 0 and mean nothing by it."""
    bands = image.getbands()
    return bands[-1] not in "Aa" or image.getextrema()[-1] != (0, 0)


def _in_eight_bits(image: Image.Image, name: str) -> Page:
    """Grey of more than eight bits, or of fractions, by the least full scale that holds it."""
    values = np.asarray(image)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    most, least = float(values.max()), float(values.min())
    if not (np.isfinite(most) and least >= 0):
        raise UnreadablePage(
            f"{name}: grey from {least:g} to {most:g}, which is no brightness. Save it as an 8-bit picture."
        )
    full = next((scale for scale in _FULL_SCALES if most <= scale), most)
    return np.asarray(
        cv2.cvtColor(cv2.convertScaleAbs(values, alpha=255 / full), cv2.COLOR_GRAY2BGR), np.uint8
    )


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
