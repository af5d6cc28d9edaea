"""Cards of the networks that look at ink tell of the files that ship, from tables of just these bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leadwise.errors import TableError
from leadwise.files import RESOURCES, sha256
from leadwise.names import LEADS
from leadwise.publishing import ink_card


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ink.csv", "ink.onnx", "names.csv", "names.onnx"):
        shutil.copyfile(RESOURCES / name, tmp_path / name)
    monkeypatch.setattr(ink_card, "RESOURCES", tmp_path)
    return tmp_path


def test_every_grid_is_told_flat_and_photographed_and_of_which_file(copied: Path) -> None:
    text = ink_card.ink_told()
    for grid in ("red", "pink", "blue", "green", "grey", "black", "none"):
        assert text.count(f"| {grid} | flat |") == text.count(f"| {grid} | photograph |") == 1
    assert sha256(copied / "ink.onnx") in text


def test_every_name_is_told_and_of_which_file(copied: Path) -> None:
    text = ink_card.names_told()
    assert all(f"| {name} |" in text for name in (*LEADS, "-aVR"))
    assert sha256(copied / "names.onnx") in text


@pytest.mark.parametrize("name", ["ink", "names"])
def test_a_table_of_another_file_is_refused(copied: Path, name: str) -> None:
    with (copied / f"{name}.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(TableError, match=rf"{name}\.csv is of another file"):
        getattr(ink_card, f"{name}_told")()
