"""The data set's card and its metadata say what the tables that ship with leadwise hold."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from leadwise.files import sha256
from leadwise.publishing.documents import with_tables
from leadwise.publishing.published_set import SET_WRITERS
from leadwise.publishing.render import Published
from leadwise.sets.catalogue import shipped
from leadwise.sets.croissant import metadata

REPOSITORY = Path(__file__).resolve().parents[3]
RESOURCES = REPOSITORY / "leadwise" / "resources"
RESULTS = REPOSITORY / "analysis" / "results"
CARD = (RESOURCES / "DATASET_CARD.md").read_text(encoding="utf-8")
BETWEEN_MARKS = re.compile(r"<!-- leadwise tables: (\w+) -->\n(.*?)<!-- end of table -->", re.DOTALL)


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return dict(json.loads((RESOURCES / "croissant.json").read_text(encoding="utf-8")))


def test_the_card_is_as_the_command_writes_it() -> None:
    assert with_tables(CARD, Published.read(RESULTS)) == CARD
    assert {name for name, _ in BETWEEN_MARKS.findall(CARD)} == set(SET_WRITERS)


def test_what_the_card_counts_adds_up() -> None:
    pages = shipped()
    files, distinct = int(pages["copies"].sum()), len(pages)
    told = dict(BETWEEN_MARKS.findall(CARD))
    assert f"**{files - distinct} files are byte-for-byte copies**" in told["set_files"]
    for name, counted in (("set_counts", (2, 3)), ("set_months", (1, 2, 3))):
        rows = [
            [cell.strip() for cell in line.split("|")[1:-1]]
            for line in told[name].splitlines()
            if "|" in line
        ]
        by_class = [row for row in rows if row[0] in {"normal", "abnormal heartbeat", "history of MI", "MI"}]
        assert len(by_class) == 4
        assert sum(int(row[column]) for row in by_class for column in counted) == distinct
    assert f"| {int(pages['lead_off'].sum())} |" in told["set_counts"]


def test_no_count_stands_outside_the_marks() -> None:
    typed = set(re.findall(r"\d+", BETWEEN_MARKS.sub("", CARD)))
    pages = shipped()
    counts = {
        int(pages["copies"].sum()),
        len(pages),
        pages["recording_id"].nunique(),
        int(pages["lead_off"].sum()),
    }
    counts |= set(pages["label"].value_counts()) | set(pages["sex"].value_counts())
    assert not typed & {str(count) for count in counts}


def test_the_card_says_what_is_not_known_and_what_it_must_not_be_used_for() -> None:
    assert "Research use only, not a medical device" in CARD
    for said in ("## What is not known", "Who labelled the pages", "no split by patient", "CC BY 4.0"):
        assert said in CARD


def test_the_metadata_is_as_the_command_writes_it(described: dict[str, Any]) -> None:
    assert described == metadata()


def test_every_file_in_the_metadata_lies_beside_it_with_its_sum(described: dict[str, Any]) -> None:
    for file in described["distribution"]:
        assert file["sha256"] == sha256(RESOURCES / file["contentUrl"])
        assert file["contentSize"] == f"{(RESOURCES / file['contentUrl']).stat().st_size} B"


def test_every_column_of_a_table_is_described_and_no_other(described: dict[str, Any]) -> None:
    for records in described["recordSet"]:
        columns = [field["source"]["extract"]["column"] for field in records["field"]]
        (file,) = {field["source"]["fileObject"]["@id"] for field in records["field"]}
        with (RESOURCES / file).open(encoding="utf-8", newline="") as handle:
            assert columns == next(csv.reader(handle))


@pytest.mark.filterwarnings("ignore")  # of the libraries under mlcroissant
def test_mlcroissant_finds_the_metadata_valid_and_reads_every_row_by_it(described: dict[str, Any]) -> None:
    mlcroissant = pytest.importorskip(
        "mlcroissant", reason="mlcroissant is not installed: pip install mlcroissant"
    )
    dataset = mlcroissant.Dataset(jsonld=str(RESOURCES / "croissant.json"))
    assert not dataset.metadata.issues.errors
    assert not dataset.metadata.issues.warnings
    rows = {records["@id"]: list(dataset.records(records["@id"])) for records in described["recordSet"]}
    pages = shipped()
    assert {name: len(read) for name, read in rows.items()} == {
        "pages": len(pages), "folds": len(pages), "files": int(pages["copies"].sum()),
    }  # fmt: skip
    assert rows["pages"][0]["pages/page_id"].decode() == pages["page_id"][0]
    assert sum(row["pages/lead_off"] for row in rows["pages"]) == pages["lead_off"].sum()
