"""Answers counted in squares: labels against answers, and who is wrong on what."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from leadwise.figures.style import Picture, class_colour, class_name, heading, picture
from leadwise.scores.metrics import confusion


def confusion_matrices(
    answers: Mapping[str, pd.DataFrame], classes: Sequence[str], title: str = "Labels and answers"
) -> Picture:
    """One matrix a model: units of each class (rows) by the answer (columns), colour the share of the row.

    ``answers`` maps a model's name to its test rows of predictions.csv. Over several seeds, counts are their mean.
    """
    columns = min(len(answers), 3)
    rows = -(-len(answers) // columns)
    side = 2.3 + 0.5 * len(classes)
    figure = picture(1.0 + columns * side, 0.9 + rows * (side - 0.1))
    axes = figure.subplots(rows, columns, squeeze=False)
    short = [textwrap.fill(class_name(name), 10) for name in classes]
    for number, (ax, (name, frame)) in enumerate(zip(axes.ravel(), answers.items(), strict=False)):
        counts = confusion(frame, classes).to_numpy() / frame["seed"].nunique()
        of_class = counts.sum(axis=1, keepdims=True)
        share = np.divide(counts, of_class, out=np.zeros_like(counts), where=of_class > 0)
        digits = 0 if np.abs(counts - counts.round()).max() < 1e-6 else 1
        texts = [
            f"{count:,.{digits}f}\n{part:.0%}" for count, part in zip(counts.flat, share.flat, strict=True)
        ]
        _squares(ax, share, texts, short, [] if number % columns else short)
        ax.set_title(name, loc="center")
        for ticks in (ax.get_xticklabels(), ax.get_yticklabels()):
            for tick, label in zip(ticks, classes, strict=False):
                tick.set(color=class_colour(label), fontweight="bold")
    for ax in axes.ravel()[len(answers) :]:
        ax.set_visible(False)
    for ax in axes[:, 0]:
        ax.set_ylabel("Label")
    for ax in axes[-1]:
        ax.set_xlabel("Answer")
    unit = next(iter(answers.values()))["unit"].iloc[0]
    return heading(figure, title, f"{answered(answers)}; colour and %: share of the label's {unit}s")


def wrong_by(wrong: pd.DataFrame, title: str) -> Picture:
    """Shares of beats that networks (rows) get wrong, by class and by record, as `scores.beats.wrong_by` counts."""
    sides = {side: wrong.filter(regex=f"^{side} ") for side in ("class", "record")}
    widths = [max(3, table.shape[1]) for table in sides.values()]
    figure = picture(4.2 + 0.46 * sum(widths), 2.1 + 0.36 * len(wrong))
    axes = figure.subplots(1, 2, width_ratios=widths)
    for ax, (side, table) in zip(axes, sides.items(), strict=True):
        share = table.to_numpy(float)
        names = [name.partition(" ")[2] for name in table]
        texts = [f"{100 * value:.0f}" for value in share.flat]
        _squares(ax, share, texts, names, list(table.index) if side == "class" else [], square=False)
        ax.tick_params(axis="x", labelrotation=90 if side == "record" else 0)
        ax.set_xlabel("Annotated class" if side == "class" else "Record")
    return heading(
        figure,
        title,
        f"n = {len(wrong)} models, {len(sides['record'].columns)} records; numbers and colour: % of the beats of "
        "that class, or record, that are called wrongly",
    )


def answered(answers: Mapping[str, pd.DataFrame]) -> str:
    """How many units and seeds models answered for: ``n = 491 pages, mean over 3 seeds``."""
    units, seeds = (
        sorted({frame[key].nunique() for frame in answers.values()}) for key in ("unit_id", "seed")
    )
    unit = next(iter(answers.values()))["unit"].iloc[0]
    text = f"n = {' to '.join(f'{n:,}' for n in dict.fromkeys([units[0], units[-1]]))} {unit}s"
    return text if seeds == [1] else f"{text}, mean over {' to '.join(map(str, seeds))} seeds"


def _squares(
    ax: Axes,
    share: NDArray[np.floating],
    texts: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[str],
    *,
    square: bool = True,
) -> None:
    """Shares as colours with what is told of each in it; a share that is nan stays empty."""
    import seaborn as sns

    sns.heatmap(share, ax=ax, annot=np.reshape(texts, share.shape), fmt="", cmap="Blues", vmin=0, vmax=1,
                cbar=False, square=square, linewidths=1.5, linecolor="white", xticklabels=columns,
                yticklabels=rows, annot_kws={"fontsize": 10.5 if square else 9})  # fmt: skip
    ax.tick_params(axis="both", length=0, rotation=0, labelsize=9.5)
