"""The tables that notebooks hand each other: one reader and one writer, which check every column.

A schema says of each column its kind, whether it may be empty, and which values are allowed. Units stand
in the names. Readers and writers use the same check, so a table that was written can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from leadwise.errors import MissingInput, TableError, nearest
from leadwise.files import written_whole
from leadwise.names import (
    AAMI,
    CLASSES,
    DECIDED,
    LEADS,
    METRICS,
    RATIOS,
    SYMBOLS,
    TASKS,
    TEST_SETS,
    WINDOW_LABELS,
    metric_of,
)

PAGE_ID_DIGITS = 12
"""A page's name is the first 12 hex digits of its sha256: 491 pages, 48 bits, no collision in sight."""


@dataclass(frozen=True)
class Column:
    """What one column may hold; ``low`` and ``high`` are inclusive, ``pattern`` must match whole."""

    kind: Literal["text", "whole", "number", "truth"]
    null: bool = False
    allowed: tuple[str, ...] | None = None
    pattern: str | None = None
    low: float | None = None
    high: float | None = None


Fault = tuple[str, pd.Series, str]
"""A column, which of its rows are wrong, if any, and why."""


@dataclass(frozen=True)
class Schema:
    """The columns of one table, the key that is unique, the optional ones, and the prefix of open ones."""

    columns: dict[str, Column]
    key: tuple[str, ...]
    optional: dict[str, Column] = field(default_factory=dict)
    prefix: tuple[str, Column] | None = None
    rule: Callable[[pd.DataFrame], Iterable[Fault]] = lambda _: ()


def read_table(path: Path, name: str) -> pd.DataFrame:
    """Read one of the tables and check it.

    ``name`` is one of `SCHEMAS`; ``path`` may have any file name. Text that is missing is NaN, whole numbers and
    truths that may be missing come as ``Int64`` and ``boolean``.
    Raises MissingInput where there is no such file and TableError where it breaks its contract.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingInput(f"{path}: no such table. The notebook that writes {name} must run first.")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: not a CSV table ({error}). Make it again.") from error
    return checked(frame, name, str(path))


def write_table(frame: pd.DataFrame, path: Path, name: str) -> None:
    """Check a table against the contract ``name`` and write it whole or not at all.

    Columns are put in the contract's order. Raises TableError and then writes nothing.
    """
    path = Path(path)
    frame = checked(frame, name, str(path))
    with written_whole(path) as aside:
        frame.to_csv(aside, index=False, encoding="utf-8", lineterminator="\n")


def checked(frame: pd.DataFrame, name: str, where: str) -> pd.DataFrame:
    """Put a table into the contract's column order and types, or raise a TableError that names the fault.

    ``where`` opens the message: the file's path, or what the table is.
    """
    if name not in SCHEMAS:
        raise TableError(f"{where}: no contract named {name!r}; {nearest(name, SCHEMAS)}")
    schema = SCHEMAS[name]
    columns = _columns_present(frame, schema, where, name)
    out = pd.DataFrame({column: _converted(frame[column], spec, where) for column, spec in columns.items()})
    repeated = out.duplicated([c for c in schema.key if c in columns], keep="first")
    if repeated.any():
        row = int(repeated.to_numpy().argmax())
        twice = ", ".join(f"{c} {str(out[c].iloc[row])!r}" for c in schema.key if c in columns)
        raise TableError(f"{where}: row {row + 1} repeats {twice}. Each may stand in {name} once.")
    for column, wrong, why in schema.rule(out):
        if wrong.any():
            raise TableError(f"{where}: column {column!r}, row {int(wrong.to_numpy().argmax()) + 1}: {why}")
    return out


def _columns_present(frame: pd.DataFrame, schema: Schema, where: str, name: str) -> dict[str, Column]:
    """Specification by column name, in the order of the file to be; refuses a lacking or unknown column."""
    doubled = frame.columns[frame.columns.duplicated()]
    if len(doubled):
        raise TableError(f"{where}: column {doubled[0]!r} stands twice in {name}.")
    lacking = [column for column in schema.columns if column not in frame.columns]
    if lacking:
        raise TableError(
            f"{where}: column {lacking[0]!r} is missing; {name} must have {', '.join(schema.columns)}."
        )
    known = schema.columns | schema.optional
    present = {column: spec for column, spec in known.items() if column in frame.columns}
    for column in frame.columns:
        if column not in present:
            if schema.prefix is None or not str(column).startswith(schema.prefix[0]):
                raise TableError(f"{where}: {name} has no column {column!r}; {nearest(str(column), known)}")
            present[column] = schema.prefix[1]
    return present


def _converted(values: pd.Series, spec: Column, where: str) -> pd.Series:
    """One column as its kind, every value within what is allowed."""
    values = values.reset_index(drop=True)
    if spec.kind == "text":
        values = values.mask(values.astype("string").eq("").fillna(False).astype(bool))  # as a file has it
    empty = values.isna()
    if not spec.null:
        _refuse(empty, values, where, "is empty and must not be")
    if spec.kind == "truth":
        truth = values.map({True: True, False: False, "True": True, "False": False}, na_action="ignore")
        _refuse(truth.isna() & ~empty, values, where, "is neither True nor False")
        return truth.astype("boolean" if spec.null else "bool")
    if spec.kind == "text":
        text = values.map(str, na_action="ignore")
        if spec.allowed is not None:
            allowed = ", ".join(spec.allowed)
            _refuse(~text.isin(spec.allowed) & ~empty, values, where, f"is not one of {allowed}")
        if spec.pattern is not None:
            fits = text.astype("string").str.fullmatch(spec.pattern).fillna(True).astype(bool)
            _refuse(~fits, values, where, f"does not look like {spec.pattern}")
        return text
    number = pd.to_numeric(values, errors="coerce").astype("Float64")
    _refuse(number.isna() & ~empty, values, where, "is no number")
    if spec.low is not None:
        _refuse((number < spec.low).fillna(False), values, where, f"is below {spec.low:g}")
    if spec.high is not None:
        _refuse((number > spec.high).fillna(False), values, where, f"is above {spec.high:g}")
    if spec.kind == "whole":
        _refuse((number % 1 != 0).fillna(False), values, where, "is no whole number")
        return number.astype("Int64" if spec.null else "int64")
    _refuse((number.abs() == float("inf")).fillna(False), values, where, "is not finite")
    return number.astype("float64")


def _refuse(wrong: pd.Series, values: pd.Series, where: str, why: str) -> None:
    """TableError for the first row that is wrong, if any."""
    wrong = wrong.astype(bool)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise TableError(f"{where}: column {values.name!r}, row {row + 1}: {str(values.iloc[row])!r} {why}.")


def _answers_are_probabilities(frame: pd.DataFrame) -> Iterator[Fault]:
    """Each row holds a probability for each class of its task, no other, and they add up to 1."""
    probabilities = frame[[column for column in frame.columns if column.startswith("prob_")]]
    for task, classes in TASKS.items():
        here, names = frame["task"] == task, ", ".join(classes)
        yield (
            "label",
            here & ~frame["label"].isin(classes),
            f"task {task!r} has the classes {names} and no other.",
        )
        wanted = [column in {f"prob_{name}" for name in classes} for column in probabilities]
        wrong = (probabilities.notna() != wanted).any(axis=1) | (sum(wanted) < len(classes))
        yield "prob_*", here & wrong, f"task {task!r} needs prob_ of {names} and no other."
    several = frame["task"] == "hearts"  # each superclass by itself: several may hold, or none
    wrong = (
        (probabilities.sum(axis=1) - 1).abs() > 1e-3
    ) & ~several  # float32 softmax with seven digits is well within
    yield "prob_*", wrong, "the probabilities do not add up to 1. Write the softmax of the raw logits."
    wrong = (frame["role"] == "inner") != frame["held_out"].notna()
    yield "held_out", wrong, "inner answers name the held-out fold, test answers leave it empty."


def _scores_say_what_they_need(frame: pd.DataFrame) -> Iterator[Fault]:
    """Each row has what its metric cannot do without: protocol (with task, test set and unit), n, interval."""
    declared = {}
    for name in frame["metric"].unique():
        try:
            declared[name] = metric_of(name)[0]
        except KeyError:
            yield "metric", frame["metric"] == name, f"{name!r} is no metric; {nearest(name, METRICS)}"
    needs = {"protocol": ("protocol", "task", "test_set", "unit"), "n": ("n",), "interval": ("low", "high")}
    for need, columns in needs.items():
        needed = frame["metric"].map({name: getattr(metric, need) for name, metric in declared.items()})
        for column in columns:
            lacks = needed & frame[column].isna()
            metric = next(iter(frame.loc[lacks, "metric"]), "")
            lacking = need if need == "interval" else column
            yield column, lacks, f"is empty, and {metric!r} says nothing without its {lacking}."
    outside = (frame["low"] > frame["high"]).fillna(False)
    yield "low", outside, "is above the other end of the interval."


_TEXT = Column("text")
_WHOLE = Column("whole", low=0)
_FROM_ONE = Column("whole", low=1)
_NUMBER = Column("number")
_LABEL = Column("text", allowed=CLASSES)
_PAGE_ID = Column("text", pattern="[0-9a-f]{12}")
_CONDITION = Column("text", null=True, pattern=r"[a-z_]+=[^;=]+(;[a-z_]+=[^;=]+)*")
_NAME = Column("text", pattern="[a-z0-9_]+")
_POSITIVE = Column("number", low=0)
_CORRELATION = Column("number", null=True, low=-1 - 1e-6, high=1 + 1e-6)  # rounding may lead out by a little


def _scores(**minus: Column) -> Schema:
    """The contract of ``scores.csv``; of ``differences.csv`` with `minus`, which stands behind the model."""
    columns = {
        "task": Column("text", null=True, pattern="[a-z0-9_]+"),
        "protocol": Column("text", null=True, pattern="[a-z0-9_]+"),
        "test_set": Column("text", null=True, allowed=tuple(TEST_SETS)),
        "model": _NAME,
        **minus,
        "weights": Column(
            "text", null=True, allowed=("random", "pretrained", "file", "mitdb", "drawn", "published")
        ),
        "condition": _CONDITION,
        "unit": Column("text", null=True, pattern="[a-z]+"),
        "counted": Column("text", null=True, pattern="[a-z0-9_]+"),
        "average": Column("text", null=True, allowed=("gross", "record")),
        "seeds": Column("text", null=True, pattern="[0-9]+(/[0-9]+)*"),
        "n": Column("whole", null=True, low=0),
        "metric": _TEXT,
        "value": _NUMBER,
        "low": Column("number", null=True),
        "high": Column("number", null=True),
    }
    key = ("run", *(name for name in columns if name not in {"n", "value", "low", "high"}))
    return Schema(columns, key, optional={"run": _TEXT}, rule=_scores_say_what_they_need)


SCHEMAS: dict[str, Schema] = {
    "pages.csv": Schema(
        columns={
            "page_id": _PAGE_ID,
            "path": _TEXT,
            "label": _LABEL,
            "copies": _FROM_ONE,
            "sha256": Column("text", pattern="[0-9a-f]{64}"),
            "width_px": _FROM_ONE,
            "height_px": _FROM_ONE,
            "recording_id": Column("text", null=True, pattern="[0-9]{4,9}"),
            "sex": Column("text", null=True, allowed=("male", "female")),
            "recorded_at": Column("text", null=True, pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"),
            "heart_rate_bpm": Column("whole", null=True, low=20, high=350),
            "lead_off": Column("truth", null=True),
        },
        key=("page_id",),
    ),
    "leads.csv": Schema(
        columns={
            "page_id": _PAGE_ID,
            "lead": Column("text", allowed=(*LEADS, "strip")),
            **{f"{axis}{corner}": _NUMBER for corner in range(4) for axis in "xy"},
            "pixels_per_s": _POSITIVE,
            "pixels_per_mv": _POSITIVE,
            "rotation_deg": _NUMBER,
            "scale": _POSITIVE,
            "rhythm_lead": Column("text", null=True, allowed=LEADS),
            "quality": Column("number", null=True, low=0, high=1),
        },
        key=("page_id", "lead"),
    ),
    "quality.csv": Schema(
        columns={
            "page_id": _PAGE_ID,
            "quality": Column("number", low=0, high=1),
            "rotation_deg": _NUMBER,
            "scale": _POSITIVE,
            "rhythm_lead": Column("text", null=True, allowed=LEADS),
            "strip_correlation": Column("number", null=True, low=-1, high=1),
            "heart_rate_bpm": Column("number", null=True, low=0),
            "einthoven_correlation": Column("number", null=True, low=-1, high=1),
            "einthoven_rms_mv": Column("number", null=True, low=0),
            "goldberger_rms_mv": Column("number", null=True, low=0),
        },
        key=("page_id",),
    ),
    "read_pages.csv": Schema(
        columns={
            "page": _TEXT,
            "record": _TEXT,
            "form": _TEXT,
            "grid": _TEXT,
            "turn_degrees": _NUMBER,
            "read": Column("truth"),
            "why": Column("text", null=True),
            "seconds": Column("number", low=0),
            "read_form": Column("text", null=True),
            "layout_right": Column("truth", null=True),
            "raw_db": Column("number", null=True),
            "aligned_db": Column("number", null=True),
            "read_share": Column("number", null=True, low=0, high=1),
            "einthoven": _CORRELATION,
            "goldberger": _CORRELATION,
            "strip_alike": _CORRELATION,
            "warnings": Column("text", null=True),
        },
        key=("page",),
    ),
    "folds.csv": Schema(
        columns={
            "protocol": _NAME,
            "unit": Column("text", allowed=("page", "record", "window", "beat")),
            "unit_id": _TEXT,
            "group_id": _TEXT,
            "seed": _WHOLE,
            "fold": _FROM_ONE,
            "part": Column("text", allowed=("test", "train", "val")),
            "inner": Column("whole", null=True, low=1),
        },
        optional={"path": _TEXT, "label": _LABEL},  # of pages, whose files may be what is split
        key=("protocol", "seed", "fold", "part", "unit_id", "path"),
    ),
    "predictions.csv": Schema(
        columns={
            "unit": Column("text", allowed=("page", "lead", "window", "beat", "record")),
            "unit_id": _TEXT,
            "group_id": _TEXT,
            "model": _TEXT,
            "profile": _TEXT,
            "task": _NAME,
            "protocol": _NAME,
            "seed": _WHOLE,
            "fold": _FROM_ONE,
            "role": Column("text", allowed=("test", "inner", "val")),
            "held_out": Column("whole", null=True, low=1),
            "label": _TEXT,
        },
        optional={"lead": Column("text", null=True, allowed=LEADS), "condition": _CONDITION},
        prefix=("prob_", Column("number", null=True, low=0, high=1 + 1e-6)),
        key=(
            "unit",
            "unit_id",
            "lead",
            "model",
            "task",
            "protocol",
            "condition",
            "seed",
            "fold",
            "role",
            "held_out",
        ),
        rule=_answers_are_probabilities,
    ),
    "calibration.csv": Schema(
        columns={
            "model": _TEXT,
            "task": _NAME,
            "protocol": _NAME,
            "seed": _WHOLE,
            "fold": _FROM_ONE,
            "temperature": _POSITIVE,
        },
        prefix=("bias_", Column("number", null=True)),
        key=("model", "task", "protocol", "seed", "fold"),
    ),
    "history.csv": Schema(
        columns={
            "fold": _FROM_ONE,
            "seed": _WHOLE,
            "epoch": _POSITIVE,
            "step": _WHOLE,
            "loss": Column("number", null=True),
            "lr": Column("number", null=True, low=0),
            "seconds": _POSITIVE,
        },
        optional={
            "model": _TEXT,
            "task": _NAME,
            "protocol": _NAME,
            "role": Column("text", allowed=("test", "inner")),
            "held_out": Column("whole", null=True, low=1),
        },
        prefix=("inner_", Column("number", null=True)),
        key=("model", "task", "protocol", "seed", "fold", "role", "held_out", "step"),
    ),
    "scores.csv": _scores(),
    "differences.csv": _scores(minus=_TEXT),
    "runs.csv": Schema(
        columns={
            "run": _TEXT,
            "notebook": _TEXT,
            "profile": _TEXT,
            "command": _TEXT,
            "hardware": _TEXT,
            "versions": Column("text", null=True),
            "precision": Column("text", null=True),
            "minutes": _POSITIVE,
            "opening": Column("text", null=True),
            "note": Column("text", null=True),
        },
        key=("run",),
    ),
    "openings.csv": Schema(
        columns={
            "opening": Column("text", pattern=r"\d{4}-\d\d-\d\d-[1-9]\d*"),
            "date": Column("text", pattern=r"\d{4}-\d\d-\d\d"),
            "commit": Column("text", null=True, pattern="[0-9a-f]{7}"),
            "test_set": Column("text", allowed=tuple(TEST_SETS)),
            "run": Column("text", null=True),
            **dict.fromkeys(("known_before", "changed_after", "cost"), Column("text", null=True)),
        },
        key=("opening", "run", "test_set"),
    ),
    "records.csv": Schema(
        columns={
            "record": _TEXT,
            "group_id": _TEXT,
            "part": Column("text", allowed=("ds1", "ds2", "paced", "svdb", "other")),
            "lead": _TEXT,
            "channel": _WHOLE,
            "leads": _TEXT,
            "rate_hz": _POSITIVE,
            "seconds": _POSITIVE,
            "beats": _WHOLE,
            **{f"beats_{name}": _WHOLE for name in AAMI},
            "flutter_waves": _WHOLE,
            "windows": _WHOLE,
            "windows_abnormal": _WHOLE,
            "windows_left_out": _WHOLE,
            "missing_s": _POSITIVE,
            "flat_s": _POSITIVE,
        },
        key=("record",),
    ),
    "windows.csv": Schema(
        columns={
            "window_id": _TEXT,
            "record": _TEXT,
            "group_id": _TEXT,
            "start_s": _POSITIVE,
            "beats_normal": _WHOLE,
            "beats_abnormal": _WHOLE,
            "decided": Column("text", allowed=DECIDED),
            "label": Column("text", allowed=WINDOW_LABELS),
        },
        key=("window_id",),
    ),
    "beats.csv": Schema(
        columns={
            "beat_id": _TEXT,
            "record": _TEXT,
            "group_id": _TEXT,
            "time_s": _POSITIVE,
            "symbol": Column("text", allowed=tuple(SYMBOLS)),
            "label": Column("text", allowed=AAMI),
            "rr_before_s": Column("number", null=True, low=0),
            "rr_after_s": Column("number", null=True, low=0),
            "in_heartbeat": Column("truth"),
            "in_ec57": Column("truth"),
            **dict.fromkeys(RATIOS, _POSITIVE),
        },
        key=("beat_id",),
    ),
}
"""The contracts by table name. ``history.csv`` takes metrics on inner folds as ``inner_<metric>``."""
