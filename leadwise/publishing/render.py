"""How a table of results is made of the published scores: what it shows is told by a specification, never typed.

A `Table` has a line for each place that its rows hold and a column for each `Cell`; a `Listing` has a line for each
`Cell`. The columns of ``scores.csv`` and the keys of its conditions can be asked for alike: `where`, and what names a
line, may say ``protocol`` or ``calibrated``. A name or a value that no row has is refused.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from leadwise.errors import TableError, nearest
from leadwise.names import metric_of, metric_words
from leadwise.publishing.markdown import as_table
from leadwise.scores.draws import ENDS, Interval, detectable
from leadwise.scores.printed import printed
from leadwise.scores.table import read_scores, written
from leadwise.tables import read_table

Where = Mapping[str, Any]
"""By column or key of the condition: a value, a tuple of values, or a pattern that must match whole."""

ANOTHER_MODEL = re.compile("[^=]+")
"""As `Cell.minus`: whichever other model there is."""


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
        tables = {name: read_scores(folder / name, name) for name in ("scores.csv", "differences.csv")}
        for name, table in tables.items():
            if unknown := set(table["run"]) - set(runs.index):
                raise TableError(f"{folder / name}: run {min(unknown)!r} is not in runs.csv.")
        keys = sorted(
            {key for table in tables.values() for pairs in map(_pairs, table["condition"]) for key in pairs}
        )
        about = runs[["notebook", "profile"]]
        scores, differences = (
            _with_conditions(table.join(about, on="run"), keys) for table in tables.values()
        )
        return cls(scores, differences, runs)


@dataclass(frozen=True)
class Cell:
    """One figure: a metric where some columns have other values than the line's; with `minus`, a difference."""

    metric: str
    heading: str = ""
    where: Where = field(default_factory=dict)
    minus: str | re.Pattern[str] = ""
    shown: str = ""

    @property
    def words(self) -> str:
        """What heads the column, or begins the line."""
        return self.heading or metric_words(self.metric)

    @property
    def form(self) -> str:
        """How its value is written."""
        return self.shown or metric_of(self.metric)[0].shown


@dataclass(frozen=True)
class Printed:
    """What others print of the network of a line (`leadwise.scores.printed`), under a protocol."""

    metric: str
    words: str
    of: str
    protocol: str

    def column(self, models: Iterable[str]) -> list[str]:
        """What is printed of each of these networks; nothing of one that is not rebuilt here."""
        rows = printed(self.of).query("protocol == @self.protocol").dropna(subset=["model", self.metric])
        by_model = rows.set_index("model")[self.metric]
        shown = metric_of(self.metric)[0].shown
        return [f"{by_model[model]:{shown}}" if model in by_model else "" for model in models]


@dataclass(frozen=True)
class Sentence:
    """What stands beneath a table: `write` makes it of the published rows that have `where`, each profile's apart."""

    where: Where
    write: Callable[[pd.DataFrame], str]
    table: Literal["scores", "differences"] = "differences"

    def text_and_runs(self, published: Published) -> tuple[str, list[str]]:
        """The sentence, after the profile's name where there are several, and the runs of its rows."""
        rows = _chosen(getattr(published, self.table), (self.where,))
        by_profile = {str(profile): self.write(part) for profile, part in rows.groupby("profile", sort=False)}
        return told_apart(by_profile), list(rows["run"])


@dataclass(frozen=True)
class Section(ABC):
    """What stands under a title of RESULTS.md; its table alone (`text`) goes into README and cards."""

    title: str
    intro: str = field(default="", kw_only=True)
    pictures: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """What each of these files in ``analysis/figures`` shows."""
    caption: str = field(default="", kw_only=True)

    @abstractmethod
    def text_and_runs(self, published: Published) -> tuple[str, list[str]]:
        """The table in Markdown, and the names of the runs that it is of. Several profiles are told apart."""

    def text(self, published: Published) -> str:
        """The table in Markdown."""
        return self.text_and_runs(published)[0]

    def _captioned(self, published: Published, runs: Iterable[str]) -> str:
        """What the table is, then each run that it is of: command, minutes, machine, note."""
        parts = [self.caption] if self.caption else []
        for name in runs:
            run = published.runs.loc[name]
            note = "" if pd.isna(run["note"]) else f" {run['note']}"
            parts.append(f"`{run['command']}`: {run['minutes']:g} minutes on {run['hardware']}.{note}")
        return " ".join(parts)


@dataclass(frozen=True)
class Table(Section):
    """A line a place, a column a figure. `where` are the rows' places: any of several.

    A line of several seeds that are published alone too has their spread, lowest to highest, in each cell instead of
    lines of their own; with `each_seed` both. Beneath it stand its `sentences`, its `remarks`, which are about what
    no row says, and of which lines not every seed is published alone.
    """

    where: tuple[Where, ...]
    lines: tuple[str, ...]
    cells: tuple[Cell | Printed, ...]
    sentences: tuple[Sentence, ...] = ()
    remarks: tuple[Callable[[Published], str], ...] = ()
    may_lack: bool = False
    each_seed: bool = False

    def text_and_runs(self, published: Published) -> tuple[str, list[str]]:
        """The table in Markdown, and the names of the runs that it is of."""
        scores = _chosen(published.scores, self.where, may_lack=self.may_lack)
        if scores.empty:
            return "Not yet measured.", []
        names = self.lines if len(set(scores["profile"])) == 1 else ("profile", *self.lines)
        _check_columns(scores, names)
        of_lines = [
            cell.metric for cell in self.cells if isinstance(cell, Cell) and not (cell.minus or cell.where)
        ]
        main = scores[scores["metric"].isin(of_lines)] if of_lines else scores
        lines, seeds_of = _by_seeds(main[list(names)].drop_duplicates().to_dict("records"), self.each_seed)
        runs = dict.fromkeys(main["run"])
        heads = ["counted by" if name == "unit" else name for name in names]
        columns = [[_named(name, line[name]) for line in lines] for name in names]
        differences: list[Any] = []
        for cell in self.cells:
            heads.append(cell.words)
            if isinstance(cell, Printed):
                columns.append(cell.column(line["model"] for line in lines))
                continue
            table = _chosen(published.differences, self.where) if cell.minus else scores
            rows = [_row_of(table, line, cell, names) for line in lines]
            differences += [row for row in rows if row and cell.minus]
            if not any(rows):
                raise TableError(f"table {self.title!r}: no row has what the column {cell.words!r} asks for.")
            runs |= dict.fromkeys(row["run"] for row in rows if row)
            of_seeds = [[_row_of(table, one, cell, names) for one in seeds] for seeds in seeds_of]
            columns.append(
                [
                    _shown(row, cell) + _spread(alone, cell) if row else ""
                    for row, alone in zip(rows, of_seeds, strict=True)
                ]
            )
        paragraphs = [as_table(heads, zip(*columns, strict=True))]
        for sentence in self.sentences:
            text, its_runs = sentence.text_and_runs(published)
            paragraphs.append(text)
            runs |= dict.fromkeys(its_runs)
            if sentence.table == "differences":
                differences += _chosen(published.differences, (sentence.where,)).to_dict("records")
        paragraphs.append(_could_be_found(differences))
        paragraphs += [remark(published) for remark in self.remarks]
        paragraphs.append(_without_spread(lines, seeds_of))
        paragraphs.append(self._captioned(published, runs))
        return "\n\n".join(filter(None, paragraphs)), list(runs)


@dataclass(frozen=True)
class Listing(Section):
    """A line a figure: what it is, its value, its interval.

    With `credits`, by test set whose its data are, each line also has its unit, seeds, data and run.
    """

    where: Where
    head: str
    cells: tuple[Cell, ...]
    credits: Mapping[str, str] = field(default_factory=dict)

    def text_and_runs(self, published: Published) -> tuple[str, list[str]]:
        """The table in Markdown, and the names of the runs that it is of."""
        scores = _chosen(published.scores, (self.where,))
        profiles = list(dict.fromkeys(scores["profile"]))
        lines = []
        runs: dict[str, None] = {}
        for cell in self.cells:
            rows = [_row_of(scores, {"profile": profile}, cell, ()) for profile in profiles]
            if not any(rows):
                raise TableError(f"table {self.title!r}: no row has what the line {cell.words!r} asks for.")
            for row in filter(None, rows):
                runs[row["run"]] = None
                ends = "" if pd.isna(row["low"]) else f"{row['low']:{cell.form}} to {row['high']:{cell.form}}"
                words = cell.words if len(profiles) == 1 else f"{cell.words} (`{row['profile']}`)"
                lines.append([words, f"{row['value']:{cell.form}}", ends, _named("n", row["n"])])
                if self.credits:
                    by = published.runs.loc[row["run"], "notebook"]
                    lines[-1][-1] += f" {row['unit']}s"
                    lines[-1] += [_named("seeds", row["seeds"]), self.credits[row["test_set"]], f"`{by}`"]
        of_credits = ["seeds", "data", "run"] if self.credits else []
        heads = [self.head, "measured", "95 % interval", "n", *of_credits]
        below = self.caption if self.credits else self._captioned(published, runs)
        return f"{as_table(heads, lines)}\n\n{below}", list(runs)


def figure(published: Published, cell: Cell) -> str:
    """The one published row that a cell asks for, as a table has it.

    Raises TableError where there is no such row, or several.
    """
    row = _row_of(published.differences if cell.minus else published.scores, {}, cell, ("where",))
    if row is None:
        minus = f", minus {cell.minus!r}," if cell.minus else ""
        raise TableError(f"no published row of {cell.metric!r}{minus} has {dict(cell.where)}.")
    return _shown(row, cell)


def _could_be_found(differences: Sequence[Mapping[str, Any]]) -> str:
    """How small a difference these comparisons find with 80 % power, by metric, and by n where there are several.

    Nothing where there are none.
    """
    least: dict[tuple[str, int], list[float]] = {}
    for row in differences:
        interval = Interval(*(float(row[end]) for end in ENDS))
        if interval.low < interval.high:  # a model does not differ from itself
            least.setdefault((row["metric"], row["n"]), []).append(detectable(interval))
    several = len({n for _, n in least}) > 1
    spans = [
        f"{' to '.join(dict.fromkeys(f'{end:{metric_of(name)[0].shown}}' for end in (min(sizes), max(sizes))))} in "
        f"{metric_words(name)}{f' (n = {n:,})' if several else ''}"
        for (name, n), sizes in least.items()
    ]
    if not spans:
        return ""
    return (
        f"Between these trainings a difference is found with 80 % power where it is at least {', '.join(spans)}; "
        "one that is not shown may be smaller, and is not shown to be nothing."
    )


def told_apart(by_profile: Mapping[str, str]) -> str:
    """Texts of several profiles, each after its profile's name; of one alone the text."""
    if len(by_profile) == 1:
        return next(iter(by_profile.values()))
    return "\n\n".join(f"`{profile}`: {text}" for profile, text in by_profile.items())


def _chosen(table: pd.DataFrame, places: Sequence[Where], *, may_lack: bool = False) -> pd.DataFrame:
    """The rows of any of the places. Raises TableError for a name that is none, and where no row is left."""
    kept = pd.Series(False, index=table.index)
    for where in places:
        kept |= _has(table, where)
    if not (kept.any() or may_lack):
        raise TableError(f"no published row has {' or '.join(str(dict(where)) for where in places)}.")
    return table[kept]


def _has(table: pd.DataFrame, where: Where) -> pd.Series:
    """Which rows have all these values. Raises TableError for a name that is none."""
    _check_columns(table, where)
    here = pd.Series(True, index=table.index)
    for name, wanted in where.items():
        if isinstance(wanted, re.Pattern):
            here &= table[name].astype(str).str.fullmatch(wanted)
        else:
            here &= table[name].isin(wanted if isinstance(wanted, tuple) else (wanted,))
    return here


def _check_columns(table: pd.DataFrame, names: Iterable[str]) -> None:
    for name in names:
        if name not in table:
            raise TableError(f"scores have no column or condition {name!r}; {nearest(name, list(table))}")


def _row_of(
    table: pd.DataFrame, line: Mapping[str, Any], cell: Cell, lines: Sequence[str]
) -> dict[str, Any] | None:
    """The row of a cell in a line, None where there is none. Raises TableError for several."""
    wanted = dict(line) | dict(cell.where)
    difference = {"minus": cell.minus} if cell.minus else {}
    rows = table[_has(table, wanted | difference | {"metric": cell.metric})]
    if len(rows) > 1:
        apart = [name for name in rows if name not in {*ENDS, "condition"} and len(set(rows[name])) > 1]
        raise TableError(
            f"{len(rows)} rows have {wanted} and the metric {cell.metric!r}: they differ in {', '.join(apart)}. "
            f"Let the table's lines ({', '.join(lines)}) or its rows name that."
        )
    return None if rows.empty else dict(rows.iloc[0])


def _shown(row: Mapping[str, Any], cell: Cell) -> str:
    return written(Interval(*(float(row[end]) for end in ENDS)), cell.form, signed=bool(cell.minus))


Line = dict[str, Any]


def _by_seeds(lines: list[Line], each_seed: bool) -> tuple[list[Line], list[list[Line]]]:
    """The lines to show, and for each the places of its seeds alone, where all of them are published.

    A seed alone has a line where `each_seed` is wanted, or where not all of its like are published.
    """
    seeds_of = []
    for line in lines:
        seeds = str(line.get("seeds", "")).split("/")
        alone = [line | {"seeds": seed} for seed in seeds] if len(seeds) > 1 else []
        seeds_of.append(alone if all(one in lines for one in alone) else [])
    within = [one for alone in seeds_of for one in alone]
    shown = [number for number, line in enumerate(lines) if each_seed or line not in within]
    return [lines[number] for number in shown], [seeds_of[number] for number in shown]


def _spread(rows: Sequence[Mapping[str, Any] | None], cell: Cell) -> str:
    """What the seeds have each alone, lowest to highest, behind their mean; nothing where not all have it."""
    values = [row["value"] for row in rows if row]
    if not rows or len(values) < len(rows):
        return ""
    sign = "+" if cell.minus else ""
    return f"; seeds {min(values):{sign}{cell.form}} to {max(values):{sign}{cell.form}}"


def _without_spread(lines: Sequence[Line], seeds_of: Sequence[Sequence[Line]]) -> str:
    """Of which means over seeds not all seeds are published alone, a sentence; an ensemble of them is no mean."""
    lacking = [
        _named("model", line["model"]) if "model" in line else "these"
        for line, alone in zip(lines, seeds_of, strict=True)
        if "/" in str(line.get("seeds", "")) and not alone and not line.get("ensemble")
    ]
    if not lacking:
        return ""
    return (
        f"Not every seed of {', '.join(dict.fromkeys(lacking))} is published alone, so their spread is "
        "not shown."
    )


def _named(name: str, value: Any) -> str:
    if name == "seeds":
        return str(value).replace("/", ", ")
    if name == "n":
        return "" if pd.isna(value) else f"{value:,}"
    return f"`{value}`" if name in {"model", "protocol"} and value else str(value)


def _with_conditions(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The table with a column for each key of conditions, empty where a row has none of it."""
    if clash := set(keys) & set(table):
        raise TableError(f"condition {min(clash)!r} is called as a column is.")
    pairs = [_pairs(text) for text in table["condition"]]
    return table.assign(**{key: [of_row.get(key, "") for of_row in pairs] for key in keys})


def _pairs(condition: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in condition.split(";")) if condition else {}
