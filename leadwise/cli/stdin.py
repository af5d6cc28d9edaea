"""One page that comes on standard input: ``leadwise predict - < page.jpg``. It touches no disk."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from leadwise.errors import InputError
from leadwise.serving.batch import STDIN


def with_stdin(files: Sequence[Path]) -> tuple[list[Path], bytes]:
    """The files of a command, and what came on standard input where ``-`` or ``/dev/stdin`` stands among them.

    What reads files is another process, which has other open files than this one. Raises `InputError` where nothing
    came, where a terminal would be waited for, where it is larger than a page may be, and for other pipes of a shell.
    """
    files = [STDIN if str(file) == "/dev/stdin" else file for file in files]
    if pipes := [file for file in files if str(file).startswith(("/dev/fd/", "/proc/self/fd/"))]:
        raise InputError(
            f"{pipes[0]}: a pipe of the shell is not read. Send a page on standard input: leadwise predict -"
        )
    return files, _read() if STDIN in files else b""


def _read() -> bytes:
    from leadwise.pages.read import MAX_BYTES

    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(
            "-: nothing comes on standard input. Send a page there: leadwise predict - < page.jpg"
        )
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if not data:
        raise InputError("-: what came on standard input is empty. Did the command before it fail?")
    if len(data) > MAX_BYTES:
        raise InputError(
            f"-: more than {MAX_BYTES / 1e6:.0f} MB came on standard input; no page is so large. Scan at 300 dpi."
        )
    return data
