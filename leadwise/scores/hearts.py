"""Scores of answers that name several findings at once: PTB-XL's superclasses, each against the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leadwise.names import SUPERCLASSES
from leadwise.scores.calibration import error_and_floor
from leadwise.scores.draws import Interval, Measure
from leadwise.scores.metrics import Floats, ranking
from leadwise.scores.table import compared, scored, stated

COLUMNS = [f"prob_{name}" for name in SUPERCLASSES]

PAGE_QUESTIONS = {
    "infarction": ("history_of_mi", "mi"),
    "history_of_mi": ("history_of_mi",),
    "mi": ("mi",),
    "not_normal": ("abnormal_heartbeat", "history_of_mi", "mi"),
}
"""What pages of the Mendeley set are told from normal ones, by their classes."""

RATE_BANDS = {"all": (0, 1000), "rate_60_to_80": (60, 80), "rate_up_to_90": (0, 90)}
"""Printed heart rates in bpm, ends included, among which pages are told apart: the rate tells much of a class."""


def hearts_answers(
    recordings: pd.DataFrame, prob: NDArray[np.floating], model: str, seed: int = 1, **more: Any
) -> pd.DataFrame:
    """Probabilities ``(recordings, 5)`` as rows of answers of the task ``hearts``; ``label`` holds what is stated.

    `recordings` as `leadwise.sets.ptbxl.stated_recordings` gives them; superclasses of one stand in one label with a
    space between them, or ``none``.
    """
    stated = recordings[list(SUPERCLASSES)].to_numpy(bool)
    labels = [
        " ".join(name for name, is_so in zip(SUPERCLASSES, row, strict=True) if is_so) for row in stated
    ]
    keys = {"unit": "record", "model": model, "task": "hearts", "protocol": "elsewhere", "seed": seed}
    return pd.DataFrame(
        {
            "unit_id": recordings["record"].to_numpy(),
            "group_id": recordings["patient_id"].to_numpy(),
            "label": [label or "none" for label in labels],
            **dict(zip(COLUMNS, np.asarray(prob, float).T, strict=True)),
        }
    ).assign(**keys, fold=1, role="test", held_out=pd.NA, **more)


def hearts_metrics() -> Measure:
    """``auroc_<superclass>`` and their mean, ``macro_auroc``; nan where one is stated of none, or of all."""

    def measure(answers: pd.DataFrame, group: NDArray[np.intp], counts: Floats) -> dict[str, Floats]:
        stated = answers["label"].str.split(" ")
        found: dict[str, Floats] = {}
        for name in SUPERCLASSES:
            truth = stated.map(lambda some, name=name: name in some).to_numpy(np.int64)
            prob = answers[f"prob_{name}"].to_numpy(float)
            with np.errstate(divide="ignore", invalid="ignore"):  # a draw without one side has none
                found[f"auroc_{name}"] = ranking(prob, truth == 1, counts[:, group])[0]
        return {"macro_auroc": np.mean(list(found.values()), axis=0), **found}

    return measure


def paper_scores(
    read: pd.DataFrame, direct: pd.DataFrame, refused: int, draws: int = 2000, **place: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of ``scores.csv`` and ``differences.csv`` of answers about recordings read from pages, and without a page.

    Both are answers about those recordings whose page was read; `refused` others have none. Differences are paired,
    read minus direct.
    """
    measure, tables = hearts_metrics(), []
    where = {
        signals: place | {"condition": place["condition"] | {"signals": signals}, "seeds": ""}
        for signals in ("read", "direct")
    }
    for signals, rows in (("read", read), ("direct", direct)):
        tables.append(scored(rows, measure, None, draws, **where[signals]))
    keys = {
        "task": "hearts",
        "protocol": "elsewhere",
        "test_set": "ptbxl",
        "model": "hearts",
        "unit": "record",
    }
    tables.append(
        stated({"pages_refused": refused}, **(where["read"] | keys | {"average": "gross", "n": len(read)}))
    )
    metrics = ["macro_auroc", *(f"auroc_{name}" for name in SUPERCLASSES)]
    differences = compared(read, direct, measure, metrics, draws, minus="signals=direct", **where["read"])
    return pd.concat(tables, ignore_index=True), differences


def page_answers(
    pages: pd.DataFrame,
    groups: pd.Series,
    prob: NDArray[np.floating],
    question: str,
    model: str,
    seed: int = 1,
) -> pd.DataFrame:
    """What probabilities ``(pages, 5)`` of superclasses say of pages: one of PAGE_QUESTIONS against normal.

    An infarction by how much the odds of MI exceed those of NORM, anything else than normal by those of NORM alone.
    `pages` as ``pages.csv``, `groups` by its ``page_id``. Of these answers an AUROC alone means anything.
    """
    odds = np.log(np.clip(prob, 1e-7, 1 - 1e-7) / np.clip(1 - prob, 1e-7, 1))
    norm, mi = (odds[:, SUPERCLASSES.index(name)] for name in ("NORM", "MI"))
    return ranked_pages(
        pages, groups, -norm if question == "not_normal" else mi - norm, question, model, seed
    )


def ranked_pages(
    pages: pd.DataFrame,
    groups: pd.Series,
    values: NDArray[np.floating],
    question: str,
    model: str,
    seed: int = 1,
) -> pd.DataFrame:
    """The same of one number a page ``(pages,)``, larger where it is asked for."""
    asked = pages["label"].isin(PAGE_QUESTIONS[question])
    kept = (asked | (pages["label"] == "normal")).to_numpy()
    share = pd.Series(values).rank(method="average").to_numpy() / (len(values) + 1)
    keys = {
        "unit": "page",
        "model": model,
        "task": "hearts",
        "protocol": "reverse",
        "seed": seed,
        "role": "test",
    }
    return pd.DataFrame(
        {
            "unit_id": pages["page_id"],
            "group_id": pages["page_id"].map(groups),
            "label": np.where(asked, "asked", "other"),
            "rate_bpm": pages["heart_rate_bpm"].astype("Float64"),
            "prob_other": 1 - share,
            "prob_asked": share,
        }
    ).assign(**keys)[kept]


def of_numbers(
    taught: NDArray[np.floating], stated: NDArray[np.bool_], asked: NDArray[np.floating]
) -> NDArray[np.float64]:
    """What a logistic regression on a few numbers a page says, ``(asked, 5)``: the baseline that knows no network.

    One for each superclass, of scaled numbers, C = 1, which is not chosen. One that is stated of all the taught, or
    of none, is as frequent as there.
    """
    found = np.tile(stated.mean(axis=0), (len(asked), 1))
    for column in np.flatnonzero((stated.any(axis=0)) & ~stated.all(axis=0)):
        regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        found[:, column] = regression.fit(taught, stated[:, column]).predict_proba(asked)[:, 1]
    return np.asarray(found, float)


def of_age(recordings: pd.DataFrame) -> NDArray[np.float64]:
    """Who is older is less normal and has more of all else, ``(recordings, 5)``; an unknown age is the median."""
    known = recordings["age"]
    rank = (known.fillna(known.median()).rank() / (len(known) + 1)).to_numpy(float)
    return np.stack([1 - rank if name == "NORM" else rank for name in SUPERCLASSES], axis=1)


def calibration_errors(answers: pd.DataFrame) -> dict[str, Interval | float]:
    """`ece` and `ece_floor` of one answerer: means over the superclasses, each a probability by itself."""
    asked = []
    for name in SUPERCLASSES:
        truth = answers["label"].str.split(" ").map(lambda some, name=name: name in some).to_numpy(np.int64)
        prob = answers[f"prob_{name}"].to_numpy(float)
        asked.append((truth, np.stack([1 - prob, prob], axis=1)))
    return error_and_floor(asked)


def in_band(answers: pd.DataFrame, band: str) -> pd.DataFrame:
    """Answers about the pages whose printed rate is in one of RATE_BANDS; a rate that was not read is in ``all``."""
    low, high = RATE_BANDS[band]
    inside = answers["rate_bpm"].between(low, high).fillna(band == "all").astype(bool)
    return answers[inside]
