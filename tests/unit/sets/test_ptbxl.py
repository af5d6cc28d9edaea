"""What is stated of PTB-XL's recordings, of which fold they are, and how the form would print them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadwise.drawing.trials import PRINT_FILTERS, drawn
from leadwise.errors import InputError
from leadwise.names import LEADS, SUPERCLASSES
from leadwise.recordings.records import read_record
from leadwise.sets.ptbxl import by_folds, read_recordings, stated_recordings
from leadwise.sets.sample import unpack_recordings
from leadwise.sets.views import views_of, views_of_recordings

LABELS = """ecg_id,scp_codes,NORM,MI,STTC,CD,HYP,patient_id,age,sex,in_v1.0.3
3,NORM SR,1,0,0,0,0,,,,1
38,IMI AFIB,0,1,0,0,0,17.0,300,1,1
40,SR,,,,,,18.0,50,0,0
41,NORM SR,1,0,0,0,0,19.0,50,0,1
"""


@pytest.fixture(scope="module")
def ptbxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_recordings(tmp_path_factory.mktemp("ptbxl"))


@pytest.fixture
def fold10(tmp_path: Path) -> Path:
    (tmp_path / "fold10" / "records").mkdir(parents=True)
    (tmp_path / "fold10" / "labels.csv").write_text(LABELS, encoding="utf-8")
    for number in (3, 38, 40):
        (tmp_path / "fold10" / "records" / f"{number:05d}_hr.hea").touch()
    return tmp_path / "fold10"


def test_the_embedded_recordings_are_read_with_their_statements(ptbxl: Path) -> None:
    found = stated_recordings(ptbxl)
    assert found[list(SUPERCLASSES)].sum().to_dict() == {"NORM": 6, "MI": 4, "STTC": 1, "CD": 1, "HYP": 1}
    assert found["ecg_id"].tolist() == sorted(found["ecg_id"])
    record = read_record(found["path"][0])
    assert np.abs(record.lead("I") + record.lead("III") - record.lead("II")).max() < 0.005
    assert "CC BY 4.0" in (ptbxl / "CREDITS.md").read_text(encoding="utf-8")


def test_labels_tell_superclasses_and_a_recording_without_them_or_without_signals_is_left_out(
    fold10: Path,
) -> None:
    found = stated_recordings(fold10).set_index("ecg_id")
    assert found.index.tolist() == [3, 38]
    assert found["patient_id"].to_dict() == {3: "recording-3", 38: "patient-17"}
    assert found["codes"].to_dict() == {3: {"NORM", "SR"}, 38: {"IMI", "AFIB"}}
    assert found.loc[38, "age"] == 90, "ages above 89 are hidden as 300"
    assert found["sure_mi"].isna().all()


def test_fold_10_is_taken_from_its_own_folder_and_the_rest_from_the_whole(ptbxl: Path, fold10: Path) -> None:
    alone = by_folds(ptbxl)
    assert {name: len(part) for name, part in alone.items()} == {"folds_1_to_9": 12}
    parts = by_folds(ptbxl, fold10)
    assert parts["fold_10"]["ecg_id"].tolist() == [3, 38]
    assert len(parts["folds_1_to_9"]) == 12


def test_a_recording_in_both_archives_counts_once(ptbxl: Path, fold10: Path, tmp_path: Path) -> None:
    copied = tmp_path / "whole"
    (copied / "records").mkdir(parents=True)
    for path in (ptbxl / "records").iterdir():
        (copied / "records" / path.name).touch()
    (copied / "scp_statements.csv").write_bytes((ptbxl / "scp_statements.csv").read_bytes())
    table = pd.read_csv(ptbxl / "ptbxl_database.csv")
    table["strat_fold"] = (table["ecg_id"] == 3).map({True: 10, False: 1})
    table.to_csv(copied / "ptbxl_database.csv", index=False)
    assert by_folds(copied)["fold_10"]["ecg_id"].tolist() == [3]
    parts = by_folds(copied, fold10)
    assert parts["fold_10"]["ecg_id"].tolist() == [3, 38]
    assert pd.concat(parts.values())["ecg_id"].is_unique


def test_records_of_a_set_apart_are_left_out_by_their_numbers(
    ptbxl: Path, fold10: Path, tmp_path: Path
) -> None:
    apart = tmp_path / "apart"
    apart.mkdir()
    (apart / "00003_hr.hea").touch()
    parts = by_folds(ptbxl, fold10, but=apart)
    assert 3 not in set(pd.concat(parts.values())["ecg_id"])
    assert len(parts["folds_1_to_9"]) == 11
    assert len(read_recordings(ptbxl, apart)[0]) == 11


@pytest.mark.parametrize("name", ["labels.csv", "ptbxl_database.csv"])
def test_a_folder_that_is_laid_out_otherwise_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="not laid out as PTB-XL"):
        stated_recordings(tmp_path)
    (tmp_path / name).write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"labels\.csv is not|not laid out as PTB-XL"):
        stated_recordings(tmp_path)


def test_what_the_form_would_print_is_what_is_read_of_a_drawn_page(ptbxl: Path) -> None:
    path = stated_recordings(ptbxl)["path"][0]
    direct = views_of_recordings([path], PRINT_FILTERS)
    record = read_record(path)
    signals_mv = np.stack([record.lead(lead) for lead in LEADS])
    for name, views in direct.items():
        page = views_of([drawn(signals_mv, record.rate_hz, name)])
        for view in ("signals", "rhythm"):
            assert views[view].shape == page[view].shape
            both = np.stack([views[view].ravel(), page[view].ravel()])
            assert np.corrcoef(both)[0, 1] > 0.99
