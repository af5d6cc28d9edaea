"""A `leadwise serve` of its own, what it holds in memory, and the row that a benchmark of it writes."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pandas as pd

from leadwise.scores.draws import Interval, bootstrap_statistic
from leadwise.scores.table import stated


@dataclass(frozen=True)
class Server:
    """Where it listens, and its process."""

    host: str
    port: int
    process: subprocess.Popen[str]

    def connect(self) -> HTTPConnection:
        return HTTPConnection(self.host, self.port, timeout=120)

    def workers(self) -> list[int]:
        """Its processes that answer."""
        return _family(self.process.pid)[1:]

    def memory_mb(self) -> float:
        """What it and its processes have for themselves (PSS, so that shared pages count once)."""
        return sum(_pss_kb(pid) for pid in _family(self.process.pid)) / 1000

    def cpu_s(self) -> float:
        """Seconds of processor that it and its processes have used so far: other programs do not change them."""
        return sum(_cpu_ticks(pid) for pid in _family(self.process.pid)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(cores: int, files: int | None = None) -> Iterator[Server]:
    """A server on a free port of this machine, which may open so many files; ended at the end."""
    bounded = [] if files is None else ["bash", "-c", f'ulimit -n {files} && exec "$@"', "bash"]
    command = [*bounded, sys.executable, "-m", "leadwise", "serve", "--port", "0", "--cores", str(cores)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        host, port = process.stdout.readline().split()[3].removeprefix("http://").split(":")
        yield Server(host, int(port), process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def form(files: Iterable[tuple[str, bytes]]) -> tuple[bytes, dict[str, str]]:
    """A multipart body and its headers."""
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files
    ]
    return b"".join(parts) + f"--{mark}--\r\n".encode(), {
        "Content-Type": f"multipart/form-data; boundary={mark}"
    }


def quantile_of(values: Sequence[float], share: float) -> Interval:
    """A quantile with its 95 % interval by bootstrap."""
    each = np.array(values)
    return bootstrap_statistic(each, range(len(each)), lambda drawn: float(np.quantile(drawn, share)))


def told(metrics: dict[str, Interval | float], n: int, **condition: object) -> pd.DataFrame:
    """Rows of ``scores.csv`` about requests to the shipped model."""
    return stated(metrics, model="student12", unit="request", n=n, condition=condition)


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += _family(int(child))
    return found


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # user and system, proc(5)


def _pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
