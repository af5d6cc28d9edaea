from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from leadwise import processes


@pytest.fixture
def own_kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What start() sets and holds until a kernel ends must not outlive a test."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")
    held: dict[Path, TextIO] = {}
    monkeypatch.setattr(processes, "_held", held)
    yield
    for handle in held.values():
        handle.close()
