"""Forms of printed ECGs: which lead stands where, for how long, at which speed and gain.

Their home is ``forms.yaml``. A form whose printout is known to the pixel has that device's `Template` besides, by
which `leadwise.pages.layout` finds it; all others are read by what is seen on the page.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import ConfigDict, PositiveFloat, TypeAdapter, ValidationError

from leadwise.errors import TableError, nearest
from leadwise.names import LEADS
from leadwise.pages.template import Template

_TABLE = Path(__file__).with_name("forms.yaml")


@dataclass(frozen=True)
class Form:
    """What stands where on the paper.

    `rows` holds the leads of each row of traces from the left: all twelve, once each, as many in every row; "-aVR" is
    aVR upside down. Each column lasts `column_s`, and they follow one another in time. `strips` are the leads that
    the rhythm strips below repeat on most printers, from the top; a strip lasts all columns. `trace_scale` is how
    large the device draws traces, of what its grid says. `printout` is None where no device's printout of this form
    is known to the pixel.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    name: str
    rows: tuple[tuple[str, ...], ...]
    column_s: PositiveFloat
    strips: tuple[str, ...]
    speed_mm_per_s: PositiveFloat
    gain_mm_per_mv: PositiveFloat
    trace_scale: PositiveFloat = 1.0
    printout: Template | None = None

    def __post_init__(self) -> None:
        printed = [lead_of(name)[0] for row in self.rows for name in row]
        for lead in (*printed, *self.strips):
            if lead not in LEADS:
                raise ValueError(f"unknown lead {lead!r}: {nearest(lead, LEADS)}")
        if len({len(row) for row in self.rows}) != 1:
            raise ValueError("every row must have as many leads as the first one.")
        if sorted(printed) != sorted(LEADS):
            (lead, times), *_ = sorted(
                Counter({lead: printed.count(lead) for lead in LEADS}).items(), key=lambda each: each[1] == 1
            )
            raise ValueError(
                f"each of the twelve leads must stand in the rows once, but {lead} does {times} times."
            )

    @property
    def columns(self) -> int:
        """How many columns of leads there are."""
        return len(self.rows[0])

    def at_speed(self, speed_mm_per_s: float) -> Form:
        """The form on paper of another speed: as wide, so that it shows less or more of the heart."""
        column_s = self.column_s * self.speed_mm_per_s / speed_mm_per_s
        return replace(self, speed_mm_per_s=speed_mm_per_s, column_s=column_s)

    @property
    def length_s(self) -> float:
        """How long all columns last, and a strip."""
        return self.columns * self.column_s


def lead_of(name: str) -> tuple[str, int]:
    """The lead that is printed under a name, and -1 where it stands upside down, else 1."""
    return name.removeprefix("-"), -1 if name.startswith("-") else 1


@functools.cache
def forms() -> tuple[Form, ...]:
    """All forms of ``forms.yaml``, in its order; those whose printout is known come first."""
    return read_forms(_TABLE)


def trace_scales(form: Form) -> tuple[float, ...]:
    """How large traces of a form are drawn, of what the grid says, by the printers whose rows and strips are such."""
    alike = (known for known in forms() if (known.rows, len(known.strips)) == (form.rows, len(form.strips)))
    return tuple(dict.fromkeys(known.trace_scale for known in alike))


def known_form() -> Form:
    """The form whose printout is known to the pixel: that of the Mendeley set."""
    return next(form for form in forms() if form.printout is not None)


def known_printout() -> Template:
    """The template of `known_form`."""
    return next(form.printout for form in forms() if form.printout is not None)


def read_forms(path: Path) -> tuple[Form, ...]:
    """Read a table of forms; raises TableError, which names the row and the word that is wrong."""
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TableError(f"{path.name}: not readable as YAML: {error}") from None
    try:
        read = TypeAdapter(tuple[Form, ...]).validate_python(rows)
    except ValidationError as error:
        raise TableError(f"{path.name}: {_say(error, rows)}") from None
    for name, times in Counter(form.name for form in read).items():
        if times > 1:
            raise TableError(f"{path.name}: {times} rows are named {name!r}. Give each its own name.")
    return read


def _say(error: ValidationError, rows: Any) -> str:
    """The first of pydantic's complaints in our voice; a word that nobody knows goes before one that is missing."""
    first = min(error.errors(), key=lambda each: each["type"] != "unexpected_keyword_argument")
    if not first["loc"]:
        return "must be a list of forms, a row each."
    number, *words = first["loc"]
    row = rows[int(number)]
    name = f" ({row['name']})" if isinstance(row, dict) and "name" in row else ""
    where = ": ".join((f"row {int(number) + 1}{name}", *(str(word) for word in words)))
    if first["type"] == "unexpected_keyword_argument":
        return f"{where}: no such word; what a form may say stands at the head of the table."
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {message[0].lower()}{message[1:]}{'' if message.endswith(('.', '?')) else '.'}"
