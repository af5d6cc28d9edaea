"""One page that comes on standard input: ``leadwise predict - < page.jpg``. It touches no disk."""

from __future__ import annotations

import sys

from leadwise.errors import InputError


def read_stdin() -> bytes:
    """What came on standard input.

    Raises `InputError` where nothing came, where a terminal would be waited for, or where it is larger than a page
    may be.
    """
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
