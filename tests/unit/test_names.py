"""How names that others gave, and probabilities, are written."""

from __future__ import annotations

import os

import pytest

from leadwise.names import as_html, printable, probability_in_words, shortened


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("page (1) é 心电图 😀.jpg", "page (1) é 心电图 😀.jpg"),
        ("\x1b]0;title\x07.jpg", r"\x1b]0;title\x07.jpg"),
        ("\x9b31mred", r"\x9b31mred"),
        ("two\nlines\r\tand\x7f", r"two\nlines\r\tand\x7f"),
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("\u2066\u2069\u200f\u2028", r"\u2066\u2069\u200f\u2028"),
        (os.fsdecode(b"caf\xe9.jpg"), r"caf\xe9.jpg"),
        ("\ud800", r"\ud800"),
    ],
)
def test_a_name_cannot_command_a_terminal_and_all_else_of_it_stays(name: str, seen: str) -> None:
    assert printable(name) == seen
    assert printable(name).encode("utf-8")


def test_a_name_on_a_page_is_text_and_nothing_else() -> None:
    assert as_html("<b>'\u202e\"&") == "&lt;b&gt;&#x27;\\u202e&quot;&amp;"


def test_a_long_name_keeps_its_end_and_nothing_that_cannot_be_printed() -> None:
    assert shortened("a\x00b\x1b.jpg") == "ab.jpg"
    short = shortened("x" * 500 + "page-number1.jpg", 40)
    assert (len(short), short[-13:]) == (40, "…-number1.jpg")


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, "< 0.1%"),
        (0.000_49, "< 0.1%"),
        (0.000_51, "0.1%"),
        (0.5, "50.0%"),
        (0.999_4, "99.9%"),
        (0.999_51, "> 99.9%"),
        (1.0, "> 99.9%"),
    ],
)
def test_no_probability_is_said_to_be_nought_or_certain(probability: float, said: str) -> None:
    assert probability_in_words(probability) == said
