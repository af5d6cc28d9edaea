"""The answer as a page, for a browser that runs no script."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from leadwise.serving.http import app as http
from leadwise.serving.http.plain import answer_page, refusal_page
from leadwise.serving.predict import Answer, predict_page

HOSTILE = "<script>alert(1)</script>\u202e'\"&.jpg"


@pytest.fixture(scope="module")
def answer(sample_folder: Path) -> Answer:
    return predict_page(min(sample_folder.rglob("Normal*.jpg")))


def text_of(answer: Answer) -> str:
    return bytes(answer_page(answer).body).decode()


def test_a_page_tells_classes_by_their_probability_and_that_none_is_certain(answer: Answer) -> None:
    shares = {"mi": 0.000_1, "normal": 0.999_9}
    html = text_of(replace(answer, label="normal", probabilities=shares))
    assert "<h1>Most like pages labelled Normal</h1>" in html
    assert html.index("&gt; 99.9%") < html.index("&lt; 0.1%")
    assert "not the chance that a person is ill" in html
    assert "Research use only, not a medical device." in html


@pytest.mark.parametrize("where", ["file", "label"])
def test_no_name_is_anything_but_text(answer: Answer, where: str) -> None:
    hostile = replace(answer, warnings=(HOSTILE,), probabilities={HOSTILE: 1.0})
    html = text_of(replace(hostile, file=HOSTILE) if where == "file" else replace(hostile, label=HOSTILE))
    assert "<script" not in html
    assert "\u202e" not in html
    assert "&lt;script&gt;" in html


def test_a_refusal_keeps_its_status_its_reason_and_when_to_ask_again() -> None:
    kept = {"Retry-After": "2", "Cache-Control": "no-store"}
    refusal = {"code": "full", "detail": f"{HOSTILE}: every place is taken."}
    told = refusal_page(JSONResponse(refusal, 503, kept))
    assert told.status_code == 503
    assert (told.headers["retry-after"], told.headers["cache-control"]) == ("2", "no-store")
    assert b"every place is taken" in told.body
    assert b"<script" not in told.body


def test_nothing_runs_in_it_and_its_own_style_is_the_one_allowed(answer: Answer) -> None:
    told = answer_page(answer)
    style = re.findall(r"<style>(.*?)</style>", bytes(told.body).decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    policy = told.headers["content-security-policy"]
    assert len(style) == 1
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy


def test_a_client_that_is_gone_gets_nothing() -> None:
    gone = Response(status_code=499)
    assert refusal_page(gone) is gone


def test_a_recording_and_a_letter_come_as_pages_over_http(beat_model: Path, tmp_path: Path) -> None:
    beat = np.exp(-((np.arange(4320) / 360 % 1 - 0.5) ** 2) / (2 * 0.012**2))
    wfdb.wrsamp(
        "r",
        fs=360,
        units=["mV"],
        sig_name=["II"],
        p_signal=beat[:, None],
        fmt=["16"],
        write_dir=str(tmp_path),
    )
    files = [("file", (name, (tmp_path / name).read_bytes())) for name in ("r.hea", "r.dat")]
    with TestClient(http.make_app(workers=1, beat_model=beat_model), "http://localhost") as client:
        told = client.post("/answer", files=files)
        letter = client.post("/answer", files=[("file", ("letter.jpg", b"Dear Sir"))])
        nothing = client.post("/answer", files=[("file", ("", b""))])
    assert told.status_code == 200
    assert told.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>A recording of 12 s, 12 beats</h1>" in told.text
    assert "data:image/png;base64," in told.text
    assert told.headers["cache-control"] == "no-store"
    assert letter.status_code == 422
    assert "<h1>No answer</h1><p>letter.jpg" in letter.text
    assert nothing.status_code >= 400
    assert "<h1>No answer</h1>" in nothing.text
