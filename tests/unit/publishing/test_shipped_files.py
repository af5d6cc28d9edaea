"""A card tells of the file that ships, byte for byte, and that file was scored; else the check says what lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leadwise.files import RESOURCES, sha256
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.publishing.render import Published
from leadwise.publishing.shipped_files import CARD_OF, called, checksum, faults

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def ours() -> Published:
    return Published.read(REPOSITORY / "analysis" / "results")


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    """What ships, with its cards."""
    for name in (*CARD_OF, *CARD_OF.values()):
        shutil.copyfile(RESOURCES / name, tmp_path / name)
    return tmp_path


def test_every_model_that_a_notebook_ships_has_a_card() -> None:
    assert {name for row in NOTEBOOKS.values() for name in row.ships} == set(CARD_OF)


def test_what_ships_now_is_what_its_cards_tell_and_what_was_scored(ours: Published) -> None:
    assert faults(ours, REPOSITORY / "leadwise" / "resources") == []


def test_a_card_of_another_file_is_told_with_both_sums(ours: Published, resources: Path) -> None:
    card, digest = resources / "BEAT_CARD.md", sha256(resources / "beat_rhythm.onnx")
    card.write_text(card.read_text(encoding="utf-8").replace(digest, "0" * 64), encoding="utf-8")
    assert faults(ours, resources) == [
        f"BEAT_CARD.md: the sha256 of beat_rhythm.onnx is {digest}, and the card tells {'0' * 64}. "
        "`leadwise tables` writes it."
    ]


def test_a_file_that_was_not_scored_is_told_with_what_scores_it(ours: Published, resources: Path) -> None:
    with (resources / "student12.onnx").open("ab") as file:
        file.write(b"\0")
    digest = sha256(resources / "student12.onnx")
    _, unscored = faults(ours, resources)
    assert unscored == (
        f"MODEL_CARD.md: no published score is of these bytes of student12.onnx (sha256 {called(digest)}...). "
        "Score it: leadwise score-shipped, then leadwise publish --profile cpu."
    )


def test_a_card_is_read_as_its_remark_writes_it(ours: Published, resources: Path) -> None:
    (resources / "MODEL_CARD.md").write_text(checksum("student12.onnx")(ours), encoding="utf-8")
    assert faults(ours, resources) == []
