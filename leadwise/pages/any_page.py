"""The reader of any page: not there yet."""

from __future__ import annotations

from leadwise.errors import ForeignPage
from leadwise.pages.page_signals import PageSignals
from leadwise.pages.read import Page


def read_any_page(page: Page) -> PageSignals:
    """Read a picture, BGR uint8, of whatever form. Raises `ForeignPage` and `DoubtfulPage`."""
    height, width = page.shape[:2]
    raise ForeignPage(f"no ECG of a known form was found on the page of {width} x {height} px. Is it one?")
