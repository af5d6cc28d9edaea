"""What the server's processes do: one upload in, the response to it out, or why there is none."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from leadwise.errors import DoubtfulPage, ForeignPage, InputError, UnreadablePage, WeightsError
from leadwise.names import CAUTION, LEADS
from leadwise.pages.digitize import N_LEAD, RATE_HZ
from leadwise.pages.forms import known_form
from leadwise.recordings.records import STRIP, record_of, write_record
from leadwise.serving import recordings
from leadwise.serving.digitised import Digitised, traced
from leadwise.serving.digitize_files import csv_of, png_of, wfdb_of
from leadwise.serving.digitize_page import digitize_page
from leadwise.serving.http.plain import answer_page
from leadwise.serving.http.schema import DigitisedAnswer, PageAnswer, RecordAnswer, Refusal
from leadwise.serving.http.uploads import UnknownKind, Upload, read_uploads
from leadwise.serving.model import load_model
from leadwise.serving.overlay import data_uri
from leadwise.serving.predict import Answer, predict_page, without_each_lead
from leadwise.serving.predict_recording import RecordingAnswer, name_beats
from leadwise.workers import give_back_memory

Asked = Literal["predict", "digitize"]
Wanted = Literal["json", "json with picture", "html", "csv", "wfdb", "overlay"]

_CODES: dict[type[InputError], tuple[int, str]] = {
    UnknownKind: (415, "unknown_kind"),
    UnreadablePage: (422, "unreadable_page"),
    ForeignPage: (422, "foreign_page"),
    DoubtfulPage: (422, "doubtful_page"),
    InputError: (422, "unreadable"),
}
_SHOWN_PX = 1600
_STARTS_S = {
    name: column * N_LEAD / RATE_HZ for names in known_form().rows for column, name in enumerate(names)
}


@dataclass(frozen=True)
class Job:
    """Files of one request, what is asked and wanted of them, and by which models (None: those shipped).

    `page` is that of a file of several, from 1 (None: the first that is an ECG page).
    """

    files: tuple[Upload, ...]
    asked: Asked
    wanted: Wanted
    model: Path | None
    beat_model: Path | None = None
    page: int | None = None


def do(job: Job) -> Response:
    """Answer, or refuse in words; an error that nobody foresaw is logged here and named there."""
    try:
        return _answered(job)
    except InputError as error:
        status, code = next(answer for kind, answer in _CODES.items() if isinstance(error, kind))
        response = refused(status, code, str(error))
    except WeightsError as error:
        logging.getLogger("leadwise").warning("no model: %s", error)
        response = refused(501, "no_model", f"this server cannot answer for such a file: {error}")
    except MemoryError:
        raise  # as of any work
    except cv2.error as error:
        logging.getLogger("leadwise").warning("refused: %s", error)
        response = refused(422, "unreadable", "the file cannot be decoded; it is damaged. Copy it again.")
    except Exception:
        logging.getLogger("leadwise").exception("an error that nobody foresaw")
        response = refused(
            500, "error", "an error of leadwise; please report it with the file, if you may share it."
        )
    give_back_memory()  # as files of odd sizes need it; after others it would cost 3 ms for nothing
    return response


def refused(status: int, code: str, detail: str) -> Response:
    """A refusal as the types have it."""
    return _json(Refusal(code=code, detail=detail), status)


def _json(content: PageAnswer | DigitisedAnswer | RecordAnswer | Refusal, status: int = 200) -> Response:
    return Response(content.model_dump_json(), status, media_type="application/json")


def _answered(job: Job) -> Response:
    if job.asked == "digitize":
        page = read_uploads(job.files, partial(_digitised, page=job.page), job.page)
        if not isinstance(page, Digitised):
            raise InputError(f"{page[0]}: a record holds its signals already. Send a printed page.")
        return _of_digitised(page, job.wanted)
    source = read_uploads(job.files, partial(predict_page, model=job.model, page=job.page), job.page)
    if isinstance(source, Digitised):
        return _of_digitised(source, job.wanted)
    if job.wanted in ("csv", "wfdb"):
        return _signals(source, job.wanted)
    answer = source if isinstance(source, Answer) else name_beats(*source, job.beat_model)
    if job.wanted == "html":
        return answer_page(answer)
    picture = job.wanted == "json with picture"
    if isinstance(answer, Answer):
        return _json(_page_answer(answer, job.model, picture))
    return _json(_record_answer(answer, picture))


def _digitised(data: bytes, page: int | None) -> Digitised:
    return Digitised("page", digitize_page(data, page=page))


def _of_digitised(page: Digitised, wanted: Wanted) -> Response:
    signals = page.signals
    if wanted == "csv":
        return Response(csv_of(signals), media_type="text/csv")
    if wanted == "wfdb":
        return _zipped(wfdb_of(signals, "leadwise", page.file))
    if wanted == "overlay":
        return Response(png_of(page), media_type="image/png")
    if wanted == "html":
        return answer_page(page)
    drawn = traced(signals) if wanted == "json with picture" else None
    answer = DigitisedAnswer(
        **page.as_json(),
        page_px=(signals.page.shape[1], signals.page.shape[0]),
        signals_mv=_millivolts((name, trace.signal_mv) for name, trace in signals.columns().items()),
        picture=None if drawn is None else data_uri(drawn, _SHOWN_PX, ".jpg"),
    )
    return _json(answer)


def _page_answer(answer: Answer, model: Path | None, picture: bool) -> PageAnswer:
    signals = answer.signals
    return PageAnswer(
        **answer.as_json(),
        page_px=(answer.page.shape[1], answer.page.shape[0]),
        signals_mv=_millivolts([*zip(LEADS, signals.leads, strict=True), (STRIP, signals.strip)]),
        starts_s={**{name: _STARTS_S[name] for name in LEADS}, STRIP: 0.0},
        without={
            name: {label: round(share, 4) for label, share in shares.items()}
            for name, shares in without_each_lead(signals, load_model(model)).items()
        },
        picture=data_uri(answer.page, _SHOWN_PX, ".jpg") if picture else None,
    )


def _record_answer(answer: RecordingAnswer, picture: bool) -> RecordAnswer:
    record = answer.record
    return RecordAnswer(
        **answer.as_json(),
        signals_mv=_millivolts(zip(record.names, record.signals, strict=True)),
        picture=data_uri(answer.picture(), _SHOWN_PX, ".png") if picture else None,
    )


def _signals(source: Answer | tuple[str, recordings.Reading], wanted: Wanted) -> Response:
    """Millivolts as a table, a row a sample, or as a WFDB record in a zip; the files lie in memory meanwhile."""
    if isinstance(source, Answer):
        record, origin = record_of(source.signals), f"digitised by leadwise from {source.file}"
    else:
        record, origin = source[1].record, f"{recordings.PROCESSING}; by leadwise from {source[0]}"
    comments = [origin.encode("ascii", "replace").decode(), CAUTION]
    with recordings.folder_in_memory() as folder:
        write_record(record, folder, "leadwise", comments)
        if wanted == "csv":
            return Response((folder / "leadwise.csv").read_bytes(), media_type="text/csv")
        return _zipped({name: (folder / name).read_bytes() for name in ("leadwise.hea", "leadwise.dat")})


def _zipped(files: Mapping[str, bytes]) -> Response:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Response(packed.getvalue(), media_type="application/zip")


def _millivolts(leads: Iterable[tuple[str, NDArray[np.floating]]]) -> dict[str, list[float | None]]:
    """By lead, to a microvolt; nan is null in JSON."""
    return {name: np.round(signal.astype(float), 3).tolist() for name, signal in leads}
