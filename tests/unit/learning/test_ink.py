"""The ink network learns from drawn pages; what it is judged by is told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from leadwise.drawing import ink_crops
from leadwise.drawing.ink_crops import Crop
from leadwise.learning.ink import Recipe, Training, loss
from leadwise.learning.ink_supply import Recordings, Store, parted
from leadwise.learning.ink_told import by_colours, by_network, dice, dice_by_kind, held_out, told
from leadwise.models.ink_net import InkNet
from leadwise.pages.ink_maps import KINDS
from leadwise.sets.sample import unpack_excerpts, unpack_recordings


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = unpack_recordings(tmp_path_factory.mktemp("ptbxl"))
    return [path.with_suffix("") for path in sorted(folder.rglob("*.hea"))]


@pytest.fixture(scope="module")
def two_leads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_excerpts(tmp_path_factory.mktemp("mitdb")) / "100"


@pytest.fixture(scope="module")
def store(twelve: list[Path]) -> Store:
    filled = Store(Recordings(twelve), 32, 64, seed=0)
    filled.renew()
    return filled


def test_a_recording_of_two_leads_is_spread_over_twelve(two_leads: Path) -> None:
    signals, rate_hz = Recordings([two_leads]).any(np.random.default_rng(0))
    assert signals.shape[0] == 12
    assert signals.shape[1] / rate_hz >= 10
    assert np.isfinite(signals).all()


def test_no_recording_is_both_trained_on_and_held_out() -> None:
    paths = [Path(f"{number:05d}_hr") for number in range(400)]
    train, held = parted(paths)
    assert sorted(train + held) == paths
    assert 20 < len(held) < 60
    assert parted(paths[:1])[1] == paths[:1]


def test_a_store_replaces_its_oldest_crops(store: Store) -> None:
    first = store.beside[:16].copy()
    assert store.renew() == 16
    assert np.array_equal(store.beside[:16], first)
    store.renew()
    assert not np.array_equal(store.beside[:16], first)
    assert store.filled == 32


def test_a_batch_has_paper_at_one_and_truth_from_nothing_to_all(store: Store) -> None:
    beside, kinds, judged = store.batch(8)
    assert beside.shape == (8, 3, 64, 64)
    assert kinds.shape == (8, 6, 64, 64)
    assert 0.8 < np.median(beside) < 1.1
    assert (kinds.min(), kinds.max()) == (0, 1)
    assert judged.all()


def test_what_is_not_known_of_a_crop_is_not_judged() -> None:
    logits, kinds = torch.zeros(1, 6, 8, 8), torch.zeros(1, 6, 8, 8)
    without = torch.tensor([[True] * 4 + [False] * 2])
    wrong = logits.clone()
    wrong[:, 4:] = 9.0
    assert loss(wrong, kinds, without) == loss(logits, kinds, without)
    assert loss(wrong, kinds, torch.ones(1, 6, dtype=torch.bool)) > loss(logits, kinds, without)


def test_the_right_answer_costs_least() -> None:
    kinds = (torch.rand(2, 6, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    all_known = torch.ones(2, 6, dtype=torch.bool)
    right = loss(20 * kinds - 10, kinds, all_known)
    assert right < 0.01
    assert loss(10 - 20 * kinds, kinds, all_known) > 1


def test_training_makes_the_loss_smaller_and_can_be_taken_up_again(store: Store, tmp_path: Path) -> None:
    first = Training(Recipe(steps=60, batch=4, renew_every=100), 0, InkNet, loss)
    losses = [value for _, value in first.run(store)]
    assert np.mean(losses[-20:]) < np.mean(losses[:20])
    first.save(tmp_path / "ink.safetensors")
    again = Training(Recipe(steps=61, batch=4, renew_every=100), 1, InkNet, loss)
    again.resume(tmp_path / "ink.safetensors")
    assert again.step == 60
    for one, other in zip(first.mean.parameters(), again.mean.parameters(), strict=True):
        assert torch.equal(one, other)
    assert [step for step, _ in again.run(store)] == [61]


def test_a_training_that_cannot_be_saved_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object, path: Path, __: object) -> None:
        path.write_bytes(b"half")
        raise OSError("no space")

    path = tmp_path / "ink.safetensors"
    path.write_bytes(b"before")
    monkeypatch.setattr("leadwise.learning.ink.save_file", fail)
    with pytest.raises(OSError, match="no space"):
        Training(Recipe(steps=1), 0, InkNet, loss).save(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_dice_counts_pixels_of_all_pictures_together() -> None:
    one, none = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    assert dice([one, none], [one, one]) == pytest.approx(2 * 4 / 12)
    assert np.isnan(dice([one], [none]))


def test_the_truth_itself_has_the_highest_dice(twelve: list[Path]) -> None:
    rng = np.random.default_rng(1)
    crops = list(ink_crops.crops(*Recordings(twelve).on_a_form(rng), rng, pieces=2, each=1))

    def truth(crop: Crop) -> np.ndarray:
        return crop.kinds / np.float32(255)

    of_truth, of_colours = dice_by_kind(truth, crops), dice_by_kind(by_colours, crops)
    assert of_truth["trace"] == 1
    assert 0 <= of_colours["trace"] < 1


def test_every_kind_of_page_is_told(twelve: list[Path]) -> None:
    pieces = held_out(Recordings(twelve[:1]), 1, seed=0)
    table = told(by_network(InkNet().eval()), pieces)
    assert len(table) == 14
    assert {"grid", "photo", "n", "colours", *KINDS} == set(table)
