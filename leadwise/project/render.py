"""How a table of results is made of the published scores: what it shows is told by a specification, never typed.

A `Table` has a line for each place that its rows hold and a column for each `Cell`; a `Listing` has a line for each
`Cell`. The columns of ``scores.csv`` and the keys of its conditions can be asked for alike: `where`, and what names a
line, may say ``protocol`` or ``calibrated``. A name or a value that no row has is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from leadwise.errors import TableError, nearest
from leadwise.names import metric_of, metric_words
from leadwise.scores.draws import ENDS, Interval
from leadwise.scores.printed import printed
from leadwise.scores.table import read_scores, written
from leadwise.tables import read_table

Where = Mapping[str, Any]
"""By column or key of the condition: a value, a tuple of values, or a pattern that must match whole."""


@dataclass(frozen=True)
class Published:
    """The tables in ``analysis/results``: scores and differences, each with its run, and the runs."""

    scores: pd.DataFrame
    differences: pd.DataFrame
    runs: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Published:
        """Read them. Raises MissingInput where one is not there, TableError where it breaks its contract."""
        runs = read_table(folder / "runs.csv", "runs.csv").set_index("run")
        both = [read_scores(folder / name, name) for name in ("scores.csv", "differences.csv")]
        for table, name in zip(both, ("scores.csv", "differences.csv"), strict=True):
            unknown = set(table["run"]) - set(runs.index)
            if unknown:
                raise TableError(f"{folder / name}: run {min(unknown)!r} is not in runs.csv.")
        more = runs[["notebook", "profile"]]
        keys = sorted({key for table in both for one in map(_pairs, table["condition"]) for key in one})
        scores, differences = (_with_conditions(table.join(more, on="run"), keys) for table in both)
        return cls(scores, differences, runs)

    def of(self, profile: str) -> Published:
        """What was published of one profile."""
        scores, differences = (one[one["profile"] == profile] for one in (self.scores, self.differences))
        return Published(scores, differences, self.runs)


@dataclass(frozen=True)
class Cell:
    """One figure: a metric where some columns have other values than the line's; with `minus`, a difference.

    ``minus="*"`` is whichever other model there is.
    """

    metric: str
    heading: str = ""
    where: Where = field(default_factory=dict)
    minus: str = ""
    shown: str = ""

    @property
    def words(self) -> str:
        """What heads the column, or begins the line."""
        return self.heading or metric_words(self.metric)


@dataclass(frozen=True)
class Printed:
    """What others print of the network of a line (`leadwise.scores.printed`), under a protocol."""

    metric: str
    words: str
    of: str
    protocol: str

    def by_model(self) -> dict[str, float]:
        """What is printed of each network that is rebuilt here."""
        told = printed(self.of).query("protocol == @self.protocol").dropna(subset=["model", self.metric])
        return {str(name): float(value) for name, value in zip(told["model"], told[self.metric], strict=True)}


@dataclass(frozen=True)
class _OfDifferences:
    """A sentence on published differences in one metric."""

    where: Where
    metric: str

    def rows(self, published: Published) -> pd.DataFrame:
        """The differences that are told."""
        return _chosen(published.differences, ({"metric": self.metric} | dict(self.where),))


@dataclass(frozen=True)
class Paired(_OfDifferences):
    """Sentences on which paired differences are shown and which are not, one for each `by`.

    By model: what it is above, below, and not shown to differ from; by minus: which models are.
    """

    by: str = "model"
    numbers: bool = True

    def text(self, published: Published) -> str:
        """The sentences, a paragraph each."""
        rows = self.rows(published)
        listed, opening = ("minus", " is") if self.by == "model" else ("model", ":")
        parts = []
        for (task, one), own in rows.groupby(["task", self.by], sort=False):
            verdicts = {
                "above": own["low"] > 0,
                "below": own["high"] < 0,
                "not shown to differ from": (own["low"] <= 0) & (own["high"] >= 0),
            }
            told = []
            for verdict, these in verdicts.items():
                names = [
                    f"`{row[listed]}`" + (f" ({_signed(row)})" if self.numbers else "")
                    for row in own[these].to_dict("records")
                ]
                if names:
                    words = verdict if self.by == "model" else f"{verdict} it"
                    told.append(f"{f'**{words}**' if 'not' in verdict else words} {', '.join(names)}")
            parts.append(
                f"Task {task}, {metric_words(self.metric)}, paired: `{one}`{opening} {'; '.join(told)}."
            )
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Listed(_OfDifferences):
    """A sentence a difference: who, where, minus what, and by how much."""

    names: tuple[str, ...] = ("model",)

    def text(self, published: Published) -> str:
        """The sentences, one after another."""
        rows = self.rows(published).to_dict("records")
        return " ".join(
            f"{', '.join(f'`{row[name]}`' for name in self.names)} minus `{row['minus'].split('=')[-1]}`: "
            f"{written(Interval(*(row[end] for end in ENDS)), '.3f', signed=True)}."
            for row in rows
        )


@dataclass(frozen=True)
class Spanned(_OfDifferences):
    """A sentence on the least and the greatest of several differences, of which none counts for itself."""

    before: str
    after: str = ""
    by: str = "protocol"

    def text(self, published: Published) -> str:
        """The sentence, with a span for each value of `by`."""
        rows = self.rows(published)
        spans = (
            f"{own['value'].min():+.3f} to {own['value'].max():+.3f} (`{one}`)"
            for one, own in rows.groupby(self.by, sort=False)
        )
        return f"{self.before} {', '.join(spans)}{self.after}"


@dataclass(frozen=True)
class Constant:
    """A sentence on who says the same of everything that it is asked."""

    where: Where

    def rows(self, published: Published) -> pd.DataFrame:
        """The scores that are told."""
        return _chosen(published.scores, ({"metric": re.compile("always_.*")} | dict(self.where),))

    def text(self, published: Published) -> str:
        """The sentences, one after another."""
        rows = self.rows(published).to_dict("records")
        return " ".join(
            f"`{row['way'] or row['model']}` under `{row['protocol']}` says "
            f"`{row['metric'].removeprefix('always_')}` of everything in {row['value']:.0f} of {row['n']} folds."
            for row in rows
        )


class Sentence(Protocol):
    """What stands beneath a table: made of published rows, which it tells."""

    def rows(self, published: Published) -> pd.DataFrame:
        """The rows that are told; none where it is about what was not published."""

    def text(self, published: Published) -> str:
        """The sentence, or several; nothing where there is nothing to tell."""


@dataclass(frozen=True)
class Table:
    """A line a place, a column a figure. `where` are the rows' places: any of several."""

    title: str
    where: tuple[Where, ...]
    lines: tuple[str, ...]
    cells: tuple[Cell | Printed, ...]
    said: tuple[Sentence, ...] = ()
    caption: str = ""
    may_lack: bool = False

    def text(self, published: Published) -> str:
        """The table in Markdown, its sentences, and the runs that it is of. Several profiles are told apart."""
        return self.text_and_runs(published)[0]

    def text_and_runs(self, published: Published) -> tuple[str, list[str]]:
        """The same, and the names of those runs."""
        for where in self.where:
            _check_columns(published.scores, where)
        try:
            scores = _chosen(published.scores, self.where)
        except TableError:
            if self.may_lack:
                return "Not yet measured.", []
            raise
        profiles = list(dict.fromkeys(scores["profile"]))
        names = self.lines if len(profiles) == 1 else ("profile", *self.lines)
        _check_columns(published.scores, names)
        own = [cell for cell in self.cells if isinstance(cell, Cell) and not cell.minus and not cell.where]
        main = scores[scores["metric"].isin([cell.metric for cell in own])] if own else scores
        lines = main.drop_duplicates(list(names))[list(names)].to_dict("records")
        heads = [
            *("counted by" if name == "unit" else name for name in names),
            *(cell.words for cell in self.cells),
        ]
        grid, runs = [], dict.fromkeys(main["run"])
        columns: list[list[str]] = []
        for cell in self.cells:
            if isinstance(cell, Printed):
                told = cell.by_model()
                shown = metric_of(cell.metric)[0].shown
                columns.append(
                    [f"{told[one['model']]:{shown}}" if one["model"] in told else "" for one in lines]
                )
                continue
            table = scores if not cell.minus else _chosen(published.differences, self.where)
            found = [_row_of(table, line, cell, names) for line in lines]
            if not any(row is not None for row in found):
                raise TableError(f"table {self.title!r}: no row has what the column {cell.words!r} asks for.")
            runs |= dict.fromkeys(row["run"] for row in found if row is not None)
            columns.append(["" if row is None else _shown(row, cell) for row in found])
        for number, line in enumerate(lines):
            grid.append([*(_named(name, line[name]) for name in names), *(one[number] for one in columns)])
        paragraphs = []
        for sentence in self.said:
            rows = sentence.rows(published)
            runs |= dict.fromkeys(rows.get("run", ()))
            paragraphs.append(_by_profile(sentence, rows, published))
        paragraphs += [_told(published, runs, self.caption)]
        return "\n\n".join([_markdown(heads, grid), *filter(None, paragraphs)]), list(runs)


@dataclass(frozen=True)
class Listing:
    """A line a figure: what it is, its value, its interval."""

    title: str
    where: Where
    head: str
    items: tuple[Cell, ...]
    caption: str = ""

    def text(self, published: Published) -> str:
        """The table in Markdown, and the runs that it is of."""
        return self.text_and_runs(published)[0]

    def text_and_runs(self, published: Published) -> tuple[str, list[str]]:
        """The same, and the names of those runs."""
        scores = _chosen(published.scores, (self.where,))
        grid: list[list[str]] = []
        runs: dict[str, None] = {}
        profiles = list(dict.fromkeys(scores["profile"]))
        for cell in self.items:
            rows = {profile: _row_of(scores, {"profile": profile}, cell, ()) for profile in profiles}
            if not any(row is not None for row in rows.values()):
                raise TableError(f"table {self.title!r}: no row has what the line {cell.words!r} asks for.")
            for profile, row in rows.items():
                if row is None:
                    continue
                runs[row["run"]] = None
                shown = cell.shown or metric_of(cell.metric)[0].shown
                ends = "" if pd.isna(row["low"]) else f"{row['low']:{shown}} to {row['high']:{shown}}"
                words = cell.words if len(profiles) == 1 else f"{cell.words} (`{profile}`)"
                grid.append([words, f"{row['value']:{shown}}", ends, _named("n", row["n"])])
        heads = [self.head, "measured", "95 % interval", "n"]
        return f"{_markdown(heads, grid)}\n\n{_told(published, runs, self.caption)}", list(runs)


def _by_profile(sentence: Sentence, rows: pd.DataFrame, published: Published) -> str:
    """A sentence of each profile of which it tells `rows`, after its name where there are several."""
    profiles = [] if rows.empty else list(dict.fromkeys(rows["profile"]))
    if len(profiles) < 2:
        return sentence.text(published)
    return "\n\n".join(f"`{profile}`: {sentence.text(published.of(profile))}" for profile in profiles)


def _told(published: Published, runs: Mapping[str, None], caption: str) -> str:
    """What the table is, then each run that it is of: command, minutes, machine, note."""
    told = [caption] if caption else []
    for run in runs:
        one = published.runs.loc[run]
        note = "" if pd.isna(one["note"]) else f" {one['note']}"
        told.append(f"`{one['command']}`: {one['minutes']:g} minutes on {one['hardware']}.{note}")
    return " ".join(told)


def _chosen(table: pd.DataFrame, places: Sequence[Where]) -> pd.DataFrame:
    """The rows of any of the places. Raises TableError for a name that is none, and where no row is left."""
    kept = pd.Series(False, index=table.index)
    for where in places:
        _check_columns(table, where)
        here = pd.Series(True, index=table.index)
        for name, wanted in where.items():
            column = table[name]
            if isinstance(wanted, re.Pattern):
                here &= column.astype(str).map(lambda text, wanted=wanted: bool(wanted.fullmatch(text)))
            else:
                here &= column.isin(wanted if isinstance(wanted, tuple) else (wanted,))
        kept |= here
    if not kept.any():
        raise TableError(f"no published row has {' or '.join(str(dict(where)) for where in places)}.")
    return table[kept]


def _check_columns(table: pd.DataFrame, names: Any) -> None:
    for name in names:
        if name not in table:
            raise TableError(f"scores have no column or condition {name!r}; {nearest(name, list(table))}")


def _row_of(
    table: pd.DataFrame, line: Mapping[str, Any], cell: Cell, lines: Sequence[str]
) -> dict[str, Any] | None:
    """The row of a cell in a line, None where there is none. Raises TableError for several."""
    _check_columns(table, cell.where)
    wanted = dict(line) | dict(cell.where)
    rows = table[table["metric"] == cell.metric]
    if cell.minus:
        other = rows["minus"] == cell.minus if cell.minus != "*" else ~rows["minus"].str.contains("=")
        rows = rows[other]
    for name, value in wanted.items():
        rows = rows[rows[name].isin(value if isinstance(value, tuple) else (value,))]
    if len(rows) > 1:
        apart = [name for name in rows if name not in {*ENDS, "condition"} and len(set(rows[name])) > 1]
        raise TableError(
            f"{len(rows)} rows have {wanted} and the metric {cell.metric!r}: they differ in {', '.join(apart)}. "
            f"Let the table's lines ({', '.join(lines)}) or its rows name that."
        )
    return None if rows.empty else dict(rows.iloc[0])


def _shown(row: Mapping[str, Any], cell: Cell) -> str:
    shown = cell.shown or metric_of(cell.metric)[0].shown
    return written(Interval(*(float(row[end]) for end in ENDS)), shown, signed=bool(cell.minus))


def _signed(row: Mapping[str, Any]) -> str:
    return "{value:+.3f}, {low:+.3f} to {high:+.3f}".format(**row)


def _named(name: str, value: Any) -> str:
    if name == "seeds":
        return str(len(str(value).split("/"))) if value else ""
    if name == "n":
        return "" if pd.isna(value) else f"{value:,}"
    return f"`{value}`" if name in {"model", "protocol"} and value else str(value)


def _markdown(heads: Sequence[str], grid: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *grid]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _with_conditions(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The table with a column for each key of conditions, empty where a row has none of it."""
    if clash := set(keys) & set(table):
        raise TableError(f"condition {min(clash)!r} is called as a column is.")
    told = [_pairs(text) for text in table["condition"]]
    return table.assign(**{key: [one.get(key, "") for one in told] for key in keys})


def _pairs(condition: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in condition.split(";")) if condition else {}
