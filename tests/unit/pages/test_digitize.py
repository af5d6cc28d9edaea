"""Voltages of a page: what was printed is read back, whatever crosses it, and what is not there is nan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from drawn import BEATS_S, TIMES_S, bumps, column_of, ecg, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadwise.drawing.render import render
from leadwise.drawing.trials import DISTORTIONS
from leadwise.names import LEADS
from leadwise.pages.checks import quality
from leadwise.pages.digitize import N_LEAD, N_STRIP, RATE_HZ, Signals, correlation, digitize, rhythm_lead
from leadwise.pages.forms import known_printout
from leadwise.pages.header import Header
from leadwise.pages.layout import find_layout
from leadwise.pages.leads import cut_leads
from leadwise.pages.read import read_page
from leadwise.recordings.records import record_of

TEMPLATE = known_printout()
PIXEL_MV = 1 / TEMPLATE.px_per_mv

#: P, R, S and T: seconds from the R wave, width in s, and mV in I, II, V1 to V6.


def with_lead(name: str, millivolts: NDArray[np.floating] | float) -> NDArray[np.float64]:
    signals = ecg()
    signals[LEADS.index(name)] = millivolts
    return signals


def read_back(signals: NDArray[np.floating], rate_hz: float = RATE_HZ, **printing: object) -> Signals:
    page = render(signals, rate_hz, **printing)
    return digitize(cut_leads(page, find_layout(page)))


def rms(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.sqrt(np.mean(values**2, axis=-1))


@pytest.fixture(scope="module")
def read() -> Signals:
    """The made ECG after its way through a page."""
    return read_back(ecg())


@pytest.fixture(scope="module")
def sample_signals(sample_paths: list[Path]) -> list[Signals]:
    """Voltages of all 48 pages, read once."""
    pages = map(read_page, sample_paths)
    return [digitize(cut_leads(page, find_layout(page))) for page in pages]


# --- printing --------------------------------------------------------------------------------------------


def test_a_printed_page_is_one_of_the_known_layout_with_all_its_leads() -> None:
    page = render(ecg(), RATE_HZ)
    layout = find_layout(page)
    assert (page.shape, page.dtype) == ((1572, 2213, 3), np.uint8)
    assert layout.is_whole_shift
    assert min(quality(crop) for crop in cut_leads(page, layout).crops) > 0.99


@pytest.mark.parametrize(
    ("shape", "rate_hz"),
    [
        ((11, 2500), 250),
        ((2500, 12), 250),
        ((2500,), 250),
        ((1, 12, 2500), 250),
        ((12, 2499), 250),
        ((12, 2500), 500),
    ],
)
def test_signals_that_do_not_fill_a_page_are_refused(shape: tuple[int, ...], rate_hz: float) -> None:
    with pytest.raises(ValueError, match=r"12 leads of at least 10 s at \d+ Hz are needed"):
        render(np.zeros(shape), rate_hz)


def test_a_strip_of_no_known_lead_is_refused() -> None:
    with pytest.raises(ValueError, match="rhythm 'V7': no lead; known are I, II"):
        render(ecg(), RATE_HZ, rhythm="V7")


def test_an_empty_form_is_read_as_nothing() -> None:
    page = render(np.full((12, N_STRIP), np.nan), RATE_HZ)
    signals = digitize(cut_leads(page, find_layout(page)))
    assert np.isnan(signals.leads).all()
    assert np.isnan(signals.strip).all()


def test_what_is_unknown_is_not_printed() -> None:
    page = render(with_lead("V2", np.nan), RATE_HZ)
    inked = cut_leads(page, find_layout(page)).crops.any(axis=(1, 2))
    assert [name for name, any_ink in zip(LEADS, inked, strict=True) if not any_ink] == ["V2"]


def test_what_comes_after_ten_seconds_is_not_printed() -> None:
    # the line to 10 s ends at sample 2500
    longer = np.concatenate([ecg(), ecg()[:, :1], np.full((12, 5000), 2.0)], axis=1)
    np.testing.assert_array_equal(render(longer, RATE_HZ), render(longer[:, : N_STRIP + 1], RATE_HZ))


def test_a_printed_header_leaves_the_traces_alone() -> None:
    header = Header("123456", "male", "2020-08-06T10:30:24", 81, True)
    changed = (render(ecg(), RATE_HZ) != render(ecg(), RATE_HZ, header=header)).any(axis=2)
    assert changed[: int(TEMPLATE.frame[1])].any()
    assert changed[int(TEMPLATE.frame[3]) :].any()
    assert not changed[round(TEMPLATE.frame[1]) : round(TEMPLATE.frame[3])].any()


@pytest.mark.parametrize("name", ["I", "aVF", "V2", "V6"])
def test_the_printed_strip_bears_the_name_of_its_lead(name: str) -> None:
    letters = render(np.zeros((12, N_STRIP)), RATE_HZ, rhythm=name).max(axis=2) < 60
    rows, columns = TEMPLATE.label_box(*TEMPLATE.place(name))
    above, left = (place.start for place in TEMPLATE.label_box(3, 0))
    wanted = letters[rows, columns][:19]
    found = letters[above:, left:][:19, : wanted.shape[1]]
    assert wanted.sum() > 30
    assert (found & wanted).sum() > 0.9 * (found | wanted).sum()  # JPEG moves an edge here and there


@pytest.mark.parametrize("name", ["I", "aVF", "V2", "V6"])
def test_the_printed_strip_repeats_the_lead_it_is_asked_for(name: str) -> None:
    wanted = ecg()[LEADS.index(name)]
    assert rms(read_back(ecg(), rhythm=name).strip - wanted) < 1.5 * PIXEL_MV


# --- there and back --------------------------------------------------------------------------------------


def test_a_page_gives_2_5_s_of_each_lead_and_10_s_of_the_strip(sample_signals: list[Signals]) -> None:
    for signals in sample_signals:
        assert (signals.leads.shape, signals.leads.dtype) == ((12, 625), np.float32)
        assert (signals.strip.shape, signals.strip.dtype) == ((2500,), np.float32)


def test_printed_millivolts_are_read_back_to_a_pixel(read: Signals) -> None:
    # the device draws through whole pixels, so a pixel is what can be asked; the steepest leads take half more
    off = read.leads - shown(ecg())
    assert rms(off).max() < 1.5 * PIXEL_MV
    assert np.abs(off.mean(axis=1)).max() < 0.1 * PIXEL_MV
    assert rms(read.strip - ecg()[1]) < PIXEL_MV


@pytest.mark.parametrize("rate_hz", [128, 360, 1000])
def test_a_recording_of_another_rate_is_read_back_as_well(rate_hz: float) -> None:
    # a slow rate rounds the tips off before they are printed, hence two pixels and not one
    assert rms(read_back(ecg(rate_hz=rate_hz), rate_hz).leads - shown(ecg())).max() < 2 * PIXEL_MV


@given(millivolts=st.floats(-1.2, 1.2), jpeg_quality=st.integers(30, 95))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_a_flat_line_is_read_at_its_height(millivolts: float, jpeg_quality: int) -> None:
    read = read_back(np.full((12, N_STRIP), millivolts), jpeg_quality=jpeg_quality)
    # half a pixel is lost where it is drawn; the median, since letters that it runs through take a pixel of it
    assert np.median(read.leads, axis=1) == pytest.approx(millivolts, abs=0.51 * PIXEL_MV)
    assert np.median(read.strip) == pytest.approx(millivolts, abs=0.51 * PIXEL_MV)


@pytest.mark.parametrize("millivolts", [0.5, 1.0, 2.0, 3.0])
def test_a_steep_qrs_keeps_its_height(millivolts: float) -> None:
    narrow = millivolts * bumps(TIMES_S, BEATS_S, 0.01)  # 24 ms at half its height
    printed = with_lead("V4", narrow)
    height = shown(printed)[LEADS.index("V4")].max()
    assert read_back(printed).leads[LEADS.index("V4")].max() == pytest.approx(height, rel=0.05, abs=PIXEL_MV)


@given(at_s=st.floats(0.1, 2.4), name=st.sampled_from(LEADS))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_a_wave_is_read_at_its_time(at_s: float, name: str) -> None:
    at = np.array([column_of(name) * 2.5 + at_s])
    lead = read_back(with_lead(name, bumps(TIMES_S, at, 0.015))).leads[LEADS.index(name)]
    middle_s = np.average(np.arange(N_LEAD), weights=np.where(lead > 0.2, lead, 0)) / RATE_HZ
    assert middle_s == pytest.approx(at_s, abs=1 / RATE_HZ)  # a pixel is 5 ms, a sample 4 ms


def test_an_r_wave_that_leaves_the_frame_is_read_whole() -> None:
    tall = read_back(with_lead("I", 3.4 * bumps(TIMES_S, BEATS_S, 0.02)))
    assert tall.leads[0].max() == pytest.approx(3.4, rel=0.05)


@pytest.mark.parametrize(
    ("name", "millivolts", "neighbour"),
    [("III", 4.0, "II"), ("V3", 4.0, "V2"), ("aVF", 4.0, "aVL"), ("V2", -3.0, "V3"), ("V4", -3.0, "V5")],
)
def test_a_wave_that_reaches_into_the_next_row_is_followed(
    read: Signals, name: str, millivolts: float, neighbour: str
) -> None:
    """Rows lie 3.8 mV apart: 4 mV cross the row above, 3 mV down come between the waves of the row below."""
    printed = with_lead(name, millivolts * bumps(TIMES_S, BEATS_S + 0.13, 0.02))
    crossed = read_back(printed)
    off = np.abs(crossed.leads - shown(printed)).max(axis=1)
    alone = np.abs(read.leads - shown(ecg())).max(axis=1)
    assert off[LEADS.index(name)] < 0.05 * abs(millivolts)
    assert off[LEADS.index(neighbour)] < alone[LEADS.index(neighbour)] + 2 * PIXEL_MV


def test_a_real_page_that_is_printed_again_reads_the_same(sample_signals: list[Signals]) -> None:
    for signals in sample_signals[::12]:
        again = read_back(record_of(signals).signals[:12], rhythm=rhythm_lead(signals)[0])
        assert np.median(rms(again.leads - signals.leads)) < PIXEL_MV


@pytest.mark.parametrize(
    ("way", "pixels"), [("jpeg30", 1), ("border", 1), ("noise", 1), ("rotated", 4), ("scaled", 4)]
)
def test_a_spoilt_page_reads_nearly_as_the_page_itself(
    sample_paths: list[Path], sample_signals: list[Signals], way: str, pixels: float
) -> None:
    # half the size makes two pixels of four and turning makes edges soft; both cost the steepest strokes
    for path, signals in list(zip(sample_paths, sample_signals, strict=True))[::8]:
        picture, _ = DISTORTIONS[way](read_page(path))
        spoilt = digitize(cut_leads(picture, find_layout(picture)))
        assert np.median(rms(spoilt.leads - signals.leads)) < pixels * PIXEL_MV


# --- where there is no ink -------------------------------------------------------------------------------


def test_real_pages_are_read_without_a_gap(sample_signals: list[Signals]) -> None:
    assert not any(
        np.isnan(signals.leads).any() or np.isnan(signals.strip).any() for signals in sample_signals
    )


@pytest.mark.parametrize("name", ["aVR", "V3"])
def test_a_lead_that_is_not_there_is_nan_and_no_other(name: str) -> None:
    unknown = np.isnan(read_back(with_lead(name, np.nan)).leads)
    assert unknown[LEADS.index(name)].all()
    assert not np.delete(unknown, LEADS.index(name), axis=0).any()


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.2])
def test_a_gap_longer_than_0_2_s_is_nan(seconds: float) -> None:
    printed = ecg()[0]
    gap = slice(200, 200 + round(seconds * RATE_HZ))
    printed[gap] = np.nan
    unknown = np.isnan(read_back(with_lead("I", printed)).leads[0])
    assert unknown[gap].sum() >= (gap.stop - gap.start) - 4  # the pen reaches in from both sides
    assert not unknown[: gap.start].any()
    assert not unknown[gap.stop :].any()


def test_a_gap_in_the_strip_leaves_the_leads_alone() -> None:
    printed = ecg()[1]
    printed[1500:1750] = np.nan  # II itself is shown from 0 to 2.5 s
    read = read_back(with_lead("II", printed))
    assert np.isnan(read.strip[1502:1748]).all()
    assert not np.isnan(read.leads).any()


def test_a_shorter_gap_is_bridged_straight() -> None:
    slope = np.linspace(-1, 1, N_STRIP) * 4  # lead I shows its first quarter
    broken = np.where((TIMES_S > 1.4) & (TIMES_S < 1.55), np.nan, slope + 3)
    lead = read_back(with_lead("I", broken)).leads[0]
    assert lead == pytest.approx(slope[:N_LEAD] + 3, abs=1.5 * PIXEL_MV)


# --- the rhythm strip ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEADS)
def test_the_lead_of_the_strip_is_named_whichever_it_is(read: Signals, name: str) -> None:
    assert rhythm_lead(Signals(read.leads, ecg()[LEADS.index(name)].astype(np.float32)))[0] == name


def test_real_strips_repeat_the_lead_whose_name_they_bear(
    sample_paths: list[Path], sample_signals: list[Signals]
) -> None:
    for path, signals in zip(sample_paths, sample_signals, strict=True):
        found, alike = rhythm_lead(signals)
        assert found == printed_strip_name(path)
        assert alike > 0.99


def test_real_strips_have_the_millivolts_of_the_lead_they_repeat(sample_signals: list[Signals]) -> None:
    for signals in sample_signals:
        name, _ = rhythm_lead(signals)
        start = column_of(name) * N_LEAD
        off = signals.leads[LEADS.index(name)] - signals.strip[start : start + N_LEAD]
        assert rms(off) < PIXEL_MV
        assert abs(off.mean()) < 0.2 * PIXEL_MV


def test_a_strip_of_another_page_repeats_no_lead(sample_signals: list[Signals]) -> None:
    one, other = sample_signals[0], sample_signals[1]
    name, alike = rhythm_lead(Signals(one.leads, other.strip))
    assert name is None
    assert alike < 0.9


def test_a_strip_that_is_merely_like_a_lead_does_not_repeat_it(read: Signals) -> None:
    disturbed = read.strip + 0.08 * np.sin(2 * np.pi * 7 * TIMES_S).astype(np.float32)
    name, alike = rhythm_lead(Signals(read.leads, disturbed))
    assert name is None
    assert 0.9 < alike < 0.99


def test_nothing_can_be_said_of_a_strip_that_is_not_there(read: Signals) -> None:
    name, alike = rhythm_lead(Signals(read.leads, np.full(N_STRIP, np.nan, np.float32)))
    assert name is None
    assert np.isnan(alike)


def test_a_missing_lead_does_not_hide_the_one_that_the_strip_repeats(read: Signals) -> None:
    leads = read.leads.copy()
    leads[LEADS.index("V1")] = np.nan
    assert rhythm_lead(Signals(leads, read.strip))[0] == "II"


def test_correlation_looks_only_where_both_are_known() -> None:
    one = np.array([0.0, 1, 2, 3, np.nan, 50])
    other = np.array([0.0, -2, -4, -6, 70, np.nan])
    assert correlation(one, other) == pytest.approx(-1)


@pytest.mark.parametrize("flat", [[1.0, 1, 1, 1], [np.nan] * 4, [np.nan, np.nan, np.nan, 1]])
def test_correlation_with_a_flat_or_missing_lead_is_nan(flat: list[float]) -> None:
    assert np.isnan(correlation(np.array(flat), np.arange(4.0)))


def printed_strip_name(path: Path) -> str:
    """The lead of the first column whose printed name looks most like that of the strip."""
    page = read_page(path)
    moved_x, moved_y = find_layout(page).matrix[:, 2].round().astype(int)

    def letters(row: int) -> NDArray[np.bool_]:
        rows, columns = TEMPLATE.label_box(row, 0)
        box = page[
            rows.start + moved_y : rows.stop + moved_y, columns.start + moved_x : columns.stop + moved_x
        ]
        return box.max(axis=2) < 60

    alike = [(letters(3) & letters(row)).sum() / (letters(3) | letters(row)).sum() for row in range(3)]
    return TEMPLATE.rows[int(np.argmax(alike))][0]
