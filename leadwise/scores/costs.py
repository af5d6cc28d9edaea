"""What an answer costs: milliseconds of one core, a command's cold start, memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Sequence
from typing import Any


def ms_per_call(call: Callable[[], Any]) -> float:
    """Milliseconds of the fastest call, after one that warms up: the others waited for somebody else.

    Calls for half a second, and five times at least.
    """
    call()
    seconds: list[float] = []
    while len(seconds) < 5 or sum(seconds) < 0.5:
        seconds += timeit.repeat(call, number=1, repeat=1)
    return 1000 * min(seconds)


def cold_start(arguments: Sequence[str]) -> tuple[float, float]:
    """Run ``leadwise ARGUMENTS`` on one core, three times, each as a new process.

    Returns the seconds from start to end of the fastest, and the most memory, MB, that the command and the process
    that reads for it took. Linux. Raises `subprocess.CalledProcessError` where it fails.
    """
    one_core = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    seconds, memory_mb = [], []
    for _ in range(3):
        before = time.perf_counter()
        finished = subprocess.run(
            [sys.executable, "-c", _MEASURED, *arguments],
            env=os.environ | one_core,
            check=True,
            capture_output=True,
        )
        seconds.append(time.perf_counter() - before)
        # a progress bar may stand before it
        memory_mb.append(float(re.findall(rb"[0-9.]+", finished.stderr)[-1]))
    return min(seconds), max(memory_mb)


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
