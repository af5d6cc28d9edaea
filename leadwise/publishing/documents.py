"""The files in which tables and scores stand: README files, docs, cards, checklist, RESULTS.md, OPENED.md.

They are written anew from ``analysis/results`` and the ledger beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from leadwise.audit.findings import KINDS
from leadwise.errors import TableError, nearest
from leadwise.files import written_whole
from leadwise.names import CAUTION
from leadwise.project import paths
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.publishing import claims, openings, shipped_files
from leadwise.publishing.front_matter import with_front_matter
from leadwise.publishing.ink_card import ink_told, names_told
from leadwise.publishing.markdown import as_table
from leadwise.publishing.notebooks_table import notebooks_chart, notebooks_table, place_of
from leadwise.publishing.published_set import SET_WRITERS
from leadwise.publishing.quoted import with_scores
from leadwise.publishing.render import Published
from leadwise.publishing.results import CARD_TABLES, HEADLINE, TABLES
from leadwise.sets.croissant import metadata

_MARKS = re.compile(r"(<!-- leadwise tables: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)

Writer = Callable[[Published], str]

WRITERS: dict[str, Writer] = {
    **{name: table.text for name, table in {**TABLES, **CARD_TABLES}.items()},
    "headline": HEADLINE.text,
    **SET_WRITERS,
    "audit_codes": lambda _: as_table(
        ("code", "finds", "what to do"), ((code, kind.name, kind.advice) for code, kind in KINDS.items())
    ),
    "ink_told": lambda _: ink_told(),
    "names_told": lambda _: names_told(),
    "notebooks": lambda published: notebooks_table(published.runs),
    "notebooks_chart": lambda _: notebooks_chart(),
}
"""By the name between a file's marks: what writes the text there."""


def with_tables(text: str, published: Published) -> str:
    """A text with everything between two marks written anew. Raises TableError for a name that is none."""

    def table(mark: re.Match[str]) -> str:
        if mark[2] not in WRITERS:
            raise TableError(f"no table is called {mark[2]!r}; {nearest(mark[2], WRITERS)}")
        return f"{mark[1]}{WRITERS[mark[2]](published)}\n{mark[3]}"

    opened, closed = text.count("<!-- leadwise tables:"), text.count("<!-- end of table -->")
    if opened != closed or opened != len(_MARKS.findall(text)):
        raise TableError(f"{opened} tables begin and {closed} end: a mark of one is missing or misspelt.")
    return _MARKS.sub(table, text)


def read_again(path: Path, published: Published) -> str:
    """A file's text with its tables and scores written anew. Raises TableError, which names the file."""
    try:
        text = with_front_matter(path.read_text(encoding="utf-8"), path.name, published)
        return with_scores(with_tables(text, published), published)
    except TableError as error:
        raise TableError(f"{path}: {error}") from error


def results_text(published: Published) -> str:
    """RESULTS.md: all published tables, each with its pictures, its notebooks and its runs."""
    parts = [
        "# Results",
        "Written whole by `leadwise tables` from [results](results): `scores.csv` (a row is one metric of one model "
        "at one place), `differences.csv` (paired), `runs.csv` (what was run, where, for how long). Protocols "
        f"that begin with `leaky` are there to be priced. {CAUTION}",
    ]
    for table in TABLES.values():
        text, runs = table.text_and_runs(published)
        notebooks = [name for name in NOTEBOOKS if name in set(published.runs.loc[runs, "notebook"])]
        links = ", ".join(f"[{name}](../{place_of(name)})" for name in notebooks)
        parts += [
            f"## {table.title}",
            table.intro,
            *(f"![{words}](figures/{file})" for file, words in table.pictures.items()),
            f"Measured by {links}." if links else "",
            text,
        ]
    return with_scores("\n\n".join(filter(None, parts)) + "\n", published)


def outdated() -> dict[Path, str]:
    """The files whose text is not what the tables say, each with the text that it should have."""
    return {
        path: text
        for path, text in _texts()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }


def faults() -> list[str]:
    """What the tables cannot mend, a sentence each.

    A card that tells of another file than the one that ships, a number in prose without a source, and a published
    score whose test set was opened without a row in the ledger.
    """
    repository = paths.repository()
    published = Published.read(repository / "analysis" / "results")
    return [
        *shipped_files.faults(published, repository / "leadwise" / "resources"),
        *claims.problems(repository),
        *openings.faults(repository / "analysis"),
    ]


def write_tables() -> list[Path]:
    """Write them; return the files that changed."""
    changed = outdated()
    for path, text in changed.items():
        with written_whole(path) as aside:
            aside.write_text(text, encoding="utf-8")
    return list(changed)


def _texts() -> Iterator[tuple[Path, str]]:
    repository = paths.repository()
    published = Published.read(repository / "analysis" / "results")
    resources = repository / "leadwise" / "resources"
    for path in (
        *(repository / name for name in ("README.md", "CONTRIBUTING.md", "analysis/REPORTING.md")),
        *sorted({*repository.glob("*/README.md"), *repository.glob("docs/*.md")}),
        *sorted(resources.glob("*_CARD.md")),
    ):
        yield path, read_again(path, published)
    analysis = repository / "analysis"
    yield analysis / "RESULTS.md", results_text(published)
    yield analysis / "OPENED.md", openings.opened_text(openings.read_openings(analysis / openings.LEDGER))
    if (resources / "DATASET_CARD.md").is_file():
        yield resources / "croissant.json", json.dumps(metadata(), indent=1, ensure_ascii=False) + "\n"
