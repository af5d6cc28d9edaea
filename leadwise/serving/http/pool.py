"""A few processes that answer, one job each: a file that kills its reader, or holds it too long, costs one process.

Threads would not do: pdfium may be used by one thread at a time, and a decoder that crashes takes its process along.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from leadwise.errors import LeadwiseError

_START_S = 120.0


class Lost(LeadwiseError):
    """A job that had no end, or that ended its process."""


class Pool:
    """`workers` processes; `work` answers for one job, `warm_up` is called once in each before its first.

    Both are functions that a new process can import. A job that takes longer than `deadline_s` loses its process, and
    another takes its place.
    """

    def __init__(
        self, work: Callable[[Any], Any], warm_up: Callable[[], None], workers: int, deadline_s: float
    ) -> None:
        self._work, self._warm_up = work, warm_up
        self._deadline_s = deadline_s
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._every: set[_Worker] = set()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="pool")
        for _ in range(workers):
            self._add()

    async def run(self, job: Any) -> Any:
        """What `work` makes of a job. Raises `Lost` where its process was lost over it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, job)

    def close(self) -> None:
        """End all processes; jobs under way are lost."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in list(self._every):
            worker.end()

    def _run(self, job: Any) -> Any:
        worker = self._free.get()  # there are as many threads as processes
        try:
            done = worker.ask(job, self._deadline_s)
        except (TimeoutError, EOFError, OSError) as error:
            self._every.discard(worker)
            worker.end()
            self._add()
            if isinstance(error, TimeoutError):
                raise Lost(f"it took longer than {self._deadline_s:g} s to read") from error
            raise Lost("reading it ended the program that read it") from error
        self._free.put(worker)
        return done

    def _add(self) -> None:
        worker = _Worker(self._work, self._warm_up)
        self._every.add(worker)
        self._free.put(worker)


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, work: Callable[[Any], Any], warm_up: Callable[[], None]) -> None:
        spawn = multiprocessing.get_context("spawn")  # a fork would copy locks that threads hold
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, work, warm_up), daemon=True)
        self._process.start()
        self._is_ready = False
        theirs.close()  # so that their end is the only one, and its closing is seen

    def ask(self, job: Any, deadline_s: float) -> Any:
        if not self._is_ready:  # to start and to warm up is not the job's time
            if not self._pipe.poll(_START_S):
                raise TimeoutError
            self._is_ready = bool(self._pipe.recv())
        self._pipe.send(job)
        if not self._pipe.poll(deadline_s):
            raise TimeoutError
        return self._pipe.recv()

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(pipe: Connection, work: Callable[[Any], Any], warm_up: Callable[[], None]) -> None:
    """Answer jobs until the other end is gone."""
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the server's, which then ends us
    cv2.setNumThreads(1)
    warm_up()
    try:
        pipe.send(True)
        while True:
            pipe.send(work(pipe.recv()))
    except (EOFError, OSError):
        return
