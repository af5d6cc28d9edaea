"""The page model: what it sees, how it is changed in training, who chooses among candidates; and the floors below."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from fitted import fitted
from made import made_answers, made_folds, made_pages, made_views

from leadwise.errors import InputError, SettingsError, WeightsError
from leadwise.learning import engine
from leadwise.learning.augment import augmented
from leadwise.learning.examples import Units
from leadwise.learning.history import Plan, kept_answers
from leadwise.learning.pages import random_encoding
from leadwise.learning.study import Study
from leadwise.models import registry
from leadwise.models.networks import Recipe, named, network, recipe
from leadwise.names import CLASSES
from leadwise.pages.digitize import N_LEAD, N_STRIP, RATE_HZ, Signals
from leadwise.scores import calibration, floors
from leadwise.scores.metrics import probabilities
from leadwise.sets.page_beats import FEATURES, simple_features
from leadwise.sets.views import INK_PX

N = 40
QUICK = Recipe(2e-3, 0.05, 0.1, 16, 3, "tests", class_weights=0.5, label_smoothing=0.05)


@pytest.fixture(scope="module")
def views() -> dict[str, np.ndarray]:
    return made_views(N)


@pytest.fixture(scope="module")
def pages() -> pd.DataFrame:
    return made_pages(N)


@pytest.fixture(scope="module")
def folds(pages: pd.DataFrame) -> pd.DataFrame:
    return made_folds(pages)


def study(model: str, **changes: object) -> Study:
    settings = {
        "name": "leads12", "model": model, "weights": "random", "recipe": QUICK, "epochs": 2, "task": "four",
        "classes": CLASSES, "folds": (1,), "seeds": (1,), "inner": True, "profile": "sample",
        "data_fingerprint": "made", "max_steps": 2, "prefix": model,
    }  # fmt: skip
    return Study(**(settings | changes))  # type: ignore[arg-type]


def some(views: dict[str, np.ndarray], name: str, n: int = 3) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(views[key][:n]) for key in network(name).views}


# --- the network ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", named(builder=network("leads12_ink").builder))
def test_a_page_becomes_thirteen_vectors_and_one_answer(views, name):
    model = registry.build(name, 4).eval()
    assert model.tokens(some(views, name)).shape == (3, 13, 96)
    assert model(**some(views, name)).shape == (3, 4)
    assert sum(registry.parameters_by_part(model).values()) == sum(p.numel() for p in model.parameters())


def test_a_page_is_answered_alike_alone_and_among_others(views):
    model = registry.build("leads12_both", 4).eval()
    together = model(**some(views, "leads12_both"))
    alone = model(**some(views, "leads12_both", n=1))
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_the_order_of_the_leads_matters(views):
    model = registry.build("leads12_signals", 4).eval()
    page = some(views, "leads12_signals", n=1)
    page["signals"] = page["signals"] * torch.linspace(0.1, 2, 12).view(1, 12, 1)
    other = page | {"signals": page["signals"].flip(1)}
    assert not torch.allclose(model(**page), model(**other), atol=1e-4)


def test_what_was_not_read_counts_as_nothing(views):
    model = registry.build("leads12_signals", 4).eval()
    page = some(views, "leads12_signals", n=1)
    gap, zero = page["signals"].clone(), page["signals"].clone()
    gap[:, 3], zero[:, 3] = torch.nan, 0
    assert torch.equal(model(**page | {"signals": gap}), model(**page | {"signals": zero}))


def test_an_unknown_page_model_and_weights_that_do_not_exist_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="leads12_both"):
        registry.build("leads12_bth", 4)
    with pytest.raises(WeightsError, match="No published weights"):
        registry.build("leads12_both", 4, "pretrained")


# --- augmentation --------------------------------------------------------------------------------------------


def test_a_changed_page_has_the_same_shapes_and_is_another_each_time(views):
    torch.manual_seed(1)
    page = some(views, "leads12_both")
    one, other = augmented(page), augmented(page)
    assert {name: view.shape for name, view in one.items()} == {
        name: view.shape for name, view in page.items()
    }
    assert all(not torch.equal(one[name], other[name]) for name in page)
    assert all(torch.isfinite(view).all() for view in one.values())


def test_the_same_seed_changes_a_page_alike(views):
    changed = []
    for _ in range(2):
        torch.manual_seed(7)
        changed.append(augmented(some(views, "leads12_both")))
    assert all(torch.equal(changed[0][name], changed[1][name]) for name in changed[0])


def test_a_lead_that_is_off_is_off_in_all_views():
    torch.manual_seed(0)
    n = 64
    page = {
        "ink": torch.full((n, 12, *INK_PX), 255, dtype=torch.uint8),
        "signals": torch.ones(n, 12, N_LEAD),
        "beats": torch.ones(n, 12, 81),
        "rhythm": torch.ones(n, N_STRIP),
    }
    changed = augmented(page)
    off = {name: (changed[name] == 0).flatten(2).all(dim=2) for name in ("ink", "signals", "beats")}
    assert torch.equal(off["ink"], off["signals"])
    assert torch.equal(off["ink"], off["beats"])
    assert 0.15 < off["ink"].float().mean() < 0.35
    assert 0 < (changed["rhythm"] == 0).all(dim=1).float().mean() < 0.4


# --- training and choosing -----------------------------------------------------------------------------------


def test_a_page_model_learns_classes_that_can_be_seen(views, tmp_path):
    labels = np.arange(N) % 4
    examples = Units({name: views[name] for name in network("leads12_signals").views}, labels, CLASSES)
    plan = Plan(np.arange(32), {1: np.arange(32, N)}, seed=1, epochs=12, stop_after=12)
    engine.train(plan, examples, lambda: registry.build("leads12_signals", 4), QUICK, tmp_path)
    assert (kept_answers(tmp_path)[12, 1][:, 0].argmax(axis=1) == labels[32:]).mean() == 1.0


def test_each_outer_fold_takes_the_candidate_that_its_inner_folds_prefer(views, pages, folds, tmp_path):
    candidates = [study("leads12_ink", recipe=QUICK, epochs=1, max_steps=1), study("leads12_signals")]
    results = fitted(candidates, views, pages, folds, tmp_path)
    losses = {}
    for each in candidates:
        own = results.history[(results.history["model"] == each.model) & (results.history["role"] == "inner")]
        losses[each.model] = own["inner_log_loss"].dropna()
    assert results.candidates["four", 1, 1] in losses
    better = min(losses, key=lambda name: losses[name].mean())
    assert results.candidates["four", 1, 1] == better
    assert results.networks == [f"{better}-seed1-fold1"]
    test = results.predictions.query("role == 'test'")
    assert set(test["model"]) == {"leads12"}
    assert test["unit_id"].is_unique
    assert set(test["fold"]) == {1}
    assert {"temperature", "bias_mi"} <= set(results.calibration)


def test_seeds_after_the_first_take_the_candidate_that_most_of_its_folds_chose(views, pages, folds, tmp_path):
    both = pd.concat([folds, folds.assign(seed=2)])
    candidates = [study(f"leads12_{name}", seeds=(1, 2), folds=(1, 2, 3)) for name in ("beats", "signals")]
    results = fitted(candidates, views, pages, both, tmp_path)
    of_seed = {seed: [results.candidates["four", seed, fold] for fold in (1, 2, 3)] for seed in (1, 2)}
    assert set(of_seed[2]) == {max(of_seed[1], key=of_seed[1].count)}
    assert results.history.query("seed == 2")["model"].unique().tolist() == of_seed[2][:1]


def test_candidates_need_inner_folds_to_choose_among_them(views, pages, folds, tmp_path):
    candidates = [study("leads12_ink", inner=False), study("leads12_signals", inner=False)]
    with pytest.raises(InputError, match="only inner answers may choose"):
        fitted(candidates, views, pages, folds, tmp_path)


def test_a_rare_class_weighs_more_and_all_pages_together_as_much_as_before():
    labels = np.repeat([0, 1, 2, 3], [64, 16, 16, 4])
    examples = Units({}, labels, CLASSES)
    loss = engine.cross_entropy(
        Recipe(1e-3, 0, 0, 8, 1, "tests", class_weights=0.5), examples, np.arange(100)
    )
    flat, rows = torch.zeros(1, 4), torch.tensor([0])
    one = {
        label: float(loss(torch.tensor([[3.0, 0, 0, 0]]), {}, torch.tensor([label]), rows))
        for label in range(4)
    }
    assert float(loss(flat, {}, torch.tensor([3]), rows)) == pytest.approx(np.log(4), rel=1e-4)
    assert one[1] == pytest.approx(one[3], rel=1e-4), "one page alone is weighed by itself"
    batch = torch.tensor([[3.0, 0, 0, 0], [0, 0, 0, 0]])
    mixed = float(loss(batch, {}, torch.tensor([0, 3]), torch.tensor([0, 1])))
    assert mixed > float(torch.nn.functional.cross_entropy(batch, torch.tensor([0, 3])))


def test_every_page_model_has_its_recipe():
    assert all(recipe(name, "random").augment for name in named(family="leads12"))


# --- calibration and intervals -------------------------------------------------------------------------------


def test_biases_take_out_the_shift_that_class_weights_bring():
    answers = made_answers(n=4000)
    labels, prob = probabilities(answers, CLASSES)
    shifted = prob * np.exp([1.0, 0, 0, -1.0])
    shifted /= shifted.sum(axis=1, keepdims=True)
    fitted = calibration.fit_calibration(shifted, labels, CLASSES, bias=True)
    found = np.array([fitted[f"bias_{name}"] for name in CLASSES])
    plain = np.array(
        [calibration.fit_calibration(prob, labels, CLASSES, bias=True)[f"bias_{name}"] for name in CLASSES]
    )
    shift = (found - plain) * fitted["temperature"]  # biases are added after the temperature
    assert shift == pytest.approx(np.array([-1.0, 0, 0, 1.0]), abs=0.1)
    columns = [f"prob_{name}" for name in CLASSES]
    keys = answers[["model", "task", "protocol", "seed", "fold"]].drop_duplicates().assign(**fitted)
    tuned = calibration.apply_by_fold(
        answers.assign(**dict(zip(columns, shifted.T, strict=True))), keys, CLASSES
    )
    before, after = (
        -np.log(p[np.arange(len(labels)), labels]).mean() for p in (shifted, tuned[columns].to_numpy())
    )
    assert after < before


# --- floors --------------------------------------------------------------------------------------------------


def test_a_linear_floor_learns_from_the_other_folds_alone():
    answers = made_answers(n=200)
    pages = pd.DataFrame({"page_id": answers["unit_id"]})
    telling = answers["label"].map(CLASSES.index).to_numpy(float)[:, None]
    found = floors.linear(answers, telling, pages["page_id"], model="rate").answers
    labels, prob = probabilities(found, CLASSES)
    assert (prob.argmax(axis=1) == labels).mean() > 0.9
    assert set(found["model"]) == {"rate"}
    of_own_fold = np.where(answers["fold"] == 1, telling[:, 0], 0)[:, None]  # says nothing outside fold 1
    alone = floors.linear(answers, of_own_fold, pages["page_id"], model="rate").answers.query("fold == 1")
    assert (probabilities(alone, CLASSES)[1].argmax(axis=1) == probabilities(alone, CLASSES)[0]).mean() < 0.5


def test_simple_features_are_rate_and_amplitudes():
    strip = np.zeros(N_STRIP, np.float32)
    strip[::RATE_HZ] = 1.0
    leads = np.zeros((12, N_LEAD), np.float32)
    leads[1, 100], leads[2] = 1.5, np.nan
    found = dict(zip(FEATURES, simple_features(Signals(leads, strip)), strict=True))
    assert found["rate_bpm"] == pytest.approx(60, abs=2)
    assert found["II_highest_mv"] == 1.5
    assert found["III_sd_mv"] == 0
    nothing = Signals(np.full((12, N_LEAD), np.nan, np.float32), np.full(N_STRIP, np.nan, np.float32))
    assert (simple_features(nothing) == 0).all()


def test_an_encoder_of_random_weights_gives_the_same_vectors_each_time(views):
    one, other = (random_encoding(views) for _ in range(2))
    assert one.shape == (N, 13 * 96)
    assert np.array_equal(one, other)
