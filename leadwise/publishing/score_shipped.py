"""What ships, scored again from its bytes: the beat network on DS2, the student's checksum, the page model's folds.

Nothing is trained and nothing is chosen. What is scored is told by the sha256 of its file, in the condition of each
row (``file=<12 digits>``), so that a card can be held to its file (`leadwise.publishing.shipped_files`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from leadwise.errors import InputError, MissingInput
from leadwise.files import RESOURCES, sha256
from leadwise.names import TASKS, metric_of, metric_words
from leadwise.pages.read import read_page
from leadwise.project import paths, provenance
from leadwise.publishing.publish import write_measured
from leadwise.publishing.shipped_files import ATRIAL, COMMAND, FOLD_STUDENTS, called
from leadwise.recordings.annotations import read_annotations
from leadwise.scores import found_beats
from leadwise.scores.both_averages import counted_as_papers_do
from leadwise.scores.draws import page_metrics
from leadwise.scores.table import PLACE, read_scores, scored, selected, stated, written
from leadwise.serving.model import load_model
from leadwise.serving.predict_recording import name_beats
from leadwise.serving.recordings import process, read_path
from leadwise.sets.catalogue import find_pages, shipped
from leadwise.sets.recordings import EC57_FROM_S, MITDB, find_recordings
from leadwise.sets.sample import unpack_excerpts, unpack_sample
from leadwise.sets.views import Views, views_of

BEAT_FILE = RESOURCES / "beat_rhythm.onnx"
PAGE_FILE = RESOURCES / "student12.onnx"

_NAME = "score_shipped"

_WRONG_RECORDS = 2
_PAGES_SHOWN = ("accuracy", "macro_f1", "macro_auroc", "log_loss", "brier")


@dataclass(frozen=True)
class Pages:
    """Published pages as networks see them: `page_ids` and `labels` in the order of `views`."""

    page_ids: list[str]
    labels: list[str]
    views: Views


def ds2_records(folder: Path) -> list[Path]:
    """The headers of those records of a folder that are of DS2. Raises `InputError` where there is none."""
    paths = [path for path in find_recordings(folder) if MITDB.part_of(path.stem) == "ds2"]
    if not paths:
        raise InputError(f"{folder}: no record of DS2 lies there. `leadwise fetch mitdb` brings all of them.")
    return paths


def score_beats(paths: Iterable[Path], file: Path = BEAT_FILE) -> pd.DataFrame:
    """Rows of ``scores.csv`` of a file that names beats, on annotated records (``.hea``) of DS2.

    ``beats=annotated``: all annotated beats, each right or wrong. ``beats=found``: as `leadwise predict` answers, by
    its own detector (`leadwise.scores.found_beats`; DS2 has no ventricular flutter, where EC57 asks for no beats).
    Both over all beats, without record 232, without 202, and by EC57 without the first five minutes of each; gross,
    and as the average of records. Intervals by bootstrap over records. Last which annotated beats were wrongly called
    V. Raises `WeightsError` for a file that was changed or that does not fit, `InputError` and `MissingInput` for a
    record.
    """
    from tqdm import tqdm

    digest = called(sha256(file))
    parts: dict[str, list[pd.DataFrame]] = {"annotated": [], "found": []}
    for path in tqdm(list(paths), "records", mininterval=1):
        for beats, table in _answered(path, file):
            parts[beats].append(table)
    answers = {beats: pd.concat(tables, ignore_index=True) for beats, tables in parts.items()}
    rows = []
    for beats, table in answers.items():
        told = {"beats": beats, "file": digest}
        late = table["time_s"] >= EC57_FROM_S
        rows += counted_as_papers_do(table, late, found_beats.CLASSES, condition=told)
    rows += _falsely_v(answers["annotated"], rows[0].iloc[0].to_dict())
    return pd.concat(rows, ignore_index=True)


def read_pages(folder: Path) -> Pages:
    """The published pages in a folder, each once. Raises what `find_pages` does, `InputError` where there is none."""
    from tqdm import tqdm

    label_of = shipped().set_index("page_id")["label"]
    files = find_pages(folder).files.drop_duplicates("sha256")
    files = files.assign(page_id=files["sha256"].str[:12])
    files = files[files["page_id"].isin(label_of.index)]
    if files.empty:
        raise InputError(f"{folder}: none of the published pages lies there. `leadwise fetch` brings them.")
    views = views_of(read_page(folder / path) for path in tqdm(files["path"], "pages", mininterval=1))
    return Pages(files["page_id"].tolist(), label_of[files["page_id"]].tolist(), views)


def score_student(pages: Pages, file: Path = PAGE_FILE) -> pd.DataFrame:
    """One row: on how many of the pages that it was trained on the student errs, which is no score.

    Raises `WeightsError` for a file that was changed or does not fit.
    """
    model = load_model(file)
    probabilities, _ = model.answer(pages.views)
    called_so = np.array(model.info.classes)[probabilities.argmax(axis=1)]
    wrong = int((called_so != np.array(pages.labels)).sum())
    place = {"model": model.info.name, "unit": "page", "counted": "training_pages", "n": len(pages.labels)}
    return stated({"training_pages_wrong": wrong}, **place, condition={"file": called(sha256(file))})


def score_folds(pages: Pages, networks: Path, seed: int = 1) -> pd.DataFrame:
    """Rows of the page model: its published networks, each asked about the pages of the fold that it never saw.

    `networks` is ``analysis/results/leads12`` of a clone. Raises `LeakError` for a network of other folds.
    """
    from leadwise.folds.pages import published, published_rows
    from leadwise.folds.partition import partition
    from leadwise.learning.distill import Teacher
    from leadwise.learning.unseen import answers_of_folds

    chosen = pd.read_csv(networks / "chosen.csv").query("seed == @seed")
    teacher = Teacher(networks, chosen, pd.DataFrame())
    part = partition(published(), published_rows("grouped", seed), "grouped", seed, "four")
    answers = answers_of_folds(teacher, part, pages.views, pages.page_ids)
    measure = page_metrics(TASKS["four"])
    return scored(answers, measure, _PAGES_SHOWN, weights="random", condition={"from": "files"})


def score_all(out: Path | None) -> Iterator[str]:
    """Score all that ships, on the whole sets where they are named, else on the embedded ones; give lines to print.

    Rows go to `out`, or to ``runs/<profile>/score_shipped``: ``cpu`` where all of DS2 and every published page was
    there, else ``sample``, which is never published. Outside a clone there is neither that folder nor the page
    model's networks, and a line says so. Raises what the parts raise.
    """
    begun, clone = time.perf_counter(), _clone()
    signals, folder = provenance.signals_folder("", "mitdb"), provenance.data_folder("")
    with TemporaryDirectory() as scratch:
        records = ds2_records(signals or unpack_excerpts(Path(scratch)))
        yield f"{BEAT_FILE.name}, sha256 {sha256(BEAT_FILE)}: {len(records)} records of DS2"
        rows = [score_beats(records)]
        yield from lines(rows[0])
        pages = read_pages(folder or unpack_sample(Path(scratch) / "pages"))
    rows.append(score_student(pages))
    yield f"{PAGE_FILE.name}, sha256 {sha256(PAGE_FILE)}: trained on these pages, so it has no score"
    yield from lines(rows[1])
    if clone is None:
        yield "Not in a clone of leadwise, so the page model's published networks and the fold students are left out."
    else:
        yield "Its twins, students of each fold, asked about pages that they never saw (notebook 42, as published):"
        yield from lines(_fold_students(clone))
        yield "The page model's published networks, each asked about the pages of the fold that it never saw:"
        rows.append(score_folds(pages, clone / "analysis" / "results" / "leads12"))
        yield from lines(rows[-1])
    is_whole = [
        signals is not None and len(records) == len(MITDB.parts["ds2"]),
        folder is not None and len(pages.page_ids) == len(shipped()),
    ]
    if not all(is_whole):
        excerpts = "" if signals else " (excerpts of six minutes)"
        yield (
            f"{len(records)} of {len(MITDB.parts['ds2'])} records{excerpts} and {len(pages.page_ids)} of "
            f"{len(shipped())} pages: these figures mean little, and are never published. LEADWISE_SIGNALS names the "
            "folder above mitdb, LEADWISE_DATA that of the pages."
        )
    profile = "cpu" if all(is_whole) else "sample"
    if out is None and clone is None:
        yield "Nothing is written; --out names a folder for it."
        return
    target = out or paths.runs_folder() / profile / _NAME
    note = (
        f"{len(records)} records of DS2, {len(pages.page_ids)} pages; nothing is trained or chosen. Found beats are "
        f"matched within {1000 * found_beats.TOLERANCE_S:.0f} ms."
    )
    minutes = (time.perf_counter() - begun) / 60
    write_measured(_NAME, target, profile, COMMAND, pd.concat(rows, ignore_index=True), minutes, note)
    yield f"Written to {target / 'scores.csv'}"


def lines(scores: pd.DataFrame) -> Iterator[str]:
    """The rows for people: a line a place, and beneath it a line a metric with its interval."""
    for place, rows in scores.groupby(list(PLACE), sort=False, dropna=False):
        told = dict(zip(PLACE, place, strict=True))
        n = f"{told['n']:,} {told['unit']}s" if told["unit"] else ""
        words = (told["model"], told["condition"].replace(";", ", "), told["counted"], told["average"], n)
        yield ", ".join(filter(None, words))
        for row in rows.itertuples():
            yield f"    {metric_words(row.metric):28} {written(row, metric_of(row.metric)[0].shown)}"


def _clone() -> Path | None:
    """The clone of leadwise that holds the current folder, if any."""
    try:
        return paths.repository()
    except MissingInput:
        return None


def _fold_students(clone: Path) -> pd.DataFrame:
    """What the fold students of the kind that ships score as published, as the shipped one answers: calibrated."""
    published = read_scores(clone / "analysis" / "results" / "scores.csv")
    return selected(published, model="student12", condition=FOLD_STUDENTS)


def _answered(path: Path, file: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """One record's beats as `leadwise predict` names them, where they are annotated, and where it finds them."""
    reading, known = process(read_path(path)), read_annotations(path).beats
    for beats, looked_at in (("annotated", replace(reading, beats=known.samples)), ("found", reading)):
        answer = name_beats(path.stem, looked_at, file)
        rate_hz = answer.record.rate_hz
        shares = answer.probabilities[:, [answer.model.classes.index(name) for name in TASKS["aami5"]]]
        table = found_beats.beside(known, answer.samples, shares, rate_hz)
        yield (
            beats,
            table.assign(
                unit_id=[f"{path.stem}-{number:07d}" for number in range(len(table))],
                group_id=f"record-{path.stem}",
                time_s=table["sample"] / rate_hz,
                **_ANSWERED,
            ),
        )


_ANSWERED = {
    "unit": "beat", "model": "beat_rhythm", "task": "aami5", "protocol": "interpatient", "seed": 1, "role": "test",
}  # fmt: skip
"""Of the shipped network: it is that of seed one."""


def _falsely_v(answers: pd.DataFrame, place: dict[str, Any]) -> list[pd.DataFrame]:
    """How many annotated beats were wrongly called V: in all, in the worst records, and of those called atrial."""
    place = {name: place[name] for name in PLACE}
    shares = answers[[f"prob_{name}" for name in found_beats.CLASSES]].to_numpy()
    is_v = np.array(found_beats.CLASSES)[shares.argmax(axis=1)] == "V"
    wrong = answers[is_v & (answers["label"] != "V")]
    rows = [stated({"false_V": len(wrong)}, **place)]
    for record, count in wrong["group_id"].value_counts().head(_WRONG_RECORDS).items():
        n = int((answers["group_id"] == record).sum())
        rows.append(stated({"false_V": count}, **place | {"counted": str(record).replace("-", "_"), "n": n}))
    for name, symbol in ATRIAL.items():
        n, count = (int((table["symbol"] == symbol).sum()) for table in (answers, wrong))
        rows.append(stated({"false_V": count}, **place | {"counted": name, "n": n}))
    return rows
