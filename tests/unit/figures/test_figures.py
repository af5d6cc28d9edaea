"""Every figure draws without a warning, is not blank, and says how many pages it shows."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from made import made_answers
from PIL import Image

from leadwise.figures import (
    errors as figures_errors,
)
from leadwise.figures import (
    ids as figures_ids,
)
from leadwise.figures import (
    leads as figures_leads,
)
from leadwise.figures import (
    leakage as figures_leakage,
)
from leadwise.figures import (
    models as figures_models,
)
from leadwise.figures import (
    pages as figures_pages,
)
from leadwise.figures import (
    rate as figures_rate,
)
from leadwise.figures import (
    scores as figures_scores,
)
from leadwise.figures import (
    signals as figures_signals,
)
from leadwise.figures import (
    style as figures,
)
from leadwise.names import CLASSES
from leadwise.scores import benefit, subgroups, tables, wrong_answers
from leadwise.sets.ids import id_falls, page_pairs

RNG = np.random.default_rng(0)


def made_crop(height: int = 300, width: int = 500) -> np.ndarray:
    """A sine of three pixels' width, ink bright on black."""
    crop = np.zeros((height, width), np.uint8)
    rows = (height / 2 + height / 5 * np.sin(np.arange(width) / width * 20)).astype(int)
    for offset in range(3):
        crop[rows + offset, np.arange(width)] = 255
    return crop


def made_folds(*, leaky: bool) -> pd.DataFrame:
    n = 40
    return pd.DataFrame(
        {
            "protocol": "made",
            "path": [f"{i}.jpg" for i in range(n)],
            "page_id": [f"{i:012x}" for i in range(n)],
            "group_id": [f"g{i // 2}" for i in range(n)],
            "label": [CLASSES[i % 4] for i in range(n)],
            "seed": 1,
            "fold": [(i if leaky else i // 2) % 5 + 1 for i in range(n)],
            "part": "test",
        }
    )


PAGE = np.full((1572, 2213, 3), 240, np.uint8)
PAGE[700:710] = 0
BOXES = np.array([[[100, 100], [600, 100], [600, 400], [100, 400]]] * 13, dtype=float)
CROP = made_crop()
STRIP = made_crop(300, 2000)
CROPS = np.stack([CROP] * 12)
ANSWERS = {"one": made_answers(seeds=(1, 2)), "two": made_answers(seeds=(1, 2), skill=0.7)}
COUNTS = pd.DataFrame({"label": CLASSES, "files": [4, 1, 4, 8], "distinct": [2, 1, 2, 1]})
SMALL = CROP[:288:3, :480:5]
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
COSTS = pd.DataFrame(
    {"model": ["one", "two"], "train_minutes": [1.0, 2.5], "parameters_m": [0.5, 1.5], "size_mb": [2, 6]}
)
SIGNALS = np.outer(np.linspace(0.2, 1.4, 12), np.sin(np.arange(625) / 625 * 20))
GAPS = np.where(np.arange(625) < 60, np.nan, SIGNALS)
INK = np.zeros((1346, 1966), np.uint8)
INK[580:584] = 255
STRIPS = np.tile(SIGNALS[:2], (1, 4))
BEATS = [np.array([9, 400]), np.array([], int)]
RMS_MV = np.linspace(0, 0.04, 9)
SNR_DB = RNG.uniform(20, 30, (5, 12))
PRINTED_BPM = np.array([60.0, 75, 120, np.nan])
RATES = (PRINTED_BPM, PRINTED_BPM + np.array([0, 2, 40, 0]), [*CLASSES[:2], "mi", "mi"], list("abcd"))
HEADERS = pd.DataFrame(
    {
        "recording_id": ["1001", "1001", "1002", "1003", "1000", None],
        "recorded_at": [
            f"2020-0{month}-0{day}T10:30:24"
            for month, day in ((7, 1), (7, 1), (7, 2), (8, 1), (8, 4), (8, 5))
        ],
        "heart_rate_bpm": [60, 62, 80, 95, 150, None],
        "label": [*CLASSES, CLASSES[0], CLASSES[0]],
    }
)
ALIKE = np.eye(6) / 2 + 0.5
PRICES = pd.DataFrame(
    {
        "model": model,
        "protocol": protocol,
        "counted": counted,
        **{
            f"{metric}{end}": 0.95 - 0.02 * number + shift
            for metric in ("accuracy", *(f"recall_{name}" for name in CLASSES))
            for end, shift in (("", 0), ("_low", -0.02), ("_high", 0.02))
        },
    }
    for model in ("lead_cnn", "leads12_signals")
    for number, (protocol, counted) in enumerate(figures_leakage.STEPS)
)
BESIDE = tables.join_tasks({"four": ANSWERS | {"rate": made_answers(seeds=(1, 2), skill=0.5)}}, draws=20)
MORE = pd.DataFrame(
    {"task": "four", "model": model, "metric": metric, "value": low + 0.1, "low": low, "high": low + 0.2}
    for model, low in (("one", 0.05), ("two", -0.05))
    for metric in ("accuracy", "macro_auroc")
)
WRONG = wrong_answers.by_page({"one": made_answers(), "two": made_answers(skill=0.7)}, CLASSES)
WORST = WRONG.head(3).assign(heart_rate_bpm=pd.array([60, pd.NA, 110], dtype="Int64"))
KINDS = pd.DataFrame(
    {"sex": pd.Categorical(["male"] * 115 + ["female"] * 5, ["female", "male", subgroups.NOT_KNOWN])},
    index=made_answers()["unit_id"],
)
COUNTED = {name: subgroups.counts(made_answers(), KINDS, CLASSES) for name in ("one", "rate")}
TWO_CLASSES = {name: made_answers(classes=CLASSES[:2]) for name in ("leads12", "rate")}
BENEFIT = [
    benefit.net_benefit(TWO_CLASSES, CLASSES[:2], [0.2, 0.5, 0.8], share, over=["rate"], draws=20)
    for share in (None, 0.1)
]

FIGURES = {
    "copies": lambda: figures_pages.copies_and_counts([PAGE] * 2, ["a.jpg", "b.jpg"], COUNTS),
    "gallery": lambda: figures_pages.page_gallery([PAGE] * 4, list("abcd"), list(CLASSES), "Pages"),
    "boxes": lambda: figures_pages.page_with_boxes(PAGE, BOXES, [str(i) for i in range(13)], "Boxes"),
    "folds": lambda: figures_pages.folds_figure(made_folds(leaky=False), "made", 1),
    "crops": lambda: figures_leads.crops_grid(dict.fromkeys(CLASSES, CROPS[:3]), ["I", "II", "V1"], "Crops"),
    "lead": lambda: figures_leads.lead_on_ecg_paper(CROP, "Lead II"),
    "twelve": lambda: figures_leads.twelve_leads_on_ecg_paper(CROPS, STRIP, "Twelve"),
    "page_to_leads": lambda: figures_leads.page_to_leads(PAGE, BOXES, CROPS, STRIP),
    "shrinking": lambda: figures_leads.shrink_comparison(CROP, {"area": SMALL, "nearest": SMALL}),
    "before_and_after": lambda: figures_signals.before_and_after(INK, SIGNALS, "II"),
    "before_and_after_gap": lambda: figures_signals.before_and_after(INK, GAPS, "V6"),
    "einthoven": lambda: figures_signals.einthoven(SIGNALS, RMS_MV, 1 - RMS_MV, "Triangle"),
    "einthoven_gap": lambda: figures_signals.einthoven(GAPS, np.array([0.01, np.nan]), np.array([0.99, np.nan])),
    "heart_rates": lambda: figures_signals.heart_rates(*RATES),
    "strips": lambda: figures_signals.rhythm_strips(STRIPS, BEATS, ["a", "b"], "Strips"),
    "survived": lambda: figures_signals.survived({"turned": (3, 4)}, {"turned": PAGE}, "Pages"),
    "there_and_back": lambda: figures_signals.there_and_back(SIGNALS[1], GAPS[1], SNR_DB, "Lead II"),
    "ids": lambda: figures_ids.counter_over_time(HEADERS, id_falls(HEADERS)),
    "pairs": lambda: figures_ids.what_an_id_is(page_pairs(HEADERS, ALIKE), 0.3),
    "rates": lambda: figures_ids.rates_by_class(HEADERS),
    "ids_unread": lambda: figures_ids.counter_over_time(HEADERS.tail(1), id_falls(HEADERS.tail(1))),
    "rates_unread": lambda: figures_ids.rates_by_class(HEADERS.tail(1)),
    "tokens": lambda: figures_models.tokens_on_crop(SMALL, 12, "Tokens"),
    "windows": lambda: figures_models.tokens_on_crop(SMALL, 4, "Windows", window=6),
    "attention": lambda: figures_models.attention_on_crop(SMALL, {"a": np.eye(8) / 8}, "Look"),
    "parameters": lambda: figures_models.parameters_by_part({"attention": 1000, "head": 10}, "Parts"),
    "curves": lambda: figures_models.training_curves(HISTORY, "Curves"),
    "three_views": lambda: figures_models.three_views(SMALL, SIGNALS[1], SIGNALS[1, :81], 125, "Views"),
    "patches": lambda: figures_models.patches_on_pages({"plain": PAGE[:182, :256]}, (14, 16), "Patches"),
    "falling": lambda: figures_leakage.falling_score(PRICES, 0.7, 0.5, "n = 8 pages"),
    "rate": lambda: figures_rate.beside_the_rate(BESIDE, MORE),
    "confusion": lambda: figures_scores.confusion_matrices(ANSWERS, CLASSES),
    "roc_pr": lambda: figures_scores.roc_pr(ANSWERS, CLASSES, draws=20),
    "forest": lambda: figures_scores.scores_with_intervals(
        tables.join_tasks({"four": ANSWERS}, draws=20), ["accuracy", "macro_f1"]
    ),
    "costs": lambda: figures_scores.time_and_size(COSTS, "on this machine"),
    "worst": lambda: figures_errors.worst_pages(WORST, np.stack([CROPS] * 3), np.stack([STRIP] * 3)),
    "together": lambda: figures_errors.wrong_together(wrong_answers.wrong_together(WRONG, draws=20)),
    "subgroups": lambda: figures_errors.subgroups(COUNTED, CLASSES),
    "benefit": lambda: figures_errors.decision_curves(BENEFIT, CLASSES[1], 120),
    "benefit_alone": lambda: figures_errors.decision_curves(
        [benefit.net_benefit({"one": TWO_CLASSES["rate"]}, CLASSES[:2], [0.2, 0.5], draws=20)], CLASSES[1], 120
    ),
    "reliability": lambda: figures_scores.reliability(
        RNG.dirichlet(np.ones(4), 300), RNG.integers(0, 4, 300), "Reliability"
    ),
}  # fmt: skip


def words(figure: figures.Picture) -> str:
    """All text of a figure."""
    return " ".join(
        text.get_text() for text in figure.findobj(match=lambda artist: hasattr(artist, "get_text"))
    )


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_whole_and_says_how_many(name, tmp_path):
    figure = FIGURES[name]()
    png, svg = figures.save_figure(figure, tmp_path, name)
    assert np.asarray(Image.open(png).convert("L"), dtype=float).std() > 3
    assert svg.read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert re.search(r"\d", words(figure))
    assert sorted(path.name for path in tmp_path.iterdir()) == [png.name, svg.name]


def test_a_group_in_two_folds_is_marked_and_counted():
    assert "no group lies in two folds" in words(
        figures_pages.folds_figure(made_folds(leaky=False), "made", 1)
    )
    leaky = words(figures_pages.folds_figure(made_folds(leaky=True), "made", 1))
    assert "20 groups lie in several folds" in leaky


def test_a_page_whose_rate_is_off_is_named_and_others_are_not():
    figure = FIGURES["heart_rates"]()
    assert [text.get_text() for text in figure.axes[0].texts] == ["c"]
    assert "n = 3 pages; 2 within 3 bpm or 4 %" in words(figure)


def test_the_picture_of_ids_counts_pages_ids_and_falls():
    assert "n = 5 pages, 4 ids; red: set back (1 times)" in words(FIGURES["ids"]())


def test_the_triangle_says_how_many_pages_it_rests_on():
    assert "n = 1 page at the left and above, 1 below" in words(FIGURES["einthoven_gap"]())


def test_the_three_loops_of_the_triangle_lie_upon_each_other():
    one, two = SIGNALS[0], np.roll(SIGNALS[5], 60)
    limbs = np.stack([one, two, two - one, *SIGNALS[3:]])
    triangle = figures_signals.einthoven(limbs, np.array([0.0]), np.array([1.0])).axes[0]
    loops = [line.get_xydata() for line in triangle.lines if len(line.get_xydata()) == 625]
    assert len(loops) == 3
    np.testing.assert_allclose(loops[1], loops[0], atol=1e-9)
    np.testing.assert_allclose(loops[2], loops[0], atol=1e-9)


def test_the_falling_score_names_its_steps_and_what_leaks():
    said = words(figures_leakage.falling_score(PRICES, 0.7, 0.5, "n = 8 pages"))
    assert all(step in said for step in figures_leakage.STEPS.values())
    assert "holds" in said
    honest = PRICES[~PRICES["protocol"].str.startswith("leaky")]
    assert "holds" not in words(figures_leakage.falling_score(honest, 0.7, 0.5, "n = 8 pages"))


def test_what_is_not_shown_to_be_more_than_the_rate_is_hollow():
    figure = figures_rate.beside_the_rate(BESIDE, MORE)
    marks = [line for line in figure.axes[1].get_lines() if line.get_marker() == "D"]
    assert [mark.get_fillstyle() for mark in marks] == ["full", "none"]


def test_the_worst_pages_say_what_is_printed_and_what_networks_answer():
    told = words(FIGURES["worst"]())
    assert "rate not read" in told
    assert "110 bpm printed" in told
    assert all(page in told for page in WORST["page_id"])


def test_a_group_of_few_pages_is_counted_and_has_no_share():
    told = words(FIGURES["subgroups"]())
    assert told.count("fewer than 10 pages") == 1
    assert " 115 " in told


def test_a_decision_curve_names_its_prevalences_and_who_needs_no_model():
    told = words(FIGURES["benefit"]())
    share = (TWO_CLASSES["rate"]["label"] == CLASSES[1]).mean()
    assert f"Abnormal heartbeat: {share:.0%} of pages" in told
    assert "Abnormal heartbeat: 10% of pages" in told
    for name in (benefit.ALL, benefit.NONE, "leads12 minus the"):
        assert name in told


def test_classes_keep_their_colours_in_every_figure():
    colours = [figures.class_colour(name) for name in CLASSES]
    assert len(set(colours)) == len(CLASSES)


def test_a_figure_shows_itself_in_a_notebook():
    assert FIGURES["parameters"]()._repr_png_().startswith(b"\x89PNG")
