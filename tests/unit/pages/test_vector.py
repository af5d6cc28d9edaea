"""Pages of PDFs that hold their leads as lines: read as they were printed, or refused by name."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pypdfium2
import pytest
import wfdb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pdf import MM, ecg_page, line, nested_page, pdf_page, word
from scipy.signal import resample_poly

from leadwise.errors import DoubtfulPage, ForeignPage, UnreadablePage
from leadwise.names import LEADS
from leadwise.pages import paths
from leadwise.pages.page_signals import RATE_HZ, PageSignals, Trace
from leadwise.pages.vector import read_paths
from leadwise.sets.sample import unpack_recordings

THREE_BY_FOUR = tuple(tuple(LEADS[row::3][column] for column in range(4)) for row in range(3))
SIX_BY_TWO = tuple((LEADS[row], LEADS[row + 6]) for row in range(6))
CLEAR_DB = 30


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.float64]:
    """Twelve leads of a person, 10 s at 500 Hz, mV."""
    folder = unpack_recordings(tmp_path_factory.mktemp("ptbxl"))
    header = sorted(folder.rglob("*_hr.hea"))[0]
    record = wfdb.rdrecord(str(header.with_suffix("")))
    at_rate = resample_poly(record.p_signal, RATE_HZ, int(record.fs))
    by_name = {name.upper(): at_rate[:, at] for at, name in enumerate(record.sig_name)}
    return np.stack([by_name[name.upper()] for name in LEADS])


def read(content: str, rotate: int = 0) -> PageSignals:
    found = read_paths(pdf_page(content, rotate=rotate))
    assert found is not None
    return found


def snr_db(trace: Trace, recorded: NDArray[np.floating]) -> float:
    """Of a trace where it says that it stands; nothing fitted but the mean."""
    first = round(trace.start_s * RATE_HZ)
    truth = recorded[first : first + len(trace.signal_mv)]
    off = trace.signal_mv[: len(truth)] - truth
    return float(10 * np.log10(truth.var() / off.var()))


def worst_db(found: PageSignals, recording: NDArray[np.floating]) -> float:
    return min(
        snr_db(trace, recording[LEADS.index(name.split("_")[0])]) for name, trace in found.columns().items()
    )


def test_three_rows_of_four_columns_and_a_strip_are_read_as_recorded(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, "II"))
    assert (found.form, found.reader) == ("3x4+1", "paths")
    assert tuple(found.leads) == LEADS
    assert [found.leads[name].start_s for name in ("I", "aVR", "V1", "V4")] == [0, 2.5, 5, 7.5]
    assert worst_db(found, recording) > CLEAR_DB
    assert found.quality.einthoven == pytest.approx(1, abs=0.005)
    assert found.quality.strip_alike == pytest.approx(1, abs=0.005)
    assert (found.geometry.scale_from, found.warnings) == ("grid", ())


def test_six_rows_of_two_columns_are_read_as_recorded(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, SIX_BY_TWO))
    assert (found.form, tuple(found.leads), found.strips) == ("6x2", LEADS, {})
    assert worst_db(found, recording) > CLEAR_DB


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_a_page_that_is_to_be_turned_is_read_upright(recording: NDArray[np.float64], rotate: int) -> None:
    found = read(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, "II"), rotate)
    assert worst_db(found, recording) > CLEAR_DB
    assert found.page.shape[1] > found.page.shape[0]


def test_a_page_whose_content_is_turned_and_made_smaller_is_read(recording: NDArray[np.float64]) -> None:
    turned = "q 0 0.94 -0.94 0 570 20 cm " + ecg_page(recording, RATE_HZ, THREE_BY_FOUR, "II") + " Q"
    found = read_paths(pdf_page(turned, size=(595, 842)))
    assert found is not None
    assert worst_db(found, recording) > CLEAR_DB


def test_the_line_that_was_followed_lies_on_ink(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, with_grid=False), 90)
    for trace in found.leads.values():
        x, y = np.floor(trace.line_px).astype(int).T
        assert (found.page[y, x].min(axis=1) < 200).mean() > 0.95


@pytest.mark.parametrize("pieces", [4, 249])
def test_a_lead_that_is_drawn_in_pieces_is_one(recording: NDArray[np.float64], pieces: int) -> None:
    found = read(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, pieces=pieces))
    assert worst_db(found, recording) > CLEAR_DB


def test_a_strip_without_a_name_is_the_lead_that_it_repeats(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, "V1", strip_name=False))
    assert list(found.strips) == ["V1"]
    assert snr_db(found.strips["V1"], recording[LEADS.index("V1")]) > CLEAR_DB


def test_columns_of_rounded_points_do_not_drift(recording: NDArray[np.float64]) -> None:
    # of 312 points at 125 Hz the last stands 2.488 s after the first
    found = read(ecg_page(recording[:, ::4], 125, THREE_BY_FOUR, "II"))
    assert [found.leads[name].start_s for name in ("I", "aVR", "V1", "V4")] == [0, 2.5, 5, 7.5]


@pytest.mark.parametrize("pulse_mm", [10.0, None])
def test_without_a_grid_the_pulse_tells_the_scale_or_else_the_file(
    recording: NDArray[np.float64], pulse_mm: float | None
) -> None:
    millimetre = 0.94 * MM if pulse_mm else MM
    content = ecg_page(
        recording, RATE_HZ, THREE_BY_FOUR, with_grid=False, millimetre=millimetre, pulse_mm=pulse_mm
    )
    found = read(content)
    assert found.geometry.scale_from == ("pulse" if pulse_mm else "file")
    assert bool(found.warnings) is not bool(pulse_mm)
    assert worst_db(found, recording) > CLEAR_DB


def test_a_page_at_half_its_size_is_read_by_its_grid_and_says_so(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, SIX_BY_TWO, millimetre=0.5 * MM))
    assert worst_db(found, recording) > CLEAR_DB
    assert found.warnings == ("by its grid the page is drawn at 50% of its size",)


def test_a_page_most_of_whose_leads_are_no_lines_is_left_to_its_picture(
    recording: NDArray[np.float64],
) -> None:
    only_two = "".join(word(name, 40, 100 + 15 * number) for number, name in enumerate(LEADS))
    assert read_paths(pdf_page(only_two + ecg_page(recording, RATE_HZ, (("II",), ("V1",))))) is None


def test_a_pulse_of_another_height_than_the_gain_is_told(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, pulse_mm=5))
    assert found.quality.pulse_mm == pytest.approx(5, abs=0.05)
    assert any("pulse is 5.0 mm" in warning for warning in found.warnings)


def test_a_page_that_says_twice_the_speed_shows_half_the_time(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, SIX_BY_TWO, words=("50mm/s", "20,0 mm/mV")))
    assert found.leads["I"].length_s == pytest.approx(2.5, abs=0.01)
    assert np.ptp(found.leads["I"].signal_mv) == pytest.approx(np.ptp(recording[0, :2500]) / 2, rel=0.03)


def test_names_that_are_written_letter_by_letter_are_read(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, SIX_BY_TWO, by_letter=True))
    assert worst_db(found, recording) > CLEAR_DB
    assert found.warnings == ()


def test_a_speed_at_which_a_page_would_show_minutes_is_not_believed(recording: NDArray[np.float64]) -> None:
    with pytest.raises(DoubtfulPage, match=r"at 0\.01 mm/s"):
        read(ecg_page(recording, RATE_HZ, SIX_BY_TWO, words=("0.01 mm/s",)))


def test_a_trace_without_a_name_is_refused() -> None:
    x = np.arange(500)
    with pytest.raises(ForeignPage, match="no lead names"):
        read_paths(pdf_page(line(np.column_stack([50 + x, 400 + 20 * np.sin(x / 9)]))))


def test_names_that_may_be_drawn_leave_the_page_to_its_picture(recording: NDArray[np.float64]) -> None:
    drawn_letter = "60 540 m 62 540 l 62 548 l 60 548 l h f\n"
    page = pdf_page(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, names=False) + drawn_letter)
    assert read_paths(page) is None


def test_a_letter_has_no_traces() -> None:
    assert read_paths(pdf_page(word("Dear colleague, lead", 60, 700) + word("II", 60, 680))) is None


def test_limb_leads_of_wrong_names_are_not_believed(recording: NDArray[np.float64]) -> None:
    exchanged = recording.copy()
    exchanged[[0, 1, 2]] = recording[[0, 6, 7]]
    with pytest.raises(DoubtfulPage, match="do not add up"):
        read(ecg_page(exchanged, RATE_HZ, THREE_BY_FOUR))


@pytest.mark.parametrize("words", [("25 mm/s", "50 mm/s"), ("10 mm/mV", "5 mm/mV"), ("10/5 mm/mV",)])
def test_a_page_of_two_speeds_or_gains_is_refused(
    recording: NDArray[np.float64], words: tuple[str, ...]
) -> None:
    with pytest.raises(DoubtfulPage, match="says two"):
        read(ecg_page(recording, RATE_HZ, THREE_BY_FOUR, words=words))


@pytest.mark.parametrize(
    ("limit", "content"), [("MAX_OBJECTS", "0 0 m 1 1 l S "), ("MAX_POINTS", "0 0 m 1 1 l 2 2 l ")]
)
def test_a_page_of_too_many_lines_is_given_up(
    limit: str, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, limit, 100)
    assert read_paths(pdf_page(content * 33 + "S")) is None
    with pytest.raises(UnreadablePage, match="drawn of more than 100 "):
        read_paths(pdf_page(content * 101 + "S"))


def test_forms_within_forms_without_end_are_read_to_a_depth() -> None:
    assert read_paths(nested_page(60)) is None


def test_leads_that_are_missing_are_told(recording: NDArray[np.float64]) -> None:
    found = read(ecg_page(recording, RATE_HZ, tuple((name,) for name in LEADS[:6])))
    assert list(found.leads) == list(LEADS[:6])
    assert found.leads["aVF"].length_s == pytest.approx(10, abs=0.01)
    assert found.warnings == ("not on this page: V1, V2, V3, V4, V5, V6",)


def test_a_page_of_matplotlib_is_read(recording: NDArray[np.float64], tmp_path: Path) -> None:
    figure = Figure(figsize=(11, 8))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 11 * 25.4), ylim=(0, 8 * 25.4))
    axes.axis("off")
    for number, name in enumerate(LEADS):
        start = number // 3 * 1250
        millimetres = 15 + (start + np.arange(1250)) / RATE_HZ * 25
        axes.plot(
            millimetres, 170 - 40 * (number % 3) + 10 * recording[number, start : start + 1250], "k", lw=0.6
        )
        axes.text(millimetres[0] + 2, 180 - 40 * (number % 3), name)
    axes.text(15, 10, "25 mm/s   10 mm/mV")
    with mpl.rc_context({"path.simplify": False}):
        figure.savefig(tmp_path / "page.pdf")
    found = read_paths(pypdfium2.PdfDocument(tmp_path / "page.pdf")[0])
    assert found is not None
    assert tuple(found.leads) == LEADS
    assert worst_db(found, recording) > CLEAR_DB
