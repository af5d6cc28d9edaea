"""Pictures of what an audit found: pages that belong together, and what gives the class away without the heart."""

from __future__ import annotations

import textwrap
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from leadwise.audit.facts import Facts
from leadwise.audit.findings import FIELD_NAMES, Finding
from leadwise.errors import UnreadablePage
from leadwise.figures.forest import Look, forest
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
    numbers = finding.numbers
    heading(
        figure,
        "How often a page was copied gives its class away",
        f"n = {numbers['n']} pages, counted in the squares; this number alone names the class on "
        f"{numbers['accuracy']:.0%}",
    )
    return figure


def fields_that_tell(finding: Finding) -> Picture:
    """How often each printed field alone names the class, with 95 % intervals, against the largest class's share."""
    fields = finding.numbers["fields"]
    alone, floor = "the field alone", "always the largest class"
    points = []
    for name in sorted(fields, key=lambda name: -fields[name]["accuracy"]):
        place = {"row": FIELD_NAMES[name], "panel": ""}
        colour = ALARM if name in finding.numbers["tell"] else GREY
        share = fields[name]
        points.append({**place, "kind": alone, "value": share["accuracy"], **share, "colour": colour})
        points.append({**place, "kind": floor, "value": share["always_the_largest"], "colour": INK})
    return forest(
        pd.DataFrame(points),
        {"": ""},
        {alone: Look(GREY), floor: Look(INK, "|")},
        title="What the print alone gives away",
        caption=f"n = {max(share['n'] for share in fields.values())} pages; small decision trees, 95 % intervals; "
        "red: more than always answering the largest class",
        axis="Share of pages whose class it names, out of fold",
    )


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
