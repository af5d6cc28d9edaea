"""What is installed is what was locked, byte for byte, and what is passed on names its source and licence."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import ModuleType

import pytest
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import leadwise

CLONE = Path(leadwise.__file__).parents[1]
RESOURCES = CLONE / "leadwise" / "resources"
PROJECT = tomllib.loads((CLONE / "pyproject.toml").read_text(encoding="utf-8"))
PINS = [line for line in (CLONE / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line]
LISTS = sorted((CLONE / "requirements").glob("*.txt"))
LOCKED = (CLONE / "constraints.lock").read_text(encoding="utf-8").splitlines()


def program(name: str) -> ModuleType:
    """A script of workflow/, which no package holds."""
    spec = importlib.util.spec_from_file_location(name, CLONE / "workflow" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = program("install")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    return module


Asked = list[tuple[tuple[str, ...], list[str]]]


@pytest.fixture
def asked(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What pip was asked for, with the lines of the list that it was given last; it does nothing."""
    found: Asked = []

    def pip(*arguments: str) -> int:
        lists = [Path(one) for one in arguments if one.endswith(".txt")]
        found.append((arguments, lists[-1].read_text(encoding="utf-8").splitlines() if lists else []))
        return 0

    monkeypatch.setattr(install, "pip", pip)
    return found


def ranges(path: Path) -> list[Requirement]:
    """What a list of requirements/ asks for."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Requirement(text) for line in lines if (text := line.partition("#")[0].strip())]


def imported(path: Path) -> Iterator[str]:
    """The packages that a module or a notebook imports, wherever in it, without those of Python itself."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        else:
            continue
        yield from {name.partition(".")[0] for name in names} - sys.stdlib_module_names


def undeclared(files: list[Path], lists: list[Path]) -> set[str]:
    """What these files import, and no package that these lists name holds."""
    declared = {canonicalize_name(one.name) for path in lists for one in ranges(path)} | {"leadwise"}
    holders = packages_distributions()
    return {
        name
        for path in files
        for name in imported(path)
        if not declared & {canonicalize_name(one) for one in holders.get(name, ())}
    }


def test_all_that_code_and_notebooks_import_is_declared() -> None:
    files = [
        *CLONE.glob("leadwise/**/*.py"),
        *CLONE.glob("workflow/*.py"),
        *CLONE.glob("*/[0-9][0-9]_*.ipynb"),
    ]
    assert len(files) > 150
    assert undeclared(files, [path for path in LISTS if path.stem != "test"]) == set()


def test_all_that_tests_import_is_declared_or_a_helper() -> None:
    files = list(CLONE.glob("tests/**/*.py"))
    assert undeclared(files, LISTS) <= {path.stem for path in files}


def test_what_is_installed_but_not_declared_is_found(tmp_path: Path) -> None:
    """In a module and in a notebook, at the top and in a function."""
    (tmp_path / "module.py").write_text("import os, numpy.linalg\ndef f():\n    from pluggy import x\n")
    cells = [{"cell_type": "code", "source": ["import iniconfig\n", "import no_such_package"]}]
    (tmp_path / "notebook.ipynb").write_text(json.dumps({"cells": cells}))
    found = undeclared(sorted(tmp_path.iterdir()), LISTS)
    assert found == {"pluggy", "iniconfig", "no_such_package"}


def test_no_range_is_written_twice() -> None:
    written = Counter(canonicalize_name(one.name) for path in LISTS for one in ranges(path))
    assert [name for name, times in written.items() if times > 1] == []
    project = PROJECT["project"]
    assert "dependencies" not in project
    assert "optional-dependencies" not in project


def test_every_range_has_its_reason() -> None:
    for path in LISTS:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert line.startswith("# ") or re.fullmatch(r"[\w.-]+>=[\d.]+ +# \S.*", line), line


def test_the_lists_are_all_installed_together_and_each_is_of_an_extra_or_of_tests() -> None:
    wanted = {f"requirements/{path.name}" for path in LISTS}
    lines = (CLONE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    together = [line.removeprefix("-r ") for line in lines if not line.startswith("#")]
    assert len(together) == len(set(together))
    assert set(together) == wanted
    dynamic = PROJECT["tool"]["setuptools"]["dynamic"]
    extras = dynamic["optional-dependencies"]
    asked = set(dynamic["dependencies"]["file"]).union(*(one["file"] for one in extras.values()))
    assert wanted - asked == {"requirements/test.txt"}
    assert all(extras[name]["file"][-1] == f"requirements/{name}.txt" for name in extras)


def test_every_range_holds_its_exact_version_of_the_constraints() -> None:
    exact = {canonicalize_name(name): version for name, version in (pin.split("==") for pin in PINS)}
    assert all(part.replace(".", "").isalnum() for part in exact.values()), "a local version or a URL"
    for wanted in (one for path in LISTS for one in ranges(path)):
        assert wanted.specifier.contains(exact[canonicalize_name(wanted.name)]), wanted


def test_every_pin_is_locked_by_one_sum_in_the_same_order() -> None:
    lines = [line for line in LOCKED if not line.startswith("#")]
    assert [line.split(" ")[0] for line in lines] == PINS
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)


def test_on_a_locked_machine_nothing_is_taken_but_by_its_sum(
    install: ModuleType, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "other_machine", lambda: None)
    assert install.install({}) == 0
    (builder, first), (everything, second), (own, _) = asked
    assert {"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(builder) & set(everything)
    assert [line.split("==")[0] for line in first] == ["setuptools"]
    assert second == LOCKED[2:]
    assert own == ("--no-deps", "--no-build-isolation", "-e", ".")


def test_a_torch_that_is_kept_leaves_the_sums_of_all_else(
    install: ModuleType, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "other_machine", lambda: None)
    install.install({"torch": "2.13.0+cpu"})
    hashed, plain = asked[1][1], asked[2]
    names = {line.split("==")[0] for line in hashed}
    assert "numpy" in names
    assert not {"torch", "torchvision", "triton", "nvidia-cublas", "cuda-bindings"} & names
    assert "--require-hashes" not in plain[0]
    assert plain[1][-1] == "torch==2.13.0+cpu"


def test_a_torch_that_is_there_is_compared_with_the_range_of_the_list(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert install.installed_in_range() == {name: version(name) for name in ("torch", "torchvision")}
    monkeypatch.setattr(install, "TRAINING", tmp_path / "train.txt")
    install.TRAINING.write_text("torch>=99\ntorchvision>=0.1  # any\n", encoding="utf-8")
    assert set(install.installed_in_range()) == {"torchvision"}


def test_the_locked_torch_is_no_kept_one(
    install: ModuleType, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "other_machine", lambda: None)
    torch = next(pin for pin in PINS if pin.startswith("torch=="))
    install.install({"torch": torch.split("==")[1]})
    assert asked[1][1] == LOCKED[2:]


def test_elsewhere_the_pins_hold_without_sums_and_that_is_said(
    install: ModuleType, asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        install, "other_machine", lambda: "it is for CPython 3.11, and .venv has cpython 3.12"
    )
    install.install({})
    assert "not compared with constraints.lock: it is for CPython 3.11" in capsys.readouterr().out
    ((arguments, pins), _) = asked
    assert "--require-hashes" not in arguments
    assert [pin for pin in pins if "==" in pin] == PINS


def test_a_lock_of_other_versions_is_refused_before_anything_is_installed(
    install: ModuleType, asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "STAMP", tmp_path / "no stamp")
    monkeypatch.setattr(install, "LOCK", tmp_path / "constraints.lock")
    install.LOCK.write_text("\n".join(LOCKED).replace("numpy==2", "numpy==1"), encoding="utf-8")
    with pytest.raises(SystemExit, match="does not hold the packages and versions"):
        install.main()
    assert asked == []


HERE = "CPython {}.{}".format(*sys.version_info)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (lambda line: line, None),
        (lambda line: line.replace(HERE, "CPython 3.9"), "it is for CPython 3.9, and .venv has cpython"),
        (lambda line: line.replace(" linux ", " plan9 "), "it is for plan9"),
        (lambda line: line.replace("glibc 2.34", "glibc 99.0"), "it is for glibc 99.0 or newer, and this is"),
    ],
    ids=["this", "another Python", "another system", "an older glibc"],
)
def test_a_lock_knows_its_machine(
    install: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    changed: Callable[[str], str],
    why: str | None,
) -> None:
    if install.other_machine() is not None:
        pytest.skip(f"constraints.lock is not for this machine: {install.other_machine()}")
    monkeypatch.setattr(install, "LOCK", tmp_path / "constraints.lock")
    install.LOCK.write_text("\n".join([LOCKED[0], changed(LOCKED[1])]), encoding="utf-8")
    told = install.other_machine()
    assert told is None if why is None else told.startswith(why)


@pytest.mark.parametrize(
    ("file", "glibc"),
    [
        ("a-1-py3-none-any.whl", (2, 0)),
        ("a-1.tar.gz", (2, 0)),
        ("a-1-cp311-cp311-manylinux_2_34_x86_64.whl", (2, 34)),
        ("a-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_28_x86_64.whl", (2, 17)),
        ("a-1-py3-none-manylinux1_x86_64.whl", (2, 5)),
    ],
)
def test_a_wheel_says_which_glibc_it_asks_for(file: str, glibc: tuple[int, int]) -> None:
    assert program("lock").oldest_glibc(file) == glibc


def test_the_package_is_built_by_the_pinned_setuptools() -> None:
    (builder,) = PROJECT["build-system"]["requires"]
    assert builder in PINS


def test_every_file_that_ships_has_its_credit() -> None:
    credit = (RESOURCES / "CREDITS.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([^`\s]+)`", credit)) | {"CREDITS.md"}
    shipped = {path.relative_to(RESOURCES).as_posix() for path in RESOURCES.rglob("*") if path.is_file()}
    assert shipped - named == set()


def test_the_licence_of_the_package_names_those_of_its_data() -> None:
    expression = PROJECT["project"]["license"]
    assert canonicalize_license_expression(expression) == expression
    credit = (RESOURCES / "CREDITS.md").read_text(encoding="utf-8")
    for spdx, address in (
        ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("ODC-By-1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    ):
        assert spdx in expression
        assert address in credit
    assert set(re.findall(r"\]\((https://\S+?)\)", credit)) <= {
        "https://creativecommons.org/licenses/by/4.0/",
        "https://opendatacommons.org/licenses/by/1-0/",
    }, "a licence of which the metadata say nothing"
    assert all((CLONE / file).is_file() for file in PROJECT["project"]["license-files"])
    assert "leadwise/resources/CREDITS.md" in PROJECT["project"]["license-files"]
