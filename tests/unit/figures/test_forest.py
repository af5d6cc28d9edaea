"""The one plot of points with intervals: what is given is what is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_scores import made_differences, made_scores, without_interval
from pictures import check, intervals, points

from leadwise.errors import InputError
from leadwise.figures.forest import Look, forest, how_many, judged, panel_name, row_names
from leadwise.figures.style import ALARM, GREY, MARK

SCORES = made_scores({"leads12": 0.95, "beit": 0.8, "deit": 0.7}, ("accuracy", "macro_f1"))
PANELS = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


def placed(rows: pd.DataFrame, **more: object) -> pd.DataFrame:
    return rows.assign(row=rows["model"], panel=rows["metric"], **more)


def drawn(rows: pd.DataFrame, *args: object, **more: object):
    return forest(rows, PANELS, *args, **({"title": "Made", "caption": "n = 491 pages"} | more))


@pytest.mark.parametrize("shown", ["", ".3f"])
@pytest.mark.parametrize("line", [None, 0.5, placed(made_scores({"rate": 0.6}, tuple(PANELS)))])
def test_it_is_drawn_whole_and_says_how_many(shown, line, tmp_path):
    check(drawn(placed(SCORES), line=line, shown=shown), tmp_path)


def test_values_and_ends_stand_where_they_were_given():
    for ax, metric in zip(drawn(placed(SCORES)).axes, PANELS, strict=True):
        own = SCORES[SCORES["metric"] == metric]
        assert points(ax) == [(value, row, True) for row, value in enumerate(own["value"])]
        assert intervals(ax) == [
            (row, *ends) for row, ends in enumerate(own[["low", "high"]].to_numpy().tolist())
        ]


def test_a_value_outside_its_interval_is_drawn_as_it_is():
    odd = placed(SCORES.head(1).assign(low=0.96, high=0.97))
    ax = drawn(odd).axes[0]
    assert points(ax) == [(0.95, 0, True)]
    assert intervals(ax) == [(0, 0.96, 0.97)]


def test_a_value_without_interval_is_a_point_without_bar():
    rows = pd.concat([SCORES.head(2), without_interval(made_scores({"deit": 0.7}))])
    ax = drawn(placed(rows)).axes[0]
    assert points(ax)[-1] == (0.7, 1, True)
    assert [row for row, *_ in intervals(ax)] == [0]


def test_a_value_that_is_not_known_leaves_its_row_empty():
    rows = SCORES.assign(value=SCORES["value"].where(SCORES["model"] != "beit"))
    ax = drawn(placed(rows), shown=".2f").axes[0]
    assert [row for _, row, _ in points(ax)] == [0, 2]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["leads12", "beit", "deit"]


def test_rows_and_panels_keep_the_order_given():
    figure = forest(
        placed(SCORES.iloc[::-1]), dict(reversed(PANELS.items())), title="", caption="n = 491 pages"
    )
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["deit", "beit", "leads12"]
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["Macro F1", "Accuracy"]
    first, last = figure.axes[0].get_ylim()
    assert first > last, "the first row stands above"


def test_what_is_in_no_panel_is_not_drawn():
    assert len(forest(placed(SCORES), {"accuracy": "Accuracy"}, title="", caption="n").axes) == 1


def test_nothing_to_draw_is_refused():
    with pytest.raises(InputError, match="no point to draw in Accuracy, Macro F1"):
        drawn(placed(SCORES.head(0)))


def test_two_values_at_one_place_are_refused():
    both = pd.concat([SCORES, SCORES.assign(protocol="by_month")])
    with pytest.raises(InputError, match=r"two values of accuracy for leads12\. Choose the rows"):
        drawn(placed(both))


def test_kinds_stand_one_under_the_other_in_a_row_each_with_its_look_and_name():
    rows = pd.concat([placed(SCORES, kind="leaks"), placed(SCORES, kind="holds")])
    figure = drawn(rows, {"leaks": Look(ALARM, filled=False), "holds": Look(MARK)})
    of_first_row = [(row, filled) for _, row, filled in points(figure.axes[0]) if -0.5 < row < 0.5]
    assert [filled for _, filled in of_first_row] == [False, True]
    assert of_first_row[0][0] < of_first_row[1][0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["leaks", "holds"]


def test_a_block_has_rows_of_its_own():
    rows = pd.concat([placed(SCORES, block="four"), placed(SCORES.head(2), block="two")])
    figure = drawn(rows)
    assert [ax.get_ylabel() for ax in figure.axes] == ["four", "", "two", ""]
    assert [len(ax.get_yticks()) for ax in figure.axes[::2]] == [3, 1]


def test_a_line_with_an_interval_has_a_band():
    ax = drawn(placed(SCORES), line=placed(made_scores({"rate": 0.6}))).axes[0]
    spans = [patch.get_extents().transformed(ax.transData.inverted()) for patch in ax.patches]
    assert any(np.allclose([span.x0, span.x1], [0.58, 0.62]) for span in spans)


def test_values_are_written_and_no_tick_stands_above_one():
    ax = drawn(placed(SCORES.assign(high=1.0)), shown=".2f").axes[0]
    assert [text.get_text() for text in ax.texts] == ["0.95", "0.80", "0.70"]
    assert max(ax.get_xticks()) <= 1 < ax.get_xlim()[1]


def test_a_difference_is_hollow_where_its_interval_holds_zero_and_red_where_it_is_worse():
    rows = pd.concat(
        made_differences({"a": value}, "b", (metric,))
        for value, metric in ((0.1, "accuracy"), (0.01, "accuracy"), (-0.1, "accuracy"), (-0.1, "log_loss"))
    )
    assert judged(rows)[["filled", "colour"]].to_numpy().tolist() == [
        [True, MARK], [False, GREY], [True, ALARM], [True, MARK],
    ]  # fmt: skip


def test_a_row_is_called_by_what_tells_it_from_others_of_its_model():
    rows = pd.concat(
        [
            made_scores({"leads12": 0.9, "beit": 0.8}),
            made_scores({"leads12": 0.9}, seeds="1"),
            made_scores({"leads12": 0.9}, condition="ensemble=seeds"),
            made_scores({"student": 0.9}),
            made_scores({"student": 0.9}, condition="calibrated=yes"),
        ],
        ignore_index=True,
    )
    assert row_names(rows).tolist() == [
        "leads12, seeds 1/2/3", "beit", "leads12, seed 1", "leads12, ensemble=seeds",
        "student", "student, calibrated",
    ]  # fmt: skip


def test_protocols_of_one_model_and_what_is_missing_make_names_too():
    both = pd.concat([SCORES.head(1), SCORES.head(1).assign(protocol="by_month")])
    assert row_names(both.assign(condition=np.nan)).tolist() == ["leads12, grouped", "leads12, by_month"]


def test_n_is_told_by_unit_from_the_fewest_to_the_most():
    rows = pd.concat(
        [
            made_scores({"a": 1.0}, n=98),
            made_scores({"b": 1.0}),
            made_scores({"a": 1.0}, unit="beat", n=49712),
        ]
    )
    assert how_many(rows) == "n = 98 to 491 pages, 49,712 beats"


def test_a_metric_has_its_words_by_task():
    assert panel_name("recall_mi", "four") == "Sensitivity, MI"
    assert panel_name("recall_S", "aami5") == "Sensitivity, S"
    assert panel_name("log_loss", "four") == "Log-loss (less is better)"
