"""An answer as a page for a browser that runs no script: what a person wants of it, and nothing that acts."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from starlette.responses import Response

from leadwise.files import sha256_in_policy
from leadwise.names import BEAT_NAMES, CAUTION, CLASS_NAMES, printable, probability_in_words

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


def in_html(response: Response) -> Response:
    """A page of the JSON of a response (`PageAnswer`, `RecordAnswer` or `Refusal`); status and headers stay."""
    if not response.body:  # nobody is there to read it
        return response
    told = json.loads(bytes(response.body))
    title, inside = _of_kind(told)
    text = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>{inside}"
        f"<p><a href='./'>Another file</a></p><p><strong>{CAUTION}</strong></p></body></html>"
    )
    kept = {
        name: response.headers[name] for name in ("cache-control", "retry-after") if name in response.headers
    }
    return Response(
        text,
        response.status_code,
        {**kept, "Content-Security-Policy": _POLICY},
        media_type="text/html; charset=utf-8",
    )


def _of_kind(told: dict[str, Any]) -> tuple[str, str]:
    """Title and contents, as HTML."""
    if "kind" not in told:
        return "No answer", f"<p>{_text(told['detail'])}</p>"
    lines = _of_page(told) if told["kind"] == "page" else _of_record(told)
    warnings = "".join(f"<li>{_text(warning)}</li>" for warning in told["warnings"])
    model = told["model"]
    title = (
        f"Most like pages labelled {_class(told['label'])}"
        if told["kind"] == "page"
        else f"A recording of {told['duration_s']:.0f} s, {told['rhythm']['beats']} beats"
    )
    picture = told.get("picture") or ""
    return _text(title), "".join(
        [
            f"<p>{_text(told['file'])}</p>{lines}",
            f"<p>Warnings:</p><ul>{warnings}</ul>" if warnings else "<p>No warnings.</p>",
            f"<img src='{_text(picture)}' alt='What was read'>" if picture else "",
            f"<p>{_text(model['name'])} of leadwise {_text(model['version'])}, trained on "
            f"{_text(model['trained_on'])}.</p>",
        ]
    )


def _of_page(told: dict[str, Any]) -> str:
    likely = sorted(told["probabilities"].items(), key=lambda pair: -pair[1])
    rate, quality = told["heart_rate_bpm"], told["quality"]
    return (
        _table(
            ["Class", "Probability"], [(_class(name), probability_in_words(share)) for name, share in likely]
        )
        + "<p>It is not the chance that a person is ill, and does not carry over to other hospitals or devices.</p>"
        + _table(
            ["Read", ""],
            [
                ("Heart rate", "unknown" if rate is None else f"{rate:.0f} bpm"),
                ("Strip repeats", quality["rhythm_lead"] or "no lead"),
                ("I + III = II, within", f"{quality['einthoven_off']:.0%}"),
            ],
        )
    )


def _of_record(told: dict[str, Any]) -> str:
    rate, counts = told["heart_rate_bpm"], told["rhythm"]["counts"]
    return _table(
        ["Beats", "Number"], [(BEAT_NAMES.get(name, name), str(count)) for name, count in counts.items()]
    ) + _table(
        ["Read", ""],
        [
            ("Heart rate, median", "unknown" if rate is None else f"{rate:.0f} bpm"),
            ("Runs of three or more V", str(told["rhythm"]["ventricular"]["runs"])),
            ("Leads", ", ".join(told["signals_mv"])),
        ],
    )


def _table(head: list[str], rows: list[tuple[str, str]]) -> str:
    heads = "".join(f"<th>{_text(name)}</th>" for name in head)
    body = "".join(f"<tr><td>{_text(name)}</td><td>{_text(value)}</td></tr>" for name, value in rows)
    return f"<table><tr>{heads}</tr>{body}</table>"


def _class(name: str) -> str:
    return CLASS_NAMES.get(name, name.replace("_", " "))


def _text(text: str) -> str:
    return escape(printable(text))
