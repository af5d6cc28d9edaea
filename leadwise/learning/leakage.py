"""What a leak is worth: one network, trained and scored under every protocol, the leaky ones among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from leadwise.errors import InputError
from leadwise.learning.cross_fit import Inputs, cross_fit
from leadwise.learning.pages import PageData
from leadwise.learning.study import Study, TrainingSettings
from leadwise.scores.metrics import mean_answers

PRICED = {
    "four": ("leaky_file_90_10", "leaky_copies", "leaky_copy_weights", "distinct", "grouped", "by_month"),
    "binary": ("leaky_pooled", "grouped"),
}
"""Protocols by task, from the leakiest to the strictest."""


class LeakageSettings(TrainingSettings, Protocol):
    """What the parameters of 27_image_leakage say."""

    SEED: int


@dataclass(frozen=True)
class Priced:
    """What came of it, as rows of ``predictions.csv``.

    In `once` a page answers once for each model and protocol, by the mean over its files where files were tested;
    `counted` holds the same answers as published work counts them: a row a file, or a page as often as pooled folds
    hold it, and the same again for single leads. `history` is ``history.csv``, `trainings` names all there were, and
    `left_out` says which protocols these pages do not allow, and why.
    """

    once: pd.DataFrame
    counted: pd.DataFrame
    history: pd.DataFrame
    trainings: list[str]
    left_out: dict[str, str]


def price(
    settings: LeakageSettings,
    inputs: Mapping[str, Inputs],
    data: PageData,
    folder: Path,
    data_fingerprint: str,
) -> Priced:
    """Train each network of `inputs` (its name, and what it sees) under the protocols of `PRICED`.

    `settings` are the parameters of 27_image_leakage. Nothing is chosen: every training runs all its epochs. The
    groups of all rows are those of `grouped`, so that intervals are alike and differences can be paired.
    """
    group_of = _groups(data.folds)
    once, counted, histories = [], [], []
    trainings: list[str] = []
    left_out: dict[str, str] = {}
    for task, protocol in _every():
        try:
            part = data.partition(task, settings.SEED, protocol)
        except InputError as error:
            left_out[f"{protocol}, {task}"] = str(error)
            continue
        for model, views in inputs.items():
            more: dict[str, Any] = {"prefix": f"{model}-{protocol}", "protocol": protocol}
            more |= {"folds": part.tested, "seeds": (part.seed,), "inner": False}
            study = Study.of(settings, task, model, data_fingerprint, **more)
            results = cross_fit(study, views, {part.seed: part}, folder)
            histories.append(results.history)
            trainings += results.trainings
            answers = results.predictions
            answers["group_id"] = answers["unit_id"].map(group_of)
            counted.append(_as_units(answers))
            once.append(mean_answers(answers[answers["unit"] == "page"]))
    joined = [pd.concat(rows, ignore_index=True) for rows in (once, counted, histories)]
    return Priced(joined[0], joined[1], joined[2], trainings, left_out)


def leaks(data: PageData, seed: int) -> pd.DataFrame:
    """How much of each test is known from training: a row a task and protocol.

    Columns ``task, protocol, tested`` (files, or pages where pages are split), ``same_page`` and ``same_id``: the
    share of them of which training holds the same page, or a page of the same printed id. Protocols that these
    pages do not allow have no row.
    """
    group = _groups(data.folds).reindex(data.pages["page_id"]).to_numpy()
    rows = []
    for task, protocol in _every():
        try:
            part = data.partition(task, seed, protocol)
        except InputError:
            continue
        pairs = [(tested, part.training_rows((fold,))) for fold, tested in part.rows.items()]
        n = sum(len(here) for here, _ in pairs)
        page = sum(np.isin(here, there).sum() for here, there in pairs)
        same = sum(np.isin(group[here], group[there]).sum() for here, there in pairs)
        rows.append((task, protocol, n, page / n, same / n))
    return pd.DataFrame(rows, columns=["task", "protocol", "tested", "same_page", "same_id"])


def _every() -> Iterator[tuple[str, str]]:
    return ((task, protocol) for task, protocols in PRICED.items() for protocol in protocols)


def _groups(folds: pd.DataFrame) -> pd.Series:
    """By page: its group under `grouped`."""
    rows = folds[folds["protocol"] == "grouped"].drop_duplicates("unit_id")
    return rows.set_index("unit_id")["group_id"]


def _as_units(answers: pd.DataFrame) -> pd.DataFrame:
    """The same rows, each with a unit of its own, so that what is counted several times is scored so."""
    names = answers["unit_id"] + answers.get("lead", pd.Series("", index=answers.index)).fillna("")
    number = names.groupby([names, answers["unit"]]).cumcount().astype(str)
    return answers.assign(unit_id=names + "-" + number)
