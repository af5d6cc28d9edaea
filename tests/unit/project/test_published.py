"""A published fold network is loaded by its name, or as a folder in the form of the hub."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors import safe_open

import leadwise
from leadwise.errors import MissingInput, WeightsError
from leadwise.models import hub
from leadwise.names import CLASSES
from leadwise.pages.read import read_page
from leadwise.project.published import answers_of, published_file
from leadwise.sets.sample import example_page
from leadwise.sets.views import views_of

CLONE = Path(leadwise.__file__).parents[1]
SEEN_BY = {"signals": (12, 312), "rhythm": (1250,)}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CLONE)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("fold", range(1, 6))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_published_fold_is_loaded_and_says_what_it_never_saw(seed: int, fold: int) -> None:
    network = leadwise.load("leads12", seed=seed, fold=fold)
    assert (network.told["left_out"], network.told["seed"]) == (str(fold), str(seed))
    assert network.told["classes"].split(",") == list(CLASSES)
    assert not network.training


@pytest.mark.usefixtures("here")
def test_as_a_folder_of_the_hub_s_form_it_answers_the_same(tmp_path: Path) -> None:
    network = leadwise.load("leads12", seed=1, fold=2)
    hub.save(network, tmp_path / "own")
    config = json.loads((tmp_path / "own" / "config.json").read_text(encoding="utf-8"))
    assert config["classes"] == list(CLASSES)
    assert config["left_out"] == "2"
    assert {path.name for path in (tmp_path / "own").iterdir()} == {"config.json", "model.safetensors"}
    again = leadwise.load(tmp_path / "own")
    views = {name: torch.randn(3, *shape) for name, shape in SEEN_BY.items()}
    with torch.no_grad():
        assert torch.equal(again(**views), network(**views))
    assert again.told["partition"] == network.told["partition"]


@pytest.mark.usefixtures("here")
def test_it_says_of_a_page_what_was_published_of_it() -> None:
    """The one answer of the ledger for a page: that of the network which never saw it."""
    name, data = example_page()
    answers = pd.read_csv(answers_of("26_image_leads12") / "leads12-four-grouped-1.csv.xz")
    published = answers[answers["unit_id"] == hashlib.sha256(data).hexdigest()[:12]].iloc[0]
    network = leadwise.load("leads12", seed=1, fold=int(published["fold"]))
    views = {name: torch.from_numpy(view) for name, view in views_of([read_page(data)]).items()}
    with torch.no_grad():
        shares = network(**{name: views[name] for name in network.views}).softmax(dim=1)[0].numpy()
    assert shares == pytest.approx(published[[f"prob_{one}" for one in CLASSES]].to_numpy(float), abs=1e-4)
    assert name.name == "MI(1).jpg"


@pytest.mark.usefixtures("here")
def test_what_is_not_published_is_told_with_what_is() -> None:
    those = "; ".join(f"seed {seed}: folds 1, 2, 3, 4, 5" for seed in (1, 2, 3))
    with pytest.raises(WeightsError, match=rf"seed 4, fold 1 is not published. Those are: {those}\."):
        leadwise.load("leads12", seed=4, fold=1)
    with pytest.raises(WeightsError, match="did you mean 'leads12'"):
        leadwise.load("leads21")


def test_outside_a_clone_it_says_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingInput, match=r"lie in analysis/results/leads12 of the repository"):
        leadwise.load("leads12", seed=1, fold=2)


@pytest.mark.usefixtures("here")
def test_a_folder_whose_files_are_of_two_networks_is_refused(tmp_path: Path) -> None:
    hub.save(leadwise.load("leads12", fold=1), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace("leads12_joined", "student12"), "utf-8")
    with pytest.raises(
        WeightsError, match=r"config.json tells of 'student12', model.safetensors of 'leads12"
    ):
        leadwise.load(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"not a safetensors"):
        leadwise.load(tmp_path)


@pytest.mark.usefixtures("here")
def test_every_published_file_is_of_the_network_that_its_table_names() -> None:
    for seed, fold in itertools.product((1, 2, 3), range(1, 6)):
        with safe_open(published_file("leads12", seed, fold), framework="np") as file:
            assert (file.metadata()["seed"], file.metadata()["left_out"]) == (str(seed), str(fold))
