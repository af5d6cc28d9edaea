"""A command in a home and a network of its own: what it leaves behind, and to whom it sends.

Started as a program (by `watch`, in new namespaces) it is the network: every address in the world is this machine,
where nobody answers, and every packet is seen, whoever sends it, libraries of C++ too.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import leadwise

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - what it is called, and in the namespace it is ours alone
APART = ("unshare", "--map-root-user", "--net", "--mount")
LAID = (
    "ip link set lo up && ip -4 route add local default dev lo && ip -6 route add local default dev lo && "
    f"mount -t tmpfs none {SHARED_MEMORY}"
)


@dataclass(frozen=True)
class Watched:
    """How a command ended. `sent` is None where this machine makes no network apart, and nothing was seen then."""

    status: int
    said: str
    sent: tuple[str, ...] | None
    left: tuple[str, ...]


@functools.cache
def can_be_apart() -> bool:
    """Whether namespaces may be made here."""
    try:
        done = subprocess.run([*APART, "sh", "-c", LAID], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def watch(command: list[str], folder: Path, **variables: str) -> Watched:
    """Run a command in `folder`/work with nothing of this process's environment; what it wrote elsewhere is `left`.

    Looked at are its home, its folder for passing things and, with a network apart, /dev/shm as well.
    """
    for name in ("home", "tmp", "work"):
        (folder / name).mkdir(parents=True)
    environment = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(leadwise.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
    }
    seen = folder / "seen.json"
    apart = [*APART, sys.executable, __file__, str(seen)] if can_be_apart() else []
    done = subprocess.run(
        [*apart, *command],
        cwd=folder / "work",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    sent, shared = json.loads(seen.read_text(encoding="utf-8")) if apart else (None, [])
    left = [f"{name}/{path}" for name in ("home", "tmp") for path in _files(folder / name)]
    return Watched(done.returncode, done.stdout, tuple(sent) if apart else None, (*left, *shared))


def _files(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir())


def _be_the_network(seen: Path, command: list[str]) -> int:
    """Run a command, here where the namespaces are new, and write what it sent and what lies in /dev/shm after it."""
    subprocess.run(["sh", "-c", LAID], check=True)
    sent: dict[str, None] = {}
    everything = socket.htons(0x0003)  # ETH_P_ALL of linux/if_ether.h
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, everything) as wire:
        wire.bind(("lo", 0))
        threading.Thread(target=_listen, args=(wire, sent), daemon=True).start()
        status = subprocess.call(command)
        time.sleep(0.2)  # the last packets come a moment later
        shared = [f"{SHARED_MEMORY}/{path}" for path in _files(SHARED_MEMORY)]
        seen.write_text(json.dumps([list(sent), shared]), encoding="utf-8")
    return status


def _listen(wire: socket.socket, sent: dict[str, None]) -> None:
    while True:
        packet, (_, _, kind, *_) = wire.recvfrom(65_536)
        if kind == socket.PACKET_OUTGOING and (to := _recipient(packet)):
            sent[to] = None


def _recipient(packet: bytes) -> str | None:
    """To whom a packet goes, with the name that it asks for if that is all; None for what stays on this machine."""
    if packet[0] >> 4 == 4:
        address, protocol, start = (
            socket.inet_ntop(socket.AF_INET, packet[16:20]),
            packet[9],
            (packet[0] & 15) * 4,
        )
    else:
        address, protocol, start = socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[6], 40
    if (
        address.startswith("127.")
        or address == "::1"
        or protocol not in {socket.IPPROTO_TCP, socket.IPPROTO_UDP}
    ):
        return None
    (port,) = struct.unpack("!H", packet[start + 2 : start + 4])
    if port == 53:
        return _name_asked_for(packet[start + 8 + 12 :])
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _name_asked_for(question: bytes) -> str:
    """A name as RFC 1035 writes it: each part after its length."""
    parts = []
    while question and question[0]:
        parts.append(question[1 : question[0] + 1].decode("ascii", "replace"))
        question = question[question[0] + 1 :]
    return "where is " + ".".join(parts)


if __name__ == "__main__":
    sys.exit(_be_the_network(Path(sys.argv[1]), sys.argv[2:]))
