"""Tables in Markdown, and the anchors of its headings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from typing import Any


def as_table(heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table in Markdown, without a line's end after the last row; a ``|`` within a cell is escaped."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading, in Markdown or HTML: `## On a cluster` is at ``#on-a-cluster``."""
    words = unescape(re.sub(r"<[^>]+>", "", heading)).strip("# ").lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
