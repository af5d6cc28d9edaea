"""An honest page beside clients that hold connections and send little or nothing, each kind alone and all together.

Claimed: it is answered within 2 s, beside 600 half request lines, 200 idle connections, 24 half uploads a process and
6 uploads that claim 42 MB, with as many files as a process usually may open and with 256.

    python tests/benchmarks/bench_slow_clients.py [--pages N]
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import with_helpers  # noqa: F401 - lets the next lines be found
from measured import write_measured
from served import Server, form, quantile_of, running, told

from leadwise.processes import available_cores
from leadwise.sets.sample import unpack_sample

SLOWEST_S, FEW_FILES, TO_WARM_UP = 2.0, 256, 16
UPLOAD = (
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: %d\r\n\r\n"
)
KINDS: dict[str, tuple[int, bytes]] = {
    "half_lines": (600, b"GET / HT"),
    "idle": (200, b""),
    "half_uploads": (24 * available_cores(), UPLOAD % 500_000 + b"--b\r\n" + bytes(250_000)),
    "claims": (6, UPLOAD % 42_600_000),
}


def main() -> int:
    """Measure, print, and write the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=10, help="honest pages beside each kind")
    parser.add_argument("--profile", default="cpu", help="under which name the row is kept")
    given = parser.parse_args()
    begun = time.perf_counter()
    rows, every, failed = [], [], 0
    with TemporaryDirectory() as scratch:
        page = min(unpack_sample(Path(scratch)).rglob("Normal*.jpg")).read_bytes()
        for files in (None, FEW_FILES):
            with running(available_cores(), files) as server:
                for _ in range(TO_WARM_UP):
                    honest(server, page)
                for beside in ((), *((kind,) for kind in KINDS), tuple(KINDS)):
                    taken, bad = measured(server, page, beside, given.pages)
                    every += taken if beside else []
                    failed += bad
                    condition = {"beside": "+".join(beside) or "nobody", "files": files or "usual"}
                    metrics = {"median_s": quantile_of(taken, 0.5), "slowest_s": max(taken), "failed": bad}
                    rows.append(told(metrics, len(taken), **condition))
    note = (
        f"an upload beside {', '.join(f'{many} {kind}' for kind, (many, _) in KINDS.items())}, opened anew for each, "
        f"on the server's machine; files: how many the server may open. At most {SLOWEST_S:g} s each is claimed. "
        f"Load average of the machine at the end {os.getloadavg()[1]:.1f}."
    )
    minutes = (time.perf_counter() - begun) / 60
    target = write_measured("bench_slow_clients", given.profile, pd.concat(rows), minutes, note)
    good = not failed and max(every) <= SLOWEST_S
    print(
        f"Slowest {max(every):.2f} s of {len(every)}, {failed} not answered, load {os.getloadavg()[0]:.1f}. "
        f"{'Holds' if good else 'Does NOT hold'}. Written to {target}"
    )
    return 0 if good else 1


def measured(server: Server, page: bytes, beside: tuple[str, ...], pages: int) -> tuple[list[float], int]:
    """Seconds of each honest page, from when the others are there, and how many had no answer."""
    taken, failed = [], 0
    for _ in range(pages):
        with ExitStack() as opened:
            for kind in beside:
                many, said = KINDS[kind]
                for _ in range(many):
                    client = opened.enter_context(
                        socket.create_connection((server.host, server.port), timeout=60)
                    )
                    client.sendall(said)
            start = time.perf_counter()
            failed += honest(server, page) != 200
            taken.append(time.perf_counter() - start)
    return taken, failed


def honest(server: Server, page: bytes) -> int:
    """The status of one upload; 0 where the connection broke."""
    connection = server.connect()
    try:
        connection.request("POST", "/predict", *form([("page.jpg", page)]))
        response = connection.getresponse()
        response.read()
    except OSError:
        return 0
    finally:
        connection.close()
    return response.status


if __name__ == "__main__":
    sys.exit(main())
