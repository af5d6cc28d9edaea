"""The reporting checklist answers every item of TRIPOD+AI, and each answer leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "analysis" / "REPORTING.md"
TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| \d.*$", TEXT, re.MULTILINE)
]
PARTS = {"3": "abc", "5": "ab", "6": "abc", "8": "abc", "9": "abc", "12": "abcdefg", "18": "abcdef", "20": "abc",
         "23": "ab", "27": "abc"}  # fmt: skip


def test_every_item_of_the_list_is_answered_once_and_in_order() -> None:
    wanted = [f"{item}{part}" for item in range(1, 28) for part in PARTS.get(str(item), "") or [""]]
    assert [row[0] for row in ROWS] == wanted
    assert len(wanted) == 52  # as many as TRIPOD+AI has


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_an_answer_is_yes_in_part_or_no_and_a_yes_leads_somewhere(row: list[str]) -> None:
    item, asks, answer, where = row
    assert asks.endswith("?")
    assert answer in {"yes", "in part", "no", "does not apply"}
    assert where
    if answer == "yes":
        assert "](" in where, f"{item} says yes and shows nothing"


def test_links_lead_to_files_and_numbers_of_notebooks_to_their_notebook() -> None:
    links = re.findall(r"\[([^\]]+)\]\(([^)#]+)\)", TEXT)
    for words, target in links:
        if not target.startswith("https://"):
            assert (PAGE.parent / target).exists(), target
        if re.fullmatch(r"\d\d", words):
            assert Path(target).name.startswith(f"{words}_"), target
    assert sum(target.endswith(".ipynb") for _, target in links) > 30


def test_what_this_study_does_not_have_is_called_no() -> None:
    answers = {row[0]: row[2] for row in ROWS}
    for lacking in ("3b", "6b", "6c", "8a", "8b", "8c", "14", "17", "18c", "18d", "19"):
        assert answers[lacking] == "no", lacking


def test_the_source_is_named() -> None:
    assert "doi.org/10.1136/bmj-2023-078378" in TEXT
