"""Imports go one way, so that each room can be read and used without those above it.

From the ground (`names`) to the roof (`cli`). Scores stand below audit and learning, since an audit states its
shares with intervals and a training is watched by its score; figures below audit, whose report shows pictures.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import leadwise

PACKAGE = Path(leadwise.__file__).parent
ROOMS = (
    "names", "runs", "quiet", "errors", "files", "onnx", "processes", "workers", "machine", "tables",
    "pages", "drawing", "recordings", "sets", "folds", "scores", "figures", "audit", "models", "learning",
    "serving", "project", "publishing", "cli",
)  # fmt: skip
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in {"__init__.py", "__main__.py"})


def imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_from_those_below_it(module: Path) -> None:
    own = ROOMS.index(room_of(module))
    for name in imported(module):
        package, _, inner = name.partition(".")
        if package == "leadwise":
            room = inner.split(".")[0]
            assert room in ROOMS, f"{module} imports {name}, which is in no room"
            assert ROOMS.index(room) <= own, f"{room_of(module)} imports {name}, a room above it"


def test_every_module_stands_in_a_room() -> None:
    assert {room_of(module) for module in MODULES} == set(ROOMS)


def test_no_room_is_larger_than_a_sixth_of_the_house() -> None:
    lines = Counter(dict.fromkeys(ROOMS, 0))
    for module in MODULES:
        lines[room_of(module)] += len(module.read_text(encoding="utf-8").splitlines())
    (room, most), *_ = lines.most_common(1)
    assert most <= 0.17 * lines.total(), f"{room} has {most} of {lines.total()} lines: it is two rooms"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_torch_is_imported_by_models_and_learning_alone(module: Path) -> None:
    heavy = {"torch", "torchvision", "timm", "transformers", "accelerate"}
    if room_of(module) not in {"models", "learning"}:
        assert not heavy & {name.split(".")[0] for name in imported(module)}


def loaded_by(statement: str) -> tuple[float, set[str]]:
    """The processor's seconds, which other tests beside this one do not lengthen much, and the modules."""
    script = (
        f"import json, sys, time; began = time.process_time(); {statement}; "
        "print(json.dumps([time.process_time() - began, sorted(sys.modules)]))"
    )
    seconds, modules = json.loads(subprocess.check_output([sys.executable, "-c", script]))
    return seconds, set(modules)


def test_importing_leadwise_takes_under_0_3_s_and_loads_nothing_heavy() -> None:
    seconds, modules = min(loaded_by("import leadwise") for _ in range(3))
    assert seconds < 0.3
    assert not {"torch", "cv2", "numpy", "pandas"} & modules


def test_reading_a_table_loads_neither_pictures_nor_networks() -> None:
    _, modules = loaded_by("import leadwise.tables")
    assert not {"torch", "cv2", "wfdb", "matplotlib", "scipy"} & modules


def test_the_command_line_starts_without_what_only_its_commands_need() -> None:
    _, modules = loaded_by("import leadwise.cli")
    assert not {"torch", "cv2", "numpy", "pandas", "pydantic", "papermill", "snakemake", "requests"} & modules


def test_the_installed_version_is_the_one_in_the_source() -> None:
    assert version("leadwise") == leadwise.__version__
