"""What cards say to programs is read by the hub's own parser, and its scores are the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard

from leadwise.errors import TableError
from leadwise.files import without_front_matter
from leadwise.publishing.claims import claims_of
from leadwise.publishing.front_matter import FRONT_MATTER, with_front_matter
from leadwise.publishing.render import Published

REPOSITORY = Path(__file__).resolve().parents[3]
RESOURCES = REPOSITORY / "leadwise" / "resources"
MODELS = ("MODEL_CARD.md", "BEAT_CARD.md", "INK_CARD.md", "NAMES_CARD.md", "RHYTHM_CARD.md")


@pytest.fixture(scope="module")
def published() -> Published:
    return Published.read(REPOSITORY / "analysis" / "results")


def text_of(card: str) -> str:
    return (RESOURCES / card).read_text(encoding="utf-8")


def test_every_card_has_its_front_matter(published: Published) -> None:
    assert {path.name for path in RESOURCES.glob("*_CARD.md")} == set(FRONT_MATTER)
    for card in FRONT_MATTER:
        assert with_front_matter(text_of(card), card, published) == text_of(card)
        assert without_front_matter(text_of(card)).startswith("# ")


@pytest.mark.parametrize("card", MODELS)
def test_the_hub_reads_a_model_s_card(card: str) -> None:
    data = ModelCard(text_of(card)).data
    assert data.license == "mit"
    assert {"ecg", "not-a-medical-device"} <= set(data.tags)
    assert data.datasets
    assert data.metrics
    results = data.eval_results
    assert results
    assert {one.metric_type for one in results} == set(data.metrics)
    for one in results:
        assert 0 < float(one.metric_value) <= 1
        assert "(" in one.metric_name, "neither of what nor of how many"


def test_the_hub_reads_the_data_s_card() -> None:
    data = DatasetCard(text_of("DATASET_CARD.md")).data
    assert data.license == "cc-by-4.0"
    assert "ecg" in data.tags


def test_its_scores_are_those_of_the_table_beneath_it() -> None:
    text = text_of("BEAT_CARD.md")
    values = {one.metric_type: one for one in ModelCard(text).data.eval_results}
    line = next(line for line in text.splitlines() if line.startswith("| found |  | all | gross |"))
    low, high = line.split("|")[6].strip().partition(" (")[2].rstrip(")").split(" to ")
    assert f"{values['f1'].metric_value:.3f} ({low} to {high})" in line
    assert f"interval {low} to {high}" in values["f1"].metric_name


def test_a_card_whose_index_lacks_its_parts_is_none_to_the_hub() -> None:
    facts = yaml.safe_load(text_of("MODEL_CARD.md").split("---\n")[1])
    del facts["model-index"][0]["results"][0]["metrics"][0]["type"]
    broken = f"---\n{yaml.safe_dump(facts)}---\n\n# A card\n"
    with pytest.raises(ValueError, match="metadata"):
        ModelCard(broken)


def test_a_score_that_is_not_published_fills_no_card(published: Published) -> None:
    scores = published.scores[published.scores["model"] != "student12"]
    without = Published(scores, published.differences, published.runs)
    with pytest.raises(TableError, match="0 published rows of 'accuracy'"):
        with_front_matter("# A card\n", "MODEL_CARD.md", without)


def test_numbers_for_programs_are_no_prose() -> None:
    assert [*claims_of("a.md", "---\nvalue: 0.944\n---\n\n# A card\n")] == []
    assert [one.found for one in claims_of("a.md", "# A card\n\n0.944\n")] == ["0.944"]
