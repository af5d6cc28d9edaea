"""What trains a network again, and what does not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made import made_folds, made_pages, made_views

from leadwise.folds.partition import partition
from leadwise.learning import fingerprint as fingerprints
from leadwise.learning import training as trainings
from leadwise.learning.distill import TaughtBy, Teacher
from leadwise.learning.examples import Leads, Units, digest
from leadwise.learning.fingerprint import AUGMENTED_BY, PACKAGE, TRAINED_BY, code_of
from leadwise.learning.recordings import GivenBack
from leadwise.learning.study import Study
from leadwise.learning.training import Training
from leadwise.models.networks import network, recipe
from leadwise.names import CLASSES

N = 40
LEADS = [*TRAINED_BY, network("deit_micro").builder, "leadwise.models.classifier:LeadClassifier"]
PAGES = [*TRAINED_BY, network("leads12_joined").builder, AUGMENTED_BY]
BEATS = [*TRAINED_BY, network("heartbeat_cnn").builder, "leadwise.models.signal_nets:SignalClassifier"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package's code that a test may change."""
    copied = tmp_path / "leadwise"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("resources", "__pycache__"))
    return copied


def changed(package: Path, module: str, before: str, after: str) -> Path:
    path = package / module
    code = path.read_text(encoding="utf-8")
    assert before in code, f"{module} no longer has what this test changes"
    path.write_text(code.replace(before, after, 1), encoding="utf-8")
    fingerprints._definition.cache_clear()
    fingerprints._module.cache_clear()
    return package


RETRAINS = [
    ("learning/engine.py", "max_grad_norm=0.0", "max_grad_norm=1.0", {"leads", "pages", "beats"}),
    (
        "learning/engine.py",
        "label_smoothing=recipe",
        "label_smoothing=0.5 * recipe",
        {"leads", "pages", "beats"},
    ),
    ("learning/answers.py", "softmax(dim=1).cpu()", "softmax(dim=0).cpu()", {"leads", "pages", "beats"}),
    ("learning/examples.py", "divmod(index", "divmod(index + 0", {"leads", "pages", "beats"}),
    (
        "learning/augment.py",
        "_DRIFT_MV, _NOISE_MV, _NOISE_INK = 0.08",
        "_DRIFT_MV, _NOISE_MV, _NOISE_INK = 0.09",
        {"pages"},
    ),
    ("models/classifier.py", "1.0 - pixels", "2.0 - pixels", {"leads"}),
    ("models/lead_nets.py", "import timm", "import timm as timm", {"leads"}),
    ("models/joined_leads.py", "super().__init__()", "super().__init__() or None", {"pages"}),
    ("models/signal_nets.py", "self.net(*(views", "self.net(*list(views", {"beats"}),
    ("models/heartbeat_nets.py", "def _dense(", "def _dense(*_more, ", {"beats"}),
]

RETRAINS_NOTHING = [
    ("learning/distill.py", "labels=0.5", "labels=0.4"),
    ("learning/engine.py", '"""One training:', '"""A training:'),
    ("learning/engine.py", "# several GPUs share", "# many GPUs share"),
    ("learning/engine.py", "memory is too small for", "there is too little memory for"),
    ("learning/engine.py", "-> Trained:", "-> object:"),
    ("learning/history.py", "self.answering = 0.0", "self.answering = 1.0"),
    ("learning/cross_fit.py", "min(j, k)", "min(k, j)"),
    ("learning/training.py", '"epochs": str', '"epoch": str'),
    ("models/heartbeat_nets.py", "class Autoencoder(", "class Another:\n    x = 1\n\n\nclass Autoencoder("),
    ("models/signal_nets.py", "self.head(attend(", "self.head(attend (0 or "),
    ("models/networks.py", "ceylanmesut, CNN", "Mesut Ceylan, CNN"),
    ("scores/metrics.py", "def scores(", "def scores(*_, "),
    ("models/registry.py", "could not be had", "were not to be had"),
]


def test_an_edit_of_what_a_training_runs_trains_again_and_no_other_does(package: Path) -> None:
    whole = {"leads": LEADS, "pages": PAGES, "beats": BEATS}
    before = {name: code_of(roots, package) for name, roots in whole.items()}
    for module, old, new, wanted in [*RETRAINS, *((*one, set()) for one in RETRAINS_NOTHING)]:
        original = (package / module).read_text(encoding="utf-8")
        changed(package, module, old, new)
        again = {name for name, roots in whole.items() if code_of(roots, package) != before[name]}
        assert again == wanted, f"{module}: {old!r} to {new!r}"
        (package / module).write_text(original, encoding="utf-8")
    changed(package, "learning/engine.py", "", "")
    assert {name: code_of(roots, package) for name, roots in whole.items()} == before


def test_the_code_of_the_package_itself_is_found() -> None:
    """Else nothing would be compared: each root is a definition, and each reaches others."""
    for roots in (LEADS, PAGES, BEATS):
        for root in roots:
            assert fingerprints._definition(PACKAGE, root)[0], root
        assert len({code_of([root]) for root in roots}) == len(roots)


def study(model: str, **more: Any) -> Study:
    own = recipe(model, "random")
    return Study(
        name=model, model=model, weights="random", recipe=own, epochs=2, task="four", classes=CLASSES, folds=(1,),
        seeds=(1,), inner=False, profile="tests", data_fingerprint="made",
    ) if not more else replace(study(model), **more)  # fmt: skip


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Training:
    pages = made_pages(N)
    part = partition(pages, made_folds(pages), "grouped", 1, "four")
    views = made_views(N)
    examples = Units(
        {name: views[name] for name in network("leads12_joined").views}, np.arange(N) % 4, CLASSES
    )
    folder = tmp_path_factory.mktemp("trainings")
    return Training(study("leads12_joined"), examples, digest(examples), part, (1,), 2, folder)


def test_what_a_training_is_made_of_makes_it_another(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = training.part
    relabelled = replace(part, labels=np.roll(part.labels, 1))
    faster = replace(training.study.recipe, learning_rate=1.0)
    others = [
        replace(training, study=study("leads12_joined", recipe=faster)),
        replace(training, study=study("leads12_joined", max_steps=1)),
        replace(training, seen="other views"),
        replace(training, left_out=(2,)),
        replace(training, left_out=(1, 2)),
        replace(training, stop_after=1),
        replace(training, part=relabelled),
        replace(training, part=replace(part, unit_ids=part.unit_ids[::-1])),
        replace(training, loss_for=GivenBack()),
        replace(training, answer_test=False),
    ]
    assert len({one.fingerprint for one in [training, *others]}) == len(others) + 1
    monkeypatch.setattr(trainings, "majors", lambda: {"torch": "1"})
    assert replace(training).fingerprint != training.fingerprint


def test_what_is_nothing_to_a_training_leaves_it_as_it_is(training: Training, tmp_path: Path) -> None:
    renamed = replace(training.study.recipe, source="said better")
    for same in (
        replace(training),
        replace(training, folder=tmp_path),
        replace(training, study=study("leads12_joined", folds=(1, 2), seeds=(1, 2), profile="other")),
        replace(training, study=study("leads12_joined", recipe=renamed)),
        replace(training, part=replace(training.part, groups=training.part.groups + "x")),
    ):
        assert same.fingerprint == training.fingerprint


def test_first_weights_count_by_what_is_in_them(training: Training, tmp_path: Path) -> None:
    for name, content in (("one", b"1"), ("two", b"1"), ("three", b"3")):
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    one, two, three = (
        replace(
            training, study=study("leads12_joined", weights=str(tmp_path / f"{name}.safetensors"))
        ).fingerprint
        for name in ("one", "two", "three")
    )
    assert one == two, "the same file elsewhere"
    assert one != three


def test_an_untaught_student_does_not_hang_on_how_others_are_taught(tmp_path: Path) -> None:
    teacher = Teacher(tmp_path, made_pages(1), made_pages(1))
    assert TaughtBy(teacher, "untaught").code == ()
    assert TaughtBy(teacher, "consistent").code == ("leadwise.learning.distill:TaughtBy",)


def test_all_leads_are_seen(tmp_path: Path) -> None:
    crops = np.zeros((2, 12, 4, 4), np.uint8)
    other = crops.copy()
    other[1, 11, 3, 3] = 1
    labels = np.zeros(2, np.int64)
    assert digest(Leads(crops, labels, CLASSES)) != digest(Leads(other, labels, CLASSES))
