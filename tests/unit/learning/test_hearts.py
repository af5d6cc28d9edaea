"""The network for pages of any form: how it is taught, calibrated, exported, and what it says of a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from leadwise.drawing.print_bands import in_a_band_at_random
from leadwise.errors import WeightsError
from leadwise.learning import hearts
from leadwise.names import SUPERCLASSES
from leadwise.serving.model import load_hearts, load_model
from leadwise.sets.ptbxl import by_folds, fingerprint, taught_and_tested
from leadwise.sets.sample import unpack_recordings
from leadwise.sets.views import levelled

WAYS = hearts.BANDS + 2


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return by_folds(unpack_recordings(tmp_path_factory.mktemp("ptbxl")))["folds_1_to_9"]


def made_views(units: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "signals": rng.normal(0, 0.3, (units, 12, 312)).astype(np.float32),
        "rhythm": rng.normal(0, 0.3, (units, 1250)).astype(np.float32),
    }


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[hearts.Hearts, Path]:
    torch.manual_seed(0)
    sigmoids = pd.DataFrame({"slope": [1.0, 2.0, 0.5, 1.0, 1.0], "shift": [0.0, 1.0, 0.0, -1.0, 0.0]})
    both = hearts.Hearts([hearts.build(), hearts.build()], sigmoids)
    path = tmp_path_factory.mktemp("hearts") / "hearts.onnx"
    hearts.export_hearts(
        both, path, protocol="elsewhere", data_fingerprint="0" * 12, trained_on="made", note=""
    )
    return both, path


def test_a_recording_is_there_in_every_band_around_its_median(recordings: pd.DataFrame) -> None:
    views = hearts.taught_views(recordings["path"][:1], seed=1)
    assert views["signals"].shape == (WAYS, 12, 312)
    assert views["rhythm"].shape == (WAYS, 1250)
    assert np.abs(np.median(views["signals"], axis=-1)).max() < 1e-6
    alike = np.corrcoef(views["rhythm"])
    assert alike.min() > 0.3
    assert alike[np.triu_indices(WAYS, 1)].max() < 0.99999, "no two bands are the same"


def test_a_band_at_random_keeps_a_wave_inside_it_and_shape_and_rate() -> None:
    time_s = np.arange(2500) / 250
    wave = np.sin(2 * np.pi * 8 * time_s)[None].repeat(12, axis=0)
    for seed in range(6):
        found = in_a_band_at_random(np.random.default_rng(seed))(wave + 5, 250)
        assert found.shape == wave.shape
        assert np.ptp(found[:, 1000:1500]) == pytest.approx(2, rel=0.25)
        assert np.isfinite(in_a_band_at_random(np.random.default_rng(seed))(wave * np.nan, 500)).all()


def test_each_superclass_counts_by_itself() -> None:
    stated = np.array([[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]], bool)
    loss = hearts.each_by_itself(stated)
    sure = torch.tensor(np.where(stated, 20.0, -20.0), dtype=torch.float32)
    rows = torch.tensor([0, 1])
    assert float(loss(sure, {}, rows, rows)) == pytest.approx(0, abs=1e-6)
    assert float(loss(sure, {}, rows, rows.flip(0))) > 5, "the truth is that of the rows"


def test_it_learns_what_it_is_told(tmp_path: Path) -> None:
    views = made_views(24)
    stated = np.zeros((24, 5), bool)
    stated[::2, 1] = True
    views["signals"][::2, 6] += 2.0
    trained = hearts.train_hearts(
        views, stated, np.arange(24), tmp_path / "one", seed=1, epochs=2, max_steps=2
    )
    assert hearts.logits_of(trained.model, views).shape == (24, 5)
    assert trained.history["loss"].notna().any()
    assert not list((tmp_path / "one").glob("checkpoint-*"))


def test_an_inner_network_does_not_see_the_part_that_it_answers_for() -> None:
    people = pd.DataFrame({"patient_id": [f"p{number // 2}" for number in range(30)]})
    parts = hearts.inner_parts(people, seed=1)
    assert sorted(np.concatenate(parts)) == list(range(30))
    for part in parts:
        mine = set(people["patient_id"][part])
        assert not mine & set(people["patient_id"].drop(part)), "a patient is on one side"
    asked: list[tuple[list[int], int]] = []

    def train_on(rows: np.ndarray, number: int) -> torch.nn.Module:
        asked.append((rows.tolist(), number))
        return hearts.build()

    found = hearts.inner_logits(made_views(60), np.zeros((30, 5), bool), parts, train_on)
    assert found.shape == (30, 5)
    for (rows, number), part in zip(asked, parts, strict=True):
        assert not set(rows) & set(part.tolist()), number


def test_sigmoids_undo_what_is_too_sure_and_leave_alone_what_nobody_has() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1, (4000, 5))
    stated = rng.random((4000, 5)) < 1 / (1 + np.exp(-logits))
    stated[:, 4] = False
    found = hearts.fit_sigmoids(3 * logits + 1, stated).set_index("superclass")
    assert found.index.tolist() == list(SUPERCLASSES)
    assert found.loc["MI", "slope"] == pytest.approx(1 / 3, abs=0.05)
    assert found.loc["MI", "shift"] == pytest.approx(-1 / 3, abs=0.1)
    assert found.loc["HYP"].tolist() == [1.0, 0.0]


def test_the_file_answers_as_torch_does_whatever_the_level(shipped: tuple[hearts.Hearts, Path]) -> None:
    both, path = shipped
    assert path.stat().st_size < 1.6e6
    views = levelled(made_views(3))
    with torch.no_grad():
        known = both(torch.from_numpy(views["signals"]), torch.from_numpy(views["rhythm"])).numpy()
    model = load_hearts(path)
    assert model.info.classes == SUPERCLASSES
    assert np.abs(model.answer(views) - known).max() < 1e-5
    higher = {name: view + np.float32(0.4) for name, view in views.items()}
    assert np.abs(model.answer(higher) - known).max() < 1e-4


def test_another_models_file_is_refused(shipped: tuple[hearts.Hearts, Path]) -> None:
    with pytest.raises(WeightsError, match="hearts 1"):
        load_model(shipped[1])


def test_who_teaches_does_not_test_and_photographed_ones_teach_nothing(recordings: pd.DataFrame) -> None:
    taught, tested = taught_and_tested({"folds_1_to_9": recordings})
    assert not set(taught["record"]) & set(tested["record"])
    of_fold_10 = recordings.assign(fold=10)
    assert 12 in set(recordings["ecg_id"])
    taught, tested = taught_and_tested({"fold_10": of_fold_10, "folds_1_to_9": recordings})
    assert len(taught) == 11
    assert 12 not in set(taught["ecg_id"])
    assert fingerprint(taught) != fingerprint(tested)
    assert fingerprint(taught) == fingerprint(taught.copy())
