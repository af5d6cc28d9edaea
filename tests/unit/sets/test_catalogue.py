"""Many pages: the sample, what a folder holds, the catalogue, and crops on disk."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import shutil
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from leadwise.errors import InputError, LeadwiseError, MissingInput, SettingsError, TableError
from leadwise.files import natural
from leadwise.names import CLASSES, LEADS
from leadwise.sets import arrays as cache
from leadwise.sets import catalogue, sample
from leadwise.sets.catalogue import build_catalogue, class_of, data_fingerprint, find_pages, shipped
from leadwise.sets.leads import cut_pages
from leadwise.tables import checked

MENDELEY = {
    "Normal Person ECG Images (284x12=3408)": "normal",
    "ECG Images of Patient that have abnormal heartbeat (233x12=2796)": "abnormal_heartbeat",
    "ECG Images of Patient that have History of MI (172x12=2064)": "history_of_mi",
    "ECG Images of Myocardial Infarction Patients (240x12=2880)": "mi",
}


def picture(shade: int) -> bytes:
    """A small PNG that is no page; another shade is another content."""
    return cv2.imencode(".png", np.full((8, 8, 3), shade, np.uint8))[1].tobytes()


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """Two pictures a class under plain names."""
    for number, label in enumerate(CLASSES):
        folder = tmp_path / "pages" / label
        folder.mkdir(parents=True)
        for page in (1, 2):
            (folder / f"{label}({page}).png").write_bytes(picture(10 * number + page))
    return tmp_path / "pages"


# --- what a folder holds ---------------------------------------------------------------------------------


def test_the_sample_has_155_files_of_48_pages_12_of_each_class(
    sample_folder: Path, sample_pages: pd.DataFrame
) -> None:
    found = find_pages(sample_folder)
    assert (len(found.files), found.files["sha256"].nunique(), len(found.problems)) == (155, 48, 0)
    assert sample_pages["label"].value_counts().to_dict() == dict.fromkeys(CLASSES, 12)
    assert sample_pages["copies"].sum() == 155


def test_files_are_listed_as_people_count(sample_folder: Path) -> None:
    for _, paths in find_pages(sample_folder).files.groupby("label")["path"]:
        numbers = [int(path.rsplit("(", 1)[1].split(")")[0]) for path in paths]
        assert numbers == sorted(numbers)


def test_page_ten_comes_after_page_nine() -> None:
    assert sorted(["MI(10).jpg", "MI(9).jpg", "mi(1).jpg"], key=natural) == [
        "mi(1).jpg",
        "MI(9).jpg",
        "MI(10).jpg",
    ]


def test_a_name_of_digits_and_one_of_letters_can_be_ordered() -> None:
    assert sorted(["a1", "1a", "b", "2", ""], key=natural)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *MENDELEY.items(),
        *((label, label) for label in CLASSES),
        ("Normal", "normal"),
        ("MI", "mi"),
        ("PMI", "history_of_mi"),
        ("HMI", "history_of_mi"),
        ("HB", "abnormal_heartbeat"),
        ("History-of-MI", "history_of_mi"),
        ("abnormal", "abnormal_heartbeat"),
        ("train", None),
        ("test", None),
        ("pages", None),
        ("emission", None),
        ("familiar", None),
    ],
)
def test_a_class_is_told_by_the_name_of_its_folder(name: str, label: str | None) -> None:
    assert class_of(name) == label


def test_classes_are_found_below_train_val_and_test(small_set: Path, tmp_path: Path) -> None:
    above = tmp_path / "split"
    for part, label in zip(("train", "val", "test", "test"), CLASSES, strict=True):
        shutil.copytree(small_set / label, above / part / label)
    files = find_pages(above).files
    assert files.groupby("label").size().to_dict() == dict.fromkeys(CLASSES, 2)
    assert files["path"].str.match(r"(train|val|test)/").all()


def test_the_nearest_folder_that_names_a_class_decides(small_set: Path, tmp_path: Path) -> None:
    shutil.copytree(small_set / "mi", tmp_path / "outer" / "normal and others" / "mi")
    assert set(find_pages(tmp_path / "outer").files["label"]) == {"mi"}


def test_hidden_files_are_passed_over_and_other_files_are_named(small_set: Path) -> None:
    (small_set / "mi" / "._mi(1).png").write_bytes(b"left by a Mac")
    (small_set / "mi" / "Thumbs.db").write_bytes(b"left by Windows")
    found = find_pages(small_set)
    assert len(found.files) == 8
    assert found.problems.to_dict("records") == [{"path": "mi/Thumbs.db", "why": "not an image by its name"}]


def test_a_file_that_cannot_be_read_is_a_problem_with_its_name_and_the_rest_goes_on(small_set: Path) -> None:
    (small_set / "mi" / "mi(3).png").write_bytes(picture(200)[:-20])
    (small_set / "normal" / "normal(3).jpg").write_text("no image", encoding="utf-8")
    (small_set / "normal" / "normal(4).jpg").touch()
    found = find_pages(small_set)
    assert len(found.files) == 8
    why = found.problems.set_index("path")["why"]
    assert list(why.index) == ["mi/mi(3).png", "normal/normal(3).jpg", "normal/normal(4).jpg"]
    assert "was cut off" in why.iloc[0]
    assert why.iloc[1].startswith("not an image")
    assert why.iloc[2] == "the file is empty."


def test_a_page_under_no_class_folder_is_named(small_set: Path) -> None:
    (small_set / "abnromal").mkdir()
    (small_set / "abnromal" / "lost.png").write_bytes(picture(99))
    problems = find_pages(small_set).problems
    assert problems.to_dict("records") == [
        {"path": "abnromal/lost.png", "why": "no folder above it names a class"}
    ]


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="nowhere: no such folder"):
        find_pages(tmp_path / "nowhere")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="no images below a class folder"):
        find_pages(tmp_path)


def test_pages_outside_class_folders_are_refused_and_the_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "1.png").write_bytes(picture(1))
    with pytest.raises(MissingInput, match="'normal', 'abnormal_heartbeat', 'history_of_mi' and 'mi'"):
        find_pages(tmp_path)


def test_a_page_that_stands_under_two_classes_is_refused(small_set: Path) -> None:
    shutil.copy(small_set / "mi" / "mi(1).png", small_set / "normal" / "healthy.png")
    with pytest.raises(InputError, match=r"under two classes \(mi/mi\(1\)\.png, normal/healthy\.png\)"):
        find_pages(small_set)


def test_a_copy_is_the_same_page_and_counted(small_set: Path) -> None:
    shutil.copy(small_set / "mi" / "mi(1).png", small_set / "mi" / "mi(10).png")
    files = find_pages(small_set).files
    assert (len(files), files["sha256"].nunique()) == (9, 8)


def test_the_fingerprint_is_the_same_in_another_place(small_set: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(small_set, tmp_path / "another place")
    assert data_fingerprint(find_pages(small_set).files) == data_fingerprint(find_pages(moved).files)


def test_the_fingerprint_tells_another_content_and_another_name(small_set: Path) -> None:
    before = data_fingerprint(find_pages(small_set).files)
    (small_set / "mi" / "mi(1).png").write_bytes(picture(99))
    changed = data_fingerprint(find_pages(small_set).files)
    (small_set / "mi" / "mi(1).png").rename(small_set / "mi" / "mi(7).png")
    renamed = data_fingerprint(find_pages(small_set).files)
    assert len({before, changed, renamed}) == 3
    assert len(before) == 12


# --- catalogue -------------------------------------------------------------------------------------------


def test_the_shipped_catalogue_has_the_counts_of_the_published_set() -> None:
    pages = shipped()
    counts = {"normal": 142, "abnormal_heartbeat": 233, "history_of_mi": 86, "mi": 30}
    assert pages["label"].value_counts().to_dict() == counts
    assert len(pages) == 491
    assert pages["copies"].sum() == 928
    assert pages["recording_id"].nunique() == 311
    assert (pages["sex"] == "male").sum() == 447


def test_the_pages_of_the_sample_have_the_fields_of_the_shipped_catalogue(
    sample_pages: pd.DataFrame,
) -> None:
    ours = checked(sample_pages, "pages.csv", "sample").set_index("sha256")
    pd.testing.assert_frame_equal(ours, shipped().set_index("sha256").loc[ours.index])


def test_the_sample_holds_whole_groups_of_one_printed_id(sample_pages: pd.DataFrame) -> None:
    known = shipped()
    same_id = known["recording_id"].isin(sample_pages["recording_id"])
    assert set(known.loc[same_id, "sha256"]) == set(sample_pages["sha256"])
    assert sample_pages.groupby("recording_id").size().max() > 1


def test_known_pages_are_not_read_again(sample_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "read_header", lambda *_: pytest.fail("a known page was read again"))
    _, unread = build_catalogue(find_pages(sample_folder).files, sample_folder)
    assert unread.empty


def test_an_unknown_page_is_read_by_ocr(
    sample_folder: Path, sample_pages: pd.DataFrame, tmp_path: Path
) -> None:
    pytest.importorskip("rapidocr", reason="rapidocr is not installed: pip install rapidocr onnxruntime")
    original = sample_pages.iloc[0]
    (tmp_path / "mi").mkdir()
    page = cv2.imread(str(sample_folder / original["path"]))
    cv2.imwrite(str(tmp_path / "mi" / "again.png"), page)
    pages, unread = build_catalogue(find_pages(tmp_path).files, tmp_path)
    fields = ["recording_id", "sex", "recorded_at", "heart_rate_bpm", "lead_off"]
    assert pages.iloc[0][fields].tolist() == original[fields].tolist()
    assert pages.iloc[0]["sha256"] != original["sha256"]
    assert unread.empty


def test_a_page_of_another_layout_keeps_empty_fields_and_is_named(small_set: Path) -> None:
    pages, unread = build_catalogue(find_pages(small_set).files, small_set)
    table = checked(pages, "pages.csv", "made")  # empty fields keep the contract
    assert table[["recording_id", "sex", "recorded_at", "heart_rate_bpm", "lead_off"]].isna().all(axis=None)
    assert unread["path"].tolist() == pages["path"].tolist()
    assert unread["why"].str.contains("known layout").all()


# --- sample ----------------------------------------------------------------------------------------------


@pytest.fixture
def own_sample(sample_folder: Path, tmp_path: Path) -> Path:
    """A copy of the unpacked sample that a test may damage."""
    return shutil.copytree(sample_folder, tmp_path / "own")


def test_unpacking_twice_writes_nothing_the_second_time(own_sample: Path) -> None:
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in own_sample.rglob("*")}

    before = times()
    assert sample.unpack_sample(own_sample) == own_sample
    assert times() == before


def test_a_damaged_page_is_repaired_on_the_next_call(own_sample: Path) -> None:
    page = next(own_sample.rglob("MI(1).jpg"))
    whole = page.read_bytes()
    page.write_bytes(whole[:1000])
    sample.unpack_sample(own_sample)
    assert page.read_bytes() == whole


def test_a_lost_page_is_restored_on_the_next_call(own_sample: Path) -> None:
    page = next(own_sample.rglob("MI(1).jpg"))
    page.unlink()
    sample.unpack_sample(own_sample)
    assert page.is_file()


def test_the_credit_lies_beside_the_pages(sample_folder: Path) -> None:
    credit = (sample_folder / "CREDITS.md").read_text(encoding="utf-8")
    assert "Mendeley" in credit
    assert "CC BY 4.0" in credit


def test_the_archive_never_decides_where_a_file_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture(5)
    resources = made_resources(tmp_path, {"../../climbs.png": data, "/tmp/root.png": picture(6)}, data)  # noqa: S108
    monkeypatch.setattr(sample, "RESOURCES", resources / "resources")
    folder = sample.unpack_sample(tmp_path / "a" / "b" / "pages")
    written = {
        path.relative_to(tmp_path).as_posix() for path in (tmp_path / "a").rglob("*") if path.is_file()
    }
    assert written == {f"a/b/pages/{name}" for name in ("mi/1.png", "mi/2.png", "CREDITS.md", ".complete")}
    assert (folder / "mi" / "1.png").read_bytes() == data
    assert not list(tmp_path.rglob("climbs.png"))


def test_an_archive_without_a_page_of_its_index_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = made_resources(tmp_path, {"1.png": picture(6)}, picture(5))
    monkeypatch.setattr(sample, "RESOURCES", resources / "resources")
    with pytest.raises(InputError, match=r"lacks 1 pages of its index, mi/1\.png for one"):
        sample.unpack_sample(tmp_path / "pages")
    assert not (tmp_path / "pages" / ".complete").exists()


def made_resources(tmp_path: Path, members: dict[str, bytes], listed: bytes) -> Path:
    """A package folder whose archive holds `members` and whose index wants `listed` in two places."""
    folder = tmp_path / "package" / "resources"
    folder.mkdir(parents=True)
    digest = hashlib.sha256(listed).hexdigest()
    rows = [f"mi/{number}.png,{digest},{len(listed)},mi/1.png" for number in (1, 2)]
    (folder / "sample.csv").write_text("\n".join(["path,sha256,bytes,first_copy", *rows]), encoding="utf-8")
    (folder / "CREDITS.md").write_text("CC BY 4.0", encoding="utf-8")
    with tarfile.open(folder / "sample.tar.xz", "w:xz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "../../elsewhere"
        archive.addfile(link)
    return folder.parent


# --- crops on disk ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cut(sample_folder: Path, sample_pages: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory):
    """Five pages, three of them real: folder of the arrays, rows, refused pages, pages."""
    folder = tmp_path_factory.mktemp("five")
    real = sample_pages.iloc[[0, 20, 40]]
    foreign = real.iloc[[0]].assign(page_id="0" * 12, path="mi/foreign.png")
    truncated = real.iloc[[0]].assign(page_id="1" * 12, path="mi/truncated.jpg")
    for path in real["path"]:
        (folder / path).parent.mkdir(exist_ok=True)
        shutil.copy(sample_folder / path, folder / path)
    (folder / "mi").mkdir()
    (folder / "mi" / "foreign.png").write_bytes(picture(9))
    (folder / "mi" / "truncated.jpg").write_bytes((folder / real["path"].iloc[0]).read_bytes()[:9000])
    pages = pd.concat([real.iloc[[0]], foreign, real.iloc[[1]], truncated, real.iloc[[2]]], ignore_index=True)
    return folder / "out", cut_pages(pages, folder, folder / "out"), real


def test_pages_that_cannot_be_cut_take_no_place_in_the_arrays(cut) -> None:
    out, _, real = cut
    assert cache.open_array(out / "leads.npy").shape == (3, 12, 300, 500)
    assert cache.open_array(out / "strip.npy").shape == (3, 300, 2000)
    assert cache.open_array(out / "signals.npy").shape == (3, 12, 625)
    assert cache.open_array(out / "rhythm.npy").shape == (3, 2500)
    assert {path.name for path in out.iterdir()} == {*cache.ARRAYS, "records"}
    wanted = {f"{page_id}.{kind}" for page_id in real["page_id"] for kind in ("hea", "dat", "csv")}
    assert {path.name for path in (out / "records").iterdir()} == wanted


def test_pages_that_cannot_be_cut_are_named_with_the_reason(cut) -> None:
    refused = cut[1].refused
    assert refused["path"].tolist() == ["mi/foreign.png", "mi/truncated.jpg"]
    assert "known layout" in refused["why"].iloc[0]
    assert "was cut off" in refused["why"].iloc[1]


def test_the_rows_of_leads_follow_the_arrays_and_keep_their_contract(cut) -> None:
    out, found, real = cut
    leads = checked(found.leads, "leads.csv", "cut")
    assert leads["page_id"].unique().tolist() == real["page_id"].tolist()
    assert leads["lead"].tolist() == 3 * [*LEADS, "strip"]
    assert leads["quality"].min() > 0.95
    crops = cache.open_array(out / "leads.npy")
    assert (crops.max(axis=(2, 3)) == 255).all()


def test_a_row_a_page_says_how_well_it_was_read(cut) -> None:
    out, found, real = cut
    table = checked(found.quality, "quality.csv", "cut")
    assert table["page_id"].tolist() == real["page_id"].tolist()
    assert table["einthoven_correlation"].min() > 0.97
    assert table["einthoven_rms_mv"].max() < 0.03
    printed = real["heart_rate_bpm"].to_numpy(float)
    assert ((table["heart_rate_bpm"] - printed).abs() <= np.maximum(3, 0.04 * printed)).all()
    assert np.isfinite(cache.open_array(out / "signals.npy")).all()
    assert found.pages_per_s > 1


def test_when_no_page_can_be_cut_the_reason_is_given(small_set: Path, tmp_path: Path) -> None:
    pages, _ = build_catalogue(find_pages(small_set).files, small_set)
    with pytest.raises(InputError, match=r"none of 8 pages could be cut.*known layout"):
        cut_pages(pages, small_set, tmp_path / "out")
    assert not (tmp_path / "out" / "leads.npy").exists()


def test_only_area_keeps_a_thin_stroke_between_the_pixels_that_the_others_look_at() -> None:
    crop = np.zeros((300, 500), np.uint8)
    crop[:, 253] = 255  # by a factor of five, nearest looks at 250 and bilinear at 252
    kept = {method: int(cache.shrink(crop, (60, 100), method).sum()) for method in cache.SHRINKING}
    assert kept == {"area": int(crop.sum()) // 25, "bilinear": 0, "nearest": 0}


@pytest.mark.parametrize("method", list(cache.SHRINKING))
def test_a_shrunk_crop_has_the_size_asked_for(method: str) -> None:
    small = cache.shrink(np.full((300, 500), 255, np.uint8), (96, 160), method)
    assert (small.shape, small.dtype, small.min()) == ((96, 160), np.uint8, 255)


def test_an_unknown_way_of_shrinking_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="did you mean 'bilinear'"):
        cache.shrink(np.zeros((3, 5), np.uint8), (1, 1), "bilinaer")


def test_all_leads_shrunk_on_disk_equal_each_shrunk_alone(cut, tmp_path: Path) -> None:
    crops = cache.open_array(cut[0] / "leads.npy")
    small = cache.shrink_leads(crops, tmp_path / "small.npy", (96, 160))
    assert small.shape == (3, 12, 96, 160)
    for page in range(3):
        for lead in range(12):
            np.testing.assert_array_equal(small[page, lead], cache.shrink(crops[page, lead], (96, 160)))


def test_crops_are_mapped_not_loaded_and_cannot_be_changed(cut) -> None:
    crops = cache.open_array(cut[0] / "leads.npy")
    assert isinstance(crops, np.memmap)
    assert not crops.flags.writeable


def test_missing_crops_name_the_notebook_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="Run 12_image_leads first"):
        cache.open_array(tmp_path / "leads.npy")


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 12, 300, 499), np.uint8), np.zeros((2, 12, 300, 500), np.float32), np.zeros(3, np.uint8)],
)
def test_crops_of_another_shape_or_type_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "leads.npy", array)
    with pytest.raises(TableError, match=r"leads\.npy: .* is needed"):
        cache.open_array(tmp_path / "leads.npy")


def test_half_an_array_is_refused(cut, tmp_path: Path) -> None:
    whole = (cut[0] / "leads.npy").read_bytes()
    (tmp_path / "leads.npy").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TableError, match="not an array that can be read"):
        cache.open_array(tmp_path / "leads.npy")


class Hostile:
    """What a pickle can do when it is opened."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("opened",))


@pytest.mark.parametrize("kind", ["pickle", "array of objects"])
def test_a_pickle_posing_as_crops_is_refused_and_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if kind == "pickle":
        Path("leads.npy").write_bytes(pickle.dumps(Hostile()))
    else:
        np.save("leads.npy", np.array([Hostile()], dtype=object), allow_pickle=True)
    with pytest.raises(LeadwiseError, match="not an array that can be read"):
        cache.open_array(tmp_path / "leads.npy")
    assert not (tmp_path / "opened").exists()


# --- the whole set ---------------------------------------------------------------------------------------


def test_the_whole_set_has_928_files_of_491_pages_all_in_the_shipped_catalogue(whole_set: Path) -> None:
    found = find_pages(whole_set)
    assert (len(found.files), found.files["sha256"].nunique(), len(found.problems)) == (928, 491, 0)
    pages, unread = build_catalogue(found.files, whole_set)
    assert unread.empty
    pd.testing.assert_frame_equal(checked(pages, "pages.csv", "whole set"), shipped())
