"""leadwise over HTTP: a page or a record in, a typed answer out; refusals are 4xx in words, and nothing is kept.

A request is let in before its body is read: so many at once, so many bytes together, and where there is no place left
the answer is 503 with Retry-After. Bodies stay in memory and are gone with the answer.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.datastructures import FormData, MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadwise.errors import Lost, WeightsError
from leadwise.models.onnx_file import ModelInfo
from leadwise.names import CAUTION, VERSION
from leadwise.pages.read import MAX_BYTES
from leadwise.serving.beat_model import load_beat_model
from leadwise.serving.http import schema
from leadwise.serving.http.jobs import Done, Job, Wanted, do, refused
from leadwise.serving.http.samples import Sample, load_samples
from leadwise.serving.http.uploads import MAX_FILES, Upload
from leadwise.serving.model import load_model
from leadwise.workers import LIMITS, Limits, Workers

PLACES_PER_WORKER, MOST_HELD_BYTES = 24, 256_000_000
"""Requests let in at once, for each process that answers, and the bytes that all of them may hold together."""

BODY_S = 60.0
"""How long a body may take to come."""

_RESOURCES = package_files("leadwise") / "resources"
_FORM_BYTES = 65_536  # what multipart adds to the files
_RETRY_S = 2

_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "maxItems": MAX_FILES,
                            "description": "one page (JPEG, PNG, TIFF, BMP, WebP, or a PDF's first page), "
                            "or one WFDB record: its .hea with its .dat, or both in a .zip",
                        }
                    },
                }
            }
        },
    }
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": schema.Refusal, "description": "no multipart form, or no file in it"},
    411: {"model": schema.Refusal, "description": "a body without Content-Length"},
    413: {"model": schema.Refusal, "description": f"more than {MAX_BYTES / 1e6:.0f} MB"},
    415: {"model": schema.Refusal, "description": "a kind of file that is not read"},
    422: {"model": schema.Refusal, "description": "a file that cannot be answered for, and why"},
    501: {"model": schema.Refusal, "description": "a record, where there is no model of beats"},
    503: {"model": schema.Refusal, "description": "no place left; Retry-After says when to ask again"},
}


class _Refused(Exception):
    """Ends a request early, with its answer."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.done = refused(status, code, detail)


class _Parser(MultiPartParser):
    """Starlette's, whose files do not go to a disk."""

    spool_max_size = MAX_BYTES + _FORM_BYTES


class _Desk:
    """Where requests are let in, so many at once and so many bytes together, and are answered by the pool."""

    def __init__(
        self, models: tuple[Path | None, Path | None], workers: int, places: int, deadline_s: float | None
    ) -> None:
        self.places, self.inside, self.workers = places, 0, workers
        self._bytes = 0
        self._models = models
        self._deadline_s = deadline_s
        self._pool: Workers[Job, Done] | None = None

    def open(self) -> None:
        """Start the processes."""
        self._pool = Workers(do, self.workers, Limits(self._deadline_s, LIMITS.memory_bytes), _warm)

    def close(self) -> None:
        """End them."""
        if self._pool is not None:
            self._pool.close()

    async def answer(self, request: Request, wanted: Wanted) -> Response:
        """The response to one upload, whatever it was."""
        try:
            done = await self._done(request, wanted)
        except _Refused as error:
            done = error.done
        except Lost as error:
            done = refused(422, "unreadable", f"the file was given up: {error}. Scan or copy it again.")
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it
        headers = {"Cache-Control": "no-store"}
        if done.status == 503:
            headers["Retry-After"] = str(_RETRY_S)
        return Response(done.body, done.status, headers, done.media_type)

    async def _done(self, request: Request, wanted: Wanted) -> Done:
        size = _claimed_size(request)
        if self.inside >= self.places or self._bytes + size > MOST_HELD_BYTES or self._pool is None:
            await _drain(request, size)
            raise _Refused(503, "full", "every place is taken. Ask again in a moment.")
        self.inside += 1
        self._bytes += size
        try:
            files = await _files_of(request, size)
            done = await self._pool.run(Job(files, wanted, *self._models))
        finally:
            self.inside -= 1
            self._bytes -= size
        return done


def make_app(
    model: Path | None = None,
    workers: int = 1,
    *,
    beat_model: Path | None = None,
    places: int | None = None,
    deadline_s: float | None = LIMITS.deadline_s,
) -> FastAPI:
    """The server as an ASGI application; its processes live as long as it runs.

    `model` and `beat_model` are as in `predict_page` and `predict_recording`; `workers` processes answer, and
    `places` requests are inside at most. Raises `WeightsError` where either cannot be loaded.
    """
    models = {
        "pages": _carded(load_model(model).info, "MODEL_CARD.md" if model is None else None),
        "beats": _carded(load_beat_model(beat_model).info, "BEAT_CARD.md" if beat_model is None else None),
    }
    desk = _Desk((model, beat_model), workers, places or PLACES_PER_WORKER * workers, deadline_s)
    samples: dict[str, Sample] = {}

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        desk.open()
        samples.update(await asyncio.to_thread(load_samples))
        yield
        desk.close()

    app = FastAPI(
        title="leadwise",
        version=VERSION,
        summary="Printed 12-lead ECGs and recordings: leads, millivolts, beats by class, a calibrated answer",
        description=f"{CAUTION} Files stay in memory while they are answered and are not kept.",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        lifespan=life,
    )
    app.include_router(_answers(desk))
    app.include_router(_told(desk, models))
    app.include_router(_page_and_samples(samples))
    app.add_exception_handler(HTTPException, _in_words)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(_Guarded)
    return app


def _answers(desk: _Desk) -> APIRouter:
    """What takes files."""
    routes = APIRouter()

    @routes.post(
        "/predict",
        response_model=schema.PageAnswer | schema.RecordAnswer,
        responses=_REFUSALS,
        openapi_extra=_UPLOAD,
        summary="Answer for one page or one record",
    )
    async def predict(request: Request, picture: bool = False) -> Response:
        """For a page its class, probabilities, leads, millivolts, quality; for a record its beats by class."""
        return await desk.answer(request, "json with picture" if picture else "json")

    @routes.post(
        "/signals.csv",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}}, "description": "a row a sample, mV"}, **_REFUSALS},
        openapi_extra=_UPLOAD,
        summary="The millivolts of one page or record as a table",
    )
    async def signals_csv(request: Request) -> Response:
        return await desk.answer(request, "csv")

    @routes.post(
        "/signals.zip",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": ".hea and .dat"}, **_REFUSALS},
        openapi_extra=_UPLOAD,
        summary="The millivolts of one page or record as a WFDB record",
    )
    async def signals_zip(request: Request) -> Response:
        return await desk.answer(request, "wfdb")

    return routes


def _carded(info: ModelInfo, card: str | None) -> schema.ModelCard:
    """A model with its card, where it is one that comes with leadwise."""
    text = None if card is None else (_RESOURCES / card).read_text(encoding="utf-8")
    return schema.ModelCard(**{**asdict(info), "classes": list(info.classes)}, card=text)


def _told(desk: _Desk, models: dict[str, schema.ModelCard]) -> APIRouter:
    """What the server says of itself."""
    routes = APIRouter()

    @routes.get("/health", summary="Whether it answers, and how busy it is")
    async def health() -> schema.Health:
        return schema.Health(version=VERSION, workers=desk.workers, in_work=desk.inside, places=desk.places)

    @routes.get(
        "/model", summary="The model that answers for pages, or for the beats of records, and its card"
    )
    async def model(of: Literal["pages", "beats"] = "pages") -> schema.ModelCard:
        return models[of]

    @routes.get("/model/card", response_class=Response, include_in_schema=False)
    async def card_alone(of: Literal["pages", "beats"] = "pages") -> Response:
        if models[of].card is None:
            raise HTTPException(
                404, "The card is that of the model that comes with leadwise; this is another."
            )
        return Response(models[of].card, media_type="text/plain; charset=utf-8")

    return routes


def _page_and_samples(samples: dict[str, Sample]) -> APIRouter:
    """What the browser shows."""
    routes = APIRouter()
    text = (_RESOURCES / "serve.html").read_text(encoding="utf-8")
    page = _Page(text.replace("{{version}}", VERSION))

    @routes.get("/", response_class=Response, include_in_schema=False)
    async def index() -> Response:
        headers = {"Content-Security-Policy": page.policy, "Cache-Control": "no-cache"}
        return Response(page.text, headers=headers, media_type="text/html; charset=utf-8")

    @routes.get("/samples", summary="Three real pages to try")
    async def sample_list() -> list[schema.SampleTold]:
        return [
            schema.SampleTold(
                name=one.name,
                title=one.title,
                label=one.label,
                page=f"samples/{one.name}.jpg",
                thumbnail=f"samples/{one.name}-small.jpg",
            )
            for one in samples.values()
        ]

    @routes.get("/samples/{file}", response_class=Response, include_in_schema=False)
    async def sample(file: str) -> Response:
        name = file.removesuffix(".jpg").removesuffix("-small")
        if name not in samples or not file.endswith(".jpg"):
            raise HTTPException(404, f"No such sample; there are {', '.join(samples)}.")
        data = samples[name].thumbnail if file.endswith("-small.jpg") else samples[name].page
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})

    return routes


class _Guarded:
    """Adds to each response what keeps a browser from guessing and telling."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
            await send(message)

        await self._app(scope, receive, sent)


async def _in_words(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # it is registered for no other
    said = {
        "Not Found": "there is nothing here. The page is at /, the description of the interface at /openapi.json.",
        "Method Not Allowed": "this address does not take that method; /openapi.json says which it takes.",
    }
    told = refused(error.status_code, "no_such_thing", said.get(error.detail, error.detail))
    return Response(told.body, told.status, error.headers, told.media_type)


async def _unforeseen(_: Request, error: Exception) -> Response:
    logging.getLogger("leadwise").error("an error that nobody foresaw", exc_info=error)
    told = refused(500, "error", "an error of leadwise; please report what you sent, if you may.")
    return Response(told.body, told.status, media_type=told.media_type)


class _Page:
    """The one HTML file, and the policy under which its own script and style run and nothing else does."""

    def __init__(self, text: str) -> None:
        self.text = text
        script, style = (
            " ".join(
                f"'sha256-{_digest(part)}'" for part in re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
            )
            for tag in ("script", "style")
        )
        self.policy = (
            f"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data: blob:; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )


def _digest(part: str) -> str:
    return base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()


def _warm() -> None:
    """Load in a new process what the first answer would wait for."""
    from leadwise.pages.render import render
    from leadwise.serving.predict import is_refused

    load_model()
    with contextlib.suppress(WeightsError):  # who asks for a record is told
        load_beat_model()
    is_refused(render(np.zeros((12, 2501)), 250))


def _claimed_size(request: Request) -> int:
    """Content-Length, which must be there, within limits, and of a form."""
    claimed = request.headers.get("content-length", "")
    if not claimed.isdecimal():
        raise _Refused(411, "length_required", "the request must say its Content-Length.")
    if int(claimed) > MAX_BYTES + _FORM_BYTES:
        said = f"{int(claimed) / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are taken. Scan at 300 dpi."
        raise _Refused(413, "too_large", said)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        said = "send the file as multipart/form-data, as `curl -F file=@page.jpg` does."
        raise _Refused(400, "no_form", said)
    return int(claimed)


async def _files_of(request: Request, size: int) -> tuple[Upload, ...]:
    """The files of a form, within limits of number and time."""
    try:
        async with asyncio.timeout(BODY_S):
            form = await _Parser(
                request.headers, _bounded(request, size), max_files=MAX_FILES, max_fields=MAX_FILES
            ).parse()
    except TimeoutError:
        said = f"the body took longer than {BODY_S:g} s to come."
        raise _Refused(408, "too_slow", said) from None
    except MultiPartException as error:
        raise _Refused(400, "no_form", f"the form cannot be read ({error.message})") from error
    return await _taken_out(form)


async def _taken_out(form: FormData) -> tuple[Upload, ...]:
    async with _closing(form):
        files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not files:
            said = "the form holds no file. Send it as `curl -F file=@page.jpg` does."
            raise _Refused(400, "no_file", said)
        return tuple([Upload(one.filename or "file", await one.read()) for one in files])


@asynccontextmanager
async def _closing(form: FormData) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await form.close()


async def _bounded(request: Request, size: int) -> AsyncGenerator[bytes, None]:
    """The body, as long as it is no longer than it said."""
    async for chunk in request.stream():
        size -= len(chunk)
        if size < 0:
            raise MultiPartException("more bytes than Content-Length said")
        yield chunk


async def _drain(request: Request, size: int) -> None:
    """Take a small body in and drop it, since a client that is still sending may not read the refusal."""
    if size > 8_000_000:
        return
    try:
        async with asyncio.timeout(5):
            async for _ in request.stream():
                pass
    except (TimeoutError, ClientDisconnect):
        pass
