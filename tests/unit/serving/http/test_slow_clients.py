"""Clients that are slow, silent, greedy or called by another's name leave room for honest ones, and are told why."""

from __future__ import annotations

import fcntl
import json
import resource
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import slow_jobs
from starlette.testclient import TestClient
from waiting import wait_until

from leadwise import cli
from leadwise.serving.http import desk
from leadwise.serving.http.app import make_app
from leadwise.serving.http.connections import Server, most_connections
from leadwise.serving.http.limits import Limits
from leadwise.serving.http.schema import Refusal
from leadwise.serving.http.serve import listen

QUICK = Limits(
    places_per_worker=2, held_bytes=1_000_000, head_s=1.0, body_s=8.0, stall_s=1.0, wait_s=1.0, unread_s=1.0,
    ending_s=1.0,
)  # fmt: skip
MOST = 40
PROMPT_S = 2.0
HELPERS = Path(slow_jobs.__file__).parent


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with one process, short times and few connections."""
    with pytest.MonkeyPatch.context() as patched, listen("127.0.0.1", 0) as listening:
        patched.setattr(desk, "do", slow_jobs.do)
        patched.setattr(desk, "_warm", slow_jobs.nothing)
        server = Server(make_app(hosts=["ward.example"], limits=QUICK), MOST)
        where: int = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        wait_until(lambda: server.started)
        asked(where, upload("first.jpg"))  # its process has begun
        yield where
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def asking() -> Iterator[Callable[[int, bytes], socket.socket]]:
    """Opens connections and says something on each; they are closed at the end."""
    with ExitStack() as opened:

        def ask(port: int, said: bytes) -> socket.socket:
            client = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            client.sendall(said)
            return client

        yield ask


Asking = Callable[[int, bytes], socket.socket]


def head(size: int | None, *lines: str, to: str = "/predict") -> bytes:
    """Of an upload; `lines` stand for those of the same name."""
    usual = {"Host": "localhost", "Content-Type": "multipart/form-data; boundary=b"}
    usual |= {} if size is None else {"Content-Length": str(size)}
    usual |= dict(line.split(": ") for line in lines)
    return "\r\n".join([f"POST {to} HTTP/1.1", *(": ".join(line) for line in usual.items()), "", ""]).encode()


def part(name: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()


def upload(name: str, size: int = 100) -> bytes:
    body = part(name) + bytes(size) + b"\r\n--b--\r\n"
    return head(len(body), "Connection: close") + body


def answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status (0 where the connection was closed without an answer), headers and body, read to the end."""
    said = b""
    while more := client.recv(65536):
        said += more
    told, _, body = said.partition(b"\r\n\r\n")
    first, *lines = told.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]) if first else 0, headers, body


def asked(port: int, said: bytes) -> tuple[int, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(said)
        return answer(client)


def is_prompt(port: int) -> None:
    """An honest upload is answered, and soon."""
    start = time.monotonic()
    status, _, body = asked(port, upload("page.jpg"))
    assert status == 200, body
    assert time.monotonic() - start < PROMPT_S


def is_closed(client: socket.socket) -> bool:
    """Whether the server has closed it, whatever it sent before."""
    client.settimeout(1)
    try:
        while client.recv(1_000_000):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def untaken_bytes(client: socket.socket) -> int:
    return int.from_bytes(fcntl.ioctl(client, termios.FIONREAD, bytes(4)), sys.byteorder)


def told(body: bytes) -> Refusal:
    return Refusal.model_validate_json(body)


# --- bodies --------------------------------------------------------------------------------------------------


def test_bytes_that_are_claimed_and_not_sent_shut_nobody_out(port: int, asking: Asking) -> None:
    for _ in range(6):
        asking(port, head(42_000_000))
        asking(port, head(QUICK.held_bytes // 3))
    is_prompt(port)


def test_half_an_upload_takes_no_place(port: int, asking: Asking) -> None:
    for _ in range(24):
        asking(port, upload("half.jpg")[:-20])
    is_prompt(port)


def test_bytes_that_came_count_until_they_are_answered(port: int, asking: Asking) -> None:
    greedy = asking(port, upload("half.jpg", 800_000)[:-20])
    time.sleep(0.3)
    status, headers, body = asked(port, upload("page.jpg", 400_000))
    assert (status, told(body).code) == (503, "full")
    assert int(headers["retry-after"]) >= 1
    assert answer(greedy)[0] == 408
    assert asked(port, upload("page.jpg", 400_000))[0] == 200


@pytest.mark.parametrize("every_s", [30.0, 0.2], ids=["stalls", "drips"])
def test_a_body_that_does_not_come_is_given_up(port: int, asking: Asking, every_s: float) -> None:
    client = asking(port, head(100_000) + b"--b\r\n")
    client.settimeout(every_s)
    start, said = time.monotonic(), b""
    while not said and time.monotonic() - start < 5:
        try:
            said = client.recv(4096)
        except TimeoutError:
            client.sendall(b"x")
    took_s = time.monotonic() - start
    client.settimeout(20)
    while more := client.recv(4096):
        said += more
    assert said.startswith(b"HTTP/1.1 408 ")
    assert told(said.partition(b"\r\n\r\n")[2]).code == "too_slow"
    assert 0.9 < took_s < 4


# --- connections ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: loc"], ids=["idle", "half a head"])
def test_a_connection_that_says_no_head_is_closed(port: int, asking: Asking, said: bytes) -> None:
    start = time.monotonic()
    assert answer(asking(port, said))[0] == 0
    assert 0.9 < time.monotonic() - start < 4


def test_a_head_that_drips_is_not_waited_for(port: int, asking: Asking) -> None:
    client = asking(port, b"GET / HTTP/1.1\r\nX: ")
    client.settimeout(0.2)
    start = time.monotonic()
    while time.monotonic() - start < 5:
        try:
            assert client.recv(100) == b""
            break
        except TimeoutError:
            client.sendall(b"x")
        except ConnectionError:
            break
    assert 0.9 < time.monotonic() - start < 4


def test_a_kept_connection_is_given_the_same_time_for_its_next_head(port: int, asking: Asking) -> None:
    client = asking(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"".join(iter(lambda: client.recv(1), b"}")).startswith(b"HTTP/1.1 200 ")
    time.sleep(1.5)  # longer than a head may take: between two requests it may rest
    client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"".join(iter(lambda: client.recv(1), b"}")).startswith(b"HTTP/1.1 200 ")
    client.sendall(b"GET /hea")
    start = time.monotonic()
    assert answer(client)[0] == 0
    assert 0.9 < time.monotonic() - start < 4


@pytest.mark.parametrize("said", [b"", b"GET / HT", upload("half.jpg")[:-20]], ids=["idle", "head", "body"])
def test_more_connections_than_there_is_room_for_give_way(port: int, asking: Asking, said: bytes) -> None:
    start = time.monotonic()
    opened = [asking(port, said) for _ in range(3 * MOST)]
    is_prompt(port)
    assert time.monotonic() - start < PROMPT_S
    opened[0].settimeout(0.5)  # before its time was up
    assert opened[0].recv(10) == b""


def test_an_answer_that_is_not_read_is_not_kept(port: int, asking: Asking) -> None:
    greedy = asking(port, upload("bytes-30000000.jpg"))
    time.sleep(2.5)
    assert len(answer(greedy)[2]) < 30_000_000


def test_who_asks_again_and_again_and_takes_nothing_shuts_nobody_out(port: int, asking: Asking) -> None:
    """What waits to be sent then is no whole answer, whose end would be waited for."""
    ask = b"GET /samples/normal.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20
    greedy = [asking(port, ask) for _ in range(MOST)]

    def is_filled() -> bool:
        before = [untaken_bytes(one) for one in greedy]
        time.sleep(0.1)
        return all(before) and before == [untaken_bytes(one) for one in greedy]

    wait_until(is_filled)
    is_prompt(port)  # one gave way
    time.sleep(2 * QUICK.unread_s)
    assert all(is_closed(one) for one in greedy)


def test_a_large_answer_may_be_taken_slowly(port: int, asking: Asking) -> None:
    client = asking(port, upload("bytes-12000000.jpg"))
    taken, start = 0, time.monotonic()
    while piece := client.recv(65536):
        taken += len(piece)
        time.sleep(max(0.0, taken / 3_000_000 - (time.monotonic() - start)))
    assert time.monotonic() - start > 2.5 * QUICK.unread_s
    assert taken > 12_000_000


def test_files_allow_so_many_connections() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(300, before[1]), before[1]))
        most = most_connections(workers=2)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == min(4096, hard) or hard == resource.RLIM_INFINITY
        assert 16 <= most < soft
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# --- waiting -------------------------------------------------------------------------------------------------


def test_who_waits_too_long_for_a_process_is_told_so(port: int, asking: Asking) -> None:
    busy = asking(port, upload("sleep-3.jpg"))
    time.sleep(0.2)
    start = time.monotonic()
    status, headers, body = asked(port, upload("page.jpg"))
    assert (status, told(body).code) == (503, "busy")
    assert int(headers["retry-after"]) >= 1
    assert 0.9 < time.monotonic() - start < 2.5
    assert answer(busy)[0] == 200


# --- names, parameters, HEAD ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rebound.test", 400), ("rebound.test:8000", 400), ("localhost.rebound.test", 400), ("", 400), ("[::1", 400),
        ("127.0.0.1.rebound.test", 400), ("localhost:8000", 200), ("LOCALHOST", 200), ("127.0.0.1:1", 200),
        ("[::1]:8000", 200), ("192.168.1.7", 200), ("ward.example", 200), ("Ward.Example.:80", 200),
    ],
)  # fmt: skip
def test_only_its_own_names_are_answered(port: int, name: str, status: int) -> None:
    told_status, _, body = asked(
        port, f"GET /health HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
    )
    assert told_status == status
    if status == 400:
        assert told(body).code == "unknown_host"
        assert "--allow-host" in told(body).detail


def test_who_names_no_host_is_answered_as_balancers_do_not(port: int) -> None:
    assert asked(port, b"GET /health HTTP/1.0\r\n\r\n")[0] == 200


def test_the_command_takes_more_names(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Server] = []

    def run(self: Server, sockets: list[socket.socket]) -> None:
        sockets[0].close()
        made.append(self)

    monkeypatch.setattr(Server, "run", run)
    names = ["--allow-host", "ward.example", "--allow-host", "proxy.example"]
    monkeypatch.setattr(sys, "argv", ["leadwise", "serve", "--port", "0", *names])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    app = made[0].config.app
    for name, status in {"ward.example": 200, "proxy.example": 200, "rebound.test": 400}.items():
        assert TestClient(app, f"http://{name}").get("/health").status_code == status


@pytest.mark.parametrize("address", ["/model?of=hearts", "/model/card?of=hearts", "/predict?picture=hearts"])
def test_a_wrong_parameter_is_refused_as_the_description_says(address: str) -> None:
    client = TestClient(make_app(), "http://localhost")
    said = client.request("POST" if "predict" in address else "GET", f"{address}%1b[31m{'x' * 500}")
    assert said.status_code == 422
    refusal = told(said.content)
    assert refusal.code == "wrong_parameter"
    assert refusal.detail.startswith(("of=hearts[31mx", "picture=hearts[31mx"))
    assert len(refusal.detail) < 200
    assert "\\u001b" not in said.text
    assert "HTTPValidationError" not in json.dumps(client.get("/openapi.json").json())


@pytest.mark.parametrize("address", ["/", "/health", "/model", "/openapi.json"])
def test_head_is_answered_as_get_without_its_body(port: int, address: str) -> None:
    lines = f"{address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    status, headers, body = asked(port, f"HEAD {lines}".encode())
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == len(asked(port, f"GET {lines}".encode())[2]) > 0


# --- refusals that come before the body ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (head(60_000_000, "Connection: close"), 413),
        (head(None, "Connection: close", "Transfer-Encoding: chunked"), 411),
        (head(30_000_000, "Connection: close", "Content-Type: image/jpeg"), 400),
        (head(30_000_000, "Connection: close", "Host: rebound.test"), 400),
        (head(30_000_000, "Connection: close", to="/nothing"), 404),
        (head(30_000_000, "Connection: close", to="/predict?picture=hearts"), 422),
        (head(30_000_000, "Connection: close") + part("page.jpg"), 503),
    ],
    ids=["too large", "no length", "no form", "host", "address", "parameter", "full"],
)
def test_a_refusal_reaches_a_client_that_sends_on(
    port: int, asking: Asking, start: bytes, status: int
) -> None:
    client = asking(port, start)
    piece = b"186a0\r\n" + bytes(100_000) + b"\r\n" if status == 411 else bytes(100_000)
    for _ in range(250):  # 25 MB, as a client that does not listen while it speaks
        client.sendall(piece)
    client.shutdown(socket.SHUT_WR)
    told_status, headers, body = answer(client)
    assert told_status == status
    assert headers["connection"] == "close"
    assert told(body).detail


def test_a_refused_client_that_never_ends_is_not_listened_to_for_ever(port: int, asking: Asking) -> None:
    client = asking(port, head(900_000_000_000))
    with pytest.raises(ConnectionError):
        client.sendall(bytes(300_000_000))


# --- the end -------------------------------------------------------------------------------------------------


@contextmanager
def running(tmp_path: Path, *before: str) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A server of its own process as a user runs it, with jobs as slow as they are called; and its log."""
    log = tmp_path / "stderr"
    with log.open("wb") as errors:
        command = [*before, sys.executable, str(HELPERS / "slow_jobs.py")]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert server.stdout is not None
            where = int(server.stdout.readline().split()[3].rpartition(":")[2])
            assert asked(where, upload("first.jpg"))[0] == 200
            yield server, where, log
        finally:
            server.kill()
            server.communicate()


def test_a_few_files_are_enough_beside_hundreds_of_silent_clients(tmp_path: Path, asking: Asking) -> None:
    with running(tmp_path, "bash", "-c", 'ulimit -n 256 && exec "$@"', "bash") as (_, port, log):
        start = time.monotonic()
        for said in (b"GET / HT", b"", upload("half.jpg")[:-20]):
            for _ in range(200):
                asking(port, said)
        is_prompt(port)
        assert time.monotonic() - start < 2 * PROMPT_S  # the clients' own time is in it
        assert log.read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(("how", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_the_end_is_told_to_everybody(
    tmp_path: Path, asking: Asking, how: signal.Signals, status: int
) -> None:
    with running(tmp_path) as (server, port, log):
        workers = [
            pid
            for task in Path(f"/proc/{server.pid}/task").iterdir()
            for pid in (task / "children").read_text(encoding="ascii").split()
        ]
        assert workers
        under_way, half = asking(port, upload("sleep-60.jpg")), asking(port, upload("half.jpg")[:-20])
        time.sleep(0.5)
        waits = asking(port, upload("waits.jpg"))
        time.sleep(0.5)
        start = time.monotonic()
        server.send_signal(how)
        for client in (half, waits, under_way):
            told_status, headers, body = answer(client)
            assert (told_status, told(body).code) == (503, "ending")
            assert int(headers["retry-after"]) >= 1
        assert server.wait(20) == status
        assert time.monotonic() - start < 7
        wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 5)
        assert log.read_text(encoding="utf-8") == ""


def test_what_is_soon_done_is_answered_before_the_end(tmp_path: Path, asking: Asking) -> None:
    with running(tmp_path) as (server, port, _):
        under_way = asking(port, upload("sleep-1.5.jpg"))
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)
        assert answer(under_way)[0] == 200
        assert server.wait(20) == 0
