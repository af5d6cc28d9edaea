"""What the network for pages of any form says beside, or in the place of, the page model; no torch is needed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.drawing.trials import drawn
from leadwise.models.onnx_file import ModelInfo
from leadwise.names import LEADS, SUPERCLASSES
from leadwise.pages.page_signals import RATE_HZ, Trace
from leadwise.recordings.records import read_record
from leadwise.serving import predict as predict_module
from leadwise.serving.hearts import NO_DIAGNOSIS, HeartsAnswer, ask_hearts, views_of_traces
from leadwise.sets.sample import unpack_recordings

INFO = ModelInfo("hearts", SUPERCLASSES, "0", "elsewhere", "0" * 12, "made", "")


class Model:
    """Says the same of every page, and keeps what it was asked."""

    info = INFO

    def __init__(self, *prob: float) -> None:
        self.prob, self.asked = prob, []

    def answer(self, views: Any) -> np.ndarray:
        self.asked.append(views)
        return np.array([self.prob], np.float32)


def trace(seconds: float, level: float = 0.0) -> Trace:
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return Trace(0.0, (level + np.sin(2 * np.pi * 2 * at)).astype(np.float32), np.zeros((0, 2), np.float32))


def page(leads: dict[str, Trace], **strips: Trace) -> Any:
    return SimpleNamespace(leads=leads, strips=strips)


def test_twelve_leads_of_any_layout_become_what_the_network_sees() -> None:
    views = views_of_traces(page({name: trace(5, 0.7) for name in LEADS}))
    assert views["signals"].shape == (1, 12, 312)
    assert np.abs(np.median(views["signals"], axis=-1)).max() < 0.02, "around their median"
    assert not views["rhythm"].any(), "5 s of lead II are no strip"
    whole = views_of_traces(page({name: trace(10) for name in LEADS}))
    assert whole["rhythm"].any()
    strip = views_of_traces(page({name: trace(2.5) for name in LEADS}, II=trace(10)))
    assert strip["rhythm"][0, :312] == pytest.approx(whole["signals"][0, 1], abs=0.05)


def test_what_was_not_read_is_nothing() -> None:
    leads = {name: trace(2.5) for name in LEADS}
    leads["V1"].signal_mv[:] = np.nan
    leads["V2"].signal_mv[:600] = np.nan
    views = views_of_traces(page(leads))
    assert np.isfinite(views["signals"]).all()
    assert not views["signals"][0, LEADS.index("V1")].any()
    assert not views["signals"][0, LEADS.index("V2"), :140].any()


@pytest.mark.parametrize(
    ("leads", "why"),
    [
        ({name: trace(2.5) for name in LEADS[:6]}, "has 6 of them, without V1, V2, V3, V4, V5, V6"),
        ({}, "has none of them"),
        ({name: trace(1.0 if name == "V6" else 2.5) for name in LEADS}, "V6 is shorter here"),
    ],
)
def test_a_page_that_lacks_leads_is_told_so(leads: dict[str, Trace], why: str) -> None:
    model = Model(*[0.5] * 5)
    answer = ask_hearts(model, page(leads))  # type: ignore[arg-type]
    assert why in answer.why_none
    assert answer.lines() == [answer.why_none]
    assert answer.as_json()["probabilities"] == {}
    assert not model.asked


def test_an_answer_names_whom_it_was_taught_and_tested_on_and_that_it_is_no_diagnosis() -> None:
    answer = ask_hearts(Model(0.1, 0.8, 0.3, 0.2, 0.1), page({name: trace(2.5) for name in LEADS}))  # type: ignore[arg-type]
    first, second = answer.lines()
    assert first.startswith("hearts, each by itself: normal 10.0%, infarction, old or fresh 80.0%")
    assert second == NO_DIAGNOSIS
    assert "no diagnosis" in NO_DIAGNOSIS
    assert "tested" in NO_DIAGNOSIS


@pytest.mark.parametrize(
    ("label", "prob", "said"),
    [
        ("normal", (0.1, 0.8, 0.6, 0.2, 0.1), "hearts names infarction, old or fresh, ST-T changes"),
        ("normal", (0.9, 0.1, 0.1, 0.1, 0.1), ""),
        ("normal", (0.3, 0.4, 0.1, 0.1, 0.1), ""),
        ("mi", (0.9, 0.1, 0.1, 0.1, 0.1), "hearts calls this normal"),
        ("history_of_mi", (0.2, 0.7, 0.1, 0.1, 0.1), ""),
        ("abnormal_heartbeat", (0.9, 0.1, 0.1, 0.1, 0.1), ""),
    ],
)
def test_a_contradiction_is_said(label: str, prob: tuple[float, ...], said: str) -> None:
    answer = HeartsAnswer(dict(zip(SUPERCLASSES, prob, strict=True)), INFO).beside(label)
    assert said in answer.contradiction
    assert bool(answer.contradiction) == bool(said)
    assert answer.as_json()["contradiction"] == answer.contradiction


def test_a_known_page_has_both_answers_each_under_its_name(
    sample_folder: Any, sample_pages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = sample_pages[sample_pages["label"] == "normal"].iloc[0]
    model = Model(0.01, 0.99, 0.3, 0.2, 0.1)
    monkeypatch.setattr(predict_module, "hearts_ship", lambda: True)
    monkeypatch.setattr(predict_module, "load_hearts", lambda: model)
    answer = predict_module.predict(sample_folder / row["path"])
    assert answer.hearts is not None
    assert answer.as_json()["hearts"]["probabilities"]["MI"] == pytest.approx(0.99)
    assert any(line.startswith("hearts, each by itself") for line in answer.lines())
    contradictions = [text for text in answer.warnings if text.startswith("contradiction")]
    assert len(contradictions) == (answer.label == "normal")
    assert model.asked[0]["signals"].shape == (1, 12, 312)
    monkeypatch.setattr(predict_module, "hearts_ship", lambda: False)
    assert predict_module.predict(sample_folder / row["path"]).hearts is None


def test_swapped_arms_are_warned_of_whoever_reads_the_page(tmp_path: Any) -> None:
    record = read_record(min(unpack_recordings(tmp_path).rglob("*.hea")).with_suffix(""))
    leads = {name: np.array(record.lead(name), float) for name in LEADS}
    swapped = {"I": -leads["I"], "II": leads["III"], "III": leads["II"]}
    signals = np.stack(list((leads | swapped | {"aVR": leads["aVL"], "aVL": leads["aVR"]}).values()))
    known = drawn(signals, record.rate_hz)
    other = draw(signals, record.rate_hz, FORMS["3x4"], Look()).page
    for page, form in ((known, "known"), (other, "another")):
        answer = predict_module.predict(cv2.imencode(".png", page)[1].tobytes())
        assert any("limb leads may be swapped" in text for text in answer.warnings), form
