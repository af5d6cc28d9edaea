"""A page that comes on standard input."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from leadwise.cli.stdin import with_stdin
from leadwise.errors import InputError


class Sent(io.TextIOWrapper):
    def __init__(self, data: bytes, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(data))
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def test_what_comes_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Sent(b"a page"))
    given = [Path("a.jpg"), Path("-"), Path("/dev/stdin")]
    assert with_stdin(given) == ([Path("a.jpg"), Path("-"), Path("-")], b"a page")


def test_without_it_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert with_stdin([Path("a.jpg")]) == ([Path("a.jpg")], b"")


def test_another_pipe_of_the_shell_is_told_what_to_do() -> None:
    with pytest.raises(InputError, match=r"/dev/fd/63: a pipe of the shell is not read.*leadwise predict -"):
        with_stdin([Path("/dev/fd/63")])


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (None, "nothing comes"),
        (Sent(b"", terminal=True), "nothing comes"),
        (Sent(b""), "is empty"),
        (Sent(bytes(11)), "no page is so large"),
    ],
)
def test_nothing_a_terminal_and_too_much_are_refused(
    sent: Sent | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", sent)
    monkeypatch.setattr("leadwise.pages.read.MAX_BYTES", 10)
    with pytest.raises(InputError, match=said):
        with_stdin([Path("-")])
