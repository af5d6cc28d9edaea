"""Networks of single leads that drawn leads taught: what they see, what is kept of them, what begins from that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from leadwise.drawing.trials import drawn
from leadwise.errors import ForeignPage, WeightsError
from leadwise.learning import drawn_leads
from leadwise.learning.examples import ExamplesOfRows, Leads, collate
from leadwise.learning.hearts import each_by_itself
from leadwise.models import registry
from leadwise.models.networks import named
from leadwise.models.weights_file import read_metadata
from leadwise.names import SUPERCLASSES
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.sets.arrays import shrink
from leadwise.sets.ptbxl import by_folds
from leadwise.sets.sample import unpack_recordings
from leadwise.sets.views import twelve_leads

MODEL = "vit_micro"
FINGERPRINT = "0" * 12


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return by_folds(unpack_recordings(tmp_path_factory.mktemp("ptbxl")))["folds_1_to_9"]


def taught(recordings: pd.DataFrame, path: Path, epochs: int = 3) -> Path:
    """One step an epoch, of which the first only warms up."""
    stated = recordings[list(SUPERCLASSES)].to_numpy(bool)
    drawn_leads.teach(
        MODEL, recordings["path"], stated, path, FINGERPRINT, seed=1, epochs=epochs, max_steps=1
    )
    return path


@pytest.fixture(scope="module")
def body(recordings: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return taught(recordings[:2], tmp_path_factory.mktemp("weights") / f"{MODEL}_drawn.safetensors")


def test_a_drawn_lead_is_cut_as_the_same_page_would_be(recordings: pd.DataFrame) -> None:
    path = recordings["path"].iloc[0]
    page = drawn(*twelve_leads(path))
    cut = cut_leads(page, find_layout(page)).crops
    assert (drawn_leads.drawn_crops(path) == cut).all()
    assert (cut > 0).any(axis=(1, 2)).all()


def test_a_page_whose_traces_hide_its_form_teaches_too(monkeypatch: pytest.MonkeyPatch) -> None:
    noise_mv = np.random.default_rng(0).normal(0, 5, (12, 5000))
    monkeypatch.setattr(drawn_leads, "twelve_leads", lambda _: (noise_mv, 500.0))
    with pytest.raises(ForeignPage):
        find_layout(drawn(noise_mv, 500.0))
    assert (drawn_leads.drawn_crops(Path("noise")) > 0).any(axis=(1, 2)).all()


def test_leads_are_shrunk_to_the_input_of_the_network(recordings: pd.DataFrame, tmp_path: Path) -> None:
    paths = recordings["path"][:2]
    crops = drawn_leads.draw_leads(paths, tmp_path / "drawn.npy", 96)
    assert (crops.shape, crops.dtype) == ((2, 12, 96, 96), np.uint8)
    second = drawn_leads.drawn_crops(paths.iloc[1])
    assert (crops[1, 7] == shrink(second[7], (96, 96))).all()


def test_what_was_taught_is_told_and_nothing_else_is_left(body: Path) -> None:
    told = read_metadata(body)
    assert told["holds"] == "body"
    assert (told["data_fingerprint"], told["epochs"]) == (FINGERPRINT, "3")
    assert told["classes"] == ",".join(SUPERCLASSES)
    assert list(body.parent.iterdir()) == [body], "drawn leads, or scratch of the training, are still there"


@pytest.mark.parametrize("classes", [2, 4])
def test_a_training_begins_with_the_body_that_was_taught_and_a_head_by_chance(
    body: Path, classes: int
) -> None:
    torch.manual_seed(7)
    by_chance = registry.build(MODEL, classes).state_dict()
    torch.manual_seed(7)
    begun = registry.build(MODEL, classes, str(body))
    kept = load_file(body)
    assert begun.began_from == f"file: {body.name}"
    assert begun.state_dict().keys() - kept.keys() == {"net.head.weight", "net.head.bias"}
    for name, value in begun.state_dict().items():
        assert torch.equal(value, kept.get(name, by_chance[name])), name
    other = [name for name, value in kept.items() if not torch.equal(value, by_chance[name])]
    assert len(other) > 0.9 * len(kept), "the body is that of a network by chance"


@pytest.mark.parametrize("model", named(answers_for="leads", family=("vit", "deit", "beit", "swin"))[4:])
def test_two_networks_for_other_questions_differ_in_their_heads_alone(model: str) -> None:
    two, five = registry.build(model, 2), registry.build(model, 5)
    shapes = {name: value.shape for name, value in registry.body_of(two).items()}
    assert shapes == {name: value.shape for name, value in registry.body_of(five).items()}
    heads = two.state_dict().keys() - shapes.keys()
    assert heads
    assert all(2 in two.state_dict()[name].shape for name in heads)


def test_a_body_does_not_begin_another_network_nor_one_that_lacks_a_part(body: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="do not fit deit_micro"):
        registry.build("deit_micro", 4, str(body))
    tensors = load_file(body)
    tensors.pop("net.cls_token")
    lacking = tmp_path / "lacking.safetensors"
    save_file(tensors, lacking, read_metadata(body))
    with pytest.raises(WeightsError, match=r"1 of \d+ tensors do not fit vit_micro, 'net.cls_token'"):
        registry.build(MODEL, 4, str(lacking))


def test_a_file_that_does_not_say_that_it_is_a_body_needs_its_head(body: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    save_file(load_file(body), whole, {"model": MODEL})
    with pytest.raises(WeightsError, match=r"net\.head"):
        registry.build(MODEL, 4, str(whole))


def test_what_is_taught_is_taken_up_and_taught_again_where_it_would_differ(
    body: Path, recordings: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = body.read_bytes()
    monkeypatch.delattr(drawn_leads, "draw_leads")
    taught(recordings[:2], body)
    assert body.read_bytes() == before
    with pytest.raises(NameError):
        taught(recordings[:2], body, epochs=2)


def test_every_lead_is_asked_for_what_is_stated_of_its_own_recording() -> None:
    stated = np.array([[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]], bool)
    examples = Leads(np.zeros((2, 12, 4, 4), np.uint8), np.zeros(2, np.int64), SUPERCLASSES)
    leads = ExamplesOfRows(examples, np.arange(2))
    batch = collate([leads[number] for number in range(len(leads))])
    sure = torch.tensor(np.where(np.repeat(stated, 12, axis=0), 20.0, -20.0))
    loss = each_by_itself(stated)
    assert float(loss(sure, {}, batch["labels"], batch["rows"])) == pytest.approx(0, abs=1e-6)
    assert float(loss(sure.flip(0), {}, batch["labels"], batch["rows"])) > 5
