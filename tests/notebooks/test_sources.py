"""The notebooks as they are committed: what a reader may count on, and what a run may."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from leadwise.project import settings

REPOSITORY = Path(__file__).resolve().parents[2]
NOTEBOOKS = {path.stem: path for path in sorted(REPOSITORY.glob("*/[0-9][0-9]_*.ipynb"))}


@pytest.fixture(params=list(NOTEBOOKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cells(name: str) -> list[dict[str, Any]]:
    return list(json.loads(NOTEBOOKS[name].read_text(encoding="utf-8"))["cells"])


def code(cells: list[dict[str, Any]]) -> list[str]:
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def parameters_cell(cells: list[dict[str, Any]]) -> str:
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    return "".join(tagged[0]["source"])


def test_every_notebook_is_known_and_every_known_one_is_there() -> None:
    assert set(NOTEBOOKS) == set(settings.NOTEBOOKS)


def test_it_opens_with_its_number_a_question_and_what_goes_in_and_out(name, cells):
    first = " ".join("".join(cells[0]["source"]).split())
    assert cells[0]["cell_type"] == "markdown"
    assert first.startswith(f"# {name[:2]} ")
    for word in ("**Question.**", "**In:**", "**Out:**", "**Time:**", "not a medical device"):
        assert word in first


def test_defaults_are_those_of_the_sample_profile(name, cells):
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(parameters_cell(cells)).body
        if isinstance(node, ast.Assign)
    }
    assert assigned == settings.parameters("sample", name).model_dump()


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
