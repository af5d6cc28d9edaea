"""The card of the ink network tells of the file that ships, from a table of just these bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leadwise.errors import TableError
from leadwise.files import RESOURCES, sha256
from leadwise.publishing import ink_card


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ink.csv", "ink.onnx"):
        shutil.copyfile(RESOURCES / name, tmp_path / name)
    monkeypatch.setattr(ink_card, "RESOURCES", tmp_path)
    return tmp_path


def test_every_grid_is_told_flat_and_photographed_and_of_which_file(copied: Path) -> None:
    text = ink_card.ink_told()
    for grid in ("red", "pink", "blue", "green", "grey", "black", "none"):
        assert text.count(f"| {grid} | flat |") == text.count(f"| {grid} | photograph |") == 1
    assert sha256(copied / "ink.onnx") in text


def test_a_table_of_another_file_is_refused(copied: Path) -> None:
    with (copied / "ink.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(TableError, match=r"ink\.csv is of another file"):
        ink_card.ink_told()
