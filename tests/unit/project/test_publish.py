"""Published figures come from runs, with their command, and README's tables from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from miniature import Clone
from PIL import Image

from leadwise.errors import MissingInput, SettingsError, TableError
from leadwise.names import TASKS
from leadwise.project import paths, publish
from leadwise.project.published_rows import read_rows
from leadwise.project.published_tables import with_tables
from leadwise.scores import benefit

REPOSITORY = Path(__file__).resolve().parents[3]
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
    path, *pictures, gaps = publish.publish("cpu")
    assert {row["note"] for row in read_rows(gaps)} == {"not yet run"}
    for picture in pictures:
        with Image.open(picture) as image:
            assert image.size == (1600, 800)
    assert path == clone.folder / "analysis" / "results" / "image_leads.json"
    (row,) = read_rows(path)
    assert row["n"] == 491
    assert row["command"] == "leadwise run --profile cpu --only 12_image_leads"
    assert (row["hardware"], row["minutes"]) == ("AMD EPYC, 2 cores, 25.3 GB", 1.5)
    assert row["metrics"]["pages_found"] == 480
    assert "found_*: 7 pages each" in row["note"]


SCORES = {
    f"{name}{end}": 0.9 for name in ("accuracy", "macro_f1", "macro_auroc") for end in ("", "_low", "_high")
}


def written(measured: Path, notebook: str, parameters: dict[str, Any], metrics: dict[str, Any]) -> Path:
    """The folder of another notebook that has run, with its result and the pictures that are published."""
    folder = paths.result_path("cpu", notebook).parent
    folder.mkdir()
    more = {"notebook": notebook, "parameters": parameters, "metrics": metrics, "data_fingerprint": "made"}
    result = json.loads(measured.read_text(encoding="utf-8")) | more
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")
    for picture in (
        "beside_the_rate.png",
        "falling_score.png",
        "what_teaching_gives.png",
        "answer.png",
        "costs.png",
        "score_by_number.png",
    ):
        Image.new("RGB", (30, 15), "white").save(folder / picture)
    return folder


@pytest.fixture
def page_model(measured: Path) -> Path:
    """26_image_leads12 has run on three seeds; folds 1 and 2 of the first chose different candidates."""
    recall = {"value": 0.8, "low": 0.6, "high": 0.9}
    parameters = {
        "SEEDS": [1, 2, 3], "TASKS": ["four"], "CANDIDATES": ["leads12_signals", "leads12_beats"], "INNER": True,
    }  # fmt: skip
    metrics = {"recall_mi": recall, "found_mi_seed1": 26, "rate_accuracy": 0.7}
    folder = written(measured, "26_image_leads12", parameters, metrics)
    same = {"task": "four", "protocol": "grouped", "n": 491, "seeds": 1}
    names = ("leads12", "leads12, seed 1", "leads12_x3", "rate", "majority")
    pd.DataFrame([{"model": name, **same, **SCORES} for name in names]).to_csv(
        folder / "summary.csv", index=False
    )
    gains = [("leads12", "strip_features", -0.01, -0.02, 0.01), ("leads12", "rate", 0.2, 0.1, 0.3)]
    rows = [
        ("four", model, name, "accuracy", *ends)
        for model, name, *ends in [*gains, ("majority", "rate", 0, 0, 0)]
    ]
    columns = ["task", "model", "minus", "metric", "value", "low", "high"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "differences.csv", index=False)
    chosen = [
        (seed, fold, f"leads12_{'beats' if fold == 2 else 'signals'}") for seed in (1, 2) for fold in (1, 2)
    ]
    pd.DataFrame(chosen, columns=["seed", "fold", "chosen"]).assign(task="four").to_csv(folder / "chosen.csv")
    pd.DataFrame(
        {"task": ["four", "four", "binary"], "seed": [1, 2, 1], "unit_id": ["00e1", "00e1", "00e2"]}
    ).to_csv(folder / "predictions.csv", index=False)
    (folder / "weights").mkdir()
    for name in ("signals-seed1-fold1", "signals-seed1-fold1-2", "beats-seed1-fold1-2", "beats-seed1-fold2",
                 "beats-seed1-fold1", "signals-seed2-fold1", "signals-binary-seed1-fold1"):  # fmt: skip
        (folder / "weights" / f"leads12_{name}.safetensors").write_bytes(b"weights")
    return folder


def test_the_page_model_and_its_floors_are_published_apart(page_model: Path) -> None:
    results = publish.publish("cpu")[0].parent
    model, alone, ensemble = read_rows(results / "image_leads12.json")
    assert (model["model"], model["protocol"], model["seeds"], model["n"]) == (
        "leads12",
        "grouped",
        [1, 2, 3],
        491,
    )
    assert "chosen on seed 1" in model["note"]
    assert (alone["model"], alone["seeds"]) == ("leads12", [1])
    assert "chosen on inner folds, each fold for itself" in alone["note"]
    assert ensemble["model"] == "leads12_x3"
    assert "ensemble" in ensemble["note"]
    assert model["metrics"]["recall_mi"]["value"] == 0.8
    assert model["metrics"]["found_mi_seed1"] == 26
    assert "rate_accuracy" not in model["metrics"]
    assert [row["model"] for row in read_rows(results / "image_floors.json")] == ["rate", "majority"]
    text = with_tables(MARKS.replace("image_leads", "image_leads12"), results)
    assert "is more accurate than `rate` (+0.200, +0.100 to +0.300)" in text
    assert "**not shown to be above** `strip_features` (-0.010, -0.020 to +0.010)." in text
    text = with_tables(MARKS.replace("image_leads", "image_floors"), results)
    assert "| `rate` | four | `grouped` | 491 | 3 | 0.900 (0.900 to 0.900) |" in text


def test_trainings_that_were_taken_up_count_among_the_minutes(page_model: Path) -> None:
    keys = {"model": "leads12_beats", "task": "four", "protocol": "grouped", "seed": 1, "role": "test"}
    lines = [keys | {"fold": fold, "held_out": None, "seconds": s} for fold in (1, 2) for s in (60.0, 120.0)]
    pd.DataFrame(lines).to_csv(page_model / "history.csv", index=False)
    results = publish.publish("cpu")[0].parent
    assert read_rows(results / "image_leads12.json")[0]["minutes"] == 4.0
    assert read_rows(results / "image_leads.json")[0]["minutes"] == 1.5


def test_the_networks_that_teach_are_kept_and_no_others(page_model: Path) -> None:
    teachers = publish.publish("cpu")[0].parent / "leads12"
    assert sorted(path.stem for path in teachers.glob("*.safetensors")) == [
        "leads12_beats-seed1-fold1-2", "leads12_beats-seed1-fold2",
        "leads12_signals-seed1-fold1", "leads12_signals-seed1-fold1-2",
    ]  # fmt: skip
    assert pd.read_csv(teachers / "predictions.csv", dtype=str)["unit_id"].tolist() == ["00e1"]
    assert set(pd.read_csv(teachers / "chosen.csv")["seed"]) == {1}


def test_every_protocol_and_way_of_counting_has_a_row_of_its_own(measured: Path) -> None:
    folder = written(measured, "27_image_leakage", {"SEED": 1}, {})
    keys = [("leaky_copies", "file", 928), ("leaky_copies", "page", 491), ("distinct", "page", 491)]
    listed = [
        {
            "model": model,
            "task": "four",
            "protocol": protocol,
            "n": n,
            "seeds": 1,
            "counted": counted,
            **SCORES,
        }
        for model in ("lead_cnn", "leads12_signals")
        for protocol, counted, n in keys
    ]
    pd.DataFrame(listed).to_csv(folder / "prices.csv", index=False)
    step = {"model": "lead_cnn", "protocol": "leaky_copies", "minus": "distinct", "metric": "accuracy"}
    pd.DataFrame([step | {"value": 0.03, "low": 0.01, "high": 0.05}]).to_csv(
        folder / "differences.csv", index=False
    )
    results = publish.publish("cpu")[0].parent
    rows = read_rows(results / "image_leakage.json")
    assert [(row["protocol"], row["unit"], row["n"]) for row in rows] == keys * 2
    assert rows[1]["metrics"]["accuracy_over_distinct"]["value"] == 0.03
    text = with_tables(MARKS.replace("image_leads", "image_leakage"), results)
    assert "| four | `leaky_copies` | file | 928 | 0.900 (0.900 to 0.900) | 0.900 (0.900 to 0.900) |" in text
    assert "`leaky_copies` minus `distinct`, paired, `lead_cnn`: +0.030, +0.010 to +0.050." in text


def test_ensembles_stand_beside_their_best_member_and_what_a_look_at_the_test_set_gains(
    measured: Path,
) -> None:
    folder = written(measured, "33_signal_ensemble", {"DRAWS": 100}, {})
    place = {"task": "aami5", "protocol": "interpatient_held_out", "counted": "all", "n": 49712, "seeds": "1"}
    ends = {"macro_f1": 0.6, "macro_f1_over_best": 0.02, "gained": 0.01}
    scores = {f"{name}{end}": value + add for name, value in ends.items()
              for end, add in (("", 0.0), ("_low", -0.03), ("_high", 0.03))}  # fmt: skip
    single = {
        name: value for name, value in scores.items() if name in ("macro_f1", "macro_f1_low", "macro_f1_high")
    }
    listed = [place | single | {"model": "best_heartbeat_cnn"}]
    listed += [
        place | scores | {"model": f"{how}_{k}"} for how in ("mean", "vote", "logistic") for k in (2, 11)
    ]
    pd.DataFrame(listed).to_csv(folder / "summary.csv", index=False)
    results = publish.publish("cpu")[0].parent
    rows = read_rows(results / "signal_ensemble.json")
    assert [row["model"] for row in rows][:3] == ["best_heartbeat_cnn", "mean_2", "mean_11"]
    assert set(rows[0]["metrics"]) == {"macro_f1"}
    assert (rows[1]["unit"], rows[1]["seeds"]) == ("beat", [1])
    assert rows[1]["metrics"]["gained"] == {"value": 0.01, "low": pytest.approx(-0.02), "high": 0.04}
    text = with_tables(MARKS.replace("image_leads", "signal_ensemble"), results)
    assert "| protocol | n | joined | mean, macro-F1 | vote, macro-F1 | logistic, macro-F1 |" in text
    assert f"| `interpatient_held_out` | 49,712 | 11 |{' 0.600 (0.570 to 0.630) |' * 3}" in text
    assert "`heartbeat_cnn`, 0.600 (0.570 to 0.630); the regression on all minus it, paired: +0.020," in text
    assert "would have gained +0.010 to +0.010, which is no result" in text


def test_recordings_of_another_source_are_a_row_of_their_own(measured: Path) -> None:
    score = {"value": 0.7, "low": 0.6, "high": 0.8}
    names = ("auroc_mi", "auroc_rhythm", "recall_normal", "recall_mi", "rhythm_found", "ece_floor")
    metrics = {f"external_{name}": score for name in names} | {
        "external_ece": {"value": 0.2, "low": None, "high": None},
        "external_n_normal": 260, "external_n_mi": 45, "external_n_rhythm": 15, "leads12_accuracy": score,
    }  # fmt: skip
    written(measured, "51_image_models", {"SEEDS": [1]}, metrics)
    results = publish.publish("cpu")[0].parent
    (row,) = read_rows(results / "image_external.json")
    assert (row["task"], row["unit"], row["n"]) == ("external", "record", 320)
    assert "leads12_accuracy" not in row["metrics"]
    text = with_tables(MARKS.replace("image_leads", "image_external"), results)
    assert "| AUROC, normal (260) against infarction (45) | 0.700 (0.600 to 0.800) |" in text
    assert "| calibration error | 0.200 |" in text


def test_net_benefit_is_published_in_pages_of_100_at_some_thresholds(measured: Path) -> None:
    folder = written(measured, "51_image_models", {"SEEDS": [1]}, {})
    place = {"model": "leads12", "task": "binary", "protocol": "grouped", "n": 375, "seeds": 1}
    pd.DataFrame([place | SCORES]).to_csv(folder / "summary.csv", index=False)
    answers = pd.DataFrame({
        "unit_id": list("abcd"), "group_id": list("abcd"), "label": ["normal"] * 2 + ["abnormal_heartbeat"] * 2,
        "prob_normal": [0.95, 0.4, 0.35, 0.05], "prob_abnormal_heartbeat": [0.05, 0.6, 0.65, 0.95],
        "model": "leads12", "task": "binary", "protocol": "grouped", "seed": 1, "role": "test",
    })  # fmt: skip
    table = benefit.net_benefit({"leads12": answers}, TASKS["binary"], benefit.THRESHOLDS, draws=20)
    table.to_csv(folder / "net_benefit.csv", index=False)
    for name in ("worst_pages.png", "net_benefit.png"):
        Image.new("RGB", (4, 4)).save(folder / name)
    results = publish.publish("cpu")[0].parent
    rows = read_rows(results / "image_benefit.json")
    assert [row["model"] for row in rows] == ["leads12", benefit.ALL, benefit.NONE]
    found = {name: one["value"] for name, one in rows[0]["metrics"].items()}
    assert found["net_benefit_at_0.50"] == pytest.approx(2 / 4 - 1 / 4)
    assert found["net_benefit_at_0.90"] == pytest.approx(1 / 4)
    assert len(found) == 6
    text = with_tables(MARKS.replace("image_leads", "image_benefit"), results)
    assert "| abnormal | acted on by | from 10% on | from 30% on |" in text
    assert "| 50% | leads12 | " in text


def test_the_costs_of_networks_are_published_beside_what_they_score(measured: Path) -> None:
    folder = written(measured, "52_signal_models", {"SOURCES": [32]}, {})
    one = {"model": "heartbeat_cnn", "accuracy": 0.8, "accuracy_low": 0.7, "accuracy_high": 0.9}
    costs = {"printed_accuracy": 0.9841, "printed_macro_f1": np.nan, "parameters": 254901, "epochs": 8}
    pd.DataFrame([one | costs]).to_csv(folder / "networks.csv", index=False)
    over = {
        "model": "heartbeat_cnn",
        "minus": "beat_rhythm",
        "metric": "macro_f1",
        "value": -0.2,
        "low": -0.3,
        "high": -0.1,
    }
    pd.DataFrame([over]).to_csv(folder / "differences.csv", index=False)
    results = publish.publish("cpu")[0].parent
    (row,) = read_rows(results / "signal_networks.json")
    assert row["metrics"]["accuracy"] == {"value": 0.8, "low": 0.7, "high": 0.9}
    assert row["metrics"]["printed_accuracy"] == {"value": 0.9841, "low": None, "high": None}
    assert "printed_macro_f1" not in row["metrics"]
    text = with_tables(MARKS.replace("image_leads", "signal_networks"), results)
    assert "paired, against `beat_rhythm`: above none; below `heartbeat_cnn`; neither none." in text


def test_a_network_that_was_not_run_has_a_row_that_says_so(measured: Path) -> None:
    folder = written(measured, "24_image_vit", {
        "SEEDS": [1], "MODEL": "vit_micro", "INNER": False, "WEIGHTS": "random",
    }, {})  # fmt: skip
    table = pd.DataFrame(
        [{"model": "vit_micro", "task": "four", "protocol": "grouped", "n": 491, "seeds": 1, **SCORES}]
    )
    table.to_csv(folder / "summary.csv", index=False)
    rows = read_rows(publish.publish("cpu")[0].parent / "image_transformers.json")
    run = [row for row in rows if row["metrics"]]
    assert [row["model"] for row in run] == ["vit_micro"]
    assert "nothing is chosen, so not calibrated" in run[0]["note"]
    gaps = {(row["profile"], row["model"], row["task"]) for row in rows if row["note"] == "not yet run"}
    assert ("paper", "vit_base", "binary") in gaps
    assert ("cpu", "swin_micro", "four") in gaps
    assert ("cpu", "vit_micro", "four") not in gaps


def test_each_student_is_published_with_what_its_teacher_gave_it(measured: Path) -> None:
    folder = written(measured, "42_student_test", {"SEEDS": [1, 2, 3]}, {})
    names = ("student12_untaught", "student12_published", "teacher")
    logged = {f"log_loss{end}": 0.2 for end in ("", "_low", "_high")}
    same = {"task": "four", "protocol": "grouped", "n": 491, "seeds": 1, **SCORES, **logged}
    pd.DataFrame([{"model": name, **same} for name in names]).to_csv(folder / "summary.csv", index=False)
    pairs = [
        ("student12_published", "student12_untaught", 0.01, 1),
        ("student12_published", "teacher", -0.02, 1),
        ("student12_untaught", "teacher", -0.03, 3),
    ]
    rows = [
        {
            "model": model,
            "minus": minus,
            "metric": metric,
            "value": value,
            "low": -0.05,
            "high": 0.05,
            "seeds": seeds,
        }
        for model, minus, value, seeds in pairs
        for metric in ("accuracy", "macro_f1")
    ]
    pd.DataFrame(rows).to_csv(folder / "differences.csv", index=False)
    results = publish.publish("cpu")[0].parent
    untaught, taught, teacher = read_rows(results / "student_test.json")
    assert taught["metrics"]["accuracy_gain_of_teaching"] == {"value": 0.01, "low": -0.05, "high": 0.05}
    assert taught["metrics"]["accuracy_over_teacher"]["value"] == -0.02
    assert [row["seeds"] for row in (untaught, taught, teacher)] == [[1, 2, 3], [1], [1, 2, 3]]
    assert "accuracy_gain_of_teaching" not in untaught["metrics"]
    text = with_tables(MARKS.replace("image_leads", "student_test"), results)
    assert "| +0.010, -0.050 to +0.050 | -0.020, -0.050 to +0.050 |" in text


def test_the_exported_student_is_published_with_its_costs_and_goes_into_the_package(
    measured: Path, clone: Clone
) -> None:
    share = {"value": 1.0, "low": 0.99, "high": 1.0}
    metrics = {"size_mb": 0.24, "ms_per_page": 85.0, "refused_made": share}
    parameters = {"SHIPPED": "consistent", "FOREIGN": 300, "LARGE": "vit_base"}
    folder = written(measured, "43_student_export", parameters, metrics)
    (folder / "student12.onnx").write_bytes(b"model")
    results = publish.publish("cpu")[0].parent
    (row,) = read_rows(results / "student_export.json")
    assert "300 made pictures" in row["note"]
    assert (clone.folder / "leadwise" / "resources" / "student12.onnx").read_bytes() == b"model"
    text = with_tables(MARKS.replace("image_leads", "student_export"), results)
    assert "| size of the file, MB | 0.24 |  |" in text
    assert "| made pictures that are refused | 100.0% | 99.0% to 100.0% |" in text
    assert "| cold start of the command to its end, s | not measured |  |" in text


def test_transfer_is_published_with_what_differs_and_with_who_always_says_the_same(measured: Path) -> None:
    parameters = {"MODEL": "heartbeat_cnn", "SEEDS": [1], "SOURCE_EPOCHS": 4, "EPOCHS": None}
    folder = written(measured, "34_signal_transfer", parameters, {"embedded": 0})
    Image.new("RGB", (30, 15), "white").save(folder / "three_ways.png")
    place = {
        "task": "normal",
        "protocol": "leaky_beats",
        "unit": "beat",
        "n": 4475,
        "positives": 1691,
        "seeds": "1",
    }
    scored = {
        f"{name}{end}": value
        for name in ("accuracy", "auroc", "auprc")
        for end, value in {"": 0.9, "_low": 0.8, "_high": 0.95}.items()
    }
    summary = [
        place | {"model": "tuned", "always": ""} | scored,
        place | {"model": "majority", "always": "normal in 5 of 5 folds"} | scored | {"auprc": None},
    ]
    pd.DataFrame(summary).to_csv(folder / "summary.csv", index=False)
    more = {"model": "tuned", "value": 0.1, "low": 0.05, "high": 0.2}
    pairs = [{"minus": "scratch", "metric": "auroc"}, {"minus": "patient_folds", "metric": "accuracy"}]
    pd.DataFrame([place | more | pair for pair in pairs]).to_csv(folder / "differences.csv", index=False)
    results = publish.publish("cpu")[0].parent
    tuned, majority = read_rows(results / "signal_transfer.json")
    assert tuned["metrics"]["auroc_over_scratch"] == {"value": 0.1, "low": 0.05, "high": 0.2}
    assert tuned["n"] == 4475
    assert "DS1 of MIT-BIH, 4 epochs; then the recipe's epochs" in tuned["note"]
    assert majority["metrics"]["auprc"]["value"] is None
    text = with_tables(MARKS.replace("image_leads", "signal_transfer"), results)
    assert "| `tuned` | `leaky_beats` | beat | 4,475 | 0.900 (0.800 to 0.950) |" in text
    assert "+0.100, +0.050 to +0.200 | +0.100, +0.050 to +0.200 |" in text
    assert "`majority` (always normal in 5 of 5 folds)" in text
    (results / "signal_transfer.json").unlink()
    told = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    (folder / "result.json").write_text(json.dumps(told | {"metrics": {"embedded": 1}}), encoding="utf-8")
    publish.publish("cpu")  # of the twelve embedded recordings nothing is
    assert not (results / "signal_transfer.json").exists()


def test_transformers_that_were_not_run_are_named_beneath_the_table(measured: Path) -> None:
    results = publish.publish("cpu")[0].parent
    text = with_tables(MARKS.replace("image_leads", "image_transformers"), results)
    assert "None of them has been run." in text
    assert "`vit_base` (binary, `paper`)" in text


def test_publishing_twice_replaces_the_profiles_row_and_keeps_those_of_others(measured: Path) -> None:
    path = publish.publish("cpu")[0]
    (row,) = read_rows(path)
    path.write_text(json.dumps([row | {"profile": "paper"}, row]), encoding="utf-8")
    publish.publish("cpu")
    assert [kept["profile"] for kept in read_rows(path)] == ["paper", "cpu"]


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
    text = with_tables(MARKS, path.parent)
    assert text.startswith("before\n<!-- leadwise tables: image_leads -->\n| 491 pages")
    assert text.endswith("<!-- end of table -->\nafter\n")
    assert "| pages whose id, time and heart rate were read | 99.0% | 98.0% to 100.0% |" in text
    assert "| printed and read again, signal to noise, median, dB | not measured |  |" in text
    assert with_tables(text, path.parent) == text


def served(protocol: str, metrics: dict[str, float | None], hardware: str) -> dict[str, Any]:
    found = {name: {"value": value, "low": None, "high": None} for name, value in metrics.items()}
    told = {"command": f"python {protocol}.py", "hardware": hardware, "minutes": 3.5, "note": "16 clients."}
    return dict.fromkeys(publish.ROW) | told | {"protocol": protocol, "metrics": found}


def test_the_table_of_the_server_says_what_was_measured_and_on_which_machine(tmp_path: Path) -> None:
    load = {"pages_a_second": 5.76, "failed": 0.0, "alone_95th_ms": None}
    hostile = {"refused_by_4xx": 500.0, "slowest_s": 8.27}
    rows = [served("load", load, "a machine"), served("hostile", hostile, "another")]
    rows[0]["metrics"]["alone_95th_ms"] = {"value": 214.4, "low": 202.1, "high": 230.8}
    (tmp_path / "serve.json").write_text(json.dumps(rows), encoding="utf-8")
    text = with_tables(MARKS.replace("image_leads", "serve"), tmp_path)
    assert "| pages a second, many clients at once | 5.8 |  |" in text
    assert "| a page, one client, 95th percentile, ms | 214 | 202 to 231 |" in text
    assert "| the slowest of them, s | 8.3 |  |" in text
    assert "| hostile uploads not refused | not measured |  |" in text
    assert "`python load.py`: 3.5 minutes on a machine. 16 clients.\n\n`python hostile.py`" in text
    (tmp_path / "serve.json").write_text(json.dumps(rows[:1]), encoding="utf-8")
    assert "hostile" not in with_tables(text, tmp_path), "what was not run has no line"


@pytest.mark.parametrize("name", ["image_leads", "image_typo"])
def test_a_table_without_results_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingInput, match=name):
        with_tables(MARKS.replace("image_leads", name), tmp_path)


def test_a_row_that_lacks_a_field_is_refused(measured: Path) -> None:
    path = publish.publish("cpu")[0]
    (row,) = read_rows(path)
    del row["hardware"]
    path.write_text(json.dumps([row]), encoding="utf-8")
    with pytest.raises(TableError, match="hardware"):
        read_rows(path)


@pytest.mark.parametrize("path", [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("*/README.md"))])
def test_the_tables_of_the_readme_are_those_that_the_command_writes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert with_tables(text, REPOSITORY / "analysis" / "results") == text


def test_the_published_figures_of_the_whole_set_reach_what_is_claimed() -> None:
    """What the README says in words of the triangle and of the pages that are found."""
    assert "on nine pages in ten to within one pixel" in " ".join(
        (REPOSITORY / "README.md").read_text("utf-8").split()
    )
    (row,) = read_rows(REPOSITORY / "analysis" / "results" / "image_leads.json")
    metrics = row["metrics"]
    assert metrics["pages_found"] == row["n"] == 491
    assert metrics["einthoven_rms_mv_median"]["value"] < 1 / 78.6, "one pixel"
    assert metrics["einthoven_within_one_pixel"]["low"] > 0.9
    assert metrics["headers_right_by_eye"]["value"] == 1


def test_rows_of_benchmarks_are_copied_and_the_others_stay(clone: Clone) -> None:
    for name, value in (
        ("bench_serve_load", 9.0),
        ("bench_serve_hostile", 500.0),
        ("bench_serve_load", 12.0),
    ):
        row = dict.fromkeys(publish.ROW) | {
            "protocol": name, "profile": "cpu", "metrics": {"measured": {"value": value, "low": None, "high": None}}
        }  # fmt: skip
        target = paths.runs_folder() / "cpu" / name / "results.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps([row]), encoding="utf-8")
        publish.publish("cpu")
    rows = read_rows(clone.folder / "analysis" / "results" / "serve.json")
    assert {row["protocol"]: row["metrics"]["measured"]["value"] for row in rows} == {
        "bench_serve_load": 12.0,
        "bench_serve_hostile": 500.0,
    }


def of_beats(model: str, protocol: str, value: float, counted: str = "all of the test set") -> dict[str, Any]:
    """A row of signal_beats.json or signal_windows.json in which every metric has one value."""
    names = ("macro_f1", "accuracy", "balanced_accuracy", "recall_S", "ppv_S", "recall_V", "ppv_V")
    metrics = {name: {"value": value, "low": value - 0.1, "high": value + 0.1} for name in names}
    told = {
        "task": "aami5",
        "protocol": protocol,
        "model": model,
        "profile": "cpu",
        "seeds": [1],
        "unit": "beat",
    }
    more = {"n": 49712, "command": "leadwise run", "hardware": "a machine", "minutes": 9.0}
    return {**told, "metrics": metrics, **more, "note": f"Counted: {counted}."}


def test_the_table_of_beats_tells_of_test_sets_by_person_alone(tmp_path: Path) -> None:
    rows = [
        of_beats("beat_rhythm", "interpatient", 0.7),
        of_beats("majority", "interpatient", 0.3),
        of_beats("beat_rhythm", "leaky_beats", 0.9),
        of_beats("majority", "leaky_beats", 0.4),
        of_beats("beat_rhythm", "interpatient_strict", 0.6),
        of_beats("majority", "interpatient", 0.2, "EC57"),
        of_beats("beat_rhythm", "interpatient", 0.5, "EC57"),
    ]
    (tmp_path / "signal_beats.json").write_text(json.dumps(rows), encoding="utf-8")
    lines = with_tables(MARKS.replace("image_leads", "signal_beats"), tmp_path).splitlines()
    told = {
        tuple(cell.strip() for cell in line.split("|")[1:3]): line for line in lines if line.startswith("| `")
    }
    assert list(told) == [
        ("`beat_rhythm`", "all beats"),
        ("`majority`", "all beats"),
        ("`beat_rhythm`", "`interpatient_strict`, all"),
        ("`beat_rhythm`", "`interpatient`, EC57"),
    ]
    ours = told["`beat_rhythm`", "all beats"]
    assert ours.count("0.700 (0.600 to 0.800)") == 6
    assert not any("0.900" in line for line in lines)


def test_the_table_of_networks_has_both_ways_to_split_in_a_row(tmp_path: Path) -> None:
    row = of_beats("heartbeat_cnn", "interpatient", 0.7)
    row["metrics"] |= {
        "leaky_accuracy": {"value": 0.9, "low": 0.8, "high": 1.0},
        "printed_accuracy": {"value": 0.95, "low": None, "high": None},
        "parameters": {"value": 254901.0, "low": None, "high": None},
    }
    (tmp_path / "signal_networks.json").write_text(json.dumps([row]), encoding="utf-8")
    lines = with_tables(MARKS.replace("image_leads", "signal_networks"), tmp_path).splitlines()
    (told,) = (line for line in lines if line.startswith("| `"))
    assert "| 0.900 (0.800 to 1.000) | 0.950 | 0.700 (0.600 to 0.800) |" in told
    assert "| 254,901 |" in told


def test_the_table_of_windows_has_a_row_a_protocol_and_model(tmp_path: Path) -> None:
    rows = [of_beats("attention_windows", protocol, 0.8) for protocol in ("leaky_windows", "patient_folds")]
    (tmp_path / "signal_windows.json").write_text(json.dumps(rows), encoding="utf-8")
    text = with_tables(MARKS.replace("image_leads", "signal_windows"), tmp_path)
    assert "| `attention_windows` | `patient_folds` | 49,712 | 1 | 0.800 (0.700 to 0.900) |" in text


def test_the_table_of_detectors_has_four_digits(tmp_path: Path) -> None:
    row = of_beats("all leads", "within_150_ms", 0.5)
    share = {"value": 0.99871, "low": 0.99801, "high": 0.99921}
    row["metrics"] = {
        "sensitivity": share,
        "ppv": share,
        "slowest_record_s": {"value": 0.62, "low": None, "high": None},
    }
    (tmp_path / "signal_detection.json").write_text(json.dumps([row]), encoding="utf-8")
    text = with_tables(MARKS.replace("image_leads", "signal_detection"), tmp_path)
    assert "| all leads | 0.9987 (0.9980 to 0.9992) | 0.9987 (0.9980 to 0.9992) | 0.6 |" in text
    assert "49,712 beats" in text
