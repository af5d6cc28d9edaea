"""How many beats of annotated recordings are found, by `leadwise.recordings.qrs` and by the detectors of wfdb.

Sensitivity and positive predictive value within 150 ms, flutter left out, with 95 % intervals over records; seconds
are those of one core and the slowest record.

    python tests/benchmarks/bench_qrs.py [FOLDER]
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from detection import detections, summed_up
from tqdm import tqdm

from leadwise.errors import LeadwiseError
from leadwise.files import write_json
from leadwise.project.paths import runs_folder
from leadwise.project.provenance import machine
from leadwise.sets.excerpts import unpack_excerpts
from leadwise.sets.recordings import find_recordings, load_recording

CLAIMED = 0.997


def main() -> int:
    """Measure, print, and write the table."""
    given = os.environ.get("LEADWISE_SIGNALS")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(given) / "mitdb" if given else None)
    folder = parser.parse_args().folder
    profile, begun = "cpu" if folder else "sample", time.perf_counter()
    with TemporaryDirectory() as scratch:
        paths = find_recordings(folder or unpack_excerpts(Path(scratch)))
        found = detections(load_recording(path) for path in tqdm(paths, file=sys.stdout))
    table = summed_up(found)
    target = runs_folder() / profile / "bench_qrs" / "results.json"
    minutes = round((time.perf_counter() - begun) / 60, 1)
    write_json(
        [_published(row, profile, minutes) for row in table.query("part == 'all'").itertuples()], target
    )
    for row in table.itertuples():
        shares = (f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})" for one in (row.sensitivity, row.ppv))
        print(f"{row.detector:14}{row.part:7}{row.records:3} records {row.beats:7} beats ", *shares, end=" ")
        print(f"{row.seconds:.2f} s")
    ours = table[(table["detector"] == "all leads") & (table["part"] == "all")].iloc[0]
    print(
        f"At least {CLAIMED:g} is claimed for all leads, of both shares, on all of MIT-BIH. Written to {target}"
    )
    return 0 if min(ours["sensitivity"].value, ours["ppv"].value) >= CLAIMED else 1


def _published(row: Any, profile: str, minutes: float) -> dict[str, Any]:
    """One detector as a row of ``analysis/results``."""
    here = machine()
    return {
        "task": "detection",
        "protocol": "within_150_ms",
        "model": row.detector,
        "profile": profile,
        "seeds": [],
        "unit": "beat",
        "n": row.beats,
        "metrics": {
            "sensitivity": asdict(row.sensitivity),
            "ppv": asdict(row.ppv),
            "slowest_record_s": {"value": round(row.seconds, 2), "low": None, "high": None},
        },
        "command": shlex.join(["python", *sys.argv]),
        "hardware": f"{here['processor']}, {here['cores']} cores, {here['memory_gb']} GB",
        "minutes": minutes,
        "note": (
            f"{row.records} records, within 150 ms, ventricular flutter left out; intervals by bootstrap over "
            "records. slowest_record_s: half an hour of signal, seconds of one core."
        ),
    }


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LeadwiseError as error:
        sys.exit(str(error))
