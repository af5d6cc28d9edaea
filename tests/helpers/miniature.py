"""A clone in miniature: the real workflow and profiles, and stand-ins for the notebooks that take no time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from leadwise.project import paths
from leadwise.project.notebooks import NOTEBOOKS


class Clone:
    """A folder (with a space in its name) that looks like a clone of leadwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"

    def notebook(self, name: str, work: str = "", *, parameters: tuple[str, ...] | None = None) -> Path:
        """Write a stand-in notebook that does ``work`` between start and finish."""
        if parameters is None:
            values = NOTEBOOKS[name].parameters().model_dump()
            parameters = ("\n".join(f"{word} = {value!r}" for word, value in values.items()),)
        start = f"from leadwise.project import notebook\nrun = notebook.start({name!r}, globals())"
        cells = [
            *({"source": text, "metadata": {"tags": ["parameters"]}} for text in parameters),
            *({"source": text, "metadata": {}} for text in (start, work, "run.finish({})")),
        ]
        for number, cell in enumerate(cells):
            cell |= {"cell_type": "code", "execution_count": None, "outputs": [], "id": f"cell-{number}"}
        path = paths.notebook_path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8"
        )
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "leadwise", *arguments]

    def leadwise(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``leadwise ARGUMENTS`` in the clone."""
        return self._run(self.command(*arguments))

    def execute(self, notebook: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the executor of one notebook as Snakemake does."""
        return self._run(
            [sys.executable, "-m", "leadwise.project.executor", notebook, "sample", "1"], environment
        )

    def result(self, notebook: str) -> Path:
        return self.runs / "sample" / notebook / "result.json"

    def _run(
        self, command: list[str], environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | (environment or {}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
