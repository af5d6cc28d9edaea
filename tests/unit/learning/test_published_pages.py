"""In the sample published networks answer, each for pages that it never saw, and what they say was published."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from leadwise.errors import InputError, LeakError, WeightsError
from leadwise.folds.pages import grouped_as_published, lie_as_published, make_folds, published, published_rows
from leadwise.folds.partition import partition
from leadwise.learning.pages import PageData
from leadwise.learning.published_pages import answer_as_published, published_answers, published_calibration
from leadwise.names import CLASSES
from leadwise.pages.read import read_page
from leadwise.project.notebooks import ImageLeads12
from leadwise.scores.calibration import fit_calibration
from leadwise.scores.metrics import probabilities
from leadwise.sets.views import Views, views_of
from leadwise.tables import read_table

RESULTS = Path(__file__).resolve().parents[3] / "analysis" / "results"
NETWORKS, ANSWERS = RESULTS / "leads12", RESULTS / "answers" / "26_image_leads12-cpu"
COLUMNS = [f"prob_{name}" for name in CLASSES]
NOTHING = np.empty(0)
TASKS_OF_PAGES = ("four", "binary")


@pytest.fixture(scope="module")
def data(sample_pages: pd.DataFrame) -> PageData:
    folds = make_folds(sample_pages, "grouped", [1])
    return PageData(sample_pages, grouped_as_published(folds), *[NOTHING] * 4)


@pytest.fixture(scope="module")
def views(sample_pages: pd.DataFrame, sample_folder: Path) -> Views:
    """Of twelve pages; those of the others are zero, and nobody looks at what is said of them."""
    few = sample_pages.index[::4]
    seen = views_of(read_page(sample_folder / sample_pages.loc[row, "path"]) for row in few)
    every = {name: np.zeros((len(sample_pages), *view.shape[1:]), view.dtype) for name, view in seen.items()}
    for name, view in seen.items():
        every[name][few] = view
    return every


def settings(**more: object) -> SimpleNamespace:
    return SimpleNamespace(
        **{"TASKS": ["four"], "SEEDS": [1], "FOLDS": [1, 2, 3, 4, 5], "PROFILE": "sample"} | more
    )


def test_pages_of_the_sample_lie_in_the_published_folds(data: PageData) -> None:
    known = published().set_index("page_id")
    rows = data.folds.set_index("unit_id")
    assert (rows["fold"] == known.loc[rows.index, "grouped_1"]).all()
    assert (rows["group_id"] == known.loc[rows.index, "group_id"]).all()
    assert data.partition("four", 1).part_of == "9551fb9feac2", "not the partition of the published files"
    assert lie_as_published(rows.index, rows["fold"], 1)
    assert not lie_as_published(rows.index, rows["fold"] % 5 + 1, 1)


@pytest.mark.parametrize("task", TASKS_OF_PAGES)
def test_all_pages_are_no_part_and_the_sample_is_one_of_their_partition(data: PageData, task: str) -> None:
    whole = partition(published(), published_rows("grouped", 1), "grouped", 1, task)
    assert whole.part_of == ""
    assert data.partition(task, 1).part_of == whole.fingerprint


def test_folds_of_pages_that_are_not_all_known_stay_as_they_are(data: PageData) -> None:
    foreign = data.folds.assign(unit_id=data.folds["unit_id"].replace(data.folds["unit_id"][0], "0" * 12))
    assert grouped_as_published(foreign).equals(foreign)


def test_a_class_may_lack_in_a_published_fold_and_not_in_one_made_of_few_pages(data: PageData) -> None:
    assert set(data.partition("four", 1).labels[data.partition("four", 1).rows[1]]) < set(CLASSES)
    moved = data.folds.copy()
    moved.loc[moved["fold"] == 5, "fold"] = 3
    with pytest.raises(InputError, match="too few for folds"):
        replace(data, folds=moved).partition("four", 1)


def test_each_page_is_answered_as_published(data: PageData, views: Views, tmp_path: Path) -> None:
    results = answer_as_published(settings(), views, data, NETWORKS, tmp_path)
    looked_at = data.pages["page_id"][::4]
    told = results.test_units("four").set_index("unit_id")
    published_ones = published_answers(ANSWERS, looked_at, [1])["leads12"].set_index("unit_id")
    assert len(published_ones) == 12
    gap = told.loc[looked_at, COLUMNS] - published_ones.loc[looked_at, COLUMNS]
    assert gap.abs().max(axis=None) < 1e-5
    assert (told.loc[looked_at, "fold"] == published_ones.loc[looked_at, "fold"]).all()
    inner = results.predictions.query("role == 'inner'")
    theirs = read_table(NETWORKS / "predictions.csv", "predictions.csv").query("seed == 1")
    keys = ["unit_id", "fold", "held_out"]
    of_pages = inner[inner["unit_id"].isin(looked_at)].astype({"held_out": int}).set_index(keys)[COLUMNS]
    assert len(of_pages) == 4 * 12
    theirs = theirs.astype({"held_out": int}).set_index(keys)[COLUMNS]
    assert of_pages.equals(theirs.loc[of_pages.index])
    assert len(results.calibration) == 5
    weights = [path.stem for path in sorted((tmp_path / "weights").glob("*.safetensors"))]
    assert results.networks == results.trainings == weights
    assert results.history.empty


def test_published_calibrations_are_those_that_the_published_inner_answers_give() -> None:
    inner = read_table(NETWORKS / "predictions.csv", "predictions.csv").groupby(["seed", "fold"])
    rows = published_calibration(NETWORKS).set_index(["seed", "fold"])
    assert len(rows) == inner.ngroups == 15
    for key, answers in inner:
        labels, prob = probabilities(answers, CLASSES)
        fitted = fit_calibration(prob, labels, CLASSES, bias=True)
        assert rows.loc[key, [*fitted]].tolist() == pytest.approx([*fitted.values()], abs=1e-3)


def test_a_network_that_may_have_seen_a_page_is_refused(data: PageData, views: Views, tmp_path: Path) -> None:
    """One page lies in another fold than where it was published: its network knows it."""
    folds = data.folds.copy()
    row = folds.index[folds["fold"] == 4][0]
    folds.loc[row, ["fold", "group_id"]] = [3, "page-alone"]
    others = replace(data, folds=folds.assign(fold=folds["fold"].replace(1, 2)))
    with pytest.raises(LeakError, match="trained on other folds"):
        answer_as_published(settings(FOLDS=[3]), views, others, NETWORKS, tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"TASKS": ["four", "binary"]}, "for the task 'four' alone"),
        ({"SEEDS": [2]}, "no folds of protocol 'grouped' with seed 2"),
    ],
)
def test_what_is_not_published_is_refused(
    data: PageData, views: Views, tmp_path: Path, more: dict[str, object], said: str
) -> None:
    with pytest.raises((WeightsError, InputError), match=said):
        answer_as_published(settings(**more), views, data, NETWORKS, tmp_path)


def test_baselines_stand_beside_them_on_the_same_pages(data: PageData) -> None:
    told = published_answers(ANSWERS, data.pages["page_id"], [1])
    assert set(told) >= {"rate", "tuned_classical", "base_rates", "strip_features", "random_encoder"}
    assert {len(rows) for rows in told.values()} == {48}


@pytest.mark.parametrize("word", ["TEST", "INNER"])
def test_published_networks_make_no_trial(word: str) -> None:
    values = {"WEIGHTS": "published", "INNER": True, word: False}
    with pytest.raises(ValueError, match="INNER and TEST must be true" if word == "INNER" else "TEST"):
        ImageLeads12.model_validate(values)
