"""Commands as a shell starts them, in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from leadwise import cli


def command_of(name: str) -> Callable[..., int]:
    """``leadwise NAME`` as a function of pytest's monkeypatch and the arguments, which gives the exit status."""

    def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["leadwise", name, *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return command
