"""What an audit finds in a folder: every code, on a folder in which each is hidden once."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import costly_files
import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from leadwise import cli
from leadwise.audit.facts import Facts, gather
from leadwise.audit.findings import KINDS, Finding, as_json, find, leaks
from leadwise.audit.report import write_report
from leadwise.errors import MissingInput
from leadwise.files import write_json
from leadwise.pages.read import read_page
from leadwise.sets.traces import joined


def saved(path: Path, page: NDArray[np.uint8], quality: int = 95) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), page, [cv2.IMWRITE_JPEG_QUALITY, quality])


@pytest.fixture(scope="module")
def messy(
    sample_folder: Path, sample_pages: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Finding], Facts]:
    """A folder with train and test in which everything that can be wrong is wrong once, and what was found."""
    folder = tmp_path_factory.mktemp("messy")
    paths = [sample_folder / path for path in sample_pages["path"]]
    of_one_id = sample_pages.groupby("recording_id")["path"].apply(list)
    several = [sample_folder / path for path in max(of_one_id, key=len)[:3]]
    others = iter([path for path in paths if path not in several])
    for name in ("train/normal", "train/mi", "train/history_of_mi", "test/normal", "test/mi"):
        (folder / name).mkdir(parents=True)
    first, second, third = next(others), next(others), next(others)
    page = read_page(first)
    shutil.copy(first, folder / "train/normal/first.jpg")
    shutil.copy(first, folder / "train/normal/byte copy.jpg")
    saved(folder / "train/normal/pixel copy.png", page)
    blanked = page.copy()
    blanked[:280], blanked[1520:] = 255, 255
    saved(folder / "test/normal/same trace.jpg", blanked, quality=40)
    for name in ("train/mi/two labels.jpg", "train/normal/two labels.jpg"):
        shutil.copy(second, folder / name)
    for number, path in enumerate(several):
        shutil.copy(path, folder / ("test/mi" if number == 2 else "train/mi") / f"one id {number}.jpg")
    (folder / "train/mi/cut off.jpg").write_bytes(third.read_bytes()[:20_000])
    (folder / "train/mi/a <b>text.jpg").write_text("no picture", encoding="utf-8")
    saved(folder / "train/mi/on its head.png", read_page(third)[::-1, ::-1])
    saved(folder / "train/normal/white.png", np.full((300, 400, 3), 255, np.uint8))
    for number in range(16):
        shutil.copy(next(others), folder / "train/normal" / f"more {number}.jpg")
    facts = gather(folder, headers=True)
    return folder, find(facts), facts


def the(findings: list[Finding], code: str) -> Finding:
    return next(finding for finding in findings if finding.code == code)


def names(finding: Finding) -> list[set[str]]:
    return [{Path(path).name for path in group} for group in finding.files]


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("LW001", {"first.jpg", "byte copy.jpg"}),
        ("LW002", {"first.jpg", "byte copy.jpg", "pixel copy.png"}),
        ("LW003", {"first.jpg", "byte copy.jpg", "pixel copy.png", "same trace.jpg"}),
        ("LW004", {"one id 0.jpg", "one id 1.jpg", "one id 2.jpg"}),
        ("LW005", {"two labels.jpg"}),
        ("LW006", {"first.jpg", "byte copy.jpg", "pixel copy.png", "same trace.jpg"}),
        ("LW007", {"cut off.jpg"}),
        ("LW007", {"a <b>text.jpg"}),
        ("LW008", {"on its head.png"}),
        ("LW008", {"white.png"}),
        ("LW014", {"one id 0.jpg", "one id 1.jpg", "one id 2.jpg"}),
    ],
)
def test_each_fault_is_found_with_its_files(messy, code: str, files: set[str]) -> None:
    assert files in names(the(messy[1], code))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("LW001", "have a twin byte for byte"),
        ("LW006", "of test"),
        ("LW007", "not an image that can be read"),
        ("LW008", "lies on its head: turn it by 180 degrees"),
        ("LW009", "always answering normal"),
        ("LW012", "train/history_of_mi"),
    ],
)
def test_a_finding_explains_itself(messy, code: str, said: str) -> None:
    assert said in the(messy[1], code).says


def test_a_leak_is_a_leak_and_an_id_in_two_splits_is_only_a_warning(messy) -> None:
    assert leaks(messy[1])
    assert the(messy[1], "LW006").kind.weight == "leak"
    assert not leaks([finding for finding in messy[1] if finding.code != "LW006"])


def test_every_code_says_what_to_do() -> None:
    assert [*KINDS] == [f"LW{number:03}" for number in range(1, 15)]
    assert all(kind.name and kind.advice.endswith(".") for kind in KINDS.values())


# --- findings from facts alone ------------------------------------------------------------------------------


def made_facts(labels: list[str], **columns: Any) -> Facts:
    """Facts of distinct pages, as if they had been looked at."""
    n = len(labels)
    plain = {
        "path": [f"{label}/{number}.jpg" for number, label in enumerate(labels)],
        "label": labels,
        "split": "",
        "within": "",
        "sha256": [str(number) for number in range(n)],
        "pixels": [str(number) for number in range(n)],
        "trace": np.arange(n),
        "page": np.arange(n),
        "group": np.arange(n),
        "foreign": "",
        **dict.fromkeys(("recording_id", "sex", "recorded_at", "heart_rate_bpm")),
    }
    files = pd.DataFrame(plain | columns)
    return Facts(Path("made"), files, pd.DataFrame(columns=["path", "why"]), (), ())


def codes(facts: Facts) -> list[str]:
    return [finding.code for finding in find(facts)]


def test_in_a_clean_folder_nothing_is_found() -> None:
    assert codes(made_facts(["a"] * 30 + ["b"] * 30)) == []


def test_the_number_of_copies_that_predicts_the_class_is_found() -> None:
    page = [number // 2 for number in range(60)] + list(range(100, 130))
    facts = made_facts(["copied"] * 60 + ["single"] * 30, page=page, sha256=[str(p) for p in page])
    found = the(find(facts), "LW010")
    assert found.numbers["accuracy"] == 1
    assert found.numbers["pages"] == {"copied": {"1": 0, "2": 30}, "single": {"1": 30, "2": 0}}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("heart_rate_bpm", [60 + number % 20 for number in range(40)] + [110 + number % 40 for number in range(40)]),
        ("sex", ["male"] * 36 + ["female"] * 44),
        ("recorded_at", [f"2020-0{1 + number // 40}-11T10:{number % 40:02}:00" for number in range(80)]),
        ("recording_id", [f"{100000 + number}" for number in range(80)]),
    ],
)  # fmt: skip
def test_a_printed_field_that_predicts_the_class_is_found(field: str, values: list[Any]) -> None:
    found = the(find(made_facts(["slow"] * 40 + ["fast"] * 40, **{field: values})), "LW011")
    assert found.numbers["tell"] == [field]
    assert found.numbers["fields"][field]["low"] > 0.8


def test_a_printed_field_that_says_nothing_of_the_class_is_not_found() -> None:
    rate = np.random.default_rng(1).integers(50, 120, 80)
    assert "LW011" not in codes(made_facts(["slow"] * 40 + ["fast"] * 40, heart_rate_bpm=rate))


def test_pages_of_one_id_never_answer_for_each_other() -> None:
    """Eight ids, each of one rate and one class: the rate names the class only where the id was seen before."""
    ids = np.repeat(np.arange(8), 10)
    facts = made_facts(
        ["a" if number % 2 else "b" for number in ids],
        heart_rate_bpm=np.array([60, 62, 64, 66, 68, 70, 72, 74])[ids],
        recording_id=[str(100000 + number) for number in ids],
        group=ids,
    )
    assert "LW011" not in codes(facts)


def test_one_class_alone_is_found() -> None:
    assert codes(made_facts(["normal"] * 12)) == ["LW013"]


def test_three_times_as_many_pages_are_an_imbalance() -> None:
    assert codes(made_facts(["a"] * 30 + ["b"] * 10)) == ["LW009"]
    assert codes(made_facts(["a"] * 29 + ["b"] * 10)) == []


def test_keys_join_rows_from_neighbour_to_neighbour_and_empty_keys_join_nothing() -> None:
    one = pd.Series(["x", "x", "y", "z", "w"])
    other = pd.Series([None, "p", "p", None, None])
    assert joined(one, other).tolist() == [0, 0, 0, 1, 2]


# --- folders and their names --------------------------------------------------------------------------------


@pytest.fixture
def looked_at_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures are looked at in this process: to start another for each folder takes most of the time."""
    monkeypatch.setattr("leadwise.audit.facts.each", lambda look, tasks, *_: map(look, tasks))


@pytest.mark.usefixtures("looked_at_here")
@pytest.mark.parametrize(
    ("folders", "labels", "splits"),
    [
        (("train/normal", "validation/mi"), {"normal", "mi"}, {"train", "validation"}),
        (("normal/train", "mi/test"), {"normal", "mi"}, {"train", "test"}),
        (("ECG Images/Normal Person", "ECG Images/Myocardial Infarction Patients"), {"normal", "mi"}, {""}),
        (("cats", "dogs"), {"cats", "dogs"}, {""}),
        (("set/fold_1/AF", "set/fold_2/sinus"), {"AF", "sinus"}, {"fold_1", "fold_2"}),
        (("Train/NORMAL", "test/normal"), {"normal"}, {"train", "test"}),
        (("fold_1/train/AF", "fold_1/test/AF"), {"AF"}, {"fold_1/train", "fold_1/test"}),
        (("train_images/AF", "test-images/sinus"), {"AF", "sinus"}, {"train_images", "test-images"}),
        (("1_train/AF", "2_eval/AF", "hold out/AF"), {"AF"}, {"1_train", "2_eval", "hold out"}),
        (
            ("stress test positive", "stress test negative"),
            {"stress test positive", "stress test negative"},
            {""},
        ),
        (("data/train/normal", "data/test/mi", "data/docs"), {"normal", "mi"}, {"train", "test"}),
        (("train/normal", "test"), {"normal", ""}, {"train", "test"}),
    ],
)
def test_classes_and_splits_are_told_by_the_names_of_folders(
    tmp_path: Path, folders: tuple[str, ...], labels: set[str], splits: set[str]
) -> None:
    for number, name in enumerate(folders):
        saved(tmp_path / name / "page.png", np.full((40, 40, 3), number, np.uint8))
    files = gather(tmp_path, headers=False).files
    assert (set(files["label"]), set(files["split"])) == (labels, splits)


def looked_at(tmp_path: Path, *places: str) -> list[str]:
    """Codes found where one small picture lies in several places."""
    for place in places:
        saved(tmp_path / place / "page.png", np.full((40, 40, 3), 7, np.uint8))
    return codes(gather(tmp_path, headers=False))


@pytest.mark.usefixtures("looked_at_here")
def test_a_page_that_is_tested_in_one_fold_may_be_trained_on_in_another(tmp_path: Path) -> None:
    assert "LW006" not in looked_at(tmp_path, "fold_1/train/AF", "fold_2/test/AF")


@pytest.mark.usefixtures("looked_at_here")
def test_a_page_on_both_sides_of_one_fold_is_a_leak(tmp_path: Path) -> None:
    assert "LW006" in looked_at(tmp_path, "fold_1/train/AF", "fold_1/test/AF")


@pytest.mark.usefixtures("looked_at_here")
def test_a_page_in_two_folds_is_a_leak(tmp_path: Path) -> None:
    assert "LW006" in looked_at(tmp_path, "fold_1/AF", "fold_2/AF")


@pytest.mark.usefixtures("looked_at_here")
def test_a_test_folder_without_classes_is_still_held_against_training(tmp_path: Path) -> None:
    found = looked_at(tmp_path, "train/AF", "test")
    assert "LW006" in found
    assert "LW005" not in found


@pytest.mark.usefixtures("looked_at_here")
def test_linked_folders_are_looked_into_and_a_loop_ends(tmp_path: Path) -> None:
    saved(tmp_path / "set/train/AF/page.png", np.full((40, 40, 3), 7, np.uint8))
    (tmp_path / "set/test").symlink_to(tmp_path / "set/train")
    (tmp_path / "set/train/AF/loop").symlink_to(tmp_path / "set")
    facts = gather(tmp_path / "set", headers=False)
    assert set(facts.files["split"]) == {"train", "test"}
    assert "LW006" in codes(facts)


@pytest.mark.usefixtures("looked_at_here")
def test_a_class_above_its_split_is_not_called_empty(tmp_path: Path) -> None:
    assert "LW012" not in looked_at(tmp_path, "AF/train", "sinus/train")


@pytest.mark.usefixtures("looked_at_here")
def test_a_stray_picture_beside_the_classes_is_named_and_changes_none(tmp_path: Path) -> None:
    for number in range(60):
        saved(
            tmp_path / f"data/{'AF' if number % 2 else 'sinus'}/{number}.png",
            np.full((20, 20, 3), number, np.uint8),
        )
    saved(tmp_path / "docs/figure.png", np.full((20, 20, 3), 200, np.uint8))
    facts = gather(tmp_path, headers=False)
    assert set(facts.files["label"]) == {"AF", "sinus"}
    assert facts.problems["path"].tolist() == ["docs/figure.png"]


def test_what_is_no_image_by_its_name_is_counted_and_not_called_damaged(tmp_path: Path) -> None:
    saved(tmp_path / "AF/page.png", np.full((40, 40, 3), 7, np.uint8))
    (tmp_path / "AF/labels.csv").write_text("a", encoding="utf-8")
    facts = gather(tmp_path, headers=False)
    assert "LW007" not in codes(facts)
    assert facts.not_checked[0] == "1 files that are no images by their names were not looked at."


@pytest.mark.parametrize(
    "name",
    [
        "a$_^$b.png",
        "1²1.png",
        b"caf\xe9.png".decode(errors="surrogateescape"),
        "心电图\t\x1b[31m\u202e.png",
    ],
)
def test_a_picture_of_any_name_gets_through_to_the_report(tmp_path: Path, name: str) -> None:
    for folder in ("AF $x_$", "心律"):
        saved(tmp_path / folder / "page.png", np.full((120, 120, 3), 7, np.uint8))
        (tmp_path / folder / "page.png").rename(tmp_path / folder / name)
    facts = gather(tmp_path, headers=False)
    write_report(facts, find(facts), tmp_path / "audit.html")
    write_json(as_json(facts, find(facts)), tmp_path / "audit.json")
    html = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "心律" in html
    assert not {"\x1b", "\u202e"} & set(html)
    assert json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["distinct_pages"] == 1


@pytest.mark.usefixtures("looked_at_here")
@pytest.mark.parametrize("shape", [(1, 561, 3), (9000, 3, 3), (99, 2000, 3)])
def test_a_sliver_of_a_picture_is_of_no_known_layout(tmp_path: Path, shape: tuple[int, ...]) -> None:
    saved(tmp_path / "AF/page.png", np.full(shape, 255, np.uint8))
    assert "too small" in the(find(gather(tmp_path, headers=False)), "LW008").says


def test_pages_that_all_print_one_id_are_too_few_groups_to_ask_what_tells_the_class() -> None:
    rate = [60] * 20 + [120] * 20
    assert "LW011" not in codes(made_facts(["a"] * 20 + ["b"] * 20, heart_rate_bpm=rate, group=0))


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three classes, of which one may not be looked into; root, as whom tests may run, is refused nothing."""
    for number, name in enumerate(("AF", "sinus", "flutter")):
        saved(tmp_path / name / "page.png", np.full((40, 40, 3), number, np.uint8))
    look = os.scandir

    def refusing(path: str | Path | int) -> Any:
        if not isinstance(path, int) and Path(path) == tmp_path / "flutter":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", refusing)
    return tmp_path


def test_a_class_folder_that_may_not_be_looked_into_is_called_so_and_not_empty(closed: Path) -> None:
    facts = gather(closed, headers=False)
    found = find(facts)
    assert the(found, "LW007").files == (("flutter",),)
    assert "may not be looked into (permission denied)" in the(found, "LW007").says
    assert "LW012" not in codes(facts)
    assert "no images by their names" not in " ".join(facts.not_checked)


def test_pages_that_may_not_be_read_do_not_make_their_class_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AF", "sinus"):
        saved(tmp_path / name / "page.png", np.full((40, 40, 3), len(name), np.uint8))
    opened = Path.open

    def refusing(path: Path, mode: str = "r", **more: Any) -> Any:
        if path.parent.name == "AF":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, mode, **more)

    monkeypatch.setattr(Path, "open", refusing)
    facts = gather(tmp_path, headers=False)
    assert facts.problems.to_dict("records") == [{"path": "AF/page.png", "why": "Permission denied."}]
    assert "LW012" not in codes(facts)


def test_what_has_an_images_name_and_is_no_file_is_told_unread(tmp_path: Path) -> None:
    for name in ("AF", "sinus"):
        saved(tmp_path / name / "page.png", np.full((40, 40, 3), len(name), np.uint8))
    special = costly_files.special(tmp_path / "AF")[:2]
    facts = gather(tmp_path, headers=False)
    assert facts.problems.to_dict("records") == [
        {"path": f"AF/{path.name}", "why": "not a regular file. Copy what it gives into one."}
        for path in special
    ]


def test_where_all_is_closed_it_says_so_and_not_that_there_are_no_pages(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AF", "sinus"):
        (closed / name / "page.png").unlink()
        (closed / name).rmdir()
    with pytest.raises(
        MissingInput, match=r"flutter: folder that may not be looked into \(permission denied\)"
    ):
        gather(closed)


def test_a_folder_that_is_closed_itself_is_refused_as_such(closed: Path) -> None:
    with pytest.raises(
        MissingInput, match=r"flutter: folder that may not be looked into \(permission denied\)"
    ):
        gather(closed / "flutter")


def test_a_file_is_not_said_to_be_missing(tmp_path: Path) -> None:
    saved(tmp_path / "page.png", np.full((40, 40, 3), 7, np.uint8))
    with pytest.raises(MissingInput, match=r"page\.png: that is a file\. Give the folder"):
        gather(tmp_path / "page.png")


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_folder_without_pages_is_refused_by_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty" / "normal").mkdir(parents=True)
    with pytest.raises(MissingInput, match=folder):
        gather(tmp_path / folder)


def test_many_pages_looked_at_by_two_processes_give_the_same_facts(
    sample_folder: Path, sample_pages: pd.DataFrame, tmp_path: Path
) -> None:
    for path in sample_pages.groupby("label").head(4)["path"]:
        for target in (tmp_path / path, (tmp_path / path).with_suffix(".copy.jpg")):
            target.parent.mkdir(exist_ok=True)
            target.hardlink_to(sample_folder / path)
    alone, together = (gather(tmp_path, processes=number) for number in (1, 2))
    pd.testing.assert_frame_equal(alone.files, together.files)
    assert alone.counts("label")["files"].tolist() == [8] * 4
    assert alone.counts("label")["distinct"].tolist() == [4] * 4


# --- the command --------------------------------------------------------------------------------------------


def audit(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["leadwise", "audit", *map(str, arguments), "--cores", "1"])
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_without_splits_it_ends_with_0_and_tells_how_many_pages_there_are(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(monkeypatch, sample_folder) == 0
    said = capsys.readouterr().out
    assert "155 files, 48 distinct pages. There is no split to check." in said
    assert "LW001 byte copies (warning)" in said


def test_a_random_split_of_files_leaks_and_ends_with_1(
    sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(1)
    for path in sorted(sample_folder.rglob("*.jpg"))[:40]:
        target = tmp_path / draw.choice(("train", "test")) / path.relative_to(sample_folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(path)
    assert audit(monkeypatch, tmp_path) == 1
    assert "LW006 one page, two splits (leak)" in capsys.readouterr().out


def test_a_split_that_keeps_pages_together_ends_with_0(
    sample_folder: Path, sample_pages: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, path in enumerate(sample_pages["path"][:16]):
        target = tmp_path / ("train" if number % 2 else "test") / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(sample_folder / path)
    assert audit(monkeypatch, tmp_path) == 0


@pytest.fixture(scope="module")
def written(messy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command wrote what it found in the messy folder."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patched:
        assert audit(patched, messy[0], "--json", folder / "audit.json", "--html", folder / "audit.html") == 1
    return folder


def test_json_holds_every_finding_with_every_file(messy, written: Path) -> None:
    findings = messy[1]
    told = json.loads((written / "audit.json").read_text(encoding="utf-8"))
    assert told["leaks"] is True
    assert [one["code"] for one in told["findings"]] == [finding.code for finding in findings]
    assert [one["files"] for one in told["findings"]] == [
        [list(group) for group in finding.files] for finding in findings
    ]
    assert all(one["name"] and one["advice"] and one["says"] for one in told["findings"])


def test_the_report_is_one_file_that_shows_each_finding_and_loads_nothing(messy, written: Path) -> None:
    folder, findings, _ = messy
    html = (written / "audit.html").read_text(encoding="utf-8")
    assert all(f"id='{finding.code}'" in html for finding in findings)
    assert html.count("src='data:image/png;base64,") >= 6
    assert "://" not in html
    assert "Content-Security-Policy\" content=\"default-src 'none';" in html
    assert "script-src" not in html
    assert "<b>" not in html
    assert "a &lt;b&gt;text.jpg" in html
    assert "Research use only, not a medical device" in html
    assert str(folder) not in html


def test_the_report_tells_browsers_to_run_nothing_and_its_own_style_is_the_one_allowed(written: Path) -> None:
    html = (written / "audit.html").read_text(encoding="utf-8")
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert "default-src 'none'; img-src data:;" in html
    assert f"style-src 'sha256-{digest}'" in html
    assert " style=" not in html


@pytest.mark.parametrize("leaking", [True, False])
def test_what_was_found_is_shown_before_a_file_that_cannot_be_written_is_told(
    leaking: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for split, shade in (("train", 7), ("test", 7 if leaking else 9)):
        saved(tmp_path / split / "AF/page.png", np.full((40, 40, 3), shade, np.uint8))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("leadwise.audit.report.write_report", full)
    html, told = tmp_path / "audit.html", tmp_path / "audit.json"
    assert audit(monkeypatch, tmp_path, "--html", html, "--json", told) == 2
    said = capsys.readouterr()
    assert ("A split leaks" in said.out) is leaking
    assert said.out.endswith(f"Written to {told}\n")
    assert said.err == f"not written: {html}: the disk is full. Make room there, or name another place.\n"


def test_a_name_in_the_folder_cannot_command_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a\x1b[31m\nb.png", "c.png"):
        saved(tmp_path / "AF\x9b31m" / "page.png", np.full((40, 40, 3), 7, np.uint8))
        (tmp_path / "AF\x9b31m" / "page.png").rename(tmp_path / "AF\x9b31m" / name)
    assert audit(monkeypatch, tmp_path) == 0
    said = capsys.readouterr().out
    assert r"AF\x9b31m/a\x1b[31m\nb.png" in said
    assert not {"\x1b", "\x9b"} & set(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing",), "no such folder"),
        ((".", "--json", "no/such/folder/a.json"), "there is no folder no/such"),
        ((".", "--html", "/dev/full"), "that is no plain file"),
        ((".", "--html", "."), "that is no plain file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_status_2(
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert audit(monkeypatch, *arguments) == 2
    assert said in capsys.readouterr().err


def test_what_nobody_foresaw_does_not_end_as_a_leak_does(
    sample_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("leadwise.audit.facts.gather", broken)
    assert audit(monkeypatch, sample_folder) == 2
    assert "unforeseen" in capsys.readouterr().err


def test_the_whole_set_has_928_files_and_491_distinct_pages(whole_set: Path) -> None:
    facts = gather(whole_set, headers=False, processes=2)
    assert (len(facts.files), len(facts.pages), len(facts.problems)) == (928, 491, 0)
    assert codes(facts) == ["LW001", "LW004", "LW009", "LW010", "LW011"]
