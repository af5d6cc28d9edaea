"""The ink network: small, of any size of page, and the same for a tile as for the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from leadwise.errors import WeightsError
from leadwise.learning.export_ink import export_ink
from leadwise.models.ink_net import STRIDE, InkNet
from leadwise.models.onnx_file import is_sealed
from leadwise.pages import ink_maps
from leadwise.pages.ink_maps import KINDS, ink_net_maps, session_of

NOTES = {"protocol": "none", "data_fingerprint": "none", "trained_on": "nothing", "note": "random weights"}


@pytest.fixture(scope="module")
def network() -> InkNet:
    torch.manual_seed(0)
    return InkNet().eval()


@pytest.fixture(scope="module")
def exported(network: InkNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ink") / "ink.onnx"
    export_ink(network, path, NOTES)
    return path


def test_it_has_a_quarter_of_a_million_weights_at_most(network: InkNet) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) <= 250_000


def test_six_maps_of_the_size_of_the_page_come_out(network: InkNet) -> None:
    with torch.inference_mode():
        assert network(torch.rand(2, 3, 64, 96)).shape == (2, len(KINDS), 64, 96)


def test_a_tile_has_the_answers_of_its_page(network: InkNet) -> None:
    page = torch.rand(1, 3, 21 * STRIDE, 2 * STRIDE)
    with torch.inference_mode():
        whole = network(page)[:, :, 8 * STRIDE : -8 * STRIDE]
        tile = network(page[:, :, STRIDE:-STRIDE])[:, :, 7 * STRIDE : -7 * STRIDE]
    assert torch.allclose(whole, tile, atol=1e-4)


def test_what_goes_out_is_about_as_large_as_what_went_in_before_training() -> None:
    torch.manual_seed(1)
    with torch.inference_mode():
        logits = InkNet()(torch.rand(1, 3, 192, 192))
    assert 0.02 < float(logits.std()) < 5


def test_the_exported_file_answers_as_the_network_does(network: InkNet, exported: Path) -> None:
    beside = torch.rand(1, 3, 96, 224)
    with torch.inference_mode():
        true = torch.sigmoid(network(beside)).numpy()
    said = session_of(str(exported)).run(None, {"beside": beside.numpy()})[0]
    assert np.abs(said - true).max() < 1e-4


def test_the_exported_file_is_sealed_and_at_most_a_megabyte(exported: Path) -> None:
    data = exported.read_bytes()
    assert is_sealed(data)
    assert len(data) <= 1_000_000


def test_maps_of_a_page_of_any_size_lie_on_its_pixels(exported: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (201, 333, 3)).astype(np.uint8)
    maps = ink_net_maps(picture, session_of(str(exported)))
    assert tuple(maps) == KINDS
    assert all(each.shape == (201, 333) and each.dtype == np.float32 for each in maps.values())
    assert all(each.min() >= 0 and each.max() <= 1 for each in maps.values())


def test_a_page_in_bands_has_the_maps_of_the_page_as_a_whole(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (900, 130, 3)).astype(np.uint8)
    session = session_of(str(exported))
    whole = ink_net_maps(picture, session)
    monkeypatch.setattr(ink_maps, "_AT_ONCE_PX", 600 * 160)
    banded = ink_net_maps(picture, session)
    assert all(np.abs(whole[kind] - banded[kind]).max() < 1e-4 for kind in KINDS)


def test_a_file_that_is_no_network_is_refused() -> None:
    with pytest.raises(WeightsError, match="onnxruntime cannot load it"):
        session_of(b"no model")


def test_a_network_that_finds_no_memory_says_so_as_python_does(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_little(*_: object) -> None:
        raise RuntimeError("Status Message: std::bad_alloc")

    session = session_of(str(exported))
    monkeypatch.setattr("onnxruntime.InferenceSession.run", too_little)
    with pytest.raises(MemoryError, match="more memory than there is"):
        ink_net_maps(np.full((64, 64, 3), 255, np.uint8), session)


def test_a_missing_network_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ink_maps, "_SHIPPED", "no_such.onnx")
    with pytest.raises(WeightsError, match=r"no_such\.onnx is not among leadwise's resources"):
        ink_net_maps(np.full((64, 64, 3), 255, np.uint8))
