"""An audit as one HTML file that shows each finding and its pages; nothing in it comes from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from leadwise.audit.facts import Facts
from leadwise.audit.findings import Finding, verdict
from leadwise.audit.pictures import drawn, files_and_pages
from leadwise.figures.style import class_name
from leadwise.files import sha256_in_policy, written_whole
from leadwise.names import CAUTION, VERSION, as_html

_LISTED = 30
_MEANS = {"leak": "a split is false", "warning": "to be settled before training", "note": "to be known"}

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --soft: #646464; --line: #e0e0e0;
  --leak: #b00020; --warning: #b97a00; --note: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ground: #161719; --ink: #e9e6e2; --soft: #a7abb0; --line: #3a3d41;
  --leak: #ff8a80; --warning: #f0b94d; --note: #6cc0f0; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.quiet { color: var(--soft); font-size: .9rem; } .verdict { padding: .7rem 1rem; border-left: 6px solid; }
.leak { border-color: var(--leak); } .warning { border-color: var(--warning); } .note { border-color: var(--note); }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: left; padding: .3rem .9rem .3rem 0; }
td.number, th.number { text-align: right; overflow-wrap: normal; }
tr { border-bottom: 1px solid var(--line); vertical-align: top; }
.findings { list-style: none; padding: 0; } .findings p { margin: 0; }
.findings li { border-left-width: 6px; border-left-style: solid; padding: .1rem 0 .1rem .8rem; margin: .8rem 0; }
figure { margin: 1rem 0; overflow-x: auto; } img { display: block; width: 100%; height: auto; max-width: max-content;
  min-width: 40rem; background: #fff; border-radius: 6px; }
@media (prefers-color-scheme: dark) { img { filter: brightness(.88); } }
.wide { display: none; } @media (max-width: 42rem) { .wide { display: block; margin: .3rem 0; } }
code { white-space: nowrap; } a { color: inherit; } li { margin: .2rem 0; }
"""

_POLICY = (
    "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
    f"style-src {sha256_in_policy(_STYLE)}"
)
"""What a browser may do with the file: show it. A name from the folder could not act even if it were no text."""


def write_report(facts: Facts, findings: list[Finding], path: Path) -> None:
    """Write the report, whole or not at all."""
    title = as_html(f"Audit of {facts.folder.resolve().name}")
    weights = {finding.kind.weight for finding in findings}
    gravest = next((weight for weight in _MEANS if weight in weights), "note")
    summary = "".join(
        f"<li class='{f.kind.weight}'><p><a href='#{f.code}'><code>{f.code}</code> {as_html(f.kind.name)}</a> "
        f"<span class='quiet'>{f.kind.weight}</span></p><p>{as_html(f.says)}</p></li>"
        for f in findings
    )
    parts = [
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>",
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f"<p class='quiet'>leadwise {VERSION}</p>",
        f"<p class='verdict {gravest}'>{as_html(verdict(facts, findings))}</p>",
        _counts(facts),
        "<h2>Findings</h2>",
        f"<ol class='findings'>{summary}</ol>" if findings else "<p>None.</p>",
        *(_section(facts, finding) for finding in findings),
        "<h2>What was not checked</h2>" if facts.not_checked else "",
        *(f"<p>{as_html(sentence)}</p>" for sentence in facts.not_checked),
        f"<p class='quiet'>{CAUTION} Whose pages these are, and what may be done with "
        "them, stands with whoever published them.</p></body></html>",
    ]
    with written_whole(path) as aside:
        aside.write_text("\n".join(parts), encoding="utf-8", errors="backslashreplace")


def _counts(facts: Facts) -> str:
    tables = [_table(facts.counts("label"), "Class", class_name)]
    if facts.is_split:
        tables.append(_table(facts.counts("split"), "Split", lambda name: name or "in no split"))
    figure = files_and_pages(facts)
    picture = "" if figure is None else _image(figure, "Files and distinct pages by class")
    return f"<h2>What is here</h2>{''.join(tables)}{picture}"


def _table(counts: pd.DataFrame, head: str, name_of: Callable[[str], str]) -> str:
    rows = "".join(
        f"<tr><td>{as_html(name_of(name))}</td><td class='number'>{files}</td><td class='number'>{distinct}</td></tr>"
        for name, files, distinct in counts.itertuples(index=False)
    )
    numbers = "<th class='number'>Files</th><th class='number'>Distinct pages</th>"
    return f"<table><tr><th>{head}</th>{numbers}</tr>{rows}</table>"


def _section(facts: Facts, finding: Finding) -> str:
    kind = finding.kind
    figure = drawn(finding, facts.folder)
    listed = "".join(f"<li>{as_html(', '.join(group))}</li>" for group in finding.files[:_LISTED])
    left = len(finding.files) - _LISTED
    more = f"<p>and {left} more; --json lists all.</p>" if left > 0 else ""
    files = f"<details><summary>Files</summary><ol>{listed}</ol>{more}</details>" if listed else ""
    return (
        f"<h2 id='{finding.code}'>{finding.code} {as_html(kind.name)}</h2>"
        f"<p class='verdict {kind.weight}'>{as_html(finding.says)} <span class='quiet'>({kind.weight}: "
        f"{_MEANS[kind.weight]})</span></p><p>{as_html(kind.advice)}</p>"
        f"{_image(figure, kind.name) if figure is not None else ''}{files}"
    )


def _image(figure: Any, alt: str) -> str:
    data = base64.b64encode(figure._repr_png_()).decode("ascii")
    return (
        "<p class='quiet wide'>The picture is wider than this window: move it sideways.</p>"
        f"<figure tabindex='0'><img alt='{as_html(alt)}' src='data:image/png;base64,{data}'></figure>"
    )
