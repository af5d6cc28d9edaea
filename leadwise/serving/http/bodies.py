"""A request's body: it comes at a rate that is worth waiting for, and it is a form that holds files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from leadwise.pages.read import MAX_BYTES
from leadwise.recordings.zips import MAX_FILES
from leadwise.serving.http.jobs import refused
from leadwise.serving.http.limits import Ending, Limits
from leadwise.serving.http.uploads import Upload

MOST_BYTES = MAX_BYTES + 65_536
"""Of one body: the files, and what multipart adds to them."""


class Refused(Exception):
    """Ends a request early, with its answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.response = refused(status, code, detail)


class _Parser(MultiPartParser):
    """Starlette's, whose files do not go to a disk."""

    spool_max_size = MOST_BYTES


def claimed_size(headers: Headers) -> int:
    """Content-Length, which must be there, within limits, and of a form. Raises `Refused`."""
    claimed = headers.get("content-length", "")
    if not claimed.isdecimal():
        raise Refused(411, "length_required", "the request must say its Content-Length.")
    if int(claimed) > MOST_BYTES:
        reason = f"{int(claimed) / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are taken. Scan at 300 dpi."
        raise Refused(413, "too_large", reason)
    if not headers.get("content-type", "").lower().startswith("multipart/form-data"):
        reason = "send the file as multipart/form-data, as `curl -F file=@page.jpg` does."
        raise Refused(400, "no_form", reason)
    return int(claimed)


async def paced(
    receive: Receive, limits: Limits, ending: Ending, leave_s: float = 0.0
) -> AsyncGenerator[bytes, None]:
    """The body as it comes.

    Raises TimeoutError where it stalls, comes too slowly, or `leave_s` after the server's end has begun, and
    `ClientDisconnect`.
    """
    clock = asyncio.get_running_loop().time
    begun, received, more = clock(), 0, True
    while more:
        due = min(limits.body_s, limits.stall_s + received / limits.least_bytes_s)
        async with ending.timeout_at(min(begun + due, clock() + limits.stall_s), leave_s):
            message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body, more = message.get("body", b""), message.get("more_body", False)
        received += len(body)
        yield body


async def files_of(
    request: Request, size: int, hold: Callable[[int], None], limits: Limits, ending: Ending
) -> tuple[Upload, ...]:
    """The files of a form of `size` bytes; `hold` is told of each piece before it is kept, and may refuse it.

    Raises `Refused` and `ClientDisconnect`.
    """

    async def stream() -> AsyncGenerator[bytes, None]:
        left = size
        async for piece in paced(request.receive, limits, ending):
            left -= len(piece)
            if left < 0:
                raise MultiPartException("more bytes than Content-Length said")
            hold(len(piece))
            yield piece

    try:
        form = await _Parser(request.headers, stream(), max_files=MAX_FILES, max_fields=MAX_FILES).parse()
    except TimeoutError:
        if ending:
            raise Refused(503, "ending", "the server ends. Send the file again in a moment.") from None
        reason = (
            f"the body came too slowly: {limits.least_bytes_s / 1000:g} kB/s are needed, no pause of more than "
            f"{limits.stall_s:g} s, and all of it within {limits.body_s:g} s. Send it again over a faster line."
        )
        raise Refused(408, "too_slow", reason) from None
    except MultiPartException as error:
        raise Refused(400, "no_form", f"the form cannot be read ({error.message})") from error
    try:
        files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not files:
            raise Refused(400, "no_file", "the form holds no file. Send it as `curl -F file=@page.jpg` does.")
        return tuple([Upload(file.filename or "file", await file.read()) for file in files])
    finally:
        await form.close()
