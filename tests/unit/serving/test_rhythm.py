"""Episodes in an answer: named, drawn, and written as WFDB has them; and what is said of a page's strip."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb
from read_pages import read_page_of_6x2

import leadwise
from leadwise.pages.page_signals import Trace
from leadwise.recordings.episodes import Episode, overlap_s, read_rhythm
from leadwise.recordings.records import Record, write_record
from leadwise.serving import batch
from leadwise.serving.digitised import Digitised
from leadwise.serving.predict import Answer
from leadwise.serving.predict_recording import RecordingAnswer, predict_recording
from leadwise.serving.rhythm import episode_words, page_probability, strip_probability, strip_words

HZ = 250.0


@pytest.fixture(scope="module")
def in_fibrillation(excerpts: Path) -> RecordingAnswer:
    return predict_recording(excerpts / "202.hea")


def made_lead(intervals_s: np.ndarray, duration_s: float, p_mv: float) -> np.ndarray:
    """Made QRS complexes with T waves, and P waves of a height before them."""
    at = np.arange(round(duration_s * HZ)) / HZ
    lead = 0.01 * np.random.default_rng(0).normal(size=len(at))
    for time in 0.5 + np.cumsum(intervals_s):
        waves = ((1.0, 0.0, 0.012), (p_mv, -0.16, 0.02), (0.2, 0.28, 0.05))
        lead += sum(height * np.exp(-(((at - time - shift) / width) ** 2)) for height, shift, width in waves)
    return lead


def test_fibrillation_is_named_where_it_is_noted(excerpts: Path, in_fibrillation: RecordingAnswer) -> None:
    truth = read_rhythm(excerpts / "202.hea", in_fibrillation.duration_s)
    assert in_fibrillation.episodes
    found = [(one.start_s, one.end_s) for one in in_fibrillation.episodes]
    noted = sum(end - start for start, end in truth)
    assert overlap_s(found, truth) > 0.8 * noted
    line = next(line for line in in_fibrillation.lines() if "fibrillation" in line)
    assert line.startswith("irregular, atrial fibrillation or flutter likely for ")


def test_a_regular_heart_has_no_episode_and_no_word_of_one(excerpts: Path) -> None:
    answer = predict_recording(excerpts / "100.hea")
    assert answer.episodes == ()
    assert not any("fibrillation" in line for line in answer.lines())
    assert answer.as_json()["episodes"] == []


def test_its_json_holds_each_episode(in_fibrillation: RecordingAnswer) -> None:
    told = json.loads(json.dumps(in_fibrillation.as_json()))["episodes"]
    assert [one["rhythm"] for one in told] == ["AFIB"] * len(told)
    assert all(0.5 < one["probability"] <= 1 for one in told)


def test_its_annotations_hold_where_each_begins_and_ends(excerpts: Path, tmp_path: Path) -> None:
    for file in excerpts.glob("202.*"):
        if file.suffix != ".atr":
            shutil.copy(file, tmp_path)
    (outcome,) = batch.answer_all([tmp_path / "202.hea"], atr="leadwise")
    assert not outcome.unwritten
    marks = wfdb.rdann(str(tmp_path / "202"), "leadwise")
    notes = [(note.strip("\0"), at) for note, at in zip(marks.aux_note, marks.sample, strict=True) if note]
    assert outcome.answer is not None
    told = outcome.answer["episodes"]
    begins = [at for note, at in notes if note == "(AFIB"]
    assert begins == [round(one["start_s"] * 360) for one in told]
    assert {note for note, _ in notes} <= {"(AFIB", "(N"}


def test_episodes_are_shaded(in_fibrillation: RecordingAnswer) -> None:
    assert in_fibrillation.episodes
    picture = in_fibrillation.picture()
    shade = (picture == np.array([244, 228, 232])).all(axis=2)  # BGR
    assert shade.mean() > 0.05


def test_what_is_too_short_is_said(tmp_path: Path) -> None:
    lead = made_lead(np.full(8, 0.8), 5.0, 0.15)
    write_record(Record(lead[None], ("II",), HZ), tmp_path, "short", [])
    answer = predict_recording(tmp_path / "short.hea")
    assert answer.episodes is None
    assert any("to look for atrial fibrillation" in line for line in answer.lines())


def test_a_strip_is_looked_at_alone() -> None:
    rng = np.random.default_rng(2)
    even = strip_probability(made_lead(np.full(20, 0.8), 10.0, 0.15), HZ)
    uneven = strip_probability(made_lead(rng.uniform(0.4, 1.1, 30), 10.0, 0.0), HZ)
    assert even is not None
    assert uneven is not None
    assert even < 0.2 < uneven
    assert strip_probability(np.full(2500, np.nan), HZ) is None
    assert strip_probability(np.zeros(100), HZ) is None


def test_words_are_said_of_what_is_likely_alone() -> None:
    assert strip_words(None) == strip_words(0.4) == []
    assert "by a model of recordings" in strip_words(0.9)[0]
    assert episode_words((), 100.0) == []
    many = [Episode(40.0 * number, 40.0 * number + 30, 0.9) for number in range(8)]
    assert episode_words(many, 1000.0)[0].endswith("and 3 more")


def test_a_page_of_a_regular_heart_says_nothing_of_fibrillation(sample_paths: list[Path]) -> None:
    normal = next(path for path in sample_paths if "Normal" in path.name)
    answer = leadwise.predict(normal)
    assert isinstance(answer, Answer)
    assert answer.as_json()["af_probability"] < 0.5
    assert not any("fibrillation" in line for line in answer.lines())


def test_a_strip_of_any_page_is_looked_at_and_what_is_likely_is_said() -> None:
    uneven = made_lead(np.random.default_rng(2).uniform(0.4, 1.1, 30), 10.0, 0.0)
    strip = Trace(0.0, np.repeat(uneven, 2).astype(np.float32), np.zeros((0, 2), np.float32))
    short = Trace(0.0, strip.signal_mv[:1250], strip.line_px)
    page = read_page_of_6x2()
    with_strip = replace(page, strips={"V1": strip})
    assert page_probability(replace(page, strips={}, leads={"II": short})) is None
    assert page_probability(replace(page, strips={}, leads={"V1": strip})) is None
    told = Digitised("page.png", with_strip, "another form", af_probability=page_probability(with_strip))
    assert told.as_json()["af_probability"] > 0.5
    assert any("atrial fibrillation or flutter likely" in line for line in told.lines())
