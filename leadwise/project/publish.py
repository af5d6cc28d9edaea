"""From ``runs/`` to ``analysis/results``: what notebooks and benchmarks measured, and what their networks answered.

A published figure is never typed. `publish` copies the rows of ``scores.csv`` and ``differences.csv`` with the run
that made them, the test answers that they can be computed from again, and the pictures and models that ship;
`leadwise.project.documents` writes README, RESULTS.md and cards from that.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leadwise.errors import MissingInput, SettingsError
from leadwise.files import written_whole
from leadwise.machine import hardware, libraries
from leadwise.names import TEST_SET_OF
from leadwise.project import paths, profiles, provenance
from leadwise.project.notebooks import NOTEBOOKS, Parameters
from leadwise.tables import SCHEMAS, read_table, write_table

ANSWERS = "answers"
_SAID = {"value", "low", "high", "n", "run"}


@dataclass(frozen=True)
class Measured:
    """A finished notebook or benchmark: its folder, its row of ``runs.csv``, and its rows of both tables."""

    folder: Path
    run: dict[str, Any]
    scores: pd.DataFrame
    differences: pd.DataFrame
    sampled: frozenset[str] = frozenset()
    """Test sets of which it had the embedded sample alone: what it says of them is not published."""


def publish(profile: str, *, partial: bool = False) -> list[Path]:
    """Write what a profile's notebooks and benchmarks measured into ``analysis/results``; return the files.

    A row takes the place of one that says the same of the same profile. With `partial`, test answers of trainings
    that are finished in notebooks that are not are published too; they have no scores yet. Raises SettingsError for
    the sample, whose figures mean nothing, and for results of other parameters than the profile's, MissingInput where
    nothing was measured or a picture is missing.
    """
    asked = profiles.load_profile(profile)
    if profile == "sample":
        raise SettingsError(
            "the sample's figures mean nothing, so they are not published: publish another profile."
        )
    results = paths.repository() / "analysis" / "results"
    found = [*_notebooks(profile, asked), *_benchmarks(profile)]
    written = _put(found, profile, results) if found else []
    for one in found:
        written += _put_answers(one, results)
        written += _put_figures(one.folder)
        if (one.folder / "chosen.csv").is_file():
            written.append(_keep_teachers(one.folder, results))
    if partial:
        for name in NOTEBOOKS:
            if provenance.read_result(paths.result_path(profile, name)) is None:
                written += _put_finished_answers(profile, name, results)
    if not written:
        raise MissingInput(
            f"nothing to publish: no notebook that scores has been run under the profile {profile!r}. "
            f"Run them first: leadwise run --profile {profile}"
        )
    return written


def _notebooks(profile: str, asked: Mapping[str, Parameters]) -> Iterator[Measured]:
    for name, row in NOTEBOOKS.items():
        path = paths.result_path(profile, name)
        result = provenance.read_result(path)
        if result is None or not path.with_name("scores.csv").is_file():
            continue
        if provenance.made_from_the_sample(result):
            raise SettingsError(
                f"{path} was made from the embedded sample, whose figures mean nothing. Let {row.variable} name "
                f"the whole set and run it again: leadwise run --profile {profile} --only {name}"
            )
        if result["parameters"] != asked[name].model_dump():
            raise SettingsError(
                f"{path} was made with other parameters than the profile {profile!r} has now. Run it again: "
                f"leadwise run --profile {profile} --only {name}"
            )
        for file in (*row.figures, *row.ships):
            if not path.with_name(file).is_file():
                raise MissingInput(
                    f"{path.with_name(file)} is missing. Run it again: leadwise run --profile {profile} --only {name}"
                )
        run, sampled = _run_of(result, path.parent), _tested_on_samples(result)
        tables = (_with_run(path.with_name(f), f, run) for f in _TABLES)
        scores, differences = (table[~table["test_set"].isin(sampled)] for table in tables)
        yield Measured(path.parent, run, scores, differences, sampled)


_DATA_OF = {"mendeley": "pages", "mitdb": "mitdb", "ds2": "mitdb", "ptbxl": "ptbxl425", "ptb": "ptbdb"}


def _tested_on_samples(result: dict[str, Any]) -> frozenset[str]:
    """The test sets of which a notebook had the embedded sample alone: what it says of them means nothing."""
    return frozenset(
        test_set
        for test_set, data in _DATA_OF.items()
        if provenance.listed(result, data) == provenance.SAMPLE
    )


def _benchmarks(profile: str) -> Iterator[Measured]:
    """Those of ``tests/benchmarks`` that write scores and say themselves how they were run."""
    for path in sorted((paths.runs_folder() / profile).glob("bench_*/runs.csv")):
        (run,) = read_table(path, "runs.csv").to_dict("records")
        yield Measured(path.parent, run, *(_with_run(path.with_name(f), f, run) for f in _TABLES))


_TABLES = ("scores.csv", "differences.csv")


def _with_run(path: Path, name: str, run: dict[str, Any]) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame(columns=[*SCHEMAS[name].columns, "run"])
    return read_table(path, name).assign(run=run["run"])


def _run_of(result: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The row of ``runs.csv`` of a finished notebook.

    Minutes, machine, versions and precision are those of its trainings, where it has any: as their files tell, and
    not of a run that took them up.
    """
    from leadwise.learning.training_facts import trainings_in

    weights = folder / "weights"
    trained = trainings_in(weights) if any(weights.glob("*.safetensors")) else None
    name, profile = result["notebook"], result["profile"]
    return {
        "run": f"{name}-{profile}",
        "notebook": name,
        "profile": profile,
        "command": f"leadwise run --profile {profile} --only {name}",
        "hardware": "; ".join(trained.machines) if trained else hardware(result["machine"]),
        "versions": "; ".join(trained.versions) if trained else libraries(result["versions"]),
        "precision": "/".join(trained.precisions) if trained else "",
        "minutes": round(max(result["seconds"], trained.seconds if trained else 0.0) / 60, 1),
        "opening": "",
        "note": result.get("note") or "",
    }


def _put(found: list[Measured], profile: str, results: Path) -> list[Path]:
    """Put rows into the published tables, in place of the same runs' old ones.

    What two notebooks of a profile say alike is the one's that stands first in the table of notebooks; a run of which
    no row is left goes.
    """
    runs = _old(results / "runs.csv", "runs.csv")
    mine = {one.run["run"] for one in found}
    runs = pd.concat(
        [runs[~runs["run"].isin(mine)], pd.DataFrame([one.run for one in found])], ignore_index=True
    )
    order = {name: number for number, name in enumerate(NOTEBOOKS)}
    rank = runs["notebook"].map(order).fillna(len(order)).set_axis(runs["run"])
    of_profile = set(runs.loc[runs["profile"] == profile, "run"])
    written, there = [], set[str]()
    for name, tables in (
        ("scores.csv", [one.scores for one in found]),
        ("differences.csv", [one.differences for one in found]),
    ):
        key = [column for column in SCHEMAS[name].key if column not in _SAID]
        old = _old(results / name, name)
        parts = [part for part in (old[~old["run"].isin(mine)], *tables) if len(part)]
        rows = pd.concat(parts, ignore_index=True) if parts else old
        own = rows[rows["run"].isin(of_profile)]
        first = own[key].astype(str).assign(rank=own["run"].map(rank)).sort_values("rank", kind="stable")
        rows = rows.drop(index=first.index[first.duplicated(key)])
        write_table(rows, results / name, name)
        written.append(results / name)
        there |= set(rows["run"])
    write_table(runs[runs["run"].isin(there)], results / "runs.csv", "runs.csv")
    return [*written, results / "runs.csv"]


def _old(path: Path, name: str) -> pd.DataFrame:
    if path.is_file():
        return read_table(path, name)
    columns = [*SCHEMAS[name].columns, *SCHEMAS[name].optional]
    return pd.DataFrame(columns=columns)


def _put_answers(one: Measured, results: Path) -> list[Path]:
    """Publish the test answers of a notebook, a file a model, task, protocol and seed."""
    path = one.folder / "predictions.csv"
    if not path.is_file():
        return []
    answers = read_table(path, "predictions.csv")
    return _write_answers(
        answers[~answers["task"].map(TEST_SET_OF).isin(one.sampled)], one.run["run"], results
    )


def _put_finished_answers(profile: str, name: str, results: Path) -> list[Path]:
    """The same of the trainings that are finished where the notebook is not; never in place of more answers."""
    found = sorted(
        paths.result_path(profile, name).parent.glob("trainings/*/answers.csv"),
        key=lambda path: path.stat().st_mtime,
    )
    if not found:
        return []
    about = NOTEBOOKS[name].data[0]
    if provenance.data_listing(profile, [about])[about] == provenance.SAMPLE:
        raise SettingsError(
            f"{name} works on the embedded sample, whose figures mean nothing. "
            f"Let {NOTEBOOKS[name].variable} name the whole set."
        )
    told = pd.concat([read_table(path, "predictions.csv") for path in found], ignore_index=True)
    unit = [
        "model",
        "task",
        "protocol",
        "seed",
        "role",
        "unit",
        "unit_id",
        *(["lead"] if "lead" in told else []),
    ]
    told = told.drop_duplicates(unit, keep="last")  # of two trainings, say of other parameters, the later one
    return _write_answers(told, f"{name}-{profile}", results, keep_more=True)


def _write_answers(answers: pd.DataFrame, run: str, results: Path, *, keep_more: bool = False) -> list[Path]:
    """Answers for whole units, as the test set was asked; those of single leads are left out for their size."""
    tested = answers[(answers["role"] == "test") & (answers["unit"] != "lead")]
    written = []
    for key, own in tested.groupby(["model", "task", "protocol", "seed"], sort=False):
        path = results / ANSWERS / run / f"{'-'.join(map(str, key))}.csv.xz"
        if keep_more and path.is_file() and len(read_table(path, "predictions.csv")) > len(own):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        said = own.drop(columns=[c for c in own if c.startswith("prob_") and own[c].isna().all()])
        with written_whole(path) as aside:
            said.to_csv(
                aside, index=False, lineterminator="\n", float_format="%.7g", compression={"method": "xz"}
            )
        written.append(path)
    return written


def _put_figures(folder: Path) -> list[Path]:
    """Copy the pictures that documents show, and the models that go with the package."""
    row, written = NOTEBOOKS.get(folder.name), []
    for picture in row.figures if row else ():
        copy = paths.repository() / "analysis" / "figures" / picture
        with written_whole(copy) as aside:
            _small_copy(folder / picture, aside)
        written.append(copy)
    for model in row.ships if row else ():
        shipped = paths.repository() / "leadwise" / "resources" / model
        with written_whole(shipped) as aside:
            shutil.copyfile(folder / model, aside)
        written.append(shipped)
    return written


def _keep_teachers(folder: Path, results: Path) -> Path:
    """Copy the first seed's networks of all classes of 26, and who was chosen where, for a student; give the folder.

    A training that leaves out two folds is kept where either fold chose its candidate.
    """
    from leadwise.folds.partition import weights_name

    target = results / "leads12"
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
