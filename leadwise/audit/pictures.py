"""Pictures of what an audit found: pages that belong together, and what gives the class away without the heart."""

from __future__ import annotations

import textwrap
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from matplotlib.transforms import blended_transform_factory

from leadwise.audit.facts import Facts
from leadwise.audit.findings import FIELD_NAMES, Finding
from leadwise.errors import UnreadablePage
from leadwise.figures.pages import copies_and_counts
from leadwise.figures.style import (
    ALARM,
    GREY,
    INK,
    PALE,
    Picture,
    bare,
    class_colour,
    class_name,
    drawable,
    heading,
    picture,
    rgb,
)
from leadwise.names import CLASS_NAMES
from leadwise.pages.read import read_page

_MOST_GROUPS, _MOST_FILES = 3, 4


def files_and_pages(facts: Facts) -> Picture | None:
    """The page with the most copies, as it lies in the folder, beside what each class holds; None without copies."""
    copies = facts.files["page"].value_counts()
    if copies.iloc[0] == 1:
        return None
    paths = facts.files.loc[facts.files["page"] == copies.index[0], "path"].tolist()[:_MOST_FILES]
    images = [read_page(facts.folder / path) for path in paths]
    return copies_and_counts(images, [PurePosixPath(path).name for path in paths], facts.counts("label"))


def drawn(finding: Finding, folder: Path) -> Picture | None:
    """The picture that fits a finding: a chart, the pages it is about, or none where there is nothing to look at."""
    if finding.code == "LW010":
        return copies_by_class(finding)
    if finding.code == "LW011":
        return fields_that_tell(finding)
    return pages_of(finding, folder)


def pages_of(finding: Finding, folder: Path) -> Picture | None:
    """The first files of the first groups of a finding, a row a group; None where no file can be shown."""
    single = all(len(group) == 1 for group in finding.files)
    groups = [[group[0] for group in finding.files]] if single else finding.files
    rows = []
    for group in groups[:_MOST_GROUPS]:
        row = [(path, page) for path in group[:_MOST_FILES] if (page := _read(folder / path)) is not None]
        if row:
            rows.append(row)
    if not rows:
        return None
    columns = max(map(len, rows))
    width = 3.1 * max(columns, 2)
    figure = picture(width, 0.75 + 2.55 * len(rows))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for ax in axes.ravel():
        bare(ax)
    for line, row in zip(axes, rows, strict=True):
        for ax, (path, page) in zip(line, row, strict=False):
            ax.imshow(rgb(page, 600), interpolation="lanczos")
            ax.set_title(_short(path), fontsize=9, fontweight="normal", loc="left")
            for spine in ax.spines.values():
                spine.set(visible=True, color=PALE)
    there = len(finding.files)
    caption = (
        f"{len(rows[0])} of {there} files" if single else f"{len(rows)} of {there} groups; a row is one group"
    )
    heading(figure, f"{finding.code} {finding.kind.name}", caption)
    return figure


def copies_by_class(finding: Finding) -> Picture:
    """How many pages of each class stand under how many names: a square a pair, its number in it."""
    table = pd.DataFrame(finding.numbers["pages"]).T.fillna(0).astype(int)
    order = [name for name in CLASS_NAMES if name in table.index]
    table = table.reindex([*order, *(name for name in table.index if name not in order)])
    figure = picture(9, 1.5 + 0.55 * len(table))
    ax = figure.subplots()
    for row, (label, counts) in enumerate(table.iterrows()):
        share = counts / max(counts.sum(), 1)
        for column, number in enumerate(counts):
            if number:
                alpha = 0.25 + 0.6 * float(share.iloc[column])
                ax.plot(column, row, "s", color=class_colour(str(label)), alpha=alpha, markersize=30)
            ax.text(column, row, str(number), ha="center", va="center", color=INK if number else GREY)
    ax.set(xticks=range(table.shape[1]), xticklabels=table.columns, xlim=(-0.6, table.shape[1] - 0.4))
    ax.set(yticks=range(len(table)), yticklabels=[drawable(class_name(str(label))) for label in table.index])
    ax.set(ylim=(len(table) - 0.5, -0.5), xlabel="Files that show the page")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    told = finding.numbers
    heading(
        figure,
        "How often a page was copied gives its class away",
        f"n = {told['n']} pages, counted in the squares; this number alone names the class on {told['accuracy']:.0%}",
    )
    return figure


def fields_that_tell(finding: Finding) -> Picture:
    """How often each printed field alone names the class, with 95 % intervals, against the largest class's share."""
    fields = finding.numbers["fields"]
    names = sorted(fields, key=lambda name: -fields[name]["accuracy"])
    figure = picture(9, 1.6 + 0.45 * len(names))
    ax = figure.subplots()
    for row, name in enumerate(names):
        one = fields[name]
        tells = name in finding.numbers["tell"]
        ends = [[one["accuracy"] - one["low"]], [one["high"] - one["accuracy"]]]
        ax.errorbar(one["accuracy"], row, xerr=ends, fmt="o", color=ALARM if tells else GREY, capsize=3)
        ax.plot([one["always_the_largest"]] * 2, [row - 0.35, row + 0.35], color=INK, linewidth=1.4)
    beside = blended_transform_factory(ax.transData, ax.transAxes)
    largest = fields[names[0]]["always_the_largest"]
    ax.text(largest, 1.02, "the largest class", ha="center", va="bottom", fontsize=9.5, transform=beside)
    ax.set(yticks=range(len(names)), yticklabels=[FIELD_NAMES[name] for name in names])
    ax.set(ylim=(len(names) - 0.5, -0.5), xlim=(0, 1), xlabel="Pages whose class it names, out of fold")
    ax.tick_params(axis="y", length=0)
    heading(
        figure,
        "What the print alone gives away",
        f"n = {max(one['n'] for one in fields.values())} pages; small decision trees, 95 % intervals; red: more than "
        "always answering the largest class",
    )
    return figure


def _read(path: Path) -> np.ndarray | None:
    try:
        return read_page(path)
    except UnreadablePage:
        return None


def _short(path: str) -> str:
    """The file's name, and over it the folders it lies in, shortened."""
    parts = PurePosixPath(drawable(path))
    above = textwrap.shorten(" / ".join(parts.parts[:-1]), 34, placeholder=" …")
    return f"{above}\n{parts.name}" if above else parts.name
