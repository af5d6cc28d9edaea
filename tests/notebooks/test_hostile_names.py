"""Folders and files that are called like HTML: their names stay names, in notebooks and in the report of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest
from sites import live, policies

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = ("<img src=x onerror=alert(1)>", "<script>x", '"><svg onload=alert(1)>')


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, sample_folder: Path) -> Path:
    """Where 11 has audited a folder with such names, and a report was written of it."""
    folder, runs = (tmp_path_factory.mktemp(name) for name in ("pages", "runs"))
    pages = [sorted(one.glob("*.jpg"))[0] for one in sorted(sample_folder.iterdir()) if one.is_dir()]
    for page in pages:
        (folder / page.parent.name).mkdir()
        shutil.copyfile(page, folder / page.parent.name / page.name)
    for name in NAMES:
        (folder / name).mkdir()
        shutil.copyfile(page, folder / name / f"{name}.jpg")  # in a class that is none
        (folder / page.parent.name / f"{name}.jpg").write_bytes(b"no picture")
    environment = os.environ | {"LEADWISE_DATA": str(folder), "LEADWISE_RUNS": str(runs)}
    for command in (["run", "--only", "11_image_audit"], ["report"]):
        done = subprocess.run(
            [sys.executable, "-m", "leadwise", *command, "--profile", "cpu"],
            cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return runs / "cpu"


def test_a_name_in_an_executed_notebook_is_no_tag(runs: Path) -> None:
    cells = json.loads((runs / "11_image_audit" / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    data = [output["data"] for cell in cells for output in cell.get("outputs", ()) if "data" in output]
    shown = [
        "".join(one[kind])
        for one in data
        for kind in ("text/html", "text/markdown", "image/svg+xml")
        if kind in one
    ]
    for name in NAMES:
        assert any(escape(name, quote=False) in html.replace("&#34;", '"') for html in shown), (
            "it is not asked about"
        )
    assert [tag for html in shown for tag in live(html)] == []


def test_a_name_in_a_report_is_no_tag_and_no_script_could_run(runs: Path) -> None:
    told = policies(runs / "report")
    assert "11_image_audit.html" in told
    for page, allowed in told.items():
        assert allowed["default-src"] == "'none'", page
        assert "script-src" not in allowed, page
    for page in (runs / "report").rglob("*.html"):
        assert live(page.read_text(encoding="utf-8")) == [], page.name
