"""Published figures come from runs, with their command, and README's tables from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from miniature import Clone
from PIL import Image

from leadwise import paths, publish
from leadwise.errors import MissingInput, SettingsError, TableError

REPOSITORY = Path(__file__).resolve().parents[2]
MARKS = "before\n<!-- leadwise tables: image_leads -->\nold\n<!-- end of table -->\nafter\n"


@pytest.fixture
def measured(clone: Clone) -> Path:
    """A result of 12_image_leads under the profile cpu, as its notebook writes it."""
    path = paths.result_path("cpu", "12_image_leads")
    path.parent.mkdir(parents=True)
    result: dict[str, Any] = {
        "profile": "cpu",
        "notebook": "12_image_leads",
        "data_listing": "0123456789ab",
        "parameters": {"CHECKED": 7},
        "metrics": {
            "pages_found": 480,
            "pages_refused": 11,
            "header_read_rate": {"value": 0.99, "low": 0.98, "high": 1.0},
            "roundtrip_snr_db_median": None,
        },
        "machine": {"processor": "AMD EPYC", "cores": 2, "memory_gb": 25.3},
        "seconds": 90.0,
    }
    path.write_text(json.dumps(result), encoding="utf-8")
    for picture in publish.FIGURES["image_leads"]:
        Image.new("RGB", (3000, 1500), "white").save(path.parent / picture)
    return path


def test_a_published_row_says_how_and_where_it_was_measured(measured: Path, clone: Clone) -> None:
    path, *pictures = publish.publish("cpu")
    for picture in pictures:
        with Image.open(picture) as image:
            assert image.size == (1600, 800)
    assert path == clone.folder / "analysis" / "results" / "image_leads.json"
    (row,) = publish.read_rows(path)
    assert row["n"] == 491
    assert row["command"] == "leadwise run --profile cpu --only 12_image_leads"
    assert (row["hardware"], row["minutes"]) == ("AMD EPYC, 2 cores, 25.3 GB", 1.5)
    assert row["metrics"]["pages_found"] == 480
    assert "found_*: 7 pages each" in row["note"]


def test_the_page_model_and_its_floors_are_published_apart(measured: Path) -> None:
    folder = paths.result_path("cpu", "26_image_leads12").parent
    folder.mkdir()
    recall = {"value": 0.8, "low": 0.6, "high": 0.9}
    result = json.loads(measured.read_text(encoding="utf-8")) | {
        "notebook": "26_image_leads12",
        "parameters": {"SEEDS": [1], "TASKS": ["four"], "CANDIDATES": ["leads12_signals"], "INNER": True},
        "metrics": {"recall_mi": recall, "rate_accuracy": 0.7},
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    same = {"task": "four", "protocol": "grouped", "n": 491, "seeds": 1}
    scores = {
        f"{name}{end}": 0.9
        for name in ("accuracy", "macro_f1", "macro_auroc")
        for end in ("", "_low", "_high")
    }
    table = pd.DataFrame([{"model": name, **same, **scores} for name in ("leads12", "rate", "majority")])
    table.to_csv(folder / "summary.csv", index=False)
    gains = [("strip_features", -0.01, -0.02, 0.01), ("rate", 0.2, 0.1, 0.3)]
    rows = [("four", name, "accuracy", *ends) for name, *ends in gains]
    differences = pd.DataFrame(rows, columns=["task", "minus", "metric", "value", "low", "high"])
    differences.to_csv(folder / "differences.csv", index=False)
    results = publish.publish("cpu")[0].parent
    (model,) = publish.read_rows(results / "image_leads12.json")
    assert (model["model"], model["protocol"], model["seeds"], model["n"]) == ("leads12", "grouped", [1], 491)
    assert model["metrics"]["recall_mi"] == recall
    assert "rate_accuracy" not in model["metrics"]
    assert [row["model"] for row in publish.read_rows(results / "image_floors.json")] == ["rate", "majority"]
    text = publish.with_tables(MARKS.replace("image_leads", "image_leads12"), results)
    assert "is more accurate than `rate` (+0.200, +0.100 to +0.300)" in text
    assert "**not shown to be above** `strip_features` (-0.010, -0.020 to +0.010)." in text
    text = publish.with_tables(MARKS.replace("image_leads", "image_floors"), results)
    assert "| `rate` | four | `grouped` | 491 | 1 | 0.900 (0.900 to 0.900) |" in text


def test_publishing_twice_replaces_the_profiles_row_and_keeps_those_of_others(measured: Path) -> None:
    path = publish.publish("cpu")[0]
    (row,) = publish.read_rows(path)
    path.write_text(json.dumps([row | {"profile": "paper"}, row]), encoding="utf-8")
    publish.publish("cpu")
    assert [kept["profile"] for kept in publish.read_rows(path)] == ["paper", "cpu"]


def test_the_sample_is_not_published(clone: Clone) -> None:
    with pytest.raises(SettingsError, match="mean nothing"):
        publish.publish("sample")


def test_a_run_on_the_embedded_sample_is_not_published_under_another_name(measured: Path) -> None:
    result = json.loads(measured.read_text(encoding="utf-8")) | {"data_listing": "sample"}
    measured.write_text(json.dumps(result), encoding="utf-8")
    with pytest.raises(SettingsError, match="embedded sample"):
        publish.publish("cpu")


def test_where_nothing_was_run_it_says_what_to_run(clone: Clone) -> None:
    with pytest.raises(MissingInput, match="leadwise run --profile cpu"):
        publish.publish("cpu")


def test_a_table_is_written_between_its_marks_and_nothing_else_changes(measured: Path) -> None:
    path = publish.publish("cpu")[0]
    text = publish.with_tables(MARKS, path.parent)
    assert text.startswith("before\n<!-- leadwise tables: image_leads -->\n| 491 pages")
    assert text.endswith("<!-- end of table -->\nafter\n")
    assert "| pages whose id, time and heart rate were read | 99.0% | 98.0% to 100.0% |" in text
    assert "| printed and read again, signal to noise, median, dB | not measured |  |" in text
    assert publish.with_tables(text, path.parent) == text


@pytest.mark.parametrize("name", ["image_leads", "image_typo"])
def test_a_table_without_results_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingInput, match=name):
        publish.with_tables(MARKS.replace("image_leads", name), tmp_path)


def test_a_row_that_lacks_a_field_is_refused(measured: Path) -> None:
    path = publish.publish("cpu")[0]
    (row,) = publish.read_rows(path)
    del row["hardware"]
    path.write_text(json.dumps([row]), encoding="utf-8")
    with pytest.raises(TableError, match="hardware"):
        publish.read_rows(path)


@pytest.mark.parametrize("path", [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("*/README.md"))])
def test_the_tables_of_the_readme_are_those_that_the_command_writes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert publish.with_tables(text, REPOSITORY / "analysis" / "results") == text


def test_the_published_figures_of_the_whole_set_reach_what_is_claimed() -> None:
    """What the README says in words of the triangle and of the pages that are found."""
    assert "on nine pages in ten to within one pixel" in " ".join(
        (REPOSITORY / "README.md").read_text("utf-8").split()
    )
    (row,) = publish.read_rows(REPOSITORY / "analysis" / "results" / "image_leads.json")
    metrics = row["metrics"]
    assert metrics["pages_found"] == row["n"] == 491
    assert metrics["einthoven_rms_mv_median"]["value"] < 1 / 78.6, "one pixel"
    assert metrics["einthoven_within_one_pixel"]["low"] > 0.9
    assert metrics["headers_right_by_eye"]["value"] == 1
