"""How well pages of any device are read: signal to noise, layouts, refusals, silence about errors, time and memory.

Drawn pages of LUDB (by others) and of the embedded recordings of PTB-XL (by us, in every layout and look), the known
form by the reader of any page, vector PDFs, and pictures of devices of which no truth is known; and whether pages of
the known form that lie turned on a table keep their class. Raw: neither gain nor time is fitted; aligned: one shift
of at most 0.2 s a page. A refused page is one that was not read.

    python tests/benchmarks/bench_any_page.py [--kind KIND ...] [--looks N] [--every N] [--jobs N] [--kept CSV]

Folders are named by LEADWISE_PAGES_OTHER, LEADWISE_SIGNALS and LEADWISE_DATA; what is not there is left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pandas as pd
import with_helpers  # noqa: F401 - lets the next lines be found
from measured import write_measured
from numpy.typing import NDArray
from other_pages import (
    COLOURED,
    OTHER_GRIDS,
    Case,
    drawn,
    drawn_photographs,
    drawn_scales,
    known_form,
    ludb,
    measured,
    mendeley,
    on_a_table,
    pdfs,
    photographs,
    reader_of,
    records_in,
    twins,
    unknown,
)
from sklearn.metrics import roc_auc_score

from leadwise.errors import LeadwiseError
from leadwise.project.paths import runs_folder
from leadwise.scores.drawn_pages import WRONG_DB
from leadwise.scores.draws import Interval, bootstrap_share, bootstrap_statistic, wilson
from leadwise.scores.table import stated
from leadwise.sets.sample import unpack_recordings

LEAST = {
    ("ludb", "aligned"): 20.0,
    ("ludb", "raw"): 19.0,
    ("drawn", "raw"): 20.0,
    ("drawn_scales", "raw"): 20.0,
    ("known_form", "raw"): 24.0,
    ("mendeley", "raw"): 18.0,
    ("pdf", "aligned"): 20.0,
    ("photos", "aligned"): 7.0,
    ("drawn_photos", "raw"): 12.0,
    ("twins", "aligned"): 15.0,
}
"""Medians that are wanted, in dB; what is reached stands in RESULTS.md."""

_PLACE = {"task": "any_page", "model": "any_page", "unit": "page", "counted": "dev"}

_BY_EYE = Path(__file__).with_name("devices.csv")

_RESIDUAL = 0.15
"""Of lead II, at most so much may not be I + III where a page is said to be read right."""

KEPT = 0.97
"""So many pages of the known form keep their class where they lie turned on a table and are seen from the side."""

SILENT = 0.03
"""Of pages answered without a warning, at most so many are wrong."""


def main() -> int:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--looks", type=int, default=2, help="of each recording in each layout")
    parser.add_argument("--every", type=int, default=5, help="so-manieth page of the Mendeley set")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--profile", default="cpu", help="under which name the rows are kept")
    parser.add_argument(
        "--kept", type=Path, help="pages.csv of an earlier run: its rows of all other kinds stand"
    )
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory_of:
        print(most_memory_mb(given.memory_of))
        return 0
    folder = runs_folder() / given.profile / "bench_any_page"
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    with TemporaryDirectory() as scratch:
        places = Places.found(Path(scratch), given.looks, given.every)
        rows = pd.DataFrame() if given.kept is None else kept_rows(given.kept, given.kind)
        with ProcessPoolExecutor(given.jobs) as pool:
            for kind in given.kind:
                shares = [(kind, places, share, given.jobs) for share in range(given.jobs)]
                read = [row for share in pool.map(read_share, *zip(*shares, strict=True)) for row in share]
                rows = pd.concat([rows, pd.DataFrame(read)], ignore_index=True)
                rows.to_csv(folder / "pages.csv", index=False)
                print(f"{kind}: {len(read)} pages after {time.perf_counter() - begun:.0f} s", flush=True)
        scores = pd.concat([*(scores_of(part) for part in parts(rows)), *memory_of(places, rows)])
    note = (
        "SNR of a page is the median of its leads' over the pages that were read; intervals by bootstrap over "
        f"recordings. Load average of the machine at the end {os.getloadavg()[1]:.1f}."
    )
    minutes = (time.perf_counter() - begun) / 60
    write_measured("bench_any_page", given.profile, scores, minutes, note)
    lacking = [kind for kind in given.kind if kind not in set(rows["kind"])]
    print(
        f"Written to {folder}, page by page in pages.csv."
        + (f" Not there: {', '.join(lacking)}." if lacking else "")
    )
    failed = list(unmet(rows))
    print(*failed or ["holds"], sep="\n")
    return 1 if failed else 0


@dataclass(frozen=True)
class Places:
    """Where pages and recordings lie, None where they do not; how many of them are read."""

    embedded: Path
    other: Path | None
    signals: Path | None
    mendeley: Path | None
    looks: int
    every: int

    @classmethod
    def found(cls, scratch: Path, looks: int, every: int) -> Places:
        """By the environment."""
        names = ("LEADWISE_PAGES_OTHER", "LEADWISE_SIGNALS", "LEADWISE_DATA")
        other, signals, data = (Path(os.environ[name]) if os.environ.get(name) else None for name in names)
        return cls(unpack_recordings(scratch), other, signals, data, looks, every)


def _drawn(places: Places) -> Iterator[Case]:
    return drawn(records_in(places.embedded), places.looks, COLOURED)


def _drawn_scales(places: Places) -> Iterator[Case]:
    return drawn_scales(records_in(places.embedded), COLOURED)


def _drawn_grey(places: Places) -> Iterator[Case]:
    return drawn(records_in(places.embedded), 1, OTHER_GRIDS, seed=1)


def _ludb(places: Places) -> Iterator[Case]:
    return ludb(places.other / "ludb") if places.other else iter(())


def _known_form(places: Places) -> Iterator[Case]:
    return known_form(records_in(places.signals / "ptbxl60")) if places.signals else iter(())


def _mendeley(places: Places) -> Iterator[Case]:
    return mendeley(places.mendeley, places.every) if places.mendeley else iter(())


def _on_a_table(places: Places) -> Iterator[Case]:
    return on_a_table(places.mendeley, places.every) if places.mendeley else iter(())


def _pdf(places: Places) -> Iterator[Case]:
    if not (places.other and places.signals):
        return iter(())
    return pdfs(places.other / "pdf", places.signals / "ptbxl425" / "records")


def _photos(places: Places) -> Iterator[Case]:
    return photographs(places.other / "photos") if places.other else iter(())


def _drawn_photos(places: Places) -> Iterator[Case]:
    return drawn_photographs(records_in(places.embedded), 1)


def _devices(places: Places) -> Iterator[Case]:
    return unknown("devices", places.other / "devices", _BY_EYE) if places.other else iter(())


def _scans(places: Places) -> Iterator[Case]:
    return unknown("scans", places.other / "scans") if places.other else iter(())


def _twins(places: Places) -> Iterator[Case]:
    return twins(places.other / "scans") if places.other else iter(())


KINDS: dict[str, Callable[[Places], Iterator[Case]]] = {
    "ludb": _ludb,
    "drawn": _drawn,
    "drawn_scales": _drawn_scales,
    "drawn_grey": _drawn_grey,
    "known_form": _known_form,
    "mendeley": _mendeley,
    "on_a_table": _on_a_table,
    "pdf": _pdf,
    "photos": _photos,
    "drawn_photos": _drawn_photos,
    "devices": _devices,
    "scans": _scans,
    "twins": _twins,
}


def read_share(kind: str, places: Places, share: int, shares: int) -> list[dict[str, Any]]:
    """The rows of one process's share of a kind's pages."""
    cv2.setNumThreads(1)
    return [measured(case) for case in islice(KINDS[kind](places), share, None, shares)]


def kept_rows(table: Path, measured_again: list[str]) -> pd.DataFrame:
    """Rows of an earlier run, those of other kinds."""
    kept = pd.read_csv(table).fillna({"layout": "", "grid": "", "why": "", "warnings": ""})
    return kept[~kept["kind"].isin(measured_again)]


def parts(rows: pd.DataFrame) -> Iterator[tuple[dict[str, str], pd.DataFrame]]:
    """The pages of each kind, and of each layout where a kind has several, with the condition that names them."""
    for kind, of_kind in rows.groupby("kind", sort=False):
        yield {"kind": str(kind)}, of_kind
        layouts = of_kind.groupby("layout", sort=False)
        if len(layouts) > 1 and has_truth(of_kind):
            for layout, of_layout in layouts:
                yield {"kind": str(kind), "layout": str(layout)}, of_layout


def scores_of(part: tuple[dict[str, str], pd.DataFrame]) -> pd.DataFrame:
    """Rows of ``scores.csv`` of pages that belong together."""
    condition, pages = part
    if condition["kind"] == "on_a_table":
        kept = {
            "read": share_of(pages["read"], pages),
            "class_kept": share_of(pages["class_kept"] == 1, pages),
        }
        return stated(kept, condition=condition, **_PLACE, n=len(pages))
    read = pages[pages["read"]]
    unwarned = read[~read["warned"].astype(bool)]
    shares: dict[str, Interval | float | None] = {
        "read": share_of(pages["read"], pages),
        "unwarned": share_of(pages.index.isin(unwarned.index), pages),
        "s_per_page": float(pages["seconds"].median()),
    }
    told = [(condition, shares)]
    if pages["layout"].all():
        shares["layout_right"] = share_of(is_laid_out(pages), pages)
    if has_truth(pages):
        for shift, column in (("none", "raw"), ("aligned", "aligned")):
            told.append((condition | {"shift": shift}, snr_of(read, column)))
        wrong = read["aligned"] < WRONG_DB
        shares["silently_wrong"] = share_of(wrong[unwarned.index], unwarned)
        if 0 < wrong.sum() < len(wrong):
            shares["warnings_auroc"] = float(roc_auc_score(wrong, read["warned"]))
    elif len(read) and read["einthoven"].notna().any():
        shares["einthoven_corr_median"] = statistic_of(read, "einthoven", np.median)
        if pages["layout"].all():
            shares["read_right"] = share_of(is_read_right(pages), pages)
            shares["silently_misread"] = share_of(~is_read_right(unwarned), unwarned)
    return pd.concat([stated(metrics, condition=where, **_PLACE, n=len(pages)) for where, metrics in told])


def has_truth(pages: pd.DataFrame) -> bool:
    """Whether it is known what stands on pages that were read."""
    return "raw" in pages and bool(pages["raw"].notna().any())


def is_laid_out(pages: pd.DataFrame) -> pd.Series:
    """Pages that were read, all leads and strips where they are printed."""
    return pages["layout_right"].fillna(False).astype(bool)


def is_read_right(pages: pd.DataFrame) -> pd.Series:
    """Pages without a truth whose layout is right and whose limb leads obey Einthoven's law."""
    residual = np.sqrt(np.maximum(1 - pages["einthoven"].astype(float) ** 2, 0))
    return is_laid_out(pages) & (pages["einthoven"] > 0) & (residual < _RESIDUAL)


def snr_of(read: pd.DataFrame, column: str) -> dict[str, Interval | float | None]:
    """Median and 5th percentile."""
    if not len(read):
        return {}
    return {
        "snr_db_median": statistic_of(read, column, np.median),
        "snr_db_p5": statistic_of(read, column, lambda values: float(np.quantile(values, 0.05))),
    }


def statistic_of(pages: pd.DataFrame, column: str, statistic: Callable[[Any], float]) -> Interval:
    """With its interval over groups."""
    return bootstrap_statistic(pages[column].to_numpy(float), pages["group"].tolist(), statistic)


def share_of(true: pd.Series | NDArray[np.bool_], pages: pd.DataFrame) -> Interval:
    """With its interval: Wilson's where each page is a group of its own, else over groups."""
    true = np.asarray(true, bool)
    if len(true) and pages["group"].is_unique:
        return wilson(int(true.sum()), len(true))
    return bootstrap_share(true, pages["group"].tolist())


def unmet(rows: pd.DataFrame) -> Iterator[str]:
    """What is wanted and not reached, a sentence each."""
    kept = rows[rows["kind"] == "on_a_table"]
    if len(kept) and (share := (kept["class_kept"] == 1).mean()) < KEPT:
        yield f"{share:.1%} of pages on a table have the class of the flat page, at least {KEPT:.0%} is wanted"
    read = rows[rows["read"]]
    for (kind, column), least in LEAST.items():
        pages = read[read["kind"] == kind]
        if len(pages) and (found := pages[column].median()) < least:
            yield f"{kind}: {column} median {found:.1f} dB, at least {least:g} is wanted"
    unwarned = read[~read["warned"].astype(bool) & read["aligned"].notna()] if "aligned" in read else read[:0]
    if len(unwarned) and (wrong := (unwarned["aligned"] < WRONG_DB).mean()) > SILENT:
        yield f"of {len(unwarned)} pages answered without a warning {wrong:.1%} are below {WRONG_DB:g} dB"


def memory_of(places: Places, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The most memory that reading one flat page, and one vector PDF, takes in a process of its own."""
    for kind, name in (("ludb", "ludb/001.webp"), ("pdf", "pdf/ptbxl_00009_hr.pdf")):
        number = int((rows["kind"] == kind).sum())
        if places.other and number:
            command = [sys.executable, __file__, "--memory-of", str(places.other / name)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            yield stated({"peak_memory_mb": float(told)}, condition={"kind": kind}, **_PLACE, n=number)


def most_memory_mb(path: Path) -> float:
    """Of this process, after it has read a page."""
    cv2.setNumThreads(1)
    reader_of(path)()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1000


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LeadwiseError as error:
        sys.exit(str(error))
