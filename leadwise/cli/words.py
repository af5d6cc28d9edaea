"""What a command prints: one function for all of it, and what the system refused, in a sentence.

Colour and bold go to terminals alone, and not where NO_COLOR is set or TERM is dumb. Names that others gave cannot
command the terminal (`leadwise.names.printable`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from leadwise.names import printable

if TYPE_CHECKING:
    from rich.console import Console

BROKEN_PIPE = 141
"""The exit status where nobody reads on, as in ``leadwise predict scans/ | head -1``: a shell's for SIGPIPE."""

_REASONS = {
    errno.ENOSPC: "the disk is full. Make room there, or name another place.",
    errno.EDQUOT: "your share of the disk is used up. Make room there, or name another place.",
    errno.EFBIG: "a file may not grow so large there. Name another place.",
    errno.EROFS: "what lies there can only be read. Name another place.",
    errno.EACCES: "permission denied. Ask for it, or name another place.",
    errno.EPERM: "permission denied. Ask for it, or name another place.",
    errno.EISDIR: "that is a folder, where a file is wanted. Name a file.",
    errno.ENOTDIR: "that is, or lies below, a file, where a folder is wanted. Name another place.",
    errno.EEXIST: "that is a file, where a folder is wanted. Name another place.",
    errno.ENOENT: "there is no such file or folder. Is the name right?",
    errno.ENAMETOOLONG: "that name is too long. Name another place.",
    errno.EMFILE: "this process may open no more files. `ulimit -n` tells how many it may.",
}


def say(*lines: object, colour: str | None = None, bold: bool = False, err: bool = False) -> None:
    """Print lines, an empty one where none is given; `colour` is one of `typer.colors`."""
    for line in lines or ("",):
        text = printable(str(line))
        if _in_colour(err):
            typer.secho(text, fg=colour, bold=bold or None, err=err)
        else:
            typer.echo(text, err=err)


def console(*, err: bool) -> Console:
    """Where rich shows what is done, with as much colour and bold as `say` has."""
    from rich.console import Console

    return Console(stderr=err, color_system="auto" if _in_colour(err) else None)


def complain(text: str) -> None:
    """Say in red, on standard error, what could not be done; nothing where that is closed, too."""
    with contextlib.suppress(OSError):
        say(text, colour=typer.colors.RED, err=True)


def refused(error: OSError) -> str:
    """What the system refused, in a sentence that says what next."""
    what = _REASONS.get(error.errno or 0, f"{error.strerror}.")
    where = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    return " ".join([where + what, *getattr(error, "__notes__", [])])


@contextmanager
def about(path: Path, advice: str = "", *, prints: bool = False) -> Iterator[None]:
    """Have what the system refuses inside be told of `path`, unless it is another place's fault, with `advice`.

    A file that is written aside first has another name when the disk is full, and an open one has none. Where the
    block also `prints`, standard output may be at fault.
    """
    try:
        yield
    except OSError as error:
        if prints and error.filename is None and _output_fails():
            raise
        if error.filename is None or Path(os.fsdecode(error.filename)).parent == path.parent:
            error.filename = str(path)
        if advice:
            error.add_note(advice)
        raise


def ended_by(error: OSError) -> int:
    """Tell what the system refused; gives the exit status."""
    if error.filename is None and (isinstance(error, BrokenPipeError) or _output_fails()):
        # else Python would try once more at its end
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
        error.filename = "standard output"
    complain(refused(error))
    return 2


def _output_fails() -> bool:
    """Whether standard output takes no line: an error in writing there names no file."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _in_colour(err: bool) -> bool:
    stream = sys.stderr if err else sys.stdout
    is_welcome = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return is_welcome and stream is not None and stream.isatty()
