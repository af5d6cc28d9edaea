"""leadwise as others get it: built as sdist and wheel, and installed elsewhere, with nothing but what it asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

import leadwise

CLONE = Path(leadwise.__file__).parents[1]
BUILT_OF = ("pyproject.toml", "README.md", "LICENSE", "requirements", "leadwise")
"""What `pip install .` looks at; a copy is built, since builders leave folders beside it."""


def build(kind: str, source: Path, out: Path) -> Path:
    """Build the ``sdist`` or the ``wheel`` of a folder as pip would, without network, and give its path."""
    script = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = out.glob({"sdist": "*.tar.gz", "wheel": "*.whl"}[kind])
    return made


def build_both(folder: Path) -> tuple[Path, Path]:
    """The sdist of this clone, and the wheel of that sdist."""
    source = folder / "source"
    source.mkdir()
    for name in BUILT_OF:
        if (CLONE / name).is_dir():
            shutil.copytree(CLONE / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(CLONE / name, source)
    sdist = build("sdist", source, folder / "dist")
    with tarfile.open(sdist) as opened:
        opened.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return sdist, build("wheel", unpacked, folder / "dist")


@dataclass(frozen=True)
class Environment:
    """An environment of its own, and a folder and a home outside of the clone."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def variables(self) -> dict[str, str]:
        """Nothing of this process's but the system's paths: neither PYTHONPATH nor any of LEADWISE_."""
        return {"HOME": str(self.work), "PATH": f"{self.folder / 'bin'}:{os.defpath}"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run ``leadwise ...``, or ``python ...``, there."""
        program = self.folder / "bin" / command[0]
        return subprocess.run(
            [str(program), *command[1:]],
            cwd=self.work,
            env=self.variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def install(wheel: Path, folder: Path, extra: str = "") -> Environment:
    """A new environment with the wheel, and with what it and one of its extras ask for, taken from this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"))
    asked = ("install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel))
    done = subprocess.run([*pip, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (metadata,) = site.glob("leadwise-*.dist-info/METADATA")
    text = metadata.read_text(encoding="utf-8").partition("\n\n")[0]
    lines = [line.partition(": ") for line in text.splitlines()]
    _link([words for head, _, words in lines if head == "Requires-Dist"], extra, site)
    environment = Environment(folder)
    environment.work.mkdir()
    return environment


def _link(asked: list[str], extra: str, site: Path, known: set[str] | None = None) -> None:
    """Link what these lines ask for, and what that asks for in turn, into the packages of another environment."""
    known = set() if known is None else known
    for one in map(Requirement, asked):
        if one.name in known or not (one.marker is None or one.marker.evaluate({"extra": extra})):
            continue
        known.add(one.name)
        try:
            found = distribution(one.name)
        except PackageNotFoundError:
            continue  # tests of what needs it will tell
        for top in {path.parts[0] for path in found.files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(found.locate_file(top))))
        _link(list(found.requires or ()), "", site, known)
        for inner in one.extras:
            _link(list(found.requires or ()), inner, site, known)
