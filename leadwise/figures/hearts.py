"""Pictures of what the network for pages of any form is worth: on hearts of its own country, and of another."""

from __future__ import annotations

import pandas as pd

from leadwise.figures.forest import Look, forest, how_many
from leadwise.figures.style import GREY, MODEL_COLOURS, Picture
from leadwise.names import SUPERCLASSES

_KINDS = {
    "hearts": Look(MODEL_COLOURS[0]),
    "41 numbers": Look(GREY, "s", filled=False),
    "age alone": Look(GREY, "v", filled=False),
    "rate alone": Look(GREY, "D", filled=False),
}
_NAMES = {"hearts": "hearts", "strip_features": "41 numbers", "age_alone": "age alone", "rate": "rate alone"}
_BLOCKS = {"elsewhere": "Other folds", "reverse": "Another country's pages"}


def by_finding(scores: pd.DataFrame) -> Picture:
    """AUROC of each finding, of the file that ships beside its baselines: rows of ``scores.csv``, a place each."""
    rows = scores[scores["metric"].str.startswith(("auroc", "macro_auroc")) & (scores["counted"] == "all")]
    question = rows["condition"].str.extract(r"question=([^;]+)", expand=False).str.replace("_", " ")
    of_record = rows["metric"].map(
        {f"auroc_{name}": name for name in SUPERCLASSES} | {"macro_auroc": "mean of five"}
    )
    points = rows.assign(
        kind=rows["model"].map(_NAMES),
        row=of_record.fillna(question),
        block=rows["protocol"].map(_BLOCKS),
        panel="auroc",
    )
    points = points.dropna(subset=["kind", "row"])
    kinds = {name: look for name, look in _KINDS.items() if name in set(points["kind"])}
    caption = f"{how_many(points)}; 95 % intervals by bootstrap over patients, and over printed ids of pages"
    return forest(points, {"auroc": "AUROC"}, kinds, title="", caption=caption, line=0.5, shown=".2f")
