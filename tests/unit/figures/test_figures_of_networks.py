"""Pictures of networks: what they see, how they train, what they cost, and what teaching them gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_scores import made_differences
from pictures import check, made_crop, points, words

from leadwise.errors import InputError
from leadwise.figures import models, students, style

RNG = np.random.default_rng(0)
SMALL = made_crop()[:288:3, :480:5]
SIGNAL = np.sin(np.arange(625) / 30)
PAGE = np.full((182, 256, 3), 240, np.uint8)
HISTORY = pd.DataFrame(
    {
        "model": "made",
        "task": "four",
        "protocol": "grouped",
        "seed": 1,
        "fold": [1, 1, 1, 2, 2, 2],
        "epoch": [1, 2, 3] * 2,
        "step": [5, 10, 15] * 2,
        "loss": [1.4, 1.2, 1.0] * 2,
        "lr": [1e-3, 5e-4, 0] * 2,
        "seconds": [1, 2, 3] * 2,
        "role": "test",
        "held_out": None,
        "inner_log_loss": [1.4, 1.3, 1.2] * 2,
        "inner_accuracy": [0.3, 0.4, 0.5] * 2,
    }
)
TWO = pd.concat([HISTORY, HISTORY.assign(model="other")])
COSTS = pd.DataFrame(
    {
        "model": ["one", "two"],
        "train_minutes": [1.0, np.nan],
        "parameters_m": [0.5, 1.5],
        "size_mb": [2, 1200],
    }
)
TAUGHT = pd.concat(
    [
        made_differences({"student_published": 0.05}, "student_untaught", ("accuracy", "log_loss")),
        made_differences(
            {"small_published": 0.01}, "small_untaught", ("accuracy", "log_loss"), n=98, seeds="1"
        ),
    ]
)

FIGURES = {
    "tokens": lambda: models.tokens_on_crop(SMALL, 12, "Tokens"),
    "windows": lambda: models.tokens_on_crop(SMALL, 4, "Windows", window=6),
    "attention": lambda: models.attention_on_crop(SMALL, {"a": np.eye(8) / 8}, "Look"),
    "parameters": lambda: models.parameters_by_part({"attention": 1000, "head": 10}, "Parts"),
    "curves": lambda: models.training_curves(HISTORY, "Curves"),
    "three_views": lambda: models.three_views(SMALL, SIGNAL, SIGNAL[:81], 125, "Views"),
    "patches": lambda: models.patches_on_pages({"plain": PAGE}, (14, 16), "Patches"),
    "confidence": lambda: students.confidence_in_the_label(
        RNG.uniform(0.8, 1, 50), RNG.uniform(0, 1, 50), "Says"
    ),
    "losses": lambda: models.losses_by_epoch(TWO, "Losses"),
    "teaching": lambda: students.what_teaching_gives(TAUGHT),
    "answer": lambda: students.answered_page(np.r_[PAGE, np.zeros_like(PAGE)]),
    "costs": lambda: models.time_and_size(COSTS, "on this machine"),
}


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "answer"])
def test_it_is_drawn_whole_and_says_how_many(name, tmp_path):
    check(FIGURES[name](), tmp_path)


def test_an_answered_page_is_shown_without_axes():
    (ax,) = FIGURES["answer"]().axes
    assert len(ax.get_images()) == 1
    assert not ax.get_xticks().size


def test_patches_that_do_not_tile_a_crop_are_refused():
    with pytest.raises(InputError, match="do not tile a crop"):
        models.tokens_on_crop(SMALL, 7, "Tokens")
    with pytest.raises(InputError, match="windows of 5 do not tile 8 × 8 patches"):
        models.tokens_on_crop(SMALL, 12, "Windows", window=5)


def test_what_was_not_measured_is_said_and_has_no_bar():
    minutes, _, size = FIGURES["costs"]().axes
    assert [text.get_text() for text in minutes.texts] == ["1", "not measured"]
    assert [bar.get_width() for bar in minutes.patches] == [1.0, 0.0]
    assert [text.get_text() for text in size.texts] == ["2", "1,200"]


def test_what_nobody_measured_is_drawn_without_bars_and_wide_spreads_on_a_logarithmic_scale():
    minutes, _, size = models.time_and_size(COSTS.assign(train_minutes=np.nan)).axes
    assert [bar.get_width() for bar in minutes.patches] == [0.0, 0.0]
    assert [ax.get_xscale() for ax in (minutes, size)] == ["linear", "log"]


def test_trainings_are_counted_for_each_model():
    assert "n = 2, 2 trainings" in words(FIGURES["losses"]())


def test_a_student_is_named_with_its_pages_and_seeds_and_more_loss_is_worse():
    figure = FIGURES["teaching"]()
    accuracy, loss = figure.axes
    assert [label.get_text() for label in accuracy.get_yticklabels()] == [
        "student_published (491 pages, 3 seeds)", "small_published (98 pages, 1 seed)",
    ]  # fmt: skip
    assert loss.get_title(loc="left") == "Log-loss (less is better)"
    assert points(accuracy) == [(0.05, 0, True), (0.01, 1, False)]
    colours = [[line.get_color() for line in ax.get_lines()[1:]] for ax in (accuracy, loss)]
    assert colours == [[style.MARK, style.GREY], [style.ALARM, style.GREY]]
    assert "n = 98 to 491 pages" in words(figure)
