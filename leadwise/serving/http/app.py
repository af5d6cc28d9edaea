"""leadwise over HTTP: a page or a record in, a typed answer out; refusals are 4xx in words, and nothing is kept.

`desk` takes uploads in and has them answered; `guards` stands before every route; `connections` keeps clients that
say nothing from shutting out the others. Bodies stay in memory and are gone with the answer.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from leadwise.files import RESOURCES, sha256_in_policy, without_front_matter
from leadwise.models.onnx_file import ModelInfo
from leadwise.names import CAUTION, VERSION, shortened
from leadwise.pages.read import MAX_BYTES
from leadwise.recordings.zips import MAX_FILES
from leadwise.serving.http import schema
from leadwise.serving.http.desk import Desk
from leadwise.serving.http.guards import Guarded, Hosts
from leadwise.serving.http.jobs import refused
from leadwise.serving.http.limits import LIMITS, Limits
from leadwise.serving.http.plain import refusal_page
from leadwise.serving.http.samples import SAMPLES, load_samples
from leadwise.serving.model import load_beat_model, load_hearts, load_model


def _upload(files: int, what: str) -> dict[str, Any]:
    """How OpenAPI describes a form with files."""
    file = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "maxItems": files,
        "description": what,
    }
    form = {"type": "object", "required": ["file"], "properties": {"file": file}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}


_PAGE = "one page (JPEG, PNG, TIFF, BMP, WebP, PDF; of several the first that is an ECG)"
_UPLOAD = _upload(
    MAX_FILES,
    f"{_PAGE}, or one recording: a WFDB record, its .hea with its .dat, or both in a .zip; EDF; DICOM",
)
_PAGE_UPLOAD = _upload(1, _PAGE)
_PageNumber = Annotated[
    int | None,
    Query(ge=1, description="the page of a file of several; by default the first that is an ECG page"),
]
_Of = Literal["pages", "beats", "hearts"]
_WHY = {
    400: "no multipart form, no file in it, or a Host of another's name",
    408: "a body that stalls or comes too slowly",
    411: "a body without Content-Length",
    413: f"more than {MAX_BYTES / 1e6:.0f} MB",
    415: "a kind of file that is not read",
    422: "a file that cannot be answered for, or a wrong parameter",
    501: "a record, where there is no model of beats",
    503: "no place, or no process free in time, or the server ends; Retry-After says when to ask again",
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": schema.Refusal, "description": why} for status, why in _WHY.items()
}
_WRONG: dict[int | str, dict[str, Any]] = {422: {"model": schema.Refusal, "description": "a wrong parameter"}}


def make_app(
    model: Path | None = None,
    workers: int = 1,
    *,
    beat_model: Path | None = None,
    hosts: Collection[str] = (),
    limits: Limits = LIMITS,
) -> FastAPI:
    """The server as an ASGI application; its processes live as long as it runs.

    `model` and `beat_model` are as in `predict_page` and `predict_recording`; `workers` processes answer. It answers
    under addresses, localhost and `hosts`. ``app.state.desk.end()`` ends what is being answered. Raises
    `WeightsError` where a model cannot be loaded.
    """
    models = {
        "pages": _carded(load_model(model).info, "MODEL_CARD.md" if model is None else None),
        "beats": _carded(load_beat_model(beat_model).info, "BEAT_CARD.md" if beat_model is None else None),
        "hearts": _carded(load_hearts().info, "HEARTS_CARD.md"),
    }
    desk = Desk((model, beat_model), workers, limits)
    samples: dict[str, bytes] = {}

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
    app.include_router(_digitized(desk))
    app.include_router(_about_server(desk, models))
    app.include_router(_page_and_samples(samples))
    app.add_exception_handler(HTTPException, _in_words)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(Hosts, names=hosts)
    app.add_middleware(Guarded, limits=limits, ending=desk.ending)
    app.state.desk = desk
    return app


def _answers(desk: Desk) -> APIRouter:
    """What takes files."""
    routes = APIRouter()

    @routes.post(
        "/predict",
        response_model=schema.PageAnswer | schema.DigitisedAnswer | schema.RecordAnswer,
        responses=_REFUSALS,
        openapi_extra=_UPLOAD,
        summary="Answer for one page or one record",
    )
    async def predict(request: Request, picture: bool = False, page: _PageNumber = None) -> Response:
        """For a page its class, probabilities, leads, millivolts, quality; for a record its beats by class.

        A page of another form than the one that the model knows gets its leads and no class.
        """
        return await desk.answer(request, "json with picture" if picture else "json", page=page)

    @routes.post("/answer", include_in_schema=False)
    async def answer(request: Request, page: _PageNumber = None) -> Response:
        """The same as a page, for a browser that runs no script."""
        response = await desk.answer(request, "html", page=page)
        return response if response.status_code == 200 else refusal_page(response)

    @routes.post(
        "/signals.csv",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}}, "description": "a row a sample, mV"}, **_REFUSALS},
        openapi_extra=_UPLOAD,
        summary="The millivolts of one page or record as a table",
    )
    async def signals_csv(request: Request, page: _PageNumber = None) -> Response:
        return await desk.answer(request, "csv", page=page)

    @routes.post(
        "/signals.zip",
        response_class=Response,
        responses={200: {"content": {"application/zip": {}}, "description": ".hea and .dat"}, **_REFUSALS},
        openapi_extra=_UPLOAD,
        summary="The millivolts of one page or record as a WFDB record",
    )
    async def signals_zip(request: Request, page: _PageNumber = None) -> Response:
        return await desk.answer(request, "wfdb", page=page)

    return routes


def _digitized(desk: Desk) -> APIRouter:
    """Leads of pages of any form."""
    routes = APIRouter()

    def told(kind: str, what: str) -> dict[str, Any]:
        described = {200: {"content": {kind: {}}, "description": what}, **_REFUSALS}
        return {"response_class": Response, "responses": described, "openapi_extra": _PAGE_UPLOAD}

    @routes.post(
        "/digitize",
        response_model=schema.DigitisedAnswer,
        responses=_REFUSALS,
        openapi_extra=_PAGE_UPLOAD,
        summary="The leads of one page of any form, in millivolts",
    )
    async def digitize(request: Request, picture: bool = False, page: _PageNumber = None) -> Response:
        """Leads and strips with start and length, scale, quality and warnings; no class."""
        return await desk.answer(request, "json with picture" if picture else "json", "digitize", page=page)

    @routes.post(
        "/digitize.csv", summary="The same as a table", **told("text/csv", "a row a sample, 500 Hz, mV")
    )
    async def digitize_csv(request: Request, page: _PageNumber = None) -> Response:
        return await desk.answer(request, "csv", "digitize", page=page)

    @routes.post(
        "/digitize.zip", summary="The same as a WFDB record", **told("application/zip", ".hea and .dat")
    )
    async def digitize_zip(request: Request, page: _PageNumber = None) -> Response:
        return await desk.answer(request, "wfdb", "digitize", page=page)

    @routes.post(
        "/digitize.png", summary="The page with its traces drawn over it", **told("image/png", "the page")
    )
    async def digitize_png(request: Request, page: _PageNumber = None) -> Response:
        return await desk.answer(request, "overlay", "digitize", page=page)

    return routes


def _carded(info: ModelInfo, card: str | None) -> schema.ModelCard:
    """A model with its card, where it is one that comes with leadwise."""
    text = None if card is None else without_front_matter((RESOURCES / card).read_text(encoding="utf-8"))
    return schema.ModelCard(**vars(info), card=text)


def _about_server(desk: Desk, models: dict[str, schema.ModelCard]) -> APIRouter:
    """What the server says of itself."""
    routes = APIRouter()

    @routes.get("/health", summary="Whether it answers, and how busy it is")
    async def health() -> schema.Health:
        return schema.Health(
            status="ok" if desk.is_ready() else "starting",
            version=VERSION,
            workers=desk.workers,
            in_work=desk.inside,
            places=desk.places,
        )

    @routes.get(
        "/model",
        responses=_WRONG,
        summary="The model that answers for pages, for pages of any form, or for beats, and its card",
    )
    async def model(of: _Of = "pages") -> schema.ModelCard:
        return models[of]

    @routes.get("/model/card", response_class=Response, include_in_schema=False)
    async def card_alone(of: _Of = "pages") -> Response:
        if models[of].card is None:
            raise HTTPException(
                404, "The card is that of the model that comes with leadwise; this is another."
            )
        return Response(models[of].card, media_type="text/plain; charset=utf-8")

    return routes


def _page_and_samples(samples: dict[str, bytes]) -> APIRouter:
    """What the browser shows."""
    routes = APIRouter()
    text = (RESOURCES / "serve.html").read_text(encoding="utf-8").replace("{{version}}", VERSION)
    script, style = (
        " ".join(sha256_in_policy(part) for part in re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL))
        for tag in ("script", "style")
    )
    # its own script and style run, and nothing else does
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )

    @routes.get("/", response_class=Response, include_in_schema=False)
    async def index() -> Response:
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
        return Response(text, headers=headers, media_type="text/html; charset=utf-8")

    @routes.get("/samples", summary="Three real pages to try")
    async def sample_list() -> list[schema.Sample]:
        return SAMPLES

    @routes.get("/samples/{file}", response_class=Response, include_in_schema=False)
    async def sample(file: str) -> Response:
        if file not in samples:
            raise HTTPException(
                404, f"No such sample; there are {', '.join(known.page for known in SAMPLES)}."
            )
        return Response(samples[file], media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})

    return routes


async def _in_words(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # it is registered for no other
    reasons = {
        "Not Found": "there is nothing here. The page is at /, the description of the interface at /openapi.json.",
        "Method Not Allowed": "this address does not take that method; /openapi.json says which it takes.",
    }
    response = refused(error.status_code, "no_such_thing", reasons.get(error.detail, error.detail))
    response.headers.update(error.headers or {})
    return response


async def _wrong_parameter(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # it is registered for no other
    wrong = error.errors()[0]
    reason = f"{wrong['msg'][:1].lower()}{wrong['msg'][1:]}; /openapi.json says what it takes."
    value = shortened(str(wrong.get("input")), 40)
    return refused(422, "wrong_parameter", f"{wrong['loc'][-1]}={value}: {reason}")


async def _unforeseen(_: Request, error: Exception) -> Response:
    logging.getLogger("leadwise").error("an error that nobody foresaw", exc_info=error)
    return refused(500, "error", "an error of leadwise; please report what you sent, if you may.")
