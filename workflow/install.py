"""Make .venv and install leadwise with all that it uses, once; used by `make env`.

Every file is compared with its sha256 in constraints.lock where that was made for this kind of machine. A torch that
is already in .venv and lies in the range of requirements/train.txt is kept (a CPU build, say).
Standard library alone, and readable for Pythons that are too old, so that it can say so.
"""

import hashlib
import json
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
PYTHON = FOLDER / ".venv" / "bin" / "python"
STAMP = FOLDER / ".venv" / "installed-for"
REQUIREMENTS = FOLDER / "requirements.txt"  # all lists of requirements/
TRAINING = FOLDER / "requirements" / "train.txt"
CONSTRAINTS = FOLDER / "constraints.txt"
LOCK = FOLDER / "constraints.lock"
NAMES = FOLDER / "leadwise" / "names.py"

# Pins that belong to the torch of constraints.txt and to no other.
BELONGS_TO_TORCH = re.compile(r"(torch|torchvision|triton|nvidia-.*|cuda-.*)==")

# Run by the Python of .venv, whose pip knows how to read ranges.
INSTALLED_IN_RANGE = """
import importlib.metadata, json, sys
from pip._vendor.packaging.requirements import Requirement
found = {}
for line in open(sys.argv[1], encoding="utf-8"):
    text = line.split("#")[0].strip()
    if text and Requirement(text).name in ("torch", "torchvision"):
        wanted = Requirement(text)
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if wanted.specifier.contains(version, prereleases=True):
            found[wanted.name] = version
print(json.dumps(found))
"""


def main():
    """Install what is missing, or end with a sentence that says what is wrong and what to do."""
    if sys.version_info < (3, 11):  # noqa: UP036 - to say so is what this line is for
        fail(
            f"leadwise needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}.",
            "Install one and name it: make PYTHON=python3.12 run",
        )
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == stamp():
        return
    if not PYTHON.exists():
        make_environment()
    version = subprocess.check_output([str(PYTHON), "-c", "import sys; print(sys.version_info >= (3, 11))"])
    if version.strip() != b"True":
        fail(
            "leadwise needs Python 3.11 or newer, and .venv was made with an older one.",
            "Remove .venv and give the command again.",
        )
    pins = [line for line in CONSTRAINTS.read_text().splitlines() if "==" in line]
    if [line.split()[0] for line in locked()] != pins:
        fail(
            "constraints.lock does not hold the packages and versions of constraints.txt.",
            "'make lock' writes it anew where there is a .venv; 'git checkout constraints.*' brings both back.",
        )
    kept = installed_in_range()
    if "torch" in kept:
        print(f"Keeping what .venv has: {kept}.", flush=True)
    else:
        print("Installing into .venv: with torch's CUDA libraries some 6.5 GB and minutes.", flush=True)
    if install(kept):
        fail(
            "pip could not install everything; what it said stands above.",
            "Is there a network, and are 7 GB of disk free? The same command goes on from here.",
        )
    broken = first_broken_import()
    if broken:
        fail(
            broken,
            "The torch and the torchvision in .venv may not belong together. Install a pair, for example:",
            "  .venv/bin/python -m pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu",
            "and give the command again; or remove .venv to get the pair of constraints.txt.",
        )
    STAMP.write_text(stamp())


def make_environment():
    """Make .venv."""
    try:
        import ensurepip  # noqa: F401 - Debian leaves both out
        import venv  # noqa: F401
    except ImportError:
        fail(
            f"{sys.executable} cannot make virtual environments: its venv module is missing.",
            "On Debian and Ubuntu: sudo apt install python3-venv",
        )
    print("Making .venv ...", flush=True)
    if subprocess.call([sys.executable, "-m", "venv", str(FOLDER / ".venv")]):
        fail("python -m venv failed; what it said stands above.")


def installed_in_range():
    """Give the versions of torch and torchvision in .venv that requirements/train.txt admits."""
    return json.loads(subprocess.check_output([str(PYTHON), "-c", INSTALLED_IN_RANGE, str(TRAINING)]))


def install(kept):
    """Install the set by constraints.lock or constraints.txt, then leadwise; tell pip's last status.

    The pins of a kept torch give way to what is there; what of its own it still lacks is taken without hashes.
    """
    pins = CONSTRAINTS.read_text().splitlines()
    lines = locked()
    keeps = "torch" in kept and any(f"{name}=={version}" not in pins for name, version in kept.items())
    if keeps:
        pins = [pin for pin in pins if not BELONGS_TO_TORCH.match(pin)]
        pins += [f"{name}=={version}" for name, version in kept.items()]
        lines = [line for line in lines if not BELONGS_TO_TORCH.match(line)]
    builder = [line for line in lines if line.startswith("setuptools==")]  # first: it builds the sources
    other = other_machine()
    if other:
        print(f"Files are not compared with constraints.lock: {other}.", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        asked = Path(scratch) / "asked.txt"
        for part in [] if other else [builder, lines]:
            asked.write_text("\n".join(part) + "\n")
            if pip("--require-hashes", "--no-deps", "--no-build-isolation", "-r", str(asked)):
                return 1
        if other or keeps:
            asked.write_text("\n".join(pins) + "\n")
            if pip("-r", str(REQUIREMENTS), "-c", str(asked)):
                return 1
    return pip("--no-deps", "--no-build-isolation", "-e", ".")


def locked():
    """Read the lines of constraints.lock: a pin and its sha256."""
    return [line for line in LOCK.read_text().splitlines() if "==" in line]


def pip(*arguments):
    """Have the pip of .venv install something; give its status."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    return subprocess.call([*command, *arguments], cwd=str(FOLDER))


def other_machine():
    """Say why constraints.lock, whose second line tells for what it was made, is not for here; None where it is."""
    told = LOCK.read_text().splitlines()[1]
    python, system, major, minor = re.match(
        r"# CPython (\S+), (.+), glibc (\d+)\.(\d+) or newer", told
    ).groups()
    about = "import sys; print(sys.implementation.name, '{}.{}'.format(*sys.version_info))"
    here = subprocess.check_output([str(PYTHON), "-c", about], universal_newlines=True).strip()
    if here != f"cpython {python}":
        return f"it is for CPython {python}, and .venv has {here}"
    if f"{sys.platform} {platform.machine()}" != system:
        return f"it is for {system}, and this is {sys.platform} {platform.machine()}"
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(map(int, version.split(".")[:2])) < (int(major), int(minor)):
        return f"it is for glibc {major}.{minor} or newer, and this is {library} {version}"
    return None


def first_broken_import():
    """Say which of the three that must fit each other fails to import, and how."""
    for module in ("torch", "torchvision", "timm"):
        command = [str(PYTHON), "-c", f"import {module}"]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            return f"import {module} fails: {done.stderr.strip().splitlines()[-1]}"
    return None


def stamp():
    """Digest what .venv is installed for: the lists of packages, leadwise's version and the place of the clone."""
    digest = hashlib.sha256(str(FOLDER).encode())
    digest.update(
        re.search(r"^VERSION = .*$", NAMES.read_text(encoding="utf-8"), re.MULTILINE).group().encode()
    )
    lists = sorted(TRAINING.parent.glob("*.txt"))
    for path in (REQUIREMENTS, *lists, CONSTRAINTS, LOCK, FOLDER / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def fail(*lines):
    """End with what is wrong and what to do."""
    sys.exit("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
