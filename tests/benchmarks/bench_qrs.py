"""How many beats of annotated recordings are found, by `leadwise.recordings.qrs` and by the detectors of wfdb.

Sensitivity and positive predictive value within 150 ms, flutter left out, with 95 % intervals over records, of all
records, of each part of the set, and after the first five minutes, as EC57 counts; seconds are those of one core and
the slowest record.

    python tests/benchmarks/bench_qrs.py [FOLDER]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import with_helpers  # noqa: F401 - lets the next lines be found
from detection import detections, summed_up
from measured import write_measured
from tqdm import tqdm

from leadwise.errors import LeadwiseError
from leadwise.scores.table import stated
from leadwise.sets.recordings import find_recordings, load_recording
from leadwise.sets.sample import unpack_excerpts

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
    minutes = (time.perf_counter() - begun) / 60
    note = (
        f"{table['records'].max()} records, within 150 ms, ventricular flutter left out; intervals by bootstrap "
        "over records."
    )
    target = write_measured("bench_qrs", profile, pd.concat(map(_scores, table.itertuples())), minutes, note)
    for row in table.itertuples():
        shares = (f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})" for one in (row.sensitivity, row.ppv))
        print(f"{row.detector:14}{row.counted:12}{row.records:3} records {row.beats:7} beats ", *shares)
    ours = table[(table["detector"] == "all_leads") & (table["counted"] == "all")].iloc[0]
    print(
        f"At least {CLAIMED:g} is claimed for all leads, of both shares, on all of MIT-BIH. Written to {target}"
    )
    return 0 if min(ours["sensitivity"].value, ours["ppv"].value) >= CLAIMED else 1


def _scores(row: Any) -> pd.DataFrame:
    """One detector on some of the records as rows of ``scores.csv``; its slowest record beside all of them."""
    measured = {
        "sensitivity": row.sensitivity,
        "positive_predictivity": row.ppv,
        "slowest_record_s": round(row.seconds, 2) if row.counted == "all" else None,
    }
    return stated(
        measured,
        task="detection",
        protocol="within_150_ms",
        test_set="ds2" if row.counted == "ds2" else "mitdb",
        model=row.detector,
        unit="beat",
        counted=row.counted,
        average="gross",
        n=row.beats,
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LeadwiseError as error:
        sys.exit(str(error))
