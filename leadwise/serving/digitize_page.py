"""A page in, its leads in millivolts out, of whatever form: a PDF's own lines, the known form, then any page."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from leadwise.errors import ForeignPage
from leadwise.pages.page_signals import PageSignals
from leadwise.pages.read import FilePage, PageFile
from leadwise.serving.known_form import KnownForm, read_known_form

_WRONG_TAG = "the file's orientation tag turns this page away from upright; it was read as it is stored"


def digitize_page(source: str | Path | bytes, *, page: int | None = None) -> PageSignals:
    """The leads of one page: a path, or a file's bytes, as `leadwise.pages.read.PageFile` takes them.

    `page` is the number of the page in its file, from 1; by default the first that is an ECG. Raises
    `UnreadablePage` (no picture), `ForeignPage` (no ECG of a form that is known) and `DoubtfulPage` (an ECG whose
    leads cannot be trusted), each in a sentence that says what to do.
    """
    with PageFile(source if isinstance(source, bytes) else Path(source)) as file:
        return file.first_read(_signals_of, page)


def _signals_of(page: FilePage) -> PageSignals:
    found = read_file_page(page)
    if isinstance(found, KnownForm):
        return replace(found.page_signals(), number=page.number, of=page.of)
    return found


def read_file_page(page: FilePage) -> KnownForm | PageSignals:
    """What the first reader says that knows the page; raises as `digitize_page` does.

    Readers of other pages are imported where one comes: they load all of scipy, which takes a second.
    """
    if page.pdf is not None:
        from leadwise.pages.vector import read_paths

        if (drawn := read_paths(page.pdf, page.number, page.of)) is not None:
            return drawn
    try:
        return read_known_form(page.picture)
    except ForeignPage:
        if (stored := page.as_stored()) is not None:
            with contextlib.suppress(ForeignPage):
                return replace(read_known_form(stored), notes=(_WRONG_TAG,))
    from leadwise.pages.any_page import (
        read_any_page,
    )  # a second's worth of scipy, which the known form needs not

    return replace(read_any_page(page.picture), number=page.number, of=page.of)
