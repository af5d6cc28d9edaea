"""From a command to a server that listens."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path

from leadwise.errors import InputError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    host: str,
    port: int,
    model: Path | None,
    beat_model: Path | None,
    workers: int,
    tell: Callable[[str], None],
    allowed_hosts: Collection[str],
) -> None:
    """Serve until the process is told to end; `tell` gets a line when it listens.

    It answers under addresses, localhost, `host` and `allowed_hosts`. Raises `InputError` where leadwise[serve]
    is not installed or the address cannot be had, and `WeightsError` where a model cannot be loaded.
    """
    try:
        from leadwise.serving.http.app import make_app
        from leadwise.serving.http.connections import Server
    except ImportError as error:
        raise InputError(
            f"{error.name or error} is not installed: install it with `pip install 'leadwise[serve]'`."
        ) from error
    app = make_app(model, workers, beat_model=beat_model, hosts=(host, *allowed_hosts))
    listening = listen(host, port)
    address = f"[{host}]" if ":" in host else host
    tell(f"leadwise answers at http://{address}:{listening.getsockname()[1]} (Ctrl+C ends it)")
    if host not in _LOOPBACK:
        tell("Everyone who reaches this address may ask: there is no password and no encryption of its own.")
    Server(app).run([listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `InputError`, which says why it cannot."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family)
        with ExitStack() as undo:
            undo.callback(listening.close)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
            undo.pop_all()
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        why = {
            errno.EADDRINUSE: "the port is in use, perhaps by another leadwise serve. Name another: --port 8001",
            errno.EACCES: "ports below 1024 are the administrator's. Name another: --port 8000",
        }.get(number or 0, f"{os.strerror(number) if number and number > 0 else error}. Name another --host.")
        raise InputError(f"{host}:{port}: {why}") from error
    return listening
