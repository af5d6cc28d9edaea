"""Pictures of scores: by model, beside floors and papers, with leaks and without, and what was answered wrongly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made import made_answers
from made_scores import made_differences, made_scores, without_interval
from matplotlib.markers import TICKRIGHT
from pictures import check, intervals, made_crop, points, words

from leadwise.figures import beat_scores, errors, leakage, matrix, scores, style, transfer
from leadwise.names import AAMI, CLASSES
from leadwise.scores import benefit, subgroups, wrong_answers
from leadwise.scores.beats import wrong_by
from leadwise.scores.printed import printed

RNG = np.random.default_rng(0)
CROPS = np.stack([made_crop()] * 12)
STRIP = made_crop(300, 2000)
ANSWERS = {"one": made_answers(seeds=(1, 2)), "two": made_answers(seeds=(1, 2), skill=0.7)}
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
BEAT_ANSWERS = pd.DataFrame(
    {
        "unit": "beat",
        "unit_id": [f"10{k % 3}-{k:07d}" for k in range(90)],
        "model": "ours",
        "seed": 1,
        "label": [AAMI[k % 3] for k in range(90)],
        **{f"prob_{name}": [0.9 if AAMI[k % 4 % 3] == name else 0.025 for k in range(90)] for name in AAMI},
    }
)

PAGES = made_scores(
    {"leads12": 0.95, "beit": 0.72, "rate": 0.7, "base_rates": 0.5}, ("accuracy", "macro_auroc")
)
MORE = made_differences({"leads12": 0.25, "beit": 0.02}, "rate", ("accuracy", "macro_auroc"))
TASKS = [pd.concat([one, one.assign(task="binary", n=375)]) for one in (PAGES, MORE)]
PRICES = pd.concat(
    made_scores(
        {"lead_cnn": 0.95 - 0.02 * number, "leads12_signals": 0.97 - 0.01 * number},
        ("accuracy", *(f"recall_{name}" for name in CLASSES)),
        protocol=protocol,
        unit=unit,
    )
    for number, (protocol, unit) in enumerate(leakage.STEPS)
)
FLOORS = made_scores({"rate": 0.7, "base_rates": 0.5})
CURVE = pd.concat(
    made_scores({"leads12": 0.8 + pages / 4000}, condition=f"pages={pages}") for pages in (50, 155, 393)
)
OF_MONTH = pd.concat(
    made_scores({"leads12": value}, protocol=protocol, condition=f"pages={pages}", n=336)
    for protocol, pages, value in (
        ("by_month", 155, 0.92), ("grouped", 155, 0.93), ("grouped", 393, 0.96)
    )
)  # fmt: skip
BEATS = {"task": "aami5", "unit": "beat", "seeds": "1"}
METRICS = ("accuracy", "macro_f1", "recall_S", "ppv_S", "recall_V", "ppv_V")
TRUE = made_scores(
    {"beat_rhythm": 0.72, "heartbeat_cnn": 0.5, "always_normal": 0.3},
    METRICS,
    protocol="interpatient",
    n=49712,
    **BEATS,
)
LEAKY = made_scores(
    {"beat_rhythm": 0.97, "heartbeat_cnn": 0.9, "always_normal": 0.3},
    METRICS,
    protocol="leaky_beats",
    n=21892,
    **BEATS,
)
BY_K = pd.concat(
    made_scores(
        {way: 0.6 + 0.01 * k},
        ("macro_f1",),
        protocol="interpatient_held_out",
        condition=condition.format(k),
        **BEATS,
    )
    for way in ("mean", "vote")
    for k in (2, 3, 10)
    for condition in ("k={}", "k={};ranked_on=test")
)
BEST = made_scores({"beat_rhythm": 0.62}, ("macro_f1",), protocol="interpatient_held_out", **BEATS)
WAYS = pd.concat(
    made_scores(
        {"tuned": 0.8, "scratch": 0.7, "frequent_class": 0.5},
        ("accuracy", "auroc", "auprc"),
        task="normal",
        protocol=protocol,
        unit=unit,
        n=n,
    )
    for protocol in ("leaky_beats", "patient_folds")
    for unit, n in (("beat", 4475), ("patient", 401))
)
BETWEEN = pd.concat(
    made_differences(
        {model: value},
        minus,
        ("accuracy", "auroc", "auprc"),
        task="normal",
        protocol=protocol,
        unit=unit,
        n=n,
    )
    for unit, n in (("beat", 4475), ("patient", 401))
    for protocol, model, minus, value in (
        ("patient_folds", "tuned", "scratch", 0.01),
        ("leaky_beats", "tuned", "scratch", 0.5),
        ("leaky_beats", "tuned", "protocol=patient_folds", 0.1),
    )
)

FIGURES = {
    "by_model": lambda: scores.by_model(PAGES, ["accuracy", "macro_auroc"], "Task four"),
    "by_model_beats": lambda: scores.by_model(TRUE, ["macro_f1", "recall_S"], "By person"),
    "rate": lambda: scores.beside_the_rate(PAGES, MORE),
    "rate_of_tasks": lambda: scores.beside_the_rate(*TASKS),
    "roc_pr": lambda: scores.roc_pr(ANSWERS, CLASSES, draws=20),
    "roc_pr_two": lambda: scores.roc_pr(TWO_CLASSES, CLASSES[:2], draws=20),
    "reliability": lambda: scores.reliability(
        RNG.dirichlet(np.ones(4), 300), RNG.integers(0, 4, 300), "Reliability"
    ),
    "falling": lambda: leakage.falling_score(PRICES, FLOORS, "What a copy is worth", "n = 8 pages"),
    "curve": lambda: leakage.learning_curve(CURVE, OF_MONTH, "n = 8 pages"),
    "price": lambda: leakage.price_of_leak(
        pd.concat([LEAKY, TRUE]), ["accuracy", "macro_f1"], "leaky_beats", "interpatient", "Beats",
        printed("beats"),
    ),
    "confusion": lambda: matrix.confusion_matrices(ANSWERS, CLASSES),
    "confusion_many": lambda: matrix.confusion_matrices({f"{k}": ANSWERS["one"] for k in range(4)}, CLASSES),
    "confusion_beats": lambda: matrix.confusion_matrices({"ours": BEAT_ANSWERS}, AAMI, "DS2"),
    "wrong_by": lambda: matrix.wrong_by(wrong_by(BEAT_ANSWERS), "Wrong"),
    "differences": lambda: beat_scores.differences(
        pd.concat(
            [
                made_differences({"heartbeat_cnn": -0.1, "beat_rhythm": 0.01}, "ratios_alone", METRICS[:2], **BEATS),
                made_differences({"heartbeat_cnn": -0.2}, "beat_rhythm", METRICS[:2], **BEATS),
            ]
        ),
        "Paired",
    ),
    "by_number": lambda: beat_scores.score_by_number(pd.concat([BY_K, BEST])),
    "papers": lambda: beat_scores.sensitivity_and_ppv(TRUE, ["beat_rhythm"], printed("beats")),
    "three_ways": lambda: transfer.three_ways(WAYS),
    "transfer": lambda: transfer.differences(BETWEEN),
    "worst": lambda: errors.worst_pages(WORST, np.stack([CROPS] * 3), np.stack([STRIP] * 3)),
    "together": lambda: errors.wrong_together(wrong_answers.wrong_together(WRONG, draws=20)),
    "subgroups": lambda: errors.subgroups(COUNTED, CLASSES),
    "benefit": lambda: errors.decision_curves(BENEFIT, CLASSES[1], 120),
    "benefit_alone": lambda: errors.decision_curves(
        [benefit.net_benefit({"one": TWO_CLASSES["rate"]}, CLASSES[:2], [0.2, 0.5], draws=20)], CLASSES[1], 120
    ),
}  # fmt: skip


def rows_of(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_whole_and_says_how_many(name, tmp_path):
    figure = FIGURES[name]()
    check(figure, tmp_path)
    assert "n = " in words(figure)


def test_scores_say_their_n_their_protocol_and_what_is_drawn_for_the_interval():
    told = words(FIGURES["by_model_beats"]())
    assert (
        "n = 49,712 beats, protocol interpatient, seeds 1; lines: 95 % intervals by bootstrap over records"
        in told
    )
    assert told.count("Macro-F1 (N, S, V)") == 1


def test_what_is_not_shown_to_be_more_than_the_rate_is_hollow():
    score, more, *_ = FIGURES["rate"]().axes
    assert rows_of(score) == ["leads12", "beit"]
    assert points(score) == [(0.95, 0, True), (0.72, 1, True)]
    assert points(more) == [(0.25, 0, True), (0.02, 1, False)]


def test_each_task_has_its_rows_its_n_and_its_rate():
    told = words(FIGURES["rate_of_tasks"]())
    assert "n = 491 pages" in told
    assert "n = 375 pages" in told
    assert len(FIGURES["rate_of_tasks"]().axes) == 8


def test_the_falling_score_names_its_steps_and_what_leaks():
    said = words(FIGURES["falling"]())
    assert all(step in said for step in leakage.STEPS.values())
    assert "holds" in said
    assert "the printed heart rate alone" in said
    assert "What a copy is worth" in said
    honest = PRICES[~PRICES["protocol"].isin(["leaky_file_90_10", "leaky_copies"])]
    assert "holds" not in words(leakage.falling_score(honest, FLOORS, "What a copy is worth", "n = 8 pages"))


def test_a_learning_curve_has_its_numbers_of_pages_and_tells_other_months_apart():
    left, right = FIGURES["curve"]().axes
    assert left.get_lines()[0].get_xdata().tolist() == [50, 155, 393]
    labels = [tick.get_text() for tick in right.get_xticklabels()]
    assert labels == [
        "155 pages of\nother months", "155 pages of\nall months", "393 pages of\nall months"
    ]  # fmt: skip
    assert "n = 336" in right.get_title(loc="left")
    assert np.isfinite(left.get_ylim()).all()


def test_a_step_that_a_network_has_not_taken_is_left_out():
    lacking = PRICES[(PRICES["model"] != "lead_cnn") | (PRICES["protocol"] != "grouped")]
    left = leakage.falling_score(lacking, FLOORS, "What a copy is worth", "n = 8 pages").axes[0]
    assert [np.isfinite(line.get_ydata()).sum() for line in left.get_lines()[:2]] == [5, 6]


def test_a_price_has_both_protocols_what_is_printed_and_the_floor_but_no_row_of_it():
    figure = FIGURES["price"]()
    accuracy, f1 = figure.axes
    assert rows_of(accuracy) == ["beat_rhythm", "heartbeat_cnn"]
    filled = {round(value, 4): filled for value, _, filled in points(accuracy)}
    assert filled == {0.97: False, 0.9: False, 0.72: True, 0.5: True, 0.9841: True}
    assert len(points(f1)) == 4
    told = words(figure)
    assert "n = 21,892 beats split at random, n = 49,712 beats by person" in told
    assert "as its authors print it" in told


def test_where_nothing_is_printed_no_cross_is_explained():
    figure = leakage.price_of_leak(
        pd.concat([LEAKY, TRUE]), ["macro_f1"], "leaky_beats", "interpatient", "Beats", printed("beats")
    )
    assert "as its authors print it" not in words(figure)


def test_a_matrix_counts_all_answers_and_gives_shares_of_the_row():
    figure = FIGURES["confusion_beats"]()
    told = [text.get_text().split("\n") for text in figure.axes[0].texts]
    assert len(told) == 25
    assert sum(int(count) for count, _ in told) == 90
    assert told[:3] == [["16", "53%"], ["7", "23%"], ["7", "23%"]]
    assert "n = 90 beats" in words(figure)


def test_over_seeds_a_matrix_has_their_mean():
    told = words(matrix.confusion_matrices({"one": ANSWERS["one"]}, CLASSES))
    assert "n = 120 pages, mean over 2 seeds" in told


def test_a_class_that_no_beat_has_gets_no_square_of_errors():
    by_class, by_record = FIGURES["wrong_by"]().axes
    assert [label.get_text() for label in by_class.get_xticklabels()] == ["N", "S", "V"]
    assert [label.get_text() for label in by_record.get_xticklabels()] == ["100", "101", "102"]


def test_numbers_of_networks_stand_in_their_order_and_the_look_at_the_test_set_is_hollow():
    figure = FIGURES["by_number"]()
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "mean, interpatient_held_out", "vote, interpatient_held_out",
    ]  # fmt: skip
    lines = [line for line in figure.axes[0].get_lines() if line.get_marker() != "None"]
    assert [np.round(line.get_xdata()).tolist() for line in lines] == [[2, 3, 10]] * 2
    assert [line.get_markerfacecolor() == "white" for line in lines] == [False, True]


def test_ours_have_both_intervals_beside_papers_and_the_rebuilt_have_none():
    s, _ = FIGURES["papers"]().axes
    across, up = [one.get_segments()[0] for one in s.collections]
    np.testing.assert_allclose(across, [[0.67, 0.7], [0.71, 0.7]])
    np.testing.assert_allclose(up, [[0.69, 0.68], [0.69, 0.72]])


def test_a_paper_without_ppv_is_a_tick_on_the_axis_of_sensitivity():
    for ax, up in zip(FIGURES["papers"]().axes, (0.853, 0.963), strict=True):
        ticks = [line.get_xydata().tolist() for line in ax.get_lines() if line.get_marker() == TICKRIGHT]
        assert ticks == [[[0.0, up]]]
        assert "Farag 2023, no PPV" in [text.get_text() for text in ax.texts]


def test_ways_are_drawn_by_beat_and_patient_and_the_leak_is_hollow():
    figure = FIGURES["three_ways"]()
    assert rows_of(figure.axes[0]) == ["tuned", "scratch", "frequent_class"]
    assert [filled for _, row, filled in points(figure.axes[0]) if -0.5 < row < 0.5] == [False, True, True]
    assert "n = 4,475 beats, 401 patients" in words(figure)


def test_of_a_leak_only_what_it_adds_is_told():
    ax = FIGURES["transfer"]().axes[0]
    assert rows_of(ax) == ["tuned minus scratch", "tuned: what the leak adds"]
    assert [filled for _, row, filled in points(ax) if row < 0.5] == [False, False]
    assert len(intervals(ax)) == 4


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
    colours = [style.class_colour(name) for name in (*CLASSES, *AAMI)]
    assert len(set(colours[:4])) == len(CLASSES)
    assert len(set(colours[4:])) == len(AAMI)


def test_a_figure_shows_itself_in_a_notebook():
    assert FIGURES["by_model"]()._repr_png_().startswith(b"\x89PNG")


def test_a_metric_without_interval_is_a_point():
    ax = scores.by_model(without_interval(PAGES), ["accuracy"], "Alone").axes[0]
    assert len(points(ax)) == 4
    assert not intervals(ax)
