"""Recordings go through the engine of the pages: who is tested, who is left out, and what a leak is met with."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from leadwise.errors import InputError, LeakError
from leadwise.folds.partition import partition
from leadwise.learning.engine import cross_entropy
from leadwise.learning.examples import Units
from leadwise.learning.recordings import network_costs, reconstructed, train_recordings
from leadwise.models import registry
from leadwise.models.networks import Recipe, named
from leadwise.models.weights_file import read_metadata
from leadwise.names import AAMI
from leadwise.tables import checked

RECORDS = {"101": 1, "106": 1, "108": 2, "109": 2, "112": 3, "114": 3, "100": None, "103": None}


@pytest.fixture
def beats() -> pd.DataFrame:
    """Twelve beats of each of eight records: six of DS1 in three inner folds, two of DS2."""
    rows = [
        (f"{record}-{n:07d}", record, f"person-{record}", AAMI[n % 3])
        for record in RECORDS
        for n in range(12)
    ]
    return pd.DataFrame(rows, columns=["beat_id", "record", "group_id", "label"])


@pytest.fixture
def beat_folds(beats: pd.DataFrame) -> pd.DataFrame:
    """Six records of DS1 in three inner folds against two of DS2, a row a beat."""
    inner = beats["record"].map(RECORDS).astype("Int64")
    table = beats.rename(columns={"beat_id": "unit_id"}).drop(columns="record")
    part = np.where(inner.isna(), "test", "train")
    return table.assign(part=part, fold=1, inner=inner, protocol="interpatient", seed=1, unit="beat")


def parameters() -> SimpleNamespace:
    told = {
        "RECIPE": "random",
        "WEIGHTS": "random",
        "EPOCHS": 2,
        "MAX_STEPS": 1,
        "PROFILE": "tests",
        "SEEDS": [1],
    }
    return SimpleNamespace(**told)


def test_records_left_out_together_are_the_inner_folds(beats, beat_folds):
    part = partition(beats, beat_folds, "interpatient", 1, "aami5")
    assert part.tested == (1,)
    assert part.folds == [1, 2, 3, 4]
    assert set(part.groups[part.rows[1]]) == {"person-100", "person-103"}
    trained = part.training_rows((1, 3))
    assert set(part.groups[trained]) == {"person-101", "person-106", "person-112", "person-114"}


def test_a_training_record_among_the_tested_is_refused(beats, beat_folds):
    moved = beat_folds.copy()
    moved.loc[moved.index[:6], ["part", "inner"]] = ["test", pd.NA]  # half of record 101
    with pytest.raises(LeakError, match="person-101"):
        partition(beats, moved, "interpatient", 1, "aami5")
    with pytest.raises(InputError, match="test nobody"):
        partition(beats, beat_folds.assign(part="train"), "interpatient", 1, "aami5")


@pytest.fixture
def folds() -> pd.DataFrame:
    """Whole records: the six of DS1 in three inner folds, and five folds by person."""
    rows = [
        ("interpatient", record, 1, "train" if inner else "test", inner) for record, inner in RECORDS.items()
    ] + [("patient_folds", record, 1 + number // 2, "test", None) for number, record in enumerate(RECORDS)]
    table = pd.DataFrame(rows, columns=["protocol", "unit_id", "fold", "part", "inner"])
    table = table.assign(unit="record", group_id="person-" + table["unit_id"], seed=1)
    return table.astype({"inner": "Int64"})


def test_the_tested_records_are_answered_for_and_epochs_chosen_on_the_others(beats, folds, tmp_path):
    views = {"heartbeat": np.random.default_rng(0).random((len(beats), 187), np.float32).astype(np.float16)}
    results = train_recordings(
        parameters(), beats, views, folds, tmp_path, "made",
        task="aami5", protocol="interpatient", model="heartbeat_cnn", seeds=[1], inner=True,
    )  # fmt: skip
    told = checked(results.predictions, "predictions.csv", "these answers")
    assert set(told["unit"]) == {"beat"}
    test = told[told["role"] == "test"]
    assert set(test["group_id"]) == {"person-100", "person-103"}
    assert len(test) == test["unit_id"].nunique() == 24
    assert set(told.loc[told["role"] == "inner", "held_out"]) == {2, 3, 4}
    assert len(results.trainings) == 4


@pytest.fixture
def held_out(folds: pd.DataFrame) -> pd.DataFrame:
    """Four records of DS1 train, two are held out, the two of DS2 are tested."""
    table = folds.query("protocol == 'interpatient'").assign(protocol="interpatient_held_out", inner=pd.NA)
    return table.assign(part=table["part"].mask(table["unit_id"].isin(["112", "114"]), "val"))


def some_beats(n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, 187), np.float32).astype(np.float16)


@pytest.mark.parametrize("name", [name for name in named(family="heartbeat") if "resnet398" not in name])
def test_every_network_of_beats_answers_for_the_tested_and_for_the_held_out(name, beats, held_out, tmp_path):
    results = train_recordings(
        parameters(), beats, {"heartbeat": some_beats(len(beats))}, held_out, tmp_path, "made",
        task="aami5", protocol="interpatient_held_out", model=name, seeds=[1], ask=True,
    )  # fmt: skip
    told = checked(results.predictions, "predictions.csv", "these answers")
    people = told.groupby("role")["group_id"].apply(set)
    assert people["val"] == {"person-112", "person-114"}
    assert people["test"] == {"person-100", "person-103"}
    assert set(told["model"]) == {name}
    assert results.history["loss"].notna().any()
    costs = network_costs(name, results, {"heartbeat": some_beats(1)})
    assert costs["epochs"] == 2
    assert min(costs["parameters"], costs["s_per_epoch"], costs["ms_per_beat"]) > 0


def test_a_held_out_record_among_the_training_ones_is_refused(beats, beat_folds):
    mixed = beat_folds.assign(inner=pd.NA)
    mixed.loc[mixed.index[:6], "part"] = "val"  # half of record 101
    with pytest.raises(LeakError, match="person-101"):
        partition(beats, mixed, "interpatient", 1, "aami5", ask=True)
    leaky = mixed.assign(protocol="leaky_beats")
    assert partition(beats, leaky, "leaky_beats", 1, "aami5", ask=True).asked == 2


def test_an_autoencoder_learns_to_give_back_training_beats_alone(beats, held_out, tmp_path, monkeypatch):
    seen: set[str] = set()
    taken = Units.example

    def noted(self, row, place):
        seen.add(beats["group_id"][row])
        return taken(self, row, place)

    monkeypatch.setattr(Units, "example", noted)
    results = train_recordings(
        parameters(), beats, {"heartbeat": some_beats(len(beats))}, held_out, tmp_path, "made",
        task="aami5", protocol="interpatient_held_out", model="heartbeat_autoencoder", seeds=[1],
    )  # fmt: skip
    assert seen <= {f"person-{record}" for record in ("101", "106", "108", "109")}
    first, then = results.trainings
    assert first.startswith("heartbeat_reconstruction")
    begun = read_metadata(tmp_path / "weights" / f"{then}.safetensors")["began_from"]
    assert first in begun
    models = [
        registry.build("heartbeat_autoencoder", 5, str(tmp_path / "weights" / f"{name}.safetensors"))
        for name in results.trainings
    ]
    decoders = [model.net.decoder[0].weight for model in models]
    torch.testing.assert_close(*decoders)  # classes teach the code, and nothing else gives beats back


def test_what_is_given_back_gets_nearer_to_the_beat(beats, held_out, tmp_path):
    """Beats of one shape in three sizes: after some steps the code has learned it."""
    size = 0.2 + 0.3 * (np.arange(len(beats)) % 3)
    shape = np.exp(-(((np.arange(187) - 60) / 20) ** 2))
    views = {"heartbeat": (size[:, None] * shape).astype(np.float16)}
    told = parameters()
    told.EPOCHS, told.MAX_STEPS = 80, None
    results = train_recordings(
        told, beats, views, held_out, tmp_path, "made",
        task="aami5", protocol="interpatient_held_out", model="heartbeat_autoencoder", seeds=[1],
    )  # fmt: skip
    path = tmp_path / "weights" / f"{results.trainings[0]}.safetensors"
    network = registry.build("heartbeat_autoencoder", 5, str(path)).eval()
    asked = views["heartbeat"][beats["group_id"] == "person-100"]
    left = float(((reconstructed(network, asked) - asked) ** 2).mean())
    assert left < 0.2 * float(((asked - asked.mean()) ** 2).mean())


def test_everybody_is_tested_once_by_person(beats, folds, tmp_path):
    beats = beats.iloc[::6].reset_index(drop=True)  # attention is slow
    label = np.where(beats["label"] == "N", "normal", "abnormal")
    table = beats.rename(columns={"beat_id": "window_id"}).assign(label=label)
    views = {"window": np.zeros((len(beats), 3600), np.float16)}
    results = train_recordings(
        parameters(), table, views, folds, tmp_path, "made",
        task="window", protocol="patient_folds", model="attention_windows", seeds=[1], epochs=1,
    )  # fmt: skip
    answers = results.test_units("window")
    assert sorted(answers["unit_id"]) == sorted(beats["beat_id"])
    assert set(answers["fold"]) == {1, 2, 3, 4}
    assert results.history["epoch"].max() == 1


@pytest.mark.parametrize(
    ("name", "classes", "parameters"),
    [
        ("attention_windows", 2, 7_400_322),
        ("heartbeat_cnn", 5, 254_901),
        ("heartbeat_mlp", 5, 49_413),
        ("heartbeat_vanilla", 5, 199_477),
        ("heartbeat_rnn", 5, 83_205),
        ("heartbeat_fourier", 5, 254_981),
        ("heartbeat_bilstm", 5, 232_453),
        ("heartbeat_resnet398", 5, 2_782_725),
        ("heartbeat_dilated", 5, 221_862),
    ],
)
def test_published_networks_have_the_published_size(name, classes, parameters):
    model = registry.build(name, classes)
    learned = sum(value.numel() for value in model.parameters() if value.requires_grad)
    # Keras counts what batch norm remembers, too
    remembered = sum(value.numel() for key, value in model.named_buffers() if "running" in key)
    assert learned + remembered == parameters


@pytest.mark.parametrize("name", [name for name in named(family="heartbeat") if "resnet398" not in name])
def test_every_network_of_beats_answers_and_learns(name):
    torch.manual_seed(0)
    beats = torch.rand(4, 187)
    beats[:, 150:] = 0
    model = registry.build(name, 5)
    logits = model(heartbeat=beats)
    assert logits.shape == (4, 5)
    logits.logsumexp(dim=1).sum().backward()
    assert all(
        value.grad is not None
        for key, value in model.named_parameters()
        if value.requires_grad and "decoder" not in key  # which only reconstructs
    )


@pytest.mark.parametrize(("name", "cell"), [("heartbeat_rnn", nn.RNN), ("heartbeat_bilstm", nn.LSTM)])
def test_padding_says_nothing_to_recurrent_networks(name, cell):
    torch.manual_seed(0)
    model = registry.build(name, 5).eval()
    beats = torch.rand(3, 187) + 0.01
    beats[0, 100:], beats[1, 1:], beats[2, 150:] = 0, 0, 0
    own = {
        f"{key}{'_reverse' * int(way)}": value
        for way, one in enumerate(model.net.cells)
        for key, value in one.state_dict().items()
    }
    packing = cell(1, 128, batch_first=True, bidirectional=len(model.net.cells) == 2)
    packing.load_state_dict(own)
    packed = nn.utils.rnn.pack_padded_sequence(
        beats[:, :, None], torch.tensor([100, 1, 150]), batch_first=True, enforce_sorted=False
    )
    state = packing(packed)[1]
    last = state[0] if isinstance(state, tuple) else state
    torch.testing.assert_close(model(heartbeat=beats), model.net.head(last.transpose(0, 1).flatten(1)))


def test_focal_loss_is_cross_entropy_where_gamma_is_none_and_less_where_sure():
    examples = Units({"heartbeat": np.zeros((5, 187))}, np.arange(5), AAMI)
    logits, labels = torch.eye(5) * 5, torch.arange(5)
    plain, focal = (
        cross_entropy(Recipe(1e-3, 0.0, 0.0, 4, 1, "tests", focal=gamma), examples, np.arange(5))
        for gamma in (0.0, 2.0)
    )
    sure = logits.log_softmax(dim=1)[range(5), range(5)]
    torch.testing.assert_close(plain(logits, {}, labels, labels), -sure.mean())
    torch.testing.assert_close(focal(logits, {}, labels, labels), -((1 - sure.exp()) ** 2 * sure).mean())


def test_attention_that_is_drawn_is_that_of_the_answer():
    torch.manual_seed(0)
    model = registry.build("attention_windows", 2).eval()
    window = torch.randn(2, 3600)
    weights = model.net.attention(window)
    assert weights.shape == (2, 900)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2))
    steps = model.net.convolutions(window[:, None]).transpose(1, 2)
    own, _ = model.net.mix(steps, steps, steps, need_weights=True)
    torch.testing.assert_close(model.net.head(own), model(window=window), rtol=1e-4, atol=1e-5)


def test_while_epochs_are_chosen_inside_ds1_nobody_looks_at_ds2(beats, folds, tmp_path):
    """Beats of DS2 that are no numbers would make no number of a score that they are in."""
    views = {"heartbeat": some_beats(len(beats))}
    views["heartbeat"][beats["record"].isin(["100", "103"])] = np.nan
    results = train_recordings(
        parameters(), beats, views, folds, tmp_path, "made",
        task="aami5", protocol="interpatient", model="heartbeat_cnn", seeds=[1], inner=True, answer_test=False,
    )  # fmt: skip
    assert set(results.predictions["group_id"]) == {
        f"person-{record}" for record, inner in RECORDS.items() if inner
    }
    assert set(results.predictions["role"]) == set(results.history["role"]) == {"inner"}
    assert (len(results.trainings), results.networks) == (3, [])
    kept = [np.load(path) for path in sorted((tmp_path / "trainings").rglob("answers-*.npy"))]
    assert len(kept) == 3 * 2, "after each of two epochs, for the fold inside DS1"
    assert all(np.isfinite(answers).all() for answers in kept)
    assert np.isfinite(results.history["inner_log_loss"].dropna()).all()
