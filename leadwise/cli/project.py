"""Commands for the notebooks of a clone. Each imports what it needs when it runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from leadwise.cli.app import Command, Cores, app
from leadwise.cli.words import about, complain, say


@app.command(cls=Command)
def run(
    profile: Annotated[
        str,
        typer.Option(metavar="NAME", help="A file of workflow/profiles: sample, cpu, paper, or your own."),
    ] = "sample",
    only: Annotated[
        str | None, typer.Option(metavar="NOTEBOOK", help="This notebook and what it needs.")
    ] = None,
    cores: Cores = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Trainings of a notebook that go on at once, each in a process of one thread (of one GPU, where "
            "there are several); as many as cores by default, one in the profile sample.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Run again what is done already; networks for which nothing has changed are taken up.",
        ),
    ] = False,
) -> None:
    """Run notebooks that are not done, each after its needs.

    Example: leadwise run --profile sample --only 24_image_vit

    Results go to runs/PROFILE (LEADWISE_RUNS names another folder than runs). LEADWISE_DATA names the
    folder with your pages; without it, and in the profile sample, the embedded sample serves.
    """
    from leadwise.project import executor, paths

    with about(paths.runs_folder(), "LEADWISE_RUNS names another folder for results.", prints=True):
        outcome = executor.run(profile, only, cores, jobs=jobs, force=force)
    if outcome.error:
        for line in outcome.error.splitlines():
            complain(line)
        raise typer.Exit(1)
    if not outcome.ran:
        say("Nothing to do: all is done already (--force runs it again).")
    _show_results(profile, only)


@app.command(cls=Command)
def publish(
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="Whose figures to publish; sample is refused.")
    ],
    partial: Annotated[
        bool,
        typer.Option(
            "--partial", help="Also the test answers of finished trainings whose notebook has not ended."
        ),
    ] = False,
) -> None:
    """Copy what notebooks measured into analysis/results.

    Example: leadwise publish --profile cpu

    That is scores, test answers, command and machine. `leadwise tables` then writes README's tables, RESULTS.md
    and the cards. What says something new of a test set gets a row in analysis/openings.csv, whose words are written
    by hand.
    """
    from leadwise.project import paths
    from leadwise.publishing import openings
    from leadwise.publishing.publish import publish as copy

    with about(paths.repository() / "analysis" / "results"):
        written = copy(profile, partial=partial)
    say(*(f"Written to {path}" for path in written))
    if untold := [
        *openings.untold(openings.read_openings(paths.repository() / "analysis" / openings.LEDGER))
    ]:
        say(*untold, err=True)


@app.command(cls=Command)
def tables(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing; end with 1 where a file is not what the tables say, or something is claimed without "
            "its source: a number in prose, a score of a test set, a card of a file.",
        ),
    ] = False,
) -> None:
    """Write README's tables, RESULTS.md and the cards anew.

    Example: leadwise tables --check

    All of them, and scores within sentences, are made from what stands in analysis/results; OPENED.md from
    analysis/openings.csv, in which each published score of a test set has its row.
    """
    from leadwise.project import paths

    repository = paths.repository()  # before what a package without its extras lacks
    from leadwise.publishing.documents import faults, outdated, write_tables

    if check:
        wrong = [f"Not as the tables say: {path}" for path in outdated()]
        wrong += ["`leadwise tables` writes them."] if wrong else []
        if wrong := [*wrong, *faults()]:
            say(*wrong, err=True)
            raise typer.Exit(1)
        say("README, RESULTS.md and cards are what the tables say, and each number in prose has its source.")
        return
    with about(repository):
        written = write_tables()
    say(*[f"Written: {path}" for path in written] or ["All tables are up to date."])


@app.command("score-shipped", cls=Command)
def score_shipped(
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where scores.csv goes; runs/PROFILE/score_shipped by default."),
    ] = None,
) -> None:
    """Score the models that ship again, from their bytes.

    Example: leadwise score-shipped

    Example: leadwise score-shipped --out scores

    beat_rhythm.onnx names the beats of DS2 of MIT-BIH, none of whose records it was shown (one is of a man of DS1):
    all annotated beats, and those that it finds itself, as `leadwise predict` would (matched within 150 ms, ANSI/AAMI
    EC57). LEADWISE_SIGNALS names the folder above mitdb. student12.onnx has trained on every page, so it has no
    score: its checksum is looked at, its errors on these pages are counted, and what the students of each fold score
    is shown. In a clone the page model's published networks answer too, each for the pages of the fold that it never
    saw. LEADWISE_DATA names the folder of pages.
    Without these folders the embedded excerpts and pages serve, whose figures mean little. A few minutes of one core.
    `leadwise publish` takes up what was scored on whole sets. Research use only, not a medical device.
    """
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # figures of one core, and before numpy is loaded
    from leadwise.files import must_hold_files
    from leadwise.publishing.score_shipped import score_all

    if out is not None:
        must_hold_files(out)
    with about(out or Path("scores.csv")):
        for line in score_all(out):
            say(line)


@app.command(cls=Command)
def report(
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="Whose executed notebooks to show.")
    ] = "sample",
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it goes; runs/PROFILE/report by default.")
    ] = None,
) -> None:
    """Write executed notebooks as a site that opens from disk.

    Example: leadwise report --profile cpu

    It shows tables, figures and cards, and executes nothing. An earlier report in DIR is replaced; a folder that
    holds anything else is refused. Beside its pages lies bom.cdx.json: the installed
    packages, their versions, licences and sums (CycloneDX).
    """
    from leadwise.project import paths

    paths.repository()  # before what a package without its extras lacks
    from leadwise.project.materials import write_materials
    from leadwise.publishing.report import write_report

    with about(to or paths.runs_folder() / profile / "report"):
        first_page = write_report(profile, to)
        write_materials(first_page.parent)
    say(f"Open in a browser: {first_page}")


def _show_results(profile: str, only: str | None) -> None:
    """Print where the executed notebooks and the summary table are, and the table."""
    from leadwise.project import executor, paths
    from leadwise.project.notebooks import NOTEBOOKS

    folder = paths.runs_folder() / profile
    say("", "Executed notebooks:")
    for name in [only] if only else NOTEBOOKS:
        executed = folder / name / "notebook.ipynb"
        say(f"  {executed if executed.is_file() else f'{executed.parent} (run by hand)'}")
    if other := executor.made_by_other_code(profile):
        say(f"Made before the code last changed (--force runs them again): {', '.join(other)}")
    scores = folder / "51_image_models" / "scores.csv"
    if only in (None, "51_image_models") and scores.is_file():
        import pandas as pd

        from leadwise.scores.table import print_table, read_scores, selected

        say("", f"All scores: {scores}", "")
        shown = selected(read_scores(scores), protocol="grouped", condition="", unit="page")
        if "published" not in set(shown["weights"]):
            print_table(shown, f"Profile {profile}")
            return
        students = folder / "42_student_test" / "scores.csv"
        if students.is_file():
            shipped = {"model": "student12", "weights": "published", "condition": "loss=consistent"}
            twins = selected(read_scores(students), **shipped).assign(condition="")
            shown = pd.concat([shown, twins]).sort_values("weights", ascending=False, kind="stable")
        is_true = shown["weights"].isin(["published", ""])  # the baselines began from nothing
        few = ("accuracy", "macro_f1", "macro_auroc")
        print_table(
            shown[is_true],
            "Published answers about pages that none had learned from, beside baselines",
            few,
        )
        beats = folder / "52_signal_models" / "scores.csv"
        if only is None and beats.is_file():
            of_file = selected(read_scores(beats), weights="published", counted="all", average="gross")
            of_file = of_file[of_file["condition"].str.startswith("beats=found")]
            print_table(of_file, "The published network on records that it never saw", few[:2])
        meaningless = "Trained here in seconds, to show that it runs: THESE FIGURES MEAN NOTHING"
        print_table(shown[~is_true], meaningless, few)
