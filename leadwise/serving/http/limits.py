"""How much clients may ask for at once and how long they may take, and how the end of the server reaches them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Numbers of bytes, seconds and requests."""

    places_per_worker: int = 24
    """Requests whose body is whole, answered or waiting, for each process that answers."""

    held_bytes: int = 256_000_000
    """What has come of all bodies together, and is not answered yet."""

    head_s: float = 10.0
    """For the head of a request; on a connection that is open and says nothing too."""

    body_s: float = 60.0
    """For a whole body."""

    stall_s: float = 5.0
    """Between two pieces of a body; and from its beginning, before its rate is looked at."""

    least_bytes_s: float = 50_000.0
    """The rate at which a body must come on average: a page of 1 MB in 25 s."""

    wait_s: float = 4.5
    """For a process that is free."""

    deadline_s: float | None = 20.0
    """For reading one file."""

    unread_s: float = 30.0
    """For an answer to be taken, or so much of it as must come of a body in that time."""

    dropped_bodies: int = 32
    """Refused requests at once that may send on, so that their client comes to read the refusal."""

    ending_s: float = 3.0
    """For what is being answered when the server is told to end."""


LIMITS = Limits()


class Ending:
    """Whether the server ends; whoever waits for a client or a process by `timeout_at` is then woken."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._waiting: dict[asyncio.Timeout, float] = {}

    def __bool__(self) -> bool:
        """Whether it has begun."""
        return self._since is not None

    def begin(self) -> None:
        """Let nobody wait any longer than they said they would."""
        self._since = asyncio.get_running_loop().time()
        for wait, leave_s in self._waiting.items():
            when = wait.when()
            if not wait.expired() and (when is None or when > self._since + leave_s):
                wait.reschedule(self._since + leave_s)

    @asynccontextmanager
    async def timeout_at(self, when: float, leave_s: float = 0.0) -> AsyncIterator[None]:
        """As `asyncio.timeout_at`; and raises TimeoutError `leave_s` after the end has begun."""
        if self._since is not None:
            when = min(when, self._since + leave_s)
        async with asyncio.timeout_at(when) as wait:
            self._waiting[wait] = leave_s
            try:
                yield
            finally:
                del self._waiting[wait]
