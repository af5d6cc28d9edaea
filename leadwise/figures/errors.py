"""Pictures of wrong answers: the worst pages, errors in common, who is read well, what acting on answers is worth."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from leadwise.figures.forest import Look, marks
from leadwise.figures.leads import twelve_leads_on
from leadwise.figures.style import (
    ALARM,
    GREY,
    INK,
    MARK,
    MODEL_COLOURS,
    MODEL_MARKERS,
    PALE,
    Picture,
    class_colour,
    class_name,
    heading,
    picture,
)
from leadwise.scores.benefit import ALL, NONE
from leadwise.scores.subgroups import FEWEST

KINDS = {
    "class": "Class",
    "sex": "Sex",
    "month": "Month",
    "rate": "Printed rate",
    "quality": "Columns with ink",
    "triangle": "I + III against II",
}
"""The kinds of `leadwise.scores.subgroups` as people read them."""


def worst_pages(
    worst: pd.DataFrame, crops: NDArray[np.uint8], strips: NDArray[np.uint8], title: str = ""
) -> Picture:
    """The leads of pages, two a row, each under its label and what networks make of it.

    ``worst``: rows of `wrong_answers.by_page` with a column ``heart_rate_bpm`` (printed; may be missing); ``crops``
    (pages, 12, 300, 500) and ``strips`` (pages, 300, 2000) in its order. `title` where they are other ones.
    """
    rows = -(-len(worst) // 2)
    figure = picture(11.6, 0.9 + 3.95 * rows)
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for ax, page, crop, strip in zip(axes, worst.to_dict("records"), crops, strips, strict=False):
        twelve_leads_on(ax, crop, strip, text_pt=8.5)
        rate = page["heart_rate_bpm"]
        printed = "rate not read" if pd.isna(rate) else f"{rate:.0f} bpm printed"
        p = f"p = {page['p_label']:.2f}" if page["p_label"] >= 0.005 else "p < 0.005"
        ax.set_title(f"{class_name(page['label'])}: {p}", color=class_colour(page["label"]), pad=18)
        says = f"{page['agreeing']} of {page['networks']} say {class_name(page['called'])}"
        if page["wrong"] < page["networks"] and page["called"] == page["label"]:
            says = f"{page['wrong']} of {page['networks']} say otherwise"
        ax.text(0, 1.02, f"{says}; {printed}; page {page['page_id']}", transform=ax.transAxes, fontsize=9.5)
    for ax in axes[: len(worst)][:-2]:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    for ax in axes[len(worst) :]:
        ax.set_visible(False)
    return heading(
        figure,
        title or f"The {len(worst)} pages whose label was given the least",
        f"n = {len(worst)} pages; p: the label's probability, mean of {worst['networks'].max()} network(s), out of "
        "fold; paper 25 mm/s, 10 mm/mV, thick lines 0.2 s and 0.5 mV apart",
    )


def wrong_together(counted: pd.DataFrame) -> Picture:
    """How many pages are wrong with how many networks at once, beside what chance would give.

    ``counted`` as `wrong_answers.wrong_together` makes it; the pages that all answer rightly are not drawn.
    """
    some = counted[counted["wrong"] > 0]
    networks = int(counted["wrong"].max())
    figure = picture(8.6, 4.4)
    ax = figure.subplots()
    x = some["wrong"].to_numpy(float)
    bars = ax.bar(x - 0.2, some["pages"], 0.36, color=MARK, label="counted")
    ax.bar_label(bars, padding=3, fontsize=10.5, color=MARK)
    ax.bar(x + 0.2, some["by_chance"], 0.36, color=PALE, edgecolor=GREY, label="if each erred on its own")
    marks(ax, x + 0.2, some[["by_chance", "low", "high"]], Look(INK, "_"), upright=True)
    ax.set(xlabel="Networks that answer otherwise than the label", ylabel="Pages", xticks=x)
    ax.margins(y=0.12)
    ax.legend()
    return heading(
        figure,
        "Wrong together",
        f"n = {counted['pages'].sum()} pages, {networks} networks; all {networks} are right on "
        f"{counted['pages'].iloc[0]}. By chance: each network keeps\nits errors in each class, on pages drawn anew; "
        "lines: 95 % of the draws",
    )


def subgroups(counted: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> Picture:
    """By kind of page: the share that each model answers rightly (left), and which classes the pages have (right).

    ``counted``: by model, what `subgroups.counts` gives of the same pages; ``rate`` is drawn in grey.
    """
    first = next(iter(counted.values()))
    kinds = list(dict.fromkeys(first["what"]))
    y = np.arange(len(first)) + first["what"].map(kinds.index).to_numpy() * 0.7
    figure = picture(12.4, 1.6 + max(0.36, 0.08 * len(counted)) * (y[-1] + 1))
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1), sharey=True)
    step = 0.62 / max(1, len(counted))
    networks = [name for name in counted if name != "rate"]
    for number, (name, table) in enumerate(counted.items()):
        index = networks.index(name) if name in networks else 0
        look = Look(MODEL_COLOURS[index % 8], MODEL_MARKERS[index % 8])
        look = Look(GREY, "d", filled=False) if name == "rate" else look
        place = y + (number - (len(counted) - 1) / 2) * step
        marks(left, place, table[["share", "low", "high"]], look, label=name)
    so_far = np.zeros(len(first))
    for name in classes:
        share = (first[name] / first["of"]).to_numpy(float)
        right.barh(y, share, 0.7, left=so_far, color=class_colour(name), label=class_name(name))
        so_far += share
    for place, row in zip(y, first.itertuples(), strict=True):
        right.text(1.03, place, f"{row.of}", va="center", fontsize=10)
        if row.of < FEWEST:
            left.text(0.02, place, f"fewer than {FEWEST} pages", va="center", fontsize=9.5, color=GREY,
                      transform=left.get_yaxis_transform())  # fmt: skip
    names = [class_name(row.group) if row.what == "class" else row.group for row in first.itertuples()]
    left.set_yticks(y, names)
    for kind in kinds:
        top = y[(first["what"] == kind).to_numpy()].min()
        left.text(0, top - 0.62, KINDS.get(kind, kind), fontweight="bold", fontsize=10.5, va="center",
                  ha="right", transform=left.get_yaxis_transform())  # fmt: skip
    lowest = float(np.nanmin([table["low"].min() for table in counted.values()] + [0.9]))
    left.set(ylim=(y[-1] + 0.6, -1.0), xlim=(np.floor(lowest * 10) / 10 - 0.01, 1.01))
    left.set_xlabel("Share answered rightly")
    right.set(xlim=(0, 1.16), xlabel="Classes of these pages, and how many pages", xticks=[0, 0.5, 1])
    for ax in (left, right):
        ax.xaxis.set_major_formatter(PercentFormatter(1))
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=True, axis="x")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3 if ax is left else 2, fontsize=9.5)
    return heading(
        figure,
        "Who is read well?",
        f"n = {first.loc[first['what'] == kinds[0], 'of'].sum()} pages, one seed; Wilson's 95 % intervals; groups "
        "differ in their classes, so shares are no ranking",
    )


def decision_curves(tables: Sequence[pd.DataFrame], acted_on: str, pages: int) -> Picture:
    """Net benefit by threshold, a column a prevalence; beneath, what the first model has over the printed rate.

    ``tables``: of one or more prevalences, what `benefit.net_benefit` gives with ``over=["rate", ...]`` where
    ``rate`` is among the models; without it the lower row is what the first model has over treating all.
    """
    figure = picture(6.4 * len(tables) + 0.6, 7.6)
    axes = figure.subplots(2, len(tables), squeeze=False, sharex=True, height_ratios=(1.6, 1))
    over = "rate" if "over_rate" in tables[0] else ALL
    first = tables[0]["model"].iloc[0]
    for (top, below), table in zip(axes.T, tables, strict=True):
        _curves(top, table)
        prevalence = float(table["prevalence"].iloc[0])
        top.set_title(f"{class_name(acted_on)}: {prevalence:.0%} of pages")
        top.set_ylim(-0.15 * prevalence, 1.08 * prevalence)
        of_first = table[table["model"] == first]
        gain = f"over_{over.replace(' ', '_')}"
        below.axhline(0, color=GREY, linewidth=1.2)
        ends = (of_first[f"{gain}_low"] * 100, of_first[f"{gain}_high"] * 100)
        below.fill_between(of_first["threshold"], *ends, color=MARK, alpha=0.2, linewidth=0)
        below.plot(of_first["threshold"], of_first[gain] * 100, color=MARK)
        below.set(xlabel="Threshold: probability from which a page is acted on")
        below.xaxis.set_major_formatter(PercentFormatter(1))
        below.grid(visible=True)
        top.grid(visible=True)
        top.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f}")
    axes[0, 0].set_ylabel("Net benefit, pages in 100")
    axes[1, 0].set_ylabel(
        textwrap.fill(f"{first} minus {'the rate' if over == 'rate' else over}, pages in 100", 22)
    )
    handles, labels = axes[0, -1].get_legend_handles_labels()
    axes[0, -1].legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=9.5)
    return heading(
        figure,
        "Is it better to act on the answers than on all pages, or on none?",
        f"n = {pages} pages; bands: 95 % by bootstrap over groups, paired below. Only the first prevalence is that "
        "of these pages;\nthe other is assumed, and the probabilities are moved to it. No threshold is anybody's.",
    )


def _curves(ax: Axes, table: pd.DataFrame) -> None:
    """All models' curves, the first with its band."""
    names = list(dict.fromkeys(table["model"]))
    networks = [name for name in names if name not in ("rate", "base_rates", ALL, NONE)]
    for name in reversed(names):
        of_model = table[table["model"] == name]
        number = networks.index(name) if name in networks else 0
        style = {ALL: (ALARM, ":"), NONE: (INK, "-"), "rate": (GREY, "--"), "base_rates": (GREY, ":")}
        colour, line = style.get(name, (MODEL_COLOURS[number % 8], "-"))
        ax.plot(of_model["threshold"], of_model["net_benefit"], line, color=colour, label=name,
                linewidth=1.2 if name == NONE else 1.8)  # fmt: skip
        if name == names[0]:
            ends = (of_model["net_benefit_low"], of_model["net_benefit_high"])
            ax.fill_between(of_model["threshold"], *ends, color=colour, alpha=0.2, linewidth=0)
