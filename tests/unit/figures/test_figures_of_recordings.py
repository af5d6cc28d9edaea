"""Pictures of recordings, their windows and beats, and where a network looks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pictures import check, points, words

from leadwise.figures import attention, beats, records
from leadwise.recordings.annotations import Annotations
from leadwise.recordings.context import Cut
from leadwise.recordings.records import Record
from leadwise.sets.recordings import Recording

RNG = np.random.default_rng(0)
CUT = Cut()


def made_recording(name: str, seconds: int = 40) -> Recording:
    """Two noisy leads of one beat a second, each tenth a ventricular one, and a wave of flutter."""
    at = np.arange(180, seconds * 360, 360)
    times = np.arange(seconds * 360)
    lead = np.exp(-(((times[:, None] - at) / 8.0) ** 2)).sum(axis=1)
    signals = np.stack([lead, -lead / 2]) + RNG.normal(0, 0.02, (2, len(times)))
    symbols = np.array(["V" if k % 10 == 3 else "!" if k == 5 else "N" for k in range(len(at))])
    return Recording(name, Record(signals, ("MLII", "V1"), 360.0), Annotations(at, symbols), 360.0)


RECORDS = [f"10{k}" for k in range(6)]
WINDOWS = pd.DataFrame(
    {
        "record": np.repeat(RECORDS, 4),
        "start_s": np.tile([0.0, 5.0, 10.0, 15.0], 6),
        "label": ["abnormal"] * 4 + ["normal"] * 14 + ["abnormal"] * 6,
    }
)
OF_RECORDS = pd.DataFrame(
    {
        "record": RECORDS,
        "part": ["ds1", "ds2"] * 3,
        "windows": 4,
        "windows_abnormal": WINDOWS.groupby("record")["label"].apply(lambda own: (own == "abnormal").sum()),
    }
).reset_index(drop=True)
FOLDS = pd.DataFrame(
    {
        "protocol": np.repeat(["interpatient", "patient_folds"], 6),
        "unit_id": RECORDS * 2,
        "seed": 1,
        "fold": [1] * 6 + [1, 2, 3, 4, 5, 1],
        "part": ["train", "test"] * 3 + ["test"] * 6,
        "inner": pd.array([1, None] * 3 + [None] * 6, "Int64"),
    }
)
LEAKY = {"leaky_beats": pd.DataFrame({"record": RECORDS * 3, "part": ["train", "test", "val"] * 6})}
CONTEXTS = RNG.normal(0, 0.1, (60, 2, CUT.samples)) + np.eye(CUT.samples)[CUT.peak]
TABLE = pd.DataFrame(
    {
        "label": (["N"] * 8 + ["S", "V"]) * 6,
        "record": np.repeat(RECORDS, 10),
        "rr_before_ratio": RNG.uniform(0.5, 1.5, 60),
    }
)
ROWS = np.abs(np.sin(np.arange(187) / 12)) * (np.arange(187) < 120) * np.ones((3, 1))
IN_WINDOW = pd.DataFrame({"at_s": [1.0, 2.0], "symbol": ["N", "V"], "abnormal": [False, True]})
AGAINST = pd.DataFrame(
    {
        "what": ["abnormal", "normal", "abnormal minus normal"],
        "records": [31, 38, 30],
        "value": [1.8, 0.98, 0.85],
        "low": [1.5, 0.8, 0.5],
        "high": [2.2, 1.05, 1.2],
    }
)

FIGURES = {
    "stretch": lambda: records.stretch(made_recording("100"), 5.0),
    "filter": lambda: records.filter_at_work(made_recording("100"), 5.0),
    "windows": lambda: records.all_windows(WINDOWS, OF_RECORDS, "Windows"),
    "odd": lambda: records.odd_windows(
        [made_recording(name) for name in ("100", "101")], [0.0, 10.0], ["a", "b"], "Odd"
    ),
    "beats": lambda: beats.beats_over_each_other(CONTEXTS, TABLE, CUT),
    "rebuilt": lambda: beats.rebuilt_rows(ROWS, list("NSV"), RECORDS[:3]),
    "given_back": lambda: beats.given_back(ROWS, ROWS * 0.9, list("NSV")),
    "usual": lambda: beats.usual_beats(
        {"MIT-BIH": (ROWS, list("NSV")), "PTB": (ROWS, ["healthy", "other", "other"])},
        ["N", "V", "healthy", "other"],
    ),
    "person": lambda: beats.same_person(
        dict(zip(RECORDS, CONTEXTS[:, 0], strict=False)), ("100", "103"), CUT
    ),
    "sides": lambda: beats.sides(FOLDS, OF_RECORDS, 1, LEAKY),
    "attention": lambda: attention.attention_over_windows(
        RNG.normal(size=(2, 3600)), RNG.dirichlet(np.ones(80), 2), [IN_WINDOW] * 2, ["a", "b"], 10.0
    ),
    "beside_chance": lambda: attention.beside_chance(AGAINST),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_whole_and_says_how_many(name, tmp_path):
    check(FIGURES[name](), tmp_path)


def test_beats_are_named_over_a_stretch_and_flutter_is_no_beat():
    told = words(FIGURES["stretch"]())
    assert "n = 9 beats in 10 s" in told
    assert "wave of ventricular flutter, no beat" in told


def test_records_of_one_class_alone_are_counted():
    assert "n = 24 windows" in words(FIGURES["windows"]())
    assert "5 of them are at least 95 % one class" in words(FIGURES["windows"]())


def test_attention_that_lies_no_higher_than_by_chance_is_hollow():
    (ax,) = FIGURES["beside_chance"]().axes
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "abnormal (31 records)", "normal (38 records)", "abnormal minus normal (30 records)",
    ]  # fmt: skip
    assert {row: filled for _, row, filled in points(ax)} == {0: True, 1: False, 2: True}
