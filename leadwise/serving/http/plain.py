"""An answer as a page for a browser that runs no script: what a notebook shows of it, and nothing that acts."""

from __future__ import annotations

import json

from starlette.responses import Response

from leadwise.files import sha256_in_policy
from leadwise.names import CAUTION, CLASS_NAMES, as_html
from leadwise.serving.digitised import Digitised
from leadwise.serving.predict import Answer
from leadwise.serving.predict_recording import RecordingAnswer

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 48rem; margin: 1.5rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } th, td { text-align: left; padding: .25rem 1.2rem .25rem 0; }
img { width: 100%; height: auto; background: #fff; }
"""

_POLICY = (
    "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src {sha256_in_policy(_STYLE)}"
)


def answer_page(answer: Answer | Digitised | RecordingAnswer) -> Response:
    """A page of an answer."""
    if isinstance(answer, Answer):
        title = f"Most like pages labelled {CLASS_NAMES.get(answer.label, answer.label.replace('_', ' '))}"
        meaning = "It is not the chance that a person is ill, and does not carry over to other hospitals or devices."
        note = f"{meaning} The model was trained on {answer.model.trained_on}."
    elif isinstance(answer, Digitised):
        title, note = "Leads read, no class given", f"Form: {answer.signals.form}."
    else:
        title = f"A recording of {answer.duration_s:.0f} s, {answer.rhythm.beats} beats"
        note = f"Leads: {', '.join(answer.record.names)}."
    return _page(title, f"<p>{as_html(answer.file)}</p>{answer._repr_html_()}<p>{as_html(note)}</p>")


def refusal_page(refusal: Response) -> Response:
    """A page of a `Refusal` in JSON; status and headers stay."""
    if not refusal.body:  # nobody is there to read it
        return refusal
    kept = {
        name: refusal.headers[name] for name in ("cache-control", "retry-after") if name in refusal.headers
    }
    reason = json.loads(bytes(refusal.body))["detail"]
    return _page("No answer", f"<p>{as_html(reason)}</p>", refusal.status_code, kept)


def _page(title: str, inside: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    text = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{as_html(title)}</title><style>{_STYLE}</style></head><body><h1>{as_html(title)}</h1>{inside}"
        f"<p><a href='./'>Another file</a></p><p><strong>{CAUTION}</strong></p></body></html>"
    )
    return Response(
        text, status, {**(headers or {}), "Content-Security-Policy": _POLICY}, "text/html; charset=utf-8"
    )
