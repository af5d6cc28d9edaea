"""Networks by name: what they take in, what they are made of, which weights they refuse."""

from __future__ import annotations

import socket
import urllib.request

import pytest
import torch
from safetensors.torch import save_file

from leadwise.errors import SettingsError, WeightsError
from leadwise.models import registry
from leadwise.models.networks import network

SMALL = ["beit_micro", "deit_micro", "swin_micro", "vit_micro", "mobilenetv3_small"]


@pytest.mark.parametrize("name", SMALL)
def test_a_network_gives_one_logit_a_class_for_each_crop(name):
    model = registry.build(name, 4).eval()
    side = model.input_px
    assert model(torch.zeros((2, side, side), dtype=torch.uint8)).shape == (2, 4)


@pytest.mark.parametrize(
    ("name", "published"),
    # with the 1000-way head of the checkpoint, as timm and transformers print them
    [
        ("vit_base", 86_567_656),
        ("beit_base", 86_530_984),
        ("deit_base", 87_338_192),
        ("swin_tiny", 28_288_354),
    ],
)
def test_base_networks_have_the_size_of_their_checkpoints(name, published):
    with torch.device("meta"):
        net = network(name).make(1000)
    assert sum(p.numel() for p in net.parameters()) == published


@pytest.mark.parametrize(
    ("name", "part", "absent"),
    [
        ("beit_micro", "relative_position_bias_table", "pos_embed"),
        ("deit_micro", "dist_token", "relative_position_bias_table"),
        ("swin_micro", "relative_position_bias_table", "cls_token"),
        ("vit_micro", "pos_embed", "dist_token"),
    ],
)
def test_micro_networks_carry_what_makes_their_family(name, part, absent):
    names = [key for key, _ in registry.build(name, 4).net.named_parameters()]
    assert any(part in key for key in names)
    assert not any(absent in key for key in names)


def test_parameters_by_part_add_up():
    model = registry.build("swin_micro", 4)
    assert sum(registry.parameters_by_part(model).values()) == sum(p.numel() for p in model.parameters())


def test_dark_ink_on_white_paper_is_what_the_network_sees():
    model = registry.build("vit_micro", 4)
    ink = torch.full((1, 96, 96), 255, dtype=torch.uint8)
    assert torch.allclose(model.images(ink), torch.full((1, 3, 96, 96), -4.0))
    assert torch.allclose(model.images(torch.zeros_like(ink)), torch.zeros((1, 3, 96, 96)))


def test_an_unknown_network_names_the_nearest():
    with pytest.raises(SettingsError, match="'beit_micro'"):
        registry.build("bait_micro", 4)


def test_a_transformer_refuses_another_input_size():
    with pytest.raises(SettingsError, match="takes crops of 96 px"):
        registry.build("vit_micro", 4, input_px=64)


def test_no_published_weights_exist_for_a_micro_network():
    with pytest.raises(WeightsError, match="No published weights"):
        registry.build("vit_micro", 4, "pretrained")


@pytest.mark.parametrize("name", ["vit_base", "deit_base"])
def test_weights_that_cannot_be_downloaded_are_a_clear_refusal(name, monkeypatch, tmp_path):
    import huggingface_hub.constants

    def no_network(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=r"could not be had: .* WEIGHTS = 'random'"):
        registry.build(name, 4, "pretrained")
    assert not huggingface_hub.constants.HF_HUB_OFFLINE


def test_weights_of_another_shape_are_refused_whole(tmp_path):
    path = tmp_path / "two.safetensors"
    save_file(registry.build("vit_micro", 2).state_dict(), path)
    with pytest.raises(WeightsError, match=r"2 of \d+ tensors do not fit vit_micro"):
        registry.build("vit_micro", 4, str(path))


def test_a_pickle_that_poses_as_weights_is_refused(tmp_path):
    path = tmp_path / "evil.safetensors"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="not a safetensors file"):
        registry.build("vit_micro", 4, str(path))


def test_a_pickle_by_its_own_name_is_refused():
    with pytest.raises(WeightsError, match=r"path of a \.safetensors file"):
        registry.build("vit_micro", 4, "model.pth")


def test_saved_weights_come_back(tmp_path):
    model = registry.build("deit_micro", 4)
    save_file(model.state_dict(), tmp_path / "own.safetensors")
    again = registry.build("deit_micro", 4, str(tmp_path / "own.safetensors"))
    assert again.began_from == "file: own.safetensors"
    for key, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
