"""What cutting the leads of a page costs, against decoding it: the claim is at most three times.

One core, one run, the same pages in both: a ratio holds on other machines where milliseconds do not.

    python tests/benchmarks/bench_leads.py [FOLDER] [--pages N]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leadwise.errors import LeadwiseError
from leadwise.files import written_whole
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.project.paths import runs_folder
from leadwise.sets.catalogue import find_pages
from leadwise.sets.sample import unpack_sample

DRAWS = 2000
ALLOWED = 3.0


def main() -> int:
    """Measure, print, and write the row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("LEADWISE_DATA"), type=Path)
    parser.add_argument("--pages", type=int, help="at most so many distinct pages (all)")
    parser.add_argument("--profile", help="under which name the row is kept (sample, or cpu for a folder)")
    given = parser.parse_args()
    profile = given.profile or ("cpu" if given.folder else "sample")
    cv2.setNumThreads(1)
    start = time.perf_counter()
    with TemporaryDirectory() as scratch:
        folder = given.folder or unpack_sample(Path(scratch))
        times_ms = measure(folder, given.pages)
    row = row_of(times_ms, profile, minutes=(time.perf_counter() - start) / 60)
    target = runs_folder() / profile / "bench_leads" / "results.json"
    with written_whole(target) as aside:
        aside.write_text(json.dumps([row], indent=1) + "\n", encoding="utf-8")
    for name, metric in row["metrics"].items():
        print(f"{name:20} {metric['value']:7.2f}  [{metric['low']:.2f}, {metric['high']:.2f}]")
    print(f"{row['n']} pages; at most {ALLOWED:g} is claimed for the ratio. Written to {target}")
    return 0 if row["metrics"]["ratio"]["value"] <= ALLOWED else 1


def measure(folder: Path, pages: int | None) -> NDArray[np.float64]:
    """Milliseconds of decoding and of finding and cutting, ``(pages, 2)``; each page after one warm-up."""
    files = find_pages(folder).files.drop_duplicates("sha256")
    if pages is not None and pages < len(files):  # evenly over the classes, which are in order
        files = files.iloc[np.linspace(0, len(files) - 1, pages).round().astype(int)]
    times_ms = []
    for number, path in enumerate([files["path"].iloc[0], *files["path"]]):
        data = np.frombuffer((folder / path).read_bytes(), np.uint8)
        begun = time.perf_counter()
        page = cv2.imdecode(data, cv2.IMREAD_COLOR)
        decoded = time.perf_counter()
        cut_leads(page, find_layout(page))
        cut = time.perf_counter()
        if number:
            times_ms.append((1e3 * (decoded - begun), 1e3 * (cut - decoded)))
    return np.array(times_ms)


def row_of(times_ms: NDArray[np.float64], profile: str, minutes: float) -> dict[str, Any]:
    """One row as `analysis/results` has them; intervals are 95 % of bootstrap draws over pages."""
    rng = np.random.default_rng(0)
    drawn = times_ms[rng.integers(0, len(times_ms), (DRAWS, len(times_ms)))]
    medians = np.median(times_ms, axis=0)
    draws = np.median(drawn, axis=1)
    found = {
        "decode_ms": (medians[0], draws[:, 0]),
        "cut_ms": (medians[1], draws[:, 1]),
        "ratio": (medians[1] / medians[0], draws[:, 1] / draws[:, 0]),
    }
    return {
        "task": "lead crops",
        "protocol": "distinct pages",
        "model": "find_layout + cut_leads",
        "profile": profile,
        "seeds": [0],
        "unit": "page",
        "n": len(times_ms),
        "metrics": {
            name: dict(
                zip(
                    ("value", "low", "high"),
                    map(float, (value, *np.quantile(of, (0.025, 0.975)))),
                    strict=True,
                )
            )
            for name, (value, of) in found.items()
        },
        "command": shlex.join(["python", *sys.argv]),
        "hardware": f"{platform.processor() or platform.machine()}, one of {os.cpu_count()} cores",
        "minutes": round(minutes, 2),
        "note": f"ratio of medians, cutting to decoding, in one run; at most {ALLOWED:g} is claimed. "
        "Decoding is cv2.imdecode of the file's bytes.",
    }


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LeadwiseError as error:
        sys.exit(str(error))
