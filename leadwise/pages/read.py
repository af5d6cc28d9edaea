"""A file's bytes to its pages, within limits and never half.

    with PageFile(Path("letter.pdf")) as file:
        file.of, file.page(2).picture
        file.first_read(lambda page: find_layout(page.picture))  # of the first page that has one

A file holds one page or several (PDF, TIFF); each is decoded when it is asked for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

import pypdfium2

from leadwise.errors import DoubtfulPage, ForeignPage, InputError, UnreadablePage
from leadwise.pages import pictures
from leadwise.pages.pdf import draw, open_pdf, pdf_page
from leadwise.pages.pictures import Decoded

Page = pictures.Page

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})

PAGE_SUFFIXES = IMAGE_SUFFIXES | {".pdf", ".heic", ".heif"}
"""What names a page."""

MAX_BYTES = 50_000_000

MAX_LOOKED_AT = 20
"""Pages of a file among which an ECG is looked for; of a longer one the page is named."""

_REFUSALS = (UnreadablePage, ForeignPage, DoubtfulPage)  # the last came nearest to an ECG

Read = TypeVar("Read")


class FilePage:
    """Page `number` of `of` in a file, from 1. `pdf` is the page of a PDF, whose drawing can be read as it is."""

    def __init__(
        self, number: int, of: int, decode: Callable[[], Decoded], pdf: pypdfium2.PdfPage | None = None
    ) -> None:
        self.number, self.of, self.pdf = number, of, pdf
        self._decode = decode

    @cached_property
    def _decoded(self) -> Decoded:
        return self._decode()

    @property
    def picture(self) -> Page:
        """Upright as its orientation tag has it, BGR uint8 ``(height, width, 3)``. Raises `UnreadablePage`."""
        return self._decoded.page

    def as_stored(self) -> Page | None:
        """The picture before its tag turned it, None where none did: a scanner's tag may be wrong."""
        return None if self._decoded.orientation == 1 else self._decoded.as_stored()


class PageFile:
    """A file of pages: a path or the file's bytes (JPEG, PNG, TIFF, BMP, WebP, PDF; HEIC where pillow-heif is there).

    `of` is how many pages it holds. Raises `UnreadablePage` for a missing or empty file, one that is no image or was
    cut off, and one beyond `MAX_BYTES`, `MAX_PIXELS` or other limits, which is refused before it is decoded.
    """

    def __init__(self, source: Path | bytes) -> None:
        self.name, self._data = (
            ("page", source) if isinstance(source, bytes) else (str(source), read_file(Path(source)))
        )
        _refuse_heavy(len(self._data), self.name)
        self._document: pypdfium2.PdfDocument | None = None
        if self._data[:1024].lstrip().startswith(b"%PDF-"):
            self._document = open_pdf(self._data, self.name)
            self.of = len(self._document)
        else:
            self._header = pictures.look(self._data, self.name)
            self.of = self._header.frames

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._document is not None:
            self._document.close()

    def page(self, number: int) -> FilePage:
        """Page `number`, from 1. Raises `UnreadablePage` where there is none."""
        if not 1 <= number <= self.of:
            pages = "page" if self.of == 1 else "pages"
            raise UnreadablePage(f"{self.name}: no page {number}; the file holds {self.of} {pages}.")
        if self._document is None:
            return FilePage(
                number,
                self.of,
                lambda: pictures.decode(self._data, self._header.kind, number, self.name),
            )
        page = pdf_page(self._document, number, self.name)
        return FilePage(number, self.of, lambda: Decoded(draw(page, number, self.name), 1), page)

    def first_read(self, read: Callable[[FilePage], Read], number: int | None = None) -> Read:
        """What `read` makes of page `number`, or else of the first page that it does not refuse.

        Where it refuses all, the refusal is that of the page that came nearest to an ECG.
        """
        if number is not None or self.of == 1:
            return read(self.page(number or 1))
        refusals: list[tuple[int, InputError]] = []
        for each in range(1, min(self.of, MAX_LOOKED_AT) + 1):
            try:
                return read(self.page(each))
            except _REFUSALS as error:
                refusals.append((each, error))
        nearest = max(refusals, key=lambda refusal: (_nearness(refusal[1]), -refusal[0]))
        raise self._none_of(len(refusals), *nearest) from nearest[1]

    def _none_of(self, looked_at: int, number: int, error: InputError) -> InputError:
        which = (
            f"none of its {self.of} pages is answered"
            if looked_at == self.of
            else f"none of the first {looked_at} of its {self.of} pages is answered; name another with --page N"
        )
        why = str(error).removeprefix(f"{self.name}: ")
        return type(error)(f"{self.name}: {which}. Page {number}: {why}")


def read_page(source: Path | bytes) -> Page:
    """Decode the first page of a file, upright: BGR uint8 ``(height, width, 3)``. Raises as `PageFile` does."""
    with PageFile(source) as file:
        return file.page(1).picture


def page_size(data: bytes, name: str = "page") -> tuple[int, int]:
    """Width and height in pixels of a picture's first page, upright, from the file's header alone.

    Checks all that `read_page` promises.
    """
    _refuse_heavy(len(data), name)
    return pictures.look(data, name).size_px


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


def _nearness(error: InputError) -> int:
    """How near a refused page came to an ECG."""
    return next(place for place, kind in enumerate(_REFUSALS) if isinstance(error, kind))


def _refuse_heavy(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise UnreadablePage(f"{name}: {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read.")
