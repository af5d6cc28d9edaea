from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from miniature import Clone

from leadwise import settings

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    folder = tmp_path / "a clone"
    shutil.copytree(WORKFLOW, folder / "workflow")
    (folder / "pyproject.toml").write_text('[project]\nname = "leadwise"\n', encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("LEADWISE_RUNS", raising=False)
    monkeypatch.delenv("LEADWISE_DATA", raising=False)
    made = Clone(folder)
    for name in settings.NOTEBOOKS:
        made.notebook(name)
    return made
