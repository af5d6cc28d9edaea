"""Figures that are published: from ``runs/`` to ``analysis/results``, and from there into the README.

A published figure is never typed: `publish` copies what a notebook measured (`leadwise.project.published_rows`), with
the command and the machine; `leadwise.project.published_tables` writes the tables of the README from that.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from leadwise.errors import MissingInput, SettingsError
from leadwise.files import write_json, written_whole
from leadwise.project import paths, settings
from leadwise.project.published_rows import ROW, ROWS_OF, read_rows

FROM_NOTEBOOK = {
    "image_leads": ("12_image_leads",),
    "image_leads12": ("26_image_leads12",),
    "image_floors": ("26_image_leads12",),
    "image_transformers": ("21_image_beit", "22_image_deit", "23_image_swin_tiny", "24_image_vit"),
    "image_leakage": ("27_image_leakage",),
    "image_external": ("51_image_models",),
    "image_benefit": ("51_image_models",),
    "student_test": ("42_student_test",),
    "student_export": ("43_student_export",),
    "signal_windows": ("52_signal_models",),
    "signal_beats": ("52_signal_models",),
    "signal_networks": ("52_signal_models",),
    "signal_ensemble": ("33_signal_ensemble",),
    "signal_transfer": ("34_signal_transfer",),
}
"""By the name of the file in ``analysis/results``: the notebooks whose metrics it holds."""

FROM_BENCHMARKS = {
    "serve": ("bench_serve_load", "bench_serve_hostile"),
    "signal_detection": ("bench_qrs",),
}
"""The same for scripts of ``tests/benchmarks``, whose rows are copied as they are."""

TO_BE_RUN = {"image_transformers": ("cpu", "paper")}
"""Files that have a row, null and with the reason, for what has not been run under these profiles."""

FIGURES = {
    "image_leads": ("page_to_leads.png", "einthoven.png"),
    "image_leads12": ("beside_the_rate.png",),
    "image_leakage": ("falling_score.png",),
    "image_benefit": ("worst_pages.png", "net_benefit.png"),
    "student_test": ("what_teaching_gives.png",),
    "student_export": ("answer.png",),
    "signal_windows": ("price_windows.png",),
    "signal_beats": ("price_beats.png", "beside_papers.png", "record.png"),
    "signal_ensemble": ("score_by_number.png",),
    "signal_transfer": ("three_ways.png",),
}
"""By the same name: its notebook's pictures that the README shows; they go to ``analysis/figures``."""

SHIPPED = {
    "student_export": ("43_student_export", "student12.onnx"),
    "signal_beats": ("32_signal_networks", "beat_rhythm.onnx"),
}
"""By the same name: the notebook and its model that goes with the package."""


def publish(profile: str) -> list[Path]:
    """Write what a profile's notebooks measured into ``analysis/results``, with their pictures; return the files.

    Raises SettingsError for the sample, whose figures mean nothing, and MissingInput where nothing was measured.
    """
    settings.load_profile(profile)
    if profile == "sample":
        raise SettingsError(
            "the sample's figures mean nothing, so they are not published: publish another profile."
        )
    written = []
    for name, notebooks in FROM_NOTEBOOK.items():
        measured = [notebook for notebook in notebooks if paths.result_path(profile, notebook).is_file()]
        target = paths.repository() / "analysis" / "results" / f"{name}.json"
        old = read_rows(target) if target.is_file() else []
        rows = [row for row in old if row["profile"] != profile and row["metrics"]]
        others = len(rows)
        for notebook in measured:
            path = paths.result_path(profile, notebook)
            result = json.loads(path.read_text(encoding="utf-8"))
            if result["data_listing"] == "sample":
                variable = "LEADWISE_SIGNALS" if "_signal_" in notebook else "LEADWISE_DATA"
                raise SettingsError(
                    f"{path} was made from the embedded sample, whose figures mean nothing. Let {variable} name "
                    f"the whole set and run it again: leadwise run --profile {profile} --only {notebook}"
                )
            rows += ROWS_OF[name](result, path.parent)
        if len(rows) == others:
            continue
        write_json([*rows, *_not_yet_run(name, rows)], target)
        written.append(target)
        folder = paths.result_path(profile, measured[0]).parent
        for picture in FIGURES.get(name, ()):
            copy = paths.repository() / "analysis" / "figures" / picture
            with written_whole(copy) as aside:
                _small_copy(folder / picture, aside)
            written.append(copy)
        if name == "image_leads12":
            written.append(_keep_teachers(folder))
        if name in SHIPPED:
            notebook, model = SHIPPED[name]
            shipped = paths.repository() / "leadwise" / "resources" / model
            with written_whole(shipped) as aside:
                shutil.copyfile(folder.parent / notebook / model, aside)
            written.append(shipped)
    written += _from_benchmarks(profile)
    for name in TO_BE_RUN if written else ():
        target = paths.repository() / "analysis" / "results" / f"{name}.json"
        if target not in written:
            rows = [row for row in read_rows(target) if row["metrics"]] if target.is_file() else []
            write_json([*rows, *_not_yet_run(name, rows)], target)
            written.append(target)
    if not written:
        every = dict.fromkeys(notebook for notebooks in FROM_NOTEBOOK.values() for notebook in notebooks)
        raise MissingInput(
            f"nothing to publish: {', '.join(every)} has not been run under the profile {profile!r}. "
            f"Run it first: leadwise run --profile {profile}"
        )
    return written


def _from_benchmarks(profile: str) -> list[Path]:
    """Copy the rows of benchmarks that were run under a profile; the other rows stay."""
    written = []
    for name, scripts in FROM_BENCHMARKS.items():
        target = paths.repository() / "analysis" / "results" / f"{name}.json"
        rows = read_rows(target) if target.is_file() else []
        for script in scripts:
            measured = paths.runs_folder() / profile / script / "results.json"
            if measured.is_file():
                new = read_rows(measured)
                again = {(row["protocol"], row["profile"]) for row in new}
                rows = [row for row in rows if (row["protocol"], row["profile"]) not in again] + new
                written.append(target)
        if target in written:
            write_json(rows, target)
    return list(dict.fromkeys(written))


def _not_yet_run(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row without figures for each network of the file that has none, so that a gap is seen as one."""
    lacking = []
    for profile in TO_BE_RUN.get(name, ()):
        told = settings.load_profile(profile)
        for notebook in FROM_NOTEBOOK[name]:
            own: Any = told[notebook]
            for task in own.TASKS:
                known = {"task": task, "model": own.MODEL, "profile": profile}
                if not any(known.items() <= row.items() for row in rows if row["metrics"]):
                    command = f"leadwise run --profile {profile} --only {notebook}"
                    more = {
                        "protocol": "grouped",
                        "seeds": list(own.SEEDS),
                        "unit": "page",
                        "command": command,
                    }
                    lacking += [dict.fromkeys(ROW) | known | more | {"note": "not yet run"}]
    return lacking


def _keep_teachers(folder: Path) -> Path:
    """Copy the first seed's networks of all classes, and who was chosen where, for a student; give the folder.

    A training that leaves out two folds is kept where either fold chose its candidate.
    """
    import pandas as pd

    from leadwise.folds.partition import weights_name

    target = paths.repository() / "analysis" / "results" / "leads12"
    chosen = pd.read_csv(folder / "chosen.csv").query("task == 'four'")
    chosen = chosen[chosen["seed"] == chosen["seed"].iloc[0]]
    folds = chosen["fold"].tolist()
    names = {
        weights_name(row.seed, left_out, prefix=row.chosen)
        for row in chosen.itertuples()
        for left_out in [(row.fold,), *((min(row.fold, j), max(row.fold, j)) for j in folds if j != row.fold)]
    }
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    wanted = [folder / "weights" / f"{name}.safetensors" for name in sorted(names)]
    for path in (path for path in wanted if path.is_file()):  # without INNER there are the outer ones alone
        shutil.copyfile(path, target / path.name)
    predictions = pd.read_csv(folder / "predictions.csv", dtype={"unit_id": str})
    own = (predictions["task"] == "four") & (predictions["seed"] == chosen["seed"].iloc[0])
    for frame, name in (
        (predictions[own].dropna(axis=1, how="all"), "predictions.csv"),
        (chosen, "chosen.csv"),
    ):
        frame.to_csv(target / name, index=False, lineterminator="\n")
    return target


def _small_copy(picture: Path, copy: Path) -> None:
    """A picture for the README, 1600 px wide and in 256 colours: every clone carries it."""
    from PIL import Image

    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    image.thumbnail((1600, 1600), Image.Resampling.LANCZOS)
    kept = Image.Quantize.MAXCOVERAGE  # colours of few pixels, as in a legend, stay what they are
    image.quantize(256, kept, dither=Image.Dither.NONE).save(copy, format="PNG", optimize=True)
