"""What the server's processes do: one upload in, the bytes of its answer out, or why there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2

from leadwise.errors import DoubtfulPage, ForeignPage, InputError, UnreadablePage, WeightsError
from leadwise.serving.http.schema import Refusal
from leadwise.serving.http.uploads import UnknownKind, Upload, answer, as_csv, as_wfdb
from leadwise.workers import TOO_LARGE, give_back_memory

Wanted = Literal["json", "json with picture", "csv", "wfdb"]

_CODES: dict[type[InputError], tuple[int, str]] = {
    UnknownKind: (415, "unknown_kind"),
    UnreadablePage: (422, "unreadable_page"),
    ForeignPage: (422, "foreign_page"),
    DoubtfulPage: (422, "doubtful_page"),
    InputError: (422, "unreadable"),
}


@dataclass(frozen=True)
class Job:
    """Files of one request, what is wanted of them, and by which models (None: those shipped)."""

    files: tuple[Upload, ...]
    wanted: Wanted
    model: Path | None
    beat_model: Path | None = None


@dataclass(frozen=True)
class Done:
    """An HTTP status, the body, and its media type."""

    status: int
    body: bytes
    media_type: str = "application/json"


def do(job: Job) -> Done:
    """Answer, or refuse in words; an error that nobody foresaw is logged here and named there."""
    done = _done(job)
    if done.status != 200:  # as most files of odd sizes are; after others it would cost 3 ms for nothing
        give_back_memory()
    return done


def _done(job: Job) -> Done:
    try:
        return _ways()[job.wanted](job)
    except InputError as error:
        status, code = next(told for kind, told in _CODES.items() if isinstance(error, kind))
        return refused(status, code, str(error))
    except WeightsError as error:
        logging.getLogger("leadwise").warning("no model: %s", error)
        return refused(501, "no_model", f"this server cannot answer for such a file: {error}")
    except MemoryError:
        return refused(422, "unreadable", TOO_LARGE)
    except cv2.error as error:
        logging.getLogger("leadwise").warning("refused: %s", error)
        return refused(422, "unreadable", "the file cannot be decoded; it is damaged. Copy it again.")
    except Exception:
        logging.getLogger("leadwise").exception("an error that nobody foresaw")
        return refused(
            500, "error", "an error of leadwise; please report it with the file, if you may share it."
        )


def refused(status: int, code: str, detail: str) -> Done:
    """A refusal as the types have it."""
    return Done(status, Refusal(code=code, detail=detail).model_dump_json().encode())


def _ways() -> dict[Wanted, Callable[[Job], Done]]:
    return {
        "json": lambda job: _told(job, picture=False),
        "json with picture": lambda job: _told(job, picture=True),
        "csv": lambda job: Done(200, as_csv(job.files, model=job.model), "text/csv"),
        "wfdb": lambda job: Done(200, as_wfdb(job.files, model=job.model), "application/zip"),
    }


def _told(job: Job, *, picture: bool) -> Done:
    found = answer(job.files, model=job.model, beat_model=job.beat_model, picture=picture)
    return Done(200, found.model_dump_json().encode())
