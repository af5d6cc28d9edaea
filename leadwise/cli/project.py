"""Commands for the notebooks of a clone. Each imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from leadwise.cli.app import app


@app.command()
def run(
    profile: Annotated[
        str, typer.Option(help="A file of workflow/profiles: sample, cpu, paper, or your own.")
    ] = "sample",
    only: Annotated[
        str | None, typer.Option(metavar="NOTEBOOK", help="This notebook and what it needs.")
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Cores to use; all that there are by default.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Run again what is done already; networks for which nothing has changed are taken up.",
        ),
    ] = False,
) -> None:
    """Run the notebooks that are not done, each after what it needs.

    Example: leadwise run --profile sample --only 24_image_vit

    Results go to runs/PROFILE (LEADWISE_RUNS names another folder than runs). LEADWISE_DATA names the
    folder with your pages; without it, and in the profile sample, the embedded sample serves.
    """
    from leadwise.project import executor

    outcome = executor.run(profile, only, cores, force=force)
    if outcome.error:
        typer.secho(outcome.error, fg=typer.colors.RED, err=True)
        raise typer.Exit(1)
    if not outcome.ran:
        typer.echo("Nothing to do: all is done already (--force runs it again).")
    _show_results(profile, only)


@app.command()
def publish(
    profile: Annotated[str, typer.Option(help="Whose figures to publish; sample is refused.")],
    partial: Annotated[
        bool,
        typer.Option(
            "--partial", help="Also the test answers of finished trainings whose notebook has not ended."
        ),
    ] = False,
) -> None:
    """Copy what the notebooks of a profile measured into analysis/results: scores, test answers, command, machine.

    Example: leadwise publish --profile cpu

    `leadwise tables` then writes README's tables, RESULTS.md and the cards.
    """
    from leadwise.project.publish import publish as copy

    for path in copy(profile, partial=partial):
        typer.echo(f"Written to {path}")


@app.command()
def tables(
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; end with 1 where a file is not what the tables say."),
    ] = False,
) -> None:
    """Write README's tables, RESULTS.md and the cards anew from analysis/results.

    Example: leadwise tables --check
    """
    from leadwise.project.documents import outdated, write_tables

    if check:
        if old := list(outdated()):
            typer.echo("\n".join(f"Not as the tables say: {path}" for path in old), err=True)
            typer.echo("`leadwise tables` writes them.", err=True)
            raise typer.Exit(1)
        typer.echo("README, RESULTS.md and cards are what the tables say.")
        return
    changed = write_tables()
    typer.echo("\n".join(f"Written: {path}" for path in changed) or "All tables are up to date.")


@app.command()
def report(
    profile: Annotated[str, typer.Option(help="Whose executed notebooks to show.")] = "sample",
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it goes; runs/PROFILE/report by default.")
    ] = None,
) -> None:
    """Write the executed notebooks as a site that opens from disk: tables, figures, cards. Executes nothing.

    Example: leadwise report --profile cpu

    Beside its pages lies bom.cdx.json: the installed packages, their versions, licences and sums (CycloneDX).
    """
    from leadwise.project.materials import write_materials
    from leadwise.project.report import write_report

    first_page = write_report(profile, to)
    write_materials(first_page.parent)
    typer.echo(f"Open in a browser: {first_page}")


def _show_results(profile: str, only: str | None) -> None:
    """Print where the executed notebooks and the summary table are, and the table."""
    from leadwise.project import executor, paths
    from leadwise.project.notebooks import NOTEBOOKS

    folder = paths.runs_folder() / profile
    typer.echo("\nExecuted notebooks:")
    for name in [only] if only else NOTEBOOKS:
        executed = folder / name / "notebook.ipynb"
        typer.echo(f"  {executed if executed.is_file() else f'{executed.parent} (run by hand)'}")
    if other := executor.made_by_other_code(profile):
        typer.echo(f"Made before the code last changed (--force runs them again): {', '.join(other)}")
    scores = folder / "51_image_models" / "scores.csv"
    if only in (None, "51_image_models") and scores.is_file():
        from leadwise.scores.table import print_table, read_scores, selected

        typer.echo(f"\nAll scores: {scores}\n")
        meaningless = " (sample: these figures mean nothing)" if profile == "sample" else ""
        shown = selected(read_scores(scores), protocol="grouped", condition="", unit="page")
        print_table(shown, f"Profile {profile}{meaningless}")
