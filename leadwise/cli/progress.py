"""What a command shows while it works, and how it ends when it is told to."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from leadwise.cli.words import console, say

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


def _progress(*columns: ProgressColumn) -> Progress:
    """A bar on standard error in a terminal, nothing elsewhere; what is printed to a file or a pipe goes there."""
    from rich.progress import BarColumn, Progress, TextColumn

    shown = console(err=True)
    return Progress(
        *(TextColumn("{task.description}"), BarColumn(), *columns),
        console=shown,
        transient=True,
        disable=not shown.is_terminal,
        redirect_stdout=sys.stdout.isatty(),
    )


@contextmanager
def pages_shown(what: str) -> Iterator[Callable[[Iterable[Any], int], Iterable[Any]]]:
    """Show how many pages are done. Answers that go to the same terminal appear above the bar."""
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn

    with _progress(MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        yield lambda pages, total: progress.track(pages, total, description=what)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end it as Ctrl+C does: what lies in memory is removed."""
    ending = [signal.SIGTERM, signal.SIGHUP]
    ending = [number for number in ending if signal.getsignal(number) is signal.SIG_DFL]  # nohup ignores one

    def handle(how: Any) -> None:
        for number in ending:
            signal.signal(number, how)

    def end(number: int, _: object) -> None:
        handle(signal.SIG_IGN)
        raise SystemExit(128 + number)

    handle(end)
    try:
        yield
    finally:
        handle(signal.SIG_DFL)


@contextmanager
def bytes_shown(what: str) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show what has come."""
    from rich.progress import DownloadColumn, TransferSpeedColumn

    with _progress(DownloadColumn(), TransferSpeedColumn()) as progress:
        say(f"Fetching {what}", err=True)
        task = progress.add_task("", total=None)

        def tell(name: str, done: int, total: int | None) -> None:
            progress.update(task, description=name, completed=done, total=total)

        yield tell
