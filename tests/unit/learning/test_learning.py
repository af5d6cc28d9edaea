"""Training: the recipe is kept, a kill changes nothing, nobody answers for a page that it has seen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from fitted import fitted
from safetensors.torch import save_file

from leadwise import machine
from leadwise.errors import InputError, LeakError, TrainingError, WeightsError
from leadwise.folds.partition import partition
from leadwise.learning.answers import answer, load_for
from leadwise.learning.engine import precision_of, train
from leadwise.learning.examples import Leads
from leadwise.learning.history import Plan, forget_checkpoints, kept_answers
from leadwise.learning.study import Study
from leadwise.learning.training_facts import trainings_in
from leadwise.models import registry
from leadwise.models.classifier import LeadClassifier
from leadwise.models.networks import Recipe, recipe
from leadwise.models.weights_file import read_metadata
from leadwise.names import CLASSES
from leadwise.tables import checked, read_table

QUICK = Recipe(3e-4, 0.05, 0.1, 32, 2, "tests")
N_PAGES = 40


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    """Made crops in which the class is easily seen: thin ink in one, much ink in the other, and so on."""
    rng = np.random.default_rng(0)
    share = np.array([0.02, 0.15, 0.4, 0.8])[np.arange(N_PAGES) % 4]
    return (rng.random((N_PAGES, 12, 96, 96)) < share[:, None, None, None]).astype(np.uint8) * 255


@pytest.fixture(scope="module")
def pages() -> pd.DataFrame:
    return pd.DataFrame(
        {"page_id": [f"{i:012x}" for i in range(N_PAGES)], "label": [CLASSES[i % 4] for i in range(N_PAGES)]}
    )


@pytest.fixture(scope="module")
def folds(pages: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "protocol": "grouped",
            "unit": "page",
            "unit_id": pages["page_id"],
            "group_id": [f"g{i // 4}" for i in range(N_PAGES)],
            "label": pages["label"],
            "seed": 1,
            "fold": [1 + (i // 4) % 5 for i in range(N_PAGES)],
            "part": "test",
            "inner": None,
        }
    )


def study(**changes: object) -> Study:
    settings: dict[str, object] = {
        "name": "vit_micro",
        "model": "vit_micro",
        "weights": "random",
        "recipe": QUICK,
        "epochs": 2,
        "task": "four",
        "classes": CLASSES,
        "folds": (1,),
        "seeds": (1,),
        "inner": False,
        "profile": "sample",
        "data_fingerprint": "made",
        "max_steps": 1,
    }
    return Study(**(settings | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def taught(tmp_path_factory, crops, pages, folds):
    """A study of two outer folds with their inner ones: the folder and what came of it."""
    folder = tmp_path_factory.mktemp("teacher")
    return folder, fitted(study(folds=(1, 2), inner=True), crops, pages, folds, folder)


def leads_of(crops: np.ndarray) -> Leads:
    return Leads(crops, np.arange(N_PAGES) % 4, CLASSES)


def make_vit() -> LeadClassifier:
    return registry.build("vit_micro", 4)


def test_a_network_learns_classes_that_can_be_seen(crops, tmp_path):
    rows = np.arange(N_PAGES)
    plan = Plan(rows[:32], {1: rows[32:]}, seed=1, epochs=2, stop_after=2)
    trained = train(plan, leads_of(crops), make_vit, QUICK, tmp_path)
    right = kept_answers(tmp_path)[2, 1].mean(axis=1).argmax(axis=1) == rows[32:] % 4
    assert right.mean() == 1.0
    assert trained.history["loss"].iloc[-1] < trained.history["loss"].iloc[0] / 2


def test_a_training_that_was_cut_off_ends_with_the_same_weights(crops, tmp_path):
    class CutOffError(Exception):
        pass

    def cut_in_second_epoch(told: dict[str, float]) -> None:
        if told["epoch"] > 1.2:
            raise CutOffError

    rows = np.arange(N_PAGES)
    plan = Plan(rows[:32], {1: rows[32:]}, seed=5, epochs=2, stop_after=2, max_steps=4)
    whole = train(plan, leads_of(crops), make_vit, QUICK, tmp_path / "whole")
    with pytest.raises(CutOffError):
        train(plan, leads_of(crops), make_vit, QUICK, tmp_path / "cut", on_step=cut_in_second_epoch)
    seen: list[float] = []
    resumed = train(
        plan, leads_of(crops), make_vit, QUICK, tmp_path / "cut", on_step=lambda t: seen.append(t["epoch"])
    )
    assert min(seen) > 1.0, "the first epoch was trained again"
    for (key, value), other in zip(
        whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), key
    kept = [kept_answers(tmp_path / name)[1, 1] for name in ("whole", "cut")]
    assert np.array_equal(*kept)
    assert list(whole.history["loss"]) == list(resumed.history["loss"])
    forget_checkpoints(tmp_path / "cut")
    assert not list((tmp_path / "cut").glob("checkpoint-*"))


def test_a_training_killed_after_its_last_epoch_does_not_go_on(crops, tmp_path):
    rows = np.arange(16)
    plan = Plan(rows, {1: rows}, seed=1, epochs=3, stop_after=1, max_steps=2)
    first = train(plan, leads_of(crops), make_vit, QUICK, tmp_path)
    again = train(plan, leads_of(crops), make_vit, QUICK, tmp_path)  # its checkpoints are still there
    assert again.history["epoch"].max() == 1
    for key, value in first.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key]), key


def test_a_half_written_checkpoint_is_not_gone_on_from(crops, tmp_path):
    (tmp_path / "checkpoint-3").mkdir()
    (tmp_path / "checkpoint-3" / "trainer_state.json").write_text('{"epoch": ')
    plan = Plan(np.arange(8), {}, seed=1, epochs=1, stop_after=1, max_steps=1)
    assert train(plan, leads_of(crops), make_vit, QUICK, tmp_path).history["step"].max() == 1


def test_a_loss_that_is_no_number_ends_the_training_and_says_where(crops, tmp_path):
    plan = Plan(np.arange(8), {}, seed=1, epochs=1, stop_after=1, max_steps=1)
    with pytest.raises(TrainingError, match="step 1"):
        train(
            plan, leads_of(crops), make_vit, QUICK, tmp_path, loss=lambda logits, *_: logits.sum() * torch.nan
        )


@pytest.mark.parametrize(
    "said", ["CUDA out of memory. Tried", "DefaultCPUAllocator: can't allocate memory: you"]
)
def test_too_small_a_memory_says_what_to_lower(crops, tmp_path, said):
    def exhausting(*_):
        raise RuntimeError(said)

    plan = Plan(np.arange(32), {}, seed=1, epochs=1, stop_after=1)
    with pytest.raises(TrainingError, match=r"a batch of 32 examples.*Lower `batch` in the network's recipe"):
        train(plan, leads_of(crops), make_vit, QUICK, tmp_path, loss=exhausting)


def test_another_fault_of_training_is_not_taken_for_a_lack_of_memory(crops, tmp_path):
    def faulty(*_):
        raise RuntimeError("shapes do not fit")

    plan = Plan(np.arange(32), {}, seed=1, epochs=1, stop_after=1)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        train(plan, leads_of(crops), make_vit, QUICK, tmp_path, loss=faulty)


def test_stopping_early_is_the_same_training_cut_short(crops, tmp_path):
    rows = np.arange(16)
    for name, stop_after in (("short", 1), ("long", 2)):
        plan = Plan(rows, {1: rows}, 1, 2, stop_after, 2)
        train(plan, leads_of(crops), make_vit, QUICK, tmp_path / name)
    short, long = kept_answers(tmp_path / "short"), kept_answers(tmp_path / "long")
    assert {epoch for epoch, _ in short} == {1}
    assert np.array_equal(short[1, 1], long[1, 1])


def test_tables_keep_their_contracts_and_every_page_is_answered_once(taught):
    _, results = taught
    checked(results.predictions, "predictions.csv", "predictions")
    checked(results.history, "history.csv", "history")
    checked(results.calibration, "calibration.csv", "calibration")
    pages = results.predictions.query("unit == 'page' and role == 'test'")
    assert pages["unit_id"].is_unique
    assert len(pages) == 16
    assert len(results.predictions.query("unit == 'lead'")) == 16 * 12
    inner = results.predictions.query("role == 'inner' and fold == 1")
    assert sorted(inner["held_out"].unique()) == [2, 3, 4, 5]


def test_each_finished_training_keeps_its_test_answers(taught):
    folder, results = taught
    kept = pd.concat([read_table(path, "predictions.csv") for path in folder.glob("trainings/*/answers.csv")])
    test = results.predictions.query("role == 'test'")
    key = ["fold", "unit", "unit_id"]
    assert len(kept) == len(test) == 16 * 13
    pd.testing.assert_frame_equal(
        kept.set_index(key).sort_index()[["label", "prob_normal"]],
        test.astype({"fold": "Int64"}).set_index(key).sort_index()[["label", "prob_normal"]],
        check_index_type=False, check_dtype=False,
    )  # fmt: skip


def test_two_outer_folds_with_inner_ones_cost_nine_trainings(taught):
    folder, _ = taught
    names = {path.stem for path in (folder / "weights").iterdir()}
    pairs = ["1-2", "1-3", "1-4", "1-5", "2-3", "2-4", "2-5"]
    assert names == {f"seed1-fold{left_out}" for left_out in ["1", "2", *pairs]}


def test_a_second_call_trains_nothing_again_and_answers_the_same(taught, crops, pages, folds):
    folder, first = taught
    again = fitted(study(folds=(1, 2), inner=True), crops, pages, folds, folder)
    assert again.reused == 9
    pd.testing.assert_frame_equal(again.predictions, first.predictions)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def blank(path: Path) -> None:
    """As long as it was, and zeros from its middle on: what a disk may give back after a crash."""
    half = path.stat().st_size // 2
    path.write_bytes(path.read_bytes()[:half] + bytes(path.stat().st_size - half))


@pytest.mark.parametrize(
    ("harm", "file"),
    [
        (cut, "weights/seed1-fold1-3.safetensors"),
        (blank, "weights/seed1-fold1-3.safetensors"),
        (cut, "trainings/seed1-fold1-3/answers-1-1.npy"),
        (Path.unlink, "trainings/seed1-fold1-3/answers-2-3.npy"),
        (blank, "trainings/seed1-fold1-3/history.csv"),
    ],
)
def test_what_is_damaged_is_trained_again_and_nothing_else(
    taught, crops, pages, folds, tmp_path, capsys, harm, file
):
    shutil.copytree(taught[0], tmp_path / "copy")
    whole = {path: path.stat().st_mtime_ns for path in (tmp_path / "copy" / "weights").iterdir()}
    harm(tmp_path / "copy" / file)
    again = fitted(study(folds=(1,), inner=True), crops, pages, folds, tmp_path / "copy")
    assert again.reused == 4
    pd.testing.assert_frame_equal(
        again.predictions, taught[1].predictions.query("fold == 1"), check_dtype=False
    )
    said = [line for line in capsys.readouterr().out.splitlines() if "trained again" in line]
    assert said == [
        f"seed1-fold1-3: {Path(file).name} is not as it was written, so this network is trained again."
    ]
    changed = {path.stem for path, written in whole.items() if path.stat().st_mtime_ns != written}
    assert changed == {"seed1-fold1-3"}
    healed = fitted(study(folds=(1,), inner=True), crops, pages, folds, tmp_path / "copy")
    assert healed.reused == 5


def test_another_recipe_trains_again(taught, crops, pages, folds, tmp_path):
    folder, _ = taught
    shutil.copytree(folder, tmp_path / "copy")
    slower = study(recipe=Recipe(1e-4, 0.05, 0.1, 32, 2, "tests"))
    assert fitted(slower, crops, pages, folds, tmp_path / "copy").reused == 0


def test_a_group_on_both_sides_is_refused_before_training(crops, pages, folds, tmp_path):
    leaky = folds.copy()
    leaky.loc[0, "group_id"] = leaky.loc[4, "group_id"]
    with pytest.raises(LeakError, match=leaky.loc[4, "group_id"]):
        fitted(study(), crops, pages, leaky, tmp_path)


def test_a_fold_without_a_class_is_refused(crops, pages, folds, tmp_path):
    lacking = folds.copy()
    lacking.loc[(lacking["fold"] == 2) & (lacking["label"] == "mi"), "fold"] = 3
    with pytest.raises(InputError, match=r"fold 2 of seed 1 \(grouped\) has no page of class 'mi'"):
        fitted(study(), crops, pages, lacking, tmp_path)


def test_a_seed_without_folds_is_refused(crops, pages, folds, tmp_path):
    with pytest.raises(InputError, match="13_image_folds"):
        fitted(study(seeds=(7,)), crops, pages, folds, tmp_path)


def test_the_binary_task_trains_on_its_two_classes_alone(crops, pages, folds, tmp_path):
    results = fitted(study(task="binary", classes=CLASSES[:2]), crops, pages, folds, tmp_path)
    assert set(results.predictions["label"]) == {"normal", "abnormal_heartbeat"}
    assert (tmp_path / "weights" / "binary-seed1-fold1.safetensors").is_file()


def test_weights_say_where_they_come_from(taught):
    from safetensors import safe_open

    folder, _ = taught
    with safe_open(folder / "weights" / "seed1-fold1-2.safetensors", framework="pt") as file:
        told = file.metadata()
    assert told["left_out"] == "1,2"
    assert told["began_from"] == "random"
    assert told["classes"] == ",".join(CLASSES)
    assert told["data_fingerprint"] == "made"


def test_weights_say_with_what_precision_how_long_and_on_what_they_were_trained(taught):
    folder, results = taught
    told = read_metadata(folder / "weights" / "seed1-fold1.safetensors")
    assert told["precision"] == "fp32"
    own = results.history.query("fold == 1 and role == 'test'")["seconds"].max()
    assert float(told["seconds"]) == pytest.approx(own, abs=0.0051)
    assert told["machine"] == machine.hardware()
    assert told["versions"].startswith(f"torch {version('torch')}, timm ")
    assert not list(folder.rglob("precision.json")), "nothing was tried out"


def test_a_folder_of_weights_says_how_its_networks_were_trained(taught, tmp_path):
    folder, results = taught
    found = trainings_in(folder / "weights")
    every = results.history.groupby(["fold", "role", "held_out"], dropna=False)["seconds"].max()
    assert found.number == len(results.trainings) == len(every)
    assert found.seconds == pytest.approx(every.sum(), abs=0.05)
    assert (found.precisions, found.machines) == (("fp32",), (machine.hardware(),))
    assert len(found.versions) == 1
    with pytest.raises(WeightsError, match="no weights"):
        trainings_in(tmp_path)
    save_file(make_vit().state_dict(), tmp_path / "old.safetensors", {"model": "vit_micro"})
    with pytest.raises(WeightsError, match="does not say its 'precision'"):
        trainings_in(tmp_path)


def test_precision_is_the_recipes_and_auto_is_bf16_where_a_gpu_has_it(crops, tmp_path, monkeypatch):
    half = replace(QUICK, precision="bf16")
    plan = Plan(np.arange(8), {}, seed=1, epochs=1, stop_after=1, max_steps=1)
    assert train(plan, leads_of(crops), make_vit, half, tmp_path).precision == "bf16"
    assert precision_of(QUICK) == "fp32", "no GPU is needed to run these tests"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for has_it, said in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has_it=has_it, **_: has_it)
        assert precision_of(QUICK) == said
        assert precision_of(replace(QUICK, precision="fp32")) == "fp32"


@pytest.fixture(scope="module")
def part(pages, folds):
    return partition(pages, folds, "grouped", 1, "four")


def test_finished_networks_answer_as_they_did_when_they_were_trained(taught, crops, part):
    folder, results = taught
    test = results.predictions.query("role == 'test' and unit == 'page'")
    for fold in (1, 2):
        network = load_for(folder / "weights" / f"seed1-fold{fold}.safetensors", make_vit(), part, (fold,))
        again = answer(network, leads_of(crops), part.rows[fold]).mean(axis=1)
        first = test[test["fold"] == fold]
        assert first["unit_id"].tolist() == part.unit_ids[part.rows[fold]].tolist()
        np.testing.assert_allclose(again, first[[f"prob_{name}" for name in CLASSES]], atol=1e-6)


def test_no_training_begins_from_a_network_that_knows_its_test_pages(taught, crops, pages, folds, tmp_path):
    folder, _ = taught
    start = str(folder / "weights" / "seed1-fold2.safetensors")
    with pytest.raises(LeakError, match="trained on pages of fold 1"):
        fitted(study(weights=start), crops, pages, folds, tmp_path)
    allowed = fitted(study(weights=start, folds=(2,)), crops, pages, folds, tmp_path)
    assert allowed.networks == ["seed1-fold2"]
    fitted(study(weights=start, data_fingerprint="other data"), crops, pages, folds, tmp_path / "other")


def test_weights_that_do_not_say_what_they_know_are_no_start(crops, pages, folds, tmp_path):
    unmarked = tmp_path / "unmarked.safetensors"
    save_file(make_vit().state_dict(), unmarked)
    with pytest.raises(WeightsError, match="does not say on which data"):
        fitted(study(weights=str(unmarked)), crops, pages, folds, tmp_path)


def test_other_crops_train_again(taught, crops, pages, folds, tmp_path):
    folder, _ = taught
    shutil.copytree(folder, tmp_path / "copy")
    results = fitted(study(), 255 - crops, pages, folds, tmp_path / "copy")
    assert results.reused == 0


@pytest.fixture(scope="module")
def three_epochs(crops, tmp_path_factory):
    """The plan of a training, its folder with the checkpoints of epochs 2 and 3, and what came of it."""
    rows = np.arange(N_PAGES)
    plan = Plan(rows[:32], {1: rows[32:]}, seed=5, epochs=3, stop_after=3, max_steps=2)
    folder = tmp_path_factory.mktemp("three")
    return plan, folder, train(plan, leads_of(crops), make_vit, QUICK, folder)


@pytest.mark.parametrize(
    ("harm", "files", "lost"),
    [
        (blank, ["last/model.safetensors"], 1),
        (cut, ["last/optimizer.pt"], 1),
        (cut, ["last/history.json"], 1),
        (Path.unlink, ["answers-3-1.npy"], 1),
        (cut, ["answers-1-1.npy"], 2),
        (blank, ["last/trainer_state.json", "first/rng_state.pth"], 2),
    ],
)
def test_a_training_goes_on_from_the_last_checkpoint_that_is_not_damaged(
    three_epochs, crops, tmp_path, capsys, harm, files, lost
):
    plan, made, whole = three_epochs
    folder = tmp_path / "seed5"
    shutil.copytree(made, folder)
    first, last = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    for file in files:
        harm(folder / file.replace("last/", f"{last.name}/").replace("first/", f"{first.name}/"))
    again = train(plan, leads_of(crops), make_vit, QUICK, folder)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[key], value), key
    before, after = kept_answers(made), kept_answers(folder)
    assert before.keys() == after.keys()
    for key, answers in before.items():
        np.testing.assert_array_equal(after[key], answers)
    said = [line for line in capsys.readouterr().out.splitlines() if "not gone on from there" in line]
    assert len(said) == lost


@pytest.mark.parametrize(
    ("model", "rate", "decay", "warmup", "batch", "epochs"),
    [
        ("vit_base", 9e-6, 0.0, 0.10, 64, 30),
        ("swin_tiny", 4e-5, 0.01, 0.10, 80, 35),
        ("beit_base", 6e-5, 0.0, 0.08, 64, 25),
        ("deit_base", 4e-5, 0.01, 0.08, 64, 15),
    ],
)
def test_recipes_hold_the_published_values(model, rate, decay, warmup, batch, epochs):
    told = recipe(model, "published")
    assert (told.learning_rate, told.weight_decay, told.warmup) == (rate, decay, warmup)
    assert (told.batch, told.epochs, told.schedule) == (batch, epochs, "linear")
