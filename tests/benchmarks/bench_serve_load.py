"""`leadwise serve` under load: one client's time to an answer, then sixteen clients and a thousand pages.

Claimed: no request fails, memory does not grow, and a page takes no more of the processor when sixteen ask than when
one does (at most 1.3 times), whatever else the machine does.

    python tests/benchmarks/bench_serve_load.py [FOLDER] [--requests N] [--clients N]
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import with_helpers  # noqa: F401 - lets the next lines be found
from measured import write_measured
from served import Server, form, quantile_of, running, told

from leadwise.processes import available_cores
from leadwise.sets.catalogue import find_pages
from leadwise.sets.sample import unpack_sample

ALONE, MOST_GROWTH, MOST_DEARER = 100, 1.10, 1.30


def main() -> int:
    """Measure, print, and write the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("LEADWISE_DATA"), type=Path)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--profile", help="under which name the row is kept (sample, or cpu for a folder)")
    given = parser.parse_args()
    profile = given.profile or ("cpu" if given.folder else "sample")
    begun = time.perf_counter()
    with TemporaryDirectory() as scratch, running(available_cores()) as server:
        folder = given.folder or unpack_sample(Path(scratch))
        files = find_pages(folder).files.drop_duplicates("sha256")["path"]
        picked = files.iloc[np.linspace(0, len(files) - 1, 48).round().astype(int)]
        bodies = [form([(Path(path).name, (folder / path).read_bytes())]) for path in picked]
        asked(server, bodies, 64, given.clients)  # every process has answered, and holds what it will hold
        start_s = server.cpu_s()
        alone_ms, _, statuses = asked(server, bodies, ALONE // 2, 1)
        alone_s = server.cpu_s() - start_s
        before, cpu_s = server.memory_mb(), server.cpu_s()
        many_ms, seconds, counted = asked(server, bodies, given.requests, given.clients)
        after, cpu_s = server.memory_mb(), server.cpu_s() - cpu_s
        # half before and half after, since other programs of the machine come and go
        start_s = server.cpu_s()
        more_ms, _, more = asked(server, bodies, ALONE // 2, 1)
        alone_s += server.cpu_s() - start_s
    alone_ms += more_ms
    statuses += counted + more
    failed = sum(count for status, count in statuses.items() if status != 200)
    rate = given.requests / seconds
    together = {
        "pages_a_second": rate,
        "processor_ms_a_page": 1000 * cpu_s / given.requests,
        "median_ms": quantile_of(many_ms, 0.5),
        "p95_ms": quantile_of(many_ms, 0.95),
        "failed": failed,
    }
    alone = {
        "processor_ms_a_page": 1000 * alone_s / ALONE,
        "median_ms": quantile_of(alone_ms, 0.5),
        "p95_ms": quantile_of(alone_ms, 0.95),
    }
    rows = [told(together, given.requests, clients=given.clients), told(alone, ALONE, clients=1)]
    rows += [
        told({"memory_mb": memory}, given.requests, when=when)
        for when, memory in (("before", before), ("after", after))
    ]
    note = (
        f"{given.clients} clients, {given.requests} requests, on the server's machine; alone: one client, {ALONE} "
        f"requests. Statuses {dict(statuses)}. Memory: PSS of the server and its processes after a warm-up. "
        f"Load average of the machine at the end {os.getloadavg()[1]:.1f}."
    )
    minutes = (time.perf_counter() - begun) / 60
    target = write_measured("bench_serve_load", profile, pd.concat(rows), minutes, note)
    good = (
        not failed
        and after <= MOST_GROWTH * before
        and cpu_s / given.requests <= MOST_DEARER * alone_s / ALONE
    )
    print(f"{dict(statuses)}. {'Holds' if good else 'Does NOT hold'}. Written to {target}")
    return 0 if good else 1


def asked(
    server: Server, bodies: list[tuple[bytes, dict[str, str]]], requests: int, clients: int
) -> tuple[list[float], float, Counter[int]]:
    """Milliseconds of each request, seconds of all, and how often each status came (0: no answer)."""
    numbers = itertools.count()

    def ask(_: int) -> list[tuple[float, int]]:
        connection, done = server.connect(), []
        while (number := next(numbers)) < requests:
            start = time.perf_counter()
            status = once(connection, *bodies[number % len(bodies)])
            done.append((1000 * (time.perf_counter() - start), status))
        connection.close()
        return done

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        done = [one for client in threads.map(ask, range(clients)) for one in client]
    seconds = time.perf_counter() - start
    return [ms for ms, _ in done], seconds, Counter(status for _, status in done)


def once(connection: HTTPConnection, body: bytes, headers: dict[str, str]) -> int:
    try:
        connection.request("POST", "/predict", body, headers)
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException):
        connection.close()
        return 0
    return response.status


if __name__ == "__main__":
    sys.exit(main())
