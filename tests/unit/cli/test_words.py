"""What commands print, in terminals and elsewhere, and what they say of a system that refuses."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from miniature import Clone
from waiting import wait_until

from leadwise import cli
from leadwise.cli.app import app
from leadwise.names import VERSION
from leadwise.sets.sample import unpack_excerpts


def leadwise(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["leadwise", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def started(*arguments: str, **how: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "leadwise", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **how)  # type: ignore[call-overload]


# --- what the system refuses --------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("help",), ("--help",), ("fetch", "--verify", ".")])
def test_a_full_output_is_one_sentence_and_status_2(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full, started(*arguments, stdout=full) as told:
        said = told.communicate(timeout=60)[1]
    if arguments[0] != "fetch":  # which says on standard error that nothing lies here
        assert said == "standard output: the disk is full. Make room there, or name another place.\n"
    assert told.returncode == 2


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system has no files in memory")  # noqa: S108
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_record_that_is_being_read_does_not_stay_when_a_signal_ends_it(
    how: signal.Signals, tmp_path: Path
) -> None:
    folder = unpack_excerpts(tmp_path)
    name = f"read-by-{os.getpid()}"
    header = (folder / "208.hea").read_text(encoding="ascii").replace("208", name)
    (tmp_path / f"{name}.hea").write_text(header, encoding="ascii")
    (folder / "208.dat").rename(tmp_path / f"{name}.dat")

    def in_memory() -> list[str]:
        """Links to the record's files: wfdb reads it by them."""
        links = []
        for folder, _, names in os.walk(f"/dev/shm/leadwise-{os.getuid()}"):  # noqa: S108
            for one in names:
                with contextlib.suppress(OSError):  # no link, or another process's and gone meanwhile
                    links.append(str(Path(folder, one).readlink()))
        return [link for link in links if name in link]

    with started("predict", str(tmp_path / f"{name}.hea"), stdout=subprocess.DEVNULL) as told:
        wait_until(lambda: bool(in_memory()), 60, every_s=0.005)
        told.send_signal(how)
        assert told.communicate(timeout=60)[1] == ""
    assert told.returncode == 128 + how
    assert in_memory() == []


def test_a_pipe_that_nobody_reads_ends_it_quietly() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with started("help", stdout=writes) as told:
        os.close(writes)
        said = told.communicate(timeout=60)[1]
    assert (told.returncode, said) == (141, "")


def test_a_closed_output_is_told_before_anything_is_done() -> None:
    closing = ["bash", "-c", '"$0" -m leadwise tables >&-', sys.executable]
    told = subprocess.run(closing, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert told.returncode == 2
    assert told.stderr.startswith("standard output is closed")
    assert len(told.stderr.splitlines()) == 1


def test_a_sample_cannot_be_unpacked_into_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    assert leadwise(monkeypatch, "sample", str(tmp_path / "taken")) == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}/taken: that is a file, where a folder is wanted. Name another place.\n"
    )


def test_results_cannot_go_below_a_file_and_the_setting_is_named(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("LEADWISE_RUNS", str(tmp_path / "taken"))
    assert leadwise(monkeypatch, "run") == 2
    said = capsys.readouterr().err
    assert "a folder is wanted" in said
    assert said.endswith("LEADWISE_RUNS names another folder for results.\n")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "can only be read"),
        (errno.EACCES, "permission denied"),
        (errno.EISDIR, "that is a folder"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("named", ["", ".folds.csv.part.csv"])
def test_a_table_that_cannot_be_written_is_named_as_it_was_asked_for(
    number: int,
    said: str,
    named: str,
    sample_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "folds.csv"

    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), *([str(tmp_path / named)] if named else []))

    monkeypatch.setattr("leadwise.sets.catalogue.rebuild", refused)
    assert leadwise(monkeypatch, "catalogue", str(sample_folder), "--out", str(out)) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{out}: ")
    assert said in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("arguments", "work", "place"),
    [
        (("run",), "leadwise.project.executor.run", "runs"),
        (("report",), "leadwise.publishing.report.write_report", "runs/sample/report"),
        (("publish", "--profile", "cpu"), "leadwise.publishing.publish.publish", "analysis/results"),
        (("tables",), "leadwise.publishing.documents.write_tables", ""),
    ],
)
def test_a_full_disk_is_told_with_its_place_by_each_command_of_a_clone(
    arguments: tuple[str, ...],
    work: str,
    place: str,
    clone: Clone,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(work, full)
    assert leadwise(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.startswith(f"{clone.folder / place}: the disk is full.")


def test_what_a_library_calls_an_error_of_the_system_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise OSError("no number")

    monkeypatch.setattr("leadwise.sets.sample.unpack_sample", broken)
    assert leadwise(monkeypatch, "sample", "x") == 2
    assert "Traceback" in capsys.readouterr().err


# --- terminals ----------------------------------------------------------------------------------------------


def seen_in_a_terminal(**settings: str) -> str:
    ours, theirs = os.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TERM"}}
    command = [sys.executable, "-m", "leadwise", "audit", ".", "--json", "no\x1b[31m\nfolder/a.json"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=kept | settings) as told:
        assert told.wait(60) == 2
    os.close(theirs)
    seen = os.read(ours, 10_000).decode()
    os.close(ours)
    return seen


def test_a_terminal_gets_colour_and_no_name_commands_it() -> None:
    seen = seen_in_a_terminal(TERM="xterm")
    assert seen.startswith("\x1b[31mno\\x1b[31m\\nfolder/a.json: there is no folder")
    assert seen.count("\x1b") == 2


@pytest.mark.parametrize("settings", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_no_colour_and_no_bold_where_none_is_wanted(settings: dict[str, str]) -> None:
    assert "\x1b" not in seen_in_a_terminal(**settings)


# --- help ---------------------------------------------------------------------------------------------------

COMMANDS = [
    command.name or command.callback.__name__ for command in app.registered_commands if command.callback
]


def helped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *asked: str) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    assert leadwise(monkeypatch, *asked) == 0
    return capsys.readouterr().out


def test_the_list_of_commands_cuts_no_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = helped(monkeypatch, capsys, "-h").partition("Commands:")[2].strip().splitlines()
    assert len(listed) == len(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_asked_for_in_three_ways_and_speaks_no_python(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = helped(monkeypatch, capsys, command, "--help")
    assert told == helped(monkeypatch, capsys, command, "-h") == helped(monkeypatch, capsys, "help", command)
    assert not set("<{}") & set(told.replace("<=", ""))
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize("asked", [("-V",), ("--version",), ("audit", "-V"), ("predict", "--version")])
def test_the_version_is_told_by_the_command_and_by_each_of_its_commands(
    asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert helped(monkeypatch, capsys, *asked) == f"leadwise {VERSION}\n"


def test_help_for_what_is_no_command_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leadwise(monkeypatch, "help", "predcit") == 2
    assert "did you mean 'predict'?" in capsys.readouterr().err
