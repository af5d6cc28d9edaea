"""How well the networks that look at a page's ink do, for their cards, from tables that their notebooks wrote.

``ink.csv`` and ``names.csv`` are the ``told.csv`` of 28_image_ink and of 29_image_names, of the files that ship.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from leadwise.errors import TableError
from leadwise.files import RESOURCES, sha256
from leadwise.pages.ink_maps import KINDS
from leadwise.publishing.markdown import as_table
from leadwise.publishing.shipped_files import called
from leadwise.scores.draws import Interval, wilson
from leadwise.scores.table import written


def ink_told() -> str:
    """A row a kind of page, and which bytes it is of. Raises `TableError` where it is of another file."""
    told, remark = _told("ink")
    rows = [
        (
            row["grid"],
            "photograph" if row["photo"] else "flat",
            row["n"],
            *map(_shown, row[[*KINDS, "colours"]]),
        )
        for _, row in told.iterrows()
    ]
    heads = ["grid", "seen as", "n", *KINDS, "trace, by the rule on colours"]
    return f"{as_table(heads, rows)}\n\n{remark}"


def names_told() -> str:
    """A row a name, and which bytes it is of. Raises `TableError` where it is of another file."""
    told, remark = _told("names")
    rows = [
        (
            row["name"],
            row["n"],
            *(written(share_of_names(row, of), ".2f") for of in ("read", "another")),
            _shown(row["false"]),
        )
        for _, row in told.iterrows()
    ]
    heads = ["name", "n", "read", "read as another", "said where none stands, a square decimetre"]
    return f"{as_table(heads, rows)}\n\n{remark}"


def share_of_names(row: pd.Series | Mapping[str, Any], of: str) -> Interval:
    """A share of a name's places in ``names.csv``, with Wilson's interval."""
    return wilson(round(row[of] * row["n"]), row["n"])


def _told(name: str) -> tuple[pd.DataFrame, str]:
    """The table of a file, and a remark with its checksum."""
    told, digest = pd.read_csv(RESOURCES / f"{name}.csv"), sha256(RESOURCES / f"{name}.onnx")
    if set(told["file"]) != {called(digest)}:
        raise TableError(
            f"{name}.csv is of another file than {name}.onnx (sha256 {called(digest)}...): copy both anew."
        )
    return told, f"`{name}.onnx`, sha256 `{digest}`."


def _shown(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"
