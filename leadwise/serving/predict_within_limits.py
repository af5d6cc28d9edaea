"""`leadwise.predict`: one file, read in a process of its own within the limits that all files have."""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path

from leadwise.serving.predict import Answer
from leadwise.serving.predict import predict as answer
from leadwise.serving.predict_recording import RecordingAnswer
from leadwise.workers import LIMITS, Limits, Workers

_Task = tuple[str, str | Path | bytes, str | Path | None, int | None]
_Answers = Workers[_Task, Answer | RecordingAnswer]
_workers: dict[tuple[Limits, int], _Answers] = {}
_one_at_a_time = threading.Lock()


def predict(
    source: str | Path | bytes,
    *,
    model: str | Path | None = None,
    page: int | None = None,
    limits: Limits = LIMITS,
) -> Answer | RecordingAnswer:
    """Answer for one file: a recording where it is named like a WFDB header (``.hea``) or its signals, else a page.

    `source` is a path, or a page's bytes; `model` is an ONNX file for that kind, by default the one that comes with
    leadwise. `page` is that of a file of several, from 1; by default the first that is an ECG page. The first call
    starts the process that reads, which takes a second; it stays for the next. Raises `UnreadablePage` (no picture),
    `ForeignPage` (another layout, upside down), `DoubtfulPage` (the layout, but no twelve leads of one heart),
    `MissingInput` and `InputError` (a record that is not there, damaged, too short), `Lost` (beyond `limits`) and
    `WeightsError` (the model), each in a sentence that says what to do. Ctrl+C ends what is being read, that of other
    threads too.
    """
    whose = limits, os.getpid()  # a forked process takes one of its own
    with _one_at_a_time:  # else each of several threads would start a process
        worker = _workers.get(whose) or _workers.setdefault(whose, _begun(limits))
    try:
        return worker.submit((str(Path.cwd()), source, model, page)).result()
    except KeyboardInterrupt:
        _workers.pop(whose, None)  # else the next call would wait for this file
        worker.close()
        raise


def _begun(limits: Limits) -> _Answers:
    worker: _Answers = Workers(_answered, 1, limits)
    atexit.register(worker.close)
    return worker


def _answered(task: _Task) -> Answer | RecordingAnswer:
    here, source, model, page = task
    os.chdir(here)
    return answer(source, model=model, page=page)
