"""The executed notebooks of a profile as a site that opens from disk: nothing is executed, nothing is fetched.

runs/<profile>/report/
├── index.html       the notebooks, what each asks, when it ran
├── results.html     the published tables, and this profile's own
├── figures.html     every figure, linked to the cell that drew it
├── cards ...        README, model cards, data set card, reporting checklist
├── docs-*.html ...  a page for each other Markdown file to which one of them links
├── notebooks/       one page a notebook (nbconvert), figures/ their pictures
└── files/           what the cards link to
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from leadwise.errors import MissingInput
from leadwise.files import RESOURCES, without_front_matter
from leadwise.names import METRICS
from leadwise.project import executor, paths, profiles, provenance
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.publishing.documents import results_text
from leadwise.publishing.front_matter import FRONT_MATTER
from leadwise.publishing.markdown import anchor, as_table
from leadwise.publishing.render import Published

CARDS = {
    "readme": ("README.md", "README"),
    **{
        Path(card).stem.lower(): (
            f"leadwise/resources/{card}",
            Path(card).stem.replace("_", " ").capitalize(),
        )
        for card in FRONT_MATTER
    },
    "reporting": ("analysis/REPORTING.md", "Reporting checklist"),
}
"""By the name of their page: where they lie in the repository, and what they are called."""

_FIRST = "Notebooks"
_RESULTS = "analysis/RESULTS.md"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


@dataclass(frozen=True)
class _Executed:
    """A notebook that has run: its cells, and what it says of itself in ``result.json``."""

    name: str
    notebook: Any
    result: Mapping[str, Any]

    @property
    def title(self) -> str:
        first = next(cell for cell in self.notebook.cells if cell.cell_type == "markdown")
        return str(first.source).splitlines()[0].lstrip("# 0123456789")

    @property
    def figures(self) -> dict[str, str]:
        """The cell that drew it, by the name of each figure; the whole notebook's page where none names it."""
        code = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        cells = {}
        for file in self.result.get("files", ()):
            if picture := re.fullmatch(r"([^/]+)\.png", file):
                quoted = re.compile(rf"""["']{re.escape(picture[1])}["']""")
                drawn_in = (f"#cell-id={cell.id}" for cell in code if quoted.search(cell.source))
                cells[picture[1]] = next(drawn_in, "")
        return cells


def write_report(profile: str, target: Path | None = None) -> Path:
    """Write the site of a profile, whole or not at all; return its first page.

    It goes to ``runs/<profile>/report``, or to `target`, and takes the place of an earlier one. Notebooks that have
    not run are named as such. Raises MissingInput where none has run or `target` holds something else.
    """
    profiles.load_profile(profile)
    executed = _executed(profile)
    if not executed:
        raise MissingInput(
            f"no notebook has run under the profile {profile!r}, so there is nothing to show. "
            f"Run them first: leadwise run --profile {profile}"
        )
    folder = (target or paths.runs_folder() / profile / "report").resolve()
    if folder.exists() and any(folder.iterdir()) and not _is_report(folder / "index.html"):
        raise MissingInput(f"{folder} holds something else than a report. Name another folder, or empty it.")
    aside = folder.with_name(f".{folder.name}.aside")
    if aside.is_symlink():
        aside.unlink()
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)  # refuses what is there, a link too
    _Site(profile, executed, aside).write()
    folder.mkdir(exist_ok=True)  # it stays, since a shell may stand in it
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for part in aside.iterdir():
        part.rename(folder / part.name)
    aside.rmdir()
    return folder / "index.html"


def _is_report(first_page: Path) -> bool:
    """Whether a file is the first page of a report, by the title that its template gives it."""
    if not first_page.is_file():
        return False
    return f"<title>{_FIRST} · leadwise, " in first_page.read_text(encoding="utf-8", errors="replace")


def _executed(profile: str) -> dict[str, _Executed]:
    import nbformat

    executed = {}
    for name in NOTEBOOKS:
        path = paths.result_path(profile, name)
        result, notebook = provenance.read_result(path), path.with_name("notebook.ipynb")
        if result is not None and notebook.is_file():
            cells = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
            executed[name] = _Executed(name, cells, result)
    return executed


class _Site:
    """The pages of one report, written into a folder that is empty yet."""

    def __init__(self, profile: str, executed: dict[str, _Executed], folder: Path) -> None:
        from jinja2 import Environment

        self.profile = profile
        self.executed = executed
        self.folder = folder
        self.repository = paths.repository()
        text = (RESOURCES / "report.html.j2").read_text(encoding="utf-8")
        self.template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
        self.cards = {name: card for name, card in CARDS.items() if (self.repository / card[0]).is_file()}
        self.page_of = {place: name for name, (place, _) in self.cards.items()} | {_RESULTS: "results"}

    def write(self) -> None:
        (self.folder / "notebooks").mkdir()
        figures = []
        for executed in self.executed.values():
            page = self._page_of(executed)
            (self.folder / "notebooks" / f"{executed.name}.html").write_text(page, encoding="utf-8")
            for name, cell in executed.figures.items():
                picture = paths.result_path(self.profile, executed.name).with_name(f"{name}.png")
                if picture.is_file():
                    self._copy(picture, f"figures/{executed.name}/{picture.name}")
                    figures.append(
                        {"notebook": executed.name, "title": executed.title, "name": name, "cell": cell}
                    )
        changed = set(executor.made_by_other_code(self.profile))
        rows = [
            {"name": name, "executed": self.executed.get(name), "old": name in changed} for name in NOTEBOOKS
        ]
        self._write("index", _FIRST, notebooks=rows, pictures=len(figures))
        self._write("figures", "Figures", figures=figures)
        self._write("results", "Results", html=_html(self._results()))
        for name, (place, _) in self.cards.items():
            self._write_document(name, place)

    def _write(self, name: str, title: str, **more: Any) -> None:
        menu = {"index": _FIRST, "results": "Results", "figures": "Figures"}
        menu |= {card: words for card, (_, words) in self.cards.items()}
        text = self.template.render(
            policy=POLICY, page=name, title=title, menu=menu, profile=self.profile, **more
        )
        (self.folder / f"{name}.html").write_text(text, encoding="utf-8")

    def _write_document(self, name: str, place: str) -> None:
        """Write a Markdown file of the repository as a page."""
        text = (self.repository / place).read_text(encoding="utf-8")
        self._write(
            name, text.partition("\n")[0].lstrip("# "), html=_html(self._linked(text, Path(place).parent))
        )

    def _copy(self, source: Path, inside: str) -> None:
        copy = self.folder / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)

    def _page_of(self, executed: _Executed) -> str:
        """An executed notebook as HTML, with a way back, and with nothing that is fetched when it is read."""
        from jinja2 import DictLoader
        from nbconvert import HTMLExporter

        for cell in executed.notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = self._linked(cell.source, Path(paths.STAGES[executed.name[0]]), above="../")
        executed.notebook.metadata.pop(
            "widgets", None
        )  # saved widgets would be drawn by a script from elsewhere
        exporter = HTMLExporter(  # type: ignore[no-untyped-call]
            extra_loaders=[DictLoader({"leadwise.html.j2": _NOTEBOOK})], template_file="leadwise.html.j2"
        )
        exporter.log.setLevel("ERROR")  # that pictures lack words is mended below
        resources = {"metadata": {"name": executed.name}, "policy": POLICY}
        page, _ = exporter.from_notebook_node(executed.notebook, resources)
        return _with_words(str(page), executed)

    def _results(self) -> str:
        """The published tables, each with its notebook, and the tables of this profile, in Markdown."""
        results = self.repository / "analysis" / "results"
        parts = ["# Results"]
        if (results / "scores.csv").is_file():
            parts = [self._linked(results_text(Published.read(results)), Path(_RESULTS).parent)]
        scored = {
            name: path
            for name in self.executed
            if (path := paths.result_path(self.profile, name).with_name("scores.csv")).is_file()
        }
        if scored:
            warning = (
                "**Figures of what was trained on the sample (weights: random) mean nothing; those of published "
                "networks are true of its few pages.** "
            )
            parts += [
                f"## Of the profile `{self.profile}`",
                (warning if self.profile == "sample" else "")
                + "What stands above was published, perhaps of other profiles and runs than these notebooks.",
            ]
        parts += [
            f"### {name}: scores.csv\n\n[{name}](notebooks/{name}.html)\n\n{_frame(path)}"
            for name, path in scored.items()
        ]
        return "\n\n".join(parts)

    def _linked(self, text: str, place: Path, above: str = "") -> str:
        """Markdown whose links lead to the site's own pages and copies; a link to what is not there is dropped."""

        def link(match: re.Match[str]) -> str:
            picture, words, target, anchor = match[1], match[2], match[3], match[4] or ""
            if re.match(r"[a-z]+:", target):
                return match[0]
            inside = os.path.normpath(place / target)
            address = self._address(inside)
            return f"{picture}[{words}]({above}{address}{anchor})" if address else words

        return _LINK.sub(link, text)

    def _address(self, inside: str) -> str | None:
        """Where in the site a file of the repository stands; other files are copied. None where it cannot be."""
        if Path(inside).suffix == ".ipynb":
            name = Path(inside).stem
            return f"notebooks/{name}.html" if name in self.executed else None
        source = self.repository / inside
        if inside not in self.page_of and (inside.startswith("..") or not source.is_file()):
            return None
        if source.suffix == ".md":
            if inside not in self.page_of:
                name = inside.removesuffix(".md").replace("/", "-")
                self.page_of[inside] = name  # before what it links to
                self._write_document(name, inside)
            return f"{self.page_of[inside]}.html"
        self._copy(source, f"files/{inside}")
        return f"files/{inside}"


POLICY = (
    "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""Of every page: it shows its own pictures, runs no script and fetches nothing, whatever a notebook's output is."""

_NOTEBOOK = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}
<meta http-equiv="Content-Security-Policy" content="{{ resources.policy }}">
{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block body_header %}
<body class="jp-Notebook" data-jp-theme-light="true" data-jp-theme-name="JupyterLab Light">
<nav class="jp-RenderedHTMLCommon" style="padding: .5rem 0 1rem 5rem"><a href="../index.html">All notebooks</a> ·
<a href="../figures.html">Figures</a> · Research use only, not a medical device</nav>
<main>
{% endblock %}
"""


def _with_words(page: str, executed: _Executed) -> str:
    """Say in words what each picture of a notebook shows: the figure's name, or else whose it is."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(page, "html.parser")
    drawn = {cell: name.replace("_", " ") for name, cell in executed.figures.items() if cell}
    for image in soup.select(".jp-RenderedImage img"):
        cell = image.find_parent(id=re.compile("^cell-id="))
        image["alt"] = drawn.get(f"#{cell['id']}" if cell else "", f"figure of {executed.name}")
    return str(soup)


def _html(markdown: str) -> str:
    """Markdown as HTML, by the renderer of nbconvert, with the headings' anchors.

    The marks of tables stay out, and charts, which a script would have to draw.
    """
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    text = without_front_matter(markdown)
    text = re.sub(r"<!--.*?-->|```mermaid\n.*?```", "", text, flags=re.DOTALL)
    html = str(MarkdownWithMath(renderer=renderer).render(text))
    return re.sub(
        r"<h(\d)>(.*?)</h\1>",
        lambda found: f'<h{found[1]} id="{anchor(found[2])}">{found[2]}</h{found[1]}>',
        html,
    )


def _frame(path: Path) -> str:
    """The scores of a notebook as a table in Markdown, intervals beside their values."""
    from leadwise.scores.table import as_text, read_scores

    scores = read_scores(path)
    answered = scores["protocol"] != ""
    if answered.mean() > 0.5:  # no costs and counts then, and no class apart
        scores = scores[answered & scores["metric"].isin(METRICS)]
    table = as_text(scores)
    return as_table(
        table.columns, ((escape(str(cell)) for cell in row) for row in table.itertuples(index=False))
    )
