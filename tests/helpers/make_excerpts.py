"""Makes the embedded recordings: six minutes each of twelve records of MIT-BIH, so that all runs without a download.

    python tests/helpers/make_excerpts.py FOLDER leadwise/resources/mitdb12.tar.xz

FOLDER is the whole database. Signals are the published numbers, unchanged, in the published format; annotations keep
their marks and count from the excerpt's start. Credit and licence are in ``leadwise/resources/CREDITS.md`` and inside
the archive.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from leadwise.files import written_whole
from leadwise.names import FLUTTER
from leadwise.recordings.annotations import read_annotations
from leadwise.recordings.records import read_record
from leadwise.recordings.windows import count_within

RECORDS = ("100", "101", "114", "200", "201", "202", "207", "208", "209", "213", "214", "222")
"""Six of DS1 and six of DS2: 114 has its MLII second, 201 and 202 are one person, 207 has ventricular flutter."""

SECONDS = 360
_RATE_HZ = 360
_STEP_S = 10

CREDIT = """Excerpts of six minutes of twelve records of the MIT-BIH Arrhythmia Database 1.0.0
(George B. Moody and Roger G. Mark, PhysioNet, https://doi.org/10.13026/C2F305), under the Open Data Commons
Attribution License 1.0 (https://opendatacommons.org/licenses/by/1-0/). Please cite: Moody GB, Mark RG, The impact
of the MIT-BIH Arrhythmia Database, IEEE Eng in Med and Biol 20(3):45-50 (2001); Goldberger AL et al., PhysioBank,
PhysioToolkit, and PhysioNet, Circulation 101(23):e215-e220 (2000).
Changes: cut; each header tells from which second on. Signals and annotations are otherwise as published.
"""


def make_archive(database: Path, archive: Path) -> None:
    """Cut the excerpts out of the whole database and pack them; the same database gives the same bytes."""
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside) / "mitdb"
        folder.mkdir()
        (folder / "CREDIT.txt").write_text(CREDIT, encoding="utf-8")
        for name in RECORDS:
            _cut(database / name, folder, _best_start(database / name))
        with written_whole(archive) as whole, tarfile.open(whole, "w:xz", preset=9) as packed:
            for path in sorted(folder.iterdir()):
                about = tarfile.TarInfo(f"mitdb/{path.name}")
                about.size, about.mode = path.stat().st_size, 0o644
                with path.open("rb") as handle:
                    packed.addfile(about, handle)


def _best_start(record: Path) -> int:
    """The first sample of the six minutes that show most: rare beats, and flutter."""
    marks, samples = read_annotations(record), read_record(record).signals.shape[1]
    beats, flutter = marks.beats, marks.samples[marks.symbols == FLUTTER]
    classes = beats.classes
    length = SECONDS * _RATE_HZ
    starts = np.arange(0, samples - length + 1, _STEP_S * _RATE_HZ)
    # a root each, so that many beats of one class do not outweigh some of each; of flutter 100 waves count
    rare = (beats.samples[classes == name] for name in ("S", "V", "F"))
    worth = sum(np.sqrt(count_within(samples, starts, length)) for samples in rare)
    return int(starts[np.argmax(worth + np.sqrt(np.minimum(count_within(flutter, starts, length), 100)))])


def _cut(record: Path, folder: Path, start: int) -> None:
    import wfdb

    end = start + SECONDS * _RATE_HZ
    whole = wfdb.rdrecord(str(record), sampfrom=start, sampto=end, physical=False)
    wfdb.wrsamp(
        record.name,
        fs=whole.fs,
        units=whole.units,
        sig_name=whole.sig_name,
        d_signal=whole.d_signal,
        fmt=whole.fmt,
        adc_gain=whole.adc_gain,
        baseline=whole.baseline,
        comments=[*whole.comments, f"excerpt of record {record.name} from {start // _RATE_HZ} s on"],
        write_dir=str(folder),
    )
    marks = wfdb.rdann(str(record), "atr", sampfrom=start, sampto=end - 1, shift_samps=True)
    wfdb.wrann(
        record.name, "atr", marks.sample, marks.symbol, marks.subtype, marks.chan, marks.num, marks.aux_note,
        write_dir=str(folder),
    )  # fmt: skip


if __name__ == "__main__":
    make_archive(Path(sys.argv[1]), Path(sys.argv[2]))
