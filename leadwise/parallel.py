"""The same work on many pages, one core each."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from leadwise.errors import InputError

Task = TypeVar("Task")
Done = TypeVar("Done")


def in_processes(
    work: Callable[[Task], Done], tasks: Sequence[Task], processes: int, *, at_once: int = 1
) -> Iterator[Done]:
    """What `work` makes of each task, in their order; with one process, in this one.

    A process takes `at_once` tasks at a time. Raises `InputError` where one of them is killed.
    """
    if processes < 2 or len(tasks) < 2:
        yield from map(work, tasks)
        return
    pool = ProcessPoolExecutor(
        min(processes, len(tasks)), multiprocessing.get_context("spawn"), initializer=_one_thread
    )
    try:
        yield from pool.map(work, tasks, chunksize=at_once)
    except BrokenProcessPool as error:
        raise InputError(
            "a process that read pages was killed, most likely for want of memory. Try again with --cores 1."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)
