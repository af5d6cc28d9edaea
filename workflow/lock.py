"""Write constraints.lock: the exact set of constraints.txt with the sha256 of each file; used by `make lock`.

One file a package: the one that pip takes on this machine from the public index, whatever other places are set up
here. The lock says for which machines that is; `make env` compares there, and elsewhere says that it does not.
Standard library alone, like workflow/install.py.
"""

import json
import platform
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
PYTHON = FOLDER / ".venv" / "bin" / "python"
CONSTRAINTS = FOLDER / "constraints.txt"
LOCK = FOLDER / "constraints.lock"

HEAD = """\
# constraints.txt with the sha256 of each file, written by make lock; make env takes nothing else on such machines:
# {machine}
"""

# What the older tags of wheels mean (PEP 600).
OLD_TAGS = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


def main():
    """Ask pip what it would install, and write it down."""
    # --isolated: neither the settings nor the variables of this user, so no index but the public one
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "--isolated",
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
    ]
    command += ["-r", str(FOLDER / "requirements.txt"), "-c", str(CONSTRAINTS), "--report", "-"]
    taken = json.loads(subprocess.check_output(command))["install"]
    hashes, files = {}, []
    for one in taken:
        pin = f"{normal(one['metadata']['name'])}=={one['metadata']['version']}"
        hashes[pin] = one["download_info"]["archive_info"]["hashes"]["sha256"]
        files.append(one["download_info"]["url"].rsplit("/", 1)[1])
    pins = [line for line in CONSTRAINTS.read_text().splitlines() if "==" in line]
    wanted = {f"{normal(name)}=={version}": f"{name}=={version}" for name, version in map(parts, pins)}
    if wanted.keys() != hashes.keys():
        differ = ", ".join(sorted(wanted.keys() ^ hashes.keys()))
        sys.exit(f"constraints.txt is not the set that pip takes here; make them one first: {differ}")
    lines = [f"{shown} --hash=sha256:{hashes[pin]}\n" for pin, shown in wanted.items()]
    LOCK.write_text(HEAD.format(machine=machine(files)) + "".join(lines))
    print(f"{len(lines)} packages: {LOCK}")


def machine(files):
    """Say on what these files run: this Python, this kind of machine, and a glibc that all of them take."""
    python = "{}.{}".format(*sys.version_info)
    glibc = max(map(oldest_glibc, files))
    return f"CPython {python}, {sys.platform} {platform.machine()}, glibc {glibc[0]}.{glibc[1]} or newer"


def oldest_glibc(file):
    """Read in a wheel's name which glibc it asks for; one of its tags is enough."""
    named = [version for tag, version in OLD_TAGS.items() if tag in file]
    named += [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)", file)]
    return min(named, default=(2, 0))


def parts(pin):
    """Split a pin into name and version."""
    return pin.split("==")


def normal(name):
    """Write a name as the index does (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
