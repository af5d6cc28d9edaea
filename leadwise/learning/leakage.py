"""What a leak is worth, and what pages are: a network under every protocol, leaky ones too, and from fewer pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from leadwise.errors import InputError
from leadwise.folds.partition import Partition, Rows
from leadwise.learning.cross_fit import Inputs, cross_fit
from leadwise.learning.pages import PageData
from leadwise.learning.study import Study, TrainingSettings

PRICED = {
    "four": ("leaky_file_90_10", "leaky_copies", "leaky_copy_weights", "distinct", "grouped"),
    "binary": ("leaky_pooled", "grouped"),
}
"""Protocols by task, from the leakiest to the strictest."""


class LeakageSettings(TrainingSettings, Protocol):
    """What the parameters of 27_image_leakage say."""

    SEED: int
    SIZES: Sequence[int]


@dataclass(frozen=True)
class Priced:
    """What came of it, as rows of ``predictions.csv``.

    In `once` a page answers once for each model and protocol, by one network: where its files were tested, by that
    of one of them, drawn. `counted` holds the same answers as published work counts them: a row a file, or a page as
    often as pooled folds hold it, and the same again for single leads. `history` is ``history.csv``, `trainings`
    names all there were, and `left_out` says which protocols these pages do not allow, and why.
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

    `settings` are the parameters of 27_image_leakage. Nothing is chosen: every training runs all its epochs, and
    takes the steps that one of `grouped` takes, however often or seldom it thus sees each of its pages. The groups of
    all rows are those of `grouped`, so that intervals are alike and differences can be paired.
    """
    group_of = _groups(data.folds)
    steps_of = {task: _usual_size(data.partition(task, settings.SEED)) for task in PRICED}
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
            more |= {"units_an_epoch": steps_of[task]}
            study = Study.of(settings, task, model, data_fingerprint, **more)
            results = cross_fit(study, views, {part.seed: part}, folder)
            histories.append(results.history)
            trainings += results.trainings
            answers = results.predictions
            answers["group_id"] = answers["unit_id"].map(group_of)
            counted.append(_as_units(answers))
            once.append(_one_answer_each(answers[answers["unit"] == "page"], settings.SEED))
    joined = [pd.concat(rows, ignore_index=True) for rows in (once, counted, histories)]
    return Priced(joined[0], joined[1], joined[2], trainings, left_out)


@dataclass(frozen=True)
class FromFewer:
    """What networks answer that learned from fewer pages: test answers under `grouped` by number, and `by_month`.

    `by_month` has no row where these pages cannot be split so. `history` is ``history.csv``, `trainings` names all
    there were.
    """

    answers: dict[int, pd.DataFrame]
    by_month: pd.DataFrame
    history: pd.DataFrame
    trainings: list[str]


def from_fewer_pages(
    settings: LeakageSettings, model: str, views: Inputs, data: PageData, folder: Path, data_fingerprint: str
) -> FromFewer:
    """Train a network of task `four` on the pages of other months, and on so many of all as `SIZES` says.

    Under `grouped` each fold's training pages are drawn from all of it, class by class in its share, and a smaller
    number is part of every larger one. All take the steps that `grouped` takes. A number that a fold does not have is
    left out.
    """
    whole = data.partition("four", settings.SEED)
    orders, group_of = {fold: _drawn(whole, fold) for fold in whole.folds}, _groups(data.folds)
    parts = {
        f"pages{size}": replace(
            whole, trained={fold: np.sort(order[:size]) for fold, order in orders.items()}
        )
        for size in settings.SIZES
        if size <= min(map(len, orders.values()))
    }
    with suppress(InputError):  # pages of one month, or without dates
        parts["by_month"] = data.partition("four", settings.SEED, "by_month")
    fixed: dict[str, Any] = {"units_an_epoch": _usual_size(whole), "inner": False, "seeds": (settings.SEED,)}
    answers, histories = {}, [pd.DataFrame()]
    trainings: list[str] = []
    for name, part in parts.items():
        more = fixed | {"prefix": f"{model}-{name}", "folds": part.tested}
        more |= {"protocol": "by_month"} if name == "by_month" else {}
        study = Study.of(settings, "four", model, data_fingerprint, **more)
        results = cross_fit(study, views, {part.seed: part}, folder)
        rows = results.test_units("four")
        answers[name] = rows.assign(group_id=rows["unit_id"].map(group_of))
        histories.append(results.history)
        trainings += results.trainings
    of_month = answers.pop("by_month", pd.DataFrame())
    by_size = {int(name.removeprefix("pages")): rows for name, rows in answers.items()}
    return FromFewer(by_size, of_month, pd.concat(histories, ignore_index=True), trainings)


def _drawn(part: Partition, fold: int) -> Rows:
    """A fold's training rows in an order drawn at random, of which every beginning has each class in its share."""
    rows = part.training_rows((fold,))
    rng = np.random.default_rng([part.seed, fold])
    drawn: Rows = rng.permutation(rows)
    of_class = pd.Series(part.labels[drawn]).groupby(part.labels[drawn].astype(str))
    share = (of_class.cumcount() + 0.5) / of_class.transform("size")
    return drawn[np.argsort(share.to_numpy(), kind="stable")]


def _usual_size(part: Partition) -> int:
    """How many units train for a fold, in the mean over the folds."""
    return round(float(np.mean([len(part.training_rows((fold,))) for fold in part.folds])))


def largest_month(data: PageData, seed: int) -> tuple[list[str], int]:
    """The ids of its pages, and how many pages all other months have.

    Raises InputError where these pages cannot be split by month.
    """
    part = data.partition("four", seed, "by_month")
    fold = max(part.folds, key=lambda number: len(part.rows[number]))
    return part.unit_ids[part.rows[fold]].tolist(), len(part.training_rows((fold,)))


def leaks(data: PageData, seed: int) -> pd.DataFrame:
    """How much of each test is known from training: a row a task and protocol.

    Columns ``task, protocol, tested`` (files, or pages where pages are split), ``trained`` (of these, the fewest and
    the most that train for a fold), ``steps_of`` (pages whose steps every training takes), ``same_page`` and
    ``same_id``: the share of the tested of which training holds the same page, or a page of the same printed id.
    Protocols that these pages do not allow have no row.
    """
    group = _groups(data.folds).reindex(data.pages["page_id"]).to_numpy()
    rows = []
    for task, protocol in _every():
        try:
            part = data.partition(task, seed, protocol)
        except InputError:
            continue
        pairs = [(tested, part.training_rows((fold,))) for fold, tested in part.rows.items()]
        sizes = sorted({len(there) for _, there in pairs})
        trained = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
        usual = _usual_size(data.partition(task, seed))
        n = sum(len(here) for here, _ in pairs)
        page = sum(np.isin(here, there).sum() for here, there in pairs)
        same = sum(np.isin(group[here], group[there]).sum() for here, there in pairs)
        rows.append((task, protocol, n, trained, usual, page / n, same / n))
    return pd.DataFrame(
        rows, columns=["task", "protocol", "tested", "trained", "steps_of", "same_page", "same_id"]
    )


def _every() -> Iterator[tuple[str, str]]:
    return ((task, protocol) for task, protocols in PRICED.items() for protocol in protocols)


def _groups(folds: pd.DataFrame) -> pd.Series:
    """By page: its group under `grouped`."""
    rows = folds[folds["protocol"] == "grouped"].drop_duplicates("unit_id")
    return rows.set_index("unit_id")["group_id"]


def _one_answer_each(answers: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row a page: of those whose files several networks were asked about the answer to one file, drawn."""
    drawn = answers.sample(frac=1, random_state=seed).drop_duplicates("unit_id")
    return drawn.sort_values("unit_id", ignore_index=True)


def _as_units(answers: pd.DataFrame) -> pd.DataFrame:
    """The same rows, each with a unit of its own, so that what is counted several times is scored so."""
    names = answers["unit_id"] + answers.get("lead", pd.Series("", index=answers.index)).fillna("")
    number = names.groupby([names, answers["unit"]]).cumcount().astype(str)
    return answers.assign(unit_id=names + "-" + number)
