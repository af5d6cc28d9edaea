"""Tables and folds: a wrong value is named by file, column and row, and no group stands on both sides."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from leadwise.errors import InputError, LeakError, MissingInput, SettingsError, TableError
from leadwise.folds.pages import N_FOLDS, assert_disjoint, group_ids, make_folds
from leadwise.names import CLASSES, LEADS
from leadwise.sets.catalogue import find_pages, shipped
from leadwise.tables import SCHEMAS, checked, read_table, write_table

RUN = {"model": "vit_micro", "profile": "sample", "task": "four", "protocol": "grouped", "seed": 1, "fold": 1}
ROWS: dict[str, dict[str, object]] = {
    "pages.csv": {
        "page_id": "283b52bac093",
        "path": "mi/MI(1).jpg",
        "label": "mi",
        "copies": 8,
        "sha256": "283b52bac093" + 52 * "0",
        "width_px": 2213,
        "height_px": 1572,
        "recording_id": "168616",
        "sex": "male",
        "recorded_at": "2020-08-06T10:30:24",
        "heart_rate_bpm": 81,
        "lead_off": False,
    },
    "leads.csv": {"page_id": "283b52bac093", "lead": "aVR"}
    | {f"{axis}{corner}": 10.5 for corner in range(4) for axis in "xy"}
    | {"pixels_per_s": 196.6, "pixels_per_mv": 78.6, "rotation_deg": -0.01, "scale": 1.0}
    | {"rhythm_lead": "II", "quality": 0.99},
    "quality.csv": {"page_id": "283b52bac093", "quality": 0.98, "rotation_deg": -0.01, "scale": 1.0}
    | {"rhythm_lead": "II", "strip_correlation": 0.999, "heart_rate_bpm": 81.2}
    | {"einthoven_correlation": 0.998, "einthoven_rms_mv": 0.007, "goldberger_rms_mv": 0.008},
    "read_pages.csv": {"page": "0001", "record": "00003_hr", "form": "6x2", "grid": "red"}
    | {"turn_degrees": 1.5, "read": True, "why": None, "seconds": 0.8, "read_form": "6x2"}
    | {"layout_right": True, "raw_db": 19.2, "aligned_db": 20.1, "read_share": 1.0, "einthoven": 0.99}
    | {"goldberger": 0.95, "strip_alike": None, "warnings": None},
    "folds.csv": {"protocol": "interpatient", "unit": "record", "unit_id": "201"}
    | {"group_id": "record-201", "seed": 1, "fold": 1, "part": "train", "inner": 2},
    "predictions.csv": {"unit": "lead", "unit_id": "283b52bac093", "group_id": "id-168616"}
    | RUN
    | {"role": "test", "held_out": None, "label": "mi", "lead": "aVR"}
    | {f"prob_{name}": 0.25 for name in CLASSES},
    "calibration.csv": {name: value for name, value in RUN.items() if name != "profile"}
    | {"temperature": 1.5, "bias_mi": -0.2},
    "history.csv": {"fold": 1, "seed": 1, "epoch": 0.5, "step": 10, "loss": 1.38, "lr": 1e-3, "seconds": 2.5}
    | {"model": "vit_micro", "inner_accuracy": 0.5},
    "records.csv": {"record": "201", "group_id": "person-201", "part": "ds1", "lead": "MLII", "channel": 0}
    | {"leads": "MLII+V1", "rate_hz": 360.0, "seconds": 1805.6, "beats": 1963}
    | {"beats_N": 1635, "beats_S": 128, "beats_V": 198, "beats_F": 2, "beats_Q": 0, "flutter_waves": 0}
    | {"windows": 360, "windows_abnormal": 6, "windows_left_out": 0, "missing_s": 0.0, "flat_s": 0.0},
    "windows.csv": {"window_id": "201-0003600", "record": "201", "group_id": "person-201", "start_s": 10.0}
    | {"beats_normal": 9, "beats_abnormal": 2, "decided": "majority", "label": "normal"},
    "beats.csv": {"beat_id": "201-0000077", "record": "201", "group_id": "person-201", "time_s": 0.21}
    | {"symbol": "A", "label": "S", "rr_before_s": None, "rr_after_s": 0.8, "in_heartbeat": True}
    | {"in_ec57": False, "rr_before_ratio": 1.0, "rr_after_ratio": 0.9, "rr_local_ratio": 1.0}
    | {"rr_before_local_ratio": 1.0},
}
SCORE = {
    "task": "four",
    "protocol": "grouped",
    "test_set": "mendeley",
    "model": "leads12",
    "weights": "random",
}
SCORE |= {
    "condition": "calibrated=yes",
    "unit": "page",
    "counted": "all",
    "average": "gross",
    "seeds": "1/2/3",
}
SCORE |= {
    "n": 491,
    "metric": "recall_mi",
    "value": 0.9,
    "low": 0.8,
    "high": 0.95,
    "run": "26_image_leads12-cpu",
}
ROWS |= {
    "scores.csv": SCORE,
    "differences.csv": SCORE | {"minus": "rate"},
    "runs.csv": {"run": "26_image_leads12-cpu", "notebook": "26_image_leads12", "profile": "cpu"}
    | {"command": "leadwise run", "hardware": "AMD EPYC, 2 cores", "versions": None, "precision": "fp32"}
    | {"minutes": 81.3, "opening": None, "note": None},
    "openings.csv": {"opening": "2026-11-25-6", "date": "2026-11-25", "commit": "9a3c36e", "test_set": "ds2"}
    | {"run": "26_image_leads12-cpu", "known_before": None, "changed_after": "Nothing.", "cost": None},
}

WRONG = [
    ("pages.csv", "page_id", "283B", "does not look like"),
    ("pages.csv", "label", "MI", "is not one of normal, abnormal_heartbeat, history_of_mi, mi"),
    ("pages.csv", "copies", 0, "is below 1"),
    ("pages.csv", "width_px", "wide", "is no number"),
    ("pages.csv", "width_px", 10.5, "is no whole number"),
    ("pages.csv", "recording_id", "12B45", "does not look like"),
    ("pages.csv", "sex", "Male", "is not one of male, female"),
    ("pages.csv", "recorded_at", "06.08.2020", "does not look like"),
    ("pages.csv", "heart_rate_bpm", 400, "is above 350"),
    ("pages.csv", "lead_off", "maybe", "is neither True nor False"),
    ("pages.csv", "path", None, "is empty and must not be"),
    ("leads.csv", "lead", "AVR", "is not one of I, II, III, aVR"),
    ("leads.csv", "rhythm_lead", "strip", "is not one of"),
    ("leads.csv", "pixels_per_s", -1, "is below 0"),
    ("leads.csv", "x0", "inf", "is not finite"),
    ("leads.csv", "quality", 1.2, "is above 1"),
    ("folds.csv", "fold", 0, "is below 1"),
    ("folds.csv", "part", "dev", "is not one of test, train, val"),
    ("folds.csv", "protocol", "By Patient", "does not look like"),
    ("predictions.csv", "unit", "patient", "is not one of page, lead"),
    ("predictions.csv", "prob_mi", 1.5, "is above 1"),
    ("predictions.csv", "label", "healthy", "task 'four' has the classes"),
    ("predictions.csv", "prob_mi", 0.1, "do not add up to 1"),
    ("predictions.csv", "prob_mi", None, "task 'four' needs prob_ of"),
    ("predictions.csv", "held_out", 2, "test answers leave it empty"),
    ("calibration.csv", "temperature", -0.5, "is below 0"),
    ("calibration.csv", "seed", None, "is empty and must not be"),
    ("history.csv", "step", 1.5, "is no whole number"),
    ("history.csv", "loss", "low", "is no number"),
    ("records.csv", "part", "DS1", "is not one of ds1, ds2, paced, svdb, other"),
    ("records.csv", "flat_s", -1, "is below 0"),
    ("windows.csv", "label", "flutter", "is not one of normal, abnormal"),
    ("windows.csv", "decided", "vote", "is not one of majority, tie, no_beat"),
    ("beats.csv", "symbol", "!", "is not one of N, L, R"),
    ("beats.csv", "label", "X", "is not one of N, S, V, F, Q"),
    ("beats.csv", "in_ec57", "maybe", "is neither True nor False"),
    ("beats.csv", "rr_local_ratio", None, "is empty and must not be"),
    ("folds.csv", "unit", "person", "is not one of page, record, window, beat"),
    ("folds.csv", "inner", 0, "is below 1"),
    ("scores.csv", "metric", "acuracy", "'acuracy' is no metric; did you mean 'accuracy'"),
    ("scores.csv", "metric", "accuracy_mi", "is no metric"),
    ("scores.csv", "protocol", None, "'recall_mi' says nothing without its protocol"),
    ("scores.csv", "unit", None, "'recall_mi' says nothing without its unit"),
    ("scores.csv", "n", None, "'recall_mi' says nothing without its n"),
    ("scores.csv", "high", None, "'recall_mi' says nothing without its interval"),
    ("scores.csv", "low", 0.96, "is above the other end of the interval"),
    ("scores.csv", "weights", "my/networks/a.safetensors", "is not one of random, pretrained, file, mitdb"),
    ("differences.csv", "minus", None, "is empty and must not be"),
    ("runs.csv", "minutes", -1, "is below 0"),
    ("openings.csv", "commit", "HEAD", "does not look like"),
]


def made(name: str) -> pd.DataFrame:
    """Two rows of a table, which differ in all that a key may hold."""
    first = ROWS[name]
    other = {"page_id": "c850b3433f63", "path": "mi/MI(2).jpg", "unit_id": "c850b3433f63", "seed": 2}
    other |= {"run": "26_image_leads12-paper", "page": "0002"}
    other |= {"record": "202", "window_id": "202-0003600", "beat_id": "202-0000077"}
    second = first | {column: value for column, value in other.items() if column in first}
    return pd.DataFrame([first, second]).astype(object)


# --- tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_table_that_was_written_reads_the_same(name: str, tmp_path: Path) -> None:
    write_table(made(name), tmp_path / name, name)
    once = read_table(tmp_path / name, name)
    write_table(once, tmp_path / "again.csv", name)
    assert len(once) == 2
    pd.testing.assert_frame_equal(read_table(tmp_path / "again.csv", name), once)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize(("name", "column", "value", "why"), WRONG)
def test_a_wrong_value_is_named_by_file_column_and_row(
    name: str, column: str, value: object, why: str, tmp_path: Path
) -> None:
    frame = made(name)
    frame.loc[1, column] = value
    path = tmp_path / f"my {name}"
    frame.to_csv(path, index=False)
    with pytest.raises(TableError) as refused:
        read_table(path, name)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert f"column {column!r}" in message or "column 'prob_*'" in message
    assert "row 2" in message
    assert why in message


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_table_that_breaks_its_contract_is_not_written(name: str, tmp_path: Path) -> None:
    frame = made(name).assign(**{next(iter(SCHEMAS[name].columns)): None})
    with pytest.raises(TableError):
        write_table(frame, tmp_path / name, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_table_without_one_of_its_columns_is_refused(name: str) -> None:
    for column in SCHEMAS[name].columns:
        with pytest.raises(TableError, match=f"column '{column}' is missing"):
            checked(made(name).drop(columns=column), name, "made")


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_row_that_stands_twice_is_refused(name: str) -> None:
    twice = pd.concat([made(name), made(name).iloc[[0]]])
    with pytest.raises(TableError, match=r"made: row 3 repeats"):
        checked(twice, name, "made")


def test_a_misspelt_column_names_the_nearest() -> None:
    with pytest.raises(TableError, match="no column 'heart_rate'; did you mean 'heart_rate_bpm'"):
        checked(made("pages.csv").assign(heart_rate=81), "pages.csv", "made")


def test_an_unknown_table_names_the_nearest() -> None:
    with pytest.raises(TableError, match=r"no contract named 'page\.csv'; did you mean 'pages\.csv'"):
        checked(made("pages.csv"), "page.csv", "made")


def test_a_table_whose_columns_are_in_another_order_is_put_in_order() -> None:
    frame = made("pages.csv")
    assert list(checked(frame[frame.columns[::-1]], "pages.csv", "made")) == list(frame)


def test_a_missing_table_says_what_must_run_first(tmp_path: Path) -> None:
    with pytest.raises(
        MissingInput, match=r"no such table. The notebook that writes folds\.csv must run first"
    ):
        read_table(tmp_path / "folds.csv", "folds.csv")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00page", b'a,b\n1,2,3,4\n"', b"PK\x03\x04" + bytes(range(256))]
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pages.csv").write_bytes(content)
    with pytest.raises(TableError, match=r"pages\.csv: "):
        read_table(tmp_path / "pages.csv", "pages.csv")


def test_a_header_that_was_not_read_stays_empty_through_a_table(tmp_path: Path) -> None:
    fields = ["recording_id", "sex", "recorded_at", "heart_rate_bpm", "lead_off"]
    write_table(made("pages.csv").assign(**dict.fromkeys(fields)), tmp_path / "pages.csv", "pages.csv")
    assert read_table(tmp_path / "pages.csv", "pages.csv")[fields].isna().all(axis=None)


def test_an_id_keeps_its_leading_zero(tmp_path: Path) -> None:
    write_table(made("pages.csv").assign(recording_id="016861"), tmp_path / "pages.csv", "pages.csv")
    assert set(read_table(tmp_path / "pages.csv", "pages.csv")["recording_id"]) == {"016861"}


def test_all_twelve_leads_of_a_page_may_answer_once_each() -> None:
    rows = [ROWS["predictions.csv"] | {"lead": lead} for lead in LEADS]
    assert len(checked(pd.DataFrame(rows), "predictions.csv", "made")) == 12


# --- folds -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grouped(sample_pages: pd.DataFrame) -> pd.DataFrame:
    return make_folds(sample_pages, "grouped", [1, 2])


@pytest.fixture(scope="module")
def leaky(sample_folder: Path, sample_pages: pd.DataFrame) -> pd.DataFrame:
    return make_folds(sample_pages, "leaky_copies", [1], find_pages(sample_folder).files)


@pytest.mark.parametrize("protocol", ["grouped", "distinct"])
def test_every_page_is_tested_once_a_seed(sample_pages: pd.DataFrame, protocol: str) -> None:
    folds = make_folds(sample_pages, protocol, [1, 2, 3])
    for _, tested in folds.groupby("seed"):
        assert sorted(tested["unit_id"]) == sorted(sample_pages["page_id"])
        assert set(tested["fold"]) == set(range(1, N_FOLDS + 1))


def test_pages_of_one_printed_id_are_tested_together(
    grouped: pd.DataFrame, sample_pages: pd.DataFrame
) -> None:
    table = grouped.merge(sample_pages.rename(columns={"page_id": "unit_id"})[["unit_id", "recording_id"]])
    assert (table.groupby(["seed", "recording_id"])["fold"].nunique() == 1).all()
    assert table.groupby(["seed", "recording_id"]).size().max() > 1  # else it would prove nothing


def test_each_fold_holds_every_class(grouped: pd.DataFrame) -> None:
    assert (grouped.groupby(["seed", "fold"])["label"].nunique() == len(CLASSES)).all()


def test_each_fold_of_the_published_set_holds_every_class() -> None:
    folds = make_folds(shipped(), "grouped", [1, 2, 3])
    assert (folds.groupby(["seed", "fold"])["label"].nunique() == len(CLASSES)).all()


def test_another_seed_gives_other_folds_of_the_published_set() -> None:
    folds = make_folds(shipped(), "grouped", [1, 2]).pivot_table(
        index="unit_id", columns="seed", values="fold"
    )
    assert len(folds) == 491
    assert (folds[1] != folds[2]).mean() > 0.5


def test_the_same_seed_gives_the_same_folds(grouped: pd.DataFrame, sample_pages: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(make_folds(sample_pages, "grouped", [1, 2]), grouped)


@pytest.mark.parametrize("protocol", ["grouped", "distinct"])
def test_folds_keep_their_contract(sample_pages: pd.DataFrame, protocol: str) -> None:
    assert len(checked(make_folds(sample_pages, protocol, [1]), "folds.csv", "made")) == 48


def test_a_page_without_a_readable_id_is_a_group_of_its_own(sample_pages: pd.DataFrame) -> None:
    unread = sample_pages.assign(recording_id=sample_pages["recording_id"].mask(sample_pages.index < 6))
    groups = group_ids(unread)
    assert groups.iloc[:6].tolist() == [f"page-{page}" for page in unread["page_id"].iloc[:6]]
    assert groups.iloc[6:].str.startswith("id-").all()
    tested = make_folds(unread, "grouped", [1])
    assert tested["group_id"].nunique() == groups.nunique()


def test_pages_none_of_whose_ids_was_read_still_give_folds(sample_pages: pd.DataFrame) -> None:
    unread = checked(sample_pages.assign(recording_id=None), "pages.csv", "made")
    assert make_folds(unread, "grouped", [1])["group_id"].nunique() == 48


def test_distinct_folds_split_pages_of_one_id_and_the_check_says_so(sample_pages: pd.DataFrame) -> None:
    folds = make_folds(sample_pages, "distinct", [1]).merge(
        sample_pages[["page_id", "recording_id"]], left_on="unit_id", right_on="page_id"
    )
    tested = folds["fold"] == 1
    with pytest.raises(LeakError, match=r"group\(s\) are on both sides"):
        assert_disjoint(folds.loc[~tested, "recording_id"], folds.loc[tested, "recording_id"], "fold 1")


def test_a_copy_in_train_and_test_is_refused(leaky: pd.DataFrame) -> None:
    tested = leaky["fold"] == 1
    both = sorted(set(leaky.loc[tested, "group_id"]) & set(leaky.loc[~tested, "group_id"]))
    with pytest.raises(LeakError, match=rf"fold 1: {len(both)} group\(s\).*{both[0]}, {both[1]}, {both[2]}"):
        assert_disjoint(leaky.loc[~tested, "group_id"], leaky.loc[tested, "group_id"], "fold 1")


def test_leaky_copies_test_every_file_once(leaky: pd.DataFrame) -> None:
    assert len(checked(leaky, "folds.csv", "made")) == 155
    assert leaky["path"].is_unique
    assert leaky["unit_id"].nunique() == 48


def test_leaky_copies_cannot_be_made_without_the_files(sample_pages: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="give the table of files"):
        make_folds(sample_pages, "leaky_copies", [1])


def test_groups_apart_are_no_leak() -> None:
    assert_disjoint(["id-1", "id-2"], ["id-3"], "fold 1")


def test_an_unknown_protocol_names_the_nearest(sample_pages: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match="no protocol is called 'groupd'; did you mean 'grouped'"):
        make_folds(sample_pages, "groupd", [1])


@pytest.mark.parametrize("protocol", ["grouped", "distinct"])
def test_a_class_of_three_pages_cannot_be_split_in_five(sample_pages: pd.DataFrame, protocol: str) -> None:
    few = sample_pages[(sample_pages["label"] != "mi") | (sample_pages.groupby("label").cumcount() < 3)]
    with pytest.raises(InputError, match="class 'mi' has 3 pages; 5 folds need 5 at least"):
        make_folds(few, protocol, [1])


def test_a_class_whose_pages_share_three_ids_cannot_be_grouped_in_five(sample_pages: pd.DataFrame) -> None:
    mi = sample_pages["label"] == "mi"
    ids = pd.Series([f"9000{row % 3}" for row in range(len(sample_pages))], index=sample_pages.index)
    few = sample_pages.assign(recording_id=sample_pages["recording_id"].mask(mi, ids))
    with pytest.raises(InputError, match="class 'mi' has 3 groups of pages"):
        make_folds(few, "grouped", [1])


def test_a_set_without_one_of_the_classes_can_still_be_split(sample_pages: pd.DataFrame) -> None:
    three = sample_pages[sample_pages["label"] != "mi"]
    assert set(make_folds(three, "grouped", [1])["label"]) == set(CLASSES) - {"mi"}
