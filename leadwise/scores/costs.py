"""What an answer costs: milliseconds of one core, a command's cold start, memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


def ms_per_call(call: Callable[[], Any], *, at_least_s: float = 0.5, fewest: int = 5) -> float:
    """Milliseconds of the fastest call, after one that warms up: the others waited for somebody else.

    Calls for `at_least_s` seconds and `fewest` times.
    """
    call()
    taken: list[float] = []
    begun = time.perf_counter()
    while len(taken) < fewest or time.perf_counter() - begun < at_least_s:
        before = time.perf_counter()
        call()
        taken.append(time.perf_counter() - before)
    return 1000 * min(taken)


class ColdStart(NamedTuple):
    """A command from its start to its end: seconds (the fastest of some), and the most memory it took.

    The memory is that of the command and of the process that reads for it.
    """

    seconds: float
    peak_memory_mb: float


def cold_start(arguments: Sequence[str], repeat: int = 3) -> ColdStart:
    """Run ``leadwise ARGUMENTS`` on one core, each time as a new process.

    Linux. Raises `subprocess.CalledProcessError` where it fails.
    """
    one_core = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    seconds, memory_mb = [], []
    for _ in range(repeat):
        before = time.perf_counter()
        told = subprocess.run(
            [sys.executable, "-c", _MEASURED, *arguments],
            env=os.environ | one_core,
            check=True,
            capture_output=True,
        )
        seconds.append(time.perf_counter() - before)
        memory_mb.append(
            float(re.findall(rb"[0-9.]+", told.stderr)[-1])
        )  # a progress bar may stand before it
    return ColdStart(min(seconds), max(memory_mb))


# the command's own high-water mark and that of the process that reads for it, which is started by a smaller one
_MEASURED = """
import atexit, os, resource, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
def tell():
    with open("/proc/self/status") as status:
        own_kb = next(float(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print((own_kb + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1e3, file=sys.stderr)
atexit.register(tell)
from leadwise.cli import main
main()
"""
