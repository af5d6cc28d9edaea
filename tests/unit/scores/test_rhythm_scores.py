"""Scores of atrial fibrillation: recordings weighed to the published counts, and time in episodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadwise.scores.rhythm import by_record, episode_scores, episode_times, record_scores
from leadwise.sets.rhythms import noted_stretches
from leadwise.sets.sample import unpack_excerpts


def value(rows: pd.DataFrame, metric: str) -> float:
    return float(rows.set_index("metric").loc[metric, "value"])


def test_recordings_weigh_as_many_as_their_class_has() -> None:
    labels = ["A"] * 4 + ["N"] * 2
    records = pd.DataFrame(
        {
            "record": [f"r{number}" for number in range(6)],
            "label": labels,
            "is_af": [label == "A" for label in labels],
            "prob_af": [0.9, 0.9, 0.9, 0.1, 0.9, 0.1],
        }
    )
    place = {"protocol": "held_out", "test_set": "cinc2017", "model": "made"}
    rows = record_scores(records, {"A": 4, "N": 20}, **place)
    assert value(rows, "recall_af") == pytest.approx(3 / 4)
    assert value(rows, "ppv_af") == pytest.approx(3 / 13)  # one of two N is wrong, which stands for ten
    assert value(rows, "f1_af") == pytest.approx(6 / (6 + 1 + 10))
    assert value(record_scores(records, None, **place), "ppv_af") == pytest.approx(3 / 4)
    assert rows["n"].tolist() == [6] * 3


def test_a_recording_s_answer_is_the_mean_of_its_stretches() -> None:
    stretches = pd.DataFrame(
        {"record": list("aabc"), "label": list("AANO"), "is_af": [True, True, False, False]}
    )
    found = by_record(stretches, np.array([0.2, 0.9, np.nan, 0.7])).set_index("record")
    assert found["prob_af"].round(3).to_dict() == {"a": 0.55, "b": 0.0, "c": 0.7}


def test_time_is_counted_against_the_notes(tmp_path: Path) -> None:
    folder = unpack_excerpts(tmp_path)
    stretches = noted_stretches(folder, ["100", "202"])
    always = episode_times(folder, stretches, np.ones(len(stretches))).set_index("record")
    noted_s = 15.2 + 115.3 + 38.1
    assert always.loc["202", "both_s"] == pytest.approx(noted_s, abs=0.2)
    assert always.loc["202", "missed_s"] == pytest.approx(0, abs=1e-6)
    assert always.loc["100", "false_s"] == pytest.approx(360, abs=0.1)
    rows = episode_scores(always.reset_index(), protocol="interpatient", test_set="ds2", model="made")
    assert value(rows, "recall_af") == 1
    assert value(rows, "ppv_af") == pytest.approx(noted_s / 720, abs=0.001)
    never = episode_times(folder, stretches, np.zeros(len(stretches)))
    assert (
        value(episode_scores(never, protocol="interpatient", test_set="ds2", model="made"), "recall_af") == 0
    )


def test_half_a_minute_is_what_most_of_it_is(tmp_path: Path) -> None:
    stretches = noted_stretches(unpack_excerpts(tmp_path), ["202"])
    starts = stretches.loc[stretches["is_af"], "start_s"]
    assert starts.min() == 150  # in fibrillation from 162.6 to 177.8 s
    assert len(starts) > 5
