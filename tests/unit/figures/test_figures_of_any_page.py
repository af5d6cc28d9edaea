"""Pictures of how any page becomes twelve leads, and of how well it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import ecg
from pictures import check, words

from leadwise.drawing.drawn import FORMS, Look, draw
from leadwise.figures import any_page, any_page_scores
from leadwise.names import LEADS
from leadwise.pages.grid import Grid
from leadwise.pages.page_signals import RATE_HZ, Geometry, PageSignals, ReadQuality, Trace
from leadwise.pages.rows import Rows

DRAWN = draw(ecg(rate_hz=RATE_HZ), RATE_HZ, FORMS["3x4+1"], Look(x_px_per_mm=4, y_px_per_mm=4))
LEADS_READ, STRIPS_READ = (
    {
        name: Trace(one.start_s, one.signal_mv.astype(np.float32), one.line_px.astype(np.float32))
        for name, one in traces.items()
    }
    for traces in (DRAWN.leads, DRAWN.strips)
)
QUALITY = ReadQuality(1.0, 0.99, 0.95, 0.999)
READ = PageSignals(
    "3x4+1", "any page", LEADS_READ, STRIPS_READ, Geometry(4, 4, 0, False, 25, 10, "grid"), QUALITY, (), DRAWN.page
)  # fmt: skip
WITHOUT_STRIP = replace(READ, strips={}, quality=replace(QUALITY, strip_alike=None))
WITH_GAPS = replace(
    READ,
    leads=LEADS_READ | {"V1": Trace(5.0, np.full(1250, np.nan, np.float32), np.zeros((0, 2), np.float32))},
)
INK = np.where(DRAWN.page.max(axis=2) < 120, 255, 0).astype(np.uint8)
ROWS = Rows(INK, np.zeros_like(INK), np.array([100.0, 220.0, 340.0, 460.0]))
TABLE = pd.DataFrame(
    {
        "form": ["3x4", "3x4", "6x2", "6x2+1"],
        "read": [True, False, True, True],
        "aligned_db": [21.0, np.nan, 3.0, 12.0],
        "layout_right": pd.array([True, pd.NA, False, True], dtype="boolean"),
        "einthoven": [0.99, np.nan, 0.2, 0.97],
        "goldberger": [0.95, np.nan, 0.1, np.nan],
        "strip_alike": [np.nan, np.nan, np.nan, 0.9],
        "warnings": [None, None, None, "the strip resembles no lead"],
    }
)
NONE_READ = TABLE[~TABLE["read"]]
PEERS = pd.DataFrame({"work": ["Peer"], "pages": ["9 pages of `others`"], "aligned_median_db": [17.1]})
SNR_DB = dict.fromkeys(LEADS, 20.0)

FIGURES = {
    "grid": lambda: any_page.grid_in_spectrum(DRAWN.page, Grid(4, 4.1, 1, 0.5)),
    "ink": lambda: any_page.rows_of_ink(DRAWN.page, ROWS),
    "traces": lambda: any_page.traces_on_page(WITH_GAPS),
    "over_truth": lambda: any_page.leads_over_truth(READ, DRAWN, SNR_DB),
    "over_truth_gap": lambda: any_page.leads_over_truth(WITH_GAPS, DRAWN, SNR_DB),
    "laws": lambda: any_page.laws(READ),
    "laws_no_strip": lambda: any_page.laws(WITHOUT_STRIP),
    "snr_by_form": lambda: any_page_scores.snr_by_form(TABLE, PEERS, 6),
    "snr_by_form_none": lambda: any_page_scores.snr_by_form(NONE_READ, PEERS, 6),
    "snr_and_laws": lambda: any_page_scores.snr_and_laws(TABLE, 6),
    "snr_and_laws_none": lambda: any_page_scores.snr_and_laws(NONE_READ, 6),
    "answers": lambda: any_page_scores.pages_and_answers([DRAWN.page] * 4, list("abcd"), ["Refused"] * 4),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_whole_and_says_how_many(name, tmp_path):
    check(FIGURES[name](), tmp_path)


def test_the_rings_lie_where_waves_of_one_and_five_millimetres_are():
    rings = {line.get_label(): line.get_xydata() for line in FIGURES["grid"]().axes[1].lines}
    for label, per_mm in (("waves of 5 mm", 0.2), ("waves of 1 mm", 1.0)):
        np.testing.assert_allclose(np.hypot(*rings[label].T), per_mm)


def test_every_lead_is_named_with_its_own_signal_to_noise():
    assert all(f"{name}  20 dB" in words(FIGURES["over_truth"]()) for name in LEADS)


def test_refused_warned_and_read_pages_are_told_apart():
    counts = {line.get_label(): len(line.get_xydata()) for line in FIGURES["snr_by_form"]().axes[0].lines}
    assert (counts["read"], counts["read, with a warning"], counts["refused"]) == (2, 1, 1)


def test_a_peer_is_named_with_its_pages():
    assert "Peer: 9 pages of others" in words(FIGURES["snr_by_form"]())
