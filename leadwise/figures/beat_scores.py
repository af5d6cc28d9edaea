"""Pictures of scores of beats: paired differences, networks joined, and what papers print beside what was found."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.markers import TICKRIGHT

from leadwise.figures.forest import (
    RECORDS_DRAWN,
    Look,
    forest,
    how_many,
    judged,
    marks,
    panel_name,
    panel_names,
)
from leadwise.figures.style import (
    ALARM,
    GREY,
    MARK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    PALE,
    Picture,
    heading,
    legend_above,
    picture,
)
from leadwise.scores.draws import ENDS

_FAR = 0.9  # along an axis: from there on names stand to the left of their points, and above the highest


def differences(differences: pd.DataFrame, title: str) -> Picture:
    """Each model minus others, rows of ``differences.csv``: a panel a metric, a row a model, a mark an other."""
    kinds = "minus " + differences["minus"]
    looks = map(Look, MODEL_COLOURS, MODEL_MARKERS)
    return forest(
        judged(differences)
        .drop(columns="colour")
        .assign(row=differences["model"], panel=differences["metric"], kind=kinds),
        panel_names(differences),
        dict(zip(dict.fromkeys(kinds), looks, strict=False)),
        title=title,
        caption=f"{how_many(differences)}; lines: {RECORDS_DRAWN}; hollow: the interval holds 0",
        line=0.0,
        axis="Difference",
    )


def score_by_number(scores: pd.DataFrame) -> Picture:
    """Macro-F1 of the k best networks joined: a row of panels a protocol, a panel a way of joining.

    Rows of ``scores.csv``: the ways are models whose condition tells ``k``, and ``ranked_on=test`` where the order
    is taken from the test set, as published. A model without ``k`` is the best single network of its protocol.
    """
    scores = scores[scores["metric"] == "macro_f1"]
    condition = scores["condition"].fillna("")
    k = condition.str.extract(r"\bk=(\d+)", expand=False).astype(float)
    scores = scores.assign(k=k, peeked=condition.str.contains("ranked_on=test"))
    single, joined = scores[k.isna()], scores[k.notna()].sort_values("k", kind="stable")
    ways, protocols = (list(dict.fromkeys(joined[key])) for key in ("model", "protocol"))
    figure = picture(12.5, 1.2 + 3.1 * len(protocols))
    axes = figure.subplots(len(protocols), len(ways), sharex="row", sharey="row", squeeze=False)
    for line, protocol in zip(axes, protocols, strict=True):
        for ax, way in zip(line, ways, strict=True):
            for value, low, high in single.loc[single["protocol"] == protocol, ENDS].to_numpy(float):
                ax.axhspan(low, high, color=PALE, alpha=0.4, linewidth=0)
                ax.axhline(value, color=GREY, linewidth=1.4, label="best single network")
            of_way = joined[(joined["protocol"] == protocol) & (joined["model"] == way)]
            ranked, peeked = of_way[~of_way["peeked"]], of_way[of_way["peeked"]]
            marks(ax, ranked["k"] - 0.12, ranked[ENDS], Look(MARK, line="-"), upright=True,
                  label="ranked on beats that nobody learned from")  # fmt: skip
            marks(ax, peeked["k"] + 0.12, peeked[ENDS], Look(ALARM, "s", filled=False, line="--"), upright=True,
                  label="ranked on the test set: no result")  # fmt: skip
            ax.set_title(f"{way}, {protocol}", fontsize=11)
            ax.set_xticks(of_way["k"].unique())
            ax.grid(visible=True, axis="y")
        line[0].set_ylabel(panel_name("macro_f1", "aami5"))
    for ax in axes[-1]:
        ax.set_xlabel("Networks joined")
    legend_above(figure, axes[0, 0], 3)
    caption = f"{how_many(joined)}; lines and band: 95 % intervals by bootstrap over records"
    return heading(figure, "The k best, joined", caption)


def sensitivity_and_ppv(scores: pd.DataFrame, ours: Sequence[str], printed: pd.DataFrame) -> Picture:
    """Sensitivity to S and V against their PPV: `ours` with intervals, other models and papers as points.

    Rows of ``scores.csv``, ``recall`` and ``ppv`` of S and V; `printed` has ``work, class, recall, ppv`` in 0 to 1. A
    paper that prints no PPV is a tick on the axis of sensitivity.
    """
    figure = picture(12, 5.4)
    for ax, name in zip(figure.subplots(1, 2, sharey=True), "SV", strict=True):
        papers = printed[printed["class"] == name].dropna(subset="recall")
        for work, ppv, recall in papers[["work", "ppv", "recall"]].itertuples(index=False):
            at, mark, words = (ppv, "x", work) if pd.notna(ppv) else (0, TICKRIGHT, f"{work}, no PPV")
            ax.plot(at, recall, marker=mark, color=ALARM, markersize=8, markeredgewidth=2)
            side, offset = ("right", (-6, 6 if recall > _FAR else -5)) if at > _FAR else ("left", (6, 6))
            ax.annotate(
                words, (at, recall), offset, textcoords="offset points", ha=side, fontsize=9, color=ALARM
            )
        ppv, recall = (
            scores[scores["metric"] == f"{kind}_{name}"].set_index("model")[ENDS]
            for kind in ("ppv", "recall")
        )
        rebuilt = ppv.merge(recall, on="model", suffixes=("_ppv", "_recall")).query("model not in @ours")
        ax.plot(rebuilt["value_ppv"], rebuilt["value_recall"], "o", color=GREY, markerfacecolor="none", markersize=7,
                label="networks of a coursework, rebuilt")  # fmt: skip
        seeds = scores.set_index("model")["seeds"].str.replace("/", ", ").groupby(level=0).first()
        for model, look in zip(ours, map(Look, MODEL_COLOURS, MODEL_MARKERS), strict=False):
            across, up = ppv.reindex([model]), recall.reindex([model])
            marks(ax, up["value"], across, look)
            marks(ax, across["value"], up, look, upright=True, label=f"{model}, seeds: {seeds[model]}")
        ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=f"PPV of {name}", title=f"Class {name}")
        ax.grid(visible=True)
    figure.axes[0].set_ylabel("Sensitivity")
    figure.axes[0].legend(loc="lower right", fontsize=9)
    return heading(
        figure,
        "DS1 to DS2, all annotated beats",
        f"{how_many(scores)}; red: as printed in papers, without intervals\nLines: {RECORDS_DRAWN}",
    )
