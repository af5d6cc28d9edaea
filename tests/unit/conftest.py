from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `leadwise serve`, running as a user runs it."""
    log = tmp_path_factory.mktemp("serve") / "stderr"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-m", "leadwise", "serve", "--port", "0", "--cores", "1"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert server.stdout is not None
        said = server.stdout.readline()
        assert "http://" in said, log.read_text(encoding="utf-8")
        yield said.split()[3]
        server.terminate()
        server.wait(20)
        server.stdout.close()
