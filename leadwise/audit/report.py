"""An audit as one HTML file that shows each finding and its pages; nothing in it comes from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from leadwise.audit.facts import Facts
from leadwise.audit.findings import Finding, verdict
from leadwise.audit.pictures import drawn, files_and_pages
from leadwise.figures.style import class_name
from leadwise.files import written_whole
from leadwise.names import VERSION

_LISTED = 30
_MEANS = {"leak": "a split is false", "warning": "to be settled before training", "note": "to be known"}

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.quiet { color: #6e6e6e; font-size: .9rem; } .verdict { padding: .7rem 1rem; border-left: 6px solid; }
.leak { border-color: #b00020; } .warning { border-color: #e69f00; } .note { border-color: #0072b2; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: left; padding: .3rem .9rem .3rem 0; }
td.number, th.number { text-align: right; } tr { border-bottom: 1px solid #e6e6e6; vertical-align: top; }
img { max-width: 100%; } code { white-space: nowrap; } a { color: inherit; }
li { margin: .2rem 0; overflow-wrap: anywhere; }
"""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""No script runs in a report and nothing is fetched for it, whatever files are called."""


def write_report(facts: Facts, findings: list[Finding], path: Path) -> None:
    """Write the report, whole or not at all."""
    with written_whole(path) as aside:
        aside.write_text(report(facts, findings), encoding="utf-8", errors="backslashreplace")


def report(facts: Facts, findings: list[Finding]) -> str:
    """The report as HTML."""
    title = f"Audit of {facts.folder.resolve().name}"
    summary = "".join(
        f"<tr><td><a href='#{f.code}'><code>{f.code}</code></a></td><td>{escape(f.kind.name)}</td>"
        f"<td>{f.kind.weight}</td><td>{escape(f.says)}</td></tr>"
        for f in findings
    )
    parts = [
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>",
        f"<meta http-equiv='Content-Security-Policy' content=\"{_POLICY}\">",
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        f"<p class='quiet'>{escape(str(facts.folder.resolve()))}; leadwise {VERSION}</p>",
        _verdict(facts, findings),
        _counts(facts),
        "<h2>Findings</h2>",
        f"<table><tr><th>Code</th><th>Finds</th><th>Weight</th><th>Here</th></tr>{summary}</table>"
        if findings
        else "<p>None.</p>",
        *(_section(facts, finding) for finding in findings),
        "<h2>What was not checked</h2>" if facts.not_checked else "",
        *(f"<p>{escape(sentence)}</p>" for sentence in facts.not_checked),
        "<p class='quiet'>Research use only, not a medical device. Whose pages these are, and what may be done with "
        "them, stands with whoever published them.</p></body></html>",
    ]
    return "\n".join(parts)


def _verdict(facts: Facts, findings: list[Finding]) -> str:
    weights = [finding.kind.weight for finding in findings]
    weight = next((one for one in _MEANS if one in weights), "note")
    return f"<p class='verdict {weight}'>{escape(verdict(facts, findings))}</p>"


def _counts(facts: Facts) -> str:
    tables = [_table(facts.counts("label"), "Class", class_name)]
    if facts.is_split:
        tables.append(_table(facts.counts("split"), "Split", lambda name: name or "in no split"))
    figure = files_and_pages(facts)
    picture = "" if figure is None else _image(figure, "Files and distinct pages by class")
    return f"<h2>What is here</h2>{''.join(tables)}{picture}"


def _table(counts: pd.DataFrame, head: str, name_of: Callable[[str], str]) -> str:
    rows = "".join(
        f"<tr><td>{escape(name_of(name))}</td><td class='number'>{files}</td><td class='number'>{distinct}</td></tr>"
        for name, files, distinct in counts.itertuples(index=False)
    )
    numbers = "<th class='number'>Files</th><th class='number'>Distinct pages</th>"
    return f"<table><tr><th>{head}</th>{numbers}</tr>{rows}</table>"


def _section(facts: Facts, finding: Finding) -> str:
    kind = finding.kind
    figure = drawn(finding, facts.folder)
    listed = "".join(f"<li>{escape(', '.join(group))}</li>" for group in finding.files[:_LISTED])
    left = len(finding.files) - _LISTED
    more = f"<p>and {left} more; --json lists all.</p>" if left > 0 else ""
    files = f"<details><summary>Files</summary><ol>{listed}</ol>{more}</details>" if listed else ""
    return (
        f"<h2 id='{finding.code}'>{finding.code} {escape(kind.name)}</h2>"
        f"<p class='verdict {kind.weight}'>{escape(finding.says)} <span class='quiet'>({kind.weight}: "
        f"{_MEANS[kind.weight]})</span></p><p>{escape(kind.advice)}</p>"
        f"{_image(figure, kind.name) if figure is not None else ''}{files}"
    )


def _image(figure: Any, alt: str) -> str:
    data = base64.b64encode(figure._repr_png_()).decode("ascii")
    return f"<img alt='{escape(alt)}' src='data:image/png;base64,{data}'>"
