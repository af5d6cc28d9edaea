"""The table of networks: one row each, a source for every recipe, and names by what rows say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import leadwise
from leadwise.errors import SettingsError
from leadwise.models.networks import NETWORKS, Recipe, expanded, named, network, recipe, table
from leadwise.scores.printed import printed

ROWS = tuple(NETWORKS.values())


def test_the_table_is_read_without_torch():
    script = "import sys, leadwise.models.networks; print({'torch', 'cv2', 'pandas'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "set()"


def test_two_networks_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="Two networks are called 'vit_micro'"):
        table([*ROWS, network("vit_micro")])


@pytest.mark.parametrize("source", ["", " "])
def test_a_recipe_without_a_source_is_refused(source):
    bare = replace(network("vit_micro"), recipes={"random": Recipe(1e-3, 0.0, 0.0, 8, 1, source)})
    with pytest.raises(SettingsError, match=r"recipe 'random' of 'vit_micro' has no source: say where"):
        table([bare])


def test_a_recipe_knows_its_precisions():
    with pytest.raises(SettingsError, match="No precision is called 'fp31'; did you mean 'fp32'"):
        Recipe(1e-3, 0.0, 0.0, 8, 1, "tests", precision="fp31")


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_built_from_its_row_and_can_be_trained(name):
    with torch.device("meta"):
        assert sum(value.numel() for value in network(name).make(3).parameters()) > 1000
    assert recipe(name, "random").epochs > 0
    assert network(name).views


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(SettingsError, match="No network is called 'swim_tiny'; did you mean 'swin_tiny'"):
        network("swim_tiny")
    with pytest.raises(SettingsError, match="'heartbeat_mlp' is no network that fits here; did you mean"):
        network("heartbeat_mlp", named(convolutional=True))
    with pytest.raises(SettingsError, match="'lead_cnn' has no recipe called 'published'; known are: random"):
        recipe("lead_cnn", "published")


def test_names_come_by_what_rows_say_in_the_order_of_the_table():
    assert named(family="swin") == ("swin_tiny", "swin_micro")
    assert named(answers_for="leads", any_size=True) == ("lead_cnn", "mobilenetv3_small")
    both = named(family=("beat_rhythm", "heartbeat"))
    assert both == (*named(family="beat_rhythm"), *named(family="heartbeat"))
    with pytest.raises(
        SettingsError, match="No family of networks is called 'heartbeet'; did you mean 'heartbeat'"
    ):
        named(family="heartbeet")


def test_all_of_a_family_is_written_out():
    own = named(family="heartbeat")
    assert expanded(["all of heartbeat", "beat_rhythm"]) == [*own, "beat_rhythm"]
    but = expanded(["all of heartbeat but heartbeat_resnet398 and heartbeat_mlp"])
    assert but == [name for name in own if name not in ("heartbeat_resnet398", "heartbeat_mlp")]
    assert expanded([1, "four", None]) == [1, "four", None]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("all of heartbeats", "No family of networks is called 'heartbeats'"),
        ("all of heartbeat but heartbeat_resnet39", "did you mean 'heartbeat_resnet398'"),
        ("all of heartbeat but beat_rhythm", "'beat_rhythm' is no network that fits here"),
        ("all of heartbeat except heartbeat_mlp", "write 'all of FAMILY' or 'all of FAMILY but NAME'"),
    ],
)
def test_a_family_or_name_that_is_not_there_is_refused(word, said):
    with pytest.raises(SettingsError, match=said):
        expanded([word])


def test_what_papers_print_is_of_networks_as_they_call_them():
    told = printed("beats").dropna(subset="model")
    assert dict(zip(told["model"], told["work"], strict=True)) == {
        name: row.published_as
        for name, row in NETWORKS.items()
        if row.family == "heartbeat" and row.published_as
    }


@pytest.mark.parametrize(
    "name", [row.name for row in ROWS if row.builder.endswith(":timm_net") and row.checkpoint]
)
def test_a_checkpoint_of_timm_is_named_with_its_tag_and_normalised_as_it_was_trained(name):
    import timm

    row = network(name)
    told = timm.models.get_pretrained_cfg(row.checkpoint)
    assert f"{told.architecture}.{told.tag}" == row.checkpoint
    assert (told.mean, told.std) == row.mean_std
    assert told.input_size == (3, row.input_px, row.input_px)


def test_the_revision_of_a_checkpoint_goes_to_the_hub(monkeypatch):
    import timm.models._hub
    import transformers

    asked = {}

    def no_file(repo_id: str, filename: str, revision: str | None, **_: object) -> None:
        asked[repo_id] = revision
        raise OSError("not here")

    def no_model(repo_id: str, **options: object) -> None:
        assert options["use_safetensors"], "a pickle may be taken"
        asked[repo_id] = options.get("revision")
        raise OSError("not here")

    monkeypatch.setattr(timm.models._hub, "hf_hub_download", no_file)
    monkeypatch.setattr(transformers.ViTForImageClassification, "from_pretrained", no_model)
    for name in ("swin_tiny", "vit_base"):
        for revision in (None, "0123abc"):
            with torch.device("meta"), pytest.raises(OSError, match="not here"):
                replace(network(name), revision=revision).make(4, pretrained=True)
            assert list(asked.values())[-1] == revision
    assert list(asked) == ["timm/swin_tiny_patch4_window7_224.ms_in1k", "google/vit-base-patch16-224"]


@pytest.mark.parametrize("room", ["models", "learning"])
def test_no_other_module_lists_the_networks(room):
    for path in (Path(leadwise.__file__).parent / room).glob("*.py"):
        text = path.read_text(encoding="utf-8")
        quoted = {name for name in NETWORKS if f'"{name}"' in text}
        assert path.name == "networks.py" or len(quoted) < 2, f"{path.name} names {sorted(quoted)}"
