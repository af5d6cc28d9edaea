"""What is said beneath the published tables: sentences made of their rows, or of the rows that there are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import pandas as pd

from leadwise.models.networks import named, recipe
from leadwise.names import metric_words
from leadwise.project import profiles
from leadwise.project.notebooks import LEAD_NETWORKS, SignalAttention, SignalNetworksTraining
from leadwise.publishing.render import Published, told_apart
from leadwise.publishing.shipped_files import ATRIAL
from leadwise.scores.draws import ENDS, Interval
from leadwise.scores.printed import printed
from leadwise.scores.table import score_of, selected, written


def shown_or_not(rows: pd.DataFrame, by: str = "model") -> str:
    """Which paired differences in one metric are shown and which are not, a paragraph a task and value of `by`.

    By model: what it is above, below, and not shown to differ from, by how much; by minus: which models are.
    """
    by_model = by == "model"
    metric = metric_words(rows["metric"].iloc[0])
    paragraphs = []
    for (task, name), of_name in rows.groupby(["task", by], sort=False):
        verdicts = {
            "above": of_name["low"] > 0,
            "below": of_name["high"] < 0,
            "not shown to differ from": (of_name["low"] <= 0) & (of_name["high"] >= 0),
        }
        parts = []
        for verdict, these in verdicts.items():
            names = [
                f"`{row['minus']}` ({row['value']:+.3f}, {row['low']:+.3f} to {row['high']:+.3f})"
                if by_model
                else f"`{row['model']}`"
                for row in of_name[these].to_dict("records")
            ]
            words = verdict if by_model else f"{verdict} it"
            if names:
                parts.append(f"{f'**{words}**' if 'not' in words else words} {', '.join(names)}")
        paragraphs.append(
            f"Task {task}, {metric}, paired: `{name}`{' is' if by_model else ':'} {'; '.join(parts)}."
        )
    return "\n\n".join(paragraphs)


def lead_over_the_best_baseline(published: Published) -> str:
    """By how much the page model leads the baseline with the lowest log-loss on inner answers, in each task.

    Where one alone has such a log-loss, it is not called the best.
    """
    inner = published.scores[published.scores["metric"] == "inner_log_loss"]
    parts = []
    for (run, task), of_task in inner.groupby(["run", "task"], sort=False):
        best = of_task.loc[of_task["value"].idxmin()]
        place = {"run": run, "task": task, "model": "leads12", "minus": best["model"], "metric": "accuracy"}
        lead = score_of(published.differences, **place)
        which = (
            f"the best baseline by its log-loss on inner folds ({best['value']:.3f}), not by its test answers,"
            if len(of_task) > 1
            else f"the one baseline whose log-loss on inner folds is published ({best['value']:.3f})"
        )
        parts.append(
            f"Task {task}: {which} is `{best['model']}`; `leads12` minus it, accuracy: {written(lead, signed=True)}."
        )
    return " ".join(parts)


def each_difference(rows: pd.DataFrame) -> str:
    """A sentence a difference: which model, under which protocol and condition, minus what, and by how much."""
    return " ".join(
        f"`{row['model']}`, `{' '.join(filter(None, (row['protocol'], row['condition'])))}` minus "
        f"`{row['minus'].removeprefix('protocol=')}`: "
        f"{written(Interval(*(row[end] for end in ENDS)), '.3f', signed=True)}."
        for row in rows.to_dict("records")
    )


def each_paired(rows: pd.DataFrame) -> str:
    """Several paired differences in one sentence: of what, minus what, in which metric, by how much."""
    told = (
        f"`{row['condition'] or row['model']}` minus `{row['minus']}`, {metric_words(row['metric'])}, "
        f"{written(Interval(*(row[end] for end in ENDS)), signed=True)}"
        for row in rows.to_dict("records")
    )
    return f"Paired: {'; '.join(told)}."


def paired_or_not(published: Published, where: Mapping[str, str], lacking: str) -> str:
    """The same of the published differences that have `where`; `lacking` where there is none: nothing is shown."""
    rows = selected(published.differences, **where)
    return told_apart(
        {str(profile): each_paired(own) for profile, own in rows.groupby("profile", sort=False)}
        or {"": lacking}
    )


def gained_by_ranking(rows: pd.DataFrame) -> str:
    """The least and the greatest of several differences, by protocol, of which none counts for itself."""
    spans = (
        f"{of_protocol['value'].min():+.3f} to {of_protocol['value'].max():+.3f} (`{protocol}`)"
        for protocol, of_protocol in rows.groupby("protocol", sort=False)
    )
    return f"Ranking on the test set would have gained {', '.join(spans)}, which is no result."


def always_the_same(rows: pd.DataFrame) -> str:
    """Who says the same of everything that it is asked: a sentence a row of a metric ``always_<class>``."""
    return " ".join(
        f"`{row['way'] or row['model']}` under `{row['protocol']}` says "
        f"`{row['metric'].removeprefix('always_')}` of everything in {row['value']:.0f} of {row['n']} folds."
        for row in rows.to_dict("records")
    )


def wrongly_v(rows: pd.DataFrame) -> str:
    """How many annotated beats were wrongly called V, and where most of them lie: rows of ``false_V``."""
    of = {row["counted"]: row for row in rows.to_dict("records")}
    records = " and ".join(
        f"{row['value']:.0f} in record {name.removeprefix('record_')}"
        for name, row in of.items()
        if name.startswith("record_")
    )
    atrial = " and ".join(
        f"{of[name]['value']:.0f} of {of[name]['n']:,} marked {sign} ({name.replace('_', ' ')})"
        for name, sign in ATRIAL.items()
    )
    every = of["all"]["value"]
    return f"Of the annotated beats {every:.0f} are wrongly called V, {records}; among them are {atrial}."


def beside_its_kind(rows: pd.DataFrame) -> str:
    """What a file that ships has, and what the mean of several networks that its recipe trained again has."""
    of_file = rows[rows["file"] != ""].iloc[0]
    of_all = rows[(rows["file"] == "") & rows["seeds"].str.contains("/")].iloc[0]
    return (
        f"In {metric_words(of_all['metric'])} the file has {of_file['value']:.3f}; "
        f"{len(of_all['seeds'].split('/'))} networks that the same recipe trained again have "
        f"{of_all['value']:.3f} in the mean."
    )


def training_seconds(rows: pd.DataFrame) -> str:
    """How long one fold of each student takes to train: rows of ``train_s``."""
    each = ", ".join(f"`{row.model}` {row.loss} {row.value:.0f}" for row in rows.itertuples())
    return f"One training of one fold takes, in seconds of one core: {each}."


def training_errors(rows: pd.DataFrame) -> str:
    """On how many of its own training pages a model errs, which is no score."""
    return " ".join(
        f"`{row['model']}` has trained on all pages, so it has no score of its own; of its {row['n']} training pages "
        f"it calls {row['value']:.0f} wrongly."
        for row in rows.to_dict("records")
    )


TRANSFORMERS = (*LEAD_NETWORKS, "25_image_vit_scratch")
"""The notebooks that train one network each: of single leads, and of the page as one picture."""


def not_yet_run(published: Published) -> str:
    """The networks of these that shipped profiles ask for and that have no score, so that a gap is seen."""
    columns = ["notebook", "model", "task", "profile"]
    scored = set(published.scores[columns].itertuples(index=False, name=None))
    asked = [
        (notebook, parameters["MODEL"], task, profile)
        for profile in ("cpu", "paper")
        for notebook in TRANSFORMERS
        for parameters in [profiles.parameters(profile, notebook).model_dump()]
        for task in parameters["TASKS"]
    ]
    lacking = [f"`{row[1]}` ({row[2]}, `{row[3]}`)" for row in asked if row not in scored]
    return f"Not yet run: {', '.join(lacking)}." if lacking else ""


def fixed_epochs(published: Published) -> str:
    """For which networks of beats the number of epochs is fixed, and which of the published ones lack a training."""

    def of_profile(profile: str) -> str:
        asked = cast("SignalNetworksTraining", profiles.parameters(profile, "32_signal_networks"))
        lacking = [name for name in named(family="heartbeat") if name not in asked.MODELS]
        fixed = f"Epochs are fixed for {_listed(asked.FIXED)}; those of the others are chosen inside DS1."
        return f"{fixed} Not trained: {_listed(lacking)}." if lacking else fixed

    return _by_profile(published, "aami5", of_profile)


def epochs_of_windows(published: Published) -> str:
    """For how many epochs the network for windows was trained under each protocol."""

    def of_profile(profile: str) -> str:
        asked = cast("SignalAttention", profiles.parameters(profile, "31_signal_attention"))
        at_random = asked.EPOCHS or recipe("attention_windows", asked.RECIPE).epochs
        return f"Epochs, fixed beforehand: {at_random} at random, {asked.EPOCHS_BY_PERSON} by person."

    return _by_profile(published, "window", of_profile)


def readers_of_others(_: Published) -> str:
    """What other readers of pages are printed to reach, each with its source."""
    return "\n".join(
        f"Of others: {row.work}, {row.pages}: median {row.aligned_median_db:g} dB, 5th percentile "
        f"{row.aligned_p5_db:g} dB aligned, {row.raw_median_db:g} dB raw ({row.source})."
        for row in printed("pages").itertuples()
    )


def _by_profile(published: Published, task: str, of_profile: Callable[[str], str]) -> str:
    """The sentences of all profiles that have published scores of a task."""
    of_task = published.scores[published.scores["task"] == task]
    return told_apart({str(profile): of_profile(profile) for profile in of_task["profile"].unique()})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
