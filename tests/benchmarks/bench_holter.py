"""What a day of two leads costs `leadwise predict`: processor seconds and memory, beside those of an hour.

The day is made of MIT-BIH's DS1, or of the embedded excerpts, repeated, written in format 212 as recorders do. Each
length runs in a process of its own, so that its peak of memory is its own. DS2 is left alone.

    python tests/benchmarks/bench_holter.py [FOLDER] [--hours N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import wfdb
from numpy.typing import NDArray

from leadwise.files import write_json
from leadwise.project.paths import runs_folder
from leadwise.serving.model import load_beat_model
from leadwise.serving.predict_recording import predict_recording
from leadwise.sets.recordings import MITDB
from leadwise.sets.sample import unpack_excerpts

HOURS, RATE_HZ = 24.0, 360
MOST_S, AIM_S = 150.0, 60.0
MOST_GB = 1.0
MOST_TIMES_MEMORY = 3.0
"""A day's memory over an hour's: what grows is the two leads that are shown, and the beats."""


def main() -> int:
    """Measure, print, and write the rows."""
    given = os.environ.get("LEADWISE_SIGNALS")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(given) / "mitdb" if given else None)
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--record", type=Path, help="one record alone, for the process that is measured")
    asked = parser.parse_args()
    if asked.record:
        print(json.dumps(measured(asked.record)))
        return 0
    with TemporaryDirectory() as scratch:
        folder = asked.folder or unpack_excerpts(Path(scratch) / "excerpts")
        hour, day = (
            in_a_process(made(folder, hours, Path(scratch))) for hours in (min(1.0, asked.hours), asked.hours)
        )
    times = day["peak_gb"] / hour["peak_gb"]
    print(
        f"{asked.hours:g} hours of two leads, {day['beats']:,.0f} beats: {day['processor_s']:.1f} s of the processor "
        f"(at most {MOST_S:g} are claimed, {AIM_S:g} aimed at; {day['wall_s']:.1f} s by the clock), "
        f"{day['peak_gb']:.2f} GB (at most {MOST_GB:g}), {times:.1f} times an hour's (at most {MOST_TIMES_MEMORY:g})"
    )
    target = runs_folder() / "sample" / "bench_holter" / "results.json"
    write_json([{"hours": min(1.0, asked.hours)} | hour, {"hours": asked.hours} | day], target)
    print(f"Written to {target}")
    return (
        0 if day["processor_s"] <= MOST_S and day["peak_gb"] <= MOST_GB and times <= MOST_TIMES_MEMORY else 1
    )


def made(folder: Path, hours: float, scratch: Path) -> Path:
    """The header of a record of so many hours: records of DS1 with MLII and V1 one after the other, in format 212."""
    heads = [folder / f"{name}.hea" for name in MITDB.parts["ds1"] if (folder / f"{name}.hea").is_file()]
    records = [wfdb.rdrecord(str(head.with_suffix("")), physical=False) for head in heads]
    parts: list[NDArray[np.int16]] = [
        record.d_signal.astype(np.int16) for record in records if record.sig_name == ["MLII", "V1"]
    ]
    samples = round(hours * 3600 * RATE_HZ)
    repeats = -(-samples // sum(map(len, parts)))
    name = f"hours_{hours:g}".replace(".", "_")
    wfdb.wrsamp(
        name, fs=RATE_HZ, units=["mV"] * 2, sig_name=["MLII", "V1"],
        d_signal=np.concatenate(parts * repeats)[:samples].astype(np.int64), fmt=["212"] * 2, adc_gain=[200.0] * 2,
        baseline=[1024] * 2, write_dir=str(scratch),
    )  # fmt: skip
    return scratch / f"{name}.hea"


def in_a_process(record: Path) -> dict[str, float]:
    """What `measured` gives in a process of one thread that does nothing else."""
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--record", str(record)]
    return dict(json.loads(subprocess.check_output(command, env=os.environ | one)))


def measured(record: Path) -> dict[str, float]:
    """Seconds of the processor and by the clock, without the model's loading, and the peak of memory with it."""
    load_beat_model()
    began, wall = time.process_time(), time.perf_counter()
    answer = predict_recording(record)
    json.dumps(answer.as_json())
    return {
        "processor_s": time.process_time() - began,
        "wall_s": time.perf_counter() - wall,
        "peak_gb": own_peak_gb(),
        "beats": float(answer.rhythm.beats),
    }


def own_peak_gb() -> float:
    """The most memory that this process has held; getrusage would count that of the process that began it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1e6


if __name__ == "__main__":
    sys.exit(main())
