"""README's table and chart of the notebooks: from their rows, their first cells, and minutes that were measured."""

from __future__ import annotations

import json
import re

import pandas as pd

from leadwise.errors import MissingInput
from leadwise.project import paths
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.publishing.markdown import as_table


def notebooks_table(runs: pd.DataFrame) -> str:
    """A row a notebook: its question, and its minutes in ``runs.csv`` under each profile of which any are there.

    Raises MissingInput for a notebook that is not there or asks nothing.
    """
    minutes = runs[runs["notebook"].isin(NOTEBOOKS)].pivot_table(
        index="notebook", columns="profile", values="minutes", aggfunc="max"
    )
    minutes = minutes.reindex(list(NOTEBOOKS))
    lines = [
        (f"[{name}]({place_of(name)})", question(name), *map(_in_words, minutes.loc[name]))
        for name in NOTEBOOKS
    ]
    return as_table(["notebook", "what it answers", *(f"`{profile}`" for profile in minutes)], lines)


def place_of(name: str) -> str:
    """Where a notebook lies in the repository."""
    return f"{paths.STAGES[name[0]]}/{name}.ipynb"


def question(name: str) -> str:
    """What a notebook asks: its first cell from **Question.** to the first question mark, in one line.

    Raises MissingInput where the notebook is not there, or its first cell has no such sentence.
    """
    path = paths.notebook_path(name)
    if not path.is_file():
        raise MissingInput(f"{path} is missing: 'git checkout' brings it back.")
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    asked = re.search(r"\*\*Question\.\*\*\s+(.+?\?)", "".join(first["source"]), re.DOTALL)
    if not asked:
        raise MissingInput(f"{path}: its first cell has no sentence that begins with **Question.** and asks.")
    return " ".join(asked[1].split())


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


def _in_words(minutes: float) -> str:
    """Up to an hour and a half as minutes, above as hours; nothing where it is not known."""
    if pd.isna(minutes):
        return ""
    if minutes > 90:
        return f"{minutes / 60:.1f} h"
    return f"{minutes:.0f} min" if minutes >= 1 else "under 1 min"
