"""Students: the loss is the one difference, no teacher knows the test pages, and the exported file says the same."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from fitted import fitted
from made import made_answers, made_folds, made_pages, made_views
from safetensors.torch import load_file
from scipy.special import softmax

from leadwise.errors import LeakError, SettingsError, WeightsError
from leadwise.folds.partition import partition
from leadwise.learning import export, students
from leadwise.learning.cross_fit import cross_fit
from leadwise.learning.distill import LOSSES, TaughtBy, Teacher, softened_divergence
from leadwise.learning.study import Results, Study
from leadwise.models import registry
from leadwise.models.networks import Recipe
from leadwise.names import CLASSES
from leadwise.onnx import session_of
from leadwise.scores import calibration, metrics
from leadwise.scores.draws import page_metrics
from leadwise.scores.table import compared
from leadwise.serving.model import load_model

N = 40
TEACHER = Recipe(2e-3, 0.05, 0.1, 16, 2, "tests", augment=True)


@pytest.fixture(scope="module")
def views() -> dict[str, np.ndarray]:
    return made_views(N)


@pytest.fixture(scope="module")
def data() -> SimpleNamespace:
    """What `PageData` has, as far as students of whole pages look."""
    pages = made_pages(N)
    folds = made_folds(pages)
    return SimpleNamespace(
        pages=pages,
        folds=folds,
        partition=lambda task, seed: partition(pages, folds, "grouped", seed, task),
    )


@pytest.fixture(scope="module")
def part(data):
    return data.partition("four", 1)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory, views, data) -> Teacher:
    folder = tmp_path_factory.mktemp("teacher")
    study = Study(
        name="leads12", model="leads12_beats", weights="random", recipe=TEACHER, epochs=2, task="four",
        classes=CLASSES, folds=(1, 2, 3, 4, 5), seeds=(1,), inner=True, profile="tests", data_fingerprint="made",
        max_steps=2, prefix="leads12_beats",
    )  # fmt: skip
    results = fitted(study, views, data.pages, data.folds, folder)
    chosen = pd.DataFrame(
        [(*key, results.candidates[key]) for key in results.chosen],
        columns=["task", "seed", "fold", "chosen"],
    )
    return Teacher(folder / "weights", chosen, results.predictions)


PARAMETERS = SimpleNamespace(PROFILE="tests", WEIGHTS="pretrained", RECIPE="published", EPOCHS=2, MAX_STEPS=2)


def trained(teacher, views, data, folder, loss: str, folds=(1,)) -> Results:
    return students.train_student(
        PARAMETERS, data, views, folder, "made", teacher, model="student12", loss=loss, folds=folds, seeds=[1]
    )  # fmt: skip


# --- who teaches whom ----------------------------------------------------------------------------------------


def test_a_teacher_is_frozen_and_never_saw_the_fold(teacher, part, tmp_path):
    network = teacher.network(part, 1)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    (tmp_path / "leads12_beats-seed1-fold3.safetensors").write_bytes(teacher.path(1, 1).read_bytes())
    with pytest.raises(LeakError, match="left out fold 1"):
        replace(teacher, weights=tmp_path).network(part, 3)


def test_a_teacher_of_other_folds_is_refused(teacher, data):
    others = data.folds.assign(fold=data.folds["fold"] % 5 + 1)
    with pytest.raises(LeakError, match="other folds"):
        teacher.network(partition(data.pages, others, "grouped", 1, "four"), 1)


def test_missing_teachers_are_named_before_any_student_is_trained(teacher, tmp_path):
    teacher.require([1], [1, 2, 3, 4, 5])
    with pytest.raises(WeightsError, match=r"2 of the teachers needed are missing.*Run 26_image_leads12"):
        replace(teacher, weights=tmp_path).require([1], [1, 2])
    with pytest.raises(WeightsError, match="fold 1 of seed 2"):
        teacher.require([2], [1])


def test_a_cross_fitted_answer_comes_from_a_network_that_saw_neither_the_page_nor_the_test_fold(
    teacher, part
):
    told = teacher.cross_fitted(part, 2).exp()
    assert torch.isnan(told[part.rows[2]]).all()
    rows = teacher.answers.query("role == 'inner' and fold == 2").set_index("unit_id")
    for held_out in (1, 3, 4, 5):
        pages = part.unit_ids[part.rows[held_out]]
        assert (rows.loc[pages, "held_out"] == held_out).all()
        expected = rows.loc[pages, [f"prob_{name}" for name in CLASSES]].to_numpy()
        np.testing.assert_allclose(told[part.rows[held_out]], expected, atol=1e-5)


def test_without_inner_answers_nobody_is_cross_fitted(teacher, part):
    without = replace(teacher, answers=teacher.answers.query("role == 'test'"))
    with pytest.raises(WeightsError, match="INNER"):
        without.cross_fitted(part, 1)


def test_the_student_that_ships_hears_of_each_page_the_network_that_never_saw_it(teacher, part):
    told = teacher.cross_fitted(part, None).exp()
    rows = teacher.answers.query("role == 'test'").set_index("unit_id").loc[part.unit_ids]
    np.testing.assert_allclose(told, rows[[f"prob_{name}" for name in CLASSES]].to_numpy(), atol=1e-5)


# --- the losses ----------------------------------------------------------------------------------------------


def test_the_divergence_is_the_published_one():
    student = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 0.3]])
    teacher = torch.tensor([[1.0, 1.0, 0.0], [-1.0, 2.0, 0.0]])
    p, q = torch.softmax(teacher / 2, 1), torch.softmax(student / 2, 1)
    by_hand = 4 * (p * (p / q).log()).sum(1).mean()
    assert softened_divergence(student, teacher, 2.0) == pytest.approx(by_hand.item())
    assert softened_divergence(teacher, teacher, 2.0) == pytest.approx(0.0, abs=1e-6)
    # a teacher's probabilities serve as well as its logits
    assert softened_divergence(student, teacher.log_softmax(1), 2.0) == pytest.approx(by_hand.item())


def test_each_loss_is_the_sum_of_its_named_parts(teacher, part, views):
    rows = torch.tensor(part.training_rows((1,))[:6])
    seen = {name: torch.from_numpy(views[name][rows]) for name in students.SHOWN}
    logits, labels = torch.randn(6, 4), rows % 4

    def own(logits, views, labels, rows):
        return torch.nn.functional.cross_entropy(logits, labels)

    def value(loss: str) -> float:
        return float(TaughtBy(teacher, loss)(part, (1,), own)(logits, seen, labels, rows))

    with torch.no_grad():
        answered = teacher.network(part, 1)(**seen)
    told = float(own(logits, seen, labels, rows))
    assert value("untaught") == told
    assert value("consistent") == pytest.approx(float(softened_divergence(logits, answered, 1.0)), rel=1e-4)
    mix = 0.5 * told + 0.5 * float(softened_divergence(logits, answered, 2.0))
    assert value("published") == pytest.approx(mix, rel=1e-4)
    crossed = softened_divergence(logits, teacher.cross_fitted(part, 1)[rows], 1.0)
    assert value("cross_fitted") == pytest.approx(0.5 * told + 0.5 * float(crossed), rel=1e-4)


def test_an_unknown_loss_is_refused_with_the_nearest_right_word(teacher):
    with pytest.raises(SettingsError, match="did you mean 'consistent'"):
        _ = TaughtBy(teacher, "consistant").teaching


# --- training ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_a_student_is_trained_and_its_teacher_stays_as_it_was(teacher, views, data, tmp_path, loss):
    before = load_file(teacher.path(1, 1))
    results = trained(teacher, views, data, tmp_path, loss)
    assert results.networks == [f"student12_{loss}-seed1-fold1"]
    assert results.predictions.empty, "the test folds stay closed"
    for key, value in load_file(teacher.path(1, 1)).items():
        assert torch.equal(value, before[key])
    asked = {"model": "student12", "loss": loss, "profile": "tests", "folds": [1], "seeds": [1]}
    answers = students.answer_student(data, views, tmp_path / "weights", tmp_path, **asked)
    part = data.partition("four", 1)
    assert set(answers["unit_id"]) == set(part.unit_ids[part.rows[1]])


@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "untaught"])
def test_a_taught_student_has_no_inner_folds_since_no_teacher_left_out_two(
    teacher, views, data, part, tmp_path, loss
):
    how = {"weights": "random", "recipe": "random", "folds": (1,), "seeds": (1,), "inner": True}
    study = Study.of(PARAMETERS, "four", "student12", "made", **how)
    with pytest.raises(SettingsError, match=f"no teacher of '{loss}' left out two folds"):
        cross_fit(study, views, {1: part}, tmp_path, loss_for=TaughtBy(teacher, loss))


def test_students_begin_alike_and_see_alike_and_differ_by_the_loss_alone(teacher, views, data, tmp_path):
    first = trained(teacher, views, data, tmp_path / "one", "untaught")
    again = trained(teacher, views, data, tmp_path / "two", "untaught")
    taught = trained(teacher, views, data, tmp_path / "two", "consistent")
    weights = [
        load_file(tmp_path / where / "weights" / f"{results.networks[0]}.safetensors")
        for where, results in (("one", first), ("two", again), ("two", taught))
    ]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert any(not torch.equal(weights[0][key], weights[2][key]) for key in weights[0])


def test_another_teacher_trains_again(teacher, views, data, tmp_path):
    trained(teacher, views, data, tmp_path, "cross_fitted")
    assert trained(teacher, views, data, tmp_path, "cross_fitted").reused == 1
    other = teacher.answers.assign(prob_normal=teacher.answers["prob_normal"] * 0.9)
    assert trained(replace(teacher, answers=other), views, data, tmp_path, "cross_fitted").reused == 0


# --- comparing -----------------------------------------------------------------------------------------------


def test_each_student_is_compared_with_its_untaught_twin_on_what_both_answered():
    answers = {
        "student12_untaught": made_answers(seeds=(1, 2)),
        "student12_published": made_answers(seeds=(1,), skill=3.0, rng_seed=0),
    }
    taught = answers["student12_published"]
    twin = metrics.cut_to(answers["student12_untaught"], taught)
    assert set(twin["seed"]) == {1}
    table = compared(
        taught, twin, page_metrics(CLASSES), ["accuracy"], 200, minus="loss=untaught",
        **students.place_of("student12_published"),
    )  # fmt: skip
    (row,) = table.itertuples()
    assert (row.model, row.condition, row.minus) == ("student12", "loss=published", "loss=untaught")
    assert (row.seeds, row.n) == ("1", 120)
    assert row.low <= row.value <= row.high


def test_a_model_that_is_no_student_stands_under_its_own_name():
    assert students.place_of("leads12") == {"model": "leads12"}
    assert students.place_of("mobilenetv3_small_untaught") == {
        "model": "mobilenetv3_small", "condition": {"loss": "untaught"},
    }  # fmt: skip


def test_a_fold_is_calibrated_without_its_own_labels():
    own = made_answers(n=60, rng_seed=4)
    own["fold"] = np.arange(len(own)) % 3 + 1
    before = calibration.calibrated_by_other_folds(own, CLASSES).set_index("unit_id")
    changed = own.copy()
    mine = changed["fold"] == 1
    changed.loc[mine, "label"] = np.roll(changed.loc[mine, "label"], 1)
    after = calibration.calibrated_by_other_folds(changed, CLASSES).set_index("unit_id")
    shares = [f"prob_{name}" for name in CLASSES]
    same = np.isclose(before[shares], after[shares]).all(axis=1)
    assert same[before["fold"] == 1].all()
    assert not same[before["fold"] != 1].any()


# --- the exported file ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(tmp_path_factory, views):
    torch.manual_seed(3)
    student = registry.build("student12", 4)
    near = export.Neighbourhood.of(export.features_of(student, views))
    fitted = {"temperature": 1.7, **{f"bias_{name}": 0.1 * i for i, name in enumerate(CLASSES)}}
    answering = export.Answering(student, CLASSES, fitted, near)
    path = tmp_path_factory.mktemp("exported") / "student.onnx"
    two = {name: views[name][:2] for name in student.views}
    export.export(answering, two, ("probabilities", "distance"), path)
    export.describe(
        path, export.metadata(student, CLASSES, near.far, fitted, protocol="grouped", data_fingerprint="made")
    )
    return student, answering, near, path


@pytest.mark.parametrize("pages", [1, 7, N])
def test_the_file_answers_as_the_network_for_any_number_of_pages(exported, views, pages):
    _, answering, _, path = exported
    some = {name: views[name][:pages] for name in ("signals", "rhythm")}
    probabilities, distance = load_model(path).answer(some)
    with torch.no_grad():
        expected, far = answering(*(torch.from_numpy(view) for view in some.values()))
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(distance, far, rtol=1e-3)


def test_calibration_is_inside_the_file(exported, views):
    student, answering, _, _ = exported
    some = {name: torch.from_numpy(views[name]) for name in student.views}
    with torch.no_grad():
        raw = student(**some).softmax(1).numpy()
        given = answering(**some)[0].numpy()
    tempered = softmax(np.log(raw) / 1.7, axis=1) * np.exp(0.1 * np.arange(4))
    np.testing.assert_allclose(given, tempered / tempered.sum(axis=1, keepdims=True), atol=1e-5)


def test_training_pages_are_near_and_other_signals_are_far(exported, views):
    student, _, near, path = exported
    assert (near.distances(export.features_of(student, views)) <= near.far).mean() == pytest.approx(
        0.99, abs=0.02
    )
    rng = np.random.default_rng(0)
    odd = {"signals": 4 * rng.normal(size=(1, 12, 312)), "rhythm": 4 * rng.normal(size=(1, 1250))}
    assert load_model(path).answer(odd)[1][0] > near.far


def test_eight_bits_answer_nearly_alike(exported, views, tmp_path):
    _, _, _, path = exported
    fed = {name: views[name] for name in ("signals", "rhythm")}
    export.quantize(path, tmp_path / "int8.onnx", [fed])
    full, eight = (
        session_of(str(one)).run(["probabilities"], fed)[0] for one in (path, tmp_path / "int8.onnx")
    )
    np.testing.assert_allclose(full, eight, atol=0.05)


def test_what_eight_bits_change_is_counted_on_the_pages_asked(exported, views, tmp_path):
    student, answering, _, _ = exported
    some = {name: views[name] for name in student.views}
    known, asked = np.arange(0, N, 2), np.arange(1, N, 2)
    changed = export.changed_by_int8(answering, some, known, asked, tmp_path)
    assert changed.shape == asked.shape
    assert not list(tmp_path.iterdir())


def test_a_file_is_described_once(exported):
    with pytest.raises(ValueError, match="already"):
        export.describe(exported[3], {})
