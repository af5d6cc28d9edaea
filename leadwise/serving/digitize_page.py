"""A page in, its leads in millivolts out, of whatever form: a PDF's own lines, the known form, then any page."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from leadwise.errors import DoubtfulPage, ForeignPage, InputError
from leadwise.names import LEADS
from leadwise.pages.digitize import RATE_HZ as KNOWN_HZ
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.layout import TurnedPage
from leadwise.pages.lead_warnings import lead_warnings
from leadwise.pages.page_signals import RATE_HZ, PageSignals
from leadwise.pages.read import FilePage, Page, PageFile
from leadwise.serving.known_form import KnownForm, read_known_form

if TYPE_CHECKING:
    from leadwise.pages.field import Field

_STRAIGHT_DEG = 3.0  # so far turned, the known form is found without this
_LAID_FLAT = (
    "the page is turned, or was photographed at an angle: it was laid flat, and boxes lie on the flat page"
)
_TURNED = "the page lies on its head or its side, or is mirrored: it was set upright, and boxes lie on it so"
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
    """What the first reader says that knows the page, with what its leads warn of; raises as `digitize_page` does."""
    found = _read(page)
    if isinstance(found, KnownForm):
        leads = dict(zip(LEADS, found.signals.leads, strict=True))
        return replace(found, notes=(*found.notes, *lead_warnings(leads, KNOWN_HZ)))
    leads = {name: trace.signal_mv for name, trace in found.leads.items()}
    bent = found.geometry.bent_mm > 0
    return replace(found, warnings=(*found.warnings, *lead_warnings(leads, RATE_HZ, bent=bent)))


def _read(page: FilePage) -> KnownForm | PageSignals:
    """What the first reader says.

    Readers of other pages are imported where one comes: they load all of scipy, which takes a second.
    """
    if page.pdf is not None:
        from leadwise.pages.vector import read_paths

        if (drawn := read_paths(page.pdf, page.number, page.of)) is not None:
            return drawn
    try:
        return read_known_form(page.picture)
    except ForeignPage as error:
        upright = error.upright if isinstance(error, TurnedPage) else None
        for other, note in ((page.as_stored(), _WRONG_TAG), (upright, _TURNED)):
            if other is not None:
                with contextlib.suppress(ForeignPage):
                    return replace(read_known_form(other), notes=(note,))
    return _by_its_grid(page.picture, page.number, page.of)


def _by_its_grid(picture: Page, number: int, of: int) -> KnownForm | PageSignals:
    """A page that the known form's reader does not know: of that form but turned or photographed, or of another."""
    from leadwise.pages.any_page import read_any_page
    from leadwise.pages.field import find_field
    from leadwise.pages.grid import find_grid

    grid = find_grid(picture)
    if grid is not None and abs(grid.turn_degrees) < _STRAIGHT_DEG:
        return replace(read_any_page(picture, grid_of=lambda _: grid), number=number, of=of)
    field = find_field(picture)
    if field is not None and (known := _laid_flat(picture, field)) is not None:
        return known
    return replace(read_any_page(picture, lambda _: grid, lambda _: field), number=number, of=of)


def _laid_flat(picture: Page, field: Field) -> KnownForm | None:
    """A page of the known form, laid flat as a plane; None where it is of another, or is crumpled."""
    from leadwise.pages.field import as_plane, find_field

    for _ in range(2):  # the second look sees a page that is nearly flat, and so its grid more exactly
        picture = as_plane(picture, field, PX_PER_MM)
        try:
            return replace(read_known_form(picture), notes=(_LAID_FLAT,))
        except DoubtfulPage:
            if (found := find_field(picture)) is None:
                return None
            field = found
        except InputError:
            return None
    return None
