"""Every protocol on the whole published set, and attempts to get one page's group onto both sides.

No picture is needed: the shipped catalogue knows the 491 distinct pages, the shipped manifest all 928 files. What
folds of the sample must be stands in ``test_tables.py``.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedKFold

from leadwise.audit import folds as of_a_folder
from leadwise.audit.folds import fold_folder
from leadwise.errors import InputError, LeakError, MissingInput, SettingsError
from leadwise.files import RESOURCES
from leadwise.folds import pages as folds
from leadwise.folds.pages import (
    N_FOLDS,
    PROTOCOLS,
    assert_disjoint,
    fingerprint,
    group_ids,
    make_folds,
    published,
    published_form,
)
from leadwise.names import CLASSES
from leadwise.pages.read import read_page
from leadwise.sets.catalogue import shipped
from leadwise.tables import checked

SEEDS = (1, 2, 3)
PARTITIONS = [f"{protocol}_{seed}" for protocol in ("grouped", "distinct") for seed in SEEDS]
BY_FILE = ("leaky_copies", "leaky_pooled", "leaky_file_90_10")


@pytest.fixture(scope="module")
def pages() -> pd.DataFrame:
    """The 491 distinct pages; tests change copies."""
    return shipped().copy()


@pytest.fixture(scope="module")
def files() -> pd.DataFrame:
    """The 928 files, as the set was published."""
    return pd.read_csv(RESOURCES / "mendeley.csv")


@pytest.fixture(scope="module")
def made(pages: pd.DataFrame, files: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Folds of the whole set under every protocol."""
    return {protocol: make_folds(pages, protocol, SEEDS, files) for protocol in PROTOCOLS}


def few_pages(labels: Iterable[str], ids: Iterable[str | None]) -> pd.DataFrame:
    """Made pages, all of one month."""
    table = pd.DataFrame({"label": list(labels), "recording_id": pd.Series(list(ids), dtype="str")})
    names = [f"{number:012x}" for number in range(len(table))]
    return table.assign(page_id=names, sha256=names, path=names, copies=1, recorded_at="2020-10-20T14:00:00")


def connected(pages: pd.DataFrame, traces: Iterable[int]) -> np.ndarray:
    """Which of the pages belong together, found another way: parts of the graph of all pairs."""
    ids, traces = pages["recording_id"].to_numpy(object, na_value=None), np.array(list(traces))
    known = np.array([one is not None for one in ids])
    same_id = (ids[:, None] == ids[None, :]) & known[:, None] & known[None, :]
    return np.asarray(connected_components(same_id | (traces[:, None] == traces[None, :]))[1])


# --- all protocols ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_folds_of_the_whole_set_keep_their_contract(made: dict[str, pd.DataFrame], protocol: str) -> None:
    table = checked(made[protocol], "folds.csv", "made")
    assert set(table["protocol"]) == {protocol}
    assert set(table["seed"]) == set(SEEDS)


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "by_month"])
def test_each_seed_has_a_partition_of_its_own(made: dict[str, pd.DataFrame], protocol: str) -> None:
    rows = {
        seed: set(zip(part["path"], part["fold"], part["part"], strict=True))
        for seed, part in made[protocol].groupby("seed")
    }
    assert len(rows[1] & rows[2]) < 0.9 * len(rows[1])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_same_pages_in_the_same_order_give_the_same_folds(
    made: dict[str, pd.DataFrame], pages: pd.DataFrame, files: pd.DataFrame, protocol: str
) -> None:
    again = make_folds(pages.set_index(pages.index + 7), protocol, SEEDS, files)
    pd.testing.assert_frame_equal(again, made[protocol])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_class_of_four_pages_cannot_be_split_under_any_protocol(
    pages: pd.DataFrame, files: pd.DataFrame, protocol: str
) -> None:
    few = pages[(pages["label"] != "normal") | (pages.groupby("label").cumcount() < 4)]
    with pytest.raises(InputError, match="class 'normal' has 4 pages; 5 folds need 5 at least"):
        make_folds(few, protocol, [1], files)


@pytest.mark.parametrize("protocol", BY_FILE)
def test_what_splits_files_cannot_be_made_without_them(pages: pd.DataFrame, protocol: str) -> None:
    with pytest.raises(InputError, match=f"{protocol} splits files: give the table of files"):
        make_folds(pages, protocol, [1])


@pytest.mark.parametrize("protocol", BY_FILE)
def test_where_files_are_split_the_group_is_the_page(made: dict[str, pd.DataFrame], protocol: str) -> None:
    assert (made[protocol]["group_id"] == made[protocol]["unit_id"]).all()


@pytest.mark.parametrize(("word", "meant"), [("leaky_pool", "leaky_pooled"), ("by_months", "by_month")])
def test_a_mistyped_protocol_names_the_nearest(pages: pd.DataFrame, word: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"no protocol is called '{word}'; did you mean '{meant}'"):
        make_folds(pages, word, [1])


def test_a_protocol_like_none_names_them_all(pages: pd.DataFrame) -> None:
    with pytest.raises(SettingsError, match="'12'; known are: by_month, distinct, grouped, leaky_copies"):
        make_folds(pages, "12", [1])


# --- groups ----------------------------------------------------------------------------------------------


def test_pages_of_one_trace_are_one_group_whatever_id_was_printed() -> None:
    groups = group_ids(few_pages(["mi"] * 3, ["00002", "00001", "00003"]), [7, 7, 8])
    assert groups.tolist() == ["id-00001", "id-00001", "id-00003"]


def test_pages_are_joined_from_id_to_trace_to_id() -> None:
    """1 and 2 share an id, 2 and 3 a trace, 3 and 4 an id, 4 and 5 a trace; 6 stands alone."""
    chain = few_pages(["mi"] * 6, ["00009", "00009", "00005", "00005", None, "00001"])
    groups = group_ids(chain, [1, 2, 2, 3, 3, 4])
    assert groups.tolist() == ["id-00005"] * 5 + ["id-00001"]


def test_a_page_without_an_id_is_joined_by_its_trace() -> None:
    groups = group_ids(few_pages(["mi"] * 4, [None, "00005", None, None]), [1, 1, 2, 2])
    assert groups.tolist() == ["id-00005", "id-00005", "page-000000000002", "page-000000000002"]


def test_an_id_joins_no_page_whose_id_was_not_read() -> None:
    assert group_ids(few_pages(["mi"] * 3, [None, None, None]), [1, 2, 3]).nunique() == 3


def test_traces_that_differ_leave_groups_by_id_as_they_are(pages: pd.DataFrame) -> None:
    pd.testing.assert_series_equal(group_ids(pages, range(491)), group_ids(pages), check_names=False)


def test_pages_of_one_trace_are_tested_together_though_their_ids_differ() -> None:
    twins, trace = few_pages(CLASSES * 10, [f"{page:05}" for page in range(40)]), np.arange(40) % 20
    by_id = make_folds(twins, "grouped", [1])["fold"].groupby(trace).nunique()
    by_trace = make_folds(twins, "grouped", [1], traces=trace.tolist())["fold"].groupby(trace).nunique()
    assert by_id.max() == 2  # else it would prove nothing
    assert by_trace.max() == 1


def test_a_class_whose_pages_show_three_traces_cannot_be_grouped_in_five() -> None:
    pages = few_pages(CLASSES * 10, [f"{page:05}" for page in range(40)])
    traces = [page // 4 % 3 if label == "mi" else 100 + page for page, label in enumerate(CLASSES * 10)]
    with pytest.raises(InputError, match="class 'mi' has 3 groups of pages; 5 folds need 5 at least"):
        make_folds(pages, "grouped", [1], traces=traces)


LINKS = st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=16)


def linked(pairs: list[tuple[int, int]]) -> list[int]:
    """A number a page, the same where a pair links two."""
    numbers = list(range(40))
    for one, other in pairs:
        numbers[other] = numbers[one]
    return numbers


@settings(max_examples=60, deadline=None, derandomize=True)
@given(by_id=LINKS, by_trace=LINKS, unread=st.sets(st.integers(0, 39), max_size=8))
def test_groups_are_the_connected_parts_of_all_pages(
    by_id: list[tuple[int, int]], by_trace: list[tuple[int, int]], unread: set[int]
) -> None:
    ids = [None if page in unread else f"{one:05}" for page, one in enumerate(linked(by_id))]
    table, traces = few_pages(CLASSES * 10, ids), linked(by_trace)
    groups, parts = group_ids(table, traces).to_numpy(str), connected(table, traces)
    np.testing.assert_array_equal(groups[:, None] == groups, parts[:, None] == parts)


# --- attempts to leak ------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True)
@given(by_id=LINKS, by_trace=LINKS, unread=st.sets(st.integers(0, 39), max_size=8), seed=st.integers(0, 99))
def test_however_pages_are_linked_no_id_and_no_trace_is_tested_in_two_folds(
    by_id: list[tuple[int, int]], by_trace: list[tuple[int, int]], unread: set[int], seed: int
) -> None:
    ids = [None if page in unread else f"{one:05}" for page, one in enumerate(linked(by_id))]
    table, traces = few_pages(CLASSES * 10, ids), linked(by_trace)
    try:
        tested = make_folds(table, "grouped", [seed], traces=traces)
    except InputError:
        parts = table.assign(part=connected(table, traces)).groupby("label")["part"].nunique()
        assert parts.min() < N_FOLDS
        return
    assert tested["unit_id"].tolist() == table["page_id"].tolist()
    assert (tested.groupby(linked(by_trace))["fold"].nunique() == 1).all()
    assert (tested.groupby(table["recording_id"])["fold"].nunique() <= 1).all()


class Careless:
    """A splitter that forgets what it was told of groups."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def split(self, pages: pd.DataFrame, labels: pd.Series, _: object = None) -> Iterator[tuple]:
        return StratifiedKFold(N_FOLDS).split(pages, labels)


def test_a_splitter_that_forgets_groups_is_found_out(
    pages: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folds, "StratifiedGroupKFold", Careless)
    with pytest.raises(LeakError, match=r"fold 1: \d+ group\(s\) are on both sides, id-"):
        make_folds(pages, "grouped", [1])


@pytest.mark.parametrize("protocol", ["distinct", "leaky_copy_weights"])
def test_a_page_listed_twice_is_found_out_where_pages_are_split(pages: pd.DataFrame, protocol: str) -> None:
    with pytest.raises(LeakError, match=r"fold 1: \d+ group\(s\) are on both sides"):
        make_folds(pd.concat([pages, pages]), protocol, [1])


def test_a_page_listed_twice_stays_on_one_side_where_groups_are_split(pages: pd.DataFrame) -> None:
    tested = make_folds(pd.concat([pages, pages]), "grouped", [1])
    assert len(tested) == 982
    assert (tested.groupby("unit_id")["fold"].nunique() == 1).all()


def test_an_id_printed_in_two_months_is_refused_where_months_are_split(pages: pd.DataFrame) -> None:
    month = pages["recorded_at"].str[:7]
    first = pages.loc[month == "2019-11", "recording_id"].iloc[0]
    again = pages.assign(recording_id=pages["recording_id"].mask(month == "2020-10", first))
    with pytest.raises(LeakError, match=rf"fold 1: 1 group\(s\) are on both sides, id-{first}"):
        make_folds(again, "by_month", [1])


def test_a_leak_of_many_groups_names_three(pages: pd.DataFrame) -> None:
    with pytest.raises(LeakError, match=r"^fold 4: 5 group\(s\) are on both sides, a, b, c among them\."):
        assert_disjoint("edcbaz", "abcdey", "fold 4")


# --- grouped and distinct --------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["grouped", "distinct", "leaky_copy_weights"])
def test_all_491_pages_are_tested_once_a_seed(
    made: dict[str, pd.DataFrame], pages: pd.DataFrame, protocol: str
) -> None:
    for _, tested in made[protocol].groupby("seed"):
        assert sorted(tested["unit_id"]) == sorted(pages["page_id"])
        assert set(tested["fold"]) == set(range(1, N_FOLDS + 1))
        assert set(tested["part"]) == {"test"}


def test_distinct_pages_are_groups_of_their_own_and_their_ids_are_split(
    made: dict[str, pd.DataFrame], pages: pd.DataFrame
) -> None:
    tested = made["distinct"].merge(pages[["page_id", "recording_id"]], left_on="unit_id", right_on="page_id")
    assert (tested["group_id"] == tested["unit_id"]).all()
    assert (tested.groupby(["seed", "recording_id"])["fold"].nunique() > 1).any()


def test_copy_weights_are_learnt_on_the_folds_of_distinct_pages(made: dict[str, pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(
        made["leaky_copy_weights"].drop(columns="protocol"), made["distinct"].drop(columns="protocol")
    )


# --- by_month --------------------------------------------------------------------------------------------


def test_each_month_is_a_fold_in_order_of_time(made: dict[str, pd.DataFrame], pages: pd.DataFrame) -> None:
    tested = made["by_month"].merge(pages[["page_id", "recorded_at"]], left_on="unit_id", right_on="page_id")
    months = tested.groupby("fold")["recorded_at"].agg(lambda times: "/".join(sorted(set(times.str[:7]))))
    assert months.to_dict() == {1: "2019-11", 2: "2020-08", 3: "2020-10"}
    assert len(tested) == 3 * 491


def test_months_are_the_same_for_all_seeds(made: dict[str, pd.DataFrame]) -> None:
    assert (made["by_month"].groupby("unit_id")["fold"].nunique() == 1).all()


def test_a_page_without_a_printed_date_belongs_to_no_month(pages: pd.DataFrame) -> None:
    undated = pages.assign(recorded_at=pages["recorded_at"].mask(pages.index < 9))
    assert set(make_folds(undated, "by_month", [1])["unit_id"]) == set(pages["page_id"].iloc[9:])


@pytest.mark.parametrize(("kept", "months"), [("2020-10", 1), (None, 0)])
def test_pages_of_one_month_or_none_cannot_be_split_by_month(
    pages: pd.DataFrame, kept: str | None, months: int
) -> None:
    dates = pages["recorded_at"].where(pages["recorded_at"].str[:7] == (kept or "never"))
    with pytest.raises(InputError, match=f"two months at least; these are of {months}"):
        make_folds(pages.assign(recorded_at=dates), "by_month", [1])


# --- leaky protocols: they must leak as published work does ----------------------------------------------


def test_leaky_copies_test_each_of_928_files_once_a_seed(
    made: dict[str, pd.DataFrame], files: pd.DataFrame
) -> None:
    for _, tested in made["leaky_copies"].groupby("seed"):
        assert sorted(tested["path"]) == sorted(files["path"])
        spread = tested.groupby(["label", "fold"]).size().groupby("label")
        assert (spread.max() - spread.min() <= 1).all()


def test_leaky_copies_put_every_mi_page_on_both_sides_and_no_abnormal_heartbeat(
    made: dict[str, pd.DataFrame],
) -> None:
    for _, tested in made["leaky_copies"].groupby("seed"):
        folds_of = tested.groupby(["label", "unit_id"])["fold"].nunique()
        assert (folds_of["mi"] > 1).all()
        assert (folds_of["abnormal_heartbeat"] == 1).all()


@pytest.fixture(scope="module", params=SEEDS, ids="seed {}".format)
def pooled(made: dict[str, pd.DataFrame], request: pytest.FixtureRequest) -> pd.DataFrame:
    return made["leaky_pooled"].query("seed == @request.param")


def test_pooled_folds_hold_normal_and_abnormal_heartbeat_alone(pooled: pd.DataFrame) -> None:
    assert set(pooled["label"]) == {"normal", "abnormal_heartbeat"}
    assert pooled["path"].nunique() == 517


def test_pooled_folds_are_as_large_as_published(pooled: pd.DataFrame) -> None:
    sizes = pooled.groupby(["label", "fold", "part"]).size().unstack()[["train", "val"]].apply(tuple, axis=1)
    assert sorted(sizes["abnormal_heartbeat"]) == [(148, 38)] * 3 + [(149, 38)] * 2
    assert sorted(sizes["normal"]) == [(181, 46)] * 4 + [(182, 46)]
    assert pooled["part"].value_counts().to_dict() == {"train": 1648, "val": 420}


def test_in_one_fold_no_file_both_trains_and_validates(pooled: pd.DataFrame) -> None:
    assert not pooled.duplicated(["fold", "path"]).any()


def test_each_file_is_left_out_of_one_pooled_fold(pooled: pd.DataFrame) -> None:
    assert (pooled.groupby("path")["fold"].nunique() == N_FOLDS - 1).all()


def test_pooled_validation_is_112_files_most_of_them_four_times(pooled: pd.DataFrame) -> None:
    times = pooled.loc[pooled["part"] == "val", "path"].value_counts()
    assert len(times) == pytest.approx(112, abs=2)  # 112 as published; the draw moves it
    assert (times == 4).sum() == pytest.approx(98, abs=4)


def test_pooled_over_folds_a_dozen_files_train_and_validate(pooled: pd.DataFrame) -> None:
    parts = pooled.groupby("path")["part"].nunique()
    assert (parts == 2).sum() == pytest.approx(14, abs=6)  # 14 as published


def test_pooled_over_folds_most_normal_pages_train_by_a_copy_and_abnormal_ones_do_not(
    pooled: pd.DataFrame,
) -> None:
    val, train = (pooled[pooled["part"] == part] for part in ("val", "train"))
    known = val["unit_id"].isin(train["unit_id"]).groupby(val["label"]).mean()
    assert known["normal"] == pytest.approx(0.82, abs=0.1)  # 82 % over 200 orders of the files
    same_file = val["path"].isin(train["path"]).groupby(val["label"]).mean()
    assert known["abnormal_heartbeat"] == same_file["abnormal_heartbeat"]


@pytest.fixture(scope="module", params=SEEDS, ids="seed {}".format)
def last_tenth(made: dict[str, pd.DataFrame], request: pytest.FixtureRequest) -> pd.DataFrame:
    return made["leaky_file_90_10"].query("seed == @request.param")


def test_a_tenth_of_all_files_validates(last_tenth: pd.DataFrame, files: pd.DataFrame) -> None:
    assert last_tenth["part"].value_counts().to_dict() == {"train": 836, "val": 92}
    assert sorted(last_tenth["path"]) == sorted(files["path"])
    assert set(last_tenth["fold"]) == {1}


def test_two_thirds_of_the_last_tenth_have_a_copy_in_train_all_of_mi_do(last_tenth: pd.DataFrame) -> None:
    val, train = (last_tenth[last_tenth["part"] == part] for part in ("val", "train"))
    copied = val["unit_id"].isin(train["unit_id"])
    assert copied.mean() == pytest.approx(2 / 3, abs=0.1)
    share = copied.groupby(val["label"]).mean()
    assert share["mi"] == 1
    assert share["abnormal_heartbeat"] == 0


# --- published folds -------------------------------------------------------------------------------------


def test_published_folds_are_those_that_the_shipped_catalogue_gives(made: dict[str, pd.DataFrame]) -> None:
    table = published_form(pd.concat(made.values(), ignore_index=True))
    pd.testing.assert_frame_equal(table, published(), check_dtype=False)


def test_published_folds_hold_each_of_the_491_pages_once(pages: pd.DataFrame) -> None:
    table = published()
    assert table["page_id"].tolist() == pages["page_id"].tolist()
    assert table["label"].tolist() == pages["label"].tolist()
    assert table.columns.tolist() == ["page_id", "group_id", "label", *PARTITIONS, "by_month"]


def test_published_folds_have_the_fingerprint_by_which_they_are_cited() -> None:
    """Results name it: it may change only with the folds themselves, and then all results are made anew."""
    assert fingerprint(published()) == "dd1daa7d2c21"


@pytest.mark.parametrize("seed", SEEDS)
def test_published_groups_and_ids_are_tested_in_one_fold(pages: pd.DataFrame, seed: int) -> None:
    table = published().merge(pages[["page_id", "recording_id"]], on="page_id")
    for key in ("group_id", "recording_id"):
        assert (table.groupby(key)[f"grouped_{seed}"].nunique() == 1).all()
        assert table.groupby(key).size().max() > 1


@pytest.mark.parametrize("partition", PARTITIONS)
def test_classes_are_spread_evenly_over_published_folds(partition: str) -> None:
    counts = published().groupby([partition, "label"]).size().unstack(fill_value=0)
    assert (counts.max() - counts.min() <= 2).all()
    assert (counts["mi"] == 6).all()


def test_the_fingerprint_does_not_depend_on_the_order_of_rows_and_columns_or_on_groups_names() -> None:
    table = published()
    turned = table.iloc[::-1, ::-1].assign(group_id="another")
    assert fingerprint(turned) == fingerprint(table)


@pytest.mark.parametrize("partition", [*PARTITIONS, "by_month"])
def test_the_fingerprint_tells_one_page_in_another_fold(partition: str) -> None:
    table = published()
    table.loc[100, partition] = table.loc[100, partition] % 3 + 1
    assert fingerprint(table) != fingerprint(published())


def test_leaky_folds_are_not_published(made: dict[str, pd.DataFrame]) -> None:
    table = published_form(pd.concat([made["grouped"], made["leaky_pooled"], made["leaky_copies"]]))
    assert not [column for column in table.columns if "leaky" in column]


# --- folds of a folder -----------------------------------------------------------------------------------

FRAME_TOP, FRAME_BOTTOM = 275, 1519  # rows of a page as published; id and date are printed outside


@pytest.fixture(scope="module")
def own_folder(
    sample_folder: Path, sample_pages: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The 48 pages of the sample, and one of them again: saved anew with nothing printed around the frame."""
    folder = tmp_path_factory.mktemp("own pages")
    for path in sample_pages["path"]:
        (folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(sample_folder / path, folder / path)
    first = folder / sample_pages["path"].iloc[0]
    page = read_page(first)
    page[:FRAME_TOP], page[FRAME_BOTTOM:] = 255, 255
    cv2.imwrite(str(first.with_name("MI(900).jpg")), page, [cv2.IMWRITE_JPEG_QUALITY, 30])
    return folder


@pytest.fixture(scope="module")
def own_folds(own_folder: Path) -> pd.DataFrame:
    return fold_folder(own_folder, [1, 2])[0]


def test_a_page_saved_anew_is_tested_with_the_page_it_was(
    own_folds: pd.DataFrame, sample_pages: pd.DataFrame
) -> None:
    saved = own_folds[~own_folds["page_id"].isin(sample_pages["page_id"])]
    original = own_folds[own_folds["page_id"] == sample_pages["page_id"].iloc[0]]
    together = ["group_id", "label", "grouped_1", "grouped_2"]
    assert len(own_folds) == 49
    assert saved[together].to_numpy().tolist() == original[together].to_numpy().tolist()


def test_folds_of_a_folder_keep_groups_together(own_folds: pd.DataFrame) -> None:
    assert own_folds["group_id"].nunique() < 48
    assert (own_folds.groupby("group_id")[["grouped_1", "grouped_2"]].nunique() == 1).all(axis=None)


def test_a_page_without_a_date_has_folds_but_no_month(
    own_folds: pd.DataFrame, sample_pages: pd.DataFrame
) -> None:
    undated = own_folds["by_month"].isna()
    assert own_folds.loc[undated, "page_id"].isin(sample_pages["page_id"]).sum() == 0
    assert undated.sum() == 1
    assert own_folds.drop(columns="by_month").notna().all(axis=None)


def test_a_folder_of_one_month_has_no_column_of_months(
    sample_folder: Path, sample_pages: pd.DataFrame, tmp_path: Path
) -> None:
    of_month = sample_pages["recorded_at"].str.startswith("2020-10")
    of_class = sample_pages["label"].isin(["mi", "history_of_mi"])  # in that month the others have few ids
    for path in sample_pages.loc[of_month & of_class, "path"]:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(sample_folder / path, tmp_path / path)
    table, _ = fold_folder(tmp_path, [1])
    assert table.columns.tolist() == ["page_id", "group_id", "label", "grouped_1", "distinct_1"]


# --- what cannot be had is left out, and what is written is what is read ------------------------------------


def test_an_id_that_stands_in_two_months_takes_by_month_away_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = shipped().reset_index(drop=True)
    first, last = pages["recorded_at"].idxmin(), pages["recorded_at"].idxmax()
    pages.loc[last, "recording_id"] = pages.loc[first, "recording_id"]
    looked = pages.assign(foreign="", page=range(len(pages)))
    nothing = pd.DataFrame(columns=["path", "why"])
    monkeypatch.setattr(
        of_a_folder, "gather", lambda *_, **__: SimpleNamespace(files=looked, problems=nothing)
    )
    table, notes = fold_folder(tmp_path, [1])
    assert notes == []
    assert "by_month" not in table
    assert {"grouped_1", "distinct_1"} <= set(table)


def test_pages_whose_ids_and_dates_are_all_unread_still_have_folds() -> None:
    pages = shipped().assign(recording_id=np.nan, recorded_at=np.nan)
    table = make_folds(pages, "grouped", [1])
    assert table["group_id"].nunique() == 491
    with pytest.raises(InputError, match="two months"):
        make_folds(pages, "by_month", [1])


def test_what_was_left_out_of_the_folds_is_told(own_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(own_folder, tmp_path / "own")
    folder = next(path for path in (tmp_path / "own").iterdir() if path.is_dir())
    cv2.imwrite(str(folder / "blank.png"), np.full((400, 600, 3), 255, np.uint8))
    (folder / "cut.jpg").write_bytes(b"no picture")
    table, notes = fold_folder(tmp_path / "own", [1])
    assert len(table) == 49
    assert notes[0].startswith(f"Of what lies there one was left out; {folder.name}/cut.jpg: not an image")
    assert notes[1] == "1 pages are of no known layout, and in no fold."
    assert notes[2].startswith("1 pages' printed ids were not read: they may belong together")


def test_a_folder_that_names_no_class_is_told_and_in_no_fold(own_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(own_folder, tmp_path / "own")
    (tmp_path / "own" / "scans").mkdir()
    cv2.imwrite(str(tmp_path / "own" / "scans" / "page.png"), np.full((400, 600, 3), 255, np.uint8))
    table, notes = fold_folder(tmp_path / "own", [1])
    assert len(table) == 49
    assert notes[0] == "1 files lie below no folder that names a class, and in no fold."
    with pytest.raises(MissingInput, match="no images below a class folder"):
        fold_folder(tmp_path / "own" / "scans", [1])


def test_a_page_under_two_classes_is_in_no_folds(own_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(own_folder, tmp_path / "own")
    first, second, *_ = (path for path in (tmp_path / "own").iterdir() if path.is_dir())
    shutil.copy(next(first.iterdir()), second / "again.jpg")
    with pytest.raises(InputError, match="one page stands under two classes"):
        fold_folder(tmp_path / "own", [1])


def test_the_fingerprint_of_a_table_read_from_its_file_is_that_of_the_table(tmp_path: Path) -> None:
    table = published().astype({"by_month": "Int64"})
    table.loc[:3, "by_month"] = pd.NA  # pages without a date
    table.to_csv(tmp_path / "folds.csv", index=False)
    again = pd.read_csv(tmp_path / "folds.csv", dtype={"page_id": str})
    assert fingerprint(again) == fingerprint(table)


def test_the_published_pooled_folds_need_both_of_their_classes() -> None:
    pages = shipped().query("label in ['mi', 'normal']")
    with pytest.raises(InputError, match="abnormal_heartbeat is missing"):
        make_folds(pages, "leaky_pooled", [1], files=pages[["path", "sha256"]])
