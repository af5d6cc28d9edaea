"""What stands before every route: whose name is asked, HEAD, headers, and refusals that reach their client."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadwise.names import shortened
from leadwise.serving.http.bodies import MOST_BYTES, paced
from leadwise.serving.http.jobs import refused
from leadwise.serving.http.limits import Ending, Limits

_LEAVE_S = 1.0  # of a refused client that still sends, when the server ends


class Guarded:
    """Adds to each response what keeps a browser from guessing and telling, and answers HEAD as GET without a body.

    An answer that comes before its request's body is whole closes the connection. If that were done at once, the
    bytes on their way would have the system reset it, and the client would lose the answer; so they are taken in and
    dropped first, as long as they come as `paced` wants them.
    """

    def __init__(self, app: ASGIApp, limits: Limits, ending: Ending) -> None:
        self._app, self._limits, self._ending = app, limits, ending
        self._dropping = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        request_headers = Headers(scope=scope)
        is_whole = (
            request_headers.get("content-length", "0") == "0" and "transfer-encoding" not in request_headers
        )

        async def received() -> Message:
            nonlocal is_whole
            message = await receive()
            is_whole = is_whole or not message.get("more_body", False)
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                if not is_whole:
                    headers["Connection"] = "close"
                await send(message)
                return
            is_last = not message.get("more_body", False)
            body = b"" if is_head else message.get("body", b"")
            if is_last and not is_whole:
                await send({"type": "http.response.body", "body": body, "more_body": True})
                await self._drop(received)
                body = b""
            await send({"type": "http.response.body", "body": body, "more_body": not is_last})

        await self._app({**scope, "method": "GET"} if is_head else scope, received, sent)

    async def _drop(self, receive: Receive) -> None:
        if self._dropping >= self._limits.dropped_bodies:
            return
        self._dropping += 1
        left = MOST_BYTES
        try:
            async for piece in paced(receive, self._limits, self._ending, _LEAVE_S):
                left -= len(piece)
                if left < 0:
                    return
        except (TimeoutError, ClientDisconnect):
            pass
        finally:
            self._dropping -= 1


class Hosts:
    """Refuses a request that asks for another's name: a page elsewhere may have its own name lead here.

    That takes a name (DNS rebinding), so an address is let through, whichever it is, as by the servers of webpack and
    Vite. Starlette's TrustedHostMiddleware knows no addresses in general, and refuses in plain text.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower().rstrip(".") for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        # a request of HTTP/1.0 may name none, as that of a balancer that asks for health; a browser's always does
        if (
            scope["type"] != "http"
            or "host" not in Headers(scope=scope)
            or self._is_ours(name := _asked(scope))
        ):
            await self._app(scope, receive, send)
            return
        reason = (
            f"{shortened(name, 40)}: this server does not answer under that name. Ask it by its address, or start it "
            "with `leadwise serve --allow-host NAME`."
        )
        await refused(400, "unknown_host", reason)(scope, receive, send)

    def _is_ours(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _asked(scope: Scope) -> str:
    """The name in the Host header, without port and brackets, small; as it stands where it is none."""
    host = Headers(scope=scope).get("host", "")
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return host
