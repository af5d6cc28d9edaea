"""What prose may say of models: its numbers come from tables, and what compares stands beside a paired difference.

A decimal, a percentage or an "n of m" stands in a mark (`leadwise.publishing.quoted`), or
``tests/claims_allowed.csv`` says where it comes from: a line for a text of a file, with its source. Tables that are
written, code, links, versions and licences are no prose. Read are README, CONTRIBUTING, docs, cards, the checklist
and what introduces a table of RESULTS.md; in notebooks the cells of text, for numbers alone.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leadwise.errors import MissingInput, TableError
from leadwise.publishing.quoted import MARK, quoted
from leadwise.publishing.results import HEADLINE, TABLES

ALLOWED = "tests/claims_allowed.csv"
_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d+(?:\s?%)?|\d+\s?%|\d[\d,]*\s+of\s+(?:\w+\s+){0,2}\d+(?:,\d{3})*)")
_COMPARISON = re.compile(
    r"\b(?:more|less|better|worse|higher|lower|fewer|faster|smaller)\b(?:\s+\w+){0,2}?\s+than\b"
    r"|\b(?:more|less)\s+often\b|\boverlap\w*|\bno\s+(?:gain|difference)\b|\boutperform\w*"
    r"|\b(?:is|are|lies?|stays?|falls?|rises?)\s+(?:far\s+|well\s+)?(?:above|below)\b",
    re.IGNORECASE,
)
_NO_PROSE = re.compile(
    "|".join(
        (
            r"\A---\n.*?\n---\n",
            r"<!-- leadwise tables: .*?<!-- end of table -->",
            MARK.pattern,
            r"<!--.*?-->",
            r"```.*?```",
            r"`[^`]*`",
            r"\]\([^)\s]*\)",
            r"https?://\S+|\b10\.\d{4,9}/\S+|arXiv [\d.]+\d",
            r"\d+(?:\.\d+){2,}|(?:CC BY|ODC-BY|CycloneDX|Python) \d+\.\d+",
            r"95 % (?:confidence )?interval",
        )
    ),
    re.DOTALL,
)
_BREAK = re.compile(r"\n\s*\n|\n(?=[ \t]*(?:[-*+|#>]|\d+\. ))|(?<=[.!?])\s+(?=[A-Z\0*\[])")


@dataclass(frozen=True)
class Claim:
    """A number, or words that compare, which stand in no mark: where they stand, and in which sentence."""

    file: str
    start: int
    end: int
    found: str
    sentence: str
    compares: bool

    @property
    def problem(self) -> str:
        """What is wrong with it, and what to do."""
        remedy = (
            "a comparison needs its paired difference: quote a row of differences.csv in the same sentence"
            if self.compares
            else "put the score between <!-- score:ID --> and <!-- /score -->"
        )
        found = " ".join(self.found.split())
        or_else = f"or give it a line with its source in {ALLOWED}."
        return f"{self.file}: {found!r} in {self.sentence!r}: {remedy}, {or_else}"


def problems(repository: Path) -> list[str]:
    """What is claimed without a source, by file; then the lines of `ALLOWED` that no text needs any more.

    Raises MissingInput where that file is missing, TableError where a line lacks its file, text or source, and for a
    mark whose ID is unknown.
    """
    texts = {**_documents(repository), **_notebooks(repository)}
    claims = [claim for file, text in texts.items() for claim in claims_of(file, text)]
    let: set[Claim] = set()
    stale = []
    for file, text in _allowed(repository / ALLOWED):
        places = [place.span() for place in re.finditer(_as_wrapped(text), texts.get(file, ""))]
        inside = {
            one
            for one in claims
            if one.file == file and any(start <= one.start and one.end <= end for start, end in places)
        }
        let |= inside
        if not inside:
            stale.append(
                f"{ALLOWED}: no number and no comparison stands in {text!r} of {file}: take the line out."
            )
    return [claim.problem for claim in claims if claim not in let] + stale


def claims_of(file: str, text: str) -> Iterator[Claim]:
    """The claims of a text that stand in no mark; of a notebook's numbers alone.

    Raises TableError for a mark whose ID is unknown.
    """
    prose = _NO_PROSE.sub(lambda some: re.sub(r"[^\n]", "\0", some[0]), text)
    start = 0
    for end in [*(found.start() for found in _BREAK.finditer(prose)), len(prose)]:
        raw = text[start:end]
        paired = any(quoted(mark[2]).minus for mark in MARK.finditer(raw))
        patterns = (_NUMBER,) if file.endswith(".ipynb") or paired else (_NUMBER, _COMPARISON)
        for pattern in patterns:
            for found in pattern.finditer(prose, start, end):
                yield Claim(file, *found.span(), found[0], " ".join(raw.split()), pattern is _COMPARISON)
        start = end


def _documents(repository: Path) -> dict[str, str]:
    """By path: what people read; of the results what introduces and explains each table."""
    paths = (
        repository / "README.md",
        repository / "CONTRIBUTING.md",
        *sorted(repository.glob("docs/*.md")),
        *sorted(repository.glob("leadwise/resources/*_CARD.md")),
        repository / "analysis" / "REPORTING.md",
    )
    said = {path.relative_to(repository).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    words = [
        text
        for one in (*TABLES.values(), HEADLINE)
        for text in (one.intro, *one.pictures.values(), one.caption)
    ]
    return said | {"leadwise/publishing/results.py": "\n\n".join(filter(None, words))}


def _notebooks(repository: Path) -> dict[str, str]:
    """By path: the text of each notebook."""
    return {
        path.relative_to(repository).as_posix(): "\n\n".join(
            "".join(cell["source"])
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "markdown"
        )
        for path in sorted(repository.glob("*/[0-9][0-9]_*.ipynb"))
    }


def _allowed(path: Path) -> list[tuple[str, str]]:
    """File and text of each line of it."""
    if not path.is_file():
        raise MissingInput(
            f"{path}: no such file. It says where numbers in prose come from: file, text, source."
        )
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for number, row in enumerate(rows, 2):
        if list(row) != ["file", "text", "source"] or not all(row.values()):
            raise TableError(f"{path}: line {number} does not say file, text and source.")
    return [(row["file"], row["text"]) for row in rows]


def _as_wrapped(text: str) -> str:
    """A pattern of a text, wherever its lines are broken."""
    return r"\s+".join(map(re.escape, text.split()))
