"""A page in, its leads in millivolts out, of whatever form: the reader of the known form is asked first."""

from __future__ import annotations

from pathlib import Path

from leadwise.errors import ForeignPage
from leadwise.pages.any_page import read_any_page
from leadwise.pages.page_signals import PageSignals
from leadwise.pages.read import Page, read_page
from leadwise.serving.known_form import read_known_form


def digitize_page(source: str | Path | bytes, *, page: int | None = None) -> PageSignals:
    """The leads of one page: a path, or a file's bytes (JPEG, PNG, TIFF, BMP, WebP, PDF).

    `page` is the number of the page in its file, from 1; by default the first that is an ECG. Raises
    `UnreadablePage` (no picture), `ForeignPage` (no ECG of a form that is known) and `DoubtfulPage` (an ECG whose
    leads cannot be trusted), each in a sentence that says what to do.
    """
    return read_picture(read_page(source if isinstance(source, bytes) else Path(source)))


def read_picture(picture: Page) -> PageSignals:
    """The leads of a picture, BGR uint8; raises as `digitize_page` does."""
    try:
        return read_known_form(picture).page_signals()
    except ForeignPage:
        return read_any_page(picture)
