"""README's table and chart of the notebooks: from their rows, their first cells, and minutes that were measured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pandas as pd

from leadwise.errors import MissingInput
from leadwise.project import paths
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.project.profiles import profile_names

MinutesOf = Callable[[str, str], float | None]
"""(notebook, profile) to the minutes that it took there, or None where that is not known."""


def notebooks_table(minutes_of: MinutesOf) -> str:
    """A row a notebook: its question, and how long it took under each profile for which that is known of any.

    Raises MissingInput for a notebook that is not there or asks nothing.
    """
    taken = {
        profile: {name: found for name in NOTEBOOKS if (found := minutes_of(name, profile)) is not None}
        for profile in profile_names()
        if profile != "sample"
    }
    timed = {profile: minutes for profile, minutes in taken.items() if minutes}
    heads = ["notebook", "what it answers", *(f"`{profile}`" for profile in timed)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in NOTEBOOKS:
        place = paths.notebook_path(name).relative_to(paths.repository()).as_posix()
        cells = [_said(minutes[name]) if name in minutes else "" for minutes in timed.values()]
        lines.append(f"| {' | '.join([f'[{name}]({place})', question(name), *cells])} |")
    return "\n".join(lines)


def question(name: str) -> str:
    """What a notebook asks: its first cell from **Question.** to the first question mark, in one line.

    Raises MissingInput where the notebook is not there, or its first cell has no such sentence.
    """
    path = paths.notebook_path(name)
    if not path.is_file():
        raise MissingInput(f"{path} is missing: 'git checkout' brings it back.")
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    found = re.search(r"\*\*Question\.\*\*\s+(.+?\?)", "".join(first["source"]), re.DOTALL)
    if not found:
        raise MissingInput(f"{path}: its first cell has no sentence that begins with **Question.** and asks.")
    return " ".join(found[1].split()).replace("|", "\\|")


def published_minutes(runs: pd.DataFrame) -> MinutesOf:
    """What published runs say (``runs.csv``): the minutes of a notebook under a profile."""

    def minutes_of(notebook: str, profile: str) -> float | None:
        own = runs[(runs["notebook"] == notebook) & (runs["profile"] == profile)]
        return float(own["minutes"].max()) if len(own) else None

    return minutes_of


def notebooks_chart() -> str:
    """Which notebook's files go into which, as a Mermaid chart; ways that lead over a third one are left out."""
    resting: dict[str, set[str]] = {}  # by notebook, all on which it rests
    lines = []
    for name, row in NOTEBOOKS.items():
        above = row.needed()
        over_others = set[str]().union(*(resting[need] for need in above))
        resting[name] = over_others.union(above)
        kind = "recordings" if row.on_recordings else "pages"
        begins = [_node(need) for need in above if need not in over_others] or [f'{kind}[("{kind}")]']
        lines.append(f'{" & ".join(begins)} --> {_node(name)}["{name.replace("_", " ")}"]')
    shipped = " & ".join(_node(name) for name, row in NOTEBOOKS.items() if row.ships)
    lines.append(f'{shipped} --> predict(["leadwise predict"])')
    return "\n".join(["```mermaid", "flowchart LR", *(f"    {line}" for line in lines), "```"])


def _node(name: str) -> str:
    return f"n{name[:2]}"


def _said(minutes: float) -> str:
    """Minutes in words: up to an hour and a half as minutes, above as hours."""
    if minutes > 90:
        return f"{minutes / 60:.1f} h"
    return f"{minutes:.0f} min" if minutes >= 1 else "under 1 min"
