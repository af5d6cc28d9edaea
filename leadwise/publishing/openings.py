"""The ledger of openings: each time that a test set was answered for, what was known before, what changed after.

A row of ``analysis/openings.csv`` is one run (or a trial outside the repository, which has none) and one test set;
rows of one opening were published at once. `leadwise publish` enters a row where a run says something new of a test
set; the words are written by hand. OPENED.md is made of it. What is published and stands in no row is refused.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from leadwise.names import TEST_SETS
from leadwise.publishing.markdown import as_table
from leadwise.tables import SCHEMAS, read_table

LEDGER = "openings.csv"
"""In ``analysis/``, beside the results."""

BETWEEN = "; "
"""Between the openings of a run whose test sets were last opened at different times."""

_INTRO = (
    "# Openings of the test sets",
    "A test set is opened when a model answers for it and somebody looks. Each time stands below, the newest "
    "last: what was known of the set when candidates and settings were made, what was changed afterwards, and "
    "what that may have cost. Written by `leadwise tables` from [openings.csv](openings.csv); `leadwise tables"
    " --check` refuses a published score whose opening is not in it.",
    '"The test fold is opened once" is true of a run: its choices are made on inner folds (or inside DS1), and'
    " what was chosen is asked about the test fold once. It is not true of the project. Who makes the next "
    "candidate has seen what the last one reached, and the same folds are asked again. A score that was opened"
    " often may be too high, also where each run by itself was clean.",
    "Pages, excerpts and recordings of the embedded sample belong to these sets. Under the profile `sample` networks"
    " and files that are published answer for them once more, which says nothing new; what is trained there in"
    " seconds is not published.",
    "Trials that were made outside the repository are told as far as they are known; nothing of them is "
    "published.",
)

_TOLD = {
    "commit": "at which commit it was made",
    "known_before": "of what was known before",
    "changed_after": "of what was changed after",
    "cost": "of what it may have cost",
}


def read_openings(path: Path) -> pd.DataFrame:
    """Read the ledger; no rows where there is none. Raises as `read_table` does."""
    if path.is_file():
        return read_table(path, LEDGER)
    return pd.DataFrame(columns=[*SCHEMAS[LEDGER].columns])


def of_models(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of ``scores.csv`` or ``differences.csv`` that open a test set.

    A row does where it names a protocol and a test set: who was learned or chosen from, and who was asked. What is
    measured of reading a page, of a server or of a model's size has no protocol, and answers for no model.
    """
    return rows[rows["protocol"].notna() & rows["test_set"].notna()]


def entered(
    ledger: pd.DataFrame, runs: pd.DataFrame, before: pd.DataFrame, now: pd.DataFrame, commit: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ledger with what is new in `now`, and the runs with their openings.

    `before` and `now` are published rows of both tables, `runs` is ``runs.csv``. A run opens a test set where one of
    its rows was not there before, or has another value. The words of a new row are left empty.
    """
    said, now = set(_told(of_models(before))), of_models(now)
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    number = ledger.loc[ledger["date"] == date, "opening"].str.rsplit("-", n=1).str[1].astype(int).max()
    opening = f"{date}-{1 if pd.isna(number) else number + 1}"
    new: list[dict[str, str | None]] = []
    named: dict[str, list[str]] = {}
    for (run, test_set), rows in now.groupby(["run", "test_set"], sort=False):
        earlier = ledger.loc[(ledger["run"] == run) & (ledger["test_set"] == test_set), "opening"]
        if len(earlier) and said.issuperset(_told(rows)):
            last = earlier.iloc[-1]
        else:
            last = opening
            told = {"opening": opening, "date": date, "commit": commit, "test_set": test_set, "run": run}
            new.append({column: told.get(column) for column in SCHEMAS[LEDGER].columns})
        named.setdefault(run, []).append(last)
    openings = {run: BETWEEN.join(dict.fromkeys(sorted(each))) for run, each in named.items()}
    ledger = pd.concat([ledger, pd.DataFrame(new)], ignore_index=True) if new else ledger
    return ledger, runs.assign(opening=runs["run"].map(openings))


def faults(analysis: Path) -> Iterator[str]:
    """What is wrong with the ledger in a folder and with what is published beside it, a sentence each."""
    ledger = read_openings(analysis / LEDGER)
    yield from untold(ledger)
    results = analysis / "results"
    runs = read_table(results / "runs.csv", "runs.csv").dropna(subset="opening")
    openings = dict(zip(runs["run"], runs["opening"], strict=True))
    entries = set(zip(ledger["opening"], ledger["run"], ledger["test_set"], strict=True))
    published = pd.concat(
        [of_models(read_table(results / name, name)) for name in ("scores.csv", "differences.csv")]
    )
    for run, test_set in published[["run", "test_set"]].drop_duplicates().itertuples(index=False):
        named = openings.get(run, "")
        if not any((opening, run, test_set) in entries for opening in named.split(BETWEEN)):
            yield (
                f"{run} answers for {test_set} ({TEST_SETS[test_set]}), and no row of {LEDGER} is of that run, that "
                f"test set and the opening that runs.csv names ({named or 'none'}): `leadwise publish` enters one."
            )


def untold(ledger: pd.DataFrame) -> Iterator[str]:
    """Rows whose words are still to be written, a sentence each."""
    for row in ledger.to_dict("records"):
        for column, what in _TOLD.items():
            if pd.isna(row[column]):
                whose = row["run"] if pd.notna(row["run"]) else "a trial"
                yield (
                    f"{LEDGER}: {row['opening']}, {whose} on {row['test_set']}, says nothing {what}: "
                    f"write its column {column} by hand."
                )


def opened_text(ledger: pd.DataFrame) -> str:
    """OPENED.md: how often each test set was opened, by whom, and all openings of each, newest last."""
    parts = [
        *_INTRO,
        as_table(
            ("test set", "opened", "by", "trials outside"),
            [_counted(name, ledger[ledger["test_set"] == name]) for name in TEST_SETS],
        ),
    ]
    for name, words in TEST_SETS.items():
        rows = ledger[ledger["test_set"] == name]
        if rows.empty:
            continue
        told = (
            rows.astype(object)
            .fillna("")
            .assign(run=rows["run"].map("`{}`".format).where(rows["run"].notna(), "a trial"))
        )
        columns = ["opening", "commit", "run", "known_before", "changed_after", "cost"]
        heads = ("opening", "commit", "run", "known before", "changed after", "what it may have cost")
        parts += [
            f"## {words[0].upper()}{words[1:]} (`{name}`)",
            as_table(heads, told[columns].itertuples(index=False)),
        ]
    return "\n\n".join(parts) + "\n"


def head(repository: Path) -> str | None:
    """The commit that a clone stands at, 7 digits; None where git does not say."""
    try:
        told = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return told.stdout[:7]


def _told(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows as texts that can be compared; a number counts to nine digits."""
    columns = ["run", *SCHEMAS["differences.csv"].columns]
    shown = rows.reindex(columns=columns)
    for column in ("value", "low", "high"):
        shown[column] = shown[column].astype("Float64").map("{:.9g}".format, na_action="ignore")
    return [
        tuple("" if pd.isna(cell) else str(cell) for cell in row) for row in shown.itertuples(index=False)
    ]


def _counted(name: str, rows: pd.DataFrame) -> tuple[str, str, str, str]:
    """A line of the first table of OPENED.md."""
    openings = rows["opening"].nunique()
    runs = rows.dropna(subset="run").groupby("run", sort=False)["opening"].nunique()
    times = {0: "never", 1: "once"}.get(openings, f"{openings} times")
    by = ", ".join(f"`{run}` {count}" for run, count in runs.items())
    return f"{TEST_SETS[name]} (`{name}`)", times, by, str(rows["run"].isna().sum())
