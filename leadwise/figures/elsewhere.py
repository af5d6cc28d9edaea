"""A picture of how models tell one statement from another in recordings of another country."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from leadwise.figures.forest import Look, forest, how_many
from leadwise.figures.style import GREY, MODEL_COLOURS, Picture
from leadwise.scores.external import QUESTIONS

_BLUE, _GREEN = MODEL_COLOURS[:2]
_KINDS: Mapping[tuple[str, str], tuple[str, Look]] = MappingProxyType(
    {
        ("leads12", "zero_phase"): ("page model", Look(_BLUE)),
        ("leads12", "causal"): ("page model, causal filter", Look(_BLUE, filled=False)),
        ("student12", "zero_phase"): ("student", Look(_GREEN, "s")),
        ("rate", ""): ("rate alone", Look(GREY, "D", filled=False)),
        ("spread_times_rate", ""): ("spread × rate", Look(GREY, "^")),
        ("age_alone", ""): ("age alone", Look(GREY, "v", filled=False)),
    }
)
_PARTS = {"fold_10": "Fold 10", "folds_1_to_9": "Folds 1 to 9"}


def by_question(scores: pd.DataFrame) -> Picture:
    """A row a question, a block a part of PTB-XL: AUROC of models and baselines, rows of ``scores.csv``."""
    rows = scores[scores["metric"] == "auroc"]
    told = rows["condition"].str.extract(r"(?:filter=(?P<filter>[^;]+);)?question=(?P<question>[^;]+)$")
    keys = list(zip(rows["model"], told["filter"].fillna(""), strict=True))
    points = rows.assign(
        kind=[_KINDS[key][0] if key in _KINDS else "" for key in keys],
        row=told["question"].map({name: question.words for name, question in QUESTIONS.items()}),
        block=rows["counted"].map(_PARTS),
        panel="auroc",
    )
    points = points[points["kind"] != ""]
    bounds = "95 % intervals by bootstrap over patients where known, else over recordings"
    return forest(
        points,
        {"auroc": "AUROC"},
        {words: look for words, look in _KINDS.values() if words in set(points["kind"])},
        title="",
        caption=f"{how_many(points)}; printed without shift in phase but where a causal filter is named\n{bounds}",
        line=0.5,
    )
