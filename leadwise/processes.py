"""Locks and deaths of processes, looked after by the kernel, so that none stays."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

from leadwise.errors import InputError

JOBS = "LEADWISE_JOBS"
"""The variable that says how many independent trainings go on at once, each in a process of one thread."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_held: dict[Path, TextIO] = {}


def take_lock(path: Path, what: str, wait_s: float = 0.0) -> None:
    """Hold a lock until this process ends, however it ends; taking it twice is taking it once.

    Waits up to ``wait_s`` seconds for another holder to end, and says so. Raises InputError,
    which names the process that holds it, when the wait was in vain.
    """
    path = path.absolute()
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a+", encoding="ascii")
    give_up = time.monotonic() + wait_s
    is_announced = False
    while not _locked(handle):
        handle.seek(0)
        holder = handle.read().strip() or "unknown"
        if time.monotonic() >= give_up:
            handle.close()
            raise InputError(
                f"{what} is being run by process {holder}. Wait until it ends, or end it, and try again."
            )
        if not is_announced:
            print(f"{what} is still being run by process {holder}; waiting for it to end ...", flush=True)
            is_announced = True
        time.sleep(0.2)
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    _held[path] = handle


def die_with_parent(parent: int | None = None) -> None:
    """Have this process killed when its parent ends (Linux; elsewhere nothing is done).

    ``parent`` is the process that started this one, where it is known: if it ended before this
    call, this process ends here.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == 1 if parent is None else os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def available_cores() -> int:
    """Count the cores that this process may use, which a container or taskset may have limited."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _locked(handle: TextIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
