"""Printed words that tell what a page's traces are: names of leads, paper speed, gain."""

from __future__ import annotations

import re
from collections.abc import Iterable

from leadwise.errors import DoubtfulPage
from leadwise.names import LEADS

SPEED_MM_PER_S, GAIN_MM_PER_MV = 25.0, 10.0
"""What is printed almost everywhere, and is taken where a page does not say."""

_NAMES = (
    {name.lower(): name for name in LEADS}
    | {
        f"{prefix}{number}": name
        for prefix in ("d", "l")
        for number, name in zip((1, 2, 3), LEADS[:3], strict=True)
    }
    | {f"d{name.lower()}": name for name in LEADS[:3]}
    | {f"c{number}": f"V{number}" for number in range(1, 7)}
)
"""As they are printed: D1 or DI in Romance languages, L1 in older German ones, C1 to C6 by the IEC."""

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_SPEED = re.compile(_NUMBER + r"\s*mm\s*/\s*s", re.IGNORECASE)
_GAIN = re.compile(r"(?:" + _NUMBER + r"\s*/\s*)?" + _NUMBER + r"\s*mm\s*/\s*mv", re.IGNORECASE)


def lead_named(text: str) -> str | None:
    """The lead of which a word is the name, as LEADS has it; None for other words."""
    return _NAMES.get(text.strip().strip(":.").lower())


def speed_mm_per_s(texts: Iterable[str]) -> float | None:
    """Paper speed that a page says; None where it says none. Raises `DoubtfulPage` for two of them."""
    return _only("speeds", "mm/s", [match[1] for text in texts for match in _SPEED.finditer(text)])


def gain_mm_per_mv(texts: Iterable[str]) -> float | None:
    """Gain that a page says; None where it says none. Raises `DoubtfulPage` for two ("10/5 mm/mV" has two)."""
    numbers = [
        number for text in texts for match in _GAIN.finditer(text) for number in match.groups() if number
    ]
    return _only("gains", "mm/mV", numbers)


def _only(what: str, unit: str, numbers: Iterable[str]) -> float | None:
    found = sorted({float(number.replace(",", ".")) for number in numbers} - {0.0})
    if len(found) > 1:
        listed = " and ".join(f"{value:g}" for value in found)
        raise DoubtfulPage(
            f"The page says two {what}, {listed} {unit}, and not which lead has which. Print it with one."
        )
    return found[0] if found else None
