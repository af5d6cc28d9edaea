"""How to speak of a network once it is trained."""

from __future__ import annotations


def how_trained(began_from: str, otherwise: str) -> str:
    """``trained from random weights``, or ``<otherwise> (<began_from>)`` where it began from other ones."""
    return "trained from random weights" if began_from == "random" else f"{otherwise} ({began_from})"
