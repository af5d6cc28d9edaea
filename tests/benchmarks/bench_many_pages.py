"""What pages cost when there are many: ten times the pages take at most so many times the memory and the time.

Pages are made: a page every three minutes, an id on three of them, beats and traces of noise. Each step of
13_image_folds that compares pages with pages runs in a process of its own, so that its peak of memory is its own:
pairs and their beats, which only near pages are compared in, and traces, in which all are compared with all.

    python tests/benchmarks/bench_many_pages.py [--pages N]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from leadwise.files import write_json
from leadwise.names import CLASSES, LEADS
from leadwise.project.paths import runs_folder
from leadwise.sets.ids import page_pairs
from leadwise.sets.page_beats import AFTER, BEFORE, alikeness
from leadwise.sets.traces import SIZE, group_same_trace

MANY, TIMES = 50_000, 10
MOST_GB = 6.0
MOST_TIMES_MEMORY = 1.5 * TIMES
MOST_TIMES_PROCESSOR = {"pairs": 1.5 * TIMES, "traces": 1.5 * TIMES**2}


def main() -> int:
    """Measure, print, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=MANY, help=f"the many ({MANY}); the few are a tenth")
    parser.add_argument("--step", choices=STEPS, help="one step alone, for the process that is measured")
    given = parser.parse_args()
    if given.step:
        print(json.dumps(measured(STEPS[given.step], given.pages)))
        return 0
    rows, holds = [], True
    for step, most_times in MOST_TIMES_PROCESSOR.items():
        few, many = (in_a_process(step, pages) for pages in (given.pages // TIMES, given.pages))
        memory, processor = (many[name] / few[name] for name in ("own_gb", "processor_s"))
        rows.append({"step": step, "pages": given.pages} | many | {"memory": memory, "processor": processor})
        holds &= many["peak_gb"] <= MOST_GB and memory <= MOST_TIMES_MEMORY and processor <= most_times
        print(
            f"{step}: {given.pages:,} pages take {many['peak_gb']:.2f} GB (at most {MOST_GB:g} are claimed), "
            f"{memory:.1f} times the memory of a tenth of them (at most {MOST_TIMES_MEMORY:g}) and {processor:.1f} "
            f"times the processor time (at most {most_times:g})"
        )
    target = runs_folder() / "sample" / "bench_many_pages" / "results.json"
    write_json(rows, target)
    print(f"Written to {target}")
    return 0 if holds else 1


def in_a_process(step: str, pages: int) -> dict[str, float]:
    """What `measured` gives in a process that does nothing else."""
    command = [sys.executable, __file__, "--step", step, "--pages", str(pages)]
    return dict(json.loads(subprocess.check_output(command)))


def measured(run: Callable[[int], None], pages: int) -> dict[str, float]:
    """Processor seconds of a step, its peak of memory, and that peak without what the libraries take."""
    before = peak_gb()
    began = time.process_time()
    run(pages)
    return {"processor_s": time.process_time() - began, "peak_gb": peak_gb(), "own_gb": peak_gb() - before}


def peak_gb() -> float:
    """The most memory that this process has held until now (Linux counts it in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def pairs_of(pages: int) -> None:
    """Pairs of pages by id, time and rate, and how alike their beats are."""
    rng = np.random.default_rng(0)
    minutes = pd.Series(3 * np.arange(pages))
    table = pd.DataFrame(
        {
            "recording_id": (10_000 + np.arange(pages) // 3).astype(str),
            "recorded_at": (pd.Timestamp("2020-01-01") + pd.to_timedelta(minutes, "min")).dt.strftime(
                "%Y-%m-%dT%H:%M:%S"
            ),
            "heart_rate_bpm": rng.integers(50, 120, pages),
            "label": rng.choice(CLASSES, pages),
        }
    )
    beats = rng.random((pages, len(LEADS), BEFORE + AFTER), np.float32)
    pairs = page_pairs(table)
    alike = alikeness(beats, pairs["first"].to_numpy(), pairs["second"].to_numpy())
    assert len(alike) > pages
    assert np.isfinite(alike).all()


def traces_of(pages: int) -> None:
    """Groups of pages by their traces, every tenth page being a copy of the one before."""
    rng = np.random.default_rng(0)
    traces = rng.standard_normal((pages, SIZE), np.float32)
    traces[1::10] = traces[::10]
    traces /= np.linalg.norm(traces, axis=1, keepdims=True)
    assert len(np.unique(group_same_trace(traces))) == pages - len(traces[1::10])


STEPS = {"pairs": pairs_of, "traces": traces_of}

if __name__ == "__main__":
    sys.exit(main())
