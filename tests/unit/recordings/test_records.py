"""One recording: kept to a microvolt, in and out as WFDB and CSV."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from leadwise.errors import InputError, MissingInput
from leadwise.names import LEADS
from leadwise.pages.digitize import N_LEAD, N_STRIP, RATE_HZ, Signals
from leadwise.pages.forms import known_printout
from leadwise.recordings.records import STRIP, Record, as_csv, read_record, record_of, write_record

PIXEL_MV = 1 / known_printout().px_per_mv


@pytest.fixture(scope="module")
def page_record(sample_signals: list[Signals]) -> Record:
    return record_of(sample_signals[0])


@pytest.fixture(scope="module")
def written(page_record: Record, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real page's record on disk; its path without suffix."""
    folder = tmp_path_factory.mktemp("records") / "new"
    write_record(page_record, folder, "page", ["printed on paper", "rhythm lead: III"])
    return folder / "page"


def put(folder: Path, unit: str = "mV", gain: float = 1000.0) -> Path:
    """A record of two leads, one step each, written by wfdb itself."""
    wfdb.wrsamp(
        "rec",
        fs=500,
        units=[unit] * 2,
        sig_name=["I", "aVR"],
        d_signal=np.array([[1000, -500]] * 50),
        fmt=["16"] * 2,
        adc_gain=[gain] * 2,
        baseline=[0] * 2,
        write_dir=str(folder),
    )
    return folder / "rec"


def test_a_page_becomes_a_record_in_which_each_lead_stands_at_its_time(sample_signals: list[Signals]) -> None:
    signals = sample_signals[0]
    record = record_of(signals)
    assert record.names == (*LEADS, STRIP)
    assert (record.signals.shape, record.rate_hz) == ((13, N_STRIP), RATE_HZ)
    for name, start_s in (("II", 0), ("aVF", 2.5), ("V1", 5), ("V6", 7.5)):
        start = round(start_s * RATE_HZ)
        lead = record.lead(name)
        np.testing.assert_array_equal(lead[start : start + N_LEAD], signals.leads[LEADS.index(name)])
        assert np.isnan(np.delete(lead, np.s_[start : start + N_LEAD])).all()
    np.testing.assert_array_equal(record.lead(STRIP), signals.strip)


def test_a_written_record_is_read_back_to_a_microvolt(page_record: Record, written: Path) -> None:
    again = read_record(written)
    assert (again.names, again.rate_hz) == (page_record.names, page_record.rate_hz)
    np.testing.assert_allclose(again.signals, page_record.signals, rtol=0, atol=0.001)


@given(signals=arrays(np.float64, (3, 40), elements=st.floats(-32, 32) | st.just(np.nan)))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_whatever_voltages_are_written_come_back_and_nan_as_nan(signals: NDArray[np.float64]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_record(Record(signals, ("I", "II", "V1"), 360), Path(folder), "rec", [])
        np.testing.assert_allclose(read_record(Path(folder) / "rec").signals, signals, rtol=0, atol=0.001)


def test_a_record_is_read_by_the_name_of_its_header_too(written: Path) -> None:
    np.testing.assert_array_equal(
        read_record(written.with_suffix(".hea")).signals, read_record(written).signals
    )


def test_other_wfdb_programs_find_units_and_comments(written: Path) -> None:
    header = wfdb.rdheader(str(written))
    assert header.units == ["mV"] * 13
    assert header.comments == ["printed on paper", "rhythm lead: III"]


def test_the_csv_has_time_in_seconds_and_millivolts(page_record: Record, written: Path) -> None:
    table = pd.read_csv(written.with_suffix(".csv"))
    assert list(table.columns) == ["time_s", *(f"{name}_mv" for name in LEADS), "strip_mv"]
    np.testing.assert_allclose(table["time_s"], np.arange(N_STRIP) / RATE_HZ, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        table.drop(columns="time_s").to_numpy().T, page_record.signals, rtol=0, atol=0.001
    )


def test_the_csv_leaves_cells_empty_where_nothing_is_known(written: Path) -> None:
    last = written.with_suffix(".csv").read_text(encoding="utf-8").splitlines()[-1].split(",")
    filled = [name for name, cell in zip(("time", *LEADS, STRIP), last, strict=True) if cell]
    assert filled == ["time", "V4", "V5", "V6", STRIP]


@pytest.mark.parametrize("spelt", ["aVR", "AVR", "avr"])
def test_a_lead_is_found_however_its_name_is_spelt(page_record: Record, spelt: str) -> None:
    np.testing.assert_array_equal(page_record.lead(spelt), page_record.signals[LEADS.index("aVR")])


def test_an_unknown_lead_is_refused_with_those_there_are(page_record: Record) -> None:
    with pytest.raises(InputError, match=r"no lead V7 in this record; it has I, II, .*V6, strip"):
        page_record.lead("V7")


def test_a_missing_record_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"08730\.hea: no such record"):
        read_record(tmp_path / "08730")


@pytest.mark.parametrize(("unit", "factor"), [("mV", 1), ("uV", 0.001), ("V", 1000)])
def test_any_unit_of_voltage_becomes_millivolts(tmp_path: Path, unit: str, factor: float) -> None:
    record = read_record(put(tmp_path, unit, gain=10.0))
    assert record.lead("I") == pytest.approx(100 * factor)
    assert record.lead("aVR") == pytest.approx(-50 * factor)


def test_a_record_of_blood_pressure_is_refused_for_its_unit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rec\.hea: no ECG among its signals \(I \(mmHg\), aVR \(mmHg\)\)"):
        read_record(put(tmp_path, "mmHg"))


def test_a_record_whose_signals_are_lost_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path)
    path.with_suffix(".dat").unlink()
    with pytest.raises(
        InputError, match=r"rec\.hea: names rec\.dat, which was not sent or does not lie beside it"
    ):
        read_record(path)


def test_a_record_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path)
    data = path.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[:60])
    with pytest.raises(
        InputError, match=r"rec\.hea: not a readable WFDB record \(50 samples are told, 15 are there\)"
    ):
        read_record(path)


def test_a_text_posing_as_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rec.hea").write_text("sinus rhythm, 72 bpm\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"rec\.hea: not a WFDB header"):
        read_record(tmp_path / "rec")


def test_a_voltage_beyond_the_format_is_cut_off_and_not_lost(tmp_path: Path) -> None:
    write_record(Record(np.array([[-40.0, 0.0, 40.0]]), ("II",), 250), tmp_path, "far", [])
    assert read_record(tmp_path / "far").signals[0] == pytest.approx([-32.767, 0, 32.767])


@pytest.mark.parametrize(
    ("rate_hz", "second"), [(360, "0.003"), (1000, "0.001"), (5000, "0.0002"), (10_000, "0.0001")]
)
def test_in_a_table_every_sample_has_a_time_of_its_own(rate_hz: float, second: str) -> None:
    rows = as_csv(Record(np.zeros((1, 20)), ("II",), rate_hz), ["II_mv"]).splitlines()[1:]
    times = [row.split(",")[0] for row in rows]
    assert times[1] == second
    assert len(set(times)) == 20
