"""Files that are there whole or not at all, and whose bytes are known again."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from leadwise.files import sweep, write_json, written_whole


@pytest.fixture
def umask() -> Iterator[int]:
    """A group may read, others may not."""
    before = os.umask(0o027)
    yield 0o640
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_link_in_the_place_of_the_file_aside_is_never_written_through(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "answer.png"
    victim.write_text("mine", encoding="utf-8")
    with written_whole(target) as known:
        known.write_text("once", encoding="utf-8")
    for name in (known.name, ".answer.png.part.png"):  # a name seen before, and one without chance in it
        (tmp_path / name).symlink_to(victim)
    with written_whole(target) as aside:
        assert aside.parent == tmp_path
        assert not aside.is_symlink()
        aside.write_text("twice", encoding="utf-8")
    assert victim.read_text(encoding="utf-8") == "mine"
    assert target.read_text(encoding="utf-8") == "twice"
    assert not target.is_symlink()


def test_a_target_that_is_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "table.csv"
    victim.write_text("mine", encoding="utf-8")
    target.symlink_to(victim)
    write_json({"a": 1}, target)
    assert victim.read_text(encoding="utf-8") == "mine"
    assert not target.is_symlink()


def test_of_two_writers_at_once_each_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "pages.csv"
    with written_whole(target) as first:
        first.write_text("first, half", encoding="utf-8")
        with written_whole(target) as second:
            second.write_text("second, whole", encoding="utf-8")
        assert target.read_text(encoding="utf-8") == "second, whole"
        first.write_text("first, whole", encoding="utf-8")
    assert target.read_text(encoding="utf-8") == "first, whole"
    assert list(tmp_path.iterdir()) == [target]


def test_what_ends_badly_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "pages.csv"
    target.write_text("old", encoding="utf-8")

    def write_half() -> None:
        with written_whole(target) as aside:
            aside.write_text("new, ha", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_whom_the_umask_lets_read_may_read_also_what_a_library_wrote_for_its_user_alone(
    tmp_path: Path, umask: int
) -> None:
    tables, weights = tmp_path / "table.csv", tmp_path / "net.safetensors"
    tables.write_text("old", encoding="utf-8")
    tables.chmod(0o600)
    write_json({}, tables)
    with written_whole(weights) as aside:
        save_file({"a": torch.zeros(2)}, aside)
        aside.chmod(0o600)  # whatever this version of the library does
    assert (mode(tables), mode(weights)) == (umask, umask)


def test_a_file_may_have_the_longest_name_there_is(tmp_path: Path) -> None:
    target = tmp_path / f"{'ä' * 125}.json"
    write_json({}, target)
    assert target.is_file()


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    kept = [tmp_path / "weights" / "net.safetensors", tmp_path / ".begun.json", tmp_path / "a.part.csv"]
    for path in kept:
        path.touch()
    writers = [written_whole(tmp_path / name) for name in ("weights/net.safetensors", "scores.csv")]
    for writer in writers:
        writer.__enter__().write_text("half", encoding="utf-8")  # and never ends
    assert len(list(tmp_path.rglob(".*.part.*"))) == 2
    sweep(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
