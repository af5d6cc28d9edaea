"""Pictures of teaching: what a teacher says, what teaching was worth, and how a page is answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from leadwise.figures.forest import JUDGED, forest, how_many, judged, panel_names
from leadwise.figures.style import MODEL_COLOURS, Picture, bare, heading, picture, rgb


def confidence_in_the_label(
    known: NDArray[np.floating], unknown: NDArray[np.floating], title: str
) -> Picture:
    """How probable a teacher holds the label of each page ``(pages,)``: of pages it was trained on, and of others."""
    figure = picture(8.4, 3.6)
    ax = figure.subplots()
    for values, colour, line, name in (
        (known, MODEL_COLOURS[0], "--", "trained on these pages"),
        (unknown, MODEL_COLOURS[2], "-", "never saw these pages (cross-fitted)"),
    ):
        share = np.arange(1, len(values) + 1) / len(values)
        ax.step(np.sort(values), share, where="post", color=colour, linestyle=line, linewidth=2, label=name)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="Probability given to the page's label", ylabel="Share of pages")
    ax.legend(loc="upper left")
    caption = f"n = {len(known)} pages of the training folds; the further left, the more is left to say"
    return heading(figure, title, caption)


def what_teaching_gives(differences: pd.DataFrame) -> Picture:
    """Each taught student minus its untaught twin, paired: rows of ``differences.csv``, a panel a metric."""
    n_seeds = differences["seeds"].str.count("/") + 1
    pages = differences["n"].map("{:,.0f} pages".format)
    seeds = [f"{m} seed{'s' if m > 1 else ''}" for m in n_seeds]
    names = differences["model"] + differences["condition"].str.replace("loss=", ", ")
    points = judged(differences).assign(
        row=names + " (" + pages + ", " + seeds + ")", panel=differences["metric"]
    )
    return forest(
        points,
        panel_names(differences),
        title="What does a teacher give?",
        caption=f"{how_many(differences)}; 95 % intervals by bootstrap over printed ids, paired\n{JUDGED}",
        line=0.0,
        axis="taught minus untaught",
    )


def answered_page(page: NDArray[np.uint8]) -> Picture:
    """A page as `leadwise predict --overlay` draws it, BGR uint8."""
    height, width = page.shape[:2]
    figure = picture(11.0, 11.0 * height / width)
    ax = figure.subplots()
    ax.imshow(rgb(page, longest_px=1650))
    bare(ax)
    return figure
