"""uvicorn, whose connections that say nothing are closed in time and give way to others, and whose end is in words.

uvicorn itself waits for ever for the head of a request, takes connections until the system has no more files, and at
its end answers what is under way with an error of its own.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import ClassVar

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from leadwise.serving.http.desk import Desk
from leadwise.serving.http.limits import Limits

_MOST_FILES, _MOST_CONNECTIONS = 4096, 2000
_OTHER_FILES = 128  # models, connections that are closed but not yet gone
_FILES_A_WORKER = 4  # pipes to processes

_QUEUE, _AT_ONCE = 1024, 16
"""Connections that wait to be taken, and that are taken before the others are looked after again: with asyncio's one
number for both, a rush of them uses all files up before any is closed, and then nobody is let in for a second."""


def most_connections(workers: int) -> int:
    """How many connections the files of this process allow; the soft limit is raised to some thousands first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    files = _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    return max(16, min(files - _OTHER_FILES - _FILES_A_WORKER * workers, _MOST_CONNECTIONS))


class Server(uvicorn.Server):
    """One that serves what `make_app` made, within its limits, and ends with status 0 when SIGTERM asks it to."""

    def __init__(self, app: FastAPI, most: int | None = None) -> None:
        self._desk: Desk = app.state.desk
        limits = self._desk.limits
        # uvicorn makes connections of a class and knows no limits, so each server has a class of its own
        attributes = {"limits": limits, "most": most or most_connections(self._desk.workers), "silent": {}}
        settings = uvicorn.Config(
            app,
            http=type("Connection", (_Connection,), attributes),
            ws="none",
            log_level="warning",
            server_header=False,
            backlog=_AT_ONCE,
            timeout_graceful_shutdown=round(limits.ending_s) + 2,
        )
        super().__init__(settings)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        for listening in sockets or []:
            listening.listen(_QUEUE)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, after what is under way was answered or refused."""
        ending = asyncio.ensure_future(self._desk.end())
        await super().shutdown(sockets)
        await ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end. uvicorn would end of the signal in the end, as if it had failed."""
        if sig == signal.SIGTERM:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)


class _Connection(H11Protocol):
    """A connection with a time for the head of a request, and one for its answer to be taken.

    `silent` holds those from which something is awaited, the one first that has said nothing new for longest. New is
    a connection, a piece of a body, and an answer that ends or is not taken; not a piece of a head, of which there is
    no use. Where there are `most`, the first of them gives way to one that comes.
    """

    limits: ClassVar[Limits]
    most: ClassVar[int]
    silent: ClassVar[dict[_Connection, None]]
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self.most:
            if not self.silent:
                transport.abort()
                return
            next(iter(self.silent)).give_way()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self.silent.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_clock()
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_clock()
        self._look()

    def timeout_keep_alive_handler(self) -> None:
        self._stop_clock()
        super().timeout_keep_alive_handler()
        self._look()

    def give_way(self) -> None:
        """Close, whatever is under way."""
        self.silent.pop(self, None)
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _look(self) -> None:
        """Note what is awaited from the client now, and how long it is waited for."""
        is_untaken = self.transport.is_closing() or self.flow.write_paused
        if is_untaken or self.cycle is None or self.cycle.response_complete:
            self.silent.setdefault(self)
            if is_untaken:
                left = self.transport.get_write_buffer_size()
                self._start_clock(self.limits.unread_s, partial(self._end_untaken, left))
            elif self.timeout_keep_alive_task is None:
                self._start_clock(self.limits.head_s, self.timeout_keep_alive_handler)
            return
        self._stop_clock()
        self.silent.pop(self, None)
        if self.cycle.more_body:
            self.silent[self] = None  # last again

    def _end_untaken(self, before: int) -> None:
        """Close, unless since there were `before` bytes to take so many were taken as must come of a body."""
        self._clock = None
        taken = before - self.transport.get_write_buffer_size()
        if taken < self.limits.least_bytes_s * self.limits.unread_s:
            self.transport.abort()
        else:
            self._look()

    def _start_clock(self, seconds: float, then: Callable[[], None]) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(seconds, then)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
