"""Beats that were found are matched with the annotators' as EC57 does, and what was missed or made up counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from leadwise.names import AAMI
from leadwise.recordings.annotations import Annotations
from leadwise.scores.beats import averaged, beat_metrics, counted, ec57_metrics
from leadwise.scores.draws import bootstrap
from leadwise.scores.found_beats import CLASSES, beside, matched

HZ = 360.0


def marks(symbols: str, samples: list[int]) -> Annotations:
    return Annotations(np.array(samples), np.array(list(symbols)))


def shares(called: str) -> NDArray[np.float64]:
    return np.array([[float(name == one) for name in AAMI] for one in called]).reshape(-1, len(AAMI))


def rows(symbols: str, at: list[int], called: str, found: list[int], record: str = "100") -> pd.DataFrame:
    """Test answers of one record."""
    table = beside(marks(symbols, at), np.array(found, np.int64), shares(called), HZ)
    return table.assign(
        unit_id=[f"{record}-{number}" for number in range(len(table))], group_id=f"record-{record}", model="m",
        task="aami5", protocol="interpatient", role="test", seed=1,
    )  # fmt: skip


@pytest.fixture
def made() -> pd.DataFrame:
    """N, V, V, F: the second V is missed, F is called V, and between the last two a V is made up."""
    return rows("NVVF", [360, 720, 1080, 1440], "NVVV", [361, 725, 1260, 1440])


def test_a_beat_is_anothers_alone_and_at_most_150_ms_away() -> None:
    known = np.array([1000, 2000, 3000, 3100])
    assert matched(known, np.array([1054, 2055, 3060]), HZ).tolist() == [0, -1, -1, 2]
    assert matched(known, np.array([], np.int64), HZ).tolist() == [-1] * 4


def test_a_missed_beat_is_called_nothing_and_one_that_was_made_up_is_nothing(made: pd.DataFrame) -> None:
    called = [CLASSES[k] for k in made[[f"prob_{name}" for name in CLASSES]].to_numpy().argmax(axis=1)]
    assert made["label"].tolist() == ["N", "V", "V", "F", "O"]
    assert called == ["N", "V", "O", "V", "V"]
    assert made["sample"].tolist() == [360, 720, 1080, 1440, 1260]


def test_missed_counts_against_sensitivity_and_made_up_against_ppv(made: pd.DataFrame) -> None:
    plain = bootstrap(made, counted(beat_metrics, CLASSES), 10)
    assert plain["recall_V"].value == pytest.approx(1 / 2)
    assert plain["ppv_V"].value == pytest.approx(1 / 3), "F and nothing were called V"
    assert plain["accuracy"].value == pytest.approx(2 / 4), "of four annotated beats"
    by_ec57 = bootstrap(made, counted(ec57_metrics, CLASSES), 10)
    assert by_ec57["recall_V"].value == pytest.approx(1 / 2)
    assert by_ec57["ppv_V"].value == pytest.approx(1 / 2), "a fusion beat called V is not charged, nothing is"


def test_where_all_is_found_the_counts_are_those_of_annotated_beats(made: pd.DataFrame) -> None:
    of_five = made[made["label"] != "O"].drop(columns="prob_O").query("sample != 1080")
    whole = rows("NVF", [360, 720, 1440], "NVV", [360, 720, 1440])
    for metrics in (beat_metrics, ec57_metrics):
        six, five = (
            bootstrap(answers, counted(metrics, classes), 10)
            for answers, classes in ((whole, CLASSES), (of_five, AAMI))
        )
        assert {name: str(one.value) for name, one in six.items()} == {
            name: str(one.value) for name, one in five.items()
        }


def test_the_average_is_the_mean_of_records_in_which_it_is_defined() -> None:
    at = [360, 720, 1080, 1440]
    first = rows("VVVN", at, "VVVN", at, "100")
    second = rows("VNNN", at, "NNNV", at, "103")
    without_v = rows("NNNN", at, "NNNN", at, "105")
    every = pd.concat([first, second, without_v], ignore_index=True)
    gross = bootstrap(every, counted(beat_metrics, CLASSES), 10)
    by_record = bootstrap(every, averaged(beat_metrics, CLASSES), 10)
    assert gross["recall_V"].value == pytest.approx(3 / 4)
    assert by_record["recall_V"].value == pytest.approx((1 + 0) / 2)
    assert by_record["accuracy"].value == pytest.approx((1 + 2 / 4 + 1) / 3)
