"""What a leak is worth, and what pages are: a network under every protocol, leaky ones too, and from fewer pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from leadwise.learning.study import Results, Study, TrainingSettings

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
    trained = _trainer(settings, data, folder, data_fingerprint)
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
            results = trained(task, model, views, part, protocol)
            histories.append(results.history)
            trainings += results.trainings
            answers = results.predictions
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
    orders = {fold: _drawn(whole, fold) for fold in whole.folds}
    trained = _trainer(settings, data, folder, data_fingerprint)
    by_size = {
        size: trained(
            "four",
            model,
            views,
            replace(whole, trained={fold: np.sort(order[:size]) for fold, order in orders.items()}),
            "grouped",
            f"pages{size}",
        )
        for size in settings.SIZES
        if size <= min(map(len, orders.values()))
    }
    months: list[Partition] = []
    with suppress(InputError):  # pages of one month, or without dates
        months.append(data.partition("four", settings.SEED, "by_month"))
    of_month = [trained("four", model, views, part, "by_month") for part in months]
    every = [*by_size.values(), *of_month]
    return FromFewer(
        {size: results.test_units("four") for size, results in by_size.items()},
        pd.concat([pd.DataFrame(), *(results.test_units("four") for results in of_month)]),
        pd.concat([pd.DataFrame(), *(results.history for results in every)], ignore_index=True),
        [name for results in every for name in results.trainings],
    )


def _trainer(
    settings: LeakageSettings, data: PageData, folder: Path, data_fingerprint: str
) -> Callable[..., Results]:
    """Gives ``trained(task, model, views, part, protocol, name)``: all epochs, in the steps that `grouped` takes.

    Its answers have the groups of `grouped`. Files are named by the network and `name`, or else the protocol.
    """
    group_of = _groups(data.folds)
    usual = {task: _usual_size(data.partition(task, settings.SEED)) for task in PRICED}

    def trained(
        task: str, model: str, views: Inputs, part: Partition, protocol: str, name: str = ""
    ) -> Results:
        more: dict[str, Any] = {"prefix": f"{model}-{name or protocol}", "protocol": protocol}
        more |= {"folds": part.tested, "seeds": (part.seed,), "inner": False}
        more |= {"units_an_epoch": usual[task]}
        study = Study.of(settings, task, model, data_fingerprint, **more)
        results = cross_fit(study, views, {part.seed: part}, folder)
        results.predictions["group_id"] = results.predictions["unit_id"].map(group_of)
        return results

    return trained


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
