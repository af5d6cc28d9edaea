"""Pictures of how well pages of any form are read: signal to noise, laws against it, what is said of bad pages."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from leadwise.figures.signals import BLUE
from leadwise.figures.style import ALARM, GREY, INK, PALE, Picture, bare, drawable, heading, picture, rgb
from leadwise.pages.read import Page


def snr_by_form(pages: pd.DataFrame, peers: pd.DataFrame, wrong_db: float) -> Picture:
    """Signal to noise, aligned, of each page by its form, refused ones at the left; medians of `peers` beside.

    `pages` is ``read_pages.csv``, `peers` ``published_pages.csv``.
    """
    rows, forms = pd.factorize(pages["form"])
    within = pages.groupby("form").cumcount().to_numpy()
    height = rows + 0.5 * (
        (0.5 + within * 0.618) % 1 - 0.5
    )  # spread by the golden section, so that no two coincide
    read = pages["read"].to_numpy(bool)
    warned = pages["warnings"].notna().to_numpy() & read
    snr_db = pages["aligned_db"].to_numpy(float)
    lowest = float(np.min(snr_db[read], initial=0.0))
    figure = picture(11, 1.9 + 0.5 * len(forms))
    ax = figure.subplots()
    ax.axvspan(lowest - 2, wrong_db, color=PALE, alpha=0.5, linewidth=0)
    ax.text(
        wrong_db - 0.3,
        -0.8,
        f"wrong: below {wrong_db:g} dB",
        ha="right",
        va="center",
        color=GREY,
        fontsize=9.5,
    )
    for some, face, label in ((read & ~warned, BLUE, "read"), (warned, "white", "read, with a warning")):
        ax.plot(snr_db[some], height[some], "o", color=BLUE, markerfacecolor=face, markersize=6, label=label)
    ax.plot(
        np.full((~read).sum(), lowest - 5), height[~read], "x", color=ALARM, markersize=7, label="refused"
    )
    medians = [float(np.median(snr_db[read & (rows == row)])) for row in np.unique(rows[read])]
    ax.plot(
        medians,
        np.unique(rows[read]),
        "|",
        color=INK,
        markersize=26,
        markeredgewidth=2.2,
        label="median of read",
    )
    for peer in peers.itertuples():
        at, label = float(str(peer.aligned_median_db)), f"median of {peer.work}, on other pages"
        ax.axvline(at, color=GREY, linestyle="--", linewidth=1.4, label=label)
    ax.set(yticks=range(len(forms)), yticklabels=forms, ylim=(len(forms) - 0.4, -1.1), ylabel="Layout")
    ax.set_xlabel("Signal to noise of a page after one shift in time, dB")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=5, fontsize=9.5)
    others = "; ".join(f"{peer.work}: {peer.pages}" for peer in peers.itertuples()).replace("`", "")
    return heading(figure, "", f"n = {len(pages)} drawn pages, a mark each. {others}")


def snr_and_laws(pages: pd.DataFrame, wrong_db: float) -> Picture:
    """Whether laws notice a bad reading: the least of them, against a page's signal to noise; ``read_pages.csv``."""
    read = pages[pages["read"]]
    least = read[["einthoven", "goldberger", "strip_alike"]].min(axis=1).to_numpy(float)
    snr_db = read["aligned_db"].to_numpy(float)
    warned, right = read["warnings"].notna().to_numpy(), read["layout_right"].to_numpy(bool)
    figure = picture(9, 5)
    ax = figure.subplots()
    ax.axhspan(-100, wrong_db, color=PALE, alpha=0.5, linewidth=0)
    ax.text(0.01, 0.02, f"wrong: below {wrong_db:g} dB", transform=ax.transAxes, color=GREY, fontsize=9.5)
    for some, colour, mark, words in (
        (right, BLUE, "o", "layout right"),
        (~right, ALARM, "s", "layout wrong"),
    ):
        for told, face, said in ((~warned, colour, "no warning"), (warned, "white", "a warning")):
            ax.plot(least[some & told], snr_db[some & told], mark, color=colour, markerfacecolor=face, markersize=6.5,
                    label=f"{words}, {said}")  # fmt: skip
    highest, lowest = float(np.max(snr_db, initial=20)) + 2, float(np.min(snr_db, initial=0)) - 3
    ax.set(ylim=(lowest, highest), ylabel="Signal to noise of a page, aligned, dB")
    ax.set_xlabel("Least of Einthoven's, Goldberger's and the strip's law (1 is perfect)")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=9.5)
    return heading(
        figure,
        "",
        f"n = {len(read)} drawn pages that were read; laws are seen on any page, SNR on drawn ones",
    )


def pages_and_answers(pages: Sequence[Page], titles: Sequence[str], answers: Sequence[str]) -> Picture:
    """Small pictures of pages in rows of three, each with what was said of it beneath."""
    rows = -(-len(pages) // 3)
    figure = picture(12, 0.4 + 3.7 * rows)
    axes = figure.subplots(rows, 3, squeeze=False).ravel()
    for ax in axes:
        bare(ax)
    for ax, page, title, answer in zip(axes, pages, titles, answers, strict=False):
        shown = rgb(page, 500)
        ax.imshow(shown)
        ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, fill=False, edgecolor=PALE))
        ax.set_title(drawable(title), fontsize=11)
        ax.set_xlabel(textwrap.fill(drawable(answer), 46), fontsize=9.5, color=INK, loc="left")
    return heading(figure, "", f"n = {len(pages)} pages, and what is said of each")
