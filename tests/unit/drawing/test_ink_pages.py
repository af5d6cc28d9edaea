"""Crops of real pages: what is trace, text, pulse and separator on a page of the known form."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from leadwise.drawing.ink_pages import known_ink, page_crops
from leadwise.learning.ink_supply import Recordings, Store
from leadwise.pages.forms import known_printout
from leadwise.pages.ink import PX_PER_MM
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import ink_of
from leadwise.pages.read import Page, read_page

Masks = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def page(sample_folder: Path, sample_pages: pd.DataFrame) -> Page:
    return read_page(sample_folder / sample_pages["path"].iloc[0])


@pytest.fixture(scope="module")
def known(page: Page) -> tuple[Page, Masks]:
    found = known_ink(page)
    assert found is not None
    return found


def test_the_trace_is_what_the_reader_of_the_form_follows(page: Page, known: tuple[Page, Masks]) -> None:
    left, top, right, bottom = known_printout().ink_box
    trace = known[1]["trace"]
    assert np.array_equal(trace[top:bottom, left:right], ink_of(page, find_layout(page)))
    assert trace.sum() == trace[top:bottom, left:right].sum()


def test_all_black_ink_has_a_kind_and_none_has_two(known: tuple[Page, Masks]) -> None:
    picture, kinds = known
    inks = np.stack([kinds[kind] > 127 for kind in ("trace", "text", "pulse", "separator")])
    assert inks.sum(axis=0).max() == 1
    black = picture.max(axis=2) < 60
    assert inks.any(axis=0)[black].mean() > 0.98
    assert not kinds["coarse"].any()


def test_pulses_separators_and_words_stand_in_their_places(known: tuple[Page, Masks]) -> None:
    template, kinds = known_printout(), known[1]
    for x, y, width, height in template.pulse_boxes():
        box = (slice(y - 4, y + height + 4), slice(x - 4, x + width + 4))
        assert (kinds["pulse"][box] > 0).sum() > 2 * height
    upper, lower = template.separator_rows
    for x in template.separators_x:
        near = kinds["separator"][upper:lower, round(x) - 3 : round(x) + 4]
        assert (near > 0).any(axis=1).mean() > 0.9
    assert kinds["text"][: template.fixed_text[1][1]].any()


def test_a_page_of_another_size_is_not_known_to_the_pixel(page: Page) -> None:
    assert known_ink(np.asarray(cv2.resize(page, None, fx=0.8, fy=0.8), np.uint8)) is None


def test_its_crops_are_not_judged_by_the_grid(known: tuple[Page, Masks]) -> None:
    store = Store(Recordings([Path("none")]), 16, 96, seed=0)
    for crop in page_crops(*known, np.random.default_rng(0), side_px=96):
        store.put(crop)
    assert store.filled == 16
    assert store.judged.tolist() == [[True] * 4 + [False] * 2] * 16


def test_the_known_form_is_drawn_at_the_scale_of_an_upright_page() -> None:
    assert known_printout().px_per_s / 25 == pytest.approx(PX_PER_MM, abs=0.01)
