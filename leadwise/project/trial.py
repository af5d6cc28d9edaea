"""A trial: a training notebook whose parameter TEST is false answers inner folds alone, and ends before its tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from leadwise.learning.study import Results
    from leadwise.project.notebook import Run

NOTE = "A trial: inner folds alone answered, test folds stayed closed."


def end(run: Run, results: Results) -> None:
    """Tell what inner folds said, finish the run, and let none of the notebook's later cells run.

    Writes ``inner.csv`` (`inner_scores`) and ``predictions.csv`` (role ``inner``), and no ``scores.csv``: nothing of
    a trial is published. Until the kernel starts anew each later cell says that it was skipped.
    """
    table = inner_scores(results.history)
    run.table(table, "inner.csv")
    run.table(results.predictions, "predictions.csv")
    best = lowest(table)
    print(best.to_string(index=False, float_format="{:.3f}".format))
    print(*(f"\n{line}" for line in told(best)), sep="")
    run.finish(note=NOTE)
    _skip_what_follows()


def inner_scores(history: pd.DataFrame) -> pd.DataFrame:
    """``task, protocol, seed, model, epoch, trainings, log_loss, accuracy``: means over inner trainings.

    `history` keeps the contract ``history.csv``; its `model` is the candidate. Each inner training answers for units
    that it never saw, whole, after every epoch.
    """
    rows = history[(history["role"] == "inner") & history["inner_log_loss"].notna()]
    rows = rows.assign(epoch=rows["epoch"].round().astype(int))
    measured = rows.groupby(["task", "protocol", "seed", "model", "epoch"], sort=False).agg(
        trainings=("inner_log_loss", "size"),
        log_loss=("inner_log_loss", "mean"),
        accuracy=("inner_accuracy", "mean"),
    )
    return measured.reset_index()


def lowest(table: pd.DataFrame) -> pd.DataFrame:
    """Of each candidate the epoch with the lowest log-loss, for each task, protocol and seed."""
    rows = table.groupby(["task", "protocol", "seed", "model"], sort=False)["log_loss"].idxmin()
    return table.loc[rows].reset_index(drop=True)


def told(best: pd.DataFrame) -> list[str]:
    """A sentence for each task, protocol and seed."""
    first = best.loc[best.groupby(["task", "protocol", "seed"], sort=False)["log_loss"].idxmin()]
    return [
        f"Inner folds, task {one.task}, {one.protocol}, seed {one.seed}: {one.model} is lowest, log-loss "
        f"{one.log_loss:.3f} after {one.epoch} epochs (accuracy {one.accuracy:.3f}, mean over {one.trainings} "
        "trainings). No network was asked about the fold that it is tested on; but what is chosen by these folds "
        "looks better on them than it is, and the inner folds of all pages are all pages."
        for one in first.itertuples()
    ]


def _skip_what_follows() -> None:
    from IPython import get_ipython

    if (shell := get_ipython()) is not None:
        skipped = "print('Skipped: TEST is False. Start the kernel anew to test.')\n"
        shell.input_transformers_cleanup.append(lambda _: [skipped])
