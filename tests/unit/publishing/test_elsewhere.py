"""What 53 published of other hearts is what its published answers give; no recording and no training is needed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from leadwise.names import SUPERCLASSES
from leadwise.scores.external import QUESTIONS, calibration_scores, external_scores
from leadwise.scores.table import selected
from leadwise.sets.ptbxl import read_recordings
from leadwise.sets.sample import unpack_recordings
from leadwise.tables import SCHEMAS, read_table

RESULTS = Path(__file__).resolve().parents[3] / "analysis" / "results"
RUN = "53_image_elsewhere-cpu"
FILTERS = ("zero_phase", "causal")
PLACES = {"leads12": {"weights": "published", "seeds": "1"}, "student12": {"weights": "file", "seeds": "1"}}
UNLABELLED = "07783_hr"
"""Its codes are infarctions, and in the table of labels it is none: the table counts."""
ASKED = {
    "fold_10": [name for name in QUESTIONS if name != "sure_mi"],
    "folds_1_to_9": ["mi", "mi_alone"],
}
"""`sure_mi` asks for likelihoods, which do not stand among answers."""
INTERVALS = ("low", "high")


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    files = sorted((RESULTS / "answers" / RUN).glob("*.csv.xz"))
    assert len(files) == 24
    told = pd.concat([read_table(file, "predictions.csv") for file in files], ignore_index=True)
    return told.assign(**told["condition"].str.extract(r"filter=(?P<filter>.*);part=(?P<part>.*)"))


@pytest.fixture(scope="module")
def superclasses(tmp_path_factory: pytest.TempPathFactory) -> pd.Series:
    """Of each code, by the table that comes with the embedded recordings."""
    _, statements = read_recordings(unpack_recordings(tmp_path_factory.mktemp("ptbxl")))
    return statements["diagnostic_class"]


def of_part(answers: pd.DataFrame, part: str) -> dict[tuple[str, str], pd.DataFrame]:
    """Answers by model and filter."""
    own = answers[answers["part"] == part]
    return {
        (model, filtered): own[(own["model"] == model) & (own["filter"] == filtered)]
        for model in PLACES
        for filtered in FILTERS
    }


def recordings_of(answers: pd.DataFrame, superclasses: pd.Series) -> pd.DataFrame:
    """What was stated of the recordings that were answered for."""
    once = answers.drop_duplicates("unit_id")
    codes = once["label"].str.split(" ").map(frozenset)
    stated = codes.map(lambda some: {superclasses.get(code) for code in some})
    labelled = once["unit_id"] != UNLABELLED
    told = {
        name: stated.map(lambda some, name=name: name in some).astype(bool) & labelled
        for name in SUPERCLASSES
    }
    return pd.DataFrame(
        {"record": once["unit_id"], "codes": codes, "sure_mi": pd.array([pd.NA] * len(once), "boolean")}
    ).assign(**told)


def assert_published(told: pd.DataFrame, name: str, intervals: tuple[str, ...] = INTERVALS) -> None:
    """All rows of a table stand among the published ones, to the fifth digit."""
    figures = ["n", "value", *intervals]
    keys = [column for column in SCHEMAS[name].columns if column not in {"n", "value", *INTERVALS}]
    published, told = (
        table.fillna(dict.fromkeys(keys, "")).set_index(keys)
        for table in (selected(read_table(RESULTS / name, name), run=RUN), told)
    )
    assert told[figures].to_numpy(float) == pytest.approx(
        published.loc[told.index, figures].to_numpy(float), abs=1e-5, nan_ok=True
    )


@pytest.mark.parametrize(
    ("part", "draws", "intervals"), [("fold_10", 100, ()), ("folds_1_to_9", 2000, INTERVALS)]
)
def test_questions_and_differences_are_what_the_answers_give(
    part: str, draws: int, intervals: tuple[str, ...], answers: pd.DataFrame, superclasses: pd.Series
) -> None:
    """Intervals of the smaller part alone: those of the other take minutes."""
    own = of_part(answers, part)
    about = recordings_of(own["leads12", "causal"], superclasses)
    told = external_scores(own, about, {}, ASKED[part], draws, places=PLACES, counted=part)
    assert len(told[0]) == 5 * len(ASKED[part]), "two models, two filters, and how many recordings"
    for table, name in zip(told, ("scores.csv", "differences.csv"), strict=True):
        assert_published(table, name, intervals)


def test_calibration_is_what_the_answers_give(answers: pd.DataFrame, superclasses: pd.Series) -> None:
    rows = of_part(answers, "fold_10")["leads12", "zero_phase"]
    labels = pd.read_csv(RESULTS / "leads12" / "predictions.csv").drop_duplicates("unit_id")["label"]
    infarctions = labels.isin(["mi", "history_of_mi"]).sum()
    share = infarctions / (infarctions + (labels == "normal").sum())
    told = calibration_scores(
        rows, recordings_of(rows, superclasses), "mi", share, 100,
        condition={"filter": "zero_phase"}, counted="fold_10", **PLACES["leads12"],
    )  # fmt: skip
    assert_published(told, "scores.csv", ())
