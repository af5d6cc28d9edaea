"""How many beats of annotated recordings are found, by `leadwise.signals.qrs` and by the detectors of wfdb.

Sensitivity and positive predictive value within 150 ms, flutter left out, with 95 % intervals over records; seconds
are those of one core and the slowest record.

    python tests/benchmarks/bench_qrs.py [FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from leadwise.data.recordings import find_recordings, load_recording
from leadwise.data.recordings_sample import unpack_excerpts
from leadwise.errors import LeadwiseError
from leadwise.evaluation.detection import detections, summed_up
from leadwise.files import written_whole
from leadwise.paths import runs_folder

CLAIMED = 0.997


def main() -> int:
    """Measure, print, and write the table."""
    given = os.environ.get("LEADWISE_SIGNALS")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(given) / "mitdb" if given else None)
    folder = parser.parse_args().folder
    with TemporaryDirectory() as scratch:
        paths = find_recordings(folder or unpack_excerpts(Path(scratch)))
        found = detections(load_recording(path) for path in tqdm(paths, file=sys.stdout))
    table = summed_up(found)
    target = runs_folder() / ("cpu" if folder else "sample") / "bench_qrs" / "results.json"
    with written_whole(target) as aside:
        aside.write_text(json.dumps(json.loads(found.to_json(orient="records")), indent=1), encoding="utf-8")
    for row in table.itertuples():
        shares = (f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})" for one in (row.sensitivity, row.ppv))
        print(f"{row.detector:14}{row.part:7}{row.records:3} records {row.beats:7} beats ", *shares, end=" ")
        print(f"{row.seconds:.2f} s")
    ours = table[(table["detector"] == "all leads") & (table["part"] == "all")].iloc[0]
    print(
        f"At least {CLAIMED:g} is claimed for all leads, of both shares, on all of MIT-BIH. Written to {target}"
    )
    return 0 if min(ours["sensitivity"].value, ours["ppv"].value) >= CLAIMED else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LeadwiseError as error:
        sys.exit(str(error))
