"""One page that comes on standard input: ``leadwise predict - < page.jpg``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from leadwise.errors import InputError

STDIN = Path("-")
"""What stands for standard input among the files of a command."""


@contextmanager
def with_stdin(files: Sequence[Path]) -> Iterator[list[Path]]:
    """The files of a command; where `STDIN` stands among them, a file with what came there, gone afterwards.

    It is called ``stdin`` and lies alone in a folder that nobody else may enter. Raises `InputError` where nothing
    came, where a terminal would be waited for, or where it is larger than a page may be.
    """
    if STDIN not in files:
        yield list(files)
        return
    data = _read()
    with tempfile.TemporaryDirectory(prefix="leadwise-") as folder:
        held = Path(folder) / "stdin"
        held.write_bytes(data)
        yield [held if path == STDIN else path for path in files]


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
