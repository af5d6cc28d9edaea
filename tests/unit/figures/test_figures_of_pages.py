"""Pictures of pages, their leads, their signals, what is printed on them, and their folds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pictures import check, made_crop, words

from leadwise.errors import InputError
from leadwise.figures import ids, leads, pages, signals
from leadwise.names import CLASSES
from leadwise.sets.ids import id_falls, page_pairs

RNG = np.random.default_rng(0)


def made_folds(*, leaky: bool) -> pd.DataFrame:
    n = 40
    return pd.DataFrame(
        {
            "protocol": "made",
            "path": [f"{i}.jpg" for i in range(n)],
            "unit_id": [f"{i:012x}" for i in range(n)],
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
COUNTS = pd.DataFrame({"label": CLASSES, "files": [4, 1, 4, 8], "distinct": [2, 1, 2, 1]})
SMALL = CROP[:288:3, :480:5]
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

FIGURES = {
    "copies": lambda: pages.copies_and_counts([PAGE] * 2, ["a.jpg", "b.jpg"], COUNTS),
    "gallery": lambda: pages.page_gallery([PAGE] * 4, list("abcd"), list(CLASSES), "Pages"),
    "boxes": lambda: pages.page_with_boxes(PAGE, BOXES, [str(i) for i in range(13)], "Boxes"),
    "folds": lambda: pages.folds_figure(made_folds(leaky=False), "made", 1),
    "leaky_folds": lambda: pages.folds_figure(made_folds(leaky=True), "made", 1),
    "crops": lambda: leads.crops_grid(dict.fromkeys(CLASSES, CROPS[:3]), ["I", "II", "V1"], "Crops"),
    "twelve": lambda: leads.twelve_leads_on_ecg_paper(CROPS, STRIP, "Twelve"),
    "page_to_leads": lambda: leads.page_to_leads(PAGE, BOXES, CROPS, STRIP),
    "shrinking": lambda: leads.shrink_comparison(CROP, {"area": SMALL, "nearest": SMALL}),
    "before_and_after": lambda: signals.before_and_after(INK, SIGNALS, "II"),
    "before_and_after_gap": lambda: signals.before_and_after(INK, GAPS, "V6"),
    "einthoven": lambda: signals.einthoven(SIGNALS, RMS_MV, 1 - RMS_MV, "Triangle"),
    "einthoven_gap": lambda: signals.einthoven(GAPS, np.array([0.01, np.nan]), np.array([0.99, np.nan])),
    "heart_rates": lambda: signals.heart_rates(*RATES),
    "strips": lambda: signals.rhythm_strips(STRIPS, BEATS, ["a", "b"], "Strips"),
    "survived": lambda: signals.survived({"turned": (3, 4)}, {"turned": PAGE}, "Pages"),
    "there_and_back": lambda: signals.there_and_back(SIGNALS[1], GAPS[1], SNR_DB, "Lead II"),
    "ids": lambda: ids.counter_over_time(HEADERS, id_falls(HEADERS)),
    "pairs": lambda: ids.what_an_id_is(page_pairs(HEADERS).assign(alike=0.5), 0.3),
    "rates": lambda: ids.rates_by_class(HEADERS),
    "ids_unread": lambda: ids.counter_over_time(HEADERS.tail(1), id_falls(HEADERS.tail(1))),
    "rates_unread": lambda: ids.rates_by_class(HEADERS.tail(1)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_whole_and_says_how_many(name, tmp_path):
    check(FIGURES[name](), tmp_path)


def test_a_group_in_two_folds_is_marked_and_counted():
    assert "no group lies in two folds" in words(FIGURES["folds"]())
    assert "20 groups lie in several folds" in words(FIGURES["leaky_folds"]())


def test_a_protocol_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no test folds of protocol 'other' and seed 1"):
        pages.folds_figure(made_folds(leaky=False), "other", 1)


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
    triangle = signals.einthoven(limbs, np.array([0.0]), np.array([1.0])).axes[0]
    loops = [line.get_xydata() for line in triangle.lines if len(line.get_xydata()) == 625]
    assert len(loops) == 3
    np.testing.assert_allclose(loops[1], loops[0], atol=1e-9)
    np.testing.assert_allclose(loops[2], loops[0], atol=1e-9)
