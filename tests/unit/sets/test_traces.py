"""Which pages show one trace, whatever was done to the file, and what the printed ids say of pairs of pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadwise.names import CLASSES
from leadwise.pages.digitize import N_LEAD, Signals, digitize
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import Page, read_page
from leadwise.sets import traces
from leadwise.sets.catalogue import shipped
from leadwise.sets.ids import agreement_by_chance, id_falls, page_pairs
from leadwise.sets.traces import ALIKE, SIZE, descriptor, group_same_trace


def descriptor_of(path: Path) -> NDArray[np.float32]:
    page = read_page(path)
    return descriptor(digitize(cut_leads(page, find_layout(page))))


FRAME_TOP, FRAME_BOTTOM = 275, 1519  # rows of a page as published; id and date are printed outside


@pytest.fixture(scope="module")
def descriptors(sample_paths: list[Path]) -> NDArray[np.float32]:
    """Those of all 48 pages of the sample."""
    return np.array([descriptor_of(path) for path in sample_paths])


@pytest.fixture(params=CLASSES)
def number(request: pytest.FixtureRequest, sample_pages: pd.DataFrame) -> int:
    """Where the first page of a class stands among the pages of the sample."""
    return int((sample_pages["label"] == request.param).argmax())


# --- the descriptor of a page ----------------------------------------------------------------------------


def blanked(page: Page) -> Page:
    """The page with nothing printed around its frame: no id, no sex, no date, no rate."""
    page = page.copy()
    page[:FRAME_TOP], page[FRAME_BOTTOM:] = 255, 255
    return page


def halved(page: Page) -> Page:
    return np.asarray(cv2.resize(page, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def turned(page: Page) -> Page:
    height, width = page.shape[:2]
    by_one_degree = cv2.getRotationMatrix2D((width / 2, height / 2), 1, 1)
    return np.asarray(cv2.warpAffine(page, by_one_degree, (width, height), borderValue=(255,) * 3), np.uint8)


def greyed(page: Page) -> Page:
    noise = np.random.default_rng(0).normal(0, 8, page.shape[:2])
    return np.clip(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "changed",
    [np.copy, blanked, halved, turned, greyed],
    ids=["saved", "blanked", "halved", "turned", "greyed"],
)
def test_a_page_saved_as_a_poor_jpeg_still_shows_its_trace(
    changed: Callable[[Page], Page],
    number: int,
    sample_paths: list[Path],
    descriptors: NDArray[np.float32],
    tmp_path: Path,
) -> None:
    page = changed(read_page(sample_paths[number]))
    cv2.imwrite(str(tmp_path / "again.jpg"), page, [cv2.IMWRITE_JPEG_QUALITY, 30])
    alike = descriptors @ descriptor_of(tmp_path / "again.jpg")
    assert alike[number] > ALIKE
    assert (np.delete(alike, number) < ALIKE).all()


def test_no_two_pages_of_the_sample_are_alike(descriptors: NDArray[np.float32]) -> None:
    alike = descriptors @ descriptors.T
    np.testing.assert_allclose(np.diag(alike), 1, atol=1e-5)
    assert alike[np.triu_indices(48, 1)].max() < 0.5  # as of all pairs of the published set
    assert len(set(group_same_trace(descriptors))) == 48


@pytest.fixture
def signals() -> Signals:
    """Made leads that wander as beats do: nothing faster than 10 Hz, about 1 mV high."""
    rng = np.random.default_rng(1)
    slow = np.repeat(rng.normal(size=(16, N_LEAD // 25)), 25, axis=1).astype(np.float32)
    return Signals(slow[:12], slow[12:].reshape(-1))


def test_a_trace_moved_up_and_drawn_at_twice_the_gain_is_the_same(signals: Signals) -> None:
    drawn = Signals(2 * signals.leads + 0.7, 2 * signals.strip - 0.3)
    assert descriptor(signals) @ descriptor(drawn) == pytest.approx(1, abs=1e-4)


def test_a_trace_upside_down_is_another(signals: Signals) -> None:
    assert descriptor(signals) @ descriptor(Signals(-signals.leads, -signals.strip)) < ALIKE


def test_a_lead_that_could_not_be_read_does_not_hide_the_others(signals: Signals) -> None:
    leads = signals.leads.copy()
    leads[3], leads[7, :300] = np.nan, np.nan
    assert descriptor(signals) @ descriptor(Signals(leads, signals.strip)) > ALIKE


def test_a_loud_lead_does_not_outvote_the_others(signals: Signals) -> None:
    """Another page whose V1, ten times as high, happens to be alike."""
    other = np.random.default_rng(2).permuted(signals.leads, axis=1)
    loud = signals.leads.copy()
    loud[6], other[6] = 10 * signals.leads[6], 10 * signals.leads[6]
    strip = signals.strip
    assert descriptor(Signals(loud, strip)) @ descriptor(Signals(other, -strip)) < ALIKE


@pytest.mark.parametrize("level", [0.0, 1.0, np.nan], ids=["zero", "1 mV", "unread"])
def test_a_page_of_flat_leads_shows_no_trace(level: float) -> None:
    flat = Signals(np.full((12, N_LEAD), level, np.float32), np.full(4 * N_LEAD, level, np.float32))
    assert np.isnan(descriptor(flat)).all()


def test_noise_of_a_hundredth_of_a_millivolt_is_no_trace() -> None:
    noise = np.random.default_rng(3).normal(0, 0.01, (16, N_LEAD)).astype(np.float32)
    assert np.isnan(descriptor(Signals(noise[:12], noise[12:].reshape(-1)))).all()


# --- groups of one trace ---------------------------------------------------------------------------------


def at_angles(*degrees: float) -> NDArray[np.float32]:
    """Made descriptors in one plane: two correlate by the cosine of the angle between them."""
    found = np.zeros((len(degrees), SIZE), np.float32)
    found[:, 0], found[:, 1] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return found


def test_pages_are_joined_from_neighbour_to_neighbour() -> None:
    """40 degrees are a correlation of 0.77, 80 one of 0.17: a is like b, b like c, and a unlike c."""
    a, b, c = at_angles(0, 40, 80)
    assert len(set(group_same_trace(np.array([a, b, c])))) == 1
    assert len(set(group_same_trace(np.array([a, c])))) == 2


def test_pages_whose_trace_is_unknown_are_groups_of_their_own() -> None:
    table = at_angles(0, 0, 0, 90)
    table[[1, 2]] = np.nan
    table[3, 5] = np.nan  # one value is enough
    assert len(set(group_same_trace(table))) == 4


def test_groups_are_told_in_the_order_of_the_pages() -> None:
    table = at_angles(180, 0, 90, 5, 95)
    table[0] = np.nan
    groups = group_same_trace(table)
    assert groups[1] == groups[3]
    assert groups[2] == groups[4]
    assert len(set(groups[[0, 1, 2]])) == 3


def test_no_pages_form_no_groups() -> None:
    assert group_same_trace(np.zeros((0, SIZE), np.float32)).shape == (0,)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    degrees=st.lists(st.one_of(st.none(), st.integers(0, 359)), min_size=1, max_size=12),
    block=st.integers(1, 5),
)
def test_groups_are_the_arcs_between_gaps_however_many_pages_are_compared_at_a_time(
    degrees: list[int | None], block: int
) -> None:
    """On a circle pages are one group until the next is further away than arccos 0.7, 45.57 degrees."""
    table = at_angles(*(np.nan if angle is None else angle for angle in degrees))
    table[[angle is None for angle in degrees]] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traces, "_BLOCK", block)
        groups = group_same_trace(table)
    known = sorted({angle for angle in degrees if angle is not None})
    gaps = sum(
        (after - before) % 360 > 45 for before, after in zip(known, known[1:] + known[:1], strict=True)
    )
    arcs = max(gaps, 1) if known else 0
    assert len(set(groups)) == arcs + degrees.count(None)


# --- pairs of pages by printed id ------------------------------------------------------------------------


@pytest.fixture
def headers() -> pd.DataFrame:
    """Four pages, the second with a header that could not be read in full."""
    return pd.DataFrame(
        {
            "recording_id": ["17001", "17001", "17001", "17002"],
            "recorded_at": [
                "2020-10-20T14:00:00",
                "2020-10-20T14:01:00",
                "2020-10-20T14:02:30",
                "2020-10-20T13:00:00",
            ],
            "heart_rate_bpm": pd.array([80, None, 75, 110], dtype="Int64"),
            "label": ["normal", "normal", "mi", "normal"],
        }
    )


def test_pairs_are_those_of_one_id_and_those_matched_in_class_time_and_rate(headers: pd.DataFrame) -> None:
    near = headers.iloc[[3]].assign(
        recording_id="17003", heart_rate_bpm=105, recorded_at="2020-10-20T12:00:00"
    )
    late = near.assign(recorded_at="2020-10-20T14:00:01")
    fast, other = near.assign(heart_rate_bpm=116), near.assign(label="mi")
    pairs = page_pairs(pd.concat([headers, late, near, fast, other], ignore_index=True))
    one_id = [(4, 5), (4, 6), (4, 7), (5, 6), (5, 7), (6, 7)]
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == [(0, 2), (3, 5), *one_id]
    assert pairs.iloc[:2].drop(columns=["first", "second"]).to_dict("list") == {
        "recording_id": ["17001", "17002"],
        "same_id": [True, False],
        "same_label": [False, True],
        "minutes": [2.5, 60],
        "rate_difference_bpm": [5, 5],
    }


@pytest.mark.parametrize("field", ["recording_id", "recorded_at", "heart_rate_bpm"])
def test_a_page_without_one_of_the_three_fields_is_in_no_pair(headers: pd.DataFrame, field: str) -> None:
    lacking = headers.assign(**{field: headers[field].mask(headers.index == 0)})
    assert page_pairs(lacking).empty


def test_one_page_makes_no_pair(headers: pd.DataFrame) -> None:
    assert page_pairs(headers.iloc[:1]).empty
    assert np.isnan(agreement_by_chance(headers.iloc[:1]))


def test_ids_of_the_published_set_are_shared_by_pages_of_different_classes() -> None:
    """Why an id is no person, whose pages would agree: of the pairs of one id many do not."""
    pages = shipped()
    pairs = page_pairs(pages)
    known = pages.dropna(subset=["recording_id", "recorded_at", "heart_rate_bpm"])
    of_id = known["recording_id"].value_counts()
    assert pairs["same_id"].sum() == (of_id * (of_id - 1) // 2).sum()
    assert 0.2 < pairs.loc[pairs["same_id"], "same_label"].mean() < 0.9


def test_pairs_and_their_agreement_are_those_that_a_look_at_every_pair_gives() -> None:
    known = shipped().dropna(subset=["recording_id", "recorded_at", "heart_rate_bpm"])
    first, second = np.triu_indices(len(known), 1)
    same = {name: known[name].to_numpy()[first] == known[name].to_numpy()[second] for name in known}
    times = pd.to_datetime(known["recorded_at"]).to_numpy()
    rates = known["heart_rate_bpm"].to_numpy(float)
    near = np.abs(times[first] - times[second]) <= np.timedelta64(60, "m")
    matched = same["label"] & near & (np.abs(rates[first] - rates[second]) <= 5)
    wanted = matched | same["recording_id"]
    pairs = page_pairs(known)
    assert pairs["first"].tolist() == first[wanted].tolist()
    assert pairs["second"].tolist() == second[wanted].tolist()
    assert agreement_by_chance(known) == pytest.approx(same["label"].mean())


# --- where the running number falls ----------------------------------------------------------------------


def printed(*rows: tuple[str | None, str | None]) -> pd.DataFrame:
    """Pages by id and minute, in the order in which the files are listed."""
    times = [minute and f"2020-10-20T14:{minute}:00" for _, minute in rows]
    return pd.DataFrame({"recording_id": [ident for ident, _ in rows], "recorded_at": times}, dtype="str")


def test_a_number_that_grows_or_stays_has_no_fall() -> None:
    assert id_falls(printed(("17003", "30"), ("17001", "10"), ("17001", "20"))).empty


def test_a_fall_is_told_with_the_numbers_before_and_after_it() -> None:
    falls = id_falls(printed(("17001", "10"), ("17009", "20"), ("17004", "30"), ("17005", "40")))
    assert falls.to_dict("records") == [
        {"recorded_at": "2020-10-20T14:30:00", "before": 17009, "after": 17004}
    ]


def test_numbers_count_and_not_their_digits() -> None:
    assert id_falls(printed(("99999", "10"), ("100000", "20"))).empty


def test_pages_without_id_or_time_are_passed_over() -> None:
    falls = id_falls(printed(("17009", "10"), (None, "20"), ("17001", None), ("17004", "30")))
    assert falls[["before", "after"]].to_numpy().tolist() == [[17009, 17004]]


def test_the_number_falls_three_times_in_the_published_set() -> None:
    falls = id_falls(shipped())
    assert falls["recorded_at"].str[:10].tolist() == ["2020-10-17", "2020-10-19", "2020-10-20"]
    assert (falls["after"] < falls["before"]).all()
