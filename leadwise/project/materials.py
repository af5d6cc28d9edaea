"""What a profile's figures were made with, for those who must know it: a bill of materials, CycloneDX 1.6.

Every installed package with its version and licence, as it says of itself, and the sha256 of its file where
`constraints.lock` knows the version and was made for this kind of machine.
"""

from __future__ import annotations

import platform
import re
import sys
import uuid
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from leadwise.files import write_json
from leadwise.project import paths

NAME = "bom.cdx.json"


def write_materials(folder: Path) -> Path:
    """Write the bill of materials of this environment into a folder, whole or not at all."""
    write_json(materials(paths.repository() / "constraints.lock"), folder / NAME)
    return folder / NAME


def materials(lock: Path) -> dict[str, Any]:
    """The bill of materials of this environment; without hashes where `lock` is not there or for other machines."""
    hashes = _hashes(lock)
    installed = {_normal(package.name): package for package in distributions()}
    components = {name: _component(package, hashes) for name, package in sorted(installed.items())}
    ours = components.pop("leadwise", None)
    metadata: dict[str, Any] = {"timestamp": datetime.now(UTC).isoformat(timespec="seconds")}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": metadata | ({"component": ours | {"type": "application"}} if ours else {}),
        "components": list(components.values()),
    }


def _component(package: Distribution, hashes: dict[str, str]) -> dict[str, Any]:
    name, version = package.name, package.version
    purl = f"pkg:pypi/{_normal(name)}@{version}"
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version}
    component["purl"] = purl
    if licence := _licence(package):
        component["licenses"] = [licence]
    if digest := hashes.get(f"{_normal(name)}=={version}"):
        component["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return component


def _licence(package: Distribution) -> dict[str, Any] | None:
    """As a package says it: an SPDX expression, else its classifiers, else the first line of what it wrote."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return {"expression": metadata["License-Expression"]}
    classifiers = [line for line in metadata.get_all("Classifier") or () if line.startswith("License ::")]
    name = ", ".join(line.rsplit(" :: ", 1)[1] for line in classifiers)
    if not name and "License" in metadata:
        name = metadata["License"].strip().partition("\n")[0]
    return {"license": {"name": name}} if name else None


def _hashes(lock: Path) -> dict[str, str]:
    """By ``name==version``; none where the lock's second line tells of another kind of machine."""
    if not lock.is_file():
        return {}
    lines = lock.read_text(encoding="utf-8").splitlines()
    here = "CPython {}.{}".format(*sys.version_info)
    if not lines[1].startswith(f"# {here}, {sys.platform} {platform.machine()}, "):
        return {}
    pins = (line.split(" --hash=sha256:") for line in lines if "==" in line)
    return {
        f"{_normal(name)}=={version}": digest for pin, digest in pins for name, version in [pin.split("==")]
    }


def _normal(name: str) -> str:
    """A package's name as the index and purls write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
