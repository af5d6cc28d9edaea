from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from drawn import signals_of
from made import made_beats
from miniature import Clone

from leadwise.learning.export_beats import beat_metadata, export_beats
from leadwise.models.registry import build
from leadwise.models.signal_nets import SignalClassifier
from leadwise.names import AAMI
from leadwise.pages.digitize import Signals
from leadwise.pages.read import read_page
from leadwise.project.notebooks import NOTEBOOKS
from leadwise.sets.sample import unpack_excerpts

# batches are tiny here: two threads wait for each other, minutes long where cores are busy
torch.set_num_threads(1)

# a shell ignores these for what it starts in the background, and what tests start would ignore them too; a handler is
# not handed on
for _signal, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, lambda *_: None)):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, _handler)

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    folder = tmp_path / "a clone"
    shutil.copytree(WORKFLOW, folder / "workflow")
    (folder / "pyproject.toml").write_text('[project]\nname = "leadwise"\n', encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("LEADWISE_RUNS", raising=False)
    monkeypatch.delenv("LEADWISE_DATA", raising=False)
    made = Clone(folder)
    for name in NOTEBOOKS:
        made.notebook(name)
    return made


@pytest.fixture(scope="session")
def sample_paths(sample_folder: Path, sample_pages: pd.DataFrame) -> list[Path]:
    return [sample_folder / path for path in sample_pages["path"]]


@pytest.fixture(scope="session")
def sample_signals(sample_paths: list[Path]) -> list[Signals]:
    """Voltages of all 48 pages, read once."""
    return [signals_of(read_page(path)) for path in sample_paths]


@pytest.fixture(scope="module")
def excerpts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded excerpts of MIT-BIH, unpacked for one file of tests, which may write beside them."""
    return unpack_excerpts(tmp_path_factory.mktemp("signals"))


@pytest.fixture(scope="session")
def beat_network() -> SignalClassifier:
    """A network for beats with random weights; running statistics are those of a few made beats."""
    torch.manual_seed(7)
    network = build("beat_rhythm", len(AAMI))
    assert isinstance(network, SignalClassifier)
    with torch.no_grad():
        for _ in range(3):
            network(**made_beats(64))
    return network.eval()


@pytest.fixture(scope="session")
def beat_model(beat_network: SignalClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file: no test depends on what the shipped model has learned."""
    path = tmp_path_factory.mktemp("beats") / "random.onnx"
    told = {"protocol": "none", "data_fingerprint": "0" * 12, "trained_on": "nothing", "note": "Random."}
    export_beats(beat_network, path, beat_metadata(beat_network, AAMI, **told))
    return path


@pytest.fixture(scope="session")
def served(beat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `leadwise serve`, running as a user runs it."""
    log = tmp_path_factory.mktemp("serve") / "stderr"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "leadwise",
                "serve",
                "--port",
                "0",
                "--cores",
                "1",
                "--beat-model",
                beat_model,
            ],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert server.stdout is not None
        said = server.stdout.readline()
        assert "http://" in said, log.read_text(encoding="utf-8")
        yield said.split()[3]
        server.terminate()
        server.wait(20)
        server.stdout.close()
