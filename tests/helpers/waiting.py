"""Waiting for other processes, for tests that start or kill some."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(true: Callable[[], bool], seconds: float = 40, every_s: float = 0.1) -> None:
    """Wait until something is true; fail after so many seconds."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, f"waited {seconds} s in vain"
        time.sleep(every_s)


def held(lock: Path) -> bool:
    """Whether a living process holds a lock, as the kernel of a notebook does."""
    if not lock.exists():
        return False
    with lock.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
