"""Recordings whose rhythm is known: which of CinC 2017 teach and which test, and in which form their labels lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadwise.errors import MissingInput
from leadwise.sets.rhythms import cinc_records, is_held_out


def test_a_third_is_held_out_and_always_the_same() -> None:
    names = [f"A{number:05d}" for number in range(1, 8529)]
    held_out = [is_held_out(name) for name in names]
    assert 0.31 < sum(held_out) / len(names) < 0.36
    assert [name for name in names[:12] if is_held_out(name)] == ["A00003", "A00004"]


def test_labels_are_read_as_published_and_with_heads(tmp_path: Path) -> None:
    for name in ("A00001", "A00002"):
        (tmp_path / f"{name}.hea").touch()
    (tmp_path / "labels.csv").write_text("record,label\nA00001,N\nA00002,A\nA00003,O\n", encoding="utf-8")
    with_heads = cinc_records(tmp_path)
    assert with_heads["label"].tolist() == ["N", "A"], "what does not lie there is left out"
    (tmp_path / "REFERENCE.csv").write_text("A00001,N\nA00002,A\nA00003,O\n", encoding="utf-8")
    assert cinc_records(tmp_path).equals(with_heads)


def test_recordings_without_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="neither REFERENCE"):
        cinc_records(tmp_path)
