"""The one way in which a table becomes Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def as_table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table in Markdown, without a line's end after the last row; a ``|`` within a cell is escaped."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines
    )
