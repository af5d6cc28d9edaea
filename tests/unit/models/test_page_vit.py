"""The page as one picture: the published network's size, what is masked, and what it learns."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from made import made_folds, made_pages

from leadwise.folds.partition import partition
from leadwise.learning import engine
from leadwise.learning import pages as page_training
from leadwise.learning.examples import Units
from leadwise.learning.history import Plan, kept_answers
from leadwise.learning.study import Results
from leadwise.models import registry
from leadwise.models.networks import Recipe, recipe
from leadwise.models.page_vit import PICTURE_PX
from leadwise.names import CLASSES
from leadwise.sets.sample import unpack_sample

N = 40


@pytest.mark.parametrize(
    ("name", "parameters", "tokens"), [("page_vit", 25_734_660, 832), ("page_vit_micro", None, 208)]
)
def test_it_has_the_published_size(name: str, parameters: int | None, tokens: int) -> None:
    network = registry.build(name, 4)
    assert network.place.shape[0] == tokens
    if parameters:
        assert sum(one.numel() for one in network.parameters()) == parameters


def test_its_recipe_is_the_published_one() -> None:
    told = recipe("page_vit", "published")
    assert (told.learning_rate, told.weight_decay, told.adam_beta2) == (1e-4, 1.0, 0.99)
    assert (told.batch, told.epochs, told.schedule, told.warmup) == (32, 50, "constant", 0.0)


def test_a_picture_network_takes_pages_as_they_are_shrunk() -> None:
    page = torch.zeros(2, *PICTURE_PX, 3, dtype=torch.uint8)
    assert registry.build("page_vit_micro", 3)(page=page).shape == (2, 3)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Made pages whose class is their colour."""
    shade = np.array([40, 100, 160, 220])[np.arange(N) % 4]
    noise = np.random.default_rng(0).integers(-20, 20, (N, *PICTURE_PX, 3))
    return (shade[:, None, None, None] + noise).astype(np.uint8)


def test_it_learns_what_can_be_seen(pictures: np.ndarray, tmp_path: Path) -> None:
    labels = np.arange(N) % 4
    examples = Units({"page": pictures}, labels, CLASSES)
    plan = Plan(np.arange(32), {1: np.arange(32, N)}, seed=1, epochs=12, stop_after=12)
    told = Recipe(1e-3, 0.05, 0.1, 8, 12, "tests")
    engine.train(plan, examples, lambda: registry.build("page_vit_micro", 4), told, tmp_path)
    assert (kept_answers(tmp_path)[12, 1][:, 0].argmax(axis=1) == labels[32:]).mean() == 1.0


def test_variants_are_told_apart_in_tables_and_weights(pictures: np.ndarray, tmp_path: Path) -> None:
    pages = made_pages(N)
    folds = made_folds(pages)
    data = SimpleNamespace(partition=lambda task, seed: partition(pages, folds, "grouped", seed, task))
    parameters = SimpleNamespace(
        PROFILE="sample", MODEL="page_vit_micro", WEIGHTS="random", RECIPE="random", TASKS=["four"], FOLDS=[1],
        SEEDS=[1], EPOCHS=1, MAX_STEPS=1, INNER=False, TEST=True,
    )  # fmt: skip
    results = Results.joined(
        [
            page_training.train_pages(
                parameters, {"page": pictures}, data, tmp_path, "made", ["page_vit_micro"],
                **page_training.variant("page_vit_micro", name, "random"),
            )
            for name in ("plain", "no_decay")
        ]
    )  # fmt: skip
    assert results.predictions["model"].unique().tolist() == ["page_vit_micro", "page_vit_micro_no_decay"]
    assert sorted(path.stem for path in (tmp_path / "weights").iterdir()) == [
        "page_vit_micro-seed1-fold1", "page_vit_micro_no_decay-seed1-fold1",
    ]  # fmt: skip


def test_masking_takes_away_what_is_printed_outside_the_frame_and_nothing_else(tmp_path: Path) -> None:
    folder = unpack_sample(tmp_path)
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))[:2]
    pages = pd.DataFrame({"path": paths})
    plain, masked = (page_training.page_pictures(pages, folder, masked=on) for on in (False, True))
    assert plain.shape == masked.shape == (2, *PICTURE_PX, 3)
    changed = (plain != masked).any(axis=(0, 3))
    frame_top, frame_bottom = 283 * PICTURE_PX[0] // 1572, 1517 * PICTURE_PX[0] // 1572
    assert not changed[frame_top + 1 : frame_bottom - 1, 10:-10].any()
    assert (masked[:, : frame_top - 1] == 255).all()
    assert (masked[:, frame_bottom + 2 :] == 255).all()
    assert plain[:, : frame_top - 1].min() < 200, "the header is printed there"
