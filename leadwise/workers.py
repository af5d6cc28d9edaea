"""Processes that read what strangers made: each within limits of time and memory, with a folder that goes with it.

The command line, Python's `leadwise.predict` and the server all read files here. A file that holds its process too
long, fills its memory or crashes it costs that process alone: it is killed, what lay in its folder is removed, and
another takes its place. Threads would not do: pdfium may be used by one at a time, and none can be ended. Nor would
multiprocessing's own processes, which begin by running the script of their parent once more.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from leadwise.errors import InputError, LeadwiseError, Lost
from leadwise.processes import die_with_parent

Task = TypeVar("Task")
Done = TypeVar("Done")

_START_S = 120.0
_FEW = 8  # so few tasks are done before other processes have started
_TOLD_TO_END = "the program that reads it was told to end"
_MEMORY = Path("/dev/shm")  # noqa: S108  # a tmpfs where Linux has one
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from leadwise.workers import _live; _live(int(sys.argv[1]))"
)


@dataclass(frozen=True)
class Limits:
    """What one task may take: `deadline_s` of time, `memory_bytes` beyond what its process has when it is ready."""

    deadline_s: float | None = 60.0
    memory_bytes: int | None = 2_400_000_000


LIMITS = Limits()
"""What every file gets: large photographs need up to three quarters of that memory, and 5 to 30 s of a free core."""

NO_LIMITS = Limits(None, None)

_own_folder: Path | None = None  # the folder of this process, where it is a worker

TOO_LARGE = "it needs more memory than one file may take (a scan at 300 dpi does not)"
"""Said of a file that reached the limit."""


def _nothing() -> None:
    pass


def _no_more(_: Any) -> float:
    return 0.0


class Workers(Generic[Task, Done]):
    """`number` processes; `work` answers for one task, `warm_up` is called once in each before its first.

    Both are functions that a new process can import, or partials of such. To start and to warm up is no task's time.
    `more_s` gives the seconds by which a task, a recording of a day say, may take longer than the limits' deadline.
    """

    def __init__(
        self,
        work: Callable[[Task], Done],
        number: int = 1,
        limits: Limits = LIMITS,
        warm_up: Callable[[], object] = _nothing,
        more_s: Callable[[Task], float] = _no_more,
    ) -> None:
        self._begin = (work, warm_up, limits)
        self._more_s = more_s
        self._deadline_s = limits.deadline_s
        self._folder = _Folder()
        # the kernel ends a process with the thread that started it: this one lives as long as we do
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starter")
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="workers")
        self._free: SimpleQueue[_Worker | None] = SimpleQueue()  # as many as threads; None: not started yet
        self._every: set[_Worker] = set()
        self._pid = os.getpid()
        self._is_closed, self._closing = False, threading.Lock()
        for _ in range(number):
            self._free.put(self._started())

    def is_ready(self) -> bool:
        """Whether a process has warmed up, so that a task need not wait for that."""
        return any(worker.has_begun() for worker in self._every.copy())

    def submit(self, task: Task) -> Future[Done]:
        """What `work` will have made of a task; it raises what `work` raises, and `Lost` with the process."""
        return self._threads.submit(self._asked, task)

    def close(self) -> None:
        """End all processes and remove what lies in their folders; tasks under way are lost."""
        if os.getpid() != self._pid:  # a fork at its end: they are its parent's
            return
        with self._closing:  # the second who asks for it waits until it is done
            self._is_closed = True
            for worker in self._every.copy():
                worker.kill()
            self._threads.shutdown()  # those who asked see it, and so does each who waits
            for worker in self._every.copy():
                worker.end()
            self._every.clear()
            self._starter.shutdown()
            self._folder.remove()

    def _asked(self, task: Task) -> Done:
        worker = self._free.get()
        try:
            if self._is_closed:
                raise Lost(_TOLD_TO_END)
            worker = worker or self._started()
            return self._answered(worker, task)
        finally:
            self._free.put(worker if worker in self._every else self._another())

    def _answered(self, worker: _Worker, task: Task) -> Done:
        deadline_s = None if self._deadline_s is None else self._deadline_s + self._more_s(task)
        try:
            done: Done = worker.ask(task, deadline_s)
        except (TimeoutError, EOFError, ConnectionError) as error:
            self._every.discard(worker)
            worker.end()
            if isinstance(error, TimeoutError):
                raise Lost(f"it took longer than {deadline_s:g} s to read") from error
            raise Lost("reading it ended the program that read it: it is damaged, or too large") from error
        except LeadwiseError as error:
            if not worker.is_ready:
                self._every.discard(worker)
                worker.end()
                if self._is_closed:
                    raise Lost(_TOLD_TO_END) from error
            raise
        return done

    def _another(self) -> _Worker | None:
        """One in the place of a lost one; None where it cannot be had now, or need not be."""
        with contextlib.suppress(OSError):
            return None if self._is_closed else self._started()
        return None

    def _started(self) -> _Worker:
        worker = self._starter.submit(_Worker, self._begin, self._folder.one()).result()
        self._every.add(worker)
        if self._is_closed:  # meanwhile, so that whoever closes did not see it
            worker.kill()
        return worker


def each(
    work: Callable[[Task], Done],
    tasks: Sequence[Task],
    refused: Callable[[Task, str], Done],
    cores: int = 1,
    limits: Limits = LIMITS,
    warm_up: Callable[[], object] = _nothing,
    more_s: Callable[[Task], float] = _no_more,
) -> Iterator[Done]:
    """What `work` makes of each task, in their order, `cores` at a time.

    Of a task that is lost, and of one for which `work` raises `InputError` or an error that nobody foresaw, it is
    what `refused` makes of it and the reason; other errors of leadwise, as those of `warm_up`, are raised. All
    processes end with the last, or when nobody goes on.
    """
    workers = Workers(work, min(cores, len(tasks)) if len(tasks) >= _FEW else 1, limits, warm_up, more_s)
    try:
        waiting = deque(workers.submit(task) for task in tasks)
        for task in tasks:
            try:
                done = waiting.popleft().result()
            except Lost as error:
                done = refused(task, f"given up: {error}")
            except InputError as error:
                done = refused(task, str(error))
            except LeadwiseError:
                raise
            except Exception as error:
                why = f"an error of leadwise, please report it ({type(error).__name__}: {error})"
                done = refused(task, why)
            yield done
            del done  # so that it need not be kept
    finally:
        workers.close()


class _Worker:
    """One process, the pipe to it, and its folder."""

    def __init__(self, begin: tuple[Any, ...], folder: Path) -> None:
        self._folder = folder
        self._pipe, theirs = multiprocessing.Pipe()
        places = [place for place in sys.path if isinstance(place, str)]  # as Python's import has it
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BEGIN, str(theirs.fileno()), json.dumps(places)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                process_group=0,  # Ctrl+C is its parent's, which then ends it
            )
        self._pipe.send((os.getpid(), folder))
        self._pipe.send(begin)
        self.is_ready = False

    def ask(self, task: Any, deadline_s: float | None) -> Any:
        if not self.is_ready:
            try:
                self.is_ready = self._received(_START_S)
            except (TimeoutError, EOFError, ConnectionError) as error:
                raise LeadwiseError(
                    "the process that reads files could not start. Is there memory left? Ask again."
                ) from error
        self._pipe.send((task, deadline_s))
        return self._received(deadline_s)

    def has_begun(self) -> bool:
        """Whether it has said that it is ready."""
        with contextlib.suppress(OSError):  # it was just ended
            return self.is_ready or self._pipe.poll()
        return False

    def _received(self, within_s: float | None) -> Any:
        if not self._pipe.poll(within_s):
            raise TimeoutError
        try:
            is_done, answer = self._pipe.recv()
        except OSError as error:  # it ended in the middle of its answer
            raise EOFError from error
        if is_done:
            return answer
        raise answer

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill it; what it kept goes with it."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _live(handle: int) -> None:
    """In a new process: answer until the other end is gone."""
    global _own_folder
    pipe = Connection(handle)
    parent, _own_folder = pipe.recv()
    die_with_parent(parent)
    tempfile.tempdir = str(_own_folder)
    _quiet()
    with contextlib.suppress(EOFError, ConnectionError):
        work, warm_up, limits = pipe.recv()
        try:
            warm_up()
        except LeadwiseError as error:
            pipe.send((False, error))
            return
        if "cv2" in sys.modules:
            sys.modules["cv2"].setNumThreads(1)
        _bound(limits)
        pipe.send((True, True))
        while True:
            task, deadline_s = pipe.recv()
            _bound_processor(deadline_s)
            pipe.send(_tried(work, task))


def _quiet() -> None:
    """Keep what Python logs, and drop what decoders of pictures print."""
    with contextlib.suppress(OSError):  # it may be closed
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)


def _tried(work: Callable[[Any], Any], task: Any) -> tuple[bool, Any]:
    try:
        return True, work(task)
    except Exception as error:
        give_back_memory()
        return False, Lost(TOO_LARGE) if isinstance(error, MemoryError) else error


def _bound(limits: Limits) -> None:
    """No more memory than now and what is allowed, and no core dump: it would hold what was read."""
    # not 0 but 1: core(5) says that 0 does not keep a program that collects them from its copy
    _limit(resource.RLIMIT_CORE, 1)
    if limits.memory_bytes is not None and sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + limits.memory_bytes)


def _bound_processor(deadline_s: float | None) -> None:
    """Twice the deadline in seconds of the processor: one whose parent cannot end it ends by itself."""
    if deadline_s is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + 2 * deadline_s) + 1)


def _limit(what: int, most: int) -> None:
    allowed = resource.getrlimit(what)[1]
    resource.setrlimit(what, (most if allowed == resource.RLIM_INFINITY else min(most, allowed), allowed))


def give_back_memory() -> None:
    """Have the C library give freed memory back, which it else keeps in pieces after a file of many pixels."""
    gc.collect()  # an error's frames may hold a picture in a circle
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)


def memory() -> Path | None:
    """Where files for programs that know only files may lie: a tmpfs where there is one, a worker's own folder."""
    return _own_folder or (_MEMORY if _MEMORY.is_dir() else None)


class _Folder:
    """In memory where there is a tmpfs: the folders of one process's workers, held by a lock that dies with it."""

    def __init__(self) -> None:
        where = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        self._every = where / f"leadwise-{os.getuid()}"
        with self._gate():
            for left in self._every.iterdir():
                with contextlib.suppress(BlockingIOError):  # its process lives
                    os.close(_locked(left, fcntl.LOCK_NB))
                    shutil.rmtree(left, ignore_errors=True)
            self._path = Path(tempfile.mkdtemp(dir=self._every))
            self._lock: int | None = _locked(self._path)

    def one(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._path))

    def remove(self) -> None:
        if self._lock is None:
            return
        with self._gate():
            shutil.rmtree(self._path, ignore_errors=True)
            os.close(self._lock)
            self._lock = None
            with contextlib.suppress(OSError):  # others are still at work
                self._every.rmdir()

    @contextlib.contextmanager
    def _gate(self) -> Iterator[None]:
        """One process at a time makes and removes folders here."""
        while True:
            with contextlib.suppress(FileExistsError):
                self._every.mkdir(mode=0o700)
            with contextlib.suppress(FileNotFoundError):  # it was removed meanwhile
                gate = _locked(self._every)
                if _is_at(gate, self._every):
                    break
                os.close(gate)
        try:
            yield
        finally:
            os.close(gate)


def _locked(folder: Path, how: int = 0) -> int:
    """Its handle, which holds the lock until it is closed. Raises `InputError` where it is another user's."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(handle).st_uid != os.getuid():  # who may hold the lock for ever
            raise InputError(f"{folder}: belongs to another user. Have it removed, and try again.")
        fcntl.flock(handle, fcntl.LOCK_EX | how)
    except (BlockingIOError, InputError):
        os.close(handle)
        raise
    return handle


def _is_at(handle: int, folder: Path) -> bool:
    """Whether the folder is still the one of this handle."""
    try:
        return os.path.samestat(os.fstat(handle), folder.lstat())
    except FileNotFoundError:
        return False
