"""From one set of beats to another: who is tested, what is taken over, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from leadwise.errors import InputError, LeakError, SettingsError, WeightsError
from leadwise.folds.pages import assert_disjoint
from leadwise.folds.partition import partition
from leadwise.folds.recordings import transfer_folds
from leadwise.learning.recordings import train_recordings
from leadwise.learning.transfer import WAYS, start_file
from leadwise.models import registry
from leadwise.models.signal_nets import freeze_convolutions
from leadwise.names import TASKS
from leadwise.recordings.records import Record, write_record
from leadwise.scores import floors
from leadwise.scores import transfer as transfer_scores
from leadwise.scores.table import score_of, selected
from leadwise.sets.labelled_beats import fingerprint, labelled_beats, ptbdb_records, ptbxl_records
from leadwise.sets.sample import unpack_recordings
from leadwise.tables import checked


def made_beats(people: int = 20, recordings: int = 2, beats: int = 3) -> pd.DataFrame:
    """Half of the people are normal; each has as many recordings, each of them as many beats."""
    rows = [
        (f"p{person}r{n}-{beat:07d}", f"p{person}r{n}", f"patient-{person}", ("normal", "other")[person % 2])
        for person in range(people)
        for n in range(recordings)
        for beat in range(beats)
    ]
    table = pd.DataFrame(rows, columns=["beat_id", "record", "group_id", "label"])
    return table.assign(time_s=0.5, rate_bpm=60.0 + 40 * (table["label"] == "other"))


def made_answers(beats: pd.DataFrame, share: Any, **told: Any) -> pd.DataFrame:
    """Test answers to `beats`, `share` being the probability of ``other``."""
    folds = transfer_folds(beats, "patient_folds", [1]).set_index("unit_id")["fold"]
    keys = {
        "model": "tuned",
        "protocol": "patient_folds",
        "task": "normal",
        "role": "test",
        "seed": 1,
        "unit": "beat",
    }
    rows = beats.rename(columns={"beat_id": "unit_id"})[["unit_id", "record", "group_id", "label"]]
    rows = rows.assign(fold=rows["record"].map(folds), **(keys | told))
    return rows.assign(prob_other=share, prob_normal=1 - np.asarray(share))


def parameters(**told: Any) -> Any:
    values = {
        "MODEL": "heartbeat_cnn", "RECIPE": "random", "WEIGHTS": "random", "EPOCHS": 2, "MAX_STEPS": 1,
        "PROFILE": "tests", "SEEDS": [1],
    } | told  # fmt: skip
    return SimpleNamespace(**values)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of five classes of beats, as `cross_fit` writes one."""
    path = tmp_path_factory.mktemp("source") / "source.safetensors"
    torch.manual_seed(7)
    network = registry.build("heartbeat_cnn", 5)
    told = {
        "model": "heartbeat_cnn",
        "classes": "N,S,V,F,Q",
        "data_fingerprint": "mitdb",
        **network.preprocessing,
    }
    save_file(network.state_dict(), path, told)
    return path


# --- recordings --------------------------------------------------------------------------------


def test_normal_is_where_norm_is_the_one_diagnostic_class(tmp_path):
    records = ptbxl_records(unpack_recordings(tmp_path))
    label = records.set_index("record")["label"]
    assert label.value_counts().to_dict() == {"normal": 6, "other": 6}
    assert label["00003_hr"] == "normal"
    assert label["00143_hr"] == "other"  # paced, and nothing else is stated
    assert records["group_id"].is_unique
    (tmp_path / "round_trips").mkdir()
    (tmp_path / "round_trips" / "00003_hr.hea").touch()
    assert "00003_hr" not in set(ptbxl_records(tmp_path, tmp_path / "round_trips")["record"])


def test_every_beat_is_cut_from_lead_two_and_has_its_recordings_label(tmp_path):
    records = ptbxl_records(unpack_recordings(tmp_path)).head(2)
    cut = labelled_beats(records)
    assert cut.rows.shape == (len(cut.table), 187)
    assert cut.rows.dtype == np.float16
    assert (cut.rows.max(axis=1) == 1).all()
    assert (cut.rows[:, :3].max(axis=1) > 0.7).mean() > 0.9  # rows begin at the R peak
    assert cut.table["beat_id"].is_unique
    assert cut.left_out.empty
    rate = cut.table.groupby("record")["rate_bpm"].first()
    assert rate.between(40, 120).all()
    before = fingerprint(records)
    assert before == fingerprint(records)
    assert before != fingerprint(records.assign(label="other"))


def test_recordings_without_lead_two_or_without_beats_are_told(tmp_path):
    times_s = np.arange(5000) / 500
    beating = np.exp(-(((times_s % 0.8) - 0.4) ** 2) / 2e-4)
    write_record(Record(np.stack([beating, beating]), ("II", "V1"), 500), tmp_path, "whole", [])
    write_record(Record(beating[None], ("V1",), 500), tmp_path, "other_lead", [])
    write_record(Record(np.zeros((1, 5000)), ("II",), 500), tmp_path, "flat", [])
    rows = [(name, name, "normal", tmp_path / name) for name in ("whole", "other_lead", "flat", "absent")]
    records = pd.DataFrame(rows, columns=["record", "group_id", "label", "path"]).assign(age=50.0)
    cut = labelled_beats(records)
    assert set(cut.table["record"]) == {"whole"}
    why = cut.left_out.set_index("record")["why"]
    assert "no lead II" in why["other_lead"]
    assert "0 beats" in why["flat"]
    assert "no such record" in why["absent"]
    with pytest.raises(InputError, match="none of 3 recordings"):
        labelled_beats(records[1:])


def test_ptb_is_called_by_the_reason_for_admission(tmp_path):
    signal = np.zeros((1, 1000))
    for patient, name, comments in (
        ("patient001", "s0010_re", ["age: 81", "Reason for admission: Myocardial infarction"]),
        ("patient104", "s0306lre", ["Reason for admission: Healthy control"]),
        ("patient285", "s0544_re", ["Reason for admission: n/a"]),
    ):
        write_record(Record(signal, ("ii",), 1000), tmp_path / patient, name, comments)
    told = ptbdb_records(tmp_path).set_index("group_id")
    assert told["label"].to_dict() == {"patient001": "other", "patient104": "healthy"}
    assert told["age"].dropna().to_dict() == {"patient001": 81}
    with pytest.raises(InputError, match="no recording with a label"):
        ptbdb_records(tmp_path / "nothing")


# --- folds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_transfer_folds_share_no_patient(seed):
    beats = made_beats()
    table = checked(transfer_folds(beats, "patient_folds", [seed]), "folds.csv", "these folds")
    part = partition(beats, table, "patient_folds", seed, "normal")
    assert sorted(np.concatenate(list(part.rows.values()))) == list(range(len(beats)))
    for fold, tested in part.rows.items():
        learned = part.training_rows((fold,))
        assert_disjoint(beats["group_id"][learned], beats["group_id"][tested], "")
        assert set(beats["label"][tested]) == set(TASKS["normal"])


def test_beats_at_random_leak_on_purpose_and_are_refused_under_another_name():
    beats = made_beats()
    table = transfer_folds(beats, "leaky_beats", [1])
    part = partition(beats, table, "leaky_beats", 1, "normal")
    learned = part.training_rows((1,))
    assert set(beats["group_id"][learned]) & set(beats["group_id"][part.rows[1]])
    assert not set(learned) & set(part.rows[1])
    assert sorted([*learned, *part.rows[1]]) == list(range(len(beats)))
    with pytest.raises(LeakError, match="patient-"):
        partition(beats, table.assign(protocol="patient_folds"), "patient_folds", 1, "normal").training_rows(
            (1,)
        )


def test_a_class_that_would_be_absent_from_a_fold_is_refused():
    beats = made_beats()
    few = beats[(beats["label"] == "normal") | beats["group_id"].isin([f"patient-{n}" for n in (1, 3, 5, 7)])]
    with pytest.raises(InputError, match="class 'other' has 4 of at least 5 people"):
        transfer_folds(few, "patient_folds", [1])
    with pytest.raises(InputError, match="there are 1 classes"):
        transfer_folds(beats[beats["label"] == "normal"], "leaky_beats", [1])
    with pytest.raises(SettingsError, match="leaky_beats"):
        transfer_folds(beats, "leaky_beat", [1])


# --- what is taken over --------------------------------------------------------------------------


def test_all_but_the_last_layer_is_taken_over(source, tmp_path):
    first = start_file(source, "heartbeat_cnn", "normal", 1, tmp_path / "first.safetensors")
    again = start_file(source, "heartbeat_cnn", "normal", 1, tmp_path / "again.safetensors")
    assert first.read_bytes() == again.read_bytes()
    old, new = load_file(source), load_file(first)
    differing = {
        key for key in old if old[key].shape != new[key].shape or not torch.equal(old[key], new[key])
    }
    assert {key.rsplit(".", 1)[1] for key in differing} == {"weight", "bias"}
    assert len(differing) == 2
    assert all(len(new[key]) == 2 for key in differing)
    registry.build("heartbeat_cnn", 2, str(first))
    other = load_file(start_file(source, "heartbeat_cnn", "normal", 2, tmp_path / "other.safetensors"))
    assert {key for key in new if not torch.equal(new[key], other[key])} == differing


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"samples": "250"}, "beats of 250 samples, and these have 187"),
        ({"model": "heartbeat_mlp"}, "weights of 'heartbeat_mlp', not of 'heartbeat_cnn'"),
        ({"samples": None}, "does not say its 'samples'"),
        ({"classes": "N,S,V"}, "do not fit heartbeat_cnn"),
    ],
)
def test_a_file_of_another_length_or_network_is_refused(source, tmp_path, changed, said):
    with safe_open(source, framework="pt") as file:
        told = file.metadata() | changed
    wrong = tmp_path / "wrong.safetensors"
    save_file(load_file(source), wrong, {key: value for key, value in told.items() if value is not None})
    with pytest.raises(WeightsError, match=said):
        start_file(wrong, "heartbeat_cnn", "normal", 1, tmp_path / "begin.safetensors")
    assert not (tmp_path / "begin.safetensors").exists()


def test_frozen_convolutions_stay_and_tuned_ones_move(source, tmp_path):
    beats = made_beats()
    rows = np.random.default_rng(0).random((len(beats), 187), np.float32).astype(np.float16)
    folds = transfer_folds(beats, "patient_folds", [1])
    starts = {1: start_file(source, "heartbeat_cnn", "normal", 1, tmp_path / "begin.safetensors")}
    begun = load_file(starts[1])
    moved, answers = {}, {}
    for way in WAYS:
        results = train_recordings(
            parameters(), beats, {"heartbeat": rows}, folds, tmp_path, "ptbxl",
            task="normal", protocol="patient_folds", model="heartbeat_cnn", seeds=[1], name=way,
            starts=None if way == "scratch" else starts, frozen=way == "frozen",
        )  # fmt: skip
        answers[way] = checked(results.predictions, "predictions.csv", "these answers")
        kept = load_file(tmp_path / "weights" / f"{results.networks[0]}.safetensors")
        moved[way] = {key for key in begun if not torch.equal(begun[key], kept[key])}
    convolutions = {key for key in begun if begun[key].ndim == 3}
    assert len(convolutions) == 8
    assert not moved["frozen"] & convolutions
    assert {key for key in moved["frozen"] if begun[key].ndim == 2} == {
        k for k in begun if begun[k].ndim == 2
    }
    assert convolutions <= moved["tuned"]
    for way, own in answers.items():
        assert set(own["model"]) == {way}
        assert sorted(own["unit_id"]) == sorted(beats["beat_id"])


def test_a_frozen_batch_norm_remembers_and_goes_by_what_it_remembers():
    network = freeze_convolutions(registry.build("heartbeat_resnet38", 2)).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    beats = torch.rand(8, 187)
    together = network(heartbeat=beats)
    alone = torch.cat([network(heartbeat=beats[n : n + 1]) for n in range(8)])
    assert torch.allclose(
        together, alone, atol=1e-4
    )  # in training, a norm that is not frozen looks at the batch
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    with pytest.raises(SettingsError, match="no convolutions"):
        freeze_convolutions(registry.build("heartbeat_mlp", 2))


# --- what it is worth ------------------------------------------------------------------------------


def test_a_patients_answer_is_the_mean_and_other_where_any_recording_is():
    beats = made_beats()
    beats.loc[beats["record"] == "p0r1", "label"] = "other"  # of a patient whose other recording is normal
    share = np.where(beats["record"] == "p0r1", 0.9, 0.3)
    told = transfer_scores.by_patient(made_answers(beats, share)).set_index("unit_id")
    assert len(told) == 20
    assert told.loc["patient-0", "label"] == "other"
    assert told.loc["patient-0", "prob_other"] == pytest.approx(0.6)
    assert told.loc["patient-2", "label"] == "normal"


def test_who_says_the_same_of_everything_is_named():
    beats = made_beats()
    assert transfer_scores.always(made_answers(beats, 0.7)) == {"other": 5}
    own = made_answers(beats, np.linspace(0.1, 0.9, len(beats)))
    assert transfer_scores.always(own) == {}
    own.loc[own["fold"] == 2, ["prob_other", "prob_normal"]] = [0.2, 0.8]
    assert transfer_scores.always(own) == {"normal": 1}


def test_floors_are_fitted_on_the_other_folds():
    beats = made_beats()
    own = made_answers(beats, 0.5)
    rate = floors.rate_alone(own, beats)
    assert ((rate["prob_other"] > 0.5) == (rate["label"] == "other")).all()
    flipped = beats.assign(rate_bpm=np.where(beats["record"].isin(own.query("fold == 1")["record"]), 75, 80))
    unseen = floors.rate_alone(own, flipped).query("fold == 1")
    assert unseen["prob_other"].nunique() == 1  # a rate that only the tested beats have tells nothing
    frequent = floors.frequent_class(own[own["label"].eq("normal") | own["record"].str.endswith("r0")])
    assert set(frequent["prob_normal"]) == {1.0}


def test_the_summary_and_what_differs_are_paired_by_beat_and_by_patient():
    beats = made_beats()
    right = np.where(beats["label"] == "other", 0.8, 0.2)
    answers = {
        (protocol, model): made_answers(beats, share, protocol=protocol, model=model)
        for protocol in ("patient_folds", "leaky_beats")
        for model, share in (("scratch", 0.7), ("frozen", 0.7), ("tuned", right))
    }
    scores = transfer_scores.transfer_scores(answers, "heartbeat_cnn", draws=100)
    checked(scores, "scores.csv", "made")
    own = {"protocol": "patient_folds", "condition": "way=tuned"}
    assert score_of(scores, "accuracy", unit="beat", **own).value == 1.0
    assert score_of(scores, "accuracy", unit="patient", **own).value == 1.0
    n_of = selected(scores, metric="accuracy", **own).set_index("unit")["n"]
    assert n_of.to_dict() == {"beat": 120, "patient": 20}
    alike = selected(scores, condition="way=scratch", metric="always_other")
    assert set(zip(alike["value"], alike["n"], strict=True)) == {(5, 5)}
    differences = transfer_scores.transfer_differences(answers, "heartbeat_cnn", draws=100)
    checked(differences, "differences.csv", "made")
    told = selected(differences, metric="accuracy")
    gain = selected(told, minus="way=scratch", **own)
    assert gain.set_index("unit")["value"].to_dict() == {"beat": 0.5, "patient": 0.5}
    leak = selected(told, minus="protocol=patient_folds")
    assert set(leak["condition"]) == {"way=scratch", "way=frozen", "way=tuned"}
    assert (leak["value"] == 0).all()
    said = transfer_scores.summary(scores, differences, "normal")
    assert "`tuned` 1.000 (0.722 to 1.000)" in said  # Wilson's, of ten patients a class
    assert "`way=scratch` under `patient_folds` says the same of everything: other in 5 of 5 folds." in said
