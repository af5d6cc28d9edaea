"""What a notebook shows is text: a folder called ``<img src=x onerror=...>`` stays a name and runs no script."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler


def literal(name: object) -> str:
    """A name from outside as it may stand in Markdown: no mark-up, no link and no HTML comes of it."""
    return re.sub(r"[^\w ]|_", lambda mark: f"&#{ord(mark[0])};", str(name))


class LiteralStyler(Styler):  # type: ignore[misc]  # pandas comes without types
    """pandas' Styler, which by itself takes what it shows for HTML; its own option for that ends with ``format``."""

    def __init__(self, data: pd.DataFrame | pd.Series, **options: Any) -> None:
        super().__init__(data, **options)
        self.format_index(axis=0).format_index(axis=1)

    def format(self, *arguments: Any, escape: str | None = None, **options: Any) -> LiteralStyler:
        """As pandas has it, but escaped."""
        super().format(*arguments, escape=escape or "html", **options)
        return self

    def format_index(self, *arguments: Any, escape: str | None = None, **options: Any) -> LiteralStyler:
        """As pandas has it, but escaped."""
        super().format_index(*arguments, escape=escape or "html", **options)
        return self


def show_tables_as_text() -> None:
    """Let every ``.style`` of this process be a `LiteralStyler`; tables shown without it are escaped by pandas."""
    pd.DataFrame.style = property(LiteralStyler)
