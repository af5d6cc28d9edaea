"""What a page costs: `hearts`, and fibrillation on a strip, through drawn pages of other devices and photographs.

Recordings of PTB-XL are drawn on three layouts by turns, in looks at random, and read by the reader of any page; some
pages are bent and photographed first. `hearts` is asked about recordings of folds 1 to 9, the first of them in order
of their numbers; strips are of fold 10, one half in atrial fibrillation. Each is compared with itself without a page.

    python tests/benchmarks/bench_through_paper.py [--pages N] [--photographs N] [--strips N] [--read-only]

LEADWISE_SIGNALS names the recordings. What was read is kept, so that a run goes on where one was ended.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import with_helpers  # noqa: F401 - lets the next lines be found
from measured import write_measured
from through_paper import read_from_paper, strip_values

from leadwise.drawing.trials import PRINT_FILTERS
from leadwise.files import RESOURCES, sha256
from leadwise.learning.published_pages import as_answers
from leadwise.project.paths import runs_folder
from leadwise.publishing.shipped_files import called
from leadwise.scores.external import QUESTIONS, strip_scores
from leadwise.scores.hearts import hearts_answers, paper_scores
from leadwise.serving.model import load_hearts
from leadwise.sets import ptbxl
from leadwise.sets.views import views_of_recordings
from leadwise.tables import write_table

Tables = tuple[pd.DataFrame, pd.DataFrame]

_NAME = "bench_through_paper"


def main() -> None:
    """Read, ask, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=360, help="recordings of folds 1 to 9 on flat pages")
    parser.add_argument("--photographs", type=int, default=60, help="the same on photographed pages")
    parser.add_argument(
        "--strips", type=int, default=120, help="recordings of fold 10, one half in fibrillation"
    )
    parser.add_argument("--read-only", action="store_true", help="read pages, and ask nobody yet")
    parser.add_argument("--profile", default="cpu", help="under which name the rows are kept")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    begun = time.perf_counter()
    folder = runs_folder() / given.profile / _NAME
    signals = Path(os.environ["LEADWISE_SIGNALS"])
    parts = ptbxl.by_folds(signals / "ptbxl425", signals / "ptbxl_fold10", but=signals / "ptbxl60")
    read = partial(read_from_paper, folder=folder / "paper")
    strips = in_fibrillation_and_not(parts["fold_10"], given.strips)
    asked = {
        "drawn": parts["folds_1_to_9"].head(given.pages),
        "by_phone": parts["folds_1_to_9"].head(given.photographs),
    }
    seen_strips, is_read = read(strips)
    tables, answers = [], []
    if not given.read_only:
        tables.append(of_strips(strips[is_read], seen_strips["rhythm"], int((~is_read).sum())))
    for paper, recordings in asked.items():
        seen, is_read = read(recordings, by_phone=paper == "by_phone")
        if not given.read_only:
            tables.append(of_hearts(recordings, seen, is_read, paper, answers))
    if given.read_only:
        return
    scores, differences = (pd.concat(each, ignore_index=True) for each in zip(*tables, strict=True))
    write_table(differences, folder / "differences.csv", "differences.csv")
    told = pd.concat(answers, ignore_index=True).assign(profile=given.profile)
    write_table(told, folder / "predictions.csv", "predictions.csv")
    note = (
        f"PTB-XL: the first {len(asked['drawn'])} recordings of folds 1 to 9, of which {len(asked['by_phone'])} also "
        f"photographed; {len(strips)} strips of fold 10. Minutes without what an earlier run had read. Intervals by "
        "bootstrap over patients where known, else over recordings."
    )
    write_measured(_NAME, given.profile, scores, (time.perf_counter() - begun) / 60, note)
    print(scores.to_string(), differences.to_string(), sep="\n")


def in_fibrillation_and_not(recordings: pd.DataFrame, number: int) -> pd.DataFrame:
    """The first so many recordings, half of them in fibrillation and half in sinus rhythm, in their order."""
    sides = QUESTIONS["af"].sides(recordings)
    kept = sides.groupby(sides).head(number // 2).index
    return recordings[recordings["record"].isin(kept)].reset_index(drop=True)


def of_strips(recordings: pd.DataFrame, strips_mv: np.ndarray, refused: int) -> Tables:
    """Fibrillation by rate, spread and trees: strips as they were read, beside the same recordings' lead II."""
    direct = views_of_recordings(recordings["path"], PRINT_FILTERS)["zero_phase"]["rhythm"]
    read, same = (
        {name: pd.Series(values, recordings["record"]) for name, values in strip_values(strips).items()}
        for strips in (strips_mv, direct)
    )
    keys = as_answers(recordings, np.full((len(recordings), 4), 0.25), "strips")
    place: dict[str, Any] = {"counted": "fold_10", "condition": {"paper": "drawn"}}
    print(f"{refused} of {refused + len(recordings)} pages of strips were refused")
    return strip_scores(read, same, keys, recordings, **place)


def of_hearts(
    recordings: pd.DataFrame,
    seen: dict[str, np.ndarray],
    is_read: np.ndarray,
    paper: str,
    answers: list[pd.DataFrame],
) -> Tables:
    """What `hearts` says of pages, beside what it says of the same signals as the known form prints them."""
    model, own = load_hearts(), recordings[is_read]
    direct = views_of_recordings(own["path"], PRINT_FILTERS)["zero_phase"]
    condition = {"file": called(sha256(RESOURCES / "hearts.onnx")), "paper": paper}
    read, same = (hearts_answers(own, model.answer(views), "hearts") for views in (seen, direct))
    where = ";".join(f"{key}={value}" for key, value in condition.items())
    answers += [
        read.assign(condition=f"{where};signals=read"),
        same.assign(condition=f"{where};signals=direct"),
    ]
    place: dict[str, Any] = {"counted": "folds_1_to_9", "weights": "file", "condition": condition}
    return paper_scores(read, same, int((~is_read).sum()), **place)


if __name__ == "__main__":
    main()
