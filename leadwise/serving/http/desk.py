"""Where uploads are taken in and answered: so many bytes of bodies, so many that wait, so long, or 503 in words.

A body that comes takes no place: it has one when it is whole. What counts meanwhile are the bytes that have come.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from leadwise.errors import Lost, WeightsError
from leadwise.serving.http.bodies import Refused, claimed_size, files_of
from leadwise.serving.http.jobs import Asked, Job, Wanted, do, refused
from leadwise.serving.http.limits import Ending, Limits
from leadwise.serving.model import load_beat_model, load_hearts, load_model
from leadwise.workers import LIMITS, Workers

_RETRY_S = 2
_ENDS = "the server ends. Send the file again in a moment."


class Desk:
    """Takes uploads in and has the pool answer; `models` are those for pages and for beats (None: those shipped)."""

    def __init__(self, models: tuple[Path | None, Path | None], workers: int, limits: Limits) -> None:
        self.places, self.inside, self.workers = limits.places_per_worker * workers, 0, workers
        self.limits = limits
        self.ending = Ending()
        self._bytes = 0
        self._models = models
        self._pool: Workers[Job, Response] | None = None
        self._free = asyncio.Semaphore(workers)  # who waits, waits here: the pool has no more than it can do

    def open(self) -> None:
        """Start the processes."""
        limits = dataclasses.replace(LIMITS, deadline_s=self.limits.deadline_s)
        self._pool = Workers(do, self.workers, limits, _warm)

    def close(self) -> None:
        """End them."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def is_ready(self) -> bool:
        """Whether an answer would not wait for a process to start."""
        return self._pool is not None and self._pool.is_ready()

    async def end(self) -> None:
        """Refuse whoever comes or waits; what is being answered has a little time, then its process is ended."""
        self.ending.begin()
        clock = asyncio.get_running_loop().time
        give_up = clock() + self.limits.ending_s
        while self.inside and clock() < give_up:
            await asyncio.sleep(0.05)
        self.close()

    async def answer(
        self, request: Request, wanted: Wanted, asked: Asked = "predict", *, page: int | None = None
    ) -> Response:
        """The response to one upload, whatever it was; `page` is that of a file of several."""
        try:
            response = await self._response(request, wanted, asked, page)
        except Refused as error:
            response = error.response
        except Lost as error:
            response = refused(422, "unreadable", f"the file was given up: {error}. Scan or copy it again.")
            if self.ending:
                response = refused(503, "ending", _ENDS)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        response.headers["Cache-Control"] = "no-store"
        if response.status_code == 503:
            response.headers["Retry-After"] = str(_RETRY_S)
        return response

    async def _response(self, request: Request, wanted: Wanted, asked: Asked, page: int | None) -> Response:
        size = claimed_size(request.headers)
        self._look_for_a_place()
        held = 0

        def hold(more: int) -> None:
            nonlocal held
            if self._bytes + more > self.limits.held_bytes:
                raise Refused(503, "full", "too many uploads come at once. Ask again in a moment.")
            held += more
            self._bytes += more

        try:
            files = await files_of(request, size, hold, self.limits, self.ending)
            async with self._worker() as pool:
                return await asyncio.wrap_future(pool.submit(Job(files, asked, wanted, *self._models, page)))
        finally:
            self._bytes -= held

    def _look_for_a_place(self) -> None:
        if self.ending:
            raise Refused(503, "ending", _ENDS)
        if self.inside >= self.places or self._pool is None:
            raise Refused(503, "full", "every place is taken. Ask again in a moment.")

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Workers[Job, Response]]:
        """The pool, when a process of it is free. Raises `Refused` where that takes too long."""
        self._look_for_a_place()
        assert self._pool is not None  # noqa: S101  # it was looked at
        self.inside += 1
        try:
            try:
                async with self.ending.timeout_at(asyncio.get_running_loop().time() + self.limits.wait_s):
                    await self._free.acquire()
            except TimeoutError:
                if self.ending:
                    raise Refused(503, "ending", _ENDS) from None
                reason = f"no process was free within {self.limits.wait_s:g} s. Ask again in a moment."
                raise Refused(503, "busy", reason) from None
            try:
                yield self._pool
            finally:
                self._free.release()
        finally:
            self.inside -= 1


def _warm() -> None:
    """Load in a new process what the first answer would wait for."""
    from leadwise.drawing.render import render
    from leadwise.serving.predict import is_refused

    load_model()
    load_hearts()
    with contextlib.suppress(WeightsError):  # who asks for a record is told
        load_beat_model()
    is_refused(render(np.zeros((12, 2501)), 250))
