"""What reads strangers' files is bounded in time and memory, and nothing of them stays, however it ends."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import misbehaving
import pytest
from waiting import wait_until

from leadwise import workers as room
from leadwise.errors import InputError, LeadwiseError, Lost, WeightsError
from leadwise.workers import Limits, Workers


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /dev/shm, so that no other program's folders are looked at."""
    monkeypatch.setattr(room, "_MEMORY", tmp_path)
    return tmp_path / f"leadwise-{os.getuid()}"


@pytest.fixture
def workers(memory: Path) -> Iterator[Workers[str, str]]:
    made: Workers[str, str] = Workers(misbehaving.work, 1, Limits(2.0, 1_000_000_000))
    yield made
    made.close()


def kept(memory: Path) -> list[Path]:
    return [path for path in memory.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("task", "told"),
    [("sleep", "longer than 2 s"), ("spin", "longer than 2 s"), ("crash", "ended the program that read it")],
)
def test_a_file_that_hangs_or_kills_its_process_costs_that_process_alone_and_leaves_nothing(
    workers: Workers[str, str], memory: Path, task: str, told: str
) -> None:
    assert workers.submit("one").result() == "one"
    with pytest.raises(Lost, match=told):
        workers.submit(task).result()
    assert kept(memory) == []
    assert workers.submit("two").result() == "two"


def test_a_task_that_may_take_longer_does(memory: Path) -> None:
    workers: Workers[str, str] = Workers(
        misbehaving.work, 1, Limits(0.5, 1_000_000_000), more_s=misbehaving.more_for_a_nap
    )
    try:
        assert workers.submit("nap").result() == "nap"
        with pytest.raises(Lost, match=r"longer than 0\.5 s"):
            workers.submit("sleep").result()
    finally:
        workers.close()


def test_the_file_lies_in_memory_while_it_is_read(workers: Workers[str, str], memory: Path) -> None:
    lost = workers.submit("sleep")
    wait_until(lambda: bool(kept(memory)))
    assert isinstance(lost.exception(), Lost)
    assert kept(memory) == []


def test_memory_is_bounded_and_the_process_goes_on(workers: Workers[str, str]) -> None:
    with pytest.raises(InputError, match="more memory than one file may take"):
        workers.submit("fill").result()
    assert workers.submit("two").result() == "two"


def test_without_limits_it_may_take_what_it_takes(memory: Path) -> None:
    free = Workers(misbehaving.work, 1, room.NO_LIMITS)
    try:
        assert free.submit("fill").result() == "fill"
    finally:
        free.close()


def test_errors_come_as_they_were_raised(workers: Workers[str, str]) -> None:
    with pytest.raises(InputError, match="not this one"):
        workers.submit("refuse").result()
    with pytest.raises(KeyError, match="foreseen by nobody"):
        workers.submit("fail").result()


def told_of(task: str, why: str) -> str:
    return f"{task}: {why}"


def test_answers_come_in_order_and_why_there_is_none_in_its_place(memory: Path) -> None:
    done = list(room.each(misbehaving.work, ["a", "crash", "b", "refuse", "fail", "c"], told_of))
    assert [done[0], done[2], done[5]] == ["a", "b", "c"]
    assert done[1].startswith("crash: given up: reading it ended the program")
    assert done[3] == "refuse: not this one"
    assert done[4] == "fail: an error of leadwise, please report it (KeyError: 'foreseen by nobody')"
    assert not memory.exists()  # ended with the last


def test_what_cannot_begin_is_raised_before_the_first(memory: Path) -> None:
    with pytest.raises(WeightsError, match="there is no model"):
        next(room.each(misbehaving.work, ["a"], told_of, warm_up=misbehaving.no_model))
    assert not memory.exists()


def test_an_answer_that_was_handed_over_is_not_kept(memory: Path) -> None:
    handed: list[weakref.ref[object]] = []
    for one in room.each(misbehaving.work, ["a", "b", "c"], told_of):
        handed.append(weakref.ref(one))
        assert sum(ref() is not None for ref in handed) <= 2
        del one
    assert len(handed) == 3


def test_a_process_that_ends_in_the_middle_of_its_answer_is_no_fault_of_the_next_file(
    workers: Workers[str, str],
) -> None:
    with pytest.raises(Lost, match="ended the program that read it"):
        workers.submit("half").result()
    assert workers.submit("two").result() == "two"


def test_a_model_that_cannot_be_loaded_is_said_for_each_file(memory: Path) -> None:
    without = Workers(misbehaving.work, 1, warm_up=misbehaving.no_model)
    try:
        for _ in range(2):
            with pytest.raises(WeightsError, match="there is no model"):
                without.submit("one").result()
    finally:
        without.close()


def test_a_process_that_cannot_start_is_no_fault_of_the_file(memory: Path) -> None:
    broken = Workers(misbehaving.work, 1, warm_up=misbehaving.end)
    try:
        with pytest.raises(LeadwiseError, match="the process that reads files could not start") as told:
            broken.submit("one").result()
        assert not isinstance(told.value, InputError)
    finally:
        broken.close()


def test_closing_ends_what_is_under_way_and_what_waits(workers: Workers[str, str], memory: Path) -> None:
    under_way, waiting = workers.submit("sleep"), workers.submit("one")
    wait_until(lambda: bool(kept(memory)))
    begun = time.monotonic()
    threading.Thread(target=workers.close).start()
    for one in (under_way, waiting):
        assert isinstance(one.exception(10), Lost)
    assert time.monotonic() - begun < 1.5
    workers.close()
    assert not memory.exists()


def test_closing_ends_a_process_that_is_just_being_started(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    class Late(room._Worker):
        def __init__(self, *begin: object) -> None:
            super().__init__(*begin)  # type: ignore[arg-type]
            begun.append(self._process)
            threading.Thread(target=workers.close).start()
            wait_until(lambda: workers._is_closed)
            time.sleep(0.2)  # it has killed those that it knew

    workers = Workers(misbehaving.work, 1, room.NO_LIMITS)
    monkeypatch.setattr(workers, "_another", lambda: None)  # as where the system has no process to give
    assert isinstance(workers.submit("crash").exception(), Lost)
    monkeypatch.setattr(room, "_Worker", Late)
    assert isinstance(workers.submit("sleep").exception(30), Lost)
    workers.close()
    assert [process.returncode for process in begun] == [-signal.SIGKILL]
    assert not memory.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_that_ends_takes_nothing_from_its_parent(
    workers: Workers[str, str], memory: Path
) -> None:
    assert workers.submit("one").result() == "one"
    child = os.fork()
    if not child:
        workers.close()  # as at its exit
        os._exit(0)
    os.waitpid(child, 0)
    assert workers.submit("two").result() == "two"  # it needs its folder


@pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel of Linux alone ends processes with their parent"
)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_their_parent_and_the_next_life_clears_what_was_left(how: signal.Signals) -> None:
    script = f"import sys; sys.path[:] = {sys.path}; import misbehaving; misbehaving.stay('spin')"
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        left = Path(parent.stdout.readline().strip()).parent
    wait_until(lambda: any(left.iterdir()))
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    workers = {
        int(pid)
        for task in children.parents[1].iterdir()
        for pid in (task / "children").read_text(encoding="ascii").split()
    }
    assert workers
    parent.send_signal(how)
    parent.wait(10)
    wait_until(lambda: not any(_runs(pid) for pid in workers), 5)
    Workers(misbehaving.work, 1).close()
    assert not left.parent.exists()


def test_another_process_starts_when_one_is_lost_and_not_when_it_is_missed(
    workers: Workers[str, str],
) -> None:
    assert workers.submit("one").result() == "one"
    (before,) = workers._every
    assert isinstance(workers.submit("crash").exception(), Lost)
    wait_until(workers.is_ready)
    assert before not in workers._every


def test_the_folders_of_a_living_process_stay(workers: Workers[str, str], memory: Path) -> None:
    under_way = workers.submit("sleep")
    wait_until(lambda: bool(kept(memory)))
    Workers(misbehaving.work, 1).close()
    assert kept(memory)
    assert isinstance(under_way.exception(), Lost)


def test_a_folder_that_another_user_made_is_not_used(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    memory.rename(memory.with_name("leadwise-4711"))

    def wait(_: int, how: int) -> None:
        pytest.fail("its owner may hold the lock for ever")

    monkeypatch.setattr(fcntl, "flock", wait)
    with pytest.raises(InputError, match="belongs to another user"):
        Workers(misbehaving.work, 1)


def test_a_folder_that_another_process_removes_meanwhile_is_made_again(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open
    gone = iter([memory])

    def late(path: Path, *how: int) -> int:
        for one in gone:
            one.rmdir()
        return opened(path, *how)

    monkeypatch.setattr(os, "open", late)
    Workers(misbehaving.work, 1).close()
    assert next(gone, None) is None


def test_a_link_in_its_place_is_not_followed(memory: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").mkdir()
    memory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        Workers(misbehaving.work, 1)
    assert (tmp_path / "elsewhere" / "precious").is_dir()


def test_no_core_is_dumped_and_ctrl_c_is_not_the_workers(workers: Workers[str, str]) -> None:
    assert workers.submit("one").result() == "one"
    (worker,) = workers._every
    assert os.getpgid(worker._process.pid) == worker._process.pid
    assert resource.prlimit(worker._process.pid, resource.RLIMIT_CORE)[0] in (0, 1)
    assert 0 < resource.prlimit(worker._process.pid, resource.RLIMIT_AS)[0] < 5_000_000_000
    assert 0 < resource.prlimit(worker._process.pid, resource.RLIMIT_CPU)[0] < 10


def test_a_place_for_modules_that_is_no_text_is_passed_over(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, Path("/nowhere")])
    made = Workers(misbehaving.work, 1)
    try:
        assert made.submit("one").result() == "one"
    finally:
        made.close()


def test_a_script_without_a_main_guard_is_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import misbehaving\nfrom leadwise.workers import Workers\nprint('begun')\n"
        "workers = Workers(misbehaving.work)\nprint(workers.submit('one').result())\nworkers.close()\n",
        encoding="utf-8",
    )
    helpers = Path(misbehaving.__file__).parent
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(helpers), *sys.path])},
    )  # fmt: skip
    assert done.stdout.split() == ["begun", "one"]


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
