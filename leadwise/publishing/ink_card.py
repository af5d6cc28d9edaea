"""How well the shipped ink network tells each ink, from ``ink.csv``, which 28_image_ink wrote as ``told.csv``."""

from __future__ import annotations

import pandas as pd

from leadwise.errors import TableError
from leadwise.files import RESOURCES, sha256
from leadwise.pages.ink_maps import KINDS
from leadwise.publishing.markdown import as_table


def ink_told() -> str:
    """A row a kind of page, and which bytes it is of. Raises `TableError` where it is of another file."""
    told, digest = pd.read_csv(RESOURCES / "ink.csv"), sha256(RESOURCES / "ink.onnx")
    if set(told["file"]) != {digest[:12]}:
        raise TableError(
            f"ink.csv is of another file than ink.onnx (sha256 {digest[:12]}...): copy both anew."
        )
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
    return f"{as_table(heads, rows)}\n\n`ink.onnx`, sha256 `{digest}`."


def _shown(dice: float) -> str:
    return "" if pd.isna(dice) else f"{dice:.2f}"
