"""500 uploads that must be refused: all by 4xx in words, none slowly, the server alive and its memory as before.

python tests/benchmarks/bench_serve_hostile.py [--uploads N] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import with_helpers  # noqa: F401 - lets the next lines be found
from hostile_uploads import made
from measured import write_measured
from served import Server, form, quantile_of, running, told

from leadwise.sets.sample import unpack_sample

SLOWEST_S, MOST_GROWTH = 5.0, 1.10
ROUND = 48


def main() -> int:
    """Measure, print, and write the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uploads", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--profile", default="cpu", help="under which name the row is kept")
    given = parser.parse_args()
    begun = time.perf_counter()
    with TemporaryDirectory() as scratch, running(1) as server:
        page = min(unpack_sample(Path(scratch)).rglob("Normal*.jpg")).read_bytes()
        for _, files in made(
            page, ROUND, given.seed + 1
        ):  # libraries that only bad files need are loaded now
            refused(server, [(one.name, one.data) for one in files])
        answered, _, _ = refused(server, [("page.jpg", page)])
        refused(server, [("last.txt", b"nothing")])  # memory is looked at in the same state before and after
        before = server.memory_mb()
        seconds: dict[str, list[float]] = defaultdict(list)
        statuses: Counter[int] = Counter()
        silent = []
        processor_s = []
        for kind, files in made(page, given.uploads, given.seed):
            used_s = server.cpu_s()
            status, taken_s, why = refused(server, [(one.name, one.data) for one in files])
            processor_s.append(server.cpu_s() - used_s)
            statuses[status] += 1
            seconds[kind].append(taken_s)
            if not 400 <= status < 500 or len(why) < 15:
                silent.append(f"{kind}: {[one.name for one in files]}, {status} {why}")
        again, _, _ = refused(server, [("page.jpg", page)])
        refused(server, [("last.txt", b"nothing")])
        after = server.memory_mb()
        alive = server.process.poll() is None and answered == again == 200
    every = [taken for kind in seconds.values() for taken in kind]
    all_of_them = {
        "refused_by_4xx": sum(count for status, count in statuses.items() if 400 <= status < 500),
        "not_refused": len(silent),
        "slowest_s": max(every),
        "slowest_processor_s": max(processor_s),
        "median_s": quantile_of(every, 0.5),
        "alive": float(alive),
    }
    n = given.uploads
    rows = [told(all_of_them, n, upload="hostile")]
    rows += [
        told({"slowest_s": max(taken)}, n, upload=kind.replace(" ", "_")) for kind, taken in seconds.items()
    ]
    rows += [
        told({"memory_mb": memory}, n, upload="hostile", when=when)
        for when, memory in (("before", before), ("after", after))
    ]
    note = (
        f"one process that answers; statuses {dict(statuses)}; at most {SLOWEST_S:g} s each is claimed, and a page "
        "is answered before and after. Memory: PSS of the server and its processes, after a first round of them. "
        f"Load average of the machine at the end {os.getloadavg()[1]:.1f}."
    )
    minutes = (time.perf_counter() - begun) / 60
    target = write_measured("bench_serve_hostile", given.profile, pd.concat(rows), minutes, note)
    for line in silent:
        print(line)
    good = alive and not silent and max(every) <= SLOWEST_S and after <= MOST_GROWTH * before
    print(f"{dict(statuses)}. {'Holds' if good else 'Does NOT hold'}. Written to {target}")
    return 0 if good else 1


def refused(server: Server, files: list[tuple[str, bytes]]) -> tuple[int, float, str]:
    """Status (0: none came), seconds, and what was said."""
    connection = server.connect()
    body, headers = form(files)
    start = time.perf_counter()
    try:
        connection.request("POST", "/predict", body, headers)
        response = connection.getresponse()
        content = response.read()
    except (OSError, HTTPException) as error:
        return 0, time.perf_counter() - start, str(error)
    finally:
        connection.close()
    taken_s = time.perf_counter() - start
    return response.status, taken_s, json.loads(content).get("detail", "") if response.status >= 400 else ""


if __name__ == "__main__":
    sys.exit(main())
