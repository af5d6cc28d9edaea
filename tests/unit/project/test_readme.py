"""What the README says of data and files is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadwise.folds.pages import fingerprint, published
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.sets.catalogue import shipped

REPOSITORY = Path(__file__).resolve().parents[3]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
WORDS = " ".join(README.split())


def test_counts_are_those_of_the_shipped_catalogue():
    pages = shipped()
    count = pages["label"].value_counts()
    fast = pages[pages["heart_rate_bpm"] > 90]["label"].value_counts()
    assert f"{pages['copies'].sum()} files, and {len(pages)} different pages" in WORDS
    assert f"Only {count['mi']} distinct pages are MI and {count['history_of_mi']} history of MI" in WORDS
    assert f"{fast['abnormal_heartbeat']} of its {count['abnormal_heartbeat']} pages exceed 90 bpm" in WORDS
    assert "no normal page does" in WORDS
    assert "normal" not in fast


def test_the_folds_fingerprint_is_that_of_the_published_folds():
    assert f"fingerprint `{fingerprint(published())}`" in WORDS


def test_the_model_card_counts_as_the_catalogue_does():
    card = " ".join(
        (REPOSITORY / "leadwise" / "resources" / "MODEL_CARD.md").read_text(encoding="utf-8").split()
    )
    pages = shipped()
    count, women = pages["label"].value_counts(), pages[pages["sex"] == "female"]
    assert f"All {len(pages)} distinct pages" in card
    counted = [f"{count[label]} {label.replace('_', ' ')}" for label in ("normal", "abnormal_heartbeat")]
    assert f"{', '.join(counted)}, {count['history_of_mi']} history of MI, {count['mi']} MI" in card
    assert f"There are {count['mi']} such pages, two of women" in card
    assert (women["label"] == "mi").sum() == 2
    assert f"{len(women)} of the {len(pages)} pages are of women" in card
    assert pages.loc[pages["label"] == "abnormal_heartbeat", "heart_rate_bpm"].min() >= 60
    assert "not a medical device" in card[:200]


def test_every_notebook_stands_in_the_table():
    for name in NOTEBOOKS:
        assert re.search(rf"\| \[{name}\]\([a-z_]+/{name}\.ipynb\) \|", README), name


PAGES = [
    path
    for pattern in ("*.md", "*/*.md", "leadwise/resources/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_it_says_early_that_this_is_no_medical_device():
    assert "Research use only, not a medical device" in WORDS[:900]
