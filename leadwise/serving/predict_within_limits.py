"""`leadwise.predict` and `leadwise.digitize`: one file, read in a process of its own within limits."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

from leadwise.pages.page_signals import PageSignals
from leadwise.serving.digitised import Digitised
from leadwise.serving.digitize_page import digitize_page
from leadwise.serving.long_recordings import more_seconds
from leadwise.serving.predict import Answer
from leadwise.serving.predict import predict as answer
from leadwise.serving.predict_recording import RecordingAnswer
from leadwise.workers import LIMITS, Limits, Workers

_Task = tuple[str, Callable[[], Any], float]
_workers: dict[tuple[Limits, int], Workers[_Task, Any]] = {}
_one_at_a_time = threading.Lock()


def predict(
    source: str | Path | bytes,
    *,
    model: str | Path | None = None,
    page: int | None = None,
    limits: Limits = LIMITS,
) -> Answer | Digitised | RecordingAnswer:
    """Answer for one file: a recording where it is named like a WFDB header (``.hea``) or its signals, else a page.

    `source` is a path, or a page's bytes; `model` is an ONNX file for that kind, by default the one that comes with
    leadwise. `page` is that of a file of several, from 1; by default the first that is an ECG page. The first call
    starts the process that reads, which takes a second; it stays for the next. Raises `UnreadablePage` (no picture),
    `ForeignPage` (no ECG of a form that is known), `DoubtfulPage` (one whose leads cannot be trusted),
    `MissingInput` and `InputError` (a record that is not there, damaged, too short), `Lost` (beyond `limits`) and
    `WeightsError` (the model), each in a sentence that says what to do. Ctrl+C ends what is being read, that of other
    threads too.
    """
    more_s = 0.0 if isinstance(source, bytes) else more_seconds(Path(source))
    answered: Answer | Digitised | RecordingAnswer = _within(
        limits, partial(answer, source, model=model, page=page), more_s
    )
    return answered


def digitize(source: str | Path | bytes, *, page: int | None = None, limits: Limits = LIMITS) -> PageSignals:
    """The leads of one printed ECG in millivolts, whatever its form: traces by lead, geometry, quality, warnings.

    `source` is a path, or a file's bytes; `page` the number of the page in it, from 1, by default the first that is
    an ECG. ``digitize("scan.png").samples()`` is a table of all leads at 500 Hz. Raises `UnreadablePage` (no
    picture), `ForeignPage` (no ECG of a form that is known), `DoubtfulPage` (leads that cannot be trusted) and
    `Lost` (beyond `limits`), each in a sentence that says what to do. Research use only, not a medical device.
    """
    signals: PageSignals = _within(limits, partial(digitize_page, source, page=page))
    return signals


def _within(limits: Limits, work: Callable[[], Any], more_s: float = 0.0) -> Any:
    """What a call gives in the process that has these limits, and `more_s` seconds more."""
    whose = limits, os.getpid()  # a forked process takes one of its own
    with _one_at_a_time:  # else each of several threads would start a process
        worker = _workers.get(whose) or _workers.setdefault(whose, _begun(limits))
    try:
        return worker.submit((str(Path.cwd()), work, more_s)).result()
    except KeyboardInterrupt:
        _workers.pop(whose, None)  # else the next call would wait for this file
        worker.close()
        raise


def _begun(limits: Limits) -> Workers[_Task, Any]:
    worker: Workers[_Task, Any] = Workers(_answered, 1, limits, more_s=itemgetter(2))
    atexit.register(worker.close)
    return worker


def _answered(task: _Task) -> Any:
    here, work, _ = task
    os.chdir(here)
    return work()
