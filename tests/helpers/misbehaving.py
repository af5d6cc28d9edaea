"""Work that goes wrong, for processes that must bear it. Each task is its word."""

from __future__ import annotations

import gc
import os
import signal
import struct
import tempfile
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from leadwise.errors import InputError, WeightsError
from leadwise.workers import Limits, Workers


class Word(str):
    """One that a test can look after."""


def more_for_a_nap(task: str) -> float:
    """Ten seconds more for a nap of one second."""
    return 10.0 if task == "nap" else 0.0


def work(task: str) -> str:
    """Keep a file in memory, as a record's is while wfdb reads it, and do what the word says."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "upload.dat").write_bytes(b"a patient's" * 1000)
        if task == "sleep":
            time.sleep(60)
        if task == "nap":
            time.sleep(1)
        if task == "spin":
            while True:
                pass
        if task == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if task == "half":
            _send_half()
        if task == "fill":
            np.ones(150_000_000)
        if task == "refuse":
            raise InputError("not this one")
        if task == "where":
            return folder
        if task == "fail":
            raise KeyError("foreseen by nobody")
    return Word(task)


def named(task: tuple[str, partial[Any]]) -> str:
    """As `work`, of a task as `leadwise.predict` has it: a folder, and a call whose first argument is the word."""
    return work(task[1].args[0])


def _send_half() -> None:
    """Of an answer, as one does whom the kernel kills for memory while it sends."""
    (pipe,) = (one for one in gc.get_objects() if isinstance(one, Connection))
    os.write(pipe.fileno(), struct.pack("!i", 1000) + b"half")
    os.kill(os.getpid(), signal.SIGKILL)


def no_model() -> None:
    raise WeightsError("there is no model")


def end() -> None:
    os._exit(1)


def wait() -> None:
    time.sleep(3)


def stay(task: str) -> None:
    """As a program of its own: say the processes' folder, then work until killed."""
    workers = Workers(work, 1, Limits(60.0))
    print(workers.submit("where").result(), flush=True)
    workers.submit(task).result()
