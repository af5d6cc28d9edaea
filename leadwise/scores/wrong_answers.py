"""Pages that networks answer for otherwise than they are labelled: which, how often together, and by chance.

A page that all networks read otherwise may be labelled by what it does not show, may be unlike all others, or may be
labelled otherwise than pages like it. Their answers cannot tell which: the networks learned from the same labels and
share what those labels have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from leadwise.errors import InputError
from leadwise.scores.draws import LEVEL, one_answerer, same_units
from leadwise.scores.metrics import Floats, probabilities


def by_page(answers: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """A row a page, the worst first: what each network answers, and how many answer otherwise than the label.

    ``answers``: by the network's name, its test rows of predictions.csv of one seed. Columns: ``page_id, label,
    p_label`` (mean over the networks of the probability of the label; the lowest is the worst), ``p_lowest,
    p_highest`` (over the networks), ``networks, wrong`` (how many answer otherwise), ``called`` (the answer that
    most of them give, the first class of equals), ``agreeing`` (how many give it), then ``answer_<network>``.
    Raises InputError where there are no networks, one has several models or seeds, or they answer for other pages.
    """
    if not answers:
        raise InputError("by_page: no network's answers were given.")
    first = next(iter(answers.values()))
    pages = first.sort_values("unit_id")[["unit_id", "label"]].reset_index(drop=True)
    of_label, called = [], {}
    for name, rows in answers.items():
        one_answerer(rows, one_seed=True)
        same_units(rows, first, own_seeds=True)
        labels, prob = probabilities(rows.sort_values("unit_id"), classes)
        of_label.append(prob[np.arange(len(labels)), labels])
        called[name] = prob.argmax(axis=1)
    votes = np.array(list(called.values()))
    counted = (votes[..., None] == np.arange(len(classes))).sum(axis=0)
    named = np.array(classes, dtype=object)
    table = pd.DataFrame(
        {
            "page_id": pages["unit_id"],
            "label": pages["label"],
            "p_label": np.mean(of_label, axis=0),
            "p_lowest": np.min(of_label, axis=0),
            "p_highest": np.max(of_label, axis=0),
            "networks": len(answers),
            "wrong": (votes != labels).sum(axis=0),
            "called": named[counted.argmax(axis=1)],
            "agreeing": counted.max(axis=1),
        }
    )
    answered = pd.DataFrame({f"answer_{name}": named[answer] for name, answer in called.items()})
    return pd.concat([table, answered], axis=1).sort_values(["p_label", "page_id"], ignore_index=True)


def all_say_otherwise(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `by_page` on which every network gives the same answer, and it is not the label."""
    return table[(table["wrong"] == table["networks"]) & (table["agreeing"] == table["networks"])]


def by_networks_that_never_saw_it(answers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All answers to a page by networks that were not trained on it, as `by_page` takes them.

    ``answers``: rows of predictions.csv of one model, task and seed, inner ones too. A page of fold k is answered for
    by the outer network of k, and by the inner networks that left out k and another fold j, each as it helped to
    choose for j: five networks with five folds. Those called alike are not the same from fold to fold. Where all of
    them give one answer that is not the label (`all_say_otherwise`), the label may be doubted, and how often that is
    so is no estimate of wrong labels: they learned from the same labels.
    """
    ordered = answers.sort_values(["role", "fold"], ascending=[False, True])  # the test answer first
    number = ordered.groupby("unit_id").cumcount()
    return {f"network_{n + 1}": rows.assign(role="test") for n, rows in ordered.groupby(number)}


def wrong_together(table: pd.DataFrame, draws: int = 2000) -> pd.DataFrame:
    """How many pages are wrong with none, one ... all networks, and how many were if each erred on its own.

    ``table`` as `by_page` makes it. Columns ``wrong, pages, by_chance, low, high``. By chance: each network keeps how
    many pages of each class it gets wrong, and which pages these are is drawn anew for each network, so a class
    that is hard for all explains nothing; the mean of the draws and the band that holds 95 % of them. No interval of
    ``pages``: it is what was counted.
    """
    names = [column for column in table if column.startswith("answer_")]
    rng = np.random.default_rng(0)
    sizes = np.arange(len(names) + 1)
    drawn: Floats = np.zeros((draws, len(sizes)))
    for label, of_class in table.groupby("label"):
        wrong = (of_class[names] != label).to_numpy()
        for number in range(draws):
            together = rng.permuted(wrong, axis=0).sum(axis=1)
            drawn[number] += np.bincount(together, minlength=len(sizes))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    counted = np.bincount(table["wrong"], minlength=len(sizes))
    columns = {"wrong": sizes, "pages": counted, "by_chance": drawn.mean(axis=0), "low": low, "high": high}
    return pd.DataFrame(columns)
