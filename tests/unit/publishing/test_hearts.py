"""The network for pages of any form that ships: its bytes answer as torch does, and as was published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx import numpy_helper

from leadwise.drawing.trials import PRINT_FILTERS
from leadwise.files import RESOURCES, sha256
from leadwise.learning import hearts
from leadwise.names import SUPERCLASSES
from leadwise.publishing.shipped_files import called
from leadwise.scores.hearts import COLUMNS, calibration_errors, hearts_metrics
from leadwise.scores.table import compared, read_scores, scored, selected
from leadwise.serving.model import load_hearts
from leadwise.sets.ptbxl import stated_recordings
from leadwise.sets.sample import unpack_recordings
from leadwise.sets.views import Views, levelled, views_of_recordings
from leadwise.tables import read_table

FILE = RESOURCES / "hearts.onnx"
RESULTS = Path(__file__).resolve().parents[3] / "analysis" / "results"
RUN = "30_image_hearts-cpu"
OF_FILE = f"file={called(sha256(FILE))};filter="


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The embedded recordings; they are of folds 1 to 9."""
    return stated_recordings(unpack_recordings(tmp_path_factory.mktemp("ptbxl")))


@pytest.fixture(scope="module")
def printed(recordings: pd.DataFrame) -> dict[str, Views]:
    return views_of_recordings(recordings["path"], PRINT_FILTERS)


@pytest.fixture(scope="module")
def answers() -> dict[str, pd.DataFrame]:
    """What was published of the file, by filter."""
    folder = RESULTS / "answers" / RUN
    return {
        name: read_table(folder / f"hearts-hearts-elsewhere-1-{OF_FILE}{name}.csv.xz", "predictions.csv")
        for name in PRINT_FILTERS
    }


def test_it_is_small() -> None:
    assert FILE.stat().st_size <= 1.6e6
    assert sum(weights.numel() for weights in hearts.build().parameters()) <= 0.4e6


def test_its_bytes_answer_as_torch_does(printed: dict[str, Views]) -> None:
    weights = {
        tensor.name.removeprefix("model."): torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in onnx.load(FILE).graph.initializer
    }
    raw = pd.DataFrame({"slope": [1.0] * 5, "shift": [0.0] * 5})
    network = hearts.Hearts([hearts.build() for _ in range(3)], raw)
    wanted = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    assert wanted <= set(weights)
    network.load_state_dict({name: weights[name] for name in wanted}, strict=False)
    views = levelled({name: printed["zero_phase"][name] for name in ("signals", "rhythm")})
    with torch.no_grad():
        known = network.eval()(**{name: torch.from_numpy(view) for name, view in views.items()}).numpy()
    assert np.abs(load_hearts().answer(views) - known).max() < 1e-5


def test_it_answers_as_was_published(
    recordings: pd.DataFrame, printed: dict[str, Views], answers: dict[str, pd.DataFrame]
) -> None:
    for name, views in printed.items():
        told = answers[name].set_index("unit_id")[COLUMNS]
        found = pd.DataFrame(load_hearts().answer(views), recordings["record"], COLUMNS)
        known = found.index.intersection(told.index)
        assert len(known) > 5
        off = np.abs(found.loc[known] - told.loc[known]).to_numpy().max()
        assert off < 0.02, "the embedded ones have half the samples of those that were asked about"


def test_published_scores_are_what_the_published_answers_give(answers: dict[str, pd.DataFrame]) -> None:
    folder = RESULTS / "answers" / RUN
    baselines = [
        read_table(folder / f"{name}-hearts-elsewhere-1-baseline=yes.csv.xz", "predictions.csv")
        for name in ("age_alone", "strip_features")
    ]
    metrics = ["macro_auroc", *(f"auroc_{name}" for name in SUPERCLASSES)]
    ends = ["value", "low", "high"]
    scores, differences = (
        selected(read_scores(RESULTS / name, name), run=RUN, protocol="elsewhere")
        for name in ("scores.csv", "differences.csv")
    )
    for name, rows in answers.items():
        assert len(rows) == 360
        told = scored(rows, hearts_metrics(), metrics).set_index("metric")[ends]
        wanted = selected(scores, condition=f"{OF_FILE}{name}").set_index("metric")
        assert told.to_numpy() == pytest.approx(wanted.loc[told.index, ends].to_numpy(), abs=1e-5)
        assert calibration_errors(rows)["ece"] == pytest.approx(wanted.loc["ece", "value"], abs=1e-5)
    for base in baselines:
        told = compared(answers["causal"], base, hearts_metrics(), metrics)[ends]
        wanted = selected(differences, condition=f"{OF_FILE}causal", minus=base["model"].iloc[0])
        assert told.to_numpy() == pytest.approx(wanted[ends].to_numpy(), abs=1e-4)


def test_what_pages_cost_is_what_the_published_answers_give() -> None:
    run = "bench_through_paper-cpu"
    ends = ["value", "low", "high"]
    published = selected(read_scores(RESULTS / "differences.csv", "differences.csv"), run=run, task="hearts")
    for paper in ("drawn", "by_phone"):
        read, direct = (
            read_table(
                RESULTS / "answers" / run
                / f"hearts-hearts-elsewhere-1-{OF_FILE.replace('filter', 'paper')}{paper};signals={signals}.csv.xz",
                "predictions.csv",
            )
            for signals in ("read", "direct")
        )  # fmt: skip
        told = compared(read, direct, hearts_metrics(), ["macro_auroc"])
        wanted = selected(published, metric="macro_auroc", condition=read["condition"].iloc[0])
        assert told[ends].to_numpy() == pytest.approx(wanted[ends].to_numpy(), abs=1e-5)
        assert told["n"].iloc[0] == wanted["n"].iloc[0]
