"""From ``runs/`` to ``analysis/results``: what notebooks and benchmarks measured, and what their networks answered.

A published figure is never typed. `publish` copies the rows of ``scores.csv`` and ``differences.csv`` with the run
that made them, the test answers that they can be computed from again, and the pictures and models that ship;
`leadwise.publishing.documents` writes README, RESULTS.md and cards from that.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from leadwise.errors import MissingInput, SettingsError
from leadwise.files import written_whole
from leadwise.machine import hardware, libraries
from leadwise.names import TEST_SET_OF
from leadwise.project import paths, profiles, provenance
from leadwise.project.notebooks import NOTEBOOKS, Parameters
from leadwise.publishing import openings
from leadwise.tables import SCHEMAS, read_table, write_table

_TABLES = ("scores.csv", "differences.csv")
_VALUES = {"value", "low", "high", "n", "run"}
_DATA_OF = {
    "mendeley": "pages",
    "mitdb": "mitdb",
    "ds2": "mitdb",
    "svdb": "svdb",
    "cinc2017": "cinc2017",
    "ptbxl": "ptbxl425",
    "ptb": "ptbdb",
}
"""By test set: the data of which it is."""


@dataclass(frozen=True)
class Measured:
    """A finished notebook or benchmark: its folder, and its row of ``runs.csv``."""

    folder: Path
    run: dict[str, Any]
    sampled: frozenset[str] = frozenset()
    """Test sets of which it had the embedded sample alone: what it says of them is not published."""

    def rows(self, table: str) -> pd.DataFrame:
        """What it publishes in ``scores.csv`` or ``differences.csv``."""
        rows = _read(self.folder / table)
        return rows[~rows["test_set"].isin(self.sampled)].assign(run=self.run["run"])


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
    measured = [*_notebooks(profile, asked), *_benchmarks(profile)]
    written = _put(measured, profile, results) if measured else []
    for run in measured:
        written += _put_answers(run, results)
        written += _put_figures(run.folder)
        if (run.folder / "chosen.csv").is_file():
            written.append(_keep_networks(run.folder, results))
        if (doubtful := run.folder / "doubtful.csv").is_file():
            with written_whole(results / doubtful.name) as aside:
                shutil.copyfile(doubtful, aside)
            written.append(results / doubtful.name)
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
        if result["parameters"].get("WEIGHTS") == "published":
            raise SettingsError(
                f"{path} holds answers of networks that are published already. Train them: WEIGHTS: random."
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
        sampled = (
            test_set
            for test_set, data in _DATA_OF.items()
            if provenance.listed(result, data) == provenance.SAMPLE
        )
        yield Measured(path.parent, _run_of(result, path.parent), frozenset(sampled))


def write_measured(
    name: str, folder: Path, profile: str, command: str, scores: pd.DataFrame, minutes: float, note: str
) -> None:
    """Write what something else than a notebook measured, as `publish` takes it up: ``scores.csv``, ``runs.csv``.

    `folder` is ``runs/<profile>/<name>``, and any other where it is not to be published.
    """
    run = {
        "run": f"{name}-{profile}",
        "notebook": name,
        "profile": profile,
        "command": command,
        "hardware": hardware(),
        "versions": None,
        "precision": None,
        "minutes": round(minutes, 2),
        "opening": None,
        "note": note,
    }
    write_table(scores, folder / "scores.csv", "scores.csv")
    write_table(pd.DataFrame([run]), folder / "runs.csv", "runs.csv")


def _benchmarks(profile: str) -> Iterator[Measured]:
    """Benchmarks and commands that write scores and say themselves how they were run."""
    for path in sorted((paths.runs_folder() / profile).glob("*/runs.csv")):
        (run,) = _read(path).to_dict("records")
        yield Measured(path.parent, run)


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


def _put(measured: list[Measured], profile: str, results: Path) -> list[Path]:
    """Put rows into the published tables, in place of the same runs' old ones.

    What two notebooks of a profile say alike is the one's that stands first in the table of notebooks; a run of which
    no row is left goes. What says something new of a test set is entered into the ledger of openings.
    """
    names = [run.run["run"] for run in measured]
    runs = _without(_read(results / "runs.csv"), names)
    runs = pd.concat([runs, pd.DataFrame([run.run for run in measured])], ignore_index=True)
    order = {name: number for number, name in enumerate(NOTEBOOKS)}
    rank = runs["notebook"].map(order).fillna(len(order)).set_axis(runs["run"])
    of_profile = set(runs.loc[runs["profile"] == profile, "run"])
    new = {table: [run.rows(table) for run in measured] for table in _TABLES}  # all, before any is written
    before = {table: _read(results / table) for table in _TABLES}
    now = {}
    for table, old in before.items():
        key = [column for column in SCHEMAS[table].key if column not in _VALUES]
        parts = [rows for rows in (_without(old, names), *new[table]) if len(rows)]
        rows = pd.concat(parts, ignore_index=True) if parts else old
        mine = rows[rows["run"].isin(of_profile)]
        first = mine[key].astype(str).assign(rank=mine["run"].map(rank)).sort_values("rank", kind="stable")
        now[table] = rows.drop(index=first.index[first.duplicated(key)])
    published = pd.concat(now.values())
    runs = runs[runs["run"].isin(published["run"])]
    ledger = results.parent / openings.LEDGER
    entries, runs = openings.entered(
        openings.read_openings(ledger),
        runs,
        pd.concat(before.values()),
        published,
        openings.head(paths.repository()),
    )
    written = [results / name for name in (*_TABLES, "runs.csv")] + [ledger]
    for path, rows in zip(written, (*now.values(), runs, entries), strict=True):
        write_table(rows, path, path.name)
    return written


def _without(table: pd.DataFrame, runs: list[str]) -> pd.DataFrame:
    return table[~table["run"].isin(runs)]


def _read(path: Path) -> pd.DataFrame:
    """One of the tables; its columns without a row where there is no such file."""
    if path.is_file():
        return read_table(path, path.name)
    return pd.DataFrame(columns=[*SCHEMAS[path.name].columns, *SCHEMAS[path.name].optional])


def _put_answers(measured: Measured, results: Path) -> list[Path]:
    """Publish the test answers of a notebook, a file a model, task, protocol, seed and condition."""
    path = measured.folder / "predictions.csv"
    if not path.is_file():
        return []
    answers = read_table(path, "predictions.csv")
    kept = ~answers["task"].map(TEST_SET_OF).isin(measured.sampled)
    return _write_answers(answers[kept], results / "answers" / measured.run["run"])


def _put_finished_answers(profile: str, name: str, results: Path) -> list[Path]:
    """The same of the trainings that are finished where the notebook is not; never in place of more answers."""
    finished = sorted(
        paths.result_path(profile, name).parent.glob("trainings/*/answers.csv"),
        key=lambda path: path.stat().st_mtime,
    )
    if not finished:
        return []
    about = NOTEBOOKS[name].data[0]
    if provenance.data_listing(profile, [about])[about] == provenance.SAMPLE:
        raise SettingsError(
            f"{name} works on the embedded sample, whose figures mean nothing. "
            f"Let {NOTEBOOKS[name].variable} name the whole set."
        )
    answers = pd.concat([read_table(path, "predictions.csv") for path in finished], ignore_index=True)
    key = [c for c in SCHEMAS["predictions.csv"].key if c in answers and c not in {"fold", "held_out"}]
    answers = answers.drop_duplicates(key, keep="last")  # of trainings of other parameters, the later one's
    return _write_answers(answers, results / "answers" / f"{name}-{profile}", keep_more=True)


def _write_answers(answers: pd.DataFrame, folder: Path, *, keep_more: bool = False) -> list[Path]:
    """Answers for whole units, as the test set was asked; those of single leads are left out for their size."""
    tested = answers[(answers["role"] == "test") & (answers["unit"] != "lead")]
    of = ["model", "task", "protocol", "seed", *tested.columns.intersection(["condition"])]
    written = []
    for key, rows in tested.groupby(of, sort=False, dropna=False):
        path = folder / f"{'-'.join(str(part) for part in key if pd.notna(part))}.csv.xz"
        if keep_more and path.is_file() and len(read_table(path, "predictions.csv")) > len(rows):
            continue
        of_other_tasks = [name for name in rows if name.startswith("prob_") and rows[name].isna().all()]
        with written_whole(path) as aside:
            rows.drop(columns=of_other_tasks).to_csv(
                aside, index=False, lineterminator="\n", float_format="%.7g", compression="xz"
            )
        written.append(path)
    return written


def _put_figures(folder: Path) -> list[Path]:
    """Copy the pictures that documents show, and the models that go with the package."""
    if folder.name not in NOTEBOOKS:
        return []
    row, repository, written = NOTEBOOKS[folder.name], paths.repository(), []
    for picture in row.figures:
        written.append(repository / "analysis" / "figures" / picture)
        with written_whole(written[-1]) as aside:
            _small_copy(folder / picture, aside)
    for model in row.ships:
        written.append(repository / "leadwise" / "resources" / model)
        with written_whole(written[-1]) as aside:
            shutil.copyfile(folder / model, aside)
    return written


def _keep_networks(folder: Path, results: Path) -> Path:
    """Copy what 26 trained for all classes, with what one who asks its networks or learns from them has to know.

    These are the network of each seed and fold, those of the first seed that leave out two folds, where either chose
    their candidate, who was chosen where, all calibrations, and the answers about inner folds. Gives the folder,
    which takes the place of an earlier one whole or not at all. Raises MissingInput where a seed's network of a
    fold is not there; without INNER those that leave out two folds are not.
    """
    from leadwise.folds.partition import weights_name

    target = results / "leads12"
    chosen = pd.read_csv(folder / "chosen.csv").query("task == 'four'")
    folds, first = chosen["fold"].unique().tolist(), chosen["seed"].iloc[0]
    is_outer = {
        weights_name(row.seed, left_out, prefix=row.chosen): len(left_out) == 1
        for row in chosen.itertuples()
        for left_out in [(row.fold,), *((min(row.fold, j), max(row.fold, j)) for j in folds if j != row.fold)]
        if row.seed == first or len(left_out) == 1
    }
    networks = {folder / "weights" / f"{name}.safetensors": outer for name, outer in sorted(is_outer.items())}
    if lacking := [path for path, outer in networks.items() if outer and not path.is_file()]:
        raise MissingInput(f"{lacking[0]} is missing, so no networks are published. Run {folder.name} again.")
    answers = read_table(folder / "predictions.csv", "predictions.csv")
    answers = answers[(answers["task"] == "four") & (answers["role"] == "inner")]
    with TemporaryDirectory(prefix=".leads12.", dir=results) as held:
        aside = Path(held) / target.name
        aside.mkdir()
        for path in filter(Path.is_file, networks):
            shutil.copyfile(path, aside / path.name)
        answers.dropna(axis=1, how="all").to_csv(
            aside / "predictions.csv", index=False, lineterminator="\n", float_format="%.7g"
        )
        chosen.to_csv(aside / "chosen.csv", index=False, lineterminator="\n")
        shutil.copyfile(folder / "calibration.csv", aside / "calibration.csv")
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    return target


def _small_copy(picture: Path, copy: Path) -> None:
    """A picture for the README, 1600 px wide and in 256 colours: every clone carries it."""
    from PIL import Image

    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    image.thumbnail((1600, 1600), Image.Resampling.LANCZOS)
    kept = Image.Quantize.MAXCOVERAGE  # colours of few pixels, as in a legend, stay what they are
    image.quantize(256, kept, dither=Image.Dither.NONE).save(copy, format="PNG", optimize=True)
