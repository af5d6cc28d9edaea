"""The notebooks as they are committed: what a reader may count on, and what a run may."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from leadwise.project import profiles
from leadwise.project.notebook import Run
from leadwise.project.notebook import _parameters_in as parameters_in
from leadwise.project.notebooks import NOTEBOOKS, audit_of
from leadwise.publishing.notebooks_table import question

REPOSITORY = Path(__file__).resolve().parents[2]
ON_DISK = {path.stem: path for path in sorted(REPOSITORY.glob("*/[0-9][0-9]_*.ipynb"))}


@pytest.fixture(params=list(ON_DISK))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cells(name: str) -> list[dict[str, Any]]:
    return list(json.loads(ON_DISK[name].read_text(encoding="utf-8"))["cells"])


def code(cells: list[dict[str, Any]]) -> list[str]:
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def parameters_cell(cells: list[dict[str, Any]]) -> str:
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    return "".join(tagged[0]["source"])


def test_every_notebook_is_known_and_every_known_one_is_there() -> None:
    assert set(ON_DISK) == set(NOTEBOOKS)


def test_it_opens_with_its_number_a_question_and_what_goes_in_and_out(name, cells):
    first = " ".join("".join(cells[0]["source"]).split())
    assert cells[0]["cell_type"] == "markdown"
    assert first.startswith(f"# {name[:2]} ")
    for word in ("**Question.**", "**In:**", "**Out:**", "not a medical device"):
        assert word in first
    assert question(name) in first


def test_how_long_it_takes_is_told_by_the_readme_alone(cells):
    first = " ".join("".join(cells[0]["source"]).split())
    assert "**How long it takes:** the table of notebooks in the [README](../README.md)." in first
    assert not re.search(r"\b(minutes?|hours?) in `|in `(sample|cpu)`|\d s\b", first)


def calls(cells: list[dict[str, Any]]) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse("\n".join(code(cells)))) if isinstance(node, ast.Call)]


def words_in(node: ast.AST) -> set[str]:
    return {
        one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def test_its_row_names_the_notebooks_whose_files_it_reads_and_no_others(name, cells):
    inside = ast.parse(textwrap.dedent(inspect.getsource(Run.page_data)))
    read = set()
    for call in calls(cells):
        match ast.unparse(call.func):
            case "run.input" | "run.weights" | "run.result":
                read |= words_in(call.args[0]) & set(NOTEBOOKS)
            case "run.page_data":
                read |= words_in(inside) & set(NOTEBOOKS)
            case "run.parameters.sources":
                read |= set(profiles.parameters("sample", name).sources())
    assert set(NOTEBOOKS[name].needed(profiles.parameters("sample", name))) == read


def test_its_row_names_the_sets_that_it_opens_and_no_others(name, cells):
    opened = set()
    for call in calls(cells):
        match ast.unparse(call.func):
            case "run.data_folder":
                opened.add("pages")
            case "run.recordings_folder":
                opened.add("mitdb")
            case "run.heartbeat_folder":
                opened.add("heartbeat")
            case "provenance.signals_folder":
                opened |= words_in(call.args[1])
    about, *others = NOTEBOOKS[name].data
    assert opened - {about} == set(others)
    assert about in opened or audit_of(name) != name


def test_a_notebook_that_trains_forgets_the_trainings_of_other_parameters(name, cells):
    """Once, after the last network is trained, and before its table of trainings is written."""
    sources = "\n".join(code(cells))
    if '"history.csv")' in sources:
        assert sources.count("forget_others(run.folder, ") == 1
        forgotten, table = sources.index("forget_others(run.folder, "), sources.index('"history.csv")')
        trained = [found.end() for found in re.finditer(r"\b(train(_\w+)?|price|taught)\(", sources)]
        assert max(trained) < forgotten < table


def test_defaults_are_those_of_the_sample_profile(name, cells):
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(parameters_cell(cells)).body
        if isinstance(node, ast.Assign)
    }
    assert assigned == profiles.parameters("sample", name).model_dump()


def imported(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """What a notebook imports of the package, by the names that it gives them; None for what is not there."""
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse("\n".join(code(cells)))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("leadwise"):
            module = importlib.import_module(str(node.module))
            for one in node.names:
                with contextlib.suppress(ModuleNotFoundError):  # what is no module of the package
                    importlib.import_module(f"{node.module}.{one.name}")
                found[one.asname or one.name] = getattr(module, one.name, None)
    return found


def test_no_constant_that_it_imports_passes_for_a_parameter(name, cells):
    assert parameters_in(name, imported(cells)) == {}


def test_all_that_it_asks_of_the_package_is_there(cells):
    """Before it runs; what it asks of results and models is seen when it does."""
    names = imported(cells)
    assert None not in names.values(), [word for word, what in names.items() if what is None]
    asked = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse("\n".join(code(cells))))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and inspect.ismodule(names.get(node.value.id))
    }
    assert [f"{module}.{word}" for module, word in asked if not hasattr(names[module], word)] == []


def test_every_parameter_says_why(cells):
    for line in parameters_cell(cells).splitlines():
        assert re.search(r"  # \S", line), line


def test_it_is_committed_without_outputs(cells):
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_it_starts_once_and_finishes_last(name, cells):
    sources = code(cells)
    assert sum(f'notebook.start("{name}", globals())' in source for source in sources) == 1
    assert "run.finish(" in sources[-1]
    assert sum("run.finish(" in source for source in sources) == 1


def test_it_holds_no_plumbing(cells):
    forbidden = (
        r"sys\.path|%pip|!pip|filterwarnings|plt\.show|/home/|/root/|C:\\\\|os\.environ|gpu_id|torch\.load\("
    )
    for source in code(cells):
        assert not re.search(forbidden, source), source


def test_cells_and_functions_are_short(cells):
    for source in code(cells):
        assert len(source.splitlines()) <= 30, source
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                assert len(node.body) <= 2, node.name


def test_each_section_says_why_before_it_computes(cells):
    headings = [i for i, cell in enumerate(cells) if "".join(cell["source"]).startswith("## ")]
    assert len(headings) >= 3
    assert any("".join(cells[i]["source"]).startswith("## What we found") for i in headings)
