"""The bill of materials: every installed package, as it describes itself."""

from __future__ import annotations

import json
import platform
import re
import sys
from importlib.metadata import distributions, version
from pathlib import Path

import pytest

from leadwise.project.materials import NAME, materials, write_materials

REPOSITORY = Path(__file__).resolve().parents[3]


def test_every_installed_package_stands_in_it_once_with_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(REPOSITORY)
    told = json.loads(write_materials(tmp_path).read_text(encoding="utf-8"))
    assert (tmp_path / NAME).is_file()
    assert (told["bomFormat"], told["specVersion"], told["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", told["serialNumber"])
    rows = {row["name"]: row for row in told["components"]}
    assert {one.name for one in distributions()} - {"leadwise"} == set(rows)
    assert told["metadata"]["component"]["name"] == "leadwise"
    assert rows["onnxruntime"]["purl"] == f"pkg:pypi/onnxruntime@{version('onnxruntime')}"
    assert len({row["bom-ref"] for row in rows.values()}) == len(rows)


def test_licences_are_those_that_packages_name(tmp_path: Path) -> None:
    rows = {row["name"]: row for row in materials(tmp_path / "no.lock")["components"]}
    assert rows["numpy"]["licenses"][0]["expression"].startswith("BSD-3-Clause")
    assert rows["onnxruntime"]["licenses"] == [{"license": {"name": "MIT License"}}]
    assert all("hashes" not in row for row in rows.values())


def test_a_sum_stands_there_for_the_locked_version_on_the_locked_machine_alone(tmp_path: Path) -> None:
    installed, lock = version("pandas"), tmp_path / "constraints.lock"
    python = "CPython {}.{}".format(*sys.version_info)
    here = f"# {python}, {sys.platform} {platform.machine()}, glibc 2.34 or newer"

    def sums_of_pandas(head: str, version: str) -> list[dict[str, str]] | None:
        lock.write_text(f"# locked\n{head}\npandas=={version} --hash=sha256:{'a' * 64}\n", encoding="utf-8")
        (row,) = [row for row in materials(lock)["components"] if row["name"] == "pandas"]
        return row.get("hashes")

    assert sums_of_pandas(here, installed) == [{"alg": "SHA-256", "content": "a" * 64}]
    assert sums_of_pandas(here, "0.1") is None
    assert sums_of_pandas(here.replace("CPython", "PyPy"), installed) is None
    assert sums_of_pandas(here.replace(platform.machine(), "riscv64"), installed) is None
