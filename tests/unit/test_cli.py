from __future__ import annotations

import sys
from pathlib import Path

import pytest
from miniature import Clone

from leadwise import cli


def leadwise(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["leadwise", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", ["run", "catalogue", "sample", "fetch"])
def test_the_help_of_each_command_shows_an_example(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leadwise(monkeypatch, command, "--help") == 0
    assert f"Example: leadwise {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "sample", "--only", "21_image_bait"), "did you mean '21_image_beit'?"),
        (("--profile", "papre"), "did you mean 'paper'?"),
        (("--profile", "typo"), "workflow/profiles/typo.yaml: 24_image_vit: unknown parameter 'EPOCS'"),
    ],
)
def test_a_wrong_word_ends_in_one_sentence_with_the_right_one(
    clone: Clone,
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (clone.folder / "workflow" / "profiles" / "typo.yaml").write_text(
        "24_image_vit: {EPOCS: 1}", encoding="utf-8"
    )
    assert leadwise(monkeypatch, "run", *arguments) == 2
    said_now = capsys.readouterr().err
    assert said in said_now
    assert len(said_now.strip().splitlines()) == 1
    assert not clone.runs.exists()


def test_outside_a_clone_it_says_where_it_must_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert leadwise(monkeypatch, "run") == 2
    assert "is not inside a clone of leadwise" in capsys.readouterr().err


def test_a_missing_data_folder_is_told_before_anything_runs(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEADWISE_DATA", str(tmp_path / "no pages"))
    assert leadwise(monkeypatch, "run", "--profile", "cpu") == 2
    assert "no pages is no folder" in capsys.readouterr().err


def test_a_missing_notebook_is_told_before_anything_runs(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (clone.folder / "training" / "24_image_vit.ipynb").unlink()
    assert leadwise(monkeypatch, "run") == 2
    assert "24_image_vit.ipynb is missing" in capsys.readouterr().err
